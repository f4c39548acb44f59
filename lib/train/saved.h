/*
 * saved - a trained model's directory: what transformers loads, and what we know besides.
 *
 * DIR holds config.json, the tokenizer's files or preprocessor_config.json, the weights, or
 * an adapter's files in their place (model/adapter.h), and adapeft.json:
 * {"format": 1, "task": "<##task value>", "max_len": N, "run": NAME, "budget": LABEL,
 *  "trained": N, "groups": [...], "pg": [...]}, of an adapter also "base", "files", "lora".
 */
#ifndef TRAIN_SAVED_H
#define TRAIN_SAVED_H

#include <stddef.h>
#include <stdint.h>

#include "base/err.h"
#include "base/str.h"
#include "data/pixels.h"
#include "data/task.h"
#include "model/adapter.h"
#include "model/model.h"
#include "text/tokenizer.h"

#define SAVED_NOTE ADAPTER_NOTE

/* What saved_write writes, SAVED_NOTE first: see outdir_open. */
extern const char *const saved_files[];

struct saved_note {
	char *task; /* value of a ##task line, NULL when none was said */
	uint64_t max_len;
	char *run, *budget;
	uint64_t trained;
	struct strlist groups, pg;
};

enum saved_form {
	SAVED_FULL,  /* a whole model; its pairs must have been merged (model/lora.h) */
	SAVED_DELTA, /* what changed, in delta.safetensors */
	SAVED_PEFT   /* what changed, as PEFT loads it */
};

/* "full", "delta", "peft"; false for another word. */
bool saved_form_named(const char *name, enum saved_form *out);

/* Writes the directory whole or not at all (outdir). `trained` [n_params] marks what was
 * trained; for SAVED_FULL it may be NULL. A `task` that is not known is NULL: then labels
 * have the names that config.json gives them. `tok` is NULL for a model of images, `pixels`
 * for one of texts. */
int saved_write(const char *dir, const struct model *m, enum saved_form form,
		const bool *trained, const struct tokenizer *tok,
		const struct pixels *pixels, const struct task *task,
		const struct saved_note *note, struct err *e);
/* Reads DIR/adapeft.json; an absent one gives an empty note. */
int saved_read(struct saved_note *note, const char *dir, struct err *e);
void saved_note_free(struct saved_note *note);

#endif
