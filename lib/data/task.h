/*
 * task - what is known of a task: its file's form, columns, labels and metric.
 *
 * A task is what --task names: one of GLUE's nine as distributed, e2e (prompts and
 * completions), lm (a text), image, or custom. It travels in a stream's ##task line
 *     ##task   sst2 text=sentence label=label classes=0,1
 * and in a saved model's directory, so that it need not be said again. In such a value,
 * words end at spaces or tabs; the first is the name, the others are KEY=VALUE (text,
 * label, kind, form, header, quoting, metric, threshold, classes, only), in lists separated
 * by commas; bytes that would not survive are written %XX. A key is left out where the name
 * implies its value. Keys that are not known are passed over.
 */
#ifndef DATA_TASK_H
#define DATA_TASK_H

#include <stdbool.h>
#include <stddef.h>

#include "base/err.h"
#include "base/str.h"

#define TASK_MAX_CLASSES 1000
/* The columns of a list of images when nothing else is said. */
#define TASK_IMAGE_TEXT  "image"
#define TASK_IMAGE_LABEL "label"

enum task_kind {
	TASK_CLASSES,
	TASK_REGRESSION,
	TASK_LANGUAGE /* tokens are predicted: a completion, or a whole text */
};

enum task_form {
	FORM_ROWS,  /* TSV or CSV */
	FORM_PLAIN, /* a text as it is */
	FORM_IMAGES /* IDX, or a TSV or CSV of paths and labels */
};

enum task_quoting {
	QUOTING_BY_NAME, /* in .csv and .csv.gz files */
	QUOTING_NO,
	QUOTING_YES
};

struct task {
	char *name; /* "sst2", or "custom" */
	enum task_kind kind;
	enum task_form form;
	bool header;               /* the first row names the columns */
	enum task_quoting quoting; /* do double quotes mean something */
	struct strlist text;       /* one or two columns, by name or number from 1; of a
				    * language task one, the prompt; of images their path */
	char *label;               /* a column, by name or number from 1; of a language task
				    * the completion; NULL for FORM_PLAIN */
	char *metric;              /* "accuracy", "f1", "matthews", "pearson", "spearman",
				    * "bleu", "perplexity" */
	bool has_threshold;        /* a numeric label becomes class 1 above it, else 0 */
	double threshold;
	struct strlist classes; /* label strings in the order of their numbers; may be empty
				 * until a training file was read */
	bool only_classes;      /* rows of other labels are passed over */
};

/* What a user said on the command line; NULL or empty where nothing was said. */
struct task_options {
	const char *task;
	struct strlist text;
	const char *label;
	const char *threshold;
	const char *quoting;    /* "yes", "no" */
	const char *header;     /* "yes", "no" */
	const char *kind;       /* "classes", "regression", "language" */
	struct strlist classes; /* only examples of these labels, numbered in this order */
};

/* Resolves options, then a ##task value (or NULL), then what is known of the name, into a
 * task. A value of another name than o->task counts for nothing. EX_USAGE: an unknown name
 * with near misses, text or label not said, options that contradict each other. EX_DATAERR:
 * `said` is malformed. On failure t holds nothing.
 */
int task_resolve(struct task *t, const struct task_options *o, const char *said,
		 struct err *e);
/* Appends the value of a ##task line that gives this task again. */
int task_print(const struct task *t, struct strbuf *out, struct err *e);
/* The delimiter and quoting of a file of this task: comma in .csv and .csv.gz files, and
 * in all but .tsv and .tsv.gz files of E2E; else tab. */
void task_file_form(const struct task *t, const char *path, char *delimiter, bool *quoting);
/* Are rows with too few fields known to be in the task's files? They are passed over. */
bool task_has_short_rows(const struct task *t);
/* The number from 1 that a column's name is, or 0. */
size_t task_column_number(const char *column);
void task_free(struct task *t);

#endif
