/*
 * bench - seconds a batch of what the programs spend their time on.
 *
 * usage: bench MODE MODEL DATA BATCHES ROUNDS    (labels: the last column, 0 or 1, after a
 * header)
 *
 * MODE is forward, full, bitfit, one (a mask of 1 %: every tensor, smallest first, that
 * fits) or fit (a probed step by tensor). The first BATCHES batches of 32 texts are gone
 * through ROUNDS times, the first round uncounted; prints texts a second of the best round.
 */
#include <math.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "base/mem.h"
#include "base/progress.h"
#include "influence/prober.h"
#include "source.h"
#include "tensor/blas.h"
#include "train/trainer.h"

#define BATCH 32

struct bench {
	const char *mode;
	struct source source;
	struct trainer trainer;
	struct pass pass;
	struct partition part;
	struct prober prober;
	struct estimate *estimates;
	bool *wanted;
};

/* The tensors of at most n/100 elements in all, the smallest first. */
static void want_one_percent(const struct model *m, bool *wanted)
{
	uint64_t left = model_params(m) / 100;

	for (;;) {
		size_t best = m->n_params;

		for (size_t i = 0; i < m->n_params; i++)
			if (!wanted[i] &&
			    (best == m->n_params || m->params[i].n < m->params[best].n))
				best = i;
		if (best == m->n_params || m->params[best].n > left)
			return;
		wanted[best] = true;
		left -= m->params[best].n;
	}
}

static int prepare(struct bench *b, struct err *e)
{
	struct model *m = &b->source.model;
	struct trainer_options o = trainer_defaults();
	struct trust_region trust = { TRUST_RMS, 0.1 };
	int rc = EX_OK;

	b->wanted = mem_zeros(m->n_params, sizeof *b->wanted);
	if (b->wanted == NULL)
		return err_nomem(e);
	if (strcmp(b->mode, "forward") == 0)
		return pass_init(&b->pass, m, false, e);
	if (strcmp(b->mode, "one") == 0)
		want_one_percent(m, b->wanted);
	else
		rc = params_preset(m, strcmp(b->mode, "bitfit") == 0 ? "bitfit" : "full",
				   b->wanted, e);
	o.dropout = false;
	o.clip = 0;
	o.want_terms = strcmp(b->mode, "fit") == 0;
	if (rc == EX_OK)
		rc = trainer_init(&b->trainer, m, b->wanted, &o, e);
	if (rc != EX_OK || strcmp(b->mode, "fit") != 0)
		return rc;
	rc = partition_make(&b->part, m, BY_TENSOR, NULL, e);
	b->estimates = mem_zeros(b->part.n, sizeof *b->estimates);
	if (b->estimates == NULL)
		return err_nomem(e);
	return rc != EX_OK
		   ? rc
		   : prober_init(&b->prober, &b->trainer, &b->part, METHOD_FIT, trust, e);
}

static int one_batch(struct bench *b, const struct batch *in, struct err *e)
{
	double loss;
	int rc;

	if (strcmp(b->mode, "forward") == 0) {
		rc = pass_batch(&b->pass, in, e);
		if (rc == EX_OK)
			pass_forward(&b->pass);
		return rc;
	}
	if ((rc = trainer_gradient(&b->trainer, in, &loss, e)) != EX_OK)
		return rc;
	if (b->estimates == NULL) {
		trainer_step(&b->trainer, 1e-6);
		return EX_OK;
	}
	trainer_moments(&b->trainer);
	rc = prober_step(&b->prober, in, loss, b->estimates, NULL, 0, e);
	trainer_update(&b->trainer, 1e-6);
	return rc;
}

static int measure(struct bench *b, size_t batches, size_t rounds, double *best,
		   struct err *e)
{
	struct order order;
	int rc = order_start(&order, b->source.data.n, BATCH, 0, false, e);
	struct batch in = { 0 };

	*best = INFINITY;
	for (size_t r = 0; rc == EX_OK && r <= rounds; r++) {
		double seconds = 0;

		order.next = 0;
		for (size_t i = 0; rc == EX_OK && i < batches; i++) {
			const size_t *examples;
			size_t count;
			double start;

			order_next(&order, &examples, &count);
			rc = batch_fill(&in, &b->source.data, examples, count, e);
			start = progress_clock();
			if (rc == EX_OK)
				rc = one_batch(b, &in, e);
			seconds += progress_clock() - start;
		}
		if (r > 0 || rounds == 0)
			*best = fmin(*best, seconds);
	}
	batch_free(&in);
	order_free(&order);
	return rc;
}

int main(int argc, char **argv)
{
	struct bench b = { .mode = argv[1] };
	struct source_options o = SOURCE_INIT;
	struct err e = { 0 };
	double best = 0;
	size_t batches;
	int rc;

	if (argc != 6)
		return EX_USAGE;
	o.model = argv[2];
	o.data = argv[3];
	o.task.task = "sst2";
	batches = strtoul(argv[4], NULL, 10);
	blas_threads(0);
	rc = source_open(&b.source, &o, NULL, true, 0, &e);
	if (rc == EX_OK)
		rc = prepare(&b, &e);
	if (rc == EX_OK)
		rc = measure(&b, batches, strtoul(argv[5], NULL, 10), &best, &e);
	if (rc != EX_OK) {
		fprintf(stderr, "bench: %s\n", e.text);
		return rc;
	}
	printf("%.2f\n", (double)(batches * BATCH) / best);
	return EX_OK;
}
