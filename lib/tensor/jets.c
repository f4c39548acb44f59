#include "tensor/jets.h"

#include "tensor/kernels_impl.h"

#define JET_GRAIN ((size_t)4096) /* floats below which waking threads costs more */

static size_t smaller(size_t a, size_t b)
{
	return a < b ? a : b;
}

void act_jet(const struct kernels *k, enum activation f, size_t n, const float *x,
	     const float *x1, const float *x2, float *y1, float *y2)
{
#pragma omp parallel for schedule(static) if (n >= JET_GRAIN)
	for (size_t i = 0; i < n; i += KERNEL_BLOCK)
		k->act_jet(f, smaller(KERNEL_BLOCK, n - i), x + i, x1 + i,
			   x2 == NULL ? NULL : x2 + i, y1 + i, y2 + i);
}

void norm_jet(const struct kernels *k, size_t rows, size_t width, const struct norm_jet *o)
{
	size_t step = width == 0 || width > KERNEL_BLOCK ? 1 : KERNEL_BLOCK / width;

#pragma omp parallel for schedule(static) if (rows * width >= JET_GRAIN)
	for (size_t i = 0; i < rows; i += step)
		k->norm_jet(smaller(step, rows - i), width, o, i);
}

void softmax_jet(const struct kernels *k, size_t n, const float *p, bool has2, float *s1,
		 float *s2)
{
	k->softmax_jet(n, p, has2, s1, s2);
}
