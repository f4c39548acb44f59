#include "tables.h"

enum { ROWS = 77, WIDTH = 397 };

static void bias_is_added_to_each_row(const struct kernels *k)
{
	float *x = normals(ROWS * WIDTH, 1), *b = normals(WIDTH, 2),
	      *y = floats(ROWS * WIDTH);

	rows_add_bias(k, ROWS, WIDTH, x, b, y);
	for (size_t i = 0; i < ROWS * WIDTH; i++)
		assert_true(y[i] == x[i] + b[i % WIDTH]);
	rows_add_bias(k, ROWS, WIDTH, x, b, x);
	assert_memory_equal(x, y, ROWS * WIDTH * sizeof *x);
	free(x);
	free(b);
	free(y);
}

static void columns_are_summed_onto_what_is_there(const struct kernels *k)
{
	float *x = normals(ROWS * WIDTH, 3), *sum = normals(WIDTH, 4),
	      *both = normals(WIDTH, 4);
	float *old = normals(WIDTH, 4), *sum_abs = normals(WIDTH, 5),
	      *old_abs = normals(WIDTH, 5);

	rows_sum(k, ROWS, WIDTH, x, sum, NULL);
	rows_sum(k, ROWS, WIDTH, x, both, sum_abs);
	assert_memory_equal(sum, both, WIDTH * sizeof *sum);
	for (size_t j = 0; j < WIDTH; j++) {
		double exact = (double)old[j], exact_abs = (double)old_abs[j];

		for (size_t i = 0; i < ROWS; i++) {
			exact += (double)x[i * WIDTH + j];
			exact_abs += fabs((double)x[i * WIDTH + j]);
		}
		ASSERT_NEAR(k, sum[j], exact, 1e-5, 0);
		ASSERT_NEAR(k, sum_abs[j], exact_abs, 0, 1e-6);
	}
	free(x);
	free(sum);
	free(both);
	free(old);
	free(sum_abs);
	free(old_abs);
}

static void products_are_summed_over_segments(const struct kernels *k)
{
	const size_t start[] = { 0, 1, 1, 70, ROWS };
	float *x = normals(ROWS * WIDTH, 6), *y = normals(ROWS * WIDTH, 7);
	double *sum = mem_zeros(4 * WIDTH, sizeof *sum);
	const size_t cols = WIDTH - 5;

	assert_non_null(sum);
	sum[3] = 1;
	segments_sum_products(k, 4, start, cols, x, WIDTH, y, WIDTH - 3, sum);
	for (size_t s = 0; s < 4; s++) {
		for (size_t j = 0; j < cols; j++) {
			double exact = 0;

			for (size_t i = start[s]; i < start[s + 1]; i++)
				exact += (double)x[i * WIDTH + j] *
					 (double)y[i * (WIDTH - 3) + j];
			ASSERT_NEAR(k, sum[s * cols + j], exact, 1e-5, 0);
		}
	}
	free(x);
	free(y);
	free(sum);
}

/* One row for all: as a weight of each column. */
static void rows_no_floats_apart_are_one(const struct kernels *k)
{
	const size_t start[] = { 2, ROWS };
	float *x = normals(ROWS * WIDTH, 8), *y = normals(WIDTH, 9);
	double *sum = mem_zeros(WIDTH, sizeof *sum);

	assert_non_null(sum);
	segments_sum_products(k, 1, start, WIDTH, x, WIDTH, y, 0, sum);
	for (size_t j = 0; j < WIDTH; j++) {
		double exact = 0;

		for (size_t i = 2; i < ROWS; i++)
			exact += (double)x[i * WIDTH + j] * (double)y[j];
		ASSERT_NEAR(k, sum[j], exact, 1e-5, 0);
	}
	free(x);
	free(y);
	free(sum);
}

struct norm_case {
	float *x, *w, *b, *y, *mean, *rstd, *dy, *dx, *dw, *db, *db_abs;
};

