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
	};

	(void)state;
	for (size_t i = 0; i < sizeof lines / sizeof *lines; i++)
		prints(options(lines[i][0], NULL, NULL), NULL, lines[i][1]);
}

static void glue_metrics_headers_and_kinds(void **state)
{
	struct task_options o = options("cola", NULL, NULL);
	struct task t;

	(void)state;
	resolve(&t, &o, NULL);
	assert_string_equal(t.metric, "matthews");
	assert_false(t.header);
	task_free(&t);
	o.task = "mrpc";
	resolve(&t, &o, NULL);
	assert_string_equal(t.metric, "f1");
	assert_true(t.header);
	task_free(&t);
	o.task = "stsb";
	resolve(&t, &o, NULL);
	assert_string_equal(t.metric, "pearson");
	assert_int_equal(t.kind, TASK_REGRESSION);
	assert_int_equal(t.classes.n, 0);
	task_free(&t);
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

static void task_of_another_family_is_refused(void **state)
{
	(void)state;
	refused(options("lm", NULL, NULL), NULL, EX_USAGE,
		"task lm needs a language model");
	refused(options("e2e", NULL, NULL), NULL, EX_USAGE, "a language model");
	refused(options("image", NULL, NULL), NULL, EX_USAGE, "an image model");
	refused(options(NULL, NULL, NULL), "lm text=a", EX_DATAERR, "a language model");
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
		cmocka_unit_test(glue_metrics_headers_and_kinds),
		cmocka_unit_test(file_name_tells_delimiter_and_quoting),
		cmocka_unit_test(numbers_alone_mean_no_header),
		cmocka_unit_test(header_of_a_custom_file),
		cmocka_unit_test(values_with_blanks_signs_and_any_bytes_survive),
		cmocka_unit_test(threshold_makes_two_classes),
		cmocka_unit_test(kind_changes_metric_and_classes),
		cmocka_unit_test(options_go_before_what_the_stream_said),
		cmocka_unit_test(unknown_name_lists_near_misses),
		cmocka_unit_test(task_of_another_family_is_refused),
		cmocka_unit_test(text_and_label_must_be_said),
		cmocka_unit_test(contradicting_or_malformed_options_are_refused),
		cmocka_unit_test(malformed_task_line_is_refused),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
