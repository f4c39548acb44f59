/*
 * Attention along a direction, for one head of one sequence:
 *
 *     s1 = scale (q1 k' + q k1')             s2 = scale (q2 k' + q1 k1' + q k2')
 *     (p1, p2) of p = softmax(s)
 *     y1 = p1 v + p v1                       y2 = p2 v + p1 v1 + p v2
 *
 * p is that of the base pass. What a causal query does not see has p = 0, and so p1 and p2.
 */
#include "model/jet_impl.h"
#include "tensor/blas.h"
#include "tensor/jets.h"

/* q, k and v or their coefficients; NULL where they are zero. */
struct three {
	const float *q, *k, *v;
};

int jet_attention_reserve(struct jet *j, struct err *e)
{
	const struct batch *b = j->base->batch;

	for (size_t i = 0; i < j->m->n_ops; i++) {
		const struct op *op = &j->m->ops[i];
		size_t last, floats;

		if (op->kind != OP_ATTENTION)
			continue;
		last = b->start[b->sequences] - b->start[b->sequences - 1];
		floats = j->base->probs_at[b->sequences - 1] + op->heads * last * last;
		if (pass_single_query(j->m, op))
			floats = op->heads * b->tokens;
		if (floats_reserve(&j->probs[0], floats, 1, e) != EX_OK ||
		    floats_reserve(&j->probs[1], floats, 1, e) != EX_OK)
			return EX_UNAVAILABLE;
	}
	return EX_OK;
}

struct jet_block jet_block_of(const struct jet *j, const struct op *op, size_t s, size_t h)
{
	const struct batch *b = j->base->batch;
	size_t width = j->m->slots[op->in[0]].width, dim = width / op->heads;
	size_t first = b->start[s], len = b->start[s + 1] - first;
	bool single = pass_single_query(j->m, op);

	return (struct jet_block){
		.queries = single ? 1 : len,
		.keys = len,
		.dim = dim,
		.width = width,
		.query = (single ? s : first) * width + h * dim,
		.key = first * width + h * dim,
		.probs = single ? op->heads * first + h * len
				: j->base->probs_at[s] + h * len * len,
	};
}

/* s (+)= q k', where both are there; whether s stands. */
static bool add_scores(const struct jet_block *b, const float *q, const float *k,
		       bool stands, float *s)
{
	if (q == NULL || k == NULL)
		return stands;
	gemm_nt(b->queries, b->keys, b->dim, q + b->query, b->width, k + b->key, b->width,
		stands ? 1 : 0, s, b->keys);
	return true;
}

/* y (+)= p v, where both are there; whether y stands. */
static bool add_values(const struct jet_block *b, const float *p, const float *v,
		       bool stands, float *y)
{
	if (p == NULL || v == NULL)
		return stands;
	gemm_nn(b->queries, b->dim, b->keys, p, b->keys, v + b->key, b->width,
		stands ? 1 : 0, y + b->query, b->width);
	return true;
}

/* p1 and p2 of the block. */
static void move_probs(const struct jet *j, const struct op *op, const struct jet_block *b,
		       const struct three at[3])
{
	const float *p = pass_stat(j->base, op)->f + b->probs;
	float *s1 = j->probs[0].f + b->probs, *s2 = j->probs[1].f + b->probs;
	size_t n = b->queries * b->keys;
	bool two;

	add_scores(b, at[0].q, at[1].k, add_scores(b, at[1].q, at[0].k, false, s1), s1);
	two = add_scores(b, at[2].q, at[0].k, false, s2);
	two = add_scores(b, at[1].q, at[1].k, two, s2);
	two = add_scores(b, at[0].q, at[2].k, two, s2);
	for (size_t i = 0; i < n; i++)
		s1[i] *= op->scale;
	for (size_t i = 0; two && i < n; i++)
		s2[i] *= op->scale;
	for (size_t i = 0; i < b->queries; i++)
		softmax_jet(j->m->k, b->keys, p + i * b->keys, two, s1 + i * b->keys,
			    s2 + i * b->keys);
}

static void move_block(const struct jet *j, const struct op *op, const struct jet_block *b,
		       const struct three at[3])
{
	const float *p = pass_stat(j->base, op)->f + b->probs, *p1 = NULL, *p2 = NULL;
	float *y1 = jet_out_one(j, op), *y2 = jet_out_two(j, op);
	bool two;

	if (at[1].q != NULL || at[1].k != NULL) {
		move_probs(j, op, b, at);
		p1 = j->probs[0].f + b->probs;
		p2 = j->probs[1].f + b->probs;
	}
	add_values(b, p, at[1].v, add_values(b, p1, at[0].v, false, y1), y1);
	two = add_values(b, p2, at[0].v, false, y2);
	two = add_values(b, p1, at[1].v, two, y2);
	add_values(b, p, at[2].v, two, y2);
}

enum moves jet_attention(const struct jet *j, const struct op *op)
{
	float *const *act = j->base->act;
	const int *in = op->in;
	const struct three at[3] = {
		{ act[in[0]], act[in[1]], act[in[2]] },
		{ jet_one(j, in[0]), jet_one(j, in[1]), jet_one(j, in[2]) },
		{ jet_two(j, in[0]), jet_two(j, in[1]), jet_two(j, in[2]) },
	};
	size_t tasks = j->base->batch->sequences * op->heads;

#pragma omp parallel for schedule(dynamic) if (tasks > 1)
	for (size_t i = 0; i < tasks; i++) {
		struct jet_block b = jet_block_of(j, op, i / op->heads, i % op->heads);

		move_block(j, op, &b, at);
	}
	if (at[1].q == NULL && at[1].k == NULL && at[2].v == NULL)
		return MOVES_FIRST;
	return MOVES_BOTH;
}
