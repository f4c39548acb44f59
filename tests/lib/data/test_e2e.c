#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <setjmp.h>
#include <cmocka.h>

#include "data/e2e.h"

#include "../scratch.h"
#include "../tasks.h"

static int open_all(void **state)
{
	(void)state;
	return scratch_open();
}

static int close_all(void **state)
{
	(void)state;
	return scratch_close();
}

static void refused(const char *said, const char *text, int code, const char *want)
{
	struct task t = task_of(said);
	struct e2e x;
	struct err e = { 0 };

	scratch_text("e2e.csv", text);
	assert_int_equal(e2e_read(&x, scratch("e2e.csv"), &t, &e), code);
	if (strstr(e.text, want) == NULL)
		fail_msg("\"%s\" is not in \"%s\"", want, e.text);
	assert_true(x.n == 0 && x.first == NULL && x.mr.s == NULL && x.ref.s == NULL);
	task_free(&t);
}

static void rows_with_the_same_prompt_are_references_of_one(void **state)
{
	struct task t = task_of("e2e");
	struct e2e x;

	(void)state;
	scratch_text("e2e.csv", "\"mr\",\"ref\"\n\"name[x], y[z]\",one\n\"name[x], "
				"y[z]\",\"two, too\"\nb,three\n\"name[x], y[z]\",four\n");
	assert_int_equal(e2e_read(&x, scratch("e2e.csv"), &t, NULL), EX_OK);
	assert_int_equal(x.n, 3);
	assert_int_equal(x.mr.n, 3);
	assert_int_equal(x.ref.n, 4);
	assert_string_equal(x.mr.s[0], "name[x], y[z]");
	assert_string_equal(x.mr.s[1], "b");
	assert_string_equal(x.mr.s[2], "name[x], y[z]");
	assert_true(x.first[0] == 0 && x.first[1] == 2 && x.first[2] == 3 &&
		    x.first[3] == 4);
	assert_string_equal(x.ref.s[1], "two, too");
	assert_string_equal(x.ref.s[3], "four");
	e2e_free(&x);
	task_free(&t);
}

static void columns_are_those_of_the_task(void **state)
{
	struct task t = task_of("custom text=3 label=1 kind=language");
	struct e2e x;

	(void)state;
	scratch_text("pairs.tsv", "reference\tx\tprompt\n");
	assert_int_equal(e2e_read(&x, scratch("pairs.tsv"), &t, NULL), EX_OK);
	assert_int_equal(x.n, 1);
	assert_string_equal(x.mr.s[0], "prompt");
	assert_string_equal(x.ref.s[0], "reference");
	e2e_free(&x);
	task_free(&t);
}

static void malformed_files_are_refused(void **state)
{
	(void)state;
	refused("e2e", "", EX_DATAERR, "e2e.csv: the file is empty");
	refused("e2e", "mr,ref\n", EX_DATAERR, "e2e.csv: a header and no rows");
	refused("e2e", "mr,text\n", EX_DATAERR, "no column 'ref'");
	refused("e2e", "mr,ref\na,b\nc\n", EX_DATAERR, "e2e.csv:3: 1 fields");
	refused("e2e", "mr,ref\na,\"b\n", EX_DATAERR, "never closed");
}

static void tasks_without_prompts_are_refused(void **state)
{
	(void)state;
	refused("sst2", "sentence,label\n", EX_USAGE, "task sst2 has no prompts");
	refused("lm", "a\n", EX_USAGE, "task lm has no prompts");
}

/* Counts that Python's csv finds in the published files. */
static void published_files_have_their_prompts(void **state)
{
	static const struct {
		const char *file;
		size_t prompts, references;
	} files[] = { { "devset.csv", 547, 4672 }, { "testset_w_refs.csv", 630, 4693 } };
	const char *shared = getenv("ADAPEFT_SHARED");
	char path[4096];

	(void)state;
	for (size_t i = 0; i < 2; i++) {
		struct task t = task_of("e2e");
		struct e2e x;
		struct err e;
		int rc;

		snprintf(path, sizeof path, "%s/data/e2e/%s",
			 shared == NULL ? "../shared" : shared, files[i].file);
		rc = e2e_read(&x, path, &t, &e);
		task_free(&t);
		if (rc == EX_NOINPUT) {
			print_message("ADAPEFT_SHARED names the directory with data/e2e\n");
			skip();
		}
		if (rc != EX_OK)
			fail_msg("%s", e.text);
		assert_int_equal(x.n, files[i].prompts);
		assert_int_equal(x.ref.n, files[i].references);
		e2e_free(&x);
	}
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(rows_with_the_same_prompt_are_references_of_one),
		cmocka_unit_test(columns_are_those_of_the_task),
		cmocka_unit_test(malformed_files_are_refused),
		cmocka_unit_test(tasks_without_prompts_are_refused),
		cmocka_unit_test(published_files_have_their_prompts),
	};

	return cmocka_run_group_tests(tests, open_all, close_all);
}
