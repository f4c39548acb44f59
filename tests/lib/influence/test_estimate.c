#include <math.h>
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>

#include <cmocka.h>

#include "influence/estimate.h"

static struct estimate along(double slope, double curv, double tau)
{
	return (struct estimate){
		.loss = 0.7, .slope = slope, .curv = curv, .r2 = 1, .tau = tau
	};
}

static void close_to(double a, double b)
{
	assert_true(fabs(a - b) <= 1e-12 * fmax(1, fabs(b)));
}

/* The loss of a parabola, and of one with a cubic term, at the fit's four points. */
static void points(double slope, double curv, double cubic, double h, double y[4])
{
	static const double r[4] = { -2, -1, 1, 2 };

	for (int i = 0; i < 4; i++) {
		double eta = r[i] * h;

		y[i] = -eta * slope + eta * eta / 2 * curv + cubic * eta * eta * eta;
	}
}

static void a_parabola_is_fitted_exactly(void **state)
{
	double y[4], slope, curv, r2;

	(void)state;
	points(3, 5, 0, 0.25, y);
	fit_parabola(y, 0.25, &slope, &curv, &r2);
	close_to(slope, 3);
	close_to(curv, 5);
	close_to(r2, 1);
}

static void a_cubic_term_leaves_the_curvature_alone(void **state)
{
	double y[4], slope, curv, r2;

	(void)state;
	points(3, 5, 40, 0.25, y);
	fit_parabola(y, 0.25, &slope, &curv, &r2);
	close_to(curv, 5);
	assert_true(fabs(slope - 3) > 1);
	assert_true(r2 < FIT_R2);
}

static void inside_the_bound_the_gain_is_the_papers(void **state)
{
	struct estimate e = along(0.2, 2, 1);

	(void)state;
	estimate_settle(&e, 10);
	assert_int_equal(e.status, STATUS_OK);
	close_to(e.eta, 0.1);
	close_to(e.gain, 0.2 * 0.2 / 2 / 2);
	close_to(e.ppi, 0.2 * 0.2 / 2 / 10);
}

static void beyond_the_bound_the_gain_is_the_one_at_the_bound(void **state)
{
	struct estimate e = along(0.2, 2, 0.05);

	(void)state;
	estimate_settle(&e, 10);
	assert_int_equal(e.status, STATUS_BOUNDED);
	close_to(e.gain, 0.05 * 0.2 - 0.05 * 0.05 / 2 * 2);
}

static void negative_curvature_has_a_gain_only_with_a_bound(void **state)
{
	struct estimate bounded = along(0.2, -2, 0.05),
			unbounded = along(0.2, -2, INFINITY);

	(void)state;
	estimate_settle(&bounded, 10);
	assert_int_equal(bounded.status, STATUS_NEGCURV);
	close_to(bounded.gain, 0.05 * 0.2 + 0.05 * 0.05);
	estimate_settle(&unbounded, 10);
	assert_int_equal(unbounded.status, STATUS_NEGCURV);
	assert_true(unbounded.gain == 0 && unbounded.ppi == 0);
}

static void a_gain_is_never_larger_than_the_loss(void **state)
{
	struct estimate e = along(2, 1e-3, INFINITY);

	(void)state;
	estimate_settle(&e, 10);
	assert_int_equal(e.status, STATUS_BOUNDED);
	close_to(e.gain, 0.7);
}

static void a_bad_fit_is_reported_and_gains_nothing(void **state)
{
	struct estimate e = along(0.2, 2, 1);

	(void)state;
	e.r2 = 0.98;
	estimate_settle(&e, 10);
	assert_int_equal(e.status, STATUS_LOWFIT);
	assert_true(e.gain == 0 && e.ppi == 0);
}

static void a_curvature_within_rounding_is_noise_without_a_bound(void **state)
{
	struct estimate unbounded = along(0.2, 2, INFINITY), bounded = along(0.2, 2, 0.01);

	(void)state;
	unbounded.spread = bounded.spread = 1;
	estimate_settle(&unbounded, 10);
	assert_int_equal(unbounded.status, STATUS_NOISE);
	assert_true(unbounded.gain == 0);
	estimate_settle(&bounded, 10);
	assert_int_equal(bounded.status, STATUS_BOUNDED);
	assert_true(bounded.gain > 0);
}

static void a_direction_that_does_not_descend_is_noise(void **state)
{
	struct estimate e = along(-0.1, 2, 1);

	(void)state;
	estimate_settle(&e, 10);
	assert_int_equal(e.status, STATUS_NOISE);
	assert_true(e.gain == 0);
}

static void a_zero_gradient_stays_zero(void **state)
{
	struct estimate e = along(1e-9, 0, 1);

	(void)state;
	e.status = STATUS_ZERO;
	estimate_settle(&e, 10);
	assert_int_equal(e.status, STATUS_ZERO);
	assert_true(e.gain == 0 && e.ppi == 0);
}

static void trust_regions_are_read(void **state)
{
	struct trust_region t;

	(void)state;
	assert_true(trust_named("inf", &t) && t.kind == TRUST_INF);
	assert_true(trust_named("rms:0.1", &t) && t.kind == TRUST_RMS && t.x == 0.1);
	assert_false(trust_named("rms:", &t));
	assert_false(trust_named("rms:0", &t));
	assert_false(trust_named("rms:-1", &t));
	assert_false(trust_named("rms:inf", &t));
	assert_false(trust_named("0.1", &t));
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(a_parabola_is_fitted_exactly),
		cmocka_unit_test(a_cubic_term_leaves_the_curvature_alone),
		cmocka_unit_test(inside_the_bound_the_gain_is_the_papers),
		cmocka_unit_test(beyond_the_bound_the_gain_is_the_one_at_the_bound),
		cmocka_unit_test(negative_curvature_has_a_gain_only_with_a_bound),
		cmocka_unit_test(a_gain_is_never_larger_than_the_loss),
		cmocka_unit_test(a_bad_fit_is_reported_and_gains_nothing),
		cmocka_unit_test(a_curvature_within_rounding_is_noise_without_a_bound),
		cmocka_unit_test(a_direction_that_does_not_descend_is_noise),
		cmocka_unit_test(a_zero_gradient_stays_zero),
		cmocka_unit_test(trust_regions_are_read),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
