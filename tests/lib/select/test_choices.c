#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <setjmp.h>
#include <cmocka.h>

#include <math.h>
#include <stdlib.h>
#include <string.h>

#include "base/prng.h"
#include "brute.h"
#include "select/knapsack.h"

static const char *const choices[] = { "p", "q", "r", "s" };

static const enum solver solvers[] = { SOLVER_EXACT, SOLVER_GREEDY, SOLVER_GREEDY_STOP };

/* Up to 10 of them, two thirds of which are in one of few choices. */
static size_t random_rivals(struct prng *p, struct item *items)
{
	size_t n = random_items(p, items), kinds = 1 + prng_below(p, 4);

	n = n > 10 ? 10 : n;
	for (size_t i = 0; i < n; i++)
		if (prng_below(p, 3) > 0)
			items[i].choice = choices[prng_below(p, kinds)];
	return n;
}

static uint64_t random_budget(struct prng *p, const struct item *items, size_t n)
{
	uint64_t total = 3;

	for (size_t i = 0; i < n; i++)
		total += items[i].params;
	return prng_below(p, total);
}

static bool two_required(const struct item *items, size_t n)
{
	for (size_t i = 0; i < n; i++)
		for (size_t j = 0; j < i; j++)
			if (rivals(&items[i], &items[j]) &&
			    items[i].rule == RULE_REQUIRED &&
			    items[j].rule == RULE_REQUIRED)
				return true;
	return false;
}

static void assert_allowed(const struct solution *s, const struct item *items,
			   uint64_t budget)
{
	uint64_t params = 0;
	double value = 0;

	for (size_t i = 0; i < s->n; i++) {
		const struct item *x = &items[s->chosen[i]];

		params += x->params;
		value += x->value;
		for (size_t j = 0; j < i; j++)
			assert_false(rivals(x, &items[s->chosen[j]]));
	}
	assert_int_equal(s->params, params);
	assert_true(s->value == value && params <= budget);
}

static void test_equals_brute_force(void **state)
{
	struct item items[SMALL] = { 0 }, order[SMALL] = { 0 };
	struct prng p;

	(void)state;
	prng_seed(&p, 1, "choices");
	for (int trial = 0; trial < 20000; trial++) {
		struct solution s = { 0 };
		size_t n = random_rivals(&p, items);
		uint64_t budget = random_budget(&p, items, n);
		struct best best;
		int rc;

		canonical(items, n, order);
		best = brute_force(order, n, budget);
		rc = knapsack_solve(items, n, budget, SOLVER_EXACT, 0, &s, NULL);
		if (two_required(items, n)) {
			assert_int_equal(rc, EX_USAGE);
			continue;
		}
		assert_int_equal(rc, best.any ? EX_OK : EX_DATAERR);
		if (best.any) {
			assert_is(&s, items, order, n, &best);
			assert_allowed(&s, items, budget);
		}
		solution_free(&s);
	}
}

/* A capped search, too, and never is it worse than greedy. */
static void test_bounds_hold(void **state)
{
	struct item items[SMALL] = { 0 }, order[SMALL] = { 0 };
	size_t capped = 0, missed = 0;
	struct prng p;

	(void)state;
	prng_seed(&p, 2, "choices");
	for (int trial = 0; trial < 5000; trial++) {
		size_t n = random_rivals(&p, items);
		uint64_t budget = random_budget(&p, items, n);
		struct solution s[3] = { { 0 } };
		struct best best;

		canonical(items, n, order);
		best = brute_force(order, n, budget);
		if (!best.any)
			continue;
		for (size_t i = 0; i < 3; i++) {
			assert_int_equal(knapsack_solve(items, n, budget, solvers[i],
							1 + prng_below(&p, 20), &s[i],
							NULL),
					 EX_OK);
			assert_allowed(&s[i], items, budget);
			assert_true(s[i].value <= best.value);
			assert_true(s[i].bound >= best.value);
			assert_true(!s[i].optimal || s[i].value == best.value);
		}
		assert_true(s[0].value >= s[1].value);
		capped += !s[0].optimal;
		missed += s[1].value < best.value;
		for (size_t i = 0; i < 3; i++)
			solution_free(&s[i]);
	}
	assert_true(capped > 10 && missed > 10);
}

static void test_frontier_equals_brute_force(void **state)
{
	struct item items[SMALL] = { 0 };
	struct prng p;

	(void)state;
	prng_seed(&p, 3, "choices");
	for (int trial = 0; trial < 1000; trial++) {
		size_t n = random_rivals(&p, items);

		if (!two_required(items, n))
			expect_frontier(items, n);
	}
}

