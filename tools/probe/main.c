/*
 * adapeft-probe - the influence of every group of parameters, from the beginning of a
 * training run: ppi rows, one a probed step and group.
 */
#include <inttypes.h>
#include <math.h>
#include <stdio.h>
#include <stdlib.h>

#include "base/mem.h"
#include "base/num.h"
#include "influence/window.h"
#include "io/file.h"
#include "rows.h"
#include "settings.h"
#include "tensor/blas.h"
#include "train/trainer.h"

#define FEWEST_PROBES 4 /* before --until-stable may stop */

/* A batch, and its halves where they are wanted. */
struct taken {
	struct batch whole, half[2];
};

struct probing {
	struct settings *s;
	struct source source;
	struct partition part;
	struct schedule_plan plan;
	struct trainer trainer;
	struct prober prober;
	struct order order;
	struct taken trains, other; /* the first batch of a step, and one of the others */
	size_t *picked;             /* [batch] examples of a half */
	struct estimate *estimates; /* [groups] */
	double *ppi; /* [groups] of the step at hand, means over its shards */
	struct window window;
	double tau;      /* of its halves */
	uint64_t probes; /* made so far */
	uint64_t done;   /* of the progress */
	double seconds;  /* in probing, gradients apart */
	struct interactions interactions;
	struct stream_writer *out;
	struct output rows, pairs;
	struct progress progress;
};

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

/* One step of training, probed or not. */
static int step(struct probing *p, uint64_t at, bool *stable, struct err *e)
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

/* ---- the head ---- */

static int make_partition(struct probing *p, struct err *e)
{
	struct meta_list rules = { 0 };
	int rc = EX_OK;

	if (p->s->groups != NULL)
		rc = group_rules_read(&rules, p->s->groups, e);
	if (rc == EX_OK)
		rc = partition_make(&p->part, &p->source.model, p->s->grouping,
				    p->s->groups == NULL ? NULL : &rules, e);
	meta_free(&rules);
	return rc;
}

static int describe_pairs(const struct settings *s, struct meta_list *head, struct err *e)
{
	struct strbuf value = { 0 };
	int rc = EX_OK;

	if (s->lora.ranks > 0)
		rc = lora_print(&s->lora, &value, e);
	if (rc == EX_OK && s->lora.ranks > 0)
		rc = meta_add(head, "lora", value.s, e);
	strbuf_free(&value);
	return rc;
}

static bool draws_labels(const struct settings *s)
{
	return s->method == METHOD_GGN || s->interactions != NULL;
}

/* What the ##probe line says only when it was asked for. */
static void describe_more(const struct probing *p, struct strbuf *how)
{
	const struct settings *s = p->s;
	char number[NUM_MAX];

	if (s->unbiased)
		strbuf_puts(how, " slopes=unbiased");
	if (draws_labels(s))
		strbuf_printf(how, " draws=%" PRIu64,
			      s->draws > 0
				  ? s->draws
				  : curvature_draws(&p->source.model, s->source.batch));
	if (s->shard != NULL && s->first_shard == s->last_shard)
		strbuf_printf(how, " shard=%" PRIu64 "/%" PRIu64, s->first_shard,
			      s->shards);
	else if (s->shard != NULL)
		strbuf_printf(how, " shard=%" PRIu64 "-%" PRIu64 "/%" PRIu64,
			      s->first_shard, s->last_shard, s->shards);
	if (s->until_stable >= 0) {
		num_print(number, s->until_stable);
		strbuf_printf(how, " until-stable=%s", number);
	}
}

/* Model, task, pairs, groups, how it was probed, and this command. */
static int describe(const struct probing *p, struct meta_list *head, struct err *e)
{
	const struct settings *s = p->s;
	struct strbuf how = { 0 };
	char lr[NUM_MAX];
	int rc = source_describe(&p->source, head, e);

	num_print(lr, s->training.lr);
	strbuf_printf(&how,
		      "method=%s direction=%s trust=%s steps=%" PRIu64 " every=%" PRIu64
		      " of=%" PRIu64 " batch=%" PRIu64 " lr=%s schedule=%s seed=%" PRIu64,
		      s->method_name, s->direction_name, s->trust_name, p->plan.steps,
		      p->plan.every, p->plan.total, s->source.batch, lr,
		      s->training.schedule_name, s->cli.seed);
	describe_more(p, &how);
	if (rc == EX_OK)
		rc = describe_pairs(s, head, e);
	if (rc == EX_OK)
		rc = partition_describe(&p->part, head, e);
	if (rc == EX_OK)
		rc = how.failed ? err_nomem(e) : meta_add(head, "probe", how.s, e);
	if (rc == EX_OK)
		rc = cli_lineage(&s->cli, NULL, NULL, head, e);
	strbuf_free(&how);
	return rc;
}

/* ---- the run ---- */

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

static int start(struct probing *p, struct err *e)
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

