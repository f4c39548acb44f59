#include "text/byte_level.h"

#include <stdbool.h>

#define FIRST_HIDDEN 0x100u
#define HIDDEN       68u

static bool is_seen(unsigned byte)
{
	return (byte >= '!' && byte <= '~') || (byte >= 0xa1 && byte <= 0xac) ||
	       byte >= 0xae;
}

size_t byte_level_put(char out[UTF8_MAX], unsigned char byte)
{
	/* Hidden are 0 .. 0x20, 0x7f .. 0xa0 and 0xad. */
	if (is_seen(byte))
		return utf8_put(out, byte);
	if (byte <= 0x20)
		return utf8_put(out, FIRST_HIDDEN + byte);
	if (byte <= 0xa0)
		return utf8_put(out, FIRST_HIDDEN + 33 + byte - 0x7fu);
	return utf8_put(out, FIRST_HIDDEN + HIDDEN - 1);
}

/* The byte of a character, or -1. */
static int byte_of(uint32_t c)
{
	uint32_t nth = c - FIRST_HIDDEN;

	if (c < FIRST_HIDDEN)
		return is_seen(c) ? (int)c : -1;
	if (nth < 33)
		return (int)nth;
	if (nth < HIDDEN - 1)
		return (int)(nth - 33 + 0x7f);
	return nth == HIDDEN - 1 ? 0xad : -1;
}

static bool all_are_bytes(const char *s, size_t n)
{
	size_t i = 0;
	uint32_t c;

	while (i < n) {
		i += utf8_next(s + i, n - i, &c);
		if (byte_of(c) < 0)
			return false;
	}
	return true;
}

void byte_level_undo(const char *s, size_t n, struct strbuf *out)
{
	size_t i = 0;
	uint32_t c;

	if (!all_are_bytes(s, n)) {
		strbuf_add(out, s, n);
		return;
	}
	while (i < n) {
		char byte;

		i += utf8_next(s + i, n - i, &c);
		byte = (char)byte_of(c);
		strbuf_add(out, &byte, 1);
	}
}
