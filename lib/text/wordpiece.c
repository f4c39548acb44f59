#include "text/wordpiece.h"

#include <stdbool.h>
#include <string.h>

#include "base/mem.h"
#include "text/unicode.h"

enum kind { KIND_LETTER, KIND_SPACE, KIND_PUNCT };

static unsigned char kind_of(uint32_t c)
{
	if (unicode_is_space(c))
		return KIND_SPACE;
	return unicode_is_punct(c) ? KIND_PUNCT : KIND_LETTER;
}

void wordpiece_init(struct wordpiece *w)
{
	uint32_t c;
	size_t i;

	for (c = 0; c < 128; c++)
		w->ascii[c] = kind_of(c);
	w->prefix_hash = VOCAB_HASH;
	for (i = 0; i < w->prefix_len; i++)
		w->prefix_hash = vocab_hash(w->prefix_hash, (unsigned char)w->prefix[i]);
}

/* The longest piece that s[0 .. n) begins with, behind the prefix when `inside` a word. */
static uint32_t longest(const struct wordpiece *w, const char *s, size_t n, bool inside,
			uint32_t *hash, size_t *used)
{
	size_t prefix_len = inside ? w->prefix_len : 0, i;
	uint32_t h = inside ? w->prefix_hash : VOCAB_HASH;

	if (n > w->vocab.longest)
		n = w->vocab.longest;
	for (i = 0; i < n; i++)
		hash[i] = h = vocab_hash(h, (unsigned char)s[i]);
	for (i = n; i > 0; i--) {
		uint32_t id =
		    vocab_find(&w->vocab, hash[i - 1], w->prefix, prefix_len, s, i);

		if (id != VOCAB_NONE) {
			*used = i;
			return id;
		}
	}
	return VOCAB_NONE;
}

/* Appends the pieces of one word of `chars` characters. */
static int word(const struct wordpiece *w, const char *s, size_t n, size_t chars,
		struct pieces *out, struct err *e)
{
	size_t before = out->n, at, used = 0;
	int status;

	status = mem_grow(&out->hash, &out->hash_cap, n, sizeof *out->hash, e);
	if (status == EX_OK)
		status = mem_grow(&out->id, &out->cap, out->n + n, sizeof *out->id, e);
	if (status != EX_OK)
		return status;
	for (at = 0; at < n && chars <= w->longest_word; at += used) {
		uint32_t id = longest(w, s + at, n - at, at > 0, out->hash, &used);

		if (id == VOCAB_NONE)
			break;
		out->id[out->n++] = id;
	}
	if (at < n) {
		out->n = before;
		out->id[out->n++] = w->unknown;
	}
	return EX_OK;
}

int wordpiece_encode(const struct wordpiece *w, const char *s, size_t n, size_t limit,
		     struct pieces *out, struct err *e)
{
	size_t i = 0, start = 0, chars = 0, used;
	int status = EX_OK;

	while (i < n && out->n < limit && status == EX_OK) {
		unsigned char kind, b = (unsigned char)s[i];
		uint32_t c;

		if (b < 128) {
			used = 1;
			kind = w->ascii[b];
		} else {
			used = utf8_next(s + i, n - i, &c);
			kind = kind_of(c);
		}
		i += used;
		if (kind == KIND_LETTER) {
			chars++;
			continue;
		}
		if (chars > 0)
			status = word(w, s + start, i - used - start, chars, out, e);
		if (kind == KIND_PUNCT && status == EX_OK)
			status = word(w, s + i - used, used, 1, out, e);
		start = i;
		chars = 0;
	}
	if (chars > 0 && out->n < limit && status == EX_OK)
		status = word(w, s + start, n - start, chars, out, e);
	if (out->n > limit)
		out->n = limit;
	return status;
}
