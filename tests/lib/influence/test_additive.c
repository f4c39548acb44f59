#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <setjmp.h>
#include <cmocka.h>

#include <math.h>
#include <stdio.h>
#include <string.h>

#include "base/prng.h"
#include "influence/additive.h"
#include "influence/quadratic.h"

#define N 40

static int add(struct interaction_table *x, const char *a, const char *b, double curv,
	       double joint, int64_t steps, struct err *e)
{
	const struct interaction_row row = { a,  b,   curv, 1,     1,    10,
					     10, 0.5, 0.5,  joint, steps };

	return interaction_table_add(x, &row, e);
}

/* Two groups of slope 1 and curvature 1: alone each gains 1/2. */
static void two_groups(struct interaction_table *x, double curv)
{
	assert_int_equal(add(x, "a", "a", 1, 0.5, 3, NULL), EX_OK);
	assert_int_equal(add(x, "a", "b", curv, 77, 3, NULL), EX_OK);
	assert_int_equal(add(x, "b", "b", 1, 0.5, 3, NULL), EX_OK);
	assert_int_equal(interaction_table_finish(x, NULL), EX_OK);
}

static void expect_pair(double curv, double joint, enum pair_kind kind)
{
	struct interaction_table x = { 0 };
	struct additivity a;

	two_groups(&x, curv);
	assert_int_equal(additivity_measure(&x, 0.05, &a, NULL), EX_OK);
	assert_int_equal(a.n, 1);
	assert_int_equal(a.pair[0].kind, kind);
	/* The row's own joint, a mean of other quadratics, is not it. */
	assert_true(fabs(a.pair[0].joint - joint) < 1e-14);
	assert_true(fabs(a.pair[0].excess - (joint - 1)) < 1e-14);
	assert_true(fabs(a.pair[0].ratio - joint) < 1e-14);
	assert_true(a.pair[0].cosine == curv);
	assert_true(fabs(a.sum - 1) < 1e-15);
	/* b'M^-1 b / 2 of [1 c; c 1] and b = (1, 1) */
	assert_true(fabs(a.unbounded - 1 / (1 + curv)) < 1e-12);
	assert_true(fabs(a.joint - 1 / (1 + curv)) < 1e-8);
	assert_int_equal(a.synergy, kind == PAIR_SYNERGY);
	assert_int_equal(a.redundant, kind == PAIR_REDUNDANT);
	additivity_free(&a);
	interaction_table_free(&x);
}

static void test_pairs_are_of_three_kinds(void **state)
{
	(void)state;
	expect_pair(-0.5, 2, PAIR_SYNERGY);
	expect_pair(0.5, 1 / 1.5, PAIR_REDUNDANT);
	expect_pair(0.02, 1 / 1.02, PAIR_ADDITIVE);
}

static void test_copies_of_one_group_are_worth_one(void **state)
{
	struct interaction_table x = { 0 };
	struct additivity a;

	(void)state;
	two_groups(&x, 1);
	assert_int_equal(additivity_measure(&x, 0.05, &a, NULL), EX_OK);
	assert_true(fabs(a.joint - 0.5) < 1e-9 && fabs(a.unbounded - 0.5) < 1e-9);
	assert_int_equal(a.rank, 1);
	additivity_free(&a);
	interaction_table_free(&x);
}

static void test_files_weigh_as_much_as_their_steps(void **state)
{
	struct interaction_table x = { 0 };

	(void)state;
	for (int file = 0; file < 2; file++) {
		int64_t steps = file == 0 ? 1 : 3;
		double curv = file == 0 ? 2 : 6;

		assert_int_equal(add(&x, "a", "a", curv, 1, steps, NULL), EX_OK);
		assert_int_equal(add(&x, "b", "a", -curv, curv, steps, NULL), EX_OK);
		assert_int_equal(add(&x, "b", "b", curv, 1, steps, NULL), EX_OK);
	}
	assert_int_equal(interaction_table_finish(&x, NULL), EX_OK);
	assert_true(x.curv[0] == 5 && x.curv[1] == -5 && x.curv[2] == -5);
	assert_true(x.slope[0] == 1 && x.tau[1] == 10);
	interaction_table_free(&x);
}

