#include "model/pass.h"

#include <stdlib.h>
#include <string.h>

#include "base/mem.h"
#include "base/prng.h"
#include "model/pass_impl.h"
#include "tensor/attention_pooled.h"

size_t pass_rows(const struct pass *p, int slot)
{
	const struct batch *b = p->batch;

	switch (p->m->slots[slot].rows) {
	case ROWS_SEQUENCES: return b->sequences;
	case ROWS_TARGETS: return b->targets;
	case ROWS_PATCHES: return b->tokens - b->sequences;
	default: return b->tokens;
	}
}

/* The first target behind the sequences before `s`. */
static size_t first_target(const struct batch *b, size_t s)
{
	size_t i = 0;

	while (i < b->targets && b->predict[i] < b->start[s])
		i++;
	return i;
}

static size_t first_row(const struct pass *p, int slot, size_t s)
{
	const struct batch *b = p->batch;

	switch (p->m->slots[slot].rows) {
	case ROWS_SEQUENCES: return s;
	case ROWS_TARGETS: return first_target(b, s);
	case ROWS_PATCHES: return b->start[s] - s;
	default: return b->start[s];
	}
}

struct span pass_span(const struct pass *p, int slot, size_t first, size_t end)
{
	size_t from = end == 0 ? 0 : first_row(p, slot, first);

	return (struct span){ from, end == 0 ? pass_rows(p, slot)
					     : first_row(p, slot, end) - from };
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
	free(p->place);
	free(p->pair_input.f);
	free(p->pair_back.f);
	for (int k = 0; k < OP_PAIRS; k++)
		free(p->pair_error[k].f);
	free(p->target_loss);
	free(p->row_loss);
	*p = (struct pass){ 0 };
}

static int check_image(const struct model *m, const struct batch *b, struct err *e)
{
	const struct config *c = &m->config;
	size_t patches =
	    (c->image_height / c->patch_height) * (c->image_width / c->patch_width);

	if (b->pixels == NULL)
		return err_set(e, EX_DATAERR, "%s: a model of images, but the data is text",
			       m->dir);
	if (b->image != c->channels * c->image_height * c->image_width ||
	    b->tokens != b->sequences * (1 + patches))
		return err_set(e, EX_DATAERR, "%s: images of another size than the model's",
			       m->dir);
	return EX_OK;
}

static int check_text(const struct model *m, const struct batch *b, struct err *e)
{
	const struct config *c = &m->config;

	if (b->pixels != NULL)
		return err_set(e, EX_DATAERR, "%s: a model of text, but the data is images",
			       m->dir);
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
		if (c->types > 0 && b->types[i] >= c->types)
			return err_set(e, EX_DATAERR,
				       "%s: the model knows no second text: its "
				       "type_vocab_size is %zu",
				       m->dir, c->types);
	}
	return EX_OK;
}

static int check_targets(const struct model *m, const struct batch *b, struct err *e)
{
	if (b->targets == 0)
		return err_set(e, EX_DATAERR, "a batch without a token to predict");
	for (size_t i = 0; i < b->targets; i++)
		if (b->next[i] >= m->config.vocab || b->predict[i] >= b->tokens)
			return err_set(e, EX_DATAERR,
				       "%s: token %u is out of the model's vocabulary",
				       m->dir, b->next[i]);
	return EX_OK;
}

static int check_labels(const struct model *m, const struct batch *b, struct err *e)
{
	size_t classes = m->slots[m->logits].width;

	for (size_t s = 0; s < b->sequences; s++)
		if (b->label[s] >= 0 && (size_t)b->label[s] >= classes)
			return err_set(e, EX_DATAERR,
				       "%s: label %d, but the model has %zu classes",
				       m->dir, b->label[s], classes);
	return EX_OK;
}

static int check_batch(const struct model *m, const struct batch *b, struct err *e)
{
	int rc;

	if (b->sequences == 0 || b->tokens == 0)
		return err_set(e, EX_DATAERR, "an empty batch");
	for (size_t s = 0; s < b->sequences; s++)
		if (b->start[s + 1] <= b->start[s])
			return err_set(e, EX_DATAERR, "a text without tokens");
	rc = m->config.channels > 0 ? check_image(m, b, e) : check_text(m, b, e);
	if (rc != EX_OK)
		return rc;
	return m->language ? check_targets(m, b, e) : check_labels(m, b, e);
}

