#include "generate.h"

#include <stdlib.h>
#include <string.h>

#include "base/mem.h"
#include "io/file.h"
#include "text/unicode.h"
#include "train/bleu.h"

/* ---- a text as a line ---- */

/* Space, a control character, or what else ends a line where Python reads it. */
static bool is_gap(uint32_t c)
{
	return c <= ' ' || (c >= 0x7f && c < 0xa0) || c == 0x2028 || c == 0x2029;
}

/* Replaces `out` by the text as UTF-8 on one line, without space at its ends. */
static void make_line(struct strbuf *out, const char *s, size_t n)
{
	char utf8[UTF8_MAX];
	size_t end = 0;
	uint32_t c;

	strbuf_clear(out);
	strbuf_puts(out, "");
	for (size_t i = 0; i < n;) {
		i += utf8_next(s + i, n - i, &c);
		if (is_gap(c) && out->len == 0)
			continue;
		strbuf_add(out, utf8, utf8_put(utf8, is_gap(c) ? ' ' : c));
		if (!is_gap(c))
			end = out->len;
	}
	if (!out->failed) {
		out->s[end] = '\0';
		out->len = end;
	}
}

/* ---- generating ---- */

struct prompts {
	uint32_t *ids;
	size_t *start; /* [n + 1] */
	size_t cap;
};

static size_t longest_prompt(const struct model *m, const struct generation_options *o,
			     size_t max_len)
{
	size_t all = m->config.positions, room = all / 2 > 0 ? all / 2 : 1;

	if (o->max_new < all && all - o->max_new > room)
		room = all - o->max_new;
	return max_len < room ? max_len : room;
}

static int encode_prompts(struct prompts *p, const struct tokenizer *tok,
			  const struct task *t, const struct e2e *texts, size_t max_len,
			  struct err *e)
{
	struct encoding x = { 0 };
	int rc = EX_OK;

	p->start = mem_zeros(texts->n + 1, sizeof *p->start);
	if (p->start == NULL)
		return err_nomem(e);
	for (size_t i = 0; i < texts->n && rc == EX_OK; i++) {
		size_t at = p->start[i];

		rc = prompt_encode(t, tok, texts->mr.s[i], max_len, &x, e);
		if (rc == EX_OK)
			rc = mem_grow(&p->ids, &p->cap, at + x.n, sizeof *p->ids, e);
		if (rc != EX_OK)
			break;
		memcpy(p->ids + at, x.ids, x.n * sizeof *p->ids);
		p->start[i + 1] = at + x.n;
	}
	encoding_free(&x);
	return rc;
}

/* Leaves out numbers that the tokenizer has no token for, as rows that fill up a table of
 * embeddings. */
static size_t leave_unknown(const struct tokenizer *tok, const struct continuation *c)
{
	size_t n = 0;

	for (size_t i = 0; i < c->n; i++)
		if (c->ids[i] < tokenizer_size(tok))
			c->ids[n++] = c->ids[i];
	return n;
}

static int decode_all(struct generations *g, const struct tokenizer *tok,
		      const struct generated *made, struct err *e)
{
	struct strbuf text = { 0 }, line = { 0 };
	int rc = EX_OK;

	g->tokens = made->tokens;
	for (size_t i = 0; i < made->n && rc == EX_OK; i++) {
		const struct continuation *c = &made->of[i];

		strbuf_clear(&text);
		strbuf_puts(&text, "");
		rc = tokenizer_decode(tok, c->ids, leave_unknown(tok, c), true, &text, e);
		if (rc == EX_OK && text.failed)
			rc = err_nomem(e);
		if (rc != EX_OK)
			break;
		make_line(&line, text.s, text.len);
		rc = line.failed ? err_nomem(e)
				 : strlist_addn(&g->text, line.s, line.len, e);
	}
	strbuf_free(&text);
	strbuf_free(&line);
	return rc;
}

int generations_make(struct generations *g, const struct model *m,
		     const struct tokenizer *tok, const struct task *t,
		     const struct e2e *texts, const struct generation_options *o,
		     size_t max_len, struct progress *progress, struct err *e)
{
	struct generation_options options = *o;
	struct generated made = { 0 };
	struct prompts p = { 0 };
	int64_t end = tokenizer_end(tok);
	int rc;

	*g = (struct generations){ 0 };
	options.end = end < 0 ? UINT32_MAX : (uint32_t)end;
	rc = encode_prompts(&p, tok, t, texts, longest_prompt(m, o, max_len), e);
	if (rc == EX_OK)
		rc = generate(&made, m, p.ids, p.start, texts->n, &options, progress, e);
	if (rc == EX_OK)
		rc = decode_all(g, tok, &made, e);
	if (rc != EX_OK)
		generations_free(g);
	generated_free(&made);
	free(p.ids);
	free(p.start);
	return rc;
}

void generations_free(struct generations *g)
{
	strlist_free(&g->text);
	*g = (struct generations){ 0 };
}

/* ---- judging and writing ---- */

int generations_bleu(const struct generations *g, const struct e2e *texts, bool lowercase,
		     double *score, struct err *e)
{
	struct bleu b = { .lowercase = lowercase };
	int rc = EX_OK;

	for (size_t i = 0; i < texts->n && rc == EX_OK; i++) {
		const char *const *references =
		    (const char *const *)texts->ref.s + texts->first[i];

		rc = bleu_add(&b, g->text.s[i], references,
			      texts->first[i + 1] - texts->first[i], e);
	}
	*score = bleu_score(&b);
	return rc;
}

int generations_write(const struct generations *g, const char *path, struct err *e)
{
	struct output out = { 0 };
	int rc = output_open(&out, path, e);

	if (rc != EX_OK)
		return rc;
	for (size_t i = 0; i < g->text.n; i++)
		fprintf(out.file, "%s\n", g->text.s[i]);
	rc = output_commit(&out, e);
	output_drop(&out);
	return rc;
}

/* Those that are blank would end the prompt. */
static int put_references(FILE *out, const struct e2e *texts, size_t i, struct err *e)
{
	struct strbuf line = { 0 };
	size_t put = 0;
	bool failed = false;

	for (size_t r = texts->first[i]; r < texts->first[i + 1] && !failed; r++) {
		make_line(&line, texts->ref.s[r], strlen(texts->ref.s[r]));
		failed = line.failed;
		if (!failed && line.len > 0)
			put += fprintf(out, "%s\n", line.s) > 0;
	}
	strbuf_free(&line);
	if (failed)
		return err_nomem(e);
	if (put == 0 && !ferror(out))
		return err_set(e, EX_DATAERR, "prompt %zu, \"%.200s\", has no reference",
			       i + 1, texts->mr.s[i]);
	return EX_OK;
}

int references_write(const struct e2e *texts, const char *path, struct err *e)
{
	struct output out = { 0 };
	int rc = output_open(&out, path, e);

	if (rc != EX_OK)
		return rc;
	for (size_t i = 0; i < texts->n && rc == EX_OK; i++) {
		if (i > 0)
			putc('\n', out.file);
		rc = put_references(out.file, texts, i, e);
	}
	if (rc == EX_OK)
		rc = output_commit(&out, e);
	output_drop(&out);
	return rc;
}
