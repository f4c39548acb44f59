#include "train/trainer.h"

#include <math.h>
#include <stdlib.h>
#include <string.h>

#include "base/mem.h"
#include "base/prng.h"

struct trainer_options trainer_defaults(void)
{
	return (struct trainer_options){
		.direction = DIRECTION_ADAMW,
		.beta1 = 0.9,
		.beta2 = 0.999,
		.eps = 1e-8,
		.weight_decay = 0.01,
		.clip = 1,
		.dropout = true,
	};
}

static float *zero_floats(size_t n)
{
	float *x = mem_floats(n);

	if (x != NULL)
		memset(x, 0, n * sizeof *x);
	return x;
}

static int make_moments(struct trainer *t, struct err *e)
{
	const struct model *m = t->m;

	t->moment1 = mem_zeros(m->n_params, sizeof *t->moment1);
	t->moment2 = mem_zeros(m->n_params, sizeof *t->moment2);
	if (t->moment1 == NULL || t->moment2 == NULL)
		return err_nomem(e);
	for (size_t i = 0; i < m->n_params; i++) {
		if (!t->wanted[i] || t->o.direction != DIRECTION_ADAMW)
			continue;
		t->moment1[i] = zero_floats(t->some.of[i].elements);
		t->moment2[i] = zero_floats(t->some.of[i].elements);
		if (t->moment1[i] == NULL || t->moment2[i] == NULL)
			return err_nomem(e);
	}
	return EX_OK;
}

static int take_selection(struct trainer *t, const struct selection *some, struct err *e)
{
	size_t longest = 0;
	int rc;

	if ((rc = selection_copy(&t->some, some, e)) != EX_OK)
		return rc;
	t->wanted = mem_zeros(t->m->n_params, sizeof *t->wanted);
	if (t->wanted == NULL)
		return err_nomem(e);
	selection_params(&t->some, t->wanted);
	for (size_t i = 0; i < t->m->n_params; i++) {
		const struct chosen *c = &t->some.of[i];

		if (t->wanted[i] && (rc = model_own(t->m, i, e)) != EX_OK)
			return rc;
		t->trained += c->elements;
		for (size_t j = 0; j < c->n; j++)
			longest = c->run[j].n > longest ? c->run[j].n : longest;
	}
	t->scratch = mem_floats(longest);
	return t->scratch == NULL ? err_nomem(e) : EX_OK;
}

int trainer_init_some(struct trainer *t, struct model *m, const struct selection *some,
		      const struct trainer_options *o, struct err *e)
{
	int rc;

	*t = (struct trainer){ .m = m, .o = *o, .clip_factor = 1 };
	if ((rc = take_selection(t, some, e)) == EX_OK &&
	    (rc = make_moments(t, e)) == EX_OK &&
	    (rc = pass_init(&t->pass, m, true, e)) == EX_OK)
		rc = gradients_init(&t->grad, m, t->wanted, o->want_terms, e);
	if (rc != EX_OK)
		trainer_free(t);
	return rc;
}

int trainer_init(struct trainer *t, struct model *m, const bool *wanted,
		 const struct trainer_options *o, struct err *e)
{
	struct selection whole;
	int rc = selection_of(&whole, m, wanted, e);

	if (rc == EX_OK)
		rc = trainer_init_some(t, m, &whole, o, e);
	selection_free(&whole);
	return rc;
}

void trainer_free(struct trainer *t)
{
	if (t->m == NULL)
		return;
	for (size_t i = 0; i < t->m->n_params; i++) {
		if (t->moment1 != NULL)
			free(t->moment1[i]);
		if (t->moment2 != NULL)
			free(t->moment2[i]);
	}
	free(t->moment1);
	free(t->moment2);
	free(t->wanted);
	selection_free(&t->some);
	free(t->scratch);
	gradients_free(&t->grad);
	pass_free(&t->pass);
	*t = (struct trainer){ 0 };
}

static double norm_of_gradient(const struct trainer *t)
{
	double sum = 0;

	for (size_t i = 0; i < t->m->n_params; i++) {
		const struct chosen *c = &t->some.of[i];

		for (size_t j = 0; j < c->n; j++) {
			const float *g = t->grad.g[i] + c->run[j].from;

			sum += vec_dot(t->m->k, c->run[j].n, g, g);
		}
	}
	return sqrt(sum);
}

/* Forward and backward; v gathers the gradient. */
static int differentiate(struct trainer *t, const struct batch *b, const struct visitor *v,
			 struct err *e)
{
	int rc;

	t->pass.dropout = t->o.dropout;
	t->pass.key = prng_mix(prng_mix(t->o.seed) + t->step);
	if ((rc = pass_batch(&t->pass, b, e)) != EX_OK)
		return rc;
	pass_forward(&t->pass);
	return pass_backward(&t->pass, v, e);
}

/* What is to be known of the gradient that stands in t->grad. */
static int take_in(struct trainer *t, double *loss, struct err *e)
{
	*loss = t->pass.loss;
	t->grad_norm = norm_of_gradient(t);
	if (!isfinite(*loss) || !isfinite(t->grad_norm))
		return err_set(
		    e, EX_DATAERR,
		    "step %llu: the %s is not finite; a smaller learning rate or "
		    "a longer warm-up may help",
		    (unsigned long long)t->step + 1, isfinite(*loss) ? "gradient" : "loss");
	t->clip_factor = 1;
	if (t->o.clip > 0 && t->o.clip < t->grad_norm + 1e-6)
		t->clip_factor = t->o.clip / (t->grad_norm + 1e-6);
	return EX_OK;
}

