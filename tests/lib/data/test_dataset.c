#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <setjmp.h>
#include <cmocka.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "base/str.h"
#include "data/dataset.h"

#include "../scratch.h"
#include "../tasks.h"

/* Numbers of the vocabulary below. */
enum { CLS = 2, SEP = 3, GOOD = 4, BAD = 5, FILM = 6 };

static const char vocabulary[] = "[PAD]\n[UNK]\n[CLS]\n[SEP]\ngood\nbad\nfilm\n,\n";

static struct tokenizer *tok;

static int open_tokenizer(void **state)
{
	struct err e;

	(void)state;
	if (scratch_open() != 0)
		return -1;
	scratch_text("vocab.txt", vocabulary);
	return tokenizer_open(&tok, scratch_dir, &e) == EX_OK ? 0 : -1;
}

static int close_tokenizer(void **state)
{
	(void)state;
	tokenizer_close(tok);
	return scratch_close();
}

static void read_data(struct dataset *d, struct task *t, bool learn, const char *text,
		      size_t max_len)
{
	const struct encoder how = { .tokenizer = tok, .max_len = max_len };
	struct err e = { 0 };

	scratch_text("data.tsv", text);
	if (dataset_read(d, scratch("data.tsv"), t, learn, &how, &e) != EX_OK)
		fail_msg("%s", e.text);
}

static void refused_bytes(const char *said, bool learn, const char *text, size_t len,
			  int code, const char *want)
{
	const struct encoder how = { .tokenizer = tok, .max_len = 16 };
	struct task t = task_of(said);
	struct dataset d;
	struct err e = { 0 };

	scratch_bytes("data.tsv", text, len);
	assert_int_equal(dataset_read(&d, scratch("data.tsv"), &t, learn, &how, &e), code);
	if (strstr(e.text, want) == NULL)
		fail_msg("\"%s\" is not in \"%s\"", want, e.text);
	assert_null(d.label);
	task_free(&t);
}

static void refused(const char *said, bool learn, const char *text, const char *want)
{
	refused_bytes(said, learn, text, strlen(text), EX_DATAERR, want);
}

static void expect_classes(const char *text, const char *want)
{
	struct task t = task_of("custom text=text label=label");
	struct strbuf got = { 0 };
	struct dataset d;

	read_data(&d, &t, true, text, 16);
	for (size_t i = 0; i < t.classes.n; i++)
		strbuf_printf(&got, "%s%s", i == 0 ? "" : ",", t.classes.s[i]);
	assert_string_equal(got.s, want);
	strbuf_free(&got);
	dataset_free(&d);
	task_free(&t);
}

static void examples_have_tokens_types_and_labels(void **state)
{
	struct task t = task_of("sst2 text=sentence label=label classes=0,1");
	struct dataset d;
	const uint32_t want[] = { CLS, GOOD, FILM, SEP, CLS, SEP, CLS, BAD, SEP };

	(void)state;
	read_data(&d, &t, false, "sentence\tlabel\ngood film\t1\n\t1\nbad\t0\n", 16);
	assert_int_equal(d.n, 3);
	assert_int_equal(d.start[3], 9);
	assert_memory_equal(d.ids, want, sizeof want);
	assert_true(d.start[0] == 0 && d.start[1] == 4 && d.start[2] == 6);
	assert_true(d.label[0] == 1 && d.label[1] == 1 && d.label[2] == 0);
	assert_true(d.longest == 4 && d.truncated == 0);
	for (size_t i = 0; i < 9; i++)
		assert_int_equal(d.types[i], 0);
	dataset_free(&d);
	task_free(&t);
}

static void pairs_have_two_types(void **state)
{
	struct task t = task_of("mrpc");
	struct dataset d;
	const uint32_t want[] = { CLS, GOOD, SEP, BAD, FILM, SEP };
	const uint8_t types[] = { 0, 0, 0, 1, 1, 1 };

	(void)state;
	read_data(&d, &t, false,
		  "\xef\xbb\xbfQuality\t#1 ID\t#2 ID\t#1 String\t#2 "
		  "String\n1\t7\t8\tgood\tbad film\n",
		  16);
	assert_int_equal(d.start[1], 6);
	assert_memory_equal(d.ids, want, sizeof want);
	assert_memory_equal(d.types, types, sizeof types);
	dataset_free(&d);
	task_free(&t);
}

