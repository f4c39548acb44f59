#include "peft/ruling.h"

#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "base/mem.h"
#include "base/numbering.h"
#include "peft/name.h"

size_t param_rows(const struct param *p)
{
	return p->ndim > 1 ? p->shape[0] : 1;
}

/* Decimal digits from *s on, which moves behind them; `unsaid` when there are none. */
static bool read_row(const char **s, size_t unsaid, size_t *out)
{
	size_t n = strspn(*s, "0123456789");

	*out = n == 0 ? unsaid : 0;
	for (; n > 0; n--, (*s)++) {
		if (__builtin_mul_overflow(*out, 10, out) ||
		    __builtin_add_overflow(*out, (size_t)(**s - '0'), out))
			return false;
	}
	return true;
}

bool rule_range(const char *pattern, size_t *len, size_t *from, size_t *to)
{
	const char *open = strrchr(pattern, '['), *s = open;
	size_t n = strlen(pattern);

	*len = n;
	*from = 0;
	*to = SIZE_MAX;
	/* A class of a glob may hold a class of its own, [[:digit:]]. */
	if (open == NULL || pattern[n - 1] != ']' || strchr(open, ':') == NULL ||
	    (n > 1 && pattern[n - 2] == ']'))
		return true;
	*len = (size_t)(open - pattern);
	s++;
	if (*len == 0 || !read_row(&s, 0, from) || *s++ != ':' ||
	    !read_row(&s, SIZE_MAX, to))
		return false;
	return strcmp(s, "]") == 0 && s > open + 2 && *from < *to;
}

int pattern_check(const struct model *m, const char *pattern, struct err *e)
{
	const char **names;
	struct strbuf near = { 0 };
	int rc;

	for (size_t i = 0; i < m->n_params; i++) {
		if (name_matches(m, pattern, &m->params[i]))
			return EX_OK;
	}
	names = mem_zeros(m->n_params, sizeof *names);
	if (names == NULL)
		return err_nomem(e);
	for (size_t i = 0; i < m->n_params; i++)
		names[i] = m->params[i].name;
	str_near(pattern, names, m->n_params, &near);
	rc = err_set(e, EX_USAGE, "the pattern '%s' matches no tensor of the model%s%s%s",
		     pattern, near.len > 0 ? "; did you mean " : "",
		     near.len > 0 ? near.s : "", near.len > 0 ? "?" : "");
	strbuf_free(&near);
	free(names);
	return rc;
}

/* What is wrong with rule k, and where it stands. */
static int rule_error(const struct ruling *r, size_t k, int code, const char *what,
		      struct err *e)
{
	const char *key = r->rules->m[k].key;

	if (r->from != NULL)
		return err_at(e, code, r->from->path, r->from->line[k], "'%s': %s", key,
			      what);
	return err_set(e, code, "rule %zu of the groups, '%s': %s", k + 1, key, what);
}

/* The number of the rule's pattern among the different ones, with ranges taken off: files
 * name the rows of one tensor in many lines. */
static int number_pattern(struct ruling *r, size_t i, struct numbering *patterns,
			  struct err *e)
{
	struct rule_rows *rows = &r->rows[i];
	const char *key = r->rules->m[i].key;
	struct strbuf bare = { 0 };
	size_t len;
	int rc;

	if (!rule_range(key, &len, &rows->from, &rows->to))
		return rule_error(r, i, EX_DATAERR, "a range of rows is [a:b], a below b",
				  e);
	strbuf_add(&bare, key, len);
	rc =
	    bare.failed ? err_nomem(e) : numbering_put(patterns, bare.s, &rows->pattern, e);
	strbuf_free(&bare);
	return rc;
}

/* As pattern_check, with the first rule that has the pattern. */
static int no_match(const struct ruling *r, const struct model *m, size_t pattern,
		    const char *text, struct err *e)
{
	struct err why;
	int rc = pattern_check(m, text, &why);
	size_t k = 0;

	while (r->rows[k].pattern != pattern)
		k++;
	if (r->from == NULL)
		return err_set(e, rc, "%s", why.text);
	return err_at(e, rc, r->from->path, r->from->line[k], "%s", why.text);
}

