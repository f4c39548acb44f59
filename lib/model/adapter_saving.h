/*
 * adapter_saving - an adapter while it is written: what adapter_save.c and adapter_peft.c
 * share.
 */
#ifndef MODEL_ADAPTER_SAVING_H
#define MODEL_ADAPTER_SAVING_H

#include <jansson.h>

#include "model/model.h"

enum place { PLACE_NONE, PLACE_MODULE, PLACE_BIAS, PLACE_PAIR, PLACE_DELTA };

struct saving {
	const struct model *m;
	const bool *changed;
	enum place *place; /* [n_params] */
	bool *paired;      /* [n_params] weights and biases that have a pair beside them */
	char **memory;     /* [n_params] names in transformers' memory */
	struct strlist modules;  /* modules_to_save */
	struct strlist targets;  /* modules with pairs */
	struct tensor_out *t[2]; /* of adapter_model.safetensors and of delta.safetensors */
	size_t n[2];
	char **name;   /* [n_params] owned names of tensors */
	float **owned; /* [n_params] their values where those are made anew */
	size_t names, floats;
	json_t *config, *ranks, *alphas, *delta_alphas;
	struct err *e;
};

/* Takes `value` over. */
int saving_set(json_t *o, const char *key, json_t *value, struct err *e);
bool saving_classifies_text(const struct model *m);
/* Of the pairs' input, with the digits that float has. */
double saving_dropout(const struct model *m);
/* Fills s->config, PEFT's configuration of what was placed. */
int saving_config(struct saving *s);

#endif
