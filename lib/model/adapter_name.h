/*
 * adapter_name - names of tensors in PEFT's files, and in a base's.
 */
#ifndef MODEL_ADAPTER_NAME_H
#define MODEL_ADAPTER_NAME_H

#include "model/model.h"

/* What PEFT wraps a model in. */
#define ADAPTER_ROOT "base_model.model."

/* The spelling that the base's weights, m->files, have for a tensor that PEFT's file calls
 * `name`, or would have if they held it; NULL when memory is short. */
char *adapter_base_name(const struct model *m, const char *name);

#endif
