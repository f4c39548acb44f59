/*
 * instance - a knapsack in integers, in its canonical order.
 *
 * What the solvers share: values scaled to integers, items that can never be chosen left
 * out, items that are in every solution set apart, the rest in the order in which a greedy
 * choice takes them. The order is a function of the items, not of their place in the input.
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
	size_t item; /* index of the caller's item */
	bool fixed;  /* in every solution: required, or of value without parameters */
};

struct instance {
	struct entry
	    *entries; /* most value per parameter first, then fewer params, then name */
	size_t n;
	uint64_t fixed_params;
	int64_t fixed_value;
	int scale; /* value = llrint(v 2^scale) */
};

/* EX_DATAERR when a value or the sum of values is not finite, or when there are 2^62
 * parameters or more. */
int instance_build(struct instance *in, const struct item *items, size_t n, struct err *e);
void instance_free(struct instance *in);

/* Whether an entry can be chosen or not within `capacity`, the budget less fixed_params. */
bool entry_free(const struct entry *x, uint64_t capacity);

/* Dantzig's bound: the integer part of the LP relaxation's optimum over free entries. */
int64_t instance_dantzig(const struct instance *in, uint64_t capacity);

/*
 * Some copies of one kind: entries of equal value and params, which only their names tell
 * apart. m entries of a kind become parts of 1, 2, 4, ... copies, log2(m) + 1 in all, with
 * which every number from 0 to m can be put together.
 */
struct part {
	int64_t value;   /* of all its copies */
	uint64_t params; /* of all its copies */
	size_t kind;     /* index of the kind's first entry; the others follow it */
	size_t copies;
};

/* The parts of the free entries, in canonical order, for the caller to free. */
int instance_parts(const struct instance *in, uint64_t capacity, struct part **parts,
		   size_t *n, struct err *e);

#endif
