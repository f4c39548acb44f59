#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <setjmp.h>
#include <cmocka.h>
#include <stdlib.h>
#include <string.h>

#include "base/str.h"

static void a_buffer_grows_and_is_cleared(void **state)
{
	struct strbuf b = { 0 };

	(void)state;
	for (int i = 0; i < 100; i++)
		strbuf_printf(&b, "%d,", i);
	strbuf_add(&b, "ab", 1);
	assert_false(b.failed);
	assert_int_equal(b.len, 291);
	assert_int_equal(strlen(b.s), 291);
	assert_memory_equal(b.s, "0,1,2,", 6);
	assert_string_equal(b.s + 284, "98,99,a");
	strbuf_clear(&b);
	assert_string_equal(b.s, "");
	strbuf_puts(&b, "x");
	assert_string_equal(b.s, "x");
	strbuf_free(&b);
	assert_null(b.s);
}

static void after_a_failure_additions_do_nothing(void **state)
{
	struct strbuf b = { 0 };

	(void)state;
	strbuf_puts(&b, "x");
	strbuf_add(&b, "y", SIZE_MAX - 1);
	assert_true(b.failed);
	strbuf_puts(&b, "z");
	assert_true(b.failed);
	assert_string_equal(b.s, "x");
	strbuf_free(&b);
}

static void splitting_keeps_empty_parts(void **state)
{
	struct strlist l = { 0 };

	(void)state;
	assert_int_equal(strlist_split(&l, ",a,,b", ',', NULL), EX_OK);
	assert_int_equal(l.n, 4);
	assert_string_equal(l.s[0], "");
	assert_string_equal(l.s[1], "a");
	assert_string_equal(l.s[2], "");
	assert_string_equal(l.s[3], "b");
	assert_int_equal(strlist_split(&l, "", ',', NULL), EX_OK);
	assert_int_equal(l.n, 5);
	assert_string_equal(l.s[4], "");
	assert_true(strlist_has(&l, "b") && strlist_has(&l, ""));
	assert_false(strlist_has(&l, "c"));
	strlist_free(&l);
	assert_int_equal(l.n, 0);
}

static void beginnings_and_ends(void **state)
{
	(void)state;
	assert_true(str_starts("adapeft", "ada"));
	assert_false(str_starts("ad", "ada"));
	assert_true(str_ends("x.gz", ".gz"));
	assert_false(str_ends("gz", ".gz"));
	assert_true(str_ends("x", ""));
}

static void globs_match_whole_names(void **state)
{
	(void)state;
	assert_true(str_glob("*.LayerNorm.*", "encoder.0.LayerNorm.bias"));
	assert_false(str_glob("LayerNorm", "encoder.0.LayerNorm.bias"));
	assert_true(str_glob("*", ".hidden/a"));
	assert_true(str_glob("layer.[0-3].?", "layer.2.x"));
	assert_false(str_glob("layer.[0-3].?", "layer.4.x"));
}

static void near_misses_come_nearest_first(void **state)
{
	static const char *const names[] = { "weight", "epochs", "steps", "step", "lr" };
	struct strbuf b = { 0 };

	(void)state;
	str_near("stepz", names, 5, &b);
	assert_string_equal(b.s, "steps, step");
	strbuf_clear(&b);
	str_near("qqqqqqqqq", names, 5, &b);
	assert_string_equal(b.s, "");
	strbuf_free(&b);
}

static void at_most_three_near_misses(void **state)
{
	static const char *const names[] = { "ab", "ac", "ad", "ae", "aa" };
	struct strbuf b = { 0 };

	(void)state;
	str_near("aa", names, 5, &b);
	assert_string_equal(b.s, "aa, ab, ac");
	strbuf_free(&b);
}

static void copies_are_whole(void **state)
{
	char *a = str_dup("abc"), *b = str_dupn("abc", 2), *c = str_printf("%s-%d", "x", 5);

	(void)state;
	assert_string_equal(a, "abc");
	assert_string_equal(b, "ab");
	assert_string_equal(c, "x-5");
	free(a);
	free(b);
	free(c);
}

static void words_survive_percent_coding(void **state)
{
	struct strbuf b = { 0 };
	char bad[] = "a%2", nul[] = "a%00b";

	(void)state;
	strbuf_percent(&b, "a b,c=d%e\t\xc3\xa9.*");
	assert_string_equal(b.s, "a%20b%2Cc%3Dd%25e%09%C3%A9.*");
	assert_true(str_unpercent(b.s));
	assert_string_equal(b.s, "a b,c=d%e\t\xc3\xa9.*");
	assert_false(str_unpercent(bad));
	assert_false(str_unpercent(nul));
	strbuf_free(&b);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(a_buffer_grows_and_is_cleared),
		cmocka_unit_test(after_a_failure_additions_do_nothing),
		cmocka_unit_test(splitting_keeps_empty_parts),
		cmocka_unit_test(beginnings_and_ends),
		cmocka_unit_test(globs_match_whole_names),
		cmocka_unit_test(near_misses_come_nearest_first),
		cmocka_unit_test(at_most_three_near_misses),
		cmocka_unit_test(words_survive_percent_coding),
		cmocka_unit_test(copies_are_whole),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
