#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <setjmp.h>
#include <cmocka.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>
#include <zlib.h>

#include "io/idx.h"

static char dir[] = "/tmp/test_idx.XXXXXX";
static char path[64];

static int make_dir(void **state)
{
	(void)state;
	return mkdtemp(dir) == NULL ? -1 : 0;
}

static int remove_dir(void **state)
{
	(void)state;
	return rmdir(dir);
}

static void write_file(const char *name, const void *bytes, size_t len)
{
	FILE *f;

	snprintf(path, sizeof path, "%s/%s", dir, name);
	unlink(path);
	f = fopen(path, "wb");
	assert_non_null(f);
	assert_int_equal(fwrite(bytes, 1, len, f), len);
	fclose(f);
}

/* The gzipped bytes, in the file and, for the caller to free, in memory. */
static char *write_gzip(const char *name, const void *bytes, size_t len, size_t *packed)
{
	char *copy = malloc(len + 1000);
	gzFile f;
	FILE *plain;

	snprintf(path, sizeof path, "%s/%s", dir, name);
	f = gzopen(path, "wb");
	assert_non_null(f);
	assert_int_equal(gzwrite(f, bytes, (unsigned)len), len);
	gzclose(f);
	plain = fopen(path, "rb");
	assert_non_null(plain);
	assert_non_null(copy);
	*packed = fread(copy, 1, len + 1000, plain);
	fclose(plain);
	return copy;
}

static void refused(const char *want)
{
	struct err e = { 0 };
	struct idx x;
	int rc = idx_read(&x, path, &e);

	if (rc != EX_DATAERR || strstr(e.text, want) == NULL ||
	    strstr(e.text, path) == NULL)
		fail_msg("status %d, or \"%s\" is not in \"%s\"", rc, want, e.text);
	assert_null(x.bytes);
	unlink(path);
}

static void refused_bytes(const char *bytes, size_t len, const char *want)
{
	write_file("array", bytes, len);
	refused(want);
}

#define REFUSED(bytes, want) refused_bytes(bytes, sizeof(bytes) - 1, want)

static const char pictures[] = "\0\0\x08\x03\0\0\0\2\0\0\0\1\0\0\0\3"
			       "abc\0ef";

#define PICTURES_LEN (sizeof pictures - 1)

static void check_pictures(void)
{
	struct err e;
	struct idx x;

	if (idx_read(&x, path, &e) != EX_OK)
		fail_msg("%s", e.text);
	assert_int_equal(x.ndim, 3);
	assert_int_equal(x.shape[0], 2);
	assert_int_equal(x.shape[1], 1);
	assert_int_equal(x.shape[2], 3);
	assert_int_equal(x.shape[3], 1);
	assert_int_equal(x.n, 6);
	assert_memory_equal(x.bytes, "abc\0ef", 6);
	idx_free(&x);
	unlink(path);
}

static void an_array_is_read_gzipped_or_not(void **state)
{
	size_t packed;

	(void)state;
	write_file("array", pictures, PICTURES_LEN);
	check_pictures();
	free(write_gzip("array.gz", pictures, PICTURES_LEN, &packed));
	check_pictures();
	free(write_gzip("array", pictures, PICTURES_LEN, &packed));
	check_pictures();
}

static void one_to_four_dimensions_are_read(void **state)
{
	struct err e;
	struct idx x;

	(void)state;
	write_file("labels", "\0\0\x08\1\0\0\0\3\7\2\1", 11);
	assert_int_equal(idx_read(&x, path, &e), EX_OK);
	assert_int_equal(x.ndim, 1);
	assert_int_equal(x.shape[0], 3);
	assert_memory_equal(x.bytes, "\7\2\1", 3);
	idx_free(&x);
	write_file("labels", "\0\0\x08\4\0\0\0\1\0\0\0\2\0\0\0\1\0\0\0\2wxyz", 24);
	assert_int_equal(idx_read(&x, path, &e), EX_OK);
	assert_int_equal(x.ndim, 4);
	assert_int_equal(x.shape[3], 2);
	assert_memory_equal(x.bytes, "wxyz", 4);
	idx_free(&x);
	unlink(path);
}

