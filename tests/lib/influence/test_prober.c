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
#include "train/schedule.h"

#define SLOPE_TOLERANCE 1e-4 /* relative: float gradients, double sums */
#define EXACT_TOLERANCE 5e-3 /* relative, of curvatures that are not fitted */
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

/* Everything but the gradient. */
static void open_probed(struct probed *p, enum direction d, enum grouping by,
			const struct prober_options *po)
{
	static const struct head_spec as_saved = { 0 };
	struct trainer_options o = trainer_defaults();
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
	assert_int_equal(trainer_init(&p->trainer, &p->m, all, &o, &p->e), EX_OK);
	assert_int_equal(partition_make(&p->part, &p->m, by, NULL, &p->e), EX_OK);
	assert_int_equal(prober_init(&p->prober, &p->trainer, &p->part, po, &p->e), EX_OK);
	p->x = mem_zeros(p->part.n, sizeof *p->x);
	free(dir);
	free(data);
}

static void start(struct probed *p, enum direction d, enum grouping by, enum method method,
		  const char *trust)
{
	struct prober_options o = { .method = method };

	assert_true(trust_named(trust, &o.trust));
	open_probed(p, d, by, &o);
	assert_int_equal(trainer_gradient(&p->trainer, &p->batch, &p->loss, &p->e), EX_OK);
}

/* Probes with the gradient at hand. */
static void estimate(struct probed *p)
{
	assert_int_equal(prober_step(&p->prober, 1, p->loss, p->x, NULL, 0, &p->e), EX_OK);
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
			 double curv, double tolerance, size_t *healthy, size_t *good)
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
	*good += fabs(x->curv - curv) <= tolerance * curv;
	if (x->status != STATUS_OK)
		fail_msg("%s: a healthy tensor is called %s", name, status_name(x->status));
}

static void compare(enum method method, double tolerance, enum direction d,
		    const char *word)
{
	struct probed p;
	char *path = fixture("/influence.tsv"), name[128], direction[16];
	size_t healthy = 0, good = 0, lines = 0;
	FILE *golden = fopen(path, "r");
	double slope, curv;

	assert_non_null(golden);
	start(&p, d, BY_TENSOR, method, "inf");
	estimate(&p);
	assert_int_equal(fscanf(golden, "#name direction slope curvature "), 0);
	while (fscanf(golden, "%127s %15s %lf %lf ", name, direction, &slope, &curv) == 4) {
		if (strcmp(direction, word) != 0)
			continue;
		lines++;
		check_tensor(find(&p, name), name, slope, curv, tolerance, &healthy, &good);
	}
	fclose(golden);
	free(path);
	assert_int_equal(lines, p.part.n);
	assert_true(healthy > 5);
	if ((double)good < 0.95 * (double)healthy)
		fail_msg("%zu of %zu curvatures within %g", good, healthy, tolerance);
	end(&p);
}

static void fits_along_the_gradient_agree_with_exact_derivatives(void **state)
{
	(void)state;
	compare(METHOD_FIT, CURV_TOLERANCE, DIRECTION_SGD, "sgd");
}

static void fits_along_adamws_step_agree_with_exact_derivatives(void **state)
{
	(void)state;
	compare(METHOD_FIT, CURV_TOLERANCE, DIRECTION_ADAMW, "adamw");
}

static void jets_agree_with_exact_derivatives(void **state)
{
	(void)state;
	compare(METHOD_HVP, EXACT_TOLERANCE, DIRECTION_SGD, "sgd");
	compare(METHOD_HVP, EXACT_TOLERANCE, DIRECTION_ADAMW, "adamw");
}

