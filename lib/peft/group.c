#include "peft/group.h"

#include <ctype.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "base/mem.h"
#include "base/numbering.h"
#include "model/lora.h"
#include "peft/name.h"
#include "peft/ruling.h"

static const char *const grouping_names[] = {
	[BY_TENSOR] = "tensor", [BY_MODULE] = "module",         [BY_LAYER] = "layer",
	[BY_TYPE] = "type",     [BY_LAYER_TYPE] = "layer-type", [BY_ROW] = "row",
	[BY_FILE] = "file",
};

bool grouping_named(const char *name, enum grouping *out)
{
	for (size_t i = 0; i < sizeof grouping_names / sizeof grouping_names[0]; i++) {
		if (strcmp(grouping_names[i], name) == 0) {
			*out = (enum grouping)i;
			return true;
		}
	}
	return false;
}

const char *grouping_name(enum grouping by)
{
	return grouping_names[by];
}

/* ---- the name of a parameter's group ---- */

/* Bytes of `bare` up to and including the first part that is a number, the block's; 0
 * when there is none. */
static size_t block_path(const char *bare)
{
	const char *part = bare;

	while (*part != '\0') {
		size_t len = strcspn(part, ".");

		if (len > 0 && strspn(part, "0123456789") == len)
			return (size_t)(part - bare) + len;
		part += len + (part[len] == '.');
	}
	return 0;
}

static void put_layer(const struct model *m, const struct param *p, struct strbuf *out)
{
	const char *bare = name_bare(m, p->name);

	if (p->layer == LAYER_EMBED)
		strbuf_puts(out, "embeddings");
	else if (p->layer == LAYER_HEAD)
		strbuf_puts(out, "head");
	else if (block_path(bare) > 0)
		strbuf_add(out, bare, block_path(bare));
	else
		strbuf_printf(out, "layer.%d", p->layer);
}

/* A pair is apart from its module. */
static void put_module(const struct param *p, struct strbuf *out)
{
	const char *dot = strrchr(p->name, '.');

	if (lora_is_pair(p))
		lora_pair_name(p->name, out);
	else
		strbuf_add(out, p->name,
			   dot == NULL ? strlen(p->name) : (size_t)(dot - p->name));
}

static void put_group_name(const struct model *m, enum grouping by,
			   const struct param *param, struct strbuf *out)
{
	switch (by) {
	case BY_MODULE: put_module(param, out); break;
	case BY_LAYER: put_layer(m, param, out); break;
	case BY_TYPE: strbuf_puts(out, param_type_name(param->type)); break;
	case BY_LAYER_TYPE:
		put_layer(m, param, out);
		strbuf_printf(out, "/%s", param_type_name(param->type));
		break;
	default: strbuf_puts(out, param->name); break;
	}
}

/* ---- making a partition ---- */

/* What has been found so far, in the order of parameters and rows. */
struct maker {
	struct partition *p;
	const struct model *m;
	const struct rule_lines *from;
	struct numbering names; /* of groups */
	struct piece {
		size_t group;
		struct member member;
	} * piece;
	size_t n, cap, cap_groups;
	size_t *last; /* [groups] the newest piece of each */
	size_t cap_last;
	struct strbuf name;
};

static const char *layer_label(int layer, char out[24])
{
	if (layer == LAYER_EMBED)
		return "embed";
	if (layer == LAYER_HEAD)
		return "head";
	snprintf(out, 24, "%d", layer);
	return out;
}

static int new_group(struct maker *w, const char *name, struct err *e)
{
	struct partition *p = w->p;
	int rc = mem_grow(&p->g, &w->cap_groups, p->n + 1, sizeof *p->g, e);

	if (rc == EX_OK)
		rc = mem_grow(&w->last, &w->cap_last, p->n + 1, sizeof *w->last, e);
	if (rc != EX_OK)
		return rc;
	p->g[p->n].name = str_dup(name);
	if (p->g[p->n].name == NULL)
		return err_nomem(e);
	p->n++;
	return EX_OK;
}

static void widen(struct group *g, const struct param *param)
{
	const char *type = param_type_name(param->type);
	char number[24];
	const char *layer = layer_label(param->layer, number);

	if (g->type == NULL) {
		g->type = type;
		snprintf(g->layer, sizeof g->layer, "%s", layer);
	}
	if (strcmp(g->type, type) != 0)
		g->type = "mixed";
	if (strcmp(g->layer, layer) != 0)
		snprintf(g->layer, sizeof g->layer, "mixed");
}

/* Gives elements to the group of that name, a new one when there is none. */
static int give(struct maker *w, const char *name, struct member run, struct err *e)
{
	size_t k;
	struct group *g;
	int rc = numbering_put(&w->names, name, &k, e);

	if (rc == EX_OK && k == w->p->n)
		rc = new_group(w, name, e);
	if (rc != EX_OK)
		return rc;
	g = &w->p->g[k];
	g->params += run.n;
	widen(g, &w->m->params[run.param]);
	if (g->n > 0) {
		struct member *before = &w->piece[w->last[k]].member;

		if (before->param == run.param && before->from + before->n == run.from) {
			before->n += run.n;
			return EX_OK;
		}
	}
	if ((rc = mem_grow(&w->piece, &w->cap, w->n + 1, sizeof *w->piece, e)) != EX_OK)
		return rc;
	g->n++;
	w->last[k] = w->n;
	w->piece[w->n++] = (struct piece){ k, run };
	return EX_OK;
}

