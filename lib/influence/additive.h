/*
 * additive - do gains of groups add up? What groups gain together beside what each gains
 * alone, from the curvature between them.
 *
 * With slopes b_k = G.g_k, M_kl = g_k'(GGN)g_l and bounds tau_k, moving all groups at once
 * by eta lowers the loss by
 *
 *     f(eta) = b'eta - 1/2 eta'M eta        0 <= eta_k <= tau_k
 *
 * Selections add gains up, as if M were diagonal. M_kl < 0 makes a pair worth more than its
 * sum (each undoes the other's harm), M_kl > 0 less (both do the same).
 */
#ifndef INFLUENCE_ADDITIVE_H
#define INFLUENCE_ADDITIVE_H

#include <stddef.h>
#include <stdint.h>

#include "base/err.h"
#include "base/numbering.h"

/* A row of an interactions stream: groups a and b, a == b for the diagonal. */
struct interaction_row {
	const char *a, *b;
	double curv, slope_a, slope_b, tau_a, tau_b, gain_a, gain_b, joint;
	int64_t steps; /* that the numbers are the mean of */
};

struct interaction_table {
	struct numbering groups; /* in the order met */
	struct interaction_sum *row;
	size_t n, cap;
	double *curv;        /* [groups x groups], both triangles */
	double *slope, *tau; /* [groups] */
	double steps;        /* in all */
};

/* {0} is an empty one. EX_DATAERR for a number that cannot be, the message says no place.
 */
int interaction_table_add(struct interaction_table *x, const struct interaction_row *row,
			  struct err *e);
/* The mean, weighted by steps, of what was added; fills the arrays. A group of slope 0,
 * whose gradient is zero, gets curvatures and a bound of 0. EX_DATAERR when a pair is
 * missing or has other steps than the rest. Call once. */
int interaction_table_finish(struct interaction_table *x, struct err *e);
void interaction_table_free(struct interaction_table *x);

enum pair_kind { PAIR_ADDITIVE, PAIR_SYNERGY, PAIR_REDUNDANT };

const char *pair_kind_name(enum pair_kind k);

/* All of one quadratic, that of the mean curvatures, slopes and bounds. The means of what
 * each step gained by itself are as a rule above its maxima and not to be compared with
 * them. */
struct additive_pair {
	size_t a, b; /* a < b */
	double joint, sum;
	double excess; /* joint - sum */
	double ratio;  /* joint / sum; nan for 0/0 */
	double cosine; /* M_ab / sqrt(M_aa M_bb); nan where a group has no curvature */
	enum pair_kind kind;
};

struct additivity {
	struct additive_pair *pair; /* largest |excess| first; ties by names */
	size_t n;
	size_t synergy, redundant;
	double joint;     /* max f, of the mean quadratic; that of no pair is larger */
	double gap;       /* no eta within the bounds is better than joint + gap */
	double sum;       /* of the gains of each group alone, in that quadratic */
	double unbounded; /* 1/2 b'M^-1 b, see influence/quadratic.h */
	size_t rank;
};

/* A pair is PAIR_SYNERGY when excess > threshold * sum, PAIR_REDUNDANT when excess <
 * -threshold * sum. */
int additivity_measure(const struct interaction_table *x, double threshold,
		       struct additivity *a, struct err *e);
void additivity_free(struct additivity *a);

#endif
