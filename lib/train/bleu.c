#include "train/bleu.h"

#include <math.h>
#include <stdlib.h>
#include <string.h>
#include <utf8proc.h>

#include "base/mem.h"
#include "base/str.h"
#include "text/unicode.h"

#define CAPITAL_SIGMA 0x3a3u
#define SMALL_SIGMA   0x3c3u
#define FINAL_SIGMA   0x3c2u

/* As Python's str.isspace: the separators of ASCII too. */
static bool is_space(uint32_t c)
{
	return unicode_is_space(c) || (c >= 0x1c && c <= 0x1f);
}

/* Unicode's Case_Ignorable: marks, formats, modifiers, and what stands inside words. */
static bool case_ignorable(uint32_t c)
{
	static const uint32_t inside[] = { '\'',   '.',    ':',    0xb7,   0x387,  0x55f,
					   0x5f4,  0x2018, 0x2019, 0x2024, 0x2027, 0xfe13,
					   0xfe52, 0xfe55, 0xff07, 0xff0e, 0xff1a };

	for (size_t i = 0; i < sizeof inside / sizeof *inside; i++)
		if (c == inside[i])
			return true;
	switch (utf8proc_category((utf8proc_int32_t)c)) {
	case UTF8PROC_CATEGORY_MN:
	case UTF8PROC_CATEGORY_ME:
	case UTF8PROC_CATEGORY_CF:
	case UTF8PROC_CATEGORY_LM:
	case UTF8PROC_CATEGORY_SK: return true;
	default: return false;
	}
}

static bool cased(uint32_t c)
{
	switch (utf8proc_category((utf8proc_int32_t)c)) {
	case UTF8PROC_CATEGORY_LU:
	case UTF8PROC_CATEGORY_LL:
	case UTF8PROC_CATEGORY_LT: return true;
	default:
		return utf8proc_islower((utf8proc_int32_t)c) ||
		       utf8proc_isupper((utf8proc_int32_t)c) || c == 0xaa || c == 0xba;
	}
}

static bool cased_follows(const char *s, size_t n)
{
	uint32_t c = 0;

	for (size_t i = 0; i < n;) {
		i += utf8_next(s + i, n - i, &c);
		if (!case_ignorable(c))
			return cased(c);
	}
	return false;
}

static void put(struct strbuf *out, uint32_t c)
{
	char bytes[UTF8_MAX];

	strbuf_add(out, bytes, utf8_put(bytes, c));
}

/* Appends the text in lower case. A sigma that ends a word has a letter of its own
 * (Unicode 15.0, table 3-17). */
static void lower(struct strbuf *out, const char *s)
{
	size_t n = strlen(s), step;
	bool in_word = false;

	for (size_t i = 0; i < n; i += step) {
		uint32_t c, small[2];
		size_t parts;

		step = utf8_next(s + i, n - i, &c);
		parts = unicode_lower(c, small);
		if (c == CAPITAL_SIGMA)
			small[0] = in_word && !cased_follows(s + i + step, n - i - step)
				       ? FINAL_SIGMA
				       : SMALL_SIGMA;
		if (parts == 1 && small[0] == c)
			strbuf_add(out, s + i, step);
		else
			for (size_t k = 0; k < parts; k++)
				put(out, small[k]);
		if (!case_ignorable(c))
			in_word = cased(c);
	}
}

static void strip_end(struct strbuf *b)
{
	size_t end = 0;
	uint32_t c;

	for (size_t i = 0; i < b->len;) {
		i += utf8_next(b->s + i, b->len - i, &c);
		if (!is_space(c))
			end = i;
	}
	b->len = end;
	b->s[end] = '\0';
}

/* `to` is no longer than `from`. */
static void replace(struct strbuf *b, const char *from, const char *to)
{
	size_t n = strlen(from), m = strlen(to), len = 0;
	char *in = b->s, *found;

	for (; (found = strstr(in, from)) != NULL; in = found + n) {
		memmove(b->s + len, in, (size_t)(found - in));
		len += (size_t)(found - in);
		memcpy(b->s + len, to, m);
		len += m;
	}
	memmove(b->s + len, in, strlen(in) + 1);
	b->len = len + strlen(b->s + len);
}

static bool is_digit(char c)
{
	return c >= '0' && c <= '9';
}

static bool is_not_digit(char c)
{
	return !is_digit(c);
}

static bool is_stop(char c)
{
	return c == '.' || c == ',';
}

static bool is_hyphen(char c)
{
	return c == '-';
}

static bool is_punctuation(char c)
{
	return c > ' ' && c <= '~' && strchr("',-.", c) == NULL && !is_digit(c) &&
	       !(c >= 'A' && c <= 'Z') && !(c >= 'a' && c <= 'z');
}

