#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <setjmp.h>
#include <cmocka.h>
#include <math.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>
#include <zlib.h>

#include "base/prng.h"
#include "io/stream.h"

/* Streams are read from the file "s" in a directory that each test has for itself. */
static int enter(void **state)
{
	char *dir = strdup(P_tmpdir "/adapeft-stream-XXXXXX");

	*state = dir;
	return dir == NULL || mkdtemp(dir) == NULL || chdir(dir) != 0 ? -1 : 0;
}

static int leave(void **state)
{
	int rc;

	unlink("s");
	rc = chdir("/") != 0 || rmdir(*state) != 0;
	free(*state);
	return rc;
}

static void save(const char *bytes, size_t len)
{
	FILE *f = fopen("s", "w");

	assert_non_null(f);
	assert_int_equal(fwrite(bytes, 1, len, f), len);
	assert_int_equal(fclose(f), 0);
}

/* Reads "s" to its end; the status, and the note or the error in *text (to be freed). */
static int read_through(bool strict, char **text)
{
	struct stream_reader *r;
	struct err e = { 0 };
	bool got = true;
	int rc = stream_open(&r, "s", NULL, strict, &e);

	while (rc == EX_OK && got)
		rc = stream_next(r, &got, &e);
	*text = strdup(rc != EX_OK ? e.text : stream_note(r) != NULL ? stream_note(r) : "");
	stream_close(r);
	return rc;
}

static void assert_refused(const char *bytes, size_t len, const char *want)
{
	char *text;
	int rc;

	save(bytes, len);
	rc = read_through(false, &text);
	if (rc != EX_DATAERR || strstr(text, want) == NULL)
		fail_msg("%d, '%s' where '%s' was to be said", rc, text, want);
	free(text);
}

static const char *const columns[] = { "step", "group", "gain" };

/* A small stream with a bit of everything, for the caller to free. */
static char *sample(enum stream_format format, size_t *len)
{
	struct meta_list head = { 0 };
	struct stream_writer *w;
	struct err e = { 0 };
	char *bytes = NULL;
	FILE *f = open_memstream(&bytes, len);

	assert_non_null(f);
	meta_add(&head, "model", "minilm  params=22713986", &e);
	meta_add(&head, "pg", "adapeft-probe 0.1.0 -m minilm", &e);
	if (stream_create(&w, f, format, "ppi", &head, columns, 3, &e) != EX_OK)
		fail_msg("%s", e.text);
	meta_free(&head);
	for (int i = 0; i < 3; i++) {
		if (i == 2)
			assert_int_equal(stream_put_meta(w, "budget", "1%", &e), EX_OK);
		stream_put_int(w, i - 1);
		stream_put_text(w, i == 1 ? "#tab\t, line\n, \\ and \xc3\xa9" : "");
		stream_put_real(w, i == 0 ? -0.0 : i / 7.);
		assert_int_equal(stream_end_row(w, &e), EX_OK);
	}
	assert_int_equal(stream_finish(w, &e), EX_OK);
	fclose(f);
	return bytes;
}

static const char sample_text[] =
    "##adapeft 1 ppi\n"
    "##model\tminilm  params=22713986\n"
    "##pg\tadapeft-probe 0.1.0 -m minilm\n"
    "#step\tgroup\tgain\n"
    "-1\t\t-0\n"
    "0\t\\x23tab\\t, line\\n, \\\\ and \xc3\xa9\t0.14285714285714285\n"
    "##budget\t1%\n"
    "1\t\t0.2857142857142857\n";

/* ---- writing and reading ---- */

static void text_is_written_as_it_is_described(void **state)
{
	size_t len, body = sizeof sample_text - 1;
	char *bytes = sample(STREAM_TEXT, &len), end[64];

	(void)state;
	snprintf(end, sizeof end, "##end rows=3 crc32=%08lx\n",
		 crc32(0, (const unsigned char *)sample_text, (unsigned)body));
	assert_int_equal(len, body + strlen(end));
	assert_memory_equal(bytes, sample_text, body);
	assert_string_equal(bytes + body, end);
	free(bytes);
}

