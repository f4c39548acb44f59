#include <stdlib.h>
#include <string.h>

#include "base/mem.h"
#include "io/file.h"
#include "text/byte_level.h"
#include "text/read.h"

#define MERGES_BYTES ((size_t)256 << 20)

/* Where a merge stands: a line of merges.txt, or an item of tokenizer.json. */
struct merge_place {
	const char *path;
	bool is_line;
	size_t nth; /* from 1 */
};

struct piece {
	const char *s;
	size_t n;
};

static int bad_merge(const struct merge_place *at, const char *why, const char *s, size_t n,
		     struct err *e)
{
	return err_set(e, EX_DATAERR, "%s:%s%zu: %s%.*s", at->path,
		       at->is_line ? "" : " merge ", at->nth, why, n > 100 ? 100 : (int)n,
		       s);
}

static uint32_t number_of_both(const struct vocab *v, struct piece left, struct piece right)
{
	uint32_t h = VOCAB_HASH;
	size_t i;

	for (i = 0; i < left.n; i++)
		h = vocab_hash(h, (unsigned char)left.s[i]);
	for (i = 0; i < right.n; i++)
		h = vocab_hash(h, (unsigned char)right.s[i]);
	return vocab_find(v, h, left.s, left.n, right.s, right.n);
}

static int add_merge(struct bpe *b, struct piece left, struct piece right,
		     const struct merge_place *at, struct err *e)
{
	static const char unknown[] = "not in the vocabulary: ";
	uint32_t l = vocab_get(&b->vocab, left.s, left.n);
	uint32_t r = vocab_get(&b->vocab, right.s, right.n);
	uint32_t both;
	bool is_new;
	int status;

	if (l == VOCAB_NONE)
		return bad_merge(at, unknown, left.s, left.n, e);
	if (r == VOCAB_NONE)
		return bad_merge(at, unknown, right.s, right.n, e);
	both = number_of_both(&b->vocab, left, right);
	if (both == VOCAB_NONE)
		return bad_merge(at, "the merged piece is not in the vocabulary: ... ",
				 right.s, right.n, e);
	status = bpe_add(b, l, r, both, &is_new, e);
	if (status == EX_OK && !is_new)
		return bad_merge(at, "this merge is there already: ... ", right.s, right.n,
				 e);
	return status;
}

/* "LEFT RIGHT". */
static int split_merge(struct bpe *b, const char *s, size_t n, const struct merge_place *at,
		       struct err *e)
{
	const char *space = memchr(s, ' ', n);
	struct piece left, right;

	if (n >= 8 && memcmp(s, "#version", 8) == 0)
		return EX_OK;
	if (space == NULL || memchr(space + 1, ' ', n - (size_t)(space + 1 - s)) != NULL)
		return bad_merge(at, "not two pieces with a space between: ", s, n, e);
	left = (struct piece){ s, (size_t)(space - s) };
	right = (struct piece){ space + 1, n - left.n - 1 };
	return add_merge(b, left, right, at, e);
}

/* merges.txt: one a line, the lowest rank first. */
static int read_merge_lines(struct bpe *b, const char *path, struct err *e)
{
	struct merge_place at = { .path = path, .is_line = true, .nth = 1 };
	char *text;
	size_t len, i, n;
	int status = file_read(path, MERGES_BYTES, &text, &len, e);

	if (status != EX_OK)
		return status;
	for (i = 0; i < len && status == EX_OK; i += n + 1, at.nth++) {
		const char *s = text + i, *end = memchr(s, '\n', len - i);
		size_t used;

		n = end == NULL ? len - i : (size_t)(end - s);
		used = n > 0 && s[n - 1] == '\r' ? n - 1 : n;
		if (!utf8_valid(s, used))
			status = err_at(e, EX_DATAERR, path, at.nth, "not UTF-8");
		else if (used > 0)
			status = split_merge(b, s, used, &at, e);
	}
	free(text);
	return status;
}

/* "merges" of tokenizer.json: "LEFT RIGHT", or [LEFT, RIGHT]. */
static int read_merge_list(struct bpe *b, const struct source *from, struct err *e)
{
	const json_t *model = json_object_get(from->whole.json, "model");
	const json_t *list = json_object_get(model, "merges"), *v;
	struct merge_place at = { .path = from->whole.path };
	size_t i;

	if (!json_is_array(list))
		return err_set(e, EX_DATAERR, "%s: model.merges is not a list", at.path);
	json_array_foreach(list, i, v)
	{
		const json_t *l = json_array_get(v, 0), *r = json_array_get(v, 1);
		int status;

		at.nth = i + 1;
		if (json_is_string(v))
			status = split_merge(b, json_string_value(v), json_string_length(v),
					     &at, e);
		else if (json_array_size(v) == 2 && json_is_string(l) && json_is_string(r))
			status = add_merge(
			    b,
			    (struct piece){ json_string_value(l), json_string_length(l) },
			    (struct piece){ json_string_value(r), json_string_length(r) },
			    &at, e);
		else
			status =
			    bad_merge(&at, "neither a string nor a list of two", "", 0, e);
		if (status != EX_OK)
			return status;
	}
	return EX_OK;
}

