/*
 * blas - matrix products, the only file that talks to a BLAS.
 *
 * Matrices are row-major floats; ld is the distance between rows in floats.
 */
#ifndef TENSOR_BLAS_H
#define TENSOR_BLAS_H

#include <stdbool.h>
#include <stddef.h>

/* Threads for BLAS and for OpenMP loops outside parallel regions. 0: as many as
 * OMP_NUM_THREADS says, or all cores. */
void blas_threads(int n);
int blas_threads_now(void);

/* C[m,n] = A[m,k] B[n,k]' + beta C     (a linear layer: X W') */
void gemm_nt(size_t m, size_t n, size_t k, const float *a, size_t lda, const float *b,
	     size_t ldb, float beta, float *c, size_t ldc);
/* C[m,n] = A[m,k] B[k,n] + beta C      (its input gradient: E W) */
void gemm_nn(size_t m, size_t n, size_t k, const float *a, size_t lda, const float *b,
	     size_t ldb, float beta, float *c, size_t ldc);
/* C[m,n] = A[k,m]' B[k,n] + beta C     (its weight gradient: E' X) */
void gemm_tn(size_t m, size_t n, size_t k, const float *a, size_t lda, const float *b,
	     size_t ldb, float beta, float *c, size_t ldc);
/* C[m,n] = A[m,k] B[n,k]' in double; rows stand one after the other. Sizes fit an int. */
void gemm_nt_double(size_t m, size_t n, size_t k, const double *a, const double *b,
		    double *c);

#endif
