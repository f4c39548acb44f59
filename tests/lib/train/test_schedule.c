#include <math.h>
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>

#include <cmocka.h>

#include "train/schedule.h"

static void close_to(double a, double b)
{
	assert_true(fabs(a - b) <= 1e-15);
}

/* get_linear_schedule_with_warmup and get_cosine_schedule_with_warmup of transformers with
 * 2 of 6 steps of warm-up. */
static void factors_are_those_of_transformers(void **state)
{
	static const double linear[] = { 0, 0.5, 1, 0.75, 0.5, 0.25 };
	static const double cosine[] = { 0,   0.5,
					 1,   0.8535533905932737,
					 0.5, 0.14644660940672627 };

	(void)state;
	for (uint64_t t = 0; t < 6; t++) {
		close_to(schedule_factor(SCHEDULE_LINEAR, t, 2, 6), linear[t]);
		close_to(schedule_factor(SCHEDULE_COSINE, t, 2, 6), cosine[t]);
		close_to(schedule_factor(SCHEDULE_CONSTANT, t, 2, 6),
			 t < 2 ? linear[t] : 1);
	}
}

static void without_warm_up_the_first_step_is_the_largest(void **state)
{
	(void)state;
	close_to(schedule_factor(SCHEDULE_LINEAR, 0, 0, 4), 1);
	close_to(schedule_factor(SCHEDULE_COSINE, 0, 0, 4), 1);
	close_to(schedule_factor(SCHEDULE_CONSTANT, 0, 0, 4), 1);
}

static void a_warm_up_longer_than_the_run_only_rises(void **state)
{
	(void)state;
	close_to(schedule_factor(SCHEDULE_LINEAR, 3, 10, 4), 0.3);
	close_to(schedule_factor(SCHEDULE_COSINE, 3, 4, 4), 0.75);
}

static void behind_the_last_step_nothing_moves(void **state)
{
	(void)state;
	close_to(schedule_factor(SCHEDULE_LINEAR, 4, 0, 4), 0);
	close_to(schedule_factor(SCHEDULE_COSINE, 9, 0, 4), 0);
}

static void names_are_known(void **state)
{
	enum schedule s = SCHEDULE_LINEAR;

	(void)state;
	assert_true(schedule_named("cosine", &s));
	assert_int_equal(s, SCHEDULE_COSINE);
	assert_true(schedule_named("linear", &s) && schedule_named("constant", &s));
	assert_false(schedule_named("lin", &s));
}

static void the_sum_is_that_of_all_factors(void **state)
{
	static const uint64_t lengths[][2] = { { 0, 1 }, { 0, 8 }, { 3, 9 },  { 1, 2 },
					       { 5, 5 }, { 9, 4 }, { 6, 100 } };

	(void)state;
	for (int s = SCHEDULE_LINEAR; s <= SCHEDULE_CONSTANT; s++) {
		for (size_t i = 0; i < sizeof lengths / sizeof lengths[0]; i++) {
			uint64_t warmup = lengths[i][0], steps = lengths[i][1];
			double sum = 0;

			for (uint64_t t = 0; t < steps; t++)
				sum += schedule_factor((enum schedule)s, t, warmup, steps);
			assert_true(fabs(schedule_sum((enum schedule)s, warmup, steps) -
					 sum) < 1e-9);
		}
	}
	assert_true(schedule_sum(SCHEDULE_LINEAR, 3, 0) == 0);
}

static void the_unsaid_learning_rate_grows_as_fewer_parameters_train(void **state)
{
	(void)state;
	close_to(schedule_lr(1000, 1000), 5e-5);
	close_to(schedule_lr(10, 1000), 5e-4);
	close_to(schedule_lr(1, 1000000000), 2e-3);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(factors_are_those_of_transformers),
		cmocka_unit_test(without_warm_up_the_first_step_is_the_largest),
		cmocka_unit_test(a_warm_up_longer_than_the_run_only_rises),
		cmocka_unit_test(behind_the_last_step_nothing_moves),
		cmocka_unit_test(the_sum_is_that_of_all_factors),
		cmocka_unit_test(the_unsaid_learning_rate_grows_as_fewer_parameters_train),
		cmocka_unit_test(names_are_known),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
