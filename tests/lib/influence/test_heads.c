#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <setjmp.h>
#include <cmocka.h>

#include <stdio.h>
#include <string.h>

#include "influence/heads.h"
#include "influence/shards.h"

/* Lines "KEY VALUE" of a head; a stream ends with "" and all of them with NULL. */
static int merge(const char *const *lines, struct meta_list *out, struct strlist *differ,
		 struct err *e)
{
	struct heads *h;
	int rc = heads_start(&h, e);

	for (int n = 1; *lines != NULL && rc == EX_OK; n++, lines++) {
		struct meta_list head = { 0 };
		char name[16];

		snprintf(name, sizeof name, "%d.ppi", n);
		for (; **lines != '\0'; lines++) {
			char key[16];
			const char *value = strchr(*lines, ' ') + 1;

			snprintf(key, sizeof key, "%.*s", (int)(value - *lines - 1),
				 *lines);
			assert_int_equal(meta_add(&head, key, value, NULL), EX_OK);
		}
		rc = heads_add(h, name, &head, differ, e);
		meta_free(&head);
	}
	if (rc == EX_OK)
		rc = heads_merge(h, out, e);
	heads_free(h);
	return rc;
}

/* Merges, and compares with lines "KEY VALUE" of which a NULL is the last. */
static void check(const char *const *lines, const char *const *want)
{
	struct meta_list out = { 0 };
	struct strlist differ = { 0 };
	char line[256];

	assert_int_equal(merge(lines, &out, &differ, NULL), EX_OK);
	for (size_t i = 0; i < out.n; i++) {
		assert_non_null(want[i]);
		snprintf(line, sizeof line, "%s %s", out.m[i].key, out.m[i].value);
		assert_string_equal(line, want[i]);
	}
	assert_null(want[out.n]);
	meta_free(&out);
	strlist_free(&differ);
}

static void refuse(const char *const *lines, const char *why)
{
	struct meta_list out = { 0 };
	struct strlist differ = { 0 };
	struct err e = { 0 };

	assert_int_equal(merge(lines, &out, &differ, &e), EX_DATAERR);
	assert_non_null(strstr(e.text, why));
	meta_free(&out);
	strlist_free(&differ);
}

static void test_ranges_of_shards_join(void **state)
{
	struct shard_set s = { 0 };
	struct strbuf text = { 0 };

	(void)state;
	assert_int_equal(shard_set_add(&s, "9/10", NULL), EX_OK);
	assert_int_equal(shard_set_add(&s, "1-3/10", NULL), EX_OK);
	assert_int_equal(shard_set_add(&s, "5,7/10", NULL), EX_OK);
	assert_int_equal(shard_set_add(&s, "2-4/10", NULL), EX_OK);
	shard_set_print(&s, &text);
	assert_string_equal(text.s, "1-5,7,9/10");
	strbuf_free(&text);
	assert_int_equal(shard_set_add(&s, "6-10/10", NULL), EX_OK);
	shard_set_print(&s, &text);
	assert_string_equal(text.s, "1-10/10");
	strbuf_free(&text);
	assert_int_equal(shard_set_add(&s, "1/9", NULL), EX_DATAERR);
	shard_set_free(&s);
}

static void test_malformed_shards_are_refused(void **state)
{
	static const char *const bad[] = {
		"",     "1",     "/",     "0/2",
		"3/2",  "1-3/2", "2-1/2", "-1/2",
		"1/2 ", " 1/2",  "1/-2",  "1/0",
		"1-/2", "1,/2",  ",1/2",  "1/4294967296",
		"x/2",  "1/2/2", "nan/2", "9223372036854775808/2",
		"+1/2", "1.0/2", "1/2-2", "99999999999999999999/1"
	};

	(void)state;
	for (size_t i = 0; i < sizeof bad / sizeof *bad; i++) {
		struct shard_set s = { 0 };

		assert_int_equal(shard_set_add(&s, bad[i], NULL), EX_DATAERR);
		assert_int_equal(s.n, 0);
		shard_set_free(&s);
	}
}

