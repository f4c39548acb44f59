#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <setjmp.h>
#include <cmocka.h>

#include <stdlib.h>
#include <string.h>
#include <sys/resource.h>
#include <unistd.h>

#include "base/prng.h"
#include "io/file.h"
#include "io/sorter.h"

/* The key alone is compared; `made` says which of equal records came first. */
struct record {
	uint64_t key, made;
};

static int by_key(const void *a, const void *b)
{
	const struct record *x = a, *y = b;

	return (x->key > y->key) - (x->key < y->key);
}

static struct sorter *filled(size_t n, uint64_t keys, size_t bytes)
{
	struct sorter *s;
	struct prng p;

	prng_seed(&p, 3, "sorter");
	assert_int_equal(
	    sorter_open(&s, sizeof(struct record), by_key, bytes, "/tmp", NULL), EX_OK);
	for (size_t i = 0; i < n; i++) {
		struct record r = { prng_below(&p, keys), i };

		assert_int_equal(sorter_add(s, &r, NULL), EX_OK);
	}
	return s;
}

/* All records come, once, in order, equal ones as they were added. */
static void check_order(struct sorter *s, size_t n)
{
	struct record last = { 0 };
	uint64_t made = 0;
	const void *at;

	assert_int_equal(sorter_rewind(s, NULL), EX_OK);
	for (size_t i = 0; i < n; i++) {
		const struct record *r;

		assert_int_equal(sorter_next(s, &at, NULL), EX_OK);
		assert_non_null(at);
		r = at;
		assert_true(i == 0 || last.key < r->key ||
			    (last.key == r->key && last.made < r->made));
		last = *r;
		made += r->made;
	}
	assert_int_equal(made, n == 0 ? 0 : n * (n - 1) / 2);
	assert_int_equal(sorter_next(s, &at, NULL), EX_OK);
	assert_null(at);
}

static void test_sorts_whatever_memory_holds(void **state)
{
	static const size_t counts[] = { 0, 1, 2, 3, 4, 5, 16, 17, 100, 1000, 5000 };
	static const size_t bytes[] = { 0, 100, 1000, 30000, 1000000 };

	(void)state;
	for (size_t i = 0; i < sizeof counts / sizeof *counts; i++)
		for (size_t k = 0; k < sizeof bytes / sizeof *bytes; k++)
			for (uint64_t keys = 1; keys < 100000; keys *= 50) {
				struct sorter *s = filled(counts[i], keys, bytes[k]);

				check_order(s, counts[i]);
				sorter_close(s);
			}
}

static void test_is_read_again_from_the_beginning(void **state)
{
	static const size_t bytes[] = { 0, 2000, 1000000 };

	(void)state;
	for (size_t k = 0; k < sizeof bytes / sizeof *bytes; k++) {
		struct sorter *s = filled(2000, 300, bytes[k]);
		const void *at;

		assert_int_equal(sorter_rewind(s, NULL), EX_OK);
		for (size_t i = 0; i < 700; i++)
			assert_int_equal(sorter_next(s, &at, NULL), EX_OK);
		check_order(s, 2000);
		check_order(s, 2000);
		sorter_close(s);
	}
}

static void test_has_no_file_while_memory_suffices(void **state)
{
	/* 16 bytes a record and 8 to sort it by */
	struct sorter *s = filled(1000, 100, 24000);

	(void)state;
	check_order(s, 1000);
	assert_int_equal(sorter_runs(s), 0);
	sorter_close(s);
	s = filled(1000, 100, 23999);
	check_order(s, 1000);
	assert_int_equal(sorter_runs(s), 2);
	sorter_close(s);
}

/* 4 records in memory, so 4 runs at once: 500 runs, then 125, 32, 8 and 2. */
static void test_many_runs_are_merged_in_levels(void **state)
{
	struct sorter *s = filled(2000, 1000000, 0);

	(void)state;
	check_order(s, 2000);
	assert_int_equal(sorter_runs(s), 500 + 125 + 32 + 8 + 2);
	sorter_close(s);
}

static void test_a_directory_that_is_not_there(void **state)
{
	struct record r = { 0 };
	struct err e = { 0 };
	struct sorter *s;
	int rc = EX_OK;

	(void)state;
	assert_int_equal(sorter_open(&s, sizeof r, by_key, 0, "/nowhere", &e), EX_OK);
	for (int i = 0; i < 10 && rc == EX_OK; i++)
		rc = sorter_add(s, &r, &e);
	assert_int_equal(rc, EX_CANTCREAT);
	assert_non_null(strstr(e.text, "/nowhere: cannot create a temporary file"));
	sorter_close(s);
}

/* A limit on the size of files does what a full disk does. */
static void test_a_disk_that_is_full(void **state)
{
	struct rlimit old, small;
	struct record r = { 0 };
	struct err e = { 0 };
	struct sorter *s;
	int rc = EX_OK;

	(void)state;
	file_clean_on_signals(); /* ignores SIGXFSZ */
	assert_int_equal(getrlimit(RLIMIT_FSIZE, &old), 0);
	small = old;
	small.rlim_cur = 100000;
	assert_int_equal(sorter_open(&s, sizeof r, by_key, 1000, "/tmp", &e), EX_OK);
	assert_int_equal(setrlimit(RLIMIT_FSIZE, &small), 0);
	for (int i = 0; i < 20000 && rc == EX_OK; i++)
		rc = sorter_add(s, &r, &e);
	assert_int_equal(setrlimit(RLIMIT_FSIZE, &old), 0);
	assert_int_equal(rc, EX_IOERR);
	assert_non_null(strstr(e.text, "/tmp: cannot write temporary rows: "));
	sorter_close(s);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(test_sorts_whatever_memory_holds),
		cmocka_unit_test(test_is_read_again_from_the_beginning),
		cmocka_unit_test(test_has_no_file_while_memory_suffices),
		cmocka_unit_test(test_many_runs_are_merged_in_levels),
		cmocka_unit_test(test_a_directory_that_is_not_there),
		cmocka_unit_test(test_a_disk_that_is_full),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
