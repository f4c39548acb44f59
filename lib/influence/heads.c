#include "influence/heads.h"

#include <inttypes.h>
#include <stdbool.h>
#include <stdlib.h>
#include <string.h>

#include "base/mem.h"
#include "influence/heads_fold.h"

/* A line of metadata came behind another one. */
struct follows {
	size_t before, line; /* indices into pg */
};

struct heads {
	struct meta_list divisions; /* lora, groups and group, of the first stream */
	char *model;
	struct fold_list task, probe, pg;
	struct follows *follows;
	size_t n_follows, cap_follows;
	struct strbuf difference; /* of ##probe lines */
	uint64_t shards;
	size_t n;
};

static const char *const divisions[] = { "lora", "groups", "group", NULL };

int heads_start(struct heads **h, struct err *e)
{
	*h = mem_zeros(1, sizeof **h);
	if (*h == NULL)
		return err_nomem(e);
	(*h)->shards = 1;
	return EX_OK;
}

void heads_free(struct heads *h)
{
	if (h == NULL)
		return;
	meta_free(&h->divisions);
	free(h->model);
	fold_list_free(&h->task);
	fold_list_free(&h->probe);
	fold_list_free(&h->pg);
	strbuf_free(&h->difference);
	free(h->follows);
	free(h);
}

uint64_t heads_shards(const struct heads *h)
{
	return h->shards;
}

const char *heads_difference(const struct heads *h)
{
	return h->difference.len > 0 ? h->difference.s : "";
}

/* ---- what must be alike ---- */

/* A model is known by its digest, wherever it lies. */
static bool same_model(const char *a, const char *b)
{
	char *x = meta_word(a, "sha256"), *y = meta_word(b, "sha256");
	bool same = x != NULL && y != NULL ? strcmp(x, y) == 0 : strcmp(a, b) == 0;

	free(x);
	free(y);
	return same;
}

/* The next line of that key from *at on, or NULL. */
static const char *next_of(const struct meta_list *l, const char *key, size_t *at)
{
	while (*at < l->n)
		if (strcmp(l->m[(*at)++].key, key) == 0)
			return l->m[*at - 1].value;
	return NULL;
}

/* Of rules the first that matches wins, so their order counts. */
static bool same_lines(const struct meta_list *a, const struct meta_list *b,
		       const char *key)
{
	const char *x, *y;
	size_t i = 0, j = 0;

	do {
		x = next_of(a, key, &i);
		y = next_of(b, key, &j);
		if ((x == NULL) != (y == NULL) || (x != NULL && strcmp(x, y) != 0))
			return false;
	} while (x != NULL);
	return true;
}

static int check(const struct heads *h, const char *name, const struct meta_list *head,
		 struct err *e)
{
	const char *model = meta_get(head, "model");

	if (h->model != NULL && model != NULL && !same_model(h->model, model))
		return err_set(e, EX_DATAERR,
			       "%s: probed on another model than the files before it",
			       name);
	for (size_t i = 0; h->n > 0 && divisions[i] != NULL; i++)
		if (!same_lines(&h->divisions, head, divisions[i]))
			return err_set(
			    e, EX_DATAERR,
			    "%s: divides the model into other groups than the files "
			    "before it",
			    name);
	return EX_OK;
}

/* ---- adding ---- */

/* Of several paths to one model, the first by its bytes. */
static int add_model(struct heads *h, const char *model, struct err *e)
{
	char *copy;

	if (model == NULL || (h->model != NULL && strcmp(h->model, model) <= 0))
		return EX_OK;
	copy = str_dup(model);
	if (copy == NULL)
		return err_nomem(e);
	free(h->model);
	h->model = copy;
	return EX_OK;
}

static int add_divisions(struct heads *h, const struct meta_list *head, struct err *e)
{
	int rc = EX_OK;

	for (size_t k = 0; h->n == 0 && divisions[k] != NULL; k++)
		for (size_t i = 0; i < head->n && rc == EX_OK; i++)
			if (strcmp(head->m[i].key, divisions[k]) == 0)
				rc = meta_add(&h->divisions, divisions[k], head->m[i].value,
					      e);
	return rc;
}

static int add_folded(struct fold_list *l, struct folded *f, const char *key,
		      struct strlist *differ, struct err *e)
{
	size_t had = l->n, at;
	int rc = fold_list_add(l, f, &at, e);

	if (rc == EX_OK && had > 0 && l->n > had)
		rc = strlist_add(differ, key, e);
	return rc;
}

/* Shards are of one run only when they were probed alike. */
static int compare_probe(struct heads *h, const char *name, const struct folded *f,
			 struct err *e)
{
	const struct folded *other = h->probe.n > 0 ? &h->probe.f[0] : NULL;
	int rc;

	strbuf_clear(&h->difference);
	for (size_t i = 0; f->shards.of > 0 && i < h->probe.n; i++)
		if (h->probe.f[i].shards.of > 0)
			other = &h->probe.f[i];
	if (other == NULL)
		return EX_OK;
	rc = folded_difference(f, other, &h->difference, e);
	if (rc == EX_OK && h->difference.len > 0 && f->shards.of > 0 &&
	    other->shards.of > 0)
		return err_set(e, EX_DATAERR, "%s: shards of different runs: %s", name,
			       h->difference.s);
	return rc;
}

