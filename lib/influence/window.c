#include "influence/window.h"

#include <math.h>
#include <stdlib.h>
#include <string.h>

#include "base/mem.h"
#include "influence/kendall.h"

void window_start(struct window *w, size_t groups)
{
	*w = (struct window){ .groups = groups };
}

void window_free(struct window *w)
{
	for (size_t i = 0; i < w->steps; i++)
		free(w->ppi[i]);
	free(w->ppi);
	*w = (struct window){ 0 };
}

int window_add(struct window *w, const double *ppi, struct err *e)
{
	int rc = mem_grow(&w->ppi, &w->cap, w->steps + 1, sizeof *w->ppi, e);
	double *copy;

	if (rc != EX_OK)
		return rc;
	copy = mem_zeros(w->groups, sizeof *copy);
	if (copy == NULL)
		return err_nomem(e);
	memcpy(copy, ppi, w->groups * sizeof *copy);
	w->ppi[w->steps++] = copy;
	return EX_OK;
}

int window_tau(const struct window *w, double *tau, struct err *e)
{
	double *half;
	int rc;

	*tau = NAN;
	if (w->steps < 2)
		return EX_OK;
	half = mem_zeros(w->groups, 2 * sizeof *half);
	if (half == NULL)
		return err_nomem(e);
	for (size_t i = 0; i < w->steps; i++) {
		double *sum = half + (i < w->steps / 2 ? 0 : w->groups);

		for (size_t k = 0; k < w->groups; k++)
			sum[k] += w->ppi[i][k];
	}
	rc = kendall_tau_b(w->groups, half, half + w->groups, tau, e);
	free(half);
	return rc;
}
