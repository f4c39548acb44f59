/*
 * parts - what a tokenizer is made of; private to lib/text.
 */
#ifndef TEXT_PARTS_H
#define TEXT_PARTS_H

#include "text/added.h"
#include "text/bpe.h"
#include "text/normalize.h"
#include "text/tokenizer.h"
#include "text/wordpiece.h"

/* What stands where in an encoded text: the first or second text, or a special token. */
struct place {
	enum place_of { PLACE_FIRST, PLACE_SECOND, PLACE_TOKEN } of;
	uint8_t type;
	uint32_t id;
};

struct layout {
	struct place *place;
	size_t n, cap;
	size_t special; /* how many are special tokens */
};

#define TOKENIZER_FILES 7

struct tokenizer {
	bool is_bpe; /* `bpe`; else `normalizer` and `wordpiece` */
	struct normalizer normalizer;
	struct wordpiece wordpiece;
	struct bpe bpe;
	struct added_tokens added;
	struct layout single, pair;
	uint32_t size;    /* one more than the highest number, added tokens included */
	int64_t end, pad; /* numbers of tokens, or -1 */
	struct texts {
		uint32_t *at; /* by number: 1 + an index into the vocabulary's pieces, */
		size_t added; /* or beyond that 1 + one into `added`; 0: no such token */
	} texts;
	const char *files[TOKENIZER_FILES + 1];
};

/* The vocabulary without the added tokens. */
const struct vocab *tokenizer_vocab(const struct tokenizer *t);

int layout_put(struct layout *l, enum place_of of, uint8_t type, uint32_t id,
	       struct err *e);

/* Fills `t` (zeroed) from the files of a directory, all but `texts`. */
int tokenizer_read(struct tokenizer *t, const char *dir, struct err *e);

/* Fills `texts`. */
int tokenizer_index(struct tokenizer *t, struct err *e);

#endif
