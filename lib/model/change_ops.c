/* Operations, each turning the changes of its inputs into that of its output. */
#include <string.h>

#include "model/change_impl.h"
#include "tensor/blas.h"
#include "tensor/changes.h"

/* The part of a move that lies in elements begin .. begin + count of its parameter; how
 * many, where they begin, and along what they move. */
static size_t part_of(const struct move *v, size_t begin, size_t count, size_t *from,
		      const float **g)
{
	size_t low = v->from > begin ? v->from : begin;
	size_t high = v->from + v->n < begin + count ? v->from + v->n : begin + count;

	if (low >= high)
		return 0;
	*from = low - begin;
	*g = v->g + (low - v->from);
	return high - low;
}

/* The change of a slot that operation `op` reads: at s = 1 where what it makes is linear,
 * else at the step. NULL: it stands still. */
static const float *change_of(const struct change *c, const struct op *op, int slot)
{
	bool unit = op->out >= 0 && c->motion[op->out] == LINEAR;

	if (slot < 0 || c->motion[slot] == STILL)
		return NULL;
	return unit ? c->units[c->unit[slot]].f : c->room.act[slot];
}

/* s (x + d), in `sum` where it is not x itself. */
static const float *moved(const struct change *c, int slot, const float *d, double s,
			  const struct floats *sum)
{
	const float *x = c->base->act[slot];
	size_t n = change_size(c, slot);

	if (d == NULL && s == 1)
		return x;
	if (d == NULL)
		memcpy(sum->f, x, n * sizeof *x);
	else
		vec_step(c->m->k, n, x, 1, d, sum->f);
	if (s != 1)
		vec_scale(c->m->k, n, (float)s, sum->f);
	return sum->f;
}

struct shape {
	size_t rows, in, out;
};

static struct shape shape_of(const struct change *c, const struct op *op)
{
	return (struct shape){ pass_rows(c->base, op->out), c->m->slots[op->in[0]].width,
			       c->m->slots[op->out].width };
}

/* y[rows, outputs] += x g' of what moves of a matrix [., in], whose outputs from `first` on
 * are those of y. */
static void add_product(struct change *c, int param, size_t first, struct shape z,
			const float *x, float *y)
{
	size_t n, from;
	const struct move *v = change_moves(c, param, &n);
	const float *g;

	for (size_t j = 0; j < n; j++) {
		size_t count = part_of(&v[j], first * z.in, z.out * z.in, &from, &g);

		if (count == 0)
			continue;
		gemm_nt(z.rows, count / z.in, z.in, x, z.in, g, z.in, 1, y + from / z.in,
			z.out);
		c->done += 2 * (double)z.rows * (double)count;
	}
}

/* The same of a matrix [in, outputs]: rows of it are inputs. */
static void add_transposed(struct change *c, const struct op *op, struct shape z,
			   const float *x, float *y)
{
	size_t n, outputs = c->m->params[op->p[0]].shape[1];
	const struct move *v = change_moves(c, op->p[0], &n);

	for (size_t j = 0; j < n; j++) {
		size_t inputs = v[j].n / outputs;

		gemm_nn(z.rows, z.out, inputs, x + v[j].from / outputs, z.in,
			v[j].g + op->offset, outputs, 1, y, z.out);
		c->done += 2 * (double)z.rows * (double)inputs * (double)z.out;
	}
}

static void add_bias(const struct change *c, const struct op *op, struct shape z, double s,
		     float *y)
{
	size_t n, from;
	const struct move *v = change_moves(c, op->p[1], &n);
	const float *g;

	for (size_t j = 0; j < n; j++) {
		size_t count = part_of(&v[j], op->offset, z.out, &from, &g);

		for (size_t i = 0; count > 0 && i < z.rows; i++)
			vec_axpy(c->m->k, count, (float)s, g, y + i * z.out + from);
	}
}

/* Of a pair's middle u = scale x A', du = scale (d A' + s (x + d) g'), and then of what it
 * adds to y: du B' + s (u + du) g'. `x` is s (x + d). */