static void long_examples_are_cut_and_counted(void **state)
{
	struct task t = task_of("sst2");
	struct dataset d;

	(void)state;
	read_data(&d, &t, false, "sentence\tlabel\ngood film\t1\ngood bad film\t1\n", 4);
	assert_int_equal(d.longest, 4);
	assert_int_equal(d.truncated, 1);
	assert_int_equal(d.start[2], 8);
	dataset_free(&d);
	task_free(&t);
}

static void columns_are_found_by_number_with_and_without_header(void **state)
{
	struct task t = task_of("cola");
	struct dataset d;

	(void)state;
	read_data(&d, &t, false, "gj04\t1\t\tgood\ngj04\t0\t*\tbad\n", 16);
	assert_true(d.n == 2 && d.ids[1] == GOOD && d.label[0] == 1 && d.label[1] == 0);
	dataset_free(&d);
	task_free(&t);
	t = task_of("custom text=3 label=label classes=0,1");
	read_data(&d, &t, false, "label\t3\tx\n1\tgood\tbad\n", 16);
	assert_true(d.n == 1 && d.ids[1] == GOOD);
	dataset_free(&d);
	read_data(&d, &t, false, "label\ty\tx\n1\tgood\tbad\n", 16);
	assert_true(d.n == 1 && d.ids[1] == BAD);
	dataset_free(&d);
	task_free(&t);
}

static void regression_has_targets_and_threshold_has_classes(void **state)
{
	struct task t = task_of("custom text=text label=score kind=regression");
	struct dataset d;

	(void)state;
	read_data(&d, &t, true, "text\tscore\ngood\t3.5\nbad\t-1e-3\n", 16);
	assert_true(d.target[0] == 3.5f && d.target[1] == -1e-3f && d.label[0] == -1);
	assert_int_equal(t.classes.n, 0);
	dataset_free(&d);
	task_free(&t);
	t = task_of("custom text=text label=score threshold=0.5");
	read_data(&d, &t, true, "text\tscore\ngood\t0.75\nbad\t0.5\nbad\t-3\n", 16);
	assert_true(d.label[0] == 1 && d.label[1] == 0 && d.label[2] == 0);
	dataset_free(&d);
	task_free(&t);
}

static void classes_are_learned_in_a_stable_order(void **state)
{
	(void)state;
	expect_classes("text\tlabel\na\t10\nb\t-1\nc\t9\nd\t10\n", "-1,9,10");
	expect_classes("text\tlabel\na\tpos\nb\tneg\nc\tNeu\n", "Neu,neg,pos");
	expect_classes("text\tlabel\na\t10\nb\t9\nc\tx\n", "10,9,x");
}

static void learned_labels_are_numbered_by_their_class(void **state)
{
	struct task t = task_of("custom text=text label=label");
	struct dataset d;

	(void)state;
	read_data(&d, &t, true, "text\tlabel\na\tc\nb\tb\nc\ta\nd\tc\n", 16);
	assert_true(d.label[0] == 2 && d.label[1] == 1 && d.label[2] == 0 &&
		    d.label[3] == 2);
	dataset_free(&d);
	read_data(&d, &t, true, "text\tlabel\na\tb\n", 16);
	assert_int_equal(d.label[0], 1);
	assert_int_equal(t.classes.n, 3);
	dataset_free(&d);
	task_free(&t);
}

