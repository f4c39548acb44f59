/*
 * Products of sequences' gradients with a direction.
 */
#include "model/samples_impl.h"
#include "tensor/blas.h"

#define GRAIN ((size_t)16384) /* sums below which waking threads costs more */

static const float *direction(struct samples *w, const struct directions *d, size_t param,
			      size_t from, size_t n, struct err *err)
{
	if (w->held[0] == param && w->held[1] == from && w->held[2] == n)
		return w->direction.f;
	if (floats_reserve(&w->direction, n, 1, err) != EX_OK)
		return NULL;
	d->get(d->self, param, from, n, w->direction.f);
	w->held[0] = param;
	w->held[1] = from;
	w->held[2] = n;
	return w->direction.f;
}

/* The sums [sequences, n] of rows from .. from + n, each to its unit. */
static void count(const struct samples *w, const struct units *units, size_t from, size_t n,
		  double *u, size_t stride)
{
	size_t sequences = w->p->batch->sequences;

#pragma omp parallel for schedule(static) if (sequences * n >= GRAIN)
	for (size_t s = 0; s < sequences; s++) {
		const double *sum = w->sum[0] + s * n;
		double all = 0;

		for (size_t i = 0; units->of_row == NULL && i < n; i++)
			all += sum[i];
		if (units->of_row == NULL)
			u[s * stride + units->all] += all;
		for (size_t i = 0; units->of_row != NULL && i < n; i++)
			if (units->of_row[from + i] != UNIT_NONE)
				u[s * stride + units->of_row[from + i]] += sum[i];
	}
}

static int along_vector(struct samples *w, const struct factors *f,
			const struct directions *d, size_t param, const struct units *units,
			double *u, size_t stride, struct err *err)
{
	const float *v = direction(w, d, param, f->from, f->n, err);

	if (v == NULL || samples_reserve_sums(w, 0, f->n, err) != EX_OK)
		return EX_UNAVAILABLE;
	segments_sum_products(w->m->k, w->p->batch->sequences, f->start, f->n, f->l, f->n,
			      v, 0, w->sum[0]);
	count(w, units, f->from, f->n, u, stride);
	return EX_OK;
}

/* A matrix's factors with its direction, V. */
struct matrix {
	struct factors f;
	bool turned; /* r and l change places, which all rows as one unit allow: V' for V */
	bool still;  /* r V' is the same whatever the error */
	size_t at;   /* of what is kept */
};

/* Of a weight [in, outputs] l = e, r = x do as well, and leave the error out of r V'. */
static struct matrix matrix_of(const struct samples *w, const struct op *op, int j,
			       const struct factors *f, const float *e,
			       const struct units *units)
{
	struct matrix x = { .f = *f, .still = f->r != e };
	size_t n = w->m->params[op->p[j]].n;

	x.at = (size_t)(op - w->m->ops) * OP_PARAMS + (size_t)j;
	x.turned = w->again && f->r == e && units->of_row == NULL && n <= PIECE &&
		   f->rows * f->width <= PIECE;
	if (!x.turned)
		return x;
	x.still = true;
	x.f.l = e;
	x.f.n = f->width;
	x.f.r = f->l;
	x.f.width = f->n;
	return x;
}

/* r V' of n rows from i on into y [rows, n]. */
static int multiply(struct samples *w, const struct matrix *x, const struct directions *d,
		    size_t param, size_t i, size_t n, float *y, struct err *err)
{
	const struct factors *f = &x->f;
	size_t from = x->turned ? 0 : (f->from + i) * f->columns;
	size_t count = (x->turned ? f->width : n) * f->columns;
	const float *v = direction(w, d, param, from, count, err);

	if (v == NULL)
		return EX_UNAVAILABLE;
	if (x->turned)
		gemm_nn(f->rows, n, f->width, f->r, f->width, v + f->column, f->columns, 0,
			y, n);
	else
		gemm_nt(f->rows, n, f->width, f->r, f->width, v + f->column, f->columns, 0,
			y, n);
	return EX_OK;
}

/* Where a product goes: to a place of its own if it is needed again and there is room. */
static struct floats *room_for(struct samples *w, const struct matrix *x, size_t step,
			       struct err *err)
{
	struct floats *kept = &w->kept[x->at];

	if (w->again && x->still && step == x->f.n &&
	    floats_reserve(kept, x->f.rows, step, NULL) == EX_OK)
		return kept;
	return floats_reserve(&w->product, x->f.rows, step, err) == EX_OK ? &w->product
									  : NULL;
}

static int along_matrix(struct samples *w, const struct matrix *x,
			const struct directions *d, size_t param, const struct units *units,
			double *u, size_t stride, struct err *err)
{
	const struct factors *f = &x->f;
	size_t step = x->turned ? f->n : rows_at_once(f);
	struct floats *y = room_for(w, x, step, err);

	if (y == NULL || samples_reserve_sums(w, 0, step, err) != EX_OK)
		return EX_UNAVAILABLE;
	for (size_t i = 0; i < f->n; i += step) {
		size_t n = smaller(step, f->n - i);

		if (!w->is_kept[x->at] &&
		    multiply(w, x, d, param, i, n, y->f, err) != EX_OK)
			return EX_UNAVAILABLE;
		w->is_kept[x->at] = y != &w->product;
		segments_sum_products(w->m->k, w->p->batch->sequences, f->start, n,
				      f->l + i, f->n, y->f, n, w->sum[0]);
		count(w, units, f->from + i, n, u, stride);
	}
	return EX_OK;
}

/* Only the rows that were read have to be known. */
static int along_table(struct samples *w, const struct factors *f,
		       const struct directions *d, size_t param, const struct units *units,
		       double *u, size_t stride, struct err *err)
{
	const struct param *p = &w->m->params[param];

	for (size_t s = 0; s < w->p->batch->sequences; s++) {
		for (size_t t = f->start[s]; t < f->start[s + 1]; t++) {
			size_t row = f->at[t], unit;
			const float *v;

			if (row == NOT_READ)
				continue;
			unit = unit_of_table_row(units, p, f, row);
			if (unit == UNIT_NONE)
				continue;
			v = direction(w, d, param, row * f->width, f->width, err);
			if (v == NULL)
				return EX_UNAVAILABLE;
			u[s * stride + unit] +=
			    vec_dot(w->m->k, f->width, f->r + t * f->width, v);
		}
	}
	return EX_OK;
}

/* Of parameter op->p[j]. */
static int along_one(struct samples *w, const struct op *op, int j, const float *e,
		     const struct directions *d, const struct units *units, double *u,
		     size_t stride, struct err *err)
{
	size_t i = (size_t)op->p[j];
	struct factors f;
	struct matrix x;
	int rc = samples_factors(w, op, j, e, &w->left[0], &f, err);

	if (rc != EX_OK)
		return rc;
	if (f.at != NULL)
		return along_table(w, &f, d, i, units, u, stride, err);
	if (f.r == NULL)
		return along_vector(w, &f, d, i, units, u, stride, err);
	x = matrix_of(w, op, j, &f, e, units);
	return along_matrix(w, &x, d, i, units, u, stride, err);
}

int samples_along(struct samples *w, const struct op *op, const float *e,
		  const struct directions *d, const struct units *units, double *u,
		  size_t stride, struct err *err)
{
	int rc = EX_OK;

	for (int j = 0; j < OP_PARAMS && rc == EX_OK; j++)
		if (op->p[j] >= 0 && units_any(&units[op->p[j]]))
			rc = along_one(w, op, j, e, d, &units[op->p[j]], u, stride, err);
	return rc;
}
