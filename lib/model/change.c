#include <math.h>
#include <stdlib.h>
#include <string.h>

#include "base/mem.h"
#include "model/change_impl.h"
#include "tensor/changes.h"

int change_init(struct change **out, const struct model *m, struct err *e)
{
	struct change *c = mem_zeros(1, sizeof *c);
	int rc;

	*out = NULL;
	if (c == NULL)
		return err_nomem(e);
	c->m = m;
	c->motion = mem_zeros(m->n_slots, sizeof *c->motion);
	c->read = mem_zeros(m->n_slots, sizeof *c->read);
	c->unit = mem_zeros(m->n_slots, sizeof *c->unit);
	c->units = mem_zeros(m->n_slots, sizeof *c->units);
	rc = pass_init(&c->room, m, false, e);
	if (rc == EX_OK &&
	    (c->motion == NULL || c->read == NULL || c->unit == NULL || c->units == NULL))
		rc = err_nomem(e);
	if (rc != EX_OK) {
		change_free(c);
		return rc;
	}
	*out = c;
	return EX_OK;
}

void change_free(struct change *c)
{
	if (c == NULL)
		return;
	for (size_t i = 0; c->units != NULL && i < c->m->n_slots; i++)
		free(c->units[i].f);
	free(c->units);
	free(c->unit);
	free(c->read);
	free(c->motion);
	for (int j = 0; j < 2; j++) {
		free(c->sum[j].f);
		free(c->row[j].f);
	}
	pass_free(&c->room);
	free(c);
}

/* ---- what it costs ---- */

size_t change_size(const struct change *c, int slot)
{
	return pass_rows(c->base, slot) * c->m->slots[slot].width;
}

static double floats_of(const struct change *c, int slot)
{
	return (double)pass_rows(c->base, slot) * (double)c->m->slots[slot].width;
}

double change_work(const struct change *c, const struct op *op)
{
	const struct batch *b = c->base->batch;
	double sum = 0,
	       size = op->out < 0 ? floats_of(c, op->in[0]) : floats_of(c, op->out);
	double in = op->in[0] < 0 ? 0 : (double)c->m->slots[op->in[0]].width;

	switch (op->kind) {
	case OP_LINEAR:
		sum = 2 * size * in;
		for (int k = 0; k < op->pairs; k++)
			sum += 2 * floats_of(c, op->mid[k]) *
			       (in + (double)c->m->slots[op->out].width);
		return sum;
	case OP_ATTENTION:
		for (size_t s = 0; s < b->sequences; s++) {
			double len = b->start[s + 1] - b->start[s];

			sum += pass_single_query(c->m, op) ? len : len * len;
		}
		return 4 * sum * (double)c->m->slots[op->out].width;
	case OP_NORM:
	case OP_ACT:
	case OP_LOSS: return 10 * size;
	default: return size;
	}
}

double change_cost(const struct change *c)
{
	return c->whole > 0 ? c->done / c->whole : 0;
}

/* Room for the inputs of an operation as they have moved. */
static int reserve(struct change *c, const struct op *op, struct err *e)
{
	const struct model *m = c->m;
	int in[2] = { op->in[0], op->in[0] }, rc = EX_OK;

	if (op->kind == OP_ATTENTION)
		in[1] = op->in[2];
	for (int j = 0; j < 2 && rc == EX_OK; j++) {
		if (op->kind == OP_NORM)
			rc = floats_reserve(&c->row[j], 1, m->slots[op->out].width, e);
		if (op->kind == OP_LINEAR || op->kind == OP_ATTENTION)
			rc = floats_reserve(&c->sum[j], pass_rows(c->base, in[j]),
					    m->slots[in[j]].width, e);
	}
	for (int k = 0; k < op->pairs && rc == EX_OK; k++)
		rc = floats_reserve(&c->sum[1], pass_rows(c->base, op->mid[k]),
				    m->slots[op->mid[k]].width, e);
	return rc;
}

int change_batch(struct change *c, const struct pass *base, struct err *e)
{
	int rc = pass_batch(&c->room, base->batch, e);

	c->base = base;
	c->whole = c->done = 0;
	c->moves = 0;
	for (size_t i = 0; rc == EX_OK && i < c->m->n_ops; i++) {
		c->whole += change_work(c, &c->m->ops[i]);
		rc = reserve(c, &c->m->ops[i], e);
	}
	if (rc == EX_OK)
		pass_place_slots(&c->room, NULL, 0);
	return rc;
}

/* ---- what moves ---- */

const struct move *change_moves(const struct change *c, int param, size_t *n)
{
	size_t low = 0, high = c->moves, end;

	*n = 0;
	if (param < 0)
		return NULL;
	while (low < high) {
		size_t mid = low + (high - low) / 2;

		if (c->move[mid].param < (size_t)param)
			low = mid + 1;
		else
			high = mid;
	}
	for (end = low; end < c->moves && c->move[end].param == (size_t)param; end++)
		;
	*n = end - low;
	return c->move + low;
}

bool change_moved(const struct change *c, int param)
{
	size_t n;

	change_moves(c, param, &n);
	return n > 0;
}

static enum motion most(enum motion a, enum motion b)
{
	return a > b ? a : b;
}

/* Of products one factor of which may move with the input. */
static enum motion product(enum motion in, bool factor)
{
	return factor ? (in == STILL ? LINEAR : BENT) : in;
}

static enum motion motion_of_linear(const struct change *c, const struct op *op)
{
	enum motion in = c->motion[op->in[0]];
	enum motion out = most(product(in, change_moved(c, op->p[0])),
			       change_moved(c, op->p[1]) ? LINEAR : STILL);

