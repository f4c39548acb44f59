/*
 * model - a pretrained transformer as parameters and an array of operations.
 *
 * A family (bert.c, ...) reads config.json and lays out `params` and `ops`; all the rest -
 * forward and backward passes, groups, training, probing - walks those arrays and knows
 * no family. A slot is the output of one operation: [rows, width] floats, where rows are
 * the tokens of a packed batch, its sequences, the tokens whose successors are predicted,
 * or the patches of its images.
 */
#ifndef MODEL_MODEL_H
#define MODEL_MODEL_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#include "base/err.h"
#include "base/str.h"
#include "io/safetensors.h"
#include "model/config.h"
#include "tensor/kernels.h"

enum param_type {
	TYPE_HEAD,  /* pooler and classifier */
	TYPE_NORM,  /* layer normalisation, scale and shift */
	TYPE_BIAS,  /* every other bias */
	TYPE_EMBED, /* embedding tables */
	TYPE_ATTN,  /* attention weights: query, key, value, output */
	TYPE_MLP,   /* feed-forward weights */
	TYPE_LORA_A,
	TYPE_LORA_B,
	TYPE_COUNT
};

const char *param_type_name(enum param_type t); /* "head", "norm", ... */

#define LAYER_EMBED (-1)      /* before the first block */
#define LAYER_HEAD  (1 << 20) /* behind the last block */

/* How a parameter that is drawn from the seed begins. */
enum init {
	INIT_NORMAL, /* normal(0, initializer_range), a vector: 0 */
	INIT_ONE,    /* the scale of a norm */
	INIT_ZERO,
	INIT_SCALED, /* normal(0, initializer_range / sqrt(2 layers)), as GPT-2 has it */
	INIT_UNIFORM /* uniform in +-1/sqrt(columns), as PEFT begins a LoRA A */
};

struct param {
	char *name;      /* as the checkpoint spells it; a new one as its family would */
	char *save_name; /* as transformers' model with a head spells it */
	enum param_type type;
	enum init init;
	int layer; /* block number from 0, LAYER_EMBED or LAYER_HEAD */
	int ndim;
	size_t shape[TENSOR_DIMS];
	size_t n;       /* elements */
	const float *w; /* values: own, or in the mapped file while frozen and F32 */
	float *own;     /* NULL while w points into the mapping */
	bool fresh;     /* initialised from the seed: the checkpoint had none */
};

enum op_kind {
	OP_EMBED,     /* out = sum of rows of up to three tables: p[0] by token, p[1] by
		       * position, p[2] by type */
	OP_PATCHES,   /* out = the pixels of each patch of an image, channel by channel */
	OP_PREFIX,    /* out = p[0] (one row) before each sequence of patches, plus p[1]
		       * by position */
	OP_NORM,      /* out = norm(in) p[0] + p[1] */
	OP_LINEAR,    /* out = in W' + b + sum over LoRA pairs of scale (in A') B'; W = p[0]
		       * [outputs, in], b = p[1] or -1, A = p[2 + 2k], B = p[3 + 2k] */
	OP_ATTENTION, /* out = softmax(q k' scale) v; in[0..2] = q, k, v; q may be pooled:
		       * then each sequence has one query */
	OP_ACT,       /* out = act(in) */
	OP_ADD,       /* out = in[0] + dropout(in[1]) */
	OP_DROPOUT,   /* out = dropout(in[0]) */
	OP_POOL,      /* out = the rows of `in` that op.take says */
	OP_LOSS       /* in[0] = logits: cross-entropy or squared error, no output slot */
};

#define OP_PAIRS  4 /* LoRA pairs of one linear operation */
#define OP_PARAMS (2 + 2 * OP_PAIRS)

enum take {
	TAKE_FIRST,  /* the first token of each sequence */
	TAKE_LAST,   /* the last token of each sequence */
	TAKE_TARGETS /* the tokens whose successor is to be predicted */
};

struct op {
	enum op_kind kind;
	int in[3];        /* slots, -1 when unused */
	int out;          /* slot, -1 for the loss */
	int p[OP_PARAMS]; /* parameters, -1 when unused */
	enum activation act;
	float eps;
	/* Probability while training; of a linear operation: of its LoRA pairs' input. */
	float dropout;
	size_t heads;
	float scale;
	bool causal;
	enum take take;
	/* OP_EMBED: the row of position 0 in p[1]. OP_LINEAR: the first of W's outputs (and
	 * of b's and B's) that are computed. */
	size_t offset;
	int64_t pad;     /* OP_EMBED: a token that has no place: its row is pad; -1: none */
	bool transposed; /* OP_LINEAR: W is [in, outputs] */
	int pairs;       /* OP_LINEAR: LoRA pairs */
	int mid[OP_PAIRS];     /* slots of in A', -1 when unused */
	float share[OP_PAIRS]; /* the pairs' scale: alpha / rank */
};

enum slot_rows { ROWS_TOKENS, ROWS_SEQUENCES, ROWS_TARGETS, ROWS_PATCHES };

