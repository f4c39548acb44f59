/*
 * vocab - the numbered pieces of a vocabulary, found by their text.
 *
 * An open-addressing table (linear probing, at most half full) over one block of text. The
 * hash of a longer text continues that of its beginning, so that all beginnings of a word
 * are hashed in one pass over it.
 */
#ifndef TEXT_VOCAB_H
#define TEXT_VOCAB_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#include "base/err.h"

#define VOCAB_NONE    UINT32_MAX
#define VOCAB_HIGHEST 0xffffffu /* no vocabulary in use is within a factor of ten of it */

struct vocab {
	struct vocab_piece {
		size_t at; /* into text */
		uint32_t len, id;
	} * piece;
	size_t n, piece_cap;
	char *text;
	size_t text_len, text_cap;
	struct vocab_slot {
		uint32_t hash, piece; /* the piece's index + 1; 0: free */
	} * slot;
	size_t slots;   /* a power of two */
	size_t longest; /* bytes of the longest piece */
	uint32_t size;  /* one more than the highest number */
};

#define VOCAB_HASH 0x9e3779b9u

static inline uint32_t vocab_hash(uint32_t h, unsigned char byte)
{
	h = (h ^ byte) * 0x85ebca6bu;
	return h ^ h >> 15;
}

/* Adds a piece; when its text is there already, *is_new is false and nothing changes. */
int vocab_add(struct vocab *v, const char *s, size_t n, uint32_t id, bool *is_new,
	      struct err *e);

/* The number of `prefix` followed by `s`, whose bytes together have hash h. */
uint32_t vocab_find(const struct vocab *v, uint32_t h, const char *prefix,
		    size_t prefix_len, const char *s, size_t n);
/* The number of a text, or VOCAB_NONE. */
uint32_t vocab_get(const struct vocab *v, const char *s, size_t n);
void vocab_free(struct vocab *v);

#endif
