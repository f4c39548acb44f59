#include <string.h>

#include "base/mem.h"
#include "text/byte_level.h"
#include "text/parts.h"

int tokenizer_index(struct tokenizer *t, struct err *e)
{
	const struct vocab *v = tokenizer_vocab(t);
	size_t i;

	t->texts.at = mem_zeros(t->size, sizeof *t->texts.at);
	if (t->texts.at == NULL)
		return err_nomem(e);
	for (i = v->n; i > 0; i--)
		t->texts.at[v->piece[i - 1].id] = (uint32_t)i;
	for (i = 0; i < t->added.n; i++)
		t->texts.at[t->added.token[i].id] = (uint32_t)(v->n + i + 1);
	return EX_OK;
}

/* The text of a token; false for a number that is none. */
static bool text_of(const struct tokenizer *t, uint32_t id, const char **s, size_t *n,
		    bool *special)
{
	const struct vocab *v = tokenizer_vocab(t);
	size_t at = id < t->size ? t->texts.at[id] : 0;

	*special = false;
	if (at == 0)
		return false;
	if (at <= v->n) {
		*s = v->text + v->piece[at - 1].at;
		*n = v->piece[at - 1].len;
	} else {
		const struct added_token *token = &t->added.token[at - 1 - v->n];

		*s = token->text;
		*n = strlen(token->text);
		*special = token->special;
	}
	return true;
}

/* A piece of WordPiece behind others: continues the word, or begins the next. */
static void put_behind(const struct wordpiece *w, const char *s, size_t n,
		       struct strbuf *out)
{
	if (n >= w->prefix_len && memcmp(s, w->prefix, w->prefix_len) == 0) {
		strbuf_add(out, s + w->prefix_len, n - w->prefix_len);
	} else {
		strbuf_add(out, " ", 1);
		strbuf_add(out, s, n);
	}
}

int tokenizer_decode(const struct tokenizer *t, const uint32_t *ids, size_t n,
		     bool skip_special, struct strbuf *out, struct err *e)
{
	bool is_first = true;
	size_t i;

	for (i = 0; i < n; i++) {
		const char *s;
		size_t len;
		bool special;

		if (!text_of(t, ids[i], &s, &len, &special))
			return err_set(e, EX_DATAERR,
				       "%u is not the number of a token; there are %u",
				       ids[i], t->size);
		if (special && skip_special)
			continue;
		if (t->is_bpe)
			byte_level_undo(s, len, out);
		else if (is_first)
			strbuf_add(out, s, len);
		else
			put_behind(&t->wordpiece, s, len, out);
		is_first = false;
	}
	return out->failed ? err_nomem(e) : EX_OK;
}

int64_t tokenizer_end(const struct tokenizer *t)
{
	return t->end;
}

int64_t tokenizer_pad(const struct tokenizer *t)
{
	return t->pad;
}
