/*
 * tiny - the fixture that tests of whole models share: tiny-bert with sixty sentences.
 */
#ifndef TESTS_TINY_H
#define TESTS_TINY_H

#include <stdio.h>
#include <stdlib.h>

#include "data/dataset.h"
#include "model/model.h"
#include "text/tokenizer.h"

struct tiny {
	struct model model;
	struct tokenizer *tokenizer;
	struct task task;
	struct dataset data;
};

static inline const char *fixture(const char *name)
{
	static char path[4096];
	const char *tests = getenv("TESTS");

	snprintf(path, sizeof path, "%s/fixtures/%s", tests == NULL ? "tests" : tests,
		 name);
	return path;
}

/* tiny-bert, or a variant of it. */
static inline void tiny_model(struct model *m, const char *name)
{
	const struct head_spec head = { .labels = 2, .may_be_new = true, .seed = 1 };
	struct err e;

	if (model_open(m, fixture(name), &head, &e) != EX_OK)
		fail_msg("%s", e.text);
}

static inline void tiny_open(struct tiny *t)
{
	const struct task_options o = { .task = "sst2" };
	struct encoder how = { .max_len = 32 };
	struct err e;

	tiny_model(&t->model, "tiny-bert");
	if (task_resolve(&t->task, &o, NULL, &e) != EX_OK ||
	    tokenizer_open(&t->tokenizer, fixture("tiny-bert"), &e) != EX_OK)
		fail_msg("%s", e.text);
	how.tokenizer = t->tokenizer;
	if (dataset_read(&t->data, fixture("sentiment-train.tsv"), &t->task, true, &how,
			 &e) != EX_OK)
		fail_msg("%s", e.text);
}

static inline void tiny_close(struct tiny *t)
{
	dataset_free(&t->data);
	tokenizer_close(t->tokenizer);
	task_free(&t->task);
	model_close(&t->model);
}

#endif
