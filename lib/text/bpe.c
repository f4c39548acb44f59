#include "text/bpe.h"

#include <stdlib.h>
#include <string.h>

#include "base/mem.h"
#include "text/byte_level.h"

#define NONE       UINT32_MAX /* no symbol */
#define CACHED     32768u     /* words, a power of two */
#define WORD_BYTES 23u        /* of a cached word */

/* ---- merges -------------------------------------------------------------------------- */

static uint64_t mix(uint64_t h)
{
	h = (h ^ h >> 32) * 0xd6e8feb86659fd93u;
	return h ^ h >> 32;
}

/* The slot of a pair, or the free one where it belongs. */
static size_t slot_of(const struct bpe_merge *merge, size_t slots, uint32_t left,
		      uint32_t right)
{
	size_t at = mix((uint64_t)left << 32 | right) & (slots - 1);

	while (merge[at].left != VOCAB_NONE &&
	       (merge[at].left != left || merge[at].right != right))
		at = (at + 1) & (slots - 1);
	return at;
}

static int widen(struct bpe *b, struct err *e)
{
	size_t slots = b->slots == 0 ? 1024 : b->slots * 2, i;
	struct bpe_merge *wide = mem_zeros(slots, sizeof *wide);

	if (wide == NULL)
		return err_nomem(e);
	for (i = 0; i < slots; i++)
		wide[i].left = VOCAB_NONE;
	for (i = 0; i < b->slots; i++) {
		const struct bpe_merge *m = &b->merge[i];

		if (m->left != VOCAB_NONE)
			wide[slot_of(wide, slots, m->left, m->right)] = *m;
	}
	free(b->merge);
	b->merge = wide;
	b->slots = slots;
	return EX_OK;
}

int bpe_add(struct bpe *b, uint32_t left, uint32_t right, uint32_t id, bool *is_new,
	    struct err *e)
{
	struct bpe_merge *m;
	int status;

	if (b->merges >= UINT32_MAX / 2)
		return err_set(e, EX_DATAERR, "there are too many merges");
	if ((b->merges + 1) * 2 > b->slots && (status = widen(b, e)) != EX_OK)
		return status;
	m = &b->merge[slot_of(b->merge, b->slots, left, right)];
	*is_new = m->left == VOCAB_NONE;
	if (!*is_new)
		return EX_OK;
	*m = (struct bpe_merge){ left, right, (uint32_t)b->merges++, id };
	b->content = mix(b->content ^ left) ^ mix(b->content + right) * 31 ^ id;
	return EX_OK;
}

/* NULL when the two are not merged. */
static const struct bpe_merge *merge_of(const struct bpe *b, uint32_t left, uint32_t right)
{
	const struct bpe_merge *m;

	if (b->slots == 0)
		return NULL;
	m = &b->merge[slot_of(b->merge, b->slots, left, right)];
	return m->left == VOCAB_NONE ? NULL : m;
}

int bpe_init(struct bpe *b, struct err *e)
{
	char c[UTF8_MAX];
	size_t i;

	for (i = 0; i < 256; i++) {
		b->byte[i] = vocab_get(&b->vocab, c, byte_level_put(c, (unsigned char)i));
		b->content = mix(b->content ^ b->byte[i]);
	}
	/* Whole words are found by their text. */
	for (i = 0; i < b->vocab.text_len && b->whole_words; i++)
		b->content = mix(b->content ^ (unsigned char)b->vocab.text[i]);
	for (i = 0; i < b->vocab.n && b->whole_words; i++)
		b->content = mix(b->content ^ b->vocab.piece[i].id);
	b->content =
	    mix(b->content ^ b->unknown) ^ (uint64_t)(b->fuse_unknown + 2 * b->whole_words);
	return b->split ? splitter_open(&b->splitter, e) : EX_OK;
}

void bpe_free(struct bpe *b)
{
	vocab_free(&b->vocab);
	free(b->merge);
	splitter_close(&b->splitter);
	memset(b, 0, sizeof *b);
}

void bpe_room_free(struct bpe_room *room)
{
	split_room_free(&room->split);
	free(room->text.s);
	free(room->whole.s);
	free(room->symbol);
	free(room->waiting);
	free(room->cache);
	memset(room, 0, sizeof *room);
}

/* ---- the pairs that wait --------------------------------------------------------------
 */

