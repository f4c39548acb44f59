/*
 * shards - which shards of a probing run there are, as text: I/N, I-J/N, or ranges of both
 * sorts with commas between them: "1-2,4/5".
 */
#ifndef INFLUENCE_SHARDS_H
#define INFLUENCE_SHARDS_H

#include <stddef.h>
#include <stdint.h>

#include "base/err.h"
#include "base/str.h"

#define SHARDS_MOST UINT32_MAX /* that a run may be divided into */

struct shard_range {
	uint64_t first, last; /* from 1 */
};

struct shard_set {
	uint64_t of;               /* N; 0 before the first were added */
	struct shard_range *range; /* by increasing number; no two touch */
	size_t n, cap;
};

/* Adds those that the text names. EX_DATAERR when it is malformed or of another N. */
int shard_set_add(struct shard_set *s, const char *text, struct err *e);
/* Adds those of another set of the same N. */
int shard_set_join(struct shard_set *s, const struct shard_set *other, struct err *e);
void shard_set_print(const struct shard_set *s, struct strbuf *out);
void shard_set_free(struct shard_set *s);

#endif
