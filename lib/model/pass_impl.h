/*
 * pass_impl - what the forward and the backward pass share.
 */
#ifndef MODEL_PASS_IMPL_H
#define MODEL_PASS_IMPL_H

#include "model/pass.h"

/* A pass without `keep` has one buffer of statistics for all norms and one for all
 * attentions. */
enum { STATS_NORM, STATS_ATTENTION, STATS_SHARED };

int floats_reserve(struct floats *b, size_t rows, size_t width, struct err *e);

/* Mean [rows] and rstd [rows] of a norm; probabilities of an attention. */
struct floats *pass_stat(const struct pass *p, const struct op *op);

/* Key of an operation's dropout mask in this pass. */
uint64_t pass_key(const struct pass *p, const struct op *op);

struct attention pass_attention(const struct pass *p, const struct op *op);
/* Does the attention have one query a sequence, but keys and values for all tokens? */
bool pass_single_query(const struct model *m, const struct op *op);

/* Says where each slot stands (p->act): in `base`, what operations before `from` made, if
 * there is a base; else in p. */
void pass_place_slots(struct pass *p, const struct pass *base, size_t from);
/* One operation. */
void pass_run(struct pass *p, const struct op *op);

/* The row of the input that row i of an OP_POOL's output is. */
size_t pass_taken(const struct batch *b, enum take take, size_t i);

/* ---- linear.c ---- */

int linear_reserve(struct pass *p, const struct op *op, struct err *e);
void linear_forward(const struct pass *p, const struct op *op, float *y);
/* y = x W', or, unless `fresh`, added to y; of the outputs that `op` computes, for any x
 * and any w that is shaped as W. */
void linear_product(const struct pass *p, const struct op *op, const float *x,
		    const float *w, bool fresh, float *y);
/* Rows of a slot: n of them from `from` on. */
struct span {
	size_t from, n;
};

/* The rows of sequences first .. end - 1; all of them when end is 0. */
struct span pass_span(const struct pass *p, int slot, size_t first, size_t end);

/* t [rows, rank] = scale e B: the error at the middle of pair k. */
void linear_pair_error(const struct pass *p, const struct op *op, int k, const float *e,
		       float *t);
/* Before the other two: what they share, from the error e at the output. */
void linear_begin_backward(const struct pass *p, const struct op *op, const float *e);
/* The error at the input into dx, or, unless `fresh`, added to it. */
void linear_backward(const struct pass *p, const struct op *op, const float *e, bool fresh,
		     float *dx);
/* g and terms as in struct gradients; only the rows `part` of the output are added. */
void linear_gradients(const struct pass *p, const struct op *op, struct span part,
		      const float *e, float *const *g, float *const *terms);

/* ---- input.c ---- */

int input_place(struct pass *p, const struct op *op, struct err *e);
/* The row of the table of positions for each token. */
const uint32_t *input_places(const struct pass *p, const struct op *op);
void embed_forward(const struct pass *p, const struct op *op, float *out);
void embed_gradients(const struct pass *p, const struct op *op, struct span part,
		     const float *e, float *const *g);
void patches_forward(const struct pass *p, float *out);
void prefix_forward(const struct pass *p, const struct op *op, const float *x, float *out);
void prefix_backward(const struct pass *p, const struct op *op, const float *e, float *dx);
void prefix_gradients(const struct pass *p, const struct op *op, struct span part,
		      const float *e, float *const *g);

/* ---- loss.c ---- */

void loss_forward(struct pass *p, const struct op *op);
/* dz = d loss / d logits */
void loss_backward(const struct pass *p, const struct op *op, float *dz);

#endif
