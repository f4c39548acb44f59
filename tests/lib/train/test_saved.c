#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>
#include <unistd.h>

#include <cmocka.h>

#include "../tiny.h"
#include "io/file.h"
#include "train/saved.h"

/* An empty directory, made for one test. */
static char *scratch(void)
{
	char *dir = strdup(P_tmpdir "/adapeft-saved-XXXXXX");

	assert_non_null(mkdtemp(dir));
	return dir;
}

static void remove_files(const char *dir)
{
	static const char *const files[] = {
		SAVED_NOTE,      "config.json", "model.safetensors",     ADAPTER_CONFIG,
		ADAPTER_WEIGHTS, ADAPTER_DELTA, "tokenizer_config.json", "vocab.txt"
	};

	for (size_t i = 0; i < sizeof files / sizeof files[0]; i++) {
		char *path = file_join(dir, files[i]);

		unlink(path);
		free(path);
	}
	assert_int_equal(rmdir(dir), 0);
}

static void put(const char *dir, const char *name, const char *text)
{
	char *path = file_join(dir, name);
	FILE *f = fopen(path, "w");

	assert_non_null(f);
	fputs(text, f);
	assert_int_equal(fclose(f), 0);
	free(path);
}

static void save(const struct tiny *x, const char *dir)
{
	char run[] = "1pct", budget[] = "1%";
	struct saved_note note = {
		.max_len = 64, .run = run, .budget = budget, .trained = 306
	};
	struct err e;

	assert_int_equal(strlist_add(&note.groups, "classifier.bias", &e), EX_OK);
	assert_int_equal(strlist_add(&note.groups, "not UTF-8: \xff", &e), EX_OK);
	assert_int_equal(strlist_add(&note.pg, "adapeft-finetune 0.1.0", &e), EX_OK);
	if (saved_write(dir, &x->model, SAVED_FULL, NULL, x->tokenizer, NULL, &x->task,
			&note, &e) != EX_OK)
		fail_msg("%s", e.text);
	strlist_free(&note.groups);
	strlist_free(&note.pg);
}

static void a_note_is_read_as_it_was_written(void **state)
{
	char *dir = scratch();
	struct saved_note note;
	struct tiny x;

	(void)state;
	tiny_open(&x);
	save(&x, dir);
	assert_int_equal(saved_read(&note, dir, NULL), EX_OK);
	assert_string_equal(note.task, "sst2 text=sentence label=label classes=0,1");
	assert_int_equal(note.max_len, 64);
	assert_string_equal(note.run, "1pct");
	assert_string_equal(note.budget, "1%");
	assert_int_equal(note.trained, 306);
	/* JSON has no room for the other name. */
	assert_int_equal(note.groups.n, 1);
	assert_string_equal(note.groups.s[0], "classifier.bias");
	assert_int_equal(note.pg.n, 1);
	saved_note_free(&note);
	tiny_close(&x);
	remove_files(dir);
	free(dir);
}

static void the_saved_model_is_the_model(void **state)
{
	const struct head_spec head = { .labels = 2 };
	char *dir = scratch();
	struct tokenizer *tokenizer;
	struct model m;
	struct tiny x;

	(void)state;
	tiny_open(&x);
	save(&x, dir);
	assert_int_equal(model_open(&m, dir, &head, NULL), EX_OK);
	assert_int_equal(m.n_params, x.model.n_params);
	for (size_t i = 0; i < m.n_params; i++) {
		assert_string_equal(m.params[i].name, x.model.params[i].name);
		assert_memory_equal(m.params[i].w, x.model.params[i].w,
				    m.params[i].n * sizeof(float));
	}
	assert_int_equal(tokenizer_open(&tokenizer, dir, NULL), EX_OK);
	assert_int_equal(tokenizer_size(tokenizer), tokenizer_size(x.tokenizer));
	tokenizer_close(tokenizer);
	model_close(&m);
	tiny_close(&x);
	remove_files(dir);
	free(dir);
}

static void an_own_directory_is_replaced(void **state)
{
	char *dir = scratch(), *path;
	struct tiny x;

	(void)state;
	tiny_open(&x);
	save(&x, dir);
	put(dir, "added_tokens.json", "");
	save(&x, dir);
	path = file_join(dir, "added_tokens.json");
	assert_false(file_exists(path));
	free(path);
	tiny_close(&x);
	remove_files(dir);
	free(dir);
}

