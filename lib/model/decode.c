#include "model/decode.h"

#include <stdlib.h>
#include <string.h>

#include "base/mem.h"
#include "model/pass_impl.h"
#include "tensor/attention_kept.h"

/* Tokens whose keys and values are allocated at once. */
#define BLOCK_ROWS ((size_t)64)

/* A row is a token's keys and values in all attentions. A block of rows is, for each
 * attention in turn, [BLOCK_ROWS, width] keys and [BLOCK_ROWS, width] values. */
struct kept {
	size_t width, attentions;
	size_t n; /* rows there are; those that are not used are listed in `free` */
	float **block;
	size_t n_blocks, cap_blocks;
	uint32_t *uses; /* [n] sequences that a row belongs to */
	uint32_t *free;
	size_t n_free, cap_uses, cap_free;
};

struct decoder {
	const struct model *m;
	struct kept rows;
	size_t most, max_len; /* sequences and tokens that there is room for */
	size_t live;
	size_t *length;             /* [most] tokens */
	uint32_t *table, *arranged; /* [most, max_len] their rows */
	size_t *arranged_length;
	struct batch batch; /* its arrays are parts of `numbers` */
	uint32_t *numbers;
	size_t cap_numbers;
	struct pass pass;
	/* What attention reads in a step: the tokens of all sequences. */
	size_t *start; /* [most + 1] */
	const float **row;
	size_t cap_row;
	struct floats probs;
};

/* ---- rows ---- */

static float *row_at(const struct kept *r, uint32_t row)
{
	return r->block[row / BLOCK_ROWS] + row % BLOCK_ROWS * r->width;
}

/* From a row to its key in an attention, in floats; its value is behind all keys. */
static size_t key_at(const struct kept *r, size_t attention)
{
	return 2 * attention * BLOCK_ROWS * r->width;
}

static size_t value_at(const struct kept *r, size_t attention)
{
	return key_at(r, attention) + BLOCK_ROWS * r->width;
}

static int add_block(struct kept *r, struct err *e)
{
	size_t floats, n = r->n + BLOCK_ROWS;

	if (n > UINT32_MAX || !mem_mul(2 * BLOCK_ROWS * r->attentions, r->width, &floats) ||
	    mem_grow(&r->block, &r->cap_blocks, r->n_blocks + 1, sizeof *r->block, e) !=
		EX_OK ||
	    mem_grow(&r->uses, &r->cap_uses, n, sizeof *r->uses, e) != EX_OK ||
	    mem_grow(&r->free, &r->cap_free, n, sizeof *r->free, e) != EX_OK)
		return err_nomem(e);
	r->block[r->n_blocks] = mem_floats(floats);
	if (r->block[r->n_blocks] == NULL)
		return err_nomem(e);
	r->n_blocks++;
	while (n > r->n)
		r->free[r->n_free++] = (uint32_t)--n; /* the first is taken first */
	r->n += BLOCK_ROWS;
	return EX_OK;
}

/* Makes sure of n unused rows. */
static int reserve_rows(struct kept *r, size_t n, struct err *e)
{
	while (r->n_free < n)
		if (add_block(r, e) != EX_OK)
			return EX_UNAVAILABLE;
	return EX_OK;
}

/* An unused row, of which reserve_rows made sure. */
static uint32_t take_row(struct kept *r)
{
	uint32_t row = r->free[--r->n_free];

	r->uses[row] = 1;
	return row;
}

static void drop_row(struct kept *r, uint32_t row)
{
	if (--r->uses[row] == 0)
		r->free[r->n_free++] = row;
}

static void free_rows(struct kept *r)
{
	for (size_t i = 0; i < r->n_blocks; i++)
		free(r->block[i]);
	free(r->block);
	free(r->uses);
	free(r->free);
}

/* ---- opening ---- */

static int check_model(const struct model *m, size_t sequences, size_t max_len,
		       struct err *e)
{
	bool causal = m->language;

