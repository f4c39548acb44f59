#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>

#include "base/mem.h"
#include "base/str.h"
#include "data/dataset_private.h"
#include "data/table.h"
#include "io/file.h"
#include "io/gzip.h"
#include "io/idx.h"

/* Where the pictures of the examples come from: a list of files, or an IDX file. */
struct source {
	struct reading *r;
	struct strlist path;      /* [n] of a list */
	unsigned long long *line; /* [n] of a list */
	struct idx idx;
	size_t *at; /* [n] which picture of the IDX file */
	size_t cap;
};

/* ---- pixels ---- */

/* The example that comes first in the file tells what is wrong. */
struct failure {
	size_t at; /* an example, or SIZE_MAX */
	int rc;
	struct err err;
};

static int fit_listed(const struct source *s, size_t i, unsigned char *out, struct err *e)
{
	struct image im = { 0 };
	struct err why = { 0 };
	int rc = image_read(&im, s->path.s[i], &why);

	if (rc != EX_OK)
		return err_at(e, rc, s->r->name, s->line[i], "%s", why.text);
	rc = pixels_fit(s->r->how->pixels, &im, out, &why);
	image_free(&im);
	if (rc != EX_OK)
		err_at(e, rc, s->r->name, s->line[i], "%s: %s", s->path.s[i], why.text);
	return rc;
}

static int fit_indexed(const struct source *s, size_t i, unsigned char *out, struct err *e)
{
	const size_t *shape = s->idx.shape;
	struct image im = { .height = shape[1], .width = shape[2], .channels = shape[3] };
	struct err why = { 0 };
	int rc;

	im.bytes = s->idx.bytes + s->at[i] * (im.height * im.width * im.channels);
	rc = pixels_fit(s->r->how->pixels, &im, out, &why);
	return rc == EX_OK ? rc
			   : err_set(e, rc, "%s: picture %zu: %s", s->r->name, s->at[i] + 1,
				     why.text);
}

static void note_failure(struct failure *f, size_t i, int rc, const struct err *why)
{
#pragma omp critical(dataset_images_failure)
	if (i < f->at)
		*f = (struct failure){ .at = i, .rc = rc, .err = *why };
}

static int fit_all(const struct source *s, struct err *e)
{
	const struct pixels *p = s->r->how->pixels;
	struct dataset *d = s->r->d;
	size_t size = p->channels * p->height * p->width, all;
	struct failure f = { .at = SIZE_MAX };

	if (!mem_mul(d->n, size, &all) || (d->pixels = malloc(all + 1)) == NULL)
		return err_set(e, EX_UNAVAILABLE,
			       "%s: %zu pictures of %zu bytes do not fit in memory",
			       s->r->name, d->n, size);
#pragma omp parallel for schedule(dynamic, 16)
	for (size_t i = 0; i < d->n; i++) {
		unsigned char *out = d->pixels + i * size;
		struct err why = { 0 };
		int rc = s->at == NULL ? fit_listed(s, i, out, &why)
				       : fit_indexed(s, i, out, &why);

		if (rc != EX_OK)
			note_failure(&f, i, rc, &why);
	}
	return f.at == SIZE_MAX ? EX_OK : err_set(e, f.rc, "%s", f.err.text);
}

static int count_tokens(struct reading *r, struct err *e)
{
	struct dataset *d = r->d;
	size_t tokens = r->how->image_tokens, all;

	if (!mem_mul(d->n, tokens, &all) ||
	    (d->start = mem_zeros(d->n + 1, sizeof *d->start)) == NULL)
		return err_nomem(e);
	for (size_t i = 0; i <= d->n; i++)
		d->start[i] = i * tokens;
	d->longest = tokens;
	return EX_OK;
}

/* ---- a list ---- */

/* The list's directory with its '/', or "". */
static char *directory_of(const char *list)
{
	const char *slash = strrchr(list, '/');

	return str_dupn(list, slash == NULL ? 0 : (size_t)(slash - list) + 1);
}

static int add_path(struct source *s, const char *dir, const char *path, struct err *e)
{
	char *whole = str_printf("%s%s", path[0] == '/' ? "" : dir, path);
	int rc = whole == NULL ? err_nomem(e) : strlist_add(&s->path, whole, e);

	free(whole);
	return rc;
}

