/*
 * bpe - byte pair encoding of bytes.
 *
 * A text is cut into words (text/split.h). The pieces of a word are at first its bytes;
 * then, again and again, the pair of neighbours whose merge has the lowest rank becomes one
 * piece, the leftmost pair of several, until no pair has a merge.
 */
#ifndef TEXT_BPE_H
#define TEXT_BPE_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#include "base/err.h"
#include "text/normalize.h"
#include "text/split.h"
#include "text/vocab.h"
#include "text/wordpiece.h"

/* `left` and `right` become `id`. */
struct bpe_merge {
	uint32_t left, right; /* VOCAB_NONE: a free slot */
	uint32_t rank, id;
};

struct bpe {
	struct vocab vocab;
	struct bpe_merge *merge; /* open addressing, at most half full */
	size_t merges, slots;    /* how many; a power of two */
	uint32_t byte[256];      /* the piece of a byte; VOCAB_NONE: `unknown` */
	uint32_t unknown;        /* VOCAB_NONE: bytes without a piece are left out */
	bool fuse_unknown;       /* neighbouring unknown bytes are one token */
	bool whole_words;        /* a word that is a piece is that piece, merges or not */
	bool space_first;        /* a text gets a space in front unless it has one */
	bool split;              /* into words; else all of a text is one */
	struct splitter splitter;
	uint64_t content; /* a checksum: which vocabulary a cached word belongs to */
};

/* A piece of a word, and those beside it. */
struct bpe_symbol {
	uint32_t id, before, after;
};

/* A word that was encoded lately; of longer words, or words of more pieces, there is none.
 */
struct bpe_cached {
	uint64_t word[3]; /* its bytes; the last one is how many */
	uint32_t n, id[9];
};

/* Room to work in; {0} at first, and used again. */
struct bpe_room {
	struct split_room split;
	struct bytes text;  /* with a space in front */
	struct bytes whole; /* a word as its piece is written */
	struct bpe_symbol *symbol;
	size_t symbols_cap;
	uint64_t *waiting; /* heap of pairs that can be merged: rank << 32 | left symbol */
	size_t waiting_n, waiting_cap;
	struct bpe_cached *cache;
	uint64_t cache_of; /* `content` */
};

/* Adds a merge of three pieces, which has a greater rank than all before it; when the pair
 * has one already *is_new is false and nothing changes. */
int bpe_add(struct bpe *b, uint32_t left, uint32_t right, uint32_t id, bool *is_new,
	    struct err *e);
/* Fills `byte`, `splitter` and `content` from the rest. */
int bpe_init(struct bpe *b, struct err *e);
void bpe_free(struct bpe *b);

/* Appends the pieces of s[0 .. n), well-formed UTF-8; stops once `out` has `limit`. */
int bpe_encode(const struct bpe *b, const char *s, size_t n, size_t limit,
	       struct bpe_room *room, struct pieces *out, struct err *e);
void bpe_room_free(struct bpe_room *room);

#endif
