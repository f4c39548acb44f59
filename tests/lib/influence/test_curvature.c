/*
 * Curvatures of all groups beside those by their definition, with the logits'
 * derivatives along each group's direction; the Fisher information beside gradients of
 * sequences.
 */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <cmocka.h>

#include <math.h>

#include "../alone.h"
#include "influence/curvature.h"
#include "model/jet.h"

#define TOLERANCE 1e-4 /* relative to sqrt(M_kk M_ll): float sums, in another order */
#define ZERO      1e-7 /* of u where it is 0, as of a key's bias: rounding of its terms */

/* ---- the definition ---- */

struct truth {
	size_t rows, classes, groups;
	double *p;  /* [rows, classes] */
	double *z1; /* [groups, rows, classes] d logits along g */
	double *m;  /* [groups, groups] */
};

/* <dz/dw, g>, exact. */
static void differentiate(const struct fixture *f, struct jet *jet, const struct group *g,
			  size_t n, double *z1)
{
	const float **v = mem_zeros(f->m.n_params, sizeof *v), *out;
	float **along = mem_zeros(f->m.n_params, sizeof *along);

	for (size_t j = 0; j < g->n; j++) {
		const struct member *at = &g->member[j];
		size_t i = at->param;

		if (along[i] == NULL)
			along[i] = mem_zeros(f->m.params[i].n, sizeof **along);
		memcpy(along[i] + at->from, f->v[i] + at->from, at->n * sizeof **along);
		v[i] = along[i];
	}
	jet_run(jet, v);
	out = jet_logits(jet);
	for (size_t i = 0; out != NULL && i < n; i++)
		z1[i] = (double)out[i];
	for (size_t i = 0; i < f->m.n_params; i++)
		free(along[i]);
	free(along);
	free(v);
}

static void softmax(const float *z, size_t classes, double *p)
{
	double sum = 0;

	for (size_t c = 0; c < classes; c++)
		sum += p[c] = exp((double)z[c]);
	for (size_t c = 0; c < classes; c++)
		p[c] /= sum;
}

/* mean_n (sum_c p x y - (sum_c p x) (sum_c p y)) */
static double product(const struct truth *t, const struct fixture *f, const double *x,
		      const double *y)
{
	double all = 0;

	for (size_t n = 0; n < t->rows; n++) {
		double xy = 0, ex = 0, ey = 0;

		for (size_t c = 0; c < t->classes; c++) {
			size_t i = n * t->classes + c;

			xy += t->p[i] * x[i] * y[i];
			ex += t->p[i] * x[i];
			ey += t->p[i] * y[i];
		}
		all += f->m.regression ? 2 * x[n] * y[n] : xy - ex * ey;
	}
	return all / (double)t->rows;
}

static void truth_make(struct truth *t, const struct fixture *f,
		       const struct partition *part)
{
	struct jet *jet;
	struct pass p;
	size_t n;

	assert_int_equal(pass_init(&p, &f->m, true, NULL), EX_OK);
	assert_int_equal(pass_batch(&p, &f->b, NULL), EX_OK);
	pass_forward(&p);
	*t = (struct truth){ pass_rows(&p, f->m.logits),
			     f->m.slots[f->m.logits].width,
			     part->n,
			     NULL,
			     NULL,
			     NULL };
	n = t->rows * t->classes;
	t->p = mem_zeros(n, sizeof *t->p);
	t->z1 = mem_zeros(n * t->groups, sizeof *t->z1);
	t->m = mem_zeros(t->groups * t->groups, sizeof *t->m);
	for (size_t i = 0; i < t->rows; i++)
		softmax(p.act[f->m.logits] + i * t->classes, t->classes,
			t->p + i * t->classes);
	assert_int_equal(jet_init(&jet, &f->m, NULL), EX_OK);
	assert_int_equal(jet_batch(jet, &p, NULL), EX_OK);
	for (size_t k = 0; k < t->groups; k++)
		differentiate(f, jet, &part->g[k], n, t->z1 + k * n);
	for (size_t k = 0; k < t->groups; k++)
		for (size_t l = 0; l < t->groups; l++)
			t->m[k * t->groups + l] =
			    product(t, f, t->z1 + k * n, t->z1 + l * n);
	jet_free(jet);
	pass_free(&p);
}

static void truth_free(struct truth *t)
{
	free(t->p);
	free(t->z1);
	free(t->m);
}

/* ---- what is measured ---- */