/* Chunks of examples are encoded by different threads. */
static void many_examples_keep_their_order(void **state)
{
	struct task t = task_of("sst2");
	struct strbuf text = { 0 };
	struct dataset d;
	size_t n = 2000;

	(void)state;
	strbuf_puts(&text, "sentence\tlabel\n");
	for (size_t i = 0; i < n; i++) {
		for (size_t j = 0; j < i % 7; j++)
			strbuf_puts(&text, "good ");
		strbuf_printf(&text, "%s\t%zu\n", i % 3 == 0 ? "bad" : "film", i % 2);
	}
	read_data(&d, &t, false, text.s, 16);
	assert_int_equal(d.n, n);
	assert_int_equal(d.longest, 9);
	for (size_t i = 0; i < n; i++) {
		assert_int_equal(d.start[i + 1] - d.start[i], i % 7 + 3);
		assert_int_equal(d.ids[d.start[i + 1] - 2], i % 3 == 0 ? BAD : FILM);
		assert_int_equal(d.label[i], i % 2);
	}
	strbuf_free(&text);
	dataset_free(&d);
	task_free(&t);
}

/* ---- GLUE's other files, each as its header says ---- */

static void expect_pairs(const char *task, const char *text, int32_t first, int32_t second)
{
	struct task t = task_of(task);
	struct dataset d;
	const uint32_t want[] = {
		CLS, GOOD, FILM, SEP, BAD, SEP, CLS, BAD, SEP, FILM, SEP
	};

	read_data(&d, &t, true, text, 16);
	assert_int_equal(d.n, 2);
	assert_int_equal(d.start[2], 11);
	assert_memory_equal(d.ids, want, sizeof want);
	assert_true(d.label[0] == first && d.label[1] == second);
	assert_int_equal(d.left_out, 0);
	dataset_free(&d);
	task_free(&t);
}

static void mnli_columns_are_found_in_training_and_development_files(void **state)
{
	(void)state;
	expect_pairs("mnli",
		     "index\tpromptID\tpairID\tgenre\tsentence1_binary_parse\t"
		     "sentence2_binary_parse\tsentence1_parse\tsentence2_parse\t"
		     "sentence1\tsentence2\tlabel1\tgold_label\n"
		     "0\t1\t1n\tx\t( )\t( )\t( )\t( )\tgood film\tbad\tneutral\tneutral\n"
		     "1\t1\t1e\tx\t( )\t( )\t( )\t( )\tbad\tfilm\tentailment\t"
		     "entailment\n",
		     1, 0);
	expect_pairs("mnli",
		     "index\tpromptID\tpairID\tgenre\tsentence1_binary_parse\t"
		     "sentence2_binary_parse\tsentence1_parse\tsentence2_parse\t"
		     "sentence1\tsentence2\tlabel1\tlabel2\tlabel3\tlabel4\tlabel5\t"
		     "gold_label\n"
		     "0\t1\t1n\tx\t( )\t( )\t( )\t( )\tgood film\tbad\tneutral\t"
		     "entailment\tcontradiction\tcontradiction\tcontradiction\t"
		     "contradiction\n"
		     "1\t1\t1e\tx\t( )\t( )\t( )\t( )\tbad\tfilm\tneutral\tneutral\t"
		     "neutral\tneutral\tneutral\tneutral\n",
		     2, 1);
}

static void qnli_rte_and_wnli_are_read(void **state)
{
	(void)state;
	expect_pairs("qnli",
		     "index\tquestion\tsentence\tlabel\n"
		     "0\tgood film\tbad\tnot_entailment\n"
		     "1\tbad\tfilm\tentailment\n",
		     1, 0);
	expect_pairs("rte",
		     "index\tsentence1\tsentence2\tlabel\n"
		     "0\tgood film\tbad\tnot_entailment\n"
		     "1\tbad\tfilm\tentailment\n",
		     1, 0);
	expect_pairs("wnli",
		     "index\tsentence1\tsentence2\tlabel\n"
		     "0\tgood film\tbad\t1\n1\tbad\tfilm\t0\n",
		     1, 0);
}

static void rows_of_qqp_with_too_few_fields_are_passed_over(void **state)
{
	static const char text[] = "id\tqid1\tqid2\tquestion1\tquestion2\tis_duplicate\n"
				   "1\t3\t4\tgood film\tbad\t1\n"
				   "2\t5\t6\tgood \n"
				   "film\tbad\t0\n"
				   "3\t7\t8\tbad\tfilm\t0\n";
	struct task t = task_of("qqp");
	struct dataset d;

	(void)state;
	read_data(&d, &t, true, text, 16);
	assert_true(d.n == 2 && d.left_out == 2);
	assert_true(d.label[0] == 1 && d.label[1] == 0);
	assert_int_equal(d.start[2], 11);
	dataset_free(&d);
	task_free(&t);
	refused("qqp", true, "id\tqid1\tqid2\tquestion1\tquestion2\tis_duplicate\n1\t2\n",
		"data.tsv: all 1 rows were passed over");
	refused("qqp", true,
		"id\tqid1\tqid2\tquestion1\tquestion2\tis_duplicate\n"
		"1\t3\t4\tgood film\tbad\t1\textra\n",
		"data.tsv:2: 7 fields");
}

