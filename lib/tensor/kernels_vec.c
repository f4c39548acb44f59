/* Kernels over all elements of an array, run by OpenMP threads in blocks of KERNEL_BLOCK.
 * Where arrays of one block come by the ten thousand, they do without a parallel region: to
 * enter one takes as long as the block, even with one thread.
 */
#include <math.h>

#include "tensor/kernels_impl.h"

#define ACT_GRAIN  ((size_t)8192) /* elements below which waking threads costs more */
#define VEC_GRAIN  ((size_t)65536)
#define SUM_BLOCKS 1024 /* block sums that are held before they are added up */

static size_t block_of(size_t n, size_t i)
{
	return n - i < KERNEL_BLOCK ? n - i : KERNEL_BLOCK;
}

void act_forward(const struct kernels *k, enum activation f, size_t n, const float *x,
		 float *y)
{
#pragma omp parallel for schedule(static) if (n >= ACT_GRAIN)
	for (size_t i = 0; i < n; i += KERNEL_BLOCK)
		k->act_forward(f, block_of(n, i), x + i, y + i);
}

void act_backward(const struct kernels *k, enum activation f, size_t n, const float *x,
		  const float *dy, float *dx)
{
#pragma omp parallel for schedule(static) if (n >= ACT_GRAIN)
	for (size_t i = 0; i < n; i += KERNEL_BLOCK)
		k->act_backward(f, block_of(n, i), x + i, dy + i, dx + i);
}

void vec_axpy(const struct kernels *k, size_t n, float alpha, const float *x, float *y)
{
#pragma omp parallel for schedule(static) if (n >= VEC_GRAIN)
	for (size_t i = 0; i < n; i += KERNEL_BLOCK)
		k->axpy(block_of(n, i), alpha, x + i, y + i);
}

void vec_step(const struct kernels *k, size_t n, const float *x, float alpha,
	      const float *d, float *y)
{
#pragma omp parallel for schedule(static) if (n >= VEC_GRAIN)
	for (size_t i = 0; i < n; i += KERNEL_BLOCK)
		k->step(block_of(n, i), x + i, alpha, d + i, y + i);
}

void vec_scale(const struct kernels *k, size_t n, float alpha, float *x)
{
	if (n <= KERNEL_BLOCK) {
		k->scale(n, alpha, x);
		return;
	}
#pragma omp parallel for schedule(static) if (n >= VEC_GRAIN)
	for (size_t i = 0; i < n; i += KERNEL_BLOCK)
		k->scale(block_of(n, i), alpha, x + i);
}

/* Dot product with y, or sum of absolute values when y is NULL. */
static double sum_block(const struct kernels *k, size_t n, const float *x, const float *y)
{
	return y == NULL ? k->sum_abs(n, x) : k->dot(n, x, y);
}

static double sum_blocks(const struct kernels *k, size_t n, const float *x, const float *y)
{
	double part[SUM_BLOCKS], sum = 0.0;
	const size_t span = SUM_BLOCKS * KERNEL_BLOCK;

	for (size_t at = 0; at < n; at += span) {
		size_t m = n - at < span ? n - at : span;
		size_t blocks = (m + KERNEL_BLOCK - 1) / KERNEL_BLOCK;

#pragma omp parallel for schedule(static) if (m >= VEC_GRAIN)
		for (size_t b = 0; b < blocks; b++) {
			size_t i = at + b * KERNEL_BLOCK;

			part[b] =
			    sum_block(k, block_of(n, i), x + i, y == NULL ? NULL : y + i);
		}
		for (size_t b = 0; b < blocks; b++)
			sum += part[b];
	}
	return sum;
}

static double sum_in_order(const struct kernels *k, size_t n, const float *x,
			   const float *y)
{
	return n <= KERNEL_BLOCK ? sum_block(k, n, x, y) : sum_blocks(k, n, x, y);
}

double vec_dot(const struct kernels *k, size_t n, const float *x, const float *y)
{
	return y == NULL ? 0.0 : sum_in_order(k, n, x, y);
}

