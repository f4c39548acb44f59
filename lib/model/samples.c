#include "model/samples.h"

#include <stdlib.h>
#include <string.h>

#include "base/mem.h"
#include "model/pass_impl.h"
#include "tensor/blas.h"

#define PIECE     ((size_t)1 << 23) /* floats of a direction or a product held at once */
#define GRAIN     ((size_t)16384)   /* sums below which waking threads costs more */
#define ROW_KINDS (ROWS_PATCHES + 1)
#define NOT_READ  UINT32_MAX

struct samples {
	const struct model *m;
	const struct pass *p;
	size_t *start[ROW_KINDS]; /* [sequences + 1] where their rows begin in a slot */
	size_t start_cap[ROW_KINDS];
	uint32_t *first; /* [tokens] 0 for the first of each sequence, else NOT_READ */
	size_t first_cap;
	struct floats left[2]; /* l, where it has to be made */
	struct floats gram;    /* r r' of one sequence */
	struct floats product;
	struct floats direction;
	size_t held[3]; /* parameter, first element and number of the direction held */
	double *sum[2]; /* [sequences, rows] */
	size_t sum_cap[2];
};

/* l and r, of all rows of the batch. */
struct factors {
	size_t rows;
	const size_t *start;  /* [sequences + 1] */
	const float *l;       /* [rows, n]; NULL for a table */
	size_t from, n;       /* l's columns are these rows of the parameter */
	const uint32_t *at;   /* [rows] the row of the table that is read, or NOT_READ */
	int64_t fixed;        /* a row of the table without gradient; -1 */
	const float *r;       /* [rows, width]; NULL for a vector */
	size_t column, width; /* r's columns are these columns of the parameter */
	size_t columns;
};

int samples_init(struct samples **w, const struct model *m, struct err *e)
{
	*w = mem_zeros(1, sizeof **w);
	if (*w == NULL)
		return err_nomem(e);
	(*w)->m = m;
	return EX_OK;
}

void samples_free(struct samples *w)
{
	if (w == NULL)
		return;
	for (int i = 0; i < ROW_KINDS; i++)
		free(w->start[i]);
	for (int i = 0; i < 2; i++) {
		free(w->left[i].f);
		free(w->sum[i]);
	}
	free(w->first);
	free(w->gram.f);
	free(w->product.f);
	free(w->direction.f);
	free(w);
}

/* ---- the batch ---- */

static void place_rows(struct samples *w)
{
	const struct batch *b = w->p->batch;
	size_t target = 0;

	for (size_t s = 0; s <= b->sequences; s++) {
		while (target < b->targets && b->predict[target] < b->start[s])
			target++;
		w->start[ROWS_TOKENS][s] = b->start[s];
		w->start[ROWS_SEQUENCES][s] = s;
		w->start[ROWS_TARGETS][s] = target;
		w->start[ROWS_PATCHES][s] = b->start[s] - s;
	}
	for (size_t t = 0; t < b->tokens; t++)
		w->first[t] = NOT_READ;
	for (size_t s = 0; s < b->sequences; s++)
		w->first[b->start[s]] = 0;
}

int samples_batch(struct samples *w, const struct pass *p, struct err *e)
{
	size_t need = p->batch->sequences + 1;

	w->p = p;
	w->held[2] = 0;
	for (int i = 0; i < ROW_KINDS; i++)
		if (mem_grow(&w->start[i], &w->start_cap[i], need, sizeof *w->start[i],
			     e) != EX_OK)
			return EX_UNAVAILABLE;
	if (mem_grow(&w->first, &w->first_cap, p->batch->tokens, sizeof *w->first, e) !=
	    EX_OK)
		return EX_UNAVAILABLE;
	place_rows(w);
	return EX_OK;
}

static int reserve_sums(struct samples *w, int which, size_t n, struct err *err)
{
	size_t need;

	if (!mem_mul(w->p->batch->sequences, n, &need))
		return err_nomem(err);
	return mem_grow(&w->sum[which], &w->sum_cap[which], need, sizeof *w->sum[which],
			err);
}

