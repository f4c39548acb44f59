#include <inttypes.h>
#include <stdlib.h>
#include <string.h>

#include "base/mem.h"
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

static int new_group(struct group_table *t, uint64_t at, const struct influence_row *row,
		     struct err *e)
{
	struct ranked *g;
	int rc = mem_grow(&t->g, &t->cap, t->n + 1, sizeof *t->g, e);

	if (rc == EX_OK)
		rc = mem_grow(&t->met, &t->cap_met, t->n + 1, sizeof *t->met, e);
	if (rc != EX_OK)
		return rc;
	t->met[t->n] = at;
	g = &t->g[t->n++];
	*g = (struct ranked){ .group = t->names.names.s[t->n - 1],
			      .type = str_dup(row->type),
			      .layer = str_dup(row->layer),
			      .choice = str_dup(row->choice),
			      .params = row->params };
	if (g->type == NULL || g->layer == NULL || g->choice == NULL)
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
	int rc;

	/* A step's rows mostly come in the order of the step before. */
	if (t->n > 0 && strcmp(t->g[next].group, row->group) == 0) {
		*at = t->last = next;
		return same_group(t, p, next, row, e);
	}
	if ((rc = numbering_put(&t->names, row->group, at, e)) != EX_OK)
		return rc;
	t->last = *at;
	return *at < t->n ? same_group(t, p, *at, row, e) : new_group(t, p->rows, row, e);
}

void group_table_free(struct group_table *t)
{
	for (size_t i = 0; i < t->n; i++) {
		free(t->g[i].type);
		free(t->g[i].layer);
		free(t->g[i].choice);
	}
	free(t->g);
	free(t->met);
	numbering_free(&t->names);
}
