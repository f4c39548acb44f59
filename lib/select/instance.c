#include "select/instance.h"

#include <math.h>
#include <stdlib.h>
#include <string.h>

#include "base/mem.h"

#define SUM_BITS 62 /* sums of values and of parameters stay below 2^SUM_BITS */

static int larger_first(const void *a, const void *b)
{
	double x = *(const double *)a, y = *(const double *)b;

	return (x < y) - (x > y);
}

/* The largest s for which the sum of |v| 2^s is below 2^SUM_BITS. Summed from the largest
 * down, so that rounding does not depend on the order of the input. */
static int scale_of(double *values, size_t n)
{
	double sum = 0;
	int top, bits;

	if (n > 0)
		qsort(values, n, sizeof *values, larger_first);
	if (n == 0 || !(values[0] > 0))
		return 0;
	frexp(values[0], &top);
	for (size_t i = 0; i < n; i++)
		sum += ldexp(values[i], -top);
	frexp(sum, &bits);
	return SUM_BITS - bits - top;
}

/* A value too small for the scale still counts for more than none. */
static int64_t scaled(double v, int scale)
{
	int64_t x = llrint(ldexp(fabs(v), scale));

	if (x == 0 && fabs(v) > 0)
		x = 1;
	return v < 0 ? -x : x;
}

static int canonical(const void *a, const void *b)
{
	const struct entry *x = a, *y = b;
	wide left = (wide)x->value * (wide)y->params;
	wide right = (wide)y->value * (wide)x->params;
	int names;

	if ((x->params == 0) != (y->params == 0))
		return x->params == 0 ? -1 : 1;
	if (x->params == 0 && x->value != y->value)
		return x->value > y->value ? -1 : 1;
	if (left != right)
		return left > right ? -1 : 1;
	if (x->params != y->params)
		return x->params < y->params ? -1 : 1;
	names = strcmp(x->name, y->name);
	if (names != 0)
		return names;
	return (x->item > y->item) - (x->item < y->item);
}

static bool wanted(const struct item *x)
{
	return x->rule == RULE_REQUIRED || (x->rule == RULE_FREE && x->value > 0);
}

static int check(const struct item *items, size_t n, struct err *e)
{
	const uint64_t limit = (uint64_t)1 << SUM_BITS;
	uint64_t params = 0;
	double sum = 0;

	for (size_t i = 0; i < n; i++) {
		if (!isfinite(items[i].value))
			return err_set(e, EX_DATAERR, "group %s: its value is not finite",
				       items[i].name);
		if (!wanted(&items[i]))
			continue;
		if (items[i].params >= limit - params)
			return err_set(
			    e, EX_DATAERR,
			    "group %s: with it there are more than 2^%d parameters",
			    items[i].name, SUM_BITS);
		params += items[i].params;
		sum += fabs(items[i].value);
	}
	if (!isfinite(sum))
		return err_set(e, EX_DATAERR, "the values are too large to add up");
	return EX_OK;
}

int instance_build(struct instance *in, const struct item *items, size_t n, struct err *e)
{
	double *values = mem_zeros(n, sizeof *values);
	int rc = check(items, n, e);

	*in = (struct instance){ .entries = mem_zeros(n, sizeof *in->entries) };
	if (rc == EX_OK && (values == NULL || in->entries == NULL))
		rc = err_nomem(e);
	for (size_t i = 0; rc == EX_OK && i < n; i++) {
		if (!wanted(&items[i]))
			continue;
		values[in->n] = fabs(items[i].value);
		in->entries[in->n++].item = i;
	}
	if (rc != EX_OK) {
		free(values);
		instance_free(in);
		return rc;
	}
	in->scale = scale_of(values, in->n);
	free(values);
	for (size_t i = 0; i < in->n; i++) {
		struct entry *x = &in->entries[i];
		const struct item *from = &items[x->item];

		x->name = from->name;
		x->params = from->params;
		x->value = scaled(from->value, in->scale);
		x->fixed = from->rule == RULE_REQUIRED || from->params == 0;
		in->fixed_params += x->fixed ? x->params : 0;
		in->fixed_value += x->fixed ? x->value : 0;
	}
	if (in->n > 0)
		qsort(in->entries, in->n, sizeof *in->entries, canonical);
	return EX_OK;
}

void instance_free(struct instance *in)
{
	free(in->entries);
	*in = (struct instance){ 0 };
}

bool entry_free(const struct entry *x, uint64_t capacity)
{
	return !x->fixed && x->params <= capacity;
}

int64_t instance_dantzig(const struct instance *in, uint64_t capacity)
{
	uint64_t left = capacity;
	int64_t value = 0;

	for (size_t i = 0; i < in->n; i++) {
		const struct entry *x = &in->entries[i];

		if (!entry_free(x, capacity))
			continue;
		if (x->params > left)
			return value + (int64_t)((wide)left * x->value / (wide)x->params);
		left -= x->params;
		value += x->value;
	}
	return value;
}

/* Entries from `at` on that are of its kind. */
static size_t kind_size(const struct instance *in, size_t at)
{
	const struct entry *x = &in->entries[at];
	size_t end = at;

	while (end < in->n && in->entries[end].value == x->value &&
	       in->entries[end].params == x->params && !in->entries[end].fixed)
		end++;
	return end - at;
}

int instance_parts(const struct instance *in, uint64_t capacity, struct part **parts,
		   size_t *n, struct err *e)
{
	struct part *p = mem_zeros(in->n, sizeof *p);

	*parts = p;
	*n = 0;
	if (p == NULL)
		return err_nomem(e);
	for (size_t at = 0, size; at < in->n; at += size) {
		const struct entry *x = &in->entries[at];
		size_t left, copies = 1;

		size = 1;
		if (!entry_free(x, capacity))
			continue;
		left = size = kind_size(in, at);
		if (left > capacity / x->params)
			left = (size_t)(capacity / x->params);
		for (; left > 0; left -= copies, copies *= 2) {
			if (copies > left)
				copies = left;
			p[(*n)++] = (struct part){ .value = x->value * (int64_t)copies,
						   .params = x->params * copies,
						   .kind = at,
						   .copies = copies };
		}
	}
	return EX_OK;
}
