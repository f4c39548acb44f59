/*
 * The visitor that adds up gradients.
 */
#include <stdlib.h>
#include <string.h>

#include "base/mem.h"
#include "model/pass.h"
#include "model/pass_impl.h"

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

static void add(const struct kernels *k, size_t n, const float *a, const float *b,
		float *sum)
{
	if (sum != NULL)
		vec_step(k, n, a, 1, b, sum);
}

void gradients_add(const struct gradients *a, const struct gradients *b,
		   struct gradients *sum)
{
	for (size_t i = 0; i < sum->m->n_params; i++) {
		size_t n = sum->m->params[i].n;

		add(sum->m->k, n, a->g[i], b->g[i], sum->g[i]);
		add(sum->m->k, n, a->terms[i], b->terms[i], sum->terms[i]);
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

static void visit(void *self, const struct pass *p, const struct op *op, const float *e)
{
	struct gradients *g = self;
	const struct model *m = p->m;
	struct span part = pass_span(p, op->out, g->first, g->end);
	size_t rows = pass_rows(p, op->out), width = m->slots[op->out].width;
	const float *x = op->in[0] < 0 ? NULL : p->act[op->in[0]], *stat;
	float *d0 = slice(g->g, op->p[0]), *d1 = slice(g->g, op->p[1]);
	float *terms = slice(g->terms, op->p[1]);

	switch (op->kind) {
	case OP_LINEAR: linear_gradients(p, op, part, e, g->g, g->terms); break;
	case OP_NORM:
		stat = pass_stat(p, op)->f + part.from;
		norm_backward(m->k, part.n, width, x + part.from * width, p->w[op->p[0]],
			      stat, stat + rows, e + part.from * width, NULL, d0, d1,
			      terms);
		break;
	case OP_EMBED: embed_gradients(p, op, part, e, g->g); break;
	case OP_PREFIX: prefix_gradients(p, op, part, e, g->g); break;
	default: break;
	}
}

struct visitor gradients_visitor(struct gradients *g)
{
	return (struct visitor){ .self = g, .wants = wants, .visit = visit };
}

static void visit_two(void *self, const struct pass *p, const struct op *op, const float *e)
{
	struct gradients *two = self;

	visit(&two[0], p, op, e);
	visit(&two[1], p, op, e);
}

struct visitor gradients_visitor_of_two(struct gradients two[2])
{
	return (struct visitor){ .self = two, .wants = wants, .visit = visit_two };
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
