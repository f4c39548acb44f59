/*
 * adapter_config - PEFT's adapter_config.json, checked.
 */
#ifndef MODEL_ADAPTER_CONFIG_H
#define MODEL_ADAPTER_CONFIG_H

#include <jansson.h>
#include <stdbool.h>
#include <stddef.h>

#include "base/err.h"

#define ADAPTER_MAX_ALPHA 1e6 /* a larger one overflows in single precision */

struct adapter_config {
	json_t *json;
	char *file;       /* its path, for messages */
	const char *base; /* base_model_name_or_path, NULL when it is not said */
	double alpha, dropout;
	bool language; /* task_type is CAUSAL_LM */
	bool rslora;   /* the scale is alpha / sqrt(rank) */
};

/* Reads DIR/adapter_config.json. EX_DATAERR for what is not supported. On failure there is
 * nothing to free. */
int adapter_config_read(struct adapter_config *c, const char *dir, struct err *e);
/* The scale of a pair of that rank beside `module`, a path as PEFT spells it: alpha of the
 * first of alpha_pattern's expressions that matches the path or what follows a dot in it,
 * else lora_alpha. EX_DATAERR when rank_pattern or r says another rank. */
int adapter_config_scale(const struct adapter_config *c, const char *module, size_t rank,
			 double *scale, struct err *e);
void adapter_config_free(struct adapter_config *c);

#endif
