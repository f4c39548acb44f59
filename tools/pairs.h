/*
 * pairs - LoRA pairs as a command line or a stream says them: options that mean the same in
 * every program that adds pairs to a model.
 */
#ifndef TOOLS_PAIRS_H
#define TOOLS_PAIRS_H

#include "base/err.h"
#include "base/opt.h"
#include "model/lora.h"

struct pairs_options {
	struct strlist ranks, targets;
	double alpha, dropout; /* negative: not said */
};

/* clang-format off */
#define PAIRS_INIT { .alpha = -1, .dropout = -1 }

#define PAIRS_OPTIONS(o)                                                                \
	{ OPT_LIST, 0, "lora-rank", "N[,N]", &(o).ranks, NULL, 0, 0,                    \
	  "add LoRA pairs of this rank, or of several" },                               \
	{ OPT_REAL, 0, "lora-alpha", "X", &(o).alpha, NULL, 1e-6, 1e6,                  \
	  "scale of a pair times its rank (twice the rank)" },                          \
	{ OPT_REAL, 0, "lora-dropout", "P", &(o).dropout, NULL, 0, 0.99,                \
	  "dropout of a pair's input while training (0)" },                             \
	{ OPT_LIST, 0, "lora-targets", "PATTERN", &(o).targets, NULL, 0, 0,             \
	  "modules with pairs: last parts, globs or all-linear (as PEFT has it)" }
/* clang-format on */

/* What was said over what the ##lora line `said` (or NULL) says. No ranks: no pairs, unless
 * they are `needed`, then of rank LORA_RANK. EX_USAGE for ranks that are no numbers, twice
 * the same or more than OP_PAIRS, and for other options without pairs. */
int pairs_resolve(const struct pairs_options *o, const char *said, bool needed,
		  struct lora_spec *out, struct err *e);
void pairs_options_free(struct pairs_options *o);

#endif
