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
#include "model/bert.h"

#include <stdio.h>
#include <string.h>

#include "io/json.h"

int bert_configure(const struct config_reader *r, struct config *c)
{
	const struct config_size sizes[] = {
		{ "num_hidden_layers", 12, CONFIG_LAYERS, &c->layers },
		{ "hidden_size", 768, CONFIG_WIDTH, &c->width },
		{ "num_attention_heads", 12, CONFIG_WIDTH, &c->heads },
		{ "intermediate_size", 3072, CONFIG_INNER, &c->inner },
		{ "vocab_size", 30522, CONFIG_VOCAB, &c->vocab },
		{ "max_position_embeddings", 512, CONFIG_POSITIONS, &c->positions },
		{ "type_vocab_size", 2, CONFIG_TYPES, &c->types },
	};
	const struct config_probability probabilities[] = {
		{ "hidden_dropout_prob", 0.1, &c->dropout },
		{ "attention_probs_dropout_prob", 0.1, &c->attention_dropout },
	};
	const char *place;
	double eps, head;
	int rc;

	if ((rc = config_sizes(r, sizes, sizeof sizes / sizeof *sizes)) != EX_OK ||
	    (rc = config_probabilities(r, probabilities, 2)) != EX_OK ||
	    (rc = config_real(r, "classifier_dropout", (double)c->dropout, 0, 0.99,
			      &head)) != EX_OK ||
	    (rc = config_real(r, "layer_norm_eps", 1e-12, 0, 1, &eps)) != EX_OK ||
	    (rc = config_real(r, "initializer_range", 0.02, 0, 100, &c->init_std)) !=
		EX_OK ||
	    (rc = config_activation(r, "hidden_act", "gelu", &c->act)) != EX_OK ||
	    (rc = config_pad_token(r, 0, c)) != EX_OK ||
	    (rc = config_refuse(r, "is_decoder", "only as an encoder")) != EX_OK ||
	    (rc = config_refuse(r, "add_cross_attention", "only as an encoder")) != EX_OK ||
	    (rc = js_text(r->o, "position_embedding_type", "absolute", &place, r->file,
			  r->e)) != EX_OK)
		return rc;
	c->norm_eps = (float)eps;
	c->head_dropout = (float)head;
	c->embedding_dropout = c->dropout;
	if (strcmp(place, "absolute") == 0)
		return EX_OK;
	return err_set(r->e, EX_DATAERR,
		       "%s: position_embedding_type '%s' is not supported, only absolute",
		       r->file, place);
}

static int block(struct builder *b, int layer, bool last, int x)
{
	const struct config *c = &b->m->config;
	char scope[BUILD_SCOPE];
	int own, q, k, v, y, h;

	snprintf(scope, sizeof scope, "encoder.layer.%d.", layer);
	build_enter(b, scope, layer);
	own = last ? build_take(b, TAKE_FIRST, x) : x;
	q = build_linear(b, "attention.self.query", TYPE_ATTN, own, c->width);
	k = build_linear(b, "attention.self.key", TYPE_ATTN, x, c->width);
	v = build_linear(b, "attention.self.value", TYPE_ATTN, x, c->width);
	y = build_attention(b, q, k, v, build_scale(b), false);
	y = build_linear(b, "attention.output.dense", TYPE_ATTN, y, c->width);
	h = build_norm(b, "attention.output.LayerNorm",
		       build_residual(b, own, y, c->dropout));
	y = build_linear(b, "intermediate.dense", TYPE_MLP, h, c->inner);
	y = build_linear(b, "output.dense", TYPE_MLP, build_act(b, c->act, y), c->width);
	return build_norm(b, "output.LayerNorm", build_residual(b, h, y, c->dropout));
}

int bert_encoder(struct builder *b, size_t places, int64_t pad)
{
	const struct config *c = &b->m->config;
	size_t offset = places - c->positions;
	int layers = (int)c->layers, word, place, segment, x;

	build_enter(b, "embeddings.", LAYER_EMBED);
	word = build_table(b, "word_embeddings", c->vocab, c->width);
	place = build_table(b, "position_embeddings", places, c->width);
	segment = build_table(b, "token_type_embeddings", c->types, c->width);
	x = build_embed(b, word, place, segment, offset, pad);
	x = build_dropout(b, c->embedding_dropout, build_norm(b, "LayerNorm", x));
	for (int i = 0; i < layers; i++)
		x = block(b, i, i == layers - 1, x);
	return x;
}

static int build(struct model *m, const struct head_spec *head, struct err *e)
{
	const struct config *c = &m->config;
	struct builder b;
	int x;

	build_start(&b, m, head, "bert.", "BertForSequenceClassification",
		    "embeddings.word_embeddings.weight", e);
	x = bert_encoder(&b, c->positions, -1);
	build_enter(&b, "", LAYER_HEAD);
	x = build_head(&b, "pooler.dense", x, c->width, true, false);
	x = build_dropout(&b, c->head_dropout, build_act(&b, ACT_TANH, x));
	build_outside(&b, "");
	x = build_head(&b, "classifier", x, c->labels, true, true);
	return build_loss(&b, x);
}

static const char *const ignored[] = { "*embeddings.position_ids",
				       "*embeddings.token_type_ids",
				       "cls.predictions.*",
				       "cls.seq_relationship.*",
				       "qa_outputs.*",
				       NULL };

const struct architecture architecture_bert = {
	.model_type = "bert",
	.configure = bert_configure,
	.build = build,
	.ignored = ignored,
	.lora_targets = "query,value",
};
