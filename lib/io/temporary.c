#include "io/temporary.h"

#include <errno.h>
#include <fcntl.h>
#include <stdatomic.h>
#include <stdbool.h>
#include <stdint.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>
#include <sys/syscall.h>
#include <unistd.h>

#include "base/str.h"
#include "io/file.h"

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

void temporary_forget(const char *path)
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
void temporary_remove_dir(const char *path)
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
			temporary_remove_dir(temps[i].path);
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

void signals_hold(sigset_t *saved)
{
	sigset_t set;

	fatal_set(&set);
	pthread_sigmask(SIG_BLOCK, &set, saved);
}

void signals_release(const sigset_t *saved)
{
	pthread_sigmask(SIG_SETMASK, saved, NULL);
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

int dir_sync(const char *dir, struct err *e)
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

int dir_sync_parent(const char *path, struct err *e)
{
	char *dir = parent_of(path);
	int rc = dir == NULL ? err_nomem(e) : dir_sync(dir, e);

	free(dir);
	return rc;
}

int temporary_make(const char *path, int *fd, char **name, struct err *e)
{
	sigset_t saved;
	int rc = EX_OK, made = -1;

	signals_hold(&saved);
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
	signals_release(&saved);
	if (rc != EX_OK) {
		free(*name);
		*name = NULL;
	}
	return rc;
}
