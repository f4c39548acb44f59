#include "tables.h"

/* Odd, above the size at which threads start, and of many blocks. */
enum { N = 70003 };

typedef double (*real_function)(double x);

static double cdf(double x)
{
	return 0.5 * erfc(-x * M_SQRT1_2);
}

static double gelu(double x)
{
	return x * cdf(x);
}

static double gelu_slope(double x)
{
	return cdf(x) + x * exp(-0.5 * x * x) * 0.3989422804014327;
}

/* 1/2 (1 + tanh u) without cancellation, u = sqrt(2/pi) (x + 0.044715 x^3). */
static double gelu_new_gate(double x)
{
	return 1.0 / (1.0 + exp(-1.5957691216057308 * (x + 0.044715 * x * x * x)));
}

static double gelu_new(double x)
{
	return x * gelu_new_gate(x);
}

static double gelu_new_slope(double x)
{
	double s = gelu_new_gate(x);

	return s + x * s * (1 - s) * 1.5957691216057308 * (1 + 3 * 0.044715 * x * x);
}

static double tanh_slope(double x)
{
	return 1.0 / (cosh(x) * cosh(x));
}

static double relu(double x)
{
	return x < 0 ? 0 : x;
}

static double relu_slope(double x)
{
	return x > 0 ? 1 : 0;
}

static double silu(double x)
{
	return x / (1 + exp(-x));
}

static double silu_slope(double x)
{
	double s = 1 / (1 + exp(-x));

	return s * (1 + x * (1 - s));
}

static const struct {
	enum activation f;
	real_function value, slope;
} activations[] = {
	{ ACT_GELU, gelu, gelu_slope }, { ACT_GELU_NEW, gelu_new, gelu_new_slope },
	{ ACT_TANH, tanh, tanh_slope }, { ACT_RELU, relu, relu_slope },
	{ ACT_SILU, silu, silu_slope },
};

/* From -span to span, dense. */
static float *grid(double span)
{
	float *x = floats(N);

	for (size_t i = 0; i < N; i++)
		x[i] = (float)(span * (2.0 * (double)i / (N - 1) - 1.0));
	return x;
}

static void check_activations(const struct kernels *k, double span)
{
	float *x = grid(span), *y = floats(N), *dy = normals(N, 1), *dx = floats(N);

	for (size_t a = 0; a < sizeof activations / sizeof *activations; a++) {
		act_forward(k, activations[a].f, N, x, y);
		act_backward(k, activations[a].f, N, x, dy, dx);
		for (size_t i = 0; i < N; i++) {
			double slope = activations[a].slope((double)x[i]) * (double)dy[i];

			ASSERT_NEAR(k, y[i], activations[a].value((double)x[i]), 1e-7,
				    1e-6);
			ASSERT_NEAR(k, dx[i], slope, 2e-7 * fmax(1, fabs((double)dy[i])),
				    1e-6);
		}
	}
	free(x);
	free(y);
	free(dy);
	free(dx);
}

static void activations_match_double(const struct kernels *k)
{
	check_activations(k, 6.0);
	check_activations(k, 100.0);
}

static void gelu_keeps_relative_accuracy_in_its_tail(const struct kernels *k)
{
	float *x = grid(5.3), *y = floats(N);

	act_forward(k, ACT_GELU, N, x, y);
	for (size_t i = 0; i < N; i++) /* see gelu_tail_keeps_its_relative_accuracy */
		ASSERT_NEAR(k, y[i], gelu((double)x[i]), 0, 3e-6);
	free(x);
	free(y);
}

static void activations_work_in_place(const struct kernels *k)
{
	float *x = grid(6.0), *y = floats(N), *z = grid(6.0), *dy = normals(N, 1);

	act_forward(k, ACT_GELU, N, x, y);
	act_forward(k, ACT_GELU, N, z, z);
	assert_memory_equal(y, z, N * sizeof *y);
	act_backward(k, ACT_GELU, N, x, dy, y);
	act_backward(k, ACT_GELU, N, x, dy, dy);
	assert_memory_equal(y, dy, N * sizeof *y);
	free(x);
	free(y);
	free(z);
	free(dy);
}

