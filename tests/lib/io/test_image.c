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
#include "base/str.h"
#include "io/file.h"
#include "io/image.h"

static char dir[] = "/tmp/test_image.XXXXXX";
static char path[64];

static int make_dir(void **state)
{
	(void)state;
	if (mkdtemp(dir) == NULL)
		return -1;
	snprintf(path, sizeof path, "%s/picture", dir);
	return 0;
}

static int remove_dir(void **state)
{
	(void)state;
	unlink(path);
	return rmdir(dir);
}

static void write_file(const char *bytes, size_t len)
{
	FILE *f;

	unlink(path);
	f = fopen(path, "wb");
	assert_non_null(f);
	assert_int_equal(fwrite(bytes, 1, len, f), len);
	fclose(f);
}

static void load(const char *name, char **bytes, size_t *len)
{
	struct err e;

	if (file_read(picture(name), (size_t)1 << 20, bytes, len, &e) != EX_OK)
		fail_msg("%s", e.text);
}

static void refused(const char *file, int want, const char *text)
{
	struct err e = { 0 };
	struct image im;
	int rc = image_read(&im, file, &e);

	if (rc != want || strstr(e.text, text) == NULL)
		fail_msg("%s: status %d, not %d, or \"%s\" is not in \"%s\"", file, rc,
			 want, text, e.text);
	assert_null(im.bytes);
}

/* ---- sound files ---- */

/* Pillow has a JPEG library of its own; another one may round a level otherwise. */
static void compare(const struct image *im, const char *name, const char *want)
{
	int slack = str_ends(name, ".jpg") ? 1 : 0;
	size_t n = im->width * im->height * im->channels;

	assert_int_equal(strlen(want), 2 * n);
	for (size_t i = 0; i < n; i++) {
		int is = im->bytes[i], should = (int)hex(want + 2 * i, 2);

		if (abs(is - should) > slack)
			fail_msg("%s: byte %zu is %d, not %d", name, i, is, should);
	}
}

static void pictures_of_every_kind_are_read_as_pillow_reads_them(void **state)
{
	struct rows *table = open_table("read.tsv");
	char **field;
	struct err e;
	int kinds = 0;

	(void)state;
	while ((field = next_row(table, 5)) != NULL) {
		struct image im;

		if (image_read(&im, picture(field[0]), &e) != EX_OK)
			fail_msg("%s", e.text);
		assert_int_equal(im.width, number(field[1]));
		assert_int_equal(im.height, number(field[2]));
		assert_int_equal(im.channels, number(field[3]));
		compare(&im, field[0], field[4]);
		image_free(&im);
		kinds++;
	}
	rows_close(table);
	assert_true(kinds >= 30);
}

static void the_signature_decides_not_the_name(void **state)
{
	struct image im;
	struct err e;
	char *bytes;
	size_t len;

	(void)state;
	load("grey.jpg", &bytes, &len);
	write_file(bytes, len);
	free(bytes);
	assert_int_equal(image_read(&im, path, &e), EX_OK);
	assert_int_equal(im.channels, 1);
	assert_int_equal(im.width, 35);
	image_free(&im);
}

static void bytes_after_the_picture_are_left_alone(void **state)
{
	static const char *const names[] = { "rgb-8.png", "colour-420.jpg" };
	struct image im;
	struct err e;

	(void)state;
	for (int i = 0; i < 2; i++) {
		char *bytes;
		size_t len;

		load(names[i], &bytes, &len);
		bytes = realloc(bytes, len + 9);
		assert_non_null(bytes);
		memcpy(bytes + len, "trailing", 9);
		write_file(bytes, len + 9);
		free(bytes);
		assert_int_equal(image_read(&im, path, &e), EX_OK);
		image_free(&im);
	}
}

/* ---- others ---- */

