#include <stdlib.h>
#include <string.h>

#include "base/mem.h"
#include "base/num.h"
#include "text/read.h"

/* An added token as the files describe it; `text` points into them. */
struct described {
	const char *text;
	bool special, normal, single_word, strip_left, strip_right;
};

/* The next free number, as tokenizers counts: behind the vocabulary and all that was
 * added so far. */
static uint32_t next_number(const struct tokenizer *t)
{
	const struct vocab *v = tokenizer_vocab(t);
	uint32_t highest = 0;
	size_t i;

	for (i = 0; i < t->added.n; i++)
		if (t->added.token[i].id >= highest)
			highest = t->added.token[i].id + 1;
	return highest > v->n ? highest : (uint32_t)v->n;
}

static uint32_t number_of(const struct tokenizer *t, const char *text)
{
	const struct added_token *token = added_get(&t->added, text);

	return token != NULL ? token->id
			     : vocab_get(tokenizer_vocab(t), text, strlen(text));
}

static int add(struct tokenizer *t, const struct described *d, struct err *e)
{
	struct added_token token = {
		.text = (char *)d->text,
		.pattern = (char *)d->text,
		.pattern_len = strlen(d->text),
		.id = number_of(t, d->text),
		.special = d->special,
		.normal = d->normal,
		.single_word = d->single_word,
		.strip_left = d->strip_left,
		.strip_right = d->strip_right,
	};
	struct bytes normal = { 0 };
	struct marks marks = { 0 };
	int status = EX_OK;

	if (token.pattern_len == 0)
		return EX_OK;
	if (token.id == VOCAB_NONE)
		token.id = next_number(t);
	if (token.normal && !t->is_bpe) {
		status = normalize(&t->normalizer, d->text, token.pattern_len, &normal,
				   &marks, e);
		token.pattern = normal.s;
		token.pattern_len = normal.n;
	}
	if (status == EX_OK)
		status = added_put(&t->added, &token, e);
	if (status == EX_OK && token.id >= t->size)
		t->size = token.id + 1;
	free(normal.s);
	free(marks.c);
	return status;
}

/* A string, or an object with a "content" and flags. */
static int describe(struct described *d, const json_t *v, bool special, const char *file,
		    struct err *e)
{
	int status;

	*d = (struct described){ .special = special, .normal = !special };
	if (json_is_string(v)) {
		d->text = json_string_value(v);
		return EX_OK;
	}
	if (!json_is_object(v) || !json_is_string(json_object_get(v, "content")))
		return err_set(e, EX_DATAERR,
			       "%s: an added token is neither a string nor an "
			       "object with \"content\"",
			       file);
	d->text = json_string_value(json_object_get(v, "content"));
	status = js_bool(v, "special", special, &d->special, file, e);
	if (status == EX_OK)
		status = js_bool(v, "normalized", !d->special, &d->normal, file, e);
	if (status == EX_OK)
		status = js_bool(v, "single_word", false, &d->single_word, file, e);
	if (status == EX_OK)
		status = js_bool(v, "lstrip", false, &d->strip_left, file, e);
	if (status == EX_OK)
		status = js_bool(v, "rstrip", false, &d->strip_right, file, e);
	return status;
}

/* ---- lists of added tokens ------------------------------------------------------------
 */

struct numbered {
	int64_t number;
	struct described token;
};

struct numbered_list {
	struct numbered *at;
	size_t n, cap;
};

static int by_number(const void *a, const void *b)
{
	const struct numbered *x = a, *y = b;

	return (x->number > y->number) - (x->number < y->number);
}

static int note(struct numbered_list *l, int64_t number, const struct described *d,
		const char *file, struct err *e)
{
	int status;

	if (number < 0 || number > VOCAB_HIGHEST)
		return err_set(e, EX_DATAERR,
			       "%s: the number of added token %.100s is not an "
			       "integer from 0 to %u",
			       file, d->text, VOCAB_HIGHEST);
	status = mem_grow(&l->at, &l->cap, l->n + 1, sizeof *l->at, e);
	if (status == EX_OK)
		l->at[l->n++] = (struct numbered){ .number = number, .token = *d };
	return status;
}

/* "added_tokens_decoder" of tokenizer_config.json: number to token. */
static int note_decoder(struct numbered_list *l, const struct source *from, json_t *decoder,
			struct err *e)
{
	const char *key;
	json_t *v;
	int status;