static void test_order_of_input_does_not_matter(void **state)
{
	struct item items[SMALL] = { 0 }, other[SMALL];
	struct prng p;

	(void)state;
	prng_seed(&p, 4, "choices");
	for (int trial = 0; trial < 3000; trial++) {
		struct solution a = { 0 }, b = { 0 };
		size_t n = random_rivals(&p, items), at[SMALL];
		size_t cap = prng_below(&p, 30);
		uint64_t budget = random_budget(&p, items, n);
		enum solver solver = solvers[prng_below(&p, 3)];
		int rc;

		for (size_t i = 0; i < n; i++)
			at[i] = i;
		prng_shuffle(&p, at, n);
		for (size_t i = 0; i < n; i++)
			other[i] = items[at[i]];
		rc = knapsack_solve(items, n, budget, solver, cap, &a, NULL);
		assert_int_equal(knapsack_solve(other, n, budget, solver, cap, &b, NULL),
				 rc);
		assert_int_equal(a.n, b.n);
		assert_true(a.value == b.value && a.bound == b.bound);
		for (size_t i = 0; i < a.n; i++)
			assert_string_equal(items[a.chosen[i]].name,
					    other[b.chosen[i]].name);
		solution_free(&a);
		solution_free(&b);
	}
}

/* ---- larger ones against the textbook's table ---- */

enum { CLASSES = 200, EACH = 4, CAPACITY = 3000 };

static struct item classed[CLASSES * EACH];
static char class_name[CLASSES][8];

/* Alternatives of growing size and mostly growing value. */
static void random_classes(struct prng *p, uint64_t span)
{
	for (size_t c = 0; c < CLASSES; c++) {
		uint64_t params = 0;
		double value = 0;

		class_name[c][0] = (char)('a' + c / 26);
		class_name[c][1] = (char)('a' + c % 26);
		for (size_t i = 0; i < EACH; i++) {
			params += 1 + prng_below(p, span);
			value = 1 + floor(value / 4) + (double)prng_below(p, 3 * span);
			classed[c * EACH + i] = (struct item){ letters[i], params, value,
							       RULE_FREE, class_name[c] };
		}
	}
}

/* best[c]: the most value within c parameters. */
static void fill_table(double best[CAPACITY + 1])
{
	for (size_t c = 0; c <= CAPACITY; c++)
		best[c] = 0;
	for (size_t k = 0; k < CLASSES; k++)
		for (size_t c = CAPACITY + 1; c-- > 0;) {
			double most = best[c];

			for (size_t i = k * EACH; i < (k + 1) * EACH; i++) {
				const struct item *x = &classed[i];

				if (x->params > c)
					continue;
				if (best[c - x->params] + x->value > most)
					most = best[c - x->params] + x->value;
			}
			best[c] = most;
		}
}

static void test_equals_dynamic_programming(void **state)
{
	static double best[CAPACITY + 1];
	struct prng p;

	(void)state;
	prng_seed(&p, 5, "choices");
	for (int trial = 0; trial < 20; trial++) {
		random_classes(&p, 2 + prng_below(&p, 60));
		fill_table(best);
		for (uint64_t budget = 7; budget <= CAPACITY; budget += 499) {
			struct solution s;
			uint64_t fewest = 0;

			while (best[fewest] < best[budget])
				fewest++;
			assert_int_equal(knapsack_solve(classed, CLASSES * EACH, budget,
							SOLVER_EXACT, 0, &s, NULL),
					 EX_OK);
			assert_allowed(&s, classed, budget);
			assert_true(s.optimal && s.value == best[budget]);
			assert_int_equal(s.params, fewest);
			solution_free(&s);
		}
	}
}

static void test_frontier_equals_dynamic_programming(void **state)
{
	static double best[CAPACITY + 1];
	struct frontier_point *f;
	struct prng p;
	size_t n_f;
	bool complete;

	(void)state;
	prng_seed(&p, 6, "choices");
	random_classes(&p, 20);
	fill_table(best);
	assert_int_equal(
	    knapsack_frontier(classed, CLASSES * EACH, 0, &f, &n_f, &complete, NULL),
	    EX_OK);
	assert_true(complete);
	for (size_t i = 0, c = 0; i < n_f && f[i].params <= CAPACITY; i++) {
		for (; c < f[i].params; c++)
			assert_true(i > 0 && best[c] == f[i - 1].value);
		assert_true(best[c] == f[i].value);
	}
	assert_true(f[n_f - 1].params > CAPACITY);
	free(f);
}

