#include "io/file.h"

#include <dirent.h>
#include <errno.h>
#include <fcntl.h>
#include <signal.h>
#include <stdatomic.h>
#include <stdint.h>
#include <stdlib.h>
#include <string.h>
#include <sys/mman.h>
#include <sys/stat.h>
#include <sys/syscall.h>
#include <unistd.h>

#include "base/str.h"

/* ---- temporaries that a signal removes ---- */

/*
 * A signal handler is given nothing but the signal's number, so what it has to remove
 * must be found without an argument: this table is the library's only mutable static.
 * Each entry is claimed and freed by one atomic word; its path is complete before the
 * entry becomes visible to a handler.
 */
enum { TEMP_FREE, TEMP_CLAIMED, TEMP_FILE, TEMP_DIR };

#define TEMPS     32
#define TEMP_PATH 4096

static struct {
	atomic_int state;
	char path[TEMP_PATH];
} temps[TEMPS];

static bool temp_register(const char *path, int state)
{
	size_t len = strlen(path);

	if (len >= TEMP_PATH)
		return false;
	for (int i = 0; i < TEMPS; i++) {
		int expected = TEMP_FREE;

		if (!atomic_compare_exchange_strong(&temps[i].state, &expected,
						    TEMP_CLAIMED))
			continue;
		memcpy(temps[i].path, path, len + 1);
		atomic_store(&temps[i].state, state);
		return true;
	}
	return false;
}

static void temp_forget(const char *path)
{
	for (int i = 0; i < TEMPS; i++)
		if (atomic_load(&temps[i].state) >= TEMP_FILE &&
		    strcmp(temps[i].path, path) == 0)
			atomic_store(&temps[i].state, TEMP_FREE);
}

/* Removes the files of a directory, and it. opendir allocates, which a handler must not
 * do, hence the system call; its records are d_ino, d_off (8 bytes each), d_reclen (2),
 * d_type (1), d_name. Removing while reading may pass over entries: read again until
 * nothing more goes. */
static void temp_remove_dir(const char *path)
{
	_Alignas(8) char records[4096];
	int removed = 1, fd = open(path, O_RDONLY | O_DIRECTORY | O_NOFOLLOW | O_CLOEXEC);

	while (fd >= 0 && removed > 0) {
		long got;

		removed = 0;
		lseek(fd, 0, SEEK_SET);
		while ((got = syscall(SYS_getdents64, fd, records, sizeof records)) > 0) {
			for (long at = 0; at < got;) {
				uint16_t length;

				memcpy(&length, records + at + 16, sizeof length);
				removed += unlinkat(fd, records + at + 19, 0) == 0;
				at += length;
			}
		}
	}
	if (fd >= 0)
		close(fd);
	rmdir(path);
}

static void clean_and_die(int sig)
{
	for (int i = 0; i < TEMPS; i++) {
		int state = atomic_load(&temps[i].state);

		if (state == TEMP_FILE)
			unlink(temps[i].path);
		else if (state == TEMP_DIR)
			temp_remove_dir(temps[i].path);
	}
	/* SA_RESETHAND has put the default action back; the signal is blocked until this
	 * function returns, and then ends the process. */
	raise(sig);
}

static const int fatal_signals[] = { SIGINT, SIGTERM, SIGHUP, SIGPIPE };

#define FATAL_SIGNALS (sizeof fatal_signals / sizeof *fatal_signals)

static void fatal_set(sigset_t *set)
{
	sigemptyset(set);
	for (size_t i = 0; i < FATAL_SIGNALS; i++)
		sigaddset(set, fatal_signals[i]);
}

void file_clean_on_signals(void)
{
	struct sigaction a, old;

	/* A file that may grow no more is an error of writing, not the end. */
	signal(SIGXFSZ, SIG_IGN);
	memset(&a, 0, sizeof a);
	a.sa_handler = clean_and_die;
	a.sa_flags = (int)SA_RESETHAND;
	fatal_set(&a.sa_mask);
	for (size_t i = 0; i < FATAL_SIGNALS; i++) {
		int sig = fatal_signals[i];

		if (sigaction(sig, NULL, &old) == 0 && old.sa_handler == SIG_IGN &&
		    sig != SIGPIPE)
			continue;
		sigaction(sig, &a, NULL);
	}
}

/* Between creating a temporary and registering it, a signal has to wait. */
static void hold_signals(sigset_t *saved)
{
	sigset_t set;

	fatal_set(&set);
	pthread_sigmask(SIG_BLOCK, &set, saved);
}

