#include "write.h"

#include <stdlib.h>
#include <string.h>

#include "generate.h"

int writing_check(const struct writing *w, const char *data, struct err *e)
{
	bool said = w->generations != NULL || w->references != NULL;

	if (said && strcmp(data, "-") == 0)
		return err_set(e, EX_USAGE,
			       "prompts are read twice, so -d needs a file, not stdin");
	if ((w->generations != NULL && strcmp(w->generations, "-") == 0) ||
	    (w->references != NULL && strcmp(w->references, "-") == 0))
		return err_set(e, EX_USAGE,
			       "--generate and --references need files; stdout holds the "
			       "points");
	return EX_OK;
}

/* Into FILE, or FILE.RUN. */
static int keep(const struct writing *w, const struct generations *g, const char *run,
		struct err *e)
{
	char *path = run == NULL ? str_dup(w->generations)
				 : str_printf("%s.%s", w->generations, run);
	int rc = path == NULL ? err_nomem(e) : generations_write(g, path, e);

	free(path);
	return rc;
}

static int generate_all(const struct writing *w, const struct cli *cli,
			const struct source *source, const struct source_options *o,
			const struct e2e *texts, struct generations *g, struct err *e)
{
	struct generation_options options = {
		.beams = (size_t)w->beams,
		.max_new = (size_t)w->max_new,
		.length_penalty = w->length_penalty,
		.no_repeat = (size_t)w->no_repeat,
		.batch = (size_t)o->batch,
	};
	struct progress progress;
	int rc;

	progress_start(&progress, stderr, cli_progress(cli), "generate", texts->n);
	rc = generations_make(g, &source->model, source->tokenizer, &source->task, texts,
			      &options, (size_t)o->max_len, &progress, e);
	progress_end(&progress);
	return rc;
}

static int write_texts(const struct writing *w, const struct cli *cli,
		       const struct source *source, const struct source_options *o,
		       const struct e2e *texts, const char *run, double *bleu,
		       struct err *e)
{
	struct generations g;
	int rc = generate_all(w, cli, source, o, texts, &g, e);

	if (rc != EX_OK)
		return rc;
	/* The E2E challenge ignores case. */
	rc = generations_bleu(&g, texts, strcmp(source->task.name, "e2e") == 0, bleu, e);
	if (rc == EX_OK && w->generations != NULL)
		rc = keep(w, &g, run, e);
	generations_free(&g);
	return rc;
}

int writing_do(const struct writing *w, const struct cli *cli, const struct source *source,
	       const struct source_options *o, const char *run, double *bleu, struct err *e)
{
	struct e2e texts;
	int rc = e2e_read(&texts, o->data, &source->task, e);

	if (rc != EX_OK)
		return rc;
	if (o->limit > 0)
		e2e_limit(&texts, (size_t)o->limit);
	/* First, so that a prompt without a reference is not found after hours of work. */
	if (w->references != NULL)
		rc = references_write(&texts, w->references, e);
	if (rc == EX_OK)
		rc = write_texts(w, cli, source, o, &texts, run, bleu, e);
	e2e_free(&texts);
	return rc;
}