static void test_capped_frontier_is_within_reach(void **state)
{
	struct frontier_point *f;
	struct prng p;
	size_t n_f;
	bool complete;

	(void)state;
	prng_seed(&p, 7, "choices");
	random_classes(&p, 1000000);
	assert_int_equal(
	    knapsack_frontier(classed, CLASSES * EACH, 100, &f, &n_f, &complete, NULL),
	    EX_OK);
	assert_false(complete);
	assert_true(n_f > CLASSES && f[0].params == 0);
	for (size_t i = 1; i < n_f; i += 20) {
		struct solution s;

		assert_true(f[i].params > f[i - 1].params && f[i].value > f[i - 1].value);
		assert_int_equal(knapsack_solve(classed, CLASSES * EACH, f[i].params,
						SOLVER_EXACT, 0, &s, NULL),
				 EX_OK);
		assert_true(s.optimal && s.value >= f[i].value);
		solution_free(&s);
	}
	free(f);
}

/* As many pairs of matrices as a large model has, of ranks 1, 2, 4 and 8 and few sizes. */
static void test_ranks_of_a_thousand_modules(void **state)
{
	enum { MODULES = 1000, RANKS = 4 };
	static const uint64_t width[] = { 2048, 3072, 5120 };
	static struct item items[MODULES * RANKS];
	static char name[MODULES][8];
	struct prng p;

	(void)state;
	prng_seed(&p, 8, "choices");
	for (size_t m = 0; m < MODULES; m++) {
		double value = exp(2 * prng_normal(&p));

		memcpy(name[m], "m000", 5);
		for (size_t i = 3, left = m; i > 0; i--, left /= 10)
			name[m][i] = (char)('0' + left % 10);
		for (size_t i = 0; i < RANKS; i++, value *= 1 + 0.8 * prng_unit(&p))
			items[m * RANKS + i] = (struct item){ letters[i], width[m % 3] << i,
							      value, RULE_FREE, name[m] };
	}
	for (uint64_t budget = 10000; budget < 40000000; budget = budget * 3 + 1234) {
		struct solution s, g;

		assert_int_equal(knapsack_solve(items, MODULES * RANKS, budget,
						SOLVER_EXACT, 0, &s, NULL),
				 EX_OK);
		assert_int_equal(knapsack_solve(items, MODULES * RANKS, budget,
						SOLVER_GREEDY, 0, &g, NULL),
				 EX_OK);
		assert_allowed(&s, items, budget);
		assert_allowed(&g, items, budget);
		assert_true(s.optimal && s.value >= g.value);
		assert_true(g.bound >= s.value && g.value > 0.8 * s.value);
		solution_free(&s);
		solution_free(&g);
	}
}

/* ---- by hand ---- */

static void test_greedy_exchanges_along_the_hull(void **state)
{
	/* Per parameter: w2 10, v 6; to w8 from w2 25 / 6; w4 lies below the hull. */
	const struct item items[] = { { "w2", 2, 20, RULE_FREE, "w" },
				      { "w4", 4, 24, RULE_FREE, "w" },
				      { "w8", 8, 45, RULE_FREE, "w" },
				      { "v", 3, 18, RULE_FREE, NULL },
				      { "u", 1, 1, RULE_FREE, NULL } };
	static const struct {
		enum solver solver;
		uint64_t budget;
		double value;
	} cases[] = {
		{ SOLVER_GREEDY, 5, 38 },      { SOLVER_GREEDY, 10, 39 },
		{ SOLVER_GREEDY, 11, 63 },     { SOLVER_GREEDY, 12, 64 },
		{ SOLVER_GREEDY_STOP, 5, 38 }, { SOLVER_GREEDY_STOP, 10, 38 },
		{ SOLVER_GREEDY_STOP, 4, 20 }, { SOLVER_EXACT, 10, 46 },
		{ SOLVER_GREEDY, 7, 42 },      { SOLVER_GREEDY_STOP, 7, 38 },
		{ SOLVER_GREEDY, 1, 1 },       { SOLVER_GREEDY_STOP, 1, 0 },
	};
	struct solution s;

	(void)state;
	for (size_t i = 0; i < sizeof cases / sizeof cases[0]; i++) {
		assert_int_equal(
		    knapsack_solve(items, 5, cases[i].budget, cases[i].solver, 0, &s, NULL),
		    EX_OK);
		assert_allowed(&s, items, cases[i].budget);
		assert_true(s.value == cases[i].value);
		solution_free(&s);
	}
}

