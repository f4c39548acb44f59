#include "data/dataset.h"

#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "base/mem.h"
#include "base/prng.h"

/* From the identity, so that an epoch's order does not depend on those before it. */
static void begin_epoch(struct order *o)
{
	char purpose[40];
	struct prng p;

	o->next = 0;
	for (size_t i = 0; i < o->n; i++)
		o->at[i] = i;
	if (!o->shuffle || o->n <= o->batch)
		return;
	snprintf(purpose, sizeof purpose, "order %zu", o->epoch);
	prng_seed(&p, o->seed, purpose);
	prng_shuffle(&p, o->at, o->n);
}

int order_start(struct order *o, size_t n, size_t batch, uint64_t seed, bool shuffle,
		struct err *e)
{
	*o = (struct order){ .n = n, .batch = batch, .seed = seed, .shuffle = shuffle };
	if (n == 0 || batch == 0)
		return err_set(e, EX_SOFTWARE, "order of %zu examples in batches of %zu", n,
			       batch);
	o->at = mem_zeros(n, sizeof *o->at);
	if (o->at == NULL)
		return err_nomem(e);
	begin_epoch(o);
	return EX_OK;
}

void order_next(struct order *o, const size_t **examples, size_t *count)
{
	if (o->next == o->n) {
		o->epoch++;
		begin_epoch(o);
	}
	*examples = o->at + o->next;
	*count = o->n - o->next < o->batch ? o->n - o->next : o->batch;
	o->next += *count;
}

size_t order_batches(const struct order *o)
{
	return o->n / o->batch + (o->n % o->batch != 0);
}

void order_free(struct order *o)
{
	free(o->at);
	*o = (struct order){ 0 };
}

/* The arrays of a kind share a capacity: it is raised when the last of them has grown. */
static int grow_sequences(struct batch *b, size_t n, struct err *e)
{
	size_t starts = b->cap_sequences, targets = b->cap_sequences;
	int rc = mem_grow(&b->start, &starts, n + 1, sizeof *b->start, e);

	if (rc == EX_OK)
		rc = mem_grow(&b->target, &targets, n + 1, sizeof *b->target, e);
	if (rc == EX_OK)
		rc = mem_grow(&b->label, &b->cap_sequences, n + 1, sizeof *b->label, e);
	return rc;
}

static int grow_tokens(struct batch *b, size_t n, struct err *e)
{
	size_t caps[] = { b->cap_tokens, b->cap_tokens, b->cap_tokens, b->cap_tokens };
	int rc = mem_grow(&b->types, &caps[0], n, sizeof *b->types, e);

	if (rc == EX_OK)
		rc = mem_grow(&b->position, &caps[1], n, sizeof *b->position, e);
	if (rc == EX_OK)
		rc = mem_grow(&b->predict, &caps[2], n, sizeof *b->predict, e);
	if (rc == EX_OK)
		rc = mem_grow(&b->next, &caps[3], n, sizeof *b->next, e);
	if (rc == EX_OK)
		rc = mem_grow(&b->ids, &b->cap_tokens, n, sizeof *b->ids, e);
	return rc;
}

static int grow_pixels(struct batch *b, const struct pixels *how, size_t n, struct err *e)
{
	size_t all;

	b->image = how->channels * how->height * how->width;
	if (!mem_mul(n, b->image, &all))
		return err_nomem(e);
	return mem_grow(&b->pixels, &b->cap_pixels, all, sizeof *b->pixels, e);
}

/* Every token of an example has a successor but the last; those in the prompt are given. */
static void add_targets(struct batch *b, const struct dataset *d, size_t i, size_t len)
{
	const uint32_t *ids = d->ids + d->start[i];

	for (size_t j = d->prompt[i]; j < len; j++) {
		b->predict[b->targets] = (uint32_t)(b->tokens + j - 1);
		b->next[b->targets++] = ids[j];
	}
}

static void add_sequence(struct batch *b, const struct dataset *d, size_t i)
{
	size_t from = d->start[i], len = d->start[i + 1] - from, at = b->tokens;

	for (size_t j = 0; j < len; j++) {
		b->ids[at + j] = d->ids == NULL ? 0 : d->ids[from + j];
		b->types[at + j] = d->types == NULL ? 0 : d->types[from + j];
		b->position[at + j] = (uint32_t)j;
	}
	if (d->prompt != NULL)
		add_targets(b, d, i, len);
	if (d->pixels != NULL)
		pixels_floats(&d->how, d->pixels + i * b->image,
			      b->pixels + b->sequences * b->image);
	b->label[b->sequences] = d->label[i];
	b->target[b->sequences] = d->target[i];
	b->tokens += len;
	b->start[++b->sequences] = (uint32_t)b->tokens;
	if (len > b->longest)
		b->longest = len;
}

int batch_fill(struct batch *b, const struct dataset *d, const size_t *examples,
	       size_t count, struct err *e)
{
	size_t tokens = 0;
	int rc;

	for (size_t i = 0; i < count; i++)
		tokens += d->start[examples[i] + 1] - d->start[examples[i]];
	if (tokens > UINT32_MAX)
		return err_set(e, EX_UNAVAILABLE,
			       "a batch of %zu tokens is too large; say a "
			       "smaller --batch",
			       tokens);
	rc = grow_sequences(b, count, e);
	if (rc == EX_OK)
		rc = grow_tokens(b, tokens, e);
	if (rc == EX_OK && d->pixels != NULL)
		rc = grow_pixels(b, &d->how, count, e);
	if (rc != EX_OK)
		return rc;
	b->sequences = b->tokens = b->longest = b->targets = 0;
	b->start[0] = 0;
	for (size_t i = 0; i < count; i++)
		add_sequence(b, d, examples[i]);
	return EX_OK;
}

void batch_free(struct batch *b)
{
	free(b->start);
	free(b->ids);
	free(b->types);
	free(b->position);
	free(b->predict);
	free(b->next);
	free(b->pixels);
	free(b->label);
	free(b->target);
	*b = (struct batch){ 0 };
}
