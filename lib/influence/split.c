#include "influence/split.h"

#include <math.h>
#include <stdlib.h>

#include "base/mem.h"

/* Sums from the start up to each atom: some neighbours that are never parted. */
struct atoms {
	size_t n;
	double *w, *y; /* [n + 1] sums of w and of w x */
	size_t *count; /* [n + 1] of elements */
	double *best;  /* [n + 1] least cost of the first atoms */
	size_t *from;  /* [n + 1] where the last group of these begins */
	size_t *open;  /* [n + 1] ends that may still be the best */
	double *due;   /* [n + 1] when to look at them again */
};

static void atoms_free(struct atoms *a)
{
	free(a->w);
	free(a->y);
	free(a->count);
	free(a->best);
	free(a->from);
	free(a->open);
	free(a->due);
}

static int atoms_init(struct atoms *a, size_t n, struct err *e)
{
	*a = (struct atoms){ 0 };
	a->w = mem_zeros(n + 1, sizeof *a->w);
	a->y = mem_zeros(n + 1, sizeof *a->y);
	a->count = mem_zeros(n + 1, sizeof *a->count);
	a->best = mem_zeros(n + 1, sizeof *a->best);
	a->from = mem_zeros(n + 1, sizeof *a->from);
	a->open = mem_zeros(n + 1, sizeof *a->open);
	a->due = mem_zeros(n + 1, sizeof *a->due);
	if (a->w != NULL && a->y != NULL && a->count != NULL && a->best != NULL &&
	    a->from != NULL && a->open != NULL && a->due != NULL)
		return EX_OK;
	atoms_free(a);
	return err_nomem(e);
}

static void add(struct atoms *a, double x, double w, int with_last)
{
	size_t at = with_last ? a->n : a->n + 1;

	if (!with_last) {
		a->w[at] = a->w[a->n];
		a->y[at] = a->y[a->n];
		a->count[at] = a->count[a->n];
		a->n = at;
	}
	a->w[at] += w;
	a->y[at] += w * x;
	a->count[at]++;
}

static double likelihood(double w, double y)
{
	return w > 0 ? 2 * w * log(y / w) : 0;
}

/* Of atoms s .. t as one group. */
static double run_cost(const struct atoms *a, size_t s, size_t t)
{
	return likelihood(a->w[t] - a->w[s], a->y[t] - a->y[s]);
}

double split_none(size_t n, const double *x, const double *w, struct split_cost c)
{
	double sum_w = 0, sum_y = 0;

	for (size_t i = 0; i < n; i++) {
		sum_w += w[i];
		sum_y += w[i] * x[i];
	}
	return likelihood(sum_w, sum_y) + c.level;
}

/* Numbers the groups along the atoms; `element` (or NULL) is who stands where. */
static size_t trace(struct atoms *a, const size_t *element, uint32_t *part)
{
	size_t groups = 0, g = 0;

	for (size_t t = a->n; t > 0; t = a->from[t])
		a->open[groups++] = t;
	for (size_t i = 0; i < a->count[a->n]; i++) {
		while (i >= a->count[a->open[groups - 1 - g]])
			g++;
		part[element == NULL ? i : element[i]] = (uint32_t)g;
	}
	return groups;
}

/* ---- runs of neighbours ---- */

/* How much nearer to the best any end may come by one more atom: the run from `from`, the
 * best so far, has the mean m, and its cost grows by 2 w (log m + x/m - 1) at most; that of
 * every other run grows by 2 w log x at least. */
static double nearer(const struct atoms *a, size_t t, size_t from)
{
	double w = a->w[t] - a->w[t - 1], x = (a->y[t] - a->y[t - 1]) / w;
	double ratio = x * (a->w[t - 1] - a->w[from]) / (a->y[t - 1] - a->y[from]);

	return 2 * w * (ratio - 1 - log(ratio));
}

#define ROUNDING 1e-6 /* of costs: an end is looked at so much before it is due */

