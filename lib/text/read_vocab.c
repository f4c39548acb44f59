#include <stdlib.h>
#include <string.h>

#include "base/mem.h"
#include "base/str.h"
#include "io/file.h"
#include "text/read.h"
#include "text/unicode.h"

#define VOCAB_BYTES ((size_t)256 << 20)

/* Bytes of a line without the white space at its end. */
static size_t trim_end(const char *s, size_t n)
{
	while (n > 0) {
		size_t at = n - 1;
		uint32_t c;

		while (at > 0 && ((unsigned char)s[at] & 0xc0) == 0x80)
			at--;
		utf8_next(s + at, n - at, &c);
		if (!unicode_is_space(c))
			break;
		n = at;
	}
	return n;
}

/* One piece a line; its number is the line's, from 0. */
static int read_lines(struct vocab *v, const char *text, size_t len, const char *path,
		      struct err *e)
{
	uint32_t line = 0;
	size_t at, n;

	for (at = 0; at < len; at += n + 1, line++) {
		const char *s = text + at, *end = memchr(s, '\n', len - at);
		size_t piece;
		bool is_new;
		int status;

		n = end == NULL ? len - at : (size_t)(end - s);
		if (line > VOCAB_HIGHEST)
			return err_at(e, EX_DATAERR, path, line + 1, "too many tokens");
		if (!utf8_valid(s, n))
			return err_at(e, EX_DATAERR, path, line + 1, "not UTF-8");
		piece = trim_end(s, n);
		status = vocab_add(v, s, piece, line, &is_new, e);
		if (status != EX_OK)
			return status;
		if (!is_new && piece > 0)
			return err_at(e, EX_DATAERR, path, line + 1,
				      "token %.*s is there already, as number %u",
				      piece > 100 ? 100 : (int)piece, s,
				      vocab_get(v, s, piece));
	}
	v->size = line;
	return EX_OK;
}

static int read_txt(struct vocab *v, const char *path, struct err *e)
{
	char *text;
	size_t len;
	int status = file_read(path, VOCAB_BYTES, &text, &len, e);

	if (status != EX_OK)
		return status;
	status = read_lines(v, text, len, path, e);
	free(text);
	return status;
}

int read_pieces(struct vocab *v, json_t *pieces, const char *path, struct err *e)
{
	const char *key;
	json_t *value;
	int status;

	json_object_foreach(pieces, key, value)
	{
		int64_t number = json_is_integer(value) ? json_integer_value(value) : -1;
		bool is_new;

		if (number < 0 || number > VOCAB_HIGHEST)
			return err_set(e, EX_DATAERR,
				       "%s: the number of token %.100s is not an "
				       "integer from 0 to %u",
				       path, key, VOCAB_HIGHEST);
		status = vocab_add(v, key, strlen(key), (uint32_t)number, &is_new, e);
		if (status != EX_OK)
			return status;
	}
	return EX_OK;
}

static int read_json(struct wordpiece *w, const struct source *from, struct err *e)
{
	const json_t *model = json_object_get(from->whole.json, "model");
	json_t *pieces = json_object_get(model, "vocab");

	if (!json_is_object(pieces))
		return err_set(e, EX_DATAERR, "%s: model.vocab is not an object",
			       from->whole.path);
	return read_pieces(&w->vocab, pieces, from->whole.path, e);
}

/* The model's own words for what transformers otherwise fixes. */
static int read_model(struct wordpiece *w, const struct source *from, const char **prefix,
		      const char **unknown, struct err *e)
{
	const json_t *model = json_object_get(from->whole.json, "model");
	const char *path = from->whole.path;
	int64_t longest;
	int status;

	status = js_text(model, "unk_token", "[UNK]", unknown, path, e);
	if (status == EX_OK)
		status = js_text(model, "continuing_subword_prefix", "##", prefix, path, e);
	if (status == EX_OK)
		status = js_int(model, "max_input_chars_per_word", 100, &longest, path, e);
	if (status != EX_OK)
		return status;
	if (longest < 0)
		return err_set(e, EX_DATAERR,
			       "%s: max_input_chars_per_word is %lld, less than 0", path,
			       (long long)longest);
	w->longest_word = (size_t)longest;
	return EX_OK;
}

static int find_unknown(struct wordpiece *w, const char *token, const struct source *from,
			struct err *e)
{
	w->unknown = vocab_get(&w->vocab, token, strlen(token));
	if (w->unknown != VOCAB_NONE)
		return EX_OK;
	return err_set(e, EX_DATAERR,
		       "%s: the unknown token %.100s is not in the vocabulary", from->named,
		       token);
}

/* The "unk_token" of the configuration, a string or an added token. */
static const char *named_unknown(const struct source *from)
{
	const struct json_file *files[] = { &from->special, &from->config };
	size_t i;

	for (i = json_object_get(from->config.json, "added_tokens_decoder") ? 1 : 0; i < 2;
	     i++) {
		const json_t *v = json_object_get(files[i]->json, "unk_token");

		if (json_is_object(v))
			v = json_object_get(v, "content");
		if (json_is_string(v))
			return json_string_value(v);
	}
	return "[UNK]";
}

int read_wordpiece(struct tokenizer *t, const struct source *from, struct err *e)
{
	struct wordpiece *w = &t->wordpiece;
	const char *prefix = "##", *unknown = "[UNK]";
	int status;

	w->longest_word = 100;
	if (from->whole.json != NULL)
		status = read_json(w, from, e);
	else
		status = read_txt(&w->vocab, from->vocab_path, e);
	if (status == EX_OK && w->vocab.n == 0)
		return err_set(e, EX_DATAERR, "%s: the vocabulary is empty", from->named);
	if (status == EX_OK && !from->rebuilt)
		status = read_model(w, from, &prefix, &unknown, e);
	else if (from->rebuilt)
		unknown = named_unknown(from);
	if (status != EX_OK)
		return status;
	w->prefix = str_dup(prefix);
	if (w->prefix == NULL)
		return err_nomem(e);
	w->prefix_len = strlen(prefix);
	t->size = w->vocab.size;
	wordpiece_init(w);
	return find_unknown(w, unknown, from, e);
}
