/*
 * The loss and its gradient: cross-entropy of classes or of the tokens that follow, or the
 * squared error of one number.
 */
#include <math.h>
#include <string.h>

#include "model/pass_impl.h"

/* log sum_c exp(z_c), and the largest z. */
static double log_sum(const float *z, size_t classes, double *top)
{
	double sum = 0;

	*top = z[0];
	for (size_t c = 1; c < classes; c++)
		*top = fmax(*top, z[c]);
	for (size_t c = 0; c < classes; c++)
		sum += exp(z[c] - *top);
	return log(sum) + *top;
}

/* Cross-entropy of one row, log sum_c exp(z_c) - z_label, and, unless d is NULL,
 * d = share (softmax - onehot). */
static double cross_entropy(const float *z, size_t classes, size_t label, double share,
			    float *d)
{
	double top, all = log_sum(z, classes, &top);

	for (size_t c = 0; d != NULL && c < classes; c++)
		d[c] = (float)(share * (exp(z[c] - all) - (c == label)));
	return all - z[label];
}

static void language_loss(struct pass *p, const struct op *op)
{
	const struct batch *b = p->batch;
	const float *z = p->act[op->in[0]];
	size_t classes = p->m->slots[op->in[0]].width;
	double *terms = p->target_loss, sum = 0;
	size_t i = 0;

	cross_entropy_forward(p->m->k, b->targets, classes, z, b->next, terms);
	for (size_t s = 0; s < b->sequences; s++) {
		p->row_loss[s] = 0;
		for (; i < b->targets && b->predict[i] < b->start[s + 1]; i++)
			p->row_loss[s] += terms[i];
		sum += p->row_loss[s];
	}
	p->loss = sum / (double)b->targets;
}

/* Sequences without a label (-1) are regressed: the squared error of the one output. */
void loss_forward(struct pass *p, const struct op *op)
{
	const struct batch *b = p->batch;
	size_t classes = p->m->slots[op->in[0]].width;
	double sum = 0;

	if (p->m->language) {
		language_loss(p, op);
		return;
	}
	for (size_t s = 0; s < b->sequences; s++) {
		const float *z = p->act[op->in[0]] + s * classes;
		double d = (double)z[0] - b->target[s];

		p->row_loss[s] =
		    b->label[s] < 0
			? d * d
			: cross_entropy(z, classes, (size_t)b->label[s], 0, NULL);
		sum += p->row_loss[s];
	}
	p->loss = sum / (double)b->sequences;
}

void loss_backward(const struct pass *p, const struct op *op, float *dz)
{
	const struct batch *b = p->batch;
	size_t classes = p->m->slots[op->in[0]].width;
	double share = 1 / (double)b->sequences;

	if (p->m->language) {
		cross_entropy_backward(p->m->k, b->targets, classes, p->act[op->in[0]],
				       b->next, p->target_loss, 1 / (double)b->targets, dz);
		return;
	}
	for (size_t s = 0; s < b->sequences; s++) {
		const float *z = p->act[op->in[0]] + s * classes;
		float *d = dz + s * classes;

		if (b->label[s] >= 0) {
			cross_entropy(z, classes, (size_t)b->label[s], share, d);
			continue;
		}
		memset(d, 0, classes * sizeof *d);
		d[0] = (float)(2 * share * ((double)z[0] - b->target[s]));
	}
}
