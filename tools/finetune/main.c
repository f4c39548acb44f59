/*
 * adapeft-finetune - trains the parameters that masks, presets or patterns name.
 */
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "cli.h"
#include "plan.h"
#include "run.h"
#include "settings.h"
#include "source.h"
#include "subject.h"
#include "tensor/blas.h"
#include "train/saved.h"

static const char *const columns[] = { "run",    "budget", "trained", "percent",
				       "model",  "steps",  "loss",    "seconds",
				       "tokens", "lr",     "batch",   "seed" };

/* What the runs of a command share. */
struct work {
	const struct settings *s;
	struct lora_spec pairs; /* ranks 0: none are added */
	struct source source;
	struct recipe recipe;
	struct meta_list head;
	struct stream_writer *out;
};

/* ---- one run ---- */

static int save(const struct work *w, const struct planned *r, struct subject *x,
		uint64_t trained, struct err *e)
{
	struct saved_note note = {
		.max_len = w->s->source.max_len,
		.run = r->name,
		.budget = r->budget,
		.trained = trained,
		.groups = r->groups,
	};
	int rc = w->s->save == SAVED_FULL ? model_merge_lora(&x->model, e) : EX_OK;

	for (size_t i = 0; i < w->head.n && rc == EX_OK; i++) {
		if (strcmp(w->head.m[i].key, "pg") == 0)
			rc = strlist_add(&note.pg, w->head.m[i].value, e);
	}
	if (rc == EX_OK)
		rc = saved_write(
		    r->dir, &x->model, w->s->save, x->wanted, w->source.tokenizer,
		    w->source.images ? &w->source.pixels : NULL, &w->source.task, &note, e);
	strlist_free(&note.pg);
	return rc;
}

static int report(const struct work *w, const struct planned *r, const struct outcome *o,
		  struct err *e)
{
	struct stream_writer *out = w->out;
	double all = (double)model_params(&w->source.model);
	int rc;

	stream_put_text(out, r->name);
	stream_put_text(out, r->budget);
	stream_put_int(out, (int64_t)o->trained);
	stream_put_real(out, 100 * (double)o->trained / all);
	stream_put_text(out, r->dir);
	stream_put_int(out, (int64_t)w->recipe.steps);
	stream_put_real(out, o->loss);
	if (w->s->timing)
		stream_put_real(out, o->seconds);
	else
		stream_put_text(out, "-");
	stream_put_int(out, (int64_t)o->tokens);
	stream_put_real(out, o->lr);
	stream_put_int(out, (int64_t)w->recipe.batch);
	stream_put_int(out, (int64_t)w->recipe.seed);
	rc = stream_end_row(out, e);
	return rc == EX_OK ? stream_flush(out, e) : rc;
}

static void note_frozen_head(const struct work *w, const struct planned *r,
			     const struct subject *x)
{
	const struct model *m = &x->model;
	size_t frozen = 0, first = 0;

	for (size_t i = 0; i < m->n_params; i++) {
		const struct param *p = &m->params[i];

		if (p->fresh && p->type == TYPE_HEAD && !x->wanted[i] && frozen++ == 0)
			first = i;
	}
	if (frozen > 0)
		cli_note(
		    &w->s->cli,
		    "run %s: %zu tensors of the new head, %s first, stay as "
		    "they were drawn from the seed; adapeft-select --require takes them "
		    "in",
		    r->name, frozen, m->params[first].name);
}

static int train(const struct work *w, const struct planned *r, struct subject *x,
		 struct outcome *o, struct err *e)
{
	struct progress progress;
	struct err why = { 0 };
	int rc;

	progress_start(&progress, stderr, cli_progress(&w->s->cli), r->name,
		       (size_t)w->recipe.steps);
	rc =
	    run_train(&w->recipe, &x->model, &x->some, &w->source.data, &progress, o, &why);
	progress_end(&progress);
	return rc == EX_OK ? rc : err_set(e, rc, "run %s: %s", r->name, why.text);
}

static int one_run(const struct work *w, const struct planned *r, struct err *e)
{
	struct head_spec head = source_head(&w->source.task);
	struct outcome o;
	struct subject x;
	int rc;

	if (r->n_wanted == 0) {
		cli_note(&w->s->cli,
			 "run %s: the mask has no groups, so there is nothing to "
			 "train and no model",
			 r->name);
		return EX_OK;
	}
	head.may_be_new = true;
	head.other = w->source.other;
	head.random = w->source.model.n_files == 0;
	head.seed = w->recipe.seed;
	rc = subject_open(&x, &w->source.model, &r->some, &w->pairs, &head, e);
	if (rc != EX_OK)
		return rc;
	note_frozen_head(w, r, &x);
	if ((rc = train(w, r, &x, &o, e)) == EX_OK &&
	    (rc = save(w, r, &x, o.trained, e)) == EX_OK)
		rc = report(w, r, &o, e);
	subject_close(&x);
	return rc;
}

