/*
 * table - the predictions as a file: row, label, guess, and the logits; a column run in
 * front when there are several.
 */
#ifndef EVALUATE_TABLE_H
#define EVALUATE_TABLE_H

#include <stdbool.h>
#include <stdio.h>

#include "data/dataset.h"
#include "train/judge.h"

/* Rows count from 1. Logits have the fewest digits that read back to the same float. The
 * header is written when `first`; errors show when the file is committed. */
void table_write(FILE *out, const char *run, bool first, const struct predictions *p,
		 const struct dataset *d, const struct task *t);

#endif
