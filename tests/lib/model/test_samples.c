/*
 * Products of sequences' gradients beside those gradients, each from a batch of one.
 */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <cmocka.h>

#include <math.h>

#include "../alone.h"

/* Of the largest that the sums can be: float errors, in another order. */
#define TOLERANCE 2e-5
/* Of zeros, such as the bias of a key, rounding of their terms is left. */
#define ZERO 1e-7

/* Every row of every parameter is a unit; beside them, whole parameters. */
struct rows {
	struct units *rows, *whole;
	size_t *first; /* [n_params] unit of the first row */
	size_t n;
};

static void make_rows(struct rows *r, const struct model *m)
{
	*r = (struct rows){ 0 };
	r->rows = mem_zeros(m->n_params, sizeof *r->rows);
	r->whole = mem_zeros(m->n_params, sizeof *r->whole);
	r->first = mem_zeros(m->n_params, sizeof *r->first);
	for (size_t i = 0; i < m->n_params; i++) {
		size_t *of_row = mem_zeros(m->params[i].shape[0], sizeof *of_row);

		r->first[i] = r->n;
		for (size_t j = 0; j < m->params[i].shape[0]; j++)
			of_row[j] = r->n++;
		r->rows[i].of_row = of_row;
		r->whole[i].all = i;
	}
}

static void free_rows(struct rows *r, const struct model *m)
{
	for (size_t i = 0; i < m->n_params; i++)
		free((size_t *)r->rows[i].of_row);
	free(r->rows);
	free(r->whole);
	free(r->first);
}

static struct samples *samples_for(const struct fixture *f, const struct pass *p,
				   bool again)
{
	struct samples *w;

	assert_int_equal(samples_init(&w, &f->m, NULL), EX_OK);
	assert_int_equal(samples_batch(w, p, again, NULL), EX_OK);
	return w;
}

/* u[sequences, stride] of all operations, with their errors times `factor`. */
static double *u_by(const struct fixture *f, const struct pass *p, struct samples *w,
		    float factor, const struct units *units, size_t stride)
{
	struct directions d = fixture_directions(f);
	double *u = mem_zeros(f->b.sequences * stride, sizeof *u);

	for (size_t i = f->m.n_ops; i-- > 0;) {
		const struct op *op = &f->m.ops[i];
		float *e =
		    op->out < 0 || p->err[op->out] == NULL ? NULL : p->err[op->out]->f;
		size_t n =
		    e == NULL ? 0 : pass_rows(p, op->out) * f->m.slots[op->out].width;

		vec_scale(f->m.k, n, factor, e);
		if (e != NULL)
			assert_int_equal(
			    samples_along(w, op, e, &d, units, u, stride, NULL), EX_OK);
		vec_scale(f->m.k, n, 1 / factor, e);
	}
	return u;
}

static double *u_of(const struct fixture *f, const struct pass *p,
		    const struct units *units, size_t stride)
{
	struct samples *w = samples_for(f, p, false);
	double *u = u_by(f, p, w, 1, units, stride);

	samples_free(w);
	return u;
}

static double dot(const float *x, const float *y, size_t n)
{
	double sum = 0;

	for (size_t i = 0; i < n; i++)
		sum += (double)x[i] * (double)y[i];
	return sum;
}

static void near(const struct fixture *f, size_t param, size_t row, double x, double exact,
		 double room)
{
	if (!(fabs(x - exact) <= TOLERANCE * room))
		fail_msg("%s: %s[%zu]: %.9g where %.9g was expected", f->is->name,
			 f->m.params[param].name, row, x, exact);
}

static void check_along(const struct fixture *f, const struct rows *r, size_t s,
			const double *by_row, const double *by_param)
{
	struct gradients g;

	gradients_alone(f, s, &g);
	for (size_t i = 0; i < f->m.n_params; i++) {
		const struct param *p = &f->m.params[i];
		size_t rows = p->shape[0], n = p->n / rows;
		double v = sqrt(dot(f->v[i], f->v[i], p->n));
		double room = sqrt(dot(g.g[i], g.g[i], p->n)) * v + ZERO / TOLERANCE;

		near(f, i, 0, by_param[i], dot(g.g[i], f->v[i], p->n), room);
		for (size_t j = 0; j < rows; j++)
			near(f, i, j, by_row[r->first[i] + j],
			     dot(g.g[i] + j * n, f->v[i] + j * n, n), room);
	}
	gradients_free(&g);
}

