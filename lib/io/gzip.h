/*
 * gzip - the bytes of a file, gzipped or not, in their order.
 */
#ifndef IO_GZIP_H
#define IO_GZIP_H

#include <stddef.h>

#include "base/err.h"

struct gzip;

/* "-" reads stdin. EX_NOINPUT when the file is not there or is a directory. */
int gzip_open(struct gzip **g, const char *path, struct err *e);
/* The next 1 to `n` bytes; *got is 0 at the end of a sound file. EX_DATAERR for a truncated
 * or damaged gzip file and for a .gz that is none, after which it can only be closed. */
int gzip_read(struct gzip *g, void *bytes, size_t n, size_t *got, struct err *e);
const char *gzip_name(const struct gzip *g); /* the path, or "stdin" */
void gzip_close(struct gzip *g);

#endif