static int take_row(struct source *s, const struct table *t, char **field, const char *dir,
		    struct err *e)
{
	const char *path = field[t->text[0]];
	bool taken;
	int rc;

	if (path[0] == '\0')
		return table_error(t, e, "the path is empty");
	rc = dataset_row(s->r, t, field, &taken, e);
	if (rc != EX_OK || !taken)
		return rc;
	rc = mem_grow(&s->line, &s->cap, s->r->d->n, sizeof *s->line, e);
	if (rc != EX_OK)
		return rc;
	s->line[s->r->d->n - 1] = rows_line(t->rows);
	return add_path(s, dir, path, e);
}

static int read_list(struct source *s, struct err *e)
{
	char *dir = directory_of(s->r->path), **field;
	struct table t;
	int rc = dir == NULL ? err_nomem(e) : table_open(&t, s->r->path, s->r->task, e);

	if (rc != EX_OK) {
		free(dir);
		return rc;
	}
	while ((rc = table_next(&t, &field, e)) == EX_OK && field != NULL)
		if ((rc = take_row(s, &t, field, dir, e)) != EX_OK)
			break;
	table_close(&t);
	free(dir);
	return rc;
}

/* ---- IDX ---- */

/* An IDX file begins with two zero bytes, a list never. What is no regular file cannot be
 * read twice, and is a list. */
static int is_idx(const char *path, bool *yes, struct err *e)
{
	unsigned char magic[2];
	size_t n = 0, got = 1;
	struct gzip *file;
	struct stat st;
	int rc;

	*yes = false;
	if (stat(path, &st) != 0 || !S_ISREG(st.st_mode))
		return EX_OK;
	rc = gzip_open(&file, path, e);
	for (; rc == EX_OK && n < sizeof magic && got > 0; n += got)
		rc = gzip_read(file, magic + n, sizeof magic - n, &got, e);
	gzip_close(file);
	*yes = rc == EX_OK && n == sizeof magic && magic[0] == 0 && magic[1] == 0;
	return rc;
}

/* Where `word` stands last in `s`, or NULL. */
static const char *find_last(const char *s, const char *word)
{
	const char *found = NULL;

	for (s = strstr(s, word); s != NULL; s = strstr(s + 1, word))
		found = s;
	return found;
}

/* The path with the last `word` of its file's name replaced; NULL in *out when it has none.
 */
static int replace_last(char **out, const char *path, const char *word, const char *by,
			struct err *e)
{
	const char *slash = strrchr(path, '/');
	const char *at = find_last(slash == NULL ? path : slash, word);

	*out = NULL;
	if (at == NULL)
		return EX_OK;
	*out = str_printf("%.*s%s%s", (int)(at - path), path, by, at + strlen(word));
	return *out == NULL ? err_nomem(e) : EX_OK;
}

/* "dir/train-labels-idx1-ubyte.gz" of "dir/train-images-idx3-ubyte.gz". */
static int sibling_of(char **out, const char *path, struct err *e)
{
	char *labels, *renamed;
	int rc = replace_last(&labels, path, "images", "labels", e);

	*out = NULL;
	if (labels == NULL)
		return rc;
	rc = replace_last(&renamed, labels, "idx3", "idx1", e);
	if (rc == EX_OK && renamed == NULL)
		rc = replace_last(&renamed, labels, "idx4", "idx1", e);
	if (renamed == NULL && rc == EX_OK) {
		*out = labels;
		return EX_OK;
	}
	free(labels);
	*out = renamed;
	return rc;
}

static int find_labels(const struct reading *r, char **out, struct err *e)
{
	const char *said = r->task->label;
	int rc;

	if (strcmp(said, TASK_IMAGE_LABEL) != 0) {
		if (!file_exists(said))
			return err_set(e, EX_NOINPUT,
				       "%s: no such file; the labels of an IDX file are a "
				       "file, which --label says",
				       said);
		*out = str_dup(said);
		return *out == NULL ? err_nomem(e) : EX_OK;
	}
	rc = sibling_of(out, r->path, e);
	if (rc != EX_OK || (*out != NULL && file_exists(*out)))
		return rc;
	if (*out != NULL)
		rc = err_set(e, EX_NOINPUT,
			     "%s: its labels should be in %s, which is not there; say "
			     "--label FILE",
			     r->path, *out);
	else
		rc = err_set(e, EX_NOINPUT, "%s: where are its labels? say --label FILE",
			     r->path);
	free(*out);
	*out = NULL;
	return rc;
}