/* best[t] = min over s < t of best[s] + cost of s..t + a group. An s for which best[s] +
 * cost of s..t is above best[t] is never the best again: parting a run further does not
 * raise its likelihood's cost. Another is not looked at before it can have come near:
 * due[] is where `way`, the sum of nearer(), has to be for that. */
static void solve_chain(struct atoms *a, double group)
{
	double way = 0;
	size_t n_open = 0;

	a->best[0] = -group;
	for (size_t t = 1; t <= a->n; t++) {
		size_t kept = 0, from = t > 1 ? a->from[t - 1] : 0;
		double best = a->best[from] + group + run_cost(a, from, t);

		a->open[n_open] = t - 1;
		a->due[n_open++] = -INFINITY;
		way += t > 1 ? nearer(a, t, from) : 0;
		for (size_t i = 0; i < n_open; i++) {
			size_t s = a->open[i];
			double due = a->due[i], c;

			if (due <= way) {
				c = a->best[s] + run_cost(a, s, t);
				if (c > best)
					continue;
				due = way + (c + group - best) - ROUNDING;
				from = c + group < best ? s : from;
				best = fmin(best, c + group);
			}
			a->open[kept] = s;
			a->due[kept++] = due;
		}
		a->best[t] = best;
		a->from[t] = from;
		n_open = kept;
	}
}

int split_chain(size_t n, const double *x, const double *w, struct split_cost c,
		uint32_t *part, size_t *parts, double *cost, struct err *e)
{
	double group = c.level + 2 * c.place * log((double)(n > 0 ? n : 1));
	struct atoms a;
	int rc = atoms_init(&a, n, e);

	if (rc != EX_OK)
		return rc;
	for (size_t i = 0; i < n; i++)
		add(&a, x[i], w[i], i > 0 && x[i] == x[i - 1]);
	solve_chain(&a, group);
	*cost = a.best[a.n] + c.level;
	*parts = trace(&a, NULL, part);
	atoms_free(&a);
	return EX_OK;
}

/* ---- levels ---- */

struct element {
	double x;
	size_t at;
};

static int highest_first(const void *p, const void *q)
{
	const struct element *a = p, *b = q;

	if (a->x != b->x)
		return a->x > b->x ? -1 : 1;
	return (a->at > b->at) - (a->at < b->at);
}

static void solve_levels(struct atoms *a, struct split_cost c)
{
	double n = (double)a->count[a->n];

	for (size_t t = 1; t <= a->n; t++) {
		a->best[t] = INFINITY;
		for (size_t s = 0; s < t; s++) {
			double members = (double)(a->count[t] - a->count[s]);
			double cost = a->best[s] + c.level + run_cost(a, s, t) +
				      2 * c.place * members * log(n / members);

			if (cost < a->best[t]) {
				a->best[t] = cost;
				a->from[t] = s;
			}
		}
	}
}

int split_levels(size_t n, const double *x, const double *w, struct split_cost c,
		 uint32_t *part, size_t *parts, double *cost, struct err *e)
{
	struct element *sorted = mem_zeros(n, sizeof *sorted);
	size_t *element = mem_zeros(n, sizeof *element);
	double first = 0;
	struct atoms a = { 0 };
	int rc = sorted == NULL || element == NULL ? err_nomem(e) : atoms_init(&a, n, e);

	for (size_t i = 0; i < n && rc == EX_OK; i++)
		sorted[i] = (struct element){ x[i], i };
	if (n > 0 && rc == EX_OK)
		qsort(sorted, n, sizeof *sorted, highest_first);
	for (size_t i = 0; i < n && rc == EX_OK; i++) {
		int alike = i > 0 && sorted[i].x * SPLIT_ALIKE >= first;

		first = alike ? first : sorted[i].x;
		element[i] = sorted[i].at;
		add(&a, sorted[i].x, w[sorted[i].at], alike);
	}
	if (rc == EX_OK) {
		solve_levels(&a, c);
		*cost = a.best[a.n];
		*parts = trace(&a, element, part);
	}
	atoms_free(&a);
	free(sorted);
	free(element);
	return rc;
}
