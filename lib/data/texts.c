#include <stdlib.h>
#include <string.h>

#include "base/mem.h"
#include "base/str.h"
#include "data/dataset_private.h"
#include "data/prompt.h"
#include "data/table.h"

#define CHUNK_EXAMPLES 256 /* encoded by one thread at a time */

/* The strings of one example, as offsets into the bytes of all: one text, a pair, or a
 * prompt and its completion. */
struct text {
	size_t at[2], len[2];
	unsigned long long line;
};

struct texts {
	struct reading *r;
	size_t per_example;
	struct strbuf bytes; /* each string with a NUL behind it */
	struct text *text;
	size_t cap;
};

/* ---- rows ---- */

static int take_row(struct texts *x, const struct table *t, char **field, struct err *e)
{
	struct dataset *d = x->r->d;
	struct text *text;
	bool taken;
	int rc = mem_grow(&x->text, &x->cap, d->n + 1, sizeof *x->text, e);

	if (rc == EX_OK)
		rc = dataset_row(x->r, t, field, &taken, e);
	if (rc != EX_OK || !taken)
		return rc;
	text = &x->text[d->n - 1];
	text->line = rows_line(t->rows);
	for (size_t i = 0; i < x->per_example; i++) {
		const char *s = field[i < t->n_text ? t->text[i] : t->label];

		text->at[i] = x->bytes.len;
		text->len[i] = strlen(s);
		strbuf_add(&x->bytes, s, text->len[i] + 1);
	}
	return x->bytes.failed ? err_nomem(e) : EX_OK;
}

static bool is_full(const struct reading *r)
{
	return r->how->limit > 0 && r->d->n >= r->how->limit;
}

static int read_rows(struct texts *x, struct err *e)
{
	struct table t;
	char **field;
	int rc = table_open(&t, x->r->path, x->r->task, e);

	if (rc != EX_OK)
		return rc;
	x->per_example = t.n_text + (x->r->task->kind == TASK_LANGUAGE);
	while (!is_full(x->r) && (rc = table_next(&t, &field, e)) == EX_OK && field != NULL)
		if ((rc = take_row(x, &t, field, e)) != EX_OK)
			break;
	x->r->d->left_out += t.left_out;
	table_close(&t);
	return rc;
}

/* ---- tokens ---- */

/* The tokens of CHUNK_EXAMPLES examples. */
struct chunk {
	uint32_t *ids;
	uint8_t *types;
	size_t n, cap_ids, cap_types, truncated;
	int rc;
	struct err err;
};

/* An example that fills max_len was cut when it would fill one more. */
static int encode_text(const struct encoder *how, const char *const s[2],
		       const size_t len[2], struct example *out, struct err *e)
{
	int rc = tokenizer_encode(how->tokenizer, s[0], len[0], s[1], len[1], how->max_len,
				  &out->tokens, e);

	out->cut = false;
	if (rc != EX_OK || out->tokens.n < how->max_len)
		return rc;
	rc = tokenizer_encode(how->tokenizer, s[0], len[0], s[1], len[1], how->max_len + 1,
			      &out->spare, e);
	out->cut = rc == EX_OK && out->spare.n > how->max_len;
	return rc;
}

static int encode_example(const struct texts *x, size_t i, struct example *out,
			  struct err *e)
{
	const struct reading *r = x->r;
	const struct text *t = &x->text[i];
	const char *const s[2] = { x->bytes.s + t->at[0],
				   x->per_example > 1 ? x->bytes.s + t->at[1] : NULL };
	int rc;

	if (r->d->prompt == NULL)
		return encode_text(r->how, s, t->len, out, e);
	rc = prompt_complete(r->task, r->how->tokenizer, s[0], s[1], r->how->max_len, out,
			     e);
	r->d->prompt[i] = (uint32_t)out->given;
	return rc;
}

static int take_example(const struct texts *x, size_t i, struct chunk *c,
			struct example *example)
{
	const struct encoding *tokens = &example->tokens;
	struct err *e = &c->err;
	int rc = encode_example(x, i, example, e);

