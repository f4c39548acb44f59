#include "influence/curvature.h"

#include <math.h>
#include <stdlib.h>
#include <string.h>

#include "base/mem.h"
#include "base/prng.h"

#define FEW_CLASSES  8
#define FEWEST_DRAWN 64   /* samples of a batch, drawn by default */
#define ROUNDING     1e-6 /* residuals below are no longer known as well as their errors */
#define GRAIN        ((size_t)16384)

struct curvature {
	const struct model *m;
	const struct partition *part;
	struct units *units; /* [n_params] */
	size_t **of_row;     /* [n_params] what the units point to */
	struct samples *samples;
	double *u; /* [sequences, groups] of one s */
	size_t u_cap;
	double *weight; /* [sequences] of u^2 */
	size_t weight_cap;
	float *seed; /* [sequences, classes] a_ns */
	size_t seed_cap;
	uint32_t *drawn; /* [targets] labels */
	size_t drawn_cap;
};

/* ---- groups as units ---- */

static int divide_rows(struct curvature *c, const struct member *at, size_t group,
		       struct err *e)
{
	const struct param *p = &c->m->params[at->param];
	size_t rows = p->shape[0], columns = p->n / rows, **of_row = &c->of_row[at->param];

	if (at->n == p->n) {
		c->units[at->param].all = group;
		return EX_OK;
	}
	if (*of_row == NULL) {
		*of_row = mem_zeros(rows, sizeof **of_row);
		if (*of_row == NULL)
			return err_nomem(e);
		for (size_t i = 0; i < rows; i++)
			(*of_row)[i] = UNIT_NONE;
		c->units[at->param].of_row = *of_row;
	}
	for (size_t i = at->from / columns; i < (at->from + at->n) / columns; i++)
		(*of_row)[i] = group;
	return EX_OK;
}

static int divide(struct curvature *c, struct err *e)
{
	const struct partition *part = c->part;
	int rc = EX_OK;

	for (size_t i = 0; i < c->m->n_params; i++)
		c->units[i].all = UNIT_NONE;
	for (size_t k = 0; k < part->n; k++)
		for (size_t j = 0; j < part->g[k].n && rc == EX_OK; j++)
			rc = divide_rows(c, &part->g[k].member[j], k, e);
	return rc;
}

int curvature_init(struct curvature **out, const struct model *m,
		   const struct partition *part, struct err *e)
{
	struct curvature *c = mem_zeros(1, sizeof *c);
	int rc = EX_OK;

	*out = c;
	if (c == NULL)
		return err_nomem(e);
	c->m = m;
	c->part = part;
	c->units = mem_zeros(m->n_params, sizeof *c->units);
	c->of_row = mem_zeros(m->n_params, sizeof *c->of_row);
	if (c->units == NULL || c->of_row == NULL)
		rc = err_nomem(e);
	if (rc == EX_OK)
		rc = divide(c, e);
	if (rc == EX_OK)
		rc = samples_init(&c->samples, m, e);
	if (rc != EX_OK) {
		curvature_free(c);
		*out = NULL;
	}
	return rc;
}

void curvature_free(struct curvature *c)
{
	if (c == NULL)
		return;
	for (size_t i = 0; c->of_row != NULL && i < c->m->n_params; i++)
		free(c->of_row[i]);
	samples_free(c->samples);
	free(c->of_row);
	free(c->units);
	free(c->u);
	free(c->weight);
	free(c->seed);
	free(c->drawn);
	free(c);
}

static size_t classes_of(const struct model *m)
{
	return m->slots[m->logits].width;
}

unsigned curvature_draws(const struct model *m, size_t sequences)
{
	if (!m->language && (m->regression || classes_of(m) <= FEW_CLASSES))
		return 0;
	if (sequences == 0 || sequences >= FEWEST_DRAWN)
		return 1;
	return (unsigned)((FEWEST_DRAWN + sequences - 1) / sequences);
}

static unsigned exact_seeds(const struct model *m)
{
	return classes_of(m) <= 2 ? 1 : (unsigned)classes_of(m) - 1;
}

/* ---- the factors a_ns ---- */