static void release_signals(const sigset_t *saved)
{
	pthread_sigmask(SIG_SETMASK, saved, NULL);
}

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

/* The directory that holds `path`, for the caller to free. */
static char *parent_of(const char *path)
{
	const char *slash = strrchr(path, '/');

	if (slash == NULL)
		return str_dup(".");
	return str_dupn(path, slash == path ? 1 : (size_t)(slash - path));
}

/* A hidden name beside `path` that no other process uses, the `attempt`-th of them. */
static char *temporary_name(const char *path, unsigned attempt)
{
	const char *slash = strrchr(path, '/');
	const char *base = slash == NULL ? path : slash + 1;

	return str_printf("%.*s.%s.%ld.%u.tmp", (int)(base - path), path, base,
			  (long)getpid(), attempt);
}

static int sync_dir(const char *dir, struct err *e)
{
	int fd = open(dir, O_RDONLY | O_DIRECTORY | O_CLOEXEC);
	int rc = EX_OK;

	if (fd < 0)
		return err_errno(e, EX_IOERR, "%s", dir);
	/* Some file systems cannot sync a directory; there is nothing to do about it. */
	if (fsync(fd) != 0 && errno != EINVAL && errno != EROFS)
		rc = err_errno(e, EX_IOERR, "%s", dir);
	close(fd);
	return rc;
}

static int sync_parent(const char *path, struct err *e)
{
	char *dir = parent_of(path);
	int rc = dir == NULL ? err_nomem(e) : sync_dir(dir, e);

	free(dir);
	return rc;
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

/* Creates and registers a temporary beside `path`: a file, whose descriptor is *fd, or
 * with fd NULL a directory. */
static int make_temporary(const char *path, int *fd, char **name, struct err *e)
{
	sigset_t saved;
	int rc = EX_OK, made = -1;

	hold_signals(&saved);
	for (unsigned attempt = 0; made < 0 && rc == EX_OK; attempt++) {
		free(*name);
		*name = temporary_name(path, attempt);
		if (*name == NULL)
			rc = err_nomem(e);
		else if (fd != NULL)
			made = *fd =
			    open(*name, O_WRONLY | O_CREAT | O_EXCL | O_CLOEXEC, 0666);
		else
			made = mkdir(*name, 0777);
		if (rc == EX_OK && made < 0 && errno != EEXIST)
			rc = err_errno(e, EX_CANTCREAT, "%s", path);
	}
	if (rc == EX_OK && !temp_register(*name, fd != NULL ? TEMP_FILE : TEMP_DIR)) {
		rc = err_set(e, EX_CANTCREAT,
			     "%s: name too long, or too many outputs at once", path);
		if (fd != NULL)
			close(*fd);
		if (fd != NULL)
			unlink(*name);
		else
			rmdir(*name);
	}
	release_signals(&saved);
	if (rc != EX_OK) {
		free(*name);
		*name = NULL;
	}
	return rc;
}

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
		rc = make_temporary(o->path, &fd, &o->temporary, e);
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
		hold_signals(&saved);
		if (rename(o->temporary, o->path) != 0) {
			rc = err_errno(e, EX_CANTCREAT, "%s", o->path);
		} else {
			temp_forget(o->temporary);
			free(o->temporary);
			o->temporary = NULL;
		}
		release_signals(&saved);
		if (rc == EX_OK)
			rc = sync_parent(o->path, e);
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
		temp_forget(o->temporary);
	}
	free(o->path);
	free(o->temporary);
	*o = (struct output){ 0 };
}

/* ---- output directories ---- */

static int make_parents(const char *path, struct err *e)
{
	char *p = str_dup(path);
	int rc = p == NULL ? err_nomem(e) : EX_OK;

	for (char *c = p; rc == EX_OK && *c != '\0'; c++) {
		if (*c != '/' || c == p)
			continue;
		*c = '\0';
		if (mkdir(p, 0777) != 0 && errno != EEXIST)
			rc = err_errno(e, EX_CANTCREAT, "%s", p);
		*c = '/';
	}
	free(p);
	return rc;
}

static bool is_listed(const char *const *globs, const char *name)
{
	for (; *globs != NULL; globs++)
		if (str_glob(*globs, name))
			return true;
	return false;
}

/* Reads what the directory holds: is ours[0] among it, and what is not ours at all? Begin
 * with true, false and NULL. */
