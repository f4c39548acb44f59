/*
 * Fitted curvatures against exact ones (method hvp, which tests/lib/model/test_jet.c holds
 * beside PyTorch), of groups of every form and of every family.
 */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <cmocka.h>

#include <math.h>

#include "../every_family.h"
#include "../model/pairs.h"
#include "influence/fit.h"

/* Relative: the fourth order as a fit lets it be, and higher ones; and beside that so
 * many of the standard errors from rounding that a fit states. */
#define CURV_ERROR (2 * FIT_UNSURE)
#define SPREADS    8

#define MOST_PARAMS 80

struct probed {
	const char *name;
	struct model m;
	struct batch batch;
	struct trainer trainer;
	struct partition part;
	struct prober fit, exact;
	struct estimate *x, *truth;
	double loss;
	struct err e;
};

/* Of each matrix all rows but the first and the last two. */
static void keep_some_rows(const struct model *m, struct group *g)
{
	g->params = 0;
	for (size_t j = 0; j < g->n; j++) {
		const struct param *p = &m->params[g->member[j].param];
		size_t row = p->n / p->shape[0];

		if (p->ndim > 1 && p->shape[0] > 3) {
			g->member[j].from = row;
			g->member[j].n = p->n - 3 * row;
		}
		g->params += g->member[j].n;
	}
}

static void start(struct probed *p, const char *name, enum direction d, enum grouping by,
		  bool some_rows, const struct lora_spec *lora)
{
	struct head_spec head = { .lora = lora };
	struct trainer_options o = trainer_defaults();
	struct prober_options fit = { .method = METHOD_FIT },
			      exact = { .method = METHOD_HVP };
	bool all[MOST_PARAMS];

	head.language =
	    strcmp(name, "tiny-gpt2") == 0 || strcmp(name, "tiny-gpt2-untied") == 0;
	*p = (struct probed){ .name = name };
	if (model_open(&p->m, pairs_fixture(name), &head, &p->e) != EX_OK)
		fail_msg("%s", p->e.text);
	pairs_batch(&p->batch, &p->m, name);
	assert_true(p->m.n_params <= MOST_PARAMS);
	for (size_t i = 0; i < MOST_PARAMS; i++)
		all[i] = true;
	o.direction = d;
	o.clip = 0;
	o.dropout = false;
	o.want_terms = true;
	assert_true(trust_named("inf", &fit.trust));
	exact.trust = fit.trust;
	assert_int_equal(trainer_init(&p->trainer, &p->m, all, &o, &p->e), EX_OK);
	pairs_draw(&p->m);
	if (partition_make(&p->part, &p->m, by, NULL, &p->e) != EX_OK)
		fail_msg("%s", p->e.text);
	for (size_t k = 0; k < p->part.n && some_rows; k++)
		keep_some_rows(&p->m, &p->part.g[k]);
	assert_int_equal(prober_init(&p->fit, &p->trainer, &p->part, &fit, &p->e), EX_OK);
	assert_int_equal(prober_init(&p->exact, &p->trainer, &p->part, &exact, &p->e),
			 EX_OK);
	p->x = mem_zeros(p->part.n, sizeof *p->x);
	p->truth = mem_zeros(p->part.n, sizeof *p->truth);
}

static void step(struct probed *p)
{
	assert_int_equal(trainer_gradient(&p->trainer, &p->batch, &p->loss, &p->e), EX_OK);
	assert_int_equal(prober_step(&p->fit, 1, p->loss, p->x, NULL, 0, &p->e), EX_OK);
	assert_int_equal(prober_step(&p->exact, 1, p->loss, p->truth, NULL, 0, &p->e),
			 EX_OK);
}

static void end(struct probed *p)
{
	prober_free(&p->fit);
	prober_free(&p->exact);
	partition_free(&p->part);
	trainer_free(&p->trainer);
	batch_free(&p->batch);
	model_close(&p->m);
	free(p->x);
	free(p->truth);
}

/* How many of the groups have a curvature that rounding lets see; all that is not rounding
 * must be right. */
static size_t check(const struct probed *p)
{
	size_t clear = 0;

	for (size_t k = 0; k < p->part.n; k++) {
		const struct estimate *x = &p->x[k], *t = &p->truth[k];

		if ((x->status == STATUS_ZERO) != (t->status == STATUS_ZERO))
			fail_msg("%s: %s: one of the two says zero", p->name,
				 p->part.g[k].name);
		if (x->status == STATUS_ZERO)
			continue;
		clear += SPREADS * x->spread < CURV_ERROR * fabs(t->curv);
		if (!(fabs(x->curv - t->curv) <
		      CURV_ERROR * fabs(t->curv) + SPREADS * x->spread) ||
		    x->r2 < FIT_R2)
			fail_msg("%s: %s: curv %.9g, exact %.9g, spread %.2g, r2 %g, "
				 "reach %g",
				 p->name, p->part.g[k].name, x->curv, t->curv, x->spread,
				 x->r2, x->reach);
	}
	return clear;
}

