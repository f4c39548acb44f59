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
		t->moment1[i] = zero_floats(m->params[i].n);
		t->moment2[i] = zero_floats(m->params[i].n);
		if (t->moment1[i] == NULL || t->moment2[i] == NULL)
			return err_nomem(e);
	}
	return EX_OK;
}

static int take_wanted(struct trainer *t, const bool *wanted, struct err *e)
{
	struct model *m = t->m;
	size_t longest = 0;
	int rc;

	t->wanted = mem_zeros(m->n_params, sizeof *t->wanted);
	if (t->wanted == NULL)
		return err_nomem(e);
	memcpy(t->wanted, wanted, m->n_params * sizeof *wanted);
	for (size_t i = 0; i < m->n_params; i++) {
		if (!wanted[i])
			continue;
		if ((rc = model_own(m, i, e)) != EX_OK)
			return rc;
		t->trained += m->params[i].n;
		if (m->params[i].n > longest)
			longest = m->params[i].n;
	}
	t->scratch = mem_floats(longest);
	return t->scratch == NULL ? err_nomem(e) : EX_OK;
}

int trainer_init(struct trainer *t, struct model *m, const bool *wanted,
		 const struct trainer_options *o, struct err *e)
{
	int rc;

	*t = (struct trainer){ .m = m, .o = *o, .clip_factor = 1 };
	if ((rc = take_wanted(t, wanted, e)) == EX_OK &&
	    (rc = make_moments(t, e)) == EX_OK &&
	    (rc = pass_init(&t->pass, m, true, e)) == EX_OK)
		rc = gradients_init(&t->grad, m, t->wanted, o->want_terms, e);
	if (rc != EX_OK)
		trainer_free(t);
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
	free(t->scratch);
	gradients_free(&t->grad);
	pass_free(&t->pass);
	*t = (struct trainer){ 0 };
}

static double norm_of_gradient(const struct trainer *t)
{
	const struct model *m = t->m;
	double sum = 0;

	for (size_t i = 0; i < m->n_params; i++) {
		if (t->wanted[i])
			sum += vec_dot(m->k, m->params[i].n, t->grad.g[i], t->grad.g[i]);
	}
	return sqrt(sum);
}

int trainer_gradient(struct trainer *t, const struct batch *b, double *loss, struct err *e)
{
	struct visitor v = gradients_visitor(&t->grad);
	int rc;

	t->pass.dropout = t->o.dropout;
	t->pass.key = prng_mix(prng_mix(t->o.seed) + t->step);
	gradients_zero(&t->grad);
	if ((rc = pass_batch(&t->pass, b, e)) != EX_OK)
		return rc;
	pass_forward(&t->pass);
	if ((rc = pass_backward(&t->pass, &v, e)) != EX_OK)
		return rc;
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

static void clipped_gradient(const struct trainer *t, size_t i, float *out)
{
	size_t n = t->m->params[i].n;

	memcpy(out, t->grad.g[i], n * sizeof *out);
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
	const struct model *m = t->m;

	if (t->o.direction != DIRECTION_ADAMW)
		return;
	for (size_t i = 0; i < m->n_params; i++) {
		const float *g = t->grad.g[i];

		if (!t->wanted[i])
			continue;
		if (t->clip_factor < 1) {
			clipped_gradient(t, i, t->scratch);
			g = t->scratch;
		}
		vec_adamw_moments(m->k, m->params[i].n, &s, g, t->moment1[i],
				  t->moment2[i]);
	}
}

void trainer_direction(const struct trainer *t, size_t i, float *d)
{
	trainer_direction_part(t, i, 0, t->m->params[i].n, d);
}

void trainer_direction_part(const struct trainer *t, size_t i, size_t from, size_t n,
			    float *d)
{
	const struct adamw_step s = adamw_of(t);

	if (t->o.direction == DIRECTION_ADAMW) {
		vec_adamw_direction(t->m->k, n, &s, t->moment1[i] + from,
				    t->moment2[i] + from, d);
		return;
	}
	memcpy(d, t->grad.g[i] + from, n * sizeof *d);
	if (t->clip_factor < 1)
		vec_scale(t->m->k, n, (float)t->clip_factor, d);
}

void trainer_direction_along(const struct trainer *t, size_t i, size_t from, size_t n,
			     const float *g, float *d)
{
	enum { BLOCK = 1024 };
	const struct adamw_step s = adamw_of(t);
	float m1[BLOCK], m2[BLOCK];

	if (t->o.direction != DIRECTION_ADAMW) {
		memmove(d, g, n * sizeof *d);
		return;
	}
	for (size_t at = 0; at < n; at += BLOCK) {
		size_t count = n - at < BLOCK ? n - at : BLOCK;

		memcpy(m1, t->moment1[i] + from + at, count * sizeof *m1);
		memcpy(m2, t->moment2[i] + from + at, count * sizeof *m2);
		vec_adamw_moments(t->m->k, count, &s, g + at, m1, m2);
		vec_adamw_direction(t->m->k, count, &s, m1, m2, d + at);
	}
}

/* Biases and the scales and shifts of norms are the vectors. */
static bool decays(const struct param *p)
{
	return p->ndim > 1;
}

void trainer_update(struct trainer *t, double lr)
{
	const struct model *m = t->m;

	for (size_t i = 0; i < m->n_params; i++) {
		struct param *p = &t->m->params[i];

		if (!t->wanted[i])
			continue;
		trainer_direction(t, i, t->scratch);
		if (decays(p) && t->o.weight_decay > 0)
			vec_scale(m->k, p->n, (float)(1 - lr * t->o.weight_decay), p->own);
		vec_axpy(m->k, p->n, -(float)lr, t->scratch, p->own);
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
		struct param *p = &t->m->params[i];

		if (!t->wanted[i])
			continue;
		if (t->clip_factor < 1)
			vec_scale(t->m->k, p->n, (float)t->clip_factor, t->grad.g[i]);
		s.weight_decay = decays(p) ? t->o.weight_decay : 0;
		vec_adamw_update(t->m->k, p->n, &s, t->grad.g[i], t->moment1[i],
				 t->moment2[i], p->own);
	}
	t->step++;
}
