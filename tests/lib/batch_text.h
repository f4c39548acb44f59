/*
 * batch_text - packed batches from text, for tests: a line is LABEL <tab> IDS [<tab>
 * TYPES], numbers separated by spaces; lines that begin with # are passed over. Of a
 * language model LABEL is how many tokens are given and not to be predicted, 1 or more; of
 * a model of images IDS are the pixels, [channels, height, width].
 */
#ifndef TESTS_BATCH_TEXT_H
#define TESTS_BATCH_TEXT_H

#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sysexits.h>

#include "base/mem.h"
#include "data/dataset.h"
#include "model/model.h"

static size_t batch_text_numbers(const char *s, uint32_t *out)
{
	size_t n = 0;
	char *end;

	for (;; n++) {
		unsigned long x = strtoul(s, &end, 10);

		if (end == s)
			return n;
		if (out != NULL)
			out[n] = (uint32_t)x;
		s = end;
	}
}

static void batch_text_place(struct batch *b, size_t s, bool regression,
			     const struct strlist *fields)
{
	uint32_t at = b->start[s];
	uint32_t n = (uint32_t)batch_text_numbers(fields->s[1], b->ids + at);

	b->start[s + 1] = at + n;
	b->label[s] = regression ? -1 : atoi(fields->s[0]);
	b->target[s] = regression ? strtof(fields->s[0], NULL) : 0;
	for (uint32_t i = 0; i < n; i++)
		b->position[at + i] = i;
	if (fields->n > 2)
		batch_text_numbers(fields->s[2], b->types + at);
	b->longest = n > b->longest ? n : b->longest;
}

/* Up to `most` sequences; b->sequences is 0 at the end. Ends the program on short memory.
 */
static inline void batch_text_read(struct batch *b, FILE *in, size_t most, bool regression)
{
	struct strlist lines = { 0 }, fields;
	char *line = NULL;
	size_t cap = 0, tokens = 0;
	struct err e;

	while (lines.n < most && getline(&line, &cap, in) > 0)
		if (line[0] != '#' && strlist_add(&lines, line, &e) != EX_OK)
			abort();
	for (size_t s = 0; s < lines.n; s++)
		tokens += batch_text_numbers(strchr(lines.s[s], '\t'), NULL);
	*b = (struct batch){ .sequences = lines.n, .tokens = tokens };
	b->start = mem_zeros(lines.n + 1, sizeof *b->start);
	b->ids = mem_zeros(tokens + 1, sizeof *b->ids);
	b->types = mem_zeros(tokens + 1, sizeof *b->types);
	b->position = mem_zeros(tokens + 1, sizeof *b->position);
	b->label = mem_zeros(lines.n, sizeof *b->label);
	b->target = mem_zeros(lines.n, sizeof *b->target);
	for (size_t s = 0; s < lines.n; s++) {
		fields = (struct strlist){ 0 };
		if (strlist_split(&fields, lines.s[s], '\t', &e) != EX_OK || fields.n < 2)
			abort();
		batch_text_place(b, s, regression, &fields);
		strlist_free(&fields);
	}
	b->tokens = b->start[b->sequences];
	strlist_free(&lines);
	free(line);
}

static inline void batch_text_targets(struct batch *b)
{
	b->predict = mem_zeros(b->tokens, sizeof *b->predict);
	b->next = mem_zeros(b->tokens, sizeof *b->next);
	for (size_t s = 0; s < b->sequences; s++) {
		for (uint32_t t = b->start[s] + (uint32_t)b->label[s]; t < b->start[s + 1];
		     t++) {
			b->predict[b->targets] = t - 1;
			b->next[b->targets++] = b->ids[t];
		}
		b->label[s] = -1;
	}
}

/* A line's label and pixels; whether there was one. */
static inline bool batch_text_image(struct batch *b, FILE *in, bool regression)
{
	size_t s = b->sequences;
	float label;

	if (fscanf(in, "%f", &label) != 1)
		return false;
	b->label[s] = regression ? -1 : (int32_t)label;
	b->target[s] = regression ? label : 0;
	for (size_t i = 0; i < b->image; i++)
		if (fscanf(in, "%f", &b->pixels[s * b->image + i]) != 1)
			abort();
	b->sequences++;
	return true;
}

static inline void batch_text_images(const struct model *m, struct batch *b, FILE *in,
				     size_t most)
{
	const struct config *c = &m->config;
	const size_t limit = 64;

	*b = (struct batch){ .image = c->channels * c->image_height * c->image_width };
	b->start = mem_zeros(limit + 1, sizeof *b->start);
	b->ids = mem_zeros(limit * c->positions, sizeof *b->ids);
	b->types = mem_zeros(limit * c->positions, sizeof *b->types);
	b->position = mem_zeros(limit * c->positions, sizeof *b->position);
	b->label = mem_zeros(limit, sizeof *b->label);
	b->target = mem_zeros(limit, sizeof *b->target);
	b->pixels = mem_floats(limit * b->image);
	while (b->sequences < most && b->sequences < limit &&
	       batch_text_image(b, in, m->regression)) {
		for (size_t j = 0; j < c->positions; j++)
			b->position[b->tokens++] = (uint32_t)j;
		b->start[b->sequences] = (uint32_t)b->tokens;
	}
	b->longest = c->positions;
}

/* As batch_text_read, of what the model takes; at most 64 images. */
static inline void batch_text_read_for(const struct model *m, struct batch *b, FILE *in,
				       size_t most)
{
	if (m->config.channels > 0) {
		batch_text_images(m, b, in, most);
		return;
	}
	batch_text_read(b, in, most, m->regression);
	if (m->language)
		batch_text_targets(b);
}

#endif