static int add_probe(struct heads *h, const char *name, const char *value,
		     struct strlist *differ, struct err *e)
{
	struct folded f = { 0 };
	struct err why = { 0 };
	int rc = fold_probe(&f, value, &why);

	if (rc == EX_DATAERR)
		return err_set(e, rc, "%s: its ##probe line: %s", name, why.text);
	if (rc != EX_OK)
		return err_nomem(e);
	if (f.shards.of > 0 && h->shards > 1 && h->shards != f.shards.of)
		rc = err_set(e, EX_DATAERR,
			     "%s: of a run in %" PRIu64 " shards, but the files before it "
			     "of one in %" PRIu64,
			     name, f.shards.of, h->shards);
	if (rc == EX_OK)
		rc = compare_probe(h, name, &f, e);
	if (rc != EX_OK) {
		folded_free(&f);
		return rc;
	}
	if (f.shards.of > 0)
		h->shards = f.shards.of;
	return add_folded(&h->probe, &f, "probe", differ, e);
}

static int add_task(struct heads *h, const char *value, struct strlist *differ,
		    struct err *e)
{
	struct folded f = { 0 };
	int rc = fold_whole(&f, value, e);

	return rc == EX_OK ? add_folded(&h->task, &f, "task", differ, e) : rc;
}

/* *before is the line that this one follows; SIZE_MAX at the beginning. */
static int add_pg(struct heads *h, const char *value, size_t *before, struct err *e)
{
	struct folded f = { 0 };
	size_t at = 0;
	int rc = fold_command(&f, value, e);

	if (rc == EX_OK)
		rc = fold_list_add(&h->pg, &f, &at, e);
	if (rc == EX_OK && *before != SIZE_MAX && *before != at) {
		rc = mem_grow(&h->follows, &h->cap_follows, h->n_follows + 1,
			      sizeof *h->follows, e);
		if (rc == EX_OK)
			h->follows[h->n_follows++] = (struct follows){ *before, at };
	}
	*before = at;
	return rc;
}

int heads_add(struct heads *h, const char *name, const struct meta_list *head,
	      struct strlist *differ, struct err *e)
{
	size_t before = SIZE_MAX;
	int rc = check(h, name, head, e);

	if (rc == EX_OK)
		rc = add_model(h, meta_get(head, "model"), e);
	if (rc == EX_OK)
		rc = add_divisions(h, head, e);
	for (size_t i = 0; i < head->n && rc == EX_OK; i++) {
		const struct meta *m = &head->m[i];

		if (strcmp(m->key, "task") == 0)
			rc = add_task(h, m->value, differ, e);
		else if (strcmp(m->key, "probe") == 0)
			rc = add_probe(h, name, m->value, differ, e);
		else if (strcmp(m->key, "pg") == 0)
			rc = add_pg(h, m->value, &before, e);
	}
	h->n++;
	return rc;
}

/* ---- merging ---- */

/* Each line's distance from the beginning, the longest way. All are advanced at a time, so
 * that streams that contradict each other have an order that depends on none of them. */
static int find_levels(struct heads *h, struct err *e)
{
	size_t *level = mem_zeros(h->pg.n, sizeof *level);
	bool changed = level != NULL;

	if (level == NULL)
		return err_nomem(e);
	for (size_t round = 0; changed && round < h->pg.n; round++) {
		changed = false;
		for (size_t i = 0; i < h->n_follows; i++) {
			const struct follows *f = &h->follows[i];
			size_t far = h->pg.f[f->before].level + 1;

			if (far > level[f->line])
				level[f->line] = far;
		}
		for (size_t i = 0; i < h->pg.n; i++) {
			changed = changed || h->pg.f[i].level != level[i];
			h->pg.f[i].level = level[i];
		}
	}
	free(level);
	return EX_OK;
}

static int put_list(struct fold_list *l, const char *key, struct meta_list *to,
		    struct err *e)
{
	int rc = EX_OK;

	fold_list_sort(l);
	for (size_t i = 0; i < l->n && rc == EX_OK; i++) {
		char *line = folded_print(&l->f[i]);

		rc = line == NULL ? err_nomem(e) : meta_add(to, key, line, e);
		free(line);
	}
	return rc;
}

int heads_merge(struct heads *h, struct meta_list *to, struct err *e)
{
	int rc = h->model == NULL ? EX_OK : meta_add(to, "model", h->model, e);

	if (rc == EX_OK)
		rc = put_list(&h->task, "task", to, e);
	if (rc == EX_OK)
		rc = meta_copy(to, &h->divisions, e);
	if (rc == EX_OK)
		rc = put_list(&h->probe, "probe", to, e);
	if (rc == EX_OK)
		rc = find_levels(h, e);
	if (rc == EX_OK)
		rc = put_list(&h->pg, "pg", to, e);
	h->n_follows = 0; /* their indices are those of the order before */
	return rc;
}