static void what_was_written_is_read(void **state)
{
	(void)state;
	for (int format = STREAM_TEXT; format <= STREAM_BINARY; format++) {
		struct stream_reader *r;
		size_t len, step, group, gain;
		char *bytes = sample((enum stream_format)format, &len);
		int64_t i;
		double x;
		bool got;

		save(bytes, len);
		free(bytes);
		assert_int_equal(stream_open(&r, "s", "ppi", true, NULL), EX_OK);
		assert_string_equal(stream_kind(r), "ppi");
		assert_string_equal(stream_name(r), "s");
		assert_int_equal(stream_head(r)->n, 2);
		assert_string_equal(meta_get(stream_head(r), "pg"),
				    "adapeft-probe 0.1.0 -m minilm");
		assert_int_equal(stream_column(r, "gain", &gain, NULL), EX_OK);
		assert_int_equal(stream_column(r, "group", &group, NULL), EX_OK);
		assert_int_equal(stream_column(r, "step", &step, NULL), EX_OK);
		assert_true(stream_column_maybe(r, "loss") == SIZE_MAX);

		assert_int_equal(stream_next(r, &got, NULL), EX_OK);
		assert_true(got);
		assert_string_equal(stream_text(r, group), "");
		assert_int_equal(stream_int(r, step, &i, NULL), EX_OK);
		assert_int_equal(i, -1);
		assert_int_equal(stream_real(r, gain, &x, NULL), EX_OK);
		assert_true(x == 0 && signbit(x));

		assert_int_equal(stream_next(r, &got, NULL), EX_OK);
		assert_string_equal(stream_text(r, group),
				    "#tab\t, line\n, \\ and \xc3\xa9");
		assert_int_equal(stream_real(r, gain, &x, NULL), EX_OK);
		assert_true(x == 1 / 7.);
		assert_int_equal(stream_between(r)->n, 0);

		assert_int_equal(stream_next(r, &got, NULL), EX_OK);
		assert_string_equal(meta_get(stream_between(r), "budget"), "1%");
		assert_int_equal(stream_next(r, &got, NULL), EX_OK);
		assert_false(got);
		assert_null(stream_note(r));
		assert_int_equal(stream_next(r, &got, NULL), EX_OK);
		assert_false(got);
		stream_close(r);
	}
}

static void metadata_reads_back_whatever_it_holds(void **state)
{
	static const char *const values[] = { "", " leading", "\ttab", "a\tb\nc\\d",
					      "\\x20" };
	struct meta_list head = { 0 };
	struct stream_writer *w;
	struct stream_reader *r;
	FILE *f = fopen("s", "w");

	(void)state;
	for (size_t i = 0; i < 5; i++)
		assert_int_equal(meta_add(&head, "key", values[i], NULL), EX_OK);
	assert_int_equal(stream_create(&w, f, STREAM_TEXT, "run", &head, columns, 3, NULL),
			 EX_OK);
	assert_int_equal(stream_finish(w, NULL), EX_OK);
	fclose(f);
	meta_free(&head);
	assert_int_equal(stream_open(&r, "s", NULL, true, NULL), EX_OK);
	assert_int_equal(stream_head(r)->n, 5);
	for (size_t i = 0; i < 5; i++)
		assert_string_equal(stream_head(r)->m[i].value, values[i]);
	stream_close(r);
}

static void words_are_found_in_a_value(void **state)
{
	char *word = meta_word("sst2  text=sentence\tlabel=label xtext=no", "label");

	(void)state;
	assert_string_equal(word, "label");
	free(word);
	word = meta_word("a=1 text=", "text");
	assert_string_equal(word, "");
	free(word);
	assert_null(meta_word("xtext=no text", "text"));
	assert_null(meta_word("", "text"));
}

static void a_row_of_too_few_or_too_many_cells_is_not_written(void **state)
{
	struct stream_writer *w;
	struct err e = { 0 };
	FILE *f = fopen("s", "w");

	(void)state;
	assert_int_equal(stream_create(&w, f, STREAM_TEXT, "run", NULL, columns, 3, &e),
			 EX_OK);
	stream_put_int(w, 1);
	assert_int_equal(stream_end_row(w, &e), EX_SOFTWARE);
	for (int i = 0; i < 4; i++)
		stream_put_int(w, i);
	assert_int_equal(stream_end_row(w, &e), EX_SOFTWARE);
	stream_put_int(w, 1);
	assert_int_equal(stream_put_meta(w, "budget", "1%", &e), EX_SOFTWARE);
	assert_int_equal(stream_finish(w, &e), EX_SOFTWARE);
	fclose(f);
}

