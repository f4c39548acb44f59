/*
 * rows - the streams that adapeft-probe writes.
 */
#ifndef PROBE_ROWS_H
#define PROBE_ROWS_H

#include <stdint.h>
#include <stdio.h>

#include "base/err.h"
#include "influence/estimate.h"
#include "influence/interactions.h"
#include "io/stream.h"
#include "peft/group.h"

int rows_start(struct stream_writer **w, FILE *out, enum stream_format format,
	       const struct meta_list *head, struct err *e);
/* The rows of one batch, handed to the next tool at once. */
int rows_put(struct stream_writer *w, const struct partition *part, uint64_t step,
	     size_t shard, const struct estimate *x, struct err *e);

/* The whole stream of interactions. */
int rows_interactions(FILE *out, enum stream_format format, const struct meta_list *head,
		      const struct partition *part, const struct interactions *x,
		      struct err *e);

#endif
