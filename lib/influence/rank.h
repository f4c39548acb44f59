/*
 * rank - influence accumulated over a probing run, and how far it can be trusted.
 *
 *     APPI_k  = sum over probed steps of ppi        (arXiv 2505.12579, section 3)
 *     value_k = sum over probed steps of gain       what a selection maximises
 *
 * A run that was probed in n shards has n estimates of a step and group; gain and ppi of
 * the step are the means over those that are there. With ppi = 2 gain / params,
 * value / params is half of APPI: both order groups alike per parameter.
 *
 * Rows are keyed by (step, group, shard) and added in that order, so the result does not
 * depend on how they are spread over files or in which order they come, nor on how many
 * of them memory holds: those that it does not are sorted on disk. Memory is that buffer
 * and what is kept of each group.
 *
 * Rows of status ok and bounded count as they are. All others are rejected: they count as
 * 0, but for negcurv with a gain above 0 (a bounded step), which counts and is rejected
 * too. Rejected rows are counted and never dropped in silence.
 */
#ifndef INFLUENCE_RANK_H
#define INFLUENCE_RANK_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#include "base/err.h"
#include "influence/estimate.h"
#include "influence/shards.h"

#define RANK_STATUSES (STATUS_ZERO + 1)

#define RANK_SETTLED_TAU   0.5 /* below it the halves of a run disagree */
#define RANK_SETTLED_STEPS 4   /* fewer say nothing about it */

/* A row of a ppi stream. Strings are copied. */
struct influence_row {
	int64_t step;  /* from 0 */
	int64_t shard; /* from 1 */
	const char *group, *type, *layer, *status;
	const char *choice; /* groups of one choice are alternatives; "-": none */
	uint64_t params;
	double gain, ppi;
};

struct ranked {
	char *group, *type, *layer, *choice;
	uint64_t params;
	double value, appi;
	double mean, sd;      /* of ppi over steps, sd with n - 1, 0 for one step */
	double first, second; /* rank by APPI in the first and in the second half of the
			       * steps; ties share their mean rank */
	double stability;     /* 1 - |first - second| / (K - 1); 1 with one step or group */
	size_t steps;
	size_t rejected, bounded; /* rows, of all shards */
};

enum rank_by { RANK_APPI, RANK_VALUE };

struct ranking {
	struct ranked *g; /* best first; ties: fewer params, then name */
	size_t n;
	size_t rows, repeated; /* a row that came twice with the same numbers counts once */
	size_t by_status[RANK_STATUSES];
	size_t negcurv_counted; /* of those, with a gain above 0 */
	size_t steps;           /* different ones */
	double tau;   /* Kendall's tau-b of APPI between the halves; nan with fewer than two
		       * steps or when a half is constant */
	bool settled; /* not: tau is below RANK_SETTLED_TAU, with enough steps to say so */
	const char *carrier; /* unsettled: the group whose rank changed most */
	double tau_without;  /* tau over all groups but the carrier */

	uint64_t shards;    /* of the run: as expected, or the largest number met */
	size_t estimates;   /* pairs of step and group; what is no repetition is in one */
	size_t incomplete;  /* of those, with fewer shards; the first of them: */
	int64_t lacks_step; /* by step, then name */
	const char *lacks_group;
	size_t lacks_has; /* shards */

	size_t runs; /* written to disk by the sort; 0 when memory held all rows */
};

struct ranker;

/* Memory holds rows of about `buffer` bytes in all; further ones go to a file without a
 * name in `dir`, which must outlive the ranker. */
int ranker_start(struct ranker **r, size_t buffer, const char *dir, struct err *e);
/* What follows comes from a file of that name, which messages use. */
int ranker_source(struct ranker *r, const char *name, struct err *e);
/* The run has so many shards, even if the last of them have no row. */
void ranker_expect_shards(struct ranker *r, uint64_t n);
/* EX_DATAERR for a negative step, a shard that is not from 1 to SHARDS_MOST, a gain or ppi
 * that is not finite, an unknown status, or a group whose type, layer, params or choice are
 * not what they were before; the message says no place. EX_CANTCREAT and EX_IOERR when
 * rows had to go to disk and could not. */
int ranker_add(struct ranker *r, const struct influence_row *row, struct err *e);
/* Call once. EX_DATAERR when a (step, group, shard) came twice with different numbers,
 * naming both places. `out` belongs to the ranker. */
int ranker_finish(struct ranker *r, enum rank_by by, const struct ranking **out,
		  struct err *e);
void ranker_free(struct ranker *r);

#endif
