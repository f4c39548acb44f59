#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <setjmp.h>
#include <cmocka.h>
#include <zlib.h>

#include "base/str.h"
#include "data/dataset.h"

#include "../bpe.h"
#include "../tasks.h"

static struct tokenizer *tok;

static int open_all(void **state)
{
	(void)state;
	if (scratch_open() != 0)
		return -1;
	tok = bpe_open();
	return 0;
}

static int close_all(void **state)
{
	(void)state;
	tokenizer_close(tok);
	return scratch_close();
}

static void read_file(struct dataset *d, const char *said, const char *name, size_t max_len)
{
	const struct encoder how = { .tokenizer = tok, .max_len = max_len };
	struct task t = task_of(said);
	struct err e = { 0 };

	if (dataset_read(d, scratch(name), &t, true, &how, &e) != EX_OK)
		fail_msg("%s", e.text);
	task_free(&t);
}

static void refused(const char *said, const char *name, size_t max_len, int code,
		    const char *want)
{
	const struct encoder how = { .tokenizer = tok, .max_len = max_len };
	struct task t = task_of(said);
	struct dataset d;
	struct err e = { 0 };

	assert_int_equal(dataset_read(&d, scratch(name), &t, true, &how, &e), code);
	if (strstr(e.text, want) == NULL)
		fail_msg("\"%s\" is not in \"%s\"", want, e.text);
	assert_true(d.n == 0 && d.ids == NULL && d.prompt == NULL);
	task_free(&t);
}

static void expect_example(const struct dataset *d, size_t i, size_t prompt,
			   const uint32_t *want, size_t n)
{
	expect_tokens(d->ids + d->start[i], d->start[i + 1] - d->start[i], want, n);
	assert_int_equal(d->prompt[i], prompt);
	assert_int_equal(d->label[i], -1);
	assert_true(d->target[i] == 0);
	for (size_t j = d->start[i]; j < d->start[i + 1]; j++)
		assert_int_equal(d->types[j], 0);
}

/* ---- prompts and completions ---- */

static void e2e_rows_are_prompts_and_completions(void **state)
{
	struct dataset d;

	(void)state;
	scratch_text("e2e.csv", "mr,ref\n\"a[b], c[ab]\",\"ab\"\nc,b\r\nc,\"a,\"\n");
	read_file(&d, "e2e", "e2e.csv", 99);
	assert_int_equal(d.n, 3);
	expect_example(&d, 0, 14,
		       TOKENS(A, SPACE, COLON, SPACE, B, SPACE, BAR, SPACE, C, SPACE, COLON,
			      _A, B, END, _A, B, END));
	expect_example(&d, 1, 2, TOKENS(C, END, SPACE, B, END));
	assert_true(d.longest == 17 && d.truncated == 0 && d.left_out == 0);
	dataset_free(&d);
}

static void prompts_of_other_files_stay_as_they_are(void **state)
{
	struct dataset d;

	(void)state;
	scratch_text("pairs.tsv", "q\ta\nab\tc\nc\t\n");
	read_file(&d, "custom text=q label=a kind=language", "pairs.tsv", 99);
	expect_example(&d, 0, 2, TOKENS(AB, END, SPACE, C, END));
	expect_example(&d, 1, 2, TOKENS(C, END, END));
	dataset_free(&d);
	scratch_text("pairs.tsv", "ab\tc\n");
	read_file(&d, "custom text=2 label=1 kind=language", "pairs.tsv", 99);
	expect_example(&d, 0, 2, TOKENS(C, END, _A, B, END));
	dataset_free(&d);
}

static void cut_examples_keep_their_completions_and_are_counted(void **state)
{
	struct dataset d;

	(void)state;
	scratch_text("pairs.tsv", "q\ta\nabc\tab\nc\tb\n");
	read_file(&d, "custom text=q label=a kind=language", "pairs.tsv", 5);
	expect_example(&d, 0, 2, TOKENS(C, END, _A, B, END));
	expect_example(&d, 1, 2, TOKENS(C, END, SPACE, B, END));
	assert_true(d.longest == 5 && d.truncated == 1);
	dataset_free(&d);
	read_file(&d, "custom text=q label=a kind=language", "pairs.tsv", 2);
	expect_example(&d, 0, 1, TOKENS(END, _A));
	assert_true(d.longest == 2 && d.truncated == 2);
	dataset_free(&d);
	refused("custom text=q label=a kind=language", "pairs.tsv", 1, EX_USAGE,
		"in 1 tokens");
}

