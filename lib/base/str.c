#include "base/str.h"

#include <fnmatch.h>
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "base/mem.h"

void strbuf_add(struct strbuf *b, const char *bytes, size_t n)
{
	if (b->failed)
		return;
	if (n > SIZE_MAX - b->len - 1 ||
	    mem_grow(&b->s, &b->cap, b->len + n + 1, 1, NULL) != EX_OK) {
		b->failed = true;
		return;
	}
	memcpy(b->s + b->len, bytes, n);
	b->len += n;
	b->s[b->len] = '\0';
}

void strbuf_puts(struct strbuf *b, const char *s)
{
	strbuf_add(b, s, strlen(s));
}

static char *vformat(const char *fmt, va_list ap)
{
	va_list again;
	char *s;
	int n;

	va_copy(again, ap);
	n = vsnprintf(NULL, 0, fmt, again);
	va_end(again);
	if (n < 0 || (s = malloc((size_t)n + 1)) == NULL)
		return NULL;
	vsnprintf(s, (size_t)n + 1, fmt, ap);
	return s;
}

void strbuf_printf(struct strbuf *b, const char *fmt, ...)
{
	va_list ap;
	char *s;

	va_start(ap, fmt);
	s = vformat(fmt, ap);
	va_end(ap);
	if (s == NULL)
		b->failed = true;
	else
		strbuf_puts(b, s);
	free(s);
}

void strbuf_clear(struct strbuf *b)
{
	b->len = 0;
	if (b->s != NULL)
		b->s[0] = '\0';
}

void strbuf_free(struct strbuf *b)
{
	free(b->s);
	*b = (struct strbuf){ 0 };
}

int strlist_addn(struct strlist *l, const char *s, size_t len, struct err *e)
{
	char *copy;

	if (mem_grow(&l->s, &l->cap, l->n + 1, sizeof *l->s, e) != EX_OK)
		return EX_UNAVAILABLE;
	copy = str_dupn(s, len);
	if (copy == NULL)
		return err_nomem(e);
	l->s[l->n++] = copy;
	return EX_OK;
}

int strlist_add(struct strlist *l, const char *s, struct err *e)
{
	return strlist_addn(l, s, strlen(s), e);
}

int strlist_split(struct strlist *l, const char *s, char sep, struct err *e)
{
	for (;;) {
		const char *end = strchr(s, sep);
		size_t len = end == NULL ? strlen(s) : (size_t)(end - s);
		int rc = strlist_addn(l, s, len, e);

		if (rc != EX_OK || end == NULL)
			return rc;
		s = end + 1;
	}
}

bool strlist_has(const struct strlist *l, const char *s)
{
	for (size_t i = 0; i < l->n; i++)
		if (strcmp(l->s[i], s) == 0)
			return true;
	return false;
}

void strlist_free(struct strlist *l)
{
	for (size_t i = 0; i < l->n; i++)
		free(l->s[i]);
	free(l->s);
	*l = (struct strlist){ 0 };
}

char *str_dupn(const char *s, size_t n)
{
	char *copy = malloc(n + 1);

	if (copy == NULL)
		return NULL;
	memcpy(copy, s, n);
	copy[n] = '\0';
	return copy;
}

char *str_dup(const char *s)
{
	return str_dupn(s, strlen(s));
}

char *str_printf(const char *fmt, ...)
{
	va_list ap;
	char *s;

	va_start(ap, fmt);
	s = vformat(fmt, ap);
	va_end(ap);
	return s;
}

bool str_starts(const char *s, const char *prefix)
{
	return strncmp(s, prefix, strlen(prefix)) == 0;
}

bool str_ends(const char *s, const char *suffix)
{
	size_t n = strlen(s), k = strlen(suffix);

	return n >= k && memcmp(s + n - k, suffix, k) == 0;
}

void strbuf_percent(struct strbuf *b, const char *s)
{
	for (; *s != '\0'; s++) {
		unsigned char c = (unsigned char)*s;

		if (c <= ' ' || c >= 0x7f || c == '%' || c == '=' || c == ',')
			strbuf_printf(b, "%%%02X", c);
		else
			strbuf_add(b, s, 1);
	}
}

static int hex_digit(char c)
{
	if (c >= '0' && c <= '9')
		return c - '0';
	if (c >= 'A' && c <= 'F')
		return c - 'A' + 10;
	return c >= 'a' && c <= 'f' ? c - 'a' + 10 : -1;
}

bool str_unpercent(char *s)
{
	char *to = s;

	for (; *s != '\0'; s++) {
		int high, low;

		if (*s != '%') {
			*to++ = *s;
			continue;
		}
		high = hex_digit(s[1]);
		low = high < 0 ? -1 : hex_digit(s[2]);
		if (low < 0 || high * 16 + low == 0)
			return false;
		*to++ = (char)(high * 16 + low);
		s += 2;
	}
	*to = '\0';
	return true;
}

bool str_glob(const char *pattern, const char *name)
{
	return fnmatch(pattern, name, 0) == 0;
}

#define NEAR_MAX 3   /* names suggested */
#define NEAR_LEN 256 /* longer names are not compared */

/* Levenshtein distance in two rows; both strings at most NEAR_LEN long. */
static size_t distance(const char *a, size_t na, const char *b, size_t nb)
{
	size_t row[NEAR_LEN + 1];

	for (size_t j = 0; j <= nb; j++)
		row[j] = j;
	for (size_t i = 1; i <= na; i++) {
		size_t diagonal = row[0];

		row[0] = i;
		for (size_t j = 1; j <= nb; j++) {
			size_t best = diagonal + (a[i - 1] != b[j - 1]);

			diagonal = row[j];
			if (row[j] + 1 < best)
				best = row[j] + 1;
			if (row[j - 1] + 1 < best)
				best = row[j - 1] + 1;
			row[j] = best;
		}
	}
	return row[nb];
}

void str_near(const char *word, const char *const *names, size_t n, struct strbuf *out)
{
	size_t len = strlen(word), at[NEAR_MAX], far[NEAR_MAX], found = 0;

	if (len > NEAR_LEN)
		return;
	for (size_t i = 0; i < n; i++) {
		size_t k = strlen(names[i]), d, j;

		if (k > NEAR_LEN)
			continue;
		d = distance(word, len, names[i], k);
		/* Alike: few changes, and fewer than would turn it into just any word. */
		if (d > 2 + len / 3 || 2 * d > (len > k ? len : k) + 1)
			continue;
		for (j = found; j > 0 && far[j - 1] > d; j--)
			if (j < NEAR_MAX) {
				far[j] = far[j - 1];
				at[j] = at[j - 1];
			}
		if (j < NEAR_MAX) {
			far[j] = d;
			at[j] = i;
			found += found < NEAR_MAX;
		}
	}
	for (size_t j = 0; j < found; j++) {
		strbuf_puts(out, j == 0 ? "" : ", ");
		strbuf_puts(out, names[at[j]]);
	}
}
