/*
 * changes - by how much the kernels' results change when their inputs do.
 *
 * f(x + d) - f(x) of an array x that moves by d, made from d without subtracting two values
 * that are almost alike: rounding is a share of the change, not of the value. Shapes,
 * threads and arrays are as in kernels.h.
 */
#ifndef TENSOR_CHANGES_H
#define TENSOR_CHANGES_H

#include "tensor/kernels.h"

/* y = f(x + d) - f(x) = d times the mean of f' between them, by Gauss's rule of two points:
 * wrong by d^5 f'''''/4320, which is of no account in a fourth derivative. y may be d. */
void act_change(const struct kernels *k, enum activation f, size_t n, const float *x,
		const float *d, float *y);

/* Of y = (x - mean) rstd w + b, when x moves by d, w by step dw, and b by step db. */
struct norm_change {
	const float *x, *w, *mean, *rstd; /* mean and rstd [rows] as norm_forward gives */
	const float *d;                   /* NULL where x stands still */
	const float *dw, *db;             /* [width]; NULL where they stand still */
	float step;
	float *y; /* may not be d */
};

void norm_change(const struct kernels *k, size_t rows, size_t width,
		 const struct norm_change *o);

/* Of out = P v, P = softmax(q key' scale), when q moves by dq, keys by dkey and values by
 * dv:
 *     dS = scale (dq key' + (q + dq) dkey')    dP = P (u - mean) / (1 + mean),
 *     u = e^dS - 1, mean = P u                  dout = dP (v + dv) + P dv
 */
struct attention_change {
	const float *key, *probs;    /* probs as attention_forward leaves them */
	const float *moved_q;        /* q + dq */
	const float *moved_v;        /* v + dv */
	const float *dq, *dkey, *dv; /* NULL where they stand still */
	float *work;                 /* as large as probs, or NULL when only dv is there */
	float *out;
};

void attention_change(const struct kernels *k, const struct attention *a, size_t ld,
		      const struct attention_change *c);
/* The same where each sequence has one query (attention_pooled.h), without dropout. */
void attention_pooled_change(const struct attention *a, const struct attention_change *c);

/* sum of e (exp(d - shift) - 1), in double */
double vec_expm1_dot(const struct kernels *k, size_t n, const float *e, const float *d,
		     float shift);

#endif
