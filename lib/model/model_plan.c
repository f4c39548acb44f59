/*
 * Which buffer each slot lives in when a pass keeps nothing for backward: a slot's buffer
 * is free again after the last operation that reads it.
 */
#include <stdlib.h>
#include <string.h>

#include "base/mem.h"
#include "model/model.h"

/* A shared buffer: the largest slot it has held, and who lives in it now. */
struct room {
	size_t width;
	bool small; /* its slots have a row a sequence */
	bool taken;
};

static void mark_uses(struct model *m)
{
	for (size_t s = 0; s < m->n_slots; s++)
		m->slots[s].made_by = m->slots[s].last_use = -1;
	for (size_t i = 0; i < m->n_ops; i++) {
		const struct op *op = &m->ops[i];

		for (int j = 0; j < 3; j++)
			if (op->in[j] >= 0)
				m->slots[op->in[j]].last_use = (int)i;
		if (op->out >= 0)
			m->slots[op->out].made_by = (int)i;
		for (int k = 0; k < op->pairs; k++)
			m->slots[op->mid[k]].made_by = m->slots[op->mid[k]].last_use =
			    (int)i;
	}
}

/* The input that operation i may write its output over; -1 when there is none. */
static int overwritten(const struct model *m, size_t i)
{
	const struct op *op = &m->ops[i];
	const struct slot *out = &m->slots[op->out];

	if (op->kind != OP_ACT && op->kind != OP_ADD && op->kind != OP_DROPOUT)
		return -1;
	for (int j = 0; j < 3; j++) {
		const struct slot *in = op->in[j] < 0 ? NULL : &m->slots[op->in[j]];

		if (in != NULL && in->last_use == (int)i && in->width == out->width &&
		    in->rows == out->rows)
			return op->in[j];
	}
	return -1;
}

static bool is_small(const struct slot *s)
{
	return s->rows == ROWS_SEQUENCES;
}

/* How much larger a room must become, or is, for a slot. */
static size_t misfit(const struct room *r, const struct slot *s)
{
	size_t difference = r->width > s->width ? r->width - s->width : s->width - r->width;

	return 2 * difference + (r->small != is_small(s) ? 1 + s->width : 0);
}

static int find_room(struct room *rooms, size_t *n, const struct slot *s)
{
	size_t best = *n;

	for (size_t i = 0; i < *n; i++)
		if (!rooms[i].taken &&
		    (best == *n || misfit(&rooms[i], s) < misfit(&rooms[best], s)))
			best = i;
	if (best == *n)
		rooms[(*n)++] = (struct room){ .width = s->width, .small = is_small(s) };
	if (rooms[best].width < s->width)
		rooms[best].width = s->width;
	rooms[best].small = rooms[best].small && is_small(s);
	rooms[best].taken = true;
	return (int)best;
}

int model_plan(struct model *m, struct err *e)
{
	struct room *rooms = mem_zeros(m->n_slots, sizeof *rooms);
	size_t n = 0;

	if (rooms == NULL)
		return err_nomem(e);
	mark_uses(m);
	for (size_t i = 0; i < m->n_ops; i++) {
		const struct op *op = &m->ops[i];
		int over = op->out < 0 ? -1 : overwritten(m, i);

		if (over >= 0)
			m->slots[op->out].shared = m->slots[over].shared;
		else if (op->out >= 0)
			m->slots[op->out].shared = find_room(rooms, &n, &m->slots[op->out]);
		for (int k = 0; k < op->pairs; k++)
			m->slots[op->mid[k]].shared =
			    find_room(rooms, &n, &m->slots[op->mid[k]]);
		for (int k = 0; k < op->pairs; k++)
			rooms[m->slots[op->mid[k]].shared].taken = false;
		for (int j = 0; j < 3; j++)
			if (op->in[j] >= 0 && op->in[j] != over &&
			    m->slots[op->in[j]].last_use == (int)i)
				rooms[m->slots[op->in[j]].shared].taken = false;
	}
	m->n_shared = n;
	free(rooms);
	return EX_OK;
}
