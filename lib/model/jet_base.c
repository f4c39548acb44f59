/*
 * The pass that a jet stands on, once more in double. Where large curvatures of both signs
 * cancel, what float sums lose on the way from operation to operation is more than what is
 * left; what rounding takes once from each output is not.
 *
 * A slot's value on the way is hi + lo, two floats that together hold 48 bits: hi is the
 * output of the pass, which is written anew, and lo stands where the slot's first
 * coefficients will.
 */
#include <math.h>
#include <omp.h>
#include <string.h>

#include "base/mem.h"
#include "model/jet_impl.h"
#include "tensor/blas.h"

#define BLOCK     ((size_t)256) /* rows, and outputs, of a linear operation at once */
#define ROOT_2_PI 0.79788456080286535588 /* sqrt(2 / pi) */

struct wide {
	float *hi, *lo;
};

static struct wide wide_of(const struct jet *j, int slot)
{
	if (slot < 0)
		return (struct wide){ NULL, NULL };
	return (struct wide){ j->base->act[slot], j->one[j->m->slots[slot].shared].f };
}

static double get(const struct wide *x, size_t i)
{
	return (double)x->hi[i] + (double)x->lo[i];
}

static void put(const struct wide *x, size_t i, double value)
{
	x->hi[i] = (float)value;
	x->lo[i] = (float)(value - (double)x->hi[i]);
}

static size_t smaller(size_t a, size_t b)
{
	return a < b ? a : b;
}

static size_t larger(size_t a, size_t b)
{
	return a > b ? a : b;
}

/* ---- room for doubles ---- */

static size_t room_of(const struct jet *j, const struct op *op)
{
	const struct slot *slots = j->m->slots;
	size_t most = 0, n;

	if (op->kind == OP_LINEAR) {
		size_t in = slots[op->in[0]].width, out = slots[op->out].width;

		for (int k = 0; k < op->pairs; k++) {
			in = larger(in, slots[op->mid[k]].width);
			out = larger(out, slots[op->mid[k]].width);
		}
		n = smaller(BLOCK, pass_rows(j->base, op->out));
		out = smaller(BLOCK, out);
		return n * in + out * in + n * out;
	}
	for (size_t s = 0; op->kind == OP_ATTENTION && s < j->base->batch->sequences; s++) {
		struct jet_block b = jet_block_of(j, op, s, 0);

		n = b.queries * (b.dim + b.keys) + 2 * b.keys * b.dim;
		most = larger(most, n);
	}
	return most;
}

int jet_base_reserve(struct jet *j, struct err *e)
{
	size_t threads = (size_t)blas_threads_now(), all;

	j->room_size = 0;
	for (size_t i = 0; i < j->m->n_ops; i++)
		j->room_size = larger(j->room_size, room_of(j, &j->m->ops[i]));
	if (!mem_mul(threads, j->room_size, &all))
		return err_nomem(e);
	return mem_grow(&j->room, &j->room_cap, all, sizeof *j->room, e);
}

static double *room(const struct jet *j)
{
	return j->room + (size_t)omp_get_thread_num() * j->room_size;
}

/* ---- linear ---- */

/* y = share x w' + bias, or, with `adds`, y += share x w'; an output of w is w_row floats
 * further, a term of the sum w_term. */
struct product {
	struct wide x, y;
	size_t rows, out, in;
	const float *w;
	size_t w_row, w_term;
	const float *bias;
	double share;
	bool adds;
};

static void multiply_block(const struct product *z, size_t row, size_t col, double *x)
{
	size_t rows = smaller(BLOCK, z->rows - row), cols = smaller(BLOCK, z->out - col);
	double *w = x + rows * z->in, *y = w + cols * z->in;

	for (size_t i = 0; i < rows * z->in; i++)
		x[i] = get(&z->x, row * z->in + i);
	for (size_t c = 0; c < cols; c++)
		for (size_t k = 0; k < z->in; k++)
			w[c * z->in + k] =
			    (double)z->w[(col + c) * z->w_row + k * z->w_term];
	gemm_nt_double(rows, cols, z->in, x, w, y);
	for (size_t i = 0; i < rows * cols; i++) {
		size_t c = col + i % cols, at = (row + i / cols) * z->out + c;
		double from = z->bias == NULL ? 0 : (double)z->bias[c];

		put(&z->y, at, (z->adds ? get(&z->y, at) : from) + z->share * y[i]);
	}
}

