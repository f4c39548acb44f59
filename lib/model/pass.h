/*
 * pass - one batch through the operations, forward and backward.
 *
 * Forward may begin at any operation, so that what lies below a moved parameter is not
 * computed again. Backward hands each wanted parameter's operation, with the error at its
 * output, to a visitor and stops below the lowest operation whose parameters are wanted.
 */
#ifndef MODEL_PASS_H
#define MODEL_PASS_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#include "base/err.h"
#include "data/dataset.h"
#include "model/model.h"

/* Memory that grows as needed and is used again. */
struct floats {
	float *f;
	size_t cap;
	int refs; /* slots whose error stands here, during backward */
};

struct pass {
	const struct model *m;
	const struct batch *batch;
	bool retain;     /* backward leaves in err[] the errors of the slots that operations
			  * with wanted parameters make, until the next backward or
			  * pass_batch */
	bool keep;       /* outputs are kept for backward; else buffers are shared */
	const float **w; /* [n_params] values that are read: the model's own, unless a
			  * caller puts others in their place after pass_batch */
	float **act;     /* [n_slots] outputs of the last forward */
	struct floats *own;  /* this pass's outputs: one a slot, or one a shared buffer */
	struct floats *stat; /* [n_ops] mean and rstd of norms, probabilities of attention;
			      * [2] without keep */
	size_t *probs_at;    /* [sequences] where a sequence's probabilities begin */
	size_t probs_cap;
	uint32_t *place; /* [tokens] rows of the table of positions, where they are not the
			  * positions themselves */
	size_t place_cap;
	double *target_loss; /* [targets] */
	size_t target_cap;
	/* What LoRA pairs need on the way: their dropped input, its error, and the errors
	 * of the pairs' middles. */
	struct floats pair_input, pair_back, pair_error[OP_PAIRS];
	struct floats *spare; /* [n_slots] errors, during backward */
	struct floats **err;  /* [n_slots] */
	bool dropout;         /* on while training */
	uint64_t key;         /* of all dropout masks of this pass */
	double loss;          /* mean over sequences or targets, summed in double */
	double *row_loss;     /* [sequences]; language: summed over a sequence's targets */
	size_t row_cap;
};

/* `keep`: pass_backward will be called, or other passes start from this one. */
int pass_init(struct pass *p, const struct model *m, bool keep, struct err *e);
void pass_free(struct pass *p);

/* Makes room for `b` (which must outlive its use) and reads the model's current values
 * again. EX_DATAERR when a label or a token is out of the model's range, or a sequence too
 * long. */
int pass_batch(struct pass *p, const struct batch *b, struct err *e);

/* Runs all operations; p->loss and the logits (p->act[m->logits]) are set. */
void pass_forward(struct pass *p);

/* As above from operation `from` on, with the outputs of earlier ones read from `base`, a
 * pass with `keep` over the same batch. */
void pass_forward_from(struct pass *p, const struct pass *base, size_t from);

/* Rows of a slot in this batch. */
size_t pass_rows(const struct pass *p, int slot);

struct visitor {
	void *self;
	/* Is the gradient of this parameter wanted? */
	bool (*wants)(const void *self, size_t param);
	/* Operation `op` has a wanted parameter; e [rows, width] is the gradient of the
	 * loss with respect to its output. Inputs are p->act[op->in[..]]. */
	void (*visit)(void *self, const struct pass *p, const struct op *op,
		      const float *e);
};

/* After a forward pass with `keep`, once: the logits of a language model are overwritten
 * with their error. EX_UNAVAILABLE when memory is short. */
int pass_backward(struct pass *p, const struct visitor *v, struct err *e);

/* As above, from dz, any error at the logits instead of the loss's, as often as wanted. dz
 * may be p->act[m->logits], which those of a language model can spare. */
int pass_backward_from(struct pass *p, const float *dz, const struct visitor *v,
		       struct err *e);

/* The visitor that adds up gradients: of all sequences, or of `first` .. `end` - 1. */
struct gradients {
	const struct model *m;
	size_t first, end; /* end 0: all */
	float **g;         /* [n_params]; NULL where not wanted */
	float **terms;     /* [n_params]; for biases, when wanted: the sums of the absolute
			    * values whose sums g are, to tell an exact zero from rounding */
};

int gradients_init(struct gradients *g, const struct model *m, const bool *wanted,
		   bool want_terms, struct err *e);
void gradients_zero(struct gradients *g);
/* sum = a + b; all three want the same parameters. */
void gradients_add(const struct gradients *a, const struct gradients *b,
		   struct gradients *sum);
struct visitor gradients_visitor(struct gradients *g);
/* Both at once, from one backward pass: two[0] and two[1] want the same parameters. */
struct visitor gradients_visitor_of_two(struct gradients two[2]);
void gradients_free(struct gradients *g);

#endif