static void measure(const struct fixture *f, const struct partition *part, bool retain,
		    unsigned draws, uint64_t key, double *curv, double *matrix)
{
	struct curvature *c;
	struct gradients g;
	struct pass p;

	assert_int_equal(curvature_init(&c, &f->m, part, NULL), EX_OK);
	fixture_run(f, &f->b, &p, &g, retain);
	assert_int_equal(
	    curvature_measure(c, &p, fixture_directions(f), draws, key, curv, matrix, NULL),
	    EX_OK);
	curvature_free(c);
	gradients_free(&g);
	pass_free(&p);
}

static void near(const struct fixture *f, const struct partition *part, size_t k, size_t l,
		 double x, const struct truth *t)
{
	double exact = t->m[k * t->groups + l];
	double u = sqrt(t->m[k * t->groups + k]), v = sqrt(t->m[l * t->groups + l]);

	if (!(fabs(x - exact) <= TOLERANCE * u * v + ZERO * (u + v) + ZERO * ZERO))
		fail_msg("%s: %s and %s: %.6g where %.6g was expected", f->is->name,
			 part->g[k].name, part->g[l].name, x, exact);
}

static void check_exact(const struct fixture *f, const struct partition *part, bool retain)
{
	double *curv = mem_zeros(part->n, sizeof *curv);
	double *matrix = mem_zeros(part->n * part->n, sizeof *matrix);
	struct truth t;

	truth_make(&t, f, part);
	measure(f, part, retain, 0, 0, curv, matrix);
	for (size_t k = 0; k < part->n; k++) {
		assert_true(curv[k] == matrix[k * part->n + k]);
		for (size_t l = 0; l < part->n; l++) {
			near(f, part, k, l, matrix[k * part->n + l], &t);
			assert_true(matrix[k * part->n + l] == matrix[l * part->n + k]);
		}
	}
	truth_free(&t);
	free(curv);
	free(matrix);
}

static void with_classes(enum grouping by, bool retain)
{
	for (size_t i = 0; i < FIXTURE_CASES; i++) {
		struct partition part;
		struct fixture f;

		if (fixture_cases[i].language)
			continue;
		fixture_open(&f, &fixture_cases[i]);
		assert_int_equal(partition_make(&part, &f.m, by, NULL, NULL), EX_OK);
		check_exact(&f, &part, retain);
		partition_free(&part);
		fixture_close(&f);
	}
}

static void tensors_curvatures_are_those_of_the_definition(void **state)
{
	(void)state;
	with_classes(BY_TENSOR, true);
}

static void groups_of_many_tensors_add_before_they_are_squared(void **state)
{
	(void)state;
	with_classes(BY_LAYER_TYPE, true);
}

static void errors_of_the_loss_scaled_are_those_of_a_seed(void **state)
{
	(void)state;
	with_classes(BY_TYPE, false);
}

/* Sequences that the model is sure of have errors that are rounding, and are seen all the
 * same. */
static void sure_classes_are_told_exactly(void **state)
{
	struct partition part;
	struct fixture f;
	double *curv;
	int bias;

	(void)state;
	fixture_open(&f, &fixture_cases[0]);
	bias = model_find(&f.m, "classifier.bias");
	assert_true(bias >= 0);
	f.m.params[bias].own[0] += 17;
	assert_int_equal(partition_make(&part, &f.m, BY_LAYER, NULL, NULL), EX_OK);
	curv = mem_zeros(part.n, sizeof *curv);
	measure(&f, &part, true, 0, 0, curv, NULL);
	for (size_t k = 0; k < part.n; k++) {
		struct truth t;
		struct partition one = { .g = &part.g[k], .n = 1 };

		truth_make(&t, &f, &one);
		assert_true(t.m[0] > 0 && t.m[0] < 1e-6);
		if (fabs(curv[k] - t.m[0]) > 0.01 * t.m[0])
			fail_msg("%s: %g, exact %g", part.g[k].name, curv[k], t.m[0]);
		truth_free(&t);
	}
	free(curv);
	partition_free(&part);
	fixture_close(&f);
}

/* ---- rows ---- */

static void rows_curvatures_are_those_of_the_definition(void **state)
{
	const size_t cases[] = { 0, 5, 6, 9 };

	(void)state;
	for (size_t i = 0; i < sizeof cases / sizeof *cases; i++) {
		struct partition rows, some;
		struct fixture f;

		fixture_open(&f, &fixture_cases[cases[i]]);
		assert_int_equal(partition_make(&rows, &f.m, BY_ROW, NULL, NULL), EX_OK);
		some = (struct partition){ .by = BY_ROW, .g = rows.g, .n = 0 };
		for (size_t k = 0; k < rows.n; k += 7) {
			struct group g = rows.g[some.n];

			rows.g[some.n++] = rows.g[k];
			rows.g[k] = g;
		}
		check_exact(&f, &some, true);
		partition_free(&rows);
		fixture_close(&f);
	}
}