static void multiply(const struct jet *j, const struct product *z)
{
	size_t across = (z->out + BLOCK - 1) / BLOCK;
	size_t blocks = (z->rows + BLOCK - 1) / BLOCK * across;

#pragma omp parallel for schedule(dynamic) if (blocks > 1)
	for (size_t i = 0; i < blocks; i++)
		multiply_block(z, i / across * BLOCK, i % across * BLOCK, room(j));
}

static void base_pair(const struct jet *j, const struct op *op, int k,
		      const struct product *all)
{
	const float *const *w = j->base->w;
	size_t rank = j->m->slots[op->mid[k]].width;
	const float *a = w[op->p[2 + 2 * k]], *b = w[op->p[3 + 2 * k]] + op->offset * rank;
	struct product u = { .x = all->x,
			     .y = wide_of(j, op->mid[k]),
			     .rows = all->rows,
			     .out = rank,
			     .in = all->in,
			     .w = a,
			     .w_row = all->in,
			     .w_term = 1,
			     .share = (double)op->share[k] };
	struct product y = { .x = u.y,
			     .y = all->y,
			     .rows = all->rows,
			     .out = all->out,
			     .in = rank,
			     .w = b,
			     .w_row = rank,
			     .w_term = 1,
			     .share = 1,
			     .adds = true };

	multiply(j, &u);
	multiply(j, &y);
}

static void base_linear(const struct jet *j, const struct op *op)
{
	const struct pass *p = j->base;
	size_t in = j->m->slots[op->in[0]].width;
	size_t outputs = op->transposed ? j->m->params[op->p[0]].shape[1] : 0;
	struct product z = { .x = wide_of(j, op->in[0]),
			     .y = wide_of(j, op->out),
			     .rows = pass_rows(p, op->out),
			     .out = j->m->slots[op->out].width,
			     .in = in,
			     .w = p->w[op->p[0]] + op->offset * (op->transposed ? 1 : in),
			     .w_row = op->transposed ? 1 : in,
			     .w_term = op->transposed ? outputs : 1,
			     .share = 1 };

	if (op->p[1] >= 0)
		z.bias = p->w[op->p[1]] + op->offset;
	multiply(j, &z);
	for (int k = 0; k < op->pairs; k++)
		base_pair(j, op, k, &z);
}

/* ---- attention ---- */

/* s = softmax(scale s) of those that are seen, 0 of the others; also into p. */
static void softmax_row(size_t seen, size_t keys, double scale, double *s, float *p)
{
	double top = s[0], sum = 0;

	for (size_t t = 1; t < seen; t++)
		top = fmax(top, s[t]);
	for (size_t t = 0; t < seen; t++) {
		s[t] = exp(scale * (s[t] - top));
		sum += s[t];
	}
	for (size_t t = 0; t < keys; t++) {
		s[t] = t < seen ? s[t] / sum : 0;
		p[t] = (float)s[t];
	}
}

