/*
 * parts - what a tokenizer is made of; private to lib/text.
 */
#ifndef TEXT_PARTS_H
#define TEXT_PARTS_H

#include "text/added.h"
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

#define TOKENIZER_FILES 5

struct tokenizer {
	struct normalizer normalizer;
	struct wordpiece model;
	struct added_tokens added;
	struct layout single, pair;
	uint32_t size; /* one more than the highest number, added tokens included */
	const char *files[TOKENIZER_FILES + 1];
};

int layout_put(struct layout *l, enum place_of of, uint8_t type, uint32_t id,
	       struct err *e);

/* Fills `t` (zeroed) from the files of a directory. */
int tokenizer_read(struct tokenizer *t, const char *dir, struct err *e);

#endif
