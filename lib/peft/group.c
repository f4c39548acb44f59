#include "peft/group.h"

#include <ctype.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "base/mem.h"
#include "model/lora.h"
#include "peft/name.h"

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

/* The group that the first matching rule gives; NULL when none matches. */
static const char *ruled(const struct model *m, const struct meta_list *rules,
			 const struct param *p)
{
	for (size_t i = 0; i < rules->n; i++) {
		if (name_matches(m, rules->m[i].key, p))
			return rules->m[i].value;
	}
	return NULL;
}

static int put_group_name(const struct model *m, const struct partition *p, size_t i,
			  struct strbuf *out, struct err *e)
{
	const struct param *param = &m->params[i];
	const char *group;

	switch (p->by) {
	case BY_TENSOR:
	case BY_ROW: strbuf_puts(out, param->name); break;
	case BY_MODULE: put_module(param, out); break;
	case BY_LAYER: put_layer(m, param, out); break;
	case BY_TYPE: strbuf_puts(out, param_type_name(param->type)); break;
	case BY_LAYER_TYPE:
		put_layer(m, param, out);
		strbuf_printf(out, "/%s", param_type_name(param->type));
		break;
	case BY_FILE:
		group = ruled(m, &p->rules, param);
		if (group == NULL)
			return err_set(e, EX_DATAERR,
				       "no rule of the groups file matches %s; a last line "
				       "\"*<tab>rest\" takes in all that is left",
				       param->name);
		strbuf_puts(out, group);
		break;
	}
	return out->failed ? err_nomem(e) : EX_OK;
}

/* ---- making a partition ---- */

static const char *layer_label(int layer, char out[24])
{
	if (layer == LAYER_EMBED)
		return "embed";
	if (layer == LAYER_HEAD)
		return "head";
	snprintf(out, 24, "%d", layer);
	return out;
}

static int add_member(struct partition *p, const struct model *m, size_t k, size_t i,
		      struct err *e)
{
	struct group *g = &p->g[k];
	const struct param *param = &m->params[i];
	const char *type = param_type_name(param->type);
	char number[24];
	const char *layer = layer_label(param->layer, number);

	if (g->member == NULL) {
		g->member = mem_zeros(m->n_params, sizeof *g->member);
		if (g->member == NULL)
			return err_nomem(e);
		g->type = type;
		snprintf(g->layer, sizeof g->layer, "%s", layer);
	}
	if (strcmp(g->type, type) != 0)
		g->type = "mixed";
	if (strcmp(g->layer, layer) != 0)
		snprintf(g->layer, sizeof g->layer, "mixed");
	g->member[g->n++] = (struct member){ i, 0, param->n };
	g->params += param->n;
	p->of_param[i] = k;
	return EX_OK;
}

