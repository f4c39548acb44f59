#include "io/safetensors.h"

#include <stdint.h>
#include <stdlib.h>
#include <string.h>

#include "base/mem.h"
#include "base/str.h"
#include "io/json.h"
#include "tensor/kernels.h"

#define LENGTH_BYTES 8                             /* of the header's length, before it */
#define HEADER_MAX   ((uint64_t)100 * 1000 * 1000) /* the format's own limit */

static const struct {
	const char *name;
	enum dtype dtype;
	size_t bytes;
} dtypes[] = {
	{ "F32", DTYPE_F32, 4 },       { "F16", DTYPE_F16, 2 },
	{ "BF16", DTYPE_BF16, 2 },     { "F64", DTYPE_F64, 8 },
	{ "I64", DTYPE_I64, 8 },       { "I32", DTYPE_OTHER, 4 },
	{ "I16", DTYPE_OTHER, 2 },     { "I8", DTYPE_OTHER, 1 },
	{ "U64", DTYPE_OTHER, 8 },     { "U32", DTYPE_OTHER, 4 },
	{ "U16", DTYPE_OTHER, 2 },     { "U8", DTYPE_OTHER, 1 },
	{ "BOOL", DTYPE_OTHER, 1 },    { "C64", DTYPE_OTHER, 8 },
	{ "F8_E4M3", DTYPE_OTHER, 1 }, { "F8_E5M2", DTYPE_OTHER, 1 },
};

/* A file while it is read. */
struct reader {
	const char *path;
	const unsigned char *data; /* behind the header */
	size_t size;               /* of the data */
	struct err *e;
};

static bool has_control(const char *s)
{
	for (; *s != '\0'; s++)
		if ((unsigned char)*s < 0x20 || *s == 0x7f)
			return true;
	return false;
}

static int read_dtype(const struct reader *r, struct tensor_view *t, const json_t *entry,
		      size_t *bytes)
{
	const json_t *v = json_object_get(entry, "dtype");
	size_t n = sizeof dtypes / sizeof dtypes[0];

	if (!json_is_string(v))
		return err_set(r->e, EX_DATAERR, "%s: tensor %s has no dtype", r->path,
			       t->name);
	t->dtype = DTYPE_OTHER;
	*bytes = 0;
	for (size_t i = 0; i < n; i++) {
		if (strcmp(json_string_value(v), dtypes[i].name) != 0)
			continue;
		t->dtype = dtypes[i].dtype;
		*bytes = dtypes[i].bytes;
	}
	return EX_OK;
}

/* A whole number >= 0 that fits a size_t. */
static bool read_size(const json_t *v, size_t *out)
{
	if (!json_is_integer(v) || json_integer_value(v) < 0)
		return false;
	*out = (size_t)json_integer_value(v);
	return (json_int_t)*out == json_integer_value(v);
}

static int read_shape(const struct reader *r, struct tensor_view *t, const json_t *entry)
{
	const json_t *v = json_object_get(entry, "shape");
	size_t dims = json_array_size(v);

	if (!json_is_array(v))
		return err_set(r->e, EX_DATAERR, "%s: tensor %s has no shape", r->path,
			       t->name);
	if (dims > TENSOR_DIMS)
		return err_set(r->e, EX_DATAERR,
			       "%s: tensor %s has %zu dimensions, the most is %d", r->path,
			       t->name, dims, TENSOR_DIMS);
	t->ndim = (int)dims;
	t->n = 1;
	for (size_t i = 0; i < dims; i++) {
		if (!read_size(json_array_get(v, i), &t->shape[i]))
			return err_set(
			    r->e, EX_DATAERR,
			    "%s: tensor %s: a size in its shape is no whole number",
			    r->path, t->name);
		if (!mem_mul(t->n, t->shape[i], &t->n))
			return err_set(r->e, EX_DATAERR,
				       "%s: tensor %s: the product of its shape overflows",
				       r->path, t->name);
	}
	return EX_OK;
}

static int read_offsets(const struct reader *r, struct tensor_view *t, const json_t *entry)
{
	const json_t *v = json_object_get(entry, "data_offsets");
	size_t begin, end;

	if (json_array_size(v) != 2 || !read_size(json_array_get(v, 0), &begin) ||
	    !read_size(json_array_get(v, 1), &end))
		return err_set(r->e, EX_DATAERR,
			       "%s: tensor %s: data_offsets are not two whole numbers",
			       r->path, t->name);
	if (begin > end)
		return err_set(r->e, EX_DATAERR,
			       "%s: tensor %s: data_offsets are reversed (%zu, %zu)",
			       r->path, t->name, begin, end);
	if (end > r->size)
		return err_set(
		    r->e, EX_DATAERR,
		    "%s: truncated: tensor %s ends at byte %zu of the data, which "
		    "has %zu; fetch the file again",
		    r->path, t->name, end, r->size);
	t->data = r->data + begin;
	t->bytes = end - begin;
	return EX_OK;
}

