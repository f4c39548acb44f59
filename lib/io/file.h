/*
 * file - files that are read by mapping, and outputs that appear whole or not at all.
 */
#ifndef IO_FILE_H
#define IO_FILE_H

#include <stdbool.h>
#include <stddef.h>
#include <stdio.h>

#include "base/err.h"

/* A whole file mapped read-only; `data` is NULL for an empty one. */
struct mapped {
	const unsigned char *data;
	size_t size;
};

/* EX_NOINPUT when it cannot be opened or is no regular file. */
int file_map(struct mapped *m, const char *path, struct err *e);
void file_unmap(struct mapped *m);

/* The whole of a regular file in memory, NUL-terminated, for the caller to free;
 * EX_DATAERR when it is larger than `limit` bytes. */
int file_read(const char *path, size_t limit, char **text, size_t *len, struct err *e);

bool file_exists(const char *path);
bool file_is_dir(const char *path);
/* Are both there, and one file or directory, whatever the paths? */
bool file_same(const char *a, const char *b);
/* dir "/" name, for the caller to free; NULL when memory is short. */
char *file_join(const char *dir, const char *name);

/*
 * From now on SIGINT, SIGTERM, SIGHUP and SIGPIPE remove the temporaries of all open
 * outputs before they end the process as they always do. A signal that is being
 * ignored (nohup) stays ignored, except SIGPIPE. SIGXFSZ is ignored: a file that may grow
 * no more is an error of writing. Programs call it once, at the start.
 */
void file_clean_on_signals(void);

/*
 * An output: stdout for NULL or "-", else a temporary file beside `path` that
 * replaces it on output_commit (flush, fsync, rename, fsync of the directory).
 * Until then nothing of that name changes; output_drop, or the end of the
 * process by one of the signals above, removes the temporary. A path that is a
 * device or a FIFO is written as it is.
 */
struct output {
	FILE *file;
	char *path;      /* NULL for stdout */
	char *temporary; /* NULL when there is none */
};

/* EX_CANTCREAT when the directory is missing or not writable. A caller that has opened
 * ends with output_commit, or else output_drop; both release what `o` holds, and
 * output_drop may follow either, or an output that is all zeros. */
int output_open(struct output *o, const char *path, struct err *e);
/* Puts the output's path, unless it is stdout, in front of the message of a failed write:
 * whoever writes to o->file knows no name. Returns rc, of which only EX_IOERR is changed.
 */
int output_blame(const struct output *o, int rc, struct err *e);
/* EX_IOERR when anything could not be written, /dev/full on stdout included. */
int output_commit(struct output *o, struct err *e);
void output_drop(struct output *o);

/*
 * A directory that appears whole: its files are written into a temporary sibling
 * (`temporary`), which outdir_commit renames to `path`. A directory that is
 * already there is replaced only when it is empty, or holds ours[0] (the mark of a
 * tool's own earlier output) and nothing that no glob of `ours` matches, a list that ends
 * with NULL and must outlive `d`; otherwise outdir_open says EX_CANTCREAT. Parent
 * directories are made as needed. A directory has no directories inside. Ends as an
 * output does: commit, or drop.
 */
struct outdir {
	char *path, *temporary;
	const char *const *ours;
};

int outdir_open(struct outdir *d, const char *path, const char *const *ours, struct err *e);
int outdir_commit(struct outdir *d, struct err *e);
void outdir_drop(struct outdir *d);

/* Copies a regular file's bytes to a new file, fsynced. */
int file_copy(const char *from, const char *to, struct err *e);

#endif
