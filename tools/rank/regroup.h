/*
 * regroup - the ranking of groups that are as coarse as their influence allows.
 */
#ifndef RANK_REGROUP_H
#define RANK_REGROUP_H

#include "base/err.h"
#include "influence/heads.h"
#include "influence/rank.h"
#include "influence/regroup.h"
#include "settings.h"

/* Divides what `r` has seen anew, writes the groups file s->regroup and ranks the new
 * groups: `out` belongs to *to, which the caller frees. */
int regroup_rank(const struct settings *s, struct regrouper *r, struct heads *heads,
		 struct ranker **to, const struct ranking **out,
		 const struct regrouped **regrouped, struct err *e);

/* Puts the new groups in place of the old ones' lines. */
int regroup_head(const struct regrouped *r, struct meta_list *head, struct err *e);

#endif
