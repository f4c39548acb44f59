#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <setjmp.h>
#include <cmocka.h>
#include <stdlib.h>
#include <string.h>
#include <zlib.h>

#include "../images.h"
#include "data/resample.h"

/* noise() of tests/ref/pixels.py */
static unsigned char *noise(size_t n)
{
	unsigned char *bytes = malloc(n);
	uint32_t x = 1;

	assert_non_null(bytes);
	for (size_t i = 0; i < n; i++) {
		x = 1664525U * x + 1013904223U;
		bytes[i] = (unsigned char)(x >> 24);
	}
	return bytes;
}

static void pictures_are_resized_as_pillow_resizes_them(void **state)
{
	struct rows *table = open_table("resample.tsv");
	char **field;
	struct err e;
	int cases = 0;

	(void)state;
	for (; (field = next_row(table, 7)) != NULL; cases++) {
		size_t height = number(field[1]), width = number(field[2]);
		size_t channels = number(field[3]);
		size_t to_height = number(field[4]), to_width = number(field[5]);
		size_t n = to_height * to_width * channels;
		unsigned char *in = noise(height * width * channels), *out = malloc(n);

		assert_non_null(out);
		assert_int_equal(resample((enum resample)number(field[0]), in, height,
					  width, channels, out, to_height, to_width, &e),
				 EX_OK);
		if (crc32(0, out, (uInt)n) != hex(field[6], 8))
			fail_msg("filter %s, %s x %s to %s x %s, %s channels", field[0],
				 field[1], field[2], field[4], field[5], field[3]);
		free(in);
		free(out);
	}
	rows_close(table);
	assert_int_equal(cases, RESAMPLE_KINDS * 32);
}

static void one_colour_stays_one_colour(void **state)
{
	unsigned char in[9 * 5], out[20 * 3];
	struct err e;

	(void)state;
	memset(in, 201, sizeof in);
	for (int how = 0; how < RESAMPLE_KINDS; how++) {
		assert_int_equal(resample((enum resample)how, in, 9, 5, 1, out, 3, 20, &e),
				 EX_OK);
		for (size_t i = 0; i < sizeof out; i++)
			assert_int_equal(out[i], 201);
	}
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(pictures_are_resized_as_pillow_resizes_them),
		cmocka_unit_test(one_colour_stays_one_colour),
	};

	return cmocka_run_group_tests_name("resample", tests, NULL, NULL);
}
