/*
 * BERT (Devlin et al. 2019, after Vaswani et al. 2017, "post-norm"):
 *
 *   x    = dropout(norm(word[token] + position[place] + type[segment]))
 *   a block:
 *     c  = attention(x Wq' + bq, x Wk' + bk, x Wv' + bv)
 *     h  = norm(x + dropout(c Wo' + bo))
 *     x  = norm(h + dropout(act(h Wi' + bi) Wd' + bd))
 *   head, of the first token's x in each sequence:
 *     z  = dropout(tanh(x Wp' + bp)) Wc' + bc
 *
 * The head looks at one token a sequence, so in the last block only keys and values are
 * computed for all tokens; its queries, and all that follows them, only for the first.
 */
#include <math.h>
#include <stdio.h>
#include <string.h>

#include "model/family.h"

#define NAME_SIZE  160
#define SCOPE_SIZE 40

static const char prefix[] = "bert."; /* of the encoder in a model with a head */

/* A model while it is built. After a failure `rc` stays set and nothing more is added. */
struct builder {
	struct model *m;
	const char *prefix;     /* as these weights have it: "bert." or "" */
	char scope[SCOPE_SIZE]; /* of the names that are added: "encoder.layer.3." */
	int layer;
	struct err *e;
	int rc;
};

/* ---- parameters ---- */

/* The oldest checkpoints spell a norm's weight and bias gamma and beta. Changes `name` when
 * these weights do. */
static void spell_norm(const struct builder *b, char name[NAME_SIZE], const char *part)
{
	char old[NAME_SIZE];
	size_t stem = strlen(name) - strlen(part);

	memcpy(old, name, sizeof old);
	snprintf(old + stem, sizeof old - stem, "%s", part[0] == 'w' ? "gamma" : "beta");
	if (model_tensor(b->m, name, NULL) == NULL && model_tensor(b->m, old, NULL) != NULL)
		memcpy(name, old, sizeof old);
}

/* Adds the parameter MODULE.PART; a vector when columns is 0. The classifier alone stands
 * outside the encoder, without its prefix. */
static int add(struct builder *b, const char *module, const char *part,
	       enum param_type type, size_t rows, size_t columns)
{
	const size_t shape[2] = { rows, columns };
	bool outside = strcmp(module, "classifier") == 0;
	char name[NAME_SIZE], save_name[NAME_SIZE];
	int at;

	if (b->rc != EX_OK)
		return -1;
	snprintf(save_name, sizeof save_name, "%s%s%s.%s", outside ? "" : prefix, b->scope,
		 module, part);
	snprintf(name, sizeof name, "%s%s%s.%s", outside ? "" : b->prefix, b->scope, module,
		 part);
	if (type == TYPE_NORM)
		spell_norm(b, name, part);
	at = model_add_param(b->m, name, save_name, type, b->layer, columns == 0 ? 1 : 2,
			     shape, b->e);
	if (at < 0)
		b->rc = EX_UNAVAILABLE;
	return at;
}

/* ---- operations ---- */

static int slot(struct builder *b, size_t width, bool pooled)
{
	int s = b->rc == EX_OK ? model_add_slot(b->m, width, pooled, b->e) : -1;

	if (s < 0)
		b->rc = EX_UNAVAILABLE;
	return s;
}

/* An operation on `in` with an output of `width`. NULL after a failure. */
static struct op *operation(struct builder *b, enum op_kind kind, int in, size_t width)
{
	struct op *op;
	int out;

	if (b->rc != EX_OK)
		return NULL;
	out = slot(b, width, kind == OP_POOL || (in >= 0 && b->m->slots[in].pooled));
	op = b->rc == EX_OK ? model_add_op(b->m, kind, b->e) : NULL;
	if (op == NULL) {
		b->rc = EX_UNAVAILABLE;
		return NULL;
	}
	op->in[0] = in;
	op->out = out;
	return op;
}

static size_t width_of(const struct builder *b, int in)
{
	return b->rc == EX_OK ? b->m->slots[in].width : 0;
}

static int norm(struct builder *b, const char *module, int in)
{
	size_t width = width_of(b, in);
	int scale = add(b, module, "weight", TYPE_NORM, width, 0);
	int shift = add(b, module, "bias", TYPE_NORM, width, 0);
	struct op *op = operation(b, OP_NORM, in, width);

	if (op == NULL)
		return -1;
	op->p[0] = scale;
	op->p[1] = shift;
	op->eps = b->m->config.norm_eps;
	return op->out;
}

/* `type` is that of the weight; the bias of a head is a part of the head. */
static int linear(struct builder *b, const char *module, enum param_type type, int in,
		  size_t out)
{
	int weight = add(b, module, "weight", type, out, width_of(b, in));
	int bias =
	    add(b, module, "bias", type == TYPE_HEAD ? TYPE_HEAD : TYPE_BIAS, out, 0);
	struct op *op = operation(b, OP_LINEAR, in, out);

	if (op == NULL)
		return -1;
	op->p[0] = weight;
	op->p[1] = bias;
	return op->out;
}

static int activation(struct builder *b, enum activation act, int in)
{
	struct op *op = operation(b, OP_ACT, in, width_of(b, in));

	if (op == NULL)
		return -1;
	op->act = act;
	return op->out;
}

static int dropout(struct builder *b, float probability, int in)
{
	struct op *op = operation(b, OP_DROPOUT, in, width_of(b, in));

	if (op == NULL)
		return -1;
	op->dropout = probability;
	return op->out;
}

