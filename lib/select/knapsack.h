/*
 * knapsack - the subset of groups with the most value within a budget of parameters.
 *
 *     maximise   sum of value_k over chosen k
 *     subject to sum of params_k over chosen k <= budget
 *
 * the epsilon-constraint form of the paper's two-goal problem (arXiv 2505.12579, section 3).
 * Values are integers, llrint(v 2^s) with one s for all items, the largest for which the sum
 * of all values stays below 2^62, so that results are the same everywhere. Ties go to fewer
 * parameters, then to the item whose name sorts first. Items of value <= 0 are never chosen unless
 * required; items without parameters and with value are always chosen.
 */
#ifndef SELECT_KNAPSACK_H
#define SELECT_KNAPSACK_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#include "base/err.h"

enum rule { RULE_FREE, RULE_REQUIRED, RULE_FORBIDDEN };

struct item {
	const char *name;
	uint64_t params;
	double value; /* finite */
	enum rule rule;
};

enum solver {
	SOLVER_EXACT,       /* optimal (dominance lists), or capped with a certified gap */
	SOLVER_GREEDY,      /* by value per parameter, passing over what does not fit */
	SOLVER_GREEDY_STOP  /* the same, ending at the first that does not fit */
};

struct solution {
	size_t *chosen; /* indices of items, most value per parameter first */
	size_t n;
	uint64_t params;
	double value;   /* sum of the chosen values, in doubles */
	double bound;   /* no subset within the budget is worth more: LP relaxation (Dantzig), or the
			 * value itself when proven optimal */
	double gap;     /* (bound - value) / bound, 0 when bound is 0 */
	bool optimal;
};

/* One budget. max_states bounds the memory of SOLVER_EXACT in list entries (0: a default that
 * takes at most about 1 GB); reaching it ends with optimal == false and a certified bound.
 * EX_DATAERR when required items do not fit (the message says by how much) or values are not
 * finite. */
int knapsack_solve(const struct item *items, size_t n, uint64_t budget, enum solver solver,
		   size_t max_states, struct solution *out, struct err *e);

/* Many budgets at about the cost of one frontier; out[n_budgets]. */
int knapsack_solve_all(const struct item *items, size_t n, const uint64_t *budgets,
		       size_t n_budgets, enum solver solver, size_t max_states,
		       struct solution *out, struct err *e);

/* The Pareto frontier: for every total of parameters the best value, points in increasing
 * order of both (dominated ones left out). */
struct frontier_point {
	uint64_t params;
	double value;
};

int knapsack_frontier(const struct item *items, size_t n, size_t max_states,
		      struct frontier_point **out, size_t *n_out, bool *complete,
		      struct err *e);

void solution_free(struct solution *s);

#endif