static void with_every_fixture(void (*check)(const struct fixture *, const struct rows *,
					     const struct pass *))
{
	for (size_t i = 0; i < FIXTURE_CASES; i++) {
		struct fixture f;
		struct rows r;
		struct pass p;
		struct gradients g;

		fixture_open(&f, &fixture_cases[i]);
		make_rows(&r, &f.m);
		fixture_run(&f, &f.b, &p, &g, true);
		check(&f, &r, &p);
		gradients_free(&g);
		pass_free(&p);
		free_rows(&r, &f.m);
		fixture_close(&f);
	}
}

/* The direction of a padding token, whose row has no gradient, must not count here. */
static void still_padding(const struct fixture *f)
{
	for (size_t i = 0; i < f->m.n_ops; i++) {
		const struct op *op = &f->m.ops[i];
		size_t width = op->out < 0 ? 0 : f->m.slots[op->out].width;

		if (op->kind != OP_EMBED)
			continue;
		if (f->m.config.pad_token >= 0)
			memset(f->v[op->p[0]] + (size_t)f->m.config.pad_token * width, 0,
			       width * sizeof(float));
		if (op->pad >= 0)
			memset(f->v[op->p[1]] + (size_t)op->pad * width, 0,
			       width * sizeof(float));
	}
}

static void along(const struct fixture *f, const struct rows *r, const struct pass *p)
{
	double *by_row, *by_param;

	still_padding(f);
	by_row = u_of(f, p, r->rows, r->n);
	by_param = u_of(f, p, r->whole, f->m.n_params);
	for (size_t s = 0; s < f->b.sequences; s++)
		check_along(f, r, s, by_row + s * r->n, by_param + s * f->m.n_params);
	free(by_row);
	free(by_param);
}

static void products_are_those_of_gradients_of_sequences(void **state)
{
	(void)state;
	with_every_fixture(along);
}

/* Whatever is kept, each call takes its own errors. */
static void again(const struct fixture *f, const struct units *units, size_t stride,
		  const struct pass *p)
{
	struct samples *w = samples_for(f, p, true);
	double *once = u_of(f, p, units, stride);
	double *first = u_by(f, p, w, 4, units, stride);
	double *second = u_by(f, p, w, -0.5F, units, stride);

	for (size_t i = 0; i < f->b.sequences * stride; i++) {
		double room = ZERO + TOLERANCE * fabs(once[i]);

		if (fabs(first[i] / 4 - once[i]) > room ||
		    fabs(second[i] / -0.5 - once[i]) > room)
			fail_msg("%s: unit %zu: %g and %g instead of 4 and -0.5 times %g",
				 f->is->name, i % stride, first[i], second[i], once[i]);
	}
	samples_free(w);
	free(once);
	free(first);
	free(second);
}

static void kept(const struct fixture *f, const struct rows *r, const struct pass *p)
{
	again(f, r->rows, r->n, p);
	again(f, r->whole, f->m.n_params, p);
}

static void products_that_are_kept_take_new_errors(void **state)
{
	(void)state;
	with_every_fixture(kept);
}

static double *squares_of(const struct fixture *f, const struct pass *p,
			  const struct units *units, size_t n)
{
	struct samples *w = samples_for(f, p, false);
	double *x = mem_zeros(n, sizeof *x);

	for (size_t i = 0; i < f->m.n_params; i++)
		assert_int_equal(samples_squares(w, i, &units[i], x, NULL), EX_OK);
	samples_free(w);
	return x;
}

