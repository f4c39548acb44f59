/*
 * budgets - the budgets to solve: those asked for, or points along the frontier.
 */
#ifndef TOOLS_SELECT_BUDGETS_H
#define TOOLS_SELECT_BUDGETS_H

#include "groups.h"

struct budgets {
	struct strlist labels;
	uint64_t *params;
	size_t n, cap;
};

/* As typed, "1%" being of the model's parameters. Budgets of as many parameters as one
 * before them are passed over with a note. */
int budgets_parse(struct budgets *b, const struct cli *cli, const struct strlist *typed,
		  const struct groups *g, struct err *e);

/* The totals of parameters of the frontier's points. When there are more than `points`, the
 * first and the last of them and, between, those that spread most evenly on a logarithmic
 * scale: each is the last point that is no further than an even step from the one before,
 * or else the next. */
int budgets_frontier(struct budgets *b, const struct cli *cli, const struct groups *g,
		     size_t points, size_t max_states, struct err *e);
void budgets_free(struct budgets *b);

#endif
