#include "influence/rank.h"

#include <inttypes.h>
#include <math.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "base/mem.h"
#include "influence/rank_private.h"

#define STEPS_SHARE 16 /* of the buffer, one part for the list of steps */

/* A row, as it is sorted. */
struct cell {
	int64_t step;
	double gain, ppi;
	uint64_t row_and_status; /* row * CELL_STATUSES + status */
	uint32_t group, shard;
};

#define CELL_STATUSES 8

static enum status status_in(const struct cell *c)
{
	return (enum status)(c->row_and_status % CELL_STATUSES);
}

struct ranker {
	struct places places;
	struct group_table groups;
	struct sorter *cells;
	struct sorter *steps; /* int64_t, each at least once */
	int64_t last_step;
	struct ranking out;
};

/* By group, step and shard; what is equal in all, by row. */
static int by_group_and_step(const void *a, const void *b)
{
	const struct cell *x = a, *y = b;

	if (x->group != y->group)
		return x->group < y->group ? -1 : 1;
	if (x->step != y->step)
		return x->step < y->step ? -1 : 1;
	if (x->shard != y->shard)
		return x->shard < y->shard ? -1 : 1;
	return (x->row_and_status > y->row_and_status) -
	       (x->row_and_status < y->row_and_status);
}

static int by_step(const void *a, const void *b)
{
	int64_t x = *(const int64_t *)a, y = *(const int64_t *)b;

	return (x > y) - (x < y);
}

int ranker_start(struct ranker **out, size_t buffer, const char *dir, struct err *e)
{
	struct ranker *r = mem_zeros(1, sizeof *r);
	size_t share = buffer / STEPS_SHARE;
	int rc = r == NULL ? err_nomem(e) : EX_OK;

	if (rc == EX_OK)
		rc = sorter_open(&r->cells, sizeof(struct cell), by_group_and_step,
				 buffer - share, dir, e);
	if (rc == EX_OK)
		rc = sorter_open(&r->steps, sizeof(int64_t), by_step, share, dir, e);
	if (rc == EX_OK) {
		r->last_step = -1;
		r->out.shards = 1;
	} else {
		ranker_free(r);
		r = NULL;
	}
	*out = r;
	return rc;
}

int ranker_source(struct ranker *r, const char *name, struct err *e)
{
	return places_add(&r->places, name, e);
}

void ranker_expect_shards(struct ranker *r, uint64_t n)
{
	if (n > r->out.shards)
		r->out.shards = n;
}

/* ---- rows ---- */

static int check_row(const struct influence_row *row, enum status *status, struct err *e)
{
	if (row->step < 0)
		return err_set(e, EX_DATAERR, "step is negative");
	if (row->shard < 1 || row->shard > SHARDS_MOST)
		return err_set(e, EX_DATAERR,
			       "shard %" PRId64 ": shards are counted from 1 to %" PRIu64,
			       row->shard, (uint64_t)SHARDS_MOST);
	if (!isfinite(row->gain) || !isfinite(row->ppi))
		return err_set(e, EX_DATAERR, "the %s of group %s is not finite",
			       isfinite(row->gain) ? "ppi" : "gain", row->group);
	if (!status_named(row->status, status))
		return err_set(
		    e, EX_DATAERR,
		    "status '%s' is none of ok, bounded, negcurv, lowfit, noise, zero",
		    row->status);
	return EX_OK;
}

int ranker_add(struct ranker *r, const struct influence_row *row, struct err *e)
{
	struct cell c = { .step = row->step, .gain = row->gain, .ppi = row->ppi };
	enum status status = STATUS_OK;
	size_t at = 0;
	int rc = check_row(row, &status, e);

	if (rc == EX_OK)
		rc = group_table_find(&r->groups, &r->places, row, &at, e);
	if (rc == EX_OK && row->step != r->last_step)
		rc = sorter_add(r->steps, &row->step, e);
	if (rc != EX_OK)
		return rc;
	r->last_step = row->step;
	c.row_and_status = r->places.rows++ * CELL_STATUSES + (uint64_t)status;
	c.group = (uint32_t)at;
	c.shard = (uint32_t)row->shard;
	ranker_expect_shards(r, c.shard);
	return sorter_add(r->cells, &c, e);
}

/* ---- sums ---- */

/* Neumaier's compensated sum. */
struct sum {
	double s, lost;
};

static void sum_add(struct sum *sum, double x)
{
	double t = sum->s + x;

	if (fabs(sum->s) >= fabs(x))
		sum->lost += (sum->s - t) + x;
	else
		sum->lost += (x - t) + sum->s;
	sum->s = t;
}

static double sum_of(const struct sum *sum)
{
	return sum->s + sum->lost;
}

static bool counts(const struct cell *c)
{
	return status_counts(status_in(c), c->gain);
}

