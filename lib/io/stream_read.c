#include <inttypes.h>
#include <stdarg.h>
#include <stdlib.h>
#include <string.h>
#include <zlib.h>

#include "base/mem.h"
#include "base/num.h"
#include "io/stream.h"
#include "io/stream_private.h"

struct stream_reader {
	struct feed feed;
	bool strict, ended;
	char *kind;
	struct meta_list head, between;
	struct strbuf head_lines;
	struct strlist columns;
	char **cell; /* of the current row, one a column */
	unsigned long long line;
	uint64_t rows;
	uint32_t crc; /* of the text so far */
	char end_line[80];
	struct strbuf note;
};

enum line_sort { LINE_META, LINE_COMMENT, LINE_ROW, LINE_END };

static int bad_line(const struct stream_reader *r, struct err *e, const char *what)
{
	return err_at(e, EX_DATAERR, r->feed.name, r->line, "%s", what);
}

/* ---- the end ---- */

/* Compares what was read with what the ##end line says. */
static int compare_with_end(struct stream_reader *r, uint64_t rows, uint32_t crc,
			    struct err *e)
{
	if (rows == r->rows && crc == r->crc)
		return EX_OK;
	if (rows != r->rows)
		strbuf_printf(&r->note,
			      "%s: %" PRIu64 " rows where its end counts %" PRIu64
			      ": filtered on the way?",
			      r->feed.name, r->rows, rows);
	else
		strbuf_printf(&r->note,
			      "%s: other bytes than its end tells: edited on the way?",
			      r->feed.name);
	strbuf_puts(&r->note, " (adapeft view --seal makes it whole)");
	if (r->note.failed)
		return err_nomem(e);
	return r->strict ? err_set(e, EX_DATAERR, "%s", r->note.s) : EX_OK;
}

/* "##end rows=N crc32=X", nothing else, and nothing behind it. */
static int read_end(struct stream_reader *r, char *line, size_t len, struct err *e)
{
	uint64_t rows = 0;
	uint32_t crc = 0;
	bool whole;
	int rc;

	line[len] = '\0';
	sscanf(line, "##end rows=%" SCNu64 " crc32=%" SCNx32, &rows, &crc);
	snprintf(r->end_line, sizeof r->end_line,
		 "##end rows=%" PRIu64 " crc32=%08" PRIx32 "\n", rows, crc);
	if (strlen(r->end_line) != len + 1 || memcmp(line, r->end_line, len) != 0)
		return bad_line(r, e, "malformed ##end line; it is ##end rows=N crc32=X");
	r->ended = true;
	rc = feed_line(&r->feed, &line, &len, &whole, e);
	if (rc != EX_OK)
		return rc;
	if (line != NULL) {
		r->line++;
		return bad_line(r, e, "more after the ##end line; two streams in one?");
	}
	return compare_with_end(r, rows, crc, e);
}

/* ---- lines ---- */

static enum line_sort sort_of(const char *line)
{
	if (line[0] != '#')
		return LINE_ROW;
	if (line[1] != '#')
		return LINE_COMMENT;
	if (strncmp(line, "##end", 5) == 0 && strchr(" \t\n", line[5]) != NULL)
		return LINE_END;
	return line[2] == '#' || strchr(" \t\n", line[2]) != NULL ? LINE_COMMENT
								  : LINE_META;
}

/* Whether the first line can be that of a stream, perhaps of one that was cut. */
static bool is_ours(const char *line, size_t len, bool whole)
{
	static const char first[] = "##adapeft";
	size_t n = sizeof first - 1;

	return (len >= n || !whole) && memcmp(line, first, len < n ? len : n) == 0;
}

/* The next line; its newline is still there, at line[len]. */
static int take_line(struct stream_reader *r, char **line, size_t *len,
		     enum line_sort *sort, struct err *e)
{
	bool whole;
	int rc = feed_line(&r->feed, line, len, &whole, e);

	if (rc != EX_OK)
		return rc;
	r->line++;
	if (r->line == 1 && *line != NULL && !is_ours(*line, *len, whole))
		return bad_line(r, e, "no stream: the first line is not ##adapeft 1 KIND");
	if (!whole)
		return bad_line(r, e,
				"cut short: the ##end line is missing, so what is here is "
				"not all (did the program that writes it fail?)");
	if (memchr(*line, '\0', *len) != NULL)
		return bad_line(r, e, "a NUL byte: this is no text stream");
	*sort = sort_of(*line);
	if (*sort == LINE_END)
		return read_end(r, *line, *len, e);
	if (r->line > 1 && is_ours(*line, *len, true) &&
	    strchr(" \t\n", (*line)[strlen("##adapeft")]) != NULL)
		return bad_line(r, e, "a second ##adapeft line; two streams in one?");
	r->crc = (uint32_t)crc32_z(r->crc, (const unsigned char *)*line, *len + 1);
	r->rows += *sort == LINE_ROW;
	return EX_OK;
}

