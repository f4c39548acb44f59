#include "data/labels.h"

#include <stdlib.h>
#include <string.h>

#include "base/mem.h"
#include "base/num.h"
#include "data/task.h"

/* Where in `sorted` the name is, or would be. */
static size_t place(const struct labels *l, const char *name, bool *found)
{
	size_t from = 0, to = l->names.n;

	*found = false;
	while (from < to) {
		size_t middle = from + (to - from) / 2;
		int order = strcmp(l->names.s[l->sorted[middle]], name);

		if (order == 0) {
			*found = true;
			return middle;
		}
		if (order < 0)
			from = middle + 1;
		else
			to = middle;
	}
	return from;
}

int32_t labels_find(const struct labels *l, const char *name)
{
	bool found;
	size_t at = place(l, name, &found);

	return found ? (int32_t)l->sorted[at] : -1;
}

int labels_add(struct labels *l, const char *name, int32_t *number, struct err *e)
{
	bool found;
	size_t at = place(l, name, &found), n = l->names.n;
	int rc;

	if (found) {
		*number = (int32_t)l->sorted[at];
		return EX_OK;
	}
	if (n == TASK_MAX_CLASSES)
		return err_set(e, EX_DATAERR,
			       "more than %d different labels; for numbers say "
			       "--kind regression or --threshold X",
			       TASK_MAX_CLASSES);
	rc = mem_grow(&l->sorted, &l->cap_sorted, n + 1, sizeof *l->sorted, e);
	if (rc == EX_OK)
		rc = strlist_add(&l->names, name, e);
	if (rc != EX_OK)
		return rc;
	memmove(l->sorted + at + 1, l->sorted + at, (n - at) * sizeof *l->sorted);
	l->sorted[at] = n;
	*number = (int32_t)n;
	return EX_OK;
}

struct numbered {
	int64_t value; /* all 0 when one of the names is no integer */
	char *name;
	size_t old;
};

static int compare(const void *a, const void *b)
{
	const struct numbered *x = a, *y = b;

	if (x->value != y->value)
		return x->value < y->value ? -1 : 1;
	return strcmp(x->name, y->name);
}

int labels_order(struct labels *l, int32_t **map, struct err *e)
{
	size_t n = l->names.n;
	struct numbered *a = mem_zeros(n, sizeof *a);
	bool integers = true;

	*map = mem_zeros(n, sizeof **map);
	if (a == NULL || *map == NULL) {
		free(a);
		free(*map);
		*map = NULL;
		return err_nomem(e);
	}
	for (size_t i = 0; i < n; i++) {
		a[i] = (struct numbered){ 0, l->names.s[i], i };
		integers = num_int(l->names.s[i], &a[i].value) && integers;
	}
	for (size_t i = 0; i < n && !integers; i++)
		a[i].value = 0;
	qsort(a, n, sizeof *a, compare);
	for (size_t i = 0; i < n; i++) {
		l->names.s[i] = a[i].name;
		(*map)[a[i].old] = (int32_t)i;
	}
	for (size_t i = 0; i < n; i++)
		l->sorted[i] = (size_t)(*map)[l->sorted[i]];
	free(a);
	return EX_OK;
}

void labels_free(struct labels *l)
{
	strlist_free(&l->names);
	free(l->sorted);
	*l = (struct labels){ 0 };
}