/* GLUE is not quoted. */
static void no_more_than_the_first_examples_are_read(void **state)
{
	const struct encoder how = { .tokenizer = tok, .max_len = 4, .limit = 2 };
	struct task t = task_of("sst2 text=sentence label=label classes=0,1");
	struct dataset d;
	struct err e;

	(void)state;
	scratch_text("data.tsv", "sentence\tlabel\ngood\t1\nbad\t0\ngood good film\t1\n");
	if (dataset_read(&d, scratch("data.tsv"), &t, false, &how, &e) != EX_OK)
		fail_msg("%s", e.text);
	assert_int_equal(d.n, 2);
	assert_int_equal(d.longest, 3);
	assert_int_equal(d.truncated, 0);
	dataset_free(&d);
	task_free(&t);
}

static void commas_in_place_of_tabs_are_told(void **state)
{
	(void)state;
	refused("custom text=text label=label header=yes", true,
		"text,label\ngood,1\nbad,0\n",
		"the columns are text,label; fields stand apart by tabs");
}

static void empty_label_is_refused_on_learning(void **state)
{
	(void)state;
	refused("custom text=text label=label", true, "text\tlabel\ngood\t1\nbad\t\n",
		"data.tsv:3: the label is empty");
}

static void quotes_are_text(void **state)
{
	struct task t = task_of("rte");
	struct dataset d;

	(void)state;
	read_data(&d, &t, true,
		  "index\tsentence1\tsentence2\tlabel\n"
		  "0\t\"good\tbad\tentailment\n1\tbad\"\tbad\tentailment\n",
		  16);
	assert_int_equal(d.n, 2);
	dataset_free(&d);
	task_free(&t);
}

/* ---- some of the classes ---- */

static void rows_of_other_classes_are_passed_over_and_counted(void **state)
{
	struct task t = task_of("custom text=text label=label classes=9,7 only=yes");
	struct dataset d;
	const uint32_t want[] = { CLS, GOOD, SEP, CLS, FILM, SEP };

	(void)state;
	for (int learn = 0; learn < 2; learn++) {
		read_data(&d, &t, learn,
			  "text\tlabel\nbad\t1\ngood\t7\nfilm\t9\nbad\t07\nbad\t\n", 16);
		assert_true(d.n == 2 && d.left_out == 3);
		assert_true(d.label[0] == 1 && d.label[1] == 0);
		assert_int_equal(d.start[2], 6);
		assert_memory_equal(d.ids, want, sizeof want);
		assert_int_equal(t.classes.n, 2);
		dataset_free(&d);
	}
	task_free(&t);
}

static void a_class_asked_for_needs_an_example_in_training_only(void **state)
{
	static const char said[] = "custom text=t label=l classes=a,b only=yes";
	struct task t = task_of(said);
	struct dataset d;

	(void)state;
	read_data(&d, &t, false, "t\tl\ngood\ta\nbad\tc\n", 16);
	assert_true(d.n == 1 && d.left_out == 1);
	dataset_free(&d);
	task_free(&t);
	refused(said, true, "t\tl\ngood\ta\nbad\tc\n",
		"data.tsv: no row has the label 'b' of --classes");
}

static void no_row_of_the_classes_asked_for_is_refused_with_those_there_are(void **state)
{
	(void)state;
	refused("custom text=t label=l classes=a,b only=yes", false,
		"t\tl\ngood\tA\nbad\tB\nbad\tA\n",
		"data.tsv: all 3 rows were passed over: the classes are a, b, and the "
		"labels A, B");
}

