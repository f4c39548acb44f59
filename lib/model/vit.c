/*
 * Vision Transformer (Dosovitskiy et al. 2020, arXiv 2010.11929, "pre-norm"):
 *
 *   x    = dropout([class; patches Wp' + bp] + position[place])
 *   a block:
 *     n  = norm(x)
 *     h  = x + dropout(attention(n Wq' + bq, n Wk' + bk, n Wv' + bv) Wo' + bo)
 *     x  = h + dropout(act(norm(h) Wi' + bi) Wd' + bd)
 *   head, of the class token's norm(x):
 *     z  = x Wc' + bc
 *
 * The convolution that makes patches has no overlaps, so it is a linear operation on each
 * patch. The head looks at one token an image, so in the last block only keys and values
 * are computed for all.
 */
#include <stdio.h>

#include "io/json.h"
#include "model/build.h"

/* What transformers calls the parts of a block: in checkpoints, and, since version 5, in
 * memory. */
struct names {
	const char *block, *query, *key, *value, *output, *up, *down;
};

static const struct names older = {
	"encoder.layer.%d.",
	"attention.attention.query",
	"attention.attention.key",
	"attention.attention.value",
	"attention.output.dense",
	"intermediate.dense",
	"output.dense",
};

static const struct names newer = {
	"layers.%d.",       "attention.q_proj", "attention.k_proj", "attention.v_proj",
	"attention.o_proj", "mlp.fc1",          "mlp.fc2",
};

/* One number, or [height, width]. */
static int read_sides(const struct config_reader *r, const char *key, int64_t fallback,
		      size_t *height, size_t *width)
{
	const json_t *o = json_object_get(r->o, key);
	const struct config_size side = { key, fallback, CONFIG_IMAGE, height };
	json_int_t y, x;
	int rc;

	if (!json_is_array(o)) {
		rc = config_sizes(r, &side, 1);
		*width = *height;
		return rc;
	}
	y = json_integer_value(json_array_get(o, 0));
	x = json_integer_value(json_array_get(o, 1));
	if (json_array_size(o) != 2 || y < 1 || x < 1 || y > CONFIG_IMAGE ||
	    x > CONFIG_IMAGE)
		return err_set(r->e, EX_DATAERR,
			       "%s: %s is neither a number nor [height, width], each 1 to "
			       "%d",
			       r->file, key, CONFIG_IMAGE);
	*height = (size_t)y;
	*width = (size_t)x;
	return EX_OK;
}

static int configure(const struct config_reader *r, struct config *c)
{
	const struct config_size sizes[] = {
		{ "num_hidden_layers", 12, CONFIG_LAYERS, &c->layers },
		{ "hidden_size", 768, CONFIG_WIDTH, &c->width },
		{ "num_attention_heads", 12, CONFIG_WIDTH, &c->heads },
		{ "intermediate_size", 3072, CONFIG_INNER, &c->inner },
		{ "num_channels", 3, CONFIG_CHANNELS, &c->channels },
	};
	const struct config_probability probabilities[] = {
		{ "hidden_dropout_prob", 0, &c->dropout },
		{ "attention_probs_dropout_prob", 0, &c->attention_dropout },
	};
	double eps;
	int rc;

	if ((rc = config_sizes(r, sizes, sizeof sizes / sizeof *sizes)) != EX_OK ||
	    (rc = config_probabilities(r, probabilities, 2)) != EX_OK ||
	    (rc = config_real(r, "layer_norm_eps", 1e-12, 0, 1, &eps)) != EX_OK ||
	    (rc = config_real(r, "initializer_range", 0.02, 0, 100, &c->init_std)) !=
		EX_OK ||
	    (rc = js_bool(r->o, "qkv_bias", true, &c->qkv_bias, r->file, r->e)) != EX_OK ||
	    (rc = read_sides(r, "image_size", 224, &c->image_height, &c->image_width)) !=
		EX_OK ||
	    (rc = read_sides(r, "patch_size", 16, &c->patch_height, &c->patch_width)) !=
		EX_OK)
		return rc;
	if (c->patch_height > c->image_height || c->patch_width > c->image_width)
		return err_set(r->e, EX_DATAERR, "%s: patch_size exceeds image_size",
			       r->file);
	c->positions =
	    1 + (c->image_height / c->patch_height) * (c->image_width / c->patch_width);
	if (c->positions > CONFIG_POSITIONS)
		return err_set(
		    r->e, EX_DATAERR,
		    "%s: image_size and patch_size make %zu patches of an image, "
		    "more than %d",
		    r->file, c->positions - 1, CONFIG_POSITIONS - 1);
	c->embedding_dropout = c->dropout;
	c->norm_eps = (float)eps;
	return config_activation(r, "hidden_act", "gelu", &c->act);
}

