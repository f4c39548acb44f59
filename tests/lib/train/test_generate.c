/*
 * Generation against what transformers writes (tests/ref/generate.py).
 */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <cmocka.h>

#include <math.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "base/mem.h"
#include "train/generate.h"

#define POSITIONS 64
#define VOCAB     40
#define END       3
#define SAME      2 /* rows of texts.tsv that follow one another have the same options */

static const char *fixture(const char *name)
{
	static char path[4096];
	const char *tests = getenv("TESTS");

	snprintf(path, sizeof path, "%s/fixtures/generate/%s",
		 tests == NULL ? "tests" : tests, name);
	return path;
}

static void opened(struct model *m, bool language)
{
	const struct head_spec head = { .language = language,
					.labels = 2,
					.may_be_new = !language };
	struct err e;

	if (model_open(m, fixture(""), &head, &e) != EX_OK)
		fail_msg("%s", e.text);
}

/* ---- texts.tsv ---- */

struct row {
	struct generation_options o;
	uint32_t prompt[POSITIONS], new[POSITIONS];
	size_t n_prompt, n_new;
};

static size_t numbers(const char *s, uint32_t *out)
{
	char *end;

	for (size_t n = 0;; n++, s = end) {
		unsigned long x = strtoul(s, &end, 10);

		if (end == s)
			return n;
		assert_true(n < POSITIONS);
		out[n] = (uint32_t)x;
	}
}

static bool read_row(FILE *f, struct row *r)
{
	char prompt[1024], new[1024];
	int early;

	*r = (struct row){ .o.batch = 1 };
	if (fscanf(f, "%zu %zu %lf %zu %u %d\t%1023[^\t]\t%1023[^\n]", &r->o.beams,
		   &r->o.max_new, &r->o.length_penalty, &r->o.no_repeat, &r->o.end, &early,
		   prompt, new) != 8)
		return false;
	r->o.early_stopping = early != 0;
	r->n_prompt = numbers(prompt, r->prompt);
	r->n_new = numbers(new, r->new);
	return true;
}

static struct row *read_rows(size_t *n)
{
	FILE *f = fopen(fixture("texts.tsv"), "r");
	struct row *rows = NULL;
	size_t cap = 0;

	assert_non_null(f);
	while (fgetc(f) != '\n')
		assert_false(feof(f));
	for (*n = 0;; ++*n) {
		assert_int_equal(mem_grow(&rows, &cap, *n + 1, sizeof *rows, NULL), EX_OK);
		if (!read_row(f, &rows[*n]))
			break;
	}
	fclose(f);
	return rows;
}

static void continuation_is(const struct generated *g, size_t i, const struct row *r)
{
	if (g->of[i].n == r->n_new &&
	    memcmp(g->of[i].ids, r->new, r->n_new * sizeof *r->new) == 0)
		return;
	fail_msg("%zu beams, %zu new, penalty %g, no_repeat %zu, early %d: another text "
		 "after %u of %zu tokens",
		 r->o.beams, r->o.max_new, r->o.length_penalty, r->o.no_repeat,
		 r->o.early_stopping, r->prompt[0], r->n_prompt);
}

static void texts_are_those_of_transformers(void **state)
{
	size_t n, ended = 0, beams = 0;
	struct row *rows = read_rows(&n);
	struct model m;
	struct err e;

	(void)state;
	opened(&m, true);
	for (size_t i = 0; i < n; i++) {
		size_t start[] = { 0, rows[i].n_prompt };
		struct generated g;

		if (generate(&g, &m, rows[i].prompt, start, 1, &rows[i].o, NULL, &e) !=
		    EX_OK)
			fail_msg("%s", e.text);
		continuation_is(&g, 0, &rows[i]);
		assert_int_equal(g.tokens, rows[i].n_new);
		ended += rows[i].new[rows[i].n_new - 1] == END;
		beams += rows[i].o.beams > 1;
		generated_free(&g);
	}
	assert_true(n > 50 && ended > 20 && ended < n - 5 && beams > 50);
	model_close(&m);
	free(rows);
}

/* All prompts of the file, one after the other. */
static void join(const struct row *rows, size_t n, uint32_t **ids, size_t **start)
{
	*ids = mem_zeros(n * POSITIONS, sizeof **ids);
	*start = mem_zeros(n + 1, sizeof **start);
	assert_non_null(*ids);
	assert_non_null(*start);
	for (size_t i = 0; i < n; i++) {
		memcpy(*ids + (*start)[i], rows[i].prompt, rows[i].n_prompt * sizeof **ids);
		(*start)[i + 1] = (*start)[i] + rows[i].n_prompt;
	}
}

static void texts_do_not_depend_on_the_batch(void **state)
{
	static const size_t batches[] = { 3, 7, 1000 };
	size_t n, *start;
	struct row *rows = read_rows(&n);
	uint32_t *ids;
	struct model m;
	struct err e;

	(void)state;
	opened(&m, true);
	join(rows, n, &ids, &start);
	for (size_t i = 0; i + 1 < n; i += 7 * SAME) {
		struct generation_options o = rows[i].o;
		struct generated g;

		o.batch = batches[i / SAME % 3];
		assert_int_equal(generate(&g, &m, ids, start, n, &o, NULL, &e), EX_OK);
		assert_int_equal(g.n, n);
		for (size_t j = i; j < i + SAME; j++)
			continuation_is(&g, j, &rows[j]);
		generated_free(&g);
	}
	model_close(&m);
	free(ids);
	free(start);
	free(rows);
}

