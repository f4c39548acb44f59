/*
 * prober - the influence of every group at one step of a training run.
 *
 * Method `fit` evaluates the loss at four points along each group's direction, from the
 * first operation that the group touches; `grad` takes the slope as it is: gain = G.g and
 * ppi = G.g / params. Slopes are exact from the backward pass in both.
 *
 * The step length of a fit, `reach`, is chosen for each group so that the parabola's bend,
 * reach^2/2 |curv|, stands FIT_BEND times above the rounding error of the loss: as short as
 * float arithmetic allows, because the error from the loss not being a parabola grows with
 * its square. Where the four points show that this error is the larger one all the same,
 * the step is shortened to where both are alike, and the group fitted again, several times
 * over. The rounding error is measured at every probed step, by moving a group so little
 * that nothing else is left.
 */
#ifndef INFLUENCE_PROBER_H
#define INFLUENCE_PROBER_H

#include <stddef.h>

#include "base/err.h"
#include "base/progress.h"
#include "influence/estimate.h"
#include "peft/group.h"
#include "train/trainer.h"

#define FIT_BEND 96.0

enum method {
	METHOD_FIT,
	METHOD_HVP,
	METHOD_GGN,
	METHOD_GRAD,
	METHOD_FISHER,
	METHOD_MAGNITUDE,
	METHOD_RANDOM
};

struct prober {
	struct trainer *t;
	const struct partition *part;
	enum method method;
	struct trust_region trust;
	struct pass tail;  /* runs what lies behind a moved group */
	float *directions; /* [largest group] g of the group at hand, member after member */
	float *moved;      /* [largest group] w - eta g */
	double *reach;     /* [groups] step to begin with, 0 before the first fit */
	double rounding;   /* standard deviation of the loss from rounding */
	size_t forwards;   /* forward passes made, tails counted as one */
};

/* The trainer must want every parameter, with gradient terms, and no clipping. */
int prober_init(struct prober *p, struct trainer *t, const struct partition *part,
		enum method method, struct trust_region trust, struct err *e);
void prober_free(struct prober *p);

/* After trainer_gradient (dropout off) and trainer_moments, before trainer_update: the
 * estimate of every group into out[groups]. The model is as before afterwards. `progress`
 * (or NULL) counts groups from `done` on. */
int prober_step(struct prober *p, const struct batch *b, double loss, struct estimate *out,
		struct progress *progress, size_t done, struct err *e);

#endif