static void reserved_and_broken_keys_are_not_written(void **state)
{
	static const char *const keys[] = { "",     "end",  "adapeft", "a b",
					    "a\tb", "a\nb", "#a" };
	struct stream_writer *w;
	FILE *f = fopen("s", "w");

	(void)state;
	assert_int_equal(stream_create(&w, f, STREAM_TEXT, "run", NULL, columns, 3, NULL),
			 EX_OK);
	for (size_t i = 0; i < sizeof keys / sizeof *keys; i++)
		assert_int_equal(stream_put_meta(w, keys[i], "x", NULL), EX_SOFTWARE);
	stream_abort(w);
	fclose(f);
}

static void an_aborted_stream_is_no_stream(void **state)
{
	struct stream_writer *w;
	char *text;
	FILE *f = fopen("s", "w");

	(void)state;
	assert_int_equal(stream_create(&w, f, STREAM_TEXT, "run", NULL, columns, 3, NULL),
			 EX_OK);
	stream_abort(w);
	fclose(f);
	assert_int_equal(read_through(false, &text), EX_DATAERR);
	free(text);
}

/* The reader gets a row that was flushed while the writer is still at work. */
static void flushed_rows_can_be_read_at_once(void **state)
{
	(void)state;
	for (int format = STREAM_TEXT; format <= STREAM_BINARY; format++) {
		struct stream_writer *w;
		struct stream_reader *r;
		char path[32];
		bool got = false;
		int fd[2];
		FILE *f;

		assert_int_equal(pipe(fd), 0);
		f = fdopen(fd[1], "w");
		snprintf(path, sizeof path, "/dev/fd/%d", fd[0]);
		assert_int_equal(stream_create(&w, f, (enum stream_format)format, "run",
					       NULL, columns, 1, NULL),
				 EX_OK);
		stream_put_int(w, 5);
		assert_int_equal(stream_end_row(w, NULL), EX_OK);
		assert_int_equal(stream_flush(w, NULL), EX_OK);
		assert_int_equal(stream_open(&r, path, "run", true, NULL), EX_OK);
		assert_int_equal(stream_next(r, &got, NULL), EX_OK);
		assert_true(got);
		assert_string_equal(stream_text(r, 0), "5");
		assert_int_equal(stream_finish(w, NULL), EX_OK);
		fclose(f);
		assert_int_equal(stream_next(r, &got, NULL), EX_OK);
		assert_false(got);
		stream_close(r);
		close(fd[0]);
	}
}

static void a_full_device_is_a_write_error(void **state)
{
	(void)state;
	for (int format = STREAM_TEXT; format <= STREAM_BINARY; format++) {
		struct stream_writer *w;
		struct err e = { 0 };
		FILE *f = fopen("/dev/full", "w");
		int rc = stream_create(&w, f, (enum stream_format)format, "run", NULL,
				       columns, 1, &e);

		for (int i = 0; i < 100000 && rc == EX_OK; i++) {
			stream_put_real(w, sin(i));
			rc = stream_end_row(w, &e);
		}
		assert_int_equal(rc, EX_IOERR);
		assert_non_null(strstr(e.text, "No space left on device"));
		assert_int_equal(stream_finish(w, &e), EX_IOERR);
		fclose(f);
	}
}

/* ---- what is missing or of another sort ---- */

static void a_missing_file_is_no_input(void **state)
{
	struct stream_reader *r;
	struct err e = { 0 };

	(void)state;
	assert_int_equal(stream_open(&r, "missing", NULL, false, &e), EX_NOINPUT);
	assert_string_equal(e.text, "missing: No such file or directory");
	assert_null(r);
	assert_int_equal(stream_open(&r, ".", NULL, false, &e), EX_NOINPUT);
}

static void another_kind_is_refused(void **state)
{
	struct stream_reader *r;
	struct err e = { 0 };
	size_t len;
	char *bytes = sample(STREAM_TEXT, &len);

	(void)state;
	save(bytes, len);
	free(bytes);
	assert_int_equal(stream_open(&r, "s", "appi", false, &e), EX_DATAERR);
	assert_string_equal(e.text, "s:1: holds ppi records; appi are needed here");
}

