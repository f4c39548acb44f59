/*
 * byte_level - bytes written as characters that can be seen.
 *
 * The vocabularies of byte-level BPE are text: every byte is one character of it. Printing
 * characters of Latin-1 stand for themselves; the other 68 bytes, in their order, are
 * U+0100 and what follows, so that a space is U+0120.
 */
#ifndef TEXT_BYTE_LEVEL_H
#define TEXT_BYTE_LEVEL_H

#include <stddef.h>
#include <stdint.h>

#include "base/str.h"
#include "text/unicode.h"

/* Writes the character of a byte; returns how many bytes of UTF-8 it takes. */
size_t byte_level_put(char out[UTF8_MAX], unsigned char byte);

/* Appends the bytes that the characters of s[0 .. n), well-formed UTF-8, stand for; s as
 * it is when one of them stands for none. */
void byte_level_undo(const char *s, size_t n, struct strbuf *out);

#endif
