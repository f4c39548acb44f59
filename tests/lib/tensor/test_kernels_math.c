#include <math.h>
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>

#include <cmocka.h>

#include "tensor/kernels_math.h"

/* Distance of y from the exact value, in units of the float spacing there. */
static double ulps(float y, double exact)
{
	double spacing = exact == 0.0 ? 0x1p-149 : ldexp(1.0, ilogb(exact) - 23);

	if ((double)y == exact)
		return 0.0;
	return fabs((double)y - exact) / fmax(spacing, 0x1p-149);
}

static void exp_is_within_two_ulps(void **state)
{
	double worst = 0.0;

	(void)state;
	for (float x = -105.0f; x < 88.72f; x += 0.00037f)
		worst = fmax(worst, ulps(exp_of(x), exp((double)x)));
	for (float x = 1e-30f; x < 1.0f; x *= 1.01f)
		worst = fmax(worst, fmax(ulps(exp_of(x), exp((double)x)),
					 ulps(exp_of(-x), exp(-(double)x))));
	if (worst > 1.5)
		fail_msg("exp is off by %g units in the last place", worst);
}

static void exp_ends_in_zero_infinity_and_nan(void **state)
{
	(void)state;
	assert_true(exp_of(0.0f) == 1.0f && exp_of(-0.0f) == 1.0f);
	assert_true(isinf(exp_of(88.73f)) && isinf(exp_of(1e30f)) && isinf(exp_of(INFINITY)));
	assert_true(exp_of(-104.5f) == 0.0f && exp_of(-1e30f) == 0.0f);
	assert_true(exp_of(-INFINITY) == 0.0f);
	assert_true(exp_of(-103.0f) > 0.0f && exp_of(-88.0f) < 1.1754944e-38f);
	assert_true(isnan(exp_of(NAN)) && isnan(exp_of(-NAN)));
}

static void tanh_is_within_two_ulps(void **state)
{
	double worst = 0.0;

	(void)state;
	for (float x = 1e-38f; x < 20.0f; x *= 1.00003f) {
		worst = fmax(worst, ulps(tanh_of(x), tanh((double)x)));
		assert_true(tanh_of(-x) == -tanh_of(x));
	}
	if (worst > 2.0)
		fail_msg("tanh is off by %g units in the last place", worst);
	assert_true(tanh_of(0.0f) == 0.0f && signbit(tanh_of(-0.0f)));
	assert_true(tanh_of(INFINITY) == 1.0f && tanh_of(-INFINITY) == -1.0f);
	assert_true(tanh_of(1e30f) == 1.0f && isnan(tanh_of(NAN)));
}

static void normal_tail_keeps_its_relative_accuracy(void **state)
{
	double worst = 0.0;

	(void)state;
	for (float x = -12.9f; x < 12.9f; x += 0.00011f) {
		double exact = 0.5 * erfc(-(double)x * M_SQRT1_2);
		float bell, cdf = normal_of(x, &bell);

		worst = fmax(worst, fabs((double)cdf / exact - 1.0));
		worst = fmax(worst, fabs((double)bell / exp(-0.5 * (double)x * (double)x) - 1.0));
	}
	/* three roundings of 6e-8 each and the polynomial's 3e-8 */
	if (worst > 5e-7)
		fail_msg("the normal distribution has a relative error of %g", worst);
}

static void normal_ends_in_zero_one_and_nan(void **state)
{
	float bell;

	(void)state;
	assert_true(normal_of(-1e30f, &bell) == 0.0f && bell == 0.0f);
	assert_true(normal_of(1e30f, &bell) == 1.0f && bell == 0.0f);
	assert_true(normal_of(INFINITY, &bell) == 1.0f);
	assert_true(isnan(normal_of(NAN, &bell)));
	assert_float_equal(normal_of(0.0f, &bell), 0.5f, 6e-8);
}

static void hash_bits_are_balanced(void **state)
{
	enum { N = 1 << 16 };
	int ones[32] = { 0 }, together[32] = { 0 };

	(void)state;
	for (uint32_t i = 0; i < N; i++) {
		uint32_t h = hash_of(i, 12345u, 678u), next = hash_of(i + 1, 12345u, 678u);

		for (int b = 0; b < 32; b++) {
			ones[b] += (int)(h >> b & 1u);
			together[b] += (int)((h ^ next) >> b & 1u);
		}
	}
	/* a standard deviation is 128 */
	for (int b = 0; b < 32; b++) {
		assert_in_range(ones[b], N / 2 - 640, N / 2 + 640);
		assert_in_range(together[b], N / 2 - 640, N / 2 + 640);
	}
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(exp_is_within_two_ulps),
		cmocka_unit_test(exp_ends_in_zero_infinity_and_nan),
		cmocka_unit_test(tanh_is_within_two_ulps),
		cmocka_unit_test(normal_tail_keeps_its_relative_accuracy),
		cmocka_unit_test(normal_ends_in_zero_one_and_nan),
		cmocka_unit_test(hash_bits_are_balanced),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
