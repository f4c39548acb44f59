/*
 * regroup_private - what regroup.c shares with regroup_noise.c and regroup_tree.c.
 */
#ifndef INFLUENCE_REGROUP_PRIVATE_H
#define INFLUENCE_REGROUP_PRIVATE_H

#include <stdbool.h>
#include <stdint.h>

#include "base/numbering.h"
#include "influence/regroup.h"
#include "influence/split.h"

/* ppi of a member at a step, mean over shards; 0 when rejected. */
struct point {
	size_t step; /* 0, 1, ... among those that were probed */
	double x;
	double z; /* without the step's factor; nan: the step says nothing */
};

struct unit {
	size_t group;     /* number of the old group */
	const char *name; /* its name: TENSOR[row] when row >= 0 */
	size_t tensor;    /* bytes of TENSOR */
	int64_t row;
	uint64_t params;
	bool apart; /* one of alternatives */
	struct point *point;
	size_t points, counted;
	double mean;   /* of x */
	double level;  /* mean of z over the steps counted */
	double x, w;   /* as split.h has them */
	uint32_t part; /* within its tensor */
};

/* Fills mean, level, x and w; the units are sorted by tensor and row. `steps`: in all. */
int regroup_measure(struct unit *u, size_t n, size_t steps, struct err *e);

enum division { BY_TENSORS, BY_MODULES, BY_RULES };

struct tree {
	enum division by;
	bool complete; /* every parameter of the model is in a unit */
	struct split_cost cost;
	struct numbering *names; /* of new groups */
	size_t *of;              /* [old groups] new group */
	struct regrouped *to;    /* rules, whole */
};

/* Divides the units, sorted by tensor and row, anew. */
int regroup_divide(const struct tree *t, struct unit *u, size_t n, struct err *e);
/* Old groups by level; their rules under the new names. */
int regroup_levels(const struct tree *t, struct unit *u, size_t n, struct err *e);

#endif
