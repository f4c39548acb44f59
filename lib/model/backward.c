/*
 * The backward pass: operations in reverse, each turning the error at its output into
 * errors at its inputs. Errors stand in counted buffers, so that a residual hands the one
 * it got to both of its inputs without a copy.
 */
#include <stdlib.h>
#include <string.h>

#include "base/mem.h"
#include "model/pass.h"
#include "model/pass_impl.h"
#include "tensor/attention_pooled.h"

struct backward {
	struct pass *p;
	const struct visitor *v;
	const float *dz; /* error at the logits; NULL: the loss's */
	bool *needs;     /* [n_slots]: a wanted parameter lies below */
	struct err *e;
};

static size_t slot_floats(const struct pass *p, int slot)
{
	return pass_rows(p, slot) * p->m->slots[slot].width;
}

static struct floats *take(struct backward *b, int slot)
{
	struct pass *p = b->p;

	for (size_t i = 0; i < p->m->n_slots; i++) {
		struct floats *f = &p->spare[i];

		if (f->refs > 0)
			continue;
		if (floats_reserve(f, slot_floats(p, slot), 1, b->e) != EX_OK)
			return NULL;
		f->refs = 1;
		return f;
	}
	err_set(b->e, EX_SOFTWARE, "backward ran out of error buffers");
	return NULL;
}

/* The error of `slot` to add to; *fresh says that nothing stands there yet. NULL when
 * memory is short. */
static float *open_error(struct backward *b, int slot, bool *fresh)
{
	struct floats *f = b->p->err[slot], *own;

	*fresh = f == NULL;
	if (f != NULL && f->refs == 1)
		return f->f;
	own = take(b, slot);
	if (own == NULL)
		return NULL;
	if (f != NULL) {
		memcpy(own->f, f->f, slot_floats(b->p, slot) * sizeof(float));
		f->refs--;
	}
	b->p->err[slot] = own;
	return own->f;
}

/* Adds n floats to the error of a slot: the buffer itself when nothing stands there. */
static int add_error(struct backward *b, int slot, struct floats *f)
{
	struct floats *have = b->p->err[slot];
	bool fresh;
	float *to;

	if (have == NULL) {
		f->refs++;
		b->p->err[slot] = f;
		return EX_OK;
	}
	to = open_error(b, slot, &fresh);
	if (to == NULL)
		return b->e->code;
	vec_axpy(b->p->m->k, slot_floats(b->p, slot), 1, f->f, to);
	return EX_OK;
}

/* For an operation whose input error is a function of the output's, element for element or
 * row for row: made in a buffer of its own and then added. */
static int back_rows(struct backward *b, const struct op *op, const float *e)
{
	struct pass *p = b->p;
	size_t rows = pass_rows(p, op->out), width = p->m->slots[op->out].width;
	int slot = op->kind == OP_ADD ? op->in[1] : op->in[0], rc;
	struct floats *f = take(b, slot);
	const float *stat;

	if (f == NULL)
		return b->e->code;
	switch (op->kind) {
	case OP_NORM:
		stat = pass_stat(p, op)->f;
		norm_backward(p->m->k, rows, width, p->act[slot], p->w[op->p[0]], stat,
			      stat + rows, e, f->f, NULL, NULL, NULL);
		break;
	case OP_ACT:
		act_backward(p->m->k, op->act, rows * width, p->act[slot], e, f->f);
		break;
	default:
		rows_dropout(p->m->k, rows * width, NULL, e, op->dropout, pass_key(p, op),
			     f->f);
		break;
	}
	rc = add_error(b, slot, f);
	f->refs--;
	return rc;
}

static int back_attention(struct backward *b, const struct op *op, const float *e)
{
	struct pass *p = b->p;
	struct attention a = pass_attention(p, op);
	struct floats *d[3] = { NULL, NULL, NULL };
	const float *q = p->act[op->in[0]], *k = p->act[op->in[1]], *v = p->act[op->in[2]];
	size_t width = p->m->slots[op->in[0]].width;
	float *out[3] = { NULL, NULL, NULL }, *probs = pass_stat(p, op)->f;
	int rc = EX_OK;

	for (int i = 0; i < 3; i++) {
		if (!b->needs[op->in[i]])
			continue;
		d[i] = take(b, op->in[i]);
		if (d[i] == NULL)
			return b->e->code;
		out[i] = d[i]->f;
	}
	if (pass_single_query(p->m, op))
		attention_pooled_backward(p->m->k, &a, q, k, v, probs, e, out[0], out[1],
					  out[2]);
	else
		attention_backward(p->m->k, &a, width, q, k, v, probs, e, out[0], out[1],
				   out[2]);
	for (int i = 0; i < 3; i++) {
		if (d[i] == NULL)
			continue;
		if (rc == EX_OK)
			rc = add_error(b, op->in[i], d[i]);
		d[i]->refs--;
	}
	return rc;
}