static void attend(const struct jet *j, const struct op *op, const struct jet_block *b)
{
	struct wide q = wide_of(j, op->in[0]), k = wide_of(j, op->in[1]);
	struct wide v = wide_of(j, op->in[2]), out = wide_of(j, op->out);
	double *keys = room(j), *values = keys + b->keys * b->dim;
	double *scores = values + b->keys * b->dim;
	double *rows = scores + b->queries * b->keys;
	float *p = pass_stat(j->base, op)->f + b->probs;

	for (size_t i = 0; i < b->keys; i++)
		for (size_t c = 0; c < b->dim; c++) {
			keys[i * b->dim + c] = get(&k, b->key + i * b->width + c);
			values[c * b->keys + i] = get(&v, b->key + i * b->width + c);
		}
	for (size_t i = 0; i < b->queries; i++)
		for (size_t c = 0; c < b->dim; c++)
			rows[i * b->dim + c] = get(&q, b->query + i * b->width + c);
	gemm_nt_double(b->queries, b->keys, b->dim, rows, keys, scores);
	for (size_t i = 0; i < b->queries; i++)
		softmax_row(op->causal && b->queries > 1 ? i + 1 : b->keys, b->keys,
			    (double)op->scale, scores + i * b->keys, p + i * b->keys);
	gemm_nt_double(b->queries, b->dim, b->keys, scores, values, rows);
	for (size_t i = 0; i < b->queries; i++)
		for (size_t c = 0; c < b->dim; c++)
			put(&out, b->query + i * b->width + c, rows[i * b->dim + c]);
}

static void base_attention(const struct jet *j, const struct op *op)
{
	size_t tasks = j->base->batch->sequences * op->heads;

#pragma omp parallel for schedule(dynamic) if (tasks > 1)
	for (size_t i = 0; i < tasks; i++) {
		struct jet_block b = jet_block_of(j, op, i / op->heads, i % op->heads);

		attend(j, op, &b);
	}
}

/* ---- the others, row by row ---- */

static double act_of(enum activation f, double x)
{
	switch (f) {
	case ACT_GELU: return 0.5 * x * erfc(-x * sqrt(0.5));
	case ACT_GELU_NEW:
		return x / (1 + exp(-2 * ROOT_2_PI * (x + 0.044715 * x * x * x)));
	case ACT_TANH: return tanh(x);
	case ACT_RELU: return x > 0 ? x : 0;
	case ACT_SILU: return x / (1 + exp(-x));
	}
	return x;
}

static void base_act(const struct jet *j, const struct op *op)
{
	struct wide x = wide_of(j, op->in[0]), y = wide_of(j, op->out);
	size_t n = pass_rows(j->base, op->out) * j->m->slots[op->out].width;

#pragma omp parallel for schedule(static)
	for (size_t i = 0; i < n; i++)
		put(&y, i, act_of(op->act, get(&x, i)));
}

static void base_norm(const struct jet *j, const struct op *op)
{
	struct wide x = wide_of(j, op->in[0]), y = wide_of(j, op->out);
	size_t rows = pass_rows(j->base, op->out), width = j->m->slots[op->out].width;
	const float *w = j->base->w[op->p[0]], *b = j->base->w[op->p[1]];
	float *stat = pass_stat(j->base, op)->f;

#pragma omp parallel for schedule(static)
	for (size_t i = 0; i < rows; i++) {
		double mean = 0, var = 0, rstd;

		for (size_t c = i * width; c < (i + 1) * width; c++)
			mean += get(&x, c) / (double)width;
		for (size_t c = i * width; c < (i + 1) * width; c++)
			var += (get(&x, c) - mean) * (get(&x, c) - mean) / (double)width;
		rstd = 1 / sqrt(var + (double)op->eps);
		for (size_t c = 0; c < width; c++)
			put(&y, i * width + c,
			    (get(&x, i * width + c) - mean) * rstd * (double)w[c] +
				(double)b[c]);
		stat[i] = (float)mean;
		stat[rows + i] = (float)rstd;
	}
}

/* y = the sum of up to three rows; NULL where there is none. */
static void sum_rows(size_t width, const float *const rows[3], const struct wide *y,
		     size_t at)
{
	for (size_t c = 0; c < width; c++) {
		double sum = 0;

		for (int k = 0; k < 3; k++)
			sum += rows[k] == NULL ? 0 : (double)rows[k][c];
		put(y, at + c, sum);
	}
}