/* ---- the rows of a step and group ---- */

/* Goes through all rows in order, each (step, group, shard) once. */
struct walk {
	struct cell next;
	bool more;
};

/* What the shards of a step say of a group. */
struct estimates {
	size_t group, shards, repeated;
	int64_t step;
	double gain, ppi; /* means over shards */
	size_t by_status[RANK_STATUSES], negcurv_counted;
};

static int walk_start(struct ranker *r, struct walk *w, struct err *e)
{
	const void *first = NULL;
	int rc = sorter_rewind(r->cells, e);

	if (rc == EX_OK)
		rc = sorter_next(r->cells, &first, e);
	w->more = first != NULL;
	if (w->more)
		w->next = *(const struct cell *)first;
	return rc;
}

static int contradiction(const struct ranker *r, const struct cell *c,
			 const struct cell *before, struct err *e)
{
	uint64_t here, there;
	const char *source = place_of(&r->places, c->row_and_status / CELL_STATUSES, &here);
	const char *other =
	    place_of(&r->places, before->row_and_status / CELL_STATUSES, &there);
	char shard[32] = "";

	if (r->out.shards > 1)
		snprintf(shard, sizeof shard, ", shard %" PRIu32 ",", c->shard);
	return err_set(e, EX_DATAERR,
		       "%s: row %" PRIu64 ": step %" PRId64
		       "%s of group %s has other numbers in %s: row %" PRIu64,
		       source, here, c->step, shard, r->groups.g[c->group].group, other,
		       there);
}

/* The next row that is not the one before again. */
static int walk_on(struct ranker *r, struct walk *w, size_t *repeated, struct err *e)
{
	const struct cell before = w->next;
	const void *record;
	int rc;

	while ((rc = sorter_next(r->cells, &record, e)) == EX_OK && record != NULL) {
		const struct cell *c = record;

		if (c->group != before.group || c->step != before.step ||
		    c->shard != before.shard) {
			w->next = *c;
			return EX_OK;
		}
		if (c->gain != before.gain || c->ppi != before.ppi ||
		    status_in(c) != status_in(&before))
			return contradiction(r, c, &before, e);
		++*repeated;
	}
	w->more = false;
	return rc;
}

/* While w->more. */
static int take_step(struct ranker *r, struct walk *w, struct estimates *s, struct err *e)
{
	struct sum gain = { 0 }, ppi = { 0 };
	int rc = EX_OK;

	*s = (struct estimates){ .group = w->next.group, .step = w->next.step };
	while (rc == EX_OK && w->more && w->next.group == s->group &&
	       w->next.step == s->step) {
		const struct cell *c = &w->next;

		sum_add(&gain, counts(c) ? c->gain : 0);
		sum_add(&ppi, counts(c) ? c->ppi : 0);
		s->by_status[status_in(c)]++;
		s->negcurv_counted += status_in(c) == STATUS_NEGCURV && counts(c);
		s->shards++;
		rc = walk_on(r, w, &s->repeated, e);
	}
	s->gain = sum_of(&gain) / (double)s->shards;
	s->ppi = sum_of(&ppi) / (double)s->shards;
	return rc;
}

/* ---- groups ---- */

static void count_statuses(const struct estimates *s, struct ranked *g, struct ranking *out)
{
	for (int i = 0; i < RANK_STATUSES; i++) {
		out->by_status[i] += s->by_status[i];
		if (i != STATUS_OK && i != STATUS_BOUNDED)
			g->rejected += s->by_status[i];
	}
	g->bounded += s->by_status[STATUS_BOUNDED];
	out->negcurv_counted += s->negcurv_counted;
	out->repeated += s->repeated;
}

static void count_shards(const struct estimates *s, const struct ranked *g,
			 struct ranking *out)
{
	out->estimates++;
	if (s->shards >= out->shards)
		return;
	if (out->incomplete == 0 || s->step < out->lacks_step ||
	    (s->step == out->lacks_step && strcmp(g->group, out->lacks_group) < 0)) {
		out->lacks_step = s->step;
		out->lacks_group = g->group;
		out->lacks_has = s->shards;
	}
	out->incomplete++;
}

/* Adds up one group, whose rows come next; half[2] gets its APPI before `middle` and from
 * there on. */
static int add_up(struct ranker *r, struct walk *w, int64_t middle, double *half[2],
		  struct err *e)
{
	struct sum appi = { 0 }, value = { 0 }, part[2] = { { 0 } };
	size_t at = w->next.group;
	struct ranked *g = &r->groups.g[at];
	struct estimates s;

