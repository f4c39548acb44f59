#include <inttypes.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>
#include <zlib.h>

#include "base/num.h"
#include "io/stream.h"
#include "io/stream_private.h"

/* Every line is made as text, whose checksum the ##end line carries; binary then packs
 * lines of one sort into blocks. */
struct stream_writer {
	FILE *out;
	enum stream_format format;
	size_t columns, cells; /* cells in the row that is being built */
	uint64_t rows;
	uint32_t crc; /* of the text so far */
	struct strbuf line;
	char pending_type; /* binary: lines that wait for their block to fill */
	struct strbuf pending;
	size_t pending_rows;
	struct strbuf block;
};

/* ---- bytes out ---- */

static int put_bytes(struct stream_writer *w, const char *bytes, size_t len, struct err *e)
{
	if (fwrite(bytes, 1, len, w->out) == len)
		return EX_OK;
	return err_errno(e, EX_IOERR, "%s",
			 fileno(w->out) == STDOUT_FILENO ? "stdout"
							 : "cannot write the stream");
}

static int put_block(struct stream_writer *w, char type, const char *text, size_t len,
		     struct err *e)
{
	int rc;

	strbuf_clear(&w->block);
	rc = block_encode(&w->block, type, text, len, w->columns, e);
	return rc != EX_OK ? rc : put_bytes(w, w->block.s, w->block.len, e);
}

static int end_block(struct stream_writer *w, struct err *e)
{
	int rc = EX_OK;

	if (w->pending.len > 0)
		rc = put_block(w, w->pending_type, w->pending.s, w->pending.len, e);
	strbuf_clear(&w->pending);
	w->pending_rows = 0;
	return rc;
}

/* A line longer than a block goes out in pieces, as bytes. */
static int put_long_line(struct stream_writer *w, const char *line, size_t len,
			 struct err *e)
{
	int rc = end_block(w, e);

	while (rc == EX_OK && len > 0) {
		size_t n = len < BLOCK_TEXT_MAX ? len : BLOCK_TEXT_MAX;

		rc = put_block(w, 'L', line, n, e);
		line += n;
		len -= n;
	}
	return rc;
}

static int put_binary(struct stream_writer *w, char type, const char *line, size_t len,
		      struct err *e)
{
	int rc = EX_OK;

	if (len > BLOCK_TEXT_MAX)
		return put_long_line(w, line, len, e);
	if (type != w->pending_type || w->pending.len + len > BLOCK_TEXT_MAX ||
	    w->pending_rows == BLOCK_ROWS_MAX)
		rc = end_block(w, e);
	if (rc != EX_OK)
		return rc;
	w->pending_type = type;
	w->pending_rows++;
	strbuf_add(&w->pending, line, len);
	return w->pending.failed ? err_nomem(e) : EX_OK;
}

/* A whole line of the stream, newline included; type 'L' or 'R' as in a block. */
static int put_line(struct stream_writer *w, char type, const char *line, size_t len,
		    struct err *e)
{
	if (len - 1 > STREAM_LINE_MAX)
		return err_set(e, EX_DATAERR,
			       "a line of %zu bytes is too long for a stream", len);
	w->crc = (uint32_t)crc32_z(w->crc, (const unsigned char *)line, len);
	w->rows += type == 'R';
	if (w->format == STREAM_BINARY)
		return put_binary(w, type, line, len, e);
	return put_bytes(w, line, len, e);
}

/* The line built in w->line. */
static int put_built(struct stream_writer *w, char type, struct err *e)
{
	int rc;

	strbuf_add(&w->line, "\n", 1);
	if (w->line.failed)
		return err_nomem(e);
	rc = put_line(w, type, w->line.s, w->line.len, e);
	strbuf_clear(&w->line);
	return rc;
}

/* ---- the head ---- */

static int new_writer(struct stream_writer **w, FILE *out, enum stream_format format,
		      size_t columns, struct err *e)
{
	*w = calloc(1, sizeof **w);
	if (*w == NULL)
		return err_nomem(e);
	(*w)->out = out;
	(*w)->format = format;
	(*w)->columns = columns;
	(*w)->pending_type = 'L';
	if (format == STREAM_BINARY)
		return put_bytes(*w, BLOCK_MAGIC, BLOCK_MAGIC_SIZE, e);
	return EX_OK;
}

static int put_metas(struct stream_writer *w, const struct meta_list *l, struct err *e)
{
	int rc = EX_OK;

	for (size_t i = 0; l != NULL && i < l->n && rc == EX_OK; i++)
		rc = stream_put_meta(w, l->m[i].key, l->m[i].value, e);
	return rc;
}

