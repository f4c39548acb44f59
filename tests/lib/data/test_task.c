#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <setjmp.h>
#include <cmocka.h>
#include <stdio.h>
#include <string.h>

#include "data/task.h"

static void resolve(struct task *t, const struct task_options *o, const char *said)
{
	struct err e = { 0 };

	if (task_resolve(t, o, said, &e) != EX_OK)
		fail_msg("%s", e.text);
}

/* Options with the text columns `text` ("a,b", or NULL). */
static struct task_options options(const char *task, const char *text, const char *label)
{
	struct task_options o = { .task = task, .label = label };

	if (text != NULL)
		assert_int_equal(strlist_split(&o.text, text, ',', NULL), EX_OK);
	return o;
}

static void refused(struct task_options o, const char *said, int code, const char *want)
{
	struct task t;
	struct err e = { 0 };

	assert_int_equal(task_resolve(&t, &o, said, &e), code);
	if (strstr(e.text, want) == NULL)
		fail_msg("\"%s\" is not in \"%s\"", want, e.text);
	assert_null(t.name);
	strlist_free(&o.text);
}

static void prints(struct task_options o, const char *said, const char *want)
{
	struct strbuf once = { 0 }, twice = { 0 };
	struct task_options none = { 0 };
	struct task t;

	resolve(&t, &o, said);
	assert_int_equal(task_print(&t, &once, NULL), EX_OK);
	assert_string_equal(once.s, want);
	task_free(&t);
	resolve(&t, &none, once.s);
	assert_int_equal(task_print(&t, &twice, NULL), EX_OK);
	assert_string_equal(twice.s, want);
	task_free(&t);
	strbuf_free(&once);
	strbuf_free(&twice);
	strlist_free(&o.text);
}

static void known_names_need_nothing_else(void **state)
{
	static const char *const lines[][2] = {
		{ "sst2", "sst2 text=sentence label=label classes=0,1" },
		{ "cola", "cola text=4 label=2 classes=0,1" },
		{ "mrpc", "mrpc text=#1%20String,#2%20String label=Quality classes=0,1" },
		{ "rte", "rte text=sentence1,sentence2 label=label "
			 "classes=entailment,not_entailment" },
		{ "qnli", "qnli text=question,sentence label=label "
			  "classes=entailment,not_entailment" },
		{ "qqp", "qqp text=question1,question2 label=is_duplicate classes=0,1" },
		{ "stsb", "stsb text=sentence1,sentence2 label=score" },
		{ "mnli", "mnli text=sentence1,sentence2 label=gold_label "
			  "classes=entailment,neutral,contradiction" },
		{ "wnli", "wnli text=sentence1,sentence2 label=label classes=0,1" },
		{ "e2e", "e2e text=mr label=ref" },
		{ "lm", "lm" },
		{ "image", "image text=image label=label" },
	};

	(void)state;
	for (size_t i = 0; i < sizeof lines / sizeof *lines; i++)
		prints(options(lines[i][0], NULL, NULL), NULL, lines[i][1]);
}

static void metrics_headers_kinds_and_forms_are_known(void **state)
{
	static const struct {
		const char *name, *metric;
		bool header;
		enum task_kind kind;
		enum task_form form;
		size_t classes;
	} want[] = {
		{ "sst2", "accuracy", true, TASK_CLASSES, FORM_ROWS, 2 },
		{ "cola", "matthews", false, TASK_CLASSES, FORM_ROWS, 2 },
		{ "mrpc", "f1", true, TASK_CLASSES, FORM_ROWS, 2 },
		{ "rte", "accuracy", true, TASK_CLASSES, FORM_ROWS, 2 },
		{ "qnli", "accuracy", true, TASK_CLASSES, FORM_ROWS, 2 },
		{ "qqp", "f1", true, TASK_CLASSES, FORM_ROWS, 2 },
		{ "stsb", "pearson", true, TASK_REGRESSION, FORM_ROWS, 0 },
		{ "mnli", "accuracy", true, TASK_CLASSES, FORM_ROWS, 3 },
		{ "wnli", "accuracy", true, TASK_CLASSES, FORM_ROWS, 2 },
		{ "e2e", "bleu", true, TASK_LANGUAGE, FORM_ROWS, 0 },
		{ "lm", "perplexity", false, TASK_LANGUAGE, FORM_PLAIN, 0 },
		{ "image", "accuracy", true, TASK_CLASSES, FORM_IMAGES, 0 },
	};

	(void)state;
	for (size_t i = 0; i < sizeof want / sizeof *want; i++) {
		struct task_options o = options(want[i].name, NULL, NULL);
		struct task t;

		resolve(&t, &o, NULL);
		assert_string_equal(t.name, want[i].name);
		assert_string_equal(t.metric, want[i].metric);
		assert_int_equal(t.header, want[i].header);
		assert_int_equal(t.kind, want[i].kind);
		assert_int_equal(t.form, want[i].form);
		assert_int_equal(t.classes.n, want[i].classes);
		assert_false(t.only_classes);
		assert_int_equal(task_has_short_rows(&t), strcmp(t.name, "qqp") == 0);
		task_free(&t);
	}
}

