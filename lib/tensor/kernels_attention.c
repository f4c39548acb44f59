/* Attention over all heads of all sequences: each pair is a task of its own. */
#include "tensor/kernels_impl.h"

void attention_forward(const struct kernels *k, const struct attention *a, size_t ld,
		       const float *q, const float *key, const float *v, float *probs,
		       float *out)
{
	size_t pairs = a->sequences * a->heads;

#pragma omp parallel for schedule(dynamic) if (pairs > 1)
	for (size_t i = 0; i < pairs; i++)
		k->attention_forward(a, i / a->heads, i % a->heads, ld, q, key, v, probs,
				     out);
}

void attention_backward(const struct kernels *k, const struct attention *a, size_t ld,
			const float *q, const float *key, const float *v,
			const float *probs, const float *dout, float *dq, float *dk,
			float *dv)
{
	size_t pairs = a->sequences * a->heads;

#pragma omp parallel for schedule(dynamic) if (pairs > 1)
	for (size_t i = 0; i < pairs; i++)
		k->attention_backward(a, i / a->heads, i % a->heads, ld, q, key, v, probs,
				      dout, dq, dk, dv);
}
