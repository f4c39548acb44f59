/*
 * Derivatives along a direction against what PyTorch computed in double precision
 * (tests/ref/jets.py), and, for LoRA pairs and for many parameters at once, against
 * differences of gradients.
 */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <cmocka.h>

#include <math.h>

#include "../every_family.h"
#include "model/jet.h"
#include "pairs.h"

/* Relative, of each tensor; single precision has 2^-24, and curvatures cancel. */
#define SLOPE_TOLERANCE 1e-4
#define CURV_TOLERANCE  1e-4
#define GGN_TOLERANCE   1e-4
/* Relative, for a central difference of gradients over a step of relative size STEP. */
#define STEP             0.01f
#define DIFFERENCE_ERROR 5e-3

struct run {
	struct model m;
	struct batch batch;
	struct pass pass;
	struct gradients grad;
	struct jet *jet;
	float **v; /* [n_params] room for a direction */
	struct err e;
};

static void run_forward(struct run *r)
{
	assert_int_equal(pass_batch(&r->pass, &r->batch, &r->e), EX_OK);
	pass_forward(&r->pass);
}

static void run_backward(struct run *r)
{
	struct visitor v = gradients_visitor(&r->grad);

	gradients_zero(&r->grad);
	assert_int_equal(pass_backward(&r->pass, &v, &r->e), EX_OK);
}

static void start(struct run *r, const char *name, const struct lora_spec *lora)
{
	struct head_spec head = { .lora = lora };
	bool all[80];

	head.language =
	    strcmp(name, "tiny-gpt2") == 0 || strcmp(name, "tiny-gpt2-untied") == 0;
	*r = (struct run){ 0 };
	if (model_open(&r->m, pairs_fixture(name), &head, &r->e) != EX_OK)
		fail_msg("%s", r->e.text);
	pairs_batch(&r->batch, &r->m, name);
	assert_true(r->m.n_params <= 80);
	for (size_t i = 0; i < 80; i++)
		all[i] = true;
	pairs_draw(&r->m);
	r->v = mem_zeros(r->m.n_params, sizeof *r->v);
	for (size_t i = 0; i < r->m.n_params; i++)
		r->v[i] = mem_floats(r->m.params[i].n);
	assert_int_equal(pass_init(&r->pass, &r->m, true, &r->e), EX_OK);
	assert_int_equal(gradients_init(&r->grad, &r->m, all, false, &r->e), EX_OK);
	assert_int_equal(jet_init(&r->jet, &r->m, &r->e), EX_OK);
	run_forward(r);
}

static void end(struct run *r)
{
	for (size_t i = 0; i < r->m.n_params; i++)
		free(r->v[i]);
	free(r->v);
	jet_free(r->jet);
	gradients_free(&r->grad);
	pass_free(&r->pass);
	batch_free(&r->batch);
	model_close(&r->m);
}

static void jets_ready(struct run *r)
{
	assert_int_equal(jet_batch(r->jet, &r->pass, &r->e), EX_OK);
}

/* Of the one parameter i. */
static struct jet_result along(struct run *r, size_t i)
{
	const float **v = mem_zeros(r->m.n_params, sizeof *v);
	struct jet_result result;

	v[i] = r->v[i];
	result = jet_run(r->jet, v);
	free(v);
	return result;
}

/* ---- beside PyTorch ---- */

static void golden_direction(const struct safetensors *gradients, const char *name,
			     const char *word, float *v)
{
	const struct tensor_view *t = NULL;
	struct err e;

	for (size_t i = 0; i < gradients->n && t == NULL; i++)
		if (strcmp(gradients->t[i].name, name) == 0)
			t = &gradients->t[i];
	assert_non_null(t);
	assert_int_equal(tensor_floats(t, v, "", &e), EX_OK);
	for (size_t i = 0; strcmp(word, "adamw") == 0 && i < t->n; i++)
		v[i] /= fabsf(v[i]) + 1e-8f;
}

static void near(const char *fixture, const char *what, double ours, double exact,
		 double tolerance)
{
	if (fabs(ours - exact) > tolerance * fabs(exact))
		fail_msg("%s: %s %.9g, exact %.9g: off by %.2g", fixture, what, ours, exact,
			 fabs(ours / exact - 1));
}

