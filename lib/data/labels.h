/*
 * labels - the numbers of label strings: those of a task's classes, or learned.
 */
#ifndef DATA_LABELS_H
#define DATA_LABELS_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#include "base/err.h"
#include "base/str.h"

struct labels {
	struct strlist names; /* in the order of their numbers */
	size_t *sorted;       /* numbers, by the bytes of their names */
	size_t cap_sorted;
};

/* The number of `name`, or -1. */
int32_t labels_find(const struct labels *l, const char *name);
/* The number of `name`, which is added when it is new. EX_DATAERR, with no place in the
 * text, when there are TASK_MAX_CLASSES already. */
int labels_add(struct labels *l, const char *name, int32_t *number, struct err *e);
/* Numbers anew: all integers in the order of their value, else sorted bytewise. map[old] is
 * the new number; for the caller to free. */
int labels_order(struct labels *l, int32_t **map, struct err *e);
void labels_free(struct labels *l);

#endif
