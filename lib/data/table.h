/*
 * table - the columns of a file of rows that a task names.
 */
#ifndef DATA_TABLE_H
#define DATA_TABLE_H

#include <stddef.h>

#include "base/err.h"
#include "data/task.h"
#include "io/rows.h"

struct table {
	struct rows *rows;
	const struct task *task;
	size_t text[2], label;  /* columns, from 0 */
	size_t n_text, columns; /* columns: fields of the first row */
	size_t left_out;        /* rows with too few fields, where such are known to be */
	char **first;           /* a first row that is no header, until it was given out */
};

/* Opens `path` ("-": stdin; .gz or not) and finds the columns in its first row. The columns
 * of a list of images, when they are the usual ones and not there, are the first and the
 * second; a first row whose path ends in .png, .jpg or .jpeg is no header. EX_DATAERR: no
 * rows at all, a column that is not there (with those that are). On failure there is
 * nothing to close. */
int table_open(struct table *t, const char *path, const struct task *task, struct err *e);
/* The next row's fields, good until the next call; *field is NULL at the end. EX_DATAERR:
 * a row whose number of fields is not that of the first. */
int table_next(struct table *t, char ***field, struct err *e);
/* EX_DATAERR with FILE:LINE of the current row. */
int table_error(const struct table *t, struct err *e, const char *what);
void table_close(struct table *t);

#endif
