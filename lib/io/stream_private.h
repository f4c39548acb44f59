/*
 * stream_private - what the stream's files share: cells and values as text, the lines of
 * a file in either format, and the blocks of the binary one.
 */
#ifndef IO_STREAM_PRIVATE_H
#define IO_STREAM_PRIVATE_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>
#include <stdio.h>

#include "base/err.h"
#include "base/str.h"

#define STREAM_VERSION  1
#define STREAM_LINE_MAX ((size_t)64 << 20) /* bytes of one line */

/* ---- escapes (stream_meta.c) ---- */

/* Appends `s` as a cell, or as the value of a metadata line. */
void stream_escape_cell(struct strbuf *out, const char *s);
void stream_escape_value(struct strbuf *out, const char *s);
/* In place; false for a backslash that starts no escape of ours. */
bool stream_unescape(char *s);

/* ---- the lines of a file in either format (stream_feed.c) ---- */

struct feed {
	int fd;
	char *name; /* file name, or "stdin" */
	bool binary;
	bool complete;                  /* there is no more text to come */
	char *text;                     /* text[from, to) is still to be given out */
	size_t from, to, cap, searched; /* no newline in text[from, searched) */
	unsigned char *block;           /* the binary block at hand */
	size_t block_cap;
	uint64_t offset; /* of the next block in a binary file */
};

/* Opens `path` (NULL or "-" for stdin) and tells the format. */
int feed_open(struct feed *f, const char *path, struct err *e);
/* The next line, without its newline, which stands at (*line)[*len] when *whole. *line is
 * NULL at the end. The caller may write to the line; it is valid until the next call. */
int feed_line(struct feed *f, char **line, size_t *len, bool *whole, struct err *e);
void feed_close(struct feed *f);

/* ---- binary (stream_block.c) ---- */

/*
 * A binary stream is BLOCK_MAGIC and then blocks, integers little-endian:
 *
 *     u8   type            'L' lines as they stand, 'R' rows column by column,
 *                          'E' the ##end line, after which nothing follows
 *     u32  packed, raw     sizes of the data that follows, deflated and not
 *     u32  crc32           of the nine bytes above and the deflated data
 *
 * Raw data of 'R': u32 rows, u32 columns, and for each column u8 type, u32 size, data:
 *
 *     'i'  integers: zigzag varints
 *     'r'  doubles: eight planes of bytes, the most significant first
 *     's'  anything else: varint length and bytes of each cell
 *
 * A column is 'i' or 'r' only when printing gives back each of its cells.
 */
#define BLOCK_MAGIC      "\223ADAPFT\1" /* the last byte is the version */
#define BLOCK_MAGIC_SIZE 8
#define BLOCK_HEAD       13
#define BLOCK_RAW_MAX    ((size_t)16 << 20) /* a reader refuses a larger one */
#define BLOCK_TEXT_MAX   ((size_t)1 << 20)  /* a writer ends a block of so much text */
#define BLOCK_ROWS_MAX   8192

/* Appends to `out` the block of that type for `text`: whole lines for 'R' and 'E', any
 * bytes for 'L', at most BLOCK_TEXT_MAX. Rows have `columns` cells. */
int block_encode(struct strbuf *out, char type, const char *text, size_t len,
		 size_t columns, struct err *e);

/* Sizes of a block from its head; false when they cannot be right. */
bool block_head(const unsigned char head[BLOCK_HEAD], size_t *packed, size_t *raw);

/* Appends to `text` the lines of a block, whose head and data are at `block`. EX_DATAERR
 * with the reason alone ("checksum differs"), for the caller to say where. */
int block_decode(const unsigned char *block, struct strbuf *text, struct err *e);

#endif
