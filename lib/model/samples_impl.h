/*
 * samples_impl - the factors l and r of a parameter's part of sequences' gradients, from
 * which both kinds of products are made.
 */
#ifndef MODEL_SAMPLES_IMPL_H
#define MODEL_SAMPLES_IMPL_H

#include "model/pass_impl.h"
#include "model/samples.h"

#define PIECE     ((size_t)1 << 23) /* floats of a direction or a product held at once */
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
	bool again;          /* other errors follow */
	struct floats *kept; /* [n_ops OP_PARAMS] products that errors do not change */
	bool *is_kept;       /* [n_ops OP_PARAMS] of these directions */
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

/* Of parameter op->p[j], e being the error at the output; what has to be made stands in
 * `left`. EX_UNAVAILABLE when memory is short. */
int samples_factors(const struct samples *w, const struct op *op, int j, const float *e,
		    struct floats *left, struct factors *f, struct err *err);

/* sum[which] [sequences, n] */
int samples_reserve_sums(struct samples *w, int which, size_t n, struct err *err);

static inline size_t smaller(size_t a, size_t b)
{
	return a < b ? a : b;
}

/* Rows of the parameter whose direction and products are held at once. */
static inline size_t rows_at_once(const struct factors *f)
{
	size_t each = f->columns > f->rows ? f->columns : f->rows;

	return each >= PIECE ? 1 : smaller(PIECE / each, f->n);
}

static inline size_t unit_of(const struct units *u, size_t row)
{
	return u->of_row == NULL ? u->all : u->of_row[row];
}

/* A row of a table is a row of the parameter, or all rows of a [1, positions, width] are.
 */
static inline size_t unit_of_table_row(const struct units *u, const struct param *param,
				       const struct factors *f, size_t row)
{
	return unit_of(u, row * f->columns / (param->n / param->shape[0]));
}

#endif
