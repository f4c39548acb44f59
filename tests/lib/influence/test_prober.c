/*
 * The prober against exact slopes and curvatures that PyTorch computed in double precision
 * (tests/ref/model.py).
 */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <cmocka.h>

#include <math.h>

#include "../batch_text.h"
#include "influence/prober.h"

#define SLOPE_TOLERANCE 1e-4 /* relative: float gradients, double sums */
#define CURV_TOLERANCE \
	0.05 /* relative, of healthy tensors: rounding and the fourth order */

struct probed {
	struct model m;
	struct batch batch;
	struct trainer trainer;
	struct partition part;
	struct prober prober;
	struct estimate *x;
	double loss;
	struct err e;
};

static char *fixture(const char *name)
{
	const char *tests = getenv("TESTS");

	return str_printf("%s/fixtures/tiny-bert%s", tests == NULL ? "tests" : tests, name);
}

static void start(struct probed *p, enum direction d, enum grouping by, enum method method,
		  const char *trust)
{
	static const struct head_spec as_saved = { 0 };
	struct trainer_options o = trainer_defaults();
	struct prober_options po = { .method = method };
	char *dir = fixture(""), *data = fixture("/batch.tsv");
	FILE *in = fopen(data, "r");
	bool all[64];

	*p = (struct probed){ 0 };
	assert_non_null(in);
	assert_int_equal(model_open(&p->m, dir, &as_saved, &p->e), EX_OK);
	batch_text_read(&p->batch, in, SIZE_MAX, false);
	fclose(in);
	assert_true(p->m.n_params <= 64);
	for (size_t i = 0; i < 64; i++)
		all[i] = true;
	o.direction = d;
	o.clip = 0;
	o.dropout = false;
	o.want_terms = true;
	assert_true(trust_named(trust, &po.trust));
	assert_int_equal(trainer_init(&p->trainer, &p->m, all, &o, &p->e), EX_OK);
	assert_int_equal(partition_make(&p->part, &p->m, by, NULL, &p->e), EX_OK);
	assert_int_equal(prober_init(&p->prober, &p->trainer, &p->part, &po, &p->e), EX_OK);
	p->x = mem_zeros(p->part.n, sizeof *p->x);
	assert_int_equal(trainer_gradient(&p->trainer, &p->batch, &p->loss, &p->e), EX_OK);
	free(dir);
	free(data);
}

static void end(struct probed *p)
{
	prober_free(&p->prober);
	partition_free(&p->part);
	trainer_free(&p->trainer);
	batch_free(&p->batch);
	model_close(&p->m);
	free(p->x);
}

static const struct estimate *find(const struct probed *p, const char *group)
{
	for (size_t k = 0; k < p->part.n; k++)
		if (strcmp(p->part.g[k].name, group) == 0)
			return &p->x[k];
	fail_msg("no group %s", group);
	return NULL;
}

static void check_tensor(const struct estimate *x, const char *name, double slope,
			 double curv, size_t *healthy, size_t *good)
{
	double gain = slope * slope / 2 / curv;

	if (slope == 0) {
		if (x->status != STATUS_ZERO)
			fail_msg("%s: an exact zero is called %s", name,
				 status_name(x->status));
		return;
	}
	if (fabs(x->slope - slope) > SLOPE_TOLERANCE * slope)
		fail_msg("%s: slope %g, exact %g", name, x->slope, slope);
	if (curv <= 0 || gain < 1e-4 || gain > x->loss)
		return;
	++*healthy;
	*good += fabs(x->curv - curv) <= CURV_TOLERANCE * curv;
	if (x->status != STATUS_OK)
		fail_msg("%s: a healthy tensor is called %s", name, status_name(x->status));
}

