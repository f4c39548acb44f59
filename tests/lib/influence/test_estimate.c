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

static void a_gain_that_hangs_on_the_fourth_order_is_none(void **state)
{
	struct estimate e = along(0.1, 0.2, INFINITY);

	(void)state;
	e.bent = 1.1 * FIT_BENT * e.curv;
	estimate_settle(&e, 10);
	assert_int_equal(e.status, STATUS_LOWFIT);
	assert_true(e.gain == 0 && e.ppi == 0);
	e = along(0.1, 0.2, INFINITY);
	e.bent = 0.9 * FIT_BENT * e.curv;
	estimate_settle(&e, 10);
	assert_int_equal(e.status, STATUS_OK);
	/* So short a step that the curvature hardly matters. */
	e = along(0.1, 0.2, 0.01);
	e.bent = e.curv;
	estimate_settle(&e, 10);
	assert_int_equal(e.status, STATUS_BOUNDED);
	/* Not of negative curvature either, where the step is long. */
	e = along(0.1, -0.2, 1);
	e.bent = 0.2;
	estimate_settle(&e, 10);
	assert_int_equal(e.status, STATUS_LOWFIT);
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

static void no_curvature_is_bounded_by_the_trust_region_alone(void **state)
{
	struct estimate bounded = along(0.2, 0, 0.05), unbounded = along(0.2, 0, INFINITY);

	(void)state;
	bounded.r2 = bounded.spread = NAN;
	estimate_settle(&bounded, 10);
	assert_int_equal(bounded.status, STATUS_BOUNDED);
	close_to(bounded.gain, 0.05 * 0.2);
	assert_true(isinf(bounded.eta));
	estimate_settle(&unbounded, 10);
	assert_int_equal(unbounded.status, STATUS_NOISE);
	assert_true(unbounded.gain == 0);
}

static void an_exact_curvature_needs_no_fit(void **state)
{
	struct estimate e = along(0.2, 2, INFINITY);

	(void)state;
	e.r2 = e.spread = NAN;
	estimate_settle(&e, 10);
	assert_int_equal(e.status, STATUS_OK);
	close_to(e.gain, 0.01);
}

static void statuses_are_known_by_their_names(void **state)
{
	enum status status;

	(void)state;
	for (int s = STATUS_OK; s <= STATUS_ZERO; s++) {
		assert_true(status_named(status_name((enum status)s), &status));
		assert_int_equal(status, s);
	}
	assert_false(status_named("", &status));
	assert_false(status_named("okay", &status));
}

static void sums_over_steps_take_what_is_not_rejected(void **state)
{
	static const bool counts[] = {
		[STATUS_OK] = true,      [STATUS_BOUNDED] = true, [STATUS_NEGCURV] = true,
		[STATUS_LOWFIT] = false, [STATUS_NOISE] = false,  [STATUS_ZERO] = false,
	};

	(void)state;
	for (int s = STATUS_OK; s <= STATUS_ZERO; s++) {
		struct estimate e = { .status = (enum status)s, .gain = 1 };

		assert_int_equal(status_counts(e.status, e.gain), counts[s]);
	}
	assert_false(status_counts(STATUS_NEGCURV, 0));
}

static void bounds_are_of_the_step_or_of_the_travel(void **state)
{
	struct trust_region t = { .kind = TRUST_INF };

	(void)state;
	assert_true(isinf(trust_bound(&t, 2, 4, 10, 1000)));
	t = (struct trust_region){ .kind = TRUST_RMS, .x = 0.1 };
	close_to(trust_bound(&t, 2, 4, 10, 1000), 0.05);
	t = (struct trust_region){ .kind = TRUST_TRAVEL, .steps = 30, .lr = -1 };
	close_to(trust_bound(&t, 2, 4, 10, 1000), 30 * 5e-4);
	t.lr = 1e-3;
	close_to(trust_bound(&t, 2, 4, 10, 1000), 0.03);
	t.lr = 0;
	assert_true(trust_bound(&t, 2, 4, 10, 1000) == 0);
}

static void trust_regions_are_read(void **state)
{
	struct trust_region t;

	(void)state;
	assert_true(trust_named("inf", &t) && t.kind == TRUST_INF);
	assert_true(trust_named("rms:0.1", &t) && t.kind == TRUST_RMS && t.x == 0.1);
	assert_true(trust_named("travel", &t) && t.kind == TRUST_TRAVEL && t.lr < 0);
	assert_false(trust_named("travel:1", &t));
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
		cmocka_unit_test(a_gain_that_hangs_on_the_fourth_order_is_none),
		cmocka_unit_test(inside_the_bound_the_gain_is_the_papers),
		cmocka_unit_test(beyond_the_bound_the_gain_is_the_one_at_the_bound),
		cmocka_unit_test(negative_curvature_has_a_gain_only_with_a_bound),
		cmocka_unit_test(a_gain_is_never_larger_than_the_loss),
		cmocka_unit_test(a_bad_fit_is_reported_and_gains_nothing),
		cmocka_unit_test(a_curvature_within_rounding_is_noise_without_a_bound),
		cmocka_unit_test(a_direction_that_does_not_descend_is_noise),
		cmocka_unit_test(a_zero_gradient_stays_zero),
		cmocka_unit_test(no_curvature_is_bounded_by_the_trust_region_alone),
		cmocka_unit_test(an_exact_curvature_needs_no_fit),
		cmocka_unit_test(statuses_are_known_by_their_names),
		cmocka_unit_test(sums_over_steps_take_what_is_not_rejected),
		cmocka_unit_test(bounds_are_of_the_step_or_of_the_travel),
		cmocka_unit_test(trust_regions_are_read),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