static int embeddings(struct builder *b)
{
	const struct config *c = &b->m->config;
	const size_t class_shape[3] = { 1, 1, c->width };
	const size_t place_shape[3] = { 1, c->positions, c->width };
	const size_t patch_shape[4] = { c->width, c->channels, c->patch_height,
					c->patch_width };
	int row, place, w, x;

	build_enter(b, "embeddings.", LAYER_EMBED);
	row = build_param(b, "cls_token", NULL, TYPE_EMBED, INIT_NORMAL, 3, class_shape);
	place = build_param(b, "position_embeddings", NULL, TYPE_EMBED, INIT_NORMAL, 3,
			    place_shape);
	w = build_param(b, "patch_embeddings.projection", "weight", TYPE_EMBED, INIT_NORMAL,
			4, patch_shape);
	build_param(b, "patch_embeddings.projection", "bias", TYPE_BIAS, INIT_ZERO, 1,
		    &c->width);
	x = build_apply(b, w, build_patches(b), 0, c->width);
	return build_dropout(b, c->embedding_dropout, build_prefix(b, row, place, x));
}

/* A query, key or value. */
static int project(struct builder *b, const char *module, int in)
{
	size_t width = b->m->config.width;

	return b->m->config.qkv_bias
		   ? build_linear(b, module, TYPE_ATTN, in, width)
		   : build_linear_unbiased(b, module, TYPE_ATTN, in, width);
}

static int block(struct builder *b, const struct names *name, int layer, bool last, int x)
{
	const struct config *c = &b->m->config;
	char scope[BUILD_SCOPE];
	int n, own, q, k, v, y, h;

	snprintf(scope, sizeof scope, name->block, layer);
	build_enter(b, scope, layer);
	n = build_norm(b, "layernorm_before", x);
	own = last ? build_take(b, TAKE_FIRST, n) : n;
	q = project(b, name->query, own);
	k = project(b, name->key, n);
	v = project(b, name->value, n);
	y = build_attention(b, q, k, v, build_scale(b), false);
	y = build_linear(b, name->output, TYPE_ATTN, y, c->width);
	h = build_residual(b, last ? build_take(b, TAKE_FIRST, x) : x, y, c->dropout);
	y = build_norm(b, "layernorm_after", h);
	y = build_act(b, c->act, build_linear(b, name->up, TYPE_MLP, y, c->inner));
	y = build_linear(b, name->down, TYPE_MLP, y, c->width);
	return build_residual(b, h, y, c->dropout);
}

static int build(struct model *m, const struct head_spec *head, struct err *e)
{
	const struct config *c = &m->config;
	const struct names *names;
	struct builder b;
	int layers = (int)c->layers, x;

	build_start(&b, m, head, "vit.", "ViTForImageClassification",
		    "embeddings.cls_token", e);
	names = build_has(&b, "layers.0.layernorm_before.weight") ? &newer : &older;
	x = embeddings(&b);
	for (int i = 0; i < layers; i++)
		x = block(&b, names, i, i == layers - 1, x);
	build_enter(&b, "", LAYER_HEAD);
	x = build_norm(&b, "layernorm", x);
	build_outside(&b, "");
	x = build_head(&b, "classifier", x, c->labels, true, true);
	return build_loss(&b, x);
}

static const char *const ignored[] = { "*embeddings.mask_token", "*pooler.dense.*",
				       "decoder.*", NULL };

const struct architecture architecture_vit = {
	.model_type = "vit",
	.configure = configure,
	.build = build,
	.ignored = ignored,
	.lora_targets = "query,value,q_proj,v_proj",
};
