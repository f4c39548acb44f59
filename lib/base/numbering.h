/*
 * numbering - numbers for names: 0, 1, 2, ... in the order in which they were met.
 */
#ifndef BASE_NUMBERING_H
#define BASE_NUMBERING_H

#include <stddef.h>
#include <stdint.h>

#include "base/err.h"
#include "base/str.h"

/* {0} is an empty one. */
struct numbering {
	struct strlist names; /* names.s[i] is the name of number i */
	uint32_t *slots;      /* open addressing: 1 + number, 0 empty */
	size_t n_slots;       /* a power of two */
};

/* The number of a name, a new one when it was not there. */
int numbering_put(struct numbering *x, const char *name, size_t *at, struct err *e);
/* The number of a name, or SIZE_MAX. */
size_t numbering_find(const struct numbering *x, const char *name);
void numbering_free(struct numbering *x);

#endif
