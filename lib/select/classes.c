#include "select/classes.h"

#include <stdlib.h>

#include "base/mem.h"

/* Compares value per parameter. */
static int by_ratio(const struct exchange *x, const struct exchange *y)
{
	wide left = (wide)x->value * (wide)y->params;
	wide right = (wide)y->value * (wide)x->params;

	return (left > right) - (left < right);
}

static uint32_t add_alternative(struct classes *c, int64_t value, uint64_t params,
				size_t kind, uint32_t copies)
{
	struct alternatives *class = &c->c[c->n];

	c->alternatives[c->n_alternatives] = (struct alternative){
		.value = value,
		.params = params,
		.kind = kind,
		.copies = copies,
		.class = (uint32_t)c->n,
	};
	if (class->n++ == 0) {
		class->first = (uint32_t)c->n_alternatives;
		c->value += value;
	}
	if (class->n > c->most)
		c->most = class->n;
	return (uint32_t)c->n_alternatives++;
}

/* Exchanges from `begin` on are those of the class so far. */
static void extend_hull(struct classes *c, size_t begin, uint32_t to)
{
	const struct alternative *a = c->alternatives;
	struct exchange x = { .from = to - 1, .to = to, .class = a[to].class };

	x.value = a[to].value - a[to - 1].value;
	x.params = a[to].params - a[to - 1].params;
	for (; c->n_exchanges > begin; c->n_exchanges--) {
		const struct exchange *last = &c->exchanges[c->n_exchanges - 1];

		x.from = last->to;
		x.value = a[to].value - a[x.from].value;
		x.params = a[to].params - a[x.from].params;
		if (by_ratio(last, &x) >= 0)
			break;
		x.from = last->from;
		x.value += last->value;
		x.params += last->params;
	}
	c->exchanges[c->n_exchanges++] = x;
}

/* Entries from `at` on that are of its kind. */
static size_t kind_size(const struct instance *in, size_t at)
{
	const struct entry *x = &in->entries[at];
	size_t end = at;

	while (end < in->n && in->entries[end].value == x->value &&
	       in->entries[end].params == x->params && !in->entries[end].fixed &&
	       in->entries[end].choice == 0)
		end++;
	return end - at;
}

static void add_kind(struct classes *c, const struct instance *in, size_t at, uint32_t left)
{
	const struct entry *x = &in->entries[at];

	for (uint32_t copies = 1; left > 0; left -= copies, copies *= 2) {
		if (copies > left)
			copies = left;
		add_alternative(c, 0, 0, at, 0);
		extend_hull(
		    c, c->n_exchanges,
		    add_alternative(c, x->value * copies, x->params * copies, at, copies));
		c->n++;
	}
}

static void add_kinds(struct classes *c, const struct instance *in, uint64_t limit)
{
	for (size_t at = 0, size; at < in->n; at += size) {
		const struct entry *x = &in->entries[at];
		size_t left;

		size = 1;
		if (x->fixed || x->choice != 0 || x->params > limit)
			continue;
		left = size = kind_size(in, at);
		if (left > limit / x->params)
			left = (size_t)(limit / x->params);
		add_kind(c, in, at, (uint32_t)left);
	}
}

/* The class of the choice whose rivals are r[0, n). */
static void add_choice(struct classes *c, const struct instance *in, const size_t *r,
		       size_t n, uint64_t limit)
{
	size_t begin = c->n_exchanges;

	if (in->entries[r[0]].params > limit)
		return;
	if (in->entries[r[0]].params > 0)
		add_alternative(c, 0, 0, r[0], 0);
	for (size_t i = 0; i < n && in->entries[r[i]].params <= limit; i++) {
		const struct entry *x = &in->entries[r[i]];
		uint32_t to = add_alternative(c, x->value, x->params, r[i], 1);

		if (c->c[c->n].n > 1)
			extend_hull(c, begin, to);
	}
	c->n++;
}

static void add_choices(struct classes *c, const struct instance *in, uint64_t limit)
{
	const size_t *r = in->rivals;

	for (size_t at = 0, end; at < in->n_rivals; at = end) {
		end = at + 1;
		while (end < in->n_rivals &&
		       in->entries[r[end]].choice == in->entries[r[at]].choice)
			end++;
		add_choice(c, in, r + at, end - at, limit);
	}
}

/* An exchange and what its place among the others depends on. */
struct placed {
	struct exchange x;
	size_t kind;
};

static int exchange_order(const void *a, const void *b)
{
	const struct placed *x = a, *y = b;
	int ratios = by_ratio(&y->x, &x->x);

	if (ratios != 0)
		return ratios;
	if (x->kind != y->kind)
		return x->kind < y->kind ? -1 : 1;
	return (x->x.to > y->x.to) - (x->x.to < y->x.to);
}

static int sort_exchanges(struct classes *c, struct err *e)
{
	struct placed *p = mem_zeros(c->n_exchanges, sizeof *p);

	if (p == NULL)
		return err_nomem(e);
	for (size_t i = 0; i < c->n_exchanges; i++) {
		p[i].x = c->exchanges[i];
		p[i].kind = c->alternatives[p[i].x.to].kind;
	}
	if (c->n_exchanges > 0)
		qsort(p, c->n_exchanges, sizeof *p, exchange_order);
	for (size_t i = 0; i < c->n_exchanges; i++)
		c->exchanges[i] = p[i].x;
	free(p);
	return EX_OK;
}

int classes_build(struct classes *c, const struct instance *in, uint64_t limit,
		  struct err *e)
{
	*c = (struct classes){ 0 };
	c->alternatives = mem_zeros(in->n, 2 * sizeof *c->alternatives);
	c->c = mem_zeros(in->n, sizeof *c->c);
	c->exchanges = mem_zeros(in->n, sizeof *c->exchanges);
	if (c->alternatives == NULL || c->c == NULL || c->exchanges == NULL) {
		classes_free(c);
		return err_nomem(e);
	}
	add_kinds(c, in, limit);
	if (in->n_rivals == 0)
		return EX_OK;
	add_choices(c, in, limit);
	if (sort_exchanges(c, e) == EX_OK)
		return EX_OK;
	classes_free(c);
	return EX_UNAVAILABLE;
}

void classes_free(struct classes *c)
{
	free(c->alternatives);
	free(c->c);
	free(c->exchanges);
	*c = (struct classes){ 0 };
}

int64_t classes_bound(const struct classes *c, uint64_t capacity)
{
	int64_t value = c->value;

	for (size_t i = 0; i < c->n_exchanges; i++) {
		const struct exchange *x = &c->exchanges[i];

		if (x->params > capacity)
			return value +
			       (int64_t)((wide)capacity * x->value / (wide)x->params);
		capacity -= x->params;
		value += x->value;
	}
	return value;
}

bool classes_fit(const struct classes *c, uint64_t capacity)
{
	for (size_t i = 0; i < c->n_exchanges; i++) {
		if (c->exchanges[i].params > capacity)
			return false;
		capacity -= c->exchanges[i].params;
	}
	return true;
}
