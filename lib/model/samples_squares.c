/*
 * Squares of sequences' gradients: within a sequence, from the products of its rows.
 */
#include "model/samples_impl.h"
#include "tensor/blas.h"

/* Two operations' factors of one parameter, whose product counts `times`. */
struct pair {
	struct factors a, b;
	const struct param *param;
	const struct units *units;
	double times;
	double *squares;
};

static bool counts(const struct factors *f, size_t t)
{
	return f->at[t] != NOT_READ && (int64_t)f->at[t] != f->fixed;
}

static void add_square(const struct pair *q, size_t unit, double x)
{
	if (unit != UNIT_NONE)
		q->squares[unit] += q->times * x;
}

/* The sums of l's columns over each sequence, into sum[which]. */
static int sum_left(struct samples *w, const struct factors *f, int which, struct err *err)
{
	if (floats_reserve(&w->product, f->n, 1, err) != EX_OK ||
	    samples_reserve_sums(w, which, f->n, err) != EX_OK)
		return EX_UNAVAILABLE;
	for (size_t i = 0; i < f->n; i++)
		w->product.f[i] = 1;
	segments_sum_products(w->m->k, w->p->batch->sequences, f->start, f->n, f->l, f->n,
			      w->product.f, 0, w->sum[which]);
	return EX_OK;
}

static int pair_vectors(struct samples *w, const struct pair *q, struct err *err)
{
	const struct factors *a = &q->a, *b = &q->b;
	size_t end = smaller(a->from + a->n, b->from + b->n);

	if (sum_left(w, a, 0, err) != EX_OK || sum_left(w, b, 1, err) != EX_OK)
		return EX_UNAVAILABLE;
	for (size_t i = a->from > b->from ? a->from : b->from; i < end; i++) {
		double sum = 0;

		for (size_t s = 0; s < w->p->batch->sequences; s++)
			sum += w->sum[0][s * a->n + i - a->from] *
			       w->sum[1][s * b->n + i - b->from];
		add_square(q, unit_of(q->units, i), sum);
	}
	return EX_OK;
}

/* r r' of the columns that both have, for sequence s. */
static int gram_of(struct samples *w, const struct pair *q, size_t s, struct err *err)
{
	const struct factors *a = &q->a, *b = &q->b;
	size_t from = a->column > b->column ? a->column : b->column;
	size_t end = smaller(a->column + a->width, b->column + b->width);
	size_t rows = a->start[s + 1] - a->start[s],
	       columns = b->start[s + 1] - b->start[s];

	if (floats_reserve(&w->gram, rows, columns, err) != EX_OK)
		return EX_UNAVAILABLE;
	gemm_nt(rows, columns, end - from, a->r + a->start[s] * a->width + from - a->column,
		a->width, b->r + b->start[s] * b->width + from - b->column, b->width, 0,
		w->gram.f, columns);
	return EX_OK;
}

/* l^a . (r^a r^b' l^b) of one sequence, column by column. */
static int pair_matrices(struct samples *w, const struct pair *q, size_t s, struct err *err)
{
	const struct factors *a = &q->a, *b = &q->b;
	size_t rows = a->start[s + 1] - a->start[s], terms = b->start[s + 1] - b->start[s];
	size_t end = smaller(a->from + a->n, b->from + b->n), step = rows_at_once(a);
	const size_t whole[2] = { 0, rows };
	const float *la = a->l + a->start[s] * a->n, *lb = b->l + b->start[s] * b->n;

	if (floats_reserve(&w->product, rows, step, err) != EX_OK ||
	    samples_reserve_sums(w, 0, step, err) != EX_OK)
		return EX_UNAVAILABLE;
	for (size_t i = a->from > b->from ? a->from : b->from; i < end; i += step) {
		size_t n = smaller(step, end - i);

		gemm_nn(rows, n, terms, w->gram.f, terms, lb + i - b->from, b->n, 0,
			w->product.f, n);
		segments_sum_products(w->m->k, 1, whole, n, la + i - a->from, a->n,
				      w->product.f, n, w->sum[0]);
		for (size_t j = 0; j < n; j++)
			add_square(q, unit_of(q->units, i + j), w->sum[0][j]);
	}
	return EX_OK;
}

