#include <string.h>

#include "text/read.h"

static int put_all(struct layout *l, const struct place *places, size_t n, struct err *e)
{
	size_t i;
	int status = EX_OK;

	for (i = 0; i < n && status == EX_OK; i++)
		status = layout_put(l, places[i].of, places[i].type, places[i].id, e);
	return status;
}

/* [CLS] A [SEP], and [CLS] A [SEP] B [SEP]. */
static int bert_layout(struct tokenizer *t, uint32_t cls, uint32_t sep, struct err *e)
{
	const struct place places[] = {
		{ PLACE_TOKEN, 0, cls }, { PLACE_FIRST, 0, 0 },   { PLACE_TOKEN, 0, sep },
		{ PLACE_SECOND, 1, 0 },  { PLACE_TOKEN, 1, sep },
	};
	int status = put_all(&t->single, places, 3, e);

	return status == EX_OK ? put_all(&t->pair, places, 5, e) : status;
}

/* <s> A </s>, and <s> A </s></s> B </s>. */
static int roberta_layout(struct tokenizer *t, uint32_t cls, uint32_t sep, struct err *e)
{
	const struct place places[] = {
		{ PLACE_TOKEN, 0, cls }, { PLACE_FIRST, 0, 0 },  { PLACE_TOKEN, 0, sep },
		{ PLACE_TOKEN, 0, sep }, { PLACE_SECOND, 0, 0 }, { PLACE_TOKEN, 0, sep },
	};
	int status = put_all(&t->single, places, 3, e);

	return status == EX_OK ? put_all(&t->pair, places, 6, e) : status;
}

/* A, and A B; each between the tokens that begin and end a text, unless VOCAB_NONE. */
static int plain_layout(struct tokenizer *t, uint32_t bos, uint32_t eos, struct err *e)
{
	struct place places[6];
	uint8_t type;
	size_t n = 0;
	int status = EX_OK;

	for (type = 0; type < 2; type++) {
		if (bos != VOCAB_NONE)
			places[n++] = (struct place){ PLACE_TOKEN, type, bos };
		places[n++] =
		    (struct place){ type == 0 ? PLACE_FIRST : PLACE_SECOND, type, 0 };
		if (eos != VOCAB_NONE)
			places[n++] = (struct place){ PLACE_TOKEN, type, eos };
		if (type == 0)
			status = put_all(&t->single, places, n, e);
	}
	return status == EX_OK ? put_all(&t->pair, places, n, e) : status;
}

/* ---- tokenizer.json -------------------------------------------------------------------
 */

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
static int read_processing(struct tokenizer *t, const json_t *post, bool roberta,
			   const char *file, struct err *e)
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
	return roberta ? roberta_layout(t, id[0], id[1], e)
		       : bert_layout(t, id[0], id[1], e);
}

/* Of a sequence the one processor that adds tokens, or NULL; others only move offsets. */
static int pick(const json_t **post, const char *file, struct err *e)
{
	const json_t *list, *v, *picked = NULL;
	const char *type = "";
	size_t i;
	int status;

	if (*post == NULL || json_is_null(*post)) {
		*post = NULL;
		return EX_OK;
	}
	list = json_object_get(*post, "processors");
	if ((status = js_text(*post, "type", "", &type, file, e)) != EX_OK)
		return status;
	if (strcmp(type, "ByteLevel") == 0)
		*post = NULL;
	if (strcmp(type, "Sequence") != 0)
		return EX_OK;
	json_array_foreach(list, i, v)
	{
		if ((status = js_text(v, "type", "", &type, file, e)) != EX_OK)
			return status;
		if (strcmp(type, "ByteLevel") == 0)
			continue;
		if (picked != NULL)
			return bad_layout(file, "two of a Sequence add tokens", e);
		picked = v;
	}
	*post = picked;
	return EX_OK;
}

static int read_post(struct tokenizer *t, const struct source *from, struct err *e)
{
	const json_t *post = json_object_get(from->whole.json, "post_processor");
	const char *file = from->whole.path, *type = "";
	int status;

	if ((status = pick(&post, file, e)) != EX_OK)
		return status;
	if (post == NULL)
		return plain_layout(t, VOCAB_NONE, VOCAB_NONE, e);
	if ((status = js_text(post, "type", "", &type, file, e)) != EX_OK)
		return status;
	if (strcmp(type, "BertProcessing") == 0 || strcmp(type, "RobertaProcessing") == 0)
		return read_processing(t, post, *type == 'R', file, e);
	if (strcmp(type, "TemplateProcessing") != 0)
		return bad_layout(file,
				  "only TemplateProcessing, BertProcessing, "
				  "RobertaProcessing and ByteLevel are supported",
				  e);
	status = put_template(t, &t->single, post, "single", file, e);
	return status == EX_OK ? put_template(t, &t->pair, post, "pair", file, e) : status;
}

/* ---- tokenizer_config.json ------------------------------------------------------------
 */

/* add_bos_token and add_eos_token. */
static int configured_layout(struct tokenizer *t, const struct source *from,
			     const struct specials *s, struct err *e)
{
	static const char *const keys[2] = { "add_bos_token", "add_eos_token" };
	const uint32_t number[2] = { s->bos, s->eos };
	uint32_t around[2];
	size_t i;

	for (i = 0; i < 2; i++) {
		bool wanted = false;
		int status = js_bool(from->config.json, keys[i], false, &wanted,
				     from->config.path, e);

		if (status != EX_OK)
			return status;
		if (wanted && number[i] == VOCAB_NONE)
			return err_set(e, EX_DATAERR,
				       "%s: %s, but the vocabulary has no such token",
				       from->config.path, keys[i]);
		around[i] = wanted ? number[i] : VOCAB_NONE;
	}
	return plain_layout(t, around[0], around[1], e);
}

int read_layout(struct tokenizer *t, const struct source *from, const struct specials *s,
		struct err *e)
{
	switch (from->rebuilt) {
	case REBUILT_BERT: return bert_layout(t, s->cls, s->sep, e);
	case REBUILT_ROBERTA: return roberta_layout(t, s->cls, s->sep, e);
	case REBUILT_GPT2:
		if (from->whole.json == NULL)
			return configured_layout(t, from, s, e);
		break;
	case REBUILT_NOT: break;
	}
	return read_post(t, from, e);
}
