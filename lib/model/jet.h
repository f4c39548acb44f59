/*
 * jet - the loss along a direction, with its first two derivatives, by one forward pass.
 *
 * Along w(eta) = w - eta v every slot is x + x1 eta + x2 eta^2/2 + ...; an operation maps
 * (x, x1, x2) to those of its output by the chain rule (Taylor mode), x being read from a
 * pass over the same batch. For a linear operation, for example,
 *
 *     y1 = x1 W' - x V' - vb        y2 = x2 W' - 2 x1 V'
 *
 * Nothing is differenced, so the results are as good as float sums are. The rounding of the
 * pass itself is larger than that of the derivatives: where curvatures of both signs
 * cancel, what is left of `second` is known to some 2e-4 of `gauss_newton`. With z the
 * logits, p the softmax and the loss a mean over n rows,
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

/* For the batch of `base`, a pass with `keep` that ran forward without dropout; backward
 * may have run since: where it put the error of a language model's logits in their place,
 * share (p - onehot), the probabilities are taken from that. `base` must outlive the jet's
 * use. EX_UNAVAILABLE when memory is short. */
int jet_batch(struct jet *j, const struct pass *base, struct err *e);

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
