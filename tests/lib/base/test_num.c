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

#include "base/num.h"
#include "base/prng.h"

static void assert_prints(double x, const char *want)
{
	char got[NUM_MAX];

	assert_int_equal(num_print(got, x), strlen(want));
	assert_string_equal(got, want);
}

static double from_bits(uint64_t bits)
{
	double x;

	memcpy(&x, &bits, sizeof x);
	return x;
}

static void numbers_print_as_people_write_them(void **state)
{
	(void)state;
	assert_prints(0, "0");
	assert_prints(-0.0, "-0");
	assert_prints(1, "1");
	assert_prints(-1.5, "-1.5");
	assert_prints(0.1, "0.1");
	assert_prints(1 / 3., "0.3333333333333333");
	assert_prints(0.0001, "0.0001");
	assert_prints(0.00001, "1e-05");
	assert_prints(-0.000012, "-1.2e-05");
	assert_prints(123456789, "123456789");
	assert_prints(100000, "100000");
	assert_prints(1e14, "100000000000000");
	assert_prints(1e15, "1e+15");
	assert_prints(1234567890123456, "1234567890123456");
	assert_prints(1e100, "1e+100");
	assert_prints(12.25e-300, "1.225e-299");
}

static void what_is_no_number_prints_without_sign_or_payload(void **state)
{
	(void)state;
	assert_prints(NAN, "nan");
	assert_prints(-NAN, "nan");
	assert_prints(INFINITY, "inf");
	assert_prints(-INFINITY, "-inf");
}

/* Digits from David M. Gay's algorithm, as other languages print them. */
static void edges_of_the_doubles_print_shortest(void **state)
{
	(void)state;
	assert_prints(5e-324, "5e-324");
	assert_prints(1e-323, "1e-323");
	assert_prints(from_bits(0x000fffffffffffff), "2.225073858507201e-308");
	assert_prints(DBL_MIN, "2.2250738585072014e-308");
	assert_prints(DBL_MAX, "1.7976931348623157e+308");
	assert_prints(0x1p-44, "5.684341886080802e-14");
	assert_prints(9007199254740993., "9007199254740992");
	assert_prints(2e23, "2e+23");
	assert_prints(9.5e-7, "9.5e-07");
}

/* The significant digits of a printed number, without point and outer zeros. */
static int digits_of(const char *s, char digits[NUM_MAX])
{
	int n = 0, all = 0;

	for (; *s != '\0' && *s != 'e'; s++) {
		if (*s < '0' || *s > '9' || (all == 0 && *s == '0'))
			continue;
		digits[all++] = *s;
		if (*s != '0')
			n = all;
	}
	digits[n] = '\0';
	return n;
}

/* Reads back, from the fewest digits, and of all numbers with so many digits the nearest:
 * checked with the system's own printing and reading. */
static void assert_shortest(double x)
{
	char text[NUM_MAX], fewer[40], ours[NUM_MAX], nearest[NUM_MAX];
	double back;
	int n;

	num_print(text, x);
	if (!num_real(text, &back) || memcmp(&back, &x, sizeof x) != 0)
		fail_msg("%a prints as %s", x, text);
	n = digits_of(text, ours);
	for (int less = 1; less < n; less++) {
		snprintf(fewer, sizeof fewer, "%.*e", less - 1, x);
		if (strtod(fewer, NULL) == x)
			fail_msg("%a prints as %s, %s suffices", x, text, fewer);
	}
	snprintf(fewer, sizeof fewer, "%.*e", n - 1, x);
	digits_of(fewer, nearest);
	if (strtod(fewer, NULL) == x && strcmp(ours, nearest) != 0)
		fail_msg("%a prints as %s, %s is nearer", x, text, fewer);
}

static void random_bits_read_back_from_the_fewest_digits(void **state)
{
	struct prng p;

	(void)state;
	prng_seed(&p, 1, "bits");
	for (int i = 0; i < 200000; i++) {
		double x = from_bits(prng_next(&p));

		if (isfinite(x) && x != 0)
			assert_shortest(x);
	}
}