static void no_elements_are_no_error(void **state)
{
	struct err e;
	struct idx x;

	(void)state;
	write_file("none", "\0\0\x08\2\0\0\0\0\xff\xff\xff\xff", 12);
	assert_int_equal(idx_read(&x, path, &e), EX_OK);
	assert_int_equal(x.n, 0);
	assert_non_null(x.bytes);
	idx_free(&x);
	unlink(path);
}

static void more_than_a_block_is_read(void **state)
{
	size_t n = 3000000, packed;
	char *bytes = malloc(n + 8);
	struct err e;
	struct idx x;

	(void)state;
	assert_non_null(bytes);
	memcpy(bytes, "\0\0\x08\1\0\x2d\xc6\xc0", 8);
	for (size_t i = 0; i < n; i++)
		bytes[8 + i] = (char)(i * i >> 7);
	free(write_gzip("large.gz", bytes, n + 8, &packed));
	assert_int_equal(idx_read(&x, path, &e), EX_OK);
	assert_int_equal(x.n, n);
	assert_memory_equal(x.bytes, bytes + 8, n);
	idx_free(&x);
	free(bytes);
	unlink(path);
}

static void another_format_is_refused_with_what_was_found(void **state)
{
	(void)state;
	REFUSED("", "ends after 0 bytes");
	REFUSED("\0\0\x08", "ends after 3 bytes");
	REFUSED("\x89PNG", "89 50 4e 47");
	REFUSED("\0\0\x0d\1\0\0\0\0", "type 0x0d");
	REFUSED("\0\0\x08\0", "0 dimensions");
	REFUSED("\0\0\x08\5", "5 dimensions");
}

static void other_sizes_than_the_file_has_are_refused(void **state)
{
	(void)state;
	REFUSED("\0\0\x08\2\0\0\0\1\0\0", "dimension 2 of 2");
	REFUSED("\0\0\x08\1\0\0\0\3ab", "2 of 3 elements");
	REFUSED("\0\0\x08\1\0\0\0\3abcd", "bytes follow the 3 elements");
	REFUSED("\0\0\x08\1\xff\xff\xff\xff"
		"a",
		"1 of 4294967295 elements");
	REFUSED("\0\0\x08\3\xff\xff\xff\xff\xff\xff\xff\xff\xff\xff\xff\xff", "multiply");
}

static void damaged_gzip_is_refused(void **state)
{
	size_t packed;
	char *bytes = write_gzip("array.gz", pictures, PICTURES_LEN, &packed);

	(void)state;
	for (size_t cut = 2; cut < packed; cut++) {
		write_file("array.gz", bytes, cut);
		refused("");
	}
	bytes[packed - 6] ^= 1; /* its checksum */
	write_file("array.gz", bytes, packed);
	refused("damaged");
	write_file("array.gz", pictures, PICTURES_LEN);
	refused("not a gzip file");
	free(bytes);
}

static void a_missing_file_or_a_directory_is_no_input(void **state)
{
	struct err e;
	struct idx x;

	(void)state;
	snprintf(path, sizeof path, "%s/absent", dir);
	assert_int_equal(idx_read(&x, path, &e), EX_NOINPUT);
	assert_non_null(strstr(e.text, "absent"));
	assert_int_equal(idx_read(&x, dir, &e), EX_NOINPUT);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(an_array_is_read_gzipped_or_not),
		cmocka_unit_test(one_to_four_dimensions_are_read),
		cmocka_unit_test(no_elements_are_no_error),
		cmocka_unit_test(more_than_a_block_is_read),
		cmocka_unit_test(another_format_is_refused_with_what_was_found),
		cmocka_unit_test(other_sizes_than_the_file_has_are_refused),
		cmocka_unit_test(damaged_gzip_is_refused),
		cmocka_unit_test(a_missing_file_or_a_directory_is_no_input),
	};

	return cmocka_run_group_tests_name("idx", tests, make_dir, remove_dir);
}
