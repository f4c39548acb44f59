/*
 * adapeft-evaluate - judges trained models, and says which are worth their parameters.
 */
#include <math.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "cli.h"
#include "io/file.h"
#include "point.h"
#include "source.h"
#include "table.h"
#include "tensor/blas.h"
#include "train/judge.h"
#include "train/saved.h"
#include "write.h"

struct settings {
	struct cli cli;
	struct source_options source; /* max_len 0: as the model was trained */
	const char *metric, *predictions, *out;
	struct writing writing;
	bool frontier;
};

#define DEFAULT_MAX_LEN 128

/* ---- one model ---- */

/* Runs of several metrics have no common frontier. */
static int agree_on_metric(struct points *ps, const struct point *p, const char *metric,
			   struct err *e)
{
	if (ps->metric == NULL) {
		ps->metric = str_dup(metric);
		return ps->metric == NULL ? err_nomem(e) : EX_OK;
	}
	if (strcmp(ps->metric, metric) == 0)
		return EX_OK;
	return err_set(e, EX_DATAERR,
		       "%s is judged by %s, others by %s; --metric NAME chooses "
		       "one for all",
		       p->dir, metric, ps->metric);
}

/* What the files of one of several runs are called after: its name, and of the second run
 * of a name NAME.2. NULL when memory is short. */
static char *label_of(const struct points *ps, const struct point *p)
{
	size_t nth = 1;
	char *label;

	for (const struct point *q = ps->p; q < p; q++)
		nth += strcmp(q->run, p->run) == 0;
	label = nth == 1 ? str_dup(p->run) : str_printf("%s.%zu", p->run, nth);
	for (char *c = label; c != NULL && *c != '\0'; c++)
		*c = *c == '/' ? '-' : *c;
	return label;
}

/* Generations are scored instead of predictions, or kept beside them. */
static int judge_writing(const struct settings *s, const struct points *ps, struct point *p,
			 const struct source *source, const struct source_options *o,
			 const char *metric, struct err *e)
{
	const struct writing *w = &s->writing;
	bool scored = strcmp(metric, "bleu") == 0;
	char *label = NULL;
	double bleu;
	int rc;

	if (!scored && w->generations == NULL && w->references == NULL)
		return EX_OK;
	if (ps->n > 1 && (label = label_of(ps, p)) == NULL)
		return err_nomem(e);
	rc = writing_do(w, &s->cli, source, o, label, &bleu, e);
	free(label);
	if (rc == EX_OK && scored)
		p->score = bleu;
	return rc;
}

static int judge(const struct settings *s, struct points *ps, struct point *p,
		 const struct source *source, const struct source_options *o, FILE *table,
		 struct err *e)
{
	const char *metric = s->metric != NULL ? s->metric : source->task.metric;
	struct predictions out;
	struct progress progress;
	int rc = judge_fits(metric, source->task.kind, e);

	if (rc != EX_OK || (rc = agree_on_metric(ps, p, metric, e)) != EX_OK ||
	    (rc = judge_writing(s, ps, p, source, o, metric, e)) != EX_OK)
		return rc;
	progress_start(&progress, stderr, cli_progress(&s->cli), p->run, source->data.n);
	rc = judge_predict(&out, &source->model, &source->data, s->source.batch, &progress,
			   e);
	progress_end(&progress);
	if (rc != EX_OK)
		return rc;
	if (strcmp(metric, "bleu") != 0)
		rc = judge_score(&out, &source->data, metric, &p->score, e);
	p->loss = out.loss;
	p->n = out.n;
	if (isnan(p->percent))
		p->percent =
		    100 * (double)p->trained / (double)model_params(&source->model);
	if (rc == EX_OK && table != NULL)
		table_write(table, ps->n > 1 ? p->run : NULL, p == ps->p, &out,
			    &source->data, &source->task);
	predictions_free(&out);
	return rc;
}

static int open_and_judge(const struct settings *s, struct points *ps, struct point *p,
			  const struct saved_note *note, FILE *table, struct err *e)
{
	const char *said = note->task != NULL ? note->task : meta_get(&ps->origin, "task");
	struct source_options o = s->source;
	struct source source;
	int rc;

	if (said == NULL && o.task.task == NULL && o.task.label == NULL &&
	    file_is_dir(p->dir))
		return err_set(e, EX_USAGE,
			       "%s holds no " SAVED_NOTE ": fine-tune it first, or say "
			       "--task, or --text and --label",
			       p->dir);
	o.model = p->dir;
	if (o.max_len == 0)
		o.max_len = note->max_len > 0 ? note->max_len : DEFAULT_MAX_LEN;
	if ((rc = source_open(&source, &o, said, false, 0, e)) != EX_OK)
		return rc;
	source_notes(&s->cli, &source);
	rc = judge(s, ps, p, &source, &o, table, e);
	source_close(&source);
	return rc;
}

static int judge_point(const struct settings *s, struct points *ps, struct point *p,
		       FILE *table, struct err *e)
{
	struct saved_note note;
	struct err why = { 0 };
	int rc = saved_read(&note, p->dir, e);

	if (rc != EX_OK)
		return rc;
	rc = open_and_judge(s, ps, p, &note, table, &why);
	saved_note_free(&note);
	return rc == EX_OK ? rc : err_set(e, rc, "run %s: %s", p->run, why.text);
}