static void a_missing_column_is_named(void **state)
{
	struct stream_reader *r;
	struct err e = { 0 };
	size_t len, at;
	char *bytes = sample(STREAM_TEXT, &len);

	(void)state;
	save(bytes, len);
	free(bytes);
	assert_int_equal(stream_open(&r, "s", "ppi", false, &e), EX_OK);
	assert_int_equal(stream_column(r, "loss", &at, &e), EX_DATAERR);
	assert_string_equal(e.text, "s: column 'loss' is missing; it has step group gain");
	stream_close(r);
}

static void a_cell_that_is_no_number_is_told_with_its_line_and_column(void **state)
{
	static const char text[] = "##adapeft 1 ppi\n#step\tgain\n1\tmuch\n##end rows=1 "
				   "crc32=00000000\n";
	struct stream_reader *r;
	struct err e = { 0 };
	int64_t i;
	double x;
	bool got;

	(void)state;
	save(text, sizeof text - 1);
	assert_int_equal(stream_open(&r, "s", "ppi", false, &e), EX_OK);
	assert_int_equal(stream_next(r, &got, &e), EX_OK);
	assert_int_equal(stream_real(r, 1, &x, &e), EX_DATAERR);
	assert_string_equal(e.text, "s:3: gain: 'much' is no number");
	assert_int_equal(stream_int(r, 1, &i, &e), EX_DATAERR);
	assert_string_equal(e.text, "s:3: gain: 'much' is no whole number");
	assert_int_equal(stream_error(r, &e, "step %d twice", 1), EX_DATAERR);
	assert_string_equal(e.text, "s:3: step 1 twice");
	stream_close(r);
}

/* ---- cut, filtered, edited, malformed ---- */

static void a_text_stream_cut_anywhere_is_refused(void **state)
{
	size_t len;
	char *bytes = sample(STREAM_TEXT, &len);

	(void)state;
	for (size_t n = 0; n < len; n++)
		assert_refused(bytes, n, n == 0 ? "empty: no stream" : "cut short");
	free(bytes);
}

static void a_binary_stream_cut_anywhere_is_refused(void **state)
{
	size_t len;
	char *bytes = sample(STREAM_BINARY, &len);

	(void)state;
	for (size_t n = 0; n < len; n++)
		assert_refused(bytes, n, n == 0 ? "empty: no stream" : "cut short");
	free(bytes);
}

static void a_binary_stream_with_any_flipped_bit_is_refused(void **state)
{
	size_t len;
	char *bytes = sample(STREAM_BINARY, &len);

	(void)state;
	for (size_t bit = 0; bit < 8 * len; bit++) {
		bytes[bit / 8] ^= (char)(1 << bit % 8);
		assert_refused(bytes, len, bit < 64 ? "s:" : "block at byte");
		bytes[bit / 8] ^= (char)(1 << bit % 8);
	}
	free(bytes);
}

static void bytes_after_the_end_are_refused(void **state)
{
	size_t len;
	char *bytes = sample(STREAM_BINARY, &len);

	(void)state;
	bytes = realloc(bytes, len + 1);
	bytes[len] = 'x';
	assert_refused(bytes, len + 1, "bytes after the end block");
	free(bytes);
	bytes = sample(STREAM_TEXT, &len);
	bytes = realloc(bytes, 2 * len);
	bytes[len] = '\n';
	assert_refused(bytes, len + 1, "s:10: more after the ##end line");
	memcpy(bytes + len, bytes, len);
	assert_refused(bytes, 2 * len, "s:10: more after the ##end line");
	free(bytes);
}

static void filtered_rows_leave_a_note_and_are_an_error_when_strict(void **state)
{
	size_t len;
	char *bytes = sample(STREAM_TEXT, &len), *text, *row = strstr(bytes, "-1\t");
	static const char want[] = "s: 2 rows where its end counts 3: filtered on the way? "
				   "(adapeft view --seal makes it whole)";

	(void)state;
	memmove(row, row + 7, len - (size_t)(row + 7 - bytes));
	save(bytes, len - 7);
	assert_int_equal(read_through(false, &text), EX_OK);
	assert_string_equal(text, want);
	free(text);
	assert_int_equal(read_through(true, &text), EX_DATAERR);
	assert_string_equal(text, want);
	free(text);
	free(bytes);
}

