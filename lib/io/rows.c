#include "io/rows.h"

#include <csv.h>
#include <stdlib.h>
#include <string.h>

#include "base/mem.h"
#include "base/str.h"
#include "io/gzip.h"

#define BLOCK_BYTES ((size_t)64 << 10)
/* A quote that is never closed ends here, and not where memory does. */
#define ROW_MAX_BYTES ((size_t)16 << 20)

struct rows {
	struct gzip *file;
	struct csv_parser parser;
	bool quoting;
	bool started, ended;
	bool in_quotes;          /* an odd number of quotes came since the row began */
	bool cr;                 /* a CR was read whose next byte is not known yet */
	bool whole;              /* the row is complete */
	bool no_memory;          /* in a callback */
	unsigned long long line; /* of the next byte, from 1 */
	unsigned long long row_line;
	size_t row_bytes;       /* given to the parser since the row began */
	char *block, *at, *end; /* what was read and not parsed */
	struct strbuf text;     /* the row's fields, each with a NUL behind it */
	size_t *offset;         /* of each field in text */
	char **fields;
	size_t n, cap_offset, cap_fields;
};

static int keep_spaces(unsigned char c)
{
	(void)c;
	return 0;
}

/* Only LF: a lone CR is data, and that of a CRLF is dropped before the parser sees it. */
static int ends_row(unsigned char c)
{
	return c == '\n';
}

static void take_field(void *bytes, size_t len, void *arg)
{
	struct rows *r = arg;

	if (mem_grow(&r->offset, &r->cap_offset, r->n + 1, sizeof *r->offset, NULL) !=
	    EX_OK) {
		r->no_memory = true;
		return;
	}
	r->offset[r->n++] = r->text.len;
	if (len > 0)
		strbuf_add(&r->text, bytes, len);
	strbuf_add(&r->text, "", 1);
	r->no_memory |= r->text.failed;
}

static void take_row(int end, void *arg)
{
	struct rows *r = arg;

	(void)end;
	r->whole = true;
}

static int start_parser(struct rows *r, char delimiter, struct err *e)
{
	if (csv_init(&r->parser, CSV_STRICT | CSV_STRICT_FINI) != 0)
		return err_nomem(e);
	csv_set_delim(&r->parser, (unsigned char)delimiter);
	/* NUL bytes are refused before the parser sees them, so that none is a quote. */
	csv_set_quote(&r->parser, r->quoting ? '"' : '\0');
	/* The field buffer grows by this much, not by doubling. */
	csv_set_blk_size(&r->parser, BLOCK_BYTES * 4);
	csv_set_space_func(&r->parser, keep_spaces);
	csv_set_term_func(&r->parser, ends_row);
	return EX_OK;
}

int rows_open(struct rows **out, const char *path, char delimiter, bool quoting,
	      struct err *e)
{
	struct rows *r = mem_zeros(1, sizeof *r);
	int rc;

	*out = NULL;
	if (r == NULL)
		return err_nomem(e);
	r->quoting = quoting;
	r->line = r->row_line = 1;
	r->block = malloc(BLOCK_BYTES);
	rc = r->block == NULL ? err_nomem(e) : start_parser(r, delimiter, e);
	if (rc == EX_OK)
		rc = gzip_open(&r->file, path, e);
	if (rc != EX_OK)
		rows_close(r);
	else
		*out = r;
	return rc;
}

/* Fills the block; at == end afterwards means the end of a sound file. */
static int read_block(struct rows *r, struct err *e)
{
	size_t got;
	int rc = gzip_read(r->file, r->block, BLOCK_BYTES, &got, e);

	r->at = r->block;
	r->end = r->block + got;
	if (!r->started && got >= 3 && memcmp(r->at, "\xef\xbb\xbf", 3) == 0)
		r->at += 3;
	r->started = true;
	return rc;
}

static int parse_error(struct rows *r, struct err *e)
{
	int why = csv_error(&r->parser);

	if (why == CSV_ENOMEM || why == CSV_ETOOBIG)
		return err_nomem(e);
	return err_at(e, EX_DATAERR, rows_name(r), r->line,
		      "a quote stands inside a field or is followed by text; double it, or "
		      "say --quoting no");
}

