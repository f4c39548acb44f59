/* Cross-entropy of many classes: each row is a task of its own. */
#include <math.h>

#include "tensor/kernels_impl.h"

void cross_entropy_forward(const struct kernels *k, size_t rows, size_t classes,
			   const float *z, const uint32_t *label, double *loss)
{
#pragma omp parallel for schedule(static)
	for (size_t i = 0; i < rows; i++) {
		const float *row = z + i * classes;
		float top = k->largest(classes, row);
		double sum = k->sum_exp(classes, row, top);

		loss[i] = log(sum) + ((double)top - (double)row[label[i]]);
	}
}

void cross_entropy_backward(const struct kernels *k, size_t rows, size_t classes,
			    const float *z, const uint32_t *label, const double *loss,
			    double share, float *dz)
{
#pragma omp parallel for schedule(static)
	for (size_t i = 0; i < rows; i++) {
		const float *row = z + i * classes;
		double log_sum = loss[i] + (double)row[label[i]];
		float near = (float)log_sum, *d = dz + i * classes;

		k->exp_scaled(classes, row, near,
			      (float)(share * exp((double)near - log_sum)), d);
		/* p - 1 of a p near 1 keeps its accuracy this way. */
		d[label[i]] = (float)(share * expm1(-loss[i]));
	}
}