/* Chunks of examples are encoded by different threads. */
static void many_examples_keep_their_order(void **state)
{
	struct strbuf text = { 0 };
	struct dataset d;
	size_t n = 1500;

	(void)state;
	strbuf_puts(&text, "q\ta\n");
	for (size_t i = 0; i < n; i++) {
		for (size_t j = 0; j < i % 5; j++)
			strbuf_puts(&text, "c");
		strbuf_printf(&text, "\t%s\n", i % 3 == 0 ? "b" : "c");
	}
	scratch_text("many.tsv", text.s);
	read_file(&d, "custom text=q label=a kind=language", "many.tsv", 99);
	assert_int_equal(d.n, n);
	for (size_t i = 0; i < n; i++) {
		assert_int_equal(d.prompt[i], i % 5 + 1);
		assert_int_equal(d.start[i + 1] - d.start[i], i % 5 + 4);
		assert_int_equal(d.ids[d.start[i + 1] - 2], i % 3 == 0 ? B : C);
	}
	strbuf_free(&text);
	dataset_free(&d);
}

static void malformed_files_are_refused(void **state)
{
	(void)state;
	scratch_text("e2e.csv", "mr;ref\n");
	refused("e2e", "e2e.csv", 9, EX_DATAERR, "e2e.csv:1: no column 'mr'");
	scratch_text("e2e.csv", "mr,ref\n");
	refused("e2e", "e2e.csv", 9, EX_DATAERR, "a header and no rows");
	scratch_text("e2e.csv", "mr,ref\na,b\na\n");
	refused("e2e", "e2e.csv", 9, EX_DATAERR, "e2e.csv:3: 1 fields");
	scratch_text("e2e.csv", "");
	refused("e2e", "e2e.csv", 9, EX_DATAERR, "the file is empty");
	refused("e2e", "absent.csv", 9, EX_NOINPUT, "absent.csv");
}

/* Byte-level tokenizers add nothing to an empty text, and a model cannot read nothing. */
static void a_text_to_classify_without_tokens_is_refused(void **state)
{
	(void)state;
	scratch_text("empty.tsv", "t\tl\na\tx\n\ty\n");
	refused("custom text=t label=l", "empty.tsv", 9, EX_DATAERR,
		"empty.tsv:3: the text has no tokens");
}

/* ---- a text ---- */

static void a_text_is_divided_into_blocks(void **state)
{
	struct dataset d;

	(void)state;
	scratch_text("text.txt", "ab ab\n\nc\tc");
	read_file(&d, "lm", "text.txt", 3);
	assert_int_equal(d.n, 2);
	expect_example(&d, 0, 1, TOKENS(AB, _A, B));
	expect_example(&d, 1, 1, TOKENS(NL, NL, C));
	dataset_free(&d);
}

static void a_text_shorter_than_a_block_is_one(void **state)
{
	struct dataset d;

	(void)state;
	scratch_text("text.txt", "ab\n");
	read_file(&d, "lm", "text.txt", 3);
	assert_int_equal(d.n, 1);
	expect_example(&d, 0, 1, TOKENS(AB, NL));
	assert_true(d.longest == 2 && d.truncated == 0);
	dataset_free(&d);
}

static void the_last_block_is_as_short_as_it_comes(void **state)
{
	struct dataset d;

	(void)state;
	scratch_text("text.txt", "aaaaa");
	read_file(&d, "lm", "text.txt", 3);
	assert_int_equal(d.n, 2);
	expect_example(&d, 1, 1, TOKENS(A, A));
	dataset_free(&d);
	read_file(&d, "lm", "text.txt", 4); /* of the fifth nothing is predicted */
	assert_int_equal(d.n, 1);
	assert_int_equal(d.start[1], 4);
	assert_int_equal(d.longest, 4);
	dataset_free(&d);
	read_file(&d, "lm", "text.txt", 5);
	assert_int_equal(d.n, 1);
	dataset_free(&d);
}

static void quotes_tabs_and_ends_in_a_text_are_text(void **state)
{
	struct dataset d;

	(void)state;
	scratch_text("text.csv", "a<|endoftext|>b\na");
	read_file(&d, "lm", "text.csv", 99);
	expect_example(&d, 0, 1, TOKENS(A, END, B, NL, A));
	dataset_free(&d);
}

