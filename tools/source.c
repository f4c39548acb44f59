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
	static const char *const files[] = { PIXELS_FILE, NULL };
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
	char *place;
	int rc = adapter_place(dir, tokenizer_vocabularies, &place, e);

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
	struct encoder how = { .max_len = c->positions,
			       .image_tokens = c->positions,
			       .limit = (size_t)o->limit };
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
	s->asked = o->task.classes.n > 0;
	return rc;
}

/* Where the model has each class of the task: of_task[i] is the model's number of class i.
 * False when it has not all of them. */
static bool find_classes(const struct config *c, const struct strlist *classes,
			 int32_t *of_task)
{
	for (size_t i = 0; i < classes->n; i++) {
		size_t k = 0;

		while (k < c->labels && (config_class(c, k) == NULL ||
					 strcmp(config_class(c, k), classes->s[i]) != 0))
			k++;
		if (k == c->labels)
			return false;
		of_task[i] = (int32_t)k;
	}
	return true;
}

/* Numbers the classes as the model does. */
static void renumber(struct source *s, const int32_t *of_task)
{
	struct strlist *l = &s->task.classes;
	char *old[TASK_MAX_CLASSES];

	memcpy(old, l->s, l->n * sizeof *old);
	for (size_t i = 0; i < l->n; i++)
		l->s[of_task[i]] = old[i];
	for (size_t i = 0; i < s->data.n; i++)
		s->data.label[i] = of_task[s->data.label[i]];
}

/* A model whose classes have names keeps their numbers. Other names that were asked for are
 * other classes, which want a new head; other names that are the task's own are taken for
 * the model's in their order. */
static int match_classes(struct source *s, const struct source_options *o,
			 const struct config *c, bool learn, struct err *e)
{
	const struct strlist *l = &s->task.classes;
	int32_t of_task[TASK_MAX_CLASSES];

	if (s->task.kind != TASK_CLASSES || l->n != c->labels || config_class(c, 0) == NULL)
		return EX_OK;
	if (find_classes(c, l, of_task)) {
		renumber(s, of_task);
		return EX_OK;
	}
	s->other = o->task.classes.n > 0;
	s->renamed = !s->other;
	if (learn || !s->other)
		return EX_OK;
	return err_set(e, EX_DATAERR,
		       "%s: the model knows other classes than those of --classes: %s, ...",
		       o->model, config_class(c, 0));
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
	if (rc == EX_OK)
		rc = match_classes(s, o, &c, learn, e);
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
		head.other = s->other;
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
	if (s->other)
		cli_note(cli,
			 "%s: the classes are not the model's %s, ...: its head is new",
			 m->dir, config_class(&m->config, 0));
	if (s->renamed)
		cli_note(
		    cli,
		    "%s: the model's classes are called %s, ...; %s, ... are taken for "
		    "them in this order",
		    m->dir, config_class(&m->config, 0), s->task.classes.s[0]);
	if (s->data.left_out > 0 && (s->asked || !s->task.only_classes))
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