static void empty_file_is_refused(void **state)
{
	(void)state;
	refused("sst2", true, "", "data.tsv: the file is empty");
	refused("cola", true, "\n\n", "data.tsv: the file is empty");
}

static void header_only_is_refused(void **state)
{
	(void)state;
	refused("sst2", true, "sentence\tlabel\n", "data.tsv: a header and no rows");
}

static void missing_column_is_refused_with_those_there_are(void **state)
{
	(void)state;
	refused("sst2", true, "sentense\tlabel\nx\t1\n",
		"data.tsv:1: no column 'sentence'; did you mean sentense? the columns are "
		"sentense, label");
	refused("custom text=3 label=label", true, "a\tlabel\nx\t1\n", "no column '3'");
	refused("cola", true, "a\tb\n", "data.tsv:1: no column 4; the first row has 2");
	refused("custom text=a label=b header=no", true, "x\t1\n",
		"column 'a' is no number");
	refused("sst2", true, "label\tsentence\tlabel\n1\tx\t1\n",
		"two columns are called");
}

static void unknown_label_is_refused_with_the_classes(void **state)
{
	(void)state;
	refused("sst2", true, "sentence\tlabel\nx\t1\ny\t2\n",
		"data.tsv:3: label '2' is none of the 2 classes: 0, 1");
	refused("sst2", true, "sentence\tlabel\nx\t1 \n", "data.tsv:2: label '1 '");
}

static void ragged_row_is_refused(void **state)
{
	(void)state;
	refused("sst2", true, "sentence\tlabel\nx\t1\ny\n",
		"data.tsv:3: 1 fields, where the first row has 2");
	refused("sst2", true, "sentence\tlabel\nx\t1\t2\n", "data.tsv:2: 3 fields");
}

static void unterminated_quote_is_refused(void **state)
{
	(void)state;
	refused("sst2 text=sentence label=label quoting=yes classes=0,1", true,
		"sentence\tlabel\n\"x\t1\ny\t1\n", "data.tsv:2: a quote");
}

static void nul_byte_is_refused(void **state)
{
	(void)state;
	refused_bytes("sst2", true, "sentence\tlabel\nx\0y\t1\n", 21, EX_DATAERR,
		      "data.tsv:2: a NUL byte");
}

static void label_that_is_no_number_is_refused(void **state)
{
	static const char *const said[] = { "custom text=t label=l threshold=0",
					    "custom text=t label=l kind=regression" };

	(void)state;
	for (int i = 0; i < 2; i++) {
		refused(said[i], true, "t\tl\nx\t1\ny\thigh\n",
			"data.tsv:3: label 'high' is not a number");
		refused(said[i], true, "t\tl\nx\tnan\n", "data.tsv:2: label 'nan'");
		refused(said[i], true, "t\tl\nx\t\n", "data.tsv:2: label ''");
	}
}

static void one_class_is_refused_on_learning(void **state)
{
	(void)state;
	refused("custom text=t label=l", true, "t\tl\nx\ta\ny\ta\n", "only one class, 'a'");
}

static void too_many_classes_are_refused(void **state)
{
	struct strbuf text = { 0 };

	(void)state;
	strbuf_puts(&text, "t\tl\n");
	for (int i = 0; i <= TASK_MAX_CLASSES; i++)
		strbuf_printf(&text, "x\t%d.5\n", i);
	refused("custom text=t label=l", true, text.s,
		"data.tsv:1002: more than 1000 different labels");
	strbuf_free(&text);
}

static void unknown_classes_are_refused_without_learning(void **state)
{
	(void)state;
	refused_bytes("custom text=t label=l", false, "t\tl\nx\ta\n", 8, EX_USAGE,
		      "the classes are not known");
}

static void missing_file_is_no_input(void **state)
{
	const struct encoder how = { .tokenizer = tok, .max_len = 16 };
	struct task t = task_of("sst2");
	struct dataset d;
	struct err e = { 0 };

	(void)state;
	assert_int_equal(dataset_read(&d, "/nonexistent/x.tsv", &t, true, &how, &e),
			 EX_NOINPUT);
	task_free(&t);
}

