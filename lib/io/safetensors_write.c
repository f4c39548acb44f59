#include <errno.h>
#include <stdint.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#include "base/mem.h"
#include "base/str.h"
#include "io/json.h"
#include "io/safetensors.h"

#define ALIGN 8    /* of the data's first byte, by spaces behind the header */
#define PIECE 4096 /* elements that are converted at a time */

/* ---- rounding to half precision, to the nearest, ties to even ---- */

static uint16_t to_bf16(float x)
{
	uint32_t u;

	memcpy(&u, &x, sizeof u);
	if ((u & 0x7fffffff) > 0x7f800000)
		return (uint16_t)(u >> 16 | 0x40);
	return (uint16_t)((u + 0x7fff + (u >> 16 & 1)) >> 16);
}

/* Half has 5 bits of exponent (bias 15) and 10 of fraction. */
static uint16_t to_f16(float x)
{
	uint32_t u, sign, rest, shift, kept, half;

	memcpy(&u, &x, sizeof u);
	sign = u >> 16 & 0x8000;
	u &= 0x7fffffff;
	if (u > 0x7f800000)
		return (uint16_t)(sign | 0x7e00);
	if (u >= 0x477ff000) /* rounds beyond 65504 */
		return (uint16_t)(sign | 0x7c00);
	if (u < 0x33000000) /* below half of the smallest, 2^-24 */
		return (uint16_t)sign;
	if (u >= 0x38800000) { /* normal: 2^-14 and above */
		kept = (u - 0x38000000) >> 13;
		rest = u & 0x1fff;
		half = 0x1000;
	} else {
		shift = 126 - (u >> 23);
		u = (u & 0x7fffff) | 0x800000;
		kept = u >> shift;
		rest = u & ((1u << shift) - 1);
		half = 1u << (shift - 1);
	}
	kept += rest > half || (rest == half && (kept & 1));
	return (uint16_t)(sign | kept);
}

/* ---- the header ---- */

static size_t element_bytes(enum dtype d)
{
	return d == DTYPE_F32 ? 4 : 2;
}

static const char *dtype_name(enum dtype d)
{
	switch (d) {
	case DTYPE_F32: return "F32";
	case DTYPE_F16: return "F16";
	case DTYPE_BF16: return "BF16";
	default: return NULL;
	}
}

static bool count_elements(const struct tensor_out *t, size_t *n)
{
	*n = 1;
	for (int i = 0; i < t->ndim; i++)
		if (!mem_mul(*n, t->shape[i], n))
			return false;
	return true;
}

/* One entry; *at moves from the tensor's first byte behind its last. */
static int add_entry(struct strbuf *b, const struct tensor_out *t, size_t *at,
		     struct err *e)
{
	json_t *name = json_string(t->name);
	char *quoted = name == NULL ? NULL : json_dumps(name, JSON_ENCODE_ANY);
	size_t n, bytes, end;

	json_decref(name);
	if (quoted == NULL)
		return err_set(e, EX_DATAERR, "the name of tensor %s is no valid UTF-8",
			       t->name);
	strbuf_printf(b, ",%s:{\"dtype\":\"%s\",\"shape\":[", quoted, dtype_name(t->dtype));
	free(quoted);
	for (int i = 0; i < t->ndim; i++)
		strbuf_printf(b, "%s%zu", i == 0 ? "" : ",", t->shape[i]);
	if (!count_elements(t, &n) || !mem_mul(n, element_bytes(t->dtype), &bytes) ||
	    __builtin_add_overflow(*at, bytes, &end))
		return err_set(e, EX_SOFTWARE, "tensor %s is too large", t->name);
	strbuf_printf(b, "],\"data_offsets\":[%zu,%zu]}", *at, end);
	*at = end;
	return EX_OK;
}

static int make_header(struct strbuf *b, const struct tensor_out *const *t, size_t n,
		       struct err *e)
{
	size_t at = 0;
	int rc = EX_OK;

	strbuf_puts(b, "{\"__metadata__\":{\"format\":\"pt\"}");
	for (size_t i = 0; i < n && rc == EX_OK; i++) {
		if (dtype_name(t[i]->dtype) == NULL || t[i]->ndim > TENSOR_DIMS ||
		    (i > 0 && strcmp(t[i - 1]->name, t[i]->name) == 0))
			return err_set(e, EX_SOFTWARE, "tensor %s cannot be written",
				       t[i]->name);
		rc = add_entry(b, t[i], &at, e);
	}
	strbuf_puts(b, "}");
	while (!b->failed && b->len % ALIGN != 0)
		strbuf_puts(b, " ");
	if (rc == EX_OK && b->failed)
		rc = err_nomem(e);
	return rc;
}

/* ---- the file ---- */

static bool put_halves(FILE *f, const struct tensor_out *t, size_t n)
{
	uint16_t piece[PIECE];

	for (size_t at = 0; at < n; at += PIECE) {
		size_t count = n - at < PIECE ? n - at : PIECE;

		for (size_t i = 0; i < count; i++) {
			float x = t->data[at + i];

			piece[i] = t->dtype == DTYPE_F16 ? to_f16(x) : to_bf16(x);
		}
		if (fwrite(piece, sizeof *piece, count, f) != count)
			return false;
	}
	return true;
}

static bool put_tensor(FILE *f, const struct tensor_out *t)
{
	size_t n;

	count_elements(t, &n);
	if (t->dtype == DTYPE_F32)
		return fwrite(t->data, sizeof *t->data, n, f) == n;
	return put_halves(f, t, n);
}

static bool put_file(FILE *f, const struct strbuf *header,
		     const struct tensor_out *const *t, size_t n)
{
	unsigned char length[8];

	for (size_t i = 0; i < sizeof length; i++)
		length[i] = (unsigned char)((uint64_t)header->len >> (8 * i) & 0xff);
	if (fwrite(length, 1, sizeof length, f) != sizeof length ||
	    fwrite(header->s, 1, header->len, f) != header->len)
		return false;
	for (size_t i = 0; i < n; i++)
		if (!put_tensor(f, t[i]))
			return false;
	return fflush(f) == 0 && fsync(fileno(f)) == 0;
}

static int write_file(const char *path, const struct strbuf *header,
		      const struct tensor_out *const *t, size_t n, struct err *e)
{
	FILE *f = fopen(path, "wbx");
	int rc = EX_OK;

	if (f == NULL)
		return err_errno(e, EX_CANTCREAT, "%s: cannot create", path);
	if (!put_file(f, header, t, n))
		rc = err_errno(e, EX_IOERR, "%s: cannot write", path);
	if (fclose(f) != 0 && rc == EX_OK)
		rc = err_errno(e, EX_IOERR, "%s: cannot write", path);
	if (rc != EX_OK)
		unlink(path);
	return rc;
}

static int by_name(const void *a, const void *b)
{
	return strcmp((*(const struct tensor_out *const *)a)->name,
		      (*(const struct tensor_out *const *)b)->name);
}

int safetensors_write(const char *path, const struct tensor_out *t, size_t n, struct err *e)
{
	const struct tensor_out **sorted = mem_zeros(n, sizeof *sorted);
	struct strbuf header = { 0 };
	int rc;

	if (sorted == NULL)
		return err_nomem(e);
	for (size_t i = 0; i < n; i++)
		sorted[i] = &t[i];
	qsort(sorted, n, sizeof *sorted, by_name);
	rc = make_header(&header, sorted, n, e);
	if (rc == EX_OK)
		rc = write_file(path, &header, sorted, n, e);
	strbuf_free(&header);
	free(sorted);
	return rc;
}
