/*
 * metric - how good predictions are.
 */
#ifndef TRAIN_METRIC_H
#define TRAIN_METRIC_H

#include <stddef.h>
#include <stdint.h>

#include "base/err.h"

/* All as scikit-learn 1.9 and SciPy 1.17 define and compute them; nan for n == 0, and for
 * correlations of fewer than two points or of anything that holds a nan.
 *   accuracy   share of right predictions
 *   f1         of class 1 (binary), 2TP/(2TP+FP+FN), 0 when undefined; for more than two
 *              classes its mean over those that occur in truth or guess
 *   matthews   correlation of a confusion matrix of any size (Gorodkin), 0 when undefined
 *   pearson    sum of (x - mean x)/|x - mean x| (y - mean y)/|y - mean y|; nan for a
 *              constant input, an infinite one, or one whose sum is no double. Where x
 *              differs by less than some 1e-10 of itself, the rounding of its mean, which
 *              is NumPy's, shows in the result.
 *   spearman   pearson of average ranks; nan for a constant input
 * Classes are 0 .. classes - 1. */
double metric_accuracy(size_t n, const int32_t *truth, const int32_t *guess);
double metric_f1(size_t n, size_t classes, const int32_t *truth, const int32_t *guess);
double metric_matthews(size_t n, size_t classes, const int32_t *truth,
		       const int32_t *guess);
double metric_pearson(size_t n, const double *x, const double *y);
int metric_spearman(size_t n, const double *x, const double *y, double *r, struct err *e);

#endif
