/*
 * training - how long a training is, and its learning rate: options that mean the same in
 * every program that trains.
 */
#ifndef TOOLS_TRAINING_H
#define TOOLS_TRAINING_H

#include <stdint.h>

#include "base/err.h"
#include "base/opt.h"
#include "train/schedule.h"

struct training_options {
	uint64_t epochs; /* 0: not said */
	uint64_t steps;  /* 0: not said */
	double lr;       /* negative: not said */
	double warmup;   /* a fraction below 1, or steps */
	double weight_decay;
	const char *schedule_name;
	enum schedule schedule; /* set by training_check */
};

#define TRAINING_EPOCHS 3 /* when neither epochs nor steps are said */
/* clang-format off */
#define TRAINING_INIT                                                                   \
	{ .lr = -1, .warmup = 0.06, .weight_decay = 0.01, .schedule_name = "linear" }

/* `unsaid` tells the learning rate that is used when none is said. */
#define TRAINING_RATE(t, unsaid)                                                        \
	{ OPT_REAL, 0, "lr", "X", &(t).lr, NULL, 0, 1e3,                                \
	  "largest learning rate (" unsaid ")" },                                       \
	{ OPT_TEXT, 0, "schedule", "NAME", &(t).schedule_name,                          \
	  "linear|cosine|constant", 0, 0,                                               \
	  "of the learning rate after the warm-up (linear)" },                          \
	{ OPT_REAL, 0, "warmup", "X", &(t).warmup, NULL, 0, 1e12,                       \
	  "steps of warm-up, or a fraction of the training (0.06)" },                   \
	{ OPT_REAL, 0, "weight-decay", "X", &(t).weight_decay, NULL, 0, 1e3,            \
	  "decoupled, of all but biases and norms (0.01)" }
/* clang-format on */

/* EX_USAGE when what was said makes no sense. */
int training_check(struct training_options *t, struct err *e);

/* Steps of the epochs that were said, for `n` examples in batches of `batch`. */
uint64_t training_steps(const struct training_options *t, uint64_t n, uint64_t batch);

/* Steps of warm-up in a training of `steps`, a fraction rounded down. */
uint64_t training_warmup(const struct training_options *t, uint64_t steps);

#endif