static struct norm_case norm_start(size_t rows, size_t width, float offset)
{
	struct norm_case c = {
		normals(rows * width, 1), normals(width, 2),    normals(width, 3),
		floats(rows * width),     floats(rows),         floats(rows),
		normals(rows * width, 4), floats(rows * width), normals(width, 5),
		normals(width, 6),        normals(width, 7)
	};

	for (size_t i = 0; i < rows * width; i++)
		c.x[i] += offset;
	return c;
}

static void norm_end(struct norm_case *c)
{
	float *all[] = { c->x,  c->w,  c->b,  c->y,  c->mean,  c->rstd,
			 c->dy, c->dx, c->dw, c->db, c->db_abs };

	for (size_t i = 0; i < sizeof all / sizeof *all; i++)
		free(all[i]);
}

static void moments_of(size_t width, const float *x, double eps, double *mean, double *rstd)
{
	double sum = 0, squares = 0;

	for (size_t j = 0; j < width; j++)
		sum += (double)x[j];
	*mean = sum / (double)width;
	for (size_t j = 0; j < width; j++)
		squares += ((double)x[j] - *mean) * ((double)x[j] - *mean);
	*rstd = 1.0 / sqrt(squares / (double)width + eps);
}

static void check_norm_forward(const struct kernels *k, size_t rows, size_t width)
{
	struct norm_case c = norm_start(rows, width, 0.25f);
	double mean, rstd;

	norm_forward(k, rows, width, c.x, c.w, c.b, 1e-5f, c.y, c.mean, c.rstd);
	for (size_t i = 0; i < rows; i++) {
		moments_of(width, c.x + i * width, 1e-5, &mean, &rstd);
		ASSERT_NEAR(k, c.mean[i], mean, 2e-7, 1e-6);
		ASSERT_NEAR(k, c.rstd[i], rstd, 0, 1e-6);
		for (size_t j = 0; j < width; j++)
			ASSERT_NEAR(k, c.y[i * width + j],
				    ((double)c.x[i * width + j] - mean) * rstd *
					    (double)c.w[j] +
					(double)c.b[j],
				    2e-6, 2e-6);
	}
	norm_end(&c);
}

static void norm_matches_double(const struct kernels *k)
{
	check_norm_forward(k, ROWS, WIDTH);
	check_norm_forward(k, 1, 384);
	check_norm_forward(k, 3, 4);
	check_norm_forward(k, 2, 5000);
}

static void norm_gradient_matches_double(const struct kernels *k)
{
	struct norm_case c = norm_start(ROWS, WIDTH, 0.25f);
	double dw[WIDTH], db[WIDTH], db_abs[WIDTH], mean, rstd;

	for (size_t j = 0; j < WIDTH; j++) {
		dw[j] = (double)c.dw[j];
		db[j] = (double)c.db[j];
		db_abs[j] = (double)c.db_abs[j];
	}
	norm_forward(k, ROWS, WIDTH, c.x, c.w, c.b, 1e-12f, c.y, c.mean, c.rstd);
	norm_backward(k, ROWS, WIDTH, c.x, c.w, c.mean, c.rstd, c.dy, c.dx, c.dw, c.db,
		      c.db_abs);
	for (size_t i = 0; i < ROWS; i++) {
		const float *x = c.x + i * WIDTH, *dy = c.dy + i * WIDTH;
		double sum = 0, along = 0;

		moments_of(WIDTH, x, 1e-12, &mean, &rstd);
		for (size_t j = 0; j < WIDTH; j++) {
			double n = ((double)x[j] - mean) * rstd,
			       e = (double)dy[j] * (double)c.w[j];

			sum += e / WIDTH;
			along += e * n / WIDTH;
			dw[j] += (double)dy[j] * n;
			db[j] += (double)dy[j];
			db_abs[j] += fabs((double)dy[j]);
		}
		for (size_t j = 0; j < WIDTH; j++) {
			double n = ((double)x[j] - mean) * rstd,
			       e = (double)dy[j] * (double)c.w[j];

			ASSERT_NEAR(k, c.dx[i * WIDTH + j], rstd * (e - sum - n * along),
				    2e-6, 2e-6);
		}
	}
	for (size_t j = 0; j < WIDTH; j++) {
		ASSERT_NEAR(k, c.dw[j], dw[j], 2e-5, 1e-6);
		ASSERT_NEAR(k, c.db[j], db[j], 2e-5, 1e-6);
		ASSERT_NEAR(k, c.db_abs[j], db_abs[j], 0, 1e-6);
	}
	norm_end(&c);
}

