#include "io/idx.h"

#include <stdlib.h>

#include "base/mem.h"
#include "io/gzip.h"

#define TYPE_BYTES  0x08
#define BLOCK_BYTES ((size_t)1 << 20)

/* Up to `n` bytes: fewer only where the file ends. */
static int read_upto(struct gzip *f, unsigned char *bytes, size_t n, size_t *got,
		     struct err *e)
{
	size_t more = 1;
	int rc = EX_OK;

	for (*got = 0; rc == EX_OK && *got < n && more > 0; *got += more)
		rc = gzip_read(f, bytes + *got, n - *got, &more, e);
	return rc;
}

static int check_magic(const unsigned char *magic, size_t got, const char *name,
		       struct err *e)
{
	if (got < 4)
		return err_set(e, EX_DATAERR,
			       "%s: not an IDX file: it ends after %zu bytes", name, got);
	if (magic[0] != 0 || magic[1] != 0)
		return err_set(e, EX_DATAERR,
			       "%s: not an IDX file: it begins with %02x %02x %02x %02x, "
			       "not with 00 00 08 and the number of dimensions",
			       name, magic[0], magic[1], magic[2], magic[3]);
	if (magic[2] != TYPE_BYTES)
		return err_set(e, EX_DATAERR,
			       "%s: an IDX file of elements of type 0x%02x; only unsigned "
			       "bytes, 0x08, are read",
			       name, magic[2]);
	if (magic[3] < 1 || magic[3] > IDX_MAX_DIMS)
		return err_set(e, EX_DATAERR,
			       "%s: an IDX file of %d dimensions; 1 to %d are read", name,
			       magic[3], IDX_MAX_DIMS);
	return EX_OK;
}

static int read_shape(struct idx *x, struct gzip *f, struct err *e)
{
	unsigned char size[4];
	size_t got;
	int rc;

	x->n = 1;
	for (int i = 0; i < x->ndim; i++) {
		rc = read_upto(f, size, sizeof size, &got, e);
		if (rc != EX_OK)
			return rc;
		if (got < sizeof size)
			return err_set(e, EX_DATAERR,
				       "%s: truncated: it ends in the size of dimension "
				       "%d of %d",
				       gzip_name(f), i + 1, x->ndim);
		x->shape[i] = (size_t)size[0] << 24 | (size_t)size[1] << 16 |
			      (size_t)size[2] << 8 | size[3];
		if (!mem_mul(x->n, x->shape[i], &x->n))
			return err_set(e, EX_DATAERR,
				       "%s: damaged: its dimensions multiply to more than "
				       "any file has",
				       gzip_name(f));
	}
	return EX_OK;
}

/* Memory grows with what the file turns out to hold: a gzipped one's size says little. */
static int read_elements(struct idx *x, struct gzip *f, struct err *e)
{
	size_t cap = 0, have = 0, got = 1;
	unsigned char beyond;
	int rc = mem_grow(&x->bytes, &cap, 1, 1, e);

	while (rc == EX_OK && have < x->n && got > 0) {
		size_t want = x->n - have < BLOCK_BYTES ? x->n - have : BLOCK_BYTES;

		rc = mem_grow(&x->bytes, &cap, have + want, 1, e);
		if (rc == EX_OK)
			rc = gzip_read(f, x->bytes + have, want, &got, e);
		have += rc == EX_OK ? got : 0;
	}
	if (rc == EX_OK && have < x->n)
		return err_set(e, EX_DATAERR,
			       "%s: truncated: %zu of %zu elements are there; fetch it "
			       "again",
			       gzip_name(f), have, x->n);
	if (rc == EX_OK)
		rc = gzip_read(f, &beyond, 1, &got, e);
	if (rc == EX_OK && got > 0)
		return err_set(e, EX_DATAERR,
			       "%s: bytes follow the %zu elements that it says it has",
			       gzip_name(f), x->n);
	return rc;
}

static int read_array(struct idx *x, struct gzip *f, struct err *e)
{
	unsigned char magic[4] = { 0 };
	size_t got;
	int rc = read_upto(f, magic, sizeof magic, &got, e);

	if (rc == EX_OK)
		rc = check_magic(magic, got, gzip_name(f), e);
	if (rc != EX_OK)
		return rc;
	x->ndim = magic[3];
	rc = read_shape(x, f, e);
	return rc == EX_OK ? read_elements(x, f, e) : rc;
}

int idx_read(struct idx *x, const char *path, struct err *e)
{
	struct gzip *f;
	int rc;

	*x = (struct idx){ .shape = { 1, 1, 1, 1 } };
	rc = gzip_open(&f, path, e);
	if (rc != EX_OK)
		return rc;
	rc = read_array(x, f, e);
	gzip_close(f);
	if (rc != EX_OK)
		idx_free(x);
	return rc;
}

void idx_free(struct idx *x)
{
	free(x->bytes);
	*x = (struct idx){ 0 };
}
