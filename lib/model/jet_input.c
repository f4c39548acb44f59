/*
 * Where a batch enters the model, along a direction: the tables are linear in what is
 * looked up, so that only the first coefficient is not zero, but for the patches of images
 * that a prefix stands before.
 */
#include <string.h>

#include "model/jet_impl.h"

static void add_row(size_t width, const float *row, float *to)
{
	for (size_t c = 0; row != NULL && c < width; c++)
		to[c] += row[c];
}

static const float *row_of(const float *table, size_t row, size_t width)
{
	return table == NULL ? NULL : table + row * width;
}

enum moves jet_embed(const struct jet *j, const struct op *op)
{
	const struct batch *b = j->base->batch;
	const uint32_t *place = input_places(j->base, op);
	const float *word = jet_along(j, op, 0), *position = jet_along(j, op, 1);
	const float *type = jet_along(j, op, 2);
	size_t width = j->m->slots[op->out].width;
	float *y1 = jet_out_one(j, op);

#pragma omp parallel for schedule(static)
	for (size_t t = 0; t < b->tokens; t++) {
		float *to = y1 + t * width;

		memset(to, 0, width * sizeof *to);
		add_row(width, row_of(word, b->ids[t], width), to);
		add_row(width, row_of(position, place[t], width), to);
		add_row(width, row_of(type, b->types[t], width), to);
	}
	return MOVES_FIRST;
}

/* y = the row `first` before each image's patches, those of x, and `table` by position;
 * each may be NULL. */
static void join(const struct jet *j, size_t width, const float *first, const float *x,
		 const float *table, float *y)
{
	const struct batch *b = j->base->batch;

#pragma omp parallel for schedule(static)
	for (size_t t = 0; t < b->tokens; t++) {
		size_t s = t / (b->tokens / b->sequences);
		bool leads = t == b->start[s];
		float *to = y + t * width;

		memset(to, 0, width * sizeof *to);
		add_row(width, leads ? first : row_of(x, leads ? 0 : t - s - 1, width), to);
		add_row(width, row_of(table, b->position[t], width), to);
	}
}

enum moves jet_prefix(const struct jet *j, const struct op *op)
{
	const float *x2 = jet_two(j, op->in[0]);
	size_t width = j->m->slots[op->out].width;

	join(j, width, jet_along(j, op, 0), jet_one(j, op->in[0]), jet_along(j, op, 1),
	     jet_out_one(j, op));
	if (x2 == NULL)
		return MOVES_FIRST;
	join(j, width, NULL, x2, NULL, jet_out_two(j, op));
	return MOVES_BOTH;
}
