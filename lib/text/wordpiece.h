/*
 * wordpiece - words, and the pieces that they are made of.
 *
 * A normal text is split at white space, and every punctuation character is a word of
 * its own. A word is the longest piece of the vocabulary that it begins with, then the
 * longest continuing piece ("##ing") that the rest begins with, and so on; when no
 * piece fits, or the word is too long, all of it is the unknown token.
 */
#ifndef TEXT_WORDPIECE_H
#define TEXT_WORDPIECE_H

#include <stddef.h>
#include <stdint.h>

#include "base/err.h"
#include "text/vocab.h"

struct wordpiece {
	struct vocab vocab;
	char *prefix; /* of a continuing piece: "##" */
	size_t prefix_len;
	uint32_t prefix_hash;
	size_t longest_word; /* characters; a longer word is unknown */
	uint32_t unknown;
	unsigned char ascii[128]; /* kinds of characters; set by wordpiece_init */
};

/* Numbers that grow; {0} is empty. `hash` is room to work in. */
struct pieces {
	uint32_t *id;
	size_t n, cap;
	uint32_t *hash;
	size_t hash_cap;
};

/* Fills prefix_hash and ascii from the rest. */
void wordpiece_init(struct wordpiece *w);

/* Appends the pieces of s[0 .. n), well-formed UTF-8; stops once `out` has `limit`. */
int wordpiece_encode(const struct wordpiece *w, const char *s, size_t n, size_t limit,
		     struct pieces *out, struct err *e);

#endif
