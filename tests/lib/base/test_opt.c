#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <setjmp.h>
#include <cmocka.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "base/opt.h"
#include "base/str.h"

/* What a command line gave. */
struct given {
	bool quiet, verbose;
	const char *method, *model;
	struct strlist list;
	int64_t shift;
	uint64_t steps;
	double lr;
	int first, argc;
	char *argv[16];
	struct err e;
};

static int parse(struct given *g, int argc, const char *const *argv)
{
	const struct opt opts[] = {
		{ .type = OPT_GROUP, .help = "What" },
		{ OPT_FLAG, 'q', "quiet", NULL, &g->quiet, NULL, 0, 0, "say nothing" },
		{ OPT_FLAG, 'v', "verbose", NULL, &g->verbose, NULL, 0, 0, "say more" },
		{ OPT_TEXT, 'm', "model", "DIR", &g->model, NULL, 0, 0, "a model" },
		{ OPT_TEXT, 0, "method", "fit|grad", &g->method, "fit|grad", 0, 0, "how" },
		{ OPT_LIST, 'l', "list", "A,B", &g->list, NULL, 0, 0, "a list" },
		{ OPT_INT, 0, "shift", "N", &g->shift, NULL, -5, 5, "an integer" },
		{ OPT_COUNT, 'n', "steps", "N", &g->steps, NULL, 1, 1e6, "a count" },
		{ OPT_REAL, 0, "lr", "X", &g->lr, NULL, 0, 0, "a real" },
		{ .type = OPT_END },
	};
	const struct program p = { "adapeft-x", "Tests options.", "[FILE]", opts };

	*g = (struct given){ .argc = argc };
	for (int i = 0; i < argc; i++)
		g->argv[i] = (char *)(uintptr_t)argv[i];
	return opt_parse(&p, argc, g->argv, &g->first, &g->e);
}

#define PARSE(g, ...)                                                                \
	parse(g, (int)(sizeof(const char *[]){ "x", __VA_ARGS__ } / sizeof(char *)), \
	      (const char *[]){ "x", __VA_ARGS__ })

#define REFUSED(want, ...)                                           \
	do {                                                         \
		struct given g_;                                     \
		assert_int_equal(PARSE(&g_, __VA_ARGS__), EX_USAGE); \
		assert_string_equal(g_.e.text, want);                \
		strlist_free(&g_.list);                              \
	} while (0)

static void values_are_set_in_all_spellings(void **state)
{
	struct given g;

	(void)state;
	assert_int_equal(
	    PARSE(&g, "-m", "dir", "--method=grad", "--lr", "1e-3", "-n12k", "--shift=-5"),
	    EX_OK);
	assert_string_equal(g.model, "dir");
	assert_string_equal(g.method, "grad");
	assert_true(g.lr == 1e-3);
	assert_int_equal(g.steps, 12000);
	assert_int_equal(g.shift, -5);
	assert_int_equal(g.first, g.argc);
}

static void flags_of_one_letter_bundle(void **state)
{
	struct given g;

	(void)state;
	assert_int_equal(PARSE(&g, "-qvn3"), EX_OK);
	assert_true(g.quiet && g.verbose);
	assert_int_equal(g.steps, 3);
	assert_int_equal(PARSE(&g, "-qm", "dir"), EX_OK);
	assert_string_equal(g.model, "dir");
}

static void operands_move_behind_the_options_in_order(void **state)
{
	struct given g;

	(void)state;
	assert_int_equal(PARSE(&g, "a", "-q", "-", "-m", "dir", "b"), EX_OK);
	assert_int_equal(g.argc - g.first, 3);
	assert_string_equal(g.argv[g.first], "a");
	assert_string_equal(g.argv[g.first + 1], "-");
	assert_string_equal(g.argv[g.first + 2], "b");
}

static void two_dashes_end_the_options(void **state)
{
	struct given g;

	(void)state;
	assert_int_equal(PARSE(&g, "a", "--", "-q", "--", "b"), EX_OK);
	assert_false(g.quiet);
	assert_int_equal(g.argc - g.first, 4);
	assert_string_equal(g.argv[g.first], "a");
	assert_string_equal(g.argv[g.first + 1], "-q");
	assert_string_equal(g.argv[g.first + 2], "--");
	assert_string_equal(g.argv[g.first + 3], "b");
}

