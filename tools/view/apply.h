/*
 * apply - an adapter and its base as one model.
 */
#ifndef VIEW_APPLY_H
#define VIEW_APPLY_H

#include "base/err.h"
#include "cli.h"

/* Writes the directory `out`, whole or not at all: the model of `base` with the tensors of
 * the adapter in `dir` in place of its own, and LoRA pairs merged. EX_USAGE when `dir` is
 * no adapter's; EX_DATAERR when it was trained upon another base. */
int apply(const struct cli *cli, const char *base, const char *dir, const char *out,
	  struct err *e);

#endif
