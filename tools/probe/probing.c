#include "probing.h"

#include <inttypes.h>
#include <stdlib.h>
#include <string.h>

#include "base/mem.h"
#include "base/prng.h"
#include "rows.h"

/* ---- batches ---- */

/* The halves are drawn, since a file may be sorted by its labels, or take turns with them:
 * the same places of every batch of this size. */
static void draw_halves(struct probing *p, const size_t *examples, size_t count)
{
	struct prng random;

	memcpy(p->picked, examples, count * sizeof *examples);
	prng_seed(&random, 0, "halves");
	prng_shuffle(&random, p->picked, count);
}

static int take(struct probing *p, struct batch *to, struct err *e)
{
	const size_t *examples;
	size_t count;

	order_next(&p->order, &examples, &count);
	if (!p->s->halves)
		return batch_fill(to, &p->source.data, examples, count, e);
	draw_halves(p, examples, count);
	return batch_fill(to, &p->source.data, p->picked, count, e);
}

static void pass_over(struct probing *p)
{
	const size_t *examples;
	size_t count;

	order_next(&p->order, &examples, &count);
}

/* ---- a step ---- */

static bool is_mine(const struct settings *s, uint64_t shard)
{
	return s->first_shard <= shard && shard <= s->last_shard;
}

static bool has_slopes(enum method m)
{
	return m != METHOD_FISHER && m != METHOD_MAGNITUDE && m != METHOD_RANDOM;
}

/* Estimates from the gradient at hand, which is that of the shard's batch. */
static int probe_batch(struct probing *p, uint64_t at, uint64_t shard, double loss,
		       struct err *e)
{
	double shards = (double)p->prober.o.shards, start = progress_clock();
	int rc =
	    prober_step(&p->prober, shard, loss, p->estimates, &p->progress, p->done, e);

	p->seconds += progress_clock() - start;
	p->done += p->part.n;
	p->singles += has_slopes(p->s->method) && p->s->halves && !p->prober.halved;
	if (rc != EX_OK)
		return rc;
	if (p->s->interactions != NULL)
		interactions_add(&p->interactions, p->estimates, p->prober.matrix);
	for (size_t k = 0; k < p->part.n; k++)
		if (status_counts(p->estimates[k].status, p->estimates[k].gain))
			p->ppi[k] += p->estimates[k].ppi / shards;
	return rows_put(p->out, &p->part, at, shard, p->estimates, e);
}

/* The first batch comes last, since its gradient is the one to train with. */
static int probe_step(struct probing *p, uint64_t at, struct err *e)
{
	const struct settings *s = p->s;
	double loss = 0;
	int rc = take(p, &p->trains, e);

	for (size_t k = 0; k < p->part.n; k++)
		p->ppi[k] = 0;
	for (uint64_t shard = 2; shard <= s->shards && rc == EX_OK; shard++) {
		if (!is_mine(s, shard)) {
			pass_over(p);
			continue;
		}
		rc = take(p, &p->other, e);
		if (rc == EX_OK)
			rc = prober_gradient(&p->prober, &p->other, &loss, e);
		if (rc == EX_OK)
			rc = probe_batch(p, at, shard, loss, e);
	}
	if (rc == EX_OK)
		rc = prober_gradient(&p->prober, &p->trains, &loss, e);
	if (rc == EX_OK && is_mine(s, 1))
		rc = probe_batch(p, at, 1, loss, e);
	p->probes++;
	return rc;
}

static int plain_step(struct probing *p, struct err *e)
{
	double loss;
	int rc = take(p, &p->trains, e);

	for (uint64_t shard = 2; shard <= p->s->shards; shard++)
		pass_over(p);
	return rc == EX_OK ? trainer_gradient(&p->trainer, &p->trains, &loss, e) : rc;
}

/* Do the halves of what was probed agree, twice in a row? Once may be chance. */
static int look_back(struct probing *p, bool *stable, struct err *e)
{
	bool agrees;
	int rc;

	if (p->s->until_stable < 0)
		return EX_OK;
	if ((rc = window_add(&p->window, p->ppi, e)) != EX_OK ||
	    p->window.steps < FEWEST_PROBES ||
	    (rc = window_tau(&p->window, &p->tau, e)) != EX_OK)
		return rc;
	agrees = p->tau >= p->s->until_stable;
	*stable = agrees && p->agreed;
	p->agreed = agrees;
	return EX_OK;
}

int probing_step(struct probing *p, uint64_t at, bool *stable, struct err *e)
{
	const struct schedule_plan *plan = &p->plan;
	const struct training_options *t = &p->s->training;
	bool probed = at % plan->every == 0;
	int rc = probed ? probe_step(p, at, e) : plain_step(p, e);

	if (rc == EX_OK && probed)
		rc = look_back(p, stable, e);
	if (rc != EX_OK)
		return rc;
	trainer_step(&p->trainer,
		     t->lr * schedule_factor(t->schedule, at, plan->warmup, plan->total));
	progress_step(&p->progress, ++p->done, NULL);
	return EX_OK;
}

/* ---- beginning and end ---- */

/* The trainer that moves every parameter, without dropout, so that each step's loss is a
 * function of the weights alone. */
static int start_trainer(struct probing *p, struct err *e)
{
	struct model *m = &p->source.model;
	struct trainer_options o = trainer_defaults();
	bool *all = mem_zeros(m->n_params, sizeof *all);
	int rc;

	if (all == NULL)
		return err_nomem(e);
	for (size_t i = 0; i < m->n_params; i++)
		all[i] = true;
	o.direction = p->s->direction;
	o.weight_decay = p->s->training.weight_decay;
	o.clip = 0;
	o.dropout = false;
	o.seed = p->s->cli.seed;
	o.want_terms = true;
	rc = trainer_init(&p->trainer, m, all, &o, e);
	free(all);
	return rc;
}

int probing_start(struct probing *p, struct err *e)
{
	const struct settings *s = p->s;
	struct prober_options o = {
		.method = s->method,
		.trust = s->trust,
		.halves = s->halves,
		.matrix = s->interactions != NULL,
		.draws = (unsigned)s->draws,
		.seed = s->cli.seed,
		.first_shard = s->first_shard,
		.shards = s->last_shard - s->first_shard + 1,
	};
	size_t n = p->part.n, batch = s->source.batch;
	int rc = order_start(&p->order, p->source.data.n, batch, s->cli.seed, true, e);

	o.trust.steps = p->plan.travel;
	if (rc != EX_OK)
		return rc;
	p->estimates = mem_zeros(n, sizeof *p->estimates);
	p->ppi = mem_zeros(n, sizeof *p->ppi);
	p->picked = mem_zeros(batch, sizeof *p->picked);
	window_start(&p->window, n);
	if (p->estimates == NULL || p->ppi == NULL || p->picked == NULL)
		return err_nomem(e);
	if ((rc = start_trainer(p, e)) == EX_OK)
		rc = prober_init(&p->prober, &p->trainer, &p->part, &o, e);
	return rc;
}

void probing_free(struct probing *p)
{
	prober_free(&p->prober);
	trainer_free(&p->trainer);
	order_free(&p->order);
	batch_free(&p->trains);
	batch_free(&p->other);
	window_free(&p->window);
	interactions_free(&p->interactions);
	partition_free(&p->part);
	free(p->picked);
	free(p->estimates);
	free(p->ppi);
	source_close(&p->source);
}
