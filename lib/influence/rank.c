#include "influence/rank.h"

#include <inttypes.h>
#include <math.h>
#include <stdlib.h>
#include <string.h>

#include "base/mem.h"
#include "base/prng.h"
#include "base/str.h"
#include "influence/kendall.h"

/* Where a row was read. */
struct place {
	uint32_t source;
	uint64_t row; /* from 1 */
};

struct cell {
	int64_t step;
	double gain, ppi;
	uint64_t row;
	uint32_t source, group;
	uint8_t status;
};

struct ranker {
	struct strlist sources;
	uint64_t row; /* of the current source */
	struct cell *cells;
	size_t n_cells, cap_cells;
	struct ranked *g; /* in the order in which they were met */
	size_t n, cap;
	struct place *met; /* [n] where each group was first met */
	size_t cap_met;
	uint32_t *slots; /* open addressing: 1 + index into g, 0 empty */
	size_t n_slots;  /* a power of two */
	size_t last;     /* group of the last row */
	struct ranking out;
};

int ranker_start(struct ranker **r, struct err *e)
{
	*r = mem_zeros(1, sizeof **r);
	return *r == NULL ? err_nomem(e) : EX_OK;
}

int ranker_source(struct ranker *r, const char *name, struct err *e)
{
	r->row = 0;
	return strlist_add(&r->sources, name, e);
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
static uint32_t *slot_of(const struct ranker *r, const char *name)
{
	size_t at = hash(name) & (r->n_slots - 1);

	while (r->slots[at] != 0 && strcmp(r->g[r->slots[at] - 1].group, name) != 0)
		at = (at + 1) & (r->n_slots - 1);
	return &r->slots[at];
}

static int grow_slots(struct ranker *r, struct err *e)
{
	size_t n = r->n_slots == 0 ? 256 : 2 * r->n_slots;
	uint32_t *slots;

	if (r->n + 1 <= r->n_slots / 2)
		return EX_OK;
	slots = mem_zeros(n, sizeof *slots);
	if (slots == NULL)
		return err_nomem(e);
	free(r->slots);
	r->slots = slots;
	r->n_slots = n;
	for (size_t i = 0; i < r->n; i++)
		*slot_of(r, r->g[i].group) = (uint32_t)(i + 1);
	return EX_OK;
}

static int new_group(struct ranker *r, const struct influence_row *row, struct err *e)
{
	struct ranked *g;
	int rc = mem_grow(&r->g, &r->cap, r->n + 1, sizeof *r->g, e);

	if (rc == EX_OK)
		rc = mem_grow(&r->met, &r->cap_met, r->n + 1, sizeof *r->met, e);
	if (rc == EX_OK && r->n >= UINT32_MAX - 1)
		rc = err_set(e, EX_DATAERR, "more than 2^32 groups");
	if (rc != EX_OK)
		return rc;
	r->met[r->n] = (struct place){ (uint32_t)r->sources.n - 1, r->row };
	g = &r->g[r->n++];
	*g = (struct ranked){ .group = str_dup(row->group),
			      .type = str_dup(row->type),
			      .layer = str_dup(row->layer),
			      .choice = str_dup(row->choice),
			      .params = row->params };
	if (g->group == NULL || g->type == NULL || g->layer == NULL || g->choice == NULL)
		return err_nomem(e);
	return EX_OK;
}

static int same_group(const struct ranker *r, size_t at, const struct influence_row *row,
		      struct err *e)
{
	const struct ranked *g = &r->g[at];
	const struct place *met = &r->met[at];

	if (strcmp(g->choice, row->choice) != 0)
		return err_set(e, EX_DATAERR,
			       "group %s is of choice %s here, but of choice %s in %s: row "
			       "%" PRIu64 ": were these probed with the same ranks?",
			       row->group, row->choice, g->choice,
			       r->sources.s[met->source], met->row);
	if (g->params == row->params && strcmp(g->type, row->type) == 0 &&
	    strcmp(g->layer, row->layer) == 0)
		return EX_OK;
	return err_set(e, EX_DATAERR,
		       "group %s is of type %s, layer %s, %" PRIu64
		       " params here, but type %s, layer %s, %" PRIu64
		       " params in %s: row %" PRIu64
		       ": were these probed on the same model?",
		       row->group, row->type, row->layer, row->params, g->type, g->layer,
		       g->params, r->sources.s[met->source], met->row);
}

static int find_group(struct ranker *r, const struct influence_row *row, size_t *at,
		      struct err *e)
{
	size_t next = r->last + 1 < r->n ? r->last + 1 : 0;
	uint32_t *slot;
	int rc;

	/* A step's rows mostly come in the order of the step before. */
	if (r->n > 0 && strcmp(r->g[next].group, row->group) == 0) {
		*at = next;
		return same_group(r, next, row, e);
	}
	if ((rc = grow_slots(r, e)) != EX_OK)
		return rc;
	slot = slot_of(r, row->group);
	if (*slot != 0) {
		*at = *slot - 1;
		return same_group(r, *at, row, e);
	}
	*at = r->n;
	if ((rc = new_group(r, row, e)) == EX_OK)
		*slot = (uint32_t)r->n;
	return rc;
}

/* ---- rows ---- */

static bool status_of(const char *name, uint8_t *out)
{
	for (int s = 0; s < RANK_STATUSES; s++)
		if (strcmp(name, status_name((enum status)s)) == 0) {
			*out = (uint8_t)s;
			return true;
		}
	return false;
}

int ranker_add(struct ranker *r, const struct influence_row *row, struct err *e)
{
	struct cell c = { .step = row->step, .gain = row->gain, .ppi = row->ppi };
	size_t at = 0;
	int rc;

	r->row++;
	if (!isfinite(row->gain) || !isfinite(row->ppi))
		return err_set(e, EX_DATAERR, "the %s of group %s is not finite",
			       isfinite(row->gain) ? "ppi" : "gain", row->group);
	if (!status_of(row->status, &c.status))
		return err_set(
		    e, EX_DATAERR,
		    "status '%s' is none of ok, bounded, negcurv, lowfit, noise, zero",
		    row->status);
	rc = find_group(r, row, &at, e);
	if (rc == EX_OK)
		rc =
		    mem_grow(&r->cells, &r->cap_cells, r->n_cells + 1, sizeof *r->cells, e);
	if (rc != EX_OK)
		return rc;
	c.source = (uint32_t)r->sources.n - 1;
	c.row = r->row;
	c.group = (uint32_t)at;
	r->last = at;
	r->cells[r->n_cells++] = c;
	return EX_OK;
}

static int by_group_and_step(const void *a, const void *b)
{
	const struct cell *x = a, *y = b;

	if (x->group != y->group)
		return x->group < y->group ? -1 : 1;
	if (x->step != y->step)
		return x->step < y->step ? -1 : 1;
	if (x->source != y->source)
		return x->source < y->source ? -1 : 1;
	return (x->row > y->row) - (x->row < y->row);
}

/* Sorts the rows and keeps each (step, group) once. */
static int settle_rows(struct ranker *r, struct err *e)
{
	size_t kept = 0;

	if (r->n_cells > 0)
		qsort(r->cells, r->n_cells, sizeof *r->cells, by_group_and_step);
	for (size_t i = 0; i < r->n_cells; i++) {
		const struct cell *c = &r->cells[i], *k = &r->cells[kept - (kept > 0)];

		if (kept == 0 || c->group != k->group || c->step != k->step) {
			r->cells[kept++] = *c;
			continue;
		}
		if (c->gain != k->gain || c->ppi != k->ppi || c->status != k->status)
			return err_set(e, EX_DATAERR,
				       "%s: row %" PRIu64 ": step %" PRId64
				       " of group %s has other numbers in %s: row %" PRIu64,
				       r->sources.s[c->source], c->row, c->step,
				       r->g[c->group].group, r->sources.s[k->source],
				       k->row);
		r->out.repeated++;
	}
	r->out.rows = r->n_cells;
	r->n_cells = kept;
	return EX_OK;
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
	return c->status == STATUS_OK || c->status == STATUS_BOUNDED ||
	       (c->status == STATUS_NEGCURV && c->gain > 0);
}

static double counted_ppi(const struct cell *c)
{
	return counts(c) ? c->ppi : 0;
}

/* The rows of one group, in the order of steps. */
static int add_up(const struct cell *c, size_t n, struct ranked *g, struct err *e)
{
	struct sum appi = { 0 }, value = { 0 }, squares = { 0 };

	for (size_t i = 0; i < n; i++) {
		sum_add(&appi, counted_ppi(&c[i]));
		sum_add(&value, counts(&c[i]) ? c[i].gain : 0);
		g->rejected += c[i].status != STATUS_OK && c[i].status != STATUS_BOUNDED;
		g->bounded += c[i].status == STATUS_BOUNDED;
	}
	g->steps = n;
	g->appi = sum_of(&appi);
	g->value = sum_of(&value);
	g->mean = g->appi / (double)n;
	for (size_t i = 0; i < n; i++) {
		double d = counted_ppi(&c[i]) - g->mean;

		sum_add(&squares, d * d);
	}
	g->sd = n > 1 ? sqrt(sum_of(&squares) / (double)(n - 1)) : 0;
	if (!isfinite(g->appi) || !isfinite(g->value) || !isfinite(g->sd))
		return err_set(e, EX_DATAERR, "group %s: the sum over its steps overflows",
			       g->group);
	return EX_OK;
}

static int add_groups(struct ranker *r, struct err *e)
{
	int rc = EX_OK;

	for (size_t i = 0, end; i < r->n_cells && rc == EX_OK; i = end) {
		for (end = i; end < r->n_cells && r->cells[end].group == r->cells[i].group;
		     end++) {
			const struct cell *c = &r->cells[end];

			r->out.by_status[c->status]++;
			r->out.negcurv_counted += c->status == STATUS_NEGCURV && counts(c);
		}
		rc = add_up(&r->cells[i], end - i, &r->g[r->cells[i].group], e);
	}
	return rc;
}

/* ---- stability ---- */

static int by_step(const void *a, const void *b)
{
	int64_t x = *(const int64_t *)a, y = *(const int64_t *)b;

	return (x > y) - (x < y);
}

/* How many different steps there are, and the first of the second half. */
static int middle_step(struct ranker *r, int64_t *middle, struct err *e)
{
	int64_t *steps = mem_zeros(r->n_cells, sizeof *steps);
	size_t n = 0;

	if (steps == NULL)
		return err_nomem(e);
	for (size_t i = 0; i < r->n_cells; i++)
		steps[i] = r->cells[i].step;
	if (r->n_cells > 0)
		qsort(steps, r->n_cells, sizeof *steps, by_step);
	for (size_t i = 0; i < r->n_cells; i++)
		if (n == 0 || steps[i] != steps[n - 1])
			steps[n++] = steps[i];
	r->out.steps = n;
	*middle = n > 0 ? steps[n / 2] : 0;
	free(steps);
	return EX_OK;
}

/* half[0, n) and half[n, 2n) get each group's APPI in the two halves. */
static void add_halves(const struct ranker *r, int64_t middle, double *half)
{
	for (size_t i = 0, end; i < r->n_cells; i = end) {
		struct sum sum[2] = { { 0 } };
		size_t at = r->cells[i].group;

		for (end = i; end < r->n_cells && r->cells[end].group == at; end++)
			sum_add(&sum[r->cells[end].step >= middle],
				counted_ppi(&r->cells[end]));
		half[at] = sum_of(&sum[0]);
		half[r->n + at] = sum_of(&sum[1]);
	}
}

static int compare_halves(struct ranker *r, struct err *e)
{
	double *half = mem_zeros(r->n, 2 * sizeof *half);
	double *rank = mem_zeros(r->n, 2 * sizeof *rank);
	int64_t middle = 0;
	int rc = half == NULL || rank == NULL ? err_nomem(e) : middle_step(r, &middle, e);

	r->out.tau = NAN;
	for (size_t i = 0; i < r->n; i++)
		r->g[i].stability = 1;
	if (rc == EX_OK && r->out.steps > 1 && r->n > 1) {
		add_halves(r, middle, half);
		rc = mean_ranks(r->n, half, rank, e);
		if (rc == EX_OK)
			rc = mean_ranks(r->n, half + r->n, rank + r->n, e);
		if (rc == EX_OK)
			rc = kendall_tau_b(r->n, half, half + r->n, &r->out.tau, e);
		for (size_t i = 0; rc == EX_OK && i < r->n; i++)
			r->g[i].stability -=
			    fabs(rank[i] - rank[r->n + i]) / (double)(r->n - 1);
	}
	free(half);
	free(rank);
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
	int rc = settle_rows(r, e);

	if (rc == EX_OK)
		rc = add_groups(r, e);
	if (rc == EX_OK)
		rc = compare_halves(r, e);
	if (rc != EX_OK)
		return rc;
	if (r->n > 0)
		qsort(r->g, r->n, sizeof *r->g, by == RANK_VALUE ? by_value : by_appi);
	r->out.g = r->g;
	r->out.n = r->n;
	*out = &r->out;
	return EX_OK;
}

void ranker_free(struct ranker *r)
{
	if (r == NULL)
		return;
	for (size_t i = 0; i < r->n; i++) {
		free(r->g[i].group);
		free(r->g[i].type);
		free(r->g[i].layer);
		free(r->g[i].choice);
	}
	free(r->g);
	free(r->met);
	free(r->slots);
	free(r->cells);
	strlist_free(&r->sources);
	free(r);
}
