#include "influence/additive.h"

#include <math.h>
#include <stdlib.h>
#include <string.h>

#include "base/mem.h"
#include "influence/interactions.h"
#include "influence/quadratic.h"

/* A pair, added up over rows. */
struct interaction_sum {
	size_t a, b; /* a <= b */
	double curv;
	double slope, tau; /* of the diagonal */
	double steps;
};

/* ---- rows ---- */

static int check_numbers(const struct interaction_row *r, struct err *e)
{
	const struct {
		const char *name;
		double x;
	} finite[] = { { "curv", r->curv },       { "slope_a", r->slope_a },
		       { "slope_b", r->slope_b }, { "gain_a", r->gain_a },
		       { "gain_b", r->gain_b },   { "joint", r->joint } };

	for (size_t i = 0; i < sizeof finite / sizeof finite[0]; i++)
		if (!isfinite(finite[i].x))
			return err_set(e, EX_DATAERR,
				       "the %s of groups %s and %s is not finite",
				       finite[i].name, r->a, r->b);
	if (!(r->tau_a >= 0) || !(r->tau_b >= 0))
		return err_set(e, EX_DATAERR, "a tau of groups %s and %s is not 0 or more",
			       r->a, r->b);
	if (r->steps < 1)
		return err_set(e, EX_DATAERR, "the steps of groups %s and %s are below 1",
			       r->a, r->b);
	if (strcmp(r->a, r->b) == 0 && r->curv < 0)
		return err_set(e, EX_DATAERR,
			       "the curv of group %s with itself is negative, which no "
			       "Gauss-Newton matrix gives",
			       r->a);
	return EX_OK;
}

int interaction_table_add(struct interaction_table *x, const struct interaction_row *row,
			  struct err *e)
{
	double w = (double)row->steps;
	size_t a, b;
	int rc = check_numbers(row, e);

	if (rc == EX_OK)
		rc = numbering_put(&x->groups, row->a, &a, e);
	if (rc == EX_OK)
		rc = numbering_put(&x->groups, row->b, &b, e);
	if (rc == EX_OK)
		rc = mem_grow(&x->row, &x->cap, x->n + 1, sizeof *x->row, e);
	if (rc != EX_OK)
		return rc;
	x->row[x->n++] = (struct interaction_sum){ .a = a < b ? a : b,
						   .b = a < b ? b : a,
						   .curv = w * row->curv,
						   .slope = w * row->slope_a,
						   .tau = w * row->tau_a,
						   .steps = w };
	return EX_OK;
}

/* Rows of one pair by their numbers, so that the sums do not depend on the files' order. */
static int by_pair(const void *p, const void *q)
{
	const struct interaction_sum *x = p, *y = q;

	if (x->a != y->a)
		return x->a < y->a ? -1 : 1;
	if (x->b != y->b)
		return x->b < y->b ? -1 : 1;
	if (x->steps != y->steps)
		return x->steps < y->steps ? -1 : 1;
	if (x->slope != y->slope)
		return x->slope < y->slope ? -1 : 1;
	if (x->tau != y->tau)
		return x->tau < y->tau ? -1 : 1;
	return (x->curv > y->curv) - (x->curv < y->curv);
}

static void add_up(struct interaction_table *x)
{
	size_t kept = 0;

	if (x->n > 0)
		qsort(x->row, x->n, sizeof *x->row, by_pair);
	for (size_t i = 0; i < x->n; i++) {
		struct interaction_sum *k = &x->row[kept - (kept > 0)];
		const struct interaction_sum *r = &x->row[i];

		if (kept == 0 || k->a != r->a || k->b != r->b) {
			x->row[kept++] = *r;
			continue;
		}
		k->curv += r->curv;
		k->slope += r->slope;
		k->tau += r->tau;
		k->steps += r->steps;
	}
	x->n = kept;
}

static int check_pairs(const struct interaction_table *x, struct err *e)
{
	size_t a = 0, b = 0, at = 0;
	char **name = x->groups.names.s;

	for (; a < x->groups.names.n; a++) {
		for (b = a; b < x->groups.names.n; b++, at++) {
			if (at >= x->n || x->row[at].a != a || x->row[at].b != b)
				return err_set(e, EX_DATAERR,
					       "there is no row of the groups %s and %s",
					       name[a], name[b]);
			if (x->row[at].steps != x->row[0].steps)
				return err_set(e, EX_DATAERR,
					       "groups %s and %s have %.0f steps, others "
					       "%.0f: do all files have the same groups?",
					       name[a], name[b], x->row[at].steps,
					       x->row[0].steps);
		}
	}
	return EX_OK;
}

static int make_arrays(struct interaction_table *x, struct err *e)
{
	size_t n = x->groups.names.n, cells;

	if (!mem_mul(n, n, &cells))
		return err_nomem(e);
	x->curv = mem_zeros(cells, sizeof *x->curv);
	x->slope = mem_zeros(n, sizeof *x->slope);
	x->tau = mem_zeros(n, sizeof *x->tau);
	if (x->curv == NULL || x->slope == NULL || x->tau == NULL)
		return err_nomem(e);
	return EX_OK;
}

/* A slope of exactly zero is that of a group whose gradient is zero at every step; its
 * curvatures are rounding, which without a bound would carry it anywhere. */
static void hold_still(struct interaction_table *x)
{
	size_t n = x->groups.names.n;

	for (size_t k = 0; k < n; k++) {
		if (x->slope[k] != 0)
			continue;
		x->tau[k] = 0;
		for (size_t l = 0; l < n; l++)
			x->curv[k * n + l] = x->curv[l * n + k] = 0;
	}
}

