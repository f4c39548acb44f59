/*
 * interactions - what two groups gain together, beside what each gains alone.
 *
 * With M_ab = g_a'(GGN)g_b, slopes s and bounds tau, the loss that groups a and b can take
 * away under the quadratic is
 *
 *     joint = max over 0 <= eta_a <= tau_a, 0 <= eta_b <= tau_b of
 *             eta_a s_a + eta_b s_b - 1/2 (eta_a^2 M_aa + 2 eta_a eta_b M_ab + eta_b^2
 * M_bb)
 *
 * and gain_a the same with eta_b = 0. joint > gain_a + gain_b when the groups help each
 * other (M_ab < 0), and less when they do the same work. All are computed at each probed
 * step and then averaged. A group whose exact gradient is zero has slope 0; one without
 * curvature and without a bound does not move.
 */
#ifndef INFLUENCE_INTERACTIONS_H
#define INFLUENCE_INTERACTIONS_H

#include <stddef.h>
#include <stdint.h>

#include "base/err.h"
#include "influence/estimate.h"

/* Groups beyond this would need more than some 400 MB. */
#define INTERACTIONS_MOST ((size_t)4096)

/* The joint gain of two groups; exact for a positive semidefinite M. */
double joint_gain(const double slope[2], const double tau[2], double curv_a, double curv_ab,
		  double curv_b);

struct interactions {
	size_t groups;
	uint64_t steps;             /* estimates taken in: steps, and shards of them */
	double *slope, *tau, *gain; /* [groups] sums */
	double *curv, *joint;       /* [groups (groups + 1) / 2] sums, a <= b */
	double *now;                /* [groups x 4] of the step at hand */
};

/* Means over the steps taken in. */
struct interaction {
	double curv, slope[2], tau[2], gain[2], joint;
};

int interactions_start(struct interactions *x, size_t groups, struct err *e);
/* matrix [groups x groups]: M of the step; its diagonal is not negative. */
void interactions_add(struct interactions *x, const struct estimate *of,
		      const double *matrix);
/* For a <= b; a == b: joint is the gain alone. */
struct interaction interactions_mean(const struct interactions *x, size_t a, size_t b);
void interactions_free(struct interactions *x);

#endif