/* Index of the group of that name, a new one when there is none. */
static int group_index(struct partition *p, const char *name, size_t *k, struct err *e)
{
	/* Neighbours mostly share a group, so the newest are looked at first. */
	for (size_t j = p->n; j-- > 0;) {
		if (strcmp(p->g[j].name, name) == 0) {
			*k = j;
			return EX_OK;
		}
	}
	*k = p->n;
	p->g[p->n].name = str_dup(name);
	if (p->g[p->n].name == NULL)
		return err_nomem(e);
	p->n++;
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

static int divide(struct partition *p, const struct model *m, struct err *e)
{
	struct strbuf name = { 0 };
	int rc = EX_OK;

	for (size_t i = 0; i < m->n_params && rc == EX_OK; i++) {
		size_t k;

		strbuf_clear(&name);
		rc = put_group_name(m, p, i, &name, e);
		if (rc == EX_OK)
			rc = group_index(p, name.s, &k, e);
		if (rc == EX_OK)
			rc = add_member(p, m, k, i, e);
	}
	for (size_t k = 0; k < p->n && rc == EX_OK; k++)
		rc = put_choice(p, m, k, e);
	strbuf_free(&name);
	return rc;
}

/* EX_USAGE when the pattern matches no parameter. */
static int check_pattern(const struct model *m, const char *pattern, struct err *e)
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

int partition_make(struct partition *p, const struct model *m, enum grouping by,
		   const struct meta_list *rules, struct err *e)
{
	int rc = EX_OK;

	*p = (struct partition){ .by = by };
	p->g = mem_zeros(m->n_params, sizeof *p->g);
	p->of_param = mem_zeros(m->n_params, sizeof *p->of_param);
	if (p->g == NULL || p->of_param == NULL)
		rc = err_nomem(e);
	for (size_t i = 0; by == BY_FILE && i < rules->n && rc == EX_OK; i++)
		rc = check_pattern(m, rules->m[i].key, e);
	if (rc == EX_OK && by == BY_FILE)
		rc = meta_copy(&p->rules, rules, e);
	if (rc == EX_OK)
		rc = divide(p, m, e);
	if (rc != EX_OK)
		partition_free(p);
	return rc;
}

void partition_free(struct partition *p)
{
	for (size_t i = 0; i < p->n; i++) {
		free(p->g[i].name);
		free(p->g[i].choice);
		free(p->g[i].member);
	}
	free(p->g);
	free(p->of_param);
	meta_free(&p->rules);
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

static int read_rule(struct meta_list *rules, char *line, const char *path,
		     unsigned long long number, struct err *e)
{
	size_t len = strlen(line);
	char *pattern, *group;

	if (len > 0 && line[len - 1] == '\r')
		line[--len] = '\0';
	if (len == 0 || line[0] == '#')
		return EX_OK;
	if (!split_rule(line, &pattern, &group))
		return err_at(e, EX_DATAERR, path, number, "a rule is PATTERN<tab>GROUP");
	return meta_add(rules, pattern, group, e);
}

#define RULES_LIMIT ((size_t)64 << 20) /* bytes of a groups file */

int group_rules_read(struct meta_list *rules, const char *path, struct err *e)
{
	char *text;
	size_t len, at = 0;
	int rc = file_read(path, RULES_LIMIT, &text, &len, e);

	*rules = (struct meta_list){ 0 };
	if (rc != EX_OK)
		return rc;
	if (memchr(text, '\0', len) != NULL)
		rc =
		    err_set(e, EX_DATAERR, "%s: a NUL byte, so this is no text file", path);
	for (unsigned long long number = 1; at < len && rc == EX_OK; number++) {
		char *line = text + at;
		size_t n = strcspn(line, "\n");

		line[n] = '\0';
		rc = read_rule(rules, line, path, number, e);
		at += n + 1;
	}
	if (rc == EX_OK && rules->n == 0)
		rc = err_set(e, EX_DATAERR, "%s: no rules; a rule is PATTERN<tab>GROUP",
			     path);
	free(text);
	if (rc != EX_OK)
		meta_free(rules);
	return rc;
}

/* ---- choosing parameters ---- */

static int unknown_group(const struct partition *p, const char *name, struct err *e)
{
	const char **names = mem_zeros(p->n, sizeof *names);
	struct strbuf near = { 0 };
	int rc;

	if (names == NULL)
		return err_nomem(e);
	for (size_t k = 0; k < p->n; k++)
		names[k] = p->g[k].name;
	str_near(name, names, p->n, &near);
	rc = err_set(e, EX_DATAERR, "the model has no group '%s' (by %s)%s%s%s", name,
		     grouping_name(p->by), near.len > 0 ? "; did you mean " : "",
		     near.len > 0 ? near.s : "", near.len > 0 ? "?" : "");
	strbuf_free(&near);
	free(names);
	return rc;
}

int partition_choose(const struct partition *p, const struct model *m,
		     const struct strlist *groups, bool *wanted, struct err *e)
{
	for (size_t i = 0; i < groups->n; i++) {
		size_t k = 0;

		while (k < p->n && !name_equal(m, p->g[k].name, groups->s[i]))
			k++;
		if (k == p->n)
			return unknown_group(p, groups->s[i], e);
		for (size_t j = 0; j < p->g[k].n; j++)
			wanted[p->g[k].member[j].param] = true;
	}
	return EX_OK;
}

int params_matching(const struct model *m, const struct strlist *patterns, bool *wanted,
		    struct err *e)
{
	for (size_t i = 0; i < patterns->n; i++) {
		int rc = check_pattern(m, patterns->s[i], e);

		if (rc != EX_OK)
			return rc;
		for (size_t j = 0; j < m->n_params; j++) {
			if (name_matches(m, patterns->s[i], &m->params[j]))
				wanted[j] = true;
		}
	}
	return EX_OK;
}

static bool in_full(const struct param *p)
{
	return !lora_is_pair(p);
}

static bool in_head(const struct param *p)
{
	return p->type == TYPE_HEAD;
}

static bool in_bitfit(const struct param *p)
{
	return in_head(p) || str_ends(p->name, ".bias");
}

static bool in_norm(const struct param *p)
{
	return in_head(p) || p->type == TYPE_NORM;
}

static bool in_lora(const struct param *p)
{
	return in_head(p) || lora_is_pair(p);
}

static bool in_lora_bias(const struct param *p)
{
	return in_bitfit(p) || lora_is_pair(p);
}

int params_preset(const struct model *m, const char *preset, bool *wanted, struct err *e)
{
	static const struct {
		const char *name;
		bool (*holds)(const struct param *p);
		bool pairs;
	} presets[] = {
		{ "full", in_full, false },     { "head", in_head, false },
		{ "bitfit", in_bitfit, false }, { "norm", in_norm, false },
		{ "lora", in_lora, true },      { "lora+bias", in_lora_bias, true },
	};

	for (size_t i = 0; i < sizeof presets / sizeof presets[0]; i++) {
		if (strcmp(presets[i].name, preset) != 0)
			continue;
		if (presets[i].pairs && !model_has_pairs(m))
			return err_set(e, EX_USAGE,
				       "preset %s: the model has no LoRA pairs; "
				       "--lora-rank N adds them",
				       preset);
		for (size_t j = 0; j < m->n_params; j++)
			wanted[j] = wanted[j] || presets[i].holds(&m->params[j]);
		return EX_OK;
	}
	return err_set(e, EX_USAGE,
		       "no preset '%s'; there are full, head, bitfit, norm, lora and "
		       "lora+bias",
		       preset);
}
