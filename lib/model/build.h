/*
 * build - a model's parameters and operations, laid out by a family in the order of the
 * forward pass.
 *
 * Slots and parameters are known by their numbers. After a failure `rc` stays set, nothing
 * more is added and every function returns -1, so that a family checks once, at its end.
 */
#ifndef MODEL_BUILD_H
#define MODEL_BUILD_H

#include "model/family.h"

#define BUILD_SCOPE 64

struct builder {
	struct model *m;
	const struct head_spec *head;
	const char *prefix;      /* of the encoder's names in these weights */
	char scope[BUILD_SCOPE]; /* of the names that are added: "encoder.layer.3." */
	bool outside;            /* of the encoder: names have no prefix */
	int layer;
	bool transposed; /* weights of linear operations are [in, outputs] (Conv1D) */
	struct err *e;
	int rc;
};

/* The encoder's names begin with `prefix` in a model with a head, but without it in these
 * weights when they hold the tensor `bare`. All three must outlive the model. */
void build_start(struct builder *b, struct model *m, const struct head_spec *head,
		 const char *prefix, const char *with_head, const char *bare,
		 struct err *e);
/* The parameters that follow are called PREFIX SCOPE MODULE.PART and belong to `layer`;
 * `build_outside`: SCOPE MODULE.PART, in the head. */
void build_enter(struct builder *b, const char *scope, int layer);
void build_outside(struct builder *b, const char *scope);
/* Whether the weights hold PREFIX NAME. */
bool build_has(const struct builder *b, const char *name);
size_t build_width(const struct builder *b, int slot);

/* ---- parameters ---- */

/* MODULE.PART, or MODULE alone when part is NULL. */
int build_param(struct builder *b, const char *module, const char *part,
		enum param_type type, enum init init, int ndim, const size_t *shape);
int build_table(struct builder *b, const char *module, size_t rows, size_t columns);
/* The weight of a linear operation; its bias is the next parameter. The bias is TYPE_BIAS,
 * that of a head a part of the head. */
int build_weight(struct builder *b, const char *module, enum param_type type,
		 enum init init, size_t in, size_t out);

/* ---- operations; each returns its output slot ---- */

/* Tables by token, by position (from row `offset` on) and by type (-1: none). */
int build_embed(struct builder *b, int word, int place, int segment, size_t offset,
		int64_t pad);
int build_norm(struct builder *b, const char *module, int in);
/* The outputs `offset` to offset + out of a weight that build_weight added, with its bias.
 */
int build_apply(struct builder *b, int weight, int in, size_t offset, size_t out);
/* A linear operation of its own. */
int build_linear(struct builder *b, const char *module, enum param_type type, int in,
		 size_t out);
int build_linear_unbiased(struct builder *b, const char *module, enum param_type type,
			  int in, size_t out);
/* in W' where W is a table: a head that is tied to the embeddings. */
int build_tied(struct builder *b, int table, int in);
/* A linear operation of the head, new where the weights lack it and it may be. The last one
 * has head->labels outputs, and is new when its size differs too. */
int build_head(struct builder *b, const char *module, int in, size_t out, bool bias,
	       bool last);
int build_act(struct builder *b, enum activation act, int in);
int build_dropout(struct builder *b, float probability, int in);
/* x + dropout(y) */
int build_residual(struct builder *b, int x, int y, float dropout);
int build_take(struct builder *b, enum take take, int in);
float build_scale(const struct builder *b); /* 1/sqrt(width of a head) */
int build_attention(struct builder *b, int q, int k, int v, float scale, bool causal);
int build_patches(struct builder *b);
int build_prefix(struct builder *b, int row, int place, int in);
/* The end: the loss of these logits. Returns the builder's status. */
int build_loss(struct builder *b, int logits);

#endif