	json_object_foreach(decoder, key, v)
	{
		struct described d;
		int64_t number;

		if ((status = describe(&d, v, false, from->config.path, e)) != EX_OK)
			return status;
		if (!num_int(key, &number))
			number = -1;
		if ((status = note(l, number, &d, from->config.path, e)) != EX_OK)
			return status;
	}
	return EX_OK;
}

/* added_tokens.json: text to number. */
static int note_legacy(struct numbered_list *l, const struct source *from, struct err *e)
{
	const char *key;
	json_t *v;
	int status;

	json_object_foreach(from->added.json, key, v)
	{
		struct described d = { .text = key, .normal = true };

		status = note(l, json_is_integer(v) ? json_integer_value(v) : -1, &d,
			      from->added.path, e);
		if (status != EX_OK)
			return status;
	}
	return EX_OK;
}

/* "added_tokens" of tokenizer.json. */
static int note_whole(struct numbered_list *l, const struct source *from, struct err *e)
{
	const json_t *list = json_object_get(from->whole.json, "added_tokens"), *v;
	size_t i;
	int status;

	if (list != NULL && !json_is_null(list) && !json_is_array(list))
		return err_set(e, EX_DATAERR, "%s: added_tokens is not a list",
			       from->whole.path);
	json_array_foreach(list, i, v)
	{
		struct described d;
		const json_t *id;

		if ((status = describe(&d, v, false, from->whole.path, e)) != EX_OK)
			return status;
		id = json_object_get(v, "id");
		status = note(l, json_is_integer(id) ? json_integer_value(id) : -1, &d,
			      from->whole.path, e);
		if (status != EX_OK)
			return status;
	}
	return EX_OK;
}

static int add_numbered(struct tokenizer *t, struct numbered_list *l, struct err *e)
{
	size_t i;
	int status = EX_OK;

	if (l->n > 1)
		qsort(l->at, l->n, sizeof *l->at, by_number);
	for (i = 0; i < l->n && status == EX_OK; i++)
		status = add(t, &l->at[i].token, e);
	return status;
}

/* tokenizer_config.json's list makes transformers overlook the other two. */
static int add_listed(struct tokenizer *t, const struct source *from, struct err *e)
{
	json_t *decoder = json_object_get(from->config.json, "added_tokens_decoder");
	struct numbered_list l = { 0 };
	int status = EX_OK;

	if (!from->rebuilt || decoder == NULL)
		status = note_whole(&l, from, e);
	if (status == EX_OK && decoder != NULL)
		status = note_decoder(&l, from, decoder, e);
	else if (status == EX_OK)
		status = note_legacy(&l, from, e);
	if (status == EX_OK)
		status = add_numbered(t, &l, e);
	free(l.at);
	return status;
}

/* ---- special tokens by their names ----------------------------------------------------
 */

/* The member `key` of special_tokens_map.json, else of tokenizer_config.json. */
static const json_t *configured(const struct source *from, const char *key,
				const char **file)
{
	const json_t *v = NULL;

	*file = from->special.path;
	if (json_object_get(from->config.json, "added_tokens_decoder") == NULL)
		v = json_object_get(from->special.json, key);
	if (v == NULL) {
		*file = from->config.path;
		v = json_object_get(from->config.json, key);
	}
	return json_is_null(v) ? NULL : v;
}

/* A token that was listed becomes special. */
static int make_special(struct tokenizer *t, const struct added_token *listed,
			struct err *e)
{
	struct added_token token = *listed;

	if (token.special)
		return EX_OK;
	token.special = true;
	return added_put(&t->added, &token, e);
}

/* Adds the special token of that name unless it was listed; *number gets its own. One that
 * nobody named is added only when the vocabulary has it: the model has no row for another.
 */
static int add_named(struct tokenizer *t, const struct source *from, const char *key,
		     const char *usual, bool needed, uint32_t *number, struct err *e)
{
	struct described d = { .text = usual, .special = true };
	const char *file;
	const json_t *v = configured(from, key, &file);
	int status = EX_OK;

	if (v != NULL && (status = describe(&d, v, true, file, e)) != EX_OK)
		return status;
	if (d.text == NULL)
		return EX_OK;
	if (needed && number_of(t, d.text) == VOCAB_NONE)
		return err_set(e, EX_DATAERR,
			       "%s: the special token %.100s is not in the "
			       "vocabulary",
			       from->named, d.text);
	if (added_get(&t->added, d.text) == NULL && number_of(t, d.text) == VOCAB_NONE &&
	    strcmp(d.text, usual == NULL ? "" : usual) == 0)
		return EX_OK;
	if (added_get(&t->added, d.text) == NULL)
		status = add(t, &d, e);
	else if (from->rebuilt)
		status = make_special(t, added_get(&t->added, d.text), e);
	*number = number_of(t, d.text);
	return status;
}

