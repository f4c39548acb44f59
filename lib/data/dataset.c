#include "data/dataset.h"

#include <math.h>
#include <stdlib.h>
#include <string.h>

#include "base/mem.h"
#include "base/num.h"
#include "base/str.h"
#include "data/labels.h"
#include "io/rows.h"

#define CHUNK_EXAMPLES 256 /* encoded by one thread at a time */

/* Texts of one example, as offsets into the bytes of all. */
struct text {
	size_t at[2], len[2];
};

/* What is gathered while the file is read. */
struct reading {
	struct rows *rows;
	struct task *task;
	struct dataset *d;
	bool learn;
	size_t text[2], label;  /* columns, from 0 */
	size_t n_text, columns; /* columns: fields of the first row */
	struct labels labels;
	struct strbuf bytes;
	struct text *texts;
	size_t cap_texts, cap_label, cap_target;
};

static int row_error(const struct reading *r, struct err *e, const char *what)
{
	return err_at(e, EX_DATAERR, rows_name(r->rows), rows_line(r->rows), "%s", what);
}

/* ---- columns ---- */

/* "no column 'sentense'; did you mean sentence? the columns are sentence, label" */
static int no_column(const struct reading *r, const char *name, char **header, size_t n,
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
	if (b.failed || near.failed)
		err_nomem(e);
	else
		row_error(r, e, b.s);
	strbuf_free(&b);
	strbuf_free(&near);
	return EX_DATAERR;
}

static int find_in_header(const struct reading *r, const char *name, char **header,
			  size_t n, size_t *at, struct err *e)
{
	size_t number = task_column_number(name), found = n;

	for (size_t i = 0; i < n; i++) {
		if (strcmp(header[i], name) != 0)
			continue;
		if (found < n)
			return err_at(e, EX_DATAERR, rows_name(r->rows), rows_line(r->rows),
				      "two columns are called '%s'; say its number", name);
		found = i;
	}
	if (found == n && number >= 1 && number <= n)
		found = number - 1;
	*at = found;
	return found < n ? EX_OK : no_column(r, name, header, n, e);
}

static int find_by_number(const struct reading *r, const char *name, size_t n, size_t *at,
			  struct err *e)
{
	size_t number = task_column_number(name);

	*at = number - 1;
	if (number == 0)
		return err_at(e, EX_DATAERR, rows_name(r->rows), rows_line(r->rows),
			      "column '%s' is no number, and the file is read without a "
			      "header; say --header yes",
			      name);
	if (number > n)
		return err_at(e, EX_DATAERR, rows_name(r->rows), rows_line(r->rows),
			      "no column %zu; the first row has %zu", number, n);
	return EX_OK;
}

/* Finds the task's columns in the first row. */
static int find_columns(struct reading *r, char **first, size_t n, struct err *e)
{
	const struct task *t = r->task;
	int rc = EX_OK;

	r->columns = n;
	r->n_text = t->text.n;
	for (size_t i = 0; i <= r->n_text && rc == EX_OK; i++) {
		const char *name = i < r->n_text ? t->text.s[i] : t->label;
		size_t *at = i < r->n_text ? &r->text[i] : &r->label;

		rc = t->header ? find_in_header(r, name, first, n, at, e)
			       : find_by_number(r, name, n, at, e);
	}
	return rc;
}

/* ---- labels ---- */

static int unknown_label(const struct reading *r, const char *label, struct err *e)
{
	const struct strlist *names = &r->labels.names;
	struct strbuf b = { 0 };

	strbuf_printf(&b, "label '%s' is none of the %zu classes: ", label, names->n);
	for (size_t i = 0; i < names->n && b.len < 400; i++)
		strbuf_printf(&b, "%s%s", i == 0 ? "" : ", ", names->s[i]);
	if (b.failed)
		err_nomem(e);
	else
		row_error(r, e, b.s);
	strbuf_free(&b);
	return EX_DATAERR;
}

static int learn_label(struct reading *r, const char *label, int32_t *number, struct err *e)
{
	struct err why = { 0 };
	int rc = labels_add(&r->labels, label, number, &why);

	if (rc == EX_DATAERR)
		return row_error(r, e, why.text);
	return rc == EX_OK ? EX_OK : err_nomem(e);
}

static int take_label(struct reading *r, const char *label, struct err *e)
{
	const struct task *t = r->task;
	size_t i = r->d->n;
	double x;

	if (t->kind == TASK_REGRESSION || t->has_threshold) {
		if (!num_real(label, &x) || !isfinite((float)x))
			return err_at(e, EX_DATAERR, rows_name(r->rows), rows_line(r->rows),
				      "label '%s' is not a number", label);
		r->d->label[i] = t->has_threshold ? x > t->threshold : -1;
		r->d->target[i] = t->has_threshold ? 0.0f : (float)x;
		return EX_OK;
	}
	if (r->learn)
		return learn_label(r, label, &r->d->label[i], e);
	r->d->label[i] = labels_find(&r->labels, label);
	return r->d->label[i] < 0 ? unknown_label(r, label, e) : EX_OK;
}

