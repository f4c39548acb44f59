#include "influence/shards.h"

#include <ctype.h>
#include <inttypes.h>
#include <stdbool.h>
#include <stdlib.h>

#include "base/mem.h"

/* Decimal digits from *at on, a number from 1 to SHARDS_MOST; *at is left behind them. */
static bool take_number(const char **at, uint64_t *out)
{
	*out = 0;
	if (!isdigit((unsigned char)**at))
		return false;
	for (; isdigit((unsigned char)**at); ++*at) {
		*out = *out * 10 + (uint64_t)(**at - '0');
		if (*out > SHARDS_MOST)
			return false;
	}
	return *out > 0;
}

static int add_range(struct shard_set *s, struct shard_range r, struct err *e)
{
	int rc = mem_grow(&s->range, &s->cap, s->n + 1, sizeof *s->range, e);

	if (rc == EX_OK)
		s->range[s->n++] = r;
	return rc;
}

static int by_first(const void *a, const void *b)
{
	const struct shard_range *x = a, *y = b;

	return (x->first > y->first) - (x->first < y->first);
}

/* Orders the ranges, and makes one of those that touch. */
static void tidy(struct shard_set *s)
{
	size_t kept = 0;

	if (s->n == 0)
		return;
	qsort(s->range, s->n, sizeof *s->range, by_first);
	for (size_t i = 1; i < s->n; i++) {
		struct shard_range *last = &s->range[kept];

		if (s->range[i].first > last->last + 1)
			s->range[++kept] = s->range[i];
		else if (s->range[i].last > last->last)
			last->last = s->range[i].last;
	}
	s->n = kept + 1;
}

static int malformed(const char *text, struct err *e)
{
	return err_set(e, EX_DATAERR, "shards '%s' are not of the form I/N or I-J/N", text);
}

static int read_ranges(struct shard_set *s, const char *text, uint64_t *of, struct err *e)
{
	const char *at = text;

	for (;; at++) {
		struct shard_range r;
		int rc;

		if (!take_number(&at, &r.first))
			return malformed(text, e);
		r.last = r.first;
		if (*at == '-' && (at++, !take_number(&at, &r.last)))
			return malformed(text, e);
		if (r.first > r.last)
			return malformed(text, e);
		if ((rc = add_range(s, r, e)) != EX_OK)
			return rc;
		if (*at != ',')
			break;
	}
	if (*at++ != '/' || !take_number(&at, of) || *at != '\0')
		return malformed(text, e);
	return EX_OK;
}

int shard_set_add(struct shard_set *s, const char *text, struct err *e)
{
	struct shard_set more = { 0 };
	int rc = read_ranges(&more, text, &more.of, e);

	if (rc == EX_OK) {
		tidy(&more);
		if (more.range[more.n - 1].last > more.of)
			rc = malformed(text, e);
	}
	if (rc == EX_OK && s->of != 0 && s->of != more.of)
		rc = err_set(e, EX_DATAERR,
			     "shards %s are of %" PRIu64 ", and others of %" PRIu64, text,
			     more.of, s->of);
	if (rc == EX_OK) {
		s->of = more.of;
		rc = shard_set_join(s, &more, e);
	}
	shard_set_free(&more);
	return rc;
}

int shard_set_join(struct shard_set *s, const struct shard_set *other, struct err *e)
{
	int rc = EX_OK;

	for (size_t i = 0; i < other->n && rc == EX_OK; i++)
		rc = add_range(s, other->range[i], e);
	tidy(s);
	return rc;
}

void shard_set_print(const struct shard_set *s, struct strbuf *out)
{
	for (size_t i = 0; i < s->n; i++) {
		strbuf_printf(out, "%s%" PRIu64, i == 0 ? "" : ",", s->range[i].first);
		if (s->range[i].last > s->range[i].first)
			strbuf_printf(out, "-%" PRIu64, s->range[i].last);
	}
	strbuf_printf(out, "/%" PRIu64, s->of);
}

void shard_set_free(struct shard_set *s)
{
	free(s->range);
	*s = (struct shard_set){ 0 };
}
