/*
 * adapeft-probe - the influence of every group of parameters, from the beginning of a
 * training run: ppi rows, one a probed step and group.
 */
#include <inttypes.h>

#include "head.h"
#include "io/file.h"
#include "probing.h"
#include "rows.h"
#include "settings.h"
#include "tensor/blas.h"

struct outputs {
	struct output rows, pairs;
};

static int make_partition(struct probing *p, struct err *e)
{
	if (p->s->groups != NULL)
		return partition_read(&p->part, &p->source.model, p->s->groups, e);
	return partition_make(&p->part, &p->source.model, p->s->grouping, NULL, e);
}

static void tell_rules(const struct probing *p)
{
	for (size_t i = 0; i < p->part.notes.n; i++)
		cli_note(&p->s->cli, "%s", p->part.notes.s[i]);
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
	if (p->window.steps <= FEWEST_PROBES)
		cli_note(cli,
			 "%zu probed steps are too few to tell what is stable: %d are "
			 "needed",
			 p->window.steps, FEWEST_PROBES + 1);
	else
		cli_note(cli,
			 "%s after %zu probed steps: tau-b between their halves is %.3g, "
			 "%.3g was asked for, twice in a row",
			 stable ? "stable" : "not stable", p->window.steps, p->tau,
			 p->s->until_stable);
}

/* What makes numbers mean less than they seem to. */
static void tell_caveats(const struct probing *p)
{
	const struct settings *s = p->s;

	if (p->singles > 0)
		cli_note(&s->cli,
			 "%" PRIu64 " probed batches of one example have no halves: their "
			 "slopes are those of --slopes batch, without noise",
			 p->singles);
	if (s->trust.kind == TRUST_TRAVEL && s->trust.lr == 0)
		cli_note(&s->cli, "with --lr 0 a training goes nowhere: bounded by "
				  "--trust travel, every gain is 0");
}

static int run(struct probing *p, struct err *e)
{
	const struct cli *cli = &p->s->cli;
	bool stable = false;
	int rc = EX_OK;

	progress_start(&p->progress, stderr, cli_progress(cli), "probe",
		       p->plan.probes * p->part.n * p->prober.o.shards + p->plan.steps);
	for (uint64_t at = 0; at < p->plan.steps && rc == EX_OK && !stable; at++)
		rc = probing_step(p, at, &stable, e);
	progress_end(&p->progress);
	if (rc == EX_OK) {
		tell_stability(p, stable);
		tell_caveats(p);
		tell_cost(p);
	}
	return rc;
}

/* Both outputs, before any work is done. */
static int open_outputs(struct probing *p, struct outputs *o, struct err *e)
{
	const char *pairs = p->s->interactions;
	int rc = pairs == NULL ? EX_OK : interactions_start(&p->interactions, p->part.n, e);

	if (rc == EX_OK && pairs != NULL)
		rc = output_open(&o->pairs, pairs, e);
	return rc == EX_OK ? output_open(&o->rows, p->s->out, e) : rc;
}

static int write_pairs(struct probing *p, FILE *out, const struct meta_list *head,
		       struct err *e)
{
	if (p->s->interactions == NULL)
		return EX_OK;
	return rows_interactions(out, cli_format(&p->s->cli), head, &p->part,
				 &p->interactions, e);
}

static int run_into_outputs(struct probing *p, struct outputs *o,
			    const struct meta_list *head, struct err *e)
{
	int rc = rows_start(&p->out, o->rows.file, cli_format(&p->s->cli), head, e);

	if (rc == EX_OK)
		rc = run(p, e);
	if (rc == EX_OK)
		rc = stream_finish(p->out, e);
	else if (p->out != NULL)
		stream_abort(p->out);
	rc = output_blame(&o->rows, rc, e);
	if (rc == EX_OK)
		rc = output_blame(&o->pairs, write_pairs(p, o->pairs.file, head, e), e);
	if (rc == EX_OK)
		rc = output_commit(&o->rows, e);
	if (rc == EX_OK && p->s->interactions != NULL)
		rc = output_commit(&o->pairs, e);
	return rc;
}

static int probe(struct probing *p, struct err *e)
{
	struct meta_list head = { 0 };
	struct outputs o = { 0 };
	int rc = source_open(&p->source, &p->s->source, NULL, true, p->s->cli.seed, e);

	if (rc != EX_OK)
		return rc;
	source_notes(&p->s->cli, &p->source);
	p->plan = settings_plan(p->s, p->source.data.n);
	if ((rc = make_partition(p, e)) == EX_OK)
		tell_rules(p);
	if (rc == EX_OK &&
	    (rc = head_describe(&head, p->s, &p->source, &p->part, &p->plan, e)) == EX_OK &&
	    (rc = open_outputs(p, &o, e)) == EX_OK && (rc = probing_start(p, e)) == EX_OK)
		rc = run_into_outputs(p, &o, &head, e);
	output_drop(&o.pairs);
	output_drop(&o.rows);
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
	probing_free(&p);
	settings_free(&s);
	return cli_end(&s.cli, rc, &e);
}
