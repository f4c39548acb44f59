#include "tensor/changes.h"

#include <math.h>
#include <string.h>

#include "tensor/kernels_impl.h"
#include "tensor/short.h"

#define CHANGE_GRAIN ((size_t)4096) /* floats below which waking threads costs more */

static size_t smaller(size_t a, size_t b)
{
	return a < b ? a : b;
}

void act_change(const struct kernels *k, enum activation f, size_t n, const float *x,
		const float *d, float *y)
{
#pragma omp parallel for schedule(static) if (n >= CHANGE_GRAIN)
	for (size_t i = 0; i < n; i += KERNEL_BLOCK)
		k->act_change(f, smaller(KERNEL_BLOCK, n - i), x + i, d + i, y + i);
}

void norm_change(const struct kernels *k, size_t rows, size_t width,
		 const struct norm_change *o)
{
	size_t step = width == 0 || width > KERNEL_BLOCK ? 1 : KERNEL_BLOCK / width;

#pragma omp parallel for schedule(static) if (rows * width >= CHANGE_GRAIN)
	for (size_t i = 0; i < rows; i += step)
		k->norm_change(smaller(step, rows - i), width, o, i);
}

void attention_change(const struct kernels *k, const struct attention *a, size_t ld,
		      const struct attention_change *c)
{
	size_t pairs = a->sequences * a->heads;

#pragma omp parallel for schedule(dynamic) if (pairs > 1)
	for (size_t i = 0; i < pairs; i++)
		k->attention_change(a, i / a->heads, i % a->heads, ld, c);
}

double vec_expm1_dot(const struct kernels *k, size_t n, const float *e, const float *d,
		     float shift)
{
	return k->expm1_dot(n, e, d, shift);
}

/* ---- one query a sequence ---- */

static void softmax_change(size_t n, const float *p, float *s)
{
	float shift = s[0];
	double all = 0, mean = 0;

	for (size_t j = 0; j < n; j++) {
		s[j] = expm1f(s[j] - shift);
		all += p[j];
		mean += (double)p[j] * s[j];
	}
	mean /= all;
	for (size_t j = 0; j < n; j++)
		s[j] = (float)(p[j] * (s[j] - mean) / (1 + mean));
}

/* Head h of sequence s. */
static void pooled_head(const struct attention *a, const struct attention_change *c,
			size_t s, size_t h)
{
	size_t dim = a->head_dim, width = a->heads * dim, at = s * width + h * dim;
	size_t first = a->start[s], len = a->start[s + 1] - first;
	const float *p = c->probs + a->heads * first + h * len;
	float *dp = c->work + a->heads * first + h * len;
	bool scores = c->dq != NULL || c->dkey != NULL;

	for (size_t j = 0; j < len && scores; j++) {
		size_t row = (first + j) * width + h * dim;

		dp[j] = c->dq == NULL ? 0 : dot(dim, c->dq + at, c->key + row);
		if (c->dkey != NULL)
			dp[j] += dot(dim, c->moved_q + at, c->dkey + row);
		dp[j] *= a->scale;
	}
	if (scores)
		softmax_change(len, p, dp);
	memset(c->out + at, 0, dim * sizeof *c->out);
	for (size_t j = 0; j < len; j++) {
		size_t row = (first + j) * width + h * dim;

		if (scores)
			add_scaled(dim, dp[j], c->moved_v + row, c->out + at);
		if (c->dv != NULL)
			add_scaled(dim, p[j], c->dv + row, c->out + at);
	}
}

void attention_pooled_change(const struct attention *a, const struct attention_change *c)
{
#pragma omp parallel for schedule(static)
	for (size_t s = 0; s < a->sequences; s++)
		for (size_t h = 0; h < a->heads; h++)
			pooled_head(a, c, s, h);
}
