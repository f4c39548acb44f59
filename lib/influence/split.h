/*
 * split - levels measured with noise, parted into groups of one level each.
 *
 * x_i > 0 is measured with relative variance 1/w_i. Taken as gamma-distributed, a group of
 * level m costs
 *
 *     -2 log likelihood = 2 sum over its i of w_i (log m + x_i / m) + what is the same for
 *                         every division
 *
 * which is least at m = sum w x / sum w, and then 2 W log m + 2 W, W = sum w. To second
 * order that is the squared deviation from m in units of the noise. So the likelihood
 * never likes a merger; what decides is that each group and its place have to be told:
 *
 *     split_chain    a group is a run of neighbours:
 *                    groups * level + (groups - 1) * 2 place log n
 *     split_levels   any may belong together:
 *                    groups * level + 2 place sum over groups of n_g log(n / n_g)
 *
 * Both find the least cost there is: of a chain by dynamic programming over its ends, with
 * pruning (Killick, Fearnhead and Eckley 2012); of levels by dynamic programming over the
 * sorted x, since for equal w each group of the best division is a run of these.
 */
#ifndef INFLUENCE_SPLIT_H
#define INFLUENCE_SPLIT_H

#include <stddef.h>
#include <stdint.h>

#include "base/err.h"

struct split_cost {
	double level; /* of a group */
	double place; /* of telling its members, a factor */
};

/* x alike within this ratio are not parted by split_levels. */
#define SPLIT_ALIKE 1.01

/* All in one group. */
double split_none(size_t n, const double *x, const double *w, struct split_cost c);

/* part[n]: the group of each, from 0 in the order of the chain. Both take n^2 steps at
 * worst; runs of equal x are one. */
int split_chain(size_t n, const double *x, const double *w, struct split_cost c,
		uint32_t *part, size_t *parts, double *cost, struct err *e);
/* part[n]: the group of each, from 0, which has the highest level. */
int split_levels(size_t n, const double *x, const double *w, struct split_cost c,
		 uint32_t *part, size_t *parts, double *cost, struct err *e);

#endif