static int feed(struct rows *r, const char *bytes, size_t len, struct err *e)
{
	if (len > ROW_MAX_BYTES - r->row_bytes)
		return err_at(
		    e, EX_DATAERR, rows_name(r), r->row_line,
		    "a row of more than %zu MiB%s", ROW_MAX_BYTES >> 20,
		    r->quoting ? "; a quote may not be closed, or say --quoting no" : "");
	r->row_bytes += len;
	if (csv_parse(&r->parser, bytes, len, take_field, take_row, r) != len)
		return parse_error(r, e);
	return r->no_memory ? err_nomem(e) : EX_OK;
}

/* Gives the parser the bytes up to `end`, all of one line; `newline` when it ends there. */
static int feed_line(struct rows *r, const char *end, bool newline, struct err *e)
{
	bool cr_before = r->cr;
	int rc = EX_OK;

	for (const char *p = r->at; r->quoting && p < end; p++)
		r->in_quotes ^= *p == '"';
	r->cr = end > r->at && end[-1] == '\r';
	if (cr_before && (end > r->at || r->in_quotes))
		rc = feed(r, "\r", 1, e);
	if (rc == EX_OK)
		rc = feed(r, r->at, (size_t)(end - r->at) - r->cr, e);
	if (!newline || rc != EX_OK)
		return rc;
	if (r->cr && r->in_quotes)
		rc = feed(r, "\r", 1, e);
	r->cr = false;
	return rc == EX_OK ? feed(r, "\n", 1, e) : rc;
}

static void begin_row(struct rows *r)
{
	r->row_line = r->line;
	r->row_bytes = 0;
	r->in_quotes = false;
}

/* One line, or what the block holds of it. */
static int parse_line(struct rows *r, struct err *e)
{
	size_t len = (size_t)(r->end - r->at);
	const char *newline = memchr(r->at, '\n', len);
	const char *end = newline != NULL ? newline : r->end;
	int rc;

	if (memchr(r->at, '\0', (size_t)(end - r->at)) != NULL)
		return err_at(e, EX_DATAERR, rows_name(r), r->line,
			      "a NUL byte; the file is not text in UTF-8");
	rc = feed_line(r, end, newline != NULL, e);
	r->at += end - r->at;
	if (newline == NULL)
		return rc;
	r->at++;
	r->line++;
	if (!r->in_quotes && !r->whole)
		begin_row(r);
	return rc;
}

static int finish(struct rows *r, struct err *e)
{
	r->ended = true;
	if (csv_fini(&r->parser, take_field, take_row, r) != 0)
		return err_at(
		    e, EX_DATAERR, rows_name(r), r->row_line,
		    "a quote that is opened here is never closed; close it, or say "
		    "--quoting no");
	return r->no_memory ? err_nomem(e) : EX_OK;
}

static int point_at_fields(struct rows *r, struct err *e)
{
	int rc = mem_grow(&r->fields, &r->cap_fields, r->n, sizeof *r->fields, e);

	for (size_t i = 0; i < r->n && rc == EX_OK; i++)
		r->fields[i] = r->text.s + r->offset[i];
	return rc;
}

int rows_next(struct rows *r, char ***fields, size_t *n, struct err *e)
{
	int rc = EX_OK;

	*n = r->n = 0;
	r->whole = false;
	begin_row(r);
	strbuf_clear(&r->text);
	while (rc == EX_OK && !r->whole && !r->ended) {
		if (r->at == r->end)
			rc = read_block(r, e);
		if (rc == EX_OK)
			rc = r->at == r->end ? finish(r, e) : parse_line(r, e);
	}
	if (rc == EX_OK && r->whole)
		rc = point_at_fields(r, e);
	if (rc != EX_OK)
		return rc;
	*fields = r->fields;
	*n = r->n;
	return EX_OK;
}

unsigned long long rows_line(const struct rows *r)
{
	return r->row_line;
}

const char *rows_name(const struct rows *r)
{
	return gzip_name(r->file);
}

void rows_close(struct rows *r)
{
	if (r == NULL)
		return;
	gzip_close(r->file);
	csv_free(&r->parser);
	strbuf_free(&r->text);
	free(r->block);
	free(r->offset);
	free(r->fields);
	free(r);
}
