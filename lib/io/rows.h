/*
 * rows - rows of fields from a TSV or CSV file, gzipped or not, through libcsv.
 *
 * Fields are bytes as they stand in the file (spaces kept); a UTF-8 byte order mark
 * at the start is skipped; CRLF and LF both end a row; the last row needs neither.
 * NUL bytes are EX_DATAERR.
 */
#ifndef IO_ROWS_H
#define IO_ROWS_H

#include <stdbool.h>
#include <stddef.h>

#include "base/err.h"

struct rows;

/* `delimiter` '\t' or ','; without `quoting` a double quote is a character like any
 * other. "-" reads stdin. EX_NOINPUT when the file is not there. */
int rows_open(struct rows **r, const char *path, char delimiter, bool quoting,
	      struct err *e);
/* The next row; *n is 0 at the end. Empty lines are passed over. The fields stay valid
 * until the next call. EX_DATAERR with FILE:LINE for malformed quoting and a row of more
 * than 16 MiB, with FILE for what io/gzip.h refuses. After an error the rows can only be
 * closed. */
int rows_next(struct rows *r, char ***fields, size_t *n, struct err *e);
/* Line where the current row started, from 1. */
unsigned long long rows_line(const struct rows *r);
const char *rows_name(const struct rows *r);
void rows_close(struct rows *r);

#endif
