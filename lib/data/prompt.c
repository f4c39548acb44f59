#include "data/prompt.h"

#include <stdint.h>
#include <string.h>

#include "base/mem.h"

/* ---- E2E ---- */

/* The next "key[value]" of `s`, and what follows its comma or NULL at the end; false when
 * there is none. */
static bool next_pair(const char *s, size_t *key, size_t *value, const char **rest)
{
	const char *end;

	*key = strcspn(s, "[],");
	if (*key == 0 || s[*key] != '[')
		return false;
	*value = strcspn(s + *key + 1, "[]");
	end = s + *key + 1 + *value;
	if (*end++ != ']')
		return false;
	*rest = NULL;
	if (*end == '\0')
		return true;
	if (*end++ != ',')
		return false;
	*rest = end + strspn(end, " ");
	return true;
}

static bool is_pairs(const char *s)
{
	size_t key, value;

	while (s != NULL)
		if (!next_pair(s, &key, &value, &s))
			return false;
	return true;
}

int prompt_text(const struct task *t, const char *prompt, struct strbuf *out)
{
	const char *s = prompt, *rest;
	size_t key, value;

	if (strcmp(t->name, "e2e") != 0 || !is_pairs(prompt)) {
		strbuf_puts(out, prompt);
		return out->failed ? EX_UNAVAILABLE : EX_OK;
	}
	while (s != NULL && next_pair(s, &key, &value, &rest)) {
		strbuf_add(out, s, key);
		strbuf_puts(out, " : ");
		strbuf_add(out, s + key + 1, value);
		if (rest != NULL)
			strbuf_puts(out, " | ");
		s = rest;
	}
	return out->failed ? EX_UNAVAILABLE : EX_OK;
}

/* ---- tokens ---- */

static int make_room(struct encoding *x, size_t n, struct err *e)
{
	size_t ids = x->cap, types = x->cap;
	int rc = mem_grow(&x->ids, &ids, n, sizeof *x->ids, e);

	if (rc == EX_OK)
		rc = mem_grow(&x->types, &types, n, sizeof *x->types, e);
	if (rc == EX_OK)
		x->cap = ids;
	return rc;
}

/* The tokens of `text` and END. */
static int encode_ended(const struct tokenizer *tok, const struct strbuf *text,
			struct encoding *out, struct err *e)
{
	const char *s = text->s == NULL ? "" : text->s;
	int64_t end = tokenizer_end(tok);
	int rc;

	if (text->failed)
		return err_nomem(e);
	if (end < 0)
		return err_set(e, EX_DATAERR,
			       "the tokenizer has no token that ends a text, such as "
			       "<|endoftext|>, </s> or [SEP]; prompts cannot be told from "
			       "completions");
	rc = tokenizer_encode_plain(tok, s, text->len, out, e);
	if (rc == EX_OK)
		rc = make_room(out, out->n + 1, e);
	if (rc != EX_OK)
		return rc;
	memset(out->types, 0, out->n + 1);
	out->ids[out->n++] = (uint32_t)end;
	return EX_OK;
}

static void keep_last(struct encoding *x, size_t n)
{
	memmove(x->ids, x->ids + x->n - n, n * sizeof *x->ids);
	x->n = n;
}

int prompt_encode(const struct task *t, const struct tokenizer *tok, const char *prompt,
		  size_t max_len, struct encoding *out, struct err *e)
{
	struct strbuf text = { 0 };
	int rc;

	if (max_len == 0)
		return err_set(e, EX_USAGE, "a prompt in 0 tokens; give a greater length");
	rc = prompt_text(t, prompt, &text);
	rc = rc == EX_OK ? encode_ended(tok, &text, out, e) : err_nomem(e);
	strbuf_free(&text);
	if (rc == EX_OK && out->n > max_len)
		keep_last(out, max_len);
	return rc;
}

static int encode_completion(const struct tokenizer *tok, const char *completion,
			     struct encoding *out, struct err *e)
{
	struct strbuf text = { 0 };
	int rc;

	if (completion[0] != '\0') {
		strbuf_puts(&text, " ");
		strbuf_puts(&text, completion);
	}
	rc = encode_ended(tok, &text, out, e);
	strbuf_free(&text);
	return rc;
}

int prompt_complete(const struct task *t, const struct tokenizer *tok, const char *prompt,
		    const char *completion, size_t max_len, struct example *x,
		    struct err *e)
{
	struct encoding *out = &x->tokens, *tail = &x->spare;
	size_t whole, room;
	int rc;

	if (max_len < 2)
		return err_set(e, EX_USAGE,
			       "a prompt and its completion in %zu tokens; give a greater "
			       "length",
			       max_len);
	rc = prompt_encode(t, tok, prompt, SIZE_MAX, out, e);
	if (rc == EX_OK)
		rc = encode_completion(tok, completion, tail, e);
	if (rc != EX_OK)
		return rc;
	whole = out->n + tail->n;
	if (tail->n > max_len - 1)
		tail->n = max_len - 1;
	room = max_len - tail->n;
	if (out->n > room)
		keep_last(out, room);
	rc = make_room(out, out->n + tail->n, e);
	if (rc != EX_OK)
		return rc;
	x->given = out->n;
	memcpy(out->ids + out->n, tail->ids, tail->n * sizeof *out->ids);
	out->n += tail->n;
	memset(out->types, 0, out->n);
	x->cut = out->n < whole;
	return EX_OK;
}

void example_free(struct example *x)
{
	encoding_free(&x->tokens);
	encoding_free(&x->spare);
	*x = (struct example){ 0 };
}