bool pass_single_query(const struct model *m, const struct op *op)
{
	return m->slots[op->in[0]].rows == ROWS_SEQUENCES &&
	       m->slots[op->in[1]].rows == ROWS_TOKENS;
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

static int reserve_rest(struct pass *p, const struct op *op, struct err *e)
{
	size_t need;

	if (op->kind == OP_EMBED)
		return input_place(p, op, e);
	if (op->kind == OP_LINEAR)
		return linear_reserve(p, op, e);
	if (op->kind == OP_NORM)
		return floats_reserve(pass_stat(p, op), pass_rows(p, op->in[0]), 2, e);
	if (op->kind != OP_ATTENTION)
		return EX_OK;
	if (place_probs(p, op->heads, &need, e) != EX_OK)
		return EX_UNAVAILABLE;
	if (pass_single_query(p->m, op))
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
		if (reserve_rest(p, &m->ops[i], e) != EX_OK)
			return EX_UNAVAILABLE;
	if (mem_grow(&p->target_loss, &p->target_cap, b->targets, sizeof *p->target_loss,
		     e) != EX_OK)
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

static void attend(const struct pass *p, const struct op *op, float *out)
{
	struct attention a = pass_attention(p, op);
	const float *q = p->act[op->in[0]], *k = p->act[op->in[1]], *v = p->act[op->in[2]];
	float *probs = pass_stat(p, op)->f;

	if (pass_single_query(p->m, op))
		attention_pooled_forward(p->m->k, &a, q, k, v, probs, out);
	else
		attention_forward(p->m->k, &a, p->m->slots[op->in[0]].width, q, k, v, probs,
				  out);
}

/* Row of `in` that row i of the output is. */
size_t pass_taken(const struct batch *b, enum take take, size_t i)
{
	switch (take) {
	case TAKE_LAST: return b->start[i + 1] - 1;
	case TAKE_TARGETS: return b->predict[i];
	default: return b->start[i];
	}
}

static void take(const struct pass *p, const struct op *op, const float *x, float *out)
{
	size_t width = p->m->slots[op->out].width, rows = pass_rows(p, op->out);

	for (size_t i = 0; i < rows; i++)
		memcpy(out + i * width, x + pass_taken(p->batch, op->take, i) * width,
		       width * sizeof *out);
}

void pass_run(struct pass *p, const struct op *op)
{
	const struct model *m = p->m;
	const float *x = op->in[0] < 0 ? NULL : p->act[op->in[0]];
	float *y = op->out < 0 ? NULL : p->act[op->out], *stat;
	size_t rows = op->out < 0 ? 0 : pass_rows(p, op->out);
	size_t width = op->out < 0 ? 0 : m->slots[op->out].width;
	float drop = p->dropout ? op->dropout : 0;

	switch (op->kind) {
	case OP_EMBED: embed_forward(p, op, y); break;
	case OP_PATCHES: patches_forward(p, y); break;
	case OP_PREFIX: prefix_forward(p, op, x, y); break;
	case OP_NORM:
		stat = pass_stat(p, op)->f;
		norm_forward(m->k, rows, width, x, p->w[op->p[0]], p->w[op->p[1]], op->eps,
			     y, stat, stat + rows);
		break;
	case OP_LINEAR: linear_forward(p, op, y); break;
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
	case OP_POOL: take(p, op, x, y); break;
	case OP_LOSS: loss_forward(p, op); break;
	}
}

void pass_place_slots(struct pass *p, const struct pass *base, size_t from)
{
	const struct model *m = p->m;

	for (size_t s = 0; s < m->n_slots; s++) {
		bool below = base != NULL && (size_t)m->slots[s].made_by < from;
		size_t at = p->keep ? s : (size_t)m->slots[s].shared;

		p->act[s] = below ? base->act[s] : p->own[at].f;
	}
}

void pass_forward_from(struct pass *p, const struct pass *base, size_t from)
{
	pass_place_slots(p, base, from);
	for (size_t i = from; i < p->m->n_ops; i++)
		pass_run(p, &p->m->ops[i]);
}

void pass_forward(struct pass *p)
{
	pass_forward_from(p, NULL, 0);
}
