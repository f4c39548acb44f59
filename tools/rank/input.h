/*
 * input - ppi streams, read into a ranker.
 */
#ifndef RANK_INPUT_H
#define RANK_INPUT_H

#include "base/err.h"
#include "cli.h"
#include "influence/heads.h"
#include "influence/rank.h"
#include "influence/regroup.h"
#include "io/stream.h"

/* Takes in the head of a stream, and notes how it differs from those before it. */
int input_head(const struct cli *cli, const struct stream_reader *r, struct heads *heads,
	       struct err *e);

/* Reads the stream in `path` (NULL: stdin): its rows into `ranker` and
 * `regrouper` (or NULL), its head into `heads`.
 */
int input_read(const struct cli *cli, const char *path, struct ranker *ranker,
	       struct regrouper *regrouper, struct heads *heads, struct err *e);

#endif
