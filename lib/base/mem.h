/*
 * mem - allocation with overflow checks.
 *
 * Everything allocated here is released with free(). Functions return NULL (or
 * EX_UNAVAILABLE) when memory is short or count * size does not fit a size_t.
 */
#ifndef BASE_MEM_H
#define BASE_MEM_H

#include <stdbool.h>
#include <stddef.h>

#include "base/err.h"

#define MEM_ALIGN 64 /* bytes: a cache line, and the widest vector register */

/* count * size into *out; false on overflow. */
bool mem_mul(size_t count, size_t size, size_t *out);

/* `count` zeroed elements of `size` bytes. A count of 0 gives a valid pointer. */
void *mem_zeros(size_t count, size_t size);

/* `count` floats aligned to MEM_ALIGN, not initialised. */
float *mem_floats(size_t count);

/* Makes room for at least `need` elements in *array (capacity *cap, both 0 at
 * first), doubling. New elements are zeroed. On failure nothing changes. */
int mem_grow(void *array, size_t *cap, size_t need, size_t size, struct err *e);

#endif
