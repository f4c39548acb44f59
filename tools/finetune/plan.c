#include "plan.h"

#include <ctype.h>
#include <stdlib.h>
#include <string.h>

#include "base/mem.h"
#include "io/file.h"
#include "peft/group.h"
#include "train/saved.h"

/* A label as the name of a directory: "0.1%" is 0.1pct. */
static char *name_of(const char *label)
{
	struct strbuf b = { 0 };

	if (label[0] == '.' || label[0] == '\0')
		strbuf_puts(&b, "0");
	for (const char *s = label; *s != '\0'; s++) {
		if (*s == '%')
			strbuf_puts(&b, "pct");
		else if (isalnum((unsigned char)*s) || strchr("._+", *s) != NULL)
			strbuf_add(&b, s, 1);
		else
			strbuf_puts(&b, "-");
	}
	if (b.failed)
		strbuf_free(&b);
	return b.s;
}

static int add_run(struct plan *p, const char *label, struct planned run, struct err *e)
{
	run.name = name_of(label);
	run.budget = str_dup(run.mask != NULL ? label : "-");
	p->run[p->n++] = run;
	if (run.name == NULL || run.budget == NULL)
		return err_nomem(e);
	for (size_t i = 0; i + 1 < p->n; i++) {
		if (strcmp(p->run[i].name, run.name) == 0)
			return err_set(e, EX_DATAERR,
				       "two of the runs would be called %s; train them by "
				       "separate commands",
				       run.name);
	}
	return EX_OK;
}

static int place_runs(struct plan *p, const char *out, struct err *e)
{
	for (size_t i = 0; i < p->n; i++) {
		struct planned *r = &p->run[i];

		r->dir = p->n == 1 ? str_dup(out) : file_join(out, r->name);
		if (r->dir == NULL)
			return err_nomem(e);
	}
	return EX_OK;
}

int plan_make(struct plan *p, const struct mask_set *masks, const struct strlist *presets,
	      bool patterns, const char *out, struct err *e)
{
	int rc = EX_OK;

	*p = (struct plan){ 0 };
	p->run = mem_zeros(masks->n + presets->n + 1, sizeof *p->run);
	if (p->run == NULL)
		return err_nomem(e);
	for (size_t i = 0; i < masks->n && rc == EX_OK; i++) {
		const struct mask *m = &masks->m[i];

		rc = add_run(p, m->budget, (struct planned){ .mask = m }, e);
	}
	for (size_t i = 0; i < presets->n && rc == EX_OK; i++)
		rc = add_run(p, presets->s[i], (struct planned){ .preset = presets->s[i] },
			     e);
	if (patterns && rc == EX_OK)
		rc = add_run(p, "train", (struct planned){ 0 }, e);
	if (rc == EX_OK)
		rc = place_runs(p, out, e);
	if (rc != EX_OK)
		plan_free(p);
	return rc;
}

void plan_free(struct plan *p)
{
	for (size_t i = 0; i < p->n; i++) {
		free(p->run[i].name);
		free(p->run[i].budget);
		free(p->run[i].dir);
		selection_free(&p->run[i].some);
		strlist_free(&p->run[i].groups);
	}
	free(p->run);
	*p = (struct plan){ 0 };
}

static int choose_mask(struct planned *r, const struct model *m,
		       const struct meta_list *head, struct err *e)
{
	const struct strlist *groups = &r->mask->groups;
	struct partition parts;
	struct err why = { 0 };
	int rc = partition_from(&parts, m, head, e);

	if (rc != EX_OK)
		return rc;
	if ((rc = selection_init(&r->some, m, e)) == EX_OK &&
	    (rc = partition_choose(&parts, m, groups, &r->some, &why)) != EX_OK)
		rc = err_set(e, rc, "%s: the mask of budget %s: %s", m->dir, r->budget,
			     why.text);
	partition_free(&parts);
	if (rc != EX_OK)
		return rc;
	for (size_t i = 0; i < groups->n && rc == EX_OK; i++)
		rc = strlist_add(&r->groups, groups->s[i], e);
	return rc;
}

static int choose_tensors(struct planned *r, const struct model *m,
			  const struct strlist *patterns, struct err *e)
{
	bool *wanted = mem_zeros(m->n_params, sizeof *wanted);
	int rc;

	if (wanted == NULL)
		return err_nomem(e);
	rc = r->preset != NULL ? params_preset(m, r->preset, wanted, e)
			       : params_matching(m, patterns, wanted, e);
	for (size_t i = 0; i < m->n_params && rc == EX_OK; i++) {
		if (wanted[i])
			rc = strlist_add(&r->groups, m->params[i].name, e);
	}
	if (rc == EX_OK)
		rc = selection_of(&r->some, m, wanted, e);
	free(wanted);
	return rc;
}

int plan_resolve(struct plan *p, const struct model *m, const struct meta_list *head,
		 const struct strlist *patterns, struct err *e)
{
	int rc = EX_OK;

	for (size_t k = 0; k < p->n && rc == EX_OK; k++) {
		struct planned *r = &p->run[k];

		rc = r->mask != NULL ? choose_mask(r, m, head, e)
				     : choose_tensors(r, m, patterns, e);
		r->n_wanted = selection_params(&r->some, NULL);
	}
	return rc;
}

int plan_check(const struct plan *p, const struct model *m, struct err *e)
{
	size_t wanted = 0;
	bool masks = false;

	for (size_t i = 0; i < p->n; i++) {
		struct outdir d;
		int rc;

		wanted += p->run[i].n_wanted;
		masks = masks || p->run[i].mask != NULL;
		if (file_same(p->run[i].dir, m->dir) ||
		    (m->base != NULL && file_same(p->run[i].dir, m->base)))
			return err_set(
			    e, EX_CANTCREAT,
			    "%s: is the model that is trained; name another directory",
			    p->run[i].dir);
		if ((rc = outdir_open(&d, p->run[i].dir, saved_files, e)) != EX_OK)
			return rc;
		outdir_drop(&d);
	}
	if (wanted == 0 && !masks)
		return err_set(
		    e, EX_USAGE,
		    "%s: has none of the tensors that the preset names, so there "
		    "is nothing to train",
		    m->dir);
	if (wanted == 0)
		return err_set(
		    e, EX_DATAERR,
		    "no mask has a group, so there is nothing to train; a larger "
		    "--budget for adapeft-select may help");
	return EX_OK;
}
