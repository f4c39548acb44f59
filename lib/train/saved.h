/*
 * saved - a trained model's directory: what transformers loads, and what we know besides.
 *
 * DIR holds config.json, model.safetensors, the tokenizer's files or preprocessor_config.json,
 * and adapeft.json:
 * {"format": 1, "task": "<##task value>", "max_len": N, "run": NAME, "budget": LABEL,
 *  "trained": N, "groups": [...], "pg": [...]}
 */
#ifndef TRAIN_SAVED_H
#define TRAIN_SAVED_H

#include <stddef.h>
#include <stdint.h>

#include "base/err.h"
#include "base/str.h"
#include "data/pixels.h"
#include "data/task.h"
#include "model/model.h"
#include "text/tokenizer.h"

#define SAVED_NOTE "adapeft.json"

/* What saved_write writes, SAVED_NOTE first: see outdir_open. */
extern const char *const saved_files[];

struct saved_note {
	char *task; /* value of a ##task line, NULL when none was said */
	uint64_t max_len;
	char *run, *budget;
	uint64_t trained;
	struct strlist groups, pg;
};

/* Writes the directory whole or not at all (outdir). `tok` is NULL for a model of images,
 * `pixels` for one of texts. */
int saved_write(const char *dir, const struct model *m, const struct tokenizer *tok,
		const struct pixels *pixels, const struct task *task,
		const struct saved_note *note, struct err *e);
/* Reads DIR/adapeft.json; an absent one gives an empty note. */
int saved_read(struct saved_note *note, const char *dir, struct err *e);
void saved_note_free(struct saved_note *note);

#endif
