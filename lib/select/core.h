/*
 * core - a multiple-choice 0-1 knapsack to proven optimality, from the break outwards.
 *
 * The break solution makes the relaxation's exchanges in their order up to the first that
 * does not fit. An optimal solution differs from it in few classes, most of them near the
 * break, so the search starts there with one state and lets one class after the other, of
 * the next exchange right and left in turn, take any of its alternatives (Pisinger 1995,
 * MCKNAP; with classes of one item or nothing it is 1997's MINKNAP). States are
 * Nemhauser-Ullmann lists: no state may have a rival with as much value in as few
 * parameters. A state whose bound by the relaxation is below the best known solution is
 * dropped, and so is an alternative without which nothing is lost by the Lagrangian bound.
 */
#ifndef SELECT_CORE_H
#define SELECT_CORE_H

#include "select/classes.h"

struct core_result {
	int64_t value; /* of the solution found */
	int64_t bound; /* no solution is worth more */
};

/*
 * Takes an alternative of every class, none of which is larger than `capacity`. `lower` is
 * a value known to be reachable, the result may be below it only when the search was cut at
 * max_states. Adds to copies[kind] how many of each kind are chosen. `bound` equal to
 * `value` means optimal.
 *
 * Of solutions of equal value the one with the fewest parameters is chosen; of those, the
 * one with more copies of the first kind in which they differ. A search that was cut keeps
 * neither promise; one that only looks for ties is cut after max_states steps.
 */
int core_solve(const struct classes *classes, uint64_t capacity, int64_t lower,
	       size_t max_states, size_t *copies, struct core_result *out, struct err *e);

#endif
