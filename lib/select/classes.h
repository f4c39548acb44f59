/*
 * classes - what can be chosen within a budget, and the exchanges that its relaxation
 * makes.
 *
 * A class is a list of alternatives in increasing order of params and of value, of which
 * one is taken. The first has no parameters: it is nothing, or an entry that has none. A
 * choice makes one class. m entries of equal value and params that belong to no choice make
 * classes of 1, 2, 4, ... copies or nothing, log2(m) + 1 in all, with which every number
 * from 0 to m can be put together.
 *
 * The multiple-choice relaxation, which may take parts of alternatives, goes along the
 * concave hull of each class (Sinha and Zoltners 1979): from one alternative on it to the
 * next is an exchange, and it makes the exchanges of all classes in the order of value per
 * parameter until the budget is spent. Without choices that is Dantzig's order of items.
 */
#ifndef SELECT_CLASSES_H
#define SELECT_CLASSES_H

#include "select/instance.h"

struct alternative {
	int64_t value;   /* of all its copies */
	uint64_t params; /* of all its copies */
	size_t kind;     /* index of the kind's first entry; the others follow it */
	uint32_t copies; /* 0: nothing */
	uint32_t class;
};

/* Of one class, next to each other. */
struct alternatives {
	uint32_t first, n;
};

struct exchange {
	int64_t value;     /* that `to` has more than `from`, above 0 */
	uint64_t params;   /* likewise */
	uint32_t from, to; /* alternatives of one class, neighbours on its hull */
	uint32_t class;
};

struct classes {
	struct alternative *alternatives;
	struct alternatives *c;
	struct exchange *exchanges; /* most value per parameter first, then in the canonical
				     * order of what is put in; those of a class in order */
	size_t n_alternatives, n, n_exchanges;
	size_t most;   /* alternatives in one class */
	int64_t value; /* of the first alternatives of all classes together */
};

/* The entries that are free and have no more than `limit` params. */
int classes_build(struct classes *c, const struct instance *in, uint64_t limit,
		  struct err *e);
void classes_free(struct classes *c);

/* The integer part of the relaxation's optimum. */
int64_t classes_bound(const struct classes *c, uint64_t capacity);

/* Whether all exchanges together fit. */
bool classes_fit(const struct classes *c, uint64_t capacity);

#endif
