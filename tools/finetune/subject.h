/*
 * subject - the model that one run trains: as it was opened for all, but with those LoRA
 * pairs alone that the run trains, because others would cost time for nothing.
 */
#ifndef FINETUNE_SUBJECT_H
#define FINETUNE_SUBJECT_H

#include <stdbool.h>

#include "base/err.h"
#include "model/lora.h"
#include "model/model.h"

struct subject {
	struct model model;
	bool *wanted; /* [model.n_params] */
};

/* `wanted` marks what the run trains of `all`, the model with all of the pairs of `pairs`;
 * `head` says the rest of how it was opened. On failure there is nothing to close. */
int subject_open(struct subject *s, const struct model *all, const bool *wanted,
		 const struct lora_spec *pairs, const struct head_spec *head,
		 struct err *e);
void subject_close(struct subject *s);

#endif
