#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <setjmp.h>
#include <cmocka.h>

#include <stdio.h>

#include "base/numbering.h"

static void test_numbers_follow_the_order_of_names(void **state)
{
	struct numbering x = { 0 };
	char name[16];
	size_t at;

	(void)state;
	assert_true(numbering_find(&x, "n0") == SIZE_MAX);
	for (size_t round = 0; round < 2; round++) {
		for (size_t i = 0; i < 5000; i++) {
			snprintf(name, sizeof name, "n%zu", i);
			assert_int_equal(numbering_put(&x, name, &at, NULL), EX_OK);
			assert_int_equal(at, i);
		}
	}
	assert_int_equal(x.names.n, 5000);
	assert_string_equal(x.names.s[4999], "n4999");
	assert_int_equal(numbering_find(&x, "n1234"), 1234);
	assert_true(numbering_find(&x, "n5000") == SIZE_MAX);
	numbering_free(&x);
}

static void test_an_empty_name_is_a_name(void **state)
{
	struct numbering x = { 0 };
	size_t at = 7;

	(void)state;
	assert_int_equal(numbering_put(&x, "", &at, NULL), EX_OK);
	assert_int_equal(at, 0);
	assert_int_equal(numbering_find(&x, ""), 0);
	numbering_free(&x);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(test_numbers_follow_the_order_of_names),
		cmocka_unit_test(test_an_empty_name_is_a_name),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