/* log sum_c exp(z_c) */
static double log_sum(const float *z, size_t classes)
{
	double top = z[0], sum = 0;

	for (size_t c = 1; c < classes; c++)
		top = fmax(top, z[c]);
	for (size_t c = 0; c < classes; c++)
		sum += exp(z[c] - top);
	return log(sum) + top;
}

/* Column s of the triangular L with LL' = diag(p) - pp'. With t_s the sum of p from s on,
 *
 *     L[s, s] = sqrt(p_s t_{s+1} / t_s)      L[c, s] = -p_c sqrt(p_s / (t_s t_{s+1})), c >
 * s
 */
static void exact_factor(const float *z, size_t classes, size_t s, float *a)
{
	double all = log_sum(z, classes), p = exp(z[s] - all), above = 0, scale;

	for (size_t c = classes; c-- > s + 1;)
		above += exp(z[c] - all);
	memset(a, 0, classes * sizeof *a);
	if (above == 0)
		return;
	scale = sqrt(p / ((p + above) * above));
	a[s] = (float)(scale * above);
	for (size_t c = s + 1; c < classes; c++)
		a[c] = (float)(-scale * exp(z[c] - all));
}

/* One number for one target in one draw, 0 <= x < 1. */
static double drawn_unit(uint64_t key, unsigned draw, size_t target)
{
	uint64_t x = prng_mix(prng_mix(prng_mix(key) + draw) + target);

	return (double)(x >> 11) * 0x1p-53;
}

/* The class in which the fraction x of the sum of p falls. */
static size_t class_at(const float *p, size_t classes, double x)
{
	double total = 0, below = 0;
	size_t last = 0;

	for (size_t c = 0; c < classes; c++)
		total += (double)p[c];
	for (size_t c = 0; c < classes; c++) {
		below += (double)p[c];
		if (p[c] > 0)
			last = c;
		if (p[c] > 0 && x * total < below)
			break;
	}
	return last;
}

/* p - y, y drawn from p. */
static void drawn_factor(const float *z, size_t classes, double x, float *a)
{
	double all = log_sum(z, classes);

	for (size_t c = 0; c < classes; c++)
		a[c] = (float)exp(z[c] - all);
	a[class_at(a, classes, x)] -= 1;
}

/* The squared error's, sqrt(2): its Hessian is 2. */
static void squared_factor(size_t classes, size_t s, float *a)
{
	memset(a, 0, classes * sizeof *a);
	if (s == 0)
		a[0] = sqrtf(2);
}

/* Of all sequences: column s, or with `draws` draw s. */
static int make_seed(struct curvature *c, const struct pass *p, bool draws, uint64_t key,
		     unsigned s, struct err *e)
{
	const struct batch *b = p->batch;
	size_t classes = classes_of(c->m), need;

	if (!mem_mul(b->sequences, classes, &need))
		return err_nomem(e);
	if (mem_grow(&c->seed, &c->seed_cap, need, sizeof *c->seed, e) != EX_OK)
		return EX_UNAVAILABLE;
	for (size_t n = 0; n < b->sequences; n++) {
		const float *z = p->act[c->m->logits] + n * classes;
		float *a = c->seed + n * classes;

		if (b->label[n] < 0)
			squared_factor(classes, draws ? 0 : s, a);
		else if (draws)
			drawn_factor(z, classes, drawn_unit(key, s, n), a);
		else
			exact_factor(z, classes, s, a);
	}
	return EX_OK;
}

/* In place of share (p - onehot(label)) puts p - onehot(y), y drawn from p; label becomes
 * y. What p loses to rounding is 1e-7. */
static void redraw(struct pass *p, double share, uint32_t *label, uint64_t key, unsigned s)
{
	size_t classes = classes_of(p->m);
	float factor = (float)(1 / share);

#pragma omp parallel for schedule(static)
	for (size_t t = 0; t < p->batch->targets; t++) {
		float *z = p->act[p->m->logits] + t * classes;

		for (size_t c = 0; c < classes; c++)
			z[c] *= factor;
		z[label[t]] += 1;
		z[label[t]] = fmaxf(z[label[t]], 0);
		label[t] = (uint32_t)class_at(z, classes, drawn_unit(key, s, t));
		z[label[t]] -= 1;
	}
}

