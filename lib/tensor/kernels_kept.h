/*
 * kernels_kept - one head of one query over kept rows (attention_kept.h).
 *
 * Included by kernels.c alone.
 */
#ifndef TENSOR_KERNELS_KEPT_H
#define TENSOR_KERNELS_KEPT_H

/* The columns from d on of p V, LANES or `rest` of them. */
ALWAYS_INLINE lanes mix_kept(size_t len, const float *p, const float *const *row, size_t at,
			     size_t rest)
{
	lanes even = { 0 }, odd = { 0 };
	size_t j = 0;

	if (rest > 0) {
		for (; j < len; j++)
			even += p[j] * load_part(row[j] + at, rest, 0.0f);
		return even;
	}
	for (; j + 1 < len; j += 2) {
		even += p[j] * load(row[j] + at);
		odd += p[j + 1] * load(row[j + 1] + at);
	}
	if (j < len)
		even += p[j] * load(row[j] + at);
	return even + odd;
}

static void attention_kept_head(const struct attention_kept *a, size_t sequence,
				size_t head, const float *q, float *probs, float *out)
{
	size_t dim = a->head_dim, from = head * dim, whole = dim - dim % LANES;
	size_t first = a->start[sequence], len = a->start[sequence + 1] - first;
	size_t at = sequence * a->heads * dim + from;
	const float *const *row = a->row + first;
	float *p = probs + a->heads * first + head * len;

	for (size_t j = 0; j < len; j++)
		p[j] = a->scale * dot_row(dim, q + at, row[j] + a->key + from);
	softmax_row(len, p, false);
	for (size_t d = 0; d < whole; d += LANES)
		store(out + at + d, mix_kept(len, p, row, a->value + from + d, 0));
	if (whole < dim)
		store_part(out + at + whole,
			   mix_kept(len, p, row, a->value + from + whole, dim - whole),
			   dim - whole);
}

#endif