static void probing_leaves_the_model_as_it_was(void **state)
{
	struct probed p;
	double before, after;

	(void)state;
	start(&p, DIRECTION_ADAMW, BY_TYPE, METHOD_FIT, "rms:0.1");
	before = p.loss;
	estimate(&p);
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
	estimate(&p);
	estimate(&q);
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
	estimate(&p);
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

/* ---- runs of elements ---- */

static void the_slopes_of_rows_add_up_to_their_tensors(void **state)
{
	struct probed tensors, rows;
	size_t at = 0, zeros = 0;

	(void)state;
	start(&tensors, DIRECTION_ADAMW, BY_TENSOR, METHOD_GRAD, "inf");
	start(&rows, DIRECTION_ADAMW, BY_ROW, METHOD_GRAD, "inf");
	estimate(&tensors);
	estimate(&rows);
	for (size_t k = 0; k < tensors.part.n; k++) {
		size_t i = tensors.part.g[k].member[0].param;
		double sum = 0;

		for (; at < rows.part.n && rows.part.g[at].member[0].param == i; at++) {
			sum += rows.x[at].slope;
			zeros += rows.x[at].status == STATUS_ZERO &&
				 tensors.x[k].status != STATUS_ZERO;
		}
		assert_true(fabs(sum - tensors.x[k].slope) <=
			    1e-9 * fabs(tensors.x[k].slope));
	}
	assert_int_equal(at, rows.part.n);
	/* Words that the batch does not have. */
	assert_true(zeros > 0);
	end(&tensors);
	end(&rows);
}

static void a_group_of_all_rows_has_the_curvature_of_its_tensor(void **state)
{
	struct probed p;
	struct group *g;
	struct member *halves;
	size_t n = 0;
	double whole;

	(void)state;
	start(&p, DIRECTION_ADAMW, BY_LAYER, METHOD_HVP, "inf");
	estimate(&p);
	g = &p.part.g[1];
	whole = p.x[1].curv;
	halves = mem_zeros(g->n, 2 * sizeof *halves);
	for (size_t j = 0; j < g->n; j++) {
		struct member all = g->member[j], first = all;

		first.n /= 2;
		halves[n++] = first;
		halves[n++] =
		    (struct member){ all.param, all.from + first.n, all.n - first.n };
	}
	g->member = halves;
	g->n = n;
	prober_free(&p.prober);
	assert_int_equal(prober_init(&p.prober, &p.trainer, &p.part,
				     &(struct prober_options){ .method = METHOD_HVP },
				     &p.e),
			 EX_OK);
	estimate(&p);
	assert_true(p.x[1].curv == whole);
	end(&p);
	free(halves);
}

static void what_moved_for_one_group_stands_still_for_the_next(void **state)
{
	struct probed p, again;

	(void)state;
	start(&p, DIRECTION_SGD, BY_ROW, METHOD_HVP, "inf");
	estimate(&p);
	start(&again, DIRECTION_SGD, BY_ROW, METHOD_HVP, "inf");
	/* The last group first. */
	for (size_t k = 0; k < again.part.n / 2; k++) {
		struct group g = again.part.g[k];

		again.part.g[k] = again.part.g[again.part.n - 1 - k];
		again.part.g[again.part.n - 1 - k] = g;
	}
	prober_free(&again.prober);
	assert_int_equal(prober_init(&again.prober, &again.trainer, &again.part,
				     &(struct prober_options){ .method = METHOD_HVP },
				     &again.e),
			 EX_OK);
	estimate(&again);
	for (size_t k = 0; k < p.part.n; k++) {
		const struct estimate *x = &again.x[p.part.n - 1 - k];

		assert_int_equal(p.x[k].status, x->status);
		assert_true(p.x[k].status == STATUS_ZERO || p.x[k].curv == x->curv);
	}
	end(&p);
	end(&again);
}

/* ---- half batches ---- */

/* Sequences from .. to of the batch. */
static struct batch part_of(const struct batch *b, size_t from, size_t to)
{
	struct batch part = *b;
	uint32_t first = b->start[from];

	part.start = mem_zeros(to - from + 1, sizeof *part.start);
	for (size_t i = from; i <= to; i++)
		part.start[i - from] = b->start[i] - first;
	part.ids += first;
	part.types += first;
	part.position += first;
	part.label += from;
	part.target += from;
	part.sequences = to - from;
	part.tokens = b->start[to] - first;
	return part;
}

/* Sequences of the first half. */
static size_t cut_of(const struct batch *b)
{
	return b->sequences - b->sequences / 2;
}

/* For each group G_h.g_l of the halves h and l by the trainer alone. */
static void multiply_halves(enum direction d, double (*product)[2][2])
{
	struct probed p[2];

	for (int h = 0; h < 2; h++) {
		struct batch half;

		start(&p[h], d, BY_TENSOR, METHOD_GRAD, "inf");
		half = part_of(&p[h].batch, h == 0 ? 0 : cut_of(&p[h].batch),
			       h == 0 ? cut_of(&p[h].batch) : p[h].batch.sequences);
		assert_int_equal(
		    trainer_gradient(&p[h].trainer, &half, &p[h].loss, &p[h].e), EX_OK);
		trainer_moments(&p[h].trainer);
		free(half.start);
	}
	for (size_t k = 0; k < p[0].part.n; k++) {
		size_t i = p[0].part.g[k].member[0].param, n = p[0].m.params[i].n;
		float *g = mem_floats(n);

		for (int h = 0; h < 4; h++) {
			trainer_direction(&p[h % 2].trainer, i, g);
			product[k][h / 2][h % 2] =
			    vec_dot(p[0].m.k, n, p[h / 2].trainer.grad.g[i], g);
		}
		free(g);
	}
	end(&p[0]);
	end(&p[1]);
}

static void check_unbiased(enum direction d, enum method method)
{
	struct prober_options o = { .method = method,
				    .trust = { .kind = TRUST_INF },
				    .halves = true };
	struct probed p, whole;
	double product[64][2][2];

	multiply_halves(d, product);
	open_probed(&p, d, BY_TENSOR, &o);
	start(&whole, d, BY_TENSOR, METHOD_HVP, "inf");
	assert_int_equal(prober_gradient(&p.prober, &p.batch, &p.loss, &p.e), EX_OK);
	assert_true(fabs(p.loss - whole.loss) < 1e-6);
	estimate(&p);
	estimate(&whole);
	for (size_t k = 0; k < p.part.n; k++) {
		double(*x)[2] = product[k];
		double slope = (x[0][1] + x[1][0]) / 2, noise = fabs(x[0][0] - x[1][1]) / 2;
		double scale = fabs(x[0][1]) + fabs(x[1][0]) + x[0][0] + x[1][1];

		assert_int_equal(p.x[k].status == STATUS_ZERO,
				 whole.x[k].status == STATUS_ZERO);
		if (p.x[k].status == STATUS_ZERO)
			continue;
		assert_true(fabs(p.x[k].slope - slope) <= 1e-5 * scale);
		assert_true(fabs(p.x[k].noise - noise) <= 1e-5 * scale);
		if (slope < -1e-3 * scale)
			assert_int_equal(p.x[k].status, STATUS_NOISE);
		/* The direction is the whole batch's. */
		if (method == METHOD_HVP)
			assert_true(fabs(p.x[k].curv - whole.x[k].curv) <=
				    1e-3 * fabs(whole.x[k].curv));
	}
	end(&p);
	end(&whole);
}

static void half_batches_give_unbiased_slopes(void **state)
{
	(void)state;
	check_unbiased(DIRECTION_SGD, METHOD_GRAD);
	check_unbiased(DIRECTION_ADAMW, METHOD_GRAD);
	check_unbiased(DIRECTION_SGD, METHOD_HVP);
	check_unbiased(DIRECTION_ADAMW, METHOD_HVP);
}

static void halves_leave_the_gradient_to_train_with_as_it_is(void **state)
{
	struct prober_options o = { .method = METHOD_GRAD, .halves = true };
	struct probed p, whole;

	(void)state;
	open_probed(&p, DIRECTION_SGD, BY_TENSOR, &o);
	start(&whole, DIRECTION_SGD, BY_TENSOR, METHOD_GRAD, "inf");
	assert_int_equal(prober_gradient(&p.prober, &p.batch, &p.loss, &p.e), EX_OK);
	assert_int_equal(p.prober.gradients, 1);
	assert_true(p.loss == whole.loss);
	for (size_t j = 0; j < p.m.n_params; j++) {
		const float *a = p.trainer.grad.g[j], *b = whole.trainer.grad.g[j];
		double norm = sqrt(vec_dot(p.m.k, p.m.params[j].n, b, b));

		for (size_t l = 0; l < p.m.params[j].n; l++)
			assert_true(fabs((double)a[l] - (double)b[l]) <=
				    1e-5 * norm + 1e-7);
	}
	end(&p);
	end(&whole);
}

static void a_batch_of_one_sequence_is_taken_whole(void **state)
{
	struct prober_options o = { .method = METHOD_GRAD, .halves = true };
	struct probed p;
	struct batch one;

	(void)state;
	open_probed(&p, DIRECTION_SGD, BY_TENSOR, &o);
	one = part_of(&p.batch, 0, 1);
	assert_int_equal(prober_gradient(&p.prober, &one, &p.loss, &p.e), EX_OK);
	estimate(&p);
	for (size_t k = 0; k < p.part.n; k++) {
		const float *g = p.trainer.grad.g[p.part.g[k].member[0].param];

		assert_true(isnan(p.x[k].noise));
		assert_true(fabs(p.x[k].slope - vec_dot(p.m.k, p.part.g[k].params, g, g)) <=
			    1e-6 * p.x[k].slope);
	}
	free(one.start);
	end(&p);
}

/* ---- all groups at once ---- */

/* v'(GGN)v of group k by a jet along its direction. */
static double gauss_newton(struct probed *p, struct jet *j, size_t k)
{
	const struct group *g = &p->part.g[k];
	const float *v[64] = { NULL };
	float *d[64] = { NULL };
	double curv;

	for (size_t i = 0; i < g->n; i++) {
		size_t param = g->member[i].param, n = p->m.params[param].n;

		d[i] = mem_floats(n);
		trainer_direction_along(&p->trainer, param, 0, n, p->trainer.grad.g[param],
					d[i]);
		v[param] = d[i];
	}
	curv = jet_run(j, v).gauss_newton;
	for (size_t i = 0; i < g->n; i++)
		free(d[i]);
	return curv;
}

static void gauss_newton_curvatures_are_those_of_jets(void **state)
{
	struct prober_options o = { .method = METHOD_GGN,
				    .trust = { .kind = TRUST_INF },
				    .matrix = true };
	struct probed p;
	struct jet *j;

	(void)state;
	open_probed(&p, DIRECTION_ADAMW, BY_LAYER_TYPE, &o);
	assert_int_equal(trainer_gradient(&p.trainer, &p.batch, &p.loss, &p.e), EX_OK);
	estimate(&p);
	assert_int_equal(jet_init(&j, &p.m, &p.e), EX_OK);
	assert_int_equal(jet_batch(j, &p.trainer.pass, &p.e), EX_OK);
	for (size_t k = 0; k < p.part.n; k++) {
		double curv = gauss_newton(&p, j, k);

		assert_true(fabs(p.x[k].curv - curv) <= 1e-3 * curv);
		assert_true(fabs(p.prober.matrix[k * p.part.n + k] - curv) <= 1e-3 * curv);
		assert_true(isnan(p.x[k].r2) && isnan(p.x[k].reach));
	}
	jet_free(j);
	end(&p);
}

static void the_matrix_is_the_same_beside_every_method(void **state)
{
	static const enum method methods[] = { METHOD_FIT, METHOD_HVP, METHOD_FISHER,
					       METHOD_RANDOM };
	struct prober_options o = { .method = METHOD_GGN, .matrix = true };
	struct probed ggn, p;

	(void)state;
	open_probed(&ggn, DIRECTION_SGD, BY_TYPE, &o);
	assert_int_equal(trainer_gradient(&ggn.trainer, &ggn.batch, &ggn.loss, &ggn.e),
			 EX_OK);
	estimate(&ggn);
	for (size_t i = 0; i < sizeof methods / sizeof methods[0]; i++) {
		o.method = methods[i];
		open_probed(&p, DIRECTION_SGD, BY_TYPE, &o);
		assert_int_equal(trainer_gradient(&p.trainer, &p.batch, &p.loss, &p.e),
				 EX_OK);
		estimate(&p);
		assert_memory_equal(p.prober.matrix, ggn.prober.matrix,
				    p.part.n * p.part.n * sizeof(double));
		end(&p);
	}
	end(&ggn);
}

static void fisher_information_is_of_each_sequences_gradient(void **state)
{
	struct probed p, one;
	double trace[64] = { 0 };

	(void)state;
	start(&p, DIRECTION_SGD, BY_TYPE, METHOD_FISHER, "inf");
	estimate(&p);
	start(&one, DIRECTION_SGD, BY_TYPE, METHOD_GRAD, "inf");
	for (size_t s = 0; s < p.batch.sequences; s++) {
		struct batch alone = part_of(&p.batch, s, s + 1);

		assert_int_equal(trainer_gradient(&one.trainer, &alone, &one.loss, &one.e),
				 EX_OK);
		estimate(&one);
		/* Along plain gradients the slope is |G|^2. */
		for (size_t k = 0; k < p.part.n; k++)
			trace[k] += one.x[k].slope / (double)p.batch.sequences;
		free(alone.start);
	}
	for (size_t k = 0; k < p.part.n; k++) {
		double params = (double)p.part.g[k].params;

		assert_true(fabs(p.x[k].gain - trace[k]) <= 1e-4 * trace[k]);
		assert_true(fabs(p.x[k].ppi * params - p.x[k].gain) <= 1e-9 * trace[k]);
		assert_int_equal(p.x[k].status, STATUS_OK);
	}
	end(&p);
	end(&one);
}

static void probing_leaves_the_gradient_to_train_with(void **state)
{
	static const enum method methods[] = { METHOD_FIT, METHOD_HVP, METHOD_GGN,
					       METHOD_FISHER };

	(void)state;
	for (size_t i = 0; i < sizeof methods / sizeof methods[0]; i++) {
		struct prober_options o = { .method = methods[i], .matrix = true };
		struct probed p, plain;

		o.draws = 2;
		open_probed(&p, DIRECTION_ADAMW, BY_TENSOR, &o);
		assert_int_equal(trainer_gradient(&p.trainer, &p.batch, &p.loss, &p.e),
				 EX_OK);
		estimate(&p);
		start(&plain, DIRECTION_ADAMW, BY_TENSOR, METHOD_GRAD, "inf");
		trainer_step(&p.trainer, 1e-3);
		trainer_step(&plain.trainer, 1e-3);
		for (size_t j = 0; j < p.m.n_params; j++)
			assert_memory_equal(p.m.params[j].w, plain.m.params[j].w,
					    p.m.params[j].n * sizeof(float));
		end(&p);
		end(&plain);
	}
}

/* ---- bounds and baselines ---- */

static void a_travel_is_the_sum_of_a_groups_own_learning_rates(void **state)
{
	struct prober_options o = { .method = METHOD_GRAD };
	struct probed p;

	(void)state;
	assert_true(trust_named("travel", &o.trust));
	o.trust.steps = 50;
	open_probed(&p, DIRECTION_ADAMW, BY_TENSOR, &o);
	assert_int_equal(trainer_gradient(&p.trainer, &p.batch, &p.loss, &p.e), EX_OK);
	estimate(&p);
	for (size_t k = 0; k < p.part.n; k++) {
		double lr = schedule_lr(p.part.g[k].params, model_params(&p.m));

		assert_true(fabs(p.x[k].tau - 50 * lr) < 1e-12);
	}
	p.prober.o.trust.lr = 0.25;
	estimate(&p);
	assert_true(p.x[0].tau == 12.5 && p.x[p.part.n - 1].tau == 12.5);
	end(&p);
}

static void magnitudes_are_of_the_weights(void **state)
{
	struct probed p;

	(void)state;
	start(&p, DIRECTION_ADAMW, BY_LAYER, METHOD_MAGNITUDE, "inf");
	estimate(&p);
	for (size_t k = 0; k < p.part.n; k++) {
		double sum = 0;

		for (size_t j = 0; j < p.part.g[k].n; j++) {
			const struct param *w = &p.m.params[p.part.g[k].member[j].param];

			for (size_t i = 0; i < w->n; i++)
				sum += fabs((double)w->w[i]);
		}
		assert_int_equal(p.x[k].status, STATUS_OK);
		assert_true(fabs(p.x[k].gain - sum) < 1e-6 * sum);
		assert_true(fabs(p.x[k].ppi - sum / (double)p.part.g[k].params) < 1e-6);
	}
	end(&p);
}

static void random_influence_depends_on_seed_and_name_alone(void **state)
{
	struct probed tensors, layers, again;
	struct prober_options o = { .method = METHOD_RANDOM, .seed = 7 };
	double low = 1, high = 0;
	size_t moved = 0;

	(void)state;
	start(&tensors, DIRECTION_ADAMW, BY_TENSOR, METHOD_RANDOM, "inf");
	start(&layers, DIRECTION_SGD, BY_TENSOR, METHOD_RANDOM, "rms:1");
	open_probed(&again, DIRECTION_ADAMW, BY_TENSOR, &o);
	assert_int_equal(
	    trainer_gradient(&again.trainer, &again.batch, &again.loss, &again.e), EX_OK);
	estimate(&tensors);
	trainer_step(&layers.trainer, 1e-3);
	assert_int_equal(
	    trainer_gradient(&layers.trainer, &layers.batch, &layers.loss, &layers.e),
	    EX_OK);
	estimate(&layers);
	estimate(&again);
	for (size_t k = 0; k < tensors.part.n; k++) {
		const struct estimate *x = &tensors.x[k];

		assert_int_equal(x->status, STATUS_OK);
		assert_true(x->ppi == layers.x[k].ppi);
		assert_true(x->gain == x->ppi * (double)tensors.part.g[k].params);
		moved += x->ppi != again.x[k].ppi;
		low = fmin(low, x->ppi);
		high = fmax(high, x->ppi);
	}
	assert_int_equal(moved, tensors.part.n);
	assert_true(low >= 0 && low < 0.2 && high > 0.8 && high < 1);
	end(&tensors);
	end(&layers);
	end(&again);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(fits_along_the_gradient_agree_with_exact_derivatives),
		cmocka_unit_test(fits_along_adamws_step_agree_with_exact_derivatives),
		cmocka_unit_test(probing_leaves_the_model_as_it_was),
		cmocka_unit_test(the_slope_of_a_group_is_the_sum_of_its_members),
		cmocka_unit_test(the_gradient_method_takes_the_slope_as_gain),
		cmocka_unit_test(jets_agree_with_exact_derivatives),
		cmocka_unit_test(the_slopes_of_rows_add_up_to_their_tensors),
		cmocka_unit_test(a_group_of_all_rows_has_the_curvature_of_its_tensor),
		cmocka_unit_test(what_moved_for_one_group_stands_still_for_the_next),
		cmocka_unit_test(half_batches_give_unbiased_slopes),
		cmocka_unit_test(halves_leave_the_gradient_to_train_with_as_it_is),
		cmocka_unit_test(a_batch_of_one_sequence_is_taken_whole),
		cmocka_unit_test(gauss_newton_curvatures_are_those_of_jets),
		cmocka_unit_test(the_matrix_is_the_same_beside_every_method),
		cmocka_unit_test(fisher_information_is_of_each_sequences_gradient),
		cmocka_unit_test(probing_leaves_the_gradient_to_train_with),
		cmocka_unit_test(a_travel_is_the_sum_of_a_groups_own_learning_rates),
		cmocka_unit_test(magnitudes_are_of_the_weights),
		cmocka_unit_test(random_influence_depends_on_seed_and_name_alone),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