static void add_pair(struct change *c, const struct op *op, int k, struct shape z, double s,
		     const float *d, const float *x, float *y)
{
	int a = op->p[2 + 2 * k], b = op->p[3 + 2 * k];
	size_t rank = c->m->slots[op->mid[k]].width;
	bool middle = d != NULL || change_moved(c, a);
	const float *sum;
	float *u = c->room.act[op->mid[k]];

	if (middle && d != NULL)
		gemm_nt(z.rows, rank, z.in, d, z.in, c->base->w[a], z.in, 0, u, rank);
	else if (middle)
		memset(u, 0, z.rows * rank * sizeof *u);
	if (middle) {
		add_product(c, a, 0, (struct shape){ z.rows, z.in, rank }, x, u);
		vec_scale(c->m->k, z.rows * rank, op->share[k], u);
		gemm_nt(z.rows, z.out, rank, u, rank, c->base->w[b] + op->offset * rank,
			rank, 1, y, z.out);
		c->done += 2 * (double)z.rows * (double)rank * (double)(z.in + z.out);
	}
	if (!change_moved(c, b))
		return;
	sum = moved(c, op->mid[k], middle ? u : NULL, s, &c->sum[1]);
	add_product(c, b, op->offset, (struct shape){ z.rows, rank, z.out }, sum, y);
}

static void run_linear(struct change *c, const struct op *op, double s, float *y)
{
	struct shape z = shape_of(c, op);
	const float *d = change_of(c, op, op->in[0]), *x = NULL;
	bool factor = change_moved(c, op->p[0]);

	if (d != NULL)
		c->done += 2 * (double)z.rows * (double)z.in * (double)z.out;
	if (d == NULL)
		memset(y, 0, z.rows * z.out * sizeof *y);
	else
		linear_product(c->base, op, d, c->base->w[op->p[0]], true, y);
	for (int k = 0; k < op->pairs; k++)
		factor = factor || change_moved(c, op->p[2 + 2 * k]);
	if (factor)
		x = moved(c, op->in[0], d, s, &c->sum[0]);
	if (factor && op->transposed)
		add_transposed(c, op, z, x, y);
	else if (factor)
		add_product(c, op->p[0], op->offset, z, x, y);
	add_bias(c, op, z, s, y);
	for (int k = 0; k < op->pairs; k++)
		add_pair(c, op, k, z, s, d, x, y);
}

static void run_attention(struct change *c, const struct op *op, float *y)
{
	const struct pass *base = c->base;
	struct attention a = pass_attention(base, op);
	struct attention_change o = {
		.key = base->act[op->in[1]],
		.probs = pass_stat(base, op)->f,
		.dq = change_of(c, op, op->in[0]),
		.dkey = change_of(c, op, op->in[1]),
		.dv = change_of(c, op, op->in[2]),
		.work = pass_stat(&c->room, op)->f,
		.out = y,
	};
	bool scores = o.dq != NULL || o.dkey != NULL;

	if (o.dkey != NULL)
		o.moved_q = moved(c, op->in[0], o.dq, 1, &c->sum[0]);
	if (scores)
		o.moved_v = moved(c, op->in[2], o.dv, 1, &c->sum[1]);
	if (pass_single_query(c->m, op))
		attention_pooled_change(&a, &o);
	else
		attention_change(c->m->k, &a, c->m->slots[op->in[0]].width, &o);
	c->done += change_work(c, op) *
		   ((o.dq != NULL) + (o.dkey != NULL) + scores + (o.dv != NULL)) / 2;
}

/* Along what a vector of `width` moves, 0 where it stands still; NULL when all of it
 * does. */
static const float *along(const struct change *c, int param, size_t width,
			  const struct floats *row)
{
	size_t n, from;
	const struct move *v = change_moves(c, param, &n);
	const float *g;

	if (n == 0)
		return NULL;
	memset(row->f, 0, width * sizeof *row->f);
	for (size_t j = 0; j < n; j++) {
		size_t count = part_of(&v[j], 0, width, &from, &g);

		if (count > 0)
			memcpy(row->f + from, g, count * sizeof *g);
	}
	return row->f;
}

