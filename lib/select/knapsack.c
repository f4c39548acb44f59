#include "select/knapsack.h"

#include <inttypes.h>
#include <math.h>
#include <stdlib.h>
#include <string.h>

#include "base/mem.h"
#include "select/core.h"

#define DEFAULT_STATES ((size_t)1 << 23)

/* What is chosen of an instance's free entries, in integers. */
struct outcome {
	size_t *copies; /* [entries] chosen of the kind whose first entry it is */
	int64_t value, bound;
};

/* How many of the copies that the exchange adds there is room for. */
static uint64_t fitting(const struct exchange *x, uint32_t copies, uint64_t left)
{
	return x->params <= left ? copies : left / (x->params / copies);
}

static void greedy(const struct classes *c, uint64_t capacity, bool stop, struct outcome *o)
{
	uint64_t left = capacity;

	for (size_t i = 0; i < c->n; i++) {
		const struct alternative *first = &c->alternatives[c->c[i].first];

		o->copies[first->kind] += first->copies;
	}
	o->value = c->value;
	for (size_t i = 0; i < c->n_exchanges; i++) {
		const struct exchange *x = &c->exchanges[i];
		const struct alternative *from = &c->alternatives[x->from];
		const struct alternative *to = &c->alternatives[x->to];
		uint64_t n = fitting(x, to->copies, left);

		if (n > 0 && (from->copies == 0 || o->copies[from->kind] > 0)) {
			o->copies[from->kind] -= from->copies;
			o->copies[to->kind] += n;
			o->value += x->value / (int64_t)to->copies * (int64_t)n;
			left -= x->params / to->copies * n;
		}
		if (stop && n < to->copies)
			break;
	}
}

/* As far as the paper's greedy knows, groups that are larger than the budget are groups
 * like all others: it ends at them. */
static int greedy_stop(const struct instance *in, uint64_t capacity, struct outcome *o,
		       struct err *e)
{
	struct classes c;
	int rc = classes_build(&c, in, UINT64_MAX, e);

	if (rc != EX_OK)
		return rc;
	greedy(&c, capacity, true, o);
	classes_free(&c);
	return EX_OK;
}

/* Replaces a greedy outcome by an optimal one. */
static int improve(const struct classes *c, size_t n_entries, uint64_t capacity,
		   size_t max_states, struct outcome *o, struct err *e)
{
	struct core_result found;
	size_t *copies = mem_zeros(n_entries, sizeof *copies);
	int rc = copies == NULL ? err_nomem(e) : EX_OK;

	if (rc == EX_OK)
		rc = core_solve(c, capacity, o->value,
				max_states > 0 ? max_states : DEFAULT_STATES, copies,
				&found, e);
	if (rc == EX_OK) {
		o->bound = found.bound > o->value ? found.bound : o->value;
		if (found.value >= o->value) {
			o->value = found.value;
			memcpy(o->copies, copies, n_entries * sizeof *copies);
		}
	}
	free(copies);
	return rc;
}

static int choose(const struct instance *in, uint64_t capacity, enum solver solver,
		  size_t max_states, struct outcome *o, struct err *e)
{
	struct classes c;
	int rc = classes_build(&c, in, capacity, e);

	if (rc != EX_OK)
		return rc;
	o->bound = classes_bound(&c, capacity);
	if (solver == SOLVER_GREEDY_STOP)
		rc = greedy_stop(in, capacity, o, e);
	else
		greedy(&c, capacity, false, o);
	if (solver == SOLVER_EXACT && !classes_fit(&c, capacity))
		rc = improve(&c, in->n, capacity, max_states, o, e);
	classes_free(&c);
	return rc;
}

static int publish(const struct instance *in, const struct outcome *o,
		   const struct item *items, struct solution *out, struct err *e)
{
	int64_t bound = in->fixed_value + o->bound;
	size_t copies = 0; /* of the kind that the entry is of */

	*out = (struct solution){ .chosen = mem_zeros(in->n, sizeof *out->chosen) };
	if (out->chosen == NULL)
		return err_nomem(e);
	for (size_t i = 0; i < in->n; i++) {
		if (o->copies[i] > 0)
			copies = o->copies[i];
		if (copies == 0 && !in->entries[i].fixed)
			continue;
		copies -= !in->entries[i].fixed;
		out->chosen[out->n++] = in->entries[i].item;
		out->params += in->entries[i].params;
		out->value += items[in->entries[i].item].value;
	}
	out->bound = out->value;
	out->optimal = o->value >= o->bound;
	if (!out->optimal) {
		/* Each value was rounded by less than one unit. */
		double above =
		    ldexp(nextafter((double)bound + (double)in->n, INFINITY), -in->scale);

		if (above > out->bound)
			out->bound = above;
	}
	if (out->bound > 0)
		out->gap = (out->bound - out->value) / out->bound;
	return EX_OK;
}

static int solve(const struct instance *in, const struct item *items, uint64_t budget,
		 enum solver solver, size_t max_states, struct solution *out, struct err *e)
{
	struct outcome o = { 0 };
	int rc;

	if (in->fixed_params > budget)
		return err_set(e, EX_DATAERR,
			       "the required groups have %" PRIu64 " parameters, %" PRIu64
			       " more than the budget of %" PRIu64,
			       in->fixed_params, in->fixed_params - budget, budget);
	o.copies = mem_zeros(in->n, sizeof *o.copies);
	if (o.copies == NULL)
		return err_nomem(e);
	rc = choose(in, budget - in->fixed_params, solver, max_states, &o, e);
	if (rc == EX_OK)
		rc = publish(in, &o, items, out, e);
	free(o.copies);
	return rc;
}

int knapsack_solve_all(const struct item *items, size_t n, const uint64_t *budgets,
		       size_t n_budgets, enum solver solver, size_t max_states,
		       struct solution *out, struct err *e)
{
	struct instance in;
	int rc = instance_build(&in, items, n, e);

	for (size_t i = 0; i < n_budgets; i++)
		out[i] = (struct solution){ 0 };
	for (size_t i = 0; i < n_budgets && rc == EX_OK; i++)
		rc = solve(&in, items, budgets[i], solver, max_states, &out[i], e);
	for (size_t i = 0; i < n_budgets && rc != EX_OK; i++)
		solution_free(&out[i]);
	instance_free(&in);
	return rc;
}

int knapsack_solve(const struct item *items, size_t n, uint64_t budget, enum solver solver,
		   size_t max_states, struct solution *out, struct err *e)
{
	return knapsack_solve_all(items, n, &budget, 1, solver, max_states, out, e);
}

void solution_free(struct solution *s)
{
	free(s->chosen);
	*s = (struct solution){ 0 };
}