static int add_extra(struct tokenizer *t, const struct source *from, const char *key,
		     struct err *e)
{
	const char *file;
	const json_t *list = configured(from, key, &file), *v;
	size_t i;
	int status;

	json_array_foreach(list, i, v)
	{
		struct described d;

		if ((status = describe(&d, v, true, file, e)) != EX_OK)
			return status;
		if (added_get(&t->added, d.text) == NULL &&
		    (status = add(t, &d, e)) != EX_OK)
			return status;
	}
	return EX_OK;
}

/* The names of special tokens, and what transformers calls them when no file does. */
static int add_all_named(struct tokenizer *t, const struct source *from,
			 struct specials *found, struct err *e)
{
	const struct {
		const char *key;
		const char *usual[4]; /* by from->rebuilt */
		uint32_t *number;
		bool needed;
	} names[] = {
		{ "bos_token", { NULL, NULL, "<|endoftext|>", "<s>" }, &found->bos, false },
		{ "eos_token",
		  { NULL, NULL, "<|endoftext|>", "</s>" },
		  &found->eos,
		  false },
		{ "unk_token",
		  { NULL, "[UNK]", "<|endoftext|>", "<unk>" },
		  &found->unk,
		  from->rebuilt == REBUILT_BERT },
		{ "sep_token",
		  { NULL, "[SEP]", NULL, "</s>" },
		  &found->sep,
		  from->rebuilt == REBUILT_BERT || from->rebuilt == REBUILT_ROBERTA },
		{ "pad_token", { NULL, "[PAD]", NULL, "<pad>" }, &found->pad, false },
		{ "cls_token",
		  { NULL, "[CLS]", NULL, "<s>" },
		  &found->cls,
		  from->rebuilt == REBUILT_BERT || from->rebuilt == REBUILT_ROBERTA },
		{ "mask_token", { NULL, "[MASK]", NULL, "<mask>" }, &found->mask, false },
	};
	size_t i;
	int status = EX_OK;

	for (i = 0; i < sizeof names / sizeof names[0] && status == EX_OK; i++) {
		*names[i].number = VOCAB_NONE;
		status = add_named(t, from, names[i].key, names[i].usual[from->rebuilt],
				   names[i].needed, names[i].number, e);
	}
	return status;
}

/* The first of several texts that is a special token, or else the first that is a token;
 * -1 for none. RoBERTa's vocabulary has GPT-2's end of text as an ordinary piece. */
static int64_t usual_number(const struct tokenizer *t, const char *const *texts)
{
	const char *const *text;

	for (text = texts; *text != NULL; text++) {
		const struct added_token *token = added_get(&t->added, *text);

		if (token != NULL && token->special)
			return token->id;
	}
	for (text = texts; *text != NULL; text++)
		if (number_of(t, *text) != VOCAB_NONE)
			return number_of(t, *text);
	return -1;
}

/* The tokens that end and fill up texts; by their usual names when no file says. */
static void find_end_and_pad(struct tokenizer *t, const struct specials *s)
{
	static const char *const ends[] = { "<|endoftext|>", "</s>", "[SEP]", NULL };
	static const char *const pads[] = { "[PAD]", "<pad>", NULL };

	t->end = s->eos;
	if (s->eos == VOCAB_NONE)
		t->end = s->sep != VOCAB_NONE ? s->sep : usual_number(t, ends);
	t->pad = s->pad != VOCAB_NONE ? s->pad : usual_number(t, pads);
}

int read_special(struct tokenizer *t, const struct source *from, struct err *e)
{
	struct specials found;
	int status = add_listed(t, from, e);

	if (status == EX_OK)
		status = add_all_named(t, from, &found, e);
	if (status == EX_OK)
		status = add_extra(t, from, "additional_special_tokens", e);
	if (status == EX_OK)
		status = add_extra(t, from, "extra_special_tokens", e);
	if (status != EX_OK)
		return status;
	find_end_and_pad(t, &found);
	return read_layout(t, from, &found, e);
}