int interaction_table_finish(struct interaction_table *x, struct err *e)
{
	size_t n = x->groups.names.n;
	int rc;

	add_up(x);
	if ((rc = check_pairs(x, e)) != EX_OK || (rc = make_arrays(x, e)) != EX_OK)
		return rc;
	x->steps = x->n > 0 ? x->row[0].steps : 0;
	for (size_t i = 0; i < x->n; i++) {
		const struct interaction_sum *r = &x->row[i];

		x->curv[r->a * n + r->b] = x->curv[r->b * n + r->a] = r->curv / r->steps;
		if (r->a == r->b) {
			x->slope[r->a] = r->slope / r->steps;
			x->tau[r->a] = r->tau / r->steps;
		}
	}
	hold_still(x);
	return EX_OK;
}

void interaction_table_free(struct interaction_table *x)
{
	numbering_free(&x->groups);
	free(x->row);
	free(x->curv);
	free(x->slope);
	free(x->tau);
	*x = (struct interaction_table){ 0 };
}

/* ---- pairs ---- */

const char *pair_kind_name(enum pair_kind k)
{
	static const char *const names[] = { [PAIR_ADDITIVE] = "additive",
					     [PAIR_SYNERGY] = "synergy",
					     [PAIR_REDUNDANT] = "redundant" };

	return names[k];
}

static double alone(double slope, double curv, double tau)
{
	double eta = curv > 0 ? fmin(slope / curv, tau) : tau;

	if (slope <= 0 || !isfinite(eta))
		return 0;
	return eta * slope - eta * eta / 2 * curv;
}

static struct additive_pair pair_of(const struct interaction_table *x, size_t a, size_t b,
				    double threshold)
{
	size_t n = x->groups.names.n;
	const double slope[2] = { x->slope[a], x->slope[b] };
	const double tau[2] = { x->tau[a], x->tau[b] };
	double own_a = x->curv[a * n + a], own_b = x->curv[b * n + b];
	double shared = x->curv[a * n + b];
	struct additive_pair p = { .a = a, .b = b };

	p.sum = alone(slope[0], own_a, tau[0]) + alone(slope[1], own_b, tau[1]);
	p.joint = shared == 0 ? p.sum : joint_gain(slope, tau, own_a, shared, own_b);
	p.excess = p.joint - p.sum;
	p.ratio = p.joint / p.sum;
	p.cosine = shared / sqrt(own_a) / sqrt(own_b);
	if (!isfinite(p.cosine))
		p.cosine = NAN;
	if (p.excess > threshold * p.sum)
		p.kind = PAIR_SYNERGY;
	else if (p.excess < -threshold * p.sum)
		p.kind = PAIR_REDUNDANT;
	return p;
}

/* A pair with its names, for qsort. */
struct named_pair {
	struct additive_pair p;
	const char *a, *b;
};

static int by_excess(const void *p, const void *q)
{
	const struct named_pair *x = p, *y = q;
	double u = fabs(x->p.excess), v = fabs(y->p.excess);
	int order;

	if (u != v)
		return u > v ? -1 : 1;
	order = strcmp(x->a, y->a);
	return order != 0 ? order : strcmp(x->b, y->b);
}

static int sort_pairs(const struct interaction_table *x, struct additivity *a,
		      struct err *e)
{
	struct named_pair *named = mem_zeros(a->n, sizeof *named);
	char **name = x->groups.names.s;

	if (named == NULL)
		return err_nomem(e);
	for (size_t i = 0; i < a->n; i++)
		named[i] = (struct named_pair){ a->pair[i], name[a->pair[i].a],
						name[a->pair[i].b] };
	if (a->n > 0)
		qsort(named, a->n, sizeof *named, by_excess);
	for (size_t i = 0; i < a->n; i++)
		a->pair[i] = named[i].p;
	free(named);
	return EX_OK;
}

static int measure_pairs(const struct interaction_table *x, double threshold,
			 struct additivity *a, struct err *e)
{
	size_t n = x->groups.names.n;

	a->pair = mem_zeros(x->n - n, sizeof *a->pair);
	if (a->pair == NULL)
		return err_nomem(e);
	for (size_t i = 0; i < n; i++) {
		for (size_t j = i + 1; j < n; j++) {
			struct additive_pair p = pair_of(x, i, j, threshold);

			a->pair[a->n++] = p;
			a->synergy += p.kind == PAIR_SYNERGY;
			a->redundant += p.kind == PAIR_REDUNDANT;
		}
	}
	return sort_pairs(x, a, e);
}

/* ---- all groups ---- */

/* All groups gain at least what the best two of them do, however far the search came. */
static void raise_joint(struct additivity *a)
{
	double found = a->joint;

	for (size_t i = 0; i < a->n; i++)
		a->joint = fmax(a->joint, a->pair[i].joint);
	a->gap = fmax(a->gap - (a->joint - found), 0);
}

int additivity_measure(const struct interaction_table *x, double threshold,
		       struct additivity *a, struct err *e)
{
	size_t n = x->groups.names.n;
	int rc;

	*a = (struct additivity){ 0 };
	for (size_t k = 0; k < n; k++)
		a->sum += alone(x->slope[k], x->curv[k * n + k], x->tau[k]);
	rc = bounded_gain(n, x->curv, x->slope, x->tau, NULL, &a->joint, &a->gap, e);
	if (rc == EX_OK)
		rc = unbounded_gain(n, x->curv, x->slope, &a->unbounded, &a->rank, e);
	if (rc == EX_OK)
		rc = measure_pairs(x, threshold, a, e);
	if (rc == EX_OK)
		raise_joint(a);
	else
		additivity_free(a);
	return rc;
}

void additivity_free(struct additivity *a)
{
	free(a->pair);
	*a = (struct additivity){ 0 };
}
