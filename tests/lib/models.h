/*
 * models - fixtures opened as models, and directories that are refused.
 */
#ifndef TESTS_MODELS_H
#define TESTS_MODELS_H

#include <stdlib.h>
#include <string.h>

#include "base/str.h"
#include "model/model.h"

/* The path of a fixture, for the caller to free. */
static inline char *fixture(const char *name)
{
	const char *tests = getenv("TESTS");
	char *path = str_printf("%s/fixtures/%s", tests == NULL ? "tests" : tests, name);

	assert_non_null(path);
	return path;
}

static inline void opened(struct model *m, const char *dir, const struct head_spec *head)
{
	struct err e = { 0 };

	if (model_open(m, dir, head, &e) != EX_OK)
		fail_msg("%s", e.text);
}

static inline void open_fixture(struct model *m, const char *name,
				const struct head_spec *head)
{
	char *dir = fixture(name);

	opened(m, dir, head);
	free(dir);
}

static inline void refused(const char *dir, const struct head_spec *head, int code,
			   const char *why)
{
	struct model m;
	struct err e = { 0 };

	assert_int_equal(model_open(&m, dir, head, &e), code);
	assert_int_equal(e.code, code);
	if (strstr(e.text, why) == NULL)
		fail_msg("'%s' lacks '%s'", e.text, why);
}

#endif
