#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <cmocka.h>

#include <math.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "model/decode.h"
#include "model/lora.h"
#include "model/pass.h"

/* A step sums in another order than a pass; some hundred operations stand behind a logit.
 */
#define TOLERANCE 1e-5
#define MOST      8 /* sequences */
#define LONGEST   40

/* Sequences as this test knows them, beside the decoder's. */
struct texts {
	struct model m;
	struct decoder *d;
	uint32_t ids[MOST][LONGEST];
	size_t len[MOST], n;
	const float *logits;
	struct err e;
};

static const char *fixture(const char *name)
{
	static char path[4096];
	const char *tests = getenv("TESTS");

	snprintf(path, sizeof path, "%s/fixtures/%s", tests == NULL ? "tests" : tests,
		 name);
	return path;
}

static void model_opened(struct model *m, const struct head_spec *head)
{
	struct err e;

	if (model_open(m, fixture("generate"), head, &e) != EX_OK)
		fail_msg("%s", e.text);
}

static void texts_open(struct texts *t, const struct lora_spec *lora)
{
	const struct head_spec head = { .language = true, .lora = lora };

	*t = (struct texts){ 0 };
	model_opened(&t->m, &head);
	assert_int_equal(decoder_open(&t->d, &t->m, MOST, LONGEST, &t->e), EX_OK);
}

static void texts_close(struct texts *t)
{
	decoder_close(t->d);
	model_close(&t->m);
}

static uint32_t any_token(uint32_t seed)
{
	return (seed * 2654435761u >> 16) % 40;
}

/* Adds n prompts of 1, 2, .. tokens more than the first has. */
static int add(struct texts *t, size_t n, size_t first_len)
{
	uint32_t ids[MOST * LONGEST];
	size_t start[MOST + 1] = { 0 };

	for (size_t i = 0; i < n; i++) {
		size_t len = first_len + i, s = t->n + i;

		start[i + 1] = start[i] + len;
		for (size_t j = 0; j < len; j++)
			ids[start[i] + j] = any_token((uint32_t)(97 * s + 13 * j + len));
		if (s >= MOST || len > LONGEST)
			continue;
		memcpy(t->ids[s], ids + start[i], len * sizeof *ids);
		t->len[s] = len;
	}
	return decoder_add(t->d, n, ids, start, &t->logits, &t->e);
}

static void added(struct texts *t, size_t n, size_t first_len)
{
	assert_int_equal(add(t, n, first_len), EX_OK);
	t->n += n;
}

static void stepped(struct texts *t)
{
	uint32_t ids[MOST];

	for (size_t s = 0; s < t->n; s++) {
		ids[s] = any_token((uint32_t)(31 * s + t->len[s]));
		t->ids[s][t->len[s]++] = ids[s];
	}
	assert_int_equal(decoder_step(t->d, ids, &t->logits, &t->e), EX_OK);
}

static void arranged(struct texts *t, size_t n, const size_t *from)
{
	struct texts old = *t;

	assert_int_equal(decoder_arrange(t->d, n, from, &t->e), EX_OK);
	t->n = n;
	for (size_t i = 0; i < n; i++) {
		memcpy(t->ids[i], old.ids[from[i]], sizeof t->ids[i]);
		t->len[i] = old.len[from[i]];
	}
}

/* The logits behind the last token of a text, by a pass over all of it. */
static void passed(const struct texts *t, size_t s, float *z)
{
	uint32_t start[2] = { 0, (uint32_t)t->len[s] }, next = 0;
	uint32_t last = start[1] - 1, types[LONGEST] = { 0 }, position[LONGEST];
	uint32_t ids[LONGEST];
	struct batch b = { .sequences = 1,
			   .tokens = t->len[s],
			   .start = start,
			   .ids = ids,
			   .types = types,
			   .position = position,
			   .targets = 1,
			   .predict = &last,
			   .next = &next };
	struct pass p;
	struct err e;

	memcpy(ids, t->ids[s], sizeof ids);
	for (uint32_t j = 0; j < LONGEST; j++)
		position[j] = j;
	assert_int_equal(pass_init(&p, &t->m, false, &e), EX_OK);
	assert_int_equal(pass_batch(&p, &b, &e), EX_OK);
	pass_forward(&p);
	memcpy(z, p.act[t->m.logits], 40 * sizeof *z);
	pass_free(&p);
}

/* The last call gave logits for the texts from `first` on. */
static void logits_are_those_of_passes(const struct texts *t, size_t first)
{
	float z[40];

	assert_int_equal(decoder_live(t->d), t->n);
	for (size_t s = first; s < t->n; s++) {
		assert_int_equal(decoder_length(t->d, s), t->len[s]);
		passed(t, s, z);
		for (size_t j = 0; j < 40; j++)
			if (!(fabsf(t->logits[(s - first) * 40 + j] - z[j]) < TOLERANCE))
				fail_msg("text %zu, token %zu: %g, not %g", s, j,
					 (double)t->logits[(s - first) * 40 + j],
					 (double)z[j]);
	}
}

static void steps_equal_passes_over_whole_texts(void **state)
{
	struct texts t;

	(void)state;
	texts_open(&t, NULL);
	added(&t, 4, 1);
	logits_are_those_of_passes(&t, 0);
	for (int i = 0; i < 20; i++) {
		stepped(&t);
		logits_are_those_of_passes(&t, 0);
	}
	texts_close(&t);
}

