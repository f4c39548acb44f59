#include "io/gzip.h"

#include <fcntl.h>
#include <stdbool.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>
#include <unistd.h>
#include <zlib.h>

#include "base/mem.h"
#include "base/str.h"

#define BUFFER_BYTES ((unsigned)64 << 10)
#define READ_MAX     ((size_t)1 << 30) /* what gzread counts in an int */

struct gzip {
	char *name;
	gzFile file;
	bool started;
	unsigned long long n; /* bytes given out */
};

static int open_file(struct gzip *g, const char *path, struct err *e)
{
	bool is_stdin = strcmp(path, "-") == 0;
	struct stat st;
	int fd = is_stdin ? dup(STDIN_FILENO) : open(path, O_RDONLY | O_CLOEXEC);

	if (fd < 0)
		return err_errno(e, EX_NOINPUT, "%s: cannot open", g->name);
	if (fstat(fd, &st) == 0 && S_ISDIR(st.st_mode)) {
		close(fd);
		return err_set(e, EX_NOINPUT, "%s: is a directory, not a data file",
			       g->name);
	}
	g->file = gzdopen(fd, "rb");
	if (g->file == NULL) {
		close(fd);
		return err_nomem(e);
	}
	gzbuffer(g->file, BUFFER_BYTES);
	return EX_OK;
}

int gzip_open(struct gzip **out, const char *path, struct err *e)
{
	struct gzip *g = mem_zeros(1, sizeof *g);
	int rc;

	*out = NULL;
	if (g == NULL)
		return err_nomem(e);
	g->name = str_dup(strcmp(path, "-") == 0 ? "stdin" : path);
	rc = g->name == NULL ? err_nomem(e) : open_file(g, path, e);
	if (rc != EX_OK)
		gzip_close(g);
	else
		*out = g;
	return rc;
}

int gzip_read(struct gzip *g, void *bytes, size_t n, size_t *got, struct err *e)
{
	int read = gzread(g->file, bytes, (unsigned)(n < READ_MAX ? n : READ_MAX)), why;
	const char *text;

	*got = read > 0 ? (size_t)read : 0;
	g->n += *got;
	if (!g->started && str_ends(g->name, ".gz") && gzdirect(g->file))
		return err_set(e, EX_DATAERR,
			       "%s: not a gzip file; rename it when it is not compressed",
			       g->name);
	g->started = true;
	text = gzerror(g->file, &why);
	if (read >= 0 && why == Z_OK)
		return EX_OK;
	if (why == Z_ERRNO)
		return err_errno(e, EX_IOERR, "%s: cannot read", g->name);
	if (why == Z_MEM_ERROR)
		return err_nomem(e);
	if (why == Z_BUF_ERROR)
		return err_set(e, EX_DATAERR,
			       "%s: the gzip file is truncated after %llu bytes of "
			       "content; fetch it again",
			       g->name, g->n);
	return err_set(e, EX_DATAERR,
		       "%s: the gzip file is damaged after %llu bytes of content (%s); "
		       "fetch it again",
		       g->name, g->n, text);
}

const char *gzip_name(const struct gzip *g)
{
	return g->name;
}

void gzip_close(struct gzip *g)
{
	if (g == NULL)
		return;
	if (g->file != NULL)
		gzclose(g->file);
	free(g->name);
	free(g);
}
