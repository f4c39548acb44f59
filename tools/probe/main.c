/*
 * adapeft-probe - the influence of every group of parameters, from the beginning of a
 * training run: ppi rows, one a probed step and group.
 */
#include <inttypes.h>
#include <stdio.h>
#include <stdlib.h>

#include "base/mem.h"
#include "base/num.h"
#include "io/file.h"
#include "settings.h"
#include "tensor/blas.h"
#include "train/trainer.h"

struct probing {
	struct settings *s;
	struct source source;
	struct partition part;
	struct schedule_plan plan;
	struct trainer trainer;
	struct prober prober;
	struct order order;
	struct batch batch;
	struct estimate *estimates;
	struct stream_writer *out;
	struct progress progress;
};

static const char *const columns[] = { "step",   "group", "type",   "layer", "params",
				       "loss",   "slope", "curv",   "eta",   "gain",
				       "ppi",    "r2",    "status", "tau",   "reach",
				       "spread", "choice" };

#define N_COLUMNS (sizeof columns / sizeof *columns)

static int put_rows(struct probing *p, uint64_t step, struct err *e)
{
	struct stream_writer *w = p->out;
	int rc = EX_OK;

	for (size_t k = 0; k < p->part.n && rc == EX_OK; k++) {
		const struct group *g = &p->part.g[k];
		const struct estimate *x = &p->estimates[k];

		stream_put_int(w, (int64_t)step);
		stream_put_text(w, g->name);
		stream_put_text(w, g->type);
		stream_put_text(w, g->layer);
		stream_put_int(w, (int64_t)g->params);
		stream_put_real(w, x->loss);
		stream_put_real(w, x->slope);
		stream_put_real(w, x->curv);
		stream_put_real(w, x->eta);
		stream_put_real(w, x->gain);
		stream_put_real(w, x->ppi);
		stream_put_real(w, x->r2);
		stream_put_text(w, status_name(x->status));
		stream_put_real(w, x->tau);
		stream_put_real(w, x->reach);
		stream_put_real(w, x->spread);
		stream_put_text(w, g->choice == NULL ? "-" : g->choice);
		rc = stream_end_row(w, e);
	}
	return rc == EX_OK ? stream_flush(w, e) : rc;
}

/* One step of training, probed or not. */
static int step(struct probing *p, uint64_t at, uint64_t *done, struct err *e)
{
	const struct schedule_plan *plan = &p->plan;
	const struct training_options *t = &p->s->training;
	const size_t *examples;
	size_t count;
	double loss = 0;
	int rc;

	order_next(&p->order, &examples, &count);
	if ((rc = batch_fill(&p->batch, &p->source.data, examples, count, e)) != EX_OK ||
	    (rc = trainer_gradient(&p->trainer, &p->batch, &loss, e)) != EX_OK)
		return rc;
	if (at % plan->every == 0) {
		rc = prober_step(&p->prober, 1, loss, p->estimates, &p->progress, *done, e);
		if (rc == EX_OK)
			rc = put_rows(p, at, e);
		*done += p->part.n;
	}
	if (rc != EX_OK)
		return rc;
	trainer_step(&p->trainer,
		     t->lr * schedule_factor(t->schedule, at, plan->warmup, plan->total));
	progress_step(&p->progress, ++*done, NULL);
	return EX_OK;
}

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

/* The trainer that moves every parameter, without dropout, so that each step's loss is a
 * function of the weights alone. */
static int start_training(struct probing *p, struct err *e)
{
	struct model *m = &p->source.model;
	struct trainer_options o = trainer_defaults();
	struct prober_options probe = { .method = p->s->method, .trust = p->s->trust };
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
	if (rc == EX_OK)
		rc = prober_init(&p->prober, &p->trainer, &p->part, &probe, e);
	if (rc == EX_OK)
		rc = order_start(&p->order, p->source.data.n, p->s->source.batch,
				 p->s->cli.seed, true, e);
	return rc;
}

static int run(struct probing *p, struct err *e)
{
	const struct cli *cli = &p->s->cli;
	uint64_t done = 0;
	int rc = start_training(p, e);

	if (rc != EX_OK)
		return rc;
	progress_start(&p->progress, stderr, cli_progress(cli), "probe",
		       p->plan.probes * p->part.n + p->plan.steps);
	for (uint64_t at = 0; at < p->plan.steps && rc == EX_OK; at++)
		rc = step(p, at, &done, e);
	progress_end(&p->progress);
	cli_detail(cli, "%zu forward passes for %" PRIu64 " probed steps of %zu groups",
		   p->prober.forwards, p->plan.probes, p->part.n);
	return rc;
}

static int probe(struct probing *p, struct err *e)
{
	struct meta_list head = { 0 };
	struct output out;
	int rc;

	rc = source_open(&p->source, &p->s->source, NULL, true, p->s->cli.seed, e);
	if (rc != EX_OK)
		return rc;
	source_notes(&p->s->cli, &p->source);
	p->plan = settings_plan(p->s, p->source.data.n);
	if ((rc = make_partition(p, e)) != EX_OK || (rc = describe(p, &head, e)) != EX_OK)
		goto done;
	p->estimates = mem_zeros(p->part.n, sizeof *p->estimates);
	if (p->estimates == NULL) {
		rc = err_nomem(e);
		goto done;
	}
	if ((rc = output_open(&out, p->s->out, e)) != EX_OK)
		goto done;
	rc = stream_create(&p->out, out.file, cli_format(&p->s->cli), "ppi", &head, columns,
			   N_COLUMNS, e);
	if (rc == EX_OK)
		rc = run(p, e);
	if (rc == EX_OK)
		rc = stream_finish(p->out, e);
	else if (p->out != NULL)
		stream_abort(p->out);
	if (rc == EX_OK)
		rc = output_commit(&out, e);
	else
		output_drop(&out);
done:
	meta_free(&head);
	return rc;
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
	batch_free(&p.batch);
	partition_free(&p.part);
	free(p.estimates);
	source_close(&p.source);
	settings_free(&s);
	return cli_end(&s.cli, rc, &e);
}
