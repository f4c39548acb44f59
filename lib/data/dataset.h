/*
 * dataset - a file as examples: tokens or pixels, with labels, numbers or continuations to
 * predict (dataset.c; texts.c, plain.c and images.c for the forms of files), and its
 * division into batches (batch.c).
 */
#ifndef DATA_DATASET_H
#define DATA_DATASET_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#include "base/err.h"
#include "data/pixels.h"
#include "data/task.h"
#include "text/tokenizer.h"

struct dataset {
	size_t n;      /* examples */
	uint32_t *ids; /* tokens of all examples, one after the other; NULL for images */
	uint8_t *types;
	size_t *start; /* [n + 1] into ids and types; images: multiples of image_tokens */
	uint32_t *prompt; /* [n] for language tasks: tokens before the first that is to be
			   * predicted, at least 1; else NULL */
	unsigned char *pixels; /* [n, channels, height, width] for images; else NULL */
	struct pixels how;     /* what to make of them */
	int32_t *label;        /* [n] class; -1 for regression and language */
	float *target;         /* [n] for regression; 0 otherwise */
	size_t longest;        /* tokens in the longest example */
	size_t truncated;      /* examples that were cut to max_len */
	size_t left_out;       /* rows that were passed over: of other classes than those
				* asked for, or known to be broken in the task's files */
};

/* What turns rows into examples. */
struct encoder {
	const struct tokenizer *tokenizer; /* for texts */
	size_t max_len;
	const struct pixels *pixels; /* for images */
	size_t image_tokens;         /* tokens that the model makes of one */
	size_t limit;                /* examples that are read at most; 0: any number */
};

/* Reads `path` ("-": stdin; .gz or not) as `t` says. With `learn` a task without classes
 * takes them from this file (all integers: in the order of their value; else sorted
 * bytewise; 2 to TASK_MAX_CLASSES) and stores them in t; otherwise a label that is not a
 * class is EX_DATAERR with FILE:LINE and the classes there are, or with t->only_classes
 * counted in left_out, and then in learning each class has an example. EX_DATAERR too: no
 * examples, a column that is not there (with those that are), a row whose number of fields
 * is not that of the first row, a text without tokens. EX_USAGE: no tokenizer for texts, no
 * pixels for images.
 *
 * Texts are cut to max_len tokens. FORM_ROWS of TASK_LANGUAGE: prompt (text) and completion
 * (label) as data/prompt.h says. FORM_PLAIN: the whole file as one text, in blocks of
 * max_len tokens, the last one as short as it comes (but of two tokens). FORM_IMAGES: rows
 * with the path of a PNG or JPEG file (relative to the list's directory) and a label, or an
 * IDX file of images, [n, height, width] or [n, height, width, 1 or 3], whose labels are in
 * the file t->label or, when that is TASK_IMAGE_LABEL, in the file of the same name with
 * "labels" and "idx1" for "images" and "idx3". A label there is its number as text. Having
 * read the file t->label, t->label is TASK_IMAGE_LABEL: other data has other labels.
 * EX_NOINPUT with LIST:LINE and path for a picture that is not there.
 *
 * On failure d holds nothing. */
int dataset_read(struct dataset *d, const char *path, struct task *t, bool learn,
		 const struct encoder *how, struct err *e);
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
	uint32_t *ids;   /* [tokens]; for images 0 */
	uint32_t *types;
	uint32_t *position; /* in its sequence, from 0 */
	int32_t *label;     /* [sequences] */
	float *target;      /* [sequences] */
	size_t targets;     /* language: tokens whose successors are to be predicted */
	uint32_t *predict;  /* [targets] these tokens, increasing */
	uint32_t *next;     /* [targets] their successors */
	float *pixels;      /* [sequences, image]; NULL for texts */
	size_t image;       /* floats of one */
	size_t cap_sequences, cap_tokens, cap_pixels;
};

/* Fills `b` ({0} at first; memory is used again) with examples of d. */
int batch_fill(struct batch *b, const struct dataset *d, const size_t *examples,
	       size_t count, struct err *e);
void batch_free(struct batch *b);

#endif