/* The error of the rows that were taken; of the others it is 0. */
static void take_backward(const struct pass *p, const struct op *op, const float *e,
			  bool fresh, float *dx)
{
	size_t width = p->m->slots[op->out].width;

	if (fresh)
		memset(dx, 0, slot_floats(p, op->in[0]) * sizeof *dx);
	for (size_t i = 0; i < pass_rows(p, op->out); i++) {
		float *row = dx + pass_taken(p->batch, op->take, i) * width;

		for (size_t j = 0; j < width; j++)
			row[j] += e[i * width + j];
	}
}

/* For an operation that adds to its input's error where that stands. */
static int back_in_place(struct backward *b, const struct op *op, const float *e)
{
	bool fresh;
	float *dx = open_error(b, op->in[0], &fresh);

	if (dx == NULL)
		return b->e->code;
	if (op->kind == OP_LINEAR)
		linear_backward(b->p, op, e, fresh, dx);
	else if (op->kind == OP_POOL)
		take_backward(b->p, op, e, fresh, dx);
	else
		prefix_backward(b->p, op, e, dx);
	return EX_OK;
}

/* A vocabulary's logits are large, and read no more: their error takes their place. */
static int back_loss(struct backward *b, const struct op *op)
{
	struct pass *p = b->p;
	bool in_place = b->dz == NULL ? p->m->language : b->dz == p->act[op->in[0]];
	struct floats *f = in_place ? &p->own[op->in[0]] : take(b, op->in[0]);

	if (f == NULL)
		return b->e->code;
	f->refs = 1;
	p->err[op->in[0]] = f;
	if (b->dz == NULL)
		loss_backward(p, op, f->f);
	else if (!in_place)
		memcpy(f->f, b->dz, slot_floats(p, op->in[0]) * sizeof(float));
	return EX_OK;
}

/* A residual's first input gets the error as it is; the second through the dropout mask. */
static int back_add(struct backward *b, const struct op *op, struct floats *f)
{
	bool masked = b->p->dropout && op->dropout > 0;
	int rc = EX_OK;

	if (b->needs[op->in[1]])
		rc = masked ? back_rows(b, op, f->f) : add_error(b, op->in[1], f);
	if (rc == EX_OK && b->needs[op->in[0]])
		rc = add_error(b, op->in[0], f);
	return rc;
}

static int pull_back(struct backward *b, const struct op *op, struct floats *f)
{
	switch (op->kind) {
	case OP_EMBED:
	case OP_PATCHES: return EX_OK;
	case OP_PREFIX:
	case OP_LINEAR:
	case OP_POOL: return back_in_place(b, op, f->f);
	case OP_ATTENTION: return back_attention(b, op, f->f);
	case OP_ADD: return back_add(b, op, f);
	case OP_DROPOUT:
		if (!b->p->dropout || op->dropout == 0)
			return add_error(b, op->in[0], f);
		return back_rows(b, op, f->f);
	default: return back_rows(b, op, f->f);
	}
}

static bool wants_any(const struct backward *b, const struct op *op)
{
	for (int j = 0; j < OP_PARAMS; j++)
		if (op->p[j] >= 0 && b->v->wants(b->v->self, (size_t)op->p[j]))
			return true;
	return false;
}

static bool needs_input(const struct backward *b, const struct op *op)
{
	for (int j = 0; j < 3; j++)
		if (op->in[j] >= 0 && b->needs[op->in[j]])
			return true;
	return false;
}

static int back(struct backward *b, const struct op *op)
{
	struct floats *f;
	bool wanted;
	int rc = EX_OK;

	if (op->kind == OP_LOSS)
		return b->needs[op->in[0]] ? back_loss(b, op) : EX_OK;
	f = b->p->err[op->out];
	if (f == NULL)
		return EX_OK;
	wanted = wants_any(b, op);
	if (op->kind == OP_LINEAR)
		linear_begin_backward(b->p, op, f->f);
	if (wanted)
		b->v->visit(b->v->self, b->p, op, f->f);
	if (needs_input(b, op))
		rc = pull_back(b, op, f);
	/* A reference that stays keeps whoever shares the buffer from adding to it. */
	if (wanted && b->p->retain)
		return rc;
	b->p->err[op->out] = NULL;
	f->refs--;
	return rc;
}

int pass_backward(struct pass *p, const struct visitor *v, struct err *e)
{
	return pass_backward_from(p, NULL, v, e);
}

int pass_backward_from(struct pass *p, const float *dz, const struct visitor *v,
		       struct err *e)
{
	const struct model *m = p->m;
	struct backward b = { .p = p, .v = v, .dz = dz, .e = e };
	struct err dummy;
	int rc = EX_OK;

	if (e == NULL)
		b.e = &dummy;
	b.needs = mem_zeros(m->n_slots, sizeof *b.needs);
	if (b.needs == NULL)
		return err_nomem(e);
	for (size_t i = 0; i < m->n_slots; i++) {
		p->err[i] = NULL;
		p->spare[i].refs = 0;
	}
	for (size_t i = 0; i < m->n_ops; i++) {
		const struct op *op = &m->ops[i];

		if (op->out >= 0)
			b.needs[op->out] = wants_any(&b, op) || needs_input(&b, op);
	}
	for (size_t i = m->n_ops; rc == EX_OK && i-- > 0;)
		rc = back(&b, &m->ops[i]);
	free(b.needs);
	return rc;
}
