#include "select/knapsack.h"

#include <math.h>
#include <stdlib.h>

#include "base/mem.h"
#include "select/classes.h"

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

/* A walk through a list of points, all of which take an alternative. */
struct cursor {
	struct point head;
	size_t at;
	struct point plus; /* that it has more than the first alternative */
};

/* Fills the head from the list; false at its end. */
static bool look(const struct points *from, struct cursor *c)
{
	if (c->at == from->n)
		return false;
	c->head.params = from->p[c->at].params + c->plus.params;
	c->head.value = from->p[c->at].value + c->plus.value;
	return true;
}

/* Restores the heap c[0, n), fewest params first, of which c[0] may be too large. */
static void sift(struct cursor *c, size_t n)
{
	const struct cursor moved = c[0];
	size_t at = 0, child = 1;

	for (; child < n; child = 2 * at + 1) {
		if (child + 1 < n && c[child + 1].head.params < c[child].head.params)
			child++;
		if (c[child].head.params >= moved.head.params)
			break;
		c[at] = c[child];
		at = child;
	}
	c[at] = moved;
}

/* to = the frontier of `from` with each alternative of the class, up to max_points + 1. */
static int merge(const struct points *from, const struct alternative *a, size_t n,
		 struct cursor *c, size_t max_points, struct points *to, struct err *e)
{
	size_t most;
	int rc;

	if (!mem_mul(n, from->n, &most))
		most = SIZE_MAX;
	if (most - 1 > max_points)
		most = max_points + 1;
	rc = mem_grow(&to->p, &to->cap, most, sizeof *to->p, e);
	if (rc != EX_OK)
		return rc;
	/* Alternatives are in increasing order: it is a heap. */
	for (size_t i = 0; i < n; i++) {
		c[i] = (struct cursor){ .plus = { a[i].params - a->params,
						  a[i].value - a->value } };
		look(from, &c[i]);
	}
	to->n = 0;
	while (n > 0 && to->n <= max_points) {
		push(to, c->head);
		c->at++;
		if (!look(from, c))
			*c = c[--n];
		sift(c, n);
	}
	return EX_OK;
}

/* Nemhauser and Ullmann 1969. Leaves the list at the cap, with *complete false. */
static int enumerate(const struct classes *classes, size_t max_states, struct points *list,
		     bool *complete, struct err *e)
{
	struct cursor *c = mem_zeros(classes->most, sizeof *c);
	struct points next = { 0 };
	size_t work = 0, limit = max_states;
	int rc = c == NULL ? err_nomem(e) : EX_OK;

	if (!mem_mul(max_states, WORK_PER_STATE, &limit))
		limit = SIZE_MAX;
	*complete = true;
	for (size_t i = 0; i < classes->n && rc == EX_OK && *complete; i++) {
		const struct alternatives *class = &classes->c[i];
		struct points spare = *list;
		size_t steps;

		*complete = mem_mul(list->n, class->n - 1, &steps) && steps <= limit - work;
		if (!*complete)
			break;
		work += steps;
		rc = merge(list, classes->alternatives + class->first, class->n, c,
			   max_states, &next, e);
		*list = next;
		next = spare;
		*complete = list->n <= max_states;
	}
	free(next.p);
	free(c);
	return rc;
}

/* What greedy passes when nothing ends it. */
static int beginnings(const struct classes *c, struct point at, struct points *list,
		      struct err *e)
{
	size_t n = 1;
	int rc;

	for (size_t i = 0; i < c->n_exchanges; i++)
		n += c->alternatives[c->exchanges[i].to].copies;
	rc = mem_grow(&list->p, &list->cap, n, sizeof *list->p, e);
	if (rc != EX_OK)
		return rc;
	list->n = 0;
	push(list, at);
	for (size_t i = 0; i < c->n_exchanges; i++) {
		const struct exchange *x = &c->exchanges[i];
		size_t copies = c->alternatives[x->to].copies;

		for (size_t j = 0; j < copies; j++) {
			at.params += x->params / copies;
			at.value += x->value / (int64_t)copies;
			push(list, at);
		}
	}
	return EX_OK;
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

static int find(const struct instance *in, size_t max_states, struct points *list,
		bool *complete, struct err *e)
{
	struct point start = { in->fixed_params, in->fixed_value };
	struct classes c;
	int rc = classes_build(&c, in, UINT64_MAX, e);

	if (rc != EX_OK)
		return rc;
	start.value += c.value;
	rc = mem_grow(&list->p, &list->cap, 1, sizeof *list->p, e);
	if (rc == EX_OK) {
		push(list, start);
		rc = enumerate(&c, max_states > 0 ? max_states : DEFAULT_STATES, list,
			       complete, e);
	}
	if (rc == EX_OK && !*complete)
		rc = beginnings(&c, start, list, e);
	classes_free(&c);
	return rc;
}

int knapsack_frontier(const struct item *items, size_t n, size_t max_states,
		      struct frontier_point **out, size_t *n_out, bool *complete,
		      struct err *e)
{
	struct instance in;
	struct points list = { 0 };
	int rc = instance_build(&in, items, n, e);

	if (rc == EX_OK)
		rc = find(&in, max_states, &list, complete, e);
	if (rc == EX_OK)
		rc = publish(&list, in.scale, out, n_out, e);
	free(list.p);
	instance_free(&in);
	return rc;
}
