#include "text/tokenizer.h"

#include <stdlib.h>
#include <string.h>

#include "base/mem.h"
#include "text/parts.h"
#include "text/unicode.h"

const char *const tokenizer_vocabularies[] = { "vocab.txt", "vocab.json", "tokenizer.json",
					       NULL };

struct encoding_room {
	struct bytes valid; /* the text, when it was not UTF-8 */
	struct bytes normal;
	struct marks marks;
	struct bpe_room bpe;
	struct pieces first, second;
};

int layout_put(struct layout *l, enum place_of of, uint8_t type, uint32_t id, struct err *e)
{
	int status = mem_grow(&l->place, &l->cap, l->n + 1, sizeof *l->place, e);

	if (status != EX_OK)
		return status;
	l->place[l->n++] = (struct place){ .of = of, .type = type, .id = id };
	l->special += of == PLACE_TOKEN;
	return EX_OK;
}

int tokenizer_open(struct tokenizer **out, const char *dir, struct err *e)
{
	struct tokenizer *t = mem_zeros(1, sizeof *t);
	int status;

	*out = NULL;
	if (t == NULL)
		return err_nomem(e);
	status = tokenizer_read(t, dir, e);
	if (status == EX_OK)
		status = tokenizer_index(t, e);
	if (status != EX_OK) {
		tokenizer_close(t);
		return status;
	}
	*out = t;
	return EX_OK;
}

const struct vocab *tokenizer_vocab(const struct tokenizer *t)
{
	return t->is_bpe ? &t->bpe.vocab : &t->wordpiece.vocab;
}

size_t tokenizer_size(const struct tokenizer *t)
{
	return t->size;
}

const char *const *tokenizer_files(const struct tokenizer *t)
{
	return t->files;
}

void tokenizer_close(struct tokenizer *t)
{
	if (t == NULL)
		return;
	vocab_free(&t->wordpiece.vocab);
	free(t->wordpiece.prefix);
	bpe_free(&t->bpe);
	free(t->texts.at);
	added_free(&t->added);
	free(t->single.place);
	free(t->pair.place);
	free(t);
}

static void pieces_free(struct pieces *p)
{
	free(p->id);
	free(p->hash);
}

void encoding_free(struct encoding *out)
{
	free(out->ids);
	free(out->types);
	if (out->room != NULL) {
		free(out->room->valid.s);
		free(out->room->normal.s);
		free(out->room->marks.c);
		bpe_room_free(&out->room->bpe);
		pieces_free(&out->room->first);
		pieces_free(&out->room->second);
		free(out->room);
	}
	memset(out, 0, sizeof *out);
}

/* ---- one text ------------------------------------------------------------------------ */

/* Copies a text with U+FFFD in the place of what is not UTF-8. */
static int replace_invalid(struct bytes *out, const char **s, size_t *n, struct err *e)
{
	size_t i = 0, used, most;
	uint32_t c;
	int status;

	if (!mem_mul(*n, 3, &most))
		return err_nomem(e);
	status = mem_grow(&out->s, &out->cap, most, 1, e);
	if (status != EX_OK)
		return status;
	out->n = 0;
	while (i < *n) {
		used = utf8_next(*s + i, *n - i, &c);
		out->n += utf8_put(out->s + out->n, c);
		i += used;
	}
	*s = out->s;
	*n = out->n;
	return EX_OK;
}

static int put_piece(struct pieces *out, uint32_t id, struct err *e)
{
	int status = mem_grow(&out->id, &out->cap, out->n + 1, sizeof *out->id, e);

	if (status == EX_OK)
		out->id[out->n++] = id;
	return status;
}

/* What lies between special tokens. */
static int encode_part(const struct tokenizer *t, const char *s, size_t n, size_t limit,
		       struct encoding_room *room, struct pieces *out, struct err *e)
{
	struct added_scan scan = { .list = &t->added, .normal = true };
	const struct added_token *token;
	const char *part;
	size_t len;
	int status = EX_OK;

	scan.s = s;
	scan.n = n;
	if (!t->is_bpe) {
		status = normalize(&t->normalizer, s, n, &room->normal, &room->marks, e);
		scan.s = room->normal.s;
		scan.n = room->normal.n;
	}
	while (status == EX_OK && out->n < limit &&
	       added_part(&scan, &part, &len, &token)) {
		if (token != NULL)
			status = put_piece(out, token->id, e);
		else if (t->is_bpe)
			status = bpe_encode(&t->bpe, part, len, limit, &room->bpe, out, e);
		else
			status = wordpiece_encode(&t->wordpiece, part, len, limit, out, e);
	}
	return status;
}

