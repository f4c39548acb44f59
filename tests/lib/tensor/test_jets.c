/*
 * Jets of kernels against the same functions in double, whose derivatives are known.
 */
#include "tables.h"

#include "tensor/jets.h"

#define N 4000

/* f' and f'' of an activation, in double. */
static double slope_and_bend(enum activation f, double x, double *bend)
{
	double phi = exp(-x * x / 2) / sqrt(2 * M_PI), c = sqrt(2 / M_PI), t, u1, u2, t1, s;

	switch (f) {
	case ACT_GELU: *bend = phi * (2 - x * x); return erfc(-x / sqrt(2)) / 2 + x * phi;
	case ACT_GELU_NEW:
		t = tanh(c * (x + 0.044715 * x * x * x));
		u1 = c * (1 + 3 * 0.044715 * x * x);
		u2 = c * 6 * 0.044715 * x;
		t1 = (1 - t * t) * u1;
		*bend = t1 + x / 2 * ((1 - t * t) * u2 - 2 * t * t1 * u1);
		return (1 + t) / 2 + x / 2 * t1;
	case ACT_TANH:
		t = tanh(x);
		*bend = -2 * t * (1 - t * t);
		return 1 - t * t;
	case ACT_RELU: *bend = 0; return x > 0;
	default:
		s = 1 / (1 + exp(-x));
		*bend = s * (1 - s) * (2 + x * (1 - 2 * s));
		return s + x * s * (1 - s);
	}
}

static void check_act(const struct kernels *k, enum activation f)
{
	float *x = normals(N, 1), *x1 = normals(N, 2), *x2 = normals(N, 3);
	float *y1 = floats(N), *y2 = floats(N), *z2 = floats(N);

	for (size_t i = 0; i < N; i++)
		x[i] *= i % 10 == 0 ? 9 : 2;
	act_jet(k, f, N, x, x1, x2, y1, y2);
	act_jet(k, f, N, x, x1, NULL, y1, z2);
	for (size_t i = 0; i < N; i++) {
		double a = (double)x1[i], bend,
		       slope = slope_and_bend(f, (double)x[i], &bend);
		double both = slope * (double)x2[i] + bend * a * a / 2;

		assert_true(fabs((double)y1[i] - slope * a) < 1e-6 * (1 + fabs(a)));
		assert_true(fabs((double)y2[i] - both) < 4e-6 * (1 + a * a));
		assert_true(fabs((double)z2[i] - bend * a * a / 2) < 4e-6 * (1 + a * a));
	}
	act_jet(k, f, N, x, x1, x2, x1, x2);
	assert_memory_equal(x1, y1, N * sizeof *x1);
	assert_memory_equal(x2, y2, N * sizeof *x2);
	free(x);
	free(x1);
	free(x2);
	free(y1);
	free(y2);
	free(z2);
}

static void check_activations(const struct kernels *k)
{
	check_act(k, ACT_GELU);
	check_act(k, ACT_GELU_NEW);
	check_act(k, ACT_TANH);
	check_act(k, ACT_RELU);
	check_act(k, ACT_SILU);
}

static void activations_bend_as_their_second_derivatives_say(void **state)
{
	(void)state;
	with_every_table(check_activations);
}

static void check_saturated(const struct kernels *k)
{
	float x[20], one[20], y1[20], y2[20];

	for (size_t i = 0; i < 20; i++) {
		x[i] = (float)i - 10;
		one[i] = 1;
	}
	act_jet(k, ACT_TANH, 20, x, one, NULL, y1, y2);
	for (size_t i = 0; i < 20; i++) {
		double bend, slope = 1 / (cosh((double)x[i]) * cosh((double)x[i]));

		bend = -2 * tanh((double)x[i]) * slope;
		assert_true(fabs((double)y1[i] - slope) <= 2e-6 * slope);
		assert_true(fabs((double)y2[i] - bend / 2) <= 2e-6 * slope);
	}
}

static void a_saturated_tanh_keeps_its_relative_accuracy(void **state)
{
	(void)state;
	with_every_table(check_saturated);
}

/* ---- norms ---- */

#define ROWS  3
#define WIDTH 37
#define EPS   1e-3

/* The norm of one row at eta, in double. */
static void norm_at(const float *const x[3], const float *w, const float *w1,
		    const float *b1, double eta, double *y)
{
	double v[WIDTH], mean = 0, var = 0;

	for (size_t j = 0; j < WIDTH; j++) {
		v[j] = (double)x[0][j] + eta * (double)x[1][j];
		v[j] += x[2] == NULL ? 0 : eta * eta * (double)x[2][j];
		mean += v[j] / WIDTH;
	}
	for (size_t j = 0; j < WIDTH; j++)
		var += (v[j] - mean) * (v[j] - mean) / WIDTH;
	for (size_t j = 0; j < WIDTH; j++) {
		double scale = (double)w[j] + (w1 == NULL ? 0 : eta * (double)w1[j]);

		y[j] = (v[j] - mean) / sqrt(var + EPS) * scale;
		y[j] += b1 == NULL ? 0 : eta * (double)b1[j];
	}
}