static void file_name_tells_delimiter_and_quoting(void **state)
{
	struct task t = { 0 };
	char delimiter;
	bool quoting;

	(void)state;
	task_file_form(&t, "a/train.csv.gz", &delimiter, &quoting);
	assert_true(delimiter == ',' && quoting);
	task_file_form(&t, "train.tsv.gz", &delimiter, &quoting);
	assert_true(delimiter == '\t' && !quoting);
	task_file_form(&t, "-", &delimiter, &quoting);
	assert_true(delimiter == '\t' && !quoting);
	t.quoting = QUOTING_YES;
	task_file_form(&t, "train.tsv", &delimiter, &quoting);
	assert_true(delimiter == '\t' && quoting);
	t.quoting = QUOTING_NO;
	task_file_form(&t, "train.csv", &delimiter, &quoting);
	assert_true(delimiter == ',' && !quoting);
}

/* E2E is published as CSV; what comes through a pipe is taken for that. */
static void e2e_is_csv_whatever_its_name(void **state)
{
	struct task_options o = options("e2e", NULL, NULL);
	struct task t;
	char delimiter;
	bool quoting;

	(void)state;
	resolve(&t, &o, NULL);
	task_file_form(&t, "-", &delimiter, &quoting);
	assert_true(delimiter == ',' && quoting);
	task_file_form(&t, "dev.tsv.gz", &delimiter, &quoting);
	assert_true(delimiter == '\t' && quoting);
	task_free(&t);
	o.quoting = "no";
	prints(o, NULL, "e2e text=mr label=ref quoting=no");
}

static void numbers_alone_mean_no_header(void **state)
{
	struct task_options o;

	(void)state;
	prints(options(NULL, "4", "2"), NULL, "custom text=4 label=2");
	prints(options(NULL, "4", "label"), NULL, "custom text=4 label=label");
	o = options(NULL, "4", "2");
	o.header = "yes";
	prints(o, NULL, "custom text=4 label=2 header=yes");
	o = options(NULL, "body", "2");
	o.header = "no";
	prints(o, NULL, "custom text=body label=2 header=no");
	prints(options("sst2", "1", "2"), NULL, "sst2 text=1 label=2 classes=0,1");
}

static void header_of_a_custom_file(void **state)
{
	struct task_options o = options(NULL, "4", "2");
	struct task t;

	(void)state;
	resolve(&t, &o, NULL);
	assert_false(t.header);
	task_free(&t);
	o.label = "stars";
	resolve(&t, &o, NULL);
	assert_true(t.header);
	task_free(&t);
	strlist_free(&o.text);
}

static void values_with_blanks_signs_and_any_bytes_survive(void **state)
{
	struct task_options o = options(NULL, "a b", "x=\ty,\xff%");

	(void)state;
	prints(o, NULL, "custom text=a%20b label=x%3D%09y%2C%FF%25");
	prints((struct task_options){ 0 },
	       "custom  text=a\tlabel=b unknown=1 classes=not%20good,%2C,ok",
	       "custom text=a label=b classes=not%20good,%2C,ok");
}

static void threshold_makes_two_classes(void **state)
{
	struct task_options o = options(NULL, "text", "score");

	(void)state;
	o.threshold = "-0.5";
	prints(o, NULL, "custom text=text label=score threshold=-0.5 classes=0,1");
	o = options("stsb", NULL, NULL);
	o.threshold = "3";
	prints(o, NULL,
	       "stsb text=sentence1,sentence2 label=score threshold=3 classes=0,1");
}

static void kind_changes_metric_and_classes(void **state)
{
	struct task_options o = options("sst2", NULL, NULL);
	struct task t;

	(void)state;
	o.kind = "regression";
	resolve(&t, &o, NULL);
	assert_string_equal(t.metric, "pearson");
	assert_int_equal(t.classes.n, 0);
	task_free(&t);
	prints(o, NULL, "sst2 text=sentence label=label kind=regression");
}

