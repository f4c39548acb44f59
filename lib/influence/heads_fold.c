#include "influence/heads_fold.h"

#include <stdbool.h>
#include <stdlib.h>
#include <string.h>

#include "base/mem.h"

void folded_free(struct folded *f)
{
	free(f->text);
	shard_set_free(&f->shards);
	*f = (struct folded){ 0 };
}

char *folded_print(const struct folded *f)
{
	struct strbuf line = { 0 };

	if (f->shards.of == 0)
		return str_dup(f->text);
	strbuf_add(&line, f->text, f->cut);
	shard_set_print(&f->shards, &line);
	strbuf_puts(&line, f->text + f->cut);
	if (!line.failed)
		return line.s;
	strbuf_free(&line);
	return NULL;
}

int fold_whole(struct folded *f, const char *value, struct err *e)
{
	*f = (struct folded){ .text = str_dup(value) };
	return f->text == NULL ? err_nomem(e) : EX_OK;
}

/* ---- ##probe ---- */

/* The word NAME=... of a line of words with blanks between them, or NULL. */
static const char *find_word(const char *line, const char *name)
{
	for (const char *at = line; *at != '\0'; at += strcspn(at, " \t")) {
		at += strspn(at, " \t");
		if (str_starts(at, name))
			return at;
	}
	return NULL;
}

int fold_probe(struct folded *f, const char *value, struct err *e)
{
	static const char name[] = "shard=";
	const char *word = find_word(value, name), *shards;
	char *text;
	size_t n;
	int rc = EX_OK;

	if (word == NULL)
		return fold_whole(f, value, e);
	shards = word + sizeof name - 1;
	n = strcspn(shards, " \t");
	*f = (struct folded){ .cut = (size_t)(shards - value) };
	text = str_dupn(shards, n);
	f->text = str_printf("%.*s%s", (int)f->cut, value, shards + n);
	if (text == NULL || f->text == NULL)
		rc = err_nomem(e);
	if (rc == EX_OK)
		rc = shard_set_add(&f->shards, text, e);
	free(text);
	if (rc != EX_OK)
		folded_free(f);
	return rc;
}

/* The words KEY=VALUE of `a` that `b` has not go to `mine`, and what b has instead to
 * `other`. */
static void tell_words(const char *a, const char *b, bool shards, struct strbuf *mine,
		       struct strbuf *other)
{
	for (size_t n; *(a += strspn(a, " \t")) != '\0'; a += n) {
		size_t key = strcspn(a, "= \t");
		char *name = str_dupn(a, key + (a[key] == '='));
		const char *word = name == NULL ? NULL : find_word(b, name);

		n = strcspn(a, " \t");
		mine->failed = mine->failed || name == NULL;
		if (name != NULL && !(shards && strcmp(name, "shard=") == 0) &&
		    (word == NULL || strcspn(word, " \t") != n ||
		     memcmp(word, a, n) != 0)) {
			strbuf_puts(mine, mine->len > 0 ? " " : "");
			strbuf_add(mine, a, n);
			strbuf_puts(other, other->len > 0 ? " " : "");
			if (word == NULL)
				strbuf_printf(other, "no %s", name);
			else
				strbuf_add(other, word, strcspn(word, " \t"));
		}
		free(name);
	}
}

/* The words of `b` whose key `a` has not. */
static void tell_missing(const char *a, const char *b, struct strbuf *mine,
			 struct strbuf *other)
{
	for (size_t n; *(b += strspn(b, " \t")) != '\0'; b += n) {
		size_t key = strcspn(b, "= \t");
		char *name = str_dupn(b, key + (b[key] == '='));

		n = strcspn(b, " \t");
		mine->failed = mine->failed || name == NULL;
		if (name != NULL && find_word(a, name) == NULL) {
			strbuf_printf(mine, "%sno %s", mine->len > 0 ? " " : "", name);
			strbuf_puts(other, other->len > 0 ? " " : "");
			strbuf_add(other, b, n);
		}
		free(name);
	}
}

int folded_difference(const struct folded *a, const struct folded *b, struct strbuf *to,
		      struct err *e)
{
	struct strbuf mine = { 0 }, other = { 0 };
	char *x = folded_print(a), *y = folded_print(b);
	int rc = x == NULL || y == NULL ? err_nomem(e) : EX_OK;

	if (rc == EX_OK) {
		tell_words(x, y, a->shards.of > 0 && b->shards.of > 0, &mine, &other);
		tell_missing(x, y, &mine, &other);
	}
	if (rc == EX_OK && mine.len > 0)
		strbuf_printf(to, "%s, but the files before have %s", mine.s, other.s);
	if (rc == EX_OK && (mine.failed || other.failed || to->failed))
		rc = err_nomem(e);
	strbuf_free(&mine);
	strbuf_free(&other);
	free(x);
	free(y);
	return rc;
}

/* ---- ##pg ---- */

/* The length of the word that `at` begins with, as it is quoted for a shell. */
static size_t quoted_length(const char *at)
{
	size_t n = 0;
	bool quoted = false;

	for (; at[n] != '\0' && (quoted || at[n] != ' '); n++) {
		if (at[n] == '\'')
			quoted = !quoted;
		else if (at[n] == '\\' && !quoted && at[n + 1] != '\0')
			n++;
	}
	return n;
}