double vec_sum_abs(const struct kernels *k, size_t n, const float *x)
{
	return sum_in_order(k, n, x, NULL);
}

bool vec_finite(const struct kernels *k, size_t n, const float *x)
{
	bool finite = true;

#pragma omp parallel for schedule(static) reduction(&& : finite) if (n >= VEC_GRAIN)
	for (size_t i = 0; i < n; i += KERNEL_BLOCK)
		finite = finite && k->finite(block_of(n, i), x + i);
	return finite;
}

/* Powers and roots in double, each factor rounded once. */
static struct adamw_factors factors_of(const struct adamw_step *s)
{
	double unbias1 = 1.0 - pow(s->beta1, (double)s->step);
	double unbias2 = 1.0 - pow(s->beta2, (double)s->step);

	return (struct adamw_factors){
		.decay = (float)(1.0 - s->lr * s->weight_decay),
		.beta1 = (float)s->beta1,
		.gain1 = (float)(1.0 - s->beta1),
		.beta2 = (float)s->beta2,
		.gain2 = (float)(1.0 - s->beta2),
		.root_unbias2 = (float)(1.0 / sqrt(unbias2)),
		.unbias1 = (float)(1.0 / unbias1),
		.minus_rate = (float)(-s->lr / unbias1),
		.eps = (float)s->eps,
	};
}

void vec_adamw_moments(const struct kernels *k, size_t n, const struct adamw_step *s,
		       const float *g, float *m, float *v)
{
	const struct adamw_factors f = factors_of(s);

#pragma omp parallel for schedule(static) if (n >= VEC_GRAIN)
	for (size_t i = 0; i < n; i += KERNEL_BLOCK)
		k->adamw_moments(block_of(n, i), &f, g + i, m + i, v + i);
}

void vec_adamw_direction(const struct kernels *k, size_t n, const struct adamw_step *s,
			 const float *m, const float *v, float *d)
{
	const struct adamw_factors f = factors_of(s);

#pragma omp parallel for schedule(static) if (n >= VEC_GRAIN)
	for (size_t i = 0; i < n; i += KERNEL_BLOCK)
		k->adamw_direction(block_of(n, i), &f, m + i, v + i, d + i);
}

void vec_adamw_ahead(const struct kernels *k, size_t n, const struct adamw_step *s,
		     const float *g, const float *m, const float *v, float *d)
{
	const struct adamw_factors f = factors_of(s);

	if (n <= KERNEL_BLOCK) {
		k->adamw_ahead(n, &f, g, m, v, d);
		return;
	}
#pragma omp parallel for schedule(static) if (n >= VEC_GRAIN)
	for (size_t i = 0; i < n; i += KERNEL_BLOCK)
		k->adamw_ahead(block_of(n, i), &f, g + i, m + i, v + i, d + i);
}

void vec_adamw_update(const struct kernels *k, size_t n, const struct adamw_step *s,
		      const float *g, float *m, float *v, float *w)
{
	const struct adamw_factors f = factors_of(s);

#pragma omp parallel for schedule(static) if (n >= VEC_GRAIN)
	for (size_t i = 0; i < n; i += KERNEL_BLOCK)
		k->adamw_update(block_of(n, i), &f, g + i, m + i, v + i, w + i);
}

void floats_from_f16(const struct kernels *k, size_t n, const uint16_t *x, float *y)
{
#pragma omp parallel for schedule(static) if (n >= VEC_GRAIN)
	for (size_t i = 0; i < n; i += KERNEL_BLOCK)
		k->from_f16(block_of(n, i), x + i, y + i);
}

void floats_from_bf16(const struct kernels *k, size_t n, const uint16_t *x, float *y)
{
#pragma omp parallel for schedule(static) if (n >= VEC_GRAIN)
	for (size_t i = 0; i < n; i += KERNEL_BLOCK)
		k->from_bf16(block_of(n, i), x + i, y + i);
}
