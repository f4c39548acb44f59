#include <stdlib.h>
#include <string.h>

#include "base/mem.h"
#include "data/dataset_private.h"
#include "io/gzip.h"

#define BLOCK_BYTES ((size_t)1 << 20)

struct bytes {
	char *s;
	size_t n, cap;
};

static int read_all(struct bytes *b, const char *path, struct err *e)
{
	struct gzip *file;
	size_t got = 1;
	int rc = gzip_open(&file, path, e);

	while (rc == EX_OK && got > 0) {
		rc = mem_grow(&b->s, &b->cap, b->n + BLOCK_BYTES, 1, e);
		if (rc == EX_OK)
			rc = gzip_read(file, b->s + b->n, BLOCK_BYTES, &got, e);
		b->n += rc == EX_OK ? got : 0;
	}
	gzip_close(file);
	return rc;
}

/* Divides `n` tokens into blocks of max_len; a last one of a single token is dropped. */
static int divide(struct reading *r, size_t n, struct err *e)
{
	struct dataset *d = r->d;
	size_t most = r->how->max_len, blocks = n / most + (n % most > 1);
	int rc = EX_OK;

	d->start = mem_zeros(blocks + 1, sizeof *d->start);
	d->prompt = mem_zeros(blocks, sizeof *d->prompt);
	if (d->start == NULL || d->prompt == NULL)
		return err_nomem(e);
	for (size_t i = 0; i < blocks && rc == EX_OK; i++) {
		size_t left = n - i * most;

		d->prompt[i] = 1;
		d->start[i + 1] = d->start[i] + (left < most ? left : most);
		rc = dataset_unlabelled(r, e);
	}
	d->longest = n < most ? n : most;
	return rc;
}

/* As one text: a piece's first tokens may depend on what stands before it. */
static int encode(struct reading *r, struct bytes *b, struct err *e)
{
	struct encoding x = { 0 };
	int rc = tokenizer_encode_plain(r->how->tokenizer, b->s, b->n, &x, e);

	free(b->s);
	b->s = NULL;
	if (rc == EX_OK && x.n < 2)
		rc = err_set(e, EX_DATAERR,
			     "%s: a text of %zu tokens; there is nothing to predict",
			     r->name, x.n);
	if (rc == EX_OK)
		rc = divide(r, x.n, e);
	if (rc == EX_OK) {
		memset(x.types, 0, x.n);
		r->d->ids = x.ids;
		r->d->types = x.types;
		x.ids = NULL;
		x.types = NULL;
	}
	encoding_free(&x);
	return rc;
}

int dataset_plain(struct reading *r, struct err *e)
{
	struct bytes b = { 0 };
	int rc;

	if (r->how->max_len < 2)
		return err_set(e, EX_USAGE,
			       "blocks of %zu tokens have nothing to predict; give a "
			       "greater length",
			       r->how->max_len);
	rc = read_all(&b, r->path, e);
	if (rc == EX_OK && b.n == 0)
		rc = err_set(e, EX_DATAERR, "%s: the file is empty", r->name);
	if (rc == EX_OK)
		rc = encode(r, &b, e);
	free(b.s);
	return rc;
}