	if (rc == EX_OK && tokens->n == 0)
		rc = err_at(e, EX_DATAERR, x->r->name, x->text[i].line,
			    "the text has no tokens, and the tokenizer adds none; leave "
			    "the row out");
	if (rc == EX_OK)
		rc = mem_grow(&c->ids, &c->cap_ids, c->n + tokens->n, sizeof *c->ids, e);
	if (rc == EX_OK)
		rc = mem_grow(&c->types, &c->cap_types, c->n + tokens->n, sizeof *c->types,
			      e);
	if (rc != EX_OK)
		return rc;
	memcpy(c->ids + c->n, tokens->ids, tokens->n * sizeof *c->ids);
	memcpy(c->types + c->n, tokens->types, tokens->n * sizeof *c->types);
	c->n += tokens->n;
	c->truncated += example->cut;
	x->r->d->start[i + 1] = tokens->n;
	return EX_OK;
}

static void encode_chunk(const struct texts *x, size_t from, struct chunk *c)
{
	struct example example = { 0 };
	size_t left = x->r->d->n - from;
	size_t to = from + (left < CHUNK_EXAMPLES ? left : CHUNK_EXAMPLES);

	for (size_t i = from; i < to && c->rc == EX_OK; i++)
		c->rc = take_example(x, i, c, &example);
	example_free(&example);
}

/* Puts the chunks one behind the other; `start` holds lengths before, offsets after. */
static int join_chunks(struct dataset *d, const struct chunk *c, size_t n, struct err *e)
{
	size_t at = 0;

	for (size_t i = 0; i < d->n; i++) {
		if (d->start[i + 1] > d->longest)
			d->longest = d->start[i + 1];
		d->start[i + 1] += d->start[i];
	}
	d->ids = mem_zeros(d->start[d->n], sizeof *d->ids);
	d->types = mem_zeros(d->start[d->n], sizeof *d->types);
	if (d->ids == NULL || d->types == NULL)
		return err_nomem(e);
	for (size_t i = 0; i < n; i++) {
		if (c[i].n == 0)
			continue;
		memcpy(d->ids + at, c[i].ids, c[i].n * sizeof *d->ids);
		memcpy(d->types + at, c[i].types, c[i].n * sizeof *d->types);
		at += c[i].n;
		d->truncated += c[i].truncated;
	}
	return EX_OK;
}

static int encode_chunks(const struct texts *x, struct chunk *c, size_t n, struct err *e)
{
	int rc = EX_OK;

#pragma omp parallel for schedule(dynamic)
	for (size_t i = 0; i < n; i++)
		encode_chunk(x, i * CHUNK_EXAMPLES, &c[i]);
	for (size_t i = 0; i < n && rc == EX_OK; i++)
		if (c[i].rc != EX_OK)
			rc = err_set(e, c[i].rc, "%s", c[i].err.text);
	return rc == EX_OK ? join_chunks(x->r->d, c, n, e) : rc;
}

static int encode_all(const struct texts *x, struct err *e)
{
	struct dataset *d = x->r->d;
	bool language = x->r->task->kind == TASK_LANGUAGE;
	size_t n = (d->n - 1) / CHUNK_EXAMPLES + 1;
	struct chunk *c = mem_zeros(n, sizeof *c);
	int rc;

	d->start = mem_zeros(d->n + 1, sizeof *d->start);
	d->prompt = language ? mem_zeros(d->n, sizeof *d->prompt) : NULL;
	if (c == NULL || d->start == NULL || (language && d->prompt == NULL)) {
		free(c);
		return err_nomem(e);
	}
	rc = encode_chunks(x, c, n, e);
	for (size_t i = 0; i < n; i++) {
		free(c[i].ids);
		free(c[i].types);
	}
	free(c);
	return rc;
}

int dataset_rows(struct reading *r, struct err *e)
{
	struct texts x = { .r = r };
	int rc = read_rows(&x, e);

	if (rc == EX_OK)
		rc = dataset_settle(r, e);
	if (rc == EX_OK)
		rc = encode_all(&x, e);
	strbuf_free(&x.bytes);
	free(x.text);
	return rc;
}