static int read_tensor(const struct reader *r, struct tensor_view *t, const char *name,
		       const json_t *entry)
{
	size_t element = 0, bytes;
	int rc;

	if (name[0] == '\0' || has_control(name))
		return err_set(r->e, EX_DATAERR,
			       "%s: the name of tensor '%s' is empty or holds control "
			       "characters",
			       r->path, name);
	if (!json_is_object(entry))
		return err_set(r->e, EX_DATAERR, "%s: the entry of tensor %s is no object",
			       r->path, name);
	t->name = str_dup(name);
	if (t->name == NULL)
		return err_nomem(r->e);
	rc = read_dtype(r, t, entry, &element);
	if (rc == EX_OK)
		rc = read_shape(r, t, entry);
	if (rc == EX_OK)
		rc = read_offsets(r, t, entry);
	if (rc != EX_OK || element == 0)
		return rc;
	if (!mem_mul(t->n, element, &bytes) || bytes != t->bytes)
		return err_set(r->e, EX_DATAERR,
			       "%s: tensor %s has %zu elements of %zu bytes in %zu bytes",
			       r->path, t->name, t->n, element, t->bytes);
	return EX_OK;
}

static int check_metadata(const struct reader *r, json_t *meta)
{
	void *at;

	if (!json_is_object(meta))
		return err_set(r->e, EX_DATAERR, "%s: __metadata__ is no object", r->path);
	for (at = json_object_iter(meta); at != NULL; at = json_object_iter_next(meta, at))
		if (!json_is_string(json_object_iter_value(at)))
			return err_set(r->e, EX_DATAERR,
				       "%s: __metadata__: the value of '%s' is no string",
				       r->path, json_object_iter_key(at));
	return EX_OK;
}

static int read_tensors(const struct reader *r, struct safetensors *s, json_t *header)
{
	void *at;
	int rc = EX_OK;

	if (!json_is_object(header))
		return err_set(r->e, EX_DATAERR, "%s: the header is no JSON object",
			       r->path);
	s->t = mem_zeros(json_object_size(header), sizeof *s->t);
	if (s->t == NULL)
		return err_nomem(r->e);
	at = json_object_iter(header);
	for (; at != NULL && rc == EX_OK; at = json_object_iter_next(header, at)) {
		const char *name = json_object_iter_key(at);

		if (strcmp(name, "__metadata__") == 0)
			rc = check_metadata(r, json_object_iter_value(at));
		else
			rc =
			    read_tensor(r, &s->t[s->n++], name, json_object_iter_value(at));
	}
	return rc;
}

static int by_place(const void *a, const void *b)
{
	const struct tensor_view *x = a, *y = b;
	uintptr_t p = (uintptr_t)x->data, q = (uintptr_t)y->data;

	if (p != q)
		return p < q ? -1 : 1;
	return (x->bytes > y->bytes) - (x->bytes < y->bytes);
}

static int by_name(const void *a, const void *b)
{
	return strcmp(((const struct tensor_view *)a)->name,
		      ((const struct tensor_view *)b)->name);
}

/* Every byte of the data belongs to exactly one tensor. */
static int check_places(const struct reader *r, struct safetensors *s)
{
	size_t used = 0;

	qsort(s->t, s->n, sizeof *s->t, by_place);
	for (size_t i = 0; i < s->n; i++) {
		const struct tensor_view *t = &s->t[i];
		size_t begin = (size_t)((const unsigned char *)t->data - r->data);

		if (begin < used)
			return err_set(
			    r->e, EX_DATAERR,
			    "%s: tensors %s and %s overlap at byte %zu of the data",
			    r->path, s->t[i - 1].name, t->name, begin);
		if (begin > used)
			return err_set(r->e, EX_DATAERR,
				       "%s: a hole of %zu bytes before tensor %s", r->path,
				       begin - used, t->name);
		used += t->bytes;
	}
	if (used < r->size)
		return err_set(r->e, EX_DATAERR,
			       "%s: %zu trailing bytes behind the last tensor", r->path,
			       r->size - used);
	qsort(s->t, s->n, sizeof *s->t, by_name);
	return EX_OK;
}

