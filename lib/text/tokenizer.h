/*
 * tokenizer - text to token numbers, as the checkpoint's own tokenizer does it.
 *
 * WordPiece (BERT, DistilBERT): clean, split (white space, punctuation, CJK), lower-case
 * and strip accents when the checkpoint says so, then the longest pieces of the vocabulary
 * first. Byte-level BPE (GPT-2, RoBERTa): split into words with the spaces before them,
 * then merge the bytes of each by the ranks of the merges. The result equals that of
 * transformers for the same files.
 */
#ifndef TEXT_TOKENIZER_H
#define TEXT_TOKENIZER_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#include "base/err.h"
#include "base/str.h"

struct tokenizer;

/* The files of which a tokenizer's directory has one at least; ends with NULL. */
extern const char *const tokenizer_vocabularies[];

/* One encoded text or pair; {0} is an empty one and can be used again. */
struct encoding {
	uint32_t *ids;
	uint8_t *types; /* 0, or 1 for the second text of a pair */
	size_t n, cap;
	struct encoding_room *room; /* what encoding needs on the way, kept for the next */
};

/* Reads the tokenizer of a model directory: tokenizer.json, else vocab.txt, or vocab.json
 * with merges.txt; and beside them tokenizer_config.json, special_tokens_map.json and
 * added_tokens.json. Which class of tokenizer it is, and so which special tokens stand
 * where, tokenizer_config.json or config.json say. EX_NOINPUT when there is none. */
int tokenizer_open(struct tokenizer **t, const char *dir, struct err *e);
size_t tokenizer_size(const struct tokenizer *t); /* one more than the highest number */

/* Encodes `a`, or the pair `a`, `b` (b NULL: no pair), with the special tokens, cut to
 * max_len tokens (the longer side first for a pair). Bytes that are not UTF-8 become
 * U+FFFD. Safe to call from many threads with encodings of their own. */
int tokenizer_encode(const struct tokenizer *t, const char *a, size_t a_len, const char *b,
		     size_t b_len, size_t max_len, struct encoding *out, struct err *e);
/* The same without special tokens, and uncut: for language modelling. Added tokens are
 * still found in the text. */
int tokenizer_encode_plain(const struct tokenizer *t, const char *text, size_t len,
			   struct encoding *out, struct err *e);
void encoding_free(struct encoding *out);

/* The text of tokens, appended to `out`: bytes as they were for byte-level BPE, the pieces
 * of WordPiece with "##" removed and spaces between the words, and no spaces cleaned up.
 * Special tokens are left out with `skip_special`. EX_DATAERR for a number that is no
 * token. */
int tokenizer_decode(const struct tokenizer *t, const uint32_t *ids, size_t n,
		     bool skip_special, struct strbuf *out, struct err *e);

/* The number of the token that ends a text ("<|endoftext|>", "</s>", else "[SEP]"), and of
 * the padding token; -1 when there is none. */
int64_t tokenizer_end(const struct tokenizer *t);
int64_t tokenizer_pad(const struct tokenizer *t);

/* The files of the tokenizer that are copied beside a saved model, NULL-terminated:
 * "vocab.txt", "tokenizer_config.json", ... those that exist in its directory. */
const char *const *tokenizer_files(const struct tokenizer *t);
void tokenizer_close(struct tokenizer *t);

#endif
