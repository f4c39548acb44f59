#include "model/samples.h"

#include <stdlib.h>
#include <string.h>

#include "base/mem.h"
#include "model/samples_impl.h"

#define GRAIN ((size_t)16384) /* floats below which waking threads costs more */

int samples_init(struct samples **w, const struct model *m, struct err *e)
{
	*w = mem_zeros(1, sizeof **w);
	if (*w == NULL)
		return err_nomem(e);
	(*w)->m = m;
	(*w)->kept = mem_zeros(m->n_ops * OP_PARAMS, sizeof *(*w)->kept);
	(*w)->is_kept = mem_zeros(m->n_ops * OP_PARAMS, sizeof *(*w)->is_kept);
	if ((*w)->kept != NULL && (*w)->is_kept != NULL)
		return EX_OK;
	samples_free(*w);
	*w = NULL;
	return err_nomem(e);
}

bool units_any(const struct units *u)
{
	return u->of_row != NULL || u->all != UNIT_NONE;
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
	for (size_t i = 0; w->kept != NULL && i < w->m->n_ops * OP_PARAMS; i++)
		free(w->kept[i].f);
	free(w->kept);
	free(w->is_kept);
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

int samples_batch(struct samples *w, const struct pass *p, bool again, struct err *e)
{
	size_t need = p->batch->sequences + 1;

	w->p = p;
	w->held[2] = 0;
	w->again = again;
	memset(w->is_kept, 0, w->m->n_ops * OP_PARAMS * sizeof *w->is_kept);
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

int samples_reserve_sums(struct samples *w, int which, size_t n, struct err *err)
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

int samples_factors(const struct samples *w, const struct op *op, int j, const float *e,
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
