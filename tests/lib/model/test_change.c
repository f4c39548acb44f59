/*
 * Changes of the loss against differences of two losses, where a step is so long that these
 * are good for something, and against exact derivatives, where it is not.
 */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <cmocka.h>

#include <math.h>

#include "../every_family.h"
#include "model/change.h"
#include "model/jet.h"
#include "pairs.h"

#define STEP 0.02 /* of directions about as large as the parameters */
/* Of a difference of losses: their rounding, and that of logits behind some hundred
 * operations, which a change has not. */
#define LOSS_ERROR     5e-6
#define RELATIVE_ERROR 1e-3
/* Of slopes, relative to the mean absolute change: single precision's rounding, added up
 * over what cancels. */
#define SLOPE_ERROR 2e-5
/* Of curvatures at a step of a thousandth, beside the fourth order. */
#define CURV_ERROR 5e-3
#define SHORT      1e-3

#define MOST_PARAMS 80

struct run {
	const char *name;
	struct model m;
	struct batch batch;
	struct pass base, other, exact; /* exact: what jets stand on */
	struct gradients grad;
	struct change *change;
	struct jet *jet;
	float **v;     /* [n_params] directions */
	float **moved; /* [n_params] */
	struct move move[MOST_PARAMS];
	size_t n;
	struct err e;
};

/* Directions about as large as the parameters; 0 where the gradient is, as in a padding
 * token's row. */
static void draw(struct run *r)
{
	for (size_t i = 0; i < r->m.n_params; i++) {
		const struct param *p = &r->m.params[i];
		double size = sqrt(vec_dot(r->m.k, p->n, p->w, p->w) / (double)p->n);
		struct prng g;

		prng_seed(&g, 7, p->save_name);
		for (size_t j = 0; j < p->n; j++)
			r->v[i][j] = r->grad.g[i][j] == 0
					 ? 0
					 : (float)((size + 0.01) * prng_normal(&g));
	}
}

static void start(struct run *r, const char *name, const struct lora_spec *lora)
{
	struct head_spec head = { .lora = lora };
	bool all[MOST_PARAMS];
	struct visitor v;

	head.language =
	    strcmp(name, "tiny-gpt2") == 0 || strcmp(name, "tiny-gpt2-untied") == 0;
	*r = (struct run){ .name = name };
	if (model_open(&r->m, pairs_fixture(name), &head, &r->e) != EX_OK)
		fail_msg("%s", r->e.text);
	pairs_batch(&r->batch, &r->m, name);
	pairs_draw(&r->m);
	assert_true(r->m.n_params <= MOST_PARAMS);
	r->v = mem_zeros(r->m.n_params, sizeof *r->v);
	r->moved = mem_zeros(r->m.n_params, sizeof *r->moved);
	for (size_t i = 0; i < MOST_PARAMS; i++)
		all[i] = true;
	for (size_t i = 0; i < r->m.n_params; i++) {
		r->v[i] = mem_floats(r->m.params[i].n);
		r->moved[i] = mem_floats(r->m.params[i].n);
	}
	assert_int_equal(pass_init(&r->base, &r->m, true, &r->e), EX_OK);
	assert_int_equal(pass_init(&r->other, &r->m, false, &r->e), EX_OK);
	assert_int_equal(pass_init(&r->exact, &r->m, true, &r->e), EX_OK);
	assert_int_equal(gradients_init(&r->grad, &r->m, all, false, &r->e), EX_OK);
	assert_int_equal(change_init(&r->change, &r->m, &r->e), EX_OK);
	assert_int_equal(jet_init(&r->jet, &r->m, &r->e), EX_OK);
	assert_int_equal(pass_batch(&r->base, &r->batch, &r->e), EX_OK);
	assert_int_equal(pass_batch(&r->other, &r->batch, &r->e), EX_OK);
	pass_forward(&r->base);
	gradients_zero(&r->grad);
	v = gradients_visitor(&r->grad);
	assert_int_equal(pass_backward(&r->base, &v, &r->e), EX_OK);
	assert_int_equal(change_batch(r->change, &r->base, &r->e), EX_OK);
	assert_int_equal(pass_batch(&r->exact, &r->batch, &r->e), EX_OK);
	pass_forward(&r->exact);
	assert_int_equal(jet_batch(r->jet, &r->exact, &r->e), EX_OK);
	draw(r);
}

static void end(struct run *r)
{
	for (size_t i = 0; i < r->m.n_params; i++) {
		free(r->v[i]);
		free(r->moved[i]);
	}
	free(r->v);
	free(r->moved);
	change_free(r->change);
	jet_free(r->jet);
	gradients_free(&r->grad);
	pass_free(&r->base);
	pass_free(&r->other);
	pass_free(&r->exact);
	batch_free(&r->batch);
	model_close(&r->m);
}