static void check_norm_rows(const struct norm_jet *o)
{
	const double h = 1e-4;

	for (size_t i = 0; i < ROWS; i++) {
		const float *x[3] = { o->x + i * WIDTH, o->x1 + i * WIDTH,
				      o->x2 == NULL ? NULL : o->x2 + i * WIDTH };
		double down[WIDTH], here[WIDTH], up[WIDTH];

		norm_at(x, o->w, o->w1, o->b1, -h, down);
		norm_at(x, o->w, o->w1, o->b1, 0, here);
		norm_at(x, o->w, o->w1, o->b1, h, up);
		for (size_t j = 0; j < WIDTH; j++) {
			double one = (up[j] - down[j]) / (2 * h);
			double two = (up[j] - 2 * here[j] + down[j]) / (2 * h * h);

			assert_true(fabs((double)o->y1[i * WIDTH + j] - one) < 1e-5);
			assert_true(fabs((double)o->y2[i * WIDTH + j] - two) < 1e-5);
		}
	}
}

static void check_norm(const struct kernels *k)
{
	const size_t n = ROWS * WIDTH;
	float mean[ROWS], rstd[ROWS], *y = floats(n);
	float *x = normals(n, 1), *x1 = normals(n, 2), *x2 = normals(n, 3);
	float *w = normals(WIDTH, 4), *w1 = normals(WIDTH, 5), *b1 = normals(WIDTH, 6);
	struct norm_jet o = {
		.x = x, .w = w, .mean = mean, .rstd = rstd, .eps = (float)EPS
	};

	for (size_t i = 0; i < n; i++)
		x[i] = 3 + 2 * x[i];
	norm_forward(k, ROWS, WIDTH, x, w, b1, o.eps, y, mean, rstd);
	o.y1 = floats(n);
	o.y2 = floats(n);
	o.x1 = x1;
	norm_jet(k, ROWS, WIDTH, &o);
	check_norm_rows(&o);
	o.x2 = x2;
	norm_jet(k, ROWS, WIDTH, &o);
	check_norm_rows(&o);
	o.w1 = w1;
	o.b1 = b1;
	norm_jet(k, ROWS, WIDTH, &o);
	check_norm_rows(&o);
	memset(x1, 0, n * sizeof *x1);
	memset(o.y2, 0, n * sizeof *o.y2);
	o.x2 = NULL;
	norm_jet(k, ROWS, WIDTH, &o);
	memcpy(y, o.y1, n * sizeof *y);
	o.x1 = NULL;
	norm_jet(k, ROWS, WIDTH, &o);
	for (size_t i = 0; i < n; i++)
		assert_true(fabsf(y[i] - o.y1[i]) < 1e-5f);
	free(x);
	free(x1);
	free(x2);
	free(w);
	free(w1);
	free(b1);
	free(y);
	free(o.y1);
	free(o.y2);
}

static void norms_move_as_differences_in_double_say(void **state)
{
	(void)state;
	with_every_table(check_norm);
}

/* ---- softmax ---- */

static void softmax_at(size_t n, const float *p, const float *s1, const float *s2,
		       double eta, double *q)
{
	double sum = 0;

	for (size_t j = 0; j < n; j++) {
		double s = eta * (double)s1[j];

		s += s2 == NULL ? 0 : eta * eta * (double)s2[j];
		sum += q[j] = (double)p[j] * exp(s);
	}
	for (size_t j = 0; j < n; j++)
		q[j] /= sum;
}

static void check_softmax_row(const struct kernels *k, const float *p, const float *s1,
			      const float *s2)
{
	const double h = 1e-4;
	double down[WIDTH], here[WIDTH], up[WIDTH];
	float p1[WIDTH], p2[WIDTH];

	memcpy(p1, s1, sizeof p1);
	for (size_t j = 0; j < WIDTH; j++)
		p2[j] = s2 == NULL ? NAN : s2[j];
	softmax_jet(k, WIDTH, p, s2 != NULL, p1, p2);
	softmax_at(WIDTH, p, s1, s2, -h, down);
	softmax_at(WIDTH, p, s1, s2, 0, here);
	softmax_at(WIDTH, p, s1, s2, h, up);
	for (size_t j = 0; j < WIDTH; j++) {
		double one = (up[j] - down[j]) / (2 * h);
		double two = (up[j] - 2 * here[j] + down[j]) / (2 * h * h);

		assert_true(fabs((double)p1[j] - one) < 1e-6);
		assert_true(fabs((double)p2[j] - two) < 1e-6);
	}
}

static void check_softmax(const struct kernels *k)
{
	float *p = normals(WIDTH, 1), *s1 = normals(WIDTH, 2), *s2 = normals(WIDTH, 3);
	float alike[WIDTH], none[WIDTH], sum = 0;

	for (size_t j = 0; j < WIDTH; j++)
		sum += p[j] = j % 5 == 0 ? 0 : expf(2 * p[j]);
	for (size_t j = 0; j < WIDTH; j++) {
		p[j] /= sum;
		alike[j] = 12345.678f;
	}
	check_softmax_row(k, p, s1, NULL);
	check_softmax_row(k, p, s1, s2);
	softmax_jet(k, WIDTH, p, false, alike, none);
	for (size_t j = 0; j < WIDTH; j++)
		assert_true(alike[j] == 0 && none[j] == 0);
	free(p);
	free(s1);
	free(s2);
}

static void probabilities_move_as_differences_in_double_say(void **state)
{
	(void)state;
	with_every_table(check_softmax);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(activations_bend_as_their_second_derivatives_say),
		cmocka_unit_test(a_saturated_tanh_keeps_its_relative_accuracy),
		cmocka_unit_test(norms_move_as_differences_in_double_say),
		cmocka_unit_test(probabilities_move_as_differences_in_double_say),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
