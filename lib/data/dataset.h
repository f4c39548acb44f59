/*
 * dataset - a labelled file as tokens (dataset.c), and its division into batches (batch.c).
 */
#ifndef DATA_DATASET_H
#define DATA_DATASET_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#include "base/err.h"
#include "data/task.h"
#include "text/tokenizer.h"

struct dataset {
	size_t n;      /* examples */
	uint32_t *ids; /* tokens of all examples, one after the other */
	uint8_t *types;
	size_t *start;    /* [n + 1] into ids and types */
	int32_t *label;   /* [n] class; -1 for regression */
	float *target;    /* [n] for regression; 0 otherwise */
	size_t longest;   /* tokens in the longest example */
	size_t truncated; /* examples that were cut to max_len */
};

/* Reads `path` ("-": stdin; .gz or not) as `t` says. With `learn` a task without classes
 * takes them from this file (all integers: in the order of their value; else sorted
 * bytewise; 2 to TASK_MAX_CLASSES) and stores them in t; otherwise a label that is not a
 * class is EX_DATAERR with FILE:LINE and the classes there are. EX_DATAERR too: no
 * examples, a column that is not there (with those that are), a row whose number of fields
 * is not that of the first row. Tokens are cut to max_len. On failure d holds nothing. */
int dataset_read(struct dataset *d, const char *path, struct task *t, bool learn,
		 const struct tokenizer *tok, size_t max_len, struct err *e);
void dataset_free(struct dataset *d);

/* The examples in the order of training. Each epoch is shuffled by seed and epoch number; a
 * data set of no more than one batch keeps the file's order. */
struct order {
	size_t *at; /* [n] */
	size_t n, batch, epoch, next;
	uint64_t seed;
	bool shuffle;
};

int order_start(struct order *o, size_t n, size_t batch, uint64_t seed, bool shuffle,
		struct err *e);
/* The next batch's examples: pointer into `at`, good until the next call, and count; the
 * last of an epoch may be smaller. After it the next epoch begins. */
void order_next(struct order *o, const size_t **examples, size_t *count);
size_t order_batches(const struct order *o); /* an epoch */
void order_free(struct order *o);

/* A packed batch: tokens of its sequences one after the other, no padding. */
struct batch {
	size_t sequences, tokens, longest;
	uint32_t *start; /* [sequences + 1] */
	uint32_t *ids;   /* [tokens] */
	uint32_t *types;
	uint32_t *position; /* in its sequence, from 0 */
	int32_t *label;     /* [sequences] */
	float *target;      /* [sequences] */
	size_t cap_sequences, cap_tokens;
};

/* Fills `b` ({0} at first; memory is used again) with examples of d. */
int batch_fill(struct batch *b, const struct dataset *d, const size_t *examples,
	       size_t count, struct err *e);
void batch_free(struct batch *b);

#endif
