/*
 * curvature - g'(GGN)g of all groups at once, at a cost that does not depend on their
 * number.
 *
 * Let A_n be the Hessian of sample n's loss in its logits z_n: diag(p) - pp' for
 * cross-entropy, 2 for the squared error. With A_n = sum_s a_ns a_ns' and
 *
 *     u_nsk = a_ns' <dz_n / dw_k, g_k>
 *     g_k'(GGN)g_l = mean_n sum_s u_nsk u_nsl
 *
 * one backward pass of the data path for each s gives the errors e of a_ns at each weight's
 * output, and u is the sum over tokens of e.(V x), V being the direction of that weight:
 * one product like the forward pass's. Two classes and the squared error have one s, and
 * its errors are those of the loss itself, each sequence scaled; C classes have C - 1.
 *
 * Of many classes and of a language model, A_n is replaced by (p - y)(p - y)' with y drawn
 * from p: the same in the mean. `draws` such labels are drawn for every target.
 */
#ifndef INFLUENCE_CURVATURE_H
#define INFLUENCE_CURVATURE_H

#include <stddef.h>
#include <stdint.h>

#include "base/err.h"
#include "model/samples.h"
#include "peft/group.h"

struct curvature; /* buffers, used again from step to step */

int curvature_init(struct curvature **c, const struct model *m,
		   const struct partition *part, struct err *e);
void curvature_free(struct curvature *c);

/* Draws that are made when none are asked for: 0 when the classes are few enough for the
 * exact sum, else so many that a batch of `sequences` gives at least 64 samples. */
unsigned curvature_draws(const struct model *m, size_t sequences);

/* `p` ran forward and backward on its batch, without dropout. curv[groups] is overwritten;
 * 0 where nothing moves. draws == 0: exact (a language model takes curvature_draws).
 * `key` decides the labels that are drawn: of each target and draw by themselves, so that
 * the same key gives the same. matrix (or NULL) [groups x groups]: g_k'(GGN)g_l,
 * overwritten, both triangles. EX_UNAVAILABLE when memory is short.
 *
 * With two classes, or the squared error, and `retain` set in p, no further backward pass
 * is made, but where a sequence's loss is so small that its errors are rounding. Every
 * other call runs backward again from its own errors: what was retained is gone then, and
 * so are the logits of a language model, in whose place the errors stand. */
int curvature_measure(struct curvature *c, struct pass *p, struct directions d,
		      unsigned draws, uint64_t key, double *curv, double *matrix,
		      struct err *e);

/* trace[groups] = sum over the group's elements i of mean_n (d loss_n / dw_i)^2, the
 * diagonal of the empirical Fisher information with the true labels; n are sequences (of a
 * language model: loss_n is the sum over the sequence's targets, and the mean is over
 * targets). `p` as above, with `retain`; nothing of it is changed. A parameter with several
 * uses is squared after they are added. */
int curvature_fisher(struct curvature *c, struct pass *p, double *trace, struct err *e);

#endif
