/*
 * jet_impl - what the operations of a jet share.
 *
 * Inside, the parameters move as w + eta v, and a slot is x + x1 eta + x2 eta^2 + ...:
 * coefficients, so that the product rule has no factors. The moved parameter itself is
 * w + v eta. Whoever looks from outside turns the sign of eta.
 */
#ifndef MODEL_JET_IMPL_H
#define MODEL_JET_IMPL_H

#include "model/jet.h"
#include "model/pass_impl.h"

/* How many coefficients of a slot are not known to be zero. */
enum moves { MOVES_NOT, MOVES_FIRST, MOVES_BOTH };

/* What the loss of one row is, beyond its value. */
struct jet_term {
	double one, two;     /* coefficients of eta and eta^2 */
	double gauss_newton; /* z1' A z1, A the Hessian in the logits */
};

struct jet {
	const struct model *m;
	const struct pass *base;
	const float *const *v;
	struct floats *one, *two; /* [n_shared] coefficients of slots */
	struct floats probs[2];   /* of the probabilities of the attention at hand */
	enum moves *moves;        /* [n_slots] */
	struct jet_term *terms;   /* [rows of logits] */
	size_t terms_cap;
	double *room; /* [threads, room_size] of the pass in double */
	size_t room_size, room_cap;
};

/* One head of one sequence: `queries` rows of q, `keys` of k and v. */
struct jet_block {
	size_t queries, keys, dim, width;
	size_t query, key; /* where it begins in q and out, and in k and v */
	size_t probs;
};

struct jet_block jet_block_of(const struct jet *j, const struct op *op, size_t sequence,
			      size_t head);

/* The coefficients of a slot's elements; NULL where they are zero. */
const float *jet_one(const struct jet *j, int slot);
const float *jet_two(const struct jet *j, int slot);
/* Where those of an operation's output go. */
float *jet_out_one(const struct jet *j, const struct op *op);
float *jet_out_two(const struct jet *j, const struct op *op);
/* The direction of the operation's k-th parameter, NULL when it stands still. */
const float *jet_along(const struct jet *j, const struct op *op, int k);

/* Each writes its output's coefficients and returns how many move. They are called when an
 * input or a parameter does. */
enum moves jet_embed(const struct jet *j, const struct op *op);
enum moves jet_prefix(const struct jet *j, const struct op *op);
enum moves jet_linear(const struct jet *j, const struct op *op);
enum moves jet_attention(const struct jet *j, const struct op *op);

/* Room for the probabilities of every attention of the batch. */
int jet_attention_reserve(struct jet *j, struct err *e);

/* jet_base.c: what stands in `base` as double precision has it, rounded, and in the place
 * of a language model's logits their error; coefficients are lost. */
int jet_base_reserve(struct jet *j, struct err *e);
void jet_base_run(const struct jet *j);

/* Of every row of logits, into j->terms. */
void jet_loss(const struct jet *j, const struct op *op);

#endif
