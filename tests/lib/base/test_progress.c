#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <setjmp.h>
#include <cmocka.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "base/progress.h"

/* What five steps write in that style, the last draw being `ago` seconds past. */
static char *five_steps(enum progress_style style, double ago)
{
	struct progress p;
	char *got = NULL;
	size_t len;
	FILE *f = open_memstream(&got, &len);

	assert_non_null(f);
	progress_start(&p, f, style, "probe", 5);
	p.started -= 20;
	for (size_t i = 1; i <= 5; i++) {
		p.drawn -= ago;
		progress_step(&p, i, "loss 0.412");
	}
	progress_end(&p);
	fclose(f);
	return got;
}

static void no_style_writes_nothing(void **state)
{
	char *got = five_steps(PROGRESS_NONE, 60);

	(void)state;
	assert_string_equal(got, "");
	free(got);
}

static void a_bar_redraws_its_line_and_clears_it_at_last(void **state)
{
	char *got = five_steps(PROGRESS_BAR, 1);

	(void)state;
	assert_null(strchr(got, '\n'));
	assert_non_null(strstr(got, "\rprobe 2/5  40%"));
	assert_non_null(strstr(got, "  ETA 0:30  loss 0.412\033[K"));
	assert_string_equal(got + strlen(got) - 4, "\r\033[K");
	free(got);
}

static void a_bar_is_drawn_ten_times_a_second_at_most(void **state)
{
	char *got = five_steps(PROGRESS_BAR, 0);
	size_t draws = 0;

	(void)state;
	for (const char *s = got; (s = strstr(s, "\rprobe")) != NULL; s++)
		draws++;
	assert_int_equal(draws, 1);
	free(got);
}

static void plain_lines_come_rarely_and_one_at_the_end(void **state)
{
	char *often = five_steps(PROGRESS_PLAIN, 60), *rare = five_steps(PROGRESS_PLAIN, 0);

	(void)state;
	assert_non_null(strstr(often, "probe 2/5  40%"));
	assert_null(strchr(often, '\033'));
	assert_non_null(strstr(often, "probe 5/5 done in 0:20\n"));
	assert_string_equal(rare, "probe 5/5 done in 0:20\n");
	free(often);
	free(rare);
}

static void no_work_and_too_much_work_do_not_divide_by_zero(void **state)
{
	struct progress p;
	char *got = NULL;
	size_t len;
	FILE *f = open_memstream(&got, &len);

	(void)state;
	progress_start(&p, f, PROGRESS_BAR, "probe", 0);
	progress_step(&p, 3, NULL);
	progress_end(&p);
	progress_start(&p, f, PROGRESS_BAR, "probe", 2);
	progress_step(&p, 3, NULL);
	progress_end(&p);
	fclose(f);
	assert_non_null(strstr(got, "probe 2/2  100%"));
	free(got);
}

static void the_clock_does_not_go_back(void **state)
{
	double a = progress_clock();

	(void)state;
	for (int i = 0; i < 1000; i++) {
		double b = progress_clock();

		assert_true(b >= a);
		a = b;
	}
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(no_style_writes_nothing),
		cmocka_unit_test(a_bar_redraws_its_line_and_clears_it_at_last),
		cmocka_unit_test(a_bar_is_drawn_ten_times_a_second_at_most),
		cmocka_unit_test(plain_lines_come_rarely_and_one_at_the_end),
		cmocka_unit_test(no_work_and_too_much_work_do_not_divide_by_zero),
		cmocka_unit_test(the_clock_does_not_go_back),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