static void options_go_before_what_the_stream_said(void **state)
{
	struct task_options o = options(NULL, "body", NULL);
	static const char said[] =
	    "custom text=sentence label=stars quoting=yes classes=1,2,3";

	(void)state;
	prints((struct task_options){ 0 }, said, said);
	prints(o, said, "custom text=body label=stars quoting=yes classes=1,2,3");
	o = options("sst2", NULL, NULL);
	prints(o, said, "sst2 text=sentence label=label classes=0,1");
	o = options("sst2", NULL, NULL);
	prints(o, "sst2 text=a label=b classes=x,y", "sst2 text=a label=b classes=x,y");
	o = options(NULL, NULL, NULL);
	o.kind = "regression";
	prints(o, "custom text=a label=b threshold=2 classes=0,1",
	       "custom text=a label=b kind=regression");
}

static void unknown_name_lists_near_misses(void **state)
{
	(void)state;
	refused(options("sst", NULL, NULL), NULL, EX_USAGE, "did you mean sst2");
	refused(options("imagenet22k", NULL, NULL), NULL, EX_USAGE, "there are sst2");
}

static void rows_of_prompts_and_completions_are_a_language_task(void **state)
{
	struct task_options o = options(NULL, "question", "answer");
	struct task t;

	(void)state;
	o.kind = "language";
	resolve(&t, &o, NULL);
	assert_int_equal(t.kind, TASK_LANGUAGE);
	assert_int_equal(t.form, FORM_ROWS);
	assert_string_equal(t.metric, "perplexity");
	assert_true(t.header);
	task_free(&t);
	prints(o, NULL, "custom text=question label=answer kind=language");
	o = options("sst2", NULL, NULL);
	o.kind = "language";
	prints(o, NULL, "sst2 text=sentence label=label kind=language");
	o = options("mrpc", NULL, NULL);
	o.kind = "language";
	refused(o, NULL, EX_USAGE, "a language task one holds the prompt");
}

static void a_form_may_be_said_in_a_task_line(void **state)
{
	const struct task_options none = { 0 };

	(void)state;
	prints(none, "custom form=plain kind=language", "custom kind=language form=plain");
	prints(none, "custom form=images text=a label=b classes=x,y",
	       "custom text=a label=b form=images classes=x,y");
	prints(none, "image text=image label=label metric=f1 classes=0,1",
	       "image text=image label=label metric=f1 classes=0,1");
	refused(none, "custom form=plain", EX_USAGE, "cannot be of kind classes");
	refused(none, "custom form=scroll text=a label=b", EX_DATAERR,
		"form 'scroll' is not rows, plain or images");
}

static void a_plain_text_has_no_columns(void **state)
{
	struct task_options o = options("lm", "text", NULL);

	(void)state;
	refused(o, NULL, EX_USAGE, "task lm reads a file as one text");
	refused(options("lm", NULL, "label"), NULL, EX_USAGE, "as one text");
	o = options("lm", NULL, NULL);
	o.kind = "classes";
	refused(o, NULL, EX_USAGE, "task lm cannot be of kind classes");
}

static void pictures_have_one_path_and_a_class_or_number(void **state)
{
	struct task_options o = options("image", "a,b", NULL);

	(void)state;
	refused(o, NULL, EX_USAGE, "a picture has one path");
	o = options("image", NULL, NULL);
	o.kind = "language";
	refused(o, NULL, EX_USAGE, "task image cannot be of kind language");
	o.kind = "regression";
	prints(o, NULL, "image text=image label=label kind=regression");
}

static void classes_asked_for_travel(void **state)
{
	struct task_options o = options("mnli", NULL, NULL);
	static const char want[] = "mnli text=sentence1,sentence2 label=gold_label "
				   "classes=contradiction,entailment only=yes";
	struct task t;

	(void)state;
	assert_int_equal(strlist_split(&o.classes, "contradiction,entailment", ',', NULL),
			 EX_OK);
	resolve(&t, &o, NULL);
	assert_true(t.only_classes);
	task_free(&t);
	prints(o, NULL, want);
	prints(o, "mnli text=a,b label=c classes=x,y",
	       "mnli text=a,b label=c classes=contradiction,entailment only=yes");
	strlist_free(&o.classes);
	o = options(NULL, NULL, NULL);
	o.kind = "regression";
	prints(o, "custom text=a label=b classes=1,2 only=yes",
	       "custom text=a label=b kind=regression");
}

