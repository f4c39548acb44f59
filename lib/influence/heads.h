/*
 * heads - the heads of several ppi streams as one, the same whatever the order of the
 * streams.
 *
 * Lines that say the same but for the shard count once, with the shards of all of them:
 * ##probe lines by their word shard=I/N, ##pg lines by their option --shard. Of such a
 * ##pg line the options -o and --interactions are left out, as every shard has its own
 * files. So the shards of a run, however they are spread over files, have the head of a run
 * of them all.
 *
 * ##pg lines that are not alike are in the order of the tools that the data went through:
 * a line stands behind those that it followed in any of the streams, as far down as the
 * longest way there; lines of one distance are ordered by their text.
 */
#ifndef INFLUENCE_HEADS_H
#define INFLUENCE_HEADS_H

#include "base/err.h"
#include "base/str.h"
#include "io/stream.h"

struct heads;

int heads_start(struct heads **h, struct err *e);
void heads_free(struct heads *h);

/* Adds the head of the stream of that name. EX_DATAERR when it is of another model (by its
 * digest), of other groups or pairs, of a run in another number of shards than those
 * before it, or of shards that were probed in another way. The keys of lines that differ
 * and may, task and probe, are appended to `differ`. */
int heads_add(struct heads *h, const char *name, const struct meta_list *head,
	      struct strlist *differ, struct err *e);

/* How the ##probe line that heads_add last told to differ does: "method=hvp, but the files
 * before have method=ggn"; "" when its words are the same. */
const char *heads_difference(const struct heads *h);

/* The number of shards that the run was divided into; 1 when no stream says. */
uint64_t heads_shards(const struct heads *h);

/* Appends model, task, lora, groups, group, probe and pg lines, in this order. */
int heads_merge(struct heads *h, struct meta_list *to, struct err *e);

#endif
