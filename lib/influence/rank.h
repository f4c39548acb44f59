/*
 * rank - influence accumulated over a probing run, and how far it can be trusted.
 *
 *     APPI_k  = sum over probed steps of ppi        (arXiv 2505.12579, section 3)
 *     value_k = sum over probed steps of gain       what a selection maximises
 *
 * With ppi = 2 gain / params, value / params is half of APPI: both order groups alike per
 * parameter. Rows are keyed by (step, group) and added in the order of steps, so the result
 * does not depend on how they are spread over files or in which order they come.
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

#define RANK_STATUSES (STATUS_ZERO + 1)

/* A row of a ppi stream. Strings are copied. */
struct influence_row {
	int64_t step;
	const char *group, *type, *layer, *status;
	const char *choice; /* groups of one choice are alternatives; "-": none */
	uint64_t params;
	double gain, ppi;
};

struct ranked {
	char *group, *type, *layer, *choice;
	uint64_t params;
	double value, appi;
	double mean, sd;  /* of ppi over steps, sd with n - 1, 0 for one step */
	double stability; /* 1 - |r1 - r2| / (K - 1), r1 and r2 being the group's ranks by
			   * APPI in the first and in the second half of the steps (ties
			   * share their mean rank); 1 with one step or one group */
	size_t steps;     /* rows counted, rejected ones among them */
	size_t rejected, bounded;
};

enum rank_by { RANK_APPI, RANK_VALUE };

struct ranking {
	struct ranked *g; /* best first; ties: fewer params, then name */
	size_t n;
	size_t rows, repeated; /* a row that came twice with the same numbers counts once */
	size_t by_status[RANK_STATUSES];
	size_t negcurv_counted; /* of those, with a gain above 0 */
	size_t steps;           /* different ones */
	double tau; /* Kendall's tau-b of APPI between the halves; nan with fewer than two
		     * steps or when a half is constant */
};

struct ranker;

int ranker_start(struct ranker **r, struct err *e);
/* What follows comes from a file of that name, which messages use. */
int ranker_source(struct ranker *r, const char *name, struct err *e);
/* EX_DATAERR for a gain or ppi that is not finite, an unknown status, or a group whose
 * type, layer, params or choice are not what they were before; the message says no place.
 */
int ranker_add(struct ranker *r, const struct influence_row *row, struct err *e);
/* Call once. EX_DATAERR when a (step, group) came twice with different numbers, naming both
 * places. `out` belongs to the ranker. */
int ranker_finish(struct ranker *r, enum rank_by by, const struct ranking **out,
		  struct err *e);
void ranker_free(struct ranker *r);

#endif