/* The header's length, checked against the file. */
static int header_length(const struct safetensors *s, size_t *length, struct err *e)
{
	uint64_t n = 0;

	if (s->map.size < LENGTH_BYTES)
		return err_set(e, EX_DATAERR,
			       "%s: %zu bytes are too few for a safetensors file", s->path,
			       s->map.size);
	for (int i = LENGTH_BYTES - 1; i >= 0; i--)
		n = n << 8 | s->map.data[i];
	if (n > HEADER_MAX)
		return err_set(e, EX_DATAERR,
			       "%s: no safetensors file: a header of %llu bytes", s->path,
			       (unsigned long long)n);
	if (n > s->map.size - LENGTH_BYTES)
		return err_set(
		    e, EX_DATAERR,
		    "%s: truncated: a header of %llu bytes in a file of %zu; fetch "
		    "the file again",
		    s->path, (unsigned long long)n, s->map.size);
	*length = (size_t)n;
	return EX_OK;
}

static int read_header(struct safetensors *s, struct err *e)
{
	struct reader r = { .path = s->path, .e = e };
	json_t *header;
	char *name;
	size_t length = 0;
	int rc = header_length(s, &length, e);

	if (rc != EX_OK)
		return rc;
	r.data = s->map.data + LENGTH_BYTES + length;
	r.size = s->map.size - LENGTH_BYTES - length;
	name = str_printf("%s: header", s->path);
	if (name == NULL)
		return err_nomem(e);
	rc = js_parse(&header, (const char *)s->map.data + LENGTH_BYTES, length, name, e);
	free(name);
	if (rc != EX_OK)
		return rc;
	rc = read_tensors(&r, s, header);
	json_decref(header);
	return rc == EX_OK ? check_places(&r, s) : rc;
}

int safetensors_open(struct safetensors *s, const char *path, struct err *e)
{
	int rc;

	memset(s, 0, sizeof *s);
	rc = file_map(&s->map, path, e);
	if (rc != EX_OK)
		return rc;
	s->path = str_dup(path);
	rc = s->path == NULL ? err_nomem(e) : read_header(s, e);
	if (rc != EX_OK)
		safetensors_close(s);
	return rc;
}

const struct tensor_view *safetensors_find(const struct safetensors *s, const char *name)
{
	size_t low = 0, high = s->n;

	while (low < high) {
		size_t mid = low + (high - low) / 2;
		int order = strcmp(name, s->t[mid].name);

		if (order == 0)
			return &s->t[mid];
		if (order < 0)
			high = mid;
		else
			low = mid + 1;
	}
	return NULL;
}

void safetensors_close(struct safetensors *s)
{
	for (size_t i = 0; i < s->n; i++)
		free(s->t[i].name);
	free(s->t);
	free(s->path);
	file_unmap(&s->map);
	memset(s, 0, sizeof *s);
}

/* ---- elements ---- */

/* 16-bit elements, through an aligned buffer when they lie at an odd address. */
static void floats_from_16(const struct tensor_view *t, float *out)
{
	const struct kernels *k = kernels_pick(NULL);
	uint16_t piece[1024];
	bool odd = (uintptr_t)t->data % _Alignof(uint16_t) != 0;
	size_t step = odd ? sizeof piece / sizeof piece[0] : t->n;

	for (size_t at = 0; at < t->n; at += step) {
		const void *from = (const unsigned char *)t->data + at * sizeof piece[0];
		size_t n = t->n - at < step ? t->n - at : step;

		if (odd) {
			memcpy(piece, from, n * sizeof piece[0]);
			from = piece;
		}
		if (t->dtype == DTYPE_F16)
			floats_from_f16(k, n, from, out + at);
		else
			floats_from_bf16(k, n, from, out + at);
	}
}

int tensor_floats(const struct tensor_view *t, float *out, const char *file, struct err *e)
{
	const unsigned char *from = t->data;
	double x;

	switch (t->dtype) {
	case DTYPE_F32:
		if (t->n > 0)
			memcpy(out, from, t->n * sizeof *out);
		return EX_OK;
	case DTYPE_F16:
	case DTYPE_BF16: floats_from_16(t, out); return EX_OK;
	case DTYPE_F64:
		for (size_t i = 0; i < t->n; i++) {
			memcpy(&x, from + i * sizeof x, sizeof x);
			out[i] = (float)x;
		}
		return EX_OK;
	case DTYPE_I64:
	case DTYPE_OTHER: break;
	}
	return err_set(e, EX_DATAERR,
		       "%s: tensor %s is not of type F32, F16, BF16 or F64; convert it",
		       file, t->name);
}
