/*
 * point - a trained model and how well it did.
 */
#ifndef EVALUATE_POINT_H
#define EVALUATE_POINT_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>
#include <stdio.h>

#include "base/err.h"
#include "base/str.h"
#include "cli.h"
#include "io/stream.h"

struct point {
	char *run, *budget, *dir;
	uint64_t trained;
	double percent; /* of all parameters; nan until the model was seen */
	double score, loss;
	size_t n; /* examples */
	bool on_frontier;
	size_t by; /* index of the point that dominates it, SIZE_MAX */
};

struct points {
	struct point *p;
	size_t n, cap;
	struct meta_list origin; /* ##task of the first input, every ##pg once */
	char *metric;
};

/* Adds what an operand names: a model directory, or a run stream ("-": stdin) with its
 * models. A stream that was edited gets a note. */
int points_add(struct points *ps, const struct cli *cli, const char *operand,
	       struct err *e);
void points_free(struct points *ps);

/* Fills on_frontier and by. */
int points_mark(struct points *ps, struct err *e);

/* Notes on stderr masks that score worse than smaller ones by more than the standard error.
 */
void points_note_descents(const struct points *ps, const struct cli *cli);

/* Writes the point stream; with `frontier` only what is on it, by increasing trained. */
int points_write(const struct points *ps, const struct cli *cli, FILE *out, bool frontier,
		 struct err *e);

#endif
