#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <setjmp.h>
#include <cmocka.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#include "../images.h"
#include "data/pixels.h"

static char dir[] = "/tmp/test_pixels.XXXXXX";
static char path[64];

static int make_dir(void **state)
{
	(void)state;
	if (mkdtemp(dir) == NULL)
		return -1;
	snprintf(path, sizeof path, "%s/preprocessor_config.json", dir);
	return 0;
}

static int remove_dir(void **state)
{
	(void)state;
	unlink(path);
	return rmdir(dir);
}

/* "-": no file. */
static void configure(const char *json)
{
	FILE *f;

	unlink(path);
	if (strcmp(json, "-") == 0)
		return;
	f = fopen(path, "w");
	assert_non_null(f);
	assert_true(fputs(json, f) >= 0);
	fclose(f);
}

static void open_pixels(struct pixels *p, size_t channels, size_t height, size_t width)
{
	struct err e;

	if (pixels_read(p, dir, channels, height, width, &e) != EX_OK)
		fail_msg("%s", e.text);
}

/* [channels, height, width] for the caller to free. */
static float *floats_of(const struct pixels *p, const char *name)
{
	size_t n = p->channels * p->height * p->width;
	unsigned char *bytes = malloc(n);
	float *values = malloc(n * sizeof *values);
	struct image im;
	struct err e;

	assert_non_null(bytes);
	assert_non_null(values);
	if (image_read(&im, picture(name), &e) != EX_OK ||
	    pixels_fit(p, &im, bytes, &e) != EX_OK)
		fail_msg("%s: %s", name, e.text);
	pixels_floats(p, bytes, values);
	image_free(&im);
	free(bytes);
	return values;
}

/* `rows` of each channel are in `want`, as hexadecimal bits. */
static void compare(const struct pixels *p, const float *values, size_t rows,
		    const char *want, const char *what)
{
	size_t n = rows * p->width;

	assert_int_equal(strlen(want), 8 * p->channels * n);
	for (size_t i = 0; i < p->channels * n; i++) {
		float is = values[i / n * p->height * p->width + i % n], should;
		uint32_t bits = hex(want + 8 * i, 8);

		memcpy(&should, &bits, sizeof should);
		if (is != should)
			fail_msg("%s: value %zu is %.9g, not %.9g", what, i, (double)is,
				 (double)should);
	}
}

static void values_are_those_of_transformers_before_and_after_saving(void **state)
{
	struct rows *table = open_table("fit.tsv");
	char **field;
	struct err e;
	int cases = 0;

	(void)state;
	for (; (field = next_row(table, 6)) != NULL; cases++) {
		size_t height = number(field[2]), rows = height > 100 ? 2 : height;
		struct pixels p;
		float *values;

		configure(field[4]);
		open_pixels(&p, number(field[1]), height, number(field[3]));
		values = floats_of(&p, field[0]);
		compare(&p, values, rows, field[5], field[4]);
		free(values);
		unlink(path);
		assert_int_equal(pixels_save(&p, path, &e), EX_OK);
		open_pixels(&p, number(field[1]), height, number(field[3]));
		values = floats_of(&p, field[0]);
		compare(&p, values, rows, field[5], "saved");
		free(values);
	}
	rows_close(table);
	assert_true(cases >= 15);
}

static void a_saved_file_is_never_overwritten(void **state)
{
	struct pixels p;
	struct err e;

	(void)state;
	configure("{}");
	open_pixels(&p, 3, 8, 8);
	assert_int_equal(pixels_save(&p, path, &e), EX_CANTCREAT);
}

static void numbers_are_saved_as_they_were_read(void **state)
{
	char text[2000] = { 0 };
	struct pixels p;
	struct err e;
	FILE *f;

	(void)state;
	configure("{\"size\": {\"shortest_edge\": 9}, \"crop_size\": 8, \"resample\": 3,"
		  "\"do_center_crop\": true, \"image_mean\": [0.485, 0.456, 0.406],"
		  "\"rescale_factor\": 0.00392156862745098}");
	open_pixels(&p, 3, 8, 8);
	unlink(path);
	assert_int_equal(pixels_save(&p, path, &e), EX_OK);
	f = fopen(path, "r");
	assert_non_null(f);
	assert_true(fread(text, 1, sizeof text - 1, f) > 0);
	fclose(f);
	assert_non_null(strstr(text, "0.485,\n    0.456,\n    0.406"));
	assert_non_null(strstr(text, "\"shortest_edge\": 9"));
	assert_non_null(strstr(text, "\"resample\": 3"));
	assert_non_null(strstr(text, "\"rescale_factor\": 0.00392156862745098"));
	assert_non_null(strstr(text, "\"image_processor_type\": \"ViTImageProcessor\""));
}

static void refused(const char *json, size_t channels, const char *want)
{
	struct err e = { 0 };
	struct pixels p;
	int rc;

	configure(json);
	rc = pixels_read(&p, dir, channels, 8, 8, &e);
	if (rc != EX_DATAERR || strstr(e.text, want) == NULL)
		fail_msg("%s: status %d, or \"%s\" is not in \"%s\"", json, rc, want,
			 e.text);
}

static void another_size_than_the_models_is_refused(void **state)
{
	(void)state;
	refused("{\"size\": 9}", 3, "gives 9 x 9 pixels");
	refused("{\"size\": {\"height\": 8, \"width\": 7}}", 3, "gives 7 x 8 pixels");
	refused("{\"size\": {\"shortest_edge\": 7}}", 3, "gives 7 x 7");
	refused("{\"do_center_crop\": true, \"crop_size\": 10}", 3, "gives 10 x 10");
	refused("{\"image_processor_type\": \"DeiTImageProcessor\"}", 3, "224 x 224");
}

