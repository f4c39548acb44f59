#include "select/knapsack.h"

#include <inttypes.h>
#include <math.h>
#include <stdlib.h>
#include <string.h>

#include "base/mem.h"
#include "select/core.h"
#include "select/instance.h"

#define DEFAULT_STATES ((size_t)1 << 23)

/* A choice among an instance's free entries, in integers. */
struct choice {
	bool *take;    /* [n] of all entries; the fixed ones are taken */
	int64_t value; /* of the free ones */
	int64_t bound;
};

static void greedy(const struct instance *in, uint64_t capacity, bool stop,
		   struct choice *c)
{
	uint64_t left = capacity;

	c->value = 0;
	for (size_t i = 0; i < in->n; i++) {
		const struct entry *x = &in->entries[i];

		if (x->fixed)
			continue;
		if (x->params > left && stop)
			break;
		if (x->params > left)
			continue;
		c->take[i] = true;
		c->value += x->value;
		left -= x->params;
	}
}

/* Replaces a greedy choice by an optimal one. */
static int improve(const struct instance *in, uint64_t capacity, size_t max_states,
		   struct choice *c, struct err *e)
{
	struct core_result found;
	struct part *parts = NULL;
	size_t n_parts = 0, *copies = mem_zeros(in->n, sizeof *copies);
	int rc = copies == NULL ? err_nomem(e)
				: instance_parts(in, capacity, &parts, &n_parts, e);

	if (rc == EX_OK)
		rc = core_solve(parts, n_parts, capacity, c->value,
				max_states > 0 ? max_states : DEFAULT_STATES, copies,
				&found, e);
	if (rc == EX_OK) {
		c->bound = found.bound > c->value ? found.bound : c->value;
		if (found.value >= c->value) {
			c->value = found.value;
			for (size_t i = 0; i < in->n; i++)
				c->take[i] = in->entries[i].fixed;
			for (size_t i = 0; i < in->n; i++)
				for (size_t j = 0; j < copies[i]; j++)
					c->take[i + j] = true;
		}
	}
	free(parts);
	free(copies);
	return rc;
}

static bool all_fit(const struct instance *in, uint64_t capacity)
{
	uint64_t params = 0;

	for (size_t i = 0; i < in->n; i++)
		if (entry_free(&in->entries[i], capacity))
			params += in->entries[i].params;
	return params <= capacity;
}

static int choose(const struct instance *in, uint64_t capacity, enum solver solver,
		  size_t max_states, struct choice *c, struct err *e)
{
	for (size_t i = 0; i < in->n; i++)
		c->take[i] = in->entries[i].fixed;
	c->bound = instance_dantzig(in, capacity);
	greedy(in, capacity, solver == SOLVER_GREEDY_STOP, c);
	if (solver != SOLVER_EXACT || all_fit(in, capacity))
		return EX_OK;
	return improve(in, capacity, max_states, c, e);
}

static int publish(const struct instance *in, const struct choice *c,
		   const struct item *items, struct solution *out, struct err *e)
{
	int64_t bound = in->fixed_value + c->bound;

	*out = (struct solution){ .chosen = mem_zeros(in->n, sizeof *out->chosen) };
	if (out->chosen == NULL)
		return err_nomem(e);
	for (size_t i = 0; i < in->n; i++) {
		if (!c->take[i])
			continue;
		out->chosen[out->n++] = in->entries[i].item;
		out->params += in->entries[i].params;
		out->value += items[in->entries[i].item].value;
	}
	out->bound = out->value;
	out->optimal = c->value >= c->bound;
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
	struct choice c = { 0 };
	int rc;

	if (in->fixed_params > budget)
		return err_set(e, EX_DATAERR,
			       "the required groups have %" PRIu64 " parameters, %" PRIu64
			       " more than the budget of %" PRIu64,
			       in->fixed_params, in->fixed_params - budget, budget);
	c.take = mem_zeros(in->n, sizeof *c.take);
	if (c.take == NULL)
		return err_nomem(e);
	rc = choose(in, budget - in->fixed_params, solver, max_states, &c, e);
	if (rc == EX_OK)
		rc = publish(in, &c, items, out, e);
	free(c.take);
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