static bool is_word(const char *word, size_t n, const char *what)
{
	return n == strlen(what) && memcmp(word, what, n) == 0;
}

/* The word NAME, or NAME=VALUE: *whole then. */
static bool is_option(const char *word, size_t n, const char *name, bool *whole)
{
	size_t len = strlen(name);

	*whole = n > len && memcmp(word, name, len) == 0 && word[len] == '=';
	return *whole || is_word(word, n, name);
}

/* Does the word name an output? Flags may be bundled in front: *flags of them. *whole: the
 * file is in the word. */
static bool names_output(const char *word, size_t n, size_t *flags, bool *whole)
{
	*flags = 0;
	if (*word == '\'') {
		word++;
		n--;
	}
	if (is_option(word, n, "--output", whole) ||
	    is_option(word, n, "--interactions", whole))
		return true;
	if (n < 2 || word[0] != '-')
		return false;
	*flags = strspn(word + 1, "qv");
	*whole = *flags + 2 < n;
	return *flags + 1 < n && word[*flags + 1] == 'o';
}

struct command {
	struct strbuf text;
	size_t cut;
	const char *shards; /* in the line, [length]; NULL: none */
	size_t length;
};

static void add_word(struct strbuf *b, const char *word, size_t n)
{
	strbuf_puts(b, b->len > 0 ? " " : "");
	strbuf_add(b, word, n);
}

/* The word behind `at`, and what follows it. */
static const char *word_behind(const char *at, size_t *n)
{
	at += *at == ' ';
	*n = quoted_length(at);
	return at;
}

/* Takes the word at `at`, with its value when it has one apart; returns what is behind. */
static const char *take_option(struct command *c, const char *at, size_t n)
{
	static const char attached[] = "--shard=";
	const char *rest = at + n;
	size_t flags, m;
	bool whole;

	if (is_word(at, n, "--shard") && *rest != '\0') {
		c->shards = word_behind(rest, &c->length);
		rest = c->shards + c->length;
	} else if (n >= sizeof attached - 1 && str_starts(at, attached)) {
		c->shards = at + sizeof attached - 1;
		c->length = n - (sizeof attached - 1);
	} else if (names_output(at, n, &flags, &whole)) {
		if (flags > 0)
			add_word(&c->text, at, flags + 1);
		return whole ? rest : (at = word_behind(rest, &m)) + m;
	} else {
		add_word(&c->text, at, n);
		return rest;
	}
	add_word(&c->text, "--shard ", sizeof "--shard " - 1);
	c->cut = c->text.len;
	return rest;
}

static bool take_apart(struct command *c, const char *line)
{
	size_t n;

	for (const char *at = line; *at != '\0'; at += *at == ' ') {
		const char *had = c->shards;

		n = quoted_length(at);
		at = take_option(c, at, n);
		if (had != NULL && c->shards != had)
			return false;
	}
	return c->shards != NULL;
}

int fold_command(struct folded *f, const char *value, struct err *e)
{
	struct command c = { 0 };
	char *shards = NULL;
	int rc = EX_DATAERR;

	*f = (struct folded){ 0 };
	if (take_apart(&c, value)) {
		shards = str_dupn(c.shards, c.length);
		rc = shards == NULL || c.text.failed ? err_nomem(e)
						     : shard_set_add(&f->shards, shards, e);
	}
	if (rc == EX_OK) {
		f->text = c.text.s;
		f->cut = c.cut;
	} else {
		strbuf_free(&c.text);
		shard_set_free(&f->shards);
	}
	free(shards);
	return rc == EX_DATAERR ? fold_whole(f, value, e) : rc;
}

/* ---- lists ---- */

static bool same(const struct folded *a, const struct folded *b)
{
	return a->cut == b->cut && a->shards.of == b->shards.of &&
	       strcmp(a->text, b->text) == 0;
}

int fold_list_add(struct fold_list *l, struct folded *f, size_t *at, struct err *e)
{
	int rc = EX_OK;

	for (*at = 0; *at < l->n && !same(&l->f[*at], f); ++*at)
		;
	if (*at < l->n) {
		rc = shard_set_join(&l->f[*at].shards, &f->shards, e);
		folded_free(f);
		return rc;
	}
	rc = mem_grow(&l->f, &l->cap, l->n + 1, sizeof *l->f, e);
	if (rc == EX_OK)
		l->f[l->n++] = *f;
	else
		folded_free(f);
	return rc;
}

static int by_level_and_text(const void *a, const void *b)
{
	const struct folded *x = a, *y = b;
	int order;

	if (x->level != y->level)
		return x->level < y->level ? -1 : 1;
	if ((order = strcmp(x->text, y->text)) != 0)
		return order;
	if (x->shards.of != y->shards.of)
		return x->shards.of < y->shards.of ? -1 : 1;
	return (x->cut > y->cut) - (x->cut < y->cut);
}

void fold_list_sort(struct fold_list *l)
{
	if (l->n > 0)
		qsort(l->f, l->n, sizeof *l->f, by_level_and_text);
}

void fold_list_free(struct fold_list *l)
{
	for (size_t i = 0; i < l->n; i++)
		folded_free(&l->f[i]);
	free(l->f);
	*l = (struct fold_list){ 0 };
}
