/*
 * e2e - a file of prompts and completions as texts, for judging what a model writes.
 */
#ifndef DATA_E2E_H
#define DATA_E2E_H

#include <stddef.h>

#include "base/err.h"
#include "base/str.h"
#include "data/prompt.h"
#include "data/task.h"

/* Rows that follow one another with the same prompt are references of one. */
struct e2e {
	size_t n;           /* prompts */
	struct strlist mr;  /* [n] as in the file; data/prompt.h makes tokens of them */
	struct strlist ref; /* of all prompts, one after the other */
	size_t *first; /* [n + 1] references of mr i: ref[first[i]] .. ref[first[i+1] - 1]
			*/
};

/* Reads `path` ("-": stdin; .gz or not) as `t` says, a task of language in rows, else
 * EX_USAGE. EX_DATAERR as data/table.h, and without rows. On failure x holds nothing. */
int e2e_read(struct e2e *x, const char *path, const struct task *t, struct err *e);
/* Leaves the first n prompts. */
void e2e_limit(struct e2e *x, size_t n);
void e2e_free(struct e2e *x);

#endif
