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
	uint32_t highest = 0;
	size_t i;

	for (i = 0; i < t->added.n; i++)
		if (t->added.token[i].id >= highest)
			highest = t->added.token[i].id + 1;
	return highest > t->model.vocab.n ? highest : (uint32_t)t->model.vocab.n;
}

static uint32_t number_of(const struct tokenizer *t, const char *text)
{
	const struct added_token *token = added_get(&t->added, text);

	return token != NULL ? token->id : vocab_get(&t->model.vocab, text, strlen(text));
}

static int add(struct tokenizer *t, const struct described *d, struct err *e)
{
	struct added_token token = {
		.text = (char *)d->text,
		.pattern = (char *)d->text,
		.pattern_len = strlen(d->text),
		.id = number_of(t, d->text),
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
	if (token.normal) {
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

/* Adds the special token of that name unless it was listed; *number (may be NULL) gets its
 * own. One that nobody named is added only when the vocabulary has it: the model has no
 * row for another. */
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
	if (number != NULL)
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

/* ---- layout ---------------------------------------------------------------------------
 */

/* [CLS] A [SEP], and [CLS] A [SEP] B [SEP]. */
static int usual_layout(struct tokenizer *t, uint32_t cls, uint32_t sep, struct err *e)
{
	const struct place places[] = {
		{ PLACE_TOKEN, 0, cls }, { PLACE_FIRST, 0, 0 },   { PLACE_TOKEN, 0, sep },
		{ PLACE_SECOND, 1, 0 },  { PLACE_TOKEN, 1, sep },
	};
	size_t i;
	int status = EX_OK;

	for (i = 0; i < 5 && status == EX_OK; i++) {
		const struct place *p = &places[i];

		status = layout_put(&t->pair, p->of, p->type, p->id, e);
		if (status == EX_OK && i < 3)
			status = layout_put(&t->single, p->of, p->type, p->id, e);
	}
	return status;
}

static int bad_layout(const char *file, const char *why, struct err *e)
{
	return err_set(e, EX_DATAERR, "%s: post_processor: %s", file, why);
}

/* {"SpecialToken": {"id": NAME, "type_id": N}}: all the numbers of "special_tokens".NAME.
 */
static int put_token(struct tokenizer *t, struct layout *l, const json_t *post,
		     const char *name, uint8_t type, const char *file, struct err *e)
{
	const json_t *all = json_object_get(post, "special_tokens"), *ids, *v;
	size_t i;
	int status;

	ids = json_object_get(json_object_get(all, name), "ids");
	if (json_array_size(ids) == 0)
		return bad_layout(file, "a special token without numbers", e);
	json_array_foreach(ids, i, v)
	{
		json_int_t id = json_is_integer(v) ? json_integer_value(v) : -1;

		if (id < 0 || id >= (json_int_t)t->size)
			return bad_layout(file, "a number beyond the vocabulary", e);
		status = layout_put(l, PLACE_TOKEN, type, (uint32_t)id, e);
		if (status != EX_OK)
			return status;
	}
	return EX_OK;
}

static int put_place(struct tokenizer *t, struct layout *l, const json_t *post,
		     const json_t *v, const char *file, struct err *e)
{
	const json_t *token = json_object_get(v, "SpecialToken");
	const json_t *of = token != NULL ? token : json_object_get(v, "Sequence");
	const char *name = NULL;
	int64_t type = 0;
	int status;

	if (!json_is_object(of))
		return bad_layout(file, "neither a SpecialToken nor a Sequence", e);
	if ((status = js_text(of, "id", "", &name, file, e)) != EX_OK ||
	    (status = js_int(of, "type_id", 0, &type, file, e)) != EX_OK)
		return status;
	if (type < 0 || type > UINT8_MAX)
		return bad_layout(file, "a type_id that is not from 0 to 255", e);
	if (token != NULL)
		return put_token(t, l, post, name, (uint8_t)type, file, e);
	if (strcmp(name, "A") != 0 && (strcmp(name, "B") != 0 || l != &t->pair))
		return bad_layout(file, "a Sequence that is not A, or B of a pair", e);
	return layout_put(l, *name == 'A' ? PLACE_FIRST : PLACE_SECOND, (uint8_t)type, 0,
			  e);
}

static int put_template(struct tokenizer *t, struct layout *l, const json_t *post,
			const char *which, const char *file, struct err *e)
{
	const json_t *list = json_object_get(post, which), *v;
	unsigned texts[2] = { 0 };
	size_t i;
	int status;

	json_array_foreach(list, i, v) if ((status = put_place(t, l, post, v, file, e)) !=
					   EX_OK) return status;
	for (i = 0; i < l->n; i++)
		if (l->place[i].of != PLACE_TOKEN)
			texts[l->place[i].of == PLACE_SECOND]++;
	if (texts[0] != 1 || texts[1] != (l == &t->pair))
		return bad_layout(file, "each text must stand in it once", e);
	return EX_OK;
}

/* {"sep": [TEXT, NUMBER], "cls": [TEXT, NUMBER]}. */
static int bert_layout(struct tokenizer *t, const json_t *post, const char *file,
		       struct err *e)
{
	static const char *const names[2] = { "cls", "sep" };
	uint32_t id[2];
	size_t i;

	for (i = 0; i < 2; i++) {
		const json_t *v = json_array_get(json_object_get(post, names[i]), 1);
		json_int_t n = json_is_integer(v) ? json_integer_value(v) : -1;

		if (n < 0 || n >= (json_int_t)t->size)
			return bad_layout(file, "a number beyond the vocabulary", e);
		id[i] = (uint32_t)n;
	}
	return usual_layout(t, id[0], id[1], e);
}

static int read_layout(struct tokenizer *t, const struct source *from, struct err *e)
{
	const json_t *post = json_object_get(from->whole.json, "post_processor");
	const char *file = from->whole.path, *type = "";
	int status;

	if (post == NULL || json_is_null(post)) {
		status = layout_put(&t->single, PLACE_FIRST, 0, 0, e);
		if (status == EX_OK)
			status = layout_put(&t->pair, PLACE_FIRST, 0, 0, e);
		return status == EX_OK ? layout_put(&t->pair, PLACE_SECOND, 1, 0, e)
				       : status;
	}
	if ((status = js_text(post, "type", "", &type, file, e)) != EX_OK)
		return status;
	if (strcmp(type, "BertProcessing") == 0)
		return bert_layout(t, post, file, e);
	if (strcmp(type, "TemplateProcessing") != 0)
		return bad_layout(file,
				  "only TemplateProcessing and BertProcessing are "
				  "supported",
				  e);
	status = put_template(t, &t->single, post, "single", file, e);
	return status == EX_OK ? put_template(t, &t->pair, post, "pair", file, e) : status;
}

int read_special(struct tokenizer *t, const struct source *from, struct err *e)
{
	static const struct {
		const char *key, *usual;
		bool needed;
	} names[] = {
		{ "bos_token", NULL, false },      { "eos_token", NULL, false },
		{ "unk_token", "[UNK]", true },    { "sep_token", "[SEP]", true },
		{ "pad_token", "[PAD]", false },   { "cls_token", "[CLS]", true },
		{ "mask_token", "[MASK]", false },
	};
	uint32_t number[sizeof names / sizeof names[0]] = { 0 };
	size_t i;
	int status = add_listed(t, from, e);

	for (i = 0; i < sizeof names / sizeof names[0] && status == EX_OK; i++)
		status =
		    add_named(t, from, names[i].key, from->rebuilt ? names[i].usual : NULL,
			      from->rebuilt && names[i].needed, &number[i], e);
	if (status == EX_OK)
		status = add_extra(t, from, "additional_special_tokens", e);
	if (status == EX_OK)
		status = add_extra(t, from, "extra_special_tokens", e);
	if (status != EX_OK)
		return status;
	return from->rebuilt ? usual_layout(t, number[5], number[3], e)
			     : read_layout(t, from, e);
}