static void a_malformed_file_is_refused_by_key(void **state)
{
	(void)state;
	refused("[]", 3, "not a JSON object");
	refused("{", 3, "not valid JSON");
	refused("{\"image_processor_type\": \"CLIPImageProcessor\"}", 3, "CLIPImage");
	refused("{\"image_processor_type\": \"ImageProcessor\"}", 3, "'ImageProcessor'");
	refused("{\"image_processor_type\": 3}", 3, "image_processor_type");
	refused("{\"do_resize\": 1}", 3, "do_resize");
	refused("{\"resample\": 6}", 3, "resample is 6");
	refused("{\"resample\": -1}", 3, "resample is -1");
	refused("{\"size\": 0}", 3, "size");
	refused("{\"size\": 1e9}", 3, "size");
	refused("{\"size\": 100000000}", 3, "size");
	refused("{\"size\": [8]}", 3, "size");
	refused("{\"size\": [8, [8]]}", 3, "size");
	refused("{\"size\": {\"longest_edge\": 8}}", 3, "size");
	refused("{\"size\": {\"height\": 8, \"width\": \"8\"}}", 3, "size");
	refused("{\"size\": {\"shortest_edge\": 0}}", 3, "size");
	refused("{\"do_center_crop\": true}", 3, "crop_size");
	refused("{\"do_center_crop\": true, \"crop_size\": {\"height\": 8}}", 3,
		"crop_size");
	refused("{\"do_pad\": true}", 3, "do_pad");
	refused("{\"rescale_factor\": \"x\"}", 3, "rescale_factor");
	refused("{\"image_mean\": [1, 2]}", 3, "2 values");
	refused("{\"image_mean\": [1, 2, 3]}", 1, "3 values");
	refused("{\"image_mean\": [1, 2, \"3\"]}", 3, "image_mean");
	refused("{\"image_std\": [1, 0, 1]}", 3, "image_std holds 0");
	refused("{\"image_std\": 1e-60}", 3, "image_std");
	refused("{\"do_convert_rgb\": true}", 1, "do_convert_rgb");
	refused("-", 2, "2 channels");
}

/* Where the size depends on the picture. */
static void a_picture_of_another_size_is_refused(void **state)
{
	static const char *const configs[] = { "{\"do_resize\": false}",
					       "{\"size\": {\"shortest_edge\": 8}}" };
	static const size_t sides[][2] = { { 8, 8 }, { 7, 8 } };
	unsigned char in[8 * 8] = { 0 }, out[8 * 8];
	struct pixels p;
	struct err e;

	(void)state;
	for (int i = 0; i < 4; i++) {
		struct image im = { sides[i / 2][0], sides[i / 2][1], 1, in };

		configure(configs[i % 2]);
		open_pixels(&p, 1, 8, 8);
		assert_int_equal(pixels_fit(&p, &im, out, &e), i < 2 ? EX_OK : EX_DATAERR);
		if (i >= 2)
			assert_non_null(strstr(e.text, "the model takes 8 x 8"));
	}
}

static void a_picture_too_narrow_to_be_resized_is_refused(void **state)
{
	static unsigned char in[1 << 20];
	struct image im = { 1, sizeof in, 1, in };
	unsigned char out[16];
	struct pixels p;
	struct err e;

	(void)state;
	configure("{\"size\": {\"shortest_edge\": 4096}, \"do_center_crop\": true,"
		  "\"crop_size\": 4}");
	open_pixels(&p, 1, 4, 4);
	assert_int_equal(pixels_fit(&p, &im, out, &e), EX_DATAERR);
	assert_non_null(strstr(e.text, "1 x 1048576 pixels are too long"));
}

static void a_picture_without_pixels_is_refused(void **state)
{
	struct image im = { .width = 5, .channels = 1 };
	unsigned char out[16];
	struct pixels p;
	struct err e;

	(void)state;
	configure("-");
	open_pixels(&p, 1, 4, 4);
	assert_int_equal(pixels_fit(&p, &im, out, &e), EX_DATAERR);
	assert_non_null(strstr(e.text, "5 x 0 pixels"));
}

static void grey_is_the_weighted_sum_of_colours(void **state)
{
	unsigned char rgb[] = { 255, 0, 0, 0, 255, 0, 0, 0, 255, 10, 20, 30 }, out[4];
	struct image im = { 4, 1, 3, rgb };
	struct pixels p;
	struct err e;

	(void)state;
	configure("{\"do_resize\": false}");
	open_pixels(&p, 1, 1, 4);
	assert_int_equal(pixels_fit(&p, &im, out, &e), EX_OK);
	assert_int_equal(out[0], 76);
	assert_int_equal(out[1], 150);
	assert_int_equal(out[2], 29);
	assert_int_equal(out[3], 18);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(values_are_those_of_transformers_before_and_after_saving),
		cmocka_unit_test(a_saved_file_is_never_overwritten),
		cmocka_unit_test(numbers_are_saved_as_they_were_read),
		cmocka_unit_test(another_size_than_the_models_is_refused),
		cmocka_unit_test(a_malformed_file_is_refused_by_key),
		cmocka_unit_test(a_picture_of_another_size_is_refused),
		cmocka_unit_test(a_picture_too_narrow_to_be_resized_is_refused),
		cmocka_unit_test(a_picture_without_pixels_is_refused),
		cmocka_unit_test(grey_is_the_weighted_sum_of_colours),
	};

	return cmocka_run_group_tests_name("pixels", tests, make_dir, remove_dir);
}
