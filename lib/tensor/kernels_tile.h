/*
 * kernels_tile - small matrix products whose result stays in registers.
 *
 * Included by kernels.c alone, for attention: its matrices are too small for a BLAS. A tile
 * of C, TILE_ROWS rows by up to TILE_VECS vectors, is summed over the whole depth and
 * stored once. The vectors are those of the instruction set that the file is compiled for,
 * written as GNU vector types because arrays of floats end up in memory.
 */
#ifndef TENSOR_KERNELS_TILE_H
#define TENSOR_KERNELS_TILE_H

#include <stdbool.h>
#include <stddef.h>
#include <string.h>

#if defined(__AVX512F__)
#define LANES     16
#define TILE_ROWS 6
#define TILE_VECS 4
#elif defined(__AVX2__)
#define LANES     8
#define TILE_ROWS 6
#define TILE_VECS 2
#else
#define LANES     4
#define TILE_ROWS 4
#define TILE_VECS 2
#endif

typedef float lanes __attribute__((vector_size(LANES * sizeof(float))));
typedef float quad __attribute__((vector_size(4 * sizeof(float))));

#define ALWAYS_INLINE static inline __attribute__((always_inline))

/* n rounded up to whole vectors. */
static inline size_t padded(size_t n)
{
	return (n + LANES - 1) / LANES * LANES;
}

/* C[m,n] (+)= alpha A[m,k] B[k,n]. Element (i,p) of A is a[i*a_row + p*a_col], so that A
 * may be transposed. Rows of B are readable up to padded(n). */
struct product {
	size_t m, n, k;
	const float *a;
	size_t a_row, a_col;
	const float *b;
	size_t ldb;
	float alpha;
	bool add;
	float *c;
	size_t ldc;
};

ALWAYS_INLINE lanes load(const float *x)
{
	lanes v;

	memcpy(&v, x, sizeof v);
	return v;
}

ALWAYS_INLINE void store(float *x, lanes v)
{
	memcpy(x, &v, sizeof v);
}

/* The first n floats, n < LANES, and `fill` in the lanes behind them. The loop becomes a
 * masked load where there is one. */
ALWAYS_INLINE lanes load_part(const float *x, size_t n, float fill)
{
	float part[LANES];

#pragma omp simd
	for (int l = 0; l < LANES; l++)
		part[l] = l < (int)n ? x[l] : fill;
	return load(part);
}

ALWAYS_INLINE void store_part(float *x, lanes v, size_t n)
{
	float part[LANES];

	store(part, v);
#pragma omp simd
	for (int l = 0; l < LANES; l++)
		if (l < (int)n)
			x[l] = part[l];
}

/* C = v or C += v, its first `cols` floats. */
ALWAYS_INLINE void put(float *c, lanes v, bool add, size_t cols)
{
	if (cols >= LANES)
		store(c, add ? v + load(c) : v);
	else
		store_part(c, add ? v + load_part(c, cols, 0.0f) : v, cols);
}

ALWAYS_INLINE void tile(const struct product *w, const int rows, const int vecs, size_t i0,
			size_t j0)
{
	const float *a = w->a + i0 * w->a_row, *b = w->b + j0;
	const size_t a_row = w->a_row, a_col = w->a_col, ldb = w->ldb, k = w->k;
	lanes sum[TILE_ROWS][TILE_VECS], bv[TILE_VECS];

#pragma GCC unroll 8
	for (int i = 0; i < rows; i++)
#pragma GCC unroll 8
		for (int v = 0; v < vecs; v++)
			sum[i][v] = (lanes){ 0 };
	for (size_t p = 0; p < k; p++) {
#pragma GCC unroll 8
		for (int v = 0; v < vecs; v++)
			bv[v] = load(b + p * ldb + (size_t)v * LANES);
#pragma GCC unroll 8
		for (int i = 0; i < rows; i++)
#pragma GCC unroll 8
			for (int v = 0; v < vecs; v++)
				sum[i][v] += a[(size_t)i * a_row + p * a_col] * bv[v];
	}
#pragma GCC unroll 8
	for (int i = 0; i < rows; i++)
#pragma GCC unroll 8
		for (int v = 0; v < vecs; v++)
			put(w->c + (i0 + (size_t)i) * w->ldc + j0 + (size_t)v * LANES,
			    sum[i][v] * w->alpha, w->add, w->n - j0 - (size_t)v * LANES);
}

