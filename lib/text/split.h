/*
 * split - where byte-level BPE cuts a text into words.
 *
 * The pattern that GPT-2 was published with: an English contraction ('s 't 're 've 'm 'll
 * 'd), or letters, or numbers, or what is none of these, each with the space before it; or
 * white space, whose last character goes to the word behind it.
 *
 * Letters and numbers are those of Unicode 16, as in `tokenizers` 0.23; what PCRE2 10.42,
 * which knows Unicode 14, lacks of them is listed in split.c.
 */
#ifndef TEXT_SPLIT_H
#define TEXT_SPLIT_H

#include <stddef.h>

#include "base/err.h"

/* A compiled pattern, for many threads. */
struct splitter {
	struct pcre2_real_code_8 *code;
};

/* What a thread needs to search with one; {0} at first. */
struct split_room {
	struct pcre2_real_match_data_8 *match;
};

int splitter_open(struct splitter *p, struct err *e);
void splitter_close(struct splitter *p);

/* Sets *stop to the end of the word of s[0 .. n), well-formed UTF-8, that begins at `at`,
 * which is less than n. */
int splitter_next(const struct splitter *p, struct split_room *room, const char *s,
		  size_t n, size_t at, size_t *stop, struct err *e);
void split_room_free(struct split_room *room);

#endif
