#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <setjmp.h>
#include <cmocka.h>

#include <float.h>
#include <math.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "base/prng.h"
#include "brute.h"
#include "select/knapsack.h"

static void test_equals_brute_force(void **state)
{
	struct item items[SMALL] = { 0 }, order[SMALL] = { 0 };
	struct prng p;

	(void)state;
	prng_seed(&p, 1, "knapsack");
	for (int trial = 0; trial < 10000; trial++) {
		struct solution s = { 0 };
		struct err e = { 0 };
		size_t n = random_items(&p, items);
		uint64_t total = 1, budget;
		struct best best;
		int rc;

		for (size_t i = 0; i < n; i++)
			total += items[i].params;
		budget = prng_below(&p, total + 3);
		canonical(items, n, order);
		best = brute_force(order, n, budget);
		rc = knapsack_solve(items, n, budget, SOLVER_EXACT, 0, &s, &e);
		assert_int_equal(rc, best.any ? EX_OK : EX_DATAERR);
		if (best.any)
			assert_is(&s, items, order, n, &best);
		solution_free(&s);
	}
}

/* Larger ones against the textbook's table: best[c] within c parameters. */
static void test_equals_dynamic_programming(void **state)
{
	enum { N = 150, CAPACITY = 2000 };
	static double best[CAPACITY + 1];
	struct item items[N];
	struct prng p;

	(void)state;
	prng_seed(&p, 9, "knapsack");
	for (int trial = 0; trial < 100; trial++) {
		uint64_t span = 5 + prng_below(&p, 200), fewest = 0;
		bool alike = trial % 2 == 0;
		struct solution s;

		memset(best, 0, sizeof best);
		for (size_t i = 0; i < N; i++) {
			uint64_t params = 1 + prng_below(&p, span);
			double value =
			    (double)(alike ? params + 5 : 1 + prng_below(&p, span));

			items[i] = (struct item){ "x", params, value, RULE_FREE, NULL };
			for (uint64_t c = CAPACITY; c >= params; c--)
				if (best[c - params] + value > best[c])
					best[c] = best[c - params] + value;
		}
		while (best[fewest] < best[CAPACITY])
			fewest++;
		assert_int_equal(
		    knapsack_solve(items, N, CAPACITY, SOLVER_EXACT, 0, &s, NULL), EX_OK);
		assert_true(s.optimal && s.value == best[CAPACITY]);
		assert_int_equal(s.params, fewest);
		solution_free(&s);
	}
}

static void test_order_of_input_does_not_matter(void **state)
{
	struct item items[SMALL] = { 0 }, other[SMALL];
	struct prng p;

	(void)state;
	prng_seed(&p, 2, "knapsack");
	for (int trial = 0; trial < 2000; trial++) {
		struct solution a = { 0 }, b = { 0 };
		size_t n = random_items(&p, items), at[SMALL];
		uint64_t budget = prng_below(&p, 60);
		enum solver solver = (enum solver)prng_below(&p, 3);
		int rc;

		for (size_t i = 0; i < n; i++)
			at[i] = i;
		prng_shuffle(&p, at, n);
		for (size_t i = 0; i < n; i++)
			other[i] = items[at[i]];
		rc = knapsack_solve(items, n, budget, solver, 0, &a, NULL);
		assert_int_equal(knapsack_solve(other, n, budget, solver, 0, &b, NULL), rc);
		assert_int_equal(a.n, b.n);
		assert_true(a.value == b.value && a.bound == b.bound);
		for (size_t i = 0; i < a.n; i++)
			assert_string_equal(items[a.chosen[i]].name,
					    other[b.chosen[i]].name);
		solution_free(&a);
		solution_free(&b);
	}
}

static void random_hard(struct prng *p, struct item *items, size_t n, uint64_t *total)
{
	*total = 0;
	for (size_t i = 0; i < n; i++) {
		items[i].name = "x";
		items[i].params = 1000 + prng_below(p, 100000);
		items[i].value = (double)items[i].params + 100 * prng_unit(p);
		items[i].rule = RULE_FREE;
		items[i].choice = NULL;
		*total += items[i].params;
	}
}

static void test_capped_search_certifies_its_gap(void **state)
{
	struct item items[60];
	struct prng p;
	size_t capped = 0;

	(void)state;
	prng_seed(&p, 3, "knapsack");
	for (int trial = 0; trial < 60; trial++) {
		struct solution best = { 0 }, s = { 0 }, g = { 0 };
		uint64_t total, budget;
		size_t cap = (size_t)1 << (trial % 12);

		random_hard(&p, items, 60, &total);
		budget = total / 3;
		assert_int_equal(
		    knapsack_solve(items, 60, budget, SOLVER_EXACT, 0, &best, NULL), EX_OK);
		assert_int_equal(
		    knapsack_solve(items, 60, budget, SOLVER_EXACT, cap, &s, NULL), EX_OK);
		assert_int_equal(
		    knapsack_solve(items, 60, budget, SOLVER_GREEDY, 0, &g, NULL), EX_OK);
		assert_true(best.optimal);
		assert_true(s.params <= budget && s.value <= best.value);
		assert_true(s.bound >= best.value);
		assert_true(s.value >= g.value);
		assert_true(s.optimal == (s.gap == 0));
		capped += !s.optimal;
		solution_free(&best);
		solution_free(&s);
		solution_free(&g);
	}
	assert_true(capped > 10);
}

