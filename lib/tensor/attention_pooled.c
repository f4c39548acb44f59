#include "tensor/attention_pooled.h"

#include <math.h>
#include <string.h>

#include "tensor/short.h"

static void scaled(size_t n, float alpha, const float *x, float *y)
{
	for (size_t i = 0; i < n; i++)
		y[i] = alpha * x[i];
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

void attention_pooled_forward(const struct kernels *k, const struct attention *a,
			      const float *q, const float *key, const float *v,
			      float *probs, float *out)
{
	size_t dim = a->head_dim, width = a->heads * dim;
	size_t all = a->heads * a->start[a->sequences];
	float *used = a->dropout > 0 ? probs + all : probs;

#pragma omp parallel for schedule(static)
	for (size_t s = 0; s < a->sequences; s++)
		for (size_t h = 0; h < a->heads; h++) {
			size_t first = a->start[s], len = a->start[s + 1] - first;
			float *p = probs + a->heads * first + h * len;

			for (size_t j = 0; j < len; j++)
				p[j] = a->scale * dot(dim, q + s * width + h * dim,
						      key + (first + j) * width + h * dim);
			if (len > 0)
				softmax(len, p);
		}
	if (a->dropout > 0)
		rows_dropout(k, all, NULL, probs, a->dropout, a->key, used);
#pragma omp parallel for schedule(static)
	for (size_t s = 0; s < a->sequences; s++)
		for (size_t h = 0; h < a->heads; h++) {
			size_t first = a->start[s], len = a->start[s + 1] - first;
			const float *p = used + a->heads * first + h * len;
			float *o = out + s * width + h * dim;

			memset(o, 0, dim * sizeof *o);
			for (size_t j = 0; j < len; j++)
				add_scaled(dim, p[j], v + (first + j) * width + h * dim, o);
		}
}

void attention_pooled_backward(const struct kernels *k, const struct attention *a,
			       const float *q, const float *key, const float *v,
			       const float *probs, const float *dout, float *dq,
			       float *dkey, float *dv)
{
	size_t dim = a->head_dim, width = a->heads * dim;
	size_t all = a->heads * a->start[a->sequences];
	const float *used = a->dropout > 0 ? probs + all : probs;

	(void)k;
#pragma omp parallel for schedule(static)
	for (size_t s = 0; s < a->sequences; s++)
		for (size_t h = 0; h < a->heads; h++) {
			size_t first = a->start[s], len = a->start[s + 1] - first;
			size_t at = a->heads * first + h * len, col = h * dim;
			const float *p = probs + at, *u = used + at;
			const float *o = dout + s * width + col,
				    *query = q + s * width + col;
			float sum = 0, keep = 1 / (1 - a->dropout);

			if (dq != NULL)
				memset(dq + s * width + col, 0, dim * sizeof *dq);
			/* softmax: ds_j = p_j (dp_j - sum_i p_i dp_i); dp_j is 0 where
			 * dropout took p_j away */
			for (size_t j = 0; j < len; j++)
				sum += u[j] * dot(dim, o, v + (first + j) * width + col);
			for (size_t j = 0; j < len; j++) {
				size_t row = (first + j) * width + col;
				float dp = u[j] == 0 && a->dropout > 0
					       ? 0
					       : keep * dot(dim, o, v + row);
				float ds = a->scale * p[j] * (dp - sum);

				if (dv != NULL)
					scaled(dim, u[j], o, dv + row);
				if (dkey != NULL)
					scaled(dim, ds, query, dkey + row);
				if (dq != NULL)
					add_scaled(dim, ds, key + row,
						   dq + s * width + col);
			}
		}
}
