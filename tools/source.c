#include "source.h"

#include <inttypes.h>
#include <stdlib.h>
#include <string.h>

#include "io/file.h"
#include "model/adapter.h"
#include "model/family.h"
#include "train/saved.h"

/* More classes than most tasks have, and fewer than a column of measurements. */
#define MANY_CLASSES 30

/* Is the model one of what the task's data is? */
static int check_model(const struct config *c, const struct task *t, const char *dir,
		       struct err *e)
{
	const char *type = c->arch->model_type;

	if (t->form == FORM_IMAGES && c->channels == 0)
		return err_set(e, EX_USAGE,
			       "%s: task %s needs a model of images (vit); this one, %s, "
			       "reads text",
			       dir, t->name, type);
	if (t->form != FORM_IMAGES && c->channels > 0)
		return err_set(e, EX_USAGE,
			       "%s: a model of images (%s); --task image is what it "
			       "can learn",
			       dir, type);
	if (t->kind == TASK_LANGUAGE && !c->arch->language)
		return err_set(e, EX_USAGE,
			       "%s: task %s needs a language model (gpt2); this one, %s, "
			       "predicts no next token",
			       dir, t->name, type);
	return EX_OK;
}

/* What an adapter's directory does not hold is its base's. */
static int open_pixels(struct source *s, const char *dir, const struct config *c,
		       struct err *e)
{
	static const char *const files[] = { "preprocessor_config.json", NULL };
	char *place;
	int rc = adapter_place(dir, files, &place, e);

	if (rc == EX_OK)
		rc = pixels_read(&s->pixels, place, c->channels, c->image_height,
				 c->image_width, e);
	free(place);
	return rc;
}

static int open_tokenizer(struct source *s, const char *dir, struct err *e)
{
	static const char *const files[] = { "vocab.txt", "vocab.json", "tokenizer.json",
					     NULL };
	char *place;
	int rc = adapter_place(dir, files, &place, e);

	if (rc == EX_OK)
		rc = tokenizer_open(&s->tokenizer, place, e);
	free(place);
	return rc;
}

static int open_config(struct config *c, const char *dir, struct err *e)
{
	static const char *const files[] = { "config.json", NULL };
	char *place;
	int rc = adapter_place(dir, files, &place, e);

	if (rc == EX_OK)
		rc = config_read(c, place, e);
	free(place);
	return rc;
}

static int read_examples(struct source *s, const struct source_options *o,
			 const struct config *c, bool learn, struct err *e)
{
	struct encoder how = { .max_len = c->positions, .image_tokens = c->positions };
	int rc;

	s->images = c->channels > 0;
	if (s->images) {
		rc = open_pixels(s, o->model, c, e);
		how.pixels = &s->pixels;
	} else {
		rc = open_tokenizer(s, o->model, e);
		how.tokenizer = s->tokenizer;
		if (o->max_len < how.max_len)
			how.max_len = (size_t)o->max_len;
	}
	if (rc == EX_OK)
		rc = dataset_read(&s->data, o->data, &s->task, learn, &how, e);
	if (rc == EX_OK && o->limit > 0)
		dataset_limit(&s->data, (size_t)o->limit);
	return rc;
}

static int read_data(struct source *s, const struct source_options *o, bool learn,
		     struct err *e)
{
	struct config c;
	int rc = open_config(&c, o->model, e);

	if (rc != EX_OK)
		return rc;
	rc = check_model(&c, &s->task, o->model, e);
	if (rc == EX_OK)
		rc = read_examples(s, o, &c, learn, e);
	config_free(&c);
	return rc;
}

struct head_spec source_head(const struct task *t)
{
	struct head_spec head = { .regression = t->kind == TASK_REGRESSION,
				  .language = t->kind == TASK_LANGUAGE };

	if (!head.language)
		head.labels = head.regression ? 1 : t->classes.n;
	return head;
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
	struct head_spec head;
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
		head = source_head(&s->task);
		head.may_be_new = learn;
		head.seed = seed;
		head.random = o->init != NULL && strcmp(o->init, "random") == 0;
		head.lora = o->lora;
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

void source_options_free(struct source_options *o)
{
	strlist_free(&o->task.text);
	strlist_free(&o->task.classes);
}

void source_notes(const struct cli *cli, const struct source *s)
{
	const struct model *m = &s->model;

	if (m->n_files == 0)
		cli_note(cli, "%s: all weights are drawn from seed %" PRIu64, m->dir,
			 cli->seed);
	if (m->new_pooler)
		cli_note(cli,
			 "%s: no pooler in the checkpoint: initialised from seed %" PRIu64,
			 m->dir, cli->seed);
	if (m->new_head)
		cli_note(cli,
			 "%s: no head for %zu %s in the checkpoint: initialised from seed "
			 "%" PRIu64,
			 m->dir, m->slots[m->logits].width,
			 m->language ? "tokens" : "labels", cli->seed);
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
	if (s->data.left_out > 0)
		cli_note(cli, "%zu rows were passed over: %s", s->data.left_out,
			 s->task.only_classes ? "other classes than those asked for"
					      : "too few fields, as known of this task");
}

int source_describe(const struct source *s, struct meta_list *to, struct err *e)
{
	struct strbuf value = { 0 };
	char digest[65];
	int rc;

	model_digest(&s->model, digest);
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