static void texts_may_begin_while_others_go_on(void **state)
{
	struct texts t;

	(void)state;
	texts_open(&t, NULL);
	added(&t, 3, 5);
	stepped(&t);
	added(&t, 2, 9);
	logits_are_those_of_passes(&t, 3);
	stepped(&t);
	logits_are_those_of_passes(&t, 0);
	texts_close(&t);
}

static void texts_are_copied_moved_and_dropped(void **state)
{
	static const size_t one[] = { 2, 2, 0, 2, 1, 0 }, two[] = { 5, 3, 1 },
			    three[] = { 1 };
	struct texts t;

	(void)state;
	texts_open(&t, NULL);
	added(&t, 3, 4);
	arranged(&t, 6, one);
	stepped(&t);
	logits_are_those_of_passes(&t, 0);
	arranged(&t, 3, two);
	stepped(&t);
	logits_are_those_of_passes(&t, 0);
	arranged(&t, 1, three);
	added(&t, 4, 30);
	for (int i = 0; i < 5; i++)
		stepped(&t);
	logits_are_those_of_passes(&t, 0);
	texts_close(&t);
}

static void common_tokens_are_kept_once(void **state)
{
	static const size_t four[] = { 0, 0, 0, 0 }, swapped[] = { 1, 0 };
	struct texts t;

	(void)state;
	texts_open(&t, NULL);
	added(&t, 1, 10);
	arranged(&t, 4, four);
	assert_int_equal(decoder_kept(t.d), 10);
	stepped(&t);
	assert_int_equal(decoder_kept(t.d), 14);
	arranged(&t, 2, swapped);
	assert_int_equal(decoder_kept(t.d), 12);
	arranged(&t, 0, NULL);
	assert_int_equal(decoder_kept(t.d), 0);
	texts_close(&t);
}

static void lora_pairs_stand_beside_the_steps(void **state)
{
	const struct lora_spec lora = { .rank = { 2 }, .ranks = 1, .alpha = 4 };
	struct texts t;
	size_t pairs = 0;

	(void)state;
	texts_open(&t, &lora);
	for (size_t i = 0; i < t.m.n_params; i++) {
		struct param *p = &t.m.params[i];

		if (p->type != TYPE_LORA_B)
			continue;
		assert_int_equal(model_own(&t.m, i, &t.e), EX_OK);
		for (size_t j = 0; j < p->n; j++)
			p->own[j] = 0.1f * (float)(j % 5);
		pairs++;
	}
	assert_true(pairs > 0);
	added(&t, 3, 6);
	stepped(&t);
	logits_are_those_of_passes(&t, 0);
	texts_close(&t);
}

static void refused(int rc, int code, const struct err *e, const char *why)
{
	assert_int_equal(rc, code);
	if (strstr(e->text, why) == NULL)
		fail_msg("'%s' lacks '%s'", e->text, why);
}

static void what_does_not_fit_is_refused_and_changes_nothing(void **state)
{
	static const size_t beyond[] = { 0, 3 }, nothing[] = { 0, 0 };
	uint32_t unknown[] = { 1, 2, 40 };
	struct texts t;

	(void)state;
	texts_open(&t, NULL);
	refused(decoder_step(t.d, unknown, &t.logits, &t.e), EX_USAGE, &t.e, "no text");
	added(&t, 3, 38);
	refused(add(&t, 6, 1), EX_USAGE, &t.e, "room");
	refused(add(&t, 1, 41), EX_DATAERR, &t.e, "41");
	refused(decoder_add(t.d, 1, unknown, nothing, &t.logits, &t.e), EX_USAGE, &t.e,
		"without tokens");
	refused(decoder_arrange(t.d, 2, beyond, &t.e), EX_USAGE, &t.e, "4 of 3");
	refused(decoder_step(t.d, unknown, &t.logits, &t.e), EX_DATAERR, &t.e, "more than");
	arranged(&t, 2, nothing);
	refused(decoder_step(t.d, unknown + 1, &t.logits, &t.e), EX_DATAERR, &t.e,
		"token 40");
	assert_int_equal(decoder_kept(t.d), 38);
	stepped(&t);
	logits_are_those_of_passes(&t, 0);
	texts_close(&t);
}

static void only_language_models_are_taken(void **state)
{
	const struct head_spec classes = { .labels = 2, .may_be_new = true },
			       language = { .language = true };
	struct decoder *d;
	struct model m;
	struct err e;

	(void)state;
	model_opened(&m, &classes);
	refused(decoder_open(&d, &m, 1, 10, &e), EX_USAGE, &e, "next token");
	model_close(&m);
	model_opened(&m, &language);
	refused(decoder_open(&d, &m, 1, 65, &e), EX_USAGE, &e, "65");
	refused(decoder_open(&d, &m, 1, 0, &e), EX_USAGE, &e, "0");
	refused(decoder_open(&d, &m, 0, 10, &e), EX_USAGE, &e, "0 texts");
	model_close(&m);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(steps_equal_passes_over_whole_texts),
		cmocka_unit_test(texts_may_begin_while_others_go_on),
		cmocka_unit_test(texts_are_copied_moved_and_dropped),
		cmocka_unit_test(common_tokens_are_kept_once),
		cmocka_unit_test(lora_pairs_stand_beside_the_steps),
		cmocka_unit_test(what_does_not_fit_is_refused_and_changes_nothing),
		cmocka_unit_test(only_language_models_are_taken),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
