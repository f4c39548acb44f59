/*
 * source - what a program works on: a model, its tokenizer, a task and its data.
 */
#ifndef TOOLS_SOURCE_H
#define TOOLS_SOURCE_H

#include <stdbool.h>
#include <stdint.h>

#include "cli.h"
#include "data/dataset.h"
#include "data/task.h"
#include "model/lora.h"
#include "model/model.h"
#include "text/tokenizer.h"

struct source_options {
	const char *model, *data;
	struct task_options task;
	uint64_t batch, max_len;
	uint64_t limit;               /* examples that are used; 0: all */
	const char *init;             /* "random": weights from the seed; NULL */
	const struct lora_spec *lora; /* pairs to add, or NULL */
};

/* clang-format off */
#define SOURCE_INIT { .batch = 32, .max_len = 128 }

#define SOURCE_MODEL(o)                                                                 \
	{ OPT_TEXT, 'm', "model", "DIR", &(o).model, NULL, 0, 0,                        \
	  "a Hugging Face directory" }
#define SOURCE_DATA(o)                                                                  \
	{ OPT_TEXT, 'd', "data", "FILE", &(o).data, NULL, 0, 0,                         \
	  "labelled TSV or CSV, plain text, images; gzipped or not" },                  \
	{ OPT_TEXT, 0, "task", "NAME", &(o).task.task, NULL, 0, 0,                      \
	  "what the data is: sst2, cola, mrpc, ..., e2e, lm, image" },                  \
	{ OPT_LIST, 0, "text", "COL[,COL]", &(o).task.text, NULL, 0, 0,                 \
	  "the column of the text, by name or number" },                                \
	{ OPT_TEXT, 0, "label", "COL", &(o).task.label, NULL, 0, 0,                     \
	  "the column of the label" },                                                  \
	{ OPT_TEXT, 0, "threshold", "X", &(o).task.threshold, NULL, 0, 0,               \
	  "a numeric label above X is class 1, else 0" },                               \
	{ OPT_TEXT, 0, "kind", "K", &(o).task.kind, "classes|regression|language", 0, 0, \
	  "what the label is: classes, regression or language (classes)" },             \
	{ OPT_TEXT, 0, "header", "yes|no", &(o).task.header, "yes|no", 0, 0,            \
	  "does the first row name the columns" },                                      \
	{ OPT_LIST, 0, "classes", "LIST", &(o).task.classes, NULL, 0, 0,                \
	  "only examples of these labels, in this order" },                             \
	{ OPT_COUNT, 0, "limit", "N", &(o).limit, NULL, 1, 1e12,                        \
	  "only the first N examples" },                                                \
	{ OPT_TEXT, 0, "quoting", "yes|no", &(o).task.quoting, "yes|no", 0, 0,          \
	  "do double quotes quote (in .csv files they do)" }
/* `unsaid` tells what texts are cut to when that is not said. */
#define SOURCE_BATCH(o, unsaid)                                                         \
	{ OPT_COUNT, 0, "batch", "N", &(o).batch, NULL, 1, 65536,                       \
	  "examples in a batch (32)" },                                                 \
	{ OPT_COUNT, 0, "max-len", "N", &(o).max_len, NULL, 3, 1e6,                     \
	  "tokens that a text is cut to (" unsaid ")" }
/* clang-format on */

struct source {
	struct tokenizer *tokenizer; /* NULL for images */
	bool images;
	struct pixels pixels; /* for images */
	struct task task;
	bool asked;   /* --classes was said */
	bool other;   /* and they are not the model's */
	bool renamed; /* the task's classes have other names than the model's */
	struct dataset data;
	struct model model;
};

/* Opens tokenizer, data and model, in this order, so that a mistake in the data is found
 * before the weights are read. `said` is a ##task value; NULL: a saved model's own, if any.
 * With `learn` classes come from the data and a head may be new. EX_USAGE when -m or -d is
 * missing. On failure nothing is left open. */
int source_open(struct source *s, const struct source_options *o, const char *said,
		bool learn, uint64_t seed, struct err *e);
void source_close(struct source *s);

/* What of the head a task needs. */
struct head_spec source_head(const struct task *t);

/* What becomes of tables of options when a program ends. */
void source_options_free(struct source_options *o);

/* Notes on stderr on what a user should know of a source: a new head, texts that were cut,
 * tensors that were not expected. */
void source_notes(const struct cli *cli, const struct source *s);

/* Adds the ##model and ##task lines. The model's value is DIR <tab> params=N <tab>
 * sha256=X. */
int source_describe(const struct source *s, struct meta_list *to, struct err *e);

#endif
