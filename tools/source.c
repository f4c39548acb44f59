#include "source.h"

#include <inttypes.h>
#include <stdlib.h>

#include "io/file.h"
#include "train/saved.h"

/* More classes than most tasks have, and fewer than a column of measurements. */
#define MANY_CLASSES 30

static int read_data(struct source *s, const struct source_options *o, bool learn,
		     struct err *e)
{
	struct config c;
	size_t longest;
	int rc = config_read(&c, o->model, e);

	if (rc != EX_OK)
		return rc;
	longest = c.positions < o->max_len ? c.positions : (size_t)o->max_len;
	config_free(&c);
	if ((rc = tokenizer_open(&s->tokenizer, o->model, e)) != EX_OK)
		return rc;
	return dataset_read(&s->data, o->data, &s->task, learn, s->tokenizer, longest, e);
}

/* What was said, else what the stream says, else what a saved model knows of itself. */
static int resolve_task(struct source *s, const struct source_options *o, const char *said,
			struct err *e)
{
	struct saved_note note = { 0 };
	int rc = said == NULL ? saved_read(&note, o->model, e) : EX_OK;

	if (rc == EX_OK)
		rc = task_resolve(&s->task, &o->task, said == NULL ? note.task : said, e);
	saved_note_free(&note);
	return rc;
}

int source_open(struct source *s, const struct source_options *o, const char *said,
		bool learn, uint64_t seed, struct err *e)
{
	struct head_spec head = { .may_be_new = learn, .seed = seed };
	int rc;

	*s = (struct source){ 0 };
	if (o->model == NULL)
		return err_set(e, EX_USAGE, "no model: -m DIR says which");
	if (o->data == NULL)
		return err_set(e, EX_USAGE, "no data: -d FILE says which");
	if (!file_is_dir(o->model))
		return err_set(
		    e, EX_NOINPUT,
		    "%s: no such directory; a model is a local copy of a Hugging "
		    "Face directory, nothing is fetched",
		    o->model);
	if ((rc = resolve_task(s, o, said, e)) != EX_OK)
		return rc;
	rc = read_data(s, o, learn, e);
	if (rc == EX_OK) {
		head.regression = s->task.kind == TASK_REGRESSION;
		head.labels = head.regression ? 1 : s->task.classes.n;
		rc = model_open(&s->model, o->model, &head, e);
	}
	if (rc != EX_OK)
		source_close(s);
	return rc;
}

void source_close(struct source *s)
{
	if (s->model.dir != NULL)
		model_close(&s->model);
	dataset_free(&s->data);
	if (s->tokenizer != NULL)
		tokenizer_close(s->tokenizer);
	task_free(&s->task);
	*s = (struct source){ 0 };
}

void source_notes(const struct cli *cli, const struct source *s)
{
	const struct model *m = &s->model;

	if (m->new_pooler)
		cli_note(cli,
			 "%s: no pooler in the checkpoint: initialised from seed %" PRIu64,
			 m->dir, cli->seed);
	if (m->new_head)
		cli_note(cli,
			 "%s: no classifier for %zu labels in the checkpoint: "
			 "initialised from seed %" PRIu64,
			 m->dir, m->slots[m->logits].width, cli->seed);
	if (m->unexpected.n > 0)
		cli_note(cli,
			 "%s: %zu tensors are none of this model's and stay unused, "
			 "%s among them",
			 m->dir, m->unexpected.n, m->unexpected.s[0]);
	if (s->task.kind == TASK_CLASSES && s->task.classes.n > MANY_CLASSES)
		cli_note(cli,
			 "the label has %zu different values, each a class; a number is "
			 "predicted with --kind regression or split by --threshold X",
			 s->task.classes.n);
	if (s->data.truncated > 0)
		cli_note(cli, "%zu of %zu texts were cut to --max-len tokens",
			 s->data.truncated, s->data.n);
}

int source_describe(const struct source *s, struct meta_list *to, struct err *e)
{
	struct strbuf value = { 0 };
	char digest[65];
	int rc = model_digest(&s->model, digest, e);

	if (rc != EX_OK)
		return rc;
	strbuf_printf(&value, "%s\tparams=%" PRIu64 "\tsha256=%s", s->model.dir,
		      model_params(&s->model), digest);
	rc = value.failed ? err_nomem(e) : meta_add(to, "model", value.s, e);
	strbuf_clear(&value);
	if (rc == EX_OK)
		rc = task_print(&s->task, &value, e);
	if (rc == EX_OK)
		rc = meta_add(to, "task", value.s, e);
	strbuf_free(&value);
	return rc;
}