static void test_requiring_one_excludes_its_rivals(void **state)
{
	struct item items[] = { { "w2", 2, 20, RULE_FREE, "w" },
				{ "w4", 4, -1, RULE_REQUIRED, "w" },
				{ "w8", 0, 45, RULE_FREE, "w" },
				{ "v", 3, 18, RULE_FREE, NULL } };
	struct solution s;
	struct err e = { 0 };

	(void)state;
	for (size_t i = 0; i < 3; i++) {
		assert_int_equal(knapsack_solve(items, 4, 100, solvers[i], 0, &s, NULL),
				 EX_OK);
		assert_true(s.n == 2 && s.value == 17 && s.params == 7 && s.optimal);
		solution_free(&s);
	}
	items[0].rule = RULE_REQUIRED;
	assert_int_equal(knapsack_solve(items, 4, 100, SOLVER_EXACT, 0, &s, &e), EX_USAGE);
	assert_non_null(strstr(e.text, "groups w2 and w4 are alternatives (choice w)"));
	items[0].rule = RULE_FREE;
	items[1].rule = RULE_FORBIDDEN;
	assert_int_equal(knapsack_solve(items, 4, 100, SOLVER_EXACT, 0, &s, NULL), EX_OK);
	assert_true(s.n == 2 && s.value == 63);
	solution_free(&s);
}

static void test_an_alternative_without_parameters_gives_way(void **state)
{
	const struct item items[] = { { "none", 0, 5, RULE_FREE, "w" },
				      { "nil", 0, 4, RULE_FREE, "w" },
				      { "some", 2, 6, RULE_FREE, "w" },
				      { "more", 9, 50, RULE_FREE, "w" },
				      { "v", 2, 3, RULE_FREE, NULL } };
	static const double value[] = { 5, 5, 8, 8, 9 };
	struct solution s;

	(void)state;
	for (uint64_t budget = 0; budget < 5; budget++) {
		assert_int_equal(
		    knapsack_solve(items, 5, budget, SOLVER_EXACT, 0, &s, NULL), EX_OK);
		assert_true(s.optimal && s.value == value[budget]);
		solution_free(&s);
	}
	assert_int_equal(knapsack_solve(items, 5, 9, SOLVER_EXACT, 0, &s, NULL), EX_OK);
	assert_true(s.n == 1 && s.value == 50);
	solution_free(&s);
}

/* Equal in all but their names, in and out of choices: the first names win. */
static void test_names_settle_ties(void **state)
{
	const struct item items[] = {
		{ "f", 3, 7, RULE_FREE, "y" },  { "c", 3, 7, RULE_FREE, "z" },
		{ "e", 3, 7, RULE_FREE, NULL }, { "b", 3, 7, RULE_FREE, "z" },
		{ "a", 3, 7, RULE_FREE, "y" },  { "d", 3, 7, RULE_FREE, NULL },
	};
	static const char *const first[] = { "a", "b", "d", "e" };
	struct solution s;

	(void)state;
	for (uint64_t budget = 0; budget < 15; budget++) {
		size_t n = budget / 3 < 4 ? budget / 3 : 4;

		assert_int_equal(
		    knapsack_solve(items, 6, budget, SOLVER_EXACT, 0, &s, NULL), EX_OK);
		assert_int_equal(s.n, n);
		for (size_t i = 0; i < n; i++)
			assert_string_equal(items[s.chosen[i]].name, first[i]);
		solution_free(&s);
	}
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(test_equals_brute_force),
		cmocka_unit_test(test_bounds_hold),
		cmocka_unit_test(test_frontier_equals_brute_force),
		cmocka_unit_test(test_order_of_input_does_not_matter),
		cmocka_unit_test(test_equals_dynamic_programming),
		cmocka_unit_test(test_frontier_equals_dynamic_programming),
		cmocka_unit_test(test_capped_frontier_is_within_reach),
		cmocka_unit_test(test_ranks_of_a_thousand_modules),
		cmocka_unit_test(test_greedy_exchanges_along_the_hull),
		cmocka_unit_test(test_requiring_one_excludes_its_rivals),
		cmocka_unit_test(test_an_alternative_without_parameters_gives_way),
		cmocka_unit_test(test_names_settle_ties),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
