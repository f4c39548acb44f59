#include "apply.h"

#include <stdlib.h>

#include "io/file.h"
#include "model/adapter.h"
#include "model/lora.h"
#include "train/saved.h"

/* What stands beside the weights. */
struct beside {
	struct saved_note note;
	struct task task;
	bool has_task;
	struct tokenizer *tokenizer; /* NULL for images, or when there is none */
	bool has_pixels;
	struct pixels pixels;
};

static int read_task(struct beside *b, const struct cli *cli, const char *dir,
		     struct err *e)
{
	const struct task_options none = { 0 };
	int rc = saved_read(&b->note, dir, e);

	if (rc == EX_OK)
		rc = strlist_add(&b->note.pg, cli->pg.s, e);
	if (rc != EX_OK || b->note.task == NULL)
		return rc;
	rc = task_resolve(&b->task, &none, b->note.task, e);
	b->has_task = rc == EX_OK;
	return rc;
}

/* The directory that has one of the files: the adapter's, else its base; NULL when neither
 * has. */
static const char *place_of(const char *dir, const char *base, const char *const *files)
{
	const char *const dirs[] = { dir, base };

	for (size_t i = 0; i < 2; i++) {
		for (const char *const *f = files; *f != NULL; f++) {
			char *path = file_join(dirs[i], *f);
			bool there = path != NULL && file_exists(path);

			free(path);
			if (there)
				return dirs[i];
		}
	}
	return NULL;
}

static int read_beside(struct beside *b, const struct model *m, const char *base,
		       struct err *e)
{
	static const char *const processor[] = { PIXELS_FILE, NULL };
	const struct config *c = &m->config;
	bool images = c->channels > 0;
	const char *place =
	    place_of(m->dir, base, images ? processor : tokenizer_vocabularies);

	if (place == NULL)
		return EX_OK;
	if (!images)
		return tokenizer_open(&b->tokenizer, place, e);
	b->has_pixels = true;
	return pixels_read(&b->pixels, place, c->channels, c->image_height, c->image_width,
			   e);
}

static void free_beside(struct beside *b)
{
	saved_note_free(&b->note);
	if (b->has_task)
		task_free(&b->task);
	if (b->tokenizer != NULL)
		tokenizer_close(b->tokenizer);
}

static int write_model(struct beside *b, struct model *m, const char *base, const char *out,
		       struct err *e)
{
	int rc = read_beside(b, m, base, e);

	if (rc == EX_OK)
		rc = model_merge_lora(m, e);
	if (rc != EX_OK)
		return rc;
	return saved_write(out, m, SAVED_FULL, NULL, b->tokenizer,
			   b->has_pixels ? &b->pixels : NULL, b->has_task ? &b->task : NULL,
			   &b->note, e);
}

int apply(const struct cli *cli, const char *base, const char *dir, const char *out,
	  struct err *e)
{
	struct head_spec head = { .base = base };
	struct beside b = { 0 };
	struct model m;
	int rc;

	if (!file_is_dir(base) || !file_is_dir(dir))
		return err_set(e, EX_NOINPUT, "%s: no such directory",
			       file_is_dir(base) ? dir : base);
	if (!adapter_is(dir))
		return err_set(e, EX_USAGE,
			       "%s: no adapter: it has neither %s nor %s, or weights of "
			       "its own",
			       dir, ADAPTER_CONFIG, ADAPTER_DELTA);
	if (file_same(out, dir) || file_same(out, base))
		return err_set(e, EX_CANTCREAT, "%s: is read; name another directory", out);
	rc = read_task(&b, cli, dir, e);
	head.language =
	    b.has_task ? b.task.kind == TASK_LANGUAGE : adapter_is_language(dir);
	if (rc == EX_OK && (rc = model_open(&m, dir, &head, e)) == EX_OK) {
		rc = write_model(&b, &m, base, out, e);
		model_close(&m);
	}
	free_beside(&b);
	return rc;
}