static void subnormals_read_back_from_the_fewest_digits(void **state)
{
	struct prng p;

	(void)state;
	prng_seed(&p, 2, "subnormals");
	for (int i = 0; i < 50000; i++)
		assert_shortest(from_bits((prng_next(&p) >> 12 >> (i % 52)) | 1));
}

/* Below a power of two the doubles lie twice as near as above it. */
static void powers_of_two_and_their_neighbours_read_back(void **state)
{
	(void)state;
	for (int q = -1074; q <= 1023; q++) {
		double x = ldexp(1, q);

		assert_shortest(x);
		assert_shortest(nextafter(x, INFINITY));
		if (q > -1074)
			assert_shortest(nextafter(x, 0));
	}
}

static void powers_of_ten_print_as_one_digit(void **state)
{
	char text[NUM_MAX], want[NUM_MAX], digits[NUM_MAX];

	(void)state;
	for (int k = -323; k <= 308; k++) {
		snprintf(want, sizeof want, "1e%d", k);
		num_print(text, strtod(want, NULL));
		assert_int_equal(digits_of(text, digits), 1);
		assert_true(strtod(text, NULL) == strtod(want, NULL));
	}
}

static void short_decimals_come_back_as_they_were(void **state)
{
	char want[NUM_MAX];

	(void)state;
	for (int i = 1; i < 100000; i += 7) {
		snprintf(want, sizeof want, "%.15g", i / 1000.);
		assert_prints(i / 1000., want);
	}
}

static void only_whole_numbers_are_read(void **state)
{
	double x;
	int64_t i;

	(void)state;
	assert_true(num_real("1e-3", &x));
	assert_true(x == 1e-3);
	assert_true(num_real("-inf", &x));
	assert_false(num_real("", &x));
	assert_false(num_real(" 1", &x));
	assert_false(num_real("1 ", &x));
	assert_false(num_real("1.5x", &x));
	assert_true(num_int("-9223372036854775808", &i));
	assert_true(i == INT64_MIN);
	assert_false(num_int("9223372036854775808", &i));
	assert_false(num_int("1.0", &i));
	assert_false(num_int("", &i));
}

static void counts_take_thousands(void **state)
{
	uint64_t n;

	(void)state;
	assert_true(num_count("12000", &n) && n == 12000);
	assert_true(num_count("12k", &n) && n == 12000);
	assert_true(num_count("1.5M", &n) && n == 1500000);
	assert_true(num_count("2G", &n) && n == 2000000000);
	assert_true(num_count("0.1k", &n) && n == 100);
	assert_false(num_count("-1", &n));
	assert_false(num_count("1K", &n));
	assert_false(num_count("0x10", &n));
	assert_false(num_count("nan", &n));
	assert_false(num_count("1e30", &n));
	assert_false(num_count("k", &n));
	assert_false(num_count("", &n));
}

static void budgets_take_percents(void **state)
{
	uint64_t n;

	(void)state;
	assert_true(num_budget("1%", 22713986, &n) && n == 227139);
	assert_true(num_budget("100%", 22713986, &n) && n == 22713986);
	assert_true(num_budget("0.5k", 1, &n) && n == 500);
	assert_false(num_budget("1%%", 100, &n));
	assert_false(num_budget("%", 100, &n));
	assert_false(num_budget("-1%", 100, &n));
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(numbers_print_as_people_write_them),
		cmocka_unit_test(what_is_no_number_prints_without_sign_or_payload),
		cmocka_unit_test(edges_of_the_doubles_print_shortest),
		cmocka_unit_test(random_bits_read_back_from_the_fewest_digits),
		cmocka_unit_test(subnormals_read_back_from_the_fewest_digits),
		cmocka_unit_test(powers_of_two_and_their_neighbours_read_back),
		cmocka_unit_test(powers_of_ten_print_as_one_digit),
		cmocka_unit_test(short_decimals_come_back_as_they_were),
		cmocka_unit_test(only_whole_numbers_are_read),
		cmocka_unit_test(counts_take_thousands),
		cmocka_unit_test(budgets_take_percents),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