/* ---- sums over sequences ---- */

/* curv += sum_n weight_n u_n^2, and of the matrix the lower triangle. */
static void add_up(const struct curvature *c, size_t sequences, double *curv,
		   double *matrix)
{
	size_t groups = c->part->n;

#pragma omp parallel for schedule(static) if (sequences * groups >= GRAIN)
	for (size_t k = 0; k < groups; k++)
		for (size_t n = 0; n < sequences; n++) {
			double u = c->u[n * groups + k];

			curv[k] += c->weight[n] * u * u;
		}
	if (matrix == NULL)
		return;
#pragma omp parallel for schedule(dynamic, 16) if (sequences * groups >= GRAIN)
	for (size_t k = 0; k < groups; k++)
		for (size_t n = 0; n < sequences; n++) {
			const double *u = c->u + n * groups;
			double x = c->weight[n] * u[k];

			for (size_t l = 0; x != 0 && l <= k; l++)
				matrix[k * groups + l] += x * u[l];
		}
}

static void mirror(size_t groups, double *matrix)
{
	for (size_t k = 0; k < groups; k++)
		for (size_t l = 0; l < k; l++)
			matrix[l * groups + k] = matrix[k * groups + l];
}

/* The weights of u^2 where the errors are those of the loss, and so u is too small by
 * share (p - y) / a; false when one of them is too small to tell. */
static bool weigh_losses(struct curvature *c, const struct pass *p)
{
	const struct batch *b = p->batch;
	double share = 1 / (double)b->sequences;

	for (size_t n = 0; n < b->sequences; n++) {
		const float *z = p->act[c->m->logits] + n * classes_of(c->m);
		double residual, factor2, all;

		if (b->label[n] < 0) {
			residual = fabs((double)z[0] - b->target[n]);
			factor2 = 1 / (2 * residual * residual);
		} else {
			all = log_sum(z, 2);
			residual = exp(z[1 - b->label[n]] - all);
			factor2 = exp(z[b->label[n]] - all) / residual;
		}
		if (residual < ROUNDING)
			return false;
		c->weight[n] = factor2 / share;
	}
	return true;
}

/* ---- u ---- */

struct walk {
	struct curvature *c;
	const struct directions *d;
	struct err *e;
	int rc;
};

static bool wants(const void *self, size_t param)
{
	return units_any(&((const struct walk *)self)->c->units[param]);
}

static void visit(void *self, const struct pass *p, const struct op *op, const float *error)
{
	struct walk *w = self;
	struct curvature *c = w->c;

	(void)p;
	if (w->rc == EX_OK)
		w->rc = samples_along(c->samples, op, error, w->d, c->units, c->u,
				      c->part->n, w->e);
}

static void clear_u(struct curvature *c, size_t sequences)
{
	memset(c->u, 0, sequences * c->part->n * sizeof *c->u);
}

/* u of the errors that were retained. */
static int u_of_loss(struct walk *w, const struct pass *p)
{
	clear_u(w->c, p->batch->sequences);
	for (size_t i = p->m->n_ops; i-- > 0;) {
		const struct op *op = &p->m->ops[i];

		if (op->out >= 0 && p->err[op->out] != NULL)
			visit(w, p, op, p->err[op->out]->f);
	}
	return w->rc;
}

static int u_of_seed(struct walk *w, struct pass *p, const float *dz)
{
	const struct visitor v = { .self = w, .wants = wants, .visit = visit };
	bool retain = p->retain;
	int rc;

	clear_u(w->c, p->batch->sequences);
	p->retain = false;
	rc = pass_backward_from(p, dz, &v, w->e);
	p->retain = retain;
	return rc == EX_OK ? w->rc : rc;
}

/* ---- one batch ---- */

