/*
 * schedule - the learning rate over the steps of a run, as transformers defines it.
 *
 * With S steps, W of them warm-up and t = 0, 1, ..., S-1, the factor on lr is t/W for
 * t < W, and then 1 (constant), (S-t)/(S-W) (linear), or
 * (1 + cos(pi (t-W)/(S-W)))/2 (cosine).
 */
#ifndef TRAIN_SCHEDULE_H
#define TRAIN_SCHEDULE_H

#include <stdbool.h>
#include <stdint.h>

enum schedule { SCHEDULE_LINEAR, SCHEDULE_COSINE, SCHEDULE_CONSTANT };

bool schedule_named(const char *name, enum schedule *out);
double schedule_factor(enum schedule s, uint64_t step, uint64_t warmup, uint64_t steps);
/* The sum of the factors of all steps. */
double schedule_sum(enum schedule s, uint64_t warmup, uint64_t steps);

/* The learning rate when none is said: min(2e-3, 5e-5 sqrt(total / trained)), for `trained`
 * of `total` parameters. The fewer move, the farther each one may. */
double schedule_lr(uint64_t trained, uint64_t total);

#endif