	for (size_t i = 0; i < m->n_ops; i++)
		causal = causal && (m->ops[i].kind != OP_ATTENTION || m->ops[i].causal);
	if (!causal)
		return err_set(e, EX_USAGE,
			       "%s: not opened as a model that predicts the next token; "
			       "only such a model generates text",
			       m->dir);
	if (max_len == 0 || max_len > m->config.positions)
		return err_set(e, EX_USAGE,
			       "%s: texts of %zu tokens; the model's longest has %zu",
			       m->dir, max_len, m->config.positions);
	if (sequences == 0 || sequences > UINT32_MAX)
		return err_set(e, EX_USAGE, "%zu texts at once", sequences);
	return EX_OK;
}

/* The attentions of a model are of one width. */
static int measure(struct kept *r, const struct model *m, struct err *e)
{
	for (size_t i = 0; i < m->n_ops; i++) {
		const struct op *op = &m->ops[i];
		size_t width;

		if (op->kind != OP_ATTENTION)
			continue;
		width = m->slots[op->in[1]].width;
		if (r->attentions++ > 0 && width != r->width)
			return err_set(e, EX_SOFTWARE, "%s: attentions of several widths",
				       m->dir);
		r->width = width;
	}
	return EX_OK;
}

static int reserve_tables(struct decoder *d, struct err *e)
{
	size_t cells;

	if (!mem_mul(d->most, d->max_len, &cells))
		return err_nomem(e);
	d->length = mem_zeros(d->most, sizeof *d->length);
	d->arranged_length = mem_zeros(d->most, sizeof *d->arranged_length);
	d->table = mem_zeros(cells, sizeof *d->table);
	d->arranged = mem_zeros(cells, sizeof *d->arranged);
	d->start = mem_zeros(d->most + 1, sizeof *d->start);
	if (d->length == NULL || d->arranged_length == NULL || d->table == NULL ||
	    d->arranged == NULL || d->start == NULL)
		return err_nomem(e);
	return EX_OK;
}

int decoder_open(struct decoder **out, const struct model *m, size_t sequences,
		 size_t max_len, struct err *e)
{
	struct decoder *d;
	int rc = check_model(m, sequences, max_len, e);

	if (rc != EX_OK)
		return rc;
	if ((d = mem_zeros(1, sizeof *d)) == NULL)
		return err_nomem(e);
	d->m = m;
	d->most = sequences;
	d->max_len = max_len;
	rc = measure(&d->rows, m, e);
	if (rc == EX_OK)
		rc = reserve_tables(d, e);
	if (rc == EX_OK)
		rc = pass_init(&d->pass, m, false, e);
	if (rc != EX_OK) {
		decoder_close(d);
		return rc;
	}
	*out = d;
	return EX_OK;
}

void decoder_close(struct decoder *d)
{
	if (d == NULL)
		return;
	pass_free(&d->pass);
	free_rows(&d->rows);
	free(d->numbers);
	free(d->length);
	free(d->arranged_length);
	free(d->table);
	free(d->arranged);
	free(d->start);
	free(d->row);
	free(d->probs.f);
	free(d);
}

size_t decoder_live(const struct decoder *d)
{
	return d->live;
}

size_t decoder_length(const struct decoder *d, size_t sequence)
{
	return d->length[sequence];
}

size_t decoder_kept(const struct decoder *d)
{
	return d->rows.n - d->rows.n_free;
}

/* ---- a batch of new tokens ---- */

/* Makes a batch of tokens start[i] .. start[i + 1] of `ids` for sequence first + i. The
 * last of each is the one whose successor is looked for. */
static int make_batch(struct decoder *d, size_t first, size_t n, const uint32_t *ids,
		      const size_t *start, struct err *e)
{
	struct batch *b = &d->batch;
	size_t tokens = start[n] - start[0];
	uint32_t *at;

	if (tokens > UINT32_MAX / 8)
		return err_set(e, EX_UNAVAILABLE, "%zu tokens at once are too many",
			       tokens);
	if (mem_grow(&d->numbers, &d->cap_numbers, 5 * tokens + n + 1, sizeof *d->numbers,
		     e) != EX_OK)
		return EX_UNAVAILABLE;
	at = d->numbers;
	*b = (struct batch){ .sequences = n, .tokens = tokens, .targets = n };
	b->ids = memcpy(at, ids + start[0], tokens * sizeof *ids);
	b->types = memset(at += tokens, 0, tokens * sizeof *ids);
	b->next = memset(at += tokens, 0, tokens * sizeof *ids);
	b->position = at += tokens;
	b->predict = at += tokens;
	b->start = at + tokens;
	for (size_t i = 0; i < n; i++) {
		size_t from = start[i] - start[0], len = start[i + 1] - start[i];

		for (size_t j = 0; j < len; j++)
			b->position[from + j] = (uint32_t)(d->length[first + i] + j);
		b->start[i] = (uint32_t)from;
		b->predict[i] = (uint32_t)(from + len - 1);
	}
	b->start[n] = (uint32_t)tokens;
	return EX_OK;
}