int trainer_gradient(struct trainer *t, const struct batch *b, double *loss, struct err *e)
{
	struct visitor v = gradients_visitor(&t->grad);
	int rc;

	gradients_zero(&t->grad);
	rc = differentiate(t, b, &v, e);
	return rc == EX_OK ? take_in(t, loss, e) : rc;
}

int trainer_gradient_cut(struct trainer *t, const struct batch *b, size_t cut,
			 struct gradients two[2], double *loss, struct err *e)
{
	struct visitor v = gradients_visitor_of_two(two);
	int rc;

	two[0].end = two[1].first = cut;
	two[1].end = b->sequences;
	gradients_zero(&two[0]);
	gradients_zero(&two[1]);
	if ((rc = differentiate(t, b, &v, e)) != EX_OK)
		return rc;
	gradients_add(&two[0], &two[1], &t->grad);
	return take_in(t, loss, e);
}

static void clipped_gradient(const struct trainer *t, size_t i, size_t from, size_t n,
			     float *out)
{
	memcpy(out, t->grad.g[i] + from, n * sizeof *out);
	if (t->clip_factor < 1)
		vec_scale(t->m->k, n, (float)t->clip_factor, out);
}

static struct adamw_step adamw_of(const struct trainer *t)
{
	return (struct adamw_step){
		.beta1 = t->o.beta1,
		.beta2 = t->o.beta2,
		.eps = t->o.eps,
		.step = t->step + 1,
	};
}

void trainer_moments(struct trainer *t)
{
	const struct adamw_step s = adamw_of(t);

	if (t->o.direction != DIRECTION_ADAMW)
		return;
	for (size_t i = 0; i < t->m->n_params; i++) {
		const struct chosen *c = &t->some.of[i];

		for (size_t j = 0, at = 0; j < c->n; at += c->run[j++].n) {
			const float *g = t->grad.g[i] + c->run[j].from;

			if (t->clip_factor < 1) {
				clipped_gradient(t, i, c->run[j].from, c->run[j].n,
						 t->scratch);
				g = t->scratch;
			}
			vec_adamw_moments(t->m->k, c->run[j].n, &s, g, t->moment1[i] + at,
					  t->moment2[i] + at);
		}
	}
}

/* The direction of a run, whose moments begin at `at`. */
static void direction_of_run(const struct trainer *t, size_t i, struct run r, size_t at,
			     float *d)
{
	const struct adamw_step s = adamw_of(t);

	if (t->o.direction == DIRECTION_ADAMW)
		vec_adamw_direction(t->m->k, r.n, &s, t->moment1[i] + at,
				    t->moment2[i] + at, d);
	else
		clipped_gradient(t, i, r.from, r.n, d);
}

void trainer_direction(const struct trainer *t, size_t i, float *d)
{
	trainer_direction_part(t, i, 0, t->m->params[i].n, d);
}

void trainer_direction_part(const struct trainer *t, size_t i, size_t from, size_t n,
			    float *d)
{
	direction_of_run(t, i, (struct run){ from, n }, from, d);
}

void trainer_direction_along(const struct trainer *t, size_t i, size_t from, size_t n,
			     const float *g, float *d)
{
	const struct adamw_step s = adamw_of(t);

	if (t->o.direction == DIRECTION_ADAMW)
		vec_adamw_ahead(t->m->k, n, &s, g, t->moment1[i] + from,
				t->moment2[i] + from, d);
	else
		memmove(d, g, n * sizeof *d);
}

/* Biases and the scales and shifts of norms are the vectors. */
static bool decays(const struct param *p)
{
	return p->ndim > 1;
}

void trainer_update(struct trainer *t, double lr)
{
	const struct kernels *k = t->m->k;
	float keep = (float)(1 - lr * t->o.weight_decay);

	for (size_t i = 0; i < t->m->n_params; i++) {
		const struct chosen *c = &t->some.of[i];
		struct param *p = &t->m->params[i];

		for (size_t j = 0, at = 0; j < c->n; at += c->run[j++].n) {
			float *w = p->own + c->run[j].from;

			direction_of_run(t, i, c->run[j], at, t->scratch);
			if (decays(p) && t->o.weight_decay > 0)
				vec_scale(k, c->run[j].n, keep, w);
			vec_axpy(k, c->run[j].n, -(float)lr, t->scratch, w);
		}
	}
	t->step++;
}

void trainer_step(struct trainer *t, double lr)
{
	struct adamw_step s = adamw_of(t);

	if (t->o.direction != DIRECTION_ADAMW) {
		trainer_update(t, lr);
		return;
	}
	s.lr = lr;
	for (size_t i = 0; i < t->m->n_params; i++) {
		const struct chosen *c = &t->some.of[i];
		struct param *p = &t->m->params[i];

		s.weight_decay = decays(p) ? t->o.weight_decay : 0;
		for (size_t j = 0, at = 0; j < c->n; at += c->run[j++].n) {
			float *g = t->grad.g[i] + c->run[j].from;

			if (t->clip_factor < 1)
				vec_scale(t->m->k, c->run[j].n, (float)t->clip_factor, g);
			vec_adamw_update(t->m->k, c->run[j].n, &s, g, t->moment1[i] + at,
					 t->moment2[i] + at, p->own + c->run[j].from);
		}
	}
	t->step++;
}
