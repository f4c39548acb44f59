/*
 * bert - what RoBERTa shares with BERT.
 */
#ifndef MODEL_BERT_H
#define MODEL_BERT_H

#include "model/build.h"

/* The members of BERT's config.json. */
int bert_configure(const struct config_reader *r, struct config *c);
/* Embeddings and blocks; returns the first tokens' slot. The table of positions has
 * `places` rows, of which the last config.positions are used; a token `pad` (-1: none) has
 * none of them, but the row of its own number. */
int bert_encoder(struct builder *b, size_t places, int64_t pad);

#endif