/* "##KEY VALUE", its newline replaced by NUL, into `to`. */
static int read_meta(struct stream_reader *r, char *line, struct meta_list *to,
		     struct err *e)
{
	char *key = line + 2, *value = key + strcspn(key, " \t");

	if (*value != '\0')
		*value++ = '\0';
	value += strspn(value, " \t");
	if (!stream_unescape(value))
		return bad_line(r, e, "a backslash that is no escape; write it twice");
	return meta_add(to, key, value, e);
}

/* Splits a row of `len` bytes into r->cell. */
static int split_row(struct stream_reader *r, char *line, size_t len, struct err *e)
{
	size_t n = 0;
	char *end = line + len;

	*end = '\0';
	for (char *at = line;;) {
		char *tab = memchr(at, '\t', (size_t)(end - at));

		if (n < r->columns.n)
			r->cell[n] = at;
		n++;
		if (tab == NULL)
			break;
		*tab = '\0';
		at = tab + 1;
	}
	if (n != r->columns.n)
		return err_at(e, EX_DATAERR, r->feed.name, r->line,
			      "%zu cells; there are %zu columns", n, r->columns.n);
	if (memchr(line, '\\', len) == NULL)
		return EX_OK;
	for (size_t i = 0; i < n; i++)
		if (!stream_unescape(r->cell[i]))
			return err_at(e, EX_DATAERR, r->feed.name, r->line,
				      "%s: a backslash that is no escape; write it twice",
				      r->columns.s[i]);
	return EX_OK;
}

/* ---- the head ---- */

static bool is_kind(const char *s)
{
	return *s != '\0' && s[strspn(s, "abcdefghijklmnopqrstuvwxyz0123456789-")] == '\0';
}

/* "##adapeft 1 KIND" */
static int read_first(struct stream_reader *r, char *line, const char *kind, struct err *e)
{
	char *version = line + strlen("##adapeft"), *end, *name;

	end = version += strspn(version, " \t");
	end += strcspn(end, " \t");
	name = end + strspn(end, " \t");
	if (version == line + strlen("##adapeft") || end == version)
		return bad_line(r, e, "malformed first line; it is ##adapeft 1 KIND");
	*end = '\0';
	if (strcmp(version, "1") != 0)
		return err_at(e, EX_DATAERR, r->feed.name, r->line,
			      "version %s of the stream format; this program reads %d",
			      version, STREAM_VERSION);
	if (str_ends(name, "\r"))
		return bad_line(r, e, "lines end in CR LF; make that LF");
	if (!is_kind(name))
		return bad_line(r, e, "malformed first line; it is ##adapeft 1 KIND");
	if (kind != NULL && strcmp(kind, name) != 0)
		return err_at(e, EX_DATAERR, r->feed.name, r->line,
			      "holds %s records; %s are needed here", name, kind);
	r->kind = str_dup(name);
	return r->kind == NULL ? err_nomem(e) : EX_OK;
}

/* "#NAME<tab>NAME..." */
static int read_columns(struct stream_reader *r, char *line, struct err *e)
{
	int rc = strlist_split(&r->columns, line + 1, '\t', e);

	for (size_t i = 0; i < r->columns.n && rc == EX_OK; i++) {
		if (!stream_unescape(r->columns.s[i]) || r->columns.s[i][0] == '\0')
			rc = bad_line(r, e, "malformed column name");
		else if (stream_column_maybe(r, r->columns.s[i]) != i)
			rc = err_at(e, EX_DATAERR, r->feed.name, r->line,
				    "two columns are called '%s'", r->columns.s[i]);
	}
	if (rc == EX_OK && (r->cell = mem_zeros(r->columns.n, sizeof *r->cell)) == NULL)
		rc = err_nomem(e);
	return rc;
}

static int read_head_line(struct stream_reader *r, const char *kind, struct err *e)
{
	char *line;
	size_t len;
	enum line_sort sort;
	int rc = take_line(r, &line, &len, &sort, e);

	if (rc != EX_OK)
		return rc;
	if (sort == LINE_END)
		return bad_line(r, e, "no line of columns before the ##end line");
	if (sort == LINE_ROW)
		return bad_line(r, e, "a row before the line of columns");
	strbuf_add(&r->head_lines, line, len + 1);
	if (r->head_lines.failed)
		return err_nomem(e);
	line[len] = '\0';
	if (r->kind == NULL)
		return read_first(r, line, kind, e);
	if (sort == LINE_META)
		return read_meta(r, line, &r->head, e);
	return line[1] == '#' ? EX_OK : read_columns(r, line, e);
}

int stream_open(struct stream_reader **out, const char *path, const char *kind, bool strict,
		struct err *e)
{
	struct stream_reader *r = calloc(1, sizeof *r);
	int rc;