static void part_punctuation(struct strbuf *out, const struct strbuf *in)
{
	for (size_t i = 0; i < in->len; i++) {
		if (is_punctuation(in->s[i]))
			strbuf_add(out, (char[]){ ' ', in->s[i], ' ' }, 3);
		else
			strbuf_add(out, in->s + i, 1);
	}
}

/* Two bytes that a blank comes between, and another before or behind. */
struct pair {
	bool (*first)(char c), (*second)(char c);
	const char *before, *behind;
};

/* From the left, and no byte is in two pairs: of "a..", the second stop stays where it is.
 */
static void part_pairs(struct strbuf *out, const struct strbuf *in, const struct pair *p)
{
	for (size_t i = 0; i < in->len; i++) {
		const char *s = in->s + i;

		if (i + 1 == in->len || !p->first(s[0]) || !p->second(s[1])) {
			strbuf_add(out, s, 1);
			continue;
		}
		strbuf_puts(out, p->before);
		strbuf_add(out, (char[]){ s[0], ' ', s[1] }, 3);
		strbuf_puts(out, p->behind);
		i++;
	}
}

/* One text on its way from what was given to blanks between tokens. */
struct work {
	struct strbuf text, parted;
};

static void turn(struct work *w)
{
	struct strbuf b = w->text;

	w->text = w->parted;
	w->parted = b;
	strbuf_clear(&w->parted);
}

/* False when memory is short. */
static bool tokenize(struct work *w, const char *s, bool lowercase)
{
	static const char *const readings[][2] = {
		{ "<skipped>", "" }, { "-\n", "" },   { "\n", " " },   { "&quot;", "\"" },
		{ "&amp;", "&" },    { "&lt;", "<" }, { "&gt;", ">" },
	};
	static const struct pair pairs[] = {
		{ is_not_digit, is_stop, "", " " },
		{ is_stop, is_not_digit, " ", "" },
		{ is_digit, is_hyphen, "", " " },
	};

	strbuf_clear(&w->text);
	strbuf_clear(&w->parted);
	strbuf_puts(&w->text, " ");
	if (lowercase)
		lower(&w->text, s);
	else
		strbuf_puts(&w->text, s);
	if (w->text.failed)
		return false;
	strip_end(&w->text);
	for (size_t i = 0; i < sizeof readings / sizeof *readings; i++)
		replace(&w->text, readings[i][0], readings[i][1]);
	strbuf_puts(&w->text, " ");
	part_punctuation(&w->parted, &w->text);
	turn(w);
	for (size_t i = 0; i < sizeof pairs / sizeof *pairs; i++) {
		part_pairs(&w->parted, &w->text, &pairs[i]);
		turn(w);
	}
	return !w->text.failed && !w->parted.failed;
}

/* A hypothesis, which is text 0, and its references. */
struct segment {
	struct strbuf words; /* every token, a NUL behind each */
	size_t *length;      /* [texts] tokens */
	size_t texts, tokens;
	size_t *id; /* [tokens] equal for equal words */
};

static size_t add_words(struct segment *g, const struct strbuf *text)
{
	size_t n = 0, in_word = 0, step;
	uint32_t c;

	for (size_t i = 0; i < text->len; i += step) {
		step = utf8_next(text->s + i, text->len - i, &c);
		if (!is_space(c)) {
			strbuf_add(&g->words, text->s + i, step);
			in_word = 1;
			continue;
		}
		if (in_word)
			strbuf_add(&g->words, "", 1);
		n += in_word;
		in_word = 0;
	}
	return n;
}

static int add_text(struct segment *g, struct work *w, const char *s, bool lowercase,
		    struct err *e)
{
	if (!tokenize(w, s, lowercase))
		return err_nomem(e);
	g->length[g->texts] = add_words(g, &w->text);
	g->tokens += g->length[g->texts++];
	return g->words.failed ? err_nomem(e) : EX_OK;
}

struct word {
	const char *s;
	size_t at;
};

static int compare_words(const void *a, const void *b)
{
	const struct word *x = a, *y = b;

	return strcmp(x->s, y->s);
}

static int number_words(struct segment *g, struct err *e)
{
	struct word *w = mem_zeros(g->tokens, sizeof *w);
	const char *s = g->words.s;
	size_t id = 0;

	g->id = mem_zeros(g->tokens, sizeof *g->id);
	if (w == NULL || g->id == NULL) {
		free(w);
		return err_nomem(e);
	}
	for (size_t i = 0; i < g->tokens; i++, s += strlen(s) + 1)
		w[i] = (struct word){ s, i };
	qsort(w, g->tokens, sizeof *w, compare_words);
	for (size_t i = 0; i < g->tokens; i++) {
		id += i > 0 && strcmp(w[i].s, w[i - 1].s) != 0;
		g->id[w[i].at] = id;
	}
	free(w);
	return EX_OK;
}

