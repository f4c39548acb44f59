/*
 * images - the pictures of tests/fixtures/images and the tables beside them.
 */
#ifndef TESTS_IMAGES_H
#define TESTS_IMAGES_H

#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "io/rows.h"

static inline const char *picture(const char *name)
{
	static char path[4096];
	const char *tests = getenv("TESTS");

	snprintf(path, sizeof path, "%s/fixtures/images/%s",
		 tests == NULL ? "tests" : tests, name);
	return path;
}

static inline struct rows *open_table(const char *name)
{
	struct rows *r;
	struct err e;

	if (rows_open(&r, picture(name), '\t', false, &e) != EX_OK)
		fail_msg("%s", e.text);
	return r;
}

/* The next row that is no comment, of `n` fields; NULL at the end. */
static inline char **next_row(struct rows *r, size_t n)
{
	char **field;
	size_t got;
	struct err e;

	do {
		if (rows_next(r, &field, &got, &e) != EX_OK)
			fail_msg("%s", e.text);
	} while (got > 0 && field[0][0] == '#');
	if (got == 0)
		return NULL;
	assert_int_equal(got, n);
	return field;
}

static inline unsigned long number(const char *text)
{
	return strtoul(text, NULL, 10);
}

/* The value of `digits` hexadecimal digits. */
static inline unsigned hex(const char *text, size_t digits)
{
	char copy[9] = { 0 };

	assert_true(digits < sizeof copy && strlen(text) >= digits);
	memcpy(copy, text, digits);
	return (unsigned)strtoul(copy, NULL, 16);
}

#endif