static void squares(const struct fixture *f, const struct rows *r, const struct pass *p)
{
	double *x = squares_of(f, p, r->rows, r->n);
	double *all = squares_of(f, p, r->whole, f->m.n_params);
	double *want = mem_zeros(r->n, sizeof *want), *sum;

	sum = mem_zeros(f->m.n_params, sizeof *sum);
	for (size_t s = 0; s < f->b.sequences; s++) {
		struct gradients g;

		gradients_alone(f, s, &g);
		for (size_t i = 0; i < f->m.n_params; i++) {
			size_t rows = f->m.params[i].shape[0], n = f->m.params[i].n / rows;

			for (size_t j = 0; j < rows; j++) {
				const float *row = g.g[i] + j * n;

				want[r->first[i] + j] += dot(row, row, n);
				sum[i] += dot(row, row, n);
			}
		}
		gradients_free(&g);
	}
	for (size_t i = 0; i < f->m.n_params; i++) {
		double room = sum[i] + ZERO * ZERO / TOLERANCE;

		near(f, i, 0, all[i], sum[i], room);
		for (size_t j = 0; j < f->m.params[i].shape[0]; j++)
			near(f, i, j, x[r->first[i] + j], want[r->first[i] + j], room);
	}
	free(x);
	free(all);
	free(want);
	free(sum);
}

static void squares_are_those_of_gradients_of_sequences(void **state)
{
	(void)state;
	with_every_fixture(squares);
}

/* What retains its errors gives the same gradients: nothing is added where they stand. */
static void errors_that_are_retained_change_no_gradient(void **state)
{
	(void)state;
	for (size_t i = 0; i < FIXTURE_CASES; i++) {
		struct fixture f;
		struct pass p, q;
		struct gradients g, h;
		struct visitor v;

		fixture_open(&f, &fixture_cases[i]);
		fixture_run(&f, &f.b, &p, &g, true);
		fixture_run(&f, &f.b, &q, &h, false);
		for (size_t j = 0; j < f.m.n_params; j++)
			assert_memory_equal(g.g[j], h.g[j],
					    f.m.params[j].n * sizeof(float));
		/* Nor were they written to behind: they give the gradients once more. */
		gradients_zero(&h);
		v = gradients_visitor(&h);
		for (size_t j = f.m.n_ops; j-- > 0;) {
			const struct op *op = &f.m.ops[j];

			if (op->out >= 0 && p.err[op->out] != NULL && op->pairs == 0)
				v.visit(v.self, &p, op, p.err[op->out]->f);
		}
		for (size_t j = 0; f.is->lora == NULL && j < f.m.n_params; j++)
			assert_memory_equal(g.g[j], h.g[j],
					    f.m.params[j].n * sizeof(float));
		gradients_free(&g);
		gradients_free(&h);
		pass_free(&p);
		pass_free(&q);
		fixture_close(&f);
	}
}

static void rows_without_a_unit_are_not_counted(void **state)
{
	struct fixture f;
	struct rows r;
	struct pass p;
	struct gradients g;
	double *with, *without;
	size_t last;

	(void)state;
	fixture_open(&f, &fixture_cases[0]);
	make_rows(&r, &f.m);
	fixture_run(&f, &f.b, &p, &g, true);
	with = u_of(&f, &p, r.rows, r.n);
	last = f.m.n_params - 2; /* the classifier's weight */
	((size_t *)r.rows[last].of_row)[0] = UNIT_NONE;
	without = u_of(&f, &p, r.rows, r.n);
	for (size_t i = 0; i < f.b.sequences * r.n; i++) {
		if (i % r.n != r.first[last])
			assert_true(with[i] == without[i]);
		else
			assert_true(with[i] != 0 && without[i] == 0);
	}
	free(with);
	free(without);
	gradients_free(&g);
	pass_free(&p);
	free_rows(&r, &f.m);
	fixture_close(&f);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(products_are_those_of_gradients_of_sequences),
		cmocka_unit_test(products_that_are_kept_take_new_errors),
		cmocka_unit_test(squares_are_those_of_gradients_of_sequences),
		cmocka_unit_test(errors_that_are_retained_change_no_gradient),
		cmocka_unit_test(rows_without_a_unit_are_not_counted),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
