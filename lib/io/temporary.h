/*
 * temporary - what file.c and outdir.c share: files and directories that are not there yet
 * under their names, and that a signal removes; private to lib/io.
 */
#ifndef IO_TEMPORARY_H
#define IO_TEMPORARY_H

#include <signal.h>

#include "base/err.h"

/* Creates a temporary beside `path` and has the fatal signals remove it: a file, whose
 * descriptor is *fd, or with fd NULL a directory. *name is for the caller to free. */
int temporary_make(const char *path, int *fd, char **name, struct err *e);
/* The temporary is gone, or has its name: no signal removes it any more. */
void temporary_forget(const char *path);
/* Removes the files of a directory, and it. */
void temporary_remove_dir(const char *path);

/* In between a fatal signal waits: while a temporary is there that is not known yet, or is
 * known and no more there. */
void signals_hold(sigset_t *saved);
void signals_release(const sigset_t *saved);

int dir_sync(const char *dir, struct err *e);
int dir_sync_parent(const char *path, struct err *e);

#endif