static void sink(struct bpe_room *room, size_t at)
{
	uint64_t *heap = room->waiting, moved = heap[at];
	size_t child;

	while ((child = 2 * at + 1) < room->waiting_n) {
		if (child + 1 < room->waiting_n && heap[child + 1] < heap[child])
			child++;
		if (moved <= heap[child])
			break;
		heap[at] = heap[child];
		at = child;
	}
	heap[at] = moved;
}

static uint64_t take_lowest(struct bpe_room *room)
{
	uint64_t lowest = room->waiting[0];

	room->waiting[0] = room->waiting[--room->waiting_n];
	if (room->waiting_n > 1)
		sink(room, 0);
	return lowest;
}

/* Appends the pair that begins with a symbol, if there is a merge; no heap yet. */
static int wait_for(const struct bpe *b, struct bpe_room *room, uint32_t at, struct err *e)
{
	const struct bpe_symbol *left = &room->symbol[at];
	const struct bpe_merge *m;
	int status;

	if (left->after == NONE ||
	    (m = merge_of(b, left->id, room->symbol[left->after].id)) == NULL)
		return EX_OK;
	status = mem_grow(&room->waiting, &room->waiting_cap, room->waiting_n + 1,
			  sizeof *room->waiting, e);
	if (status == EX_OK)
		room->waiting[room->waiting_n++] = (uint64_t)m->rank << 32 | at;
	return status;
}

/* The same, into the heap. */
static int push(const struct bpe *b, struct bpe_room *room, uint32_t at, struct err *e)
{
	size_t child = room->waiting_n, parent;
	int status = wait_for(b, room, at, e);
	uint64_t *heap = room->waiting, added;

	if (room->waiting_n == child)
		return status;
	added = heap[child];
	for (; child > 0 && heap[parent = (child - 1) / 2] > added; child = parent)
		heap[child] = heap[parent];
	heap[child] = added;
	return EX_OK;
}

/* ---- a word ---------------------------------------------------------------------------
 */

/* The symbols of the bytes; returns how many. */
static uint32_t put_bytes(const struct bpe *b, const char *s, size_t n,
			  struct bpe_symbol *symbol)
{
	bool was_unknown = false;
	uint32_t used = 0, i;
	size_t at;

	for (at = 0; at < n; at++) {
		uint32_t id = b->byte[(unsigned char)s[at]];
		bool is_unknown = id == VOCAB_NONE;

		if (is_unknown && b->unknown == VOCAB_NONE)
			continue;
		if (!(is_unknown && was_unknown && b->fuse_unknown))
			symbol[used++].id = is_unknown ? b->unknown : id;
		was_unknown = is_unknown;
	}
	for (i = 0; i < used; i++) {
		symbol[i].before = i == 0 ? NONE : i - 1;
		symbol[i].after = i + 1 == used ? NONE : i + 1;
	}
	return used;
}

/* Merges the symbols 0 .. n; the first of them stays the first. */
static int merge_all(const struct bpe *b, struct bpe_room *room, uint32_t n, struct err *e)
{
	struct bpe_symbol *symbol = room->symbol;
	int status = EX_OK;
	size_t i;

	room->waiting_n = 0;
	for (i = 0; i < n && status == EX_OK; i++)
		status = wait_for(b, room, (uint32_t)i, e);
	for (i = room->waiting_n / 2; i > 0; i--)
		sink(room, i - 1);
	while (room->waiting_n > 0 && status == EX_OK) {
		uint64_t lowest = take_lowest(room);
		uint32_t at = (uint32_t)lowest, gone = symbol[at].after;
		const struct bpe_merge *m;

		/* The pair may have gone into other merges since it was put here. */
		if (symbol[at].id == VOCAB_NONE || gone == NONE)
			continue;
		m = merge_of(b, symbol[at].id, symbol[gone].id);
		if (m == NULL || m->rank != lowest >> 32)
			continue;
		symbol[at].id = m->id;
		symbol[at].after = symbol[gone].after;
		symbol[gone].id = VOCAB_NONE;
		if (symbol[at].after != NONE)
			symbol[symbol[at].after].before = at;
		status = push(b, room, at, e);
		if (status == EX_OK && symbol[at].before != NONE)
			status = push(b, room, symbol[at].before, e);
	}
	return status;
}

/* The number of a word that is a piece, or VOCAB_NONE. */
static int whole(const struct bpe *b, const char *s, size_t n, struct bytes *text,
		 uint32_t *id, struct err *e)
{
	size_t i, used = 0;
	int status;

	*id = VOCAB_NONE;
	if (n > b->vocab.longest)
		return EX_OK;
	status = mem_grow(&text->s, &text->cap, n * 2, 1, e);
	if (status != EX_OK)
		return status;
	for (i = 0; i < n; i++)
		used += byte_level_put(text->s + used, (unsigned char)s[i]);
	*id = vocab_get(&b->vocab, text->s, used);
	return EX_OK;
}