static void test_shards_have_one_command(void **state)
{
	static const char *const lines[] = {
		"pg adapeft-probe 1 -m m --shard 2/3 -d 'a b.tsv' -o 2.ppi "
		"--interactions 2.pairs",
		"",
		"pg adapeft-probe 1 -m m --shard=3/3 -d 'a b.tsv' --output=3.ppi "
		"--interactions=3.pairs",
		"",
		"pg adapeft-probe 1 -m m --shard 1/3 -d 'a b.tsv' '-omy file'",
		"",
		NULL
	};
	static const char *const whole[] = {
		"pg adapeft-probe 1 -m m --shard 1-3/3 -d 'a b.tsv' --output all.ppi", "",
		NULL
	};
	static const char *const want[] = {
		"pg adapeft-probe 1 -m m --shard 1-3/3 -d 'a b.tsv'", NULL
	};

	(void)state;
	check(lines, want);
	check(whole, want);
}

static void test_an_output_may_be_bundled_with_flags(void **state)
{
	static const char *const lines[] = { "pg adapeft-probe 1 -qo 1.ppi --shard 1/2", "",
					     "pg adapeft-probe 1 -qo2.ppi --shard 2/2", "",
					     NULL };
	static const char *const want[] = { "pg adapeft-probe 1 -q --shard 1-2/2", NULL };

	(void)state;
	check(lines, want);
}

static void test_commands_that_differ_otherwise_stay_apart(void **state)
{
	static const char *const lines[] = { "pg adapeft-probe 1 --lr 2 --shard 1/2",
					     "",
					     "pg adapeft-probe 1 --lr 1 --shard 2/2",
					     "",
					     "pg adapeft-probe 1 -o x",
					     "",
					     "pg adapeft-probe 1 --shard one -o x",
					     "",
					     "pg adapeft-probe 1 --shard",
					     "",
					     NULL };
	static const char *const want[] = { "pg adapeft-probe 1 --lr 1 --shard 2/2",
					    "pg adapeft-probe 1 --lr 2 --shard 1/2",
					    "pg adapeft-probe 1 --shard",
					    "pg adapeft-probe 1 --shard one -o x",
					    "pg adapeft-probe 1 -o x",
					    NULL };

	(void)state;
	check(lines, want);
}

static void test_lineage_is_oldest_first_in_any_order_of_files(void **state)
{
	static const char *const one[] = { "pg z", "pg b", "",     "pg y", "pg a", "",
					   "pg y", "pg b", "pg c", "",     NULL };
	static const char *const other[] = { "pg y", "pg b", "pg c", "", "pg z", "pg b",
					     "",     "pg y", "pg a", "", NULL };
	static const char *const want[] = { "pg y", "pg z", "pg a", "pg b", "pg c", NULL };

	(void)state;
	check(one, want);
	check(other, want);
}

static void test_lineages_that_contradict_have_an_order_too(void **state)
{
	static const char *const one[] = { "pg a", "pg b", "", "pg b", "pg a", "", NULL };
	static const char *const other[] = { "pg b", "pg a", "", "pg a", "pg b", "", NULL };
	static const char *const want[] = { "pg a", "pg b", NULL };

	(void)state;
	check(one, want);
	check(other, want);
}

static void test_probe_lines_of_shards_are_one(void **state)
{
	static const char *const lines[] = { "probe method=ggn shard=4-5/5 seed=0", "",
					     "probe method=ggn shard=1/5 seed=0", "",
					     NULL };
	static const char *const want[] = { "probe method=ggn shard=1,4-5/5 seed=0", NULL };
	struct meta_list out = { 0 };
	struct strlist differ = { 0 };

	(void)state;
	check(lines, want);
	assert_int_equal(merge(lines, &out, &differ, NULL), EX_OK);
	assert_int_equal(differ.n, 0);
	meta_free(&out);
}