static void a_gzipped_text_is_the_same(void **state)
{
	struct strbuf text = { 0 };
	struct dataset d;
	gzFile f = gzopen(scratch("long.txt.gz"), "wb");

	(void)state;
	assert_non_null(f);
	while (text.len < (size_t)3 << 20)
		strbuf_puts(&text, "ab c\nb ");
	assert_int_equal(gzwrite(f, text.s, (unsigned)text.len), text.len);
	assert_int_equal(gzclose(f), Z_OK);
	read_file(&d, "lm", "long.txt.gz", 1000);
	assert_int_equal(d.start[d.n], text.len / 7 * 6);
	assert_int_equal(d.longest, 1000);
	expect_tokens(d.ids, 7, TOKENS(AB, SPACE, C, NL, B, _A, B));
	strbuf_free(&text);
	dataset_free(&d);
}

static void a_text_without_two_tokens_is_refused(void **state)
{
	(void)state;
	scratch_text("text.txt", "");
	refused("lm", "text.txt", 9, EX_DATAERR, "text.txt: the file is empty");
	scratch_text("text.txt", "a");
	refused("lm", "text.txt", 9, EX_DATAERR, "nothing to predict");
	scratch_text("text.txt", "ab c");
	refused("lm", "text.txt", 1, EX_USAGE, "nothing to predict");
	refused("lm", "absent.txt", 9, EX_NOINPUT, "absent.txt");
	scratch_text("bad.gz", "no gzip");
	refused("lm", "bad.gz", 9, EX_DATAERR, "not a gzip file");
}

static void a_model_of_pictures_is_refused(void **state)
{
	struct pixels p = { .channels = 1, .height = 1, .width = 1 };
	const struct encoder how = { .pixels = &p, .image_tokens = 2 };
	struct task t = task_of("lm");
	struct dataset d;
	struct err e;

	(void)state;
	assert_int_equal(dataset_read(&d, scratch("text.txt"), &t, true, &how, &e),
			 EX_USAGE);
	assert_non_null(strstr(e.text, "task lm needs a model that takes texts"));
	task_free(&t);
}

/* ---- what is published ---- */

static void published_e2e_is_read_without_a_complaint(void **state)
{
	const struct encoder how = { .tokenizer = tok, .max_len = 4000 };
	const char *shared = getenv("ADAPEFT_SHARED");
	static const struct {
		const char *file;
		size_t n;
	} files[] = { { "devset.csv", 4672 }, { "testset_w_refs.csv", 4693 } };
	char path[4096];

	(void)state;
	for (size_t i = 0; i < 2; i++) {
		struct task t = task_of("e2e");
		struct dataset d;
		struct err e;
		int rc;

		snprintf(path, sizeof path, "%s/data/e2e/%s",
			 shared == NULL ? "../shared" : shared, files[i].file);
		rc = dataset_read(&d, path, &t, true, &how, &e);
		task_free(&t);
		if (rc == EX_NOINPUT) {
			print_message("ADAPEFT_SHARED names the directory with data/e2e\n");
			skip();
		}
		if (rc != EX_OK)
			fail_msg("%s", e.text);
		assert_int_equal(d.n, files[i].n);
		dataset_free(&d);
	}
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(e2e_rows_are_prompts_and_completions),
		cmocka_unit_test(prompts_of_other_files_stay_as_they_are),
		cmocka_unit_test(cut_examples_keep_their_completions_and_are_counted),
		cmocka_unit_test(many_examples_keep_their_order),
		cmocka_unit_test(malformed_files_are_refused),
		cmocka_unit_test(a_text_to_classify_without_tokens_is_refused),
		cmocka_unit_test(a_text_is_divided_into_blocks),
		cmocka_unit_test(a_text_shorter_than_a_block_is_one),
		cmocka_unit_test(the_last_block_is_as_short_as_it_comes),
		cmocka_unit_test(quotes_tabs_and_ends_in_a_text_are_text),
		cmocka_unit_test(a_gzipped_text_is_the_same),
		cmocka_unit_test(a_text_without_two_tokens_is_refused),
		cmocka_unit_test(a_model_of_pictures_is_refused),
		cmocka_unit_test(published_e2e_is_read_without_a_complaint),
	};

	return cmocka_run_group_tests(tests, open_all, close_all);
}
