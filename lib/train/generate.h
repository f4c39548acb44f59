/*
 * generate - what a language model continues prompts with.
 */
#ifndef TRAIN_GENERATE_H
#define TRAIN_GENERATE_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#include "base/err.h"
#include "base/progress.h"
#include "model/model.h"

/* The same choices as transformers' generate without sampling. */
struct generation_options {
	size_t beams;          /* 1: greedy */
	size_t max_new;        /* tokens of a continuation */
	double length_penalty; /* see below; 1 is usual */
	size_t no_repeat;      /* no run of n tokens occurs twice, prompt included; 0: any
				* may */
	uint32_t end;          /* the token that ends a text; beyond the vocabulary: none */
	bool early_stopping;   /* a prompt is done as soon as it has `beams` texts */
	size_t batch;          /* prompts at once; batch * beams should be 32 or more, for
				* products of few rows cost as much as those of many */
};

/* clang-format off */
#define GENERATION_INIT { .beams = 1, .max_new = 128, .length_penalty = 1, \
			  .end = UINT32_MAX, .batch = 32 }
/* clang-format on */

/* New tokens, the end token included when it came. */
struct continuation {
	uint32_t *ids;
	size_t n;
};

struct generated {
	size_t n; /* prompts */
	struct continuation *of;
	size_t tokens; /* of all continuations */
};

/* Continues n prompts: prompt i is ids[start[i]] .. ids[start[i + 1] - 1]. A continuation
 * ends with o->end, after o->max_new tokens, or where the model's longest text ends.
 *
 * Greedy: each token is the most likely one. Beam search: of the likeliest 2 * beams
 * continuations of the live texts by one token each, those that end are kept if they are
 * among the first `beams`, with
 *
 *     score = sum of log p(token | before) / tokens^length_penalty,
 *
 * and the first `beams` of the others live on. The best `beams` ended texts are remembered;
 * when there are as many and the best live text's score at its present length is not above
 * the worst of theirs (or at once, with early_stopping) the best one is the answer. Of
 * equal candidates the earlier text's, then the lower token comes first. Where no_repeat
 * forbids every token, the text ends.
 *
 * A continuation depends on its prompt alone: not, but for rounding, on what is in the
 * batch beside it. `progress` (or NULL) was started with n as its total. EX_USAGE: a model
 * that predicts no tokens, options of 0 (beams, max_new, batch), a prompt without tokens;
 * EX_DATAERR: a prompt that leaves no room for a token, a token out of the vocabulary,
 * logits that are not finite. On failure g holds nothing. */
int generate(struct generated *g, const struct model *m, const uint32_t *ids,
	     const size_t *start, size_t n, const struct generation_options *o,
	     struct progress *progress, struct err *e);
void generated_free(struct generated *g);

#endif
