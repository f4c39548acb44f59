/*
 * regroup - groups as coarse as their influence allows: split where members differ beyond
 * their noise, merged where they do not.
 *
 * A member (a row of a tensor, a tensor, ...) has its ppi at each of S probed steps. The
 * ups and downs s_t that the rows of its tensor share are taken off; z_t = ppi_t / s_t has
 * mean m and variance v, and the noise of all rows of the tensor is taken as one:
 *
 *     c = sum of v / sum of (m^2 - v/S)      each divided by (its m + a middling m)^2
 *
 * so m + d has the relative variance c / S; d, REGROUP_FLOOR of the mean ppi of all
 * parameters, makes members alike that hardly count. c is drawn towards that of all
 * members, which weighs as much as REGROUP_PRIOR rows; tensors of fewer than REGROUP_ROWS
 * rows have that. With one step c is that of a squared normal number, 2.
 *
 * The cost of a division is in influence/split.h, with penalty * log(members * S) for a
 * group and `penalty` as the factor of telling its place: what BIC takes, and a
 * description's length. The least is found
 *   - within a tensor: one group, runs of neighbouring rows (TENSOR[a:b]), or rows of like
 *     influence wherever they stand (TENSOR/1, the most influential, TENSOR/2, ...);
 *   - above, along the parts of names: all that is below MODULE, encoder.layer.3, ... or
 *     the model is one group when this costs no more than the best of what is below.
 * Groups of a groups file have no order and no tree: they are merged by level.
 *
 * Groups that are alternatives (a choice) stay as they are.
 */
#ifndef INFLUENCE_REGROUP_H
#define INFLUENCE_REGROUP_H

#include <stdbool.h>
#include <stddef.h>

#include "base/err.h"
#include "influence/rank.h"
#include "io/stream.h"

#define REGROUP_FLOOR 0.01
#define REGROUP_ROWS  8
#define REGROUP_PRIOR 32

struct regrouped {
	struct meta_list rules; /* key PATTERN, value GROUP: a groups file */
	size_t members, groups; /* before and after */
	size_t whole;           /* tensors, modules or above in one group each */
	bool decreases;         /* of the loss: gains; not: scores */
	size_t capped;          /* gains that the loss of their step cut, once fed */
};

struct regrouper;

int regroup_start(struct regrouper **r, struct err *e);
/* A row that ranker_add has taken, and the loss of its step, nan when that is not known.
 * Every row is kept: some 100 bytes each. */
int regroup_add(struct regrouper *r, const struct influence_row *row, double loss,
		struct err *e);
/* `head`: of the streams, its lines groups, group and model. Call once; `out` belongs to
 * the regrouper. EX_USAGE when the groups are of a sort that patterns cannot name. */
int regroup_finish(struct regrouper *r, const struct meta_list *head, double penalty,
		   const struct regrouped **out, struct err *e);
/* The rows of the new groups in place of those of their members: gains added up, at most
 * the loss of their step when they are decreases of it. The sum is as a rule above what
 * the new group gains as one, since its members do in part the same work. */
int regroup_feed(struct regrouper *r, struct ranker *to, struct err *e);
void regroup_free(struct regrouper *r);

#endif
