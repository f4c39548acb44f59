/*
 * attention_kept - attention of one query a sequence over rows that lie anywhere.
 *
 * While a text is generated token by token, the keys and values of the tokens before are
 * kept, and sequences that begin alike share them:
 *     p = softmax(q K' scale),  out = p V
 * q and out are [sequences, width]; head h uses columns h*head_dim and on.
 */
#ifndef TENSOR_ATTENTION_KEPT_H
#define TENSOR_ATTENTION_KEPT_H

#include "tensor/kernels.h"

struct attention_kept {
	size_t sequences, heads, head_dim;
	/* The tokens of sequence s are row[start[s]] .. row[start[s + 1] - 1], at least
	 * one. A token's key [width] begins `key` floats behind its row, its value `value`.
	 */
	const size_t *start;
	const float *const *row;
	size_t key, value;
	float scale;
};

/* probs has room for heads * start[sequences] floats. The result does not depend on the
 * number of threads, nor a sequence's on the others. */
void attention_kept_forward(const struct kernels *k, const struct attention_kept *a,
			    const float *q, float *probs, float *out);

#endif
