/*
 * family - what a family of architectures (bert.c) is, and what it builds a model with.
 *
 * model_open reads the configuration, opens the weights and calls the family, which adds
 * parameters, slots and operations in the order of the forward pass with the functions of
 * build.h; then LoRA pairs are added (lora.h), the values are read (model_load.c) and the
 * slots' buffers are planned (model_plan.c).
 */
#ifndef MODEL_FAMILY_H
#define MODEL_FAMILY_H

#include "model/model.h"

struct architecture {
	const char *model_type; /* as config.json says it */
	/* Reads what is the family's own of config.json; what it does not say is as
	 * transformers has it. */
	int (*configure)(const struct config_reader *r, struct config *c);
	/* Sets m->prefix and m->with_head and lays out parameters and operations; the head
	 * is new where the weights lack it, or have another size, and head->may_be_new. */
	int (*build)(struct model *m, const struct head_spec *head, struct err *e);
	/* Globs of tensors that are no parameters: buffers, heads of pretraining. */
	const char *const *ignored;
	bool language; /* can predict the next token */
	/* The modules that get LoRA pairs unless others are said, as PEFT has it for this
	 * family: the last parts of their paths, separated by commas. */
	const char *lora_targets;
};

extern const struct architecture architecture_bert, architecture_distilbert,
    architecture_roberta, architecture_gpt2, architecture_vit;

/* All of them; ends with NULL. */
extern const struct architecture *const architectures[];

/* The tensor of that name in the weights, NULL when there is none; its file in *file unless
 * that is NULL. */
const struct tensor_view *model_tensor(const struct model *m, const char *name,
				       const struct safetensors **file);

/* Where the weights are: m->base, or m->dir. */
const char *model_weights_dir(const struct model *m);

/* Opens the files of weights. */
int model_open_weights(struct model *m, struct err *e);

/* Says that m->dir has no weights, or which it has and how they are converted: EX_NOINPUT.
 */
int model_no_weights(const struct model *m, struct err *e);

/* Reads or draws the values of all parameters, and lists the tensors that none reads. */
int model_load(struct model *m, uint64_t seed, struct err *e);

#endif
