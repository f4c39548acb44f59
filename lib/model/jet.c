#include "model/jet.h"

#include <stdlib.h>
#include <string.h>

#include "base/mem.h"
#include "model/jet_impl.h"
#include "tensor/jets.h"

int jet_init(struct jet **out, const struct model *m, struct err *e)
{
	struct jet *j = mem_zeros(1, sizeof *j);

	*out = j;
	if (j == NULL)
		return err_nomem(e);
	j->m = m;
	j->one = mem_zeros(m->n_shared, sizeof *j->one);
	j->two = mem_zeros(m->n_shared, sizeof *j->two);
	j->moves = mem_zeros(m->n_slots, sizeof *j->moves);
	if (j->one != NULL && j->two != NULL && j->moves != NULL)
		return EX_OK;
	jet_free(j);
	*out = NULL;
	return err_nomem(e);
}

void jet_free(struct jet *j)
{
	if (j == NULL)
		return;
	for (size_t i = 0; i < j->m->n_shared; i++) {
		if (j->one != NULL)
			free(j->one[i].f);
		if (j->two != NULL)
			free(j->two[i].f);
	}
	free(j->one);
	free(j->two);
	free(j->probs[0].f);
	free(j->probs[1].f);
	free(j->moves);
	free(j->terms);
	free(j->room);
	free(j);
}

int jet_batch(struct jet *j, struct pass *base, struct err *e)
{
	const struct model *m = j->m;

	j->base = base;
	for (size_t s = 0; s < m->n_slots; s++) {
		int at = m->slots[s].shared;
		size_t rows = pass_rows(base, (int)s), width = m->slots[s].width;

		if (floats_reserve(&j->one[at], rows, width, e) != EX_OK ||
		    floats_reserve(&j->two[at], rows, width, e) != EX_OK)
			return EX_UNAVAILABLE;
	}
	if (jet_attention_reserve(j, e) != EX_OK || jet_base_reserve(j, e) != EX_OK ||
	    mem_grow(&j->terms, &j->terms_cap, pass_rows(base, m->logits), sizeof *j->terms,
		     e) != EX_OK)
		return EX_UNAVAILABLE;
	jet_base_run(j);
	return EX_OK;
}

const float *jet_one(const struct jet *j, int slot)
{
	return j->moves[slot] == MOVES_NOT ? NULL : j->one[j->m->slots[slot].shared].f;
}

const float *jet_two(const struct jet *j, int slot)
{
	return j->moves[slot] == MOVES_BOTH ? j->two[j->m->slots[slot].shared].f : NULL;
}

float *jet_out_one(const struct jet *j, const struct op *op)
{
	return j->one[j->m->slots[op->out].shared].f;
}

float *jet_out_two(const struct jet *j, const struct op *op)
{
	return j->two[j->m->slots[op->out].shared].f;
}

const float *jet_along(const struct jet *j, const struct op *op, int k)
{
	return op->p[k] < 0 ? NULL : j->v[op->p[k]];
}

static size_t out_floats(const struct jet *j, const struct op *op)
{
	return pass_rows(j->base, op->out) * j->m->slots[op->out].width;
}

static enum moves jet_norm(const struct jet *j, const struct op *op)
{
	const struct pass *p = j->base;
	size_t rows = pass_rows(p, op->out), width = j->m->slots[op->out].width;
	const float *stat = pass_stat(p, op)->f;
	const struct norm_jet o = { .x = p->act[op->in[0]],
				    .w = p->w[op->p[0]],
				    .mean = stat,
				    .rstd = stat + rows,
				    .eps = op->eps,
				    .x1 = jet_one(j, op->in[0]),
				    .x2 = jet_two(j, op->in[0]),
				    .w1 = jet_along(j, op, 0),
				    .b1 = jet_along(j, op, 1),
				    .y1 = jet_out_one(j, op),
				    .y2 = jet_out_two(j, op) };

	norm_jet(j->m->k, rows, width, &o);
	return o.x1 == NULL ? MOVES_FIRST : MOVES_BOTH;
}

static enum moves jet_act(const struct jet *j, const struct op *op)
{
	act_jet(j->m->k, op->act, out_floats(j, op), j->base->act[op->in[0]],
		jet_one(j, op->in[0]), jet_two(j, op->in[0]), jet_out_one(j, op),
		jet_out_two(j, op));
	return MOVES_BOTH;
}

