/*
 * generate - what a model writes for the prompts of a file, beside what people wrote.
 */
#ifndef TOOLS_EVALUATE_GENERATE_H
#define TOOLS_EVALUATE_GENERATE_H

#include <stdbool.h>

#include "data/e2e.h"
#include "train/generate.h"

struct generations {
	struct strlist text; /* one line for each prompt, without space at its ends */
	size_t tokens;       /* that were generated, end tokens too */
};

/* Continues every prompt of `texts`. Texts end with the tokenizer's end token, whatever
 * o->end says. A prompt is its last max_len tokens, or as many as leave room in the model
 * for o->max_new, but half of the model's longest text at least. Control characters and
 * line ends become spaces. `progress` (or NULL) was started with texts->n as its total. On
 * failure g holds nothing. */
int generations_make(struct generations *g, const struct model *m,
		     const struct tokenizer *tok, const struct task *t,
		     const struct e2e *texts, const struct generation_options *o,
		     size_t max_len, struct progress *progress, struct err *e);
void generations_free(struct generations *g);

/* Corpus BLEU, 0 .. 1, of the texts beside all references of their prompts; `lowercase` as
 * in train/bleu.h, and as the E2E challenge scores. */
int generations_bleu(const struct generations *g, const struct e2e *texts, bool lowercase,
		     double *score, struct err *e);

/* Both write files that appear whole or not at all and that the scorer of the E2E challenge
 * (e2e-metrics, measure_scores.py REFERENCES GENERATIONS) reads, unless a name ends in .tsv
 * or .csv: a text a line in the order of the prompts; and each prompt's references, one a
 * line, with an empty line between prompts. EX_DATAERR for a prompt whose references are
 * all blank: it would be lost. */
int generations_write(const struct generations *g, const char *path, struct err *e);
int references_write(const struct e2e *texts, const char *path, struct err *e);

#endif
