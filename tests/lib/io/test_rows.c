#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <setjmp.h>
#include <cmocka.h>
#include <fcntl.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>
#include <zlib.h>

#include "base/str.h"
#include "io/rows.h"

static char dir[] = "/tmp/test_rows.XXXXXX";
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

static void name_file(const char *name)
{
	snprintf(path, sizeof path, "%s/%s", dir, name);
}

static void write_file(const char *name, const char *bytes, size_t len)
{
	FILE *f;

	name_file(name);
	f = fopen(path, "wb");
	assert_non_null(f);
	assert_int_equal(fwrite(bytes, 1, len, f), len);
	fclose(f);
}

/* Rows as LINE:<field><field>|LINE:...; on failure the message. */
static char *read_rows(char delimiter, bool quoting, int want)
{
	struct strbuf b = { 0 };
	struct err e = { 0 };
	struct rows *r = NULL;
	char **field;
	size_t n = 0;
	int rc = rows_open(&r, path, delimiter, quoting, &e);

	while (rc == EX_OK) {
		rc = rows_next(r, &field, &n, &e);
		if (rc != EX_OK || n == 0)
			break;
		strbuf_printf(&b, "%llu:", rows_line(r));
		for (size_t i = 0; i < n; i++)
			strbuf_printf(&b, "<%s>", field[i]);
		strbuf_puts(&b, "|");
	}
	rows_close(r);
	if (rc != want)
		fail_msg("status %d, expected %d: %s", rc, want, e.text);
	if (rc != EX_OK) {
		strbuf_clear(&b);
		strbuf_puts(&b, e.text);
	}
	strbuf_add(&b, "", 0);
	return b.s;
}

static void expect(const char *bytes, size_t len, char delimiter, bool quoting,
		   const char *want)
{
	char *got;

	write_file("rows.txt", bytes, len);
	got = read_rows(delimiter, quoting, EX_OK);
	assert_string_equal(got, want);
	free(got);
	unlink(path);
}

static void refused(const char *bytes, size_t len, bool quoting, const char *want)
{
	char *got;

	write_file("rows.txt", bytes, len);
	got = read_rows(quoting ? ',' : '\t', quoting, EX_DATAERR);
	if (strstr(got, want) == NULL)
		fail_msg("\"%s\" is not in \"%s\"", want, got);
	free(got);
	unlink(path);
}

#define TSV(bytes, want)     expect(bytes, sizeof(bytes) - 1, '\t', false, want)
#define CSV(bytes, want)     expect(bytes, sizeof(bytes) - 1, ',', true, want)
#define BAD_TSV(bytes, want) refused(bytes, sizeof(bytes) - 1, false, want)
#define BAD_CSV(bytes, want) refused(bytes, sizeof(bytes) - 1, true, want)

static void fields_keep_spaces_and_quotes_without_quoting(void **state)
{
	(void)state;
	TSV(" a \tb c  \n", "1:< a ><b c  >|");
	TSV("\"a\t5\" b\"\n\"\n", "1:<\"a><5\" b\">|2:<\">|");
	TSV("a, b\t\n\t\n", "1:<a, b><>|2:<><>|");
	TSV("\xff\xfe\t\x01\n", "1:<\xff\xfe><\x01>|");
}

static void quoted_fields_hold_delimiters_quotes_and_newlines(void **state)
{
	(void)state;
	CSV("\"a,b\",\" c \"\"d\"\"\"\n", "1:<a,b>< c \"d\">|");
	CSV("\"\"\n\"\",x\n", "1:<>|2:<><x>|");
	CSV("\"a\nb\",1\n\nc,2\n", "1:<a\nb><1>|4:<c><2>|");
	CSV("a,\"b\r\n\r\nc\"\r\nd\r\n", "1:<a><b\r\n\r\nc>|4:<d>|");
	CSV(" a , b \n", "1:< a >< b >|");
}

static void crlf_ends_a_row_and_a_lone_cr_does_not(void **state)
{
	(void)state;
	TSV("a\tb\r\nc\r\n", "1:<a><b>|2:<c>|");
	TSV("a\rb\tc\n", "1:<a\rb><c>|");
	TSV("a\r\r\nb", "1:<a\r>|2:<b>|");
	CSV("\"a\"\r\n\"b\"\r\n", "1:<a>|2:<b>|");
}

static void last_row_needs_no_newline(void **state)
{
	(void)state;
	TSV("a\nb", "1:<a>|2:<b>|");
	TSV("a\nb\t", "1:<a>|2:<b><>|");
	TSV("a\nb\r", "1:<a>|2:<b>|");
	CSV("a\n\"b\"", "1:<a>|2:<b>|");
}