static void test_incomplete_or_impossible_rows_are_refused(void **state)
{
	struct interaction_table x = { 0 };
	struct err e;

	(void)state;
	assert_int_equal(add(&x, "a", "a", NAN, 1, 1, &e), EX_DATAERR);
	assert_int_equal(add(&x, "a", "a", -1, 1, 1, &e), EX_DATAERR);
	assert_int_equal(add(&x, "a", "a", 1, 1, 0, &e), EX_DATAERR);
	assert_int_equal(add(&x, "a", "a", 1, 1, 1, NULL), EX_OK);
	assert_int_equal(add(&x, "b", "b", 1, 1, 1, NULL), EX_OK);
	assert_int_equal(interaction_table_finish(&x, &e), EX_DATAERR);
	assert_string_equal(e.text, "there is no row of the groups a and b");
	interaction_table_free(&x);
	assert_int_equal(add(&x, "a", "a", 1, 1, 1, NULL), EX_OK);
	assert_int_equal(add(&x, "a", "b", 1, 1, 2, NULL), EX_OK);
	assert_int_equal(add(&x, "b", "b", 1, 1, 1, NULL), EX_OK);
	assert_int_equal(interaction_table_finish(&x, &e), EX_DATAERR);
	assert_non_null(strstr(e.text, "groups a and b have 2 steps, others 1"));
	interaction_table_free(&x);
}

static void test_pairs_come_by_excess_then_by_names(void **state)
{
	static const char *const name[] = { "z", "b", "a", "c" };
	struct interaction_table x = { 0 };
	struct additivity a;

	(void)state;
	for (size_t i = 0; i < 4; i++)
		for (size_t j = i; j < 4; j++)
			assert_int_equal(add(&x, name[i], name[j],
					     i == j             ? 1
					     : i == 1 && j == 3 ? 1
								: -0.5,
					     1, 1, NULL),
					 EX_OK);
	assert_int_equal(interaction_table_finish(&x, NULL), EX_OK);
	assert_int_equal(additivity_measure(&x, 0.05, &a, NULL), EX_OK);
	assert_int_equal(a.n, 6);
	assert_true(a.pair[5].a == 1 && a.pair[5].b == 3 && a.pair[5].excess == -0.5);
	assert_string_equal(x.groups.names.s[a.pair[0].a], "a");
	additivity_free(&a);
	interaction_table_free(&x);
}

/* Two steps in which p and q swap their parts: each step's best is out of reach of their
 * mean, of which all groups must gain what any pair gains. */
static void test_no_pair_gains_more_than_all(void **state)
{
	struct interaction_table x = { 0 };
	struct additivity a;

	(void)state;
	for (int step = 0; step < 2; step++) {
		double own = step == 0 ? 1 : 100;
		const struct interaction_row rows[] = {
			{ "p", "p", own, 1, 1, INFINITY, INFINITY, .5, .5, .5, 1 },
			{ "p", "q", 0.1, 1, 1, INFINITY, INFINITY, .5, .5, .505, 1 },
			{ "q", "q", 101 - own, 1, 1, INFINITY, INFINITY, .5, .5, .5, 1 },
		};

		for (size_t i = 0; i < 3; i++)
			assert_int_equal(interaction_table_add(&x, &rows[i], NULL), EX_OK);
	}
	assert_int_equal(interaction_table_finish(&x, NULL), EX_OK);
	assert_int_equal(additivity_measure(&x, 0.05, &a, NULL), EX_OK);
	assert_true(a.pair[0].joint <= a.joint && a.joint < 0.02);
	assert_true(fabs(a.pair[0].sum - a.sum) < 1e-15);
	additivity_free(&a);
	interaction_table_free(&x);
}

static void test_a_group_without_gradient_has_no_part(void **state)
{
	struct interaction_table x = { 0 };
	struct additivity a;
	const struct interaction_row rows[] = {
		{ "w", "w", 1, 1, 1, INFINITY, INFINITY, 0.5, 0.5, 0.5, 1 },
		{ "w", "z", -0.9e-8, 1, 0, INFINITY, INFINITY, 0.5, 0, 2.6, 1 },
		{ "z", "z", 1e-16, 0, 0, INFINITY, INFINITY, 0, 0, 0, 1 },
	};

	(void)state;
	for (size_t i = 0; i < 3; i++)
		assert_int_equal(interaction_table_add(&x, &rows[i], NULL), EX_OK);
	assert_int_equal(interaction_table_finish(&x, NULL), EX_OK);
	assert_int_equal(additivity_measure(&x, 0, &a, NULL), EX_OK);
	assert_int_equal(a.pair[0].kind, PAIR_ADDITIVE);
	assert_true(isnan(a.pair[0].cosine) && a.pair[0].excess == 0);
	assert_true(a.joint == 0.5 && a.unbounded == 0.5 && a.rank == 1);
	additivity_free(&a);
	interaction_table_free(&x);
}

/* ---- the bounded quadratic ---- */

