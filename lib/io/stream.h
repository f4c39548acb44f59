/*
 * stream - the records that travel between the tools, as text or binary.
 *
 * Text (see adapeft-stream(5)), tab-separated; all that is no data row starts with #:
 *
 *     ##adapeft 1 KIND
 *     ##KEY<tab>VALUE        metadata: model, task, pg, budget, ...
 *     #col<tab>col...        the columns
 *     cell<tab>cell...       rows
 *     ##end rows=N crc32=X   N data rows; X is zlib's crc32, eight hex digits, of
 *                            every byte before this line
 *
 * A cell holds no tab, newline or leading '#'; the writer writes those, and
 * backslashes, as \t \n \x23 \\ and the reader reads them back. So it does with a
 * VALUE, where a leading blank is \x20. KEY and VALUE are parted by blanks or tabs.
 * Metadata may stand between the header and the end (a ##budget line before its
 * rows, say); other lines that begin with # are passed over. A line is at most
 * 64 MiB long and holds no NUL.
 * A stream without its ##end line was cut short: EX_DATAERR, always. Counts or a
 * checksum that disagree with a complete ##end mean that someone edited or
 * filtered it: the reader goes on and leaves a note, or fails when strict.
 *
 * Binary carries the same lines in zlib blocks with a CRC each; any damage is
 * EX_DATAERR. Converting text to binary and back gives the same bytes.
 */
#ifndef IO_STREAM_H
#define IO_STREAM_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>
#include <stdio.h>

#include "base/err.h"
#include "base/str.h"

enum stream_format { STREAM_TEXT, STREAM_BINARY };

/* One line of metadata: ##KEY<tab>VALUE. */
struct meta {
	char *key, *value;
};

struct meta_list {
	struct meta *m;
	size_t n, cap;
};

int meta_add(struct meta_list *l, const char *key, const char *value, struct err *e);
/* Adds all lines of `from`. */
int meta_copy(struct meta_list *to, const struct meta_list *from, struct err *e);
/* The value of the first line with that key, or NULL. */
const char *meta_get(const struct meta_list *l, const char *key);
/* The word NAME=WORD inside a value ("params=22713986  sha256=..."; words end at
 * a space or tab), for the caller to free; NULL when there is none. */
char *meta_word(const char *value, const char *name);
void meta_free(struct meta_list *l);

/* ---- writing ---- */

struct stream_writer;

/* Starts a stream of `kind` with these columns on `out`, which stays the caller's.
 * The metadata of `head` is written in its order, before the columns. */
int stream_create(struct stream_writer **w, FILE *out, enum stream_format format,
		  const char *kind, const struct meta_list *head,
		  const char *const *columns, size_t n_columns, struct err *e);

/* A row is built cell by cell, in the order of the columns, and ended. */
void stream_put_text(struct stream_writer *w, const char *s);
void stream_put_int(struct stream_writer *w, int64_t x);
void stream_put_real(struct stream_writer *w, double x); /* shortest that reads back */
int stream_end_row(struct stream_writer *w, struct err *e);

/* Metadata between rows. A key holds no blanks and is not "adapeft" or "end". */
int stream_put_meta(struct stream_writer *w, const char *key, const char *value,
		    struct err *e);

/* Hands what was written to the next tool now (rows appear as they are made). */
int stream_flush(struct stream_writer *w, struct err *e);

/* Writes ##end, flushes, frees (also when it fails). stream_abort frees and leaves the
 * stream unended. */
int stream_finish(struct stream_writer *w, struct err *e);
void stream_abort(struct stream_writer *w);

/* ---- reading ---- */

struct stream_reader;

/* Opens `path` (NULL or "-" for stdin), tells text from binary and reads the header.
 * EX_NOINPUT when it is not there, EX_DATAERR when it is not a stream or, with
 * `kind` not NULL, one of another kind. */
int stream_open(struct stream_reader **r, const char *path, const char *kind, bool strict,
		struct err *e);

const char *stream_kind(const struct stream_reader *r);
const char *stream_name(const struct stream_reader *r); /* file name, or "stdin" */
const struct meta_list *stream_head(const struct stream_reader *r);
const char *const *stream_columns(const struct stream_reader *r, size_t *n);

/* The index of a column. EX_DATAERR says which one is missing. */
int stream_column(const struct stream_reader *r, const char *name, size_t *at,
		  struct err *e);
/* As above for a column that may be absent: SIZE_MAX then. */
size_t stream_column_maybe(const struct stream_reader *r, const char *name);

/* The next row. *got is false at the end, when the stream was whole. Cells stay
 * valid until the next call. */
int stream_next(struct stream_reader *r, bool *got, struct err *e);
const char *stream_text(const struct stream_reader *r, size_t column);
/* EX_DATAERR with FILE:LINE and the column's name when the cell is no number. */
int stream_real(const struct stream_reader *r, size_t column, double *x, struct err *e);
int stream_int(const struct stream_reader *r, size_t column, int64_t *x, struct err *e);
/* Metadata lines that came since the row before this one (or after the header). */
const struct meta_list *stream_between(const struct stream_reader *r);
/* err_at for the current row. */
int stream_error(const struct stream_reader *r, struct err *e, const char *fmt, ...)
    __attribute__((format(printf, 3, 4)));

/* After the end: a one-line note when the stream was edited or filtered, else NULL. */
const char *stream_note(const struct stream_reader *r);
void stream_close(struct stream_reader *r);

/* ---- copying line by line, byte for byte ---- */

/* The lines up to that of the columns, as they stand. */
const char *stream_head_lines(const struct stream_reader *r, size_t *len);

/* As stream_next, with the next line of any sort as it stands, newline included, valid
 * until the next call; *got is false at the ##end line, when the stream was whole. */
int stream_next_line(struct stream_reader *r, const char **line, size_t *len, bool *got,
		     struct err *e);
/* After the end: the ##end line, newline included. */
const char *stream_end_line(const struct stream_reader *r);

/* Starts a stream on `out` with the head of `r` as it stands and, in front of the
 * columns, the metadata of `more` (or NULL). */
int stream_create_like(struct stream_writer **w, FILE *out, enum stream_format format,
		       const struct stream_reader *r, const struct meta_list *more,
		       struct err *e);
/* A line that stream_next_line gave. */
int stream_put_line(struct stream_writer *w, const char *line, size_t len, struct err *e);
/* As stream_finish, with an ##end line of another stream in place of a new one. */
int stream_finish_as(struct stream_writer *w, const char *end_line, struct err *e);

#endif
