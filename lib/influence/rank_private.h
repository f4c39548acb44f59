/*
 * rank_private - what rank.c shares with rank_groups.c and rank_stability.c.
 */
#ifndef INFLUENCE_RANK_PRIVATE_H
#define INFLUENCE_RANK_PRIVATE_H

#include "base/numbering.h"
#include "influence/rank.h"
#include "io/sorter.h"

/* Where rows were read: they are numbered from 0 through all sources. */
struct places {
	struct strlist names;
	uint64_t *begin; /* [names.n] number of each source's first row */
	size_t cap;
	uint64_t rows; /* so far */
};

int places_add(struct places *p, const char *name, struct err *e);
/* The source of a row, and its number there, from 1. */
const char *place_of(const struct places *p, uint64_t row, uint64_t *in_source);
void places_free(struct places *p);

/* The groups, in the order in which they were met. */
struct group_table {
	struct numbering names; /* which own the strings of g's groups */
	struct ranked *g;
	size_t n, cap;
	uint64_t *met; /* [n] the row where each was first met */
	size_t cap_met;
	size_t last; /* group of the last row */
};

/* The group of the row that `p` counts next, new or not. EX_DATAERR when it is not as it
 * was met first. */
int group_table_find(struct group_table *t, const struct places *p,
		     const struct influence_row *row, size_t *at, struct err *e);
void group_table_free(struct group_table *t);

/* Fills first, second and stability of g[out->n], and out's tau, settled, carrier and
 * tau_without. half[0, n) and half[n, 2n) are the groups' APPI in the halves; out->steps
 * stands. */
int compare_halves(struct ranked *g, const double *half, struct ranking *out,
		   struct err *e);

#endif
