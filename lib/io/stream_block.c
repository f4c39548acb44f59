#include <inttypes.h>
#include <stdlib.h>
#include <string.h>
#include <zlib.h>

#include "base/mem.h"
#include "base/num.h"
#include "io/stream_private.h"

#define LEVEL      3 /* of deflate: half of level 6's time for a few percent of size */
#define VARINT_MAX 10

static void put_u32(unsigned char *to, size_t x)
{
	for (int i = 0; i < 4; i++)
		to[i] = (unsigned char)(x >> (8 * i));
}

static uint32_t get_u32(const unsigned char *from)
{
	return (uint32_t)from[0] | (uint32_t)from[1] << 8 | (uint32_t)from[2] << 16 |
	       (uint32_t)from[3] << 24;
}

static void add_u32(struct strbuf *b, size_t x)
{
	unsigned char bytes[4];

	put_u32(bytes, x);
	strbuf_add(b, (const char *)bytes, 4);
}

static void add_varint(struct strbuf *b, uint64_t x)
{
	char bytes[VARINT_MAX];
	size_t n = 0;

	for (; x >= 0x80; x >>= 7)
		bytes[n++] = (char)(x | 0x80);
	bytes[n++] = (char)x;
	strbuf_add(b, bytes, n);
}

/* ---- rows to columns ---- */

/* The cells of a block's rows, NUL-terminated in a copy of its text, and room for one
 * column of numbers. */
struct cells {
	char *text;
	char **cell; /* cell[row * columns + column] */
	size_t rows, columns;
	uint64_t *bits; /* [rows] */
};

static void cells_free(struct cells *c)
{
	free(c->text);
	free(c->cell);
	free(c->bits);
}

static int cells_split(struct cells *c, const char *text, size_t len, size_t columns,
		       struct err *e)
{
	size_t n = 0;

	*c = (struct cells){ .columns = columns };
	for (size_t i = 0; i < len; i++)
		c->rows += text[i] == '\n';
	c->text = str_dupn(text, len);
	c->cell = mem_zeros(c->rows, columns * sizeof *c->cell);
	c->bits = mem_zeros(c->rows, sizeof *c->bits);
	if (c->text == NULL || c->cell == NULL || c->bits == NULL)
		return err_nomem(e);
	for (char *at = c->text, *end = at + len; at < end; at++) {
		if (n == c->rows * columns)
			return err_set(e, EX_SOFTWARE, "a row of too many cells");
		c->cell[n++] = at;
		at += strcspn(at, "\t\n");
		if (*at == '\n' && n % columns != 0)
			return err_set(e, EX_SOFTWARE, "a row of too few cells");
		*at = '\0';
	}
	return EX_OK;
}

/* An integer as it would be printed, into *x. */
static bool plain_int(const char *s, int64_t *x)
{
	bool negative = *s == '-';
	const char *first = s + negative;
	uint64_t u = 0;
	int digits = 0;

	for (s = first; *s >= '0' && *s <= '9' && digits < 19; s++, digits++)
		u = u * 10 + (uint64_t)(*s - '0');
	if (*s != '\0' || digits == 0 || u > INT64_MAX ||
	    (*first == '0' && (digits > 1 || negative)))
		return false;
	*x = negative ? -(int64_t)u : (int64_t)u;
	return true;
}

static bool plain_real(const char *s, double *x)
{
	char again[NUM_MAX];

	if (strchr("-.0123456789in", *s) == NULL || !num_real(s, x))
		return false;
	num_print(again, *x);
	return strcmp(again, s) == 0;
}

static bool all_ints(struct cells *c, size_t column)
{
	for (size_t i = 0; i < c->rows; i++) {
		int64_t x;

		if (!plain_int(c->cell[i * c->columns + column], &x))
			return false;
		c->bits[i] = (uint64_t)x << 1 ^ (x < 0 ? UINT64_MAX : 0);
	}
	return true;
}

static bool all_reals(struct cells *c, size_t column)
{
	for (size_t i = 0; i < c->rows; i++) {
		double x;

		if (!plain_real(c->cell[i * c->columns + column], &x))
			return false;
		memcpy(&c->bits[i], &x, sizeof x);
	}
	return true;
}