/* ---- the factors of an operation's parameters ---- */

/* e (x - mean) rstd */
static int norm_left(const struct samples *w, const struct op *op, const float *e,
		     struct floats *left, struct err *err)
{
	size_t rows = pass_rows(w->p, op->out), width = w->m->slots[op->out].width;
	const float *x = w->p->act[op->in[0]], *stat = pass_stat(w->p, op)->f;
	const float *rstd = stat + rows;

	if (floats_reserve(left, rows, width, err) != EX_OK)
		return EX_UNAVAILABLE;
#pragma omp parallel for schedule(static) if (rows * width >= GRAIN)
	for (size_t t = 0; t < rows; t++)
		for (size_t j = 0; j < width; j++)
			left->f[t * width + j] =
			    e[t * width + j] * ((x[t * width + j] - stat[t]) * rstd[t]);
	return EX_OK;
}

static int norm_factors(const struct samples *w, const struct op *op, int j, const float *e,
			struct floats *left, struct factors *f, struct err *err)
{
	f->n = w->m->slots[op->out].width;
	f->l = e;
	if (j == 1)
		return EX_OK;
	if (norm_left(w, op, e, left, err) != EX_OK)
		return EX_UNAVAILABLE;
	f->l = left->f;
	return EX_OK;
}

static void weight_factors(const struct samples *w, const struct op *op, const float *e,
			   struct factors *f)
{
	const float *x = w->p->act[op->in[0]];
	size_t in = w->m->slots[op->in[0]].width, out = w->m->slots[op->out].width;

	f->l = op->transposed ? x : e;
	f->r = op->transposed ? e : x;
	f->n = op->transposed ? in : out;
	f->width = op->transposed ? out : in;
	f->from = op->transposed ? 0 : op->offset;
	f->column = op->transposed ? op->offset : 0;
}

static int linear_factors(const struct samples *w, const struct op *op, int j,
			  const float *e, struct floats *left, struct factors *f,
			  struct err *err)
{
	int k = (j - 2) / 2;

	if (j == 0) {
		weight_factors(w, op, e, f);
		return EX_OK;
	}
	if (j > 1 && j % 2 == 0) {
		f->n = w->m->slots[op->mid[k]].width;
		if (floats_reserve(left, f->rows, f->n, err) != EX_OK)
			return EX_UNAVAILABLE;
		linear_pair_error(w->p, op, k, e, left->f);
		f->l = left->f;
		f->r = w->p->act[op->in[0]];
		f->width = w->m->slots[op->in[0]].width;
		return EX_OK;
	}
	f->l = e;
	f->from = op->offset;
	f->n = w->m->slots[op->out].width;
	if (j == 1)
		return EX_OK;
	f->r = w->p->act[op->mid[k]];
	f->width = w->m->slots[op->mid[k]].width;
	return EX_OK;
}

static void table_factors(const struct samples *w, const struct op *op, int j,
			  const float *e, struct factors *f)
{
	const struct batch *b = w->p->batch;
	const uint32_t *const prefix[2] = { w->first, b->position };

	f->r = e;
	f->width = f->columns = w->m->slots[op->out].width;
	if (op->kind == OP_PREFIX) {
		f->at = prefix[j];
		return;
	}
	f->at = j == 0 ? b->ids : j == 1 ? input_places(w->p, op) : b->types;
	f->fixed = j == 0 ? w->m->config.pad_token : j == 1 ? op->pad : -1;
}

/* Of parameter op->p[j]; what has to be made stands in `left`. */
static int factors_of(const struct samples *w, const struct op *op, int j, const float *e,
		      struct floats *left, struct factors *f, struct err *err)
{
	const struct param *param = &w->m->params[op->p[j]];
	enum slot_rows kind = w->m->slots[op->out].rows;

