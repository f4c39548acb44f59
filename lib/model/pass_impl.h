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

#endif
