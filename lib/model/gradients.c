/*
 * The visitor that adds up gradients: for a linear operation E'X and the column sums of E.
 */
#include <stdlib.h>
#include <string.h>

#include "base/mem.h"
#include "model/pass.h"
#include "model/pass_impl.h"
#include "tensor/blas.h"

int gradients_init(struct gradients *g, const struct model *m, const bool *wanted,
		   bool want_terms, struct err *e)
{
	*g = (struct gradients){ .m = m };
	g->g = mem_zeros(m->n_params, sizeof *g->g);
	g->terms = mem_zeros(m->n_params, sizeof *g->terms);
	if (g->g == NULL || g->terms == NULL)
		goto short_of_memory;
	for (size_t i = 0; i < m->n_params; i++) {
		bool sums = want_terms && m->params[i].ndim == 1;

		if (!wanted[i])
			continue;
		g->g[i] = mem_floats(m->params[i].n);
		if (g->g[i] == NULL)
			goto short_of_memory;
		if (sums && (g->terms[i] = mem_floats(m->params[i].n)) == NULL)
			goto short_of_memory;
	}
	gradients_zero(g);
	return EX_OK;

short_of_memory:
	gradients_free(g);
	return err_nomem(e);
}

void gradients_zero(struct gradients *g)
{
	for (size_t i = 0; i < g->m->n_params; i++) {
		size_t bytes = g->m->params[i].n * sizeof(float);

		if (g->g[i] != NULL)
			memset(g->g[i], 0, bytes);
		if (g->terms[i] != NULL)
			memset(g->terms[i], 0, bytes);
	}
}

static bool wants(const void *self, size_t param)
{
	return ((const struct gradients *)self)->g[param] != NULL;
}

static float *slice(float *const *table, int param)
{
	return param < 0 ? NULL : table[param];
}

/* table[at[t]] += e[t]; threads divide the columns, so that the order of sums is fixed. */
static void scatter(const struct batch *b, size_t width, const uint32_t *at, const float *e,
		    float *table)
{
	const size_t piece = 64;

#pragma omp parallel for schedule(static)
	for (size_t first = 0; first < width; first += piece) {
		size_t end = first + piece < width ? first + piece : width;

		for (size_t t = 0; t < b->tokens; t++) {
			float *row = table + at[t] * width;
			const float *from = e + t * width;

			for (size_t j = first; j < end; j++)
				row[j] += from[j];
		}
	}
}

/* Types are bytes; there are two rows at most that matter, so the sums go row by row. */
static void scatter_types(const struct batch *b, size_t width, const float *e, float *table)
{
	for (size_t t = 0; t < b->tokens; t++) {
		float *row = table + b->types[t] * width;

		for (size_t j = 0; j < width; j++)
			row[j] += e[t * width + j];
	}
}

static void visit(void *self, const struct pass *p, const struct op *op, const float *e)
{
	struct gradients *g = self;
	const struct model *m = p->m;
	size_t rows = pass_rows(p, op->out), width = m->slots[op->out].width, in;
	const float *x = op->in[0] < 0 ? NULL : p->act[op->in[0]], *stat;
	float *d0 = slice(g->g, op->p[0]), *d1 = slice(g->g, op->p[1]);
	float *terms = slice(g->terms, op->p[1]);

	switch (op->kind) {
	case OP_LINEAR:
		in = m->slots[op->in[0]].width;
		if (d0 != NULL)
			gemm_tn(width, in, rows, e, width, x, in, 1, d0, in);
		if (d1 != NULL)
			rows_sum(m->k, rows, width, e, d1, terms);
		break;
	case OP_NORM:
		stat = pass_stat(p, op)->f;
		norm_backward(m->k, rows, width, x, p->w[op->p[0]], stat, stat + rows, e,
			      NULL, d0, d1, terms);
		break;
	case OP_EMBED:
		if (d0 != NULL)
			scatter(p->batch, width, p->batch->ids, e, d0);
		if (d1 != NULL)
			scatter(p->batch, width, p->batch->position, e, d1);
		if (op->p[2] >= 0 && g->g[op->p[2]] != NULL)
			scatter_types(p->batch, width, e, g->g[op->p[2]]);
		break;
	default: break;
	}
}

struct visitor gradients_visitor(struct gradients *g)
{
	return (struct visitor){ .self = g, .wants = wants, .visit = visit };
}

void gradients_free(struct gradients *g)
{
	for (size_t i = 0; g->m != NULL && i < g->m->n_params; i++) {
		if (g->g != NULL)
			free(g->g[i]);
		if (g->terms != NULL)
			free(g->terms[i]);
	}
	free(g->g);
	free(g->terms);
	*g = (struct gradients){ 0 };
}
