#include "data/dataset.h"

#include <math.h>
#include <stdlib.h>
#include <string.h>

#include "base/mem.h"
#include "base/num.h"
#include "base/str.h"
#include "data/dataset_private.h"

#define OTHERS_SHOWN 20

/* ---- labels ---- */

static void print_names(struct strbuf *b, const struct strlist *names)
{
	size_t from = b->len;

	for (size_t i = 0; i < names->n && b->len - from < 400; i++)
		strbuf_printf(b, "%s%s", i == 0 ? "" : ", ", names->s[i]);
}

static int start_labels(struct reading *r, struct err *e)
{
	const struct strlist *classes = &r->task->classes;
	int32_t number;
	int rc = EX_OK;

	if (r->task->kind != TASK_CLASSES)
		return EX_OK;
	r->open = r->learn && classes->n == 0;
	if (!r->open && classes->n == 0)
		return err_set(e, EX_USAGE,
			       "the classes are not known; a model or stream that "
			       "was trained says them, or --task NAME");
	for (size_t i = 0; i < classes->n && rc == EX_OK; i++)
		rc = labels_add(&r->classes, classes->s[i], &number, e);
	return rc;
}

static int unknown_label(const struct reading *r, const char *label, struct err *e)
{
	const struct strlist *names = &r->classes.names;
	struct strbuf b = { 0 };
	int rc = EX_DATAERR;

	strbuf_printf(&b, "label '%s' is none of the %zu classes: ", label, names->n);
	print_names(&b, names);
	strbuf_puts(&b, "; --classes LIST says which there are");
	if (b.failed)
		rc = err_nomem(e);
	else
		err_set(e, rc, "%s", b.s);
	strbuf_free(&b);
	return rc;
}

static int pass_over(struct reading *r, const char *label, struct err *e)
{
	int32_t number;

	r->d->left_out++;
	if (r->others.names.n == OTHERS_SHOWN)
		return EX_OK;
	return labels_add(&r->others, label, &number, e);
}

static int grow(struct reading *r, struct err *e)
{
	struct dataset *d = r->d;
	int rc = mem_grow(&d->label, &r->cap_label, d->n + 1, sizeof *d->label, e);

	if (rc == EX_OK)
		rc = mem_grow(&d->target, &r->cap_target, d->n + 1, sizeof *d->target, e);
	return rc;
}

static int take_number(struct reading *r, const char *label, struct err *e)
{
	const struct task *t = r->task;
	size_t i = r->d->n;
	double x;

	if (!num_real(label, &x) || !isfinite((float)x))
		return err_set(e, EX_DATAERR, "label '%s' is not a number", label);
	r->d->label[i] = t->has_threshold ? x > t->threshold : -1;
	r->d->target[i] = t->has_threshold ? 0.0f : (float)x;
	r->d->n++;
	return EX_OK;
}

int dataset_label(struct reading *r, const char *label, bool *taken, struct err *e)
{
	const struct task *t = r->task;
	int32_t number;
	int rc = grow(r, e);

	*taken = true;
	if (rc != EX_OK)
		return rc;
	if (t->kind == TASK_REGRESSION || t->has_threshold)
		return take_number(r, label, e);
	if (r->open && label[0] == '\0')
		return err_set(e, EX_DATAERR, "the label is empty");
	if (r->open && (rc = labels_add(&r->classes, label, &number, e)) != EX_OK)
		return rc;
	number = labels_find(&r->classes, label);
	*taken = number >= 0;
	if (number < 0)
		return t->only_classes ? pass_over(r, label, e)
				       : unknown_label(r, label, e);
	r->d->label[r->d->n] = number;
	r->d->target[r->d->n++] = 0;
	return EX_OK;
}

int dataset_unlabelled(struct reading *r, struct err *e)
{
	int rc = grow(r, e);

	if (rc != EX_OK)
		return rc;
	r->d->label[r->d->n] = -1;
	r->d->target[r->d->n++] = 0;
	return EX_OK;
}

int dataset_row(struct reading *r, const struct table *t, char **field, bool *taken,
		struct err *e)
{
	struct err why = { 0 };
	int rc;

	*taken = true;
	if (r->task->kind == TASK_LANGUAGE)
		rc = dataset_unlabelled(r, &why);
	else
		rc = dataset_label(r, field[t->label], taken, &why);
	if (rc == EX_OK)
		return EX_OK;
	return rc == EX_DATAERR ? table_error(t, e, why.text)
				: err_set(e, rc, "%s", why.text);
}

