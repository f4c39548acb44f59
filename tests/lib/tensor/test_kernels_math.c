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

static void exp_is_within_four_ulps_near_zero(void **state)
{
	double worst = 0.0, far = 0.0;

	(void)state;
	for (float x = -87.0f; x < 87.0f; x += 0.00037f) {
		far = fmax(far, fabs((double)exp_of(x) / exp((double)x) - 1.0));
		if (fabsf(x) < 2.0f)
			worst = fmax(worst, ulps(exp_of(x), exp((double)x)));
	}
	for (float x = 1e-30f; x < 1.0f; x *= 1.01f)
		worst = fmax(worst, fmax(ulps(exp_of(x), exp((double)x)),
					 ulps(exp_of(-x), exp(-(double)x))));
	if (worst > 4.0)
		fail_msg("exp is off by %g units in the last place", worst);
	/* without fused multiply-add the product x log2(e) is rounded: 126 * 6e-8 * ln 2 /
	 * 2 */
	if (far > 5e-6)
		fail_msg("exp has a relative error of %g", far);
}

static void exp_stays_within_the_normal_floats(void **state)
{
	(void)state;
	assert_true(exp_of(0.0f) == 1.0f && exp_of(-0.0f) == 1.0f);
	assert_true(exp_of(1e30f) == exp_of(87.0f) && exp_of(INFINITY) == exp_of(87.0f));
	assert_true(exp_of(-1e30f) == exp_of(-87.0f) &&
		    exp_of(-INFINITY) == exp_of(-87.0f));
	assert_float_equal(exp_of(-INFINITY), 0.0f, 2e-38);
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

static double gelu_exactly(double x)
{
	return 0.5 * x * erfc(-x * M_SQRT1_2);
}

static void gelu_tail_keeps_its_relative_accuracy(void **state)
{
	double worst = 0.0, upper = 0.0;

	(void)state;
	for (float x = -5.3f; x < 13.0f; x += 0.00011f) {
		double error = fabs((double)gelu_of(x) / gelu_exactly((double)x) - 1.0);

		if (x < 0.0f)
			worst = fmax(worst, error);
		else if (x > 0.0f)
			upper = fmax(upper, error);
	}
	/* the exponent, up to 25, is rounded twice: 2 * 25 * 6e-8 * ln 2, without fused
	 * multiply-add */
	if (worst > 3e-6 || upper > 3e-7)
		fail_msg("gelu has a relative error of %g below 0, %g above", worst, upper);
}

static void gelu_ends_in_zero_and_the_identity(void **state)
{
	(void)state;
	for (float x = -1e9f; x < -5.3f; x *= 0.999f)
		assert_true(fabs((double)gelu_of(x) - gelu_exactly((double)x)) < 1e-7);
	assert_true(fabsf(gelu_of(-1e30f)) < 1e-15f && fabsf(gelu_of(-INFINITY)) < 1e-15f);
	assert_true(gelu_of(1e30f) == 1e30f && isinf(gelu_of(INFINITY)));
	assert_true(gelu_of(0.0f) == 0.0f && gelu_of(-0.0f) == 0.0f);
	assert_true(isnan(gelu_of(NAN)) && isnan(gelu_slope_of(NAN)));
	assert_true(fabsf(gelu_slope_of(-INFINITY)) < 1e-30f);
	assert_true(gelu_slope_of(INFINITY) == 1.0f);
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
		cmocka_unit_test(exp_is_within_four_ulps_near_zero),
		cmocka_unit_test(exp_stays_within_the_normal_floats),
		cmocka_unit_test(tanh_is_within_two_ulps),
		cmocka_unit_test(gelu_tail_keeps_its_relative_accuracy),
		cmocka_unit_test(gelu_ends_in_zero_and_the_identity),
		cmocka_unit_test(hash_bits_are_balanced),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
