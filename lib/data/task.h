/*
 * task - what is known of a task: its file's form, columns, labels and metric.
 *
 * A task is what --task names; it travels in a stream's ##task line
 *     ##task   sst2 text=sentence label=label classes=0,1
 * and in a saved model's directory, so that it need not be said again. In such a value,
 * words end at spaces or tabs; the first is the name, the others are KEY=VALUE (text,
 * label, kind, header, quoting, metric, threshold, classes), in lists separated by commas;
 * bytes that would not survive are written %XX. Keys that are not known are passed over.
 */
#ifndef DATA_TASK_H
#define DATA_TASK_H

#include <stdbool.h>
#include <stddef.h>

#include "base/err.h"
#include "base/str.h"

#define TASK_MAX_CLASSES 1000

enum task_kind { TASK_CLASSES, TASK_REGRESSION };

enum task_quoting {
	QUOTING_BY_NAME, /* in .csv and .csv.gz files */
	QUOTING_NO,
	QUOTING_YES
};

struct task {
	char *name; /* "sst2", or "custom" */
	enum task_kind kind;
	bool header;               /* the first row names the columns */
	enum task_quoting quoting; /* do double quotes mean something */
	struct strlist text;       /* one or two columns, by name or number from 1 */
	char *label;               /* a column, by name or number from 1 */
	char *metric;              /* "accuracy", "f1", "matthews", "pearson", "spearman" */
	bool has_threshold;        /* a numeric label becomes class 1 above it, else 0 */
	double threshold;
	struct strlist classes; /* label strings in the order of their numbers; may be empty
				 * until a training file was read */
};

/* What a user said on the command line; NULL or empty where nothing was said. */
struct task_options {
	const char *task;
	struct strlist text;
	const char *label;
	const char *threshold;
	const char *quoting; /* "yes", "no" */
	const char *header;  /* "yes", "no" */
	const char *kind;    /* "classes", "regression" */
};

/* Resolves options, then a ##task value (or NULL), then what is known of the name, into a
 * task. A value of another name than o->task counts for nothing. EX_USAGE: an unknown name
 * with near misses, a task of another family of models, text or label not said, options
 * that contradict each other. EX_DATAERR: `said` is malformed. On failure t holds nothing.
 */
int task_resolve(struct task *t, const struct task_options *o, const char *said,
		 struct err *e);
/* Appends the value of a ##task line that gives this task again. */
int task_print(const struct task *t, struct strbuf *out, struct err *e);
/* The delimiter and quoting of a file of this task: comma in .csv and .csv.gz files, else
 * tab. */
void task_file_form(const struct task *t, const char *path, char *delimiter, bool *quoting);
/* The number from 1 that a column's name is, or 0. */
size_t task_column_number(const char *column);
void task_free(struct task *t);

#endif