/* Gives the batch's tokens rows behind those of their sequences. */
static void append_rows(struct decoder *d, size_t first)
{
	const struct batch *b = &d->batch;

	for (size_t i = 0; i < b->sequences; i++)
		for (size_t t = b->start[i]; t < b->start[i + 1]; t++) {
			size_t s = first + i;

			d->table[s * d->max_len + d->length[s]++] = take_row(&d->rows);
		}
}

/* Keeps the batch's keys and values in the rows that append_rows gave them. */
static void keep(struct decoder *d, const struct op *op, size_t attention, size_t first)
{
	const struct batch *b = &d->batch;
	const float *k = d->pass.act[op->in[1]], *v = d->pass.act[op->in[2]];
	size_t width = d->rows.width;

	for (size_t i = 0; i < b->sequences; i++) {
		size_t s = first + i, len = b->start[i + 1] - b->start[i];
		const uint32_t *row = d->table + s * d->max_len + d->length[s] - len;

		for (size_t j = 0; j < len; j++) {
			size_t from = (b->start[i] + j) * width;
			float *to = row_at(&d->rows, row[j]);

			memcpy(to + key_at(&d->rows, attention), k + from,
			       width * sizeof *k);
			memcpy(to + value_at(&d->rows, attention), v + from,
			       width * sizeof *v);
		}
	}
}

/* What decoder_step needs of attention: all tokens of all live sequences, and room for
 * their probabilities. */
static int list_rows(struct decoder *d, struct err *e)
{
	size_t heads = 0;

	d->start[0] = 0;
	for (size_t i = 0; i < d->m->n_ops; i++)
		if (d->m->ops[i].heads > heads)
			heads = d->m->ops[i].heads;
	for (size_t s = 0; s < d->live; s++)
		d->start[s + 1] = d->start[s] + d->length[s];
	if (mem_grow(&d->row, &d->cap_row, d->start[d->live], sizeof *d->row, e) != EX_OK)
		return EX_UNAVAILABLE;
	for (size_t s = 0; s < d->live; s++)
		for (size_t j = 0; j < d->length[s]; j++)
			d->row[d->start[s] + j] =
			    row_at(&d->rows, d->table[s * d->max_len + j]);
	return floats_reserve(&d->probs, d->start[d->live], heads, e);
}

static void attend(struct decoder *d, const struct op *op, size_t attention)
{
	const struct attention_kept a = {
		.sequences = d->live,
		.heads = op->heads,
		.head_dim = d->rows.width / op->heads,
		.start = d->start,
		.row = d->row,
		.key = key_at(&d->rows, attention),
		.value = value_at(&d->rows, attention),
		.scale = op->scale,
	};

	attention_kept_forward(d->m->k, &a, d->pass.act[op->in[0]], d->probs.f,
			       d->pass.act[op->out]);
}

/* Runs the batch, which belongs to the sequences from `first` on. In a step, attention
 * reads what is kept; new sequences see their own tokens alone. */
static const float *run(struct decoder *d, size_t first, bool step)
{
	const struct model *m = d->m;
	size_t attention = 0;

	pass_place_slots(&d->pass, NULL, 0);
	for (size_t i = 0; i < m->n_ops; i++) {
		const struct op *op = &m->ops[i];

		if (op->kind == OP_ATTENTION)
			keep(d, op, attention, first);
		if (op->kind == OP_ATTENTION && step)
			attend(d, op, attention);
		else if (op->kind != OP_LOSS)
			pass_run(&d->pass, op);
		attention += op->kind == OP_ATTENTION;
	}
	return d->pass.act[m->logits];
}

