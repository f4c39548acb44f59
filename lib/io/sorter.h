/*
 * sorter - more records than memory holds, in order.
 *
 * Records of one size gather in a buffer. Whenever it is full they are sorted and written,
 * as a run, to a temporary file that has no name; at the end all runs are merged, over
 * several levels when there are more than the buffer has room to read side by side. While
 * everything fits the buffer there is no file. Records that compare equal stay in the
 * order in which they were added.
 */
#ifndef IO_SORTER_H
#define IO_SORTER_H

#include <stddef.h>

#include "base/err.h"

struct sorter;

/* Records of `size` bytes, of which memory holds so many that all takes about `bytes`, and
 * four at least. The file is made in `dir`, when there is need of one. Neither `dir` nor
 * anything else of the caller's is copied. */
int sorter_open(struct sorter **s, size_t size, int (*compare)(const void *, const void *),
		size_t bytes, const char *dir, struct err *e);
void sorter_close(struct sorter *s);

/* Copies a record. EX_CANTCREAT when `dir` takes no file, EX_IOERR when it is full. */
int sorter_add(struct sorter *s, const void *record, struct err *e);

/* Begins with the least record: before the first sorter_next, and again for another time
 * through. Nothing is added any more. */
int sorter_rewind(struct sorter *s, struct err *e);
/* The next record, aligned as malloc's when `size` is, valid until the next call; NULL at
 * the end. */
int sorter_next(struct sorter *s, const void **record, struct err *e);

/* Runs that were written, merged ones among them; 0 while memory holds everything. */
size_t sorter_runs(const struct sorter *s);

#endif
