/*
 * kendall - rank correlation.
 */
#ifndef INFLUENCE_KENDALL_H
#define INFLUENCE_KENDALL_H

#include <stddef.h>

#include "base/err.h"

/* Kendall's tau-b of x[n] and y[n], in n log n steps (Knight 1966):
 *     (concordant - discordant) / sqrt((pairs - ties in x) (pairs - ties in y))
 * nan when x or y is constant. Neither holds a nan. */
int kendall_tau_b(size_t n, const double *x, const double *y, double *tau, struct err *e);

/* rank[i] of x[i] among n, the largest having rank 1; equal ones share their mean rank. */
int mean_ranks(size_t n, const double *x, double *rank, struct err *e);

#endif
