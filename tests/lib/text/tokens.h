/*
 * tokens - what the tests of tokenizers share: directories of a few files, tokens as text,
 * and the fixtures.
 */
#ifndef TESTS_TOKENS_H
#define TESTS_TOKENS_H

#include <stdbool.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/types.h>
#include <unistd.h>

#include "text/tokenizer.h"

#define MANY 1000

#define FILES(...) ((const struct file[]){ __VA_ARGS__, { NULL, NULL } })

/* A directory of a few files, {name, content} up to a NULL. */
struct file {
	const char *name, *content;
};

static inline void put_files(const char *dir, const struct file *f)
{
	for (; f->name != NULL; f++) {
		char path[200];
		FILE *out;

		snprintf(path, sizeof path, "%s/%s", dir, f->name);
		out = fopen(path, "w");
		assert_non_null(out);
		fputs(f->content, out);
		assert_int_equal(fclose(out), 0);
	}
}

static inline void remove_files(const char *dir, const struct file *f)
{
	char path[200];

	for (; f->name != NULL; f++) {
		snprintf(path, sizeof path, "%s/%s", dir, f->name);
		unlink(path);
	}
	rmdir(dir);
}

static inline int open_files(struct tokenizer **t, const struct file *f, struct err *e)
{
	char dir[] = "/tmp/tokenizer-XXXXXX";
	int status;

	assert_non_null(mkdtemp(dir));
	put_files(dir, f);
	status = tokenizer_open(t, dir, e);
	remove_files(dir, f);
	return status;
}

static inline struct tokenizer *opened(const struct file *f)
{
	struct tokenizer *t;
	struct err e = { 0 };

	if (open_files(&t, f, &e) != EX_OK)
		fail_msg("%s", e.text);
	return t;
}

/* Opening fails with `status` and a line that holds `says`. */
static inline void refused(const struct file *f, int status, const char *says)
{
	struct tokenizer *t;
	struct err e = { 0 };
	int got = open_files(&t, f, &e);

	assert_null(t);
	if (got != status || strstr(e.text, says) == NULL || strchr(e.text, '\n') != NULL)
		fail_msg("%d: %s", got, e.text);
}

static inline void print_tokens(const struct encoding *x, bool types, char *out,
				size_t size)
{
	size_t i, n = 0;

	*out = '\0';
	for (i = 0; i < x->n && n < size; i++) {
		n += (size_t)snprintf(out + n, size - n, "%s%u", i > 0 ? " " : "",
				      x->ids[i]);
		if (types && n < size)
			n += (size_t)snprintf(out + n, size - n, "/%u", x->types[i]);
	}
}

static inline void encodes(const struct tokenizer *t, const char *a, const char *b,
			   size_t max_len, const char *want)
{
	struct encoding x = { 0 };
	struct err e = { 0 };
	char got[MANY];

	if (tokenizer_encode(t, a, strlen(a), b, b == NULL ? 0 : strlen(b), max_len, &x,
			     &e))
		fail_msg("%s", e.text);
	print_tokens(&x, b != NULL, got, sizeof got);
	assert_string_equal(got, want);
	encoding_free(&x);
}

static inline FILE *open_fixture(const char *name)
{
	const char *tests = getenv("TESTS");
	char path[1000];
	FILE *f;

	snprintf(path, sizeof path, "%s/fixtures/%s", tests == NULL ? "tests" : tests,
		 name);
	f = fopen(path, "r");
	if (f == NULL)
		fail_msg("%s: not there", path);
	return f;
}

/* The lines of a text file have the tokens that the next lines of `golden` say. */
static inline void compare_lines(const struct tokenizer *t, const char *name, FILE *golden)
{
	FILE *text = open_fixture(name);
	char *line = NULL, *want = NULL, got[4 * MANY];
	size_t cap = 0, want_cap = 0, at;
	ssize_t n, m;
	struct encoding x = { 0 };
	struct err e = { 0 };

	for (at = 1; (n = getline(&line, &cap, text)) > 0; at++) {
		m = getline(&want, &want_cap, golden);
		assert_true(m > 0);
		want[m - 1] = '\0';
		assert_int_equal(
		    tokenizer_encode(t, line, (size_t)n - 1, NULL, 0, SIZE_MAX, &x, &e),
		    EX_OK);
		print_tokens(&x, false, got, sizeof got);
		if (strcmp(got, want) != 0)
			fail_msg("%s:%zu\n%s\n%s", name, at, got, want);
	}
	assert_true(at > 30);
	free(line);
	free(want);
	encoding_free(&x);
	fclose(text);
}

/* The torture files have the tokens that lie in a fixture beside its vocabulary. */
static inline void torture(const char *dir, bool byte_level)
{
	const char *tests = getenv("TESTS");
	char path[500];
	struct tokenizer *t;
	struct err e = { 0 };
	FILE *golden;

	snprintf(path, sizeof path, "%s/torture.tokens", dir);
	golden = open_fixture(path);
	snprintf(path, sizeof path, "%s/fixtures/%s", tests == NULL ? "tests" : tests, dir);
	if (tokenizer_open(&t, path, &e) != EX_OK)
		fail_msg("%s", e.text);
	compare_lines(t, "torture.txt", golden);
	compare_lines(t, "torture-bytes.txt", golden);
	if (byte_level)
		compare_lines(t, "torture-bpe.txt", golden);
	assert_int_equal(fgetc(golden), EOF);
	fclose(golden);
	tokenizer_close(t);
}

#endif