static void compare(const char *name, enum direction d, enum grouping by, bool some_rows,
		    const struct lora_spec *lora, size_t least)
{
	struct probed p;
	size_t clear;

	start(&p, name, d, by, some_rows, lora);
	step(&p);
	clear = check(&p);
	if (clear < least)
		fail_msg("%s: only %zu clear groups of %zu", name, clear, p.part.n);
	end(&p);
}

static void tensors_of_all_families_have_their_exact_curvature(void **state)
{
	(void)state;
	for (size_t f = 0; f < N_FIXTURES; f++) {
		compare(fixtures[f], DIRECTION_SGD, BY_TENSOR, false, NULL, 4);
		compare(fixtures[f], DIRECTION_ADAMW, BY_TENSOR, false, NULL, 4);
	}
}

static void groups_that_span_layers_have_their_exact_curvature(void **state)
{
	static const enum grouping by[] = { BY_MODULE, BY_LAYER, BY_TYPE, BY_LAYER_TYPE };

	(void)state;
	for (size_t f = 0; f < N_FIXTURES; f++)
		for (size_t i = 0; i < 4; i++)
			compare(fixtures[f], DIRECTION_SGD, by[i], false, NULL, 1);
}

static void rows_have_their_exact_curvature(void **state)
{
	(void)state;
	compare("tiny-bert", DIRECTION_SGD, BY_ROW, false, NULL, 20);
	compare("tiny-gpt2-classes", DIRECTION_ADAMW, BY_ROW, false, NULL, 20);
}

static void rows_of_several_tensors_make_a_group(void **state)
{
	(void)state;
	for (size_t f = 0; f < N_FIXTURES; f++)
		compare(fixtures[f], DIRECTION_SGD, BY_LAYER, true, NULL, 1);
}

static void pairs_that_move_together_have_their_exact_curvature(void **state)
{
	const struct lora_spec lora = { .rank = { 2, 3 }, .ranks = 2 };

	(void)state;
	compare("tiny-bert", DIRECTION_SGD, BY_MODULE, false, &lora, 4);
	compare("tiny-gpt2", DIRECTION_SGD, BY_MODULE, false, &lora, 1);
	compare("tiny-bert", DIRECTION_ADAMW, BY_TENSOR, false, &lora, 4);
}

/* A relu's kinks have no place in a Hessian. */
static void fits_across_kinks_are_not_called_ok(void **state)
{
	static const char *const names[] = { "tiny-bert", "tiny-distilbert",
					     "tiny-gpt2-classes" };
	size_t ok = 0, wrong = 0, refused = 0;

	(void)state;
	for (size_t f = 0; f < 3; f++) {
		struct probed p;

		start(&p, names[f], DIRECTION_SGD, BY_ROW, false, NULL);
		for (size_t i = 0; i < p.m.n_ops; i++)
			if (p.m.ops[i].kind == OP_ACT && p.m.ops[i].act != ACT_TANH)
				p.m.ops[i].act = ACT_RELU;
		step(&p);
		for (size_t k = 0; k < p.part.n; k++) {
			const struct estimate *x = &p.x[k], *t = &p.truth[k];
			bool far = fabs(x->curv - t->curv) > 0.1 * fabs(t->curv);

			ok += x->status == STATUS_OK;
			wrong += x->status == STATUS_OK && far;
			refused += x->status == STATUS_LOWFIT && far;
		}
		end(&p);
	}
	assert_true(refused > 0);
	/* Many kinks in a row are a curvature at the length of the fit. */
	assert_true(wrong <= ok / 50);
}

/* Four points, with few guesses to be made again in the first step and none later. */
static void a_group_takes_four_passes_once_its_step_is_known(void **state)
{
	struct probed p;
	size_t fitted = 0, first;

	(void)state;
	start(&p, "tiny-bert", DIRECTION_ADAMW, BY_TENSOR, false, NULL);
	step(&p);
	first = p.fit.forwards;
	for (size_t k = 0; k < p.part.n; k++)
		fitted += p.x[k].status != STATUS_ZERO;
	assert_true(first >= 4 * fitted && first <= 5 * fitted);
	assert_true(p.fit.cost > 0 && p.fit.cost < (double)first);
	step(&p);
	assert_true(p.fit.forwards - first <= 4 * fitted + fitted / 8);
	end(&p);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(tensors_of_all_families_have_their_exact_curvature),
		cmocka_unit_test(groups_that_span_layers_have_their_exact_curvature),
		cmocka_unit_test(rows_have_their_exact_curvature),
		cmocka_unit_test(rows_of_several_tensors_make_a_group),
		cmocka_unit_test(pairs_that_move_together_have_their_exact_curvature),
		cmocka_unit_test(fits_across_kinks_are_not_called_ok),
		cmocka_unit_test(a_group_takes_four_passes_once_its_step_is_known),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
