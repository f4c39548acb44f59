#include "subject.h"

#include <stdlib.h>
#include <string.h>

#include "base/mem.h"

/* The names of the pairs of which something is wanted. */
static int list_pairs(struct strlist *only, const struct model *all, const bool *wanted,
		      struct err *e)
{
	struct strbuf name = { 0 };
	int rc = EX_OK;

	for (size_t i = 0; i < all->n_params && rc == EX_OK; i++) {
		const struct param *p = &all->params[i];

		if (!wanted[i] || !lora_is_pair(p))
			continue;
		strbuf_clear(&name);
		lora_pair_name(p->name, &name);
		rc = name.failed ? err_nomem(e) : strlist_add(only, name.s, e);
	}
	strbuf_free(&name);
	return rc;
}

/* The index of params[i] of `all` in the model of the run; n_params when it is a pair that
 * was left out. */
static size_t index_in(const struct model *m, const struct model *all, size_t i)
{
	size_t at = 0;

	if (i < m->n_params && strcmp(m->params[i].name, all->params[i].name) == 0)
		return i;
	while (at < m->n_params && strcmp(m->params[at].name, all->params[i].name) != 0)
		at++;
	return at;
}

static int carry_over(struct subject *s, const struct model *all, const bool *wanted,
		      struct err *e)
{
	s->wanted = mem_zeros(s->model.n_params, sizeof *s->wanted);
	if (s->wanted == NULL)
		return err_nomem(e);
	for (size_t i = 0; i < all->n_params; i++) {
		size_t at = index_in(&s->model, all, i);

		if (at < s->model.n_params)
			s->wanted[at] = wanted[i];
	}
	return EX_OK;
}

int subject_open(struct subject *s, const struct model *all, const bool *wanted,
		 const struct lora_spec *pairs, const struct head_spec *head, struct err *e)
{
	struct head_spec own = *head;
	struct lora_spec some = *pairs;
	int rc;

	*s = (struct subject){ 0 };
	some.only = (struct strlist){ 0 };
	rc = list_pairs(&some.only, all, wanted, e);
	own.lora = pairs->ranks > 0 && some.only.n > 0 ? &some : NULL;
	if (rc == EX_OK)
		rc = model_open(&s->model, all->dir, &own, e);
	strlist_free(&some.only);
	if (rc != EX_OK)
		return rc;
	rc = carry_over(s, all, wanted, e);
	if (rc != EX_OK)
		model_close(&s->model);
	return rc;
}

void subject_close(struct subject *s)
{
	model_close(&s->model);
	free(s->wanted);
}
