/*
 * kernels - the loops over floats that are not matrix products.
 *
 * Every kernel is a plain loop in kernels.c, compiled once for each instruction set
 * and collected in a table; kernels_pick() gives the best one for this processor. The
 * tables agree to rounding: exp and tanh are polynomials of ours, wrong by some 2 units in
 * the last place, the same in each table up to fused multiply-add; gelu has a relative
 * error of about 1e-6 down to -5.3 and an absolute one below 1e-7 further out. Softmax
 * gives 0 for what is less than e^-64 of the largest. A nan in the input is a nan in the
 * output.
 *
 * A table's functions are serial and work on a block of rows. The functions below the
 * table run them over OpenMP threads. Shapes are row-major [rows, width]; arrays do not
 * overlap unless said. Results depend on the table and the inputs, not on the number of
 * threads.
 */
#ifndef TENSOR_KERNELS_H
#define TENSOR_KERNELS_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

enum activation { ACT_GELU, ACT_GELU_NEW, ACT_TANH, ACT_RELU, ACT_SILU };

/* One attention problem set: `rows` of q, k, v are the tokens of packed sequences, sequence
 * s has rows start[s] .. start[s+1]. Head h uses columns h*head_dim .. of width =
 * heads*head_dim. probs holds, for each sequence in turn and each head, the len x len
 * matrix after softmax (and, with dropout, before it: dropout is made again from its key).
 */
struct attention {
	size_t sequences, heads, head_dim;
	const uint32_t *start;  /* [sequences + 1] */
	const size_t *probs_at; /* [sequences]: where its matrices begin in probs */
	float scale;            /* of q k' */
	bool causal;
	float dropout; /* probability; 0 for none */
	uint64_t key;  /* of the dropout mask */
};

struct adamw_step {
	double lr, beta1, beta2, eps, weight_decay;
	uint64_t step; /* 1, 2, ...: for the bias correction */
};

struct kernels; /* the table; see kernels_impl.h */

/* The best table that this processor can run; `name` (or NULL) picks one by name
 * ("portable", "avx2", "avx512"), NULL when it is not there. */
const struct kernels *kernels_pick(const char *name);
const char *kernels_name(const struct kernels *k);

/* y = x + b for each row; b [width]; in place when y == x. */
void rows_add_bias(const struct kernels *k, size_t rows, size_t width, const float *x,
		   const float *b, float *y);
/* sum[j] += sum over rows of x[., j]; also, when not NULL, sum_abs[j] += |x|. Summed in
 * a fixed order. */
void rows_sum(const struct kernels *k, size_t rows, size_t width, const float *x,
	      float *sum, float *sum_abs);

/* The rows of two arrays, ldx and ldy floats apart, in segments: segment s has the rows
 * start[s] .. start[s + 1].
 *
 *     sum[s, j] = sum over the segment's rows of x[., j] y[., j]      [segments, width]
 *
 * In double, of sums in float over some rows at a time. */
void segments_sum_products(const struct kernels *k, size_t segments, const size_t *start,
			   size_t width, const float *x, size_t ldx, const float *y,
			   size_t ldy, double *sum);

/* y = f(x), n elements. In place when y == x. */
void act_forward(const struct kernels *k, enum activation f, size_t n, const float *x,
		 float *y);
/* dx = dy f'(x). In place when dx == dy. */
void act_backward(const struct kernels *k, enum activation f, size_t n, const float *x,
		  const float *dy, float *dx);

/* Layer normalisation: y = (x - mean) rstd w + b, rstd = 1/sqrt(var + eps), biased
 * variance; mean and rstd [rows] are written for the backward pass. */
void norm_forward(const struct kernels *k, size_t rows, size_t width, const float *x,
		  const float *w, const float *b, float eps, float *y, float *mean,
		  float *rstd);
/* dx (NULL: not wanted; in place when dx == dy), dw += , db += (each NULL when not wanted).
 * db_abs as in rows_sum. */