static void files_that_are_no_pictures_are_refused(void **state)
{
	(void)state;
	refused(picture("absent.png"), EX_NOINPUT, "absent.png");
	refused(picture(""), EX_NOINPUT, "");
	refused(picture("read.tsv"), EX_DATAERR, "neither a PNG nor a JPEG");
	refused(picture("damaged-picture.gif"), EX_DATAERR, "neither a PNG nor a JPEG");
	write_file("", 0);
	refused(path, EX_DATAERR, "empty");
	write_file("\xff\xd8\xff", 3);
	refused(path, EX_DATAERR, "truncated");
	write_file("\x89PNG\r\n\x1a\n", 8);
	refused(path, EX_DATAERR, "truncated");
}

static void damaged_files_are_refused_with_the_reason(void **state)
{
	(void)state;
	refused(picture("damaged-crc.png"), EX_DATAERR, "CRC");
	refused(picture("damaged-empty.png"), EX_DATAERR, "damaged");
	refused(picture("damaged-pixels.jpg"), EX_DATAERR, "damaged");
	refused(picture("damaged-two-channels.jpg"), EX_DATAERR,
		"damaged-two-channels.jpg");
}

static void sizes_that_the_file_cannot_hold_are_refused(void **state)
{
	(void)state;
	refused(picture("damaged-huge.png"), EX_DATAERR, "1073741824 x 1073741824");
	refused(picture("damaged-large.png"), EX_DATAERR, "truncated");
	refused(picture("damaged-large.jpg"), EX_DATAERR, "truncated");
}

static void cut(const char *name)
{
	char *bytes;
	size_t len;

	load(name, &bytes, &len);
	for (size_t n = 3; n < len; n++) {
		write_file(bytes, n);
		refused(path, EX_DATAERR, n < 8 ? "" : "truncated");
	}
	free(bytes);
}

static void a_truncated_file_is_refused_wherever_it_was_cut(void **state)
{
	(void)state;
	cut("grey-alpha-8.png");
	cut("rgb-interlaced.png");
	cut("grey.jpg");
	cut("colour-420.jpg");
	cut("colour-progressive.jpg");
	cut("cmyk.jpg");
}

/* What comes out of a damaged file is free, but it comes out or is refused. */
static void damage(const char *name, int bit, size_t *refusals)
{
	size_t len;
	char *bytes;

	load(name, &bytes, &len);
	for (size_t at = 8; at < len; at++) {
		struct image im;
		struct err e;
		int rc;

		bytes[at] = (char)(bytes[at] ^ 1 << bit);
		write_file(bytes, len);
		rc = image_read(&im, path, &e);
		assert_true(rc == EX_OK || rc == EX_DATAERR);
		*refusals += rc == EX_DATAERR;
		image_free(&im);
		bytes[at] = (char)(bytes[at] ^ 1 << bit);
	}
	free(bytes);
}

static void any_damaged_byte_is_survived(void **state)
{
	size_t refusals = 0;

	(void)state;
	for (int bit = 0; bit < 8; bit += 3) {
		damage("palette-clear.png", bit, &refusals);
		damage("grey-4-interlaced.png", bit, &refusals);
		damage("grey.jpg", bit, &refusals);
		damage("colour-progressive.jpg", bit, &refusals);
	}
	assert_true(refusals > 500);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(pictures_of_every_kind_are_read_as_pillow_reads_them),
		cmocka_unit_test(the_signature_decides_not_the_name),
		cmocka_unit_test(bytes_after_the_picture_are_left_alone),
		cmocka_unit_test(files_that_are_no_pictures_are_refused),
		cmocka_unit_test(damaged_files_are_refused_with_the_reason),
		cmocka_unit_test(sizes_that_the_file_cannot_hold_are_refused),
		cmocka_unit_test(a_truncated_file_is_refused_wherever_it_was_cut),
		cmocka_unit_test(any_damaged_byte_is_survived),
	};

	return cmocka_run_group_tests_name("image", tests, make_dir, remove_dir);
}
