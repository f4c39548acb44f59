/*
 * The linear operation, forward and backward, with the LoRA pairs beside it:
 *
 *     y  = x W' + b + sum u B'          u = scale x~ A'      x~ = dropout(x)
 *     dx = e W + dropout'(sum t A)      t = scale e B
 *     dW += e' x    db += sums of e     dA += t' x~    dB += e' u
 *
 * u stands in the slots op->mid, t and x~ in the pass. Of W, b and B an operation may use a
 * range of outputs only, op->offset and on.
 */
#include "base/prng.h"
#include "model/pass_impl.h"
#include "tensor/blas.h"

struct shape {
	size_t rows, in, out;
};

static struct shape shape_of(const struct pass *p, const struct op *op)
{
	return (struct shape){ pass_rows(p, op->out), p->m->slots[op->in[0]].width,
			       p->m->slots[op->out].width };
}

static size_t rank_of(const struct pass *p, const struct op *op, int k)
{
	return p->m->slots[op->mid[k]].width;
}

/* W's own number of outputs: the distance between its rows when it is transposed. */
static size_t outputs_of(const struct pass *p, const struct op *op)
{
	return p->m->params[op->p[0]].shape[1];
}

static bool drops(const struct pass *p, const struct op *op)
{
	return p->dropout && op->dropout > 0 && op->pairs > 0;
}

/* Operations that share a module's pairs drop the same inputs. */
static uint64_t key_of(const struct pass *p, const struct op *op)
{
	return prng_mix(p->key + p->m->n_ops + (uint64_t)op->p[2]);
}

int linear_reserve(struct pass *p, const struct op *op, struct err *e)
{
	struct shape s = shape_of(p, op);
	int rc = EX_OK;

	for (int k = 0; k < op->pairs && p->keep && rc == EX_OK; k++)
		rc = floats_reserve(&p->pair_error[k], s.rows, rank_of(p, op, k), e);
	if (rc == EX_OK && op->pairs > 0 && op->dropout > 0)
		rc = floats_reserve(&p->pair_input, s.rows, s.in, e);
	if (rc == EX_OK && p->keep && op->pairs > 0 && op->dropout > 0)
		rc = floats_reserve(&p->pair_back, s.rows, s.in, e);
	return rc;
}

/* x~ */
static const float *pair_input(const struct pass *p, const struct op *op)
{
	struct shape s = shape_of(p, op);
	const float *x = p->act[op->in[0]];

	if (!drops(p, op))
		return x;
	rows_dropout(p->m->k, s.rows * s.in, NULL, x, op->dropout, key_of(p, op),
		     p->pair_input.f);
	return p->pair_input.f;
}

static void add_pairs(const struct pass *p, const struct op *op, float *y)
{
	struct shape s = shape_of(p, op);
	const float *x = pair_input(p, op);

	for (int k = 0; k < op->pairs; k++) {
		const float *a = p->w[op->p[2 + 2 * k]], *b = p->w[op->p[3 + 2 * k]];
		size_t rank = rank_of(p, op, k);
		float *u = p->act[op->mid[k]];

		gemm_nt(s.rows, rank, s.in, x, s.in, a, s.in, 0, u, rank);
		vec_scale(p->m->k, s.rows * rank, op->share[k], u);
		gemm_nt(s.rows, s.out, rank, u, rank, b + op->offset * rank, rank, 1, y,
			s.out);
	}
}

void linear_product(const struct pass *p, const struct op *op, const float *x,
		    const float *w, bool fresh, float *y)
{
	struct shape s = shape_of(p, op);
	float beta = fresh ? 0 : 1;

	if (op->transposed)
		gemm_nn(s.rows, s.out, s.in, x, s.in, w + op->offset, outputs_of(p, op),
			beta, y, s.out);
	else
		gemm_nt(s.rows, s.out, s.in, x, s.in, w + op->offset * s.in, s.in, beta, y,
			s.out);
}

void linear_forward(const struct pass *p, const struct op *op, float *y)
{
	struct shape s = shape_of(p, op);

	linear_product(p, op, p->act[op->in[0]], p->w[op->p[0]], true, y);
	if (op->p[1] >= 0)
		rows_add_bias(p->m->k, s.rows, s.out, y, p->w[op->p[1]] + op->offset, y);
	if (op->pairs > 0)
		add_pairs(p, op, y);
}

