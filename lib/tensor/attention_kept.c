#include "tensor/attention_kept.h"

#include "tensor/kernels_impl.h"

#define GRAIN ((size_t)16384) /* products below which waking threads costs more */

void attention_kept_forward(const struct kernels *k, const struct attention_kept *a,
			    const float *q, float *probs, float *out)
{
	size_t products = a->heads * a->head_dim * a->start[a->sequences];

#pragma omp parallel for schedule(static) if (products >= GRAIN)
	for (size_t i = 0; i < a->sequences * a->heads; i++)
		k->attention_kept(a, i / a->heads, i % a->heads, q, probs, out);
}
