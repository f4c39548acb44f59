/*
 * GPT-2 (Radford et al. 2019, "pre-norm"):
 *
 *   x    = dropout(word[token] + position[place])
 *   a block, with weights that stand as [in, outputs] in the checkpoint:
 *     n  = norm(x);  q, k, v = the thirds of n Wa + ba
 *     h  = x + dropout(attention(q, k, v) Wp + bp), every token seeing those before it
 *     x  = h + dropout(act(norm(h) Wf + bf) Wg + bg)
 *   head:
 *     z  = norm(x) word'   of every token whose successor is to be predicted; or
 *     z  = norm(x) Ws'     of the last token in each sequence
 *
 * A classifier looks at one token a sequence, so in its last block only keys and values are
 * computed for all.
 */
#include <stdio.h>

#include "io/json.h"
#include "model/build.h"

static int configure(const struct config_reader *r, struct config *c)
{
	const struct config_size sizes[] = {
		{ "n_layer", 12, CONFIG_LAYERS, &c->layers },
		{ "n_embd", 768, CONFIG_WIDTH, &c->width },
		{ "n_head", 12, CONFIG_WIDTH, &c->heads },
		{ "vocab_size", 50257, CONFIG_VOCAB, &c->vocab },
		{ "n_positions", 1024, CONFIG_POSITIONS, &c->positions },
	};
	const struct config_probability probabilities[] = {
		{ "resid_pdrop", 0.1, &c->dropout },
		{ "embd_pdrop", 0.1, &c->embedding_dropout },
		{ "attn_pdrop", 0.1, &c->attention_dropout },
	};
	double eps;
	int rc = config_sizes(r, sizes, sizeof sizes / sizeof *sizes);
	const struct config_size inner = { "n_inner", 4 * (int64_t)c->width, CONFIG_INNER,
					   &c->inner };

	if (rc != EX_OK || (rc = config_sizes(r, &inner, 1)) != EX_OK ||
	    (rc = config_probabilities(r, probabilities, 3)) != EX_OK ||
	    (rc = config_real(r, "layer_norm_epsilon", 1e-5, 0, 1, &eps)) != EX_OK ||
	    (rc = config_real(r, "initializer_range", 0.02, 0, 100, &c->init_std)) !=
		EX_OK ||
	    (rc = config_refuse(r, "add_cross_attention", "only decoders without it")) !=
		EX_OK ||
	    (rc = js_bool(r->o, "scale_attn_weights", true, &c->scaled, r->file, r->e)) !=
		EX_OK ||
	    (rc = js_bool(r->o, "scale_attn_by_inverse_layer_idx", false,
			  &c->scaled_by_layer, r->file, r->e)) != EX_OK ||
	    (rc = js_bool(r->o, "tie_word_embeddings", true, &c->tied, r->file, r->e)) !=
		EX_OK)
		return rc;
	c->norm_eps = (float)eps;
	return config_activation(r, "activation_function", "gelu_new", &c->act);
}

static float scale(const struct builder *b, int layer)
{
	float s = b->m->config.scaled ? build_scale(b) : 1;

	return b->m->config.scaled_by_layer ? s / (float)(layer + 1) : s;
}

static int block(struct builder *b, int layer, bool last, int x)
{
	const struct config *c = &b->m->config;
	size_t width = c->width;
	char scope[BUILD_SCOPE];
	int n, own, w, q, k, v, y, h;

	snprintf(scope, sizeof scope, "h.%d.", layer);
	build_enter(b, scope, layer);
	n = build_norm(b, "ln_1", x);
	w = build_weight(b, "attn.c_attn", TYPE_ATTN, INIT_NORMAL, width, 3 * width);
	own = last ? build_take(b, TAKE_LAST, n) : n;
	q = build_apply(b, w, own, 0, width);
	k = build_apply(b, w, n, width, width);
	v = build_apply(b, w, n, 2 * width, width);
	y = build_attention(b, q, k, v, scale(b, layer), true);
	w = build_weight(b, "attn.c_proj", TYPE_ATTN, INIT_SCALED, width, width);
	y = build_apply(b, w, y, 0, width);
	h = build_residual(b, last ? build_take(b, TAKE_LAST, x) : x, y, c->dropout);
	y = build_linear(b, "mlp.c_fc", TYPE_MLP, build_norm(b, "ln_2", h), c->inner);
	w = build_weight(b, "mlp.c_proj", TYPE_MLP, INIT_SCALED, c->inner, width);
	y = build_apply(b, w, build_act(b, c->act, y), 0, width);
	return build_residual(b, h, y, c->dropout);
}

static int build(struct model *m, const struct head_spec *head, struct err *e)
{
	const struct config *c = &m->config;
	struct builder b;
	int layers = (int)c->layers, word, place, x;

	build_start(&b, m, head, "transformer.",
		    head->language ? "GPT2LMHeadModel" : "GPT2ForSequenceClassification",
		    "wte.weight", e);
	b.transposed = true;
	build_enter(&b, "", LAYER_EMBED);
	word = build_table(&b, "wte", c->vocab, c->width);
	place = build_table(&b, "wpe", c->positions, c->width);
	x = build_embed(&b, word, place, -1, 0, -1);
	x = build_dropout(&b, c->embedding_dropout, x);
	for (int i = 0; i < layers; i++)
		x = block(&b, i, i == layers - 1 && !head->language, x);
	if (head->language)
		x = build_take(&b, TAKE_TARGETS, x);
	build_enter(&b, "", LAYER_HEAD);
	x = build_norm(&b, "ln_f", x);
	build_outside(&b, "");
	if (!head->language)
		x = build_head(&b, "score", x, c->labels, false, true);
	else if (c->tied)
		x = build_tied(&b, word, x);
	else
		x = build_head(&b, "lm_head", x, c->vocab, false, true);
	return build_loss(&b, x);
}

static const char *const ignored[] = {
	"*.attn.bias",  "*.attn.masked_bias",     "lm_head.weight",
	"score.weight", "multiple_choice_head.*", NULL
};

const struct architecture architecture_gpt2 = {
	.model_type = "gpt2",
	.configure = configure,
	.build = build,
	.ignored = ignored,
	.language = true,
	.lora_targets = "c_attn",
};
