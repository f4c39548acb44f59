#include "tensor/blas.h"

#include <cblas.h>
#include <limits.h>
#include <omp.h>

/* Rows or columns that a BLAS with int sizes takes at once. */
#define PART ((size_t)INT_MAX / 2)
/* Elements of B from which a single row times B' is left to gemv: gemm would first copy all
 * of B into blocks. Below, gemm has a path of its own for small products. */
#define GEMV_SIZE ((size_t)1000000)

void blas_threads(int n)
{
	int threads = n > 0 ? n : omp_get_max_threads();

	omp_set_num_threads(threads);
	openblas_set_num_threads(threads);
}

int blas_threads_now(void)
{
	return omp_get_max_threads();
}

static size_t smaller(size_t a, size_t b)
{
	return a < b ? a : b;
}

/* C = beta C, for a sum of no terms. */
static void scale_rows(size_t m, size_t n, float beta, float *c, size_t ldc)
{
	for (size_t i = 0; i < m; i++)
		for (size_t j = 0; j < n; j++)
			c[i * ldc + j] = beta == 0.0f ? 0.0f : beta * c[i * ldc + j];
}

/* A product whose sizes may exceed an int, in parts. A row of `a` is a_row floats and a
 * term of the sum a_term floats further; for `b`, b_col and b_term. The distances ld
 * themselves must fit an int, as a row of floats beyond 8 GB does not. */
struct product {
	CBLAS_TRANSPOSE turn_a, turn_b;
	size_t m, n, k;
	const float *a;
	size_t lda, a_row, a_term;
	const float *b;
	size_t ldb, b_col, b_term;
	float beta;
	float *c;
	size_t ldc;
};

static void multiply(const struct product *w)
{
	if (w->k == 0) {
		scale_rows(w->m, w->n, w->beta, w->c, w->ldc);
		return;
	}
	for (size_t i = 0; i < w->m; i += PART)
		for (size_t j = 0; j < w->n; j += PART)
			for (size_t p = 0; p < w->k; p += PART)
				cblas_sgemm(CblasRowMajor, w->turn_a, w->turn_b,
					    (int)smaller(PART, w->m - i),
					    (int)smaller(PART, w->n - j),
					    (int)smaller(PART, w->k - p), 1.0f,
					    w->a + i * w->a_row + p * w->a_term,
					    (int)w->lda,
					    w->b + j * w->b_col + p * w->b_term,
					    (int)w->ldb, p == 0 ? w->beta : 1.0f,
					    w->c + i * w->ldc + j, (int)w->ldc);
}

void gemm_nt(size_t m, size_t n, size_t k, const float *a, size_t lda, const float *b,
	     size_t ldb, float beta, float *c, size_t ldc)
{
	if (m == 1 && n <= PART && k <= PART && n * k >= GEMV_SIZE) {
		cblas_sgemv(CblasRowMajor, CblasNoTrans, (int)n, (int)k, 1.0f, b, (int)ldb,
			    a, 1, beta, c, 1);
		return;
	}
	multiply(&(struct product){ CblasNoTrans, CblasTrans, m, n, k, a, lda, lda, 1, b,
				    ldb, ldb, 1, beta, c, ldc });
}

void gemm_nn(size_t m, size_t n, size_t k, const float *a, size_t lda, const float *b,
	     size_t ldb, float beta, float *c, size_t ldc)
{
	multiply(&(struct product){ CblasNoTrans, CblasNoTrans, m, n, k, a, lda, lda, 1, b,
				    ldb, 1, ldb, beta, c, ldc });
}

void gemm_tn(size_t m, size_t n, size_t k, const float *a, size_t lda, const float *b,
	     size_t ldb, float beta, float *c, size_t ldc)
{
	multiply(&(struct product){ CblasTrans, CblasNoTrans, m, n, k, a, lda, 1, lda, b,
				    ldb, 1, ldb, beta, c, ldc });
}

void gemm_nt_double(size_t m, size_t n, size_t k, const double *a, const double *b,
		    double *c)
{
	cblas_dgemm(CblasRowMajor, CblasNoTrans, CblasTrans, (int)m, (int)n, (int)k, 1, a,
		    (int)k, b, (int)k, 0, c, (int)n);
}