/* Chooses elements from .. from + n of parameter i besides those before. */
static void choose(struct run *r, size_t i, size_t from, size_t n)
{
	r->move[r->n++] = (struct move){ i, from, n, r->v[i] + from };
}

static double difference(struct run *r, double s)
{
	const struct model *m = &r->m;

	for (size_t j = 0; j < r->n; j++) {
		const struct move *v = &r->move[j];
		const struct param *p = &m->params[v->param];
		float *to = r->moved[v->param];

		memcpy(to, p->w, p->n * sizeof *to);
		vec_axpy(m->k, v->n, (float)s, v->g, to + v->from);
		r->other.w[v->param] = to;
	}
	pass_forward(&r->other);
	for (size_t j = 0; j < r->n; j++)
		r->other.w[r->move[j].param] = m->params[r->move[j].param].w;
	return r->other.loss - r->base.loss;
}

/* Forgets what was chosen. */
static void check_differences(struct run *r, const char *what)
{
	change_along(r->change, r->move, r->n);
	for (int side = -1; side <= 1; side += 2) {
		double s = side * STEP, exact = difference(r, s);
		double ours = change_by(r->change, s).loss;

		if (fabs(ours - exact) > LOSS_ERROR + RELATIVE_ERROR * fabs(exact))
			fail_msg("%s: %s: %.9g, difference %.9g", r->name, what, ours,
				 exact);
	}
	r->n = 0;
}

static void each_parameter_changes_the_loss_as_two_losses_say(void **state)
{
	(void)state;
	for (size_t f = 0; f < N_FIXTURES; f++) {
		struct run r;

		start(&r, fixtures[f], NULL);
		for (size_t i = 0; i < r.m.n_params; i++) {
			choose(&r, i, 0, r.m.params[i].n);
			check_differences(&r, r.m.params[i].name);
		}
		end(&r);
	}
}

static void all_parameters_together_change_it_as_two_losses_say(void **state)
{
	(void)state;
	for (size_t f = 0; f < N_FIXTURES; f++) {
		struct run r;

		start(&r, fixtures[f], NULL);
		for (size_t i = 0; i < r.m.n_params; i++)
			choose(&r, i, 0, r.m.params[i].n);
		check_differences(&r, "all");
		end(&r);
	}
}

static void rows_alone_change_it_as_two_losses_say(void **state)
{
	(void)state;
	for (size_t f = 0; f < N_FIXTURES; f++) {
		struct run r;

		start(&r, fixtures[f], NULL);
		for (size_t i = 0; i < r.m.n_params; i++) {
			const struct param *p = &r.m.params[i];
			size_t row = p->n / p->shape[0];

			if (p->ndim < 2 || p->shape[0] < 2)
				continue;
			choose(&r, i, row, p->shape[0] > 4 ? 3 * row : row);
			check_differences(&r, p->name);
		}
		end(&r);
	}
}

/* Two runs of a parameter are as one with zeros between. */
static void runs_of_rows_add_up(void **state)
{
	(void)state;
	for (size_t f = 0; f < N_FIXTURES; f++) {
		struct run r;

		start(&r, fixtures[f], NULL);
		for (size_t i = 0; i < r.m.n_params; i++) {
			const struct param *p = &r.m.params[i];
			size_t row = p->n / p->shape[0];
			double one, two;

			if (p->ndim < 2 || p->shape[0] < 5)
				continue;
			memset(r.v[i] + 2 * row, 0, row * sizeof *r.v[i]);
			r.n = 0;
			choose(&r, i, row, 4 * row);
			change_along(r.change, r.move, r.n);
			one = change_by(r.change, STEP).loss;
			r.n = 0;
			choose(&r, i, row, row);
			choose(&r, i, 3 * row, 2 * row);
			change_along(r.change, r.move, r.n);
			two = change_by(r.change, STEP).loss;
			if (fabs(one - two) > 1e-7 + 1e-5 * fabs(one))
				fail_msg("%s: %s: %.9g and %.9g", r.name, p->name, one,
					 two);
		}
		end(&r);
	}
}

static void check_pairs(const char *name)
{
	const struct lora_spec lora = { .rank = { 2, 3 }, .ranks = 2 };
	struct run r;
	size_t pairs = 0;

	start(&r, name, &lora);
	for (size_t i = 0; i < r.m.n_params; i++) {
		if (!lora_is_pair(&r.m.params[i]))
			continue;
		choose(&r, i, 0, r.m.params[i].n);
		check_differences(&r, r.m.params[i].save_name);
		pairs++;
	}
	assert_true(pairs >= 8);
	for (size_t i = 0; i < r.m.n_params; i++)
		if (lora_is_pair(&r.m.params[i]))
			choose(&r, i, 0, r.m.params[i].n);
	check_differences(&r, "all pairs");
	for (size_t i = 0; i < r.m.n_params; i++)
		choose(&r, i, 0, r.m.params[i].n);
	check_differences(&r, "all with pairs");
	end(&r);
}

