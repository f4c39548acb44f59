/* Kernels over rows, run by OpenMP threads: each owns rows or, for sums over rows, columns.
 */
#include <omp.h>
#include <string.h>

#include "base/prng.h"
#include "tensor/kernels_impl.h"

#define ROW_GRAIN    ((size_t)16384) /* floats below which waking threads costs more */
#define COLUMN_GRAIN ((size_t)16)    /* columns: a cache line */
#define COLUMN_BLOCK ((size_t)256)   /* columns of a segment that one thread takes */

static size_t rows_at_once(size_t width)
{
	return width == 0 || width > KERNEL_BLOCK ? 1 : KERNEL_BLOCK / width;
}

static size_t smaller(size_t a, size_t b)
{
	return a < b ? a : b;
}

void rows_add_bias(const struct kernels *k, size_t rows, size_t width, const float *x,
		   const float *b, float *y)
{
	size_t step = rows_at_once(width);

#pragma omp parallel for schedule(static) if (rows * width >= ROW_GRAIN)
	for (size_t i = 0; i < rows; i += step)
		k->add_bias(smaller(step, rows - i), width, x + i * width, b,
			    y + i * width);
}

/* Columns that one thread takes: an equal share in whole cache lines, or all of them when
 * there is little to do. */
static size_t column_share(size_t rows, size_t width)
{
	size_t threads = (size_t)omp_get_max_threads();

	if (rows * width < ROW_GRAIN || omp_in_parallel())
		return width == 0 ? 1 : width;
	return (width + threads * COLUMN_GRAIN - 1) / (threads * COLUMN_GRAIN) *
	       COLUMN_GRAIN;
}

void rows_sum(const struct kernels *k, size_t rows, size_t width, const float *x,
	      float *sum, float *sum_abs)
{
	size_t share = column_share(rows, width);

#pragma omp parallel for schedule(static) if (share < width)
	for (size_t j = 0; j < width; j += share)
		k->sum_columns(rows, smaller(share, width - j), width, x + j, sum + j,
			       sum_abs == NULL ? NULL : sum_abs + j);
}

void segments_sum_products(const struct kernels *k, size_t segments, const size_t *start,
			   size_t width, const float *x, size_t ldx, const float *y,
			   size_t ldy, double *sum)
{
	size_t rows = start[segments] - start[0];

#pragma omp parallel for collapse(2) schedule(static) if (rows * width >= ROW_GRAIN)
	for (size_t s = 0; s < segments; s++) {
		for (size_t j = 0; j < width; j += COLUMN_BLOCK) {
			size_t cols = smaller(COLUMN_BLOCK, width - j);
			double *to = sum + s * width + j;

			memset(to, 0, cols * sizeof *to);
			k->sum_products(start[s + 1] - start[s], cols, ldx,
					x + start[s] * ldx + j, ldy, y + start[s] * ldy + j,
					to);
		}
	}
}

void norm_forward(const struct kernels *k, size_t rows, size_t width, const float *x,
		  const float *w, const float *b, float eps, float *y, float *mean,
		  float *rstd)
{
	size_t step = rows_at_once(width);

#pragma omp parallel for schedule(static) if (rows * width >= ROW_GRAIN)
	for (size_t i = 0; i < rows; i += step)
		k->norm_forward(smaller(step, rows - i), width, x + i * width, w, b, eps,
				y + i * width, mean + i, rstd + i);
}

void norm_backward(const struct kernels *k, size_t rows, size_t width, const float *x,
		   const float *w, const float *mean, const float *rstd, const float *dy,
		   float *dx, float *dw, float *db, float *db_abs)
{
	size_t step = rows_at_once(width), share = column_share(rows, width);

	if (dw != NULL) {
#pragma omp parallel for schedule(static) if (share < width)
		for (size_t j = 0; j < width; j += share)
			k->norm_weight(rows, smaller(share, width - j), width, x + j, mean,
				       rstd, dy + j, dw + j);
	}
	if (db != NULL)
		rows_sum(k, rows, width, dy, db, db_abs);
	if (dx == NULL)
		return;
#pragma omp parallel for schedule(static) if (rows * width >= ROW_GRAIN)
	for (size_t i = 0; i < rows; i += step)
		k->norm_input(smaller(step, rows - i), width, x + i * width, w, mean + i,
			      rstd + i, dy + i * width, dx + i * width);
}

struct dropout dropout_make(float p, uint64_t key)
{
	struct dropout d = { .key =
				 prng_mix(key) }; /* keys that differ by one are common */

	d.threshold = (uint32_t)(p * 16777216.0f);
	d.scale = p < 1.0f ? 1.0f / (1.0f - p) : 0.0f;
	return d;
}

void rows_dropout(const struct kernels *k, size_t n, const float *a, const float *b,
		  float p, uint64_t key, float *y)
{
	struct dropout d = dropout_make(p, key);

#pragma omp parallel for schedule(static) if (n >= ROW_GRAIN)
	for (size_t i = 0; i < n; i += KERNEL_BLOCK)
		k->dropout(smaller(KERNEL_BLOCK, n - i), a == NULL ? NULL : a + i, b + i,
			   &d, i, y + i);
}