struct slot {
	size_t width;
	enum slot_rows rows;
	int made_by;  /* operation that writes it */
	int last_use; /* last operation that reads it */
	int shared;   /* buffer that a pass without backward keeps it in */
};

struct model {
	char *dir;  /* as the caller gave it */
	char *base; /* where the weights are that an adapter in `dir` was trained upon;
		     * NULL: dir has them (adapter.h) */
	struct config config;
	struct safetensors *files; /* one, or the shards in the order of their names */
	size_t n_files;            /* 0: a model of random weights */
	size_t n_own_files;        /* of these, the first: an adapter's */
	const char *prefix;    /* of the family's names in a model with a head: "bert." */
	const char *with_head; /* transformers' name of the model with its head */
	struct param *params;  /* in the order of the forward pass */
	size_t n_params, cap_params;
	struct op *ops;
	size_t n_ops, cap_ops;
	struct slot *slots;
	size_t n_slots, cap_slots, n_shared;
	int logits;      /* slot: [sequences, labels] or [targets, vocabulary] */
	bool regression; /* squared error of a single output, else cross-entropy */
	bool language;   /* the next token is predicted */
	const struct kernels *k;
	size_t ignored;            /* tensors of the file known to be no parameters */
	struct strlist unexpected; /* names of others that no parameter reads */
	bool new_head;             /* classifier initialised from the seed */
	bool new_pooler;           /* what stands between encoder and classifier, too */
};

/* What the caller needs of the head. */
struct head_spec {
	size_t labels; /* outputs: classes (2 or more), or 1 for regression; 0: as many, and
			* of the kind, that the configuration says */
	bool regression;
	bool language; /* the next token is to be predicted; labels and regression unused */
	bool may_be_new; /* a missing or differently sized head is initialised from the
			  * seed; otherwise that is EX_DATAERR */
	bool other;  /* the classes are not those of the weights' head, which is new even
		      * when its size fits */
	bool random; /* no weights are read: all come from the seed */
	const struct lora_spec *lora; /* NULL: none; see lora.h */
	const char *base; /* of an adapter, in place of the one that it names; NULL */
	uint64_t seed;
};

/* Opens a Hugging Face directory: model.safetensors or the shards that
 * model.safetensors.index.json lists. F32 tensors are read where they lie in the mapped
 * file; F16, BF16 and F64 are converted. A new tensor is normal(0, initializer_range), a
 * new bias zero: each depends on the seed and its save_name only. EX_NOINPUT: no directory,
 * config or weights; EX_DATAERR: a family that is not known, tensors that are missing, not
 * finite (converted ones; mapped ones are not read here) or contradict the configuration,
 * each named with the shape found and the shape expected. On failure there is nothing to
 * close. An adapter's directory (adapter.h) gives the model that it is with its base. */
int model_open(struct model *m, const char *dir, const struct head_spec *head,
	       struct err *e);
void model_close(struct model *m);

/* Sum of n over all params but LoRA pairs. */
uint64_t model_params(const struct model *m);
/* Index of the parameter with that name, in the checkpoint's spelling or the new one, with
 * or without the family's prefix ("bert."); -1 when there is none. */
int model_find(const struct model *m, const char *name);

/* Gives params[i] memory of its own (a copy), so that it can be trained. */
int model_own(struct model *m, size_t i, struct err *e);

/* sha256 of the weights file, or of the shards one after the other, as 64 hex digits; of a
 * model of random weights of all its values, in memory's order. */
void model_digest(const struct model *m, char hex[65]);

/* Writes config.json (with labels and architecture) and the weights (F32, all parameters
 * but LoRA pairs, under save_name) into the existing directory `dir`, files fsynced: shards
 * and model.safetensors.index.json when the model was read from shards, each tensor in the
 * one it came from and new ones in the last; else model.safetensors. `classes` are the
 * label names, n_classes 0 for regression; a language model has none. */
int model_save(const struct model *m, const char *dir, const char *const *classes,
	       size_t n_classes, struct err *e);
/* The config.json alone. */
int model_save_config(const struct model *m, const char *dir, const char *const *classes,
		      size_t n_classes, struct err *e);

/* The first operation that reads parameter i (n_ops when none does), and how many do. */
size_t model_first_use(const struct model *m, size_t i);
size_t model_uses(const struct model *m, size_t i);

/* ---- for families (see build.h) and LoRA ---- */

/* Adds a parameter whose values are the tensor `name` of the weights; a caller sets `fresh`
 * in it when they are to come from the seed instead. Returns its index or -1. */
int model_add_param(struct model *m, const char *name, const char *save_name,
		    enum param_type type, int layer, int ndim, const size_t *shape,
		    struct err *e);
int model_add_slot(struct model *m, size_t width, enum slot_rows rows, struct err *e);
/* Returns the op to fill in (with -1s in place), NULL when memory is short. */
struct op *model_add_op(struct model *m, enum op_kind kind, struct err *e);
/* Fills slots' made_by, last_use and shared once all operations are there. */
int model_plan(struct model *m, struct err *e);

#endif