/* Eight planes of bytes, the most significant first. */
static void add_planes(struct strbuf *b, const struct cells *c)
{
	char plane[256];

	for (int shift = 56; shift >= 0; shift -= 8)
		for (size_t from = 0, n; from < c->rows; from += n) {
			n = c->rows - from < sizeof plane ? c->rows - from : sizeof plane;
			for (size_t i = 0; i < n; i++)
				plane[i] = (char)(c->bits[from + i] >> shift);
			strbuf_add(b, plane, n);
		}
}

static void add_strings(struct strbuf *b, const struct cells *c, size_t column)
{
	for (size_t i = 0; i < c->rows; i++) {
		const char *s = c->cell[i * c->columns + column];
		size_t len = strlen(s);

		add_varint(b, len);
		strbuf_add(b, s, len);
	}
}

static void add_column(struct strbuf *b, struct cells *c, size_t column)
{
	size_t at = b->len;
	char type = all_ints(c, column) ? 'i' : all_reals(c, column) ? 'r' : 's';

	strbuf_add(b, &type, 1);
	add_u32(b, 0); /* the size, which is set below */
	if (type == 'r')
		add_planes(b, c);
	else if (type == 's')
		add_strings(b, c, column);
	for (size_t i = 0; type == 'i' && i < c->rows; i++)
		add_varint(b, c->bits[i]);
	if (!b->failed)
		put_u32((unsigned char *)b->s + at + 1, b->len - at - 5);
}

static int rows_to_columns(struct strbuf *raw, const char *text, size_t len, size_t columns,
			   struct err *e)
{
	struct cells c;
	int rc = cells_split(&c, text, len, columns, e);

	if (rc == EX_OK) {
		add_u32(raw, c.rows);
		add_u32(raw, columns);
		for (size_t i = 0; i < columns; i++)
			add_column(raw, &c, i);
		if (raw->failed)
			rc = err_nomem(e);
	}
	cells_free(&c);
	return rc;
}

/* ---- columns to rows ---- */

/* A column on its way back to text. */
struct cursor {
	char type;
	const unsigned char *at, *end;
};

static bool take_varint(struct cursor *c, uint64_t *x)
{
	*x = 0;
	for (int shift = 0; shift < 64 && c->at < c->end; shift += 7) {
		*x |= (uint64_t)(*c->at & 0x7f) << shift;
		if (*c->at++ < 0x80)
			return true;
	}
	return false;
}

/* Appends the next cell of an integer or string column. */
static bool take_cell(struct cursor *c, struct strbuf *text)
{
	char number[NUM_MAX];
	uint64_t x;
	int n;

	if (!take_varint(c, &x))
		return false;
	if (c->type == 'i') {
		n = snprintf(number, sizeof number, "%" PRId64,
			     (int64_t)(x >> 1 ^ (0 - (x & 1))));
		strbuf_add(text, number, (size_t)n);
		return true;
	}
	if (x > (uint64_t)(c->end - c->at))
		return false;
	strbuf_add(text, (const char *)c->at, (size_t)x);
	c->at += x;
	return true;
}

static void add_real(const struct cursor *c, size_t row, size_t rows, struct strbuf *text)
{
	char number[NUM_MAX];
	uint64_t bits = 0;
	double x;

	for (size_t plane = 0; plane < 8; plane++)
		bits = bits << 8 | c->at[plane * rows + row];
	memcpy(&x, &bits, sizeof x);
	strbuf_add(text, number, num_print(number, x));
}

/* Sets cursors at the columns of `raw`; false when their sizes do not add up. */
static bool find_columns(struct cursor *c, size_t columns, size_t rows,
			 const unsigned char *at, const unsigned char *end)
{
	for (size_t i = 0; i < columns; i++) {
		size_t size;

		if (end - at < 5)
			return false;
		c[i].type = (char)*at;
		size = get_u32(at + 1);
		at += 5;
		if (size > (size_t)(end - at) || strchr("irs", c[i].type) == NULL ||
		    c[i].type == '\0' ||
		    (c[i].type == 'r' ? size != rows * 8 : size < rows))
			return false;
		c[i].at = at;
		c[i].end = at += size;
	}
	return at == end;
}

