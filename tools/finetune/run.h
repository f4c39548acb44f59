/*
 * run - one training, from the initial model to the last step.
 */
#ifndef FINETUNE_RUN_H
#define FINETUNE_RUN_H

#include <stdbool.h>
#include <stdint.h>

#include "base/err.h"
#include "base/progress.h"
#include "data/dataset.h"
#include "model/model.h"
#include "peft/selection.h"
#include "train/schedule.h"

/* How every run of a command trains. */
struct recipe {
	uint64_t steps, batch, warmup, seed;
	double lr; /* negative: schedule_lr decides */
	enum schedule schedule;
	double weight_decay, clip;
	bool dropout;
};

struct outcome {
	uint64_t trained, tokens;
	double lr;   /* its largest value */
	double loss; /* mean over the last tenth of the steps, rounded up */
	double seconds;
};

/* Trains the elements selected of `m`. EX_DATAERR when the loss is no longer finite. */
int run_train(const struct recipe *r, struct model *m, const struct selection *some,
	      const struct dataset *d, struct progress *progress, struct outcome *o,
	      struct err *e);

#endif
