/*
 * heads_fold - lines that are the same but for the shards that they speak of.
 */
#ifndef INFLUENCE_HEADS_FOLD_H
#define INFLUENCE_HEADS_FOLD_H

#include <stddef.h>

#include "base/err.h"
#include "base/str.h"
#include "influence/shards.h"

/* A line of metadata, without its shards. */
struct folded {
	char *text;
	size_t cut;              /* where in it the shards stood */
	struct shard_set shards; /* of = 0: none */
	size_t level;            /* for the order of a list */
};

/* The value as it stands. */
int fold_whole(struct folded *f, const char *value, struct err *e);
/* Of a ##probe line; EX_DATAERR when the word shard= is malformed. */
int fold_probe(struct folded *f, const char *value, struct err *e);
/* Of a ##pg line. One without --shard, or with one that is no shard, is left whole. */
int fold_command(struct folded *f, const char *value, struct err *e);
/* Appends how `a` differs from `b`, which came before it, word by word: "method=hvp, but
 * the files before have method=ggn". Shards that both have are passed over. Nothing is
 * appended when no word differs. */
int folded_difference(const struct folded *a, const struct folded *b, struct strbuf *to,
		      struct err *e);
/* The line with its shards, for the caller to free; NULL when memory is short. */
char *folded_print(const struct folded *f);
void folded_free(struct folded *f);

struct fold_list {
	struct folded *f;
	size_t n, cap;
};

/* Takes over `f`, also when it fails: a new line, or more shards of the one at *at. */
int fold_list_add(struct fold_list *l, struct folded *f, size_t *at, struct err *e);
/* By level, then by text. */
void fold_list_sort(struct fold_list *l);
void fold_list_free(struct fold_list *l);

#endif
