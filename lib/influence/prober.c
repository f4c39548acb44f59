#include "influence/prober.h"

#include <math.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "base/mem.h"
#include "base/prng.h"
#include "influence/fit.h"

/* The least rms that a group's weights are taken to have. */
#define SMALLEST 1e-3

/* ---- what a prober holds ---- */

static bool measures_all(const struct prober_options *o)
{
	return o->method == METHOD_GGN || o->method == METHOD_FISHER || o->matrix;
}

/* Elements of all tensors of which a group has some. */
static size_t tensors_of(const struct model *m, const struct group *g)
{
	size_t n = 0;

	for (size_t j = 0; j < g->n; j++)
		if (j == 0 || g->member[j].param != g->member[j - 1].param)
			n += m->params[g->member[j].param].n;
	return n;
}

static int make_fit(struct prober *p, struct err *e)
{
	uint64_t largest = 0;
	size_t members = 0;

	for (size_t k = 0; k < p->part->n; k++) {
		const struct group *g = &p->part->g[k];

		largest = g->params > largest ? g->params : largest;
		members = g->n > members ? g->n : members;
	}
	p->reaches = mem_zeros(p->part->n, p->o.shards * sizeof *p->reaches);
	p->directions = mem_floats(largest);
	p->move = mem_zeros(members, sizeof *p->move);
	if (p->reaches == NULL || p->directions == NULL || p->move == NULL)
		return err_nomem(e);
	return change_init(&p->change, p->t->m, e);
}

static int make_hvp(struct prober *p, struct err *e)
{
	const struct model *m = p->t->m;
	size_t largest = 0;

	for (size_t k = 0; k < p->part->n; k++) {
		size_t n = tensors_of(m, &p->part->g[k]);

		largest = n > largest ? n : largest;
	}
	p->moving = mem_floats(largest);
	p->v = mem_zeros(m->n_params, sizeof *p->v);
	if (p->moving == NULL || p->v == NULL)
		return err_nomem(e);
	memset(p->moving, 0, largest * sizeof *p->moving);
	return jet_init(&p->jet, m, e);
}

static int make_curvature(struct prober *p, struct err *e)
{
	size_t n = p->part->n, all;

	p->t->pass.retain = true;
	p->curv = mem_zeros(n, sizeof *p->curv);
	p->traces = mem_zeros(n, sizeof *p->traces);
	if (p->curv == NULL || p->traces == NULL)
		return err_nomem(e);
	if (p->o.matrix) {
		p->matrix = mem_mul(n, n, &all) ? mem_zeros(all, sizeof *p->matrix) : NULL;
		if (p->matrix == NULL)
			return err_nomem(e);
	}
	return curvature_init(&p->curvature, p->t->m, p->part, e);
}

static int make_halves(struct prober *p, struct err *e)
{
	int rc = EX_OK;

	for (int h = 0; h < 2 && rc == EX_OK; h++)
		rc = gradients_init(&p->halves.of[h], p->t->m, p->t->wanted, true, e);
	return rc;
}

int prober_init(struct prober *p, struct trainer *t, const struct partition *part,
		const struct prober_options *o, struct err *e)
{
	int rc;

	*p = (struct prober){ .t = t, .part = part, .o = *o };
	if (p->o.shards == 0)
		p->o.shards = p->o.first_shard = 1;
	p->along = mem_zeros(part->n, sizeof *p->along);
	rc = p->along == NULL ? err_nomem(e) : sweep_init(&p->sweep, part, e);
	if (rc == EX_OK && o->method == METHOD_FIT)
		rc = make_fit(p, e);
	if (rc == EX_OK && o->method == METHOD_HVP)
		rc = make_hvp(p, e);
	if (rc == EX_OK && measures_all(o))
		rc = make_curvature(p, e);
	if (rc == EX_OK && o->halves)
		rc = make_halves(p, e);
	if (rc != EX_OK)
		prober_free(p);
	return rc;
}

