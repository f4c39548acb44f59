/*
 * core - a 0-1 knapsack to proven optimality, from the break item outwards.
 *
 * The break solution takes items in the order of value per parameter up to the first that
 * does not fit. An optimal solution differs from it in few items, most of them near the
 * break, so the search starts there with one state and lets one item after the other, right
 * and left in turn, be put in or taken out (Pisinger 1997, MINKNAP). States are
 * Nemhauser-Ullmann lists: no state may have a rival with as much value in as few
 * parameters. A state whose Dantzig bound is below the best known solution is dropped.
 */
#ifndef SELECT_CORE_H
#define SELECT_CORE_H

#include "select/instance.h"

struct core_result {
	int64_t value; /* of the solution found */
	int64_t bound; /* no solution is worth more */
};

/*
 * Chooses among parts[n] (canonical order, none without parameters or larger than
 * `capacity`). `lower` is a value known to be reachable, the
 * result may be below it only when the search was cut at max_states. Adds to copies[kind]
 * how many of each kind are chosen. `bound` equal to `value` means optimal.
 *
 * Of solutions of equal value the one with the fewest parameters is chosen; of those, the
 * one with more copies of the first kind in which they differ. A search that was cut keeps
 * neither promise; one that only looks for ties is cut after max_states steps.
 */
int core_solve(const struct part *parts, size_t n, uint64_t capacity, int64_t lower,
	       size_t max_states, size_t *copies, struct core_result *out, struct err *e);

#endif
