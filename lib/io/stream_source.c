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
static int read_bytes(struct source *s, void *to, size_t size, bool some, size_t *got,
		      struct err *e)
{
	*got = 0;
	while (*got < size) {
		ssize_t n = read(s->fd, (char *)to + *got, size - *got);

		if (n < 0 && errno == EINTR)
			continue;
		if (n < 0)
			return err_errno(e, errno == EISDIR ? EX_NOINPUT : EX_IOERR, "%s",
					 s->name);
		*got += (size_t)n;
		if (n == 0 || some)
			break;
	}
	return EX_OK;
}

/* ---- more text ---- */

/* Moves what is left to the front of the buffer, and makes room for `more` bytes. */
static int make_room(struct source *s, size_t more, struct err *e)
{
	if (s->from > 0) {
		memmove(s->text, s->text + s->from, s->to - s->from);
		s->to -= s->from;
		s->searched -= s->from;
		s->from = 0;
	}
	return mem_grow(&s->text, &s->cap, s->to + more, 1, e);
}

static int more_text(struct source *s, struct err *e)
{
	size_t got;
	int rc = make_room(s, CHUNK, e);

	if (rc == EX_OK)
		rc = read_bytes(s, s->text + s->to, CHUNK, true, &got, e);
	if (rc != EX_OK)
		return rc;
	s->to += got;
	s->complete = got == 0;
	return EX_OK;
}

/* EX_DATAERR for the block at s->offset. */
static int damaged(const struct source *s, const char *why, struct err *e)
{
	return err_set(e, EX_DATAERR, "%s: damaged block at byte %" PRIu64 ": %s", s->name,
		       s->offset, why);
}

static int cut(const struct source *s, struct err *e)
{
	return err_set(e, EX_DATAERR,
		       "%s: cut short in the block at byte %" PRIu64
		       "; make it again, what is here is not all",
		       s->name, s->offset);
}

/* Head and data of the next block into s->block. */
static int read_block(struct source *s, size_t *size, struct err *e)
{
	size_t got, packed, raw;
	int rc = mem_grow(&s->block, &s->block_cap, BLOCK_HEAD, 1, e);

	if (rc == EX_OK)
		rc = read_bytes(s, s->block, BLOCK_HEAD, false, &got, e);
	if (rc != EX_OK)
		return rc;
	if (got < BLOCK_HEAD)
		return cut(s, e);
	if (!block_head(s->block, &packed, &raw))
		return damaged(s, "impossible sizes", e);
	rc = mem_grow(&s->block, &s->block_cap, BLOCK_HEAD + packed, 1, e);
	if (rc == EX_OK)
		rc = read_bytes(s, s->block + BLOCK_HEAD, packed, false, &got, e);
	if (rc == EX_OK && got < packed)
		return cut(s, e);
	*size = BLOCK_HEAD + packed;
	return rc;
}

/* After the end block there is nothing. */
static int expect_nothing(struct source *s, struct err *e)
{
	unsigned char byte;
	size_t got;
	int rc = read_bytes(s, &byte, 1, false, &got, e);

	if (rc == EX_OK && got > 0)
		return err_set(e, EX_DATAERR, "%s: bytes after the end block, at byte %" PRIu64,
			       s->name, s->offset);
	s->complete = true;
	return rc;
}

static int more_blocks(struct source *s, struct err *e)
{
	struct strbuf lines;
	struct err why = { 0 };
	size_t size = 0;
	int rc = read_block(s, &size, e);

	if (rc == EX_OK)
		rc = make_room(s, 1, e);
	if (rc != EX_OK)
		return rc;
	lines = (struct strbuf){ .s = s->text, .len = s->to, .cap = s->cap };
	rc = block_decode(s->block, &lines, &why);
	s->text = lines.s;
	s->to = lines.len;
	s->cap = lines.cap;
	if (rc == EX_DATAERR)
		return damaged(s, why.text, e);
	if (rc != EX_OK)
		return err_set(e, rc, "%s", why.text);
	s->offset += size;
	return s->block[0] == 'E' ? expect_nothing(s, e) : EX_OK;
}

/* ---- opening ---- */

static int tell_format(struct source *s, struct err *e)
{
	/* Any whole text stream is longer than this. */
	int rc = make_room(s, BLOCK_MAGIC_SIZE, e);

	if (rc == EX_OK)
		rc = read_bytes(s, s->text, BLOCK_MAGIC_SIZE, false, &s->to, e);
	if (rc != EX_OK)
		return rc;
	if (s->to == 0)
		return err_set(e, EX_DATAERR,
			       "%s: empty: no stream (did the program that writes it fail?)",
			       s->name);
	if (s->text[0] != BLOCK_MAGIC[0])
		return EX_OK;
	if (s->to < BLOCK_MAGIC_SIZE)
		return cut(s, e);
	if (memcmp(s->text, BLOCK_MAGIC, BLOCK_MAGIC_SIZE - 1) != 0)
		return err_set(e, EX_DATAERR, "%s: no stream: unknown first bytes", s->name);
	if (s->text[BLOCK_MAGIC_SIZE - 1] != BLOCK_MAGIC[BLOCK_MAGIC_SIZE - 1])
		return err_set(e, EX_DATAERR,
			       "%s: version %d of the binary format; this program reads %d",
			       s->name, (unsigned char)s->text[BLOCK_MAGIC_SIZE - 1],
			       BLOCK_MAGIC[BLOCK_MAGIC_SIZE - 1]);
	s->binary = true;
	s->to = 0;
	s->offset = BLOCK_MAGIC_SIZE;
	return EX_OK;
}

int feed_open(struct source *s, const char *path, struct err *e)
{
	bool is_stdin = path == NULL || strcmp(path, "-") == 0;

	*s = (struct source){ .fd = STDIN_FILENO };
	s->name = str_dup(is_stdin ? "stdin" : path);
	if (s->name == NULL)
		return err_nomem(e);
	if (!is_stdin) {
		s->fd = open(path, O_RDONLY | O_CLOEXEC);
		if (s->fd < 0)
			return err_errno(e, EX_NOINPUT, "%s", path);
	}
	return tell_format(s, e);
}

void feed_close(struct source *s)
{
	if (s->fd > STDIN_FILENO)
		close(s->fd);
	free(s->name);
	free(s->text);
	free(s->block);
	*s = (struct source){ .fd = -1 };
}

/* ---- lines ---- */

int source_line(struct source *s, char **line, size_t *len, bool *whole, struct err *e)
{
	*line = NULL;
	*len = 0;
	*whole = false;
	for (;;) {
		char *newline = NULL;
		int rc;

		if (s->to > s->searched)
			newline = memchr(s->text + s->searched, '\n', s->to - s->searched);
		if (newline != NULL) {
			*line = s->text + s->from;
			*len = (size_t)(newline - *line);
			*whole = true;
			s->from = s->searched = s->from + *len + 1;
			return EX_OK;
		}
		s->searched = s->to;
		if (s->to - s->from > STREAM_LINE_MAX)
			return err_set(e, EX_DATAERR, "%s: a line longer than %zu MiB", s->name,
				       STREAM_LINE_MAX >> 20);
		if (s->complete)
			break;
		rc = s->binary ? more_blocks(s, e) : more_text(s, e);
		if (rc != EX_OK)
			return rc;
	}
	if (s->to > s->from) {
		*line = s->text + s->from;
		*len = s->to - s->from;
		s->from = s->searched = s->to;
	}
	return EX_OK;
}
