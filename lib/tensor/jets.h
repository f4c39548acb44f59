/*
 * jets - what the kernels do, along a direction.
 *
 * An array x moves as x + x1 eta + x2 eta^2 + ...: a function f of it is
 * f(x) + y1 eta + y2 eta^2 + ..., and these give y1 and y2 from x, x1 and x2. x2 is NULL
 * where it is zero. Shapes, threads and arrays are as in kernels.h.
 */
#ifndef TENSOR_JETS_H
#define TENSOR_JETS_H

#include "tensor/kernels.h"

/* y1 = f' x1, y2 = f' x2 + f''/2 x1^2. y1 may be x1, y2 may be x2. */
void act_jet(const struct kernels *k, enum activation f, size_t n, const float *x,
	     const float *x1, const float *x2, float *y1, float *y2);

/* y = n w + b, n = (x - mean(x)) / sqrt(var(x) + eps), where w and b may move as well:
 * y1 = n1 w + n w1 + b1, y2 = n2 w + n1 w1. Means are taken in double. */
struct norm_jet {
	const float *x, *w, *mean, *rstd; /* mean and rstd [rows] as norm_forward gives */
	float eps;
	const float *x1, *x2; /* x1 NULL: x stands still, and y2 is not written */
	const float *w1, *b1; /* NULL where they stand still */
	float *y1, *y2;       /* may not be x1 or x2 */
};

void norm_jet(const struct kernels *k, size_t rows, size_t width, const struct norm_jet *o);

/* Derivatives of probabilities p[n] = softmax(s): p1 in place of s1, and p2 in place of s2,
 * whose values are not read unless `has2`. Serial. Exact zeros for scores that all move
 * alike. */
void softmax_jet(const struct kernels *k, size_t n, const float *p, bool has2, float *s1,
		 float *s2);

#endif