static int start_labels(struct reading *r, bool learn, struct err *e)
{
	const struct strlist *classes = &r->task->classes;
	int32_t number;
	int rc = EX_OK;

	if (r->task->kind == TASK_REGRESSION)
		return EX_OK;
	r->learn = learn && classes->n == 0;
	if (!r->learn && classes->n == 0)
		return err_set(e, EX_USAGE,
			       "the classes are not known; a model or stream that "
			       "was trained says them, or --task NAME");
	for (size_t i = 0; i < classes->n && rc == EX_OK; i++)
		rc = labels_add(&r->labels, classes->s[i], &number, e);
	return rc;
}

/* Numbers the learned classes in their order and hands them to the task. */
static int settle_labels(struct reading *r, struct err *e)
{
	int32_t *map;
	int rc;

	if (!r->learn)
		return EX_OK;
	if (r->labels.names.n < 2)
		return err_set(e, EX_DATAERR,
			       "%s: only one class, '%s'; is --label the right "
			       "column?",
			       rows_name(r->rows), r->labels.names.s[0]);
	rc = labels_order(&r->labels, &map, e);
	if (rc != EX_OK)
		return rc;
	for (size_t i = 0; i < r->d->n; i++)
		r->d->label[i] = map[r->d->label[i]];
	free(map);
	r->task->classes = r->labels.names;
	r->labels.names = (struct strlist){ 0 };
	return EX_OK;
}

/* ---- rows ---- */

static int take_row(struct reading *r, char **field, size_t n, struct err *e)
{
	struct dataset *d = r->d;
	struct text *text;
	int rc;

	if (n != r->columns)
		return err_at(e, EX_DATAERR, rows_name(r->rows), rows_line(r->rows),
			      "%zu fields, where the first row has %zu", n, r->columns);
	rc = mem_grow(&d->label, &r->cap_label, d->n + 1, sizeof *d->label, e);
	if (rc == EX_OK)
		rc = mem_grow(&d->target, &r->cap_target, d->n + 1, sizeof *d->target, e);
	if (rc == EX_OK)
		rc = mem_grow(&r->texts, &r->cap_texts, d->n + 1, sizeof *r->texts, e);
	if (rc == EX_OK)
		rc = take_label(r, field[r->label], e);
	if (rc != EX_OK)
		return rc;
	text = &r->texts[d->n++];
	for (size_t i = 0; i < r->n_text; i++) {
		text->at[i] = r->bytes.len;
		text->len[i] = strlen(field[r->text[i]]);
		strbuf_add(&r->bytes, field[r->text[i]], text->len[i]);
	}
	return r->bytes.failed ? err_nomem(e) : EX_OK;
}

static int read_rows(struct reading *r, struct err *e)
{
	char **field;
	size_t n;
	int rc = rows_next(r->rows, &field, &n, e);

	if (rc != EX_OK)
		return rc;
	if (n == 0)
		return err_set(e, EX_DATAERR, "%s: the file is empty", rows_name(r->rows));
	rc = find_columns(r, field, n, e);
	if (rc == EX_OK && r->task->header)
		rc = rows_next(r->rows, &field, &n, e);
	while (rc == EX_OK && n > 0) {
		rc = take_row(r, field, n, e);
		if (rc == EX_OK)
			rc = rows_next(r->rows, &field, &n, e);
	}
	if (rc == EX_OK && r->d->n == 0)
		return err_set(e, EX_DATAERR, "%s: a header and no rows",
			       rows_name(r->rows));
	return rc;
}

/* ---- tokens ---- */

/* The tokens of CHUNK_EXAMPLES examples. */
struct chunk {
	uint32_t *ids;
	uint8_t *types;
	size_t n, cap_ids, cap_types, truncated;
	int rc;
	struct err err;
};

/* An example that fills max_len was cut when it would fill one more. */
static int is_cut(const struct tokenizer *tok, const char *a, size_t a_len, const char *b,
		  size_t b_len, struct encoding *spare, size_t max_len, size_t *cut,
		  struct err *e)
{
	int rc = tokenizer_encode(tok, a, a_len, b, b_len, max_len + 1, spare, e);

	*cut += rc == EX_OK && spare->n > max_len;
	return rc;
}