	for (int k = 0; k < op->pairs; k++)
		out = most(out, product(product(in, change_moved(c, op->p[2 + 2 * k])),
					change_moved(c, op->p[3 + 2 * k])));
	return out;
}

static enum motion motion_of(const struct change *c, const struct op *op)
{
	enum motion in = op->in[0] < 0 ? STILL : c->motion[op->in[0]];
	bool moved = false;

	for (int j = 0; j < OP_PARAMS; j++)
		moved = moved || change_moved(c, op->p[j]);
	switch (op->kind) {
	case OP_LINEAR: return motion_of_linear(c, op);
	case OP_EMBED:
	case OP_PREFIX: return most(in, moved ? LINEAR : STILL);
	case OP_NORM: return in != STILL ? BENT : moved ? LINEAR : STILL;
	case OP_ACT: return in != STILL ? BENT : STILL;
	case OP_ATTENTION:
		if (in != STILL || c->motion[op->in[1]] != STILL)
			return BENT;
		return c->motion[op->in[2]];
	case OP_ADD: return most(in, c->motion[op->in[1]]);
	default: return in;
	}
}

/* Memory for a linear slot; without it the slot is made anew for each step. */
static bool take_unit(struct change *c, int slot)
{
	struct err none;

	if (floats_reserve(&c->units[c->used], pass_rows(c->base, slot),
			   c->m->slots[slot].width, &none) != EX_OK)
		return false;
	c->unit[slot] = (int)c->used++;
	return true;
}

static void mark_read(struct change *c, const struct op *op)
{
	bool bent = op->out < 0 || c->motion[op->out] == BENT;

	for (int j = 0; bent && j < 3; j++)
		if (op->in[j] >= 0)
			c->read[op->in[j]] = true;
}

void change_along(struct change *c, const struct move *move, size_t n)
{
	const struct model *m = c->m;

	c->move = move;
	c->moves = n;
	c->used = 0;
	c->first = m->n_ops;
	for (size_t s = 0; s < m->n_slots; s++) {
		c->motion[s] = STILL;
		c->read[s] = false;
	}
	for (size_t i = 0; i < m->n_ops; i++) {
		const struct op *op = &m->ops[i];
		enum motion how = op->out < 0 ? STILL : motion_of(c, op);

		if (how != STILL && c->first == m->n_ops)
			c->first = i;
		if (how == LINEAR && !take_unit(c, op->out))
			how = BENT;
		if (op->out >= 0)
			c->motion[op->out] = how;
		mark_read(c, op);
		if (how == LINEAR)
			change_run(c, op, 1, c->units[c->unit[op->out]].f);
	}
}

/* ---- the loss ---- */

/* sum_c p_c (e^(d_c - d_label) - 1) */
static double odds(const float *z, const float *d, size_t classes, size_t label)
{
	double top = z[0], all = 0, sum = 0;

	for (size_t c = 1; c < classes; c++)
		top = fmax(top, z[c]);
	for (size_t c = 0; c < classes; c++) {
		double p = exp(z[c] - top);

		all += p;
		sum += p * expm1((double)d[c] - d[label]);
	}
	return sum / all;
}

static void add_up(struct change_result *r, double change)
{
	r->loss += change;
	r->absolute += fabs(change);
}

static struct change_result language_change(const struct change *c, const struct op *op)
{
	const struct batch *b = c->base->batch;
	const float *e = c->base->own[op->in[0]].f, *d = c->room.act[op->in[0]];
	size_t classes = c->m->slots[op->in[0]].width;
	double *terms = c->room.target_loss, n = (double)b->targets;
	struct change_result r = { 0 };

	/* The error is (p - y)/n, and of the label e^0 - 1 is 0. */
#pragma omp parallel for schedule(static)
	for (size_t i = 0; i < b->targets; i++)
		terms[i] =
		    log1p(n * vec_expm1_dot(c->m->k, classes, e + i * classes,
					    d + i * classes, d[i * classes + b->next[i]]));
	for (size_t i = 0; i < b->targets; i++)
		add_up(&r, terms[i] / n);
	return r;
}

static struct change_result loss_change(const struct change *c, const struct op *op)
{
	const struct batch *b = c->base->batch;
	size_t classes = c->m->slots[op->in[0]].width;
	double n = (double)b->sequences;
	struct change_result r = { 0 };

	if (c->motion[op->in[0]] == STILL)
		return r;
	if (c->m->language)
		return language_change(c, op);
	for (size_t s = 0; s < b->sequences; s++) {
		const float *z = c->base->act[op->in[0]] + s * classes;
		const float *d = c->room.act[op->in[0]] + s * classes;
		double off = (double)z[0] - b->target[s];

		if (b->label[s] < 0)
			add_up(&r, (2 * off * d[0] + (double)d[0] * d[0]) / n);
		else
			add_up(&r, log1p(odds(z, d, classes, (size_t)b->label[s])) / n);
	}
	return r;
}

struct change_result change_by(struct change *c, double s)
{
	const struct model *m = c->m;

	for (size_t i = c->first; i + 1 < m->n_ops; i++) {
		const struct op *op = &m->ops[i];
		float *y = c->room.act[op->out];

		if (c->motion[op->out] == BENT) {
			change_run(c, op, s, y);
		} else if (c->motion[op->out] == LINEAR && c->read[op->out]) {
			memcpy(y, c->units[c->unit[op->out]].f,
			       change_size(c, op->out) * sizeof *y);
			vec_scale(m->k, change_size(c, op->out), (float)s, y);
		}
	}
	return loss_change(c, &m->ops[m->n_ops - 1]);
}
