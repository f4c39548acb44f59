#include "model/pass.h"

#include <math.h>
#include <stdlib.h>
#include <string.h>

#include "base/mem.h"
#include "base/prng.h"
#include "model/pass_impl.h"
#include "tensor/attention_pooled.h"
#include "tensor/blas.h"

size_t pass_rows(const struct pass *p, int slot)
{
	return p->m->slots[slot].pooled ? p->batch->sequences : p->batch->tokens;
}

int floats_reserve(struct floats *b, size_t rows, size_t width, struct err *e)
{
	size_t need;

	if (!mem_mul(rows, width, &need))
		return err_nomem(e);
	if (need <= b->cap && b->f != NULL)
		return EX_OK;
	free(b->f);
	b->f = mem_floats(need);
	b->cap = b->f == NULL ? 0 : need;
	return b->f == NULL ? err_nomem(e) : EX_OK;
}

int pass_init(struct pass *p, const struct model *m, bool keep, struct err *e)
{
	*p = (struct pass){ .m = m, .keep = keep };
	p->w = mem_zeros(m->n_params, sizeof *p->w);
	p->act = mem_zeros(m->n_slots, sizeof *p->act);
	p->own = mem_zeros(keep ? m->n_slots : m->n_shared, sizeof *p->own);
	p->stat = mem_zeros(keep ? m->n_ops : STATS_SHARED, sizeof *p->stat);
	p->spare = mem_zeros(m->n_slots, sizeof *p->spare);
	p->err = mem_zeros(m->n_slots, sizeof *p->err);
	if (p->w == NULL || p->act == NULL || p->own == NULL || p->stat == NULL ||
	    p->spare == NULL || p->err == NULL) {
		pass_free(p);
		return err_nomem(e);
	}
	return EX_OK;
}

static void free_floats(struct floats *b, size_t n)
{
	for (size_t i = 0; b != NULL && i < n; i++)
		free(b[i].f);
	free(b);
}

void pass_free(struct pass *p)
{
	if (p->m == NULL)
		return;
	free_floats(p->own, p->keep ? p->m->n_slots : p->m->n_shared);
	free_floats(p->stat, p->keep ? p->m->n_ops : STATS_SHARED);
	free_floats(p->spare, p->m->n_slots);
	free(p->w);
	free(p->act);
	free(p->err);
	free(p->probs_at);
	free(p->row_loss);
	*p = (struct pass){ 0 };
}

static int check_batch(const struct model *m, const struct batch *b, struct err *e)
{
	const struct config *c = &m->config;

	if (b->sequences == 0 || b->tokens == 0)
		return err_set(e, EX_DATAERR, "an empty batch");
	for (size_t i = 0; i < b->tokens; i++) {
		if (b->ids[i] >= c->vocab)
			return err_set(
			    e, EX_DATAERR,
			    "%s: token %u is out of the model's vocabulary of %zu: "
			    "tokenizer and model do not belong together",
			    m->dir, b->ids[i], c->vocab);
		if (b->position[i] >= c->positions)
			return err_set(
			    e, EX_DATAERR,
			    "%s: a text of more than %zu tokens, the model's longest; "
			    "--max-len cuts texts",
			    m->dir, c->positions);
		if (b->types[i] >= c->types)
			return err_set(e, EX_DATAERR,
				       "%s: the model knows no second text: its "
				       "type_vocab_size is %zu",
				       m->dir, c->types);
	}
	for (size_t s = 0; s < b->sequences; s++) {
		if (b->start[s + 1] <= b->start[s])
			return err_set(e, EX_DATAERR, "a text without tokens");
		if (b->label[s] >= 0 && (size_t)b->label[s] >= m->slots[m->logits].width)
			return err_set(e, EX_DATAERR,
				       "%s: label %d, but the model has %zu classes",
				       m->dir, b->label[s], m->slots[m->logits].width);
	}
	return EX_OK;
}

static bool pooled_query(const struct model *m, const struct op *op)
{
	return m->slots[op->in[0]].pooled && !m->slots[op->in[1]].pooled;
}

struct floats *pass_stat(const struct pass *p, const struct op *op)
{
	if (p->keep)
		return &p->stat[op - p->m->ops];
	return &p->stat[op->kind == OP_ATTENTION ? STATS_ATTENTION : STATS_NORM];
}

