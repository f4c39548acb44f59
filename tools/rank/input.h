/*
 * input - ppi streams, read into a ranker.
 */
#ifndef RANK_INPUT_H
#define RANK_INPUT_H

#include "base/err.h"
#include "cli.h"
#include "influence/heads.h"
#include "influence/rank.h"

/* Reads the stream in `path` (NULL: stdin): its rows into `ranker`, its head into `heads`.
 */
int input_read(const struct cli *cli, const char *path, struct ranker *ranker,
	       struct heads *heads, struct err *e);

#endif
