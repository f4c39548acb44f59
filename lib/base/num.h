/*
 * num - numbers as text: strict parsing, shortest printing, budgets.
 */
#ifndef BASE_NUM_H
#define BASE_NUM_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#define NUM_MAX 32 /* bytes that a printed number needs, NUL included */

/* Prints x with the fewest significant digits that read back to the same
 * double ("0.1", "1e-05", "nan", "inf", "-inf"); returns the length. */
size_t num_print(char out[NUM_MAX], double x);

/* The whole of `s` as a number; false when it is anything else. Numbers are
 * always read and printed in the C locale (programs never call setlocale). */
bool num_real(const char *s, double *out);
bool num_int(const char *s, int64_t *out);

/* A count with an optional suffix k, M or G (thousands): "12000", "12k",
 * "1.5M". Not negative; rounded down. */
bool num_count(const char *s, uint64_t *out);

/* A budget: a count, or "1%" of `total`, rounded down. */
bool num_budget(const char *s, uint64_t total, uint64_t *out);

#endif