	while (w->more && w->next.group == at) {
		int rc = take_step(r, w, &s, e);

		if (rc != EX_OK)
			return rc;
		count_statuses(&s, g, &r->out);
		count_shards(&s, g, &r->out);
		sum_add(&appi, s.ppi);
		sum_add(&value, s.gain);
		sum_add(&part[s.step >= middle], s.ppi);
		g->steps++;
	}
	g->appi = sum_of(&appi);
	g->value = sum_of(&value);
	g->mean = g->appi / (double)g->steps;
	half[0][at] = sum_of(&part[0]);
	half[1][at] = sum_of(&part[1]);
	if (!isfinite(g->appi) || !isfinite(g->value))
		return err_set(e, EX_DATAERR, "group %s: the sum over its steps overflows",
			       g->group);
	return EX_OK;
}

static int deviate(struct ranker *r, struct walk *w, struct err *e)
{
	struct sum squares = { 0 };
	size_t at = w->next.group;
	struct ranked *g = &r->groups.g[at];
	struct estimates s;

	while (w->more && w->next.group == at) {
		int rc = take_step(r, w, &s, e);

		if (rc != EX_OK)
			return rc;
		sum_add(&squares, (s.ppi - g->mean) * (s.ppi - g->mean));
	}
	g->sd = g->steps > 1 ? sqrt(sum_of(&squares) / (double)(g->steps - 1)) : 0;
	if (!isfinite(g->sd))
		return err_set(e, EX_DATAERR, "group %s: the sum over its steps overflows",
			       g->group);
	return EX_OK;
}

/* How many different steps there are, and the `wanted`-th of them. */
static int look_through_steps(struct ranker *r, size_t wanted, int64_t *step, size_t *n,
			      struct err *e)
{
	const void *record;
	int64_t last = -1;
	int rc = sorter_rewind(r->steps, e);

	*n = 0;
	while (rc == EX_OK && (rc = sorter_next(r->steps, &record, e)) == EX_OK &&
	       record != NULL) {
		int64_t s = *(const int64_t *)record;

		if (s == last)
			continue;
		last = s;
		if ((*n)++ == wanted)
			*step = s;
	}
	return rc;
}

/* Twice through the rows: a deviation is known only after the mean, and no group's steps
 * need to fit into memory. */
static int add_groups(struct ranker *r, int64_t middle, double *half[2], struct err *e)
{
	struct walk w = { 0 };
	int rc = walk_start(r, &w, e);

	while (rc == EX_OK && w.more)
		rc = add_up(r, &w, middle, half, e);
	if (rc == EX_OK)
		rc = walk_start(r, &w, e);
	while (rc == EX_OK && w.more)
		rc = deviate(r, &w, e);
	return rc;
}

static int add_all(struct ranker *r, struct err *e)
{
	double *half = mem_zeros(r->groups.n, 2 * sizeof *half);
	double *halves[2] = { half, half == NULL ? NULL : half + r->groups.n };
	int64_t middle = 0;
	int rc = half == NULL ? err_nomem(e) : EX_OK;

	r->out.n = r->groups.n;
	r->out.rows = r->places.rows;
	if (rc == EX_OK)
		rc = look_through_steps(r, 0, &middle, &r->out.steps, e);
	if (rc == EX_OK)
		rc = look_through_steps(r, r->out.steps / 2, &middle, &r->out.steps, e);
	if (rc == EX_OK)
		rc = add_groups(r, middle, halves, e);
	if (rc == EX_OK)
		rc = compare_halves(r->groups.g, half, &r->out, e);
	free(half);
	return rc;
}

/* ---- order ---- */

static int by_key(double x, double y, const struct ranked *a, const struct ranked *b)
{
	if (x != y)
		return x > y ? -1 : 1;
	if (a->params != b->params)
		return a->params < b->params ? -1 : 1;
	return strcmp(a->group, b->group);
}

static int by_appi(const void *a, const void *b)
{
	const struct ranked *x = a, *y = b;

	return by_key(x->appi, y->appi, x, y);
}

static int by_value(const void *a, const void *b)
{
	const struct ranked *x = a, *y = b;

	return by_key(x->value, y->value, x, y);
}

int ranker_finish(struct ranker *r, enum rank_by by, const struct ranking **out,
		  struct err *e)
{
	int rc = add_all(r, e);

	if (rc != EX_OK)
		return rc;
	if (r->groups.n > 0)
		qsort(r->groups.g, r->groups.n, sizeof *r->groups.g,
		      by == RANK_VALUE ? by_value : by_appi);
	r->out.g = r->groups.g;
	r->out.runs = sorter_runs(r->cells);
	*out = &r->out;
	return EX_OK;
}

void ranker_free(struct ranker *r)
{
	if (r == NULL)
		return;
	group_table_free(&r->groups);
	places_free(&r->places);
	sorter_close(r->cells);
	sorter_close(r->steps);
	free(r);
}
