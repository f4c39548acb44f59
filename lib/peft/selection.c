#include "peft/selection.h"

#include <stdlib.h>
#include <string.h>

#include "base/mem.h"

int selection_init(struct selection *s, const struct model *m, struct err *e)
{
	*s = (struct selection){ .params = m->n_params };
	s->of = mem_zeros(m->n_params, sizeof *s->of);
	return s->of == NULL ? err_nomem(e) : EX_OK;
}

int selection_of(struct selection *s, const struct model *m, const bool *wanted,
		 struct err *e)
{
	int rc = selection_init(s, m, e);

	for (size_t i = 0; i < m->n_params && rc == EX_OK; i++) {
		if (wanted[i])
			rc = selection_add(s, i, 0, m->params[i].n, e);
	}
	if (rc == EX_OK)
		selection_settle(s);
	else
		selection_free(s);
	return rc;
}

int selection_copy(struct selection *to, const struct selection *from, struct err *e)
{
	int rc = EX_OK;

	*to = (struct selection){ .params = from->params };
	to->of = mem_zeros(from->params, sizeof *to->of);
	if (to->of == NULL)
		return err_nomem(e);
	for (size_t i = 0; i < from->params && rc == EX_OK; i++) {
		struct chosen *c = &to->of[i];

		if (from->of[i].n == 0)
			continue;
		rc = mem_grow(&c->run, &c->cap, from->of[i].n, sizeof *c->run, e);
		if (rc != EX_OK)
			break;
		c->n = from->of[i].n;
		c->elements = from->of[i].elements;
		memcpy(c->run, from->of[i].run, c->n * sizeof *c->run);
	}
	if (rc != EX_OK)
		selection_free(to);
	return rc;
}

void selection_free(struct selection *s)
{
	for (size_t i = 0; s->of != NULL && i < s->params; i++)
		free(s->of[i].run);
	free(s->of);
	*s = (struct selection){ 0 };
}

int selection_add(struct selection *s, size_t param, size_t from, size_t n, struct err *e)
{
	struct chosen *c = &s->of[param];
	int rc = mem_grow(&c->run, &c->cap, c->n + 1, sizeof *c->run, e);

	if (rc == EX_OK)
		c->run[c->n++] = (struct run){ from, n };
	return rc;
}

static int by_start(const void *a, const void *b)
{
	size_t x = ((const struct run *)a)->from, y = ((const struct run *)b)->from;

	return (x > y) - (x < y);
}

static void settle(struct chosen *c)
{
	size_t n = 0;

	c->elements = 0;
	if (c->n == 0)
		return;
	qsort(c->run, c->n, sizeof *c->run, by_start);
	for (size_t j = 1; j < c->n; j++) {
		struct run *last = &c->run[n];
		size_t end = last->from + last->n, to = c->run[j].from + c->run[j].n;

		if (c->run[j].from > end)
			c->run[++n] = c->run[j];
		else if (to > end)
			last->n = to - last->from;
	}
	c->n = n + 1;
	for (size_t j = 0; j < c->n; j++)
		c->elements += c->run[j].n;
}

void selection_settle(struct selection *s)
{
	for (size_t i = 0; i < s->params; i++)
		settle(&s->of[i]);
}

size_t selection_params(const struct selection *s, bool *wanted)
{
	size_t n = 0;

	for (size_t i = 0; i < s->params; i++) {
		n += s->of[i].n > 0;
		if (wanted != NULL)
			wanted[i] = s->of[i].n > 0;
	}
	return n;
}