static void test_greedy_skips_and_greedy_stop_ends(void **state)
{
	const struct item items[] = { { "a", 2, 10, RULE_FREE, NULL },
				      { "b", 3, 9, RULE_FREE, NULL },
				      { "c", 1, 1, RULE_FREE, NULL },
				      { "d", 4, 12, RULE_FREE, NULL } };
	struct solution s;

	(void)state;
	/* b and d both have ratio 3; b is smaller and goes first. */
	assert_int_equal(knapsack_solve(items, 4, 6, SOLVER_GREEDY, 0, &s, NULL), EX_OK);
	assert_true(s.value == 20 && s.params == 6 && s.n == 3);
	assert_true(s.bound >= 22 && s.bound < 22.1 && !s.optimal);
	solution_free(&s);
	assert_int_equal(knapsack_solve(items, 4, 6, SOLVER_GREEDY_STOP, 0, &s, NULL),
			 EX_OK);
	assert_true(s.value == 19 && s.params == 5 && s.n == 2);
	solution_free(&s);
	/* a alone is too large. */
	assert_int_equal(knapsack_solve(items, 4, 1, SOLVER_GREEDY_STOP, 0, &s, NULL),
			 EX_OK);
	assert_true(s.n == 0 && s.bound >= 1 && !s.optimal);
	solution_free(&s);
	assert_int_equal(knapsack_solve(items, 4, 1, SOLVER_GREEDY, 0, &s, NULL), EX_OK);
	assert_true(s.n == 1 && s.value == 1 && s.optimal);
	solution_free(&s);
	assert_int_equal(knapsack_solve(items, 4, 6, SOLVER_EXACT, 0, &s, NULL), EX_OK);
	assert_true(s.value == 22 && s.params == 6 && s.n == 2 && s.optimal);
	solution_free(&s);
}

static void test_required_that_do_not_fit_are_refused(void **state)
{
	const struct item items[] = { { "head", 768, 0, RULE_REQUIRED, NULL },
				      { "bias", 2, 1, RULE_FREE, NULL } };
	struct solution s = { 0 };
	struct err e = { 0 };

	(void)state;
	assert_int_equal(knapsack_solve(items, 2, 700, SOLVER_EXACT, 0, &s, &e),
			 EX_DATAERR);
	assert_non_null(strstr(e.text, "68 more than the budget of 700"));
	assert_int_equal(knapsack_solve(items, 2, 769, SOLVER_EXACT, 0, &s, &e), EX_OK);
	assert_int_equal(s.n, 1);
	assert_int_equal(s.chosen[0], 0);
	assert_true(s.optimal && s.value == 0 && s.gap == 0);
	solution_free(&s);
}

static void test_nothing_to_choose(void **state)
{
	const struct item worthless = { "a", 10, 0, RULE_FREE, NULL };
	struct solution s;

	(void)state;
	assert_int_equal(knapsack_solve(NULL, 0, 100, SOLVER_EXACT, 0, &s, NULL), EX_OK);
	assert_true(s.n == 0 && s.optimal && s.gap == 0);
	solution_free(&s);
	assert_int_equal(knapsack_solve(&worthless, 1, 100, SOLVER_EXACT, 0, &s, NULL),
			 EX_OK);
	assert_true(s.n == 0 && s.optimal);
	solution_free(&s);
}

static void test_values_of_any_size(void **state)
{
	struct item items[] = { { "a", 3, 4, RULE_FREE, NULL },
				{ "b", 4, 5, RULE_FREE, NULL },
				{ "c", 2, 3, RULE_FREE, NULL } };
	const double factors[] = { DBL_TRUE_MIN, 1e-300, 1e-20, 1, 1e20, 1e307 };
	struct solution s;
	struct err e = { 0 };

	(void)state;
	for (size_t f = 0; f < sizeof factors / sizeof factors[0]; f++) {
		struct item scaled[3];

		memcpy(scaled, items, sizeof items);
		for (size_t i = 0; i < 3; i++)
			scaled[i].value *= factors[f];
		assert_int_equal(knapsack_solve(scaled, 3, 6, SOLVER_EXACT, 0, &s, &e),
				 EX_OK);
		assert_true(s.optimal && s.n == 2 && s.params == 6);
		assert_true(s.value == scaled[2].value + scaled[1].value);
		solution_free(&s);
	}
	for (size_t i = 0; i < 3; i++)
		items[i].value *= 4e307;
	assert_int_equal(knapsack_solve(items, 3, 9, SOLVER_EXACT, 0, &s, &e), EX_DATAERR);
	items[1].value = NAN;
	assert_int_equal(knapsack_solve(items, 3, 9, SOLVER_EXACT, 0, &s, &e), EX_DATAERR);
	assert_non_null(strstr(e.text, "group b"));
}

