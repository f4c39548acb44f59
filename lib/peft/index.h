/*
 * index - numbers by name: a hash table of strings that stay the caller's.
 */
#ifndef PEFT_INDEX_H
#define PEFT_INDEX_H

#include <stddef.h>

#include "base/err.h"

/* {0} is an empty one. */
struct index {
	struct index_slot {
		const char *name; /* NULL: free */
		size_t value;
	} * slot;
	size_t slots, n; /* slots: 0 or a power of two */
};

/* Of a name that is there already the first number stays. `name` must outlive the index. */
int index_add(struct index *x, const char *name, size_t value, struct err *e);
/* SIZE_MAX when it is not there. */
size_t index_find(const struct index *x, const char *name);
void index_free(struct index *x);

#endif