static void an_edited_cell_leaves_a_note(void **state)
{
	size_t len;
	char *bytes = sample(STREAM_TEXT, &len), *text;

	(void)state;
	*strstr(bytes, "-1\t") = '3';
	save(bytes, len);
	assert_int_equal(read_through(false, &text), EX_OK);
	assert_non_null(
	    strstr(text, "s: other bytes than its end tells: edited on the way?"));
	free(text);
	assert_int_equal(read_through(true, &text), EX_DATAERR);
	free(text);
	free(bytes);
}

static void added_comments_are_passed_over(void **state)
{
	static const char text[] = "##adapeft 1 ppi\n## spoken\n###\n#step\n#a note\n1\n#\n"
				   "##end rows=1 crc32=00000000\n";
	char *note;

	(void)state;
	save(text, sizeof text - 1);
	assert_int_equal(read_through(false, &note), EX_OK);
	assert_non_null(strstr(note, "other bytes"));
	free(note);
}

#define H   "##adapeft 1 ppi\n"
#define HC  H "#step\tgain\n"
#define END "##end rows=0 crc32=00000000\n"

static void malformed_text_is_refused_with_its_defect(void **state)
{
	static const struct {
		const char *text, *want;
	} defect[] = {
		{ "step\tgain\n1\t2\n", "s:1: no stream" },
		{ "hello", "s:1: no stream" },
		{ "\n" HC END, "s:1: no stream" },
		{ "##adapeft\n#a\n" END, "s:1: malformed first line" },
		{ "##adapeft 1\n#a\n" END, "s:1: malformed first line" },
		{ "##adapeft 1 \n#a\n" END, "s:1: malformed first line" },
		{ "##adapeft 1 p p\n#a\n" END, "s:1: malformed first line" },
		{ "##adapeft1 1 ppi\n#a\n" END, "s:1: malformed first line" },
		{ "##adapeft 2 ppi\n#a\n" END, "s:1: version 2 of the stream format" },
		{ "##adapeft 1 ppi\r\n#a\r\n" END, "s:1: lines end in CR LF" },
		{ H END, "s:2: no line of columns" },
		{ H "1\t2\n" END, "s:2: a row before the line of columns" },
		{ H "#\n" END, "s:2: malformed column name" },
		{ H "#a\t\n" END, "s:2: malformed column name" },
		{ H "#a\tb\ta\n" END, "s:2: two columns are called 'a'" },
		{ H H "#a\n" END, "s:2: a second ##adapeft line" },
		{ HC H END, "s:3: a second ##adapeft line" },
		{ HC "1\n" END, "s:3: 1 cells; there are 2 columns" },
		{ HC "1\t2\t3\n" END, "s:3: 3 cells; there are 2 columns" },
		{ HC "\n" END, "s:3: 1 cells; there are 2 columns" },
		{ HC "1\t\\q\n" END, "s:3: gain: a backslash that is no escape" },
		{ HC "1\\\t2\n" END, "s:3: step: a backslash that is no escape" },
		{ HC "1\t\\x2\n" END, "s:3: gain: a backslash that is no escape" },
		{ HC "1\t\\x00\n" END, "s:3: gain: a backslash that is no escape" },
		{ HC "##note\tC:\\dir\n" END, "s:3: a backslash that is no escape" },
		{ HC "##end\n", "s:3: malformed ##end line" },
		{ HC "##end rows=0\n", "s:3: malformed ##end line" },
		{ HC "##end rows=0 crc32=0\n", "s:3: malformed ##end line" },
		{ HC "##end rows=-1 crc32=00000000\n", "s:3: malformed ##end line" },
		{ HC "##end rows=0 crc32=00000000 \n", "s:3: malformed ##end line" },
		{ HC "##end rows=0 crc32=0000000G\n", "s:3: malformed ##end line" },
		{ HC "##end rows=00 crc32=00000000\n", "s:3: malformed ##end line" },
		{ HC "##end rows=99999999999999999999 crc32=00000000\n",
		  "s:3: malformed ##end line" },
		{ HC "##ending 1\n", "s:4: cut short" },
		{ "\x93not the magic", "unknown first bytes" },
		{ "\x93"
		  "ADAPFT\x02........",
		  "version 2 of the binary format" },
	};

	(void)state;
	for (size_t i = 0; i < sizeof defect / sizeof *defect; i++)
		assert_refused(defect[i].text, strlen(defect[i].text), defect[i].want);
}

