#include "subject.h"

#include <stdlib.h>
#include <string.h>

#include "base/mem.h"

/* The names of the pairs of which something is wanted. */
static int list_pairs(struct strlist *only, const struct model *all,
		      const struct selection *chosen, struct err *e)
{
	struct strbuf name = { 0 };
	int rc = EX_OK;

	for (size_t i = 0; i < all->n_params && rc == EX_OK; i++) {
		const struct param *p = &all->params[i];

		if (chosen->of[i].n == 0 || !lora_is_pair(p))
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

static int carry_over(struct subject *s, const struct model *all,
		      const struct selection *chosen, struct err *e)
{
	int rc = selection_init(&s->some, &s->model, e);

	if (rc != EX_OK)
		return rc;
	s->wanted = mem_zeros(s->model.n_params, sizeof *s->wanted);
	if (s->wanted == NULL)
		return err_nomem(e);
	for (size_t i = 0; i < all->n_params; i++) {
		size_t at = index_in(&s->model, all, i);
		const struct chosen *c = &chosen->of[i];

		for (size_t j = 0; at < s->model.n_params && j < c->n && rc == EX_OK; j++)
			rc = selection_add(&s->some, at, c->run[j].from, c->run[j].n, e);
	}
	selection_settle(&s->some);
	selection_params(&s->some, s->wanted);
	return rc;
}

int subject_open(struct subject *s, const struct model *all, const struct selection *chosen,
		 const struct lora_spec *pairs, const struct head_spec *head, struct err *e)
{
	struct head_spec own = *head;
	struct lora_spec some = *pairs;
	int rc;

	*s = (struct subject){ 0 };
	some.only = (struct strlist){ 0 };
	rc = list_pairs(&some.only, all, chosen, e);
	own.lora = pairs->ranks > 0 && some.only.n > 0 ? &some : NULL;
	if (rc == EX_OK)
		rc = model_open(&s->model, all->dir, &own, e);
	strlist_free(&some.only);
	if (rc != EX_OK)
		return rc;
	rc = carry_over(s, all, chosen, e);
	if (rc != EX_OK)
		subject_close(s);
	return rc;
}

void subject_close(struct subject *s)
{
	model_close(&s->model);
	selection_free(&s->some);
	free(s->wanted);
}