static int match_patterns(struct ruling *r, const struct model *m,
			  const struct strlist *patterns, struct err *e)
{
	size_t n;

	if (!mem_mul(patterns->n, m->n_params, &n))
		return err_nomem(e);
	r->matches = mem_zeros(n, sizeof *r->matches);
	if (r->matches == NULL)
		return err_nomem(e);
	for (size_t j = 0; j < patterns->n; j++) {
		bool *row = r->matches + j * m->n_params, any = false;

		for (size_t i = 0; i < m->n_params; i++) {
			row[i] = name_matches(m, patterns->s[j], &m->params[i]);
			any = any || row[i];
		}
		if (!any)
			return no_match(r, m, j, patterns->s[j], e);
	}
	return EX_OK;
}

int ruling_init(struct ruling *r, const struct model *m, const struct meta_list *rules,
		const struct rule_lines *from, struct err *e)
{
	struct numbering patterns = { 0 };
	size_t longest = 0;
	int rc = EX_OK;

	*r = (struct ruling){ .rules = rules, .from = from };
	for (size_t i = 0; i < m->n_params; i++) {
		size_t n = param_rows(&m->params[i]);

		longest = n > longest ? n : longest;
	}
	r->rows = mem_zeros(rules->n, sizeof *r->rows);
	r->takes = mem_zeros(rules->n, sizeof *r->takes);
	r->owner = mem_zeros(longest, sizeof *r->owner);
	r->next = mem_zeros(longest + 1, sizeof *r->next);
	if (r->rows == NULL || r->takes == NULL || r->owner == NULL || r->next == NULL)
		rc = err_nomem(e);
	for (size_t i = 0; i < rules->n && rc == EX_OK; i++)
		rc = number_pattern(r, i, &patterns, e);
	if (rc == EX_OK)
		rc = match_patterns(r, m, &patterns.names, e);
	numbering_free(&patterns);
	if (rc != EX_OK)
		ruling_free(r);
	return rc;
}

void ruling_free(struct ruling *r)
{
	free(r->rows);
	free(r->takes);
	free(r->matches);
	free(r->owner);
	free(r->next);
	*r = (struct ruling){ 0 };
}

int ruling_idle(const struct ruling *r, struct strlist *notes, struct err *e)
{
	int rc = EX_OK;

	for (size_t k = 0; r->from != NULL && k < r->rules->n && rc == EX_OK; k++) {
		struct err line;

		if (r->takes[k] || strcmp(r->rules->m[k].key, "*") == 0)
			continue;
		rule_error(r, k, EX_OK, "rules before it take all that it matches", &line);
		rc = strlist_add(notes, line.text, e);
	}
	return rc;
}

/* The first row from `at` on that has no rule yet. */
static size_t first_free(size_t *next, size_t at)
{
	while (next[at] != at) {
		next[at] = next[next[at]];
		at = next[at];
	}
	return at;
}

static int too_few_rows(const struct ruling *r, size_t k, const struct param *p,
			struct err *e)
{
	size_t rows = param_rows(p);
	char what[512];

	snprintf(what, sizeof what, "%s has %zu row%s, from 0 on", p->name, rows,
		 rows == 1 ? "" : "s");
	return rule_error(r, k, EX_DATAERR, what, e);
}

int ruling_of(struct ruling *r, const struct model *m, size_t i, struct err *e)
{
	const struct param *p = &m->params[i];
	size_t rows = param_rows(p), left = rows;

	for (size_t j = 0; j <= rows; j++)
		r->next[j] = j;
	for (size_t k = 0; k < r->rules->n; k++) {
		const struct rule_rows *rule = &r->rows[k];
		size_t to = rule->to == SIZE_MAX ? rows : rule->to;

		if (!r->matches[rule->pattern * m->n_params + i])
			continue;
		if (rule->from >= rows || to > rows)
			return too_few_rows(r, k, p, e);
		for (size_t j = first_free(r->next, rule->from); j < to;
		     j = first_free(r->next, j)) {
			r->owner[j] = k;
			r->takes[k] = true;
			r->next[j] = j + 1;
			left--;
		}
	}
	if (left == 0)
		return EX_OK;
	if (rows == 1)
		return err_set(e, EX_DATAERR,
			       "no rule of the groups file matches %s; a last line "
			       "\"*<tab>rest\" takes in all that is left",
			       p->name);
	return err_set(e, EX_DATAERR,
		       "no rule of the groups file matches %s, row %zu of %zu; a last line "
		       "\"*<tab>rest\" takes in all that is left",
		       p->name, first_free(r->next, 0), rows);
}