static int all_runs(struct work *w, const struct plan *p, struct err *e)
{
	int rc = stream_create(&w->out, stdout, cli_format(&w->s->cli), "run", &w->head,
			       columns, sizeof columns / sizeof columns[0], e);

	if (rc != EX_OK)
		return rc;
	for (size_t i = 0; i < p->n && rc == EX_OK; i++)
		rc = one_run(w, &p->run[i], e);
	if (rc == EX_OK)
		return stream_finish(w->out, e);
	stream_abort(w->out);
	return rc;
}

/* ---- before the runs ---- */

/* The model is the one that was said, else the masks'. */
static int open_source(struct work *w, const struct mask_set *masks, struct err *e)
{
	struct source_options o = w->s->source;
	const char *said = meta_get(&masks->head, "model");
	char *dir = NULL;
	int rc;

	if (o.model == NULL && said != NULL) {
		dir = str_dupn(said, strcspn(said, "\t"));
		if (dir == NULL)
			return err_nomem(e);
		o.model = dir;
	}
	/* An adapter that is trained on brings its own. */
	rc = pairs_resolve(&w->s->pairs, meta_get(&masks->head, "lora"),
			   settings_need_pairs(w->s) &&
			       (o.model == NULL || !adapter_has_pairs(o.model)),
			   &w->pairs, e);
	if (rc != EX_OK) {
		free(dir);
		return rc;
	}
	o.lora = w->pairs.ranks > 0 ? &w->pairs : NULL;
	rc = source_open(&w->source, &o, meta_get(&masks->head, "task"), true,
			 w->s->cli.seed, e);
	free(dir);
	if (rc == EX_OK)
		source_notes(&w->s->cli, &w->source);
	return rc;
}

static void warn_of_other_model(const struct work *w, const struct mask_set *masks)
{
	const char *theirs = meta_get(&masks->head, "model");
	char *a = theirs == NULL ? NULL : meta_word(theirs, "sha256");
	char *b = meta_word(meta_get(&w->head, "model"), "sha256");

	if (a != NULL && b != NULL && strcmp(a, b) != 0)
		cli_warn(&w->s->cli,
			 "%s: these are not the weights that the masks were made "
			 "for (sha256 %.12s, not %.12s)",
			 w->source.model.dir, b, a);
	free(a);
	free(b);
}

static int describe(struct work *w, const struct mask_set *masks, struct err *e)
{
	int rc = source_describe(&w->source, &w->head, e);

	if (rc == EX_OK)
		warn_of_other_model(w, masks);
	return rc == EX_OK ? cli_lineage(&w->s->cli, &masks->head, NULL, &w->head, e) : rc;
}

static int run_plan(const struct settings *s, struct plan *p, const struct mask_set *masks,
		    struct err *e)
{
	struct work w = { .s = s };
	int rc = open_source(&w, masks, e);

	if (rc != EX_OK) {
		lora_free(&w.pairs);
		return rc;
	}
	w.recipe = settings_recipe(s, w.source.data.n);
	if ((rc = plan_resolve(p, &w.source.model, &masks->head, &s->patterns, e)) ==
		EX_OK &&
	    (rc = plan_check(p, &w.source.model, e)) == EX_OK &&
	    (rc = describe(&w, masks, e)) == EX_OK)
		rc = all_runs(&w, p, e);
	meta_free(&w.head);
	source_close(&w.source);
	lora_free(&w.pairs);
	return rc;
}

static int read_masks(const struct settings *s, struct mask_set *masks, struct err *e)
{
	const char *path;
	bool some;
	int rc = settings_mask(s, &path, &some, e);

	if (rc != EX_OK || !some)
		return rc;
	if ((rc = masks_read(masks, path, s->cli.strict, e)) != EX_OK)
		return rc;
	if (masks->note != NULL)
		cli_note(&s->cli, "%s", masks->note);
	if (masks->n == 0)
		return err_set(e, EX_DATAERR,
			       "%s: no budget in this mask stream, so there is "
			       "nothing to train",
			       path == NULL ? "stdin" : path);
	return EX_OK;
}

static int work(const struct settings *s, struct err *e)
{
	struct mask_set masks = { 0 };
	struct plan plan = { 0 };
	int rc;

	blas_threads((int)s->cli.threads);
	if ((rc = read_masks(s, &masks, e)) == EX_OK &&
	    (rc = plan_make(&plan, &masks, &s->presets, s->patterns.n > 0, s->out, e)) ==
		EX_OK)
		rc = run_plan(s, &plan, &masks, e);
	plan_free(&plan);
	masks_free(&masks);
	return rc;
}

int main(int argc, char **argv)
{
	struct settings s;
	struct err e = { 0 };
	int rc;

	settings_read(&s, argc, argv);
	rc = work(&s, &e);
	settings_free(&s);
	return cli_end(&s.cli, rc, &e);
}