static void activations_of_extremes_are_finite_or_nan(const struct kernels *k)
{
	const float x[4] = { -INFINITY, 1e30f, NAN, -0.0f }, one[4] = { 1, 1, 1, 1 };
	float y[4], dx[4];

	for (size_t a = 0; a < sizeof activations / sizeof *activations; a++) {
		act_forward(k, activations[a].f, 4, x, y);
		act_backward(k, activations[a].f, 4, x, one, dx);
		ASSERT_NEAR(k, y[0], activations[a].f == ACT_TANH ? -1 : 0, 1e-7, 0);
		ASSERT_NEAR(k, y[1], activations[a].f == ACT_TANH ? 1 : 1e30, 0, 1e-6);
		assert_true(isnan(y[2]));
		assert_true(y[3] == 0.0f);
		ASSERT_NEAR(k, dx[0], 0, 1e-7, 0);
		ASSERT_NEAR(k, dx[1], activations[a].f == ACT_TANH ? 0 : 1, 1e-7, 0);
		assert_true(activations[a].f == ACT_RELU || isnan(dx[2]));
	}
}

static void axpy_step_and_scale_are_exact(const struct kernels *k)
{
	float *x = normals(N, 1), *y = normals(N, 2), *old = normals(N, 2), *z = floats(N);

	vec_axpy(k, N, -2.0f, x, y);
	vec_step(k, N, old, -2.0f, x, z);
	for (size_t i = 0; i < N; i++) {
		ASSERT_NEAR(k, y[i], (double)old[i] - 2.0 * (double)x[i], 1e-7, 1e-7);
		assert_true(z[i] == y[i]);
	}
	vec_scale(k, N, 0.3f, x);
	vec_scale(k, 0, 0.3f, NULL);
	free(x);
	x = normals(N, 1);
	memcpy(z, x, N * sizeof *x);
	vec_scale(k, N, 0.3f, z);
	for (size_t i = 0; i < N; i++)
		assert_true(z[i] == 0.3f * x[i]);
	free(x);
	free(y);
	free(old);
	free(z);
}

static void sums_are_exact_and_do_not_depend_on_threads(const struct kernels *k)
{
	float *x = normals(N, 1), *y = normals(N, 2);
	double dot = 0, sum = 0, one, many;

	for (size_t i = 0; i < N; i++) {
		dot += (double)x[i] * (double)y[i];
		sum += fabs((double)x[i]);
	}
	blas_threads(1);
	one = vec_dot(k, N, x, y);
	blas_threads(3);
	many = vec_dot(k, N, x, y);
	ASSERT_NEAR(k, one, dot, 1e-9, 1e-12);
	assert_true(one == many);
	many = vec_sum_abs(k, N, x);
	blas_threads(1);
	one = vec_sum_abs(k, N, x);
	blas_threads(0);
	ASSERT_NEAR(k, one, sum, 0, 1e-12);
	assert_true(one == many);
	assert_true(vec_dot(k, 0, x, y) == 0.0);
	free(x);
	free(y);
}

/* Arrays of one block and of a few are summed, and scaled, in ways of their own. */
static void any_length_is_summed_and_scaled(const struct kernels *k)
{
	static const size_t lengths[] = { 1, 2, 31, 4095, 4096, 4097, 8192, 12289 };
	float *x = normals(N, 1), *y = normals(N, 2), *z = floats(N);

	for (size_t l = 0; l < sizeof lengths / sizeof *lengths; l++) {
		size_t n = lengths[l];
		double dot = 0, sum = 0;

		memcpy(z, x, N * sizeof *z);
		vec_scale(k, n, -2.0f, z);
		for (size_t i = 0; i < n; i++) {
			dot += (double)x[i] * (double)y[i];
			sum += fabs((double)x[i]);
			assert_true(z[i] == -2.0f * x[i]);
		}
		assert_memory_equal(z + n, x + n, (N - n) * sizeof *z);
		ASSERT_NEAR(k, vec_dot(k, n, x, y), dot, 1e-10, 1e-12);
		ASSERT_NEAR(k, vec_sum_abs(k, n, x), sum, 0, 1e-12);
	}
	free(x);
	free(y);
	free(z);
}