static void pair_tables(const struct samples *w, const struct pair *q, size_t s)
{
	const struct factors *a = &q->a, *b = &q->b;
	const float *gram = w->gram.f;

	for (size_t t = a->start[s]; t < a->start[s + 1]; t++) {
		size_t unit;
		double sum = 0;

		for (size_t o = b->start[s]; o < b->start[s + 1]; o++, gram++)
			if (a->at[t] == b->at[o] && counts(a, t) && counts(b, o))
				sum += (double)*gram;
		if (!counts(a, t))
			continue;
		unit = unit_of_table_row(q->units, q->param, a, a->at[t]);
		add_square(q, unit, sum);
	}
}

/* a is a matrix, b the same parameter read as a table. */
static void pair_matrix_and_table(const struct samples *w, const struct pair *q, size_t s)
{
	const struct factors *a = &q->a, *b = &q->b;
	size_t rows = a->start[s + 1] - a->start[s],
	       columns = b->start[s + 1] - b->start[s];
	const float *l = a->l + a->start[s] * a->n;

	for (size_t o = 0; o < columns; o++) {
		size_t row = b->at[b->start[s] + o];
		double sum = 0;

		if (!counts(b, b->start[s] + o) || row < a->from || row >= a->from + a->n)
			continue;
		for (size_t t = 0; t < rows; t++)
			sum += (double)l[t * a->n + row - a->from] *
			       (double)w->gram.f[t * columns + o];
		add_square(q, unit_of(q->units, row), sum);
	}
}

static bool share_columns(const struct factors *a, const struct factors *b)
{
	return a->column < b->column + b->width && b->column < a->column + a->width;
}

static int add_pair(struct samples *w, struct pair *q, struct err *err)
{
	int rc = EX_OK;

	if (q->a.r == NULL)
		return pair_vectors(w, q, err);
	if (!share_columns(&q->a, &q->b))
		return EX_OK;
	if (q->a.at != NULL && q->b.at == NULL) {
		struct factors a = q->a;

		q->a = q->b;
		q->b = a;
	}
	for (size_t s = 0; s < w->p->batch->sequences && rc == EX_OK; s++) {
		rc = gram_of(w, q, s, err);
		if (rc != EX_OK)
			return rc;
		if (q->a.at != NULL)
			pair_tables(w, q, s);
		else if (q->b.at != NULL)
			pair_matrix_and_table(w, q, s);
		else
			rc = pair_matrices(w, q, s, err);
	}
	return rc;
}

/* The next use of a parameter from *at = operation * OP_PARAMS + place on, with an error at
 * its output; false when there is none. */
static bool next_use(const struct samples *w, size_t param, size_t *at)
{
	for (; *at < w->m->n_ops * OP_PARAMS; ++*at) {
		const struct op *op = &w->m->ops[*at / OP_PARAMS];

		if (op->p[*at % OP_PARAMS] == (int)param && w->p->err[op->out] != NULL)
			return true;
	}
	return false;
}

static int factors_at(struct samples *w, size_t at, int which, struct factors *f,
		      struct err *err)
{
	const struct op *op = &w->m->ops[at / OP_PARAMS];

	return samples_factors(w, op, (int)(at % OP_PARAMS), w->p->err[op->out]->f,
			       &w->left[which], f, err);
}

int samples_squares(struct samples *w, size_t param, const struct units *units,
		    double *squares, struct err *err)
{
	struct pair q = { .param = &w->m->params[param],
			  .units = units,
			  .squares = squares };
	int rc = EX_OK;

	if (!units_any(units))
		return EX_OK;
	for (size_t a = 0; rc == EX_OK && next_use(w, param, &a); a++) {
		for (size_t b = a; rc == EX_OK && next_use(w, param, &b); b++) {
			q.times = a == b ? 1 : 2;
			rc = factors_at(w, a, 0, &q.a, err);
			if (rc == EX_OK)
				rc = factors_at(w, b, 1, &q.b, err);
			if (rc == EX_OK)
				rc = add_pair(w, &q, err);
		}
	}
	return rc;
}