/* Appends the pieces of a word; `out` has room for n more. */
static int word(const struct bpe *b, const char *s, size_t n, struct bpe_room *room,
		struct pieces *out, struct err *e)
{
	uint32_t at, used;
	int status;

	if (n >= NONE)
		return err_set(e, EX_DATAERR,
			       "a word of %zu bytes; put spaces into the text", n);
	if (b->whole_words) {
		status = whole(b, s, n, &room->whole, &at, e);
		if (status != EX_OK || at != VOCAB_NONE) {
			out->id[out->n] = at;
			out->n += status == EX_OK;
			return status;
		}
	}
	status = mem_grow(&room->symbol, &room->symbols_cap, n, sizeof *room->symbol, e);
	if (status != EX_OK)
		return status;
	used = put_bytes(b, s, n, room->symbol);
	if (used == 0)
		return EX_OK;
	if ((status = merge_all(b, room, used, e)) != EX_OK)
		return status;
	for (at = 0; at != NONE; at = room->symbol[at].after)
		out->id[out->n++] = room->symbol[at].id;
	return EX_OK;
}

/* ---- words that were encoded before ---------------------------------------------------
 */

static struct bpe_cached *cached(struct bpe_room *room, const char *s, size_t n,
				 uint64_t key[3])
{
	uint64_t h;

	memset(key, 0, 3 * sizeof *key);
	memcpy(key, s, n);
	((unsigned char *)key)[WORD_BYTES] = (unsigned char)n;
	h = mix(mix(mix(key[0]) ^ key[1]) ^ key[2]);
	return &room->cache[h & (CACHED - 1)];
}

static int cached_word(const struct bpe *b, const char *s, size_t n, struct bpe_room *room,
		       struct pieces *out, struct err *e)
{
	struct bpe_cached *c;
	uint64_t key[3];
	size_t before = out->n;
	int status;

	status = mem_grow(&out->id, &out->cap, out->n + n, sizeof *out->id, e);
	if (status != EX_OK)
		return status;
	if (n > WORD_BYTES)
		return word(b, s, n, room, out, e);
	c = cached(room, s, n, key);
	if (memcmp(c->word, key, sizeof key) == 0) {
		memcpy(out->id + out->n, c->id, c->n * sizeof *c->id);
		out->n += c->n;
		return EX_OK;
	}
	status = word(b, s, n, room, out, e);
	if (status != EX_OK || out->n - before > sizeof c->id / sizeof c->id[0])
		return status;
	memcpy(c->word, key, sizeof key);
	c->n = (uint32_t)(out->n - before);
	memcpy(c->id, out->id + before, c->n * sizeof *c->id);
	return EX_OK;
}

static int open_cache(const struct bpe *b, struct bpe_room *room, struct err *e)
{
	if (room->cache != NULL && room->cache_of == b->content)
		return EX_OK;
	free(room->cache);
	room->cache = mem_zeros(CACHED, sizeof *room->cache);
	room->cache_of = b->content;
	return room->cache == NULL ? err_nomem(e) : EX_OK;
}

/* ---- a text ---------------------------------------------------------------------------
 */

static int put_space(struct bytes *text, const char **s, size_t *n, struct err *e)
{
	int status = mem_grow(&text->s, &text->cap, *n + 1, 1, e);

	if (status != EX_OK)
		return status;
	text->s[0] = ' ';
	memcpy(text->s + 1, *s, *n);
	*s = text->s;
	*n += 1;
	return EX_OK;
}

int bpe_encode(const struct bpe *b, const char *s, size_t n, size_t limit,
	       struct bpe_room *room, struct pieces *out, struct err *e)
{
	size_t at, stop;
	int status;

	if (n == 0)
		return EX_OK;
	status = open_cache(b, room, e);
	if (status == EX_OK && b->space_first && *s != ' ')
		status = put_space(&room->text, &s, &n, e);
	for (at = 0; at < n && out->n < limit && status == EX_OK; at = stop) {
		stop = n;
		if (b->split)
			status =
			    splitter_next(&b->splitter, &room->split, s, n, at, &stop, e);
		if (status == EX_OK)
			status = cached_word(b, s + at, stop - at, room, out, e);
	}
	if (out->n > limit)
		out->n = limit;
	return status;
}
