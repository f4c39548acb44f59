#include "groups.h"

#include <math.h>
#include <stdlib.h>
#include <string.h>

#include "base/mem.h"
#include "base/num.h"

enum column { GROUP, PARAMS, VALUE, COLUMNS };

static int text_or_dash(struct strlist *to, const struct stream_reader *r, const char *name,
			struct err *e)
{
	size_t at = stream_column_maybe(r, name);

	return strlist_add(to, at == SIZE_MAX ? "-" : stream_text(r, at), e);
}

static int add_row(struct groups *g, const struct stream_reader *r, const size_t *at,
		   struct err *e)
{
	const char *choice;
	int64_t params;
	double value;
	int rc = mem_grow(&g->items, &g->cap, g->n + 1, sizeof *g->items, e);

	if (rc != EX_OK || (rc = stream_int(r, at[PARAMS], &params, e)) != EX_OK ||
	    (rc = stream_real(r, at[VALUE], &value, e)) != EX_OK)
		return rc;
	if (params < 0)
		return stream_error(r, e, "params is negative");
	if (!isfinite(value))
		return stream_error(r, e, "the value of group %s is not finite",
				    stream_text(r, at[GROUP]));
	if ((rc = strlist_add(&g->names, stream_text(r, at[GROUP]), e)) != EX_OK ||
	    (rc = text_or_dash(&g->types, r, "type", e)) != EX_OK ||
	    (rc = text_or_dash(&g->layers, r, "layer", e)) != EX_OK ||
	    (rc = text_or_dash(&g->choices, r, "choice", e)) != EX_OK)
		return rc;
	choice = g->choices.s[g->n];
	g->items[g->n] =
	    (struct item){ .name = g->names.s[g->n],
			   .params = (uint64_t)params,
			   .value = value,
			   .choice = strcmp(choice, "-") == 0 ? NULL : choice };
	g->n++;
	return EX_OK;
}

static int by_text(const void *a, const void *b)
{
	return strcmp(*(const char *const *)a, *(const char *const *)b);
}

static int names_differ(const struct groups *g, const char *file, struct err *e)
{
	const char **sorted = mem_zeros(g->n, sizeof *sorted);
	int rc = EX_OK;

	if (sorted == NULL)
		return err_nomem(e);
	for (size_t i = 0; i < g->n; i++)
		sorted[i] = g->names.s[i];
	if (g->n > 0)
		qsort(sorted, g->n, sizeof *sorted, by_text);
	for (size_t i = 1; i < g->n && rc == EX_OK; i++)
		if (strcmp(sorted[i], sorted[i - 1]) == 0)
			rc = err_set(e, EX_DATAERR, "%s: group %s has two rows", file,
				     sorted[i]);
	free(sorted);
	return rc;
}

int groups_read(struct groups *g, const struct cli *cli, const char *path, struct err *e)
{
	static const char *const names[COLUMNS] = { "group", "params", "value" };
	struct stream_reader *r = NULL;
	size_t at[COLUMNS];
	bool got = true;
	int rc = stream_open(&r, path, "appi", cli->strict, e);

	if (rc != EX_OK)
		return rc;
	for (int i = 0; i < COLUMNS && rc == EX_OK; i++)
		rc = stream_column(r, names[i], &at[i], e);
	if (rc == EX_OK)
		rc = meta_copy(&g->head, stream_head(r), e);
	while (rc == EX_OK && (rc = stream_next(r, &got, e)) == EX_OK && got)
		rc = add_row(g, r, at, e);
	if (rc == EX_OK)
		rc = names_differ(g, stream_name(r), e);
	if (rc == EX_OK && g->n == 0)
		rc = err_set(e, EX_DATAERR, "%s: there are no groups to select from",
			     stream_name(r));
	if (rc == EX_OK && stream_note(r) != NULL)
		cli_note(cli, "%s", stream_note(r));
	stream_close(r);
	return rc;
}

void groups_free(struct groups *g)
{
	free(g->items);
	strlist_free(&g->names);
	strlist_free(&g->types);
	strlist_free(&g->layers);
	strlist_free(&g->choices);
	meta_free(&g->head);
	*g = (struct groups){ 0 };
}

static const char *rule_option(enum rule rule)
{
	return rule == RULE_REQUIRED ? "--require" : "--forbid";
}

