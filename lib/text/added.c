#include "text/added.h"

#include <stdlib.h>
#include <string.h>

#include "base/mem.h"
#include "base/str.h"
#include "text/unicode.h"

static void drop(struct added_token *t)
{
	free(t->text);
	free(t->pattern);
}

static void note_beginnings(struct added_tokens *list)
{
	size_t i;

	memset(list->begins, 0, sizeof list->begins);
	for (i = 0; i < list->n; i++) {
		const struct added_token *t = &list->token[i];

		if (t->pattern_len > 0)
			list->begins[t->normal][(unsigned char)t->pattern[0]] = true;
	}
}

int added_put(struct added_tokens *list, const struct added_token *token, struct err *e)
{
	const struct added_token *old;
	struct added_token copy = *token;
	int status;

	if (list->n == ADDED_MAX)
		return err_set(e, EX_DATAERR,
			       "the tokenizer's files have more than %d added tokens",
			       ADDED_MAX);
	status = mem_grow(&list->token, &list->cap, list->n + 1, sizeof copy, e);
	if (status != EX_OK)
		return status;
	old = added_get(list, token->text);
	copy.text = str_dup(token->text);
	copy.pattern = str_dupn(token->pattern, token->pattern_len);
	if (copy.text == NULL || copy.pattern == NULL) {
		drop(&copy);
		return err_nomem(e);
	}
	if (old != NULL) {
		size_t at = (size_t)(old - list->token);

		drop(&list->token[at]);
		list->token[at] = copy;
	} else {
		list->token[list->n++] = copy;
	}
	note_beginnings(list);
	return EX_OK;
}

const struct added_token *added_get(const struct added_tokens *list, const char *text)
{
	size_t i;

	for (i = 0; i < list->n; i++)
		if (strcmp(list->token[i].text, text) == 0)
			return &list->token[i];
	return NULL;
}

void added_free(struct added_tokens *list)
{
	size_t i;

	for (i = 0; i < list->n; i++)
		drop(&list->token[i]);
	free(list->token);
	memset(list, 0, sizeof *list);
}

/* Where the character that ends before s + at begins. */
static size_t before(const char *s, size_t at)
{
	do
		at--;
	while (at > 0 && ((unsigned char)s[at] & 0xc0) == 0x80);
	return at;
}

static bool inside_word(const struct added_scan *scan, size_t start, size_t stop)
{
	uint32_t c;
	size_t at;

	if (start > 0) {
		at = before(scan->s, start);
		utf8_next(scan->s + at, start - at, &c);
		if (unicode_is_word(c))
			return true;
	}
	if (stop == scan->n)
		return false;
	utf8_next(scan->s + stop, scan->n - stop, &c);
	return unicode_is_word(c);
}

static void take_spaces(struct added_scan *scan)
{
	const struct added_token *t = scan->next;
	uint32_t c;

	while (t->strip_left && scan->start > scan->passed) {
		size_t at = before(scan->s, scan->start);

		utf8_next(scan->s + at, scan->start - at, &c);
		if (!unicode_is_space(c))
			break;
		scan->start = at;
	}
	while (t->strip_right && scan->stop < scan->n) {
		size_t used = utf8_next(scan->s + scan->stop, scan->n - scan->stop, &c);

		if (!unicode_is_space(c))
			break;
		scan->stop += used;
	}
}

static const struct added_token *longest_at(const struct added_scan *scan, size_t at)
{
	const struct added_token *best = NULL;
	size_t i;

	for (i = 0; i < scan->list->n; i++) {
		const struct added_token *t = &scan->list->token[i];

		if (t->normal != scan->normal || t->pattern_len == 0 ||
		    t->pattern_len > scan->n - at ||
		    (best != NULL && t->pattern_len <= best->pattern_len))
			continue;
		if (memcmp(scan->s + at, t->pattern, t->pattern_len) == 0)
			best = t;
	}
	return best;
}

/* Looks for the next match behind `searched`. */
static void search(struct added_scan *scan)
{
	const bool *begins = scan->list->begins[scan->normal];
	size_t at = scan->searched;

	scan->next = NULL;
	while (at < scan->n) {
		const struct added_token *t;

		if (!begins[(unsigned char)scan->s[at]] ||
		    (t = longest_at(scan, at)) == NULL) {
			at++;
			continue;
		}
		scan->start = at;
		scan->stop = at + t->pattern_len;
		at = scan->searched = scan->stop;
		if (t->single_word && inside_word(scan, scan->start, scan->stop))
			continue;
		scan->next = t;
		take_spaces(scan);
		return;
	}
	scan->searched = scan->n;
}

bool added_part(struct added_scan *scan, const char **part, size_t *n,
		const struct added_token **token)
{
	if (scan->next == NULL)
		search(scan);
	*token = NULL;
	*part = scan->s + scan->passed;
	if (scan->next == NULL) {
		*n = scan->n - scan->passed;
		scan->passed = scan->n;
		return *n > 0;
	}
	if (scan->passed < scan->start) {
		*n = scan->start - scan->passed;
		scan->passed = scan->start;
		return true;
	}
	*token = scan->next;
	*part = scan->s + scan->start;
	*n = scan->stop - scan->start;
	scan->passed = scan->stop;
	scan->next = NULL;
	return true;
}