static void test_one_huge_value_hides_no_small_one(void **state)
{
	const struct item items[] = { { "huge", 5, 1e300, RULE_FREE, NULL },
				      { "small", 5, 1, RULE_FREE, NULL },
				      { "tiny", 5, 1e-300, RULE_FREE, NULL },
				      { "none", 5, 0, RULE_FREE, NULL } };
	struct solution s;

	(void)state;
	assert_int_equal(knapsack_solve(items, 4, 100, SOLVER_EXACT, 0, &s, NULL), EX_OK);
	assert_true(s.n == 3 && s.params == 15);
	solution_free(&s);
	assert_int_equal(knapsack_solve(items, 4, 9, SOLVER_EXACT, 0, &s, NULL), EX_OK);
	assert_true(s.n == 1 && s.chosen[0] == 0);
	solution_free(&s);
}

static void test_sizes_near_the_limit(void **state)
{
	struct item items[] = { { "a", (uint64_t)1 << 61, 1, RULE_FREE, NULL },
				{ "b", (uint64_t)1 << 60, 1, RULE_FREE, NULL },
				{ "c", (uint64_t)1 << 61, 1, RULE_FREE, NULL } };
	struct solution s;
	struct err e = { 0 };

	(void)state;
	assert_int_equal(knapsack_solve(items, 2, UINT64_MAX, SOLVER_EXACT, 0, &s, &e),
			 EX_OK);
	assert_int_equal(s.n, 2);
	solution_free(&s);
	assert_int_equal(
	    knapsack_solve(items, 2, (uint64_t)1 << 61, SOLVER_EXACT, 0, &s, &e), EX_OK);
	assert_true(s.n == 1 && s.chosen[0] == 1);
	solution_free(&s);
	assert_int_equal(knapsack_solve(items, 3, 10, SOLVER_EXACT, 0, &s, &e), EX_DATAERR);
}

static void test_many_rows_of_equal_size(void **state)
{
	size_t n = 100000, expected = 12345;
	struct item *items = calloc(n, sizeof *items);
	struct solution s, g;
	struct prng p;

	(void)state;
	assert_non_null(items);
	prng_seed(&p, 4, "knapsack");
	for (int same = 0; same < 2; same++) {
		for (size_t i = 0; i < n; i++)
			items[i] = (struct item){ "row", 768, same ? 0.3 : prng_unit(&p),
						  RULE_FREE, NULL };
		assert_int_equal(knapsack_solve(items, n, 768 * expected + 700,
						SOLVER_EXACT, 0, &s, NULL),
				 EX_OK);
		assert_int_equal(knapsack_solve(items, n, 768 * expected + 700,
						SOLVER_GREEDY, 0, &g, NULL),
				 EX_OK);
		assert_true(s.optimal && s.n == expected);
		assert_memory_equal(s.chosen, g.chosen, expected * sizeof *s.chosen);
		solution_free(&s);
		solution_free(&g);
	}
	/* Two sizes and equal ratios: all that fits exactly is optimal. */
	for (size_t i = 0; i < n; i++)
		items[i] = (struct item){ "row", i % 2 ? 384 : 1536, i % 2 ? 1 : 4,
					  RULE_FREE, NULL };
	assert_int_equal(knapsack_solve(items, n, 384 * 77777, SOLVER_EXACT, 0, &s, NULL),
			 EX_OK);
	assert_true(s.optimal && s.params == 384 * 77777);
	solution_free(&s);
	free(items);
}

/* ---- the frontier ---- */

static void test_frontier_equals_brute_force(void **state)
{
	struct item items[SMALL] = { 0 };
	struct prng p;

	(void)state;
	prng_seed(&p, 5, "knapsack");
	for (int trial = 0; trial < 300; trial++) {
		size_t n = random_items(&p, items);

		expect_frontier(items, n);
	}
}

