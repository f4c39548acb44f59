/*
 * Choosing what trains: by groups, by patterns, by presets.
 */
#include <stdlib.h>
#include <string.h>

#include "base/mem.h"
#include "base/numbering.h"
#include "model/lora.h"
#include "peft/group.h"
#include "peft/name.h"
#include "peft/ruling.h"

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

static int add_group(const struct group *g, struct selection *s, struct err *e)
{
	int rc = EX_OK;

	for (size_t j = 0; j < g->n && rc == EX_OK; j++)
		rc = selection_add(s, g->member[j].param, g->member[j].from, g->member[j].n,
				   e);
	return rc;
}

/* Numbers the names without prefix; group[] gets the first group of each. */
static int number_groups(const struct partition *p, const struct model *m,
			 struct numbering *names, size_t *group, struct err *e)
{
	int rc = EX_OK;

	for (size_t k = 0; k < p->n && rc == EX_OK; k++) {
		size_t had = names->names.n, at = 0;

		rc = numbering_put(names, name_bare(m, p->g[k].name), &at, e);
		if (rc == EX_OK && at == had)
			group[at] = k;
	}
	return rc;
}

int partition_choose(const struct partition *p, const struct model *m,
		     const struct strlist *groups, struct selection *s, struct err *e)
{
	size_t *group = mem_zeros(p->n, sizeof *group);
	struct numbering names = { 0 };
	int rc = group == NULL ? err_nomem(e) : number_groups(p, m, &names, group, e);

	for (size_t i = 0; i < groups->n && rc == EX_OK; i++) {
		size_t at = numbering_find(&names, name_bare(m, groups->s[i]));

		rc = at == SIZE_MAX ? unknown_group(p, groups->s[i], e)
				    : add_group(&p->g[group[at]], s, e);
	}
	numbering_free(&names);
	free(group);
	if (rc == EX_OK)
		selection_settle(s);
	return rc;
}

int params_matching(const struct model *m, const struct strlist *patterns, bool *wanted,
		    struct err *e)
{
	for (size_t i = 0; i < patterns->n; i++) {
		int rc = pattern_check(m, patterns->s[i], e);

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
