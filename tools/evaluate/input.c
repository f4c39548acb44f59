/*
 * The models that are to be judged, from run streams and directories.
 */
#include <math.h>
#include <stdlib.h>
#include <string.h>

#include "base/mem.h"
#include "io/file.h"
#include "point.h"
#include "train/saved.h"

static bool has_pg(const struct meta_list *l, const char *value)
{
	for (size_t i = 0; i < l->n; i++) {
		if (strcmp(l->m[i].key, "pg") == 0 && strcmp(l->m[i].value, value) == 0)
			return true;
	}
	return false;
}

static int add_pg(struct points *ps, const char *value, struct err *e)
{
	return has_pg(&ps->origin, value) ? EX_OK : meta_add(&ps->origin, "pg", value, e);
}

static int add_once(struct points *ps, const char *key, const char *value, struct err *e)
{
	if (value == NULL || meta_get(&ps->origin, key) != NULL)
		return EX_OK;
	return meta_add(&ps->origin, key, value, e);
}

static int add_point(struct points *ps, const char *run, const char *budget,
		     const char *dir, struct point **out, struct err *e)
{
	int rc = mem_grow(&ps->p, &ps->cap, ps->n + 1, sizeof *ps->p, e);

	if (rc != EX_OK)
		return rc;
	*out = &ps->p[ps->n++];
	(*out)->run = str_dup(run);
	(*out)->budget = str_dup(budget);
	(*out)->dir = str_dup(dir);
	(*out)->percent = NAN;
	if ((*out)->run == NULL || (*out)->budget == NULL || (*out)->dir == NULL)
		return err_nomem(e);
	return EX_OK;
}

/* ---- a directory ---- */

/* The last part of a path, for the caller to free. */
static char *last_part(const char *path)
{
	size_t end = strlen(path), begin;

	while (end > 1 && path[end - 1] == '/')
		end--;
	for (begin = end; begin > 0 && path[begin - 1] != '/';)
		begin--;
	return str_dupn(path + begin, end - begin);
}

static int add_noted(struct points *ps, const char *dir, const struct saved_note *note,
		     struct err *e)
{
	char *name = last_part(dir);
	struct point *p;
	int rc = name == NULL
		     ? err_nomem(e)
		     : add_point(ps, note->run != NULL ? note->run : name,
				 note->budget != NULL ? note->budget : "-", dir, &p, e);

	if (rc == EX_OK) {
		p->trained = note->trained;
		rc = add_once(ps, "task", note->task, e);
	}
	for (size_t i = 0; i < note->pg.n && rc == EX_OK; i++)
		rc = add_pg(ps, note->pg.s[i], e);
	free(name);
	return rc;
}

static int add_directory(struct points *ps, const char *dir, struct err *e)
{
	struct saved_note note;
	int rc = saved_read(&note, dir, e);

	if (rc != EX_OK)
		return rc;
	rc = add_noted(ps, dir, &note, e);
	saved_note_free(&note);
	return rc;
}

/* ---- a run stream ---- */

enum { RUN, BUDGET, TRAINED, PERCENT, MODEL, COLUMNS };

static int add_row(struct points *ps, const struct stream_reader *r, const size_t *at,
		   struct err *e)
{
	struct point *p;
	int64_t trained;
	int rc = stream_int(r, at[TRAINED], &trained, e);

	if (rc == EX_OK && trained < 0)
		rc = stream_error(r, e, "trained is negative");
	if (rc == EX_OK)
		rc = add_point(ps, stream_text(r, at[RUN]), stream_text(r, at[BUDGET]),
			       stream_text(r, at[MODEL]), &p, e);
	if (rc != EX_OK)
		return rc;
	p->trained = (uint64_t)trained;
	return stream_real(r, at[PERCENT], &p->percent, e);
}

static int add_head(struct points *ps, const struct meta_list *head, struct err *e)
{
	int rc = add_once(ps, "model", meta_get(head, "model"), e);

	if (rc == EX_OK)
		rc = add_once(ps, "task", meta_get(head, "task"), e);
	for (size_t i = 0; i < head->n && rc == EX_OK; i++) {
		if (strcmp(head->m[i].key, "pg") == 0)
			rc = add_pg(ps, head->m[i].value, e);
	}
	return rc;
}

static int add_rows(struct points *ps, struct stream_reader *r, struct err *e)
{
	static const char *const names[COLUMNS] = { "run", "budget", "trained", "percent",
						    "model" };
	size_t at[COLUMNS];
	bool got = true;
	int rc = add_head(ps, stream_head(r), e);

	for (int i = 0; i < COLUMNS && rc == EX_OK; i++)
		rc = stream_column(r, names[i], &at[i], e);
	while (rc == EX_OK && (rc = stream_next(r, &got, e)) == EX_OK && got)
		rc = add_row(ps, r, at, e);
	return rc;
}

int points_add(struct points *ps, const struct cli *cli, const char *operand, struct err *e)
{
	struct stream_reader *r;
	int rc;

	if (strcmp(operand, "-") != 0 && file_is_dir(operand))
		return add_directory(ps, operand, e);
	if ((rc = stream_open(&r, operand, "run", cli->strict, e)) != EX_OK)
		return rc;
	rc = add_rows(ps, r, e);
	if (rc == EX_OK && stream_note(r) != NULL)
		cli_note(cli, "%s", stream_note(r));
	stream_close(r);
	return rc;
}