struct gram {
	size_t id[BLEU_ORDER]; /* 0 behind the last */
	size_t text;
};

static int compare_ids(const struct gram *x, const struct gram *y)
{
	for (size_t k = 0; k < BLEU_ORDER; k++)
		if (x->id[k] != y->id[k])
			return x->id[k] < y->id[k] ? -1 : 1;
	return 0;
}

static int compare_grams(const void *a, const void *b)
{
	const struct gram *x = a, *y = b;
	int ids = compare_ids(x, y);

	return ids != 0 ? ids : (x->text > y->text) - (x->text < y->text);
}

/* Of n times the same gram, in the order of their texts. */
static size_t clipped(const struct gram *gram, size_t n)
{
	size_t hypothesis = 0, run = 0, most = 0;

	for (size_t i = 0; i < n; i++) {
		if (gram[i].text == 0) {
			hypothesis++;
			continue;
		}
		run = i > 0 && gram[i - 1].text == gram[i].text ? run + 1 : 1;
		most = run > most ? run : most;
	}
	return hypothesis < most ? hypothesis : most;
}

static size_t list_grams(const struct segment *g, size_t order, struct gram *gram)
{
	size_t n = 0;
	const size_t *id = g->id;

	for (size_t t = 0; t < g->texts; id += g->length[t++]) {
		for (size_t i = 0; i + order <= g->length[t]; i++) {
			gram[n] = (struct gram){ .text = t };
			memcpy(gram[n++].id, id + i, order * sizeof *id);
		}
	}
	return n;
}

/* `gram` has room for every token. */
static size_t match(const struct segment *g, size_t order, struct gram *gram)
{
	size_t n = list_grams(g, order, gram), sum = 0;

	qsort(gram, n, sizeof *gram, compare_grams);
	for (size_t i = 0, end; i < n; i = end) {
		for (end = i + 1; end < n && compare_ids(gram + i, gram + end) == 0;)
			end++;
		sum += clipped(gram + i, end - i);
	}
	return sum;
}

static size_t distance(size_t a, size_t b)
{
	return a < b ? b - a : a - b;
}

static size_t closest(const struct segment *g)
{
	size_t h = g->length[0], best = g->length[1];

	for (size_t t = 2; t < g->texts; t++) {
		size_t d = distance(g->length[t], h), least = distance(best, h);

		if (d < least || (d == least && g->length[t] < best))
			best = g->length[t];
	}
	return best;
}

static int count(struct bleu *b, struct segment *g, struct err *e)
{
	struct gram *gram = mem_zeros(g->tokens, sizeof *gram);
	int rc = gram == NULL ? err_nomem(e) : number_words(g, e);

	for (size_t order = 1; order <= BLEU_ORDER && rc == EX_OK; order++) {
		b->match[order - 1] += match(g, order, gram);
		if (g->length[0] >= order)
			b->total[order - 1] += g->length[0] - order + 1;
	}
	if (rc == EX_OK) {
		b->hypothesis += g->length[0];
		b->reference += closest(g);
	}
	free(gram);
	return rc;
}

int bleu_add(struct bleu *b, const char *hypothesis, const char *const *references,
	     size_t n, struct err *e)
{
	struct segment g = { 0 };
	struct work w = { 0 };
	int rc = EX_OK;

	g.length = n < SIZE_MAX ? mem_zeros(n + 1, sizeof *g.length) : NULL;
	rc =
	    g.length == NULL ? err_nomem(e) : add_text(&g, &w, hypothesis, b->lowercase, e);
	for (size_t i = 0; i < n && rc == EX_OK; i++)
		if (references[i] != NULL)
			rc = add_text(&g, &w, references[i], b->lowercase, e);
	if (rc == EX_OK && g.texts == 1)
		rc = err_set(e, EX_DATAERR, "a text has no reference to score it against");
	if (rc == EX_OK)
		rc = count(b, &g, e);
	strbuf_free(&w.text);
	strbuf_free(&w.parted);
	strbuf_free(&g.words);
	free(g.length);
	free(g.id);
	return rc;
}

double bleu_score(const struct bleu *b)
{
	double logs = 0.0, brevity = 1.0;

	if (b->hypothesis == 0 && b->reference == 0)
		return (double)NAN;
	for (size_t k = 0; k < BLEU_ORDER; k++) {
		if (b->match[k] == 0)
			return 0.0;
		logs += log((double)b->match[k] / (double)b->total[k]);
	}
	if (b->hypothesis < b->reference)
		brevity = exp(1.0 - (double)b->reference / (double)b->hypothesis);
	return brevity * exp(logs / BLEU_ORDER);
}
