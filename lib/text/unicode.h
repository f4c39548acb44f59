/*
 * unicode - characters as the published BERT tokenizers see them.
 *
 * Categories are those of Unicode 8.0, decompositions and combining classes of Unicode 9.0,
 * lower case of Unicode 17, word characters of Unicode 16: so it is in `tokenizers` 0.23,
 * whose parts carry tables of different age. utf8proc 2.8 knows Unicode 15.0; unicode.c
 * lists the differences.
 */
#ifndef TEXT_UNICODE_H
#define TEXT_UNICODE_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#define UNICODE_REPLACEMENT 0xfffdu
#define UNICODE_DECOMPOSED  4 /* most characters that one decomposes to */
#define UTF8_MAX            4 /* bytes of a character */

/* The character at s[0 .. n), n > 0, and the bytes that it takes. Bytes that are not
 * UTF-8 give U+FFFD for each maximal part of a well-formed sequence, or else each byte
 * (Unicode 15.0, section 3.9), as Python's errors="replace" does. */
size_t utf8_next(const char *s, size_t n, uint32_t *c);
bool utf8_valid(const char *s, size_t n);
/* Writes a character that is no surrogate; returns its bytes. */
size_t utf8_put(char out[UTF8_MAX], uint32_t c);

bool unicode_is_space(uint32_t c);   /* property White_Space */
bool unicode_is_control(uint32_t c); /* Cc, Cf or Co, and not tab, newline or return */
bool unicode_is_punct(uint32_t c);   /* P*, or any ASCII that is no letter or digit */
bool unicode_is_mark(uint32_t c);    /* Mn */
bool unicode_is_word(uint32_t c);    /* \w of regular expressions */
/* The blocks of ideographs that BERT's tokenizer splits. It has always left out
 * U+2B820..2B91F of Extension E and everything that was added after it. */
bool unicode_is_ideograph(uint32_t c);

/* The full canonical decomposition (NFD); returns how many characters. */
size_t unicode_decompose(uint32_t c, uint32_t out[UNICODE_DECOMPOSED]);
/* Canonical combining class. */
unsigned unicode_combining(uint32_t c);
/* Lower case without regard to context; 1 or (for U+0130 only) 2 characters. */
size_t unicode_lower(uint32_t c, uint32_t out[2]);

#endif