/* x + dropout(y) */
static int residual(struct builder *b, int x, int y)
{
	struct op *op = operation(b, OP_ADD, x, width_of(b, x));

	if (op == NULL)
		return -1;
	op->in[1] = y;
	op->dropout = b->m->config.dropout;
	return op->out;
}

static int first_tokens(struct builder *b, int in)
{
	struct op *op = operation(b, OP_POOL, in, width_of(b, in));

	return op == NULL ? -1 : op->out;
}

static int attention(struct builder *b, int q, int k, int v)
{
	const struct config *c = &b->m->config;
	struct op *op = operation(b, OP_ATTENTION, q, c->width);

	if (op == NULL)
		return -1;
	op->in[1] = k;
	op->in[2] = v;
	op->heads = c->heads;
	op->scale = 1 / sqrtf((float)(c->width / c->heads));
	op->dropout = c->attention_dropout;
	return op->out;
}

/* ---- the parts of the model ---- */

/* The names that follow begin with `scope` and belong to `layer`. */
static void enter(struct builder *b, const char *scope, int layer)
{
	snprintf(b->scope, sizeof b->scope, "%s", scope);
	b->layer = layer;
}

static int embeddings(struct builder *b)
{
	const struct config *c = &b->m->config;
	struct op *op;
	int word, place, segment;

	enter(b, "embeddings.", LAYER_EMBED);
	word = add(b, "word_embeddings", "weight", TYPE_EMBED, c->vocab, c->width);
	place = add(b, "position_embeddings", "weight", TYPE_EMBED, c->positions, c->width);
	segment = add(b, "token_type_embeddings", "weight", TYPE_EMBED, c->types, c->width);
	op = operation(b, OP_EMBED, -1, c->width);
	if (op == NULL)
		return -1;
	op->p[0] = word;
	op->p[1] = place;
	op->p[2] = segment;
	return dropout(b, c->dropout, norm(b, "LayerNorm", op->out));
}

static int block(struct builder *b, int layer, bool last, int x)
{
	const struct config *c = &b->m->config;
	char scope[SCOPE_SIZE];
	int own, q, k, v, y, h;

	snprintf(scope, sizeof scope, "encoder.layer.%d.", layer);
	enter(b, scope, layer);
	own = last ? first_tokens(b, x) : x;
	q = linear(b, "attention.self.query", TYPE_ATTN, own, c->width);
	k = linear(b, "attention.self.key", TYPE_ATTN, x, c->width);
	v = linear(b, "attention.self.value", TYPE_ATTN, x, c->width);
	y = linear(b, "attention.output.dense", TYPE_ATTN, attention(b, q, k, v), c->width);
	h = norm(b, "attention.output.LayerNorm", residual(b, own, y));
	y = activation(b, c->act, linear(b, "intermediate.dense", TYPE_MLP, h, c->inner));
	y = linear(b, "output.dense", TYPE_MLP, y, c->width);
	return norm(b, "output.LayerNorm", residual(b, h, y));
}

static int head(struct builder *b, int x)
{
	const struct config *c = &b->m->config;
	int y;

	enter(b, "", LAYER_HEAD);
	y = activation(b, ACT_TANH, linear(b, "pooler.dense", TYPE_HEAD, x, c->width));
	return linear(b, "classifier", TYPE_HEAD, dropout(b, c->head_dropout, y),
		      c->labels);
}

static void loss(struct builder *b, int logits)
{
	struct op *op = b->rc == EX_OK ? model_add_op(b->m, OP_LOSS, b->e) : NULL;

	if (op == NULL) {
		b->rc = EX_UNAVAILABLE;
		return;
	}
	op->in[0] = logits;
	b->m->logits = logits;
}

/* ---- new heads ---- */

/* Whether the weights have the parameter; `sized`: of the right shape. */
static bool has(const struct builder *b, size_t param, bool sized)
{
	const struct param *p = &b->m->params[param];
	const struct tensor_view *t = model_tensor(b->m, p->name, NULL);

	return t != NULL && (!sized || (t->ndim == p->ndim && t->shape[0] == p->shape[0]));
}

/* Weight and bias (params[weight] and the next) are new both or neither. */
static bool renew(struct builder *b, size_t weight, bool sized)
{
	bool is_new = !has(b, weight, sized) || !has(b, weight + 1, sized);

	b->m->params[weight].fresh = b->m->params[weight + 1].fresh = is_new;
	return is_new;
}

static int build(struct model *m, const struct head_spec *spec, struct err *e)
{
	struct builder b = { .m = m, .prefix = prefix, .e = e };
	int x, layers = (int)m->config.layers;

	if (model_tensor(m, "embeddings.word_embeddings.weight", NULL) != NULL)
		b.prefix = "";
	x = embeddings(&b);
	for (int i = 0; i < layers; i++)
		x = block(&b, i, i == layers - 1, x);
	loss(&b, head(&b, x));
	if (b.rc == EX_OK && spec->may_be_new) {
		m->new_pooler = renew(&b, m->n_params - 4, false);
		m->new_head = renew(&b, m->n_params - 2, true);
	}
	return b.rc;
}

static bool ignores(const char *name)
{
	static const char *const known[] = {
		"*embeddings.position_ids",
		"*embeddings.token_type_ids",
		"cls.predictions.*",
		"cls.seq_relationship.*",
		"qa_outputs.*",
	};

	for (size_t i = 0; i < sizeof known / sizeof known[0]; i++)
		if (str_glob(known[i], name))
			return true;
	return false;
}

const struct architecture architecture_bert = {
	.with_head = "BertForSequenceClassification",
	.prefix = prefix,
	.build = build,
	.ignores = ignores,
};