static int look_inside(const char *path, const char *const *ours, bool *empty, bool *marked,
		       char **foreign, struct err *e)
{
	DIR *d = opendir(path);
	struct dirent *entry;

	if (d == NULL)
		return err_errno(e, EX_CANTCREAT, "%s", path);
	while ((entry = readdir(d)) != NULL) {
		if (strcmp(entry->d_name, ".") == 0 || strcmp(entry->d_name, "..") == 0)
			continue;
		*empty = false;
		*marked = *marked || strcmp(entry->d_name, ours[0]) == 0;
		if (*foreign == NULL && !is_listed(ours, entry->d_name))
			*foreign = str_dup(entry->d_name);
	}
	closedir(d);
	return EX_OK;
}

/* Whether what stands at `path` may be replaced: nothing, an empty directory, or one that
 * holds ours[0] and nothing that is not listed. */
static int check_replaceable(const char *path, const char *const *ours, struct err *e)
{
	bool empty = true, marked = false;
	struct stat st;
	char *foreign = NULL;
	int rc;

	if (lstat(path, &st) != 0)
		return errno == ENOENT ? EX_OK : err_errno(e, EX_CANTCREAT, "%s", path);
	if (S_ISLNK(st.st_mode))
		return err_set(e, EX_CANTCREAT,
			       "%s: is a symbolic link; name the directory itself", path);
	if (!S_ISDIR(st.st_mode))
		return err_set(e, EX_CANTCREAT, "%s: exists and is no directory", path);
	if ((rc = look_inside(path, ours, &empty, &marked, &foreign, e)) != EX_OK)
		return rc;
	if (!empty && !marked)
		rc = err_set(
		    e, EX_CANTCREAT,
		    "%s: exists and holds no %s, so it is not replaced; name another", path,
		    ours[0]);
	else if (foreign != NULL)
		rc = err_set(e, EX_CANTCREAT,
			     "%s: holds %s, which would be lost; move it or name another "
			     "directory",
			     path, foreign);
	free(foreign);
	return rc;
}

int outdir_open(struct outdir *d, const char *path, const char *const *ours, struct err *e)
{
	size_t len = strlen(path);
	int rc;

	*d = (struct outdir){ 0 };
	while (len > 1 && path[len - 1] == '/')
		len--;
	if (len == 0 || strcmp(path, ".") == 0 || strcmp(path, "/") == 0)
		return err_set(e, EX_CANTCREAT, "'%s': name a new directory", path);
	d->path = str_dupn(path, len);
	d->ours = ours;
	if (d->path == NULL)
		rc = err_nomem(e);
	else
		rc = check_replaceable(d->path, ours, e);
	if (rc == EX_OK)
		rc = make_parents(d->path, e);
	if (rc == EX_OK)
		rc = make_temporary(d->path, NULL, &d->temporary, e);
	if (rc != EX_OK)
		outdir_drop(d);
	return rc;
}

/* Puts the new directory in the place of the old one; on failure the old one stays. */
static int swap_in(struct outdir *d, struct err *e)
{
	char *old = str_printf("%s.old", d->temporary);
	bool moved = false;
	int rc = EX_OK;

	if (old == NULL)
		return err_nomem(e);
	if (rename(d->path, old) == 0)
		moved = true;
	else if (errno != ENOENT)
		rc = err_errno(e, EX_CANTCREAT, "%s", d->path);
	if (rc == EX_OK && rename(d->temporary, d->path) != 0) {
		rc = err_errno(e, EX_CANTCREAT, "%s", d->path);
		if (moved)
			(void)!rename(old, d->path);
	} else if (rc == EX_OK && moved) {
		temp_remove_dir(old);
	}
	free(old);
	return rc;
}

int outdir_commit(struct outdir *d, struct err *e)
{
	sigset_t saved;
	int rc = sync_dir(d->temporary, e);

	if (rc == EX_OK)
		rc = check_replaceable(d->path, d->ours, e);
	if (rc == EX_OK) {
		hold_signals(&saved);
		rc = swap_in(d, e);
		if (rc == EX_OK) {
			temp_forget(d->temporary);
			free(d->temporary);
			d->temporary = NULL;
		}
		release_signals(&saved);
	}
	if (rc == EX_OK)
		rc = sync_parent(d->path, e);
	outdir_drop(d);
	return rc;
}

void outdir_drop(struct outdir *d)
{
	if (d->temporary != NULL) {
		temp_remove_dir(d->temporary);
		temp_forget(d->temporary);
	}
	free(d->path);
	free(d->temporary);
	*d = (struct outdir){ 0 };
}
