#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <setjmp.h>
#include <cmocka.h>
#include <math.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "io/rows.h"
#include "train/metric.h"

#define MAX_POINTS 1000

/* Some ulps of sums of up to 200 terms. */
#define TOLERANCE 1e-12

static size_t read_numbers(char *text, double *x)
{
	size_t n = 0;

	for (char *rest, *word = strtok_r(text, ",", &rest); word != NULL;
	     word = strtok_r(NULL, ",", &rest)) {
		assert_true(n < MAX_POINTS);
		x[n++] = strtod(word, NULL);
	}
	return n;
}

static double compute(const char *metric, size_t classes, size_t n, const double *truth,
		      const double *guess)
{
	int32_t t[MAX_POINTS], g[MAX_POINTS];
	double r = 0;

	for (size_t i = 0; i < n; i++) {
		t[i] = classes > 0 ? (int32_t)truth[i] : 0;
		g[i] = classes > 0 ? (int32_t)guess[i] : 0;
	}
	if (strcmp(metric, "accuracy") == 0)
		return metric_accuracy(n, t, g);
	if (strcmp(metric, "f1") == 0)
		return metric_f1(n, classes, t, g);
	if (strcmp(metric, "matthews") == 0)
		return metric_matthews(n, classes, t, g);
	if (strcmp(metric, "pearson") == 0)
		return metric_pearson(n, truth, guess);
	assert_string_equal(metric, "spearman");
	assert_int_equal(metric_spearman(n, truth, guess, &r, NULL), EX_OK);
	return r;
}

static void values_equal_those_of_scikit_learn_and_scipy(void **state)
{
	const char *tests = getenv("TESTS");
	char path[4096], **field;
	double truth[MAX_POINTS], guess[MAX_POINTS];
	struct rows *r;
	struct err e;
	size_t n, rows = 0;

	(void)state;
	snprintf(path, sizeof path, "%s/fixtures/metric.tsv",
		 tests == NULL ? "tests" : tests);
	if (rows_open(&r, path, '\t', false, &e) != EX_OK)
		fail_msg("%s", e.text);
	assert_int_equal(rows_next(r, &field, &n, &e), EX_OK);
	assert_string_equal(field[0], "#metric");
	for (; rows_next(r, &field, &n, &e) == EX_OK && n > 0; rows++) {
		size_t k, points;
		double want, got;

		assert_int_equal(n, 5);
		k = (size_t)strtoul(field[1], NULL, 10);
		points = read_numbers(field[2], truth);
		assert_int_equal(read_numbers(field[3], guess), points);
		want = strtod(field[4], NULL);
		got = compute(field[0], k, points, truth, guess);
		if (isnan(want) ? !isnan(got) : !(fabs(got - want) <= TOLERANCE))
			fail_msg("line %llu: %s is %.17g, not %.17g", rows_line(r),
				 field[0], got, want);
	}
	rows_close(r);
	assert_int_equal(rows, 3 * 12 + 2 * 17);
}

static void nothing_and_nan_give_nan_and_infinity_has_a_rank_alone(void **state)
{
	const double x[] = { 1, 2, 3 }, y[] = { 1, (double)NAN, 2 },
		     z[] = { 1, 2, (double)INFINITY };
	double r;

	(void)state;
	assert_true(isnan(metric_accuracy(0, NULL, NULL)));
	assert_true(isnan(metric_f1(0, 2, NULL, NULL)));
	assert_true(isnan(metric_matthews(0, 2, NULL, NULL)));
	assert_true(isnan(metric_pearson(1, x, x)));
	assert_true(isnan(metric_pearson(3, x, y)));
	assert_true(isnan(metric_pearson(3, z, x)));
	assert_int_equal(metric_spearman(3, y, x, &r, NULL), EX_OK);
	assert_true(isnan(r));
	assert_int_equal(metric_spearman(3, z, x, &r, NULL), EX_OK);
	assert_true(fabs(r - 1) < TOLERANCE);
	assert_int_equal(metric_spearman(0, NULL, NULL, &r, NULL), EX_OK);
	assert_true(isnan(r));
}

/* (1, 2, 4) and (1, 5, 2) have r = 3 / sqrt(42 * 78). */
static void an_offset_and_a_scale_leave_a_correlation_as_it_is(void **state)
{
	const double x[] = { 1e3 + 1, 1e3 + 2, 1e3 + 4 }, y[] = { 1, 5, 2 },
		     tiny[] = { 1e-200, 2e-200, 4e-200 }, huge[] = { 1e200, 5e200, 2e200 };
	double r = 3 / sqrt(42.0 * 78.0);

	(void)state;
	assert_true(fabs(metric_pearson(3, x, y) - r) < TOLERANCE);
	assert_true(fabs(metric_pearson(3, tiny, huge) - r) < TOLERANCE);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(an_offset_and_a_scale_leave_a_correlation_as_it_is),
		cmocka_unit_test(values_equal_those_of_scikit_learn_and_scipy),
		cmocka_unit_test(nothing_and_nan_give_nan_and_infinity_has_a_rank_alone),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
