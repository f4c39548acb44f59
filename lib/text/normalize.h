/*
 * normalize - what BERT does to a text before it is split into words.
 *
 *   clean        drop NUL, U+FFFD and controls; any white space becomes a space
 *   ideographs   a space on either side of each
 *   strip        canonical decomposition (NFD), then drop the nonspacing marks
 *   lower        lower case, character by character
 *
 * in this order, each if asked for.
 */
#ifndef TEXT_NORMALIZE_H
#define TEXT_NORMALIZE_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#include "base/err.h"

struct normalizer {
	bool clean, ideographs, strip, lower;
	char ascii[128]; /* what ASCII becomes; NUL: dropped. Set by normalizer_init */
};

/* Bytes that grow; {0} is empty. Not NUL-terminated. */
struct bytes {
	char *s;
	size_t n, cap;
};

/* Room for normalize to work in; {0} at first, and used again. */
struct marks {
	uint32_t *c; /* combining characters that wait for their order */
	size_t n, cap;
};

/* Fills `ascii` from the switches. */
void normalizer_init(struct normalizer *z);

/* Sets `out` to the normal form of s[0 .. n), which is well-formed UTF-8. */
int normalize(const struct normalizer *z, const char *s, size_t n, struct bytes *out,
	      struct marks *marks, struct err *e);

#endif
