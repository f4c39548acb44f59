/*
 * change_impl - what the two halves of change.h share: change.c decides what is run,
 * change_ops.c runs it.
 */
#ifndef MODEL_CHANGE_IMPL_H
#define MODEL_CHANGE_IMPL_H

#include "model/change.h"
#include "model/pass_impl.h"

/* How a slot answers to the step s. */
enum motion { STILL, LINEAR, BENT };

struct change {
	const struct model *m;
	const struct pass *base;
	struct pass room;     /* shared buffers, of changes */
	enum motion *motion;  /* [n_slots] */
	bool *read;           /* [n_slots] a LINEAR one that a BENT one is made of */
	int *unit;            /* [n_slots] which of `units` has the change at s = 1 */
	struct floats *units; /* [n_slots] */
	size_t used;          /* of units */
	size_t first;         /* operation that something moves at */
	const struct move *move;
	size_t moves;
	struct floats sum[2]; /* inputs as they have moved */
	struct floats row[2]; /* along what a norm's scale and shift move */
	double whole, done;   /* operations of a forward pass; since change_batch */
};

/* The moves of a parameter, -1 for none; *n of them. */
const struct move *change_moves(const struct change *c, int param, size_t *n);
bool change_moved(const struct change *c, int param);

/* Floats of a slot. */
size_t change_size(const struct change *c, int slot);
/* Additions and multiplications of an operation of a forward pass, about. */
double change_work(const struct change *c, const struct op *op);

/* The change of an operation's output into y, for step s. */
void change_run(struct change *c, const struct op *op, double s, float *y);

#endif