/* ---- the vocabulary -------------------------------------------------------------------
 */

/* Decoding needs one piece a number. */
static int check_numbers(const struct vocab *v, const char *path, struct err *e)
{
	bool *taken = mem_zeros(v->size, sizeof *taken);
	int status = EX_OK;
	size_t i;

	if (taken == NULL)
		return err_nomem(e);
	for (i = 0; i < v->n && status == EX_OK; i++) {
		const struct vocab_piece *p = &v->piece[i];

		if (taken[p->id])
			status = err_set(
			    e, EX_DATAERR, "%s: two tokens have the number %u, one is %.*s",
			    path, p->id, p->len > 100 ? 100 : (int)p->len, v->text + p->at);
		taken[p->id] = true;
	}
	free(taken);
	return status;
}

static int read_bpe_vocabulary(struct bpe *b, const struct source *from, struct err *e)
{
	json_t *pieces = from->pieces.json;
	int status;

	if (from->whole.json != NULL)
		pieces =
		    json_object_get(json_object_get(from->whole.json, "model"), "vocab");
	if (!json_is_object(pieces))
		return err_set(e, EX_DATAERR, "%s: model.vocab is not an object",
			       from->named);
	status = read_pieces(&b->vocab, pieces, from->named, e);
	if (status != EX_OK)
		return status;
	if (b->vocab.n == 0)
		return err_set(e, EX_DATAERR, "%s: the vocabulary is empty", from->named);
	return check_numbers(&b->vocab, from->named, e);
}

/* ---- what the model does besides ------------------------------------------------------
 */

/* Parts that only other BPE tokenizers have must be off. */
static int want_off(const json_t *model, const char *path, struct err *e)
{
	static const char *const keys[] = { "continuing_subword_prefix",
					    "end_of_word_suffix", "byte_fallback",
					    "dropout" };
	size_t i;

	for (i = 0; i < sizeof keys / sizeof keys[0]; i++) {
		const json_t *v = json_object_get(model, keys[i]);

		if (v == NULL || json_is_null(v) || json_is_false(v) ||
		    (json_is_number(v) && !(json_number_value(v) > 0)) ||
		    (json_is_string(v) && json_string_length(v) == 0))
			continue;
		return err_set(e, EX_DATAERR,
			       "%s: %s of a BPE model is not supported; only byte-level "
			       "BPE is",
			       path, keys[i]);
	}
	return EX_OK;
}

/* The unknown token matters only where a byte has no piece. */
static int find_unknown(struct bpe *b, const char *token, const char *path, struct err *e)
{
	size_t i;

	b->unknown = vocab_get(&b->vocab, token, strlen(token));
	for (i = 0; i < 256 && b->unknown == VOCAB_NONE; i++) {
		char c[UTF8_MAX];
		size_t n = byte_level_put(c, (unsigned char)i);

		if (vocab_get(&b->vocab, c, n) == VOCAB_NONE)
			return err_set(e, EX_DATAERR,
				       "%s: the vocabulary has neither the unknown token "
				       "%.100s nor one for byte %zu",
				       path, token, i);
	}
	return EX_OK;
}

/* As tokenizer.json says, for the classes that are not rebuilt. */
static int read_settings(struct bpe *b, const struct source *from, struct err *e)
{
	const json_t *model = json_object_get(from->whole.json, "model");
	const json_t *words = json_object_get(from->whole.json, "pre_tokenizer");
	const char *path = from->whole.path, *unknown = NULL;
	int status;

	if ((status = want_type(from, "normalizer", "", e)) != EX_OK ||
	    (status = want_type(from, "pre_tokenizer", "ByteLevel", e)) != EX_OK ||
	    (status = want_off(model, path, e)) != EX_OK ||
	    (status = js_bool(words, "add_prefix_space", true, &b->space_first, path, e)) !=
		EX_OK ||
	    (status = js_bool(words, "use_regex", true, &b->split, path, e)) != EX_OK ||
	    (status = js_bool(model, "fuse_unk", false, &b->fuse_unknown, path, e)) !=
		EX_OK ||
	    (status = js_bool(model, "ignore_merges", false, &b->whole_words, path, e)) !=
		EX_OK ||
	    (status = js_text(model, "unk_token", NULL, &unknown, path, e)) != EX_OK)
		return status;
	return unknown == NULL ? EX_OK : find_unknown(b, unknown, path, e);
}

int read_bpe(struct tokenizer *t, const struct source *from, struct err *e)
{
	struct bpe *b = &t->bpe;
	int status = read_bpe_vocabulary(b, from, e);

	b->unknown = VOCAB_NONE;
	b->split = true;
	if (status == EX_OK && from->rebuilt)
		status = js_bool(from->config.json, "add_prefix_space", false,
				 &b->space_first, from->config.path, e);
	else if (status == EX_OK)
		status = read_settings(b, from, e);
	if (status == EX_OK && from->whole.json != NULL)
		status = read_merge_list(b, from, e);
	else if (status == EX_OK)
		status = read_merge_lines(b, from->merges_path, e);
	t->size = b->vocab.size;
	return status == EX_OK ? bpe_init(b, e) : status;
}