static void check_golden(struct run *r, const char *fixture)
{
	char *gradients = str_printf("%s/gradients.safetensors", pairs_fixture(fixture));
	char *path = str_printf("%s/jets.tsv", pairs_fixture(fixture));
	char name[128], word[16];
	double slope, curv, ggn;
	struct safetensors golden;
	FILE *f = fopen(path, "r");
	size_t lines = 0;

	assert_non_null(f);
	assert_int_equal(safetensors_open(&golden, gradients, &r->e), EX_OK);
	assert_int_equal(fscanf(f, "#name direction slope curvature ggn "), 0);
	while (fscanf(f, "%127s %15s %lf %lf %lf ", name, word, &slope, &curv, &ggn) == 5) {
		int i = model_find(&r->m, name);
		struct jet_result x;

		assert_true(i >= 0);
		golden_direction(&golden, name, word, r->v[i]);
		x = along(r, (size_t)i);
		near(fixture, name, -x.first, slope, SLOPE_TOLERANCE);
		near(fixture, name, x.second, curv, CURV_TOLERANCE);
		near(fixture, name, x.gauss_newton, ggn, GGN_TOLERANCE);
		lines++;
	}
	assert_int_equal(lines, 2 * r->m.n_params);
	fclose(f);
	safetensors_close(&golden);
	free(gradients);
	free(path);
}

static void derivatives_are_those_of_pytorch(void **state)
{
	(void)state;
	for (size_t i = 0; i < N_FIXTURES; i++) {
		struct run r;

		start(&r, fixtures[i], NULL);
		jets_ready(&r);
		check_golden(&r, fixtures[i]);
		end(&r);
	}
}

static void they_are_the_same_after_backward_has_overwritten_logits(void **state)
{
	(void)state;
	for (size_t i = 0; i < N_FIXTURES; i++) {
		struct run r;

		start(&r, fixtures[i], NULL);
		run_backward(&r);
		jets_ready(&r);
		check_golden(&r, fixtures[i]);
		end(&r);
	}
}

/* ---- beside differences ---- */

/* Normal directions of the parameters that `chosen` names, about as large as they are; a
 * padding token's row, which training leaves alone, has none. */
static void draw(struct run *r, const bool *chosen, const float **v)
{
	for (size_t i = 0; i < r->m.n_params; i++) {
		const struct param *p = &r->m.params[i];
		double size = sqrt(vec_dot(r->m.k, p->n, p->w, p->w) / (double)p->n);
		struct prng g;

		v[i] = chosen[i] ? r->v[i] : NULL;
		prng_seed(&g, 5, p->save_name);
		for (size_t j = 0; j < p->n; j++)
			r->v[i][j] = r->grad.g[i][j] == 0
					 ? 0
					 : (float)((size + 0.01) * prng_normal(&g));
	}
}

static double slope(const struct run *r, const float *const *v)
{
	double sum = 0;

	for (size_t i = 0; i < r->m.n_params; i++)
		if (v[i] != NULL)
			sum += vec_dot(r->m.k, r->m.params[i].n, r->grad.g[i], v[i]);
	return sum;
}

/* G.v at w + eta v */
static double slope_at(struct run *r, const float *const *v, float eta)
{
	float **moved = mem_zeros(r->m.n_params, sizeof *moved);
	double s;

	assert_int_equal(pass_batch(&r->pass, &r->batch, &r->e), EX_OK);
	for (size_t i = 0; i < r->m.n_params; i++) {
		if (v[i] == NULL)
			continue;
		moved[i] = mem_floats(r->m.params[i].n);
		vec_step(r->m.k, r->m.params[i].n, r->m.params[i].w, eta, v[i], moved[i]);
		r->pass.w[i] = moved[i];
	}
	pass_forward(&r->pass);
	run_backward(r);
	s = slope(r, v);
	for (size_t i = 0; i < r->m.n_params; i++)
		free(moved[i]);
	free(moved);
	return s;
}

static void check_differences(struct run *r, const bool *chosen, const char *what)
{
	const float **v = mem_zeros(r->m.n_params, sizeof *v);
	struct jet_result x;
	double curv;

	run_forward(r);
	run_backward(r);
	draw(r, chosen, v);
	jets_ready(r);
	x = jet_run(r->jet, v);
	near(r->m.dir, what, -x.first, slope(r, v), 1e-4);
	curv = (slope_at(r, v, STEP) - slope_at(r, v, -STEP)) / (2 * STEP) * 4 / 3 -
	       (slope_at(r, v, 2 * STEP) - slope_at(r, v, -2 * STEP)) / (4 * STEP) / 3;
	near(r->m.dir, what, x.second, curv, DIFFERENCE_ERROR);
	free(v);
}