static void test_capped_frontier_is_within_reach(void **state)
{
	struct item items[60];
	struct frontier_point *f;
	struct prng p;
	uint64_t total;
	size_t n_f;
	bool complete;

	(void)state;
	prng_seed(&p, 6, "knapsack");
	random_hard(&p, items, 60, &total);
	assert_int_equal(knapsack_frontier(items, 60, 1000, &f, &n_f, &complete, NULL),
			 EX_OK);
	assert_false(complete);
	assert_int_equal(n_f, 61);
	assert_int_equal(f[60].params, total);
	for (size_t i = 1; i < n_f; i++) {
		struct solution s;

		assert_true(f[i].params > f[i - 1].params && f[i].value > f[i - 1].value);
		assert_int_equal(
		    knapsack_solve(items, 60, f[i].params, SOLVER_EXACT, 0, &s, NULL),
		    EX_OK);
		assert_true(s.value >= f[i].value * (1 - 1e-12));
		solution_free(&s);
	}
	free(f);
}

/* ---- published instances: "n capacity", then "value weight" lines ---- */

static FILE *shared(const char *name)
{
	const char *dir = getenv("ADAPEFT_SHARED");
	char path[4096];

	snprintf(path, sizeof path, "%s/data/knapsack/%s", dir != NULL ? dir : "../shared",
		 name);
	return fopen(path, "r");
}

/* The published optimum, or a negative number when the file is not there. Weights that are
 * no integers (f5) have at most six decimals. */
static double published(const char *set, const char *name, struct solution *s)
{
	char path[256];
	double optimum, capacity, value, weight;
	struct item *items;
	size_t n;
	FILE *f;

	snprintf(path, sizeof path, "%s-optimum/%s", set, name);
	f = shared(path);
	if (f == NULL)
		return -1;
	assert_int_equal(fscanf(f, "%lf", &optimum), 1);
	fclose(f);
	snprintf(path, sizeof path, "%s/%s", set, name);
	f = shared(path);
	assert_non_null(f);
	assert_int_equal(fscanf(f, "%zu %lf", &n, &capacity), 2);
	items = calloc(n, sizeof *items);
	assert_non_null(items);
	for (size_t i = 0; i < n; i++) {
		assert_int_equal(fscanf(f, "%lf %lf", &value, &weight), 2);
		items[i] = (struct item){ "", (uint64_t)llround(weight * 1e6), value,
					  RULE_FREE, NULL };
	}
	fclose(f);
	assert_int_equal(knapsack_solve(items, n, (uint64_t)llround(capacity * 1e6),
					SOLVER_EXACT, 0, s, NULL),
			 EX_OK);
	free(items);
	return optimum;
}

static void test_published_optima(void **state)
{
	static const char *const small[] = { "f1_l-d_kp_10_269", "f2_l-d_kp_20_878",
					     "f3_l-d_kp_4_20",   "f4_l-d_kp_4_11",
					     "f5_l-d_kp_15_375", "f6_l-d_kp_10_60",
					     "f7_l-d_kp_7_50",   "f8_l-d_kp_23_10000",
					     "f9_l-d_kp_5_80",   "f10_l-d_kp_20_879" };
	static const int sizes[] = { 100, 200, 500, 1000, 2000, 5000, 10000 };
	struct solution s = { 0 };
	char name[64];

	(void)state;
	for (size_t i = 0; i < sizeof small / sizeof small[0]; i++) {
		double optimum = published("low-dimensional", small[i], &s);

		if (optimum < 0) {
			print_message(
			    "skip: the published instances are not here; "
			    "ADAPEFT_SHARED names the directory with data/knapsack\n");
			skip();
		}
		/* f5's optimum is published with four decimals. */
		assert_true(s.optimal && fabs(s.value - optimum) < 1e-3);
		solution_free(&s);
	}
	for (int kind = 1; kind <= 3; kind++)
		for (size_t i = 0; i < sizeof sizes / sizeof sizes[0]; i++) {
			snprintf(name, sizeof name, "knapPI_%d_%d_1000_1", kind, sizes[i]);
			assert_true(published("large_scale", name, &s) == s.value);
			assert_true(s.optimal);
			solution_free(&s);
		}
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(test_equals_brute_force),
		cmocka_unit_test(test_equals_dynamic_programming),
		cmocka_unit_test(test_order_of_input_does_not_matter),
		cmocka_unit_test(test_capped_search_certifies_its_gap),
		cmocka_unit_test(test_greedy_skips_and_greedy_stop_ends),
		cmocka_unit_test(test_required_that_do_not_fit_are_refused),
		cmocka_unit_test(test_nothing_to_choose),
		cmocka_unit_test(test_values_of_any_size),
		cmocka_unit_test(test_one_huge_value_hides_no_small_one),
		cmocka_unit_test(test_sizes_near_the_limit),
		cmocka_unit_test(test_many_rows_of_equal_size),
		cmocka_unit_test(test_frontier_equals_brute_force),
		cmocka_unit_test(test_capped_frontier_is_within_reach),
		cmocka_unit_test(test_published_optima),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
