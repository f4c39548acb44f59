/*
 * added - tokens that are found in a text as they are, before it is split into words.
 *
 * Special tokens ([MASK]) are looked for in the text as it came; those marked `normal`
 * in the normal form of what lies between. Of the tokens that begin at one place the
 * longest counts; matches do not overlap.
 */
#ifndef TEXT_ADDED_H
#define TEXT_ADDED_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#include "base/err.h"

struct added_token {
	char *text;    /* as it was given */
	char *pattern; /* what is looked for: `text`, or its normal form */
	size_t pattern_len;
	uint32_t id;
	bool special;                 /* left out of a text for people */
	bool normal;                  /* looked for in the normal form */
	bool single_word;             /* not inside a word */
	bool strip_left, strip_right; /* takes white space beside it along */
};

struct added_tokens {
	struct added_token *token;
	size_t n, cap;
	bool begins[2][256]; /* bytes that a pattern begins with, by `normal` */
};

/* More than any tokenizer has; each is looked for by itself. */
#define ADDED_MAX 20000

/* Adds a token, or replaces the one of the same text; copies both texts. EX_DATAERR beyond
 * ADDED_MAX; the message says no place. */
int added_put(struct added_tokens *list, const struct added_token *token, struct err *e);
const struct added_token *added_get(const struct added_tokens *list, const char *text);
void added_free(struct added_tokens *list);

/* A text cut into added tokens and what lies between them. */
struct added_scan {
	const struct added_tokens *list;
	bool normal;
	const char *s;
	size_t n;
	size_t searched, passed;        /* bytes */
	const struct added_token *next; /* found, and not yet given out */
	size_t start, stop;
};

/* The next part: *token is NULL for a part between tokens. False at the end. */
bool added_part(struct added_scan *scan, const char **part, size_t *n,
		const struct added_token **token);

#endif