static bool is_pair(const struct model *m, size_t i)
{
	return m->params[i].type == TYPE_LORA_A || m->params[i].type == TYPE_LORA_B;
}

static void check_pairs(const char *name)
{
	const struct lora_spec lora = { .rank = { 2, 3 }, .ranks = 2 };
	struct run r;
	bool chosen[80], both[80] = { false };
	size_t pairs = 0;

	start(&r, name, &lora);
	for (size_t i = 0; i < r.m.n_params; i++) {
		if (!is_pair(&r.m, i))
			continue;
		memset(chosen, 0, sizeof chosen);
		chosen[i] = both[i] = true;
		pairs++;
		check_differences(&r, chosen, r.m.params[i].save_name);
	}
	assert_true(pairs >= 8);
	check_differences(&r, both, "all pairs");
	end(&r);
}

static void pairs_agree_with_differences_of_gradients(void **state)
{
	(void)state;
	check_pairs("tiny-bert");
	check_pairs("tiny-gpt2");
}

/* Not where the head's relu bends in between. */
static void all_parameters_at_once_agree_with_differences_of_gradients(void **state)
{
	bool all[80];

	(void)state;
	for (size_t i = 0; i < 80; i++)
		all[i] = true;
	for (size_t i = 0; i < N_FIXTURES; i++) {
		struct run r;

		if (strcmp(fixtures[i], "tiny-distilbert") == 0)
			continue;
		start(&r, fixtures[i], NULL);
		check_differences(&r, all, "all");
		end(&r);
	}
}

/* ---- what is exact ---- */

static void nothing_that_moves_gives_zeros(void **state)
{
	struct run r;
	const float **v;
	struct jet_result x;

	(void)state;
	start(&r, "tiny-bert", NULL);
	jets_ready(&r);
	v = mem_zeros(r.m.n_params, sizeof *v);
	x = jet_run(r.jet, v);
	assert_true(x.first == 0 && x.second == 0 && x.gauss_newton == 0);
	assert_null(jet_logits(r.jet));
	free(v);
	end(&r);
}

static void a_bias_of_keys_moves_no_logits(void **state)
{
	struct run r;
	const float **v;
	bool chosen[80] = { false };
	struct jet_result x;
	int i;

	(void)state;
	start(&r, "tiny-bert", NULL);
	run_backward(&r);
	jets_ready(&r);
	v = mem_zeros(r.m.n_params, sizeof *v);
	i = model_find(&r.m, "bert.encoder.layer.0.attention.self.key.bias");
	assert_true(i >= 0);
	chosen[i] = true;
	draw(&r, chosen, v);
	x = jet_run(r.jet, v);
	assert_true(x.first == 0 && x.second == 0 && x.gauss_newton == 0);
	free(v);
	end(&r);
}

static void logits_move_as_differences_say(void **state)
{
	const size_t n = 6 * 2;
	struct run r;
	const float **v, *z1;
	float z[2][12];
	bool chosen[80] = { false };
	int i;

	(void)state;
	start(&r, "tiny-roberta", NULL);
	run_backward(&r);
	jets_ready(&r);
	v = mem_zeros(r.m.n_params, sizeof *v);
	i = model_find(&r.m, "roberta.encoder.layer.1.attention.self.value.weight");
	chosen[i] = true;
	draw(&r, chosen, v);
	jet_run(r.jet, v);
	z1 = jet_logits(r.jet);
	for (int side = 0; side < 2; side++) {
		slope_at(&r, v, side == 0 ? 0.01f : -0.01f);
		memcpy(z[side], r.pass.act[r.m.logits], sizeof z[side]);
	}
	for (size_t j = 0; j < n; j++)
		assert_true(fabsf((z[0][j] - z[1][j]) / 0.02f - z1[j]) < 1e-3f);
	free(v);
	end(&r);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(derivatives_are_those_of_pytorch),
		cmocka_unit_test(they_are_the_same_after_backward_has_overwritten_logits),
		cmocka_unit_test(pairs_agree_with_differences_of_gradients),
		cmocka_unit_test(
		    all_parameters_at_once_agree_with_differences_of_gradients),
		cmocka_unit_test(nothing_that_moves_gives_zeros),
		cmocka_unit_test(a_bias_of_keys_moves_no_logits),
		cmocka_unit_test(logits_move_as_differences_say),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