static void lists_add_up_and_split_at_commas(void **state)
{
	struct given g;

	(void)state;
	assert_int_equal(PARSE(&g, "-l", "a,b", "--list", "c"), EX_OK);
	assert_int_equal(g.list.n, 3);
	assert_string_equal(g.list.s[1], "b");
	assert_string_equal(g.list.s[2], "c");
	strlist_free(&g.list);
}

static void a_value_may_begin_with_a_dash(void **state)
{
	struct given g;

	(void)state;
	assert_int_equal(PARSE(&g, "--lr", "-2", "-m", "-"), EX_OK);
	assert_true(g.lr == -2);
	assert_string_equal(g.model, "-");
}

static void wrong_usage_names_option_value_and_remedy(void **state)
{
	(void)state;
	REFUSED("--stepz: no such option; did you mean --steps?", "--stepz", "3");
	REFUSED("--xyzzyplugh: no such option (see --help)", "--xyzzyplugh");
	REFUSED("-x: no such option (see --help)", "-x");
	REFUSED("-x in '-qx': no such option (see --help)", "-qx");
	REFUSED("--steps: '0' is not a count from 1 to 1000000", "--steps", "0");
	REFUSED("-n: 'many' is not a count from 1 to 1000000", "-n", "many");
	REFUSED("--shift: '6' is not a whole number from -5 to 5", "--shift", "6");
	REFUSED("--shift: '1.5' is not a whole number from -5 to 5", "--shift", "1.5");
	REFUSED("--lr: 'fast' is not a number", "--lr", "fast");
	REFUSED("--lr: 'inf' is not a number", "--lr", "inf");
	REFUSED("--lr: 'nan' is not a number", "--lr=nan");
	REFUSED("--method: 'fi' is none of fit|grad", "--method", "fi");
	REFUSED("--method: 'fit|grad' is none of fit|grad", "--method", "fit|grad");
	REFUSED("--quiet: takes no value, but got 'yes'", "--quiet=yes");
	REFUSED("--model: needs a value, DIR", "--model");
	REFUSED("-m: needs a value, DIR", "-qm");
}

static void beginnings_of_names_are_not_accepted(void **state)
{
	(void)state;
	REFUSED("--verb: no such option; did you mean --verbose?", "--verb");
}

static void an_empty_value_is_a_value(void **state)
{
	struct given g;

	(void)state;
	assert_int_equal(PARSE(&g, "--model="), EX_OK);
	assert_string_equal(g.model, "");
	REFUSED("--lr: '' is not a number", "--lr=");
}

static void help_stands_in_columns_under_headings(void **state)
{
	bool flag;
	const char *text;
	const struct opt opts[] = {
		{ .type = OPT_GROUP, .help = "First" },
		{ OPT_FLAG, 'q', "quiet", NULL, &flag, NULL, 0, 0, "say nothing" },
		{ OPT_TEXT, 0, "out", "FILE", &text, NULL, 0, 0,
		  "a text that is so long that it does not fit on what is left of the "
		  "line" },
		{ .type = OPT_GROUP, .help = "Second" },
		{ OPT_TEXT, 'x', "a-very-long-name", "SOMETHING", &text, NULL, 0, 0,
		  "long" },
		{ .type = OPT_END },
	};
	const struct program p = { "adapeft-x", "Tests options.", "[FILE]", opts };
	static const char want[] = "usage: adapeft-x [OPTION ...] [FILE]\n"
				   "Tests options.\n"
				   "\n"
				   "First:\n"
				   "  -q, --quiet     say nothing\n"
				   "      --out FILE  a text that is so long that it does "
				   "not fit on what is left\n"
				   "                  of the line\n"
				   "\n"
				   "Second:\n"
				   "  -x, --a-very-long-name SOMETHING\n"
				   "                  long\n";
	char *got = NULL;
	size_t len;
	FILE *f = open_memstream(&got, &len);

	(void)state;
	opt_help(&p, f);
	fclose(f);
	assert_string_equal(got, want);
	free(got);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(values_are_set_in_all_spellings),
		cmocka_unit_test(flags_of_one_letter_bundle),
		cmocka_unit_test(operands_move_behind_the_options_in_order),
		cmocka_unit_test(two_dashes_end_the_options),
		cmocka_unit_test(lists_add_up_and_split_at_commas),
		cmocka_unit_test(a_value_may_begin_with_a_dash),
		cmocka_unit_test(wrong_usage_names_option_value_and_remedy),
		cmocka_unit_test(beginnings_of_names_are_not_accepted),
		cmocka_unit_test(an_empty_value_is_a_value),
		cmocka_unit_test(help_stands_in_columns_under_headings),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
