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

struct architecture; /* a family of models: family.h */

struct config {
	const struct architecture *arch;
	/* Of the encoder's blocks; inner is the width of the feed-forward layer. */
	size_t layers, width, heads, inner;
	size_t vocab, types; /* 0 for images */
	size_t positions;    /* tokens in the longest sequence */
	/* Pixels; 0 for texts. */
	size_t channels, image_height, image_width, patch_height, patch_width;
	enum activation act;
	float norm_eps;
	float dropout, attention_dropout, head_dropout; /* probabilities while training */
	float embedding_dropout;
	double init_std;
	int64_t pad_token;            /* whose embedding is not trained; -1: none */
	bool scaled, scaled_by_layer; /* attention: by the width of a head, and by layer */
	bool qkv_bias;                /* queries, keys and values have biases */
	bool tied;     /* the language-model head is the table of embeddings */
	size_t labels; /* id2label or num_labels; 2 when not said, as transformers has it */
	bool regression; /* problem_type, or a single label */
	json_t *json;    /* the whole file, for saving */
};

/* Reads DIR/config.json; what it does not say is as transformers has it. Every size is
 * bounded (so that no product of two overflows) and must be positive; heads must divide
 * width. EX_DATAERR names the key; an unknown model_type lists those that are known; what
 * our passes do not compute (cross-attention, relative positions, several labels at once)
 * is refused. On failure there is nothing to free. */
int config_read(struct config *c, const char *dir, struct err *e);
void config_free(struct config *c);
/* What the model calls class i, in the configuration; NULL when it has no name but a number
 * (LABEL_0). */
const char *config_class(const struct config *c, size_t i);

/* ---- for families ---- */

/* The members of a config.json, and its path for messages. */
struct config_reader {
	const json_t *o;
	const char *file;
	struct err *e;
};

/* A bound for config_sizes: no product of two sizes, times four bytes, comes near 2^63. */
enum config_bound {
	CONFIG_LAYERS = 1024,
	CONFIG_WIDTH = 1 << 16,
	CONFIG_INNER = 1 << 20,
	CONFIG_VOCAB = 1 << 24,
	CONFIG_POSITIONS = 1 << 20,
	CONFIG_TYPES = 1 << 10,
	CONFIG_LABELS = 1 << 16,
	CONFIG_IMAGE = 1 << 13,
	CONFIG_CHANNELS = 4
};

struct config_size {
	const char *key;
	int64_t fallback;
	enum config_bound max;
	size_t *out;
};

struct config_probability {
	const char *key;
	double fallback;
	float *out;
};

/* Positive integers. */
int config_sizes(const struct config_reader *r, const struct config_size *sizes, size_t n);
int config_probabilities(const struct config_reader *r, const struct config_probability *p,
			 size_t n);
/* A number in min to max. */
int config_real(const struct config_reader *r, const char *key, double fallback, double min,
		double max, double *out);
int config_activation(const struct config_reader *r, const char *key, const char *fallback,
		      enum activation *act);
/* pad_token_id, -1 when null: a token of the vocabulary, which must have been read. */
int config_pad_token(const struct config_reader *r, int64_t fallback, struct config *c);
/* EX_DATAERR when the member is there and true. */
int config_refuse(const struct config_reader *r, const char *key, const char *why);

#endif
