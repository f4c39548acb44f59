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
#include "peft/selection.h"

struct subject {
	struct model model;
	struct selection some; /* what trains of it */
	bool *wanted;          /* [model.n_params] something of it trains */
};

/* `chosen` is what the run trains of `all`, the model with all of the pairs of `pairs`;
 * `head` says the rest of how it was opened. On failure there is nothing to close. */
int subject_open(struct subject *s, const struct model *all, const struct selection *chosen,
		 const struct lora_spec *pairs, const struct head_spec *head,
		 struct err *e);
void subject_close(struct subject *s);

#endif