/* The file of the labels is this data's alone: it does not travel with the task. */
static int forget_file(struct task *t, struct err *e)
{
	char *usual = str_dup(TASK_IMAGE_LABEL);

	if (usual == NULL)
		return err_nomem(e);
	free(t->label);
	t->label = usual;
	return EX_OK;
}

static int check_pictures(struct idx *x, const char *path, struct err *e)
{
	if (x->ndim < 3 || (x->ndim == 4 && x->shape[3] != 1 && x->shape[3] != 3))
		return err_set(e, EX_DATAERR,
			       "%s: %d dimensions; pictures have the three of number, "
			       "height and width, or a fourth of 1 or 3 colours",
			       path, x->ndim);
	if (x->shape[0] > 0 && x->n == 0)
		return err_set(e, EX_DATAERR, "%s: pictures of %zu x %zu pixels", path,
			       x->shape[1], x->shape[2]);
	if (x->shape[1] * x->shape[2] > IMAGE_MAX_PIXELS)
		return err_set(e, EX_DATAERR,
			       "%s: pictures of %zu x %zu pixels; at most %zu are read",
			       path, x->shape[1], x->shape[2], IMAGE_MAX_PIXELS);
	return EX_OK;
}

static int take_labels(struct source *s, const struct idx *labels, const char *path,
		       struct err *e)
{
	char name[8];
	struct err why = { 0 };
	bool taken;
	int rc = EX_OK;

	if (labels->ndim != 1 || labels->n != s->idx.shape[0])
		return err_set(e, EX_DATAERR,
			       "%s: %zu labels in %d dimensions; %s has %zu pictures, and "
			       "each has one label",
			       path, labels->n, labels->ndim, s->r->path, s->idx.shape[0]);
	s->at = mem_zeros(labels->n, sizeof *s->at);
	if (s->at == NULL)
		return err_nomem(e);
	for (size_t i = 0; i < labels->n && rc == EX_OK; i++) {
		snprintf(name, sizeof name, "%d", labels->bytes[i]);
		rc = dataset_label(s->r, name, &taken, &why);
		if (rc == EX_OK && taken)
			s->at[s->r->d->n - 1] = i;
	}
	if (rc != EX_OK)
		err_set(e, rc, "%s: %s", path, why.text);
	return rc;
}

static int read_labels(struct source *s, const char *path, struct err *e)
{
	struct idx labels = { 0 };
	int rc = idx_read(&labels, path, e);

	if (rc == EX_OK)
		rc = take_labels(s, &labels, path, e);
	idx_free(&labels);
	if (rc == EX_OK && s->idx.shape[0] == 0)
		rc = err_set(e, EX_DATAERR, "%s: no pictures", s->r->path);
	return rc == EX_OK ? forget_file(s->r->task, e) : rc;
}

static int read_idx(struct source *s, struct err *e)
{
	char *labels;
	int rc = find_labels(s->r, &labels, e);

	if (rc != EX_OK)
		return rc;
	rc = idx_read(&s->idx, s->r->path, e);
	if (rc == EX_OK)
		rc = check_pictures(&s->idx, s->r->path, e);
	if (rc == EX_OK)
		rc = read_labels(s, labels, e);
	free(labels);
	return rc;
}

int dataset_images(struct reading *r, struct err *e)
{
	struct source s = { .r = r };
	bool indexed;
	int rc = is_idx(r->path, &indexed, e);

	r->d->how = *r->how->pixels;
	if (rc == EX_OK)
		rc = indexed ? read_idx(&s, e) : read_list(&s, e);
	if (rc == EX_OK)
		rc = dataset_settle(r, e);
	if (rc == EX_OK)
		rc = count_tokens(r, e);
	if (rc == EX_OK)
		rc = fit_all(&s, e);
	strlist_free(&s.path);
	free(s.line);
	free(s.at);
	idx_free(&s.idx);
	return rc;
}
