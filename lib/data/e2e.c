#include "data/e2e.h"

#include <stdlib.h>
#include <string.h>

#include "base/mem.h"
#include "data/table.h"

static int take_row(struct e2e *x, size_t *cap, const char *mr, const char *ref,
		    struct err *e)
{
	int rc = mem_grow(&x->first, cap, x->n + 2, sizeof *x->first, e);

	if (rc != EX_OK)
		return rc;
	if (x->n == 0 || strcmp(x->mr.s[x->n - 1], mr) != 0) {
		if ((rc = strlist_add(&x->mr, mr, e)) != EX_OK)
			return rc;
		x->first[x->n++] = x->ref.n;
	}
	rc = strlist_add(&x->ref, ref, e);
	x->first[x->n] = x->ref.n;
	return rc;
}

static int read_rows(struct e2e *x, struct table *t, struct err *e)
{
	size_t cap = 0;
	char **field;
	int rc;

	while ((rc = table_next(t, &field, e)) == EX_OK && field != NULL) {
		rc = take_row(x, &cap, field[t->text[0]], field[t->label], e);
		if (rc != EX_OK)
			return rc;
	}
	if (rc == EX_OK && x->n == 0)
		rc = err_set(e, EX_DATAERR, "%s: a header and no rows", rows_name(t->rows));
	return rc;
}

int e2e_read(struct e2e *x, const char *path, const struct task *t, struct err *e)
{
	struct table table;
	int rc;

	*x = (struct e2e){ 0 };
	if (t->kind != TASK_LANGUAGE || t->form != FORM_ROWS)
		return err_set(e, EX_USAGE, "task %s has no prompts and completions",
			       t->name);
	rc = table_open(&table, path, t, e);
	if (rc != EX_OK)
		return rc;
	rc = read_rows(x, &table, e);
	table_close(&table);
	if (rc != EX_OK)
		e2e_free(x);
	return rc;
}

void e2e_limit(struct e2e *x, size_t n)
{
	if (n < x->n)
		x->n = n;
}

void e2e_free(struct e2e *x)
{
	strlist_free(&x->mr);
	strlist_free(&x->ref);
	free(x->first);
	*x = (struct e2e){ 0 };
}
