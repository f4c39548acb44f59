/*
 * pareto - which of many trained models are worth their parameters.
 *
 * Point a dominates point b when it costs no more and scores no worse, and one of the two
 * is strict. The frontier is what nothing dominates.
 */
#ifndef TRAIN_PARETO_H
#define TRAIN_PARETO_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

struct pareto_point {
	const char *name;
	uint64_t cost;
	double score; /* more is better; nan is dominated by every number, at any cost, and
		       * never on the frontier */
	bool on_frontier; /* set by pareto_mark, and so is by */
	size_t by; /* of the points that dominate it that with the highest score, then the
		    * least cost, then the name that sorts first; SIZE_MAX: none */
};

void pareto_mark(struct pareto_point *p, size_t n);

#endif
