/*
 * trainer - the state of a training run, one step at a time.
 *
 * Only the wanted parameters have gradients and memory of their own, and of a parameter
 * that trains in part only those elements have moments, count in the norm, decay and move.
 * A step is
 *
 *     trainer_gradient   loss and gradients of a batch
 *     trainer_moments    AdamW's moments take in the gradient (after clipping)
 *     trainer_update     the wanted parameters move
 *
 * in three calls, so that the probe can look in between.
 */
#ifndef TRAIN_TRAINER_H
#define TRAIN_TRAINER_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#include "base/err.h"
#include "data/dataset.h"
#include "model/model.h"
#include "model/pass.h"
#include "peft/selection.h"

enum direction { DIRECTION_ADAMW, DIRECTION_SGD };

struct trainer_options {
	enum direction direction;
	double beta1, beta2, eps; /* 0.9, 0.999, 1e-8 */
	double weight_decay;      /* decoupled; not for biases and norms, as is usual */
	double clip;              /* largest norm of the whole gradient; 0: none */
	bool dropout;
	uint64_t seed;
	bool want_terms; /* see struct gradients */
};

struct trainer {
	struct model *m;
	struct trainer_options o;
	bool *wanted;          /* [n_params] something of it trains */
	struct selection some; /* what of it */
	struct pass pass;
	struct gradients grad;
	float **moment1, **moment2; /* [n_params] of the elements that train, run after run;
				     * NULL where not wanted, or for SGD */
	uint64_t step;              /* updates made */
	double grad_norm;           /* of the last gradient, before clipping */
	double clip_factor; /* min(1, clip / (grad_norm + 1e-6)): what an update scales
			     * the gradient by; grad.g itself stays as it is */
	float *scratch;     /* as long as the longest run of elements that train */
	uint64_t trained;   /* elements that train */
};

/* Defaults as stated in the comments above. */
struct trainer_options trainer_defaults(void);

/* Whole parameters train, those marked in wanted[n_params]. */
int trainer_init(struct trainer *t, struct model *m, const bool *wanted,
		 const struct trainer_options *o, struct err *e);
/* The elements selected train; `some` is copied. */
int trainer_init_some(struct trainer *t, struct model *m, const struct selection *some,
		      const struct trainer_options *o, struct err *e);
void trainer_free(struct trainer *t);

/* Loss (mean over the batch) and its gradient, in t->grad.g. With dropout the masks are a
 * function of the seed and the step. EX_DATAERR when the loss or the gradient is not finite
 * (the message names the step). */
int trainer_gradient(struct trainer *t, const struct batch *b, double *loss, struct err *e);
/* As above, and the two parts whose sum the gradient is: that of the first `cut` sequences
 * in two[0], that of the others in two[1], for one backward pass. */
int trainer_gradient_cut(struct trainer *t, const struct batch *b, size_t cut,
			 struct gradients two[2], double *loss, struct err *e);
void trainer_moments(struct trainer *t);
void trainer_update(struct trainer *t, double lr);

/* trainer_moments and trainer_update in one sweep over memory, for whoever does not look in
 * between. The gradient is left clipped. */
void trainer_step(struct trainer *t, double lr);

/* The direction g of parameter i, all of which trains, into d[n]: the clipped gradient, or
 * AdamW's preconditioned step divided by lr, without weight decay; call after
 * trainer_moments and before trainer_update. w moves by -lr g. */
void trainer_direction(const struct trainer *t, size_t i, float *d);
/* Its elements from .. from + n alone, into d[n]. */
void trainer_direction_part(const struct trainer *t, size_t i, size_t from, size_t n,
			    float *d);

/* The direction of these elements had their gradient been g[n] (clip does not apply), from
 * the moments before trainer_moments, which stay as they are. d may be g. */
void trainer_direction_along(const struct trainer *t, size_t i, size_t from, size_t n,
			     const float *g, float *d);

#endif
