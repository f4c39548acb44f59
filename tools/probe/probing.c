#include "probing.h"

#include <inttypes.h>
#include <stdlib.h>

#include "base/mem.h"
#include "rows.h"

/* ---- batches ---- */

/* Every second example from the first or the second on. */
static int take_half(struct probing *p, struct batch *b, const size_t *examples,
		     size_t count, size_t first, struct err *e)
{
	size_t n = 0;

	for (size_t i = first; i < count; i += 2)
		p->picked[n++] = examples[i];
	return batch_fill(b, &p->source.data, p->picked, n, e);
}

static int take(struct probing *p, struct taken *to, bool halved, struct err *e)
{
	const size_t *examples;
	size_t count;
	int rc;

	order_next(&p->order, &examples, &count);
	rc = batch_fill(&to->whole, &p->source.data, examples, count, e);
	for (size_t h = 0; h < 2 && halved && rc == EX_OK; h++)
		rc = take_half(p, &to->half[h], examples, count, h, e);
	return rc;
}

static void pass_over(struct probing *p)
{
	const size_t *examples;
	size_t count;

	order_next(&p->order, &examples, &count);
}

/* A batch of one example has no halves. Whether one would be probed is the same for every
 * shard. The batches of a step begin at all the same places again after so many probes as
 * an epoch has batches. */
static int check_halves(const struct probing *p, struct err *e)
{
	uint64_t n = p->source.data.n, batch = p->s->source.batch;
	uint64_t batches = order_batches(&p->order), shards = p->s->shards;
	uint64_t apart = p->plan.every % batches * shards % batches, at = 0;

	if (!p->s->unbiased || (n > 1 && n % batch != 1))
		return EX_OK;
	for (uint64_t i = 0; i < p->plan.probes && i < batches; i++) {
		if (at + shards >= batches)
			return err_set(e, EX_DATAERR,
				       "--unbiased halves batches, and the last of %" PRIu64
				       " examples in batches of %" PRIu64
				       " has one: another --batch, or --limit %" PRIu64,
				       n, batch, n > 1 ? n - 1 : 2);
		at = (at + apart) % batches;
	}
	return EX_OK;
}

/* ---- a step ---- */

static bool is_mine(const struct settings *s, uint64_t shard)
{
	return s->first_shard <= shard && shard <= s->last_shard;
}

static int gradient(struct probing *p, const struct taken *b, double *loss, struct err *e)
{
	return prober_gradient(&p->prober, &b->whole, p->s->unbiased ? b->half : NULL, loss,
			       e);
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
	if (rc != EX_OK)
		return rc;
	if (p->s->interactions != NULL)
		interactions_add(&p->interactions, p->estimates, p->prober.matrix);
	for (size_t k = 0; k < p->part.n; k++)
		if (estimate_counts(&p->estimates[k]))
			p->ppi[k] += p->estimates[k].ppi / shards;
	return rows_put(p->out, &p->part, at, shard, p->estimates, e);
}

/* The first batch comes last, since its gradient is the one to train with. */
static int probe_step(struct probing *p, uint64_t at, struct err *e)
{
	const struct settings *s = p->s;
	double loss = 0;
	int rc = take(p, &p->trains, s->unbiased, e);

	for (size_t k = 0; k < p->part.n; k++)
		p->ppi[k] = 0;
	for (uint64_t shard = 2; shard <= s->shards && rc == EX_OK; shard++) {
		if (!is_mine(s, shard)) {
			pass_over(p);
			continue;
		}
		rc = take(p, &p->other, s->unbiased, e);
		if (rc == EX_OK)
			rc = gradient(p, &p->other, &loss, e);
		if (rc == EX_OK)
			rc = probe_batch(p, at, shard, loss, e);
	}
	if (rc == EX_OK)
		rc = gradient(p, &p->trains, &loss, e);
	if (rc == EX_OK && is_mine(s, 1))
		rc = probe_batch(p, at, 1, loss, e);
	p->probes++;
	return rc;
}

static int plain_step(struct probing *p, struct err *e)
{
	double loss;
	int rc = take(p, &p->trains, false, e);

	for (uint64_t shard = 2; shard <= p->s->shards; shard++)
		pass_over(p);
	return rc == EX_OK ? trainer_gradient(&p->trainer, &p->trains.whole, &loss, e) : rc;
}

/* Do the halves of what was probed agree? */
static int look_back(struct probing *p, bool *stable, struct err *e)
{
	int rc;

	if (p->s->until_stable < 0)
		return EX_OK;
	if ((rc = window_add(&p->window, p->ppi, e)) != EX_OK ||
	    p->window.steps < FEWEST_PROBES ||
	    (rc = window_tau(&p->window, &p->tau, e)) != EX_OK)
		return rc;
	*stable = p->tau >= p->s->until_stable;
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
		.unbiased = s->unbiased,
		.matrix = s->interactions != NULL,
		.draws = (unsigned)s->draws,
		.seed = s->cli.seed,
		.first_shard = s->first_shard,
		.shards = s->last_shard - s->first_shard + 1,
	};
	size_t n = p->part.n, batch = s->source.batch;
	int rc = order_start(&p->order, p->source.data.n, batch, s->cli.seed, true, e);

	o.trust.steps = p->plan.travel;
	if (rc != EX_OK || (rc = check_halves(p, e)) != EX_OK)
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

static void taken_free(struct taken *t)
{
	batch_free(&t->whole);
	batch_free(&t->half[0]);
	batch_free(&t->half[1]);
}

void probing_free(struct probing *p)
{
	prober_free(&p->prober);
	trainer_free(&p->trainer);
	order_free(&p->order);
	taken_free(&p->trains);
	taken_free(&p->other);
	window_free(&p->window);
	interactions_free(&p->interactions);
	partition_free(&p->part);
	free(p->picked);
	free(p->estimates);
	free(p->ppi);
	source_close(&p->source);
}
