/* What the tests of kernels share: every table that this machine can run, test data. */
#ifndef TESTS_TENSOR_TABLES_H
#define TESTS_TENSOR_TABLES_H

#include <math.h>
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <stdlib.h>
#include <string.h>

#include <cmocka.h>

#include "base/mem.h"
#include "base/prng.h"
#include "tensor/blas.h"
#include "tensor/kernels.h"

/* Calls `check` with each table. */
static inline void with_every_table(void (*check)(const struct kernels *k))
{
	static const char *const names[] = { "portable", "avx2", "avx512" };
	size_t found = 0;

	for (size_t i = 0; i < sizeof names / sizeof *names; i++) {
		const struct kernels *k = kernels_pick(names[i]);

		if (k == NULL)
			continue;
		assert_string_equal(kernels_name(k), names[i]);
		check(k);
		found++;
	}
	assert_true(found >= 1);
}

static inline float *floats(size_t n)
{
	float *x = mem_floats(n);

	assert_non_null(x);
	return x;
}

/* n normal numbers, the same for the same seed. */
static inline float *normals(size_t n, uint64_t seed)
{
	struct prng p;
	float *x = floats(n);

	prng_seed(&p, seed, "test");
	for (size_t i = 0; i < n; i++)
		x[i] = (float)prng_normal(&p);
	return x;
}

/* |y - exact| <= absolute + relative |exact| */
#define ASSERT_NEAR(k, y, exact, absolute, relative)                                    \
	do {                                                                            \
		double near_y = (double)(y), near_to = (exact);                         \
		if (!(fabs(near_y - near_to) <= (absolute) + (relative)*fabs(near_to))) \
			fail_msg("%s: %.9g where %.9g was expected", kernels_name(k),   \
				 near_y, near_to);                                      \
	} while (0)

#endif
