/* Writes METRIC <tab> VALUE for every metric of every data set on stdin, for
 * tests/ref/metric.py to compare.
 * usage: dump_metric
 *
 * A data set is a line CLASSES N, CLASSES being 0 for numbers, then a line of N truths and
 * a line of N guesses, separated by blanks. */
#include <math.h>
#include <stdio.h>
#include <stdlib.h>

#include "base/mem.h"
#include "train/metric.h"

struct points {
	size_t n, classes;
	double *x[2];
	int32_t *label[2];
};

static int points_init(struct points *p, struct err *e)
{
	for (int k = 0; k < 2; k++) {
		p->x[k] = mem_zeros(p->n, sizeof **p->x);
		p->label[k] = mem_zeros(p->n, sizeof **p->label);
		if (p->x[k] == NULL || p->label[k] == NULL)
			return err_nomem(e);
	}
	return EX_OK;
}

static void points_free(struct points *p)
{
	for (int k = 0; k < 2; k++) {
		free(p->x[k]);
		free(p->label[k]);
	}
}

static int read_side(struct points *p, int k, struct err *e)
{
	for (size_t i = 0; i < p->n; i++) {
		if (scanf("%lf", &p->x[k][i]) != 1)
			return err_set(e, EX_DATAERR, "value %zu is not a number", i + 1);
		if (p->classes > 0)
			p->label[k][i] = (int32_t)p->x[k][i];
	}
	return EX_OK;
}

static int print(const struct points *p, struct err *e)
{
	const int32_t *truth = p->label[0], *guess = p->label[1];
	double r;

	if (p->classes > 0) {
		printf("accuracy\t%.17g\n", metric_accuracy(p->n, truth, guess));
		printf("f1\t%.17g\n", metric_f1(p->n, p->classes, truth, guess));
		printf("matthews\t%.17g\n",
		       metric_matthews(p->n, p->classes, truth, guess));
		return EX_OK;
	}
	if (metric_spearman(p->n, p->x[0], p->x[1], &r, e) != EX_OK)
		return e->code;
	printf("pearson\t%.17g\n", metric_pearson(p->n, p->x[0], p->x[1]));
	printf("spearman\t%.17g\n", r);
	return EX_OK;
}

int main(void)
{
	struct err e = { 0 };
	int rc = EX_OK;

	for (struct points p = { 0 };
	     rc == EX_OK && scanf("%zu %zu", &p.classes, &p.n) == 2;) {
		rc = points_init(&p, &e);
		for (int k = 0; k < 2 && rc == EX_OK; k++)
			rc = read_side(&p, k, &e);
		if (rc == EX_OK)
			rc = print(&p, &e);
		points_free(&p);
	}
	if (rc != EX_OK)
		fprintf(stderr, "dump_metric: %s\n", e.text);
	return rc != EX_OK ? rc : fflush(stdout) == 0 ? EX_OK : EX_IOERR;
}