/* Counts of examples and of class 1 that awk finds in the published files. */
static void glue_as_distributed_is_read_without_a_complaint(void **state)
{
	static const struct {
		const char *task, *file;
		size_t n, ones;
	} files[] = {
		{ "sst2", "sst2/train.tsv", 67349, 37569 },
		{ "sst2", "sst2/dev.tsv", 872, 444 },
		{ "cola", "cola/train.tsv", 8551, 6023 },
		{ "cola", "cola/dev.tsv", 1043, 721 },
		{ "mrpc", "mrpc/train.tsv", 3667, 2473 },
		{ "mrpc", "mrpc/dev.tsv", 408, 279 },
		{ "stsb", "stsb/train.tsv", 5749, 0 },
		{ "stsb", "stsb/dev.tsv", 1500, 0 },
	};
	const struct encoder how = { .tokenizer = tok, .max_len = 128 };
	const char *shared = getenv("ADAPEFT_SHARED");
	char file[4096];

	(void)state;
	for (size_t i = 0; i < sizeof files / sizeof *files; i++) {
		struct task t = task_of(files[i].task);
		struct dataset d;
		struct err e = { 0 };
		size_t ones = 0;
		int rc;

		snprintf(file, sizeof file, "%s/data/glue/%s",
			 shared == NULL ? "../shared" : shared, files[i].file);
		rc = dataset_read(&d, file, &t, true, &how, &e);
		task_free(&t);
		if (rc == EX_NOINPUT) {
			print_message(
			    "ADAPEFT_SHARED names the directory with data/glue\n");
			skip();
		}
		if (rc != EX_OK)
			fail_msg("%s", e.text);
		for (size_t j = 0; j < d.n; j++)
			ones += d.label[j] == 1;
		assert_int_equal(d.n, files[i].n);
		assert_int_equal(ones, files[i].ones);
		dataset_free(&d);
	}
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(examples_have_tokens_types_and_labels),
		cmocka_unit_test(pairs_have_two_types),
		cmocka_unit_test(long_examples_are_cut_and_counted),
		cmocka_unit_test(columns_are_found_by_number_with_and_without_header),
		cmocka_unit_test(regression_has_targets_and_threshold_has_classes),
		cmocka_unit_test(classes_are_learned_in_a_stable_order),
		cmocka_unit_test(learned_labels_are_numbered_by_their_class),
		cmocka_unit_test(many_examples_keep_their_order),
		cmocka_unit_test(mnli_columns_are_found_in_training_and_development_files),
		cmocka_unit_test(qnli_rte_and_wnli_are_read),
		cmocka_unit_test(rows_of_qqp_with_too_few_fields_are_passed_over),
		cmocka_unit_test(no_more_than_the_first_examples_are_read),
		cmocka_unit_test(commas_in_place_of_tabs_are_told),
		cmocka_unit_test(empty_label_is_refused_on_learning),
		cmocka_unit_test(quotes_are_text),
		cmocka_unit_test(rows_of_other_classes_are_passed_over_and_counted),
		cmocka_unit_test(a_class_asked_for_needs_an_example_in_training_only),
		cmocka_unit_test(
		    no_row_of_the_classes_asked_for_is_refused_with_those_there_are),
		cmocka_unit_test(empty_file_is_refused),
		cmocka_unit_test(header_only_is_refused),
		cmocka_unit_test(missing_column_is_refused_with_those_there_are),
		cmocka_unit_test(unknown_label_is_refused_with_the_classes),
		cmocka_unit_test(ragged_row_is_refused),
		cmocka_unit_test(unterminated_quote_is_refused),
		cmocka_unit_test(nul_byte_is_refused),
		cmocka_unit_test(label_that_is_no_number_is_refused),
		cmocka_unit_test(one_class_is_refused_on_learning),
		cmocka_unit_test(too_many_classes_are_refused),
		cmocka_unit_test(unknown_classes_are_refused_without_learning),
		cmocka_unit_test(missing_file_is_no_input),
		cmocka_unit_test(glue_as_distributed_is_read_without_a_complaint),
	};

	return cmocka_run_group_tests(tests, open_tokenizer, close_tokenizer);
}
