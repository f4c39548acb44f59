/*
 * The loss of each row of logits along a direction. Of cross-entropy, with the label y and
 * d_c = z_c - z_y, so that what moves all logits alike gives nothing:
 *
 *     L1 = sum_c p_c d1_c
 *     L2 = sum_c p_c d2_c + var/2       var = sum_c p_c (d1_c - L1)^2 = z1' A z1
 *
 * Of the squared error of z: L1 = 2 (z - t) z1, L2 = 2 (z - t) z2 + z1^2. Sums are made in
 * double.
 */
#include <math.h>

#include "model/jet_impl.h"

/* A row of logits: p_c of class c is exp(z_c - minus), or, when z holds the error,
 * z_c / share. */
struct row {
	const float *z, *z1, *z2;
	size_t classes, label;
	bool spent;
	double minus, scale;
};

static double probability(const struct row *r, size_t c)
{
	double z = (double)r->z[c];

	return r->spent ? z * r->scale : exp(z - r->minus);
}

static double probability_of_label(const struct row *r)
{
	double p = probability(r, r->label);

	return r->spent ? 1 + p : p;
}

static struct jet_term cross_entropy(const struct row *r)
{
	double one = 0, two = 0, var, y1 = (double)r->z1[r->label];
	double y2 = r->z2 == NULL ? 0 : (double)r->z2[r->label];

	for (size_t c = 0; c < r->classes; c++) {
		double p = c == r->label ? 0 : probability(r, c);

		one += p * ((double)r->z1[c] - y1);
		two += r->z2 == NULL ? 0 : p * ((double)r->z2[c] - y2);
	}
	var = probability_of_label(r) * one * one;
	for (size_t c = 0; c < r->classes; c++) {
		double p = c == r->label ? 0 : probability(r, c);
		double d = (double)r->z1[c] - y1 - one;

		var += p * d * d;
	}
	return (struct jet_term){ one, two + var / 2, var };
}

static struct jet_term squared_error(double error, double z1, double z2)
{
	return (struct jet_term){ 2 * error * z1, 2 * error * z2 + z1 * z1, 2 * z1 * z1 };
}

static double log_sum(const float *z, size_t classes)
{
	double top = (double)z[0], sum = 0;

	for (size_t c = 1; c < classes; c++)
		top = fmax(top, (double)z[c]);
	for (size_t c = 0; c < classes; c++)
		sum += exp((double)z[c] - top);
	return top + log(sum);
}

static struct jet_term term_of(const struct jet *j, const struct op *op, size_t i)
{
	const struct batch *b = j->base->batch;
	size_t classes = j->m->slots[op->in[0]].width, at = i * classes;
	const float *z1 = jet_one(j, op->in[0]), *z2 = jet_two(j, op->in[0]);
	struct row r = { .z = j->base->act[op->in[0]] + at,
			 .z1 = z1 + at,
			 .z2 = z2 == NULL ? NULL : z2 + at,
			 .classes = classes,
			 .spent = j->m->language,
			 .scale = (double)b->targets };

	if (!j->m->language && b->label[i] < 0)
		return squared_error((double)r.z[0] - (double)b->target[i], (double)r.z1[0],
				     r.z2 == NULL ? 0 : (double)r.z2[0]);
	r.label = j->m->language ? b->next[i] : (size_t)b->label[i];
	if (!r.spent)
		r.minus = log_sum(r.z, classes);
	return cross_entropy(&r);
}

void jet_loss(const struct jet *j, const struct op *op)
{
	size_t rows = pass_rows(j->base, op->in[0]);

#pragma omp parallel for schedule(static)
	for (size_t i = 0; i < rows; i++)
		j->terms[i] = term_of(j, op, i);
}