/* ---- sequences ---- */

static int check_prompts(const struct decoder *d, size_t n, const size_t *start,
			 struct err *e)
{
	if (n > d->most - d->live)
		return err_set(e, EX_USAGE, "%zu texts beside %zu, but room for %zu", n,
			       d->live, d->most);
	for (size_t i = 0; i < n; i++) {
		size_t len = start[i + 1] - start[i];

		if (start[i + 1] <= start[i])
			return err_set(e, EX_USAGE, "a prompt without tokens");
		if (len > d->max_len)
			return err_set(e, EX_DATAERR,
				       "%s: a prompt of %zu tokens, but texts have at "
				       "most %zu",
				       d->m->dir, len, d->max_len);
	}
	return EX_OK;
}

int decoder_add(struct decoder *d, size_t n, const uint32_t *ids, const size_t *start,
		const float **logits, struct err *e)
{
	size_t first = d->live;
	int rc = check_prompts(d, n, start, e);

	if (rc != EX_OK)
		return rc;
	for (size_t i = 0; i < n; i++)
		d->length[first + i] = 0;
	rc = make_batch(d, first, n, ids, start, e);
	if (rc == EX_OK)
		rc = reserve_rows(&d->rows, d->batch.tokens, e);
	if (rc == EX_OK)
		rc = pass_batch(&d->pass, &d->batch, e);
	if (rc != EX_OK)
		return rc;
	append_rows(d, first);
	d->live += n;
	*logits = run(d, first, false);
	return EX_OK;
}

/* Takes the last token off each live sequence again. */
static void take_back(struct decoder *d)
{
	for (size_t s = 0; s < d->live; s++)
		drop_row(&d->rows, d->table[s * d->max_len + --d->length[s]]);
}

int decoder_step(struct decoder *d, const uint32_t *ids, const float **logits,
		 struct err *e)
{
	int rc;

	if (d->live == 0)
		return err_set(e, EX_USAGE, "no text to continue");
	for (size_t s = 0; s < d->live; s++) {
		d->start[s] = s;
		if (d->length[s] == d->max_len)
			return err_set(e, EX_DATAERR, "%s: a text of more than %zu tokens",
				       d->m->dir, d->max_len);
	}
	d->start[d->live] = d->live;
	rc = make_batch(d, 0, d->live, ids, d->start, e);
	if (rc == EX_OK)
		rc = reserve_rows(&d->rows, d->live, e);
	if (rc == EX_OK)
		rc = pass_batch(&d->pass, &d->batch, e);
	if (rc != EX_OK)
		return rc;
	append_rows(d, 0);
	if ((rc = list_rows(d, e)) != EX_OK) {
		take_back(d);
		return rc;
	}
	*logits = run(d, 0, true);
	return EX_OK;
}

int decoder_arrange(struct decoder *d, size_t n, const size_t *from, struct err *e)
{
	uint32_t *table = d->arranged;
	size_t *length = d->arranged_length;

	if (n > d->most)
		return err_set(e, EX_USAGE, "%zu texts, but room for %zu", n, d->most);
	for (size_t i = 0; i < n; i++)
		if (from[i] >= d->live)
			return err_set(e, EX_USAGE, "text %zu of %zu", from[i] + 1,
				       d->live);
	for (size_t i = 0; i < n; i++) {
		const uint32_t *row = d->table + from[i] * d->max_len;

		length[i] = d->length[from[i]];
		memcpy(table + i * d->max_len, row, length[i] * sizeof *row);
		for (size_t j = 0; j < length[i]; j++)
			d->rows.uses[row[j]]++;
	}
	for (size_t s = 0; s < d->live; s++)
		for (size_t j = 0; j < d->length[s]; j++)
			drop_row(&d->rows, d->table[s * d->max_len + j]);
	d->arranged = d->table;
	d->arranged_length = d->length;
	d->table = table;
	d->length = length;
	d->live = n;
	return EX_OK;
}
