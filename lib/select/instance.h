/*
 * instance - a knapsack in integers, in its canonical order.
 *
 * What the solvers share: values scaled to integers, items that can never be chosen left
 * out, items that are in every solution set apart, the rest in the canonical order. The
 * order is a function of the items, not of their place in the input.
 */
#ifndef SELECT_INSTANCE_H
#define SELECT_INSTANCE_H

#include "select/knapsack.h"

/* Products of a value and a number of parameters. */
__extension__ typedef __int128 wide;

struct entry {
	int64_t value;
	uint64_t params;
	const char *name;
	size_t item;     /* index of the caller's item */
	uint32_t choice; /* from 1: that of its rivals; 0: it has none */
	bool fixed;      /* in every solution: required, or of value without parameters */
};

struct instance {
	struct entry
	    *entries; /* most value per parameter first, then fewer params, then name */
	size_t n;
	size_t *rivals; /* entries with a choice, by choice; increasing in params and value:
			 * one that another is as good as for no more params is left out */
	size_t n_rivals;
	uint64_t fixed_params;
	int64_t fixed_value;
	int scale; /* value = llrint(v 2^scale) */
};

/* EX_USAGE when two items of one choice are required; EX_DATAERR when a value or the sum of
 * values is not finite, or when there are 2^62 parameters or 2^31 items or more. */
int instance_build(struct instance *in, const struct item *items, size_t n, struct err *e);
void instance_free(struct instance *in);

#endif