static void empty_lines_are_passed_over_and_counted(void **state)
{
	(void)state;
	TSV("\n\na\n\r\nb\n\n", "3:<a>|5:<b>|");
	TSV("", "");
	TSV("\n", "");
}

static void byte_order_mark_is_skipped_once(void **state)
{
	(void)state;
	TSV("\xef\xbb\xbf"
	    "a\n\xef\xbb\xbf"
	    "b\n",
	    "1:<a>|2:<\xef\xbb\xbf"
	    "b>|");
	TSV("\xef\xbb\xbf", "");
	CSV("\xef\xbb\xbf\"a\"\n", "1:<a>|");
}

/* Rows of every length up to some beyond the reader's block, so that line ends fall on
 * both sides of its edges. */
static void rows_longer_than_a_block_are_whole(void **state)
{
	size_t len = 300000;
	char *bytes = malloc(len), *got;
	struct strbuf want = { 0 };

	(void)state;
	memset(bytes, 'x', len);
	for (size_t at = 100; at + 2 < len; at += 32767) {
		bytes[at] = '\r';
		bytes[at + 1] = '\n';
	}
	write_file("rows.txt", bytes, len);
	got = read_rows('\t', false, EX_OK);
	for (size_t at = 0, end = 100, line = 1; at < len;
	     at = end + 2, end += 32767, line++) {
		if (end + 2 >= len)
			end = len;
		strbuf_printf(&want, "%zu:<%.*s>|", line, (int)(end - at), bytes + at);
	}
	assert_string_equal(got, want.s);
	strbuf_free(&want);
	free(got);
	free(bytes);
	unlink(path);
}

static void crlf_across_two_blocks_is_one_line_end(void **state)
{
	size_t edge = 65536;
	char *bytes = malloc(edge + 3), *got;

	(void)state;
	memset(bytes, 'x', edge);
	memcpy(bytes + edge - 1, "\r\ny\n", 4);
	write_file("rows.txt", bytes, edge + 3);
	got = read_rows('\t', false, EX_OK);
	assert_non_null(strstr(got, "x>|2:<y>|"));
	free(got);
	memcpy(bytes + edge - 1, "\ryz\n", 4);
	write_file("rows.txt", bytes, edge + 3);
	got = read_rows('\t', false, EX_OK);
	assert_non_null(strstr(got, "x\ryz>|"));
	free(got);
	free(bytes);
	unlink(path);
}

static void unterminated_quote_is_refused_at_its_row(void **state)
{
	(void)state;
	BAD_CSV("a,b\nc,\"d\ne,f\n",
		"rows.txt:2: a quote that is opened here is never closed");
	BAD_CSV("\"", "rows.txt:1: ");
}

static void quote_inside_a_field_is_refused(void **state)
{
	(void)state;
	BAD_CSV("a\n5\" disk\n", "rows.txt:2: a quote stands inside a field");
	BAD_CSV("a\n\"b\"c\n", "rows.txt:2: ");
}

static void nul_byte_is_refused(void **state)
{
	(void)state;
	BAD_TSV("a\nb\0c\n", "rows.txt:2: a NUL byte");
	BAD_CSV("a\n\0\n", "rows.txt:2: a NUL byte");
}

static void row_beyond_the_limit_is_refused(void **state)
{
	char block[4096], *got;
	gzFile f;

	(void)state;
	name_file("bomb.gz");
	f = gzopen(path, "wb1");
	assert_non_null(f);
	memset(block, 'x', sizeof block);
	for (int i = 0; i < 17 * 256; i++)
		assert_int_equal(gzwrite(f, block, sizeof block), sizeof block);
	gzclose(f);
	got = read_rows('\t', false, EX_DATAERR);
	assert_non_null(strstr(got, "bomb.gz:1: a row of more than 16 MiB"));
	free(got);
	unlink(path);
}

/* ---- gzip ---- */

static size_t write_gzip(const char *name, char *bytes, size_t cap)
{
	gzFile f;
	FILE *plain;
	size_t len;

	name_file(name);
	f = gzopen(path, "wb");
	assert_non_null(f);
	for (int i = 0; i < 1000; i++)
		gzprintf(f, "row %d\t%d\n", i, i * 7919 % 1000);
	gzclose(f);
	plain = fopen(path, "rb");
	assert_non_null(plain);
	len = fread(bytes, 1, cap, plain);
	fclose(plain);
	assert_true(len > 100 && len < cap);
	return len;
}