/* All rows of `vecs` vectors of columns from j0. */
ALWAYS_INLINE void tile_columns(const struct product *w, const int vecs, size_t j0)
{
	size_t i = 0;

	for (; i + TILE_ROWS <= w->m; i += TILE_ROWS)
		tile(w, TILE_ROWS, vecs, i, j0);
	for (; i + 3 <= w->m; i += 3)
		tile(w, 3, vecs, i, j0);
	for (; i < w->m; i++)
		tile(w, 1, vecs, i, j0);
}

static void multiply(const struct product *w)
{
	size_t j = 0, vecs = padded(w->n) / LANES;

	for (; vecs >= TILE_VECS; vecs -= TILE_VECS, j += TILE_VECS * LANES)
		tile_columns(w, TILE_VECS, j);
#if TILE_VECS > 2
	if (vecs == 3)
		tile_columns(w, 3, j);
	if (vecs == 2)
		tile_columns(w, 2, j);
#endif
	if (vecs == 1)
		tile_columns(w, 1, j);
}

/* A 4 by 4 block of x, transposed into y. */
ALWAYS_INLINE void transpose_block(const float *x, size_t ldx, float *y, size_t ldy)
{
	quad r[4], low01, high01, low23, high23;

	for (size_t i = 0; i < 4; i++)
		memcpy(&r[i], x + i * ldx, sizeof r[i]);
	low01 = __builtin_shufflevector(r[0], r[1], 0, 4, 1, 5);
	high01 = __builtin_shufflevector(r[0], r[1], 2, 6, 3, 7);
	low23 = __builtin_shufflevector(r[2], r[3], 0, 4, 1, 5);
	high23 = __builtin_shufflevector(r[2], r[3], 2, 6, 3, 7);
	r[0] = __builtin_shufflevector(low01, low23, 0, 1, 4, 5);
	r[1] = __builtin_shufflevector(low01, low23, 2, 3, 6, 7);
	r[2] = __builtin_shufflevector(high01, high23, 0, 1, 4, 5);
	r[3] = __builtin_shufflevector(high01, high23, 2, 3, 6, 7);
	for (size_t i = 0; i < 4; i++)
		memcpy(y + i * ldy, &r[i], sizeof r[i]);
}

/* y[cols][rows] = x[rows][cols]'; rows of y are filled up to padded(rows) with zeros. */
static void transpose(size_t rows, size_t cols, const float *x, size_t ldx, float *y,
		      size_t ldy)
{
	size_t i = 0;

	for (; i + 4 <= rows; i += 4) {
		size_t j = 0;

		for (; j + 4 <= cols; j += 4)
			transpose_block(x + i * ldx + j, ldx, y + j * ldy + i, ldy);
		for (; j < cols; j++)
			for (size_t l = i; l < i + 4; l++)
				y[j * ldy + l] = x[l * ldx + j];
	}
	for (; i < padded(rows); i++)
		for (size_t j = 0; j < cols; j++)
			y[j * ldy + i] = i < rows ? x[i * ldx + j] : 0.0f;
}

/* y[rows][cols] = x; rows of y are filled up to padded(cols) with zeros. */
static void pack(size_t rows, size_t cols, const float *x, size_t ldx, float *y, size_t ldy)
{
	for (size_t i = 0; i < rows; i++) {
		memcpy(y + i * ldy, x + i * ldx, cols * sizeof *y);
		for (size_t j = cols; j < padded(cols); j++)
			y[i * ldy + j] = 0.0f;
	}
}

#endif