static void refused_classes(const char *classes, struct task_options o, const char *want)
{
	assert_int_equal(strlist_split(&o.classes, classes, ',', NULL), EX_OK);
	refused(o, NULL, EX_USAGE, want);
	strlist_free(&o.classes);
}

static void classes_that_cannot_be_asked_for_are_refused(void **state)
{
	struct task_options o = options("sst2", NULL, NULL);

	(void)state;
	refused_classes("7", options("image", NULL, NULL), "two or more");
	refused_classes("7,8,7", options("image", NULL, NULL), "class '7' is there twice");
	refused_classes("1,2", options("stsb", NULL, NULL), "nothing for kind regression");
	refused_classes("a,b", options("lm", NULL, NULL), "nothing for kind language");
	o.threshold = "3";
	refused_classes("0,1", o, "--threshold makes the classes 0 and 1");
	refused((struct task_options){ 0 }, "custom text=a label=b only=yes", EX_USAGE,
		"two or more");
}

static void text_and_label_must_be_said(void **state)
{
	(void)state;
	refused(options(NULL, NULL, NULL), NULL, EX_USAGE, "which columns hold the text?");
	refused(options(NULL, "a", NULL), NULL, EX_USAGE, "which columns hold the label?");
	refused(options(NULL, "a,b,c", "d"), NULL, EX_USAGE, "3 text columns");
	refused(options(NULL, "a,", "d"), NULL, EX_USAGE, "without a name");
	refused(options(NULL, "a", ""), NULL, EX_USAGE, "without a name");
}

static void contradicting_or_malformed_options_are_refused(void **state)
{
	struct task_options o = options(NULL, "a", "b");

	(void)state;
	o.threshold = "nan";
	refused(o, NULL, EX_USAGE, "threshold 'nan'");
	o = options(NULL, "a", "b");
	o.threshold = "1";
	o.kind = "regression";
	refused(o, NULL, EX_USAGE, "--kind regression");
	o = options(NULL, "a", "b");
	o.threshold = "1";
	o.kind = "language";
	refused(o, NULL, EX_USAGE, "leave it out for --kind language");
	o = options(NULL, "a", "b");
	o.header = "maybe";
	refused(o, NULL, EX_USAGE, "header 'maybe'");
}

static void malformed_task_line_is_refused(void **state)
{
	static const char *const lines[] = {
		"",
		"nonsense text=a",
		"custom text",
		"custom text=%",
		"custom text=%0",
		"custom text=%zz",
		"custom text=a label=%00",
		"custom text=a label=b metric=x",
		"custom text=a label=b kind=x",
		"custom text=a label=b only=x",
		"custom text=a label=b classes=a,a",
		"custom text=a label=b threshold=high",
	};

	(void)state;
	for (size_t i = 0; i < sizeof lines / sizeof *lines; i++)
		refused((struct task_options){ 0 }, lines[i], EX_DATAERR, "");
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(known_names_need_nothing_else),
		cmocka_unit_test(metrics_headers_kinds_and_forms_are_known),
		cmocka_unit_test(file_name_tells_delimiter_and_quoting),
		cmocka_unit_test(e2e_is_csv_whatever_its_name),
		cmocka_unit_test(numbers_alone_mean_no_header),
		cmocka_unit_test(header_of_a_custom_file),
		cmocka_unit_test(values_with_blanks_signs_and_any_bytes_survive),
		cmocka_unit_test(threshold_makes_two_classes),
		cmocka_unit_test(kind_changes_metric_and_classes),
		cmocka_unit_test(options_go_before_what_the_stream_said),
		cmocka_unit_test(unknown_name_lists_near_misses),
		cmocka_unit_test(rows_of_prompts_and_completions_are_a_language_task),
		cmocka_unit_test(a_form_may_be_said_in_a_task_line),
		cmocka_unit_test(a_plain_text_has_no_columns),
		cmocka_unit_test(pictures_have_one_path_and_a_class_or_number),
		cmocka_unit_test(classes_asked_for_travel),
		cmocka_unit_test(classes_that_cannot_be_asked_for_are_refused),
		cmocka_unit_test(text_and_label_must_be_said),
		cmocka_unit_test(contradicting_or_malformed_options_are_refused),
		cmocka_unit_test(malformed_task_line_is_refused),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
