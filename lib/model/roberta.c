/*
 * RoBERTa (Liu et al. 2019, arXiv 1907.11692): BERT with positions that begin behind the
 * padding token's number, and a head of its own, of the first token's x:
 *
 *   z  = dropout(tanh(dropout(x) Wd' + bd)) Wo' + bo
 */
#include "io/json.h"
#include "model/bert.h"

static int configure(const struct config_reader *r, struct config *c)
{
	size_t places;
	int rc = bert_configure(r, c);

	if (rc == EX_OK && json_object_get(r->o, "vocab_size") == NULL)
		c->vocab = 50265;
	if (rc == EX_OK)
		rc = config_pad_token(r, 1, c);
	if (rc != EX_OK)
		return rc;
	places = c->positions;
	if (c->pad_token < 0 || (size_t)c->pad_token + 1 >= places)
		return err_set(r->e, EX_DATAERR,
			       "%s: pad_token_id, %lld, leaves no position of the %zu that "
			       "max_position_embeddings says",
			       r->file, (long long)c->pad_token, places);
	c->positions = places - (size_t)c->pad_token - 1;
	return EX_OK;
}

static int build(struct model *m, const struct head_spec *head, struct err *e)
{
	const struct config *c = &m->config;
	struct builder b;
	int x;

	build_start(&b, m, head, "roberta.", "RobertaForSequenceClassification",
		    "embeddings.word_embeddings.weight", e);
	x = bert_encoder(&b, c->positions + (size_t)c->pad_token + 1, c->pad_token);
	build_outside(&b, "classifier.");
	x = build_head(&b, "dense", build_dropout(&b, c->head_dropout, x), c->width, true,
		       false);
	x = build_dropout(&b, c->head_dropout, build_act(&b, ACT_TANH, x));
	x = build_head(&b, "out_proj", x, c->labels, true, true);
	return build_loss(&b, x);
}

static const char *const ignored[] = { "*embeddings.position_ids",
				       "*embeddings.token_type_ids",
				       "*pooler.dense.*",
				       "lm_head.*",
				       "qa_outputs.*",
				       NULL };

const struct architecture architecture_roberta = {
	.model_type = "roberta",
	.configure = configure,
	.build = build,
	.ignored = ignored,
	.lora_targets = "query,value",
};
