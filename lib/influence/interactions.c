#include "influence/interactions.h"

#include <math.h>
#include <stdlib.h>

#include "base/mem.h"

/* A pair's quadratic: a's slope, bound and curvature, b's, and what both share. */
struct pair {
	double slope[2], tau[2], curv[2], shared;
};

static double at(const struct pair *p, double a, double b)
{
	return a * p->slope[0] + b * p->slope[1] -
	       (a * a * p->curv[0] + 2 * a * b * p->shared + b * b * p->curv[1]) / 2;
}

/* The best step of 0 .. tau along slope and curv. */
static double best_step(double slope, double curv, double tau)
{
	if (!(slope > 0))
		return 0;
	return curv > 0 ? fmin(slope / curv, tau) : tau;
}

/* The most with one of the two at `fixed`. */
static double along_edge(const struct pair *p, int moves, double fixed)
{
	double eta =
	    best_step(p->slope[moves] - fixed * p->shared, p->curv[moves], p->tau[moves]);

	return moves == 0 ? at(p, eta, fixed) : at(p, fixed, eta);
}

/* A concave quadratic on a rectangle is largest where its slope is zero, when that is
 * inside, or else on an edge. Where both lie together (no determinant) an edge has it too.
 */
static double most(const struct pair *p)
{
	double det = p->curv[0] * p->curv[1] - p->shared * p->shared, best = 0;

	for (int moves = 0; moves < 2; moves++) {
		best = fmax(best, along_edge(p, moves, 0));
		if (isfinite(p->tau[1 - moves]))
			best = fmax(best, along_edge(p, moves, p->tau[1 - moves]));
	}
	if (det > 0) {
		double a = (p->slope[0] * p->curv[1] - p->slope[1] * p->shared) / det;
		double b = (p->slope[1] * p->curv[0] - p->slope[0] * p->shared) / det;

		if (a >= 0 && b >= 0 && a <= p->tau[0] && b <= p->tau[1])
			best = fmax(best, at(p, a, b));
	}
	return best;
}

/* A direction that nothing bounds is not taken. */
static double usable_tau(double tau, double curv)
{
	return curv > 0 || isfinite(tau) ? tau : 0;
}

double joint_gain(const double slope[2], const double tau[2], double curv_a, double curv_ab,
		  double curv_b)
{
	const struct pair p = {
		.slope = { slope[0], slope[1] },
		.tau = { usable_tau(tau[0], curv_a), usable_tau(tau[1], curv_b) },
		.curv = { curv_a, curv_b },
		.shared = curv_ab,
	};

	return most(&p);
}

int interactions_start(struct interactions *x, size_t groups, struct err *e)
{
	size_t pairs = groups * (groups + 1) / 2;

	if (groups > INTERACTIONS_MOST)
		return err_set(e, EX_USAGE,
			       "interactions of %zu groups are too many: %zu at most; "
			       "larger groups are fewer (layer-type, say)",
			       groups, INTERACTIONS_MOST);
	*x = (struct interactions){
		.groups = groups,
		.slope = mem_zeros(groups, sizeof(double)),
		.tau = mem_zeros(groups, sizeof(double)),
		.gain = mem_zeros(groups, sizeof(double)),
		.now = mem_zeros(groups, 4 * sizeof(double)),
		.curv = mem_zeros(pairs, sizeof(double)),
		.joint = mem_zeros(pairs, sizeof(double)),
	};
	if (x->slope != NULL && x->tau != NULL && x->gain != NULL && x->now != NULL &&
	    x->curv != NULL && x->joint != NULL)
		return EX_OK;
	interactions_free(x);
	return err_nomem(e);
}

/* Where the row of pairs that begin with `a` has its b == 0. */
static size_t row_of(const struct interactions *x, size_t a)
{
	return a * x->groups - a * (a + 1) / 2;
}

/* row [groups]: M_a. */
static void add_row(struct interactions *x, size_t a, const double *row)
{
	size_t n = x->groups;
	const double *slope = x->now, *tau = slope + n, *gain = tau + n, *own = gain + n;
	double *curv = x->curv + row_of(x, a), *joint = x->joint + row_of(x, a);

	curv[a] += own[a];
	joint[a] += gain[a];
	for (size_t b = a + 1; b < n; b++) {
		const double slopes[2] = { slope[a], slope[b] };
		const double taus[2] = { tau[a], tau[b] };

		curv[b] += row[b];
		joint[b] += joint_gain(slopes, taus, own[a], row[b], own[b]);
	}
}

void interactions_add(struct interactions *x, const struct estimate *of,
		      const double *matrix)
{
	size_t n = x->groups;
	double *slope = x->now, *tau = slope + n, *gain = tau + n, *own = gain + n;

	for (size_t k = 0; k < n; k++) {
		const struct pair alone = {
			.slope = { of[k].status == STATUS_ZERO ? 0 : of[k].slope },
			.tau = { usable_tau(of[k].tau, matrix[k * n + k]) },
			.curv = { matrix[k * n + k] },
		};

		own[k] = matrix[k * n + k];
		slope[k] = alone.slope[0];
		tau[k] = of[k].tau;
		gain[k] = along_edge(&alone, 0, 0);
		x->slope[k] += slope[k];
		x->tau[k] += tau[k];
		x->gain[k] += gain[k];
	}
#pragma omp parallel for schedule(dynamic, 16)
	for (size_t a = 0; a < n; a++)
		add_row(x, a, matrix + a * n);
	x->steps++;
}

struct interaction interactions_mean(const struct interactions *x, size_t a, size_t b)
{
	double n = (double)x->steps;
	size_t i = row_of(x, a) + b;

	return (struct interaction){
		.curv = x->curv[i] / n,
		.slope = { x->slope[a] / n, x->slope[b] / n },
		.tau = { x->tau[a] / n, x->tau[b] / n },
		.gain = { x->gain[a] / n, x->gain[b] / n },
		.joint = x->joint[i] / n,
	};
}

void interactions_free(struct interactions *x)
{
	free(x->slope);
	free(x->tau);
	free(x->gain);
	free(x->curv);
	free(x->joint);
	free(x->now);
	*x = (struct interactions){ 0 };
}
