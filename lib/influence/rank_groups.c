#include <inttypes.h>
#include <stdlib.h>
#include <string.h>

#include "base/mem.h"
#include "base/prng.h"
#include "influence/rank_private.h"

/* ---- places ---- */

int places_add(struct places *p, const char *name, struct err *e)
{
	int rc = mem_grow(&p->begin, &p->cap, p->names.n + 1, sizeof *p->begin, e);

	if (rc != EX_OK)
		return rc;
	p->begin[p->names.n] = p->rows;
	return strlist_add(&p->names, name, e);
}

const char *place_of(const struct places *p, uint64_t row, uint64_t *in_source)
{
	size_t low = 0, high = p->names.n;

	/* The last source that begins at the row or before it; one without rows begins
	 * where the next one does. */
	while (high - low > 1) {
		size_t middle = low + (high - low) / 2;

		if (p->begin[middle] <= row)
			low = middle;
		else
			high = middle;
	}
	*in_source = row - p->begin[low] + 1;
	return p->names.s[low];
}

void places_free(struct places *p)
{
	strlist_free(&p->names);
	free(p->begin);
}

/* ---- groups by name ---- */

static size_t hash(const char *s)
{
	uint64_t h = 14695981039346656037u; /* FNV-1a */

	for (; *s != '\0'; s++)
		h = (h ^ (unsigned char)*s) * 1099511628211u;
	return (size_t)prng_mix(h);
}

/* The slot that holds the name, or the empty one where it belongs. */
static uint32_t *slot_of(const struct group_table *t, const char *name)
{
	size_t at = hash(name) & (t->n_slots - 1);

	while (t->slots[at] != 0 && strcmp(t->g[t->slots[at] - 1].group, name) != 0)
		at = (at + 1) & (t->n_slots - 1);
	return &t->slots[at];
}

static int grow_slots(struct group_table *t, struct err *e)
{
	size_t n = t->n_slots == 0 ? 256 : 2 * t->n_slots;
	uint32_t *slots;

	if (t->n + 1 <= t->n_slots / 2)
		return EX_OK;
	slots = mem_zeros(n, sizeof *slots);
	if (slots == NULL)
		return err_nomem(e);
	free(t->slots);
	t->slots = slots;
	t->n_slots = n;
	for (size_t i = 0; i < t->n; i++)
		*slot_of(t, t->g[i].group) = (uint32_t)(i + 1);
	return EX_OK;
}

static int new_group(struct group_table *t, uint64_t at, const struct influence_row *row,
		     struct err *e)
{
	struct ranked *g;
	int rc = mem_grow(&t->g, &t->cap, t->n + 1, sizeof *t->g, e);

	if (rc == EX_OK)
		rc = mem_grow(&t->met, &t->cap_met, t->n + 1, sizeof *t->met, e);
	if (rc == EX_OK && t->n >= UINT32_MAX - 1)
		rc = err_set(e, EX_DATAERR, "more than 2^32 groups");
	if (rc != EX_OK)
		return rc;
	t->met[t->n] = at;
	g = &t->g[t->n++];
	*g = (struct ranked){ .group = str_dup(row->group),
			      .type = str_dup(row->type),
			      .layer = str_dup(row->layer),
			      .choice = str_dup(row->choice),
			      .params = row->params };
	if (g->group == NULL || g->type == NULL || g->layer == NULL || g->choice == NULL)
		return err_nomem(e);
	return EX_OK;
}

static int same_group(const struct group_table *t, const struct places *p, size_t at,
		      const struct influence_row *row, struct err *e)
{
	const struct ranked *g = &t->g[at];
	const char *source;
	uint64_t met;

	if (g->params == row->params && strcmp(g->type, row->type) == 0 &&
	    strcmp(g->layer, row->layer) == 0 && strcmp(g->choice, row->choice) == 0)
		return EX_OK;
	source = place_of(p, t->met[at], &met);
	if (strcmp(g->choice, row->choice) != 0)
		return err_set(e, EX_DATAERR,
			       "group %s is of choice %s here, but of choice %s in %s: row "
			       "%" PRIu64 ": were these probed with the same ranks?",
			       row->group, row->choice, g->choice, source, met);
	return err_set(e, EX_DATAERR,
		       "group %s is of type %s, layer %s, %" PRIu64
		       " params here, but type %s, layer %s, %" PRIu64
		       " params in %s: row %" PRIu64
		       ": were these probed on the same model?",
		       row->group, row->type, row->layer, row->params, g->type, g->layer,
		       g->params, source, met);
}

int group_table_find(struct group_table *t, const struct places *p,
		     const struct influence_row *row, size_t *at, struct err *e)
{
	size_t next = t->last + 1 < t->n ? t->last + 1 : 0;
	uint32_t *slot;
	int rc;

	/* A step's rows mostly come in the order of the step before. */
	if (t->n > 0 && strcmp(t->g[next].group, row->group) == 0) {
		*at = t->last = next;
		return same_group(t, p, next, row, e);
	}
	if ((rc = grow_slots(t, e)) != EX_OK)
		return rc;
	slot = slot_of(t, row->group);
	if (*slot != 0) {
		*at = t->last = *slot - 1;
		return same_group(t, p, *at, row, e);
	}
	*at = t->last = t->n;
	if ((rc = new_group(t, p->rows, row, e)) == EX_OK)
		*slot = (uint32_t)t->n;
	return rc;
}

void group_table_free(struct group_table *t)
{
	for (size_t i = 0; i < t->n; i++) {
		free(t->g[i].group);
		free(t->g[i].type);
		free(t->g[i].layer);
		free(t->g[i].choice);
	}
	free(t->g);
	free(t->met);
	free(t->slots);
}
