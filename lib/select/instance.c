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

/* ---- choices ---- */

#define LEFT_OUT UINT32_MAX /* the choice of an item whose rival is required */

struct member {
	const char *choice, *name;
	size_t item;
};

static int by_choice(const void *a, const void *b)
{
	const struct member *x = a, *y = b;
	int choices = strcmp(x->choice, y->choice);

	return choices != 0 ? choices : strcmp(x->name, y->name);
}

/* The members m[0, n) of one choice, of number `number`. */
static int settle_choice(const struct item *items, const struct member *m, size_t n,
			 uint32_t number, uint32_t *choice, struct err *e)
{
	const struct member *required = NULL;

	for (size_t i = 0; i < n; i++) {
		if (items[m[i].item].rule != RULE_REQUIRED)
			continue;
		if (required != NULL)
			return err_set(e, EX_USAGE,
				       "groups %s and %s are alternatives (choice %s): "
				       "only one of them can be required",
				       required->name, m[i].name, m[i].choice);
		required = &m[i];
	}
	for (size_t i = 0; i < n; i++)
		choice[m[i].item] = required != NULL ? LEFT_OUT : number;
	if (required != NULL)
		choice[required->item] = 0;
	return EX_OK;
}

/* choice[n] gets the number of each item's choice, from 1, or 0 for none. */
static int number_choices(const struct item *items, size_t n, uint32_t *choice,
			  struct err *e)
{
	struct member *m = mem_zeros(n, sizeof *m);
	size_t n_members = 0;
	uint32_t number = 1;
	int rc = EX_OK;

	if (m == NULL)
		return err_nomem(e);
	for (size_t i = 0; i < n; i++)
		if (items[i].choice != NULL)
			m[n_members++] =
			    (struct member){ items[i].choice, items[i].name, i };
	if (n_members > 0)
		qsort(m, n_members, sizeof *m, by_choice);
	for (size_t at = 0, end; at < n_members && rc == EX_OK; at = end, number++) {
		end = at + 1;
		while (end < n_members && strcmp(m[end].choice, m[at].choice) == 0)
			end++;
		rc = settle_choice(items, m + at, end - at, number, choice, e);
	}
	free(m);
	return rc;
}

static int by_size(const void *a, const void *b)
{
	const struct entry *x = a, *y = b;

	if (x->choice != y->choice)
		return x->choice < y->choice ? -1 : 1;
	if (x->params != y->params)
		return x->params < y->params ? -1 : 1;
	return canonical(x, y);
}

/* Leaves out entries that a rival dominates; one that is left alone has no choice any more.
 * The others' places among all rivals go to place[item]. */
static void drop_dominated(struct instance *in, uint32_t *place)
{
	struct entry *x = in->entries;
	size_t kept = 0, choices = 0;

	for (size_t i = 0; i < in->n; i++)
		choices += x[i].choice != 0;
	if (choices == 0)
		return;
	qsort(x, in->n, sizeof *x, by_size);
	for (size_t i = 0; i < in->n; i++) {
		bool rivals =
		    kept > 0 && x[i].choice != 0 && x[kept - 1].choice == x[i].choice;

		if (!rivals || x[i].value > x[kept - 1].value)
			x[kept++] = x[i];
	}
	in->n = kept;
	for (size_t i = 0; i < in->n; i++) {
		uint32_t choice = x[i].choice;
		bool first = i == 0 || x[i - 1].choice != choice;

		if (choice == 0)
			continue;
		if (first && (i + 1 == in->n || x[i + 1].choice != choice))
			x[i].choice = 0;
		else
			place[x[i].item] = (uint32_t)in->n_rivals++;
	}
}

/* ---- entries ---- */

static bool wanted(const struct item *x, uint32_t choice)
{
	return x->rule == RULE_REQUIRED ||
	       (x->rule == RULE_FREE && x->value > 0 && choice != LEFT_OUT);
}

static int check(const struct item *items, size_t n, const uint32_t *choice, struct err *e)
{
	const uint64_t limit = (uint64_t)1 << SUM_BITS;
	uint64_t params = 0;
	double sum = 0;

	for (size_t i = 0; i < n; i++) {
		if (!isfinite(items[i].value))
			return err_set(e, EX_DATAERR, "group %s: its value is not finite",
				       items[i].name);
		if (!wanted(&items[i], choice[i]))
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

static int add_entries(struct instance *in, const struct item *items, size_t n,
		       const uint32_t *choice, struct err *e)
{
	double *values = mem_zeros(n, sizeof *values);

	if (values == NULL)
		return err_nomem(e);
	for (size_t i = 0; i < n; i++) {
		if (!wanted(&items[i], choice[i]))
			continue;
		values[in->n] = fabs(items[i].value);
		in->entries[in->n++] = (struct entry){ .name = items[i].name,
						       .params = items[i].params,
						       .item = i,
						       .choice = choice[i] };
	}
	in->scale = scale_of(values, in->n);
	free(values);
	for (size_t i = 0; i < in->n; i++) {
		struct entry *x = &in->entries[i];

		x->value = scaled(items[x->item].value, in->scale);
	}
	return EX_OK;
}

static int sort_entries(struct instance *in, const struct item *items, uint32_t *place,
			struct err *e)
{
	drop_dominated(in, place);
	in->rivals = mem_zeros(in->n_rivals, sizeof *in->rivals);
	if (in->rivals == NULL)
		return err_nomem(e);
	if (in->n > 0)
		qsort(in->entries, in->n, sizeof *in->entries, canonical);
	for (size_t i = 0; i < in->n; i++) {
		struct entry *x = &in->entries[i];

		if (x->choice != 0) {
			in->rivals[place[x->item]] = i;
			continue;
		}
		x->fixed = items[x->item].rule == RULE_REQUIRED || x->params == 0;
		in->fixed_params += x->fixed ? x->params : 0;
		in->fixed_value += x->fixed ? x->value : 0;
	}
	return EX_OK;
}

int instance_build(struct instance *in, const struct item *items, size_t n, struct err *e)
{
	uint32_t *choice = mem_zeros(n, sizeof *choice); /* then the places of rivals */
	int rc = EX_OK;

	*in = (struct instance){ .entries = mem_zeros(n, sizeof *in->entries) };
	if (choice == NULL || in->entries == NULL)
		rc = err_nomem(e);
	else if (n > INT32_MAX)
		rc = err_set(e, EX_DATAERR, "more than 2^31 groups");
	if (rc == EX_OK)
		rc = number_choices(items, n, choice, e);
	if (rc == EX_OK)
		rc = check(items, n, choice, e);
	if (rc == EX_OK)
		rc = add_entries(in, items, n, choice, e);
	if (rc == EX_OK)
		rc = sort_entries(in, items, choice, e);
	free(choice);
	if (rc != EX_OK)
		instance_free(in);
	return rc;
}

void instance_free(struct instance *in)
{
	free(in->entries);
	free(in->rivals);
	*in = (struct instance){ 0 };
}