static bool add_rows(struct cursor *c, size_t columns, size_t rows, struct strbuf *text)
{
	for (size_t row = 0; row < rows; row++)
		for (size_t i = 0; i < columns; i++) {
			if (c[i].type == 'r')
				add_real(&c[i], row, rows, text);
			else if (!take_cell(&c[i], text))
				return false;
			strbuf_add(text, i + 1 < columns ? "\t" : "\n", 1);
		}
	for (size_t i = 0; i < columns; i++)
		if (c[i].type != 'r' && c[i].at != c[i].end)
			return false;
	return true;
}

static int columns_to_rows(const unsigned char *raw, size_t len, struct strbuf *text,
			   struct err *e)
{
	struct cursor *c;
	size_t rows, columns;
	bool good;

	if (len < 8)
		return err_set(e, EX_DATAERR, "too small for its rows");
	rows = get_u32(raw);
	columns = get_u32(raw + 4);
	/* A column takes at least five bytes and one for each row. */
	if (rows == 0 || columns == 0 || columns > len / 5 || rows > len / columns)
		return err_set(e, EX_DATAERR, "too small for its rows");
	c = mem_zeros(columns, sizeof *c);
	if (c == NULL)
		return err_nomem(e);
	good = find_columns(c, columns, rows, raw + 8, raw + len) &&
	       add_rows(c, columns, rows, text);
	free(c);
	return good ? EX_OK : err_set(e, EX_DATAERR, "malformed columns");
}

/* ---- blocks ---- */

static uint32_t block_crc(const unsigned char *block, size_t packed)
{
	uLong crc = crc32_z(0, block, BLOCK_HEAD - 4);

	return (uint32_t)crc32_z(crc, block + BLOCK_HEAD, packed);
}

/* Appends head and deflated data. */
static int pack(struct strbuf *out, char type, const char *raw, size_t len, struct err *e)
{
	uLongf packed = compressBound((uLong)len);
	unsigned char *block = malloc(BLOCK_HEAD + packed);
	int rc = EX_OK;

	if (block == NULL)
		return err_nomem(e);
	if (compress2(block + BLOCK_HEAD, &packed, (const Bytef *)raw, (uLong)len, LEVEL) !=
	    Z_OK) {
		rc = err_nomem(e);
	} else {
		block[0] = (unsigned char)type;
		put_u32(block + 1, packed);
		put_u32(block + 5, len);
		put_u32(block + 9, block_crc(block, packed));
		strbuf_add(out, (const char *)block, BLOCK_HEAD + packed);
		if (out->failed)
			rc = err_nomem(e);
	}
	free(block);
	return rc;
}

int block_encode(struct strbuf *out, char type, const char *text, size_t len,
		 size_t columns, struct err *e)
{
	struct strbuf raw = { 0 };
	int rc;

	if (type != 'R')
		return pack(out, type, text, len, e);
	rc = rows_to_columns(&raw, text, len, columns, e);
	if (rc == EX_OK)
		rc = pack(out, type, raw.s, raw.len, e);
	strbuf_free(&raw);
	return rc;
}

bool block_head(const unsigned char head[BLOCK_HEAD], size_t *packed, size_t *raw)
{
	*packed = get_u32(head + 1);
	*raw = get_u32(head + 5);
	return *raw > 0 && *raw <= BLOCK_RAW_MAX && *packed <= compressBound((uLong)*raw);
}

int block_decode(const unsigned char *block, struct strbuf *text, struct err *e)
{
	size_t packed, len;
	unsigned char *raw;
	uLongf got;
	uLong used;
	int rc = EX_OK;

	if (!block_head(block, &packed, &len) ||
	    block_crc(block, packed) != get_u32(block + 9))
		return err_set(e, EX_DATAERR, "its checksum differs");
	if (block[0] != 'L' && block[0] != 'R' && block[0] != 'E')
		return err_set(e, EX_DATAERR, "of an unknown type");
	raw = malloc(len);
	if (raw == NULL)
		return err_nomem(e);
	got = (uLongf)len;
	used = (uLong)packed;
	if (uncompress2(raw, &got, block + BLOCK_HEAD, &used) != Z_OK || got != len ||
	    used != packed)
		rc = err_set(e, EX_DATAERR, "its data cannot be inflated");
	else if (block[0] == 'R')
		rc = columns_to_rows(raw, len, text, e);
	else
		strbuf_add(text, (const char *)raw, len);
	free(raw);
	return rc == EX_OK && text->failed ? err_nomem(e) : rc;
}
