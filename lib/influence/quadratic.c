#include "influence/quadratic.h"

#include <math.h>
#include <stdbool.h>
#include <stdlib.h>

#include "base/mem.h"

#define ROUNDS 400 /* of SWEEPS through all groups and a Newton step */
#define SWEEPS 8

/* ---- a Cholesky factor with pivots ---- */

/* Of the cosines of some groups: P'CP = LL' in its first `rank` rows. */
struct factor {
	double *l;     /* [n x n] lower triangle */
	double *scale; /* [n] sqrt M_kk */
	double *x;     /* [n] */
	size_t *at;    /* [n] the groups, taken ones first */
	size_t n, rank;
};

static void factor_free(struct factor *f)
{
	free(f->l);
	free(f->scale);
	free(f->x);
	free(f->at);
}

static int factor_init(struct factor *f, size_t n, struct err *e)
{
	size_t cells;

	*f = (struct factor){ 0 };
	f->l = mem_mul(n, n, &cells) ? mem_zeros(cells, sizeof *f->l) : NULL;
	f->scale = mem_zeros(n, sizeof *f->scale);
	f->x = mem_zeros(n, sizeof *f->x);
	f->at = mem_zeros(n, sizeof *f->at);
	if (f->l != NULL && f->scale != NULL && f->x != NULL && f->at != NULL)
		return EX_OK;
	factor_free(f);
	return err_nomem(e);
}

static void swap_rows(struct factor *f, size_t i, size_t j)
{
	size_t group = f->at[i];
	double scale = f->scale[i];

	for (size_t k = 0; k < f->rank; k++) {
		double cell = f->l[i * f->n + k];

		f->l[i * f->n + k] = f->l[j * f->n + k];
		f->l[j * f->n + k] = cell;
	}
	f->at[i] = f->at[j];
	f->at[j] = group;
	f->scale[i] = f->scale[j];
	f->scale[j] = scale;
}

/* What is left of row i's cosine with itself beside the rows taken. */
static double left(const struct factor *f, size_t i)
{
	double rest = 1;

	for (size_t k = 0; k < f->rank; k++)
		rest -= f->l[i * f->n + k] * f->l[i * f->n + k];
	return rest;
}

static void take(struct factor *f, const double *m, size_t all, double pivot)
{
	size_t r = f->rank, n = f->n;
	const double *top = &f->l[r * n];
	double root = sqrt(pivot);

	for (size_t i = r + 1; i < n; i++) {
		double *row = &f->l[i * n];
		double c = m[f->at[i] * all + f->at[r]] / (f->scale[i] * f->scale[r]);

		for (size_t k = 0; k < r; k++)
			c -= row[k] * top[k];
		row[r] = c / root;
	}
	f->l[r * n + r] = root;
	f->rank++;
}

/* Of the groups of M[all x all] that `in` (or NULL: all) marks and that have curvature. */
static void factor_make(struct factor *f, const double *m, size_t all, const bool *in)
{
	f->n = 0;
	f->rank = 0;
	for (size_t k = 0; k < all; k++) {
		if ((in != NULL && !in[k]) || m[k * all + k] <= 0)
			continue;
		f->scale[f->n] = sqrt(m[k * all + k]);
		f->at[f->n++] = k;
	}
	while (f->rank < f->n) {
		double most = RANK_TOLERANCE;
		size_t best = f->n;

		for (size_t i = f->rank; i < f->n; i++) {
			double rest = left(f, i);

			if (rest > most) {
				most = rest;
				best = i;
			}
		}
		if (best == f->n)
			return;
		swap_rows(f, f->rank, best);
		take(f, m, all, most);
	}
}

/* x = L^-1 D^-1 r of the rows taken; 1/2 x'x is their unbounded gain. */
static double factor_forward(struct factor *f, const double *r)
{
	double squares = 0;

	for (size_t i = 0; i < f->rank; i++) {
		double x = r[f->at[i]] / f->scale[i];

		for (size_t k = 0; k < i; k++)
			x -= f->l[i * f->n + k] * f->x[k];
		f->x[i] = x / f->l[i * f->n + i];
		squares += f->x[i] * f->x[i];
	}
	return squares / 2;
}

/* Then x = M^-1 r of the rows taken. */
static void factor_backward(struct factor *f)
{
	for (size_t i = f->rank; i-- > 0;) {
		double x = f->x[i];

		for (size_t k = i + 1; k < f->rank; k++)
			x -= f->l[k * f->n + i] * f->x[k];
		f->x[i] = x / f->l[i * f->n + i];
	}
	for (size_t i = 0; i < f->rank; i++)
		f->x[i] /= f->scale[i];
}

