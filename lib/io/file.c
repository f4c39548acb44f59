#include "io/file.h"

#include <errno.h>
#include <fcntl.h>
#include <stdint.h>
#include <stdlib.h>
#include <string.h>
#include <sys/mman.h>
#include <sys/stat.h>
#include <unistd.h>

#include "base/str.h"
#include "io/temporary.h"

/* ---- names ---- */

bool file_exists(const char *path)
{
	return access(path, F_OK) == 0;
}

bool file_is_dir(const char *path)
{
	struct stat st;

	return stat(path, &st) == 0 && S_ISDIR(st.st_mode);
}

bool file_same(const char *a, const char *b)
{
	struct stat x, y;

	return stat(a, &x) == 0 && stat(b, &y) == 0 && x.st_dev == y.st_dev &&
	       x.st_ino == y.st_ino;
}

char *file_join(const char *dir, const char *name)
{
	return str_printf("%s%s%s", dir, str_ends(dir, "/") ? "" : "/", name);
}

/* ---- reading ---- */

static int open_regular(const char *path, int *fd, size_t *size, struct err *e)
{
	struct stat st;

	/* A FIFO opened for reading would wait for a writer. */
	*fd = open(path, O_RDONLY | O_CLOEXEC | O_NONBLOCK);
	if (*fd < 0)
		return err_errno(e, EX_NOINPUT, "%s", path);
	if (fstat(*fd, &st) != 0) {
		int rc = err_errno(e, EX_NOINPUT, "%s", path);

		close(*fd);
		return rc;
	}
	if (!S_ISREG(st.st_mode)) {
		close(*fd);
		return err_set(e, EX_NOINPUT, "%s: %s; a file is needed", path,
			       S_ISDIR(st.st_mode) ? "is a directory"
						   : "is no regular file");
	}
	*size = (size_t)st.st_size;
	return EX_OK;
}

int file_map(struct mapped *m, const char *path, struct err *e)
{
	void *at;
	int fd, rc = open_regular(path, &fd, &m->size, e);

	m->data = NULL;
	if (rc != EX_OK)
		return rc;
	if (m->size > 0) {
		at = mmap(NULL, m->size, PROT_READ, MAP_PRIVATE, fd, 0);
		if (at == MAP_FAILED)
			rc = err_errno(e, EX_IOERR, "%s: cannot map it", path);
		else
			m->data = at;
	}
	close(fd);
	return rc;
}

void file_unmap(struct mapped *m)
{
	if (m->data != NULL)
		munmap((void *)(uintptr_t)m->data, m->size);
	*m = (struct mapped){ 0 };
}

/* Up to `size` bytes; fewer only at the end of the file. */
static int read_all(int fd, const char *path, char *to, size_t size, size_t *got,
		    struct err *e)
{
	*got = 0;
	while (*got < size) {
		ssize_t n = read(fd, to + *got, size - *got);

		if (n < 0 && errno == EINTR)
			continue;
		if (n < 0)
			return err_errno(e, EX_IOERR, "%s", path);
		if (n == 0)
			break;
		*got += (size_t)n;
	}
	return EX_OK;
}

int file_read(const char *path, size_t limit, char **text, size_t *len, struct err *e)
{
	size_t size;
	int fd, rc = open_regular(path, &fd, &size, e);

	*text = NULL;
	*len = 0;
	if (rc != EX_OK)
		return rc;
	if (size > limit)
		rc = err_set(e, EX_DATAERR,
			     "%s: %zu bytes, more than the %zu expected of it", path, size,
			     limit);
	else if ((*text = malloc(size + 1)) == NULL)
		rc = err_nomem(e);
	else
		rc = read_all(fd, path, *text, size, len, e);
	close(fd);
	if (rc != EX_OK) {
		free(*text);
		*text = NULL;
		return rc;
	}
	(*text)[*len] = '\0';
	return EX_OK;
}

static int write_all(int fd, const char *path, const char *from, size_t size, struct err *e)
{
	while (size > 0) {
		ssize_t n = write(fd, from, size);

		if (n < 0 && errno == EINTR)
			continue;
		if (n < 0)
			return err_errno(e, EX_IOERR, "%s", path);
		from += n;
		size -= (size_t)n;
	}
	return EX_OK;
}

