/*
 * sweep - slopes and lengths of all groups in one go over memory.
 *
 * The runs of all groups are cut into pieces that stay in cache while their direction is
 * made and multiplied. The pieces' sums are added up in the order of the groups, so that
 * the result does not depend on the number of threads.
 */
#ifndef INFLUENCE_SWEEP_H
#define INFLUENCE_SWEEP_H

#include <stdbool.h>
#include <stddef.h>

#include "base/err.h"
#include "peft/group.h"
#include "train/trainer.h"

/* What is to be known of a group: G its gradient, g its direction, w its weights. */
struct along {
	double slope;       /* G.g, or of two halves 1/2 (G_A.g_B + G_B.g_A) */
	double noise;       /* 1/2 |G_A.g_A - G_B.g_B|, nan without halves */
	double direction2;  /* |g|^2 */
	double weights2;    /* |w|^2 */
	double weights_abs; /* sum |w| */
	bool zero;          /* the exact gradient is zero */
};

/* The parts of a batch's gradient that its two halves make: the mean losses of the halves
 * have the gradients G_A = of[0] / share[0] and G_B = of[1] / share[1]. */
struct halves {
	struct gradients of[2];
	double share[2]; /* of the samples, both above 0 */
};

struct piece;

struct sweep {
	const struct partition *part;
	struct piece *piece; /* of group after group, member after member */
	size_t n;
};

int sweep_init(struct sweep *s, const struct partition *part, struct err *e);
void sweep_free(struct sweep *s);

/* From t->grad, the moments before the step and, unless NULL, `h`, into out[groups]. */
void sweep_run(const struct sweep *s, const struct trainer *t, const struct halves *h,
	       struct along *out);

/* The direction of n elements of parameter i that t->grad would give. */
void sweep_direction(const struct trainer *t, size_t i, size_t from, size_t n, float *d);

#endif
