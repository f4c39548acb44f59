/*
 * decode - a language model, one token after another.
 *
 * Each attention's keys and values are kept, so that a step computes the new tokens alone:
 * what it gives equals, to rounding, what a pass over the whole sequences gives. Sequences
 * that were duplicated share the keys and values of the tokens that they have in common;
 * a step, a copy and a removal move no others. Memory is what the tokens of the live
 * sequences need: 2 * width floats for each attention and token that is not shared.
 */
#ifndef MODEL_DECODE_H
#define MODEL_DECODE_H

#include <stddef.h>
#include <stdint.h>

#include "base/err.h"
#include "model/model.h"

struct decoder;

/* Room for `sequences` at once, of at most max_len tokens each (no more than the model's
 * longest: config.positions). The model must stay open and as it is. EX_USAGE: a model that
 * predicts no tokens, a max_len or a number of sequences that is 0 or too large. */
int decoder_open(struct decoder **d, const struct model *m, size_t sequences,
		 size_t max_len, struct err *e);
void decoder_close(struct decoder *d); /* NULL is fine */

/* Adds n sequences behind those that live: prompt i is ids[start[i]] .. ids[start[i + 1] -
 * 1]. They are read in one packed pass. *logits [n, vocabulary] are those of the token
 * behind each prompt, good until the next call. EX_USAGE: no room, or an empty prompt;
 * EX_DATAERR: a prompt that is too long, or a token that the model does not have. On
 * failure the live sequences are as before. */
int decoder_add(struct decoder *d, size_t n, const uint32_t *ids, const size_t *start,
		const float **logits, struct err *e);

/* Appends ids[s] to each live sequence s; *logits [live, vocabulary] are those of the token
 * behind it, good until the next call. Errors and failure as above. */
int decoder_step(struct decoder *d, const uint32_t *ids, const float **logits,
		 struct err *e);

/* Sequence from[i] becomes sequence i, for n of them; one may be taken several times or not
 * at all, and is dropped then. EX_USAGE: no room, or a sequence that there is not. */
int decoder_arrange(struct decoder *d, size_t n, const size_t *from, struct err *e);

size_t decoder_live(const struct decoder *d);
size_t decoder_length(const struct decoder *d, size_t sequence); /* tokens */
/* Tokens whose keys and values are kept: a shared one counts once. */
size_t decoder_kept(const struct decoder *d);

#endif