/* y = a + b, each NULL where it is zero; y may be one of them. Whether y is not zero. */
static bool add(const struct jet *j, size_t n, const float *a, const float *b, float *y)
{
	const float *only = a == NULL ? b : a;

	if (a != NULL && b != NULL)
		vec_step(j->m->k, n, a, 1, b, y);
	else if (only != NULL && only != y)
		memcpy(y, only, n * sizeof *y);
	return only != NULL;
}

/* A residual, or, without in[1], its input as it is. */
static enum moves jet_add(const struct jet *j, const struct op *op)
{
	size_t n = out_floats(j, op);
	int a = op->in[0], b = op->in[1];
	const float *b1 = b < 0 ? NULL : jet_one(j, b), *b2 = b < 0 ? NULL : jet_two(j, b);

	add(j, n, jet_one(j, a), b1, jet_out_one(j, op));
	return add(j, n, jet_two(j, a), b2, jet_out_two(j, op)) ? MOVES_BOTH : MOVES_FIRST;
}

/* Whether y is not zero. */
static bool take(const struct jet *j, const struct op *op, const float *x, float *y)
{
	size_t width = j->m->slots[op->out].width, rows = pass_rows(j->base, op->out);

	for (size_t i = 0; x != NULL && i < rows; i++)
		memcpy(y + i * width, x + pass_taken(j->base->batch, op->take, i) * width,
		       width * sizeof *y);
	return x != NULL;
}

static enum moves jet_pool(const struct jet *j, const struct op *op)
{
	take(j, op, jet_one(j, op->in[0]), jet_out_one(j, op));
	return take(j, op, jet_two(j, op->in[0]), jet_out_two(j, op)) ? MOVES_BOTH
								      : MOVES_FIRST;
}

static bool touched(const struct jet *j, const struct op *op)
{
	for (int i = 0; i < 3; i++)
		if (op->in[i] >= 0 && j->moves[op->in[i]] != MOVES_NOT)
			return true;
	for (int k = 0; k < OP_PARAMS; k++)
		if (jet_along(j, op, k) != NULL)
			return true;
	return false;
}

static enum moves move(const struct jet *j, const struct op *op)
{
	switch (op->kind) {
	case OP_EMBED: return jet_embed(j, op);
	case OP_PREFIX: return jet_prefix(j, op);
	case OP_NORM: return jet_norm(j, op);
	case OP_LINEAR: return jet_linear(j, op);
	case OP_ATTENTION: return jet_attention(j, op);
	case OP_ACT: return jet_act(j, op);
	case OP_ADD:
	case OP_DROPOUT: return jet_add(j, op);
	case OP_POOL: return jet_pool(j, op);
	default: return MOVES_NOT;
	}
}

/* Means over the rows, summed in their order. */
static struct jet_result mean_of(const struct jet *j)
{
	size_t rows = pass_rows(j->base, j->m->logits);
	struct jet_term sum = { 0, 0, 0 };

	for (size_t i = 0; i < rows; i++) {
		sum.one += j->terms[i].one;
		sum.two += j->terms[i].two;
		sum.gauss_newton += j->terms[i].gauss_newton;
	}
	return (struct jet_result){ .first = -sum.one / (double)rows,
				    .second = 2 * sum.two / (double)rows,
				    .gauss_newton = sum.gauss_newton / (double)rows };
}

struct jet_result jet_run(struct jet *j, const float *const *v)
{
	const struct model *m = j->m;

	j->v = v;
	for (size_t s = 0; s < m->n_slots; s++)
		j->moves[s] = MOVES_NOT;
	for (size_t i = 0; i < m->n_ops; i++) {
		const struct op *op = &m->ops[i];

		if (!touched(j, op))
			continue;
		if (op->kind != OP_LOSS) {
			j->moves[op->out] = move(j, op);
			continue;
		}
		jet_loss(j, op);
		return mean_of(j);
	}
	return (struct jet_result){ 0, 0, 0 };
}

const float *jet_logits(const struct jet *j)
{
	return jet_one(j, j->m->logits);
}
