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

/* Reads the stream in `path` (NULL: stdin): its rows into `ranker` and
 * `regrouper` (or NULL), its head into `heads`.
 */
int input_read(const struct cli *cli, const char *path, struct ranker *ranker,
	       struct regrouper *regrouper, struct heads *heads, struct err *e);

#endif