static void gzip_is_read_whatever_its_name(void **state)
{
	char bytes[20000], *got;

	(void)state;
	write_gzip("rows.txt", bytes, sizeof bytes);
	got = read_rows('\t', false, EX_OK);
	assert_non_null(strstr(got, "|1000:<row 999><81>|"));
	free(got);
	unlink(path);
}

static void truncated_gzip_is_refused_wherever_it_was_cut(void **state)
{
	char bytes[20000], *got;
	size_t len = write_gzip("rows.gz", bytes, sizeof bytes);

	(void)state;
	for (size_t cut = 0; cut < len; cut += cut < 20 || cut > len - 20 ? 1 : 97) {
		write_file("rows.gz", bytes, cut);
		got = read_rows('\t', false, EX_DATAERR);
		if (cut > 10 && strstr(got, "truncated") == NULL)
			fail_msg("cut at %zu: %s", cut, got);
		free(got);
	}
	unlink(path);
}

static void damaged_gzip_is_refused(void **state)
{
	char bytes[20000], *got;
	size_t len = write_gzip("rows.gz", bytes, sizeof bytes);

	(void)state;
	bytes[len / 2] ^= 0x10;
	write_file("rows.gz", bytes, len);
	got = read_rows('\t', false, EX_DATAERR);
	assert_non_null(strstr(got, "the gzip file is "));
	free(got);
	bytes[len / 2] ^= 0x10;
	bytes[len - 6] ^= 1; /* its checksum */
	write_file("rows.gz", bytes, len);
	got = read_rows('\t', false, EX_DATAERR);
	assert_non_null(strstr(got, "damaged"));
	free(got);
	unlink(path);
}

static void plain_text_named_gz_is_refused(void **state)
{
	char *got;

	(void)state;
	write_file("rows.gz", "a\tb\n", 4);
	got = read_rows('\t', false, EX_DATAERR);
	assert_non_null(strstr(got, "rows.gz: not a gzip file"));
	free(got);
	unlink(path);
}

/* ---- opening ---- */

static void missing_file_or_directory_is_no_input(void **state)
{
	char *got;

	(void)state;
	name_file("absent.tsv");
	got = read_rows('\t', false, EX_NOINPUT);
	assert_non_null(strstr(got, "absent.tsv"));
	free(got);
	snprintf(path, sizeof path, "%s", dir);
	got = read_rows('\t', false, EX_NOINPUT);
	assert_non_null(strstr(got, "is a directory"));
	free(got);
}

static void dash_is_stdin_and_stays_open(void **state)
{
	char *got;
	int saved = dup(STDIN_FILENO), fd;

	(void)state;
	write_file("rows.txt", "a\tb\n", 4);
	fd = open(path, O_RDONLY);
	assert_true(fd >= 0 && dup2(fd, STDIN_FILENO) == STDIN_FILENO);
	unlink(path);
	snprintf(path, sizeof path, "-");
	got = read_rows('\t', false, EX_OK);
	assert_string_equal(got, "1:<a><b>|");
	assert_true(fcntl(STDIN_FILENO, F_GETFD) >= 0);
	free(got);
	dup2(saved, STDIN_FILENO);
	close(saved);
	close(fd);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(fields_keep_spaces_and_quotes_without_quoting),
		cmocka_unit_test(quoted_fields_hold_delimiters_quotes_and_newlines),
		cmocka_unit_test(crlf_ends_a_row_and_a_lone_cr_does_not),
		cmocka_unit_test(last_row_needs_no_newline),
		cmocka_unit_test(empty_lines_are_passed_over_and_counted),
		cmocka_unit_test(byte_order_mark_is_skipped_once),
		cmocka_unit_test(rows_longer_than_a_block_are_whole),
		cmocka_unit_test(crlf_across_two_blocks_is_one_line_end),
		cmocka_unit_test(unterminated_quote_is_refused_at_its_row),
		cmocka_unit_test(quote_inside_a_field_is_refused),
		cmocka_unit_test(nul_byte_is_refused),
		cmocka_unit_test(row_beyond_the_limit_is_refused),
		cmocka_unit_test(gzip_is_read_whatever_its_name),
		cmocka_unit_test(truncated_gzip_is_refused_wherever_it_was_cut),
		cmocka_unit_test(damaged_gzip_is_refused),
		cmocka_unit_test(plain_text_named_gz_is_refused),
		cmocka_unit_test(missing_file_or_directory_is_no_input),
		cmocka_unit_test(dash_is_stdin_and_stays_open),
	};

	return cmocka_run_group_tests(tests, make_dir, remove_dir);
}
