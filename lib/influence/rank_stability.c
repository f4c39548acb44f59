#include <math.h>
#include <stdlib.h>
#include <string.h>

#include "base/mem.h"
#include "influence/kendall.h"
#include "influence/rank_private.h"

/* The group whose rank changed most; of equal ones the first by name. */
static size_t least_stable(const struct ranked *g, size_t n)
{
	size_t least = 0;

	for (size_t i = 1; i < n; i++)
		if (g[i].stability < g[least].stability ||
		    (g[i].stability == g[least].stability &&
		     strcmp(g[i].group, g[least].group) < 0))
			least = i;
	return least;
}

/* tau between the halves, over all groups but one. */
static int tau_without(const double *half, size_t n, size_t one, double *tau, struct err *e)
{
	double *rest = mem_zeros(n, 2 * sizeof *rest);
	size_t kept = 0;
	int rc;

	if (rest == NULL)
		return err_nomem(e);
	for (size_t i = 0; i < n; i++) {
		if (i == one)
			continue;
		rest[kept] = half[i];
		rest[n + kept++] = half[n + i];
	}
	rc = kendall_tau_b(kept, rest, rest + n, tau, e);
	free(rest);
	return rc;
}

static int rank_halves(struct ranked *g, const double *half, size_t n, struct err *e)
{
	double *rank = mem_zeros(n, 2 * sizeof *rank);
	int rc = rank == NULL ? err_nomem(e) : mean_ranks(n, half, rank, e);

	if (rc == EX_OK)
		rc = mean_ranks(n, half + n, rank + n, e);
	for (size_t i = 0; rc == EX_OK && i < n; i++) {
		g[i].first = rank[i];
		g[i].second = rank[n + i];
		g[i].stability -= fabs(rank[i] - rank[n + i]) / (double)(n - 1);
	}
	free(rank);
	return rc;
}

int compare_halves(struct ranked *g, const double *half, struct ranking *out, struct err *e)
{
	size_t n = out->n, least;
	int rc;

	out->tau = out->tau_without = NAN;
	out->settled = true;
	for (size_t i = 0; i < n; i++)
		g[i].first = g[i].second = g[i].stability = 1;
	if (out->steps < 2 || n < 2)
		return EX_OK;
	rc = rank_halves(g, half, n, e);
	if (rc == EX_OK)
		rc = kendall_tau_b(n, half, half + n, &out->tau, e);
	if (rc != EX_OK || out->steps < RANK_SETTLED_STEPS ||
	    !(out->tau < RANK_SETTLED_TAU))
		return rc;
	least = least_stable(g, n);
	out->settled = false;
	out->carrier = g[least].group;
	return tau_without(half, n, least, &out->tau_without, e);
}
