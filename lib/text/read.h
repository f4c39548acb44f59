/*
 * read - the files of a tokenizer, opened; private to lib/text.
 *
 * transformers rebuilds the tokenizers of BERT, GPT-2 and RoBERTa from the vocabulary and
 * tokenizer_config.json, whatever else tokenizer.json says of normal forms and words;
 * other classes are read from tokenizer.json as they are. `rebuilt` is which.
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

enum rebuilt { REBUILT_NOT, REBUILT_BERT, REBUILT_GPT2, REBUILT_ROBERTA };

struct source {
	const char *dir;
	struct json_file whole;   /* tokenizer.json */
	struct json_file config;  /* tokenizer_config.json */
	struct json_file special; /* special_tokens_map.json */
	struct json_file added;   /* added_tokens.json */
	char *vocab_path;         /* vocab.txt */
	struct json_file pieces;  /* vocab.json */
	char *merges_path;        /* merges.txt */
	const char *named;        /* the vocabulary's path, for messages */
	enum rebuilt rebuilt;
	bool is_bpe;
};

/* Adds the members of an object, token to number. */
int read_pieces(struct vocab *v, json_t *pieces, const char *path, struct err *e);

/* WordPiece: from tokenizer.json when it is there, else vocab.txt. */
int read_wordpiece(struct tokenizer *t, const struct source *from, struct err *e);

/* Byte-level BPE: from tokenizer.json, else vocab.json and merges.txt. */
int read_bpe(struct tokenizer *t, const struct source *from, struct err *e);

/* Special and added tokens, and where they stand around the texts. */
int read_special(struct tokenizer *t, const struct source *from, struct err *e);

/* The special tokens by their names; VOCAB_NONE when there is none. */
struct specials {
	uint32_t bos, eos, unk, sep, pad, cls, mask;
};

/* Where special tokens stand around the texts. */
int read_layout(struct tokenizer *t, const struct source *from, const struct specials *s,
		struct err *e);

/* The "type" of a part of tokenizer.json; "" when the part is absent or null. */
int part_type(const struct source *from, const char *part, const char **type,
	      struct err *e);
/* EX_DATAERR when a part of tokenizer.json is of another type; "" for no part. */
int want_type(const struct source *from, const char *part, const char *want, struct err *e);

#endif
