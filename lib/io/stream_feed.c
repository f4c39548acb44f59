#include <errno.h>
#include <fcntl.h>
#include <inttypes.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#include "base/mem.h"
#include "io/stream_private.h"

#define CHUNK ((size_t)256 << 10) /* bytes asked of the system at a time */

/* Up to `size` bytes at `to`; fewer only at the end of the file. With `some`, as many as
 * one read gives, so that rows are seen as soon as they are written. */
static int read_bytes(struct feed *f, void *to, size_t size, bool some, size_t *got,
		      struct err *e)
{
	*got = 0;
	while (*got < size) {
		ssize_t n = read(f->fd, (char *)to + *got, size - *got);

		if (n < 0 && errno == EINTR)
			continue;
		if (n < 0)
			return err_errno(e, errno == EISDIR ? EX_NOINPUT : EX_IOERR, "%s",
					 f->name);
		*got += (size_t)n;
		if (n == 0 || some)
			break;
	}
	return EX_OK;
}

/* ---- more text ---- */

/* Moves what is left to the front of the buffer, and makes room for `more` bytes. */
static int make_room(struct feed *f, size_t more, struct err *e)
{
	if (f->from > 0) {
		memmove(f->text, f->text + f->from, f->to - f->from);
		f->to -= f->from;
		f->searched -= f->from;
		f->from = 0;
	}
	return mem_grow(&f->text, &f->cap, f->to + more, 1, e);
}

static int more_text(struct feed *f, struct err *e)
{
	size_t got;
	int rc = make_room(f, CHUNK, e);

	if (rc == EX_OK)
		rc = read_bytes(f, f->text + f->to, CHUNK, true, &got, e);
	if (rc != EX_OK)
		return rc;
	f->to += got;
	f->complete = got == 0;
	return EX_OK;
}

/* EX_DATAERR for the block at f->offset. */
static int damaged(const struct feed *f, const char *why, struct err *e)
{
	return err_set(e, EX_DATAERR, "%s: damaged block at byte %" PRIu64 ": %s", f->name,
		       f->offset, why);
}

static int cut(const struct feed *f, struct err *e)
{
	return err_set(e, EX_DATAERR,
		       "%s: cut short in the block at byte %" PRIu64
		       "; make it again, what is here is not all",
		       f->name, f->offset);
}

/* Head and data of the next block into f->block. */
static int read_block(struct feed *f, size_t *size, struct err *e)
{
	size_t got, packed, raw;
	int rc = mem_grow(&f->block, &f->block_cap, BLOCK_HEAD, 1, e);

	if (rc == EX_OK)
		rc = read_bytes(f, f->block, BLOCK_HEAD, false, &got, e);
	if (rc != EX_OK)
		return rc;
	if (got < BLOCK_HEAD)
		return cut(f, e);
	if (!block_head(f->block, &packed, &raw))
		return damaged(f, "impossible sizes", e);
	rc = mem_grow(&f->block, &f->block_cap, BLOCK_HEAD + packed, 1, e);
	if (rc == EX_OK)
		rc = read_bytes(f, f->block + BLOCK_HEAD, packed, false, &got, e);
	if (rc == EX_OK && got < packed)
		return cut(f, e);
	*size = BLOCK_HEAD + packed;
	return rc;
}

/* After the end block there is nothing. */
static int expect_nothing(struct feed *f, struct err *e)
{
	unsigned char byte;
	size_t got;
	int rc = read_bytes(f, &byte, 1, false, &got, e);

	if (rc == EX_OK && got > 0)
		return err_set(e, EX_DATAERR,
			       "%s: bytes after the end block, at byte %" PRIu64, f->name,
			       f->offset);
	f->complete = true;
	return rc;
}

