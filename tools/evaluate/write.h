/*
 * write - lets a language model write, and scores and keeps what it wrote.
 */
#ifndef TOOLS_EVALUATE_WRITE_H
#define TOOLS_EVALUATE_WRITE_H

#include "cli.h"
#include "source.h"
#include "train/generate.h"

struct writing {
	const char *generations, *references; /* files, or NULL */
	uint64_t beams, max_new, no_repeat;
	double length_penalty;
};

/* clang-format off */
#define WRITING_INIT { .beams = 1, .max_new = 128, .length_penalty = 1 }

#define WRITING_OPTIONS(w)                                                              \
	{ OPT_TEXT, 0, "generate", "FILE", &(w).generations, NULL, 0, 0,                \
	  "write what the model continues each prompt with, a line each" },             \
	{ OPT_TEXT, 0, "references", "FILE", &(w).references, NULL, 0, 0,               \
	  "write the completions that are given, for scorers" },                        \
	{ OPT_COUNT, 0, "beams", "N", &(w).beams, NULL, 1, 1000,                        \
	  "beams of the search (1: greedy)" },                                          \
	{ OPT_COUNT, 0, "max-new", "N", &(w).max_new, NULL, 1, 1e6,                     \
	  "tokens of a continuation (128)" },                                           \
	{ OPT_REAL, 0, "length-penalty", "X", &(w).length_penalty, NULL, -100, 100,     \
	  "power of the length by which a beam's score is divided (1)" },               \
	{ OPT_COUNT, 0, "no-repeat", "N", &(w).no_repeat, NULL, 0, 1e6,                 \
	  "no N tokens come twice in the same order; 0: they may (0)" }
/* clang-format on */

/* EX_USAGE when the options and the data do not go together. */
int writing_check(const struct writing *w, const char *data, struct err *e);

/* Continues the prompts of source's data (the file of `o`), writes what is to be written,
 * into FILE.RUN unless `run` is NULL, and gives the corpus BLEU in *bleu. */
int writing_do(const struct writing *w, const struct cli *cli, const struct source *source,
	       const struct source_options *o, const char *run, double *bleu,
	       struct err *e);

#endif
