/*
 * Output directories: see file.h.
 */
#include <dirent.h>
#include <errno.h>
#include <signal.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>

#include "base/str.h"
#include "io/file.h"
#include "io/temporary.h"

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
		rc = temporary_make(d->path, NULL, &d->temporary, e);
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
		temporary_remove_dir(old);
	}
	free(old);
	return rc;
}

int outdir_commit(struct outdir *d, struct err *e)
{
	sigset_t saved;
	int rc = dir_sync(d->temporary, e);

	if (rc == EX_OK)
		rc = check_replaceable(d->path, d->ours, e);
	if (rc == EX_OK) {
		signals_hold(&saved);
		rc = swap_in(d, e);
		if (rc == EX_OK) {
			temporary_forget(d->temporary);
			free(d->temporary);
			d->temporary = NULL;
		}
		signals_release(&saved);
	}
	if (rc == EX_OK)
		rc = dir_sync_parent(d->path, e);
	outdir_drop(d);
	return rc;
}

void outdir_drop(struct outdir *d)
{
	if (d->temporary != NULL) {
		temporary_remove_dir(d->temporary);
		temporary_forget(d->temporary);
	}
	free(d->path);
	free(d->temporary);
	*d = (struct outdir){ 0 };
}