static int more_blocks(struct feed *f, struct err *e)
{
	struct strbuf lines;
	struct err why = { 0 };
	size_t size = 0;
	int rc = read_block(f, &size, e);

	if (rc == EX_OK)
		rc = make_room(f, 1, e);
	if (rc != EX_OK)
		return rc;
	lines = (struct strbuf){ .s = f->text, .len = f->to, .cap = f->cap };
	rc = block_decode(f->block, &lines, &why);
	f->text = lines.s;
	f->to = lines.len;
	f->cap = lines.cap;
	if (rc == EX_DATAERR)
		return damaged(f, why.text, e);
	if (rc != EX_OK)
		return err_set(e, rc, "%s", why.text);
	f->offset += size;
	return f->block[0] == 'E' ? expect_nothing(f, e) : EX_OK;
}

/* ---- opening ---- */

static int tell_format(struct feed *f, struct err *e)
{
	/* Any whole text stream is longer than this. */
	int rc = make_room(f, BLOCK_MAGIC_SIZE, e);

	if (rc == EX_OK)
		rc = read_bytes(f, f->text, BLOCK_MAGIC_SIZE, false, &f->to, e);
	if (rc != EX_OK)
		return rc;
	if (f->to == 0)
		return err_set(
		    e, EX_DATAERR,
		    "%s: empty: no stream (did the program that writes it fail?)", f->name);
	if (f->text[0] != BLOCK_MAGIC[0])
		return EX_OK;
	if (f->to < BLOCK_MAGIC_SIZE)
		return cut(f, e);
	if (memcmp(f->text, BLOCK_MAGIC, BLOCK_MAGIC_SIZE - 1) != 0)
		return err_set(e, EX_DATAERR, "%s: no stream: unknown first bytes",
			       f->name);
	if (f->text[BLOCK_MAGIC_SIZE - 1] != BLOCK_MAGIC[BLOCK_MAGIC_SIZE - 1])
		return err_set(e, EX_DATAERR,
			       "%s: version %d of the binary format; this program reads %d",
			       f->name, (unsigned char)f->text[BLOCK_MAGIC_SIZE - 1],
			       BLOCK_MAGIC[BLOCK_MAGIC_SIZE - 1]);
	f->binary = true;
	f->to = 0;
	f->offset = BLOCK_MAGIC_SIZE;
	return EX_OK;
}

int feed_open(struct feed *f, const char *path, struct err *e)
{
	bool is_stdin = path == NULL || strcmp(path, "-") == 0;

	*f = (struct feed){ .fd = STDIN_FILENO };
	f->name = str_dup(is_stdin ? "stdin" : path);
	if (f->name == NULL)
		return err_nomem(e);
	if (!is_stdin) {
		f->fd = open(path, O_RDONLY | O_CLOEXEC);
		if (f->fd < 0)
			return err_errno(e, EX_NOINPUT, "%s", path);
	}
	return tell_format(f, e);
}

void feed_close(struct feed *f)
{
	if (f->fd > STDIN_FILENO)
		close(f->fd);
	free(f->name);
	free(f->text);
	free(f->block);
	*f = (struct feed){ .fd = -1 };
}

/* ---- lines ---- */

int feed_line(struct feed *f, char **line, size_t *len, bool *whole, struct err *e)
{
	*line = NULL;
	*len = 0;
	*whole = false;
	for (;;) {
		char *newline = NULL;
		int rc;

		if (f->to > f->searched)
			newline = memchr(f->text + f->searched, '\n', f->to - f->searched);
		if (newline != NULL) {
			*line = f->text + f->from;
			*len = (size_t)(newline - *line);
			*whole = true;
			f->from = f->searched = f->from + *len + 1;
			return EX_OK;
		}
		f->searched = f->to;
		if (f->to - f->from > STREAM_LINE_MAX)
			return err_set(e, EX_DATAERR, "%s: a line longer than %zu MiB",
				       f->name, STREAM_LINE_MAX >> 20);
		if (f->complete)
			break;
		rc = f->binary ? more_blocks(f, e) : more_text(f, e);
		if (rc != EX_OK)
			return rc;
	}
	if (f->to > f->from) {
		*line = f->text + f->from;
		*len = f->to - f->from;
		f->from = f->searched = f->to;
	}
	return EX_OK;
}