static void test_runs_in_other_numbers_of_shards_are_refused(void **state)
{
	static const char *const lines[] = { "probe shard=1/2", "", "probe shard=1/5", "",
					     NULL };
	static const char *const bad[] = { "probe method=fit shard=0/5", "", NULL };

	(void)state;
	refuse(lines, "2.ppi: of a run in 5 shards, but the files before it of one in 2");
	refuse(bad, "1.ppi: its ##probe line: shards '0/5'");
}

static void test_what_differs_and_may_is_told(void **state)
{
	static const char *const lines[] = { "task sst2", "probe method=fit",  "",
					     "task cola", "probe method=grad", "",
					     NULL };
	struct meta_list out = { 0 };
	struct strlist differ = { 0 };

	(void)state;
	assert_int_equal(merge(lines, &out, &differ, NULL), EX_OK);
	assert_int_equal(differ.n, 2);
	assert_string_equal(differ.s[0], "task");
	assert_string_equal(differ.s[1], "probe");
	assert_int_equal(out.n, 4);
	meta_free(&out);
	strlist_free(&differ);
}

static void test_shards_that_were_probed_otherwise_are_refused(void **state)
{
	static const char *const lines[] = { "probe method=ggn shard=1/2 lr=1", "",
					     "probe method=hvp shard=2/2 lr=1 draws=3", "",
					     NULL };
	static const char *const whole[] = { "probe method=ggn lr=1", "",
					     "probe method=hvp shard=2/2 lr=1", "", NULL };
	struct meta_list out = { 0 };
	struct strlist differ = { 0 };

	(void)state;
	refuse(lines, "2.ppi: shards of different runs: method=hvp draws=3, but the files "
		      "before have method=ggn no draws=");
	assert_int_equal(merge(whole, &out, &differ, NULL), EX_OK);
	assert_int_equal(differ.n, 1);
	meta_free(&out);
	strlist_free(&differ);
}

static void test_a_model_is_known_by_its_digest(void **state)
{
	static const char *const lines[] = { "model z/m\tsha256=12", "",
					     "model a/m\tsha256=12", "", NULL };
	static const char *const want[] = { "model a/m\tsha256=12", NULL };
	static const char *const other[] = { "model m\tsha256=12", "", "model m\tsha256=13",
					     "", NULL };

	(void)state;
	check(lines, want);
	refuse(other, "2.ppi: probed on another model");
}

/* The first rule that matches wins. */
static void test_the_order_of_rules_counts(void **state)
{
	static const char *const same[] = { "groups file", "group *\tx", "group a\ty", "",
					    "groups file", "group *\tx", "group a\ty", "",
					    NULL };
	static const char *const want[] = { "groups file", "group *\tx", "group a\ty",
					    NULL };
	static const char *const other[] = { "groups file", "group *\tx", "group a\ty", "",
					     "groups file", "group a\ty", "group *\tx", "",
					     NULL };
	static const char *const fewer[] = { "groups tensor", "", "pg x", "", NULL };

	(void)state;
	check(same, want);
	refuse(other, "2.ppi: divides the model into other groups");
	refuse(fewer, "2.ppi: divides the model into other groups");
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(test_ranges_of_shards_join),
		cmocka_unit_test(test_malformed_shards_are_refused),
		cmocka_unit_test(test_shards_have_one_command),
		cmocka_unit_test(test_an_output_may_be_bundled_with_flags),
		cmocka_unit_test(test_commands_that_differ_otherwise_stay_apart),
		cmocka_unit_test(test_lineage_is_oldest_first_in_any_order_of_files),
		cmocka_unit_test(test_lineages_that_contradict_have_an_order_too),
		cmocka_unit_test(test_probe_lines_of_shards_are_one),
		cmocka_unit_test(test_runs_in_other_numbers_of_shards_are_refused),
		cmocka_unit_test(test_what_differs_and_may_is_told),
		cmocka_unit_test(test_shards_that_were_probed_otherwise_are_refused),
		cmocka_unit_test(test_a_model_is_known_by_its_digest),
		cmocka_unit_test(test_the_order_of_rules_counts),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
