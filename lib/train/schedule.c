#include "train/schedule.h"

#include <math.h>
#include <stddef.h>
#include <string.h>

static const double PI = 3.14159265358979323846;

bool schedule_named(const char *name, enum schedule *out)
{
	static const char *const names[] = {
		[SCHEDULE_LINEAR] = "linear",
		[SCHEDULE_COSINE] = "cosine",
		[SCHEDULE_CONSTANT] = "constant",
	};

	for (size_t i = 0; i < sizeof names / sizeof names[0]; i++) {
		if (strcmp(names[i], name) == 0) {
			*out = (enum schedule)i;
			return true;
		}
	}
	return false;
}

double schedule_factor(enum schedule s, uint64_t step, uint64_t warmup, uint64_t steps)
{
	double rest;

	if (step < warmup)
		return (double)step / (double)warmup;
	if (s == SCHEDULE_CONSTANT)
		return 1;
	if (step >= steps)
		return 0;
	rest = (double)(steps - step) / (double)(steps - warmup);
	return s == SCHEDULE_LINEAR ? rest : 0.5 * (1 + cos(PI * (1 - rest)));
}

double schedule_sum(enum schedule s, uint64_t warmup, uint64_t steps)
{
	double w = (double)warmup, n = (double)steps;

	if (steps == 0)
		return 0;
	if (warmup >= steps)
		return n * (n - 1) / (2 * w);
	return (warmup > 0 ? (w - 1) / 2 : 0) +
	       (s == SCHEDULE_CONSTANT ? n - w : (n - w + 1) / 2);
}

double schedule_lr(uint64_t trained, uint64_t total)
{
	return fmin(2e-3, 5e-5 * sqrt((double)total / (double)trained));
}