int stream_create(struct stream_writer **w, FILE *out, enum stream_format format,
		  const char *kind, const struct meta_list *head,
		  const char *const *columns, size_t n_columns, struct err *e)
{
	int rc = new_writer(w, out, format, n_columns, e);

	if (rc == EX_OK) {
		strbuf_printf(&(*w)->line, "##adapeft %d %s", STREAM_VERSION, kind);
		rc = put_built(*w, 'L', e);
	}
	if (rc == EX_OK)
		rc = put_metas(*w, head, e);
	if (rc == EX_OK) {
		for (size_t i = 0; i < n_columns; i++) {
			strbuf_puts(&(*w)->line, i == 0 ? "#" : "\t");
			stream_escape_cell(&(*w)->line, columns[i]);
		}
		rc = put_built(*w, 'L', e);
	}
	if (rc != EX_OK) {
		stream_abort(*w);
		*w = NULL;
	}
	return rc;
}

int stream_create_like(struct stream_writer **w, FILE *out, enum stream_format format,
		       const struct stream_reader *r, const struct meta_list *more,
		       struct err *e)
{
	size_t len, n_columns, columns_at = 0;
	const char *head = stream_head_lines(r, &len);
	int rc;

	stream_columns(r, &n_columns);
	/* The line of the columns is the last of the head. */
	for (size_t i = 0; i + 1 < len; i++)
		if (head[i] == '\n')
			columns_at = i + 1;
	rc = new_writer(w, out, format, n_columns, e);
	for (size_t at = 0; rc == EX_OK && at < len;) {
		const char *newline = memchr(head + at, '\n', len - at);
		size_t n = (size_t)(newline - (head + at)) + 1;

		if (at == columns_at)
			rc = put_metas(*w, more, e);
		if (rc == EX_OK)
			rc = put_line(*w, 'L', head + at, n, e);
		at += n;
	}
	if (rc != EX_OK) {
		stream_abort(*w);
		*w = NULL;
	}
	return rc;
}

/* ---- lines ---- */

void stream_put_text(struct stream_writer *w, const char *s)
{
	if (w->cells++ > 0)
		strbuf_add(&w->line, "\t", 1);
	stream_escape_cell(&w->line, s);
}

void stream_put_int(struct stream_writer *w, int64_t x)
{
	char text[NUM_MAX];

	snprintf(text, sizeof text, "%" PRId64, x);
	stream_put_text(w, text);
}

void stream_put_real(struct stream_writer *w, double x)
{
	char text[NUM_MAX];

	num_print(text, x);
	stream_put_text(w, text);
}

int stream_end_row(struct stream_writer *w, struct err *e)
{
	size_t cells = w->cells;

	w->cells = 0;
	if (cells == w->columns)
		return put_built(w, 'R', e);
	strbuf_clear(&w->line);
	return err_set(e, EX_SOFTWARE, "a row of %zu cells in a stream of %zu columns",
		       cells, w->columns);
}

int stream_put_meta(struct stream_writer *w, const char *key, const char *value,
		    struct err *e)
{
	if (*key == '\0' || *key == '#' || key[strcspn(key, " \t\n\\")] != '\0' ||
	    strcmp(key, "end") == 0 || strcmp(key, "adapeft") == 0)
		return err_set(e, EX_SOFTWARE, "'%s' cannot be a key of metadata", key);
	if (w->cells != 0)
		return err_set(e, EX_SOFTWARE, "##%s within a row", key);
	strbuf_printf(&w->line, "##%s\t", key);
	stream_escape_value(&w->line, value);
	return put_built(w, 'L', e);
}

int stream_put_line(struct stream_writer *w, const char *line, size_t len, struct err *e)
{
	return put_line(w, *line == '#' ? 'L' : 'R', line, len, e);
}

/* ---- the end ---- */

int stream_flush(struct stream_writer *w, struct err *e)
{
	int rc = w->format == STREAM_BINARY ? end_block(w, e) : EX_OK;

	if (rc != EX_OK || fflush(w->out) == 0)
		return rc;
	return err_errno(e, EX_IOERR, "%s",
			 fileno(w->out) == STDOUT_FILENO ? "stdout"
							 : "cannot write the stream");
}

int stream_finish_as(struct stream_writer *w, const char *end_line, struct err *e)
{
	int rc = EX_OK;

	if (w->format == STREAM_TEXT) {
		rc = put_bytes(w, end_line, strlen(end_line), e);
	} else {
		rc = end_block(w, e);
		if (rc == EX_OK)
			rc = put_block(w, 'E', end_line, strlen(end_line), e);
	}
	if (rc == EX_OK)
		rc = stream_flush(w, e);
	stream_abort(w);
	return rc;
}

int stream_finish(struct stream_writer *w, struct err *e)
{
	char end[80];

	snprintf(end, sizeof end, "##end rows=%" PRIu64 " crc32=%08" PRIx32 "\n", w->rows,
		 w->crc);
	if (w->cells == 0)
		return stream_finish_as(w, end, e);
	stream_abort(w);
	return err_set(e, EX_SOFTWARE, "the stream ends within a row");
}

void stream_abort(struct stream_writer *w)
{
	if (w == NULL)
		return;
	strbuf_free(&w->line);
	strbuf_free(&w->pending);
	strbuf_free(&w->block);
	free(w);
}