void norm_backward(const struct kernels *k, size_t rows, size_t width, const float *x,
		   const float *w, const float *mean, const float *rstd, const float *dy,
		   float *dx, float *dw, float *db, float *db_abs);

/* out[rows] = softmax(q k' scale) v for each sequence and head. q, k, v and out have `ld`
 * floats between rows. */
void attention_forward(const struct kernels *k, const struct attention *a, size_t ld,
		       const float *q, const float *key, const float *v, float *probs,
		       float *out);
/* From dout: dq, dk, dv (overwritten; each NULL when not wanted). */
void attention_backward(const struct kernels *k, const struct attention *a, size_t ld,
			const float *q, const float *key, const float *v,
			const float *probs, const float *dout, float *dq, float *dk,
			float *dv);

/* y = a + drop(b): elements of b are zeroed with probability p and the others scaled by
 * 1/(1-p); which ones is a function of key and the element's index. p == 0: a + b. a may be
 * NULL (y = drop(b)), y may be a or b. The gradient of b is rows_dropout(NULL, dy). */
void rows_dropout(const struct kernels *k, size_t n, const float *a, const float *b,
		  float p, uint64_t key, float *y);

/* Cross-entropy, loss[i] = log sum_c exp(z[i,c]) - z[i,label[i]]; terms in float, summed in
 * double: it is wrong by some 2e-7 of itself, beyond what z is. */
void cross_entropy_forward(const struct kernels *k, size_t rows, size_t classes,
			   const float *z, const uint32_t *label, double *loss);
/* dz = share (softmax(z) - onehot(label)), `loss` as above; dz may be z. What is less than
 * e^-64 of the sum is 0. */
void cross_entropy_backward(const struct kernels *k, size_t rows, size_t classes,
			    const float *z, const uint32_t *label, const double *loss,
			    double share, float *dz);

/* y += alpha x */
void vec_axpy(const struct kernels *k, size_t n, float alpha, const float *x, float *y);
/* y = x + alpha d */
void vec_step(const struct kernels *k, size_t n, const float *x, float alpha,
	      const float *d, float *y);
void vec_scale(const struct kernels *k, size_t n, float alpha, float *x);
/* Sums in double, in a fixed order whatever the number of threads. */
double vec_dot(const struct kernels *k, size_t n, const float *x, const float *y);
double vec_sum_abs(const struct kernels *k, size_t n, const float *x);
bool vec_finite(const struct kernels *k, size_t n, const float *x);

/* AdamW, decoupled weight decay, bias correction (Loshchilov, Hutter 2019, as PyTorch has
 * it):
 *     m = b1 m + (1-b1) g    v = b2 v + (1-b2) g^2
 *     d = (m / (1-b1^t)) / (sqrt(v / (1-b2^t)) + eps)
 *     w = w - lr (d + weight_decay w)
 * vec_adamw_moments updates m and v, vec_adamw_direction writes the preconditioned step d,
 * vec_adamw_ahead writes the d that they would give one after the other and leaves m and v
 * as they are (d may be g), vec_adamw_update does all of it at once. */
void vec_adamw_moments(const struct kernels *k, size_t n, const struct adamw_step *s,
		       const float *g, float *m, float *v);
void vec_adamw_direction(const struct kernels *k, size_t n, const struct adamw_step *s,
			 const float *m, const float *v, float *d);
void vec_adamw_ahead(const struct kernels *k, size_t n, const struct adamw_step *s,
		     const float *g, const float *m, const float *v, float *d);
void vec_adamw_update(const struct kernels *k, size_t n, const struct adamw_step *s,
		      const float *g, float *m, float *v, float *w);

/* Half and bfloat16 bits to float, exactly. */
void floats_from_f16(const struct kernels *k, size_t n, const uint16_t *x, float *y);
void floats_from_bf16(const struct kernels *k, size_t n, const uint16_t *x, float *y);

#endif
