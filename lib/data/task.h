/*
 * task - what is known of a task: its file's form, columns, labels and metric.
 *
 * A task is what --task names; it travels in a stream's ##task line
 *     ##task   sst2  text=sentence label=label classes=2 ...
 * and in a saved model's directory, so that it need not be said again.
 */
#ifndef DATA_TASK_H
#define DATA_TASK_H

#include <stdbool.h>
#include <stddef.h>

#include "base/err.h"
#include "base/str.h"
#include "io/stream.h"

enum task_kind { TASK_CLASSES, TASK_REGRESSION };

struct task {
	char *name;              /* "sst2", or "custom" */
	enum task_kind kind;
	bool header;             /* the first row names the columns */
	bool quoting;            /* CSV quotes mean something */
	char delimiter;          /* '\t' or ',': from the file's name unless known; 0: unknown */
	struct strlist text;     /* one or two columns, by name or number from 1 */
	char *label;             /* a column, by name or number from 1 */
	char *metric;            /* "accuracy", "matthews", "pearson", "f1", ... */
	bool has_threshold;      /* a numeric label becomes class 1 above it, else 0 */
	double threshold;
	struct strlist classes;  /* label strings in the order of their numbers; may be empty
				  * until a training file was read */
};

/* What a user said on the command line; NULL or empty where nothing was said. */
struct task_options {
	const char *task;
	struct strlist text;
	const char *label;
	const char *threshold;
	const char *quoting;     /* "yes", "no" */
	const char *header;      /* "yes", "no" */
	const char *kind;        /* "classes", "regression" */
};

/* Resolves options, then a ##task value (or NULL), into a task. EX_USAGE: an unknown name
 * with near misses, text or label not said. */
int task_resolve(struct task *t, const struct task_options *o, const char *said,
		 struct err *e);
/* The value of a ##task line that gives this task again. */
int task_print(const struct task *t, struct strbuf *out, struct err *e);
void task_free(struct task *t);

#endif