static void norm_gradient_gives_only_what_is_wanted(const struct kernels *k)
{
	struct norm_case c = norm_start(ROWS, WIDTH, 0), d = norm_start(ROWS, WIDTH, 0);

	norm_forward(k, ROWS, WIDTH, c.x, c.w, c.b, 1e-12f, c.y, c.mean, c.rstd);
	norm_backward(k, ROWS, WIDTH, c.x, c.w, c.mean, c.rstd, c.dy, c.dx, c.dw, c.db,
		      NULL);
	norm_backward(k, ROWS, WIDTH, c.x, c.w, c.mean, c.rstd, d.dy, NULL, d.dw, NULL,
		      NULL);
	norm_backward(k, ROWS, WIDTH, c.x, c.w, c.mean, c.rstd, d.dy, NULL, NULL, d.db,
		      NULL);
	norm_backward(k, ROWS, WIDTH, c.x, c.w, c.mean, c.rstd, d.dy, d.dy, NULL, NULL,
		      NULL);
	assert_memory_equal(c.dw, d.dw, WIDTH * sizeof(float));
	assert_memory_equal(c.db, d.db, WIDTH * sizeof(float));
	assert_memory_equal(c.dx, d.dy, ROWS * WIDTH * sizeof(float)); /* in place */
	norm_end(&c);
	norm_end(&d);
}

static void sums_do_not_depend_on_threads(const struct kernels *k)
{
	struct norm_case c = norm_start(300, 512, 0), d = norm_start(300, 512, 0);

	blas_threads(1);
	norm_forward(k, 300, 512, c.x, c.w, c.b, 1e-12f, c.y, c.mean, c.rstd);
	norm_backward(k, 300, 512, c.x, c.w, c.mean, c.rstd, c.dy, c.dx, c.dw, c.db,
		      c.db_abs);
	blas_threads(3);
	norm_forward(k, 300, 512, d.x, d.w, d.b, 1e-12f, d.y, d.mean, d.rstd);
	norm_backward(k, 300, 512, d.x, d.w, d.mean, d.rstd, d.dy, d.dx, d.dw, d.db,
		      d.db_abs);
	blas_threads(0);
	assert_memory_equal(c.y, d.y, 300 * 512 * sizeof(float));
	assert_memory_equal(c.dx, d.dx, 300 * 512 * sizeof(float));
	assert_memory_equal(c.dw, d.dw, 512 * sizeof(float));
	assert_memory_equal(c.db, d.db, 512 * sizeof(float));
	assert_memory_equal(c.db_abs, d.db_abs, 512 * sizeof(float));
	norm_end(&c);
	norm_end(&d);
}

enum { DROPS = 200001 };

static float *kept(const struct kernels *k, float p, uint64_t key)
{
	float *x = floats(DROPS);

	for (size_t i = 0; i < DROPS; i++)
		x[i] = 1.0f;
	rows_dropout(k, DROPS, NULL, x, p, key, x);
	return x;
}

static void dropout_keeps_the_mean_and_scales(const struct kernels *k)
{
	float *x = kept(k, 0.1f, 42);
	double sum = 0;

	for (size_t i = 0; i < DROPS; i++) {
		assert_true(x[i] == 0.0f || fabsf(x[i] - 1.0f / 0.9f) < 1e-6f);
		sum += (double)x[i];
	}
	/* standard deviation sqrt(p / (1-p) / n) = 0.00075 */
	ASSERT_NEAR(k, sum / DROPS, 1.0, 0.003, 0);
	free(x);
}

/* Correlation of keeping element i under one key and element i + lag under another. */
static double correlation(const float *x, const float *y, size_t lag, double p)
{
	double sum = 0;

	for (size_t i = 0; i + lag < DROPS; i++)
		sum += ((x[i] > 0) - (1 - p)) * ((y[i + lag] > 0) - (1 - p));
	return sum / (double)(DROPS - lag) / (p * (1 - p));
}

