/*
 * quadratic - the largest values of a concave quadratic, with bounds and without.
 */
#ifndef INFLUENCE_QUADRATIC_H
#define INFLUENCE_QUADRATIC_H

#include <stddef.h>

#include "base/err.h"

#define JOINT_TOLERANCE 1e-9 /* the gap, over the gain */

/* max over 0 <= eta <= tau of b'eta - 1/2 eta'M eta by coordinate ascent, with a Newton
 * step in the groups that stand within their bounds after each round of it. M[n x n] is
 * symmetric and positive semidefinite, so that the only maximum is found; it ends when the
 * duality gap
 *
 *     sum over k of max over 0 <= x <= tau_k of (b - M eta)_k (x - eta_k) >= f* - f(eta)
 *
 * is within JOINT_TOLERANCE of the gain, or no round helps any more. A group of infinite
 * tau counts in the gap with what one more step of its own would gain; without curvature
 * either it stands still. eta[n] (or NULL) is filled. */
int bounded_gain(size_t n, const double *m, const double *b, const double *tau, double *eta,
		 double *gain, double *gap, struct err *e);

#define RANK_TOLERANCE 1e-7 /* of a group's own curvature */

/* 1/2 b'M^-1 b, by a Cholesky factor with pivots of the cosines M_kl / sqrt(M_kk M_ll).
 * Groups of whose curvature less than RANK_TOLERANCE is left beside the ones taken before
 * are left out (float derivatives say nothing about the rest); *rank is how many stayed. */
int unbounded_gain(size_t n, const double *m, const double *b, double *gain, size_t *rank,
		   struct err *e);

#endif