static void one_bad_number_is_found_wherever_it_is(const struct kernels *k)
{
	static const float bad[] = { NAN, INFINITY, -INFINITY };
	float *x = normals(N, 1);

	x[5] = 3.4e38f;
	assert_true(vec_finite(k, N, x));
	assert_true(vec_finite(k, 0, x));
	for (size_t b = 0; b < 3; b++) {
		for (size_t i = 0; i < N; i += 6367) {
			float old = x[i];

			x[i] = bad[b];
			assert_false(vec_finite(k, N, x));
			assert_false(vec_finite(k, i + 1, x));
			assert_true(vec_finite(k, i, x));
			x[i] = old;
		}
	}
	free(x);
}

static void check_adamw(const struct kernels *k, const struct adamw_step *s)
{
	float *g = normals(N, 1), *m = normals(N, 2), *v = normals(N, 3),
	      *w = normals(N, 4);
	float *m0 = normals(N, 2), *v0 = floats(N), *w0 = normals(N, 4), *d = floats(N);
	float *ahead = floats(N);
	double unbias1 = 1 - pow(s->beta1, (double)s->step);
	double unbias2 = 1 - pow(s->beta2, (double)s->step);

	for (size_t i = 0; i < N; i++)
		v0[i] = v[i] = v[i] * v[i];
	vec_adamw_ahead(k, N, s, g, m0, v0, ahead);
	vec_adamw_update(k, N, s, g, m, v, w);
	vec_adamw_direction(k, N, s, m, v, d);
	assert_memory_equal(ahead, d, N * sizeof *d);
	for (size_t i = 0; i < N; i++) {
		double gi = (double)g[i];
		double mi = s->beta1 * (double)m0[i] + (1 - s->beta1) * gi;
		double vi = s->beta2 * (double)v0[i] + (1 - s->beta2) * gi * gi;
		double di = mi / unbias1 / (sqrt(vi / unbias2) + s->eps);

		ASSERT_NEAR(k, m[i], mi, 2e-7, 3e-7);
		ASSERT_NEAR(k, v[i], vi, 0, 3e-7);
		ASSERT_NEAR(k, d[i], di, 3e-7 / unbias1 / sqrt(vi / unbias2), 1e-6);
		ASSERT_NEAR(k, w[i],
			    (double)w0[i] - s->lr * (di + s->weight_decay * (double)w0[i]),
			    s->lr * fabs(di) * 1e-6 + 1e-8, 2e-7);
	}
	memcpy(ahead, g, N * sizeof *g);
	vec_adamw_ahead(k, 5, s, ahead, m0, v0, ahead);
	assert_memory_equal(ahead, d, 5 * sizeof *d);
	assert_memory_equal(ahead + 5, g + 5, (N - 5) * sizeof *g);
	vec_adamw_moments(k, N, s, g, m0, v0);
	assert_memory_equal(m, m0, N * sizeof *m);
	assert_memory_equal(v, v0, N * sizeof *v);
	free(g);
	free(m);
	free(v);
	free(w);
	free(m0);
	free(v0);
	free(w0);
	free(d);
	free(ahead);
}

static void adamw_matches_double(const struct kernels *k)
{
	check_adamw(k, &(struct adamw_step){ 1e-3, 0.9, 0.999, 1e-8, 0.01, 1 });
	check_adamw(k, &(struct adamw_step){ 2e-5, 0.9, 0.98, 1e-6, 0.0, 1000 });
	check_adamw(k, &(struct adamw_step){ 1e-3, 0.3, 0.5, 1e-8, 0.1, 7 });
}

/* Three steps of torch.optim.AdamW, lr 0.01, betas (0.9, 0.999), eps 1e-8, decay 0.1, from
 * w below with gradients g, g/2, -g. */
