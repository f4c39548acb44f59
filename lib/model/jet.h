/*
 * jet - the loss along a direction, with its first two derivatives, by one forward pass.
 *
 * Along w(eta) = w - eta v every slot is x + x1 eta + x2 eta^2/2 + ...; an operation maps
 * (x, x1, x2) to those of its output by the chain rule (Taylor mode), x being read from a
 * pass over the same batch. For a linear operation, for example,
 *
 *     y1 = x1 W' - x V' - vb        y2 = x2 W' - 2 x1 V'
 *
 * Nothing is differenced. Where curvatures of both signs cancel, what float sums lose in
 * the pass itself would be seen in what is left, so jet_batch makes the pass anew in
 * double: `second` is good to some 1e-5 of `gauss_newton`. With z the logits, p the softmax
 * and the loss a mean over n rows,
 *
 *     first        = L'(0)  = -G.v
 *     second       = L''(0) = v'Hv
 *     gauss_newton = v'(GGN)v = mean_n (sum_c p_c z1_c^2 - (sum_c p_c z1_c)^2)
 *                    (2 mean_n z1^2 for the squared error)
 */
#ifndef MODEL_JET_H
#define MODEL_JET_H

#include "base/err.h"
#include "model/pass.h"

struct jet; /* slots' derivatives, shared buffers as in a pass without `keep` */

int jet_init(struct jet **j, const struct model *m, struct err *e);
void jet_free(struct jet *j);

/* For the batch of `base`, a pass with `keep` that ran forward without dropout; whatever
 * ran since. What stands in `base` - outputs, statistics, probabilities - becomes what
 * double precision gives, rounded; a language model's logits become their error, share (p -
 * onehot). `base` must outlive the jet's use. EX_UNAVAILABLE when memory is short; `base`
 * is untouched then. */
int jet_batch(struct jet *j, struct pass *base, struct err *e);

struct jet_result {
	double first, second, gauss_newton;
};

/* v[n_params]: directions, NULL where a parameter stands still. What lies below the lowest
 * one that moves is not computed. */
struct jet_result jet_run(struct jet *j, const float *const *v);

/* After jet_run: <dz/dw, v>, the derivatives of the logits along w + eta v, shaped as the
 * slot m->logits; NULL when they are zero. Good until the next run. */
const float *jet_logits(const struct jet *j);

#endif
