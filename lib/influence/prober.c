#include "influence/prober.h"

#include <math.h>
#include <stdio.h>
#include <stdlib.h>

#include "base/mem.h"
#include "influence/fit.h"

/* A bias gradient whose sum cancels to this share of its terms is zero in exact arithmetic,
 * as far as float sums can tell: an attention's key bias moves all of a query's scores
 * alike. */
#define CANCELLED 1e-5

/* The least rms that a group's weights are taken to have. */
#define SMALLEST 1e-3

int prober_init(struct prober *p, struct trainer *t, const struct partition *part,
		enum method method, struct trust_region trust, struct err *e)
{
	uint64_t largest = 0;

	*p = (struct prober){ .t = t, .part = part, .method = method, .trust = trust };
	for (size_t k = 0; k < part->n; k++)
		largest = part->g[k].params > largest ? part->g[k].params : largest;
	p->reach = mem_zeros(part->n, sizeof *p->reach);
	p->directions = mem_floats(largest);
	p->moved = method == METHOD_FIT ? mem_floats(largest) : NULL;
	if (p->reach == NULL || p->directions == NULL ||
	    (method == METHOD_FIT && p->moved == NULL) ||
	    pass_init(&p->tail, t->m, false, e) != EX_OK) {
		prober_free(p);
		return err_nomem(e);
	}
	return EX_OK;
}

void prober_free(struct prober *p)
{
	pass_free(&p->tail);
	free(p->reach);
	free(p->directions);
	free(p->moved);
	*p = (struct prober){ 0 };
}

/* Is the exact gradient of parameter i zero? */
static bool gradient_is_zero(const struct gradients *g, const struct kernels *k, size_t i)
{
	size_t n = g->m->params[i].n;
	double norm2 = vec_dot(k, n, g->g[i], g->g[i]);

	if (g->terms[i] == NULL)
		return norm2 == 0;
	return norm2 <= CANCELLED * CANCELLED * vec_dot(k, n, g->terms[i], g->terms[i]);
}

/* Directions of group k into p->directions; slope G.g and how far the group may go. */
static void look_along(struct prober *p, size_t k, struct estimate *out)
{
	const struct trainer *t = p->t;
	const struct model *m = t->m;
	const struct group *g = &p->part->g[k];
	double slope = 0, steps2 = 0, weights2 = 0, n = (double)g->params, scale;
	float *d = p->directions;
	bool zero = true;

	for (size_t j = 0; j < g->n; j++) {
		size_t i = g->member[j].param;
		const struct param *w = &m->params[i];

		trainer_direction(t, i, d);
		slope += vec_dot(m->k, w->n, t->grad.g[i], d);
		steps2 += vec_dot(m->k, w->n, d, d);
		weights2 += vec_dot(m->k, w->n, w->w, w->w);
		zero = zero && gradient_is_zero(&t->grad, m->k, i);
		d += w->n;
	}
	/* A group that starts at zero, such as a new bias, may go as far as one that starts
	 * as the model initialises weights. */
	scale = fmax(sqrt(weights2 / n), fmax(m->config.init_std, SMALLEST));
	out->slope = slope;
	out->status = zero ? STATUS_ZERO : STATUS_OK;
	out->tau =
	    p->trust.kind == TRUST_INF ? INFINITY : p->trust.x * scale / sqrt(steps2 / n);
	out->reach = FIT_FARTHEST * scale / sqrt(steps2 / n);
}

static void settle_grad(struct estimate *e, uint64_t params)
{
	e->curv = e->eta = e->r2 = NAN;
	e->reach = 0;
	if (e->status == STATUS_ZERO)
		return;
	e->gain = e->slope;
	e->ppi = e->slope / (double)params;
}

int prober_step(struct prober *p, const struct batch *b, double loss, struct estimate *out,
		struct progress *progress, size_t done, struct err *e)
{
	char note[48];
	int rc = EX_OK;

	snprintf(note, sizeof note, "loss %.4f", loss);
	if (p->method == METHOD_FIT) {
		rc = pass_batch(&p->tail, b, e);
		if (rc != EX_OK)
			return rc;
		p->rounding = 0;
	}
	for (size_t k = 0; k < p->part->n; k++) {
		out[k] = (struct estimate){ .loss = loss };
		look_along(p, k, &out[k]);
		if (p->method == METHOD_GRAD) {
			settle_grad(&out[k], p->part->g[k].params);
		} else {
			if (out[k].status != STATUS_ZERO)
				fit_group(p, k, &out[k]);
			estimate_settle(&out[k], p->part->g[k].params);
		}
		if (progress != NULL)
			progress_step(progress, done + k + 1, note);
	}
	return rc;
}
