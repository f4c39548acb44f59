#include "model/build.h"

#include <math.h>
#include <stdio.h>
#include <string.h>

#define NAME_SIZE 200

void build_start(struct builder *b, struct model *m, const struct head_spec *head,
		 const char *prefix, const char *with_head, const char *bare, struct err *e)
{
	*b = (struct builder){ .m = m, .head = head, .prefix = prefix, .e = e };
	m->prefix = prefix;
	m->with_head = with_head;
	if (model_tensor(m, bare, NULL) != NULL)
		b->prefix = "";
}

void build_enter(struct builder *b, const char *scope, int layer)
{
	snprintf(b->scope, sizeof b->scope, "%s", scope);
	b->layer = layer;
	b->outside = false;
}

void build_outside(struct builder *b, const char *scope)
{
	build_enter(b, scope, LAYER_HEAD);
	b->outside = true;
}

bool build_has(const struct builder *b, const char *name)
{
	char whole[NAME_SIZE];

	snprintf(whole, sizeof whole, "%s%s", b->prefix, name);
	return model_tensor(b->m, whole, NULL) != NULL;
}

size_t build_width(const struct builder *b, int slot)
{
	return b->rc == EX_OK ? b->m->slots[slot].width : 0;
}

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

int build_param(struct builder *b, const char *module, const char *part,
		enum param_type type, enum init init, int ndim, const size_t *shape)
{
	const char *dot = part == NULL ? "" : ".", *last = part == NULL ? "" : part;
	char name[NAME_SIZE], save_name[NAME_SIZE];
	int at;

	if (b->rc != EX_OK)
		return -1;
	snprintf(save_name, sizeof save_name, "%s%s%s%s%s", b->outside ? "" : b->m->prefix,
		 b->scope, module, dot, last);
	snprintf(name, sizeof name, "%s%s%s%s%s", b->outside ? "" : b->prefix, b->scope,
		 module, dot, last);
	if (type == TYPE_NORM)
		spell_norm(b, name, last);
	at = model_add_param(b->m, name, save_name, type, b->layer, ndim, shape, b->e);
	if (at < 0) {
		b->rc = b->e->code;
		return -1;
	}
	b->m->params[at].init = init;
	b->m->params[at].fresh = b->head->random;
	return at;
}

int build_table(struct builder *b, const char *module, size_t rows, size_t columns)
{
	const size_t shape[2] = { rows, columns };

	return build_param(b, module, "weight", TYPE_EMBED, INIT_NORMAL, 2, shape);
}

static int bias(struct builder *b, const char *module, enum param_type type, size_t out)
{
	return build_param(b, module, "bias", type == TYPE_HEAD ? TYPE_HEAD : TYPE_BIAS,
			   INIT_ZERO, 1, &out);
}

static int weight(struct builder *b, const char *module, enum param_type type,
		  enum init init, size_t in, size_t out)
{
	const size_t shape[2] = { b->transposed ? in : out, b->transposed ? out : in };

	return build_param(b, module, "weight", type, init, 2, shape);
}

int build_weight(struct builder *b, const char *module, enum param_type type,
		 enum init init, size_t in, size_t out)
{
	int at = weight(b, module, type, init, in, out);

	bias(b, module, type, out);
	return b->rc == EX_OK ? at : -1;
}

/* ---- operations ---- */

/* An operation on `in` with an output of `rows` and `width`; NULL after a failure. */
static struct op *add(struct builder *b, enum op_kind kind, int in, enum slot_rows rows,
		      size_t width)
{
	struct op *op;
	int out;

	if (b->rc != EX_OK)
		return NULL;
	out = model_add_slot(b->m, width, rows, b->e);
	op = out < 0 ? NULL : model_add_op(b->m, kind, b->e);
	if (op == NULL) {
		b->rc = b->e->code;
		return NULL;
	}
	op->in[0] = in;
	op->out = out;
	return op;
}

/* With as many rows as `in`. */
static struct op *operation(struct builder *b, enum op_kind kind, int in, size_t width)
{
	return b->rc != EX_OK ? NULL : add(b, kind, in, b->m->slots[in].rows, width);
}

int build_embed(struct builder *b, int word, int place, int segment, size_t offset,
		int64_t pad)
{
	struct op *op = add(b, OP_EMBED, -1, ROWS_TOKENS, b->m->config.width);

	if (op == NULL)
		return -1;
	op->p[0] = word;
	op->p[1] = place;
	op->p[2] = segment;
	op->offset = offset;
	op->pad = pad;
	return op->out;
}

int build_norm(struct builder *b, const char *module, int in)
{
	size_t width = build_width(b, in);
	int scale = build_param(b, module, "weight", TYPE_NORM, INIT_ONE, 1, &width);
	int shift = build_param(b, module, "bias", TYPE_NORM, INIT_ZERO, 1, &width);
	struct op *op = operation(b, OP_NORM, in, width);

	if (op == NULL)
		return -1;
	op->p[0] = scale;
	op->p[1] = shift;
	op->eps = b->m->config.norm_eps;
	return op->out;
}