void prober_free(struct prober *p)
{
	if (p->t == NULL)
		return;
	change_free(p->change);
	jet_free(p->jet);
	curvature_free(p->curvature);
	gradients_free(&p->halves.of[0]);
	gradients_free(&p->halves.of[1]);
	sweep_free(&p->sweep);
	free(p->along);
	free(p->matrix);
	free(p->curv);
	free(p->traces);
	free(p->moving);
	free(p->v);
	free(p->reaches);
	free(p->directions);
	free(p->move);
	*p = (struct prober){ 0 };
}

/* ---- the gradient ---- */

/* What the loss is a mean over, of the sequences from `first` on. */
static double samples_from(const struct model *m, const struct batch *b, size_t first)
{
	size_t n = 0;

	if (!m->language)
		return (double)(b->sequences - first);
	for (size_t i = b->targets; i > 0 && b->predict[i - 1] >= b->start[first]; i--)
		n++;
	return (double)n;
}

int prober_gradient(struct prober *p, const struct batch *b, double *loss, struct err *e)
{
	struct halves *h = &p->halves;
	size_t cut = b->sequences - b->sequences / 2;
	double all = samples_from(p->t->m, b, 0);

	p->gradients++;
	h->share[1] = samples_from(p->t->m, b, cut) / all;
	h->share[0] = 1 - h->share[1];
	p->halved = p->o.halves && h->share[0] > 0 && h->share[1] > 0;
	if (!p->halved)
		return trainer_gradient(p->t, b, loss, e);
	return trainer_gradient_cut(p->t, b, cut, h->of, loss, e);
}

/* ---- methods ---- */

static struct estimate begin(const struct prober *p, size_t k, double loss)
{
	const struct model *m = p->t->m;
	const struct along *a = &p->along[k];
	double n = (double)p->part->g[k].params, direction = sqrt(a->direction2 / n);
	/* A group that starts at zero, such as a new bias, may go as far as one that starts
	 * as the model initialises weights. */
	double weights = fmax(sqrt(a->weights2 / n), fmax(m->config.init_std, SMALLEST));

	return (struct estimate){
		.loss = loss,
		.slope = a->slope,
		.noise = a->noise,
		.curv = NAN,
		.eta = NAN,
		.r2 = NAN,
		.tau = trust_bound(&p->o.trust, weights, direction, p->part->g[k].params,
				   model_params(m)),
		.reach = p->o.method == METHOD_FIT && !a->zero
			     ? FIT_FARTHEST * weights / direction
			     : NAN,
		.spread = NAN,
		.bent = NAN,
		.status = a->zero ? STATUS_ZERO : STATUS_OK,
	};
}

static void fit(struct prober *p, size_t k, struct estimate *x)
{
	const struct group *g = &p->part->g[k];
	float *d = p->directions;

	for (size_t j = 0; j < g->n; j++) {
		sweep_direction(p->t, g->member[j].param, g->member[j].from, g->member[j].n,
				d);
		d += g->member[j].n;
	}
	fit_group(p, k, x);
}

/* Lets the group's elements move in p->v, or stand still again. */
static void set_moving(struct prober *p, size_t k, bool moves)
{
	const struct group *g = &p->part->g[k];
	float *d = p->moving;

	for (size_t j = 0; j < g->n; j++) {
		const struct member *r = &g->member[j];

		p->v[r->param] = moves ? d : NULL;
		if (moves)
			sweep_direction(p->t, r->param, r->from, r->n, d + r->from);
		else
			memset(d + r->from, 0, r->n * sizeof *d);
		if (j + 1 < g->n && g->member[j + 1].param != r->param)
			d += p->t->m->params[r->param].n;
	}
}

static void hvp(struct prober *p, size_t k, struct estimate *x)
{
	set_moving(p, k, true);
	x->curv = jet_run(p->jet, p->v).second;
	set_moving(p, k, false);
	p->jets++;
}

static void get_direction(const void *self, size_t param, size_t from, size_t n, float *d)
{
	sweep_direction(self, param, from, n, d);
}

