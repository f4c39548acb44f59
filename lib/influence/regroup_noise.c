#include <math.h>
#include <stdlib.h>
#include <string.h>

#include "base/mem.h"
#include "influence/regroup_private.h"

#define NOISE_ONE_STEP 2.0  /* relative variance of a squared normal number */
#define NOISE_LEAST    1e-4 /* closer than 1 % is alike, whatever the steps say */

static int by_size(const void *p, const void *q)
{
	double a = *(const double *)p, b = *(const double *)q;

	return (a > b) - (a < b);
}

/* A middling mean: the median of those that are not 0; work[n]. 0: there is none. */
static double middling(const struct unit *u, size_t n, double *work)
{
	size_t some = 0;

	for (size_t i = 0; i < n; i++)
		if (u[i].mean > 0)
			work[some++] = u[i].mean;
	if (some > 0)
		qsort(work, some, sizeof *work, by_size);
	return some > 0 ? work[some / 2] : 0;
}

/* factor[t]: how much higher than their means the units stand at step t, each of them
 * weighing alike. */
static void common_factors(const struct unit *u, size_t n, double scale, double *factor,
			   double *expected, size_t steps)
{
	for (size_t t = 0; t < steps; t++)
		factor[t] = expected[t] = 0;
	for (size_t i = 0; i < n; i++) {
		for (size_t j = 0; j < u[i].points; j++) {
			size_t t = u[i].point[j].step;

			factor[t] += u[i].point[j].x / (u[i].mean + scale);
			expected[t] += u[i].mean / (u[i].mean + scale);
		}
	}
	for (size_t t = 0; t < steps; t++)
		factor[t] = expected[t] > 0 ? factor[t] / expected[t] : 1;
}

/* Takes the factors off and fills `level`; a step at which nothing moved says nothing. */
static void level_off(struct unit *u, const double *factor)
{
	double sum = 0;

	u->counted = 0;
	for (size_t j = 0; j < u->points; j++) {
		double f = factor[u->point[j].step];

		u->point[j].z = f > 0 ? u->point[j].x / f : NAN;
		sum += f > 0 ? u->point[j].z : 0;
		u->counted += f > 0;
	}
	u->level = u->counted > 0 ? sum / (double)u->counted : 0;
}

/* The sums that c is the ratio of. */
struct dispersion {
	double noise, level;
};

/* Of every `stride`th point from `from` on; those between, if any, give the weight. */
static void add_dispersion(const struct unit *u, size_t from, size_t stride, double scale,
			   struct dispersion *d)
{
	double sum = 0, squares = 0, other = 0, n = 0, n_other = 0, var, weight;

	for (size_t j = 0; j < u->points; j++) {
		double z = u->point[j].z;

		if (isnan(z))
			continue;
		if (j % stride == from) {
			sum += z;
			squares += z * z;
			n++;
		} else {
			other += z;
			n_other++;
		}
	}
	if (n < 2)
		return;
	var = fmax(squares - sum * sum / n, 0) / (n - 1);
	weight = 1 / (other / fmax(n_other, 1) + scale);
	d->noise += weight * weight * var;
	d->level += weight * weight * (sum * sum / n - var) / n;
}

/* c of these units, and their levels. The weights keep strong units from deciding alone;
 * they are taken from other steps than what they weigh, where there are enough, or units
 * that stand high by chance would weigh less. */
static double relative_noise(struct unit *u, size_t n, double *work, size_t steps)
{
	double scale = middling(u, n, work), free_units = (double)(n > 1 ? n - 1 : 1);
	struct dispersion d = { 0, 0 };

	common_factors(u, n, scale, work, work + steps, steps);
	for (size_t i = 0; i < n; i++) {
		size_t stride = u[i].points < 4 ? 1 : 2;

		level_off(&u[i], work);
		for (size_t from = 0; from < stride && scale > 0; from++)
			add_dispersion(&u[i], from, stride, scale, &d);
	}
	if (d.noise <= 0 && d.level <= 0)
		return NOISE_ONE_STEP;
	d.noise *= (double)n / free_units; /* the factors took a part along */
	/* No more than a member that is there at one step only. */
	if (d.noise >= d.level * (double)steps)
		return (double)steps;
	return fmax(d.noise / d.level, NOISE_LEAST);
}

static size_t tensor_end(const struct unit *u, size_t n, size_t i)
{
	size_t end = i + 1;

	while (end < n && u[end].tensor == u[i].tensor &&
	       memcmp(u[end].name, u[i].name, u[i].tensor) == 0)
		end++;
	return end;
}

static double floor_of(const struct unit *u, size_t n)
{
	double gain = 0, params = 0;

	for (size_t i = 0; i < n; i++) {
		gain += u[i].mean * (double)u[i].params;
		params += (double)u[i].params;
	}
	return gain > 0 ? REGROUP_FLOOR * gain / params : 1;
}

/* The c that a tensor's own rows and those of all tensors give together, the latter as if
 * they were REGROUP_PRIOR rows. */
static double shrunk(double own, size_t rows, double all)
{
	double n = (double)rows;

	return (n * own + REGROUP_PRIOR * all) / (n + REGROUP_PRIOR);
}

int regroup_measure(struct unit *u, size_t n, size_t steps, struct err *e)
{
	double *work = mem_zeros((n > steps ? n : steps), 2 * sizeof *work);
	double all, least;

	if (work == NULL)
		return err_nomem(e);
	for (size_t i = 0; i < n; i++) {
		u[i].mean = 0;
		for (size_t j = 0; j < u[i].points; j++)
			u[i].mean += u[i].point[j].x / (double)u[i].points;
	}
	all = relative_noise(u, n, work, steps);
	least = floor_of(u, n);
	for (size_t i = 0, end; i < n; i = end) {
		double noise = all;

		end = tensor_end(u, n, i);
		if (end - i >= REGROUP_ROWS)
			noise = shrunk(relative_noise(&u[i], end - i, work, steps), end - i,
				       all);
		for (size_t j = i; j < end; j++) {
			u[j].x = u[j].level + least;
			u[j].w = (double)u[j].counted / noise;
		}
	}
	free(work);
	return EX_OK;
}