static int give_rows(struct maker *w, size_t i, struct err *e)
{
	const struct param *p = &w->m->params[i];
	size_t rows = param_rows(p), width = p->n / rows;
	int rc = EX_OK;

	for (size_t r = 0; r < rows && rc == EX_OK; r++) {
		strbuf_clear(&w->name);
		strbuf_printf(&w->name, "%s[%zu]", p->name, r);
		rc = w->name.failed
			 ? err_nomem(e)
			 : give(w, w->name.s, (struct member){ i, r * width, width }, e);
	}
	return rc;
}

static int give_by_name(struct maker *w, size_t i, struct err *e)
{
	const struct param *p = &w->m->params[i];

	if (w->p->by == BY_ROW && p->ndim > 1)
		return give_rows(w, i, e);
	strbuf_clear(&w->name);
	put_group_name(w->m, w->p->by, p, &w->name);
	if (w->name.failed)
		return err_nomem(e);
	return give(w, w->name.s, (struct member){ i, 0, p->n }, e);
}

static int give_by_rules(struct maker *w, struct ruling *r, size_t i, struct err *e)
{
	const struct param *p = &w->m->params[i];
	size_t rows = param_rows(p), width = p->n / rows;
	int rc = ruling_of(r, w->m, i, e);

	for (size_t at = 0, to; at < rows && rc == EX_OK; at = to) {
		for (to = at + 1; to < rows && r->owner[to] == r->owner[at];)
			to++;
		rc = give(w, r->rules->m[r->owner[at]].value,
			  (struct member){ i, at * width, (to - at) * width }, e);
	}
	return rc;
}

static int give_all(struct maker *w, struct err *e)
{
	struct ruling ruling = { 0 };
	bool rules = w->p->by == BY_FILE;
	int rc = rules ? ruling_init(&ruling, w->m, &w->p->rules, w->from, e) : EX_OK;

	for (size_t i = 0; i < w->m->n_params && rc == EX_OK; i++)
		rc = rules ? give_by_rules(w, &ruling, i, e) : give_by_name(w, i, e);
	if (rules && rc == EX_OK)
		rc = ruling_idle(&ruling, &w->p->notes, e);
	ruling_free(&ruling);
	return rc;
}

/* The pieces, group by group, in one array. */
static int collect(struct maker *w, struct err *e)
{
	struct partition *p = w->p;
	size_t at = 0;

	p->members = mem_zeros(w->n, sizeof *p->members);
	if (p->members == NULL)
		return err_nomem(e);
	for (size_t k = 0; k < p->n; k++) {
		p->g[k].member = p->members + at;
		at += p->g[k].n;
		p->g[k].n = 0;
	}
	for (size_t j = 0; j < w->n; j++) {
		struct group *g = &p->g[w->piece[j].group];

		g->member[g->n++] = w->piece[j].member;
	}
	return EX_OK;
}

/* Of a pair that stands beside others of the same module: what one is chosen for. */
static int put_choice(struct partition *p, const struct model *m, size_t k, struct err *e)
{
	struct group *g = &p->g[k];
	const struct param *first = &m->params[g->member[0].param];
	size_t module = lora_module_len(first->name);
	int at;

	if (p->by != BY_MODULE || !lora_is_pair(first) ||
	    lora_op_of(m, g->member[0].param, &at)->pairs < 2)
		return EX_OK;
	g->choice = str_printf("%.*s.lora", (int)module, first->name);
	return g->choice == NULL ? err_nomem(e) : EX_OK;
}

static int divide(struct partition *p, const struct model *m, const struct rule_lines *from,
		  struct err *e)
{
	struct maker w = { .p = p, .m = m, .from = from };
	int rc = give_all(&w, e);

	if (rc == EX_OK)
		rc = collect(&w, e);
	for (size_t k = 0; k < p->n && rc == EX_OK; k++)
		rc = put_choice(p, m, k, e);
	if (rc != EX_OK)
		partition_free(p);
	numbering_free(&w.names);
	strbuf_free(&w.name);
	free(w.piece);
	free(w.last);
	return rc;
}

int partition_make(struct partition *p, const struct model *m, enum grouping by,
		   const struct meta_list *rules, struct err *e)
{
	int rc = EX_OK;

	*p = (struct partition){ .by = by };
	if (by == BY_FILE)
		rc = meta_copy(&p->rules, rules, e);
	if (rc != EX_OK) {
		partition_free(p);
		return rc;
	}
	return divide(p, m, NULL, e);
}

