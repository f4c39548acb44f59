/*
 * idx - arrays of bytes in the IDX format, in which MNIST and its kin are published.
 *
 * A file is two zero bytes, a byte for the type of the elements (0x08: unsigned bytes, the
 * only one read here), a byte for the number of dimensions, each dimension's size as 32
 * bits with the highest byte first, and the elements, the last dimension fastest. It may be
 * gzipped.
 */
#ifndef IO_IDX_H
#define IO_IDX_H

#include <stddef.h>

#include "base/err.h"

#define IDX_MAX_DIMS 4

struct idx {
	int ndim;                   /* 1 to IDX_MAX_DIMS */
	size_t shape[IDX_MAX_DIMS]; /* 1 beyond ndim */
	unsigned char *bytes;       /* [shape[0]][shape[1]]... */
	size_t n;                   /* how many: the product of the shape */
};

/* Release with idx_free. EX_NOINPUT when the file is not there; EX_DATAERR for another
 * format, other elements, sizes that the file does not have exactly, and what io/gzip.h
 * refuses. */
int idx_read(struct idx *x, const char *path, struct err *e);
void idx_free(struct idx *x);

#endif