static void check_sums_of_rows(const struct fixture *f)
{
	struct partition rows, tensors;
	double *curv, *matrix, *by_row;
	size_t first = 0;

	assert_int_equal(partition_make(&rows, &f->m, BY_ROW, NULL, NULL), EX_OK);
	assert_int_equal(partition_make(&tensors, &f->m, BY_TENSOR, NULL, NULL), EX_OK);
	assert_int_equal(tensors.n, f->m.n_params);
	curv = mem_zeros(tensors.n, sizeof *curv);
	by_row = mem_zeros(rows.n, sizeof *by_row);
	matrix = mem_zeros(rows.n * rows.n, sizeof *matrix);
	measure(f, &tensors, true, 1, 5, curv, NULL);
	measure(f, &rows, true, 1, 5, by_row, matrix);
	for (size_t i = 0; i < tensors.n; i++) {
		const struct param *p = &f->m.params[i];
		size_t n = p->ndim == 1 ? 1 : p->shape[0];
		double sum = 0, room = 0;

		for (size_t k = first; k < first + n; k++) {
			for (size_t l = first; l < first + n; l++) {
				sum += matrix[k * rows.n + l];
				room += fabs(matrix[k * rows.n + l]);
			}
		}
		if (fabs(sum - curv[i]) > 1e-9 * room)
			fail_msg("%s: rows sum to %g, not %g", tensors.g[i].name, sum,
				 curv[i]);
		first += n;
	}
	assert_int_equal(first, rows.n);
	free(curv);
	free(by_row);
	free(matrix);
	partition_free(&rows);
	partition_free(&tensors);
}

static void the_matrix_of_rows_sums_to_the_curvature_of_their_tensor(void **state)
{
	(void)state;
	for (size_t i = 0; i < FIXTURE_CASES; i++) {
		struct fixture f;

		fixture_open(&f, &fixture_cases[i]);
		check_sums_of_rows(&f);
		fixture_close(&f);
	}
}

/* ---- labels that are drawn ---- */

enum { DRAWS = 400 };

/* Means of many draws lie within four standard errors of the exact values. */
static void check_draws(const struct fixture *f)
{
	struct partition part;
	struct truth t;
	double *x, *sum, *squares, *together;

	assert_int_equal(partition_make(&part, &f->m, BY_LAYER, NULL, NULL), EX_OK);
	x = mem_zeros(part.n, sizeof *x);
	sum = mem_zeros(part.n, sizeof *sum);
	squares = mem_zeros(part.n, sizeof *squares);
	together = mem_zeros(part.n, sizeof *together);
	truth_make(&t, f, &part);
	for (uint64_t key = 0; key < DRAWS; key++) {
		measure(f, &part, false, 1, key, x, NULL);
		for (size_t k = 0; k < part.n; k++) {
			sum[k] += x[k] / DRAWS;
			squares[k] += x[k] * x[k] / DRAWS;
		}
	}
	measure(f, &part, false, DRAWS, 99, together, NULL);
	for (size_t k = 0; k < part.n; k++) {
		double exact = t.m[k * part.n + k];
		double error = sqrt((squares[k] - sum[k] * sum[k]) / DRAWS);

		assert_true(exact > 0 && error < 0.15 * exact);
		if (fabs(sum[k] - exact) > 4 * error ||
		    fabs(together[k] - exact) > 4 * error)
			fail_msg("%s: %s: %g and %g, but exactly %g, +- %g", f->is->name,
				 part.g[k].name, sum[k], together[k], exact, error);
	}
	truth_free(&t);
	free(x);
	free(sum);
	free(squares);
	free(together);
	partition_free(&part);
}

static void draws_are_right_in_the_mean(void **state)
{
	const size_t cases[] = { 2, 10, 11, 12 };

	(void)state;
	for (size_t i = 0; i < sizeof cases / sizeof *cases; i++) {
		struct fixture f;

		fixture_open(&f, &fixture_cases[cases[i]]);
		check_draws(&f);
		fixture_close(&f);
	}
}

static void the_same_key_draws_the_same_labels(void **state)
{
	struct partition part;
	struct fixture f;
	double x[8] = { 0 }, y[8], z[8];

	(void)state;
	fixture_open(&f, &fixture_cases[10]);
	assert_int_equal(partition_make(&part, &f.m, BY_TYPE, NULL, NULL), EX_OK);
	assert_true(part.n <= 8);
	measure(&f, &part, false, 3, 1, x, NULL);
	measure(&f, &part, false, 3, 1, y, NULL);
	measure(&f, &part, false, 3, 2, z, NULL);
	assert_memory_equal(x, y, part.n * sizeof *x);
	assert_true(memcmp(x, z, part.n * sizeof *x) != 0);
	partition_free(&part);
	fixture_close(&f);
}

