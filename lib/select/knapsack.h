/*
 * knapsack - the subset of groups with the most value within a budget of parameters.
 *
 *     maximise   sum of value_k over chosen k
 *     subject to sum of params_k over chosen k <= budget
 *
 * the epsilon-constraint form of the paper's two-goal problem (arXiv 2505.12579, section
 * 3). Items of one choice are alternatives (ranks of one LoRA pair, say): one of them at
 * most is chosen, which makes it a multiple-choice knapsack. Values are integers, llrint(v
 * 2^s) and at least 1 for v > 0, with one s for all items that can be chosen, the largest
 * for which their sum stays below 2^62, so that results are the same everywhere. Items of
 * value <= 0 are never chosen unless required; items without parameters and with value are
 * always chosen, unless one of their choice is chosen instead. Requiring an item excludes
 * the others of its choice.
 *
 * The canonical order is by value per parameter, most first, then by fewer params, then by
 * name. Ties between subsets of equal value go to fewer parameters, then to the subset that
 * holds the first item, in canonical order, in which they differ. The result does not
 * depend on the order of the input.
 *
 * Greedy goes along the concave hull of each choice, nothing being one of its alternatives:
 * it takes the first alternative on the hull like any item, and later, in the order of the
 * value that each more parameter adds, exchanges it for the next one if the difference
 * fits. SOLVER_GREEDY has hulls of the alternatives that fit on their own,
 * SOLVER_GREEDY_STOP of all of them. Without choices it is the paper's greedy.
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
	const char *choice; /* its name; NULL: none */
};

enum solver {
	SOLVER_EXACT,      /* optimal (dominance lists), or capped with a certified gap */
	SOLVER_GREEDY,     /* by value per parameter, passing over what does not fit */
	SOLVER_GREEDY_STOP /* the same, ending at the first that does not fit */
};

struct solution {
	size_t *chosen; /* indices of items, in canonical order */
	size_t n;
	uint64_t params;
	double value; /* sum of the chosen values, in doubles */
	double bound; /* no subset within the budget is worth more: LP relaxation (Dantzig;
		       * over hulls of choices), what a capped search left open, or the
		       * value itself when proven optimal */
	double gap;   /* (bound - value) / bound, 0 when bound is 0 */
	bool optimal; /* in value; ties too unless the search was capped */
};

/* One budget. max_states bounds the memory of SOLVER_EXACT in list entries of some 60 bytes
 * (0: a default that takes at most about half a GB); reaching it ends with a certified
 * bound, and optimal == false unless the bound is reached. A search that goes on for ties
 * alone is ended after max_states steps. EX_USAGE when two items of one choice are
 * required; EX_DATAERR when required items do not fit (the message says by how much), when
 * values or their sum are not finite, or when there are 2^62 parameters or 2^31 items. */
int knapsack_solve(const struct item *items, size_t n, uint64_t budget, enum solver solver,
		   size_t max_states, struct solution *out, struct err *e);

/* Many budgets, scaled and sorted once; out[n_budgets]. Nothing needs to be freed after a
 * failure. */
int knapsack_solve_all(const struct item *items, size_t n, const uint64_t *budgets,
		       size_t n_budgets, enum solver solver, size_t max_states,
		       struct solution *out, struct err *e);

/* The Pareto frontier: for every total of parameters the best value, points in increasing
 * order of both (dominated ones left out), the first being the items that are in every
 * subset ({0, 0} when there are none). With more than max_states points on the way (0: a
 * default of some hundred MB and seconds) *complete is false and the points are those of
 * the canonical order's beginnings: within reach, but not the best for every total. */
struct frontier_point {
	uint64_t params;
	double value;
};

int knapsack_frontier(const struct item *items, size_t n, size_t max_states,
		      struct frontier_point **out, size_t *n_out, bool *complete,
		      struct err *e);

void solution_free(struct solution *s);

#endif