static void a_foreign_directory_is_left_alone(void **state)
{
	const struct saved_note note = { 0 };
	char *dir = scratch(), *path;
	struct tiny x;
	struct err e;

	(void)state;
	tiny_open(&x);
	put(dir, "thesis.tex", "precious");
	assert_int_equal(saved_write(dir, &x.model, SAVED_FULL, NULL, x.tokenizer, NULL,
				     &x.task, &note, &e),
			 EX_CANTCREAT);
	path = file_join(dir, "thesis.tex");
	assert_true(file_exists(path));
	unlink(path);
	free(path);
	assert_int_equal(rmdir(dir), 0);
	free(dir);
	tiny_close(&x);
}

static void a_directory_without_a_note_gives_an_empty_one(void **state)
{
	struct saved_note note;

	(void)state;
	assert_int_equal(saved_read(&note, fixture("tiny-bert"), NULL), EX_OK);
	assert_null(note.task);
	assert_null(note.run);
	assert_int_equal(note.max_len, 0);
	saved_note_free(&note);
}

static void malformed_notes_are_refused(void **state)
{
	static const char *const notes[] = {
		"",
		"[]",
		"{}",
		"{\"format\": 2}",
		"{\"format\": 1, \"task\": 3}",
		"{\"format\": 1, \"max_len\": -1}",
		"{\"format\": 1, \"max_len\": \"64\"}",
		"{\"format\": 1, \"run\": []}",
		"{\"format\": 1, \"groups\": \"a\"}",
		"{\"format\": 1, \"groups\": [1]}",
		"{\"format\": 1, \"pg\": {}}",
		"{\"format\": 1, \"trained\": 1.5}",
	};
	char *dir = scratch();

	(void)state;
	for (size_t i = 0; i < sizeof notes / sizeof notes[0]; i++) {
		struct saved_note note;
		struct err e;

		put(dir, SAVED_NOTE, notes[i]);
		if (saved_read(&note, dir, &e) != EX_DATAERR)
			fail_msg("%s was read", notes[i]);
		assert_non_null(strstr(e.text, SAVED_NOTE));
	}
	remove_files(dir);
	free(dir);
}

static void forms_have_names(void **state)
{
	enum saved_form form;

	(void)state;
	assert_true(saved_form_named("full", &form) && form == SAVED_FULL);
	assert_true(saved_form_named("delta", &form) && form == SAVED_DELTA);
	assert_true(saved_form_named("peft", &form) && form == SAVED_PEFT);
	assert_false(saved_form_named("whole", &form));
}

static void an_adapter_is_saved_with_its_note_and_tokenizer(void **state)
{
	const struct saved_note note = { .max_len = 64 };
	const struct head_spec head = { .labels = 2 };
	struct saved_note read;
	char *dir = scratch();
	struct model m;
	bool *trained;
	struct tiny x;
	struct err e;
	int bias;

	(void)state;
	tiny_open(&x);
	trained = calloc(x.model.n_params, sizeof *trained);
	bias = model_find(&x.model, "classifier.bias");
	assert_int_equal(model_own(&x.model, (size_t)bias, NULL), EX_OK);
	x.model.params[bias].own[0] = 7;
	trained[bias] = true;
	for (enum saved_form form = SAVED_DELTA; form <= SAVED_PEFT; form++) {
		if (saved_write(dir, &x.model, form, trained, x.tokenizer, NULL, &x.task,
				&note, &e) != EX_OK)
			fail_msg("%s", e.text);
		assert_int_equal(saved_read(&read, dir, NULL), EX_OK);
		assert_int_equal(read.max_len, 64);
		saved_note_free(&read);
		if (model_open(&m, dir, &head, &e) != EX_OK)
			fail_msg("%s", e.text);
		assert_true(m.params[bias].w[0] == 7);
		model_close(&m);
	}
	free(trained);
	tiny_close(&x);
	remove_files(dir);
	free(dir);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(a_note_is_read_as_it_was_written),
		cmocka_unit_test(the_saved_model_is_the_model),
		cmocka_unit_test(an_own_directory_is_replaced),
		cmocka_unit_test(a_foreign_directory_is_left_alone),
		cmocka_unit_test(a_directory_without_a_note_gives_an_empty_one),
		cmocka_unit_test(malformed_notes_are_refused),
		cmocka_unit_test(forms_have_names),
		cmocka_unit_test(an_adapter_is_saved_with_its_note_and_tokenizer),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