static void few_classes_need_no_draws(void **state)
{
	struct fixture f;

	(void)state;
	for (size_t i = 0; i < FIXTURE_CASES; i++) {
		fixture_open(&f, &fixture_cases[i]);
		assert_int_equal(curvature_draws(&f.m, 32), f.m.language ? 2 : 0);
		assert_int_equal(curvature_draws(&f.m, 3), f.m.language ? 22 : 0);
		assert_int_equal(curvature_draws(&f.m, 500), f.m.language ? 1 : 0);
		fixture_close(&f);
	}
}

/* ---- what stands still, and Fisher's information ---- */

static void what_does_not_move_has_no_curvature(void **state)
{
	struct partition part;
	struct fixture f;
	double *curv;

	(void)state;
	fixture_open(&f, &fixture_cases[8]);
	for (size_t i = 0; i < f.m.n_params; i++)
		if (f.m.params[i].type != TYPE_LORA_A)
			memset(f.v[i], 0, f.m.params[i].n * sizeof(float));
	assert_int_equal(partition_make(&part, &f.m, BY_TYPE, NULL, NULL), EX_OK);
	curv = mem_zeros(part.n, sizeof *curv);
	measure(&f, &part, true, 0, 0, curv, NULL);
	for (size_t k = 0; k < part.n; k++)
		assert_true((curv[k] != 0) == (strcmp(part.g[k].type, "lora_A") == 0));
	free(curv);
	partition_free(&part);
	fixture_close(&f);
}

static void check_fisher(const struct fixture *f)
{
	double n = (double)(f->m.language ? f->b.targets : f->b.sequences);
	double *trace, *want;
	struct partition part;
	struct curvature *c;
	struct gradients g;
	struct pass p;

	assert_int_equal(partition_make(&part, &f->m, BY_LAYER_TYPE, NULL, NULL), EX_OK);
	trace = mem_zeros(part.n, sizeof *trace);
	want = mem_zeros(part.n, sizeof *want);
	assert_int_equal(curvature_init(&c, &f->m, &part, NULL), EX_OK);
	fixture_run(f, &f->b, &p, &g, true);
	assert_int_equal(curvature_fisher(c, &p, trace, NULL), EX_OK);
	curvature_free(c);
	gradients_free(&g);
	pass_free(&p);
	for (size_t s = 0; s < f->b.sequences; s++) {
		gradients_alone(f, s, &g);
		for (size_t k = 0; k < part.n; k++) {
			for (size_t j = 0; j < part.g[k].n; j++) {
				const struct member *at = &part.g[k].member[j];

				want[k] += n * vec_dot(f->m.k, at->n, g.g[at->param],
						       g.g[at->param]);
			}
		}
		gradients_free(&g);
	}
	for (size_t k = 0; k < part.n; k++)
		if (!(fabs(trace[k] - want[k]) <= 1e-4 * want[k]) || want[k] == 0)
			fail_msg("%s: %s: %g where %g was expected", f->is->name,
				 part.g[k].name, trace[k], want[k]);
	free(trace);
	free(want);
	partition_free(&part);
}

static void fishers_information_is_the_mean_square_of_gradients(void **state)
{
	(void)state;
	for (size_t i = 0; i < FIXTURE_CASES; i++) {
		struct fixture f;

		fixture_open(&f, &fixture_cases[i]);
		check_fisher(&f);
		fixture_close(&f);
	}
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(tensors_curvatures_are_those_of_the_definition),
		cmocka_unit_test(groups_of_many_tensors_add_before_they_are_squared),
		cmocka_unit_test(errors_of_the_loss_scaled_are_those_of_a_seed),
		cmocka_unit_test(sure_classes_are_told_exactly),
		cmocka_unit_test(rows_curvatures_are_those_of_the_definition),
		cmocka_unit_test(the_matrix_of_rows_sums_to_the_curvature_of_their_tensor),
		cmocka_unit_test(draws_are_right_in_the_mean),
		cmocka_unit_test(the_same_key_draws_the_same_labels),
		cmocka_unit_test(few_classes_need_no_draws),
		cmocka_unit_test(what_does_not_move_has_no_curvature),
		cmocka_unit_test(fishers_information_is_the_mean_square_of_gradients),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