/* ---- made by hand ---- */

static const uint32_t tokens[POSITIONS] = { 5, 6, 7, 8 };

static int write_text(struct generated *g, const struct model *m, size_t len,
		      const struct generation_options *o, struct err *e)
{
	const size_t start[] = { 0, len };

	return generate(g, m, tokens, start, 1, o, NULL, e);
}

static void written(struct generated *g, const struct model *m, size_t len,
		    const struct generation_options *o)
{
	struct err e;

	if (write_text(g, m, len, o, &e) != EX_OK)
		fail_msg("%s", e.text);
	assert_int_equal(g->n, 1);
}

static void a_text_ends_where_the_model_does(void **state)
{
	struct generation_options o = GENERATION_INIT;
	struct generated g;
	struct model m;

	(void)state;
	opened(&m, true);
	o.end = UINT32_MAX;
	for (o.beams = 1; o.beams < 4; o.beams++) {
		written(&g, &m, POSITIONS - 5, &o);
		assert_int_equal(g.of[0].n, 5);
		generated_free(&g);
	}
	model_close(&m);
}

/* Sets all values of a parameter. */
static void fill(struct model *m, const char *name, float x)
{
	int i = model_find(m, name);
	struct err e;

	assert_true(i >= 0);
	assert_int_equal(model_own(m, (size_t)i, &e), EX_OK);
	for (size_t j = 0; j < m->params[i].n; j++)
		m->params[i].own[j] = x;
}

static void of_equal_tokens_the_lower_comes_first(void **state)
{
	struct generation_options o = GENERATION_INIT;
	struct generated g;
	struct model m;

	(void)state;
	opened(&m, true);
	fill(&m, "lm_head.weight", 0);
	o.max_new = 4;
	o.end = UINT32_MAX;
	for (o.beams = 1; o.beams < 5; o.beams++) {
		written(&g, &m, 4, &o);
		assert_int_equal(g.of[0].n, 4);
		for (size_t j = 0; j < 4; j++)
			assert_int_equal(g.of[0].ids[j], 0);
		generated_free(&g);
	}
	model_close(&m);
}

static void tokens_that_repeat_are_passed_over_until_none_is_left(void **state)
{
	struct generation_options o = GENERATION_INIT;
	struct generated g;
	struct model m;

	(void)state;
	opened(&m, true);
	fill(&m, "lm_head.weight", 0);
	o.end = UINT32_MAX;
	o.no_repeat = 1;
	written(&g, &m, 4, &o);
	assert_int_equal(g.of[0].n, VOCAB - 4);
	for (uint32_t j = 0; j < VOCAB - 4; j++)
		assert_int_equal(g.of[0].ids[j], j < 5 ? j : j + 4);
	generated_free(&g);
	o.beams = 3;
	written(&g, &m, 4, &o);
	assert_int_equal(g.of[0].n, VOCAB - 4);
	generated_free(&g);
	model_close(&m);
}

static void more_beams_than_tokens_are_no_harm(void **state)
{
	struct generation_options o = { 60, 3, 1, 0, END, false, 1 };
	struct generated g;
	struct model m;

	(void)state;
	opened(&m, true);
	written(&g, &m, 4, &o);
	assert_true(g.of[0].n > 0 && g.of[0].n <= 3);
	generated_free(&g);
	model_close(&m);
}

static void refused(const struct model *m, size_t len, const struct generation_options *o,
		    int code, const char *why)
{
	struct generated g;
	struct err e = { 0 };

	assert_int_equal(write_text(&g, m, len, o, &e), code);
	assert_null(g.of);
	if (strstr(e.text, why) == NULL)
		fail_msg("'%s' lacks '%s'", e.text, why);
}

static void what_cannot_be_continued_is_refused(void **state)
{
	struct generation_options good = GENERATION_INIT, o = good;
	struct generated g;
	struct model m;
	size_t none = 0;
	struct err e;

	(void)state;
	opened(&m, true);
	refused(&m, 0, &good, EX_USAGE, "prompt 1");
	refused(&m, POSITIONS, &good, EX_DATAERR, "nothing can follow");
	o.beams = 0;
	refused(&m, 4, &o, EX_USAGE, "0 beams");
	o = good;
	o.max_new = 0;
	refused(&m, 4, &o, EX_USAGE, "0 new");
	o = good;
	o.length_penalty = NAN;
	refused(&m, 4, &o, EX_USAGE, "penalty");
	o = good;
	o.beams = SIZE_MAX / 4;
	refused(&m, 4, &o, EX_UNAVAILABLE, "memory");
	assert_int_equal(generate(&g, &m, tokens, &none, 0, &good, NULL, &e), EX_OK);
	assert_int_equal(g.n, 0);
	fill(&m, "lm_head.weight", NAN);
	refused(&m, 4, &good, EX_DATAERR, "finite");
	model_close(&m);
	opened(&m, false);
	refused(&m, 4, &good, EX_USAGE, "next token");
	model_close(&m);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(texts_are_those_of_transformers),
		cmocka_unit_test(texts_do_not_depend_on_the_batch),
		cmocka_unit_test(a_text_ends_where_the_model_does),
		cmocka_unit_test(of_equal_tokens_the_lower_comes_first),
		cmocka_unit_test(tokens_that_repeat_are_passed_over_until_none_is_left),
		cmocka_unit_test(more_beams_than_tokens_are_no_harm),
		cmocka_unit_test(what_cannot_be_continued_is_refused),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
