/*
 * bleu - how much generated text shares with references.
 */
#ifndef TRAIN_BLEU_H
#define TRAIN_BLEU_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#include "base/err.h"

#define BLEU_ORDER 4

/* Corpus BLEU-4 (Papineni et al. 2002) without smoothing, of tokens as NIST's mteval-v13a
 * makes them; the same number as sacrebleu 2.5 with tokenize=13a, smooth_method=none gives.
 * {0} at first.
 *
 *   BLEU = min(1, exp(1 - r/h)) * (p1 p2 p3 p4)^(1/4),   pk = match[k-1] / total[k-1]
 *
 * where a k-gram of a hypothesis matches as often as it occurs there, but not more often
 * than in that one of its references which has it most often; h counts the tokens of the
 * hypotheses, r those of each one's reference that is closest in length, the shorter of
 * two.
 *
 * Tokens: <skipped> is deleted, a hyphen at a line's end joins it to the next, &quot; &amp;
 * &lt; &gt; are read; ASCII punctuation stands alone, but not apostrophes, not hyphens
 * except behind a digit, and not full stops and commas between digits.
 *
 * With `lowercase` case makes no difference (sacrebleu's lowercase=true), and so
 * e2e-metrics scores, with mteval-v13a's smoothing of orders that have no match. Its Python
 * version differs in three corners: an empty hypothesis or reference is one token, a
 * hypothesis of fewer than three tokens is subtracted from the totals of higher orders, and
 * an order without matches has 1e-15 of them. */
struct bleu {
	uint64_t match[BLEU_ORDER], total[BLEU_ORDER]; /* k-grams, k = 1 .. 4 */
	uint64_t hypothesis, reference;                /* h and r, tokens */
	bool lowercase;                                /* set before the first text */
};

/* Counts a hypothesis, UTF-8, and its n references, of which those that are NULL are
 * missing; an empty text is a text. EX_DATAERR without any reference. On failure nothing is
 * counted. */
int bleu_add(struct bleu *b, const char *hypothesis, const char *const *references,
	     size_t n, struct err *e);
/* 0 .. 1; 0 when an order has no match; nan before there is a token. */
double bleu_score(const struct bleu *b);

#endif
