/*
 * short - sums over the width of a head, too short for a call of a kernel.
 */
#ifndef TENSOR_SHORT_H
#define TENSOR_SHORT_H

#include <stddef.h>

static inline float dot(size_t n, const float *x, const float *y)
{
	float sum = 0;

#pragma omp simd reduction(+ : sum)
	for (size_t i = 0; i < n; i++)
		sum += x[i] * y[i];
	return sum;
}

/* y += alpha x */
static inline void add_scaled(size_t n, float alpha, const float *x, float *y)
{
#pragma omp simd
	for (size_t i = 0; i < n; i++)
		y[i] += alpha * x[i];
}

#endif
