/*
 * safetensors - tensors in a mapped file, and writing them.
 *
 * A file is: u64 little-endian N, N bytes of JSON {"name": {"dtype", "shape",
 * "data_offsets": [begin, end]}, "__metadata__": {...}}, then the data. Everything is
 * checked against the file's size before use: offsets in range, in order and without
 * overlap or hole, sizes equal to shape times dtype, names unique.
 */
#ifndef IO_SAFETENSORS_H
#define IO_SAFETENSORS_H

#include <stddef.h>

#include "base/err.h"
#include "io/file.h"

enum dtype { DTYPE_F32, DTYPE_F16, DTYPE_BF16, DTYPE_F64, DTYPE_I64, DTYPE_OTHER };

#define TENSOR_DIMS 4

struct tensor_view {
	char *name;
	enum dtype dtype;
	int ndim;
	size_t shape[TENSOR_DIMS];
	size_t n;         /* elements */
	const void *data; /* in the mapping; may be unaligned */
	size_t bytes;
};

struct safetensors {
	char *path;
	struct mapped map;
	struct tensor_view *t; /* sorted by name */
	size_t n;
};

int safetensors_open(struct safetensors *s, const char *path, struct err *e);
const struct tensor_view *safetensors_find(const struct safetensors *s, const char *name);
void safetensors_close(struct safetensors *s);

/* The `n` elements of a F32, F16, BF16 or F64 tensor as floats; EX_DATAERR for others. */
int tensor_floats(const struct tensor_view *t, float *out, const char *file, struct err *e);

/* A tensor to write: F32 data, written as `dtype` (F32, F16 or BF16, rounded to even). */
struct tensor_out {
	const char *name;
	enum dtype dtype;
	int ndim;
	size_t shape[TENSOR_DIMS];
	const float *data;
};

/* Writes a new file at `path` (fsynced), tensors in the order of their names, with
 * metadata {"format": "pt"}. */
int safetensors_write(const char *path, const struct tensor_out *t, size_t n,
		      struct err *e);

#endif