static int nothing_left(const struct reading *r, struct err *e)
{
	struct strbuf b = { 0 };
	int rc = EX_DATAERR;

	if (r->d->left_out == 0)
		return err_set(e, rc, "%s: a header and no rows", r->name);
	strbuf_printf(&b, "%s: all %zu rows were passed over", r->name, r->d->left_out);
	if (r->others.names.n > 0) {
		strbuf_puts(&b, ": the classes are ");
		print_names(&b, &r->task->classes);
		strbuf_puts(&b, ", and the labels ");
		print_names(&b, &r->others.names);
	}
	if (b.failed)
		rc = err_nomem(e);
	else
		err_set(e, rc, "%s", b.s);
	strbuf_free(&b);
	return rc;
}

/* A class that was asked for and has no example is likely misspelt. */
static int check_asked(const struct reading *r, struct err *e)
{
	const struct dataset *d = r->d;
	bool *seen = mem_zeros(r->task->classes.n, sizeof *seen);
	size_t missing = 0;
	int rc = EX_OK;

	if (seen == NULL)
		return err_nomem(e);
	for (size_t i = 0; i < d->n; i++)
		seen[d->label[i]] = true;
	while (missing < r->task->classes.n && seen[missing])
		missing++;
	if (missing < r->task->classes.n)
		rc = err_set(e, EX_DATAERR,
			     "%s: no row has the label '%s' of --classes; leave it out, or "
			     "is it spelt differently?",
			     r->name, r->task->classes.s[missing]);
	free(seen);
	return rc;
}

static int number_learned(struct reading *r, struct err *e)
{
	int32_t *map;
	int rc;

	if (r->classes.names.n < 2)
		return err_set(e, EX_DATAERR,
			       "%s: only one class, '%s'; is --label the right "
			       "column?",
			       r->name, r->classes.names.s[0]);
	rc = labels_order(&r->classes, &map, e);
	if (rc != EX_OK)
		return rc;
	for (size_t i = 0; i < r->d->n; i++)
		r->d->label[i] = map[r->d->label[i]];
	free(map);
	r->task->classes = r->classes.names;
	r->classes.names = (struct strlist){ 0 };
	return EX_OK;
}

int dataset_settle(struct reading *r, struct err *e)
{
	if (r->d->n == 0)
		return nothing_left(r, e);
	if (r->open)
		return number_learned(r, e);
	return r->learn && r->task->only_classes ? check_asked(r, e) : EX_OK;
}

/* ---- the whole ---- */

static int read_form(struct reading *r, struct err *e)
{
	const struct task *t = r->task;

	if (t->form == FORM_IMAGES && r->how->pixels == NULL)
		return err_set(e, EX_USAGE, "task %s needs a model that takes pictures",
			       t->name);
	if (t->form != FORM_IMAGES && r->how->tokenizer == NULL)
		return err_set(e, EX_USAGE, "task %s needs a model that takes texts",
			       t->name);
	if (t->form == FORM_IMAGES)
		return dataset_images(r, e);
	return t->form == FORM_PLAIN ? dataset_plain(r, e) : dataset_rows(r, e);
}

/* Leaves the first n examples. */
static void keep_first(struct dataset *d, size_t n)
{
	if (n == 0 || n >= d->n)
		return;
	d->n = n;
	d->longest = 0;
	for (size_t i = 0; i < n; i++)
		if (d->start[i + 1] - d->start[i] > d->longest)
			d->longest = d->start[i + 1] - d->start[i];
}

int dataset_read(struct dataset *d, const char *path, struct task *t, bool learn,
		 const struct encoder *how, struct err *e)
{
	struct reading r = { .path = path,
			     .name = strcmp(path, "-") == 0 ? "stdin" : path,
			     .task = t,
			     .how = how,
			     .d = d,
			     .learn = learn };
	int rc;

	*d = (struct dataset){ 0 };
	rc = start_labels(&r, e);
	if (rc == EX_OK)
		rc = read_form(&r, e);
	if (rc == EX_OK)
		keep_first(d, how->limit);
	labels_free(&r.classes);
	labels_free(&r.others);
	if (rc != EX_OK)
		dataset_free(d);
	return rc;
}

void dataset_free(struct dataset *d)
{
	free(d->ids);
	free(d->types);
	free(d->start);
	free(d->prompt);
	free(d->pixels);
	free(d->label);
	free(d->target);
	*d = (struct dataset){ 0 };
}
