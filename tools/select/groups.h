/*
 * groups - the groups of an appi stream as items of a knapsack.
 */
#ifndef TOOLS_SELECT_GROUPS_H
#define TOOLS_SELECT_GROUPS_H

#include "cli.h"
#include "select/knapsack.h"

struct groups {
	struct item *items; /* names are in `names` and `choices` */
	struct strlist names, types, layers, choices;
	size_t n, cap;
	struct meta_list head;
};

/* Reads `path` (NULL: stdin) whole. EX_DATAERR: a name that comes twice, a value that is
 * not finite. */
int groups_read(struct groups *g, const struct cli *cli, const char *path, struct err *e);
void groups_free(struct groups *g);

/* Sets `rule` for the groups that match one of the patterns. EX_USAGE for a pattern that
 * matches none, with near misses, and for a group that has another rule already. */
int groups_rule(struct groups *g, const struct strlist *patterns, enum rule rule,
		struct err *e);

/* The model's parameters from the ##model line; EX_DATAERR when it does not say. */
int groups_model_params(const struct groups *g, uint64_t *params, struct err *e);

#endif