static void dropout_is_uncorrelated(const struct kernels *k)
{
	static const size_t lags[] = { 1, 2, 3, 4, 8, 16, 32, 64, 384, 1536, 4096 };
	float *x = kept(k, 0.5f, 7), *y = kept(k, 0.5f, 8),
	      *z = kept(k, 0.5f, (uint64_t)1 << 32 | 7);

	for (size_t i = 0; i < sizeof lags / sizeof *lags; i++) {
		/* four standard deviations of 0.0022 */
		ASSERT_NEAR(k, correlation(x, x, lags[i], 0.5), 0.0, 0.009, 0);
		ASSERT_NEAR(k, correlation(x, y, lags[i], 0.5), 0.0, 0.009, 0);
	}
	ASSERT_NEAR(k, correlation(x, y, 0, 0.5), 0.0, 0.009, 0);
	ASSERT_NEAR(k, correlation(x, z, 0, 0.5), 0.0, 0.009, 0);
	free(x);
	free(y);
	free(z);
}

static void dropout_is_the_same_everywhere(const struct kernels *k)
{
	float *x = kept(k, 0.3f, 99), *y = kept(kernels_pick("portable"), 0.3f, 99);
	float *a = normals(DROPS, 1), *b = normals(DROPS, 2), *sum = floats(DROPS);

	assert_memory_equal(x, y, DROPS * sizeof *x);
	rows_dropout(k, DROPS, a, b, 0.3f, 99, sum);
	for (size_t i = 0; i < DROPS; i++)
		ASSERT_NEAR(k, sum[i], (double)a[i] + (double)b[i] * (double)x[i], 1e-6,
			    1e-6);
	rows_dropout(k, DROPS, a, b, 0.0f, 99, sum);
	for (size_t i = 0; i < DROPS; i++)
		assert_true(sum[i] == a[i] + b[i]);
	rows_dropout(k, DROPS, a, b, 0.0f, 99, b);
	assert_memory_equal(b, sum, DROPS * sizeof *sum);
	free(x);
	free(y);
	free(a);
	free(b);
	free(sum);
}

#define EACH_TABLE(name)                      \
	static void test_##name(void **state) \
	{                                     \
		(void)state;                  \
		with_every_table(name);       \
	}

EACH_TABLE(bias_is_added_to_each_row)
EACH_TABLE(columns_are_summed_onto_what_is_there)
EACH_TABLE(products_are_summed_over_segments)
EACH_TABLE(rows_no_floats_apart_are_one)
EACH_TABLE(norm_matches_double)
EACH_TABLE(norm_gradient_matches_double)
EACH_TABLE(norm_gradient_gives_only_what_is_wanted)
EACH_TABLE(sums_do_not_depend_on_threads)
EACH_TABLE(dropout_keeps_the_mean_and_scales)
EACH_TABLE(dropout_is_uncorrelated)
EACH_TABLE(dropout_is_the_same_everywhere)

static void test_unknown_table_is_null(void **state)
{
	(void)state;
	assert_null(kernels_pick("mmx"));
	assert_non_null(kernels_pick(NULL));
	assert_non_null(kernels_pick("portable"));
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(test_unknown_table_is_null),
		cmocka_unit_test(test_bias_is_added_to_each_row),
		cmocka_unit_test(test_columns_are_summed_onto_what_is_there),
		cmocka_unit_test(test_products_are_summed_over_segments),
		cmocka_unit_test(test_rows_no_floats_apart_are_one),
		cmocka_unit_test(test_norm_matches_double),
		cmocka_unit_test(test_norm_gradient_matches_double),
		cmocka_unit_test(test_norm_gradient_gives_only_what_is_wanted),
		cmocka_unit_test(test_sums_do_not_depend_on_threads),
		cmocka_unit_test(test_dropout_keeps_the_mean_and_scales),
		cmocka_unit_test(test_dropout_is_uncorrelated),
		cmocka_unit_test(test_dropout_is_the_same_everywhere),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
