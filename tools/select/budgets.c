#include "budgets.h"

#include <inttypes.h>
#include <math.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "base/mem.h"
#include "base/num.h"

static int add(struct budgets *b, const char *label, uint64_t params, struct err *e)
{
	int rc = mem_grow(&b->params, &b->cap, b->n + 1, sizeof *b->params, e);

	if (rc == EX_OK)
		rc = strlist_add(&b->labels, label, e);
	if (rc == EX_OK)
		b->params[b->n++] = params;
	return rc;
}

static const char *label_of(const struct budgets *b, uint64_t params)
{
	for (size_t i = 0; i < b->n; i++)
		if (b->params[i] == params)
			return b->labels.s[i];
	return NULL;
}

/* "0.01" is no parameter at all, and meant as 1%. */
static int check_share(const char *label, uint64_t params, struct err *e)
{
	char percent[NUM_MAX];
	double x;

	if (params > 0 || !num_real(label, &x) || x <= 0)
		return EX_OK;
	num_print(percent, 100 * x);
	return err_set(e, EX_USAGE,
		       "--budget: '%s' is less than one parameter; did you mean "
		       "%s%%?",
		       label, percent);
}

int budgets_parse(struct budgets *b, const struct cli *cli, const struct strlist *typed,
		  const struct groups *g, struct err *e)
{
	uint64_t total = 0, params;
	int rc = EX_OK;

	for (size_t i = 0; i < typed->n && rc == EX_OK; i++) {
		const char *label = typed->s[i], *same;

		if (total == 0 && str_ends(label, "%"))
			rc = groups_model_params(g, &total, e);
		if (rc != EX_OK)
			break;
		if (!num_budget(label, total, &params))
			return err_set(
			    e, EX_USAGE,
			    "--budget: '%s' is no number of parameters (12000, 50k) "
			    "and no percentage (1%%)",
			    label);
		if ((rc = check_share(label, params, e)) != EX_OK)
			return rc;
		same = label_of(b, params);
		if (same != NULL)
			cli_note(cli, "budget %s is as large as %s: one mask for both",
				 label, same);
		else
			rc = add(b, label, params, e);
	}
	return rc;
}

static int add_total(struct budgets *b, uint64_t params, struct err *e)
{
	char label[NUM_MAX];

	snprintf(label, sizeof label, "%" PRIu64, params);
	return add(b, label, params, e);
}

/* f[0, n) in increasing order, none with 0 parameters; n > points. */
static int thin(struct budgets *b, const struct frontier_point *f, size_t n, size_t points,
		struct err *e)
{
	double high = log((double)f[n - 1].params);
	size_t at = points > 1 ? 0 : n - 1;
	int rc = add_total(b, f[at].params, e);

	for (size_t left = points - 1; left > 0 && rc == EX_OK; left--) {
		double low = log((double)f[at].params);
		double target = exp(low + (high - low) / (double)left);

		at++;
		while (at + 1 < n && (left == 1 || (double)f[at + 1].params <= target))
			at++;
		rc = add_total(b, f[at].params, e);
		if (at + 1 == n)
			break;
	}
	return rc;
}

int budgets_frontier(struct budgets *b, const struct cli *cli, const struct groups *g,
		     size_t points, size_t max_states, struct err *e)
{
	struct frontier_point *f = NULL;
	size_t n = 0, first = 0;
	bool complete = true;
	int rc = knapsack_frontier(g->items, g->n, max_states, &f, &n, &complete, e);

	if (rc != EX_OK)
		return rc;
	while (first < n && f[first].params == 0)
		first++;
	if (!complete)
		cli_note(cli, "the frontier has too many points to go through all: those "
			      "along the greedy order are solved anew");
	else if (n - first > points)
		cli_detail(cli, "%zu of the frontier's %zu points", points, n - first);
	if (n - first > points)
		rc = thin(b, f + first, n - first, points, e);
	for (size_t i = first; n - first <= points && i < n && rc == EX_OK; i++)
		rc = add_total(b, f[i].params, e);
	if (rc == EX_OK && first == n)
		rc = err_set(e, EX_DATAERR, "no group has a value: there is no frontier");
	free(f);
	return rc;
}

void budgets_free(struct budgets *b)
{
	strlist_free(&b->labels);
	free(b->params);
	*b = (struct budgets){ 0 };
}
