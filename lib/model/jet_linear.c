/*
 * The linear operation along a direction. With U = W + sum over LoRA pairs of scale B A,
 * whose parts move by V, b and so on:
 *
 *     y1 = x1 W' + x V' + v_b + sum (u1 B' + u B1')
 *     y2 = x2 W' + x1 V'      + sum (u2 B' + u1 B1')
 *     u1 = scale (x1 A' + x A1')        u2 = scale (x2 A' + x1 A1')
 *
 * u = scale x A' stands in the slot op->mid of the base.
 */
#include "model/jet_impl.h"
#include "tensor/blas.h"

/* An array that terms are added to; nothing stands there before the first. */
struct sum {
	float *y;
	bool fresh;
};

/* y += x W', of what is there */
static void add_product(const struct jet *j, const struct op *op, const float *x,
			const float *w, struct sum *y)
{
	if (x == NULL || w == NULL)
		return;
	linear_product(j->base, op, x, w, y->fresh, y->y);
	y->fresh = false;
}

/* c[rows, n] += x[rows, k] w[n, k]', of what is there */
static void add_rows(size_t rows, size_t n, size_t k, const float *x, const float *w,
		     struct sum *c)
{
	if (x == NULL || w == NULL)
		return;
	gemm_nt(rows, n, k, x, k, w, k, c->fresh ? 0 : 1, c->y, n);
	c->fresh = false;
}

static void add_bias(const struct jet *j, size_t rows, size_t width, const float *b,
		     struct sum *y)
{
	if (b == NULL)
		return;
	if (!y->fresh) {
		rows_add_bias(j->m->k, rows, width, y->y, b, y->y);
		return;
	}
	for (size_t i = 0; i < rows; i++)
		for (size_t c = 0; c < width; c++)
			y->y[i * width + c] = b[c];
	y->fresh = false;
}

/* What a slot's elements, and the coefficients of them that are not zero, are. */
struct input {
	const float *x, *x1, *x2;
};

/* The first `rows` of B's or its direction's outputs that the operation computes. */
static const float *from_offset(const struct op *op, const float *b, size_t rank)
{
	return b == NULL ? NULL : b + op->offset * rank;
}

static void add_pair(const struct jet *j, const struct op *op, int k,
		     const struct input *in, struct sum *y1, struct sum *y2)
{
	const struct pass *p = j->base;
	int slot = op->mid[k], at = j->m->slots[slot].shared;
	size_t rows = pass_rows(p, op->out), width = j->m->slots[op->in[0]].width;
	size_t rank = j->m->slots[slot].width, out = j->m->slots[op->out].width;
	const float *a = p->w[op->p[2 + 2 * k]], *a1 = jet_along(j, op, 2 + 2 * k);
	const float *b = from_offset(op, p->w[op->p[3 + 2 * k]], rank);
	const float *b1 = from_offset(op, jet_along(j, op, 3 + 2 * k), rank);
	struct sum u1 = { j->one[at].f, true }, u2 = { j->two[at].f, true };

	add_rows(rows, rank, width, in->x1, a, &u1);
	add_rows(rows, rank, width, in->x, a1, &u1);
	add_rows(rows, rank, width, in->x2, a, &u2);
	add_rows(rows, rank, width, in->x1, a1, &u2);
	if (!u1.fresh)
		vec_scale(j->m->k, rows * rank, op->share[k], u1.y);
	if (!u2.fresh)
		vec_scale(j->m->k, rows * rank, op->share[k], u2.y);
	add_rows(rows, out, rank, u1.fresh ? NULL : u1.y, b, y1);
	add_rows(rows, out, rank, p->act[slot], b1, y1);
	add_rows(rows, out, rank, u2.fresh ? NULL : u2.y, b, y2);
	add_rows(rows, out, rank, u1.fresh ? NULL : u1.y, b1, y2);
}

enum moves jet_linear(const struct jet *j, const struct op *op)
{
	const struct pass *p = j->base;
	size_t rows = pass_rows(p, op->out), width = j->m->slots[op->out].width;
	const struct input in = { p->act[op->in[0]], jet_one(j, op->in[0]),
				  jet_two(j, op->in[0]) };
	const float *w = p->w[op->p[0]], *v = jet_along(j, op, 0);
	const float *b = jet_along(j, op, 1);
	struct sum y1 = { jet_out_one(j, op), true }, y2 = { jet_out_two(j, op), true };

	add_product(j, op, in.x1, w, &y1);
	add_product(j, op, in.x, v, &y1);
	add_bias(j, rows, width, b == NULL ? NULL : b + op->offset, &y1);
	add_product(j, op, in.x2, w, &y2);
	add_product(j, op, in.x1, v, &y2);
	for (int k = 0; k < op->pairs; k++)
		add_pair(j, op, k, &in, &y1, &y2);
	if (!y2.fresh)
		return MOVES_BOTH;
	return y1.fresh ? MOVES_NOT : MOVES_FIRST;
}