void linear_pair_error(const struct pass *p, const struct op *op, int k, const float *e,
		       float *t)
{
	struct shape s = shape_of(p, op);
	const float *b = p->w[op->p[3 + 2 * k]];
	size_t rank = rank_of(p, op, k);

	gemm_nn(s.rows, rank, s.out, e, s.out, b + op->offset * rank, rank, 0, t, rank);
	vec_scale(p->m->k, s.rows * rank, op->share[k], t);
}

void linear_begin_backward(const struct pass *p, const struct op *op, const float *e)
{
	if (op->pairs > 0)
		pair_input(p, op);
	for (int k = 0; k < op->pairs; k++)
		linear_pair_error(p, op, k, e, p->pair_error[k].f);
}

/* dx += the pairs' part */
static void pairs_backward(const struct pass *p, const struct op *op, float *dx)
{
	struct shape s = shape_of(p, op);
	bool drop = drops(p, op);

	for (int k = 0; k < op->pairs; k++) {
		const float *a = p->w[op->p[2 + 2 * k]], *t = p->pair_error[k].f;
		size_t rank = rank_of(p, op, k);

		gemm_nn(s.rows, s.in, rank, t, rank, a, s.in, drop && k == 0 ? 0 : 1,
			drop ? p->pair_back.f : dx, s.in);
	}
	if (drop)
		rows_dropout(p->m->k, s.rows * s.in, dx, p->pair_back.f, op->dropout,
			     key_of(p, op), dx);
}

void linear_backward(const struct pass *p, const struct op *op, const float *e, bool fresh,
		     float *dx)
{
	struct shape s = shape_of(p, op);
	const float *w = p->w[op->p[0]];
	float beta = fresh ? 0 : 1;

	if (op->transposed)
		gemm_nt(s.rows, s.in, s.out, e, s.out, w + op->offset, outputs_of(p, op),
			beta, dx, s.in);
	else
		gemm_nn(s.rows, s.in, s.out, e, s.out, w + op->offset * s.in, s.in, beta,
			dx, s.in);
	if (op->pairs > 0)
		pairs_backward(p, op, dx);
}

static void pair_gradients(const struct pass *p, const struct op *op, struct span part,
			   int k, const float *e, float *da, float *db)
{
	struct shape s = shape_of(p, op);
	const float *x = drops(p, op) ? p->pair_input.f : p->act[op->in[0]];
	size_t rank = rank_of(p, op, k), at = part.from;

	if (da != NULL)
		gemm_tn(rank, s.in, part.n, p->pair_error[k].f + at * rank, rank,
			x + at * s.in, s.in, 1, da, s.in);
	if (db != NULL)
		gemm_tn(s.out, rank, part.n, e, s.out, p->act[op->mid[k]] + at * rank, rank,
			1, db + op->offset * rank, rank);
}

static float *slice(float *const *table, int param)
{
	return param < 0 ? NULL : table[param];
}

void linear_gradients(const struct pass *p, const struct op *op, struct span part,
		      const float *e, float *const *g, float *const *terms)
{
	struct shape s = shape_of(p, op);
	const float *x = p->act[op->in[0]] + part.from * s.in;
	float *dw = slice(g, op->p[0]), *db = slice(g, op->p[1]);
	float *sums = slice(terms, op->p[1]);

	e += part.from * s.out;
	if (dw != NULL && op->transposed)
		gemm_tn(s.in, s.out, part.n, x, s.in, e, s.out, 1, dw + op->offset,
			outputs_of(p, op));
	else if (dw != NULL)
		gemm_tn(s.out, s.in, part.n, e, s.out, x, s.in, 1, dw + op->offset * s.in,
			s.in);
	if (db != NULL)
		rows_sum(p->m->k, part.n, s.out, e, db + op->offset,
			 sums == NULL ? NULL : sums + op->offset);
	for (int k = 0; k < op->pairs; k++)
		pair_gradients(p, op, part, k, e, slice(g, op->p[2 + 2 * k]),
			       slice(g, op->p[3 + 2 * k]));
}
