#include <math.h>
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>

#include <cmocka.h>

#include "influence/kendall.h"
#include "influence/window.h"

enum { GROUPS = 12, STEPS = 7 };

static double ppi_of(size_t step, size_t k)
{
	return (double)((step * 7919 + k * 104729 + k * k * 31) % 97) / 97 + (double)k / 8;
}

/* tau-b between the sums over the first `middle` of the steps and over the rest. */
static double tau_of(size_t middle, size_t steps)
{
	double half[2][GROUPS] = { { 0 } }, tau;
	struct err e;

	for (size_t i = 0; i < steps; i++)
		for (size_t k = 0; k < GROUPS; k++)
			half[i >= middle][k] += ppi_of(i, k);
	assert_int_equal(kendall_tau_b(GROUPS, half[0], half[1], &tau, &e), EX_OK);
	return tau;
}

static void the_second_half_is_the_longer_one(void **state)
{
	static const size_t middle[STEPS] = { 0, 1, 1, 2, 2, 3, 3 };
	struct window w;
	struct err e;
	double tau;

	(void)state;
	window_start(&w, GROUPS);
	for (size_t step = 0; step < STEPS; step++) {
		double ppi[GROUPS];

		for (size_t k = 0; k < GROUPS; k++)
			ppi[k] = ppi_of(step, k);
		assert_int_equal(window_add(&w, ppi, &e), EX_OK);
		assert_int_equal(window_tau(&w, &tau, &e), EX_OK);
		if (step == 0)
			assert_true(isnan(tau));
		else
			assert_true(fabs(tau - tau_of(middle[step], step + 1)) < 1e-12);
	}
	window_free(&w);
}

static void halves_that_order_nothing_agree_in_nothing(void **state)
{
	static const double same[GROUPS] = { 0 };
	struct window w;
	struct err e;
	double tau;

	(void)state;
	window_start(&w, GROUPS);
	for (int i = 0; i < 4; i++)
		assert_int_equal(window_add(&w, same, &e), EX_OK);
	assert_int_equal(window_tau(&w, &tau, &e), EX_OK);
	assert_true(isnan(tau));
	window_free(&w);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(the_second_half_is_the_longer_one),
		cmocka_unit_test(halves_that_order_nothing_agree_in_nothing),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
