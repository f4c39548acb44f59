/*
 * scratch - a directory of a test's own, whose files go away with it.
 */
#ifndef TESTS_SCRATCH_H
#define TESTS_SCRATCH_H

#include <dirent.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>
#include <unistd.h>

#include "io/file.h"

static char scratch_dir[] = "/tmp/adapeft-test.XXXXXX";

/* The path of a file there; good until the fourth call from now. */
static inline const char *scratch(const char *name)
{
	static char path[4][256];
	static int turn;

	turn = (turn + 1) % 4;
	snprintf(path[turn], sizeof path[turn], "%s/%s", scratch_dir, name);
	return path[turn];
}

static inline int scratch_open(void)
{
	return mkdtemp(scratch_dir) == NULL ? -1 : 0;
}

static inline void scratch_bytes(const char *name, const char *bytes, size_t len)
{
	FILE *f = fopen(scratch(name), "wb");

	assert_non_null(f);
	assert_int_equal(fwrite(bytes, 1, len, f), len);
	assert_int_equal(fclose(f), 0);
}

static inline void scratch_text(const char *name, const char *text)
{
	scratch_bytes(name, text, strlen(text));
}

static inline void scratch_subdir(const char *name)
{
	assert_int_equal(mkdir(scratch(name), 0700), 0);
}

static inline void scratch_empty(const char *dir)
{
	DIR *d = opendir(dir);
	struct dirent *entry;
	char *path;

	while (d != NULL && (entry = readdir(d)) != NULL) {
		if (strcmp(entry->d_name, ".") == 0 || strcmp(entry->d_name, "..") == 0)
			continue;
		path = file_join(dir, entry->d_name);
		if (path != NULL && unlink(path) != 0)
			scratch_empty(path);
		free(path);
	}
	if (d != NULL)
		closedir(d);
	rmdir(dir);
}

static inline int scratch_close(void)
{
	scratch_empty(scratch_dir);
	return 0;
}

#endif