int file_copy(const char *from, const char *to, struct err *e)
{
	char chunk[65536];
	size_t size, got;
	int in, out, rc = open_regular(from, &in, &size, e);

	if (rc != EX_OK)
		return rc;
	out = open(to, O_WRONLY | O_CREAT | O_EXCL | O_CLOEXEC, 0666);
	if (out < 0)
		rc = err_errno(e, EX_CANTCREAT, "%s", to);
	do {
		if (rc == EX_OK)
			rc = read_all(in, from, chunk, sizeof chunk, &got, e);
		if (rc == EX_OK)
			rc = write_all(out, to, chunk, got, e);
	} while (rc == EX_OK && got == sizeof chunk);
	close(in);
	if (rc == EX_OK && fsync(out) != 0)
		rc = err_errno(e, EX_IOERR, "%s", to);
	if (out >= 0 && close(out) != 0 && rc == EX_OK)
		rc = err_errno(e, EX_IOERR, "%s", to);
	if (out >= 0 && rc != EX_OK)
		unlink(to);
	return rc;
}

/* ---- output files ---- */

/* The file to replace: behind a symbolic link, what it points to. */
static int resolve(struct output *o, const char *path, bool *as_it_is, mode_t *mode,
		   struct err *e)
{
	struct stat st;

	*as_it_is = false;
	*mode = 0;
	if (stat(path, &st) != 0) {
		o->path = str_dup(path);
		return o->path == NULL ? err_nomem(e) : EX_OK;
	}
	if (S_ISDIR(st.st_mode))
		return err_set(e, EX_CANTCREAT, "%s: is a directory; name a file", path);
	*as_it_is = !S_ISREG(st.st_mode);
	*mode = st.st_mode & 0777;
	o->path = *as_it_is ? str_dup(path) : realpath(path, NULL);
	return o->path == NULL ? err_errno(e, EX_CANTCREAT, "%s", path) : EX_OK;
}

int output_open(struct output *o, const char *path, struct err *e)
{
	bool as_it_is;
	mode_t mode;
	int fd = -1, rc;

	*o = (struct output){ 0 };
	if (path == NULL || strcmp(path, "-") == 0) {
		o->file = stdout;
		return EX_OK;
	}
	rc = resolve(o, path, &as_it_is, &mode, e);
	if (rc == EX_OK && as_it_is) {
		fd = open(o->path, O_WRONLY | O_CLOEXEC);
		if (fd < 0)
			rc = err_errno(e, EX_CANTCREAT, "%s", path);
	} else if (rc == EX_OK) {
		rc = temporary_make(o->path, &fd, &o->temporary, e);
		if (rc == EX_OK && mode != 0)
			(void)!fchmod(fd, mode); /* best effort: the bytes matter more */
	}
	if (rc == EX_OK && (o->file = fdopen(fd, "w")) == NULL) {
		rc = err_errno(e, EX_CANTCREAT, "%s", path);
		close(fd);
	}
	if (rc != EX_OK)
		output_drop(o);
	return rc;
}

int output_blame(const struct output *o, int rc, struct err *e)
{
	struct err why;

	if (rc != EX_IOERR || o->path == NULL || e == NULL)
		return rc;
	why = *e;
	return err_set(e, rc, "%s: %s", o->path, why.text);
}

static int commit_stdout(struct output *o, struct err *e)
{
	int copy, rc = EX_OK;

	if (fflush(o->file) != 0 || ferror(o->file))
		rc = err_errno(e, EX_IOERR, "stdout");
	/* A network file system may report a failed write only on close; closing a copy
	 * asks for that and leaves stdout open. */
	copy = dup(fileno(o->file));
	if ((copy < 0 || close(copy) != 0) && rc == EX_OK)
		rc = err_errno(e, EX_IOERR, "stdout");
	o->file = NULL;
	return rc;
}

int output_commit(struct output *o, struct err *e)
{
	int rc = EX_OK;
	sigset_t saved;

	if (o->path == NULL)
		return commit_stdout(o, e);
	if (fflush(o->file) != 0 || ferror(o->file) ||
	    (o->temporary != NULL && fsync(fileno(o->file)) != 0))
		rc = err_errno(e, EX_IOERR, "%s", o->path);
	if (fclose(o->file) != 0 && rc == EX_OK)
		rc = err_errno(e, EX_IOERR, "%s", o->path);
	o->file = NULL;
	if (rc == EX_OK && o->temporary != NULL) {
		signals_hold(&saved);
		if (rename(o->temporary, o->path) != 0) {
			rc = err_errno(e, EX_CANTCREAT, "%s", o->path);
		} else {
			temporary_forget(o->temporary);
			free(o->temporary);
			o->temporary = NULL;
		}
		signals_release(&saved);
		if (rc == EX_OK)
			rc = dir_sync_parent(o->path, e);
	}
	output_drop(o);
	return rc;
}

void output_drop(struct output *o)
{
	if (o->file != NULL && o->path != NULL)
		fclose(o->file);
	if (o->temporary != NULL) {
		unlink(o->temporary);
		temporary_forget(o->temporary);
	}
	free(o->path);
	free(o->temporary);
	*o = (struct output){ 0 };
}