static void a_nul_byte_is_refused(void **state)
{
	static const char text[] = HC "1\t\0\n" END;

	(void)state;
	assert_refused(text, sizeof text - 1, "s:3: a NUL byte");
}

static void a_line_without_end_is_refused_before_it_fills_the_memory(void **state)
{
	FILE *f = fopen("s", "w");
	char *text;

	(void)state;
	fputs(HC, f);
	assert_int_equal(fflush(f), 0);
	assert_int_equal(ftruncate(fileno(f), (off_t)1 << 30), 0);
	fclose(f);
	assert_int_equal(read_through(false, &text), EX_DATAERR);
	assert_string_equal(text, "s: a line longer than 64 MiB");
	free(text);
}

/* ---- text to binary and back ---- */

/* "s" line by line into `format`; the bytes, for the caller to free. */
static char *convert(enum stream_format format, size_t *len)
{
	struct stream_reader *r;
	struct stream_writer *w;
	struct err e = { 0 };
	const char *line;
	char *bytes = NULL;
	size_t n;
	bool got = true;
	FILE *f = open_memstream(&bytes, len);
	int rc = stream_open(&r, "s", NULL, false, &e);

	if (rc == EX_OK)
		rc = stream_create_like(&w, f, format, r, NULL, &e);
	while (rc == EX_OK) {
		rc = stream_next_line(r, &line, &n, &got, &e);
		if (rc != EX_OK || !got)
			break;
		rc = stream_put_line(w, line, n, &e);
	}
	if (rc == EX_OK)
		rc = stream_finish_as(w, stream_end_line(r), &e);
	if (rc != EX_OK)
		fail_msg("%s", e.text);
	stream_close(r);
	fclose(f);
	return bytes;
}

static void assert_round_trip(const char *text, size_t len)
{
	size_t n;
	char *bytes;

	save(text, len);
	bytes = convert(STREAM_TEXT, &n);
	assert_int_equal(n, len);
	assert_memory_equal(bytes, text, len);
	free(bytes);
	bytes = convert(STREAM_BINARY, &n);
	assert_memory_equal(bytes,
			    "\x93"
			    "ADAPFT\x01",
			    8);
	save(bytes, n);
	free(bytes);
	bytes = convert(STREAM_TEXT, &n);
	assert_int_equal(n, len);
	assert_memory_equal(bytes, text, len);
	free(bytes);
}

static const char *const odd[] = {
	"",
	"0",
	"-0",
	"1",
	"-1",
	"007",
	"+1",
	"1.50",
	"1.5",
	"1e5",
	"100000",
	"1e+15",
	"1e15",
	"0x10",
	"nan",
	"-nan",
	"NaN",
	"inf",
	"-inf",
	"Infinity",
	"nan(12)",
	".5",
	"5.",
	"1e-05",
	"1e-5",
	"9223372036854775807",
	"-9223372036854775808",
	"9223372036854775808",
	"18446744073709551616",
	"123456789012345678901234567890",
	"5e-324",
	"1e999",
	"-",
	"--1",
	"\\t\\n\\\\",
	"\\x23",
	"\xc3\xa9\xe2\x82\xac",
	" 1",
	"1 ",
	"i",
	"n",
	"1,5",
	"0.1",
	"0.10000000000000001",
	"not\xff\xfe utf8",
};

static void odd_cells_survive_the_way_through_binary(void **state)
{
	static const char head[] = "##adapeft 1   ppi\n##x  y\n# a\tb\tc\n";
	struct strbuf text = { 0 };
	struct prng p;

	(void)state;
	prng_seed(&p, 1, "cells");
	strbuf_puts(&text, head);
	/* Every cell alone in its column, then mixtures of ever more sorts. */
	for (size_t i = 0; i < 3000; i++) {
		size_t kinds = i / 70 + 1;

		for (size_t c = 0; c < 3; c++)
			strbuf_printf(&text, "%s%s", odd[prng_below(&p, kinds)],
				      c < 2 ? "\t" : "\n");
		if (i % 70 == 69)
			strbuf_printf(&text, "#%zu\n##meta\t%zu\n##\n", i, i);
	}
	strbuf_puts(&text, "##last words\n##end rows=17 crc32=12345678\n");
	assert_false(text.failed);
	assert_round_trip(text.s, text.len);
	strbuf_free(&text);
}

