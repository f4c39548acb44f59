/*
 * family - what a family of architectures (bert.c) builds a model with.
 *
 * model_open reads the configuration, opens the weights and calls the family, which adds
 * parameters, slots and operations in the order of the forward pass (model_add_*, in
 * model.h); then the values are read (model_load.c) and the slots' buffers are planned
 * (model_plan.c).
 */
#ifndef MODEL_FAMILY_H
#define MODEL_FAMILY_H

#include "model/model.h"

struct architecture {
	const char *with_head; /* transformers' name of the model with a head */
	const char *prefix;    /* of the encoder's names in that model */
	/* Lays out parameters and operations; the head is new where the weights lack it, or
	 * have another size, and head->may_be_new. */
	int (*build)(struct model *m, const struct head_spec *head, struct err *e);
	/* Is a tensor of the weights no parameter: a buffer, or a head of pretraining? */
	bool (*ignores)(const char *name);
};

extern const struct architecture architecture_bert;

const struct architecture *architecture_of(enum family f);

/* The tensor of that name in the weights, NULL when there is none; its file in *file unless
 * that is NULL. */
const struct tensor_view *model_tensor(const struct model *m, const char *name,
				       const struct safetensors **file);

/* Opens the files of weights in m->dir. */
int model_open_weights(struct model *m, struct err *e);

/* Reads or draws the values of all parameters, and lists the tensors that none reads. */
int model_load(struct model *m, uint64_t seed, struct err *e);

#endif
