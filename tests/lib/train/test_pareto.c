#include <math.h>
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>

#include <cmocka.h>

#include "train/pareto.h"

static void what_costs_more_and_scores_less_is_dominated(void **state)
{
	struct pareto_point p[] = {
		{ .name = "full", .cost = 1000, .score = 0.90 },
		{ .name = "1pct", .cost = 10, .score = 0.85 },
		{ .name = "2pct", .cost = 20, .score = 0.84 },
	};

	(void)state;
	pareto_mark(p, 3);
	assert_true(p[0].on_frontier && p[1].on_frontier);
	assert_int_equal(p[0].by, SIZE_MAX);
	assert_false(p[2].on_frontier);
	assert_int_equal(p[2].by, 1);
}

static void equals_do_not_dominate_each_other(void **state)
{
	struct pareto_point p[] = {
		{ .name = "a", .cost = 10, .score = 0.8 },
		{ .name = "b", .cost = 10, .score = 0.8 },
	};

	(void)state;
	pareto_mark(p, 2);
	assert_true(p[0].on_frontier && p[1].on_frontier);
}

static void one_strict_difference_is_enough(void **state)
{
	struct pareto_point p[] = {
		{ .name = "cheap", .cost = 10, .score = 0.8 },
		{ .name = "dear", .cost = 11, .score = 0.8 },
		{ .name = "worse", .cost = 10, .score = 0.7 },
	};

	(void)state;
	pareto_mark(p, 3);
	assert_int_equal(p[1].by, 0);
	assert_int_equal(p[2].by, 0);
}

static void the_best_witness_is_named(void **state)
{
	struct pareto_point p[] = {
		{ .name = "loser", .cost = 100, .score = 0.5 },
		{ .name = "good", .cost = 10, .score = 0.8 },
		{ .name = "best", .cost = 50, .score = 0.9 },
		{ .name = "best too, cheaper", .cost = 40, .score = 0.9 },
		{ .name = "as cheap, sorts first", .cost = 40, .score = 0.9 },
	};

	(void)state;
	pareto_mark(p, 5);
	assert_int_equal(p[0].by, 4);
	assert_int_equal(p[2].by, 4);
}

static void a_score_that_is_no_number_is_never_on_the_frontier(void **state)
{
	struct pareto_point p[] = {
		{ .name = "nan", .cost = 1, .score = NAN },
		{ .name = "number", .cost = 10, .score = -5 },
	};

	(void)state;
	pareto_mark(p, 2);
	assert_false(p[0].on_frontier);
	assert_int_equal(p[0].by, 1);
	assert_true(p[1].on_frontier);
	pareto_mark(p, 1);
	assert_false(p[0].on_frontier);
	assert_int_equal(p[0].by, SIZE_MAX);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(what_costs_more_and_scores_less_is_dominated),
		cmocka_unit_test(equals_do_not_dominate_each_other),
		cmocka_unit_test(one_strict_difference_is_enough),
		cmocka_unit_test(the_best_witness_is_named),
		cmocka_unit_test(a_score_that_is_no_number_is_never_on_the_frontier),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
