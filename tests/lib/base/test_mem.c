#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <setjmp.h>
#include <cmocka.h>
#include <stdlib.h>

#include "base/mem.h"

static void products_that_overflow_are_refused(void **state)
{
	size_t n = 7;

	(void)state;
	assert_true(mem_mul(3, 5, &n));
	assert_int_equal(n, 15);
	assert_false(mem_mul(SIZE_MAX / 2, 3, &n));
	assert_null(mem_zeros(SIZE_MAX / 2, 3));
	assert_null(mem_floats(SIZE_MAX / 2));
}

static void nothing_asked_gives_a_pointer_to_free(void **state)
{
	void *p = mem_zeros(0, 8);
	float *f = mem_floats(0);

	(void)state;
	assert_non_null(p);
	assert_non_null(f);
	free(p);
	free(f);
}

static void floats_are_aligned(void **state)
{
	(void)state;
	for (size_t n = 1; n < 40; n += 13) {
		float *f = mem_floats(n);

		assert_non_null(f);
		assert_int_equal((uintptr_t)f % MEM_ALIGN, 0);
		f[n - 1] = 1;
		free(f);
	}
}

static void growth_keeps_what_was_there_and_zeroes_the_rest(void **state)
{
	int *a = NULL;
	size_t cap = 0;

	(void)state;
	for (int i = 0; i < 1000; i++) {
		assert_int_equal(mem_grow(&a, &cap, (size_t)i + 1, sizeof *a, NULL), EX_OK);
		assert_true(cap > (size_t)i);
		assert_int_equal(a[i], 0);
		a[i] = i;
	}
	for (int i = 0; i < 1000; i++)
		assert_int_equal(a[i], i);
	free(a);
}

static void impossible_growth_changes_nothing(void **state)
{
	int *a = NULL, *before;
	size_t cap = 0;
	struct err e = { 0 };

	(void)state;
	assert_int_equal(mem_grow(&a, &cap, 4, sizeof *a, &e), EX_OK);
	before = a;
	assert_int_equal(mem_grow(&a, &cap, SIZE_MAX, sizeof *a, &e), EX_UNAVAILABLE);
	assert_int_equal(mem_grow(&a, &cap, SIZE_MAX / 8, sizeof *a, &e), EX_UNAVAILABLE);
	assert_ptr_equal(a, before);
	assert_int_equal(cap, 16);
	free(a);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(products_that_overflow_are_refused),
		cmocka_unit_test(nothing_asked_gives_a_pointer_to_free),
		cmocka_unit_test(floats_are_aligned),
		cmocka_unit_test(growth_keeps_what_was_there_and_zeroes_the_rest),
		cmocka_unit_test(impossible_growth_changes_nothing),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
