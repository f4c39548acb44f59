/*
 * lora - low-rank pairs beside linear operations (Hu et al. 2021, arXiv 2106.09685):
 *
 *     y = x W' + b + scale (dropout(x) A') B'      scale = alpha / rank
 *
 * A [rank, in] begins uniform in +-1/sqrt(in), B [outputs, rank] at zero, so that a new
 * pair changes nothing. A module's pairs of several ranks stand beside each other.
 */
#ifndef MODEL_LORA_H
#define MODEL_LORA_H

#include "model/model.h"

#define LORA_MAX_RANK 4096

struct lora_spec {
	size_t rank[OP_PAIRS];
	int ranks;
	double alpha; /* of every rank; 0: twice the rank */
	float dropout;
	struct strlist targets; /* module paths or their last parts, or shell globs over
				 * paths; empty: the family's (struct architecture) */
};

/* Adds pairs to all linear operations whose module a target matches, at the end of params,
 * as fresh parameters MODULE.lora_A.weight and MODULE.lora_B.weight (several ranks:
 * MODULE.lora_A.r4.weight). EX_USAGE: a target that matches no linear module (near misses),
 * a rank of 0 or beyond the smaller side of its module. Call it before model_load. */
int model_add_lora(struct model *m, const struct lora_spec *s, struct err *e);

/* Adds the pairs whose B is not zero to their weights, W += scale B A, and zeroes B. */
int model_merge_lora(struct model *m, struct err *e);

/* How LoRA travels in a stream's head and a saved model's note:
 *     ##lora  rank=4,8 alpha=16 dropout=0.1 targets=query,value */
int lora_print(const struct lora_spec *s, struct strbuf *out, struct err *e);
/* EX_DATAERR when it is malformed. */
int lora_parse(struct lora_spec *s, const char *value, struct err *e);
void lora_free(struct lora_spec *s);

#endif
