/*
 * kernels_impl - the table of kernels, for the drivers and kernels.c alone.
 *
 * Every function is serial. `ld` is the distance between rows in floats.
 */
#ifndef TENSOR_KERNELS_IMPL_H
#define TENSOR_KERNELS_IMPL_H

#include "tensor/attention_kept.h"
#include "tensor/changes.h"
#include "tensor/jets.h"
#include "tensor/kernels.h"

/* Floats in a block of an array that one thread works on at a time. Sums are made block by
 * block, so that they do not depend on the number of threads. */
#define KERNEL_BLOCK ((size_t)4096)

/* Dropout with the probability made into what the loops need. */
struct dropout {
	uint32_t
	    threshold; /* an element is dropped when 24 bits of its hash are below it */
	float scale;   /* 1 / (1 - p) */
	uint64_t key;
};

/* The constants of one AdamW step, rounded once. */
struct adamw_factors {
	float decay;        /* 1 - lr weight_decay */
	float beta1, gain1; /* gain = 1 - beta */
	float beta2, gain2;
	float root_unbias2; /* 1 / sqrt(1 - beta2^t) */
	float unbias1;      /* 1 / (1 - beta1^t) */
	float minus_rate;   /* - lr / (1 - beta1^t) */
	float eps;
};

struct kernels {
	const char *name;

	void (*add_bias)(size_t rows, size_t width, const float *x, const float *b,
			 float *y);
	/* Columns 0 .. cols of an array with rows of ld floats; sum_abs may be NULL. */
	void (*sum_columns)(size_t rows, size_t cols, size_t ld, const float *x, float *sum,
			    float *sum_abs);

	/* sum[j] += sum over rows of x[., j] y[., j], in float for some rows at a time. */
	void (*sum_products)(size_t rows, size_t cols, size_t ldx, const float *x,
			     size_t ldy, const float *y, double *sum);

	void (*act_forward)(enum activation f, size_t n, const float *x, float *y);
	void (*act_backward)(enum activation f, size_t n, const float *x, const float *dy,
			     float *dx);

	void (*norm_forward)(size_t rows, size_t width, const float *x, const float *w,
			     const float *b, float eps, float *y, float *mean, float *rstd);
	void (*norm_input)(size_t rows, size_t width, const float *x, const float *w,
			   const float *mean, const float *rstd, const float *dy,
			   float *dx);
	/* dw += sum over rows of dy (x - mean) rstd, for columns 0 .. cols. */
	void (*norm_weight)(size_t rows, size_t cols, size_t ld, const float *x,
			    const float *mean, const float *rstd, const float *dy,
			    float *dw);

	/* Along a direction, as in jets.h; the rows of norm_jet begin with `first`. */
	void (*act_jet)(enum activation f, size_t n, const float *x, const float *x1,
			const float *x2, float *y1, float *y2);
	void (*norm_jet)(size_t rows, size_t width, const struct norm_jet *o, size_t first);
	void (*softmax_jet)(size_t n, const float *p, bool has2, float *s1, float *s2);

	/* Changes, as in changes.h; the rows of norm_change begin with `first`. */
	void (*act_change)(enum activation f, size_t n, const float *x, const float *d,
			   float *y);
	void (*norm_change)(size_t rows, size_t width, const struct norm_change *o,
			    size_t first);
	void (*attention_change)(const struct attention *a, size_t sequence, size_t head,
				 size_t ld, const struct attention_change *c);
	double (*expm1_dot)(size_t n, const float *e, const float *d, float shift);

	/* One head of one sequence. */
	void (*attention_forward)(const struct attention *a, size_t sequence, size_t head,
				  size_t ld, const float *q, const float *key,
				  const float *v, float *probs, float *out);
	void (*attention_backward)(const struct attention *a, size_t sequence, size_t head,
				   size_t ld, const float *q, const float *key,
				   const float *v, const float *probs, const float *dout,
				   float *dq, float *dk, float *dv);
	void (*attention_kept)(const struct attention_kept *a, size_t sequence, size_t head,
			       const float *q, float *probs, float *out);

	/* The first element has index `first` in its array; a may be NULL. */
	void (*dropout)(size_t n, const float *a, const float *b, const struct dropout *d,
			uint64_t first, float *y);

	float (*largest)(size_t n, const float *x); /* n > 0; nans are passed over */
	double (*sum_exp)(size_t n, const float *x, float minus);
	/* y = factor exp(x - minus); y may be x. */
	void (*exp_scaled)(size_t n, const float *x, float minus, float factor, float *y);

	void (*axpy)(size_t n, float alpha, const float *x, float *y);
	void (*step)(size_t n, const float *x, float alpha, const float *d, float *y);
	void (*scale)(size_t n, float alpha, float *x);
	double (*dot)(size_t n, const float *x, const float *y);
	double (*sum_abs)(size_t n, const float *x);
	bool (*finite)(size_t n, const float *x);

	void (*adamw_moments)(size_t n, const struct adamw_factors *f, const float *g,
			      float *m, float *v);
	void (*adamw_direction)(size_t n, const struct adamw_factors *f, const float *m,
				const float *v, float *d);
	void (*adamw_ahead)(size_t n, const struct adamw_factors *f, const float *g,
			    const float *m, const float *v, float *d);
	void (*adamw_update)(size_t n, const struct adamw_factors *f, const float *g,
			     float *m, float *v, float *w);

	void (*from_f16)(size_t n, const uint16_t *x, float *y);
	void (*from_bf16)(size_t n, const uint16_t *x, float *y);
};

extern const struct kernels kernels_portable;
#ifdef KERNELS_X86
extern const struct kernels kernels_avx2;
extern const struct kernels kernels_avx512;
#endif

struct dropout dropout_make(float p, uint64_t key);

#endif