/* M = U'U of `samples` rows: singular when these are fewer than N. */
static void random_problem(uint64_t seed, size_t samples, double *m, double *b)
{
	struct prng r;
	double u[2 * N][N], s[2 * N];

	prng_seed(&r, seed, "problem");
	for (size_t i = 0; i < samples; i++) {
		s[i] = prng_normal(&r);
		for (size_t k = 0; k < N; k++)
			u[i][k] = prng_normal(&r) + 0.5 * s[i];
	}
	for (size_t k = 0; k < N; k++) {
		b[k] = 0;
		for (size_t i = 0; i < samples; i++)
			b[k] += s[i] * u[i][k];
		for (size_t l = 0; l < N; l++) {
			m[k * N + l] = 0;
			for (size_t i = 0; i < samples; i++)
				m[k * N + l] += u[i][k] * u[i][l];
		}
	}
}

/* The conditions of Karush, Kuhn and Tucker, which only the maximum meets. */
static void expect_maximum(const double *m, const double *b, const double *tau,
			   const double *eta, double scale)
{
	for (size_t k = 0; k < N; k++) {
		double r = b[k];

		for (size_t l = 0; l < N; l++)
			r -= m[k * N + l] * eta[l];
		assert_true(eta[k] >= 0 && eta[k] <= tau[k]);
		if (eta[k] > 0)
			assert_true(r > -1e-4 * scale);
		if (eta[k] < tau[k])
			assert_true(r < 1e-4 * scale);
	}
}

static void test_the_joint_gain_is_the_maximum_within_bounds(void **state)
{
	static const double bounds[] = { 0.01, 0.1, 1, INFINITY };
	double m[N * N], b[N], tau[N], eta[N], gain, gap;

	(void)state;
	for (size_t i = 0; i < 4; i++) {
		for (uint64_t seed = 0; seed < 6; seed++) {
			random_problem(seed, seed % 2 == 0 ? 2 * N : N / 2, m, b);
			for (size_t k = 0; k < N; k++)
				tau[k] = bounds[i];
			assert_int_equal(bounded_gain(N, m, b, tau, eta, &gain, &gap, NULL),
					 EX_OK);
			assert_true(gap <= JOINT_TOLERANCE * gain);
			expect_maximum(m, b, tau, eta, 100);
		}
	}
}

static void test_groups_without_curvature_go_to_their_bound(void **state)
{
	const double m[] = { 0, 0, 0, 0, 0, 0, 0, 0, 2 }, b[] = { 3, -1, 2 };
	double tau[] = { 5, 5, 5 }, eta[3], gain, gap;

	(void)state;
	assert_int_equal(bounded_gain(3, m, b, tau, eta, &gain, &gap, NULL), EX_OK);
	assert_true(eta[0] == 5 && eta[1] == 0 && eta[2] == 1);
	assert_true(gain == 16 && gap == 0);
	tau[0] = INFINITY;
	assert_int_equal(bounded_gain(3, m, b, tau, eta, &gain, &gap, NULL), EX_OK);
	assert_true(eta[0] == 0 && gain == 1);
}

/* Of least squares, 1/2 b'M^+ b is half of what the fit explains: here all of s's*/
static void test_the_unbounded_gain_of_a_singular_matrix(void **state)
{
	double m[N * N], b[N], gain;
	size_t rank;

	(void)state;
	for (uint64_t seed = 0; seed < 4; seed++) {
		struct prng r;
		double all = 0;

		random_problem(seed, N / 2, m, b);
		prng_seed(&r, seed, "problem");
		for (size_t i = 0; i < N / 2; i++) {
			double s = prng_normal(&r);

			all += s * s / 2;
			for (size_t k = 0; k < N; k++)
				prng_normal(&r);
		}
		assert_int_equal(unbounded_gain(N, m, b, &gain, &rank, NULL), EX_OK);
		assert_int_equal(rank, N / 2);
		assert_true(fabs(gain - all) < 1e-6 * all);
	}
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(test_pairs_are_of_three_kinds),
		cmocka_unit_test(test_copies_of_one_group_are_worth_one),
		cmocka_unit_test(test_files_weigh_as_much_as_their_steps),
		cmocka_unit_test(test_incomplete_or_impossible_rows_are_refused),
		cmocka_unit_test(test_pairs_come_by_excess_then_by_names),
		cmocka_unit_test(test_no_pair_gains_more_than_all),
		cmocka_unit_test(test_a_group_without_gradient_has_no_part),
		cmocka_unit_test(test_the_joint_gain_is_the_maximum_within_bounds),
		cmocka_unit_test(test_groups_without_curvature_go_to_their_bound),
		cmocka_unit_test(test_the_unbounded_gain_of_a_singular_matrix),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
