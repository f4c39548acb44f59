#include "influence/fit.h"

#include <math.h>

/* A guessed step is kept when the change is within this factor of what is wanted. */
#define NEAR_ENOUGH 8.0

/* Absolute change over slope, before any group is fitted. */
#define LEAN 2.0

/* Four points; `absolute` is that of the nearer ones. */
struct points {
	double y[4], reach, absolute;
};

static struct change_result evaluate(struct prober *p, double eta)
{
	p->forwards++;
	return change_by(p->change, -eta);
}

static void move_group(struct prober *p, const struct group *g)
{
	const float *d = p->directions;

	for (size_t j = 0; j < g->n; j++) {
		const struct member *v = &g->member[j];

		p->move[j] = (struct move){ v->param, v->from, v->n, d };
		d += v->n;
	}
	change_along(p->change, p->move, g->n);
}

/* The step at which the absolute change would be what is wanted. */
static double guess(const struct prober *p, size_t k, const struct estimate *e)
{
	double lean = p->lean > 0 && isfinite(p->lean) ? p->lean : LEAN;

	if (p->reach[k] > 0)
		return p->reach[k];
	return FIT_CHANGE * e->loss / (lean * fabs(e->slope));
}

/* The point at r = 1. */
static void near_point(struct prober *p, struct points *at)
{
	struct change_result r = evaluate(p, at->reach);

	at->y[2] = r.loss;
	at->absolute = r.absolute;
}

/* The same where the guess was good enough or else at a better step. */
static void first_point(struct prober *p, size_t k, const struct estimate *e,
			double farthest, struct points *at)
{
	double want = FIT_CHANGE * e->loss;

	at->reach = fmin(guess(p, k, e), farthest);
	for (int tries = 0; tries < 2; tries++) {
		double better;

		near_point(p, at);
		better = fmin(at->reach * want / fmax(at->absolute, want * 1e-6), farthest);
		if (tries > 0 ||
		    (better < NEAR_ENOUGH * at->reach && at->reach < NEAR_ENOUGH * better))
			break;
		at->reach = better;
	}
}

static void other_points(struct prober *p, struct points *at)
{
	at->y[1] = evaluate(p, -at->reach).loss;
	at->y[0] = evaluate(p, -2 * at->reach).loss;
	at->y[3] = evaluate(p, 2 * at->reach).loss;
}

/* The relative error of curv from the fourth derivative D, which adds D h^4/24 to the even
 * part of the loss at h: (2 * 1 + 8 * 16) / 34 times that of the bend, as the points show
 * it. */
static double crooked(const struct points *at, double curv)
{
	double near = (at->y[1] + at->y[2]) / 2, far = (at->y[0] + at->y[3]) / 2;
	double bend = at->reach * at->reach / 2 * fabs(curv);

	return 130.0 / 34 * fabs(far - 4 * near) / 12 / bend;
}

static void fit_points(const struct points *at, struct estimate *e)
{
	double slope;

	fit_parabola(at->y, at->reach, &slope, &e->curv, &e->r2);
	e->reach = at->reach;
	/* The further points change, and round, twice as much as the nearer ones, and weigh
	 * four times as much. */
	e->spread =
	    sqrt(2 + 2 * 64) / 17 * FIT_ROUNDING * at->absolute / (at->reach * at->reach);
}

/* The share of the step that makes both errors together least: one grows with the square of
 * the step, the other, as the change itself, falls with it. 1 when that is no great gain.
 */
static double better_share(const struct estimate *e, double bent, double fuzzy,
			   double farthest)
{
	double share = cbrt(fuzzy / (2 * bent)), left;

	share = fmin(fmin(fmax(share, 1.0 / 16), 16), farthest / e->reach);
	left = bent * share * share + fuzzy / share;
	return left < (bent + fuzzy) / 2 ? share : 1;
}

void fit_group(struct prober *p, size_t k, struct estimate *e)
{
	double farthest = e->reach, before = change_cost(p->change);
	double bent, fuzzy, share;
	struct points at;

	move_group(p, &p->part->g[k]);
	first_point(p, k, e, farthest, &at);
	other_points(p, &at);
	fit_points(&at, e);
	p->lean = at.absolute / (fabs(e->slope) * at.reach);
	bent = crooked(&at, e->curv);
	fuzzy = e->spread / fabs(e->curv);
	share = bent + fuzzy > FIT_UNSURE ? better_share(e, bent, fuzzy, farthest) : 1;
	if (share != 1) {
		at.reach = share * e->reach;
		near_point(p, &at);
		other_points(p, &at);
		fit_points(&at, e);
	}
	e->bent = crooked(&at, e->curv) * fabs(e->curv);
	p->reach[k] = at.reach;
	p->cost += change_cost(p->change) - before;
}