/* What it took, for -v. */
static void tell_cost(const struct probing *p)
{
	const struct prober *x = &p->prober;
	const struct cli *cli = &p->s->cli;

	cli_detail(cli,
		   "%s: %" PRIu64 " probed steps of %zu groups: %zu gradients, and %.3g s "
		   "besides",
		   p->s->method_name, p->probes, p->part.n, x->gradients, p->seconds);
	if (x->forwards > 0)
		cli_detail(cli,
			   "%zu passes from what moves on, as much as %.4g whole forward "
			   "ones: %.2f of 4K + 1",
			   x->forwards, x->cost,
			   x->cost / ((double)(p->probes * x->o.shards) *
				      (4 * (double)p->part.n + 1)));
	if (x->jets > 0)
		cli_detail(cli, "%zu jets, each from what moves on", x->jets);
	if (x->curvatures > 0)
		cli_detail(cli, "%zu passes over the samples of all groups", x->curvatures);
}

static void tell_stability(const struct probing *p, bool stable)
{
	const struct cli *cli = &p->s->cli;

	if (p->s->until_stable < 0)
		return;
	if (p->window.steps < FEWEST_PROBES)
		cli_note(cli,
			 "%zu probed steps are too few to tell what is stable: %d are "
			 "needed",
			 p->window.steps, FEWEST_PROBES);
	else
		cli_note(cli,
			 "%s after %zu probed steps: tau-b between their halves is %.3g, "
			 "%.3g was asked for",
			 stable ? "stable" : "not stable", p->window.steps, p->tau,
			 p->s->until_stable);
}

static int run(struct probing *p, struct err *e)
{
	const struct cli *cli = &p->s->cli;
	bool stable = false;
	int rc = EX_OK;

	progress_start(&p->progress, stderr, cli_progress(cli), "probe",
		       p->plan.probes * p->part.n * p->prober.o.shards + p->plan.steps);
	for (uint64_t at = 0; at < p->plan.steps && rc == EX_OK && !stable; at++)
		rc = step(p, at, &stable, e);
	progress_end(&p->progress);
	if (rc == EX_OK) {
		tell_stability(p, stable);
		tell_cost(p);
	}
	return rc;
}

/* Both outputs, before any work is done. */
static int open_outputs(struct probing *p, struct err *e)
{
	const char *pairs = p->s->interactions;
	int rc = pairs == NULL ? EX_OK : interactions_start(&p->interactions, p->part.n, e);

	if (rc == EX_OK && pairs != NULL)
		rc = output_open(&p->pairs, pairs, e);
	return rc == EX_OK ? output_open(&p->rows, p->s->out, e) : rc;
}

static int write_pairs(struct probing *p, const struct meta_list *head, struct err *e)
{
	if (p->s->interactions == NULL)
		return EX_OK;
	return rows_interactions(p->pairs.file, cli_format(&p->s->cli), head, &p->part,
				 &p->interactions, e);
}

static int run_into_outputs(struct probing *p, const struct meta_list *head, struct err *e)
{
	int rc = rows_start(&p->out, p->rows.file, cli_format(&p->s->cli), head, e);

	if (rc == EX_OK)
		rc = run(p, e);
	if (rc == EX_OK)
		rc = stream_finish(p->out, e);
	else if (p->out != NULL)
		stream_abort(p->out);
	if (rc == EX_OK)
		rc = write_pairs(p, head, e);
	if (rc == EX_OK)
		rc = output_commit(&p->rows, e);
	if (rc == EX_OK && p->s->interactions != NULL)
		rc = output_commit(&p->pairs, e);
	return rc;
}

static int probe(struct probing *p, struct err *e)
{
	struct meta_list head = { 0 };
	int rc = source_open(&p->source, &p->s->source, NULL, true, p->s->cli.seed, e);

	if (rc != EX_OK)
		return rc;
	source_notes(&p->s->cli, &p->source);
	p->plan = settings_plan(p->s, p->source.data.n);
	if ((rc = make_partition(p, e)) == EX_OK && (rc = describe(p, &head, e)) == EX_OK &&
	    (rc = open_outputs(p, e)) == EX_OK && (rc = start(p, e)) == EX_OK)
		rc = run_into_outputs(p, &head, e);
	output_drop(&p->pairs);
	output_drop(&p->rows);
	meta_free(&head);
	return rc;
}

static void taken_free(struct taken *t)
{
	batch_free(&t->whole);
	batch_free(&t->half[0]);
	batch_free(&t->half[1]);
}

int main(int argc, char **argv)
{
	struct settings s;
	struct probing p = { .s = &s };
	struct err e = { 0 };
	int rc;

	settings_read(&s, argc, argv);
	blas_threads((int)s.cli.threads);
	rc = probe(&p, &e);
	prober_free(&p.prober);
	trainer_free(&p.trainer);
	order_free(&p.order);
	taken_free(&p.trains);
	taken_free(&p.other);
	partition_free(&p.part);
	interactions_free(&p.interactions);
	window_free(&p.window);
	free(p.picked);
	free(p.estimates);
	free(p.ppi);
	source_close(&p.source);
	settings_free(&s);
	return cli_end(&s.cli, rc, &e);
}