	*out = NULL;
	if (r == NULL)
		return err_nomem(e);
	r->strict = strict;
	rc = feed_open(&r->feed, path, e);
	while (rc == EX_OK && r->cell == NULL)
		rc = read_head_line(r, kind, e);
	if (rc != EX_OK)
		stream_close(r);
	else
		*out = r;
	return rc;
}

void stream_close(struct stream_reader *r)
{
	if (r == NULL)
		return;
	feed_close(&r->feed);
	free(r->kind);
	meta_free(&r->head);
	meta_free(&r->between);
	strbuf_free(&r->head_lines);
	strlist_free(&r->columns);
	free(r->cell);
	strbuf_free(&r->note);
	free(r);
}

/* ---- rows ---- */

int stream_next(struct stream_reader *r, bool *got, struct err *e)
{
	*got = false;
	meta_free(&r->between);
	while (!r->ended) {
		char *line;
		size_t len;
		enum line_sort sort;
		int rc = take_line(r, &line, &len, &sort, e);

		if (rc == EX_OK && sort == LINE_META) {
			line[len] = '\0';
			rc = read_meta(r, line, &r->between, e);
		}
		if (rc != EX_OK)
			return rc;
		if (sort != LINE_ROW)
			continue;
		*got = true;
		return split_row(r, line, len, e);
	}
	return EX_OK;
}

int stream_next_line(struct stream_reader *r, const char **line, size_t *len, bool *got,
		     struct err *e)
{
	enum line_sort sort;
	char *at;
	size_t tabs = 0;
	int rc;

	*got = false;
	if (r->ended)
		return EX_OK;
	rc = take_line(r, &at, len, &sort, e);
	if (rc != EX_OK || sort == LINE_END)
		return rc;
	for (size_t i = 0; sort == LINE_ROW && i < *len; i++)
		tabs += at[i] == '\t';
	if (sort == LINE_ROW && tabs + 1 != r->columns.n)
		return err_at(e, EX_DATAERR, r->feed.name, r->line,
			      "%zu cells; there are %zu columns", tabs + 1, r->columns.n);
	*got = true;
	*line = at;
	++*len;
	return EX_OK;
}

const char *stream_text(const struct stream_reader *r, size_t column)
{
	return r->cell[column];
}

int stream_real(const struct stream_reader *r, size_t column, double *x, struct err *e)
{
	if (num_real(r->cell[column], x))
		return EX_OK;
	return stream_error(r, e, "%s: '%s' is no number", r->columns.s[column],
			    r->cell[column]);
}

int stream_int(const struct stream_reader *r, size_t column, int64_t *x, struct err *e)
{
	if (num_int(r->cell[column], x))
		return EX_OK;
	return stream_error(r, e, "%s: '%s' is no whole number", r->columns.s[column],
			    r->cell[column]);
}

int stream_error(const struct stream_reader *r, struct err *e, const char *fmt, ...)
{
	char text[800];
	va_list ap;

	va_start(ap, fmt);
	vsnprintf(text, sizeof text, fmt, ap);
	va_end(ap);
	return err_at(e, EX_DATAERR, r->feed.name, r->line, "%s", text);
}

/* ---- what the stream says of itself ---- */

const char *stream_kind(const struct stream_reader *r)
{
	return r->kind;
}

const char *stream_name(const struct stream_reader *r)
{
	return r->feed.name;
}

const struct meta_list *stream_head(const struct stream_reader *r)
{
	return &r->head;
}

const struct meta_list *stream_between(const struct stream_reader *r)
{
	return &r->between;
}

const char *const *stream_columns(const struct stream_reader *r, size_t *n)
{
	*n = r->columns.n;
	return (const char *const *)r->columns.s;
}

size_t stream_column_maybe(const struct stream_reader *r, const char *name)
{
	for (size_t i = 0; i < r->columns.n; i++)
		if (strcmp(r->columns.s[i], name) == 0)
			return i;
	return SIZE_MAX;
}

int stream_column(const struct stream_reader *r, const char *name, size_t *at,
		  struct err *e)
{
	struct strbuf has = { 0 };

	*at = stream_column_maybe(r, name);
	if (*at != SIZE_MAX)
		return EX_OK;
	for (size_t i = 0; i < r->columns.n; i++)
		strbuf_printf(&has, "%s%s", i == 0 ? "" : " ", r->columns.s[i]);
	err_set(e, EX_DATAERR, "%s: column '%s' is missing; it has %s", r->feed.name, name,
		has.s == NULL ? "none" : has.s);
	strbuf_free(&has);
	return EX_DATAERR;
}

const char *stream_note(const struct stream_reader *r)
{
	return r->note.s;
}

const char *stream_head_lines(const struct stream_reader *r, size_t *len)
{
	*len = r->head_lines.len;
	return r->head_lines.s;
}

const char *stream_end_line(const struct stream_reader *r)
{
	return r->end_line;
}
