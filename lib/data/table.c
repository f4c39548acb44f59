#include "data/table.h"

#include <string.h>
#include <strings.h>

#include "base/str.h"

int table_error(const struct table *t, struct err *e, const char *what)
{
	return err_at(e, EX_DATAERR, rows_name(t->rows), rows_line(t->rows), "%s", what);
}

/* "no column 'sentense'; did you mean sentence? the columns are sentence, label" */
static int no_column(const struct table *t, const char *name, char **header, size_t n,
		     struct err *e)
{
	struct strbuf b = { 0 }, near = { 0 };

	strbuf_printf(&b, "no column '%s'; ", name);
	str_near(name, (const char *const *)header, n, &near);
	if (near.len > 0)
		strbuf_printf(&b, "did you mean %s? ", near.s);
	strbuf_puts(&b, "the columns are ");
	for (size_t i = 0; i < n && b.len < 800; i++)
		strbuf_printf(&b, "%s%s", i == 0 ? "" : ", ", header[i]);
	if (n == 1 && strchr(header[0], ',') != NULL)
		strbuf_puts(&b, "; fields stand apart by tabs, by commas in a file that is "
				"called .csv or .csv.gz");
	if (b.failed || near.failed)
		err_nomem(e);
	else
		table_error(t, e, b.s);
	strbuf_free(&b);
	strbuf_free(&near);
	return EX_DATAERR;
}

/* The place where a list of images has a column that nobody named; n for others. */
static size_t usual_place(const struct table *t, const char *name, size_t n)
{
	if (t->task->form != FORM_IMAGES)
		return n;
	if (strcmp(name, TASK_IMAGE_TEXT) == 0)
		return 0;
	return strcmp(name, TASK_IMAGE_LABEL) == 0 && n > 1 ? 1 : n;
}

static int find_in_header(const struct table *t, const char *name, char **header, size_t n,
			  size_t *at, struct err *e)
{
	size_t number = task_column_number(name), found = n;

	for (size_t i = 0; i < n; i++) {
		if (strcmp(header[i], name) != 0)
			continue;
		if (found < n)
			return err_at(e, EX_DATAERR, rows_name(t->rows), rows_line(t->rows),
				      "two columns are called '%s'; say its number", name);
		found = i;
	}
	if (found == n && number >= 1 && number <= n)
		found = number - 1;
	if (found == n)
		found = usual_place(t, name, n);
	*at = found;
	return found < n ? EX_OK : no_column(t, name, header, n, e);
}

static int find_by_number(const struct table *t, const char *name, size_t n, size_t *at,
			  struct err *e)
{
	size_t number = task_column_number(name);

	if (number == 0)
		number = usual_place(t, name, n) < n ? usual_place(t, name, n) + 1 : 0;
	if (number == 0)
		return err_at(e, EX_DATAERR, rows_name(t->rows), rows_line(t->rows),
			      "column '%s' is no number, and the file is read without a "
			      "header; say --header yes",
			      name);
	*at = number - 1;
	if (number > n)
		return err_at(e, EX_DATAERR, rows_name(t->rows), rows_line(t->rows),
			      "no column %zu; the first row has %zu", number, n);
	return EX_OK;
}

static bool ends_like(const char *s, const char *suffix)
{
	size_t n = strlen(s), m = strlen(suffix);

	return n > m && strcasecmp(s + n - m, suffix) == 0;
}

static bool is_picture(const char *path)
{
	return ends_like(path, ".png") || ends_like(path, ".jpg") ||
	       ends_like(path, ".jpeg");
}

static int find_columns(struct table *t, char **first, size_t n, struct err *e)
{
	const struct task *task = t->task;
	int rc = EX_OK;

	t->columns = n;
	t->n_text = task->text.n;
	for (size_t i = 0; i <= t->n_text && rc == EX_OK; i++) {
		const char *name = i < t->n_text ? task->text.s[i] : task->label;
		size_t *at = i < t->n_text ? &t->text[i] : &t->label;

		rc = task->header ? find_in_header(t, name, first, n, at, e)
				  : find_by_number(t, name, n, at, e);
	}
	if (rc == EX_OK &&
	    (!task->header || (task->form == FORM_IMAGES && is_picture(first[t->text[0]]))))
		t->first = first;
	return rc;
}

int table_open(struct table *t, const char *path, const struct task *task, struct err *e)
{
	char delimiter, **field;
	bool quoting;
	size_t n;
	int rc;

	*t = (struct table){ .task = task };
	task_file_form(task, path, &delimiter, &quoting);
	rc = rows_open(&t->rows, path, delimiter, quoting, e);
	if (rc == EX_OK)
		rc = rows_next(t->rows, &field, &n, e);
	if (rc == EX_OK && n == 0)
		rc = err_set(e, EX_DATAERR, "%s: the file is empty", rows_name(t->rows));
	if (rc == EX_OK)
		rc = find_columns(t, field, n, e);
	if (rc != EX_OK)
		table_close(t);
	return rc;
}

int table_next(struct table *t, char ***field, struct err *e)
{
	size_t n = 0;
	int rc;

	*field = t->first;
	t->first = NULL;
	if (*field != NULL)
		return EX_OK;
	while ((rc = rows_next(t->rows, field, &n, e)) == EX_OK && n > 0 &&
	       n < t->columns && task_has_short_rows(t->task))
		t->left_out++;
	if (rc != EX_OK)
		return rc;
	if (n > 0 && n != t->columns)
		return err_at(e, EX_DATAERR, rows_name(t->rows), rows_line(t->rows),
			      "%zu fields, where the first row has %zu", n, t->columns);
	if (n == 0)
		*field = NULL;
	return EX_OK;
}

void table_close(struct table *t)
{
	rows_close(t->rows);
	*t = (struct table){ 0 };
}
