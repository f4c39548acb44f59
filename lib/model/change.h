/*
 * change - by how much the loss changes when some parameters move, by passes forward only.
 *
 * Two losses that differ by a ten-thousandth have three digits less of their difference
 * than of themselves, and a curvature is a difference of such differences. So what is
 * passed forward here is the change itself: each slot's d = x(w + s g) - x(w), beside x as
 * it stands in a pass over the same batch. An operation maps (x, d) to the change of its
 * output:
 *
 *     linear      d W' + s (x + d) g'
 *     norm, activation, attention     tensor/changes.h
 *     loss        log(1 + sum_c p_c (e^(d_c - d_label) - 1)); 2 (z - t) d + d^2
 *
 * exact in d, nothing linearised; but rounding is a share of the change, so that the step
 * may be as short as the loss not being a parabola wants it.
 *
 * Only operations that a moved parameter reaches are run. Slots up to the first bend are
 * linear in s: they are made once for all steps of a group (X g' of a moved weight is one
 * product), then scaled.
 */
#ifndef MODEL_CHANGE_H
#define MODEL_CHANGE_H

#include "base/err.h"
#include "model/pass.h"

struct change;

/* What moves: elements from .. from + n, whole rows, of a parameter, along g[n]. */
struct move {
	size_t param, from, n;
	const float *g;
};

int change_init(struct change **c, const struct model *m, struct err *e);
void change_free(struct change *c); /* NULL is fine */

/* For the batch of `base`, a pass with `keep` that ran forward without dropout and, for a
 * language model, backward to its logits: their error is read from where they were. `base`
 * must outlive the change's use, and read the model's values unmoved. EX_UNAVAILABLE when
 * memory is short. */
int change_batch(struct change *c, const struct pass *base, struct err *e);

/* Chooses what moves: by increasing param, then from, and not overlapping. `move` and its
 * g are read until the next call. */
void change_along(struct change *c, const struct move *move, size_t n);

struct change_result {
	double loss;     /* L(w + s g) - L(w) */
	double absolute; /* mean over sequences or targets of the absolute changes */
};

struct change_result change_by(struct change *c, double s);

/* Additions and multiplications since change_batch, as a multiple of those of a whole
 * forward pass over the batch. */
double change_cost(const struct change *c);

#endif
