#include "tensor/attention_kept.h"

#include <math.h>
#include <string.h>

#define GRAIN ((size_t)16384) /* products below which waking threads costs more */

static float dot(size_t n, const float *x, const float *y)
{
	float sum = 0;

#pragma omp simd reduction(+ : sum)
	for (size_t i = 0; i < n; i++)
		sum += x[i] * y[i];
	return sum;
}

static void add_scaled(size_t n, float alpha, const float *x, float *y)
{
#pragma omp simd
	for (size_t i = 0; i < n; i++)
		y[i] += alpha * x[i];
}

static void softmax(size_t n, float *x)
{
	float top = x[0], sum = 0;

	for (size_t i = 1; i < n; i++)
		top = fmaxf(top, x[i]);
	for (size_t i = 0; i < n; i++)
		sum += x[i] = expf(x[i] - top);
	for (size_t i = 0; i < n; i++)
		x[i] /= sum;
}

void attention_kept_forward(const struct attention_kept *a, const float *q, float *probs,
			    float *out)
{
	size_t dim = a->head_dim, width = a->heads * dim;
	size_t products = width * a->start[a->sequences];

#pragma omp parallel for schedule(static) if (products >= GRAIN)
	for (size_t i = 0; i < a->sequences * a->heads; i++) {
		size_t s = i / a->heads, h = i % a->heads;
		size_t len = a->start[s + 1] - a->start[s];
		const float *const *row = a->row + a->start[s];
		const float *query = q + s * width + h * dim;
		float *p = probs + a->heads * a->start[s] + h * len;
		float *o = out + s * width + h * dim;

		for (size_t j = 0; j < len; j++)
			p[j] = a->scale * dot(dim, query, row[j] + a->key + h * dim);
		softmax(len, p);
		memset(o, 0, dim * sizeof *o);
		for (size_t j = 0; j < len; j++)
			add_scaled(dim, p[j], row[j] + a->value + h * dim, o);
	}
}