static void pairs_change_it_as_two_losses_say(void **state)
{
	(void)state;
	check_pairs("tiny-bert");
	check_pairs("tiny-gpt2");
}

/* ---- steps too short for differences ---- */

static void slopes_and_curvatures_are_there_at_short_steps(void **state)
{
	(void)state;
	for (size_t f = 0; f < N_FIXTURES; f++) {
		struct run r;
		const float **v;

		start(&r, fixtures[f], NULL);
		v = mem_zeros(r.m.n_params, sizeof *v);
		for (size_t i = 0; i < r.m.n_params; i++) {
			struct change_result a, b, far;
			struct jet_result exact;
			double curv;

			v[i] = r.v[i];
			exact = jet_run(r.jet, v);
			v[i] = NULL;
			r.n = 0;
			choose(&r, i, 0, r.m.params[i].n);
			change_along(r.change, r.move, r.n);
			far = change_by(r.change, 1e-9);
			if (fabs(far.loss + 1e-9 * exact.first) >
			    SLOPE_ERROR * far.absolute)
				fail_msg("%s: %s: slope %.9g, exact %.9g", r.name,
					 r.m.params[i].name, -far.loss / 1e-9, exact.first);
			a = change_by(r.change, -SHORT);
			b = change_by(r.change, SHORT);
			curv = (a.loss + b.loss) / (SHORT * SHORT);
			if (fabs(curv - exact.second) >
			    CURV_ERROR * fabs(exact.second) +
				4e-7 * b.absolute / (SHORT * SHORT))
				fail_msg("%s: %s: curv %.9g, exact %.9g", r.name,
					 r.m.params[i].name, curv, exact.second);
		}
		free(v);
		end(&r);
	}
}

/* ---- what is exact ---- */

static void nothing_moved_changes_nothing_and_costs_nothing(void **state)
{
	struct run r;

	(void)state;
	start(&r, "tiny-bert", NULL);
	change_along(r.change, NULL, 0);
	assert_true(change_by(r.change, 1).loss == 0);
	assert_true(change_cost(r.change) == 0);
	end(&r);
}

static void a_bias_of_keys_changes_nothing(void **state)
{
	struct run r;
	int i;

	(void)state;
	start(&r, "tiny-bert", NULL);
	i = model_find(&r.m, "bert.encoder.layer.0.attention.self.key.bias");
	assert_true(i >= 0);
	for (size_t j = 0; j < r.m.params[i].n; j++)
		r.v[i][j] = 1;
	choose(&r, (size_t)i, 0, r.m.params[i].n);
	change_along(r.change, r.move, r.n);
	assert_true(change_by(r.change, 0.1).absolute < 1e-12);
	end(&r);
}

static void a_pass_costs_less_the_later_it_begins(void **state)
{
	struct run r;
	double before = 0, cost[2];
	const char *const names[] = { "bert.encoder.layer.0.intermediate.dense.bias",
				      "bert.encoder.layer.1.intermediate.dense.bias" };

	(void)state;
	start(&r, "tiny-bert", NULL);
	for (int j = 0; j < 2; j++) {
		int i = model_find(&r.m, names[j]);

		assert_true(i >= 0);
		r.n = 0;
		choose(&r, (size_t)i, 0, r.m.params[i].n);
		change_along(r.change, r.move, r.n);
		before = change_cost(r.change);
		change_by(r.change, 0.1);
		cost[j] = change_cost(r.change) - before;
	}
	assert_true(cost[1] > 0 && cost[1] < cost[0] && cost[0] < 1);
	end(&r);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(each_parameter_changes_the_loss_as_two_losses_say),
		cmocka_unit_test(all_parameters_together_change_it_as_two_losses_say),
		cmocka_unit_test(rows_alone_change_it_as_two_losses_say),
		cmocka_unit_test(runs_of_rows_add_up),
		cmocka_unit_test(pairs_change_it_as_two_losses_say),
		cmocka_unit_test(slopes_and_curvatures_are_there_at_short_steps),
		cmocka_unit_test(nothing_moved_changes_nothing_and_costs_nothing),
		cmocka_unit_test(a_bias_of_keys_changes_nothing),
		cmocka_unit_test(a_pass_costs_less_the_later_it_begins),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
