/*
 * prober - the influence of every group at one step of a training run.
 *
 *     method      slope   curv              gain, ppi
 *     fit         G.g     of a parabola     estimate.h
 *     hvp         G.g     g'Hg              estimate.h
 *     ggn         G.g     g'(GGN)g          estimate.h
 *     grad        G.g     -                 G.g, G.g / params
 *     fisher      G.g     -                 sum over the group of mean_n (dL_n/dw)^2, its
 *                                           mean (curvature.h)
 *     magnitude   G.g     -                 sum |w|, mean |w|
 *     random      G.g     -                 ppi uniform in 0..1, a function of the seed and
 *                                           the group's name alone; gain = ppi params
 *
 * Slopes are exact from the backward pass, whatever the method. `grad` and `fisher` gain
 * nothing where the gradient is exactly zero, and `grad` nothing where the slope is not
 * above zero; `magnitude` and `random` know no gradient and are always ok.
 *
 * G.g of one batch is too large by the variance of G, which is in both factors: where noise
 * prevails, the largest groups seem the best. With `halves`, the default of the program,
 * the first half of the batch's sequences, A, and the second, B, have gradients G_h each,
 * and directions g_h that these would give, and
 *
 *     slope = 1/2 (G_A.g_B + G_B.g_A)
 *     noise = 1/2 |G_A.g_A - G_B.g_B|
 *
 * at the cost of no further pass. (A batch of one sequence has no halves: its slope is
 * G.g.) The slope is that of the whole batch's G and g, less what is noise in both; G and g
 * themselves, and so curv, tau and the training, stay the whole batch's. `noise` is to the
 * first order in the halves' difference, which is in G and in g, the standard error of G.g
 * as one split of the batch shows it. (The difference of the cross products would miss it:
 * it is of the second order, and of plain gradients it is 0.)
 *
 * Method fit (fit.h) evaluates the loss at four points along each group's direction, from
 * the first operation that the group touches.
 */
#ifndef INFLUENCE_PROBER_H
#define INFLUENCE_PROBER_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#include "base/err.h"
#include "base/progress.h"
#include "influence/curvature.h"
#include "influence/estimate.h"
#include "influence/sweep.h"
#include "model/change.h"
#include "model/jet.h"
#include "peft/group.h"
#include "train/trainer.h"

enum method {
	METHOD_FIT,
	METHOD_HVP,
	METHOD_GGN,
	METHOD_GRAD,
	METHOD_FISHER,
	METHOD_MAGNITUDE,
	METHOD_RANDOM
};

struct prober_options {
	enum method method;
	struct trust_region trust;
	bool halves;    /* slopes from half batches */
	bool matrix;    /* fill prober.matrix, whatever the method */
	unsigned draws; /* of ggn and the matrix; 0: as curvature_draws says */
	uint64_t seed;
	/* Of each step the batches first_shard .. first_shard + shards - 1 are probed, from
	 * 1; shards 0 is 1. */
	size_t first_shard, shards;
};

struct prober {
	struct trainer *t;
	const struct partition *part;
	struct prober_options o;
	struct sweep sweep;
	struct along *along;  /* [groups] of the last step */
	struct halves halves; /* the last gradient's, with o.halves */
	bool halved;          /* has the last batch halves? */
	double *matrix;       /* [groups x groups] g_k'(GGN)g_l of the last step, or NULL */
	struct curvature *curvature; /* of ggn, fisher and the matrix */
	struct jet *jet;             /* of hvp */
	float *moving;   /* hvp: [largest group's tensors] zeros but for what moves */
	const float **v; /* hvp: [n_params] */
	double *curv;    /* [groups] of ggn */
	double *traces;  /* [groups] of fisher */
	/* Made so far: gradients of batches; jets; curvatures of all groups at once. */
	size_t gradients, jets, curvatures;

	/* fit.c */
	struct change *change;
	struct move *move; /* [most members of a group] */
	float *directions; /* [largest group] g of the group at hand, member after member */
	double *reaches;   /* [shards x groups] */
	double *reach;     /* [groups], of the shard at hand: step to begin with, 0 before
			    * the first fit */
	double lean;       /* absolute change over slope of this step's last fit, or 0 */
	size_t forwards;   /* passes made, from what moves on */
	double cost;       /* what they cost, in whole forward passes */
};

/* The trainer must want every parameter, with gradient terms, and no clipping; its pass
 * retains errors from now on where a method needs them. EX_UNAVAILABLE when memory is
 * short. */
int prober_init(struct prober *p, struct trainer *t, const struct partition *part,
		const struct prober_options *o, struct err *e);
void prober_free(struct prober *p);

/* Loss and gradient of a batch, as trainer_gradient gives them, and those of its halves
 * where they are wanted. */
int prober_gradient(struct prober *p, const struct batch *b, double *loss, struct err *e);

/* After prober_gradient without dropout, and before the moments take the gradient in: the
 * estimate of every group, along the direction that this gradient would give, into
 * out[groups]. Model and moments are as before afterwards. `shard` is one of o.first_shard
 * ..; what a fit keeps from step to step is kept for each. `progress` (or NULL) counts
 * groups from `done` on. */
int prober_step(struct prober *p, size_t shard, double loss, struct estimate *out,
		struct progress *progress, size_t done, struct err *e);

#endif