static void base_embed(const struct jet *j, const struct op *op)
{
	const struct batch *b = j->base->batch;
	const uint32_t *at[3] = { b->ids, input_places(j->base, op), b->types };
	size_t width = j->m->slots[op->out].width;
	struct wide y = wide_of(j, op->out);

#pragma omp parallel for schedule(static)
	for (size_t t = 0; t < b->tokens; t++) {
		const float *rows[3] = { NULL, NULL, NULL };

		for (int k = 0; k < 3; k++)
			if (op->p[k] >= 0)
				rows[k] = j->base->w[op->p[k]] + at[k][t] * width;
		sum_rows(width, rows, &y, t * width);
	}
}

static void base_prefix(const struct jet *j, const struct op *op)
{
	const struct batch *b = j->base->batch;
	const float *first = j->base->w[op->p[0]], *table = j->base->w[op->p[1]];
	struct wide x = wide_of(j, op->in[0]), y = wide_of(j, op->out);
	size_t width = j->m->slots[op->out].width;

#pragma omp parallel for schedule(static)
	for (size_t t = 0; t < b->tokens; t++) {
		size_t s = t / (b->tokens / b->sequences);
		const float *place = table + b->position[t] * width;
		bool leads = t == b->start[s];

		for (size_t c = 0; c < width; c++) {
			double from =
			    leads ? (double)first[c] : get(&x, (t - s - 1) * width + c);

			put(&y, t * width + c, from + (double)place[c]);
		}
	}
}

static void copy(const struct wide *x, size_t from, const struct wide *y, size_t to,
		 size_t n)
{
	memmove(y->hi + to, x->hi + from, n * sizeof *y->hi);
	memmove(y->lo + to, x->lo + from, n * sizeof *y->lo);
}

static void base_pool(const struct jet *j, const struct op *op)
{
	struct wide x = wide_of(j, op->in[0]), y = wide_of(j, op->out);
	size_t width = j->m->slots[op->out].width, rows = pass_rows(j->base, op->out);

	for (size_t i = 0; i < rows; i++)
		copy(&x, pass_taken(j->base->batch, op->take, i) * width, &y, i * width,
		     width);
}

static void base_add(const struct jet *j, const struct op *op)
{
	struct wide a = wide_of(j, op->in[0]), b = wide_of(j, op->in[1]);
	struct wide y = wide_of(j, op->out);
	size_t n = pass_rows(j->base, op->out) * j->m->slots[op->out].width;

#pragma omp parallel for schedule(static)
	for (size_t i = 0; i < n; i++)
		put(&y, i, get(&a, i) + get(&b, i));
}

static void base_run(const struct jet *j, const struct op *op)
{
	struct wide x = wide_of(j, op->in[0]), y = wide_of(j, op->out);
	size_t n =
	    op->out < 0 ? 0 : pass_rows(j->base, op->out) * j->m->slots[op->out].width;

	switch (op->kind) {
	case OP_EMBED: base_embed(j, op); break;
	case OP_PATCHES: memset(y.lo, 0, n * sizeof *y.lo); break;
	case OP_PREFIX: base_prefix(j, op); break;
	case OP_NORM: base_norm(j, op); break;
	case OP_LINEAR: base_linear(j, op); break;
	case OP_ATTENTION: base_attention(j, op); break;
	case OP_ACT: base_act(j, op); break;
	case OP_ADD: base_add(j, op); break;
	case OP_DROPOUT: copy(&x, 0, &y, 0, n); break;
	case OP_POOL: base_pool(j, op); break;
	case OP_LOSS: break;
	}
}

/* The error is what jets take a language model's probabilities from: exponentials once. */
static void put_error(const struct jet *j)
{
	const struct pass *p = j->base;
	const struct batch *b = p->batch;
	size_t classes = j->m->slots[j->m->logits].width;
	float *z = p->act[j->m->logits];

	cross_entropy_forward(j->m->k, b->targets, classes, z, b->next, p->target_loss);
	cross_entropy_backward(j->m->k, b->targets, classes, z, b->next, p->target_loss,
			       1 / (double)b->targets, z);
}

void jet_base_run(const struct jet *j)
{
	for (size_t i = 0; i < j->m->n_ops; i++)
		base_run(j, &j->m->ops[i]);
	if (j->m->language)
		put_error(j);
}