static void run_norm(const struct change *c, const struct op *op, double s, float *y)
{
	size_t rows = pass_rows(c->base, op->out), width = c->m->slots[op->out].width;
	const float *stat = pass_stat(c->base, op)->f;

	norm_change(c->m->k, rows, width,
		    &(struct norm_change){ .x = c->base->act[op->in[0]],
					   .w = c->base->w[op->p[0]],
					   .mean = stat,
					   .rstd = stat + rows,
					   .d = change_of(c, op, op->in[0]),
					   .dw = along(c, op->p[0], width, &c->row[0]),
					   .db = along(c, op->p[1], width, &c->row[1]),
					   .step = (float)s,
					   .y = y });
}

/* y[t] += s g[at[t]] where that row of the table moves; at NULL: row 0 for every t. */
static void add_rows(const struct change *c, int param, size_t count, const uint32_t *at,
		     size_t width, double s, float *y)
{
	size_t n;
	const struct move *v = change_moves(c, param, &n);

	for (size_t j = 0; j < n; j++) {
		size_t first = v[j].from / width, end = first + v[j].n / width;

		for (size_t t = 0; t < count; t++) {
			size_t row = at == NULL ? 0 : at[t];

			if (row >= first && row < end)
				vec_axpy(c->m->k, width, (float)s,
					 v[j].g + (row - first) * width, y + t * width);
		}
	}
}

static void run_embed(const struct change *c, const struct op *op, double s, float *y)
{
	const struct batch *b = c->base->batch;
	const uint32_t *at[3] = { b->ids, input_places(c->base, op), b->types };

	memset(y, 0, change_size(c, op->out) * sizeof *y);
	for (int k = 0; k < 3; k++)
		add_rows(c, op->p[k], b->tokens, at[k], c->m->slots[op->out].width, s, y);
}

static void run_prefix(const struct change *c, const struct op *op, double s, float *y)
{
	const struct batch *b = c->base->batch;
	const float *d = change_of(c, op, op->in[0]);
	size_t width = c->m->slots[op->out].width, patches = b->tokens / b->sequences - 1;

	memset(y, 0, change_size(c, op->out) * sizeof *y);
	for (size_t i = 0; i < b->sequences; i++) {
		float *to = y + b->start[i] * width;

		if (d != NULL)
			memcpy(to + width, d + i * patches * width,
			       patches * width * sizeof *to);
		add_rows(c, op->p[0], 1, NULL, width, s, to);
	}
	add_rows(c, op->p[1], b->tokens, b->position, width, s, y);
}

static void run_add(const struct change *c, const struct op *op, float *y)
{
	const float *d = change_of(c, op, op->in[0]), *f = change_of(c, op, op->in[1]);
	size_t n = change_size(c, op->out);

	if (d != NULL && f != NULL)
		vec_step(c->m->k, n, d, 1, f, y);
	else
		memmove(y, d == NULL ? f : d, n * sizeof *y);
}

static void run_pool(const struct change *c, const struct op *op, float *y)
{
	size_t width = c->m->slots[op->out].width, rows = pass_rows(c->base, op->out);
	const float *d = change_of(c, op, op->in[0]);

	for (size_t i = 0; i < rows; i++)
		memcpy(y + i * width, d + pass_taken(c->base->batch, op->take, i) * width,
		       width * sizeof *y);
}

void change_run(struct change *c, const struct op *op, double s, float *y)
{
	const float *d = change_of(c, op, op->in[0]);

	if (op->kind != OP_LINEAR && op->kind != OP_ATTENTION)
		c->done += change_work(c, op);
	switch (op->kind) {
	case OP_EMBED: run_embed(c, op, s, y); break;
	case OP_PREFIX: run_prefix(c, op, s, y); break;
	case OP_NORM: run_norm(c, op, s, y); break;
	case OP_LINEAR: run_linear(c, op, s, y); break;
	case OP_ATTENTION: run_attention(c, op, y); break;
	case OP_ACT:
		act_change(c->m->k, op->act, change_size(c, op->out),
			   c->base->act[op->in[0]], d, y);
		break;
	case OP_ADD: run_add(c, op, y); break;
	case OP_DROPOUT: memmove(y, d, change_size(c, op->out) * sizeof *y); break;
	case OP_POOL: run_pool(c, op, y); break;
	case OP_PATCHES:
	case OP_LOSS: break;
	}
}
