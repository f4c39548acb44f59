/*
 * DistilBERT (Sanh et al. 2019, arXiv 1910.01108): BERT's blocks with other names, no types
 * of tokens, no dropout behind the attention, and a head of its own:
 *
 *   z  = dropout(relu(x Wp' + bp)) Wc' + bc
 */
#include <stdio.h>

#include "io/json.h"
#include "model/build.h"

static int configure(const struct config_reader *r, struct config *c)
{
	const struct config_size sizes[] = {
		{ "n_layers", 6, CONFIG_LAYERS, &c->layers },
		{ "dim", 768, CONFIG_WIDTH, &c->width },
		{ "n_heads", 12, CONFIG_WIDTH, &c->heads },
		{ "hidden_dim", 3072, CONFIG_INNER, &c->inner },
		{ "vocab_size", 30522, CONFIG_VOCAB, &c->vocab },
		{ "max_position_embeddings", 512, CONFIG_POSITIONS, &c->positions },
	};
	const struct config_probability probabilities[] = {
		{ "dropout", 0.1, &c->dropout },
		{ "attention_dropout", 0.1, &c->attention_dropout },
		{ "seq_classif_dropout", 0.2, &c->head_dropout },
	};
	int rc;

	if ((rc = config_sizes(r, sizes, sizeof sizes / sizeof *sizes)) != EX_OK ||
	    (rc = config_probabilities(r, probabilities, 3)) != EX_OK ||
	    (rc = config_pad_token(r, 0, c)) != EX_OK ||
	    (rc = config_real(r, "initializer_range", 0.02, 0, 100, &c->init_std)) != EX_OK)
		return rc;
	c->embedding_dropout = c->dropout;
	c->norm_eps = 1e-12F;
	return config_activation(r, "activation", "gelu", &c->act);
}

static int block(struct builder *b, int layer, bool last, int x)
{
	const struct config *c = &b->m->config;
	char scope[BUILD_SCOPE];
	int own, q, k, v, y, h;

	snprintf(scope, sizeof scope, "transformer.layer.%d.", layer);
	build_enter(b, scope, layer);
	own = last ? build_take(b, TAKE_FIRST, x) : x;
	q = build_linear(b, "attention.q_lin", TYPE_ATTN, own, c->width);
	k = build_linear(b, "attention.k_lin", TYPE_ATTN, x, c->width);
	v = build_linear(b, "attention.v_lin", TYPE_ATTN, x, c->width);
	y = build_attention(b, q, k, v, build_scale(b), false);
	y = build_linear(b, "attention.out_lin", TYPE_ATTN, y, c->width);
	h = build_norm(b, "sa_layer_norm", build_residual(b, own, y, 0));
	y = build_linear(b, "ffn.lin1", TYPE_MLP, h, c->inner);
	y = build_linear(b, "ffn.lin2", TYPE_MLP, build_act(b, c->act, y), c->width);
	return build_norm(b, "output_layer_norm", build_residual(b, h, y, c->dropout));
}

static int build(struct model *m, const struct head_spec *head, struct err *e)
{
	const struct config *c = &m->config;
	struct builder b;
	int layers = (int)c->layers, word, place, x;

	build_start(&b, m, head, "distilbert.", "DistilBertForSequenceClassification",
		    "embeddings.word_embeddings.weight", e);
	build_enter(&b, "embeddings.", LAYER_EMBED);
	word = build_table(&b, "word_embeddings", c->vocab, c->width);
	place = build_table(&b, "position_embeddings", c->positions, c->width);
	x = build_norm(&b, "LayerNorm", build_embed(&b, word, place, -1, 0, -1));
	x = build_dropout(&b, c->embedding_dropout, x);
	for (int i = 0; i < layers; i++)
		x = block(&b, i, i == layers - 1, x);
	build_outside(&b, "");
	x = build_head(&b, "pre_classifier", x, c->width, true, false);
	x = build_dropout(&b, c->head_dropout, build_act(&b, ACT_RELU, x));
	x = build_head(&b, "classifier", x, c->labels, true, true);
	return build_loss(&b, x);
}

static const char *const ignored[] = {
	"*embeddings.position_ids", "vocab_transform.*", "vocab_layer_norm.*",
	"vocab_projector.*",        "qa_outputs.*",      NULL
};

const struct architecture architecture_distilbert = {
	.model_type = "distilbert",
	.configure = configure,
	.build = build,
	.ignored = ignored,
	.lora_targets = "q_lin,v_lin",
};
