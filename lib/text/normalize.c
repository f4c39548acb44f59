#include "text/normalize.h"

#include <string.h>

#include "base/mem.h"
#include "text/unicode.h"

/* Bytes that one character can become: four decomposed ones of four bytes, each of
 * which may give two when lower-cased, and two spaces. */
#define GROWTH (UNICODE_DECOMPOSED * 2 * UTF8_MAX + 2)

void normalizer_init(struct normalizer *z)
{
	unsigned c;

	for (c = 0; c < 128; c++) {
		unsigned to = c;

		if (z->clean && unicode_is_space(c))
			to = ' ';
		if (z->clean && unicode_is_control(c))
			to = 0;
		if (z->lower && c >= 'A' && c <= 'Z')
			to = c + ('a' - 'A');
		z->ascii[c] = (char)to;
	}
}

/* The last step; there is room. */
static void put(const struct normalizer *z, uint32_t c, struct bytes *out)
{
	uint32_t small[2];
	size_t i, n = 1;

	small[0] = c;
	if (z->lower)
		n = unicode_lower(c, small);
	for (i = 0; i < n; i++)
		out->n += utf8_put(out->s + out->n, small[i]);
}

/* Room for the characters that wait, for what the next one becomes, and for `left` bytes
 * of ASCII behind it. */
static int reserve(struct bytes *out, const struct marks *marks, size_t left, struct err *e)
{
	size_t need = out->n + left + marks->n * 2 * UTF8_MAX + GROWTH;

	return need <= out->cap ? EX_OK : mem_grow(&out->s, &out->cap, need, 1, e);
}

/* A run of combining characters is over: writes it in canonical order, class by class,
 * and those of one class in the order in which they came. */
static void flush(const struct normalizer *z, struct bytes *out, struct marks *marks)
{
	unsigned class, next, last = 0;
	size_t i;

	for (class = 1; class != last; last = class, class = next) {
		next = class;
		for (i = 0; i < marks->n; i++) {
			unsigned its = marks->c[i] >> 24;

			if (its == class)
				put(z, marks->c[i] & 0xffffff, out);
			else if (its > class && (next == class || its < next))
				next = its;
		}
	}
	marks->n = 0;
}

/* Takes a decomposed character. */
static int take(const struct normalizer *z, uint32_t c, struct bytes *out,
		struct marks *marks, size_t left, struct err *e)
{
	unsigned class = unicode_combining(c);
	int status;

	if (class == 0 && marks->n > 0) {
		if ((status = reserve(out, marks, left, e)) != EX_OK)
			return status;
		flush(z, out, marks);
	}
	if (unicode_is_mark(c))
		return EX_OK;
	if (class == 0) {
		put(z, c, out);
		return EX_OK;
	}
	if ((status = mem_grow(&marks->c, &marks->cap, marks->n + 1, sizeof *marks->c, e)))
		return status;
	marks->c[marks->n++] = c | class << 24;
	return EX_OK;
}

/* A character beyond ASCII; `left` bytes follow it. */
static int other(const struct normalizer *z, uint32_t c, struct bytes *out,
		 struct marks *marks, size_t left, struct err *e)
{
	uint32_t part[UNICODE_DECOMPOSED + 2];
	size_t i, n = 0;
	int status;

	if (z->clean) {
		if (c == UNICODE_REPLACEMENT || unicode_is_control(c))
			return EX_OK;
		if (unicode_is_space(c))
			c = ' ';
	}
	if ((status = reserve(out, marks, left, e)) != EX_OK)
		return status;
	if (z->ideographs && unicode_is_ideograph(c)) {
		part[n++] = ' ';
		n += z->strip ? unicode_decompose(c, part + n) : 1;
		if (!z->strip)
			part[1] = c;
		part[n++] = ' ';
	} else if (z->strip) {
		n = unicode_decompose(c, part);
	} else {
		part[n++] = c;
	}
	for (i = 0; i < n; i++) {
		if (!z->strip)
			put(z, part[i], out);
		else if ((status = take(z, part[i], out, marks, left, e)) != EX_OK)
			return status;
	}
	return EX_OK;
}

int normalize(const struct normalizer *z, const char *s, size_t n, struct bytes *out,
	      struct marks *marks, struct err *e)
{
	size_t i = 0;
	int status;

	out->n = 0;
	marks->n = 0;
	if ((status = reserve(out, marks, n, e)) != EX_OK)
		return status;
	while (i < n) {
		unsigned char b = (unsigned char)s[i];
		uint32_t c;

		if (b < 128) {
			char to = z->ascii[b];

			i++;
			if (marks->n > 0 && to != 0) {
				status = reserve(out, marks, n - i, e);
				if (status != EX_OK)
					return status;
				flush(z, out, marks);
			}
			out->s[out->n] = to;
			out->n += to != 0;
			continue;
		}
		i += utf8_next(s + i, n - i, &c);
		if ((status = other(z, c, out, marks, n - i, e)) != EX_OK)
			return status;
	}
	if ((status = reserve(out, marks, 0, e)) != EX_OK)
		return status;
	flush(z, out, marks);
	return EX_OK;
}
