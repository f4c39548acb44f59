/*
 * samples - what each sequence of a batch has to do with a parameter: products of its
 * gradient that are made without the gradient.
 *
 * With the error e at the output of an operation, the sequence s with the rows t adds to a
 * parameter's gradient
 *
 *     G_s[i, j] = sum_t l[t, i] r[t, j]
 *
 *     weight [outputs, in]     l = e                  r = x
 *     weight [in, outputs]     l = x                  r = e
 *     LoRA A [rank, in]        l = scale e B          r = x
 *     LoRA B [outputs, rank]   l = e                  r = scale x A'
 *     table                    l = 1 where row i was read, else 0
 *                                                     r = e
 *     bias                     l = e                  r = 1
 *     scale of a norm          l = e (x - mean) rstd  r = 1
 *
 * so that for a direction V, and for two operations a and b with the same parameter,
 *
 *     <G_s, V> of row i        = sum_t l[t, i] (r V')[t, i]
 *     G_s^a . G_s^b of row i   = sum_t l^a[t, i] (r^a r^b' l^b)[t, i]
 */
#ifndef MODEL_SAMPLES_H
#define MODEL_SAMPLES_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#include "base/err.h"
#include "model/pass.h"

/* The direction of elements from .. from + n of a parameter into d[n]. */
struct directions {
	const void *self;
	void (*get)(const void *self, size_t param, size_t from, size_t n, float *d);
};

/* What the rows of a parameter's first dimension (of a vector: its elements) are counted
 * as. */
struct units {
	const size_t *of_row; /* [shape[0]]; NULL: all as `all` */
	size_t all;
};

#define UNIT_NONE SIZE_MAX /* not counted */

struct samples; /* buffers */

int samples_init(struct samples **w, const struct model *m, struct err *e);
void samples_free(struct samples *w);

bool units_any(const struct units *u);

/* For the batch of `p`, a pass with `keep` that ran forward without dropout, and for other
 * directions than before. `again`: errors will be handed in more than once for the same
 * directions, so that r V' is kept where errors are not part of it, in as much memory as
 * the pass's outputs take. EX_UNAVAILABLE when memory is short, as below. */
int samples_batch(struct samples *w, const struct pass *p, bool again, struct err *e);

/* u[s stride + unit] += <G_s, V> over the unit's elements, for the parameters of `op` that
 * have units, units[n_params]. e [rows, width]: the error at the output of `op`. */
int samples_along(struct samples *w, const struct op *op, const float *e,
		  const struct directions *d, const struct units *units, double *u,
		  size_t stride, struct err *err);

/* squares[unit] += sum_s |G_s|^2 over the unit's elements, G_s being the sum over all
 * operations with the parameter, from the errors that a pass with `retain` has left. Rows
 * of tables that have no gradient count nothing. */
int samples_squares(struct samples *w, size_t param, const struct units *units,
		    double *squares, struct err *err);

#endif
