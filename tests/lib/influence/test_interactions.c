#include <math.h>
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>

#include <cmocka.h>

#include "influence/interactions.h"

static double quadratic(const double s[2], double aa, double ab, double bb, double a,
			double b)
{
	return a * s[0] + b * s[1] - (a * a * aa + 2 * a * b * ab + b * b * bb) / 2;
}

/* The most on a grid of steps, which an exact answer is never below. */
static double on_a_grid(const double s[2], const double tau[2], double aa, double ab,
			double bb)
{
	double best = 0;

	for (int i = 0; i <= 200; i++)
		for (int j = 0; j <= 200; j++)
			best = fmax(best, quadratic(s, aa, ab, bb, tau[0] * i / 200,
						    tau[1] * j / 200));
	return best;
}

static void the_joint_gain_is_the_most_within_the_bounds(void **state)
{
	(void)state;
	for (int i = 0; i < 3000; i++) {
		/* A positive semidefinite 2 x 2 matrix, every fifth without determinant. */
		double x = (i * 37 % 100) / 40.0, y = (i * 53 % 100) / 40.0;
		double angle = i % 5 == 0 ? (i % 2) * 3.141592653589793 : i * 0.7;
		double ab = x * y * cos(angle);
		const double s[2] = { (i * 29 % 100) / 50.0 - 0.6,
				      (i * 31 % 100) / 50.0 - 0.6 };
		const double tau[2] = { 0.1 + i % 7, 0.1 + i % 11 };
		double joint = joint_gain(s, tau, x * x, ab, y * y);
		double grid = on_a_grid(s, tau, x * x, ab, y * y);
		double step = fmax(tau[0], tau[1]) / 200;

		assert_true(joint >= grid - 1e-12);
		/* Beside the best point the quadratic falls by its curvature at most, and
		 * on an edge by its slope, which the grid holds exactly. */
		assert_true(joint <= grid + step * step * (x + y) * (x + y) + 1e-12);
	}
}

static void without_bounds_it_is_half_the_inverse_quadratic_form(void **state)
{
	const double s[2] = { 0.3, 0.2 }, tau[2] = { INFINITY, INFINITY };
	double det = 2 * 3 - 0.5 * 0.5;
	double form = (s[0] * s[0] * 3 - 2 * s[0] * s[1] * 0.5 + s[1] * s[1] * 2) / det;

	(void)state;
	assert_true(fabs(joint_gain(s, tau, 2, 0.5, 3) - form / 2) < 1e-12);
}

static void what_nothing_bounds_is_not_taken(void **state)
{
	const double s[2] = { 0.3, 0.2 }, tau[2] = { INFINITY, INFINITY };

	(void)state;
	assert_true(fabs(joint_gain(s, tau, 0, 0, 2) - 0.2 * 0.2 / 2 / 2) < 1e-12);
	assert_true(joint_gain(s, tau, 0, 0, 0) == 0);
}

static void means_are_over_the_steps_taken_in(void **state)
{
	static const double first[] = { 2, -1, -1, 3 }, second[] = { 4, 1, 1, 1 };
	struct interactions x;
	struct estimate of[2] = { { .slope = 0.2, .tau = 1 },
				  { .slope = 0.6, .tau = 0.1 } };
	struct interaction pair, own;
	struct err e;

	(void)state;
	assert_int_equal(interactions_start(&x, 2, &e), EX_OK);
	interactions_add(&x, of, first);
	of[1].status = STATUS_ZERO;
	interactions_add(&x, of, second);
	pair = interactions_mean(&x, 0, 1);
	own = interactions_mean(&x, 0, 0);
	assert_int_equal(x.steps, 2);
	assert_true(pair.curv == 0 && own.curv == 3);
	assert_true(fabs(pair.slope[0] - 0.2) < 1e-15 && pair.slope[1] == 0.3);
	assert_true(fabs(own.gain[0] - (0.01 + 0.005) / 2) < 1e-15);
	assert_true(own.joint == own.gain[0]);
	/* b at its bound of 0.1 gains 0.06 - 0.015, and a, whose slope it raises to 0.3,
	 * 0.3^2 / 4; at the second step b has no slope and does not move. */
	assert_true(fabs(pair.gain[1] - 0.045 / 2) < 1e-15);
	assert_true(fabs(pair.joint - (0.045 + 0.0225 + 0.005) / 2) < 1e-15);
	interactions_free(&x);
}

static void too_many_groups_are_refused(void **state)
{
	struct interactions x;
	struct err e;

	(void)state;
	assert_int_equal(interactions_start(&x, INTERACTIONS_MOST + 1, &e), EX_USAGE);
	assert_int_equal(e.code, EX_USAGE);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(the_joint_gain_is_the_most_within_the_bounds),
		cmocka_unit_test(without_bounds_it_is_half_the_inverse_quadratic_form),
		cmocka_unit_test(what_nothing_bounds_is_not_taken),
		cmocka_unit_test(means_are_over_the_steps_taken_in),
		cmocka_unit_test(too_many_groups_are_refused),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