/* ---- all of them ---- */

static int judge_all(const struct settings *s, struct points *ps, struct err *e)
{
	struct output table = { 0 };
	int rc = EX_OK;

	if (s->predictions != NULL &&
	    (rc = output_open(&table, s->predictions, e)) != EX_OK)
		return rc;
	for (size_t i = 0; i < ps->n && rc == EX_OK; i++)
		rc = judge_point(s, ps, &ps->p[i], table.file, e);
	if (s->predictions == NULL)
		return rc;
	if (rc == EX_OK)
		return output_commit(&table, e);
	output_drop(&table);
	return rc;
}

/* Data on stdin can be read once only: for one model, named by an operand. */
static int check_stdin(const struct settings *s, const struct points *ps, struct err *e)
{
	if (ps->n > 1 && strcmp(s->source.data, "-") == 0)
		return err_set(e, EX_USAGE,
			       "-d - can be read for one model only; this is about "
			       "%zu",
			       ps->n);
	return EX_OK;
}

static int work(const struct settings *s, struct points *ps, char **operands, struct err *e)
{
	struct output out = { 0 };
	int rc = EX_OK;

	blas_threads((int)s->cli.threads);
	if (*operands == NULL)
		rc = points_add(ps, &s->cli, "-", e);
	for (; *operands != NULL && rc == EX_OK; operands++)
		rc = points_add(ps, &s->cli, *operands, e);
	if (rc == EX_OK)
		rc = check_stdin(s, ps, e);
	if (rc == EX_OK)
		rc = output_open(&out, s->out, e);
	if (rc == EX_OK && (rc = judge_all(s, ps, e)) == EX_OK && ps->n > 0) {
		rc = points_mark(ps, e);
		points_note_descents(ps, &s->cli);
	}
	if (rc == EX_OK)
		rc = points_write(ps, &s->cli, out.file, s->frontier, e);
	if (rc == EX_OK)
		rc = output_commit(&out, e);
	output_drop(&out);
	return rc;
}

static bool same_name(const char *a, const char *b)
{
	return a != NULL && b != NULL && strcmp(a, b) == 0;
}

static int check(const struct settings *s, bool operands, struct err *e)
{
	if (s->source.data == NULL)
		return err_set(e, EX_USAGE, "-d FILE says what to judge on");
	if (!operands && strcmp(s->source.data, "-") == 0)
		return err_set(e, EX_USAGE, "runs and data cannot both come from stdin");
	if (s->predictions != NULL && strcmp(s->predictions, "-") == 0)
		return err_set(e, EX_USAGE,
			       "--predictions needs a file; stdout holds the points");
	if (same_name(s->out, s->predictions) ||
	    same_name(s->out, s->writing.generations) ||
	    same_name(s->out, s->writing.references) ||
	    same_name(s->predictions, s->writing.generations) ||
	    same_name(s->predictions, s->writing.references) ||
	    same_name(s->writing.generations, s->writing.references))
		return err_set(e, EX_USAGE, "two outputs to one file");
	return writing_check(&s->writing, s->source.data, e);
}

int main(int argc, char **argv)
{
	struct settings s = { .cli = CLI_INIT("adapeft-evaluate"),
			      .source = { .batch = 32 },
			      .writing = WRITING_INIT };
	const struct opt opts[] = {
		{ .type = OPT_GROUP, .help = "What to judge on, and how" },
		SOURCE_DATA(s.source),
		SOURCE_BATCH(s.source, "as in training"),
		{ OPT_TEXT, 0, "metric", "NAME", &s.metric,
		  "accuracy|f1|matthews|pearson|spearman|bleu|perplexity|loss", 0, 0,
		  "the score (the task's own)" },
		{ OPT_TEXT, 0, "predictions", "FILE", &s.predictions, NULL, 0, 0,
		  "write every prediction there" },
		WRITING_OPTIONS(s.writing),
		{ OPT_TEXT, 'o', "output", "FILE", &s.out, NULL, 0, 0,
		  "where the points go (stdout)" },
		{ OPT_FLAG, 0, "frontier", NULL, &s.frontier, NULL, 0, 0,
		  "only what no other model beats with as few parameters" },
		{ .type = OPT_GROUP, .help = "Common" },
		CLI_WORK(s.cli),
		CLI_STREAM(s.cli),
		CLI_COMMON(s.cli),
		{ .type = OPT_END },
	};
	const struct program program = {
		.name = "adapeft-evaluate",
		.summary = "Score trained models and find their frontier.",
		.operands = "[MODEL_DIR|RUN_STREAM ...]",
		.opts = opts,
	};
	struct points ps = { 0 };
	struct err e = { 0 };
	int rc;

	cli_start(&s.cli, &program, argc, argv);
	rc = check(&s, s.cli.first < argc, &e);
	if (rc == EX_OK)
		rc = work(&s, &ps, argv + s.cli.first, &e);
	points_free(&ps);
	source_options_free(&s.source);
	return cli_end(&s.cli, rc, &e);
}
