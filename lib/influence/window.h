/*
 * window - the probed steps so far, and whether their halves order the groups alike.
 */
#ifndef INFLUENCE_WINDOW_H
#define INFLUENCE_WINDOW_H

#include <stddef.h>

#include "base/err.h"

struct window {
	size_t groups, steps;
	double **ppi; /* [steps][groups] */
	size_t cap;
};

void window_start(struct window *w, size_t groups);
void window_free(struct window *w);

/* Takes in what each group adds to its APPI at one step: ppi[groups], which is copied. */
int window_add(struct window *w, const double *ppi, struct err *e);

/* Kendall's tau-b between the APPI of all groups in the first half of the steps and in the
 * second, the longer one when their number is odd, as a ranking has it (rank.h); nan with
 * fewer than two steps or when a half is constant. */
int window_tau(const struct window *w, double *tau, struct err *e);

#endif