/* Where each sequence's probabilities begin, and how many floats there are in all. */
static int place_probs(struct pass *p, size_t heads, size_t *total, struct err *e)
{
	const struct batch *b = p->batch;

	*total = 0;
	if (mem_grow(&p->probs_at, &p->probs_cap, b->sequences, sizeof *p->probs_at, e) !=
	    EX_OK)
		return EX_UNAVAILABLE;
	for (size_t s = 0; s < b->sequences; s++) {
		size_t len = b->start[s + 1] - b->start[s];

		p->probs_at[s] = *total;
		*total += heads * len * len;
	}
	return EX_OK;
}

static int reserve_stat(struct pass *p, const struct op *op, struct err *e)
{
	size_t need;

	if (op->kind == OP_NORM)
		return floats_reserve(pass_stat(p, op), pass_rows(p, op->in[0]), 2, e);
	if (op->kind != OP_ATTENTION)
		return EX_OK;
	if (place_probs(p, op->heads, &need, e) != EX_OK)
		return EX_UNAVAILABLE;
	if (pooled_query(p->m, op))
		need = 2 * op->heads * p->batch->tokens;
	return floats_reserve(pass_stat(p, op), need, 1, e);
}

int pass_batch(struct pass *p, const struct batch *b, struct err *e)
{
	const struct model *m = p->m;
	int rc = check_batch(m, b, e);

	if (rc != EX_OK)
		return rc;
	p->batch = b;
	for (size_t i = 0; i < m->n_params; i++)
		p->w[i] = m->params[i].w;
	for (size_t s = 0; s < m->n_slots; s++) {
		struct floats *f = &p->own[p->keep ? s : (size_t)m->slots[s].shared];

		if (floats_reserve(f, pass_rows(p, (int)s), m->slots[s].width, e) != EX_OK)
			return EX_UNAVAILABLE;
	}
	for (size_t i = 0; i < m->n_ops; i++)
		if (reserve_stat(p, &m->ops[i], e) != EX_OK)
			return EX_UNAVAILABLE;
	return mem_grow(&p->row_loss, &p->row_cap, b->sequences, sizeof *p->row_loss, e);
}

uint64_t pass_key(const struct pass *p, const struct op *op)
{
	return prng_mix(p->key + (uint64_t)(op - p->m->ops));
}

struct attention pass_attention(const struct pass *p, const struct op *op)
{
	return (struct attention){
		.sequences = p->batch->sequences,
		.heads = op->heads,
		.head_dim = p->m->slots[op->in[0]].width / op->heads,
		.start = p->batch->start,
		.probs_at = p->probs_at,
		.scale = op->scale,
		.causal = op->causal,
		.dropout = p->dropout ? op->dropout : 0,
		.key = pass_key(p, op),
	};
}

/* out[t] = word[id] + position[place] + type[segment] */
static void embed(const struct pass *p, const struct op *op, float *out)
{
	const struct batch *b = p->batch;
	size_t width = p->m->slots[op->out].width;
	const float *tables[3];

	for (int k = 0; k < 3; k++)
		tables[k] = op->p[k] < 0 ? NULL : p->w[op->p[k]];
#pragma omp parallel for schedule(static)
	for (size_t t = 0; t < b->tokens; t++) {
		const size_t at[3] = { b->ids[t], b->position[t], b->types[t] };
		float *o = out + t * width;

		memcpy(o, tables[0] + at[0] * width, width * sizeof *o);
		for (int k = 1; k < 3; k++) {
			const float *row =
			    tables[k] == NULL ? NULL : tables[k] + at[k] * width;

			for (size_t j = 0; row != NULL && j < width; j++)
				o[j] += row[j];
		}
	}
}

static void linear(const struct pass *p, const struct op *op, const float *x, float *y)
{
	size_t rows = pass_rows(p, op->out);
	size_t in = p->m->slots[op->in[0]].width, out = p->m->slots[op->out].width;

	gemm_nt(rows, out, in, x, in, p->w[op->p[0]], in, 0, y, out);
	if (op->p[1] >= 0)
		rows_add_bias(p->m->k, rows, out, y, p->w[op->p[1]], y);
}

