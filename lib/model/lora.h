/*
 * lora - low-rank pairs beside linear operations (Hu et al. 2021, arXiv 2106.09685):
 *
 *     y = x W' + b + scale (dropout(x) A') B'      scale = alpha / rank
 *
 * A [rank, in] begins uniform in +-1/sqrt(in), B [outputs, rank] at zero, so that a new
 * pair changes nothing. A module's pairs of several ranks stand beside each other. Their
 * tensors are MODULE.lora_A.weight and MODULE.lora_B.weight, and the pair is MODULE.lora;
 * when pairs of several ranks are asked for, MODULE.lora_A.r4.weight and MODULE.lora.r4.
 */
#ifndef MODEL_LORA_H
#define MODEL_LORA_H

#include "model/model.h"

#define LORA_MAX_RANK 4096
#define LORA_RANK     8            /* when none is said */
#define LORA_ALL      "all-linear" /* a target: every linear module but the head */

struct lora_spec {
	size_t rank[OP_PAIRS];
	int ranks;
	double alpha; /* of every rank; 0: twice the rank */
	float dropout;
	struct strlist targets; /* module paths or their last parts, or shell globs over
				 * paths; empty: the family's (struct architecture) */
	struct strlist only;    /* names of pairs: no others are added; empty: all are */
};

/* Adds pairs to all linear operations whose module a target matches, at the end of params,
 * as fresh parameters. Operations that use ranges of one weight share its pair: B has all
 * of the weight's outputs. Tables of embeddings have no pairs, and a head only when a
 * target other than LORA_ALL matches its module. EX_USAGE: a target that matches no linear
 * module (near misses), a rank of 0 or beyond the smaller side of its module, a module that
 * has a pair of that name. Call it before model_load. */
int model_add_lora(struct model *m, const struct lora_spec *s, struct err *e);

/* Adds one pair beside the weight params[weight], whose tensors are called
 * MODULE.lora_A TAIL.weight and MODULE.lora_B TAIL.weight. EX_DATAERR when no operation has
 * room for it. */
int model_add_pair(struct model *m, size_t weight, size_t rank, double scale, float dropout,
		   const char *tail, struct err *e);

bool lora_is_pair(const struct param *p);
/* Can params[i] have pairs: is it the weight of a linear operation, and no table? */
bool lora_can_have(const struct model *m, size_t i);
bool model_has_pairs(const struct model *m);
/* Of the pair that params[i] is part of, its place in *k; NULL when it is in none. */
const struct op *lora_op_of(const struct model *m, size_t i, int *k);

/* Appends the name of the pair that a tensor is part of: MODULE.lora for
 * MODULE.lora_A.weight, MODULE.lora.r4 for MODULE.lora_B.r4.weight. */
void lora_pair_name(const char *tensor, struct strbuf *out);
/* The bytes of such a tensor's name that are MODULE. */
size_t lora_module_len(const char *tensor);

/* Adds the pairs whose B is not zero to their weights, W += scale B A, and zeroes B. */
int model_merge_lora(struct model *m, struct err *e);

/* How LoRA travels in a stream's head and a saved model's note:
 *     ##lora  rank=4,8 alpha=16 dropout=0.1 targets=query,value
 * where alpha, dropout and targets are left out when they are 0 or empty, and blanks,
 * commas and % in a target are %XX. */
int lora_print(const struct lora_spec *s, struct strbuf *out, struct err *e);
/* EX_DATAERR when it is malformed. On failure there is nothing to free. */
int lora_parse(struct lora_spec *s, const char *value, struct err *e);
void lora_free(struct lora_spec *s);

#endif
