/*
 * config - a model's config.json, checked.
 */
#ifndef MODEL_CONFIG_H
#define MODEL_CONFIG_H

#include <jansson.h>
#include <stdbool.h>
#include <stddef.h>

#include "base/err.h"
#include "tensor/kernels.h"

enum family { FAMILY_BERT };

struct config {
	enum family family;
	size_t layers, width, heads, inner; /* hidden_size, num_attention_heads,
					     * intermediate_size */
	size_t vocab, positions, types;
	enum activation act;
	float norm_eps;
	float dropout, attention_dropout, head_dropout; /* probabilities while training */
	double init_std;
	size_t labels; /* id2label or num_labels; 2 when not said, as transformers has it */
	bool regression; /* problem_type, or a single label */
	json_t *json;    /* the whole file, for saving */
};

/* Reads DIR/config.json; what it does not say is as transformers has it. Every size is
 * bounded (so that no product of two overflows) and must be positive; heads must divide
 * width. EX_DATAERR names the key; an unknown model_type lists those that are known; what
 * our passes do not compute (decoders, cross-attention, relative positions, several labels
 * at once) is refused. On failure there is nothing to free. */
int config_read(struct config *c, const char *dir, struct err *e);
void config_free(struct config *c);

#endif
