#include "influence/kendall.h"

#include <math.h>
#include <stdint.h>
#include <stdlib.h>
#include <string.h>

#include "base/mem.h"

struct pair {
	double x, y;
};

static int by_x_then_y(const void *a, const void *b)
{
	const struct pair *p = a, *q = b;

	if (p->x != q->x)
		return p->x < q->x ? -1 : 1;
	return (p->y > q->y) - (p->y < q->y);
}

static double pairs_of(size_t n)
{
	return (double)n * ((double)n - 1) / 2;
}

/* Pairs that tie in x; with `both`, in x and y. The list is sorted. */
static double ties_in_x(const struct pair *p, size_t n, int both)
{
	double ties = 0;

	for (size_t i = 0, end; i < n; i = end) {
		for (end = i + 1; end < n && p[end].x == p[i].x; end++)
			if (both && p[end].y != p[i].y)
				break;
		ties += pairs_of(end - i);
	}
	return ties;
}

static double ties_in_y(const struct pair *p, size_t n)
{
	double ties = 0;

	for (size_t i = 0, end; i < n; i = end) {
		for (end = i + 1; end < n && p[end].y == p[i].y; end++)
			;
		ties += pairs_of(end - i);
	}
	return ties;
}

/* Merges p[0, middle) and p[middle, n), each sorted by y, and counts the pairs that stand
 * the wrong way round. */
static double merge(struct pair *p, size_t middle, size_t n, struct pair *spare)
{
	size_t i = 0, j = middle, k = 0;
	double swaps = 0;

	while (i < middle && j < n) {
		if (p[j].y < p[i].y) {
			swaps += (double)(middle - i);
			spare[k++] = p[j++];
		} else {
			spare[k++] = p[i++];
		}
	}
	while (i < middle)
		spare[k++] = p[i++];
	memcpy(p, spare, k * sizeof *p);
	return swaps;
}

static double sort_by_y(struct pair *p, size_t n, struct pair *spare)
{
	double swaps = 0;

	for (size_t half = 1; half < n; half *= 2)
		for (size_t at = 0; at + half < n; at += 2 * half) {
			size_t len = n - at < 2 * half ? n - at : 2 * half;

			swaps += merge(p + at, half, len, spare);
		}
	return swaps;
}

int kendall_tau_b(size_t n, const double *x, const double *y, double *tau, struct err *e)
{
	struct pair *p = mem_zeros(n, sizeof *p), *spare = mem_zeros(n, sizeof *p);
	double all = n > 0 ? pairs_of(n) : 0, tx, ty, txy, swaps;

	if (p == NULL || spare == NULL) {
		free(p);
		free(spare);
		return err_nomem(e);
	}
	for (size_t i = 0; i < n; i++)
		p[i] = (struct pair){ x[i], y[i] };
	qsort(p, n, sizeof *p, by_x_then_y);
	tx = ties_in_x(p, n, 0);
	txy = ties_in_x(p, n, 1);
	swaps = sort_by_y(p, n, spare);
	ty = ties_in_y(p, n);
	*tau = NAN;
	if (tx < all && ty < all)
		*tau = (all - tx - ty + txy - 2 * swaps) / sqrt((all - tx) * (all - ty));
	free(p);
	free(spare);
	return EX_OK;
}

struct indexed {
	double x;
	size_t at;
};

static int largest_first(const void *a, const void *b)
{
	const struct indexed *p = a, *q = b;

	return (p->x < q->x) - (p->x > q->x);
}

int mean_ranks(size_t n, const double *x, double *rank, struct err *e)
{
	struct indexed *s = mem_zeros(n, sizeof *s);

	if (s == NULL)
		return err_nomem(e);
	for (size_t i = 0; i < n; i++)
		s[i] = (struct indexed){ x[i], i };
	qsort(s, n, sizeof *s, largest_first);
	for (size_t i = 0, end; i < n; i = end) {
		for (end = i; end < n && s[end].x == s[i].x; end++)
			;
		for (size_t j = i; j < end; j++)
			rank[s[j].at] = ((double)i + 1 + (double)end) / 2;
	}
	free(s);
	return EX_OK;
}
