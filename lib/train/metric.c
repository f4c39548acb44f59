#include "train/metric.h"

#include <math.h>
#include <stdbool.h>
#include <stdlib.h>

#include "base/mem.h"

double metric_accuracy(size_t n, const int32_t *truth, const int32_t *guess)
{
	size_t right = 0;

	for (size_t i = 0; i < n; i++)
		right += truth[i] == guess[i];
	return n == 0 ? (double)NAN : (double)right / (double)n;
}

/* How often class c is the truth, the guess, and both. */
struct counts {
	size_t truth, guess, both;
};

static struct counts count(size_t n, int32_t c, const int32_t *truth, const int32_t *guess)
{
	struct counts k = { 0, 0, 0 };

	for (size_t i = 0; i < n; i++) {
		k.truth += truth[i] == c;
		k.guess += guess[i] == c;
		k.both += truth[i] == c && guess[i] == c;
	}
	return k;
}

/* 2TP + FP + FN counts each truth and each guess once. */
static double f1_of(struct counts k)
{
	size_t all = k.truth + k.guess;

	return all == 0 ? 0.0 : 2.0 * (double)k.both / (double)all;
}

double metric_f1(size_t n, size_t classes, const int32_t *truth, const int32_t *guess)
{
	double sum = 0.0;
	size_t present = 0;

	if (n == 0)
		return (double)NAN;
	if (classes <= 2)
		return f1_of(count(n, 1, truth, guess));
	for (size_t c = 0; c < classes; c++) {
		struct counts k = count(n, (int32_t)c, truth, guess);

		if (k.truth + k.guess == 0)
			continue;
		present++;
		sum += f1_of(k);
	}
	return present == 0 ? 0.0 : sum / (double)present;
}

double metric_matthews(size_t n, size_t classes, const int32_t *truth, const int32_t *guess)
{
	double all = (double)n, right = 0.0, tt = 0.0, gg = 0.0, tg = 0.0, scale;

	if (n == 0)
		return (double)NAN;
	for (size_t c = 0; c < classes; c++) {
		struct counts k = count(n, (int32_t)c, truth, guess);

		right += (double)k.both;
		tt += (double)k.truth * (double)k.truth;
		gg += (double)k.guess * (double)k.guess;
		tg += (double)k.truth * (double)k.guess;
	}
	scale = sqrt(all * all - tt) * sqrt(all * all - gg);
	return scale == 0.0 ? 0.0 : (right * all - tg) / scale;
}

static bool constant(size_t n, const double *x)
{
	for (size_t i = 1; i < n; i++)
		if (!(x[i] == x[0]))
			return false;
	return true;
}

#define PAIRWISE_BLOCK 128
#define PAIRWISE_LANES 8

/* Pairwise, in the order in which NumPy adds: r of nearly constant values is a function of
 * how their mean was rounded. */
static double sum(size_t n, const double *x)
{
	double lane[PAIRWISE_LANES], all = 0.0;
	size_t i, half;

	if (n > PAIRWISE_BLOCK) {
		half = n / 2 - n / 2 % PAIRWISE_LANES;
		return sum(half, x) + sum(n - half, x + half);
	}
	if (n >= PAIRWISE_LANES) {
		for (size_t k = 0; k < PAIRWISE_LANES; k++)
			lane[k] = x[k];
		for (i = PAIRWISE_LANES; i + PAIRWISE_LANES <= n; i += PAIRWISE_LANES)
			for (size_t k = 0; k < PAIRWISE_LANES; k++)
				lane[k] += x[i + k];
		all = ((lane[0] + lane[1]) + (lane[2] + lane[3])) +
		      ((lane[4] + lane[5]) + (lane[6] + lane[7]));
	} else {
		i = 0;
	}
	for (; i < n; i++)
		all += x[i];
	return all;
}

/* The mean of x and the norm of what differs from it; dividing by the largest difference
 * keeps the squares in range. */
struct middle {
	double mean, norm;
};

static struct middle middle_of(size_t n, const double *x)
{
	struct middle m = { .mean = sum(n, x) / (double)n };
	double most = 0.0, squares = 0.0;

	for (size_t i = 0; i < n; i++)
		most = fmax(most, fabs(x[i] - m.mean));
	for (size_t i = 0; i < n; i++) {
		double d = (x[i] - m.mean) / most;

		squares += d * d;
	}
	m.norm = most * sqrt(squares);
	return m;
}

double metric_pearson(size_t n, const double *x, const double *y)
{
	struct middle mx, my;
	double r = 0.0;

	if (n < 2 || constant(n, x) || constant(n, y))
		return (double)NAN;
	mx = middle_of(n, x);
	my = middle_of(n, y);
	for (size_t i = 0; i < n; i++)
		r += (x[i] - mx.mean) / mx.norm * ((y[i] - my.mean) / my.norm);
	if (isnan(r))
		return r;
	r = fmax(-1.0, fmin(1.0, r));
	return n == 2 ? nearbyint(r) : r;
}

struct ranked {
	double value;
	size_t at;
};

static int compare(const void *a, const void *b)
{
	const struct ranked *x = a, *y = b;

	return (x->value > y->value) - (x->value < y->value);
}

static bool rankable(size_t n, const double *x)
{
	for (size_t i = 0; i < n; i++)
		if (isnan(x[i]))
			return false;
	return !constant(n, x);
}

/* Ranks from 1; equal values share the mean of theirs. */
static void rank(size_t n, const double *x, struct ranked *order, double *ranks)
{
	for (size_t i = 0; i < n; i++)
		order[i] = (struct ranked){ x[i], i };
	qsort(order, n, sizeof *order, compare);
	for (size_t i = 0, end; i < n; i = end) {
		for (end = i + 1; end < n && order[end].value == order[i].value;)
			end++;
		for (size_t j = i; j < end; j++)
			ranks[order[j].at] = 0.5 * (double)(i + end + 1);
	}
}

int metric_spearman(size_t n, const double *x, const double *y, double *r, struct err *e)
{
	struct ranked *order;
	double *ranks;

	*r = (double)NAN;
	if (n < 2 || !rankable(n, x) || !rankable(n, y))
		return EX_OK;
	order = mem_zeros(n, sizeof *order);
	ranks = mem_zeros(n, 2 * sizeof *ranks);
	if (order != NULL && ranks != NULL) {
		rank(n, x, order, ranks);
		rank(n, y, order, ranks + n);
		*r = metric_pearson(n, ranks, ranks + n);
	}
	free(order);
	free(ranks);
	return order != NULL && ranks != NULL ? EX_OK : err_nomem(e);
}