void partition_free(struct partition *p)
{
	for (size_t i = 0; i < p->n; i++) {
		free(p->g[i].name);
		free(p->g[i].choice);
	}
	free(p->g);
	free(p->members);
	meta_free(&p->rules);
	strlist_free(&p->notes);
	*p = (struct partition){ 0 };
}

/* ---- partitions in streams ---- */

int partition_describe(const struct partition *p, struct meta_list *to, struct err *e)
{
	int rc = meta_add(to, "groups", grouping_name(p->by), e);

	for (size_t i = 0; i < p->rules.n && rc == EX_OK; i++) {
		char *line = str_printf("%s\t%s", p->rules.m[i].key, p->rules.m[i].value);

		rc = line == NULL ? err_nomem(e) : meta_add(to, "group", line, e);
		free(line);
	}
	return rc;
}

/* One "PATTERN <tab> GROUP"; false when it is not of that form. */
static bool split_rule(char *line, char **pattern, char **group)
{
	char *tab = strchr(line, '\t');

	if (tab == NULL || tab == line || tab[1] == '\0' || strchr(tab + 1, '\t') != NULL)
		return false;
	*tab = '\0';
	*pattern = line;
	*group = tab + 1;
	for (const char *s = *group; *s != '\0'; s++) {
		if (iscntrl((unsigned char)*s))
			return false;
	}
	return true;
}

static int rule_from_meta(struct meta_list *rules, const char *value, struct err *e)
{
	char *line = str_dup(value), *pattern, *group;
	int rc;

	if (line == NULL)
		return err_nomem(e);
	if (split_rule(line, &pattern, &group))
		rc = meta_add(rules, pattern, group, e);
	else
		rc = err_set(e, EX_DATAERR,
			     "the stream's line '##group %s' is not "
			     "PATTERN<tab>GROUP",
			     value);
	free(line);
	return rc;
}

int partition_from(struct partition *p, const struct model *m, const struct meta_list *head,
		   struct err *e)
{
	const char *name = meta_get(head, "groups");
	struct meta_list rules = { 0 };
	enum grouping by = BY_TENSOR;
	int rc = EX_OK;

	*p = (struct partition){ 0 };
	if (name != NULL && !grouping_named(name, &by))
		return err_set(e, EX_DATAERR,
			       "the stream's '##groups %s' is no division of "
			       "a model that is known here",
			       name);
	for (size_t i = 0; by == BY_FILE && i < head->n && rc == EX_OK; i++) {
		if (strcmp(head->m[i].key, "group") == 0)
			rc = rule_from_meta(&rules, head->m[i].value, e);
	}
	if (rc == EX_OK)
		rc = partition_make(p, m, by, &rules, e);
	meta_free(&rules);
	return rc;
}

static int read_rule(struct meta_list *rules, struct rule_lines *at, char *line,
		     unsigned long long number, struct err *e)
{
	size_t len = strlen(line), from, to;
	char *pattern, *group;
	int rc;

	if (len > 0 && line[len - 1] == '\r')
		line[--len] = '\0';
	if (len == 0 || line[0] == '#')
		return EX_OK;
	if (!split_rule(line, &pattern, &group))
		return err_at(e, EX_DATAERR, at->path, number,
			      "a rule is PATTERN<tab>GROUP");
	if (!rule_range(pattern, &len, &from, &to))
		return err_at(e, EX_DATAERR, at->path, number,
			      "'%s': a range of rows is [a:b], a below b", pattern);
	rc = mem_grow(&at->line, &at->cap, rules->n + 1, sizeof *at->line, e);
	if (rc != EX_OK)
		return rc;
	at->line[rules->n] = number;
	return meta_add(rules, pattern, group, e);
}

#define RULES_LIMIT ((size_t)64 << 20) /* bytes of a groups file */

static int read_rules(struct meta_list *rules, struct rule_lines *lines, struct err *e)
{
	const char *path = lines->path;
	char *text;
	size_t len, at = 0;
	int rc = file_read(path, RULES_LIMIT, &text, &len, e);

	if (rc != EX_OK)
		return rc;
	if (memchr(text, '\0', len) != NULL)
		rc =
		    err_set(e, EX_DATAERR, "%s: a NUL byte, so this is no text file", path);
	for (unsigned long long number = 1; at < len && rc == EX_OK; number++) {
		char *line = text + at;
		size_t n = strcspn(line, "\n");

		line[n] = '\0';
		rc = read_rule(rules, lines, line, number, e);
		at += n + 1;
	}
	if (rc == EX_OK && rules->n == 0)
		rc = err_set(e, EX_DATAERR, "%s: no rules; a rule is PATTERN<tab>GROUP",
			     path);
	free(text);
	return rc;
}

int partition_read(struct partition *p, const struct model *m, const char *path,
		   struct err *e)
{
	struct rule_lines lines = { .path = path };
	int rc;

	*p = (struct partition){ .by = BY_FILE };
	rc = read_rules(&p->rules, &lines, e);
	if (rc == EX_OK)
		rc = divide(p, m, &lines, e);
	else
		partition_free(p);
	free(lines.line);
	return rc;
}