static void attend(const struct pass *p, const struct op *op, float *out)
{
	struct attention a = pass_attention(p, op);
	const float *q = p->act[op->in[0]], *k = p->act[op->in[1]], *v = p->act[op->in[2]];
	float *probs = pass_stat(p, op)->f;

	if (pooled_query(p->m, op))
		attention_pooled_forward(p->m->k, &a, q, k, v, probs, out);
	else
		attention_forward(p->m->k, &a, p->m->slots[op->in[0]].width, q, k, v, probs,
				  out);
}

static void pool(const struct pass *p, const struct op *op, const float *x, float *out)
{
	size_t width = p->m->slots[op->out].width;

	for (size_t s = 0; s < p->batch->sequences; s++)
		memcpy(out + s * width, x + p->batch->start[s] * width,
		       width * sizeof *out);
}

/* Cross-entropy of one sequence: log sum_c exp(z_c) - z_label. */
static double cross_entropy(const float *z, size_t classes, int32_t label)
{
	double top = z[0], sum = 0;

	for (size_t c = 1; c < classes; c++)
		top = fmax(top, z[c]);
	for (size_t c = 0; c < classes; c++)
		sum += exp(z[c] - top);
	return log(sum) + top - z[label];
}

/* Sequences without a label (-1) are regressed: the squared error of the one output. */
static void losses(struct pass *p, const struct op *op)
{
	const struct batch *b = p->batch;
	size_t classes = p->m->slots[op->in[0]].width;
	double sum = 0;

	for (size_t s = 0; s < b->sequences; s++) {
		const float *z = p->act[op->in[0]] + s * classes;
		double d = (double)z[0] - b->target[s];

		p->row_loss[s] =
		    b->label[s] < 0 ? d * d : cross_entropy(z, classes, b->label[s]);
		sum += p->row_loss[s];
	}
	p->loss = sum / (double)b->sequences;
}

static void run(struct pass *p, const struct op *op)
{
	const struct model *m = p->m;
	const float *x = op->in[0] < 0 ? NULL : p->act[op->in[0]];
	float *y = op->out < 0 ? NULL : p->act[op->out], *stat;
	size_t rows = op->out < 0 ? 0 : pass_rows(p, op->out);
	size_t width = op->out < 0 ? 0 : m->slots[op->out].width;
	float drop = p->dropout ? op->dropout : 0;

	switch (op->kind) {
	case OP_EMBED: embed(p, op, y); break;
	case OP_NORM:
		stat = pass_stat(p, op)->f;
		norm_forward(m->k, rows, width, x, p->w[op->p[0]], p->w[op->p[1]], op->eps,
			     y, stat, stat + rows);
		break;
	case OP_LINEAR: linear(p, op, x, y); break;
	case OP_ATTENTION: attend(p, op, y); break;
	case OP_ACT: act_forward(m->k, op->act, rows * width, x, y); break;
	case OP_ADD:
		rows_dropout(m->k, rows * width, x, p->act[op->in[1]], drop,
			     pass_key(p, op), y);
		break;
	case OP_DROPOUT:
		if (drop == 0 && p->keep)
			p->act[op->out] = p->act[op->in[0]];
		else if (drop == 0 && x != y)
			memcpy(y, x, rows * width * sizeof *y);
		else if (drop != 0)
			rows_dropout(m->k, rows * width, NULL, x, drop, pass_key(p, op), y);
		break;
	case OP_POOL: pool(p, op, x, y); break;
	case OP_LOSS: losses(p, op); break;
	}
}

void pass_forward_from(struct pass *p, const struct pass *base, size_t from)
{
	const struct model *m = p->m;

	for (size_t s = 0; s < m->n_slots; s++) {
		bool below = base != NULL && (size_t)m->slots[s].made_by < from;
		size_t at = p->keep ? s : (size_t)m->slots[s].shared;

		p->act[s] = below ? base->act[s] : p->own[at].f;
	}
	for (size_t i = from; i < m->n_ops; i++)
		run(p, &m->ops[i]);
}

void pass_forward(struct pass *p)
{
	pass_forward_from(p, NULL, 0);
}

size_t model_first_use(const struct model *m, size_t i)
{
	for (size_t k = 0; k < m->n_ops; k++)
		for (int j = 0; j < 3; j++)
			if (m->ops[k].p[j] == (int)i)
				return k;
	return m->n_ops;
}
