/*
 * Gradients of two parts of a batch, from one backward pass, beside those of the sequences
 * of each part.
 */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <cmocka.h>

#include <math.h>

#include "../alone.h"

/* Of a parameter's whole gradient: float sums, in another order. */
#define TOLERANCE 2e-5
/* Of zeros, such as the bias of a key, rounding of their terms is left. */
#define ZERO 1e-7

static void part_open(struct gradients *g, const struct fixture *f, size_t first,
		      size_t end)
{
	assert_int_equal(gradients_init(g, &f->m, f->all, false, NULL), EX_OK);
	g->first = first;
	g->end = end;
}

static void run_parts(const struct fixture *f, struct gradients two[2])
{
	struct visitor v = gradients_visitor_of_two(two);
	struct pass p;

	assert_int_equal(pass_init(&p, &f->m, true, NULL), EX_OK);
	assert_int_equal(pass_batch(&p, &f->b, NULL), EX_OK);
	pass_forward(&p);
	assert_int_equal(pass_backward(&p, &v, NULL), EX_OK);
	pass_free(&p);
}

/* What is left of `part` when the gradients of its sequences are taken off, beside `whole`,
 * all of the batch's. */
static void check_part(const struct fixture *f, const struct gradients *part,
		       const struct gradients *whole)
{
	for (size_t s = part->first; s < part->end; s++) {
		struct gradients one;

		gradients_alone(f, s, &one);
		for (size_t i = 0; i < f->m.n_params; i++)
			vec_axpy(f->m.k, f->m.params[i].n, -1, one.g[i], part->g[i]);
		gradients_free(&one);
	}
	for (size_t i = 0; i < f->m.n_params; i++) {
		size_t n = f->m.params[i].n;
		double left = sqrt(vec_dot(f->m.k, n, part->g[i], part->g[i]));
		double room = sqrt(vec_dot(f->m.k, n, whole->g[i], whole->g[i]));

		if (!(left <= TOLERANCE * room + ZERO * sqrt((double)n)))
			fail_msg("%s: %s, sequences %zu to %zu: off by %g of %g",
				 f->is->name, f->m.params[i].name, part->first, part->end,
				 left, room);
	}
}

static void check_sum(const struct fixture *f, const struct gradients two[2],
		      const struct gradients *whole)
{
	struct gradients sum;

	part_open(&sum, f, 0, 0);
	gradients_add(&two[0], &two[1], &sum);
	for (size_t i = 0; i < f->m.n_params; i++) {
		size_t n = f->m.params[i].n;
		double room = sqrt(vec_dot(f->m.k, n, whole->g[i], whole->g[i]));

		for (size_t j = 0; j < n; j++)
			if (!(fabs((double)sum.g[i][j] - (double)whole->g[i][j]) <=
			      TOLERANCE * room + ZERO))
				fail_msg("%s: %s[%zu]: %g instead of %g", f->is->name,
					 f->m.params[i].name, j, (double)sum.g[i][j],
					 (double)whole->g[i][j]);
	}
	gradients_free(&sum);
}

static void check_cut(const struct fixture *f, size_t cut, const struct gradients *whole)
{
	struct gradients two[2];

	part_open(&two[0], f, 0, cut);
	part_open(&two[1], f, cut, f->b.sequences);
	run_parts(f, two);
	check_sum(f, two, whole);
	check_part(f, &two[0], whole);
	check_part(f, &two[1], whole);
	gradients_free(&two[0]);
	gradients_free(&two[1]);
}

static void two_parts_of_a_batch_add_up_to_its_gradient(void **state)
{
	(void)state;
	for (size_t i = 0; i < FIXTURE_CASES; i++) {
		struct fixture f;
		struct gradients whole;
		struct pass p;

		fixture_open(&f, &fixture_cases[i]);
		assert_true(f.b.sequences > 1);
		fixture_run(&f, &f.b, &p, &whole, false);
		for (size_t cut = 1; cut < f.b.sequences; cut++)
			check_cut(&f, cut, &whole);
		gradients_free(&whole);
		pass_free(&p);
		fixture_close(&f);
	}
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(two_parts_of_a_batch_add_up_to_its_gradient),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
