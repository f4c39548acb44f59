/*
 * attention_pooled - attention in which each sequence has one query.
 *
 * For a head that looks at one token only, the last block needs no other query:
 *     p = softmax(q K' scale) over the sequence's keys,  out = p V
 * q and out are [sequences, width], keys and values [rows, width]; head h uses columns
 * h*head_dim and on. probs has room for 2 * heads * rows floats: the probabilities and,
 * behind them, what dropout leaves of them.
 */
#ifndef TENSOR_ATTENTION_POOLED_H
#define TENSOR_ATTENTION_POOLED_H

#include "tensor/kernels.h"

/* Uses a->sequences, heads, head_dim, start, scale, dropout and key. */
void attention_pooled_forward(const struct kernels *k, const struct attention *a,
			      const float *q, const float *key, const float *v,
			      float *probs, float *out);

/* dq [sequences, width]; dkey, dv [rows, width]; each overwritten, or NULL. */
void attention_pooled_backward(const struct kernels *k, const struct attention *a,
			       const float *q, const float *key, const float *v,
			       const float *probs, const float *dout, float *dq,
			       float *dkey, float *dv);

#endif
