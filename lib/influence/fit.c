#include "influence/fit.h"

#include <math.h>
#include <string.h>

/* Shares of the group's rms: a step that leaves only rounding. */
#define HARDLY 3e-6

/* A gain to begin with, as a share of the loss, and the largest linear change in a fit. */
#define FIRST_GAIN  0.01
#define MOST_CHANGE 0.05

/* An error of curv, as a share of it, that is worth fitting again for. */
#define UNSURE 0.025

/* Fits that a fine one is the mean of, and what is left of the rounding then. */
#define AGAIN 3
#define FINER 0.484 /* sqrt((34 / 3 + 100 / 5) / (34 + 100)) */

/* w - eta g of one parameter into `to`. Of a table of embeddings, unless the head is tied
 * to it, only the rows that this batch reads are made. */
static void move(const struct prober *p, size_t i, double eta, const float *d, float *to)
{
	const struct model *m = p->t->m;
	const struct param *w = &m->params[i];
	const struct op *op = &m->ops[model_first_use(m, i)];
	const struct batch *b = p->tail.batch;

	if (op->kind == OP_EMBED && op->p[0] == (int)i && model_uses(m, i) == 1) {
		size_t width = w->shape[1];

		for (size_t t = 0; t < b->tokens; t++) {
			size_t at = b->ids[t] * width;

			vec_step(m->k, width, w->w + at, (float)-eta, d + at, to + at);
		}
		return;
	}
	vec_step(m->k, w->n, w->w, (float)-eta, d, to);
}

/* L(w - eta g) - L(w) with only group k moved. */
static double change(struct prober *p, size_t k, double eta)
{
	const struct model *m = p->t->m;
	const struct group *g = &p->part->g[k];
	size_t from = m->n_ops, at = 0;

	for (size_t j = 0; j < g->n; j++) {
		size_t i = g->member[j].param, first = model_first_use(m, i);

		move(p, i, eta, p->directions + at, p->moved + at);
		p->tail.w[i] = p->moved + at;
		at += m->params[i].n;
		from = first < from ? first : from;
	}
	pass_forward_from(&p->tail, &p->t->pass, from);
	for (size_t j = 0; j < g->n; j++)
		p->tail.w[g->member[j].param] = m->params[g->member[j].param].w;
	p->forwards++;
	return p->tail.loss - p->t->pass.loss;
}

/* Roundings of the loss at w, less that of the loss at hand: by steps whose effect is
 * known. `most` is the longest step allowed. */
static void roundings(struct prober *p, size_t k, double most, double slope, double y[4])
{
	static const double r[4] = { -2, -1, 1, 2 };

	for (int i = 0; i < 4; i++) {
		double eta = r[i] * HARDLY / FIT_FARTHEST * most;

		y[i] = change(p, k, eta) + eta * slope;
	}
}

/* The standard deviation of the loss from rounding. */
static double measure_rounding(struct prober *p, size_t k, const struct estimate *e)
{
	double y[4], sum = 0;

	roundings(p, k, e->reach, e->slope, y);
	for (int i = 0; i < 4; i++)
		sum += y[i] * y[i];
	/* Each y is the difference of two roundings. No loss is kept better than its own
	 * float logits would allow. */
	return fmax(sqrt(sum / 8), 1e-10 * p->t->pass.loss);
}

/* The step at which a bend of `bend` seen at h would be `want`, at most `most`. */
static double rescale(double h, double bend, double want, double most)
{
	double factor = sqrt(want / bend);

	return fmin(h * fmin(fmax(factor, 1.0 / 64), 64), most);
}

/* Points at -h and h, h moved until their bend is about what is wanted. */
static double find_reach(struct prober *p, size_t k, const struct estimate *e, double most,
			 double y[2])
{
	double want = FIT_BEND * p->rounding, h = p->reach[k];

	if (h == 0)
		h = 2 * sqrt(FIRST_GAIN * e->loss * want) / fabs(e->slope);
	h = fmin(h, most);
	for (int tries = 0;; tries++) {
		double bend, next;

		y[0] = change(p, k, -h);
		y[1] = change(p, k, h);
		bend = fmax(fabs(y[0] + y[1]) / 2, p->rounding / 4);
		next = rescale(h, bend, want, most);
		if (tries == 3 || (next < 1.5 * h && next > h / 1.5))
			return h;
		h = next;
	}
}

/* The relative error of curv from the fourth derivative D, which adds D h^4/24 to the even
 * part of the loss at h: (2 * 1 + 8 * 16) / 34 times that of the bend, as the points show
 * it. */
static double fourth_order(const double y[4], double h, double curv)
{
	double near = (y[1] + y[2]) / 2, far = (y[0] + y[3]) / 2;
	double bend = h * h / 2 * fabs(curv);

	return 130.0 / 34 * fabs(far - 4 * near) / 12 / bend;
}

static void fit_once(struct prober *p, size_t k, struct estimate *e, double most,
		     double y[4])
{
	double slope;

	e->reach = find_reach(p, k, e, most, y + 1);
	y[0] = change(p, k, -2 * e->reach);
	y[3] = change(p, k, 2 * e->reach);
	fit_parabola(y, e->reach, &slope, &e->curv, &e->r2);
	/* The weights of the points in curv, and of the loss that all are compared with. */
	e->spread = sqrt(34 + 100) / 17 * p->rounding / (e->reach * e->reach);
}

/* AGAIN fits at and around `reach`, and a loss at w that is the mean of five roundings:
 * less rounding at a shorter step, for 4 AGAIN + 4 forward passes. */
static void fit_finely(struct prober *p, size_t k, struct estimate *e, double most,
		       double reach)
{
	static const double at[AGAIN] = { 1, 0.94, 1.06 };
	double base[4], y[4], slope, curv, sum = 0, shift;

	roundings(p, k, most, e->slope, base);
	shift = (base[0] + base[1] + base[2] + base[3]) / 5;
	for (int i = AGAIN - 1; i >= 0; i--) {
		double h = at[i] * reach;

		for (int j = 0; j < 4; j++)
			y[j] = change(p, k, (j < 2 ? j - 2 : j - 1) * h) - shift;
		fit_parabola(y, h, &slope, &curv, &e->r2);
		sum += curv;
	}
	e->curv = sum / AGAIN;
	e->reach = reach;
	e->spread = FINER * sqrt(34 + 100) / 17 * p->rounding / (reach * reach);
}

/* Could this be the curvature of a group whose best step lies where the parabola holds? */
static bool plausible(const struct estimate *e)
{
	return e->curv > 0 && e->slope * e->slope / (2 * e->curv) < 2 * e->loss;
}

void fit_group(struct prober *p, size_t k, struct estimate *e)
{
	double farthest = e->reach, most, y[4], crooked, fuzzy;

	if (p->rounding == 0)
		p->rounding = measure_rounding(p, k, e);
	most = fmin(farthest, MOST_CHANGE * e->loss / fabs(e->slope));
	fit_once(p, k, e, most, y);
	p->reach[k] =
	    rescale(e->reach, fmax(e->reach * e->reach / 2 * fabs(e->curv), p->rounding),
		    FIT_BEND * p->rounding, 4 * e->reach);
	crooked = fourth_order(y, e->reach, e->curv);
	fuzzy = e->spread / fabs(e->curv);
	if (!plausible(e) || crooked + fuzzy < UNSURE)
		return;
	/* One error grows with the square of the step, the other falls with it. */
	fit_finely(p, k, e, farthest,
		   crooked > fuzzy ? e->reach * sqrt(sqrt(FINER * fuzzy / crooked))
				   : e->reach);
}