static int prepare(struct curvature *c, const struct pass *p, unsigned seeds, struct err *e)
{
	const struct batch *b = p->batch;
	size_t need;
	int rc = samples_batch(c->samples, p, seeds > 1, e);

	if (rc != EX_OK)
		return rc;
	if (!mem_mul(b->sequences, c->part->n, &need))
		return err_nomem(e);
	rc = mem_grow(&c->u, &c->u_cap, need, sizeof *c->u, e);
	if (rc == EX_OK)
		rc = mem_grow(&c->weight, &c->weight_cap, b->sequences, sizeof *c->weight,
			      e);
	if (rc == EX_OK && c->m->language)
		rc = mem_grow(&c->drawn, &c->drawn_cap, b->targets, sizeof *c->drawn, e);
	return rc;
}

static void weigh_alike(struct curvature *c, size_t sequences, double weight)
{
	for (size_t n = 0; n < sequences; n++)
		c->weight[n] = weight;
}

static int measure_language(struct walk *w, struct pass *p, unsigned draws, uint64_t key,
			    double *curv, double *matrix)
{
	struct curvature *c = w->c;
	const struct batch *b = p->batch;
	double targets = (double)b->targets;
	int rc = EX_OK;

	memcpy(c->drawn, b->next, b->targets * sizeof *c->drawn);
	weigh_alike(c, b->sequences, 1 / (targets * draws));
	for (unsigned s = 0; s < draws && rc == EX_OK; s++) {
		redraw(p, s == 0 ? 1 / targets : 1, c->drawn, key, s);
		rc = u_of_seed(w, p, p->act[c->m->logits]);
		if (rc == EX_OK)
			add_up(c, b->sequences, curv, matrix);
	}
	return rc;
}

static int measure_classes(struct walk *w, struct pass *p, bool draws, unsigned seeds,
			   uint64_t key, double *curv, double *matrix)
{
	struct curvature *c = w->c;
	size_t sequences = p->batch->sequences;
	int rc = EX_OK;

	if (!draws && seeds == 1 && p->retain && weigh_losses(c, p)) {
		rc = u_of_loss(w, p);
		if (rc == EX_OK)
			add_up(c, sequences, curv, matrix);
		return rc;
	}
	weigh_alike(c, sequences, 1 / ((double)sequences * (draws ? seeds : 1)));
	for (unsigned s = 0; s < seeds && rc == EX_OK; s++) {
		rc = make_seed(c, p, draws, key, s, w->e);
		if (rc == EX_OK)
			rc = u_of_seed(w, p, c->seed);
		if (rc == EX_OK)
			add_up(c, sequences, curv, matrix);
	}
	return rc;
}

int curvature_measure(struct curvature *c, struct pass *p, struct directions d,
		      unsigned draws, uint64_t key, double *curv, double *matrix,
		      struct err *e)
{
	struct walk w = { .c = c, .d = &d, .e = e };
	size_t groups = c->part->n;
	unsigned seeds;
	int rc;

	if (c->m->language && draws == 0)
		draws = curvature_draws(c->m, p->batch->sequences);
	if (c->m->regression)
		draws = 0;
	seeds = draws > 0 ? draws : exact_seeds(c->m);
	rc = prepare(c, p, seeds, e);
	if (rc != EX_OK)
		return rc;
	memset(curv, 0, groups * sizeof *curv);
	if (matrix != NULL)
		memset(matrix, 0, groups * groups * sizeof *matrix);
	if (c->m->language)
		rc = measure_language(&w, p, draws, key, curv, matrix);
	else
		rc = measure_classes(&w, p, draws > 0, seeds, key, curv, matrix);
	if (rc == EX_OK && matrix != NULL)
		mirror(groups, matrix);
	return rc;
}

int curvature_fisher(struct curvature *c, struct pass *p, double *trace, struct err *e)
{
	const struct batch *b = p->batch;
	double n = (double)(c->m->language ? b->targets : b->sequences);
	int rc = samples_batch(c->samples, p, false, e);

	memset(trace, 0, c->part->n * sizeof *trace);
	for (size_t i = 0; i < c->m->n_params && rc == EX_OK; i++)
		rc = samples_squares(c->samples, i, &c->units[i], trace, e);
	/* The errors are those of a mean over n: each square is n^2 times as large. */
	for (size_t k = 0; k < c->part->n; k++)
		trace[k] *= n;
	return rc;
}
