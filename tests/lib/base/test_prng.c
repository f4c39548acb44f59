#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <setjmp.h>
#include <cmocka.h>
#include <math.h>

#include "base/prng.h"

static void a_seed_and_a_purpose_give_one_sequence(void **state)
{
	struct prng a, b, c, d;

	(void)state;
	prng_seed(&a, 7, "batches");
	prng_seed(&b, 7, "batches");
	prng_seed(&c, 7, "dropout");
	prng_seed(&d, 8, "batches");
	for (int i = 0; i < 100; i++) {
		uint64_t x = prng_next(&a);

		assert_true(x == prng_next(&b));
		assert_true(x != prng_next(&c));
		assert_true(x != prng_next(&d));
	}
}

static void below_stays_below_and_reaches_all(void **state)
{
	struct prng p;
	int seen[7] = { 0 };

	(void)state;
	prng_seed(&p, 1, "below");
	for (int i = 0; i < 70000; i++) {
		uint64_t x = prng_below(&p, 7);

		assert_true(x < 7);
		seen[x]++;
	}
	/* Binomial with mean 10000 and standard deviation 93: within six of them. */
	for (int i = 0; i < 7; i++)
		assert_in_range(seen[i], 10000 - 560, 10000 + 560);
	assert_true(prng_below(&p, 1) == 0);
}

static void units_lie_in_the_half_open_interval(void **state)
{
	struct prng p;
	double sum = 0;

	(void)state;
	prng_seed(&p, 1, "unit");
	for (int i = 0; i < 100000; i++) {
		double x = prng_unit(&p);

		assert_true(x >= 0 && x < 1);
		sum += x;
	}
	/* Six standard errors of the mean. */
	assert_true(fabs(sum / 100000 - 0.5) < 6 * 0.2887 / sqrt(100000));
}

static void normals_have_mean_0_and_variance_1(void **state)
{
	struct prng p;
	double sum = 0, squares = 0;
	const int n = 100000;

	(void)state;
	prng_seed(&p, 1, "normal");
	for (int i = 0; i < n; i++) {
		double x = prng_normal(&p);

		sum += x;
		squares += x * x;
	}
	/* Six standard errors: 1/sqrt(n) of the mean, sqrt(2/n) of the variance. */
	assert_true(fabs(sum / n) < 6 / sqrt(n));
	assert_true(fabs(squares / n - 1) < 6 * sqrt(2.0 / n));
}

static void a_shuffle_keeps_every_element(void **state)
{
	struct prng p;
	size_t a[100], moved = 0;
	int seen[100] = { 0 };

	(void)state;
	for (size_t i = 0; i < 100; i++)
		a[i] = i;
	prng_seed(&p, 1, "shuffle");
	prng_shuffle(&p, a, 100);
	for (size_t i = 0; i < 100; i++) {
		assert_true(a[i] < 100);
		seen[a[i]]++;
		moved += a[i] != i;
	}
	for (size_t i = 0; i < 100; i++)
		assert_int_equal(seen[i], 1);
	assert_true(moved > 80);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(a_seed_and_a_purpose_give_one_sequence),
		cmocka_unit_test(below_stays_below_and_reaches_all),
		cmocka_unit_test(units_lie_in_the_half_open_interval),
		cmocka_unit_test(normals_have_mean_0_and_variance_1),
		cmocka_unit_test(a_shuffle_keeps_every_element),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
