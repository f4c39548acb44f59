#include "tables.h"

enum { LD = 140 };

/* C of a product element by element; element (i,p) of A is a[i*a_row + p*a_term], and so
 * on. */
static void check(size_t m, size_t n, size_t k, float beta,
		  void (*gemm)(size_t m, size_t n, size_t k, const float *a, size_t lda,
			       const float *b, size_t ldb, float beta, float *c,
			       size_t ldc),
		  size_t a_row, size_t a_term, size_t b_col, size_t b_term)
{
	float *a = normals(LD * LD, 1), *b = normals(LD * LD, 2), *c = normals(LD * LD, 3);
	float *old = normals(LD * LD, 3);

	if (beta == 0.0f)
		c[0] = NAN; /* is overwritten, not multiplied */
	gemm(m, n, k, a, LD, b, LD, beta, c, LD);
	for (size_t i = 0; i < LD; i++)
		for (size_t j = 0; j < LD; j++) {
			double sum =
			    beta == 0.0f ? 0 : (double)beta * (double)old[i * LD + j];

			for (size_t p = 0; p < k; p++)
				sum += (double)a[i * a_row + p * a_term] *
				       (double)b[j * b_col + p * b_term];
			if (i < m && j < n)
				assert_float_equal(c[i * LD + j], sum, 3e-5);
			else if (i + j > 0)
				assert_true(c[i * LD + j] == old[i * LD + j]);
		}
	free(a);
	free(b);
	free(c);
	free(old);
}

static const size_t sizes[][3] = { { 5, 7, 3 },     { 1, 1, 1 },    { 1, 130, 64 },
				   { 2, 64, 130 },  { 130, 1, 64 }, { 64, 130, 27 },
				   { 130, 97, 130 } };

static void products_match_double(void **state)
{
	(void)state;
	for (size_t i = 0; i < sizeof sizes / sizeof *sizes; i++) {
		size_t m = sizes[i][0], n = sizes[i][1], k = sizes[i][2];

		for (float beta = 0.0f; beta < 3.0f; beta += 1.0f) {
			check(m, n, k, beta, gemm_nt, LD, 1, LD, 1);
			check(m, n, k, beta, gemm_nn, LD, 1, 1, LD);
			check(m, n, k, beta, gemm_tn, 1, LD, 1, LD);
		}
	}
}

static void one_row_times_a_large_matrix_matches_double(void **state)
{
	enum { WIDE = 1300, DEEP = 800 };
	float *a = normals(DEEP, 1), *b = normals(WIDE * DEEP, 2), *c = normals(WIDE, 3);
	float *old = normals(WIDE, 3);

	(void)state;
	gemm_nt(1, WIDE, DEEP, a, DEEP, b, DEEP, 1.0f, c, WIDE);
	for (size_t j = 0; j < WIDE; j++) {
		double sum = (double)old[j];

		for (size_t p = 0; p < DEEP; p++)
			sum += (double)a[p] * (double)b[j * DEEP + p];
		assert_true(fabs((double)c[j] - sum) < 1e-4);
	}
	free(a);
	free(b);
	free(c);
	free(old);
}

static void sums_of_no_terms_scale_the_result(void **state)
{
	(void)state;
	check(3, 4, 0, 0.0f, gemm_nt, LD, 1, LD, 1);
	check(3, 4, 0, 1.0f, gemm_nn, LD, 1, 1, LD);
	check(3, 4, 0, 2.0f, gemm_tn, 1, LD, 1, LD);
}

static void empty_results_are_left_alone(void **state)
{
	float c = 5.0f;

	(void)state;
	gemm_nt(0, 1, 1, &c, 1, &c, 1, 0.0f, &c, 1);
	gemm_nn(1, 0, 1, &c, 1, &c, 1, 0.0f, &c, 1);
	gemm_tn(0, 0, 0, NULL, 1, NULL, 1, 0.0f, &c, 1);
	assert_true(c == 5.0f);
}

static void products_in_double_keep_its_digits(void **state)
{
	enum { M = 21, N = 13, K = 130 };
	float *a = normals(M * K, 1), *b = normals(N * K, 2);
	double x[M * K], y[N * K], c[M * N];

	(void)state;
	for (size_t i = 0; i < M * K; i++)
		x[i] = (double)a[i] / 3;
	for (size_t i = 0; i < N * K; i++)
		y[i] = (double)b[i] / 7;
	c[0] = NAN; /* is overwritten */
	gemm_nt_double(M, N, K, x, y, c);
	for (size_t i = 0; i < M * N; i++) {
		double sum = 0;

		for (size_t p = 0; p < K; p++)
			sum += x[i / N * K + p] * y[i % N * K + p];
		assert_true(fabs(c[i] - sum) < 1e-13);
	}
	free(a);
	free(b);
}

static void threads_are_as_many_as_asked_for(void **state)
{
	(void)state;
	blas_threads(2);
	assert_int_equal(blas_threads_now(), 2);
	blas_threads(1);
	assert_int_equal(blas_threads_now(), 1);
	blas_threads(0);
	assert_true(blas_threads_now() >= 1);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(products_match_double),
		cmocka_unit_test(one_row_times_a_large_matrix_matches_double),
		cmocka_unit_test(sums_of_no_terms_scale_the_result),
		cmocka_unit_test(empty_results_are_left_alone),
		cmocka_unit_test(products_in_double_keep_its_digits),
		cmocka_unit_test(threads_are_as_many_as_asked_for),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
