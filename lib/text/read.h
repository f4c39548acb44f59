/*
 * read - the files of a tokenizer, opened; private to lib/text.
 *
 * transformers rebuilds a BertTokenizer from the vocabulary and tokenizer_config.json,
 * whatever else tokenizer.json says of normal forms; other classes are read from
 * tokenizer.json as they are. `rebuilt` is which.
 */
#ifndef TEXT_READ_H
#define TEXT_READ_H

#include <stdbool.h>

#include "io/json.h"
#include "text/parts.h"

/* A JSON file, or `json` NULL when it does not exist. */
struct json_file {
	char *path;
	json_t *json;
};

struct source {
	const char *dir;
	struct json_file whole;   /* tokenizer.json */
	struct json_file config;  /* tokenizer_config.json */
	struct json_file special; /* special_tokens_map.json */
	struct json_file added;   /* added_tokens.json */
	char *vocab_path;         /* vocab.txt */
	const char *named;        /* the vocabulary's path, for messages */
	bool rebuilt;
};

/* The vocabulary: from tokenizer.json when it holds a WordPiece model, else vocab.txt. */
int read_vocabulary(struct tokenizer *t, const struct source *from, struct err *e);

/* Special and added tokens, and where they stand around the texts. */
int read_special(struct tokenizer *t, const struct source *from, struct err *e);

#endif