static void each_odd_cell_survives_in_a_column_of_its_own(void **state)
{
	(void)state;
	for (size_t i = 0; i < sizeof odd / sizeof *odd; i++) {
		struct strbuf text = { 0 };

		strbuf_printf(&text, "##adapeft 1 ppi\n#a\n%s\n%s\n", odd[i], odd[i]);
		strbuf_puts(&text, "##end rows=2 crc32=12345678\n");
		assert_round_trip(text.s, text.len);
		strbuf_free(&text);
	}
}

static void random_numbers_survive_and_take_many_blocks(void **state)
{
	struct strbuf text = { 0 };
	struct prng p;

	(void)state;
	prng_seed(&p, 1, "numbers");
	strbuf_puts(&text, "##adapeft 1 ppi\n#a\tb\n");
	for (size_t i = 0; i < 20000; i++)
		strbuf_printf(&text, "%.17g\t%lld\n", prng_normal(&p),
			      (long long)(prng_next(&p) >> (i % 64)));
	strbuf_puts(&text, "##end rows=20000 crc32=12345678\n");
	assert_round_trip(text.s, text.len);
	strbuf_free(&text);
}

static void a_line_longer_than_a_block_survives(void **state)
{
	struct strbuf text = { 0 };

	(void)state;
	strbuf_puts(&text, "##adapeft 1 ppi\n#a\tb\n1\t2\n");
	for (size_t i = 0; i < 300000; i++)
		strbuf_puts(&text, "long text ");
	strbuf_puts(&text, "\t2\n1\t2\n##end rows=3 crc32=12345678\n");
	assert_round_trip(text.s, text.len);
	strbuf_free(&text);
}

static void a_note_arises_from_binary_too(void **state)
{
	static const char text[] = HC "1\t2\n" END;
	size_t len;
	char *bytes, *note;

	(void)state;
	save(text, sizeof text - 1);
	bytes = convert(STREAM_BINARY, &len);
	save(bytes, len);
	free(bytes);
	assert_int_equal(read_through(false, &note), EX_OK);
	assert_non_null(strstr(note, "s: 1 rows where its end counts 0"));
	free(note);
	assert_int_equal(read_through(true, &note), EX_DATAERR);
	free(note);
}

#define TEST(f) cmocka_unit_test_setup_teardown(f, enter, leave)

int main(void)
{
	const struct CMUnitTest tests[] = {
		TEST(text_is_written_as_it_is_described),
		TEST(what_was_written_is_read),
		TEST(metadata_reads_back_whatever_it_holds),
		TEST(words_are_found_in_a_value),
		TEST(a_row_of_too_few_or_too_many_cells_is_not_written),
		TEST(reserved_and_broken_keys_are_not_written),
		TEST(an_aborted_stream_is_no_stream),
		TEST(flushed_rows_can_be_read_at_once),
		TEST(a_full_device_is_a_write_error),
		TEST(a_missing_file_is_no_input),
		TEST(another_kind_is_refused),
		TEST(a_missing_column_is_named),
		TEST(a_cell_that_is_no_number_is_told_with_its_line_and_column),
		TEST(a_text_stream_cut_anywhere_is_refused),
		TEST(a_binary_stream_cut_anywhere_is_refused),
		TEST(a_binary_stream_with_any_flipped_bit_is_refused),
		TEST(bytes_after_the_end_are_refused),
		TEST(filtered_rows_leave_a_note_and_are_an_error_when_strict),
		TEST(an_edited_cell_leaves_a_note),
		TEST(added_comments_are_passed_over),
		TEST(malformed_text_is_refused_with_its_defect),
		TEST(a_nul_byte_is_refused),
		TEST(a_line_without_end_is_refused_before_it_fills_the_memory),
		TEST(odd_cells_survive_the_way_through_binary),
		TEST(each_odd_cell_survives_in_a_column_of_its_own),
		TEST(random_numbers_survive_and_take_many_blocks),
		TEST(a_line_longer_than_a_block_survives),
		TEST(a_note_arises_from_binary_too),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