/* Sets `out` to the tokens of a text, without the special ones around it. */
static int encode_text(const struct tokenizer *t, const char *s, size_t n, size_t limit,
		       struct encoding_room *room, struct pieces *out, struct err *e)
{
	struct added_scan scan = { .list = &t->added };
	const struct added_token *token;
	const char *part;
	size_t len;
	int status = EX_OK;

	out->n = 0;
	if (!utf8_valid(s, n) &&
	    (status = replace_invalid(&room->valid, &s, &n, e)) != EX_OK)
		return status;
	scan.s = s;
	scan.n = n;
	while (status == EX_OK && out->n < limit &&
	       added_part(&scan, &part, &len, &token)) {
		if (token != NULL)
			status = put_piece(out, token->id, e);
		else
			status = encode_part(t, part, len, limit, room, out, e);
	}
	return status;
}

/* ---- the whole ------------------------------------------------------------------------
 */

/* The longer of two texts is cut first; when both are too long each keeps half of `room`,
 * the longer one the odd token, and of equally long ones the second. */
static void cut_pair(size_t room, size_t *a, size_t *b)
{
	size_t *shorter = *a > *b ? b : a, *longer = *a > *b ? a : b;

	if (*a + *b <= room)
		return;
	if (*shorter <= room / 2) {
		*longer = room - *shorter;
		return;
	}
	*shorter = room / 2;
	*longer = room - *shorter;
}

static int lay_out(const struct layout *l, const struct pieces *first,
		   const struct pieces *second, struct encoding *out, struct err *e)
{
	size_t n = first->n + second->n + l->special, ids = out->cap, types = out->cap, i;

	if (mem_grow(&out->ids, &ids, n, sizeof *out->ids, e) != EX_OK ||
	    mem_grow(&out->types, &types, n, sizeof *out->types, e) != EX_OK)
		return EX_UNAVAILABLE;
	out->cap = ids;
	out->n = 0;
	for (i = 0; i < l->n; i++) {
		const struct place *p = &l->place[i];
		const struct pieces *text = p->of == PLACE_FIRST ? first : second;
		const uint32_t *from = p->of == PLACE_TOKEN ? &p->id : text->id;
		size_t count = p->of == PLACE_TOKEN ? 1 : text->n;

		if (count == 0)
			continue;
		memcpy(out->ids + out->n, from, count * sizeof *from);
		memset(out->types + out->n, p->type, count);
		out->n += count;
	}
	return EX_OK;
}

static int open_room(struct encoding *out, struct err *e)
{
	if (out->room == NULL)
		out->room = mem_zeros(1, sizeof *out->room);
	return out->room == NULL ? err_nomem(e) : EX_OK;
}

int tokenizer_encode(const struct tokenizer *t, const char *a, size_t a_len, const char *b,
		     size_t b_len, size_t max_len, struct encoding *out, struct err *e)
{
	const struct layout *l = b != NULL ? &t->pair : &t->single;
	struct encoding_room *room;
	size_t texts;
	int status;

	if (max_len < l->special)
		return err_set(
		    e, EX_USAGE,
		    "a length of %zu tokens leaves no room for the %zu special ones; "
		    "give a greater one",
		    max_len, l->special);
	texts = max_len - l->special;
	if ((status = open_room(out, e)) != EX_OK)
		return status;
	room = out->room;
	room->second.n = 0;
	if (b == NULL) {
		status = encode_text(t, a, a_len, texts, room, &room->first, e);
	} else {
		status = encode_text(t, a, a_len, SIZE_MAX, room, &room->first, e);
		if (status == EX_OK)
			status = encode_text(t, b, b_len, SIZE_MAX, room, &room->second, e);
		cut_pair(texts, &room->first.n, &room->second.n);
	}
	return status == EX_OK ? lay_out(l, &room->first, &room->second, out, e) : status;
}

int tokenizer_encode_plain(const struct tokenizer *t, const char *text, size_t len,
			   struct encoding *out, struct err *e)
{
	struct place place = { .of = PLACE_FIRST };
	struct layout alone = { .place = &place, .n = 1 };
	struct encoding_room *room;
	int status;

	if ((status = open_room(out, e)) != EX_OK)
		return status;
	room = out->room;
	room->second.n = 0;
	status = encode_text(t, text, len, SIZE_MAX, room, &room->first, e);
	return status == EX_OK ? lay_out(&alone, &room->first, &room->second, out, e)
			       : status;
}