	*f = (struct factors){ .start = w->start[kind], .fixed = -1 };
	f->rows = pass_rows(w->p, op->out);
	f->columns = param->n / param->shape[0];
	switch (op->kind) {
	case OP_LINEAR: return linear_factors(w, op, j, e, left, f, err);
	case OP_NORM: return norm_factors(w, op, j, e, left, f, err);
	default: table_factors(w, op, j, e, f); return EX_OK;
	}
}

static size_t unit_of(const struct units *u, size_t row)
{
	return u->of_row == NULL ? u->all : u->of_row[row];
}

/* A row of a table is a row of the parameter, or all rows of a [1, positions, width] are.
 */
static size_t unit_of_table_row(const struct units *u, const struct param *param,
				const struct factors *f, size_t row)
{
	return unit_of(u, row * f->columns / (param->n / param->shape[0]));
}

/* ---- products with a direction ---- */

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

	if (v == NULL || reserve_sums(w, 0, f->n, err) != EX_OK)
		return EX_UNAVAILABLE;
	segments_sum_products(w->m->k, w->p->batch->sequences, f->start, f->n, f->l, f->n,
			      v, 0, w->sum[0]);
	count(w, units, f->from, f->n, u, stride);
	return EX_OK;
}

static size_t smaller(size_t a, size_t b)
{
	return a < b ? a : b;
}

/* Rows of the parameter whose direction and products are held at once. */
static size_t rows_at_once(const struct factors *f)
{
	size_t each = f->columns > f->rows ? f->columns : f->rows;

	return each >= PIECE ? 1 : smaller(PIECE / each, f->n);
}

static int along_matrix(struct samples *w, const struct factors *f,
			const struct directions *d, size_t param, const struct units *units,
			double *u, size_t stride, struct err *err)
{
	size_t step = rows_at_once(f);

	if (floats_reserve(&w->product, f->rows, step, err) != EX_OK ||
	    reserve_sums(w, 0, step, err) != EX_OK)
		return EX_UNAVAILABLE;
	for (size_t i = 0; i < f->n; i += step) {
		size_t n = smaller(step, f->n - i);
		const float *v =
		    direction(w, d, param, (f->from + i) * f->columns, n * f->columns, err);

		if (v == NULL)
			return EX_UNAVAILABLE;
		gemm_nt(f->rows, n, f->width, f->r, f->width, v + f->column, f->columns, 0,
			w->product.f, n);
		segments_sum_products(w->m->k, w->p->batch->sequences, f->start, n,
				      f->l + i, f->n, w->product.f, n, w->sum[0]);
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

static bool has_units(const struct units *u)
{
	return u->of_row != NULL || u->all != UNIT_NONE;
}

int samples_along(struct samples *w, const struct op *op, const float *e,
		  const struct directions *d, const struct units *units, double *u,
		  size_t stride, struct err *err)
{
	int rc = EX_OK;

	for (int j = 0; j < OP_PARAMS && rc == EX_OK; j++) {
		size_t i = (size_t)op->p[j];
		struct factors f;

		if (op->p[j] < 0 || !has_units(&units[i]))
			continue;
		rc = factors_of(w, op, j, e, &w->left[0], &f, err);
		if (rc != EX_OK)
			return rc;
		if (f.at != NULL)
			rc = along_table(w, &f, d, i, &units[i], u, stride, err);
		else if (f.r == NULL)
			rc = along_vector(w, &f, d, i, &units[i], u, stride, err);
		else
			rc = along_matrix(w, &f, d, i, &units[i], u, stride, err);
	}
	return rc;
}

/* ---- squares ---- */

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
	    reserve_sums(w, which, f->n, err) != EX_OK)
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
	    reserve_sums(w, 0, step, err) != EX_OK)
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

	return factors_of(w, op, (int)(at % OP_PARAMS), w->p->err[op->out]->f,
			  &w->left[which], f, err);
}

int samples_squares(struct samples *w, size_t param, const struct units *units,
		    double *squares, struct err *err)
{
	struct pair q = { .param = &w->m->params[param],
			  .units = units,
			  .squares = squares };
	int rc = EX_OK;

	if (!has_units(units))
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
