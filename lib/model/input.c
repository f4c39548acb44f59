/*
 * Where a batch enters the model, forward and backward: tables of embeddings, patches of
 * images, and the rows before them.
 */
#include <string.h>

#include "base/mem.h"
#include "model/pass_impl.h"

/* Rows of the table of positions. A token `pad` has none but its own, and is not counted
 * (RoBERTa). */
int input_place(struct pass *p, const struct op *op, struct err *e)
{
	const struct batch *b = p->batch;

	if (op->offset == 0 && op->pad < 0)
		return EX_OK;
	if (mem_grow(&p->place, &p->place_cap, b->tokens, sizeof *p->place, e) != EX_OK)
		return EX_UNAVAILABLE;
	for (size_t s = 0; s < b->sequences; s++) {
		uint32_t at = (uint32_t)op->offset + b->position[b->start[s]];

		for (size_t t = b->start[s]; t < b->start[s + 1]; t++)
			p->place[t] =
			    (int64_t)b->ids[t] == op->pad ? (uint32_t)op->pad : at++;
	}
	return EX_OK;
}

const uint32_t *input_places(const struct pass *p, const struct op *op)
{
	return op->offset == 0 && op->pad < 0 ? p->batch->position : p->place;
}

void embed_forward(const struct pass *p, const struct op *op, float *out)
{
	const struct batch *b = p->batch;
	const uint32_t *place = input_places(p, op);
	size_t width = p->m->slots[op->out].width;
	const float *tables[3];

	for (int k = 0; k < 3; k++)
		tables[k] = op->p[k] < 0 ? NULL : p->w[op->p[k]];
#pragma omp parallel for schedule(static)
	for (size_t t = 0; t < b->tokens; t++) {
		const size_t at[3] = { b->ids[t], place[t], b->types[t] };
		float *o = out + t * width;

		memcpy(o, tables[0] + at[0] * width, width * sizeof *o);
		for (int k = 1; k < 3; k++) {
			const float *row =
			    tables[k] == NULL ? NULL : tables[k] + at[k] * width;

			for (size_t j = 0; row != NULL && j < width; j++)
				o[j] += row[j];
		}
	}
}

/* table[at[t]] += e[t] for the tokens of `part`, but for the row `fixed`; threads divide
 * the columns, so that the order of sums is fixed. */
static void scatter(struct span part, size_t width, const uint32_t *at, int64_t fixed,
		    const float *e, float *table)
{
	const size_t piece = 64;

#pragma omp parallel for schedule(static)
	for (size_t first = 0; first < width; first += piece) {
		size_t end = first + piece < width ? first + piece : width;

		for (size_t t = part.from; t < part.from + part.n; t++) {
			float *row = table + at[t] * width;
			const float *from = e + t * width;

			for (size_t j = first; j < end && (int64_t)at[t] != fixed; j++)
				row[j] += from[j];
		}
	}
}

void embed_gradients(const struct pass *p, const struct op *op, struct span part,
		     const float *e, float *const *g)
{
	const uint32_t *at[3] = { p->batch->ids, input_places(p, op), p->batch->types };
	const int64_t fixed[3] = { p->m->config.pad_token, op->pad, -1 };

	for (int k = 0; k < 3; k++)
		if (op->p[k] >= 0 && g[op->p[k]] != NULL)
			scatter(part, p->m->slots[op->out].width, at[k], fixed[k], e,
				g[op->p[k]]);
}

/* ---- images ---- */

/* out[patch] = its pixels: channels, each row after row. */
void patches_forward(const struct pass *p, float *out)
{
	const struct config *c = &p->m->config;
	size_t down = c->image_height / c->patch_height;
	size_t across = c->image_width / c->patch_width;
	size_t patch = c->channels * c->patch_height * c->patch_width;

#pragma omp parallel for schedule(static)
	for (size_t i = 0; i < p->batch->sequences * down * across; i++) {
		size_t s = i / (down * across), y = i / across % down, x = i % across;
		const float *from = p->batch->pixels + s * p->batch->image +
				    y * c->patch_height * c->image_width +
				    x * c->patch_width;
		float *to = out + i * patch;

		for (size_t r = 0; r < c->channels * c->patch_height; r++) {
			size_t channel = r / c->patch_height, row = r % c->patch_height;

			memcpy(to + r * c->patch_width,
			       from + (channel * c->image_height + row) * c->image_width,
			       c->patch_width * sizeof *to);
		}
	}
}

void prefix_forward(const struct pass *p, const struct op *op, const float *x, float *out)
{
	const struct batch *b = p->batch;
	size_t width = p->m->slots[op->out].width;
	const float *row = p->w[op->p[0]], *table = p->w[op->p[1]];

#pragma omp parallel for schedule(static)
	for (size_t t = 0; t < b->tokens; t++) {
		size_t s = t / (b->tokens / b->sequences);
		const float *from = t == b->start[s] ? row : x + (t - s - 1) * width;
		const float *place = table + b->position[t] * width;

		for (size_t j = 0; j < width; j++)
			out[t * width + j] = from[j] + place[j];
	}
}

/* The error of the patches: that of all tokens but the first of each image. */
void prefix_backward(const struct pass *p, const struct op *op, const float *e, float *dx)
{
	const struct batch *b = p->batch;
	size_t width = p->m->slots[op->out].width;

	for (size_t s = 0; s < b->sequences; s++) {
		size_t from = b->start[s] + 1, n = b->start[s + 1] - from;

		memcpy(dx + (b->start[s] - s) * width, e + from * width,
		       n * width * sizeof *dx);
	}
}

void prefix_gradients(const struct pass *p, const struct op *op, struct span part,
		      const float *e, float *const *g)
{
	const struct batch *b = p->batch;
	size_t width = p->m->slots[op->out].width;
	float *row = g[op->p[0]];

	for (size_t s = 0; row != NULL && s < b->sequences; s++)
		for (size_t j = 0; j < width && b->start[s] - part.from < part.n; j++)
			row[j] += e[b->start[s] * width + j];
	if (g[op->p[1]] != NULL)
		scatter(part, width, b->position, -1, e, g[op->p[1]]);
}
