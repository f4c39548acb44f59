#include "text/vocab.h"

#include <stdlib.h>
#include <string.h>

#include "base/mem.h"

static uint32_t hash_text(const char *s, size_t n)
{
	uint32_t h = VOCAB_HASH;
	size_t i;

	for (i = 0; i < n; i++)
		h = vocab_hash(h, (unsigned char)s[i]);
	return h;
}

static void place(struct vocab_slot *slot, size_t slots, uint32_t hash, uint32_t piece)
{
	size_t at = hash & (slots - 1);

	while (slot[at].piece != 0)
		at = (at + 1) & (slots - 1);
	slot[at].hash = hash;
	slot[at].piece = piece;
}

static int widen(struct vocab *v, struct err *e)
{
	size_t slots = v->slots == 0 ? 1024 : v->slots * 2, i;
	struct vocab_slot *wide = mem_zeros(slots, sizeof *wide);

	if (wide == NULL)
		return err_nomem(e);
	for (i = 0; i < v->slots; i++)
		if (v->slot[i].piece != 0)
			place(wide, slots, v->slot[i].hash, v->slot[i].piece);
	free(v->slot);
	v->slot = wide;
	v->slots = slots;
	return EX_OK;
}

int vocab_add(struct vocab *v, const char *s, size_t n, uint32_t id, bool *is_new,
	      struct err *e)
{
	struct vocab_piece *p;
	int status;

	*is_new = vocab_get(v, s, n) == VOCAB_NONE;
	if (!*is_new)
		return EX_OK;
	if (n > UINT32_MAX || v->n >= UINT32_MAX / 2)
		return err_set(e, EX_DATAERR, "the vocabulary is too large");
	if ((v->n + 1) * 2 > v->slots && (status = widen(v, e)) != EX_OK)
		return status;
	if ((status = mem_grow(&v->piece, &v->piece_cap, v->n + 1, sizeof *p, e)) != EX_OK)
		return status;
	if ((status = mem_grow(&v->text, &v->text_cap, v->text_len + n, 1, e)) != EX_OK)
		return status;
	p = &v->piece[v->n++];
	p->at = v->text_len;
	p->len = (uint32_t)n;
	p->id = id;
	if (n > 0)
		memcpy(v->text + v->text_len, s, n);
	v->text_len += n;
	place(v->slot, v->slots, hash_text(s, n), (uint32_t)v->n);
	if (n > v->longest)
		v->longest = n;
	if (id >= v->size)
		v->size = id + 1;
	return EX_OK;
}

uint32_t vocab_find(const struct vocab *v, uint32_t h, const char *prefix,
		    size_t prefix_len, const char *s, size_t n)
{
	size_t at;

	if (v->slots == 0)
		return VOCAB_NONE;
	for (at = h & (v->slots - 1); v->slot[at].piece != 0;
	     at = (at + 1) & (v->slots - 1)) {
		const struct vocab_piece *p;
		const char *text;

		if (v->slot[at].hash != h)
			continue;
		p = &v->piece[v->slot[at].piece - 1];
		text = v->text + p->at;
		if (p->len == prefix_len + n && memcmp(text, prefix, prefix_len) == 0 &&
		    memcmp(text + prefix_len, s, n) == 0)
			return p->id;
	}
	return VOCAB_NONE;
}

uint32_t vocab_get(const struct vocab *v, const char *s, size_t n)
{
	return vocab_find(v, hash_text(s, n), "", 0, s, n);
}

void vocab_free(struct vocab *v)
{
	free(v->piece);
	free(v->text);
	free(v->slot);
	memset(v, 0, sizeof *v);
}