static void adamw_matches_pytorch(const struct kernels *k)
{
	static const float g[4] = { 0.1f, -0.2f, 3.0f, 1e-6f };
	static const float factor[3] = { 1.0f, 0.5f, -1.0f };
	static const float expected[3][4] = {
		{ 0.489500016f, -1.4885f, 0.239749998f, 1.98809898f },
		{ 0.479688704f, -1.47768974f, 0.230188459f, 1.97690558f },
		{ 0.478101194f, -1.47510421f, 0.228850454f, 1.97383356f },
	};
	float w[4] = { 0.5f, -1.5f, 0.25f, 2.0f }, m[4] = { 0 }, v[4] = { 0 }, scaled[4];
	struct adamw_step s = { 0.01, 0.9, 0.999, 1e-8, 0.1, 0 };

	for (s.step = 1; s.step <= 3; s.step++) {
		for (size_t i = 0; i < 4; i++)
			scaled[i] = g[i] * factor[s.step - 1];
		vec_adamw_update(k, 4, &s, scaled, m, v, w);
		for (size_t i = 0; i < 4; i++)
			ASSERT_NEAR(k, w[i], (double)expected[s.step - 1][i], 0, 1.2e-7);
	}
}

static float f16_reference(uint16_t h)
{
	int exponent = h >> 10 & 31, mantissa = h & 1023;
	float sign = h & 0x8000 ? -1.0f : 1.0f;

	if (exponent == 0)
		return sign * ldexpf((float)mantissa, -24);
	if (exponent == 31)
		return mantissa != 0 ? NAN : sign * INFINITY;
	return sign * ldexpf((float)(mantissa + 1024), exponent - 25);
}

static void every_half_is_exact(const struct kernels *k)
{
	uint16_t *x = mem_zeros(65536, sizeof *x);
	float *y = floats(65536);
	uint32_t bits;

	assert_non_null(x);
	for (size_t i = 0; i < 65536; i++)
		x[i] = (uint16_t)i;
	floats_from_f16(k, 65536, x, y);
	for (size_t i = 0; i < 65536; i++) {
		float exact = f16_reference(x[i]);

		assert_true(isnan(exact) ? isnan(y[i]) : memcmp(&y[i], &exact, 4) == 0);
	}
	floats_from_bf16(k, 65536, x, y);
	for (size_t i = 0; i < 65536; i++) {
		memcpy(&bits, &y[i], sizeof bits);
		assert_true(bits == (uint32_t)i << 16);
	}
	free(x);
	free(y);
}

#define EACH_TABLE(name)                      \
	static void test_##name(void **state) \
	{                                     \
		(void)state;                  \
		with_every_table(name);       \
	}

EACH_TABLE(activations_match_double)
EACH_TABLE(gelu_keeps_relative_accuracy_in_its_tail)
EACH_TABLE(activations_work_in_place)
EACH_TABLE(activations_of_extremes_are_finite_or_nan)
EACH_TABLE(axpy_step_and_scale_are_exact)
EACH_TABLE(sums_are_exact_and_do_not_depend_on_threads)
EACH_TABLE(any_length_is_summed_and_scaled)
EACH_TABLE(one_bad_number_is_found_wherever_it_is)
EACH_TABLE(adamw_matches_double)
EACH_TABLE(adamw_matches_pytorch)
EACH_TABLE(every_half_is_exact)

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(test_activations_match_double),
		cmocka_unit_test(test_gelu_keeps_relative_accuracy_in_its_tail),
		cmocka_unit_test(test_activations_work_in_place),
		cmocka_unit_test(test_activations_of_extremes_are_finite_or_nan),
		cmocka_unit_test(test_axpy_step_and_scale_are_exact),
		cmocka_unit_test(test_sums_are_exact_and_do_not_depend_on_threads),
		cmocka_unit_test(test_any_length_is_summed_and_scaled),
		cmocka_unit_test(test_one_bad_number_is_found_wherever_it_is),
		cmocka_unit_test(test_adamw_matches_double),
		cmocka_unit_test(test_adamw_matches_pytorch),
		cmocka_unit_test(test_every_half_is_exact),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