static int no_match(const struct groups *g, const char *pattern, enum rule rule,
		    struct err *e)
{
	struct strbuf near = { 0 };
	int rc;

	str_near(pattern, (const char *const *)g->names.s, g->n, &near);
	if (near.len > 0 && !near.failed)
		rc = err_set(e, EX_USAGE, "%s: no group matches '%s'; did you mean %s?",
			     rule_option(rule), pattern, near.s);
	else
		rc = err_set(e, EX_USAGE,
			     "%s: no group matches '%s'; a name is, for example, %s",
			     rule_option(rule), pattern, g->names.s[0]);
	strbuf_free(&near);
	return rc;
}

/* Bytes of a row's name, TENSOR[i], that are TENSOR; 0 of another name. */
static size_t tensor_of_row(const char *name)
{
	const char *open = strrchr(name, '[');
	size_t digits = open == NULL ? 0 : strspn(open + 1, "0123456789");

	return digits > 0 && strcmp(open + 1 + digits, "]") == 0 ? (size_t)(open - name)
								 : 0;
}

/* `room` holds the tensor's name while it is compared. */
static bool matches(const char *pattern, const char *name, struct strbuf *room)
{
	size_t len = tensor_of_row(name);

	if (str_glob(pattern, name))
		return true;
	if (len == 0)
		return false;
	strbuf_clear(room);
	strbuf_add(room, name, len);
	return !room->failed && str_glob(pattern, room->s);
}

/* What names begin with in checkpoints of one sort, and not in others of the family. */
static const char *const families[] = { "bert.",        "distilbert.", "roberta.",
					"transformer.", "vit.",        NULL };

/* As matches(), with the family's prefix taken off the pattern or the name. A bare "*" is
 * left alone: "bert.*" does not mean the head. */
static bool matches_bare(const char *pattern, const char *name, struct strbuf *room)
{
	for (size_t i = 0; families[i] != NULL; i++) {
		size_t len = strlen(families[i]);

		if (str_starts(name, families[i]) && matches(pattern, name + len, room))
			return true;
		if (str_starts(pattern, families[i]) && pattern[len] != '*' &&
		    matches(pattern + len, name, room))
			return true;
	}
	return false;
}

static int apply(struct groups *g, size_t i, enum rule rule, struct err *e)
{
	if (g->items[i].rule != RULE_FREE && g->items[i].rule != rule)
		return err_set(e, EX_USAGE, "group %s is both required and forbidden",
			       g->names.s[i]);
	g->items[i].rule = rule;
	return EX_OK;
}

static bool same_name(const char *pattern, const char *name, struct strbuf *room)
{
	(void)room;
	return strcmp(pattern, name) == 0;
}

/* A group of that very name goes before globs, and names as they stand before others. */
static int apply_pattern(struct groups *g, const char *pattern, enum rule rule,
			 struct err *e)
{
	static bool (*const ways[])(const char *, const char *,
				    struct strbuf *) = { same_name, matches, matches_bare };
	struct strbuf room = { 0 };
	bool matched = false;
	int rc = EX_OK;

	for (size_t w = 0; w < sizeof ways / sizeof *ways && !matched; w++) {
		for (size_t i = 0; i < g->n && rc == EX_OK; i++) {
			if (!ways[w](pattern, g->names.s[i], &room))
				continue;
			matched = true;
			rc = apply(g, i, rule, e);
		}
	}
	if (rc == EX_OK && room.failed)
		rc = err_nomem(e);
	strbuf_free(&room);
	return rc == EX_OK && !matched ? no_match(g, pattern, rule, e) : rc;
}

int groups_rule(struct groups *g, const struct strlist *patterns, enum rule rule,
		struct err *e)
{
	int rc = EX_OK;

	for (size_t p = 0; p < patterns->n && rc == EX_OK; p++)
		rc = apply_pattern(g, patterns->s[p], rule, e);
	return rc;
}

int groups_model_params(const struct groups *g, uint64_t *params, struct err *e)
{
	const char *model = meta_get(&g->head, "model");
	char *word = model == NULL ? NULL : meta_word(model, "params");
	int64_t n = 0;
	bool good = word != NULL && num_int(word, &n) && n > 0;

	free(word);
	if (!good)
		return err_set(e, EX_DATAERR,
			       "no ##model line with params=N says what a "
			       "percentage is of: give budgets in parameters");
	*params = (uint64_t)n;
	return EX_OK;
}
