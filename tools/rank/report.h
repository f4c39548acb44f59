/*
 * report - what is to be said of a ranking, on stderr.
 */
#ifndef RANK_REPORT_H
#define RANK_REPORT_H

#include "cli.h"
#include "influence/rank.h"

/* Rows that count as 0 or came twice, shards that are missing, halves that disagree and,
 * then or with -v, the groups that they disagree about. */
void report(const struct cli *cli, const struct ranking *a);

#endif