static int apply(struct builder *b, int w, int c, int in, size_t offset, size_t out)
{
	struct op *op = operation(b, OP_LINEAR, in, out);

	if (op == NULL)
		return -1;
	op->p[0] = w;
	op->p[1] = c;
	op->offset = offset;
	op->transposed = b->transposed;
	return op->out;
}

int build_apply(struct builder *b, int w, int in, size_t offset, size_t out)
{
	return apply(b, w, w + 1, in, offset, out);
}

int build_linear(struct builder *b, const char *module, enum param_type type, int in,
		 size_t out)
{
	int w = build_weight(b, module, type, INIT_NORMAL, build_width(b, in), out);

	return build_apply(b, w, in, 0, out);
}

int build_linear_unbiased(struct builder *b, const char *module, enum param_type type,
			  int in, size_t out)
{
	int w = weight(b, module, type, INIT_NORMAL, build_width(b, in), out);

	return apply(b, w, -1, in, 0, out);
}

int build_tied(struct builder *b, int table, int in)
{
	struct op *op = b->rc != EX_OK
			    ? NULL
			    : operation(b, OP_LINEAR, in, b->m->params[table].shape[0]);

	if (op == NULL)
		return -1;
	op->p[0] = table;
	return op->out;
}

int build_act(struct builder *b, enum activation act, int in)
{
	struct op *op = operation(b, OP_ACT, in, build_width(b, in));

	if (op == NULL)
		return -1;
	op->act = act;
	return op->out;
}

int build_dropout(struct builder *b, float probability, int in)
{
	struct op *op = operation(b, OP_DROPOUT, in, build_width(b, in));

	if (op == NULL)
		return -1;
	op->dropout = probability;
	return op->out;
}

int build_residual(struct builder *b, int x, int y, float dropout)
{
	struct op *op = operation(b, OP_ADD, x, build_width(b, x));

	if (op == NULL)
		return -1;
	op->in[1] = y;
	op->dropout = dropout;
	return op->out;
}

int build_take(struct builder *b, enum take take, int in)
{
	struct op *op =
	    add(b, OP_POOL, in, take == TAKE_TARGETS ? ROWS_TARGETS : ROWS_SEQUENCES,
		build_width(b, in));

	if (op == NULL)
		return -1;
	op->take = take;
	return op->out;
}

float build_scale(const struct builder *b)
{
	return 1 / sqrtf((float)(b->m->config.width / b->m->config.heads));
}

int build_attention(struct builder *b, int q, int k, int v, float scale, bool causal)
{
	const struct config *c = &b->m->config;
	struct op *op = operation(b, OP_ATTENTION, q, c->width);

	if (op == NULL)
		return -1;
	op->in[1] = k;
	op->in[2] = v;
	op->heads = c->heads;
	op->scale = scale;
	op->dropout = c->attention_dropout;
	op->causal = causal;
	return op->out;
}

int build_patches(struct builder *b)
{
	const struct config *c = &b->m->config;
	struct op *op = add(b, OP_PATCHES, -1, ROWS_PATCHES,
			    c->channels * c->patch_height * c->patch_width);

	return op == NULL ? -1 : op->out;
}

int build_prefix(struct builder *b, int row, int place, int in)
{
	struct op *op = add(b, OP_PREFIX, in, ROWS_TOKENS, build_width(b, in));

	if (op == NULL)
		return -1;
	op->p[0] = row;
	op->p[1] = place;
	return op->out;
}

int build_loss(struct builder *b, int logits)
{
	struct op *op = b->rc == EX_OK ? model_add_op(b->m, OP_LOSS, b->e) : NULL;

	if (op == NULL)
		return b->rc != EX_OK ? b->rc : EX_UNAVAILABLE;
	op->in[0] = logits;
	b->m->logits = logits;
	return EX_OK;
}

/* ---- heads ---- */

/* Whether the weights have the parameter; `sized`: of the right shape. */
static bool has(const struct builder *b, int param, bool sized)
{
	const struct param *p = &b->m->params[param];
	const struct tensor_view *t = model_tensor(b->m, p->name, NULL);

	return t != NULL && (!sized || (t->ndim == p->ndim && t->shape[0] == p->shape[0]));
}

/* Weight and bias are new both or neither. */
static void renew(struct builder *b, int w, int c, bool last)
{
	bool is_new =
	    !has(b, w, last) || (c >= 0 && !has(b, c, last)) || (last && b->head->other);

	if (!is_new || !b->head->may_be_new || b->head->random)
		return;
	b->m->params[w].fresh = true;
	if (c >= 0)
		b->m->params[c].fresh = true;
	if (last)
		b->m->new_head = true;
	else
		b->m->new_pooler = true;
}

int build_head(struct builder *b, const char *module, int in, size_t out, bool with_bias,
	       bool last)
{
	int w, c = -1;

	b->transposed = false;
	w = weight(b, module, TYPE_HEAD, INIT_NORMAL, build_width(b, in), out);
	if (with_bias)
		c = bias(b, module, TYPE_HEAD, out);
	if (b->rc != EX_OK)
		return -1;
	renew(b, w, c, last);
	return apply(b, w, c, in, 0, out);
}