static int encode_example(const struct reading *r, const struct tokenizer *tok,
			  size_t max_len, size_t i, struct chunk *c, struct encoding *enc)
{
	const struct text *t = &r->texts[i];
	const char *bytes = r->bytes.s == NULL ? "" : r->bytes.s;
	const char *a = bytes + t->at[0], *b = r->n_text > 1 ? bytes + t->at[1] : NULL;
	struct err *e = &c->err;
	int rc = tokenizer_encode(tok, a, t->len[0], b, t->len[1], max_len, enc, e);

	if (rc == EX_OK)
		rc = mem_grow(&c->ids, &c->cap_ids, c->n + enc->n, sizeof *c->ids, e);
	if (rc == EX_OK)
		rc = mem_grow(&c->types, &c->cap_types, c->n + enc->n, sizeof *c->types, e);
	if (rc != EX_OK)
		return rc;
	memcpy(c->ids + c->n, enc->ids, enc->n * sizeof *c->ids);
	memcpy(c->types + c->n, enc->types, enc->n * sizeof *c->types);
	c->n += enc->n;
	r->d->start[i + 1] = enc->n;
	if (enc->n < max_len)
		return EX_OK;
	return is_cut(tok, a, t->len[0], b, t->len[1], enc, max_len, &c->truncated, e);
}

static void encode_chunk(const struct reading *r, const struct tokenizer *tok,
			 size_t max_len, size_t from, struct chunk *c)
{
	struct encoding enc = { 0 };
	size_t to = r->d->n - from < CHUNK_EXAMPLES ? r->d->n : from + CHUNK_EXAMPLES;

	for (size_t i = from; i < to && c->rc == EX_OK; i++)
		c->rc = encode_example(r, tok, max_len, i, c, &enc);
	encoding_free(&enc);
}

/* Puts the chunks one behind the other; `start` holds lengths before, offsets after. */
static int join_chunks(struct dataset *d, const struct chunk *c, size_t n, struct err *e)
{
	size_t at = 0;

	for (size_t i = 0; i < d->n; i++) {
		if (d->start[i + 1] > d->longest)
			d->longest = d->start[i + 1];
		d->start[i + 1] += d->start[i];
	}
	d->ids = mem_zeros(d->start[d->n], sizeof *d->ids);
	d->types = mem_zeros(d->start[d->n], sizeof *d->types);
	if (d->ids == NULL || d->types == NULL)
		return err_nomem(e);
	for (size_t i = 0; i < n; i++) {
		if (c[i].n == 0)
			continue;
		memcpy(d->ids + at, c[i].ids, c[i].n * sizeof *d->ids);
		memcpy(d->types + at, c[i].types, c[i].n * sizeof *d->types);
		at += c[i].n;
		d->truncated += c[i].truncated;
	}
	return EX_OK;
}

static int encode_all(const struct reading *r, const struct tokenizer *tok, size_t max_len,
		      struct err *e)
{
	struct dataset *d = r->d;
	size_t n = (d->n - 1) / CHUNK_EXAMPLES + 1;
	struct chunk *c = mem_zeros(n, sizeof *c);
	int rc = EX_OK;

	d->start = mem_zeros(d->n + 1, sizeof *d->start);
	if (c == NULL || d->start == NULL) {
		free(c);
		return err_nomem(e);
	}
#pragma omp parallel for schedule(dynamic)
	for (size_t i = 0; i < n; i++)
		encode_chunk(r, tok, max_len, i * CHUNK_EXAMPLES, &c[i]);
	for (size_t i = 0; i < n && rc == EX_OK; i++)
		if (c[i].rc != EX_OK)
			rc = err_set(e, c[i].rc, "%s", c[i].err.text);
	if (rc == EX_OK)
		rc = join_chunks(d, c, n, e);
	for (size_t i = 0; i < n; i++) {
		free(c[i].ids);
		free(c[i].types);
	}
	free(c);
	return rc;
}

int dataset_read(struct dataset *d, const char *path, struct task *t, bool learn,
		 const struct tokenizer *tok, size_t max_len, struct err *e)
{
	struct reading r = { .task = t, .d = d };
	char delimiter;
	bool quoting;
	int rc;

	*d = (struct dataset){ 0 };
	task_file_form(t, path, &delimiter, &quoting);
	rc = start_labels(&r, learn, e);
	if (rc == EX_OK)
		rc = rows_open(&r.rows, path, delimiter, quoting, e);
	if (rc == EX_OK)
		rc = read_rows(&r, e);
	if (rc == EX_OK)
		rc = settle_labels(&r, e);
	if (rc == EX_OK)
		rc = encode_all(&r, tok, max_len, e);
	rows_close(r.rows);
	labels_free(&r.labels);
	strbuf_free(&r.bytes);
	free(r.texts);
	if (rc != EX_OK)
		dataset_free(d);
	return rc;
}

void dataset_free(struct dataset *d)
{
	free(d->ids);
	free(d->types);
	free(d->start);
	free(d->label);
	free(d->target);
	*d = (struct dataset){ 0 };
}