int unbounded_gain(size_t n, const double *m, const double *b, double *gain, size_t *rank,
		   struct err *e)
{
	struct factor f;
	int rc = factor_init(&f, n, e);

	if (rc != EX_OK)
		return rc;
	factor_make(&f, m, n, NULL);
	*gain = factor_forward(&f, b);
	*rank = f.rank;
	factor_free(&f);
	return EX_OK;
}

/* ---- within bounds ---- */

struct ascent {
	size_t n;
	const double *m, *b, *tau;
	double *eta, *rest; /* [n]; rest = b - M eta */
	bool *inside;       /* [n] */
	struct factor f;
};

static double value_of(const struct ascent *a)
{
	double f = 0;

	for (size_t k = 0; k < a->n; k++)
		f += a->eta[k] * (a->b[k] + a->rest[k]) / 2;
	return f;
}

static double gap_of(const struct ascent *a)
{
	double gap = 0;

	for (size_t k = 0; k < a->n; k++) {
		double r = a->rest[k], own = a->m[k * a->n + k];

		if (r <= 0)
			gap -= r * a->eta[k];
		else if (isfinite(a->tau[k]))
			gap += r * (a->tau[k] - a->eta[k]);
		else if (own > 0)
			gap += r * r / (2 * own);
	}
	return gap;
}

/* Moves eta_k by d. */
static void move(struct ascent *a, size_t k, double d)
{
	a->eta[k] += d;
	for (size_t l = 0; l < a->n; l++)
		a->rest[l] -= d * a->m[k * a->n + l];
}

static void sweep(struct ascent *a)
{
	for (size_t k = 0; k < a->n; k++) {
		double own = a->m[k * a->n + k], r = a->rest[k], to = a->eta[k];

		if (own > 0)
			to = fmin(fmax(to + r / own, 0), a->tau[k]);
		else if (r > 0 && isfinite(a->tau[k]))
			to = a->tau[k];
		if (to != a->eta[k])
			move(a, k, to - a->eta[k]);
	}
}

/* To the maximum over the groups within their bounds, or as far towards it as the first
 * bound lets. f is concave, so the way there goes up. */
static void newton(struct ascent *a)
{
	double far = 1;

	for (size_t k = 0; k < a->n; k++)
		a->inside[k] = a->eta[k] > 0 && a->eta[k] < a->tau[k];
	factor_make(&a->f, a->m, a->n, a->inside);
	factor_forward(&a->f, a->rest);
	factor_backward(&a->f);
	for (size_t i = 0; i < a->f.rank; i++) {
		double eta = a->eta[a->f.at[i]], tau = a->tau[a->f.at[i]];
		double d = a->f.x[i];

		if (d < 0)
			far = fmin(far, eta / -d);
		else if (d > tau - eta)
			far = fmin(far, (tau - eta) / d);
	}
	for (size_t i = 0; i < a->f.rank; i++) {
		size_t k = a->f.at[i];
		double to = fmin(fmax(a->eta[k] + far * a->f.x[i], 0), a->tau[k]);

		move(a, k, to - a->eta[k]);
	}
}

/* Rounding that moves have left in the rest. */
static void refresh(struct ascent *a)
{
	for (size_t k = 0; k < a->n; k++) {
		a->rest[k] = a->b[k];
		for (size_t l = 0; l < a->n; l++)
			a->rest[k] -= a->m[k * a->n + l] * a->eta[l];
	}
}

static void climb(struct ascent *a)
{
	for (int i = 0; i < ROUNDS; i++) {
		for (int j = 0; j < SWEEPS; j++)
			sweep(a);
		refresh(a);
		if (gap_of(a) <= JOINT_TOLERANCE * value_of(a))
			return;
		newton(a);
		refresh(a);
	}
}

int bounded_gain(size_t n, const double *m, const double *b, const double *tau, double *eta,
		 double *gain, double *gap, struct err *e)
{
	struct ascent a = { .n = n, .m = m, .b = b, .tau = tau };
	int rc = factor_init(&a.f, n, e);

	if (rc != EX_OK)
		return rc;
	a.eta = mem_zeros(n, sizeof *a.eta);
	a.rest = mem_zeros(n, sizeof *a.rest);
	a.inside = mem_zeros(n, sizeof *a.inside);
	if (a.eta == NULL || a.rest == NULL || a.inside == NULL)
		rc = err_nomem(e);
	if (rc == EX_OK) {
		refresh(&a);
		climb(&a);
		*gain = value_of(&a);
		*gap = gap_of(&a);
		for (size_t k = 0; eta != NULL && k < n; k++)
			eta[k] = a.eta[k];
	}
	free(a.eta);
	free(a.rest);
	free(a.inside);
	factor_free(&a.f);
	return rc;
}