/* The curvatures of ggn and the matrix, or the traces of fisher. */
static int measure_all(struct prober *p, size_t shard, struct err *e)
{
	struct directions d = { p->t, get_direction };
	struct pass *pass = &p->t->pass;
	uint64_t key = prng_mix(prng_mix(prng_mix(p->o.seed) + p->t->step) + shard);
	unsigned draws = p->o.draws;
	int rc = EX_OK;

	if (draws == 0)
		draws = curvature_draws(p->t->m, pass->batch->sequences);
	p->curvatures++;
	/* First, since a curvature may take what the pass retains. */
	if (p->o.method == METHOD_FISHER)
		rc = curvature_fisher(p->curvature, pass, p->traces, e);
	if (rc == EX_OK && (p->o.method == METHOD_GGN || p->o.matrix))
		rc = curvature_measure(p->curvature, pass, d, draws, key, p->curv,
				       p->matrix, e);
	return rc;
}

/* Gain and ppi of a method without a curvature. */
static void settle_plain(const struct prober *p, size_t k, struct estimate *x)
{
	const struct group *g = &p->part->g[k];
	struct prng random;

	switch (p->o.method) {
	case METHOD_MAGNITUDE:
		x->status = STATUS_OK;
		x->gain = p->along[k].weights_abs;
		break;
	case METHOD_RANDOM:
		x->status = STATUS_OK;
		prng_seed(&random, p->o.seed, g->name);
		x->ppi = prng_unit(&random);
		x->gain = x->ppi * (double)g->params;
		return;
	case METHOD_FISHER: x->gain = x->status == STATUS_ZERO ? 0 : p->traces[k]; break;
	default:
		if (x->status != STATUS_ZERO && !(x->slope > 0))
			x->status = STATUS_NOISE;
		x->gain = x->status == STATUS_OK ? x->slope : 0;
	}
	x->ppi = x->gain / (double)g->params;
}

static void estimate_group(struct prober *p, size_t k, struct estimate *x)
{
	bool zero = x->status == STATUS_ZERO;

	switch (p->o.method) {
	case METHOD_FIT:
		if (!zero)
			fit(p, k, x);
		break;
	case METHOD_HVP:
		if (!zero)
			hvp(p, k, x);
		break;
	case METHOD_GGN: x->curv = zero ? NAN : p->curv[k]; break;
	default: settle_plain(p, k, x); return;
	}
	estimate_settle(x, p->part->g[k].params);
}

static int prepare(struct prober *p, size_t shard, struct err *e)
{
	if (p->o.method == METHOD_FIT) {
		p->reach = p->reaches + (shard - p->o.first_shard) * p->part->n;
		p->lean = 0;
		return change_batch(p->change, &p->t->pass, e);
	}
	return p->o.method == METHOD_HVP ? jet_batch(p->jet, &p->t->pass, e) : EX_OK;
}

int prober_step(struct prober *p, size_t shard, double loss, struct estimate *out,
		struct progress *progress, size_t done, struct err *e)
{
	bool one_by_one = p->o.method == METHOD_FIT || p->o.method == METHOD_HVP;
	char note[48];
	bool last = p->o.method == METHOD_FIT;
	int rc = EX_OK;

	/* Drawn labels overwrite the logits, which a fit needs and jets make anew. */
	if (measures_all(&p->o) && !last)
		rc = measure_all(p, shard, e);
	if (rc == EX_OK)
		rc = prepare(p, shard, e);
	if (rc != EX_OK)
		return rc;
	snprintf(note, sizeof note, "loss %.4f", loss);
	sweep_run(&p->sweep, p->t, p->halved ? &p->halves : NULL, p->along);
	for (size_t k = 0; k < p->part->n; k++) {
		out[k] = begin(p, k, loss);
		estimate_group(p, k, &out[k]);
		if (progress != NULL && (one_by_one || k + 1 == p->part->n))
			progress_step(progress, done + k + 1, note);
	}
	return last && p->o.matrix ? measure_all(p, shard, e) : EX_OK;
}