static void compare(enum direction d, const char *word)
{
	struct probed p;
	char *path = fixture("/influence.tsv"), name[128], direction[16];
	size_t healthy = 0, good = 0, lines = 0;
	FILE *golden = fopen(path, "r");
	double slope, curv;

	assert_non_null(golden);
	start(&p, d, BY_TENSOR, METHOD_FIT, "inf");
	assert_int_equal(prober_step(&p.prober, 1, p.loss, p.x, NULL, 0, &p.e), EX_OK);
	assert_int_equal(fscanf(golden, "#name direction slope curvature "), 0);
	while (fscanf(golden, "%127s %15s %lf %lf ", name, direction, &slope, &curv) == 4) {
		if (strcmp(direction, word) != 0)
			continue;
		lines++;
		check_tensor(find(&p, name), name, slope, curv, &healthy, &good);
	}
	fclose(golden);
	free(path);
	assert_int_equal(lines, p.part.n);
	assert_true(healthy > 5);
	if ((double)good < 0.95 * (double)healthy)
		fail_msg("%zu of %zu curvatures within 5 %%", good, healthy);
	end(&p);
}

static void fits_along_the_gradient_agree_with_exact_derivatives(void **state)
{
	(void)state;
	compare(DIRECTION_SGD, "sgd");
}

static void fits_along_adamws_step_agree_with_exact_derivatives(void **state)
{
	(void)state;
	compare(DIRECTION_ADAMW, "adamw");
}

static void probing_leaves_the_model_as_it_was(void **state)
{
	struct probed p;
	double before, after;

	(void)state;
	start(&p, DIRECTION_ADAMW, BY_TYPE, METHOD_FIT, "rms:0.1");
	before = p.loss;
	assert_int_equal(prober_step(&p.prober, 1, p.loss, p.x, NULL, 0, &p.e), EX_OK);
	assert_int_equal(trainer_gradient(&p.trainer, &p.batch, &after, &p.e), EX_OK);
	assert_true(before == after);
	end(&p);
}

static void the_slope_of_a_group_is_the_sum_of_its_members(void **state)
{
	struct probed p, q;
	double sum = 0, all = 0;

	(void)state;
	start(&p, DIRECTION_ADAMW, BY_TENSOR, METHOD_GRAD, "inf");
	start(&q, DIRECTION_ADAMW, BY_LAYER_TYPE, METHOD_GRAD, "inf");
	assert_int_equal(prober_step(&p.prober, 1, p.loss, p.x, NULL, 0, &p.e), EX_OK);
	assert_int_equal(prober_step(&q.prober, 1, q.loss, q.x, NULL, 0, &q.e), EX_OK);
	for (size_t k = 0; k < p.part.n; k++)
		sum += p.x[k].slope;
	for (size_t k = 0; k < q.part.n; k++)
		all += q.x[k].slope;
	assert_true(q.part.n < p.part.n);
	assert_true(fabs(sum - all) < 1e-9 * sum);
	end(&p);
	end(&q);
}

static void the_gradient_method_takes_the_slope_as_gain(void **state)
{
	struct probed p;

	(void)state;
	start(&p, DIRECTION_SGD, BY_TENSOR, METHOD_GRAD, "inf");
	assert_int_equal(prober_step(&p.prober, 1, p.loss, p.x, NULL, 0, &p.e), EX_OK);
	assert_int_equal(p.prober.forwards, 0);
	for (size_t k = 0; k < p.part.n; k++) {
		if (p.x[k].status == STATUS_ZERO)
			continue;
		assert_true(p.x[k].gain == p.x[k].slope);
		assert_true(p.x[k].ppi == p.x[k].slope / (double)p.part.g[k].params);
		assert_true(isnan(p.x[k].curv));
	}
	end(&p);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(fits_along_the_gradient_agree_with_exact_derivatives),
		cmocka_unit_test(fits_along_adamws_step_agree_with_exact_derivatives),
		cmocka_unit_test(probing_leaves_the_model_as_it_was),
		cmocka_unit_test(the_slope_of_a_group_is_the_sum_of_its_members),
		cmocka_unit_test(the_gradient_method_takes_the_slope_as_gain),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
