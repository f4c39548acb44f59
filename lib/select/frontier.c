#include "select/knapsack.h"

#include <math.h>
#include <stdlib.h>

#include "base/mem.h"
#include "select/instance.h"

#define DEFAULT_STATES ((size_t)1 << 22)
#define WORK_PER_STATE 64 /* merging steps that are made for each of max_states */

struct point {
	uint64_t params;
	int64_t value;
};

struct points {
	struct point *p;
	size_t n, cap;
};

/* Adds a point behind the last unless that one is as good with no more parameters. */
static void push(struct points *to, struct point p)
{
	if (to->n > 0 && to->p[to->n - 1].value >= p.value)
		return;
	if (to->n > 0 && to->p[to->n - 1].params == p.params)
		to->n--;
	to->p[to->n++] = p;
}

/* to = the frontier of `from` and of `from` with the part added. */
static int merge(const struct points *from, const struct part *part, struct points *to,
		 struct err *e)
{
	size_t i = 0, j = 0;
	int rc = mem_grow(&to->p, &to->cap, 2 * from->n, sizeof *to->p, e);

	if (rc != EX_OK)
		return rc;
	to->n = 0;
	while (j < from->n) {
		struct point with = from->p[j];

		with.params += part->params;
		with.value += part->value;
		if (i < from->n && from->p[i].params <= with.params) {
			push(to, from->p[i++]);
		} else {
			push(to, with);
			j++;
		}
	}
	return EX_OK;
}

/* Nemhauser and Ullmann 1969. Leaves the list at the cap, with *complete false. */
static int enumerate(const struct part *parts, size_t n, size_t max_states,
		     struct points *list, bool *complete, struct err *e)
{
	struct points next = { 0 };
	size_t work = 0, limit = max_states;
	int rc = EX_OK;

	if (!mem_mul(max_states, WORK_PER_STATE, &limit))
		limit = SIZE_MAX;
	*complete = true;
	for (size_t i = 0; i < n && rc == EX_OK && *complete; i++) {
		struct points spare = *list;

		rc = merge(list, &parts[i], &next, e);
		*list = next;
		next = spare;
		work += list->n;
		*complete = list->n <= max_states && work <= limit;
	}
	free(next.p);
	return rc;
}

static int beginnings(const struct instance *in, struct points *list, struct err *e)
{
	struct point at = { in->fixed_params, in->fixed_value };
	int rc = mem_grow(&list->p, &list->cap, in->n + 1, sizeof *list->p, e);

	list->n = 0;
	if (rc == EX_OK)
		push(list, at);
	for (size_t i = 0; rc == EX_OK && i < in->n; i++) {
		if (in->entries[i].fixed)
			continue;
		at.params += in->entries[i].params;
		at.value += in->entries[i].value;
		push(list, at);
	}
	return rc;
}

static int publish(const struct points *list, int scale, struct frontier_point **out,
		   size_t *n_out, struct err *e)
{
	struct frontier_point *f = mem_zeros(list->n, sizeof *f);

	if (f == NULL)
		return err_nomem(e);
	for (size_t i = 0; i < list->n; i++) {
		f[i].params = list->p[i].params;
		f[i].value = ldexp((double)list->p[i].value, -scale);
	}
	*out = f;
	*n_out = list->n;
	return EX_OK;
}

int knapsack_frontier(const struct item *items, size_t n, size_t max_states,
		      struct frontier_point **out, size_t *n_out, bool *complete,
		      struct err *e)
{
	struct instance in;
	struct part *parts = NULL;
	struct points list = { 0 };
	size_t n_parts = 0;
	int rc = instance_build(&in, items, n, e);

	if (rc == EX_OK)
		rc = instance_parts(&in, UINT64_MAX, &parts, &n_parts, e);
	if (rc == EX_OK)
		rc = mem_grow(&list.p, &list.cap, 1, sizeof *list.p, e);
	if (rc == EX_OK) {
		push(&list, (struct point){ in.fixed_params, in.fixed_value });
		rc = enumerate(parts, n_parts, max_states > 0 ? max_states : DEFAULT_STATES,
			       &list, complete, e);
	}
	if (rc == EX_OK && !*complete)
		rc = beginnings(&in, &list, e);
	if (rc == EX_OK)
		rc = publish(&list, in.scale, out, n_out, e);
	free(list.p);
	free(parts);
	instance_free(&in);
	return rc;
}
