#include "influence/sweep.h"

#include <math.h>
#include <stdlib.h>
#include <string.h>

#include "base/mem.h"

#define PIECE ((size_t)2048) /* elements whose directions and weights fit in a cache */

/* A bias gradient whose sum cancels to this share of its terms is zero in exact arithmetic,
 * as far as float sums can tell: an attention's key bias moves all of a query's scores
 * alike. */
#define CANCELLED 1e-5

enum half { A, B };

struct piece {
	size_t param, from, n;
	/* of the last run */
	double slope, direction2, weights2, weights_abs, gradient2, terms2;
	double product[2][2]; /* G_A.g_A, G_A.g_B, ... */
};

static size_t pieces_of(size_t n)
{
	return n / PIECE + (n % PIECE != 0);
}

int sweep_init(struct sweep *s, const struct partition *part, struct err *e)
{
	size_t n = 0, at = 0;

	*s = (struct sweep){ .part = part };
	for (size_t k = 0; k < part->n; k++)
		for (size_t j = 0; j < part->g[k].n; j++)
			n += pieces_of(part->g[k].member[j].n);
	s->piece = mem_zeros(n, sizeof *s->piece);
	if (s->piece == NULL)
		return err_nomem(e);
	for (size_t k = 0; k < part->n; k++) {
		for (size_t j = 0; j < part->g[k].n; j++) {
			const struct member *m = &part->g[k].member[j];

			for (size_t i = 0; i < m->n; i += PIECE)
				s->piece[at++] = (struct piece){
					.param = m->param,
					.from = m->from + i,
					.n = m->n - i < PIECE ? m->n - i : PIECE,
				};
		}
	}
	s->n = n;
	return EX_OK;
}

void sweep_free(struct sweep *s)
{
	free(s->piece);
	*s = (struct sweep){ 0 };
}

void sweep_direction(const struct trainer *t, size_t i, size_t from, size_t n, float *d)
{
	trainer_direction_along(t, i, from, n, t->grad.g[i] + from, d);
}

static void multiply_halves(struct piece *p, const struct trainer *t,
			    const struct halves *h)
{
	float gradient[2][PIECE], direction[2][PIECE];

	for (int i = A; i <= B; i++) {
		memcpy(gradient[i], h->of[i].g[p->param] + p->from,
		       p->n * sizeof *gradient[i]);
		vec_scale(t->m->k, p->n, (float)(1 / h->share[i]), gradient[i]);
		trainer_direction_along(t, p->param, p->from, p->n, gradient[i],
					direction[i]);
	}
	for (int i = A; i <= B; i++)
		for (int j = A; j <= B; j++)
			p->product[i][j] =
			    vec_dot(t->m->k, p->n, gradient[i], direction[j]);
}

static void multiply(struct piece *p, const struct trainer *t, const struct halves *h)
{
	const struct kernels *k = t->m->k;
	const float *w = t->m->params[p->param].w + p->from;
	const float *g = t->grad.g[p->param] + p->from, *terms = t->grad.terms[p->param];
	float d[PIECE];

	trainer_direction_along(t, p->param, p->from, p->n, g, d);
	p->slope = vec_dot(k, p->n, g, d);
	p->direction2 = vec_dot(k, p->n, d, d);
	p->gradient2 = vec_dot(k, p->n, g, g);
	p->weights2 = vec_dot(k, p->n, w, w);
	p->weights_abs = vec_sum_abs(k, p->n, w);
	if (terms != NULL)
		p->terms2 = vec_dot(k, p->n, terms + p->from, terms + p->from);
	if (h != NULL)
		multiply_halves(p, t, h);
}

/* Adds up the pieces of a run; returns the one behind them. */
static const struct piece *add_run(const struct piece *p, size_t n, struct along *a,
				   double product[2][2])
{
	double gradient2 = 0, terms2 = 0;

	for (const struct piece *end = p + pieces_of(n); p < end; p++) {
		a->slope += p->slope;
		a->direction2 += p->direction2;
		a->weights2 += p->weights2;
		a->weights_abs += p->weights_abs;
		gradient2 += p->gradient2;
		terms2 += p->terms2;
		for (int i = 0; i < 4; i++)
			product[i / 2][i % 2] += p->product[i / 2][i % 2];
	}
	a->zero = a->zero && gradient2 <= CANCELLED * CANCELLED * terms2;
	return p;
}

void sweep_run(const struct sweep *s, const struct trainer *t, const struct halves *h,
	       struct along *out)
{
	const struct piece *p = s->piece;

#pragma omp parallel for schedule(static)
	for (size_t i = 0; i < s->n; i++)
		multiply(&s->piece[i], t, h);
	for (size_t k = 0; k < s->part->n; k++) {
		const struct group *g = &s->part->g[k];
		double product[2][2] = { { 0 } };

		out[k] = (struct along){ .noise = NAN, .zero = true };
		for (size_t j = 0; j < g->n; j++)
			p = add_run(p, g->member[j].n, &out[k], product);
		if (h == NULL)
			continue;
		out[k].slope = (product[A][B] + product[B][A]) / 2;
		out[k].noise = fabs(product[A][A] - product[B][B]) / 2;
	}
}
