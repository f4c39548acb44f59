/*
 * What a jet makes of the pass that it stands on, against what PyTorch computed in double
 * precision (tests/ref/model.py, families.py).
 */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <cmocka.h>

#include <math.h>

#include "../every_family.h"
#include "model/jet.h"
#include "pairs.h"

/* Of a logit, or of 1: rounding to float, and the float scale of attention. */
#define TOLERANCE 1.2e-7
/* Of the error in the place of a language model's logit: its exponentials are in float. */
#define ERROR_TOLERANCE 1e-6

struct run {
	struct model m;
	struct batch batch;
	struct pass pass;
	struct jet *jet;
	struct err e;
};

/* The fixture's batch, so many times over, without the names of its columns. */
static void read_batch(struct run *r, const char *name, int times)
{
	char *path = str_printf("%s/batch.tsv", pairs_fixture(name));
	FILE *all = tmpfile();
	int c;

	assert_non_null(all);
	for (int i = 0; i < times; i++) {
		FILE *f = fopen(path, "r");

		assert_non_null(f);
		while ((c = getc(f)) != '\n')
			assert_true(c != EOF);
		while ((c = getc(f)) != EOF)
			putc(c, all);
		fclose(f);
	}
	rewind(all);
	batch_text_read_for(&r->m, &r->batch, all, SIZE_MAX);
	fclose(all);
	free(path);
}

static void start(struct run *r, const char *dir, bool language, bool new_head)
{
	struct head_spec head = { .language = language, .seed = 1, .may_be_new = new_head };

	*r = (struct run){ 0 };
	if (model_open(&r->m, dir, &head, &r->e) != EX_OK)
		fail_msg("%s", r->e.text);
	assert_int_equal(pass_init(&r->pass, &r->m, true, &r->e), EX_OK);
	assert_int_equal(jet_init(&r->jet, &r->m, &r->e), EX_OK);
}

static void start_fixture(struct run *r, const char *name, int times)
{
	start(r, pairs_fixture(name),
	      strcmp(name, "tiny-gpt2") == 0 || strcmp(name, "tiny-gpt2-untied") == 0,
	      false);
	read_batch(r, name, times);
	if (pass_batch(&r->pass, &r->batch, &r->e) != EX_OK)
		fail_msg("%s", r->e.text);
	pass_forward(&r->pass);
}

static void end(struct run *r)
{
	jet_free(r->jet);
	pass_free(&r->pass);
	batch_free(&r->batch);
	model_close(&r->m);
}

static size_t logits_of(const struct run *r)
{
	return pass_rows(&r->pass, r->m.logits) * r->m.slots[r->m.logits].width;
}

/* The logits of the fixture, [*rows, classes]. */
static double *golden_logits(const char *name, size_t classes, size_t *rows)
{
	char *path = str_printf("%s/logits.tsv", pairs_fixture(name)), *line = NULL;
	FILE *f = fopen(path, "r");
	double *z = NULL;
	size_t room = 0, cap = 0;

	assert_non_null(f);
	*rows = 0;
	while (getline(&line, &cap, f) > 0) {
		char *at = strchr(line, '\t');

		if (line[0] == '#')
			continue;
		assert_int_equal(
		    mem_grow(&z, &room, (*rows + 1) * classes, sizeof *z, NULL), EX_OK);
		for (size_t c = 0; c < classes; c++)
			z[*rows * classes + c] = strtod(at, &at);
		++*rows;
	}
	fclose(f);
	free(line);
	free(path);
	return z;
}

/* Rows of logits; of a language model they become their error. */
static void to_errors(const struct run *r, size_t rows, size_t classes, double *z)
{
	for (size_t i = 0; i < rows; i++) {
		double *row = z + i * classes, sum = 0;

		for (size_t c = 0; c < classes; c++)
			sum += exp(row[c]);
		for (size_t c = 0; c < classes; c++)
			row[c] = (exp(row[c]) / sum - (c == r->batch.next[i])) /
				 (double)r->batch.targets;
	}
}

static void check_logits(const char *name, int times)
{
	struct run r;
	size_t classes, rows, n;
	double *z;

	start_fixture(&r, name, times);
	classes = r.m.slots[r.m.logits].width;
	z = golden_logits(name, classes, &rows);
	n = logits_of(&r);
	assert_int_equal(n, (size_t)times * rows * classes);
	if (r.m.language)
		to_errors(&r, rows, classes, z);
	assert_int_equal(jet_batch(r.jet, &r.pass, &r.e), EX_OK);
	for (size_t i = 0; i < n; i++) {
		double ours = (double)r.pass.act[r.m.logits][i];
		double exact = z[i % (rows * classes)], size = fabs(exact);
		double off =
		    r.m.language ? ERROR_TOLERANCE * size : TOLERANCE * fmax(1, size);

		if (fabs(ours - exact) > off)
			fail_msg("%s: logit %zu is %.9g, exact %.9g", name, i, ours, exact);
	}
	free(z);
	end(&r);
}

static void logits_become_those_of_double_precision(void **state)
{
	(void)state;
	for (size_t i = 0; i < N_FIXTURES; i++)
		check_logits(fixtures[i], 1);
}

static void logits_of_many_sequences_become_those_of_double_precision(void **state)
{
	(void)state;
	check_logits("tiny-bert", 20);
	check_logits("tiny-gpt2", 20);
	check_logits("tiny-vit", 10);
}

static void logits_of_a_wide_model_stay_about_what_they_were(void **state)
{
	const char *shared = getenv("ADAPEFT_SHARED");
	char *dir =
	    str_printf("%s/models/minilm-l3", shared == NULL ? "../shared" : shared);
	char *config = str_printf("%s/config.json", dir);
	FILE *text = tmpfile(), *there = fopen(config, "r");
	struct run r;
	float z[2];

	(void)state;
	free(config);
	if (there == NULL) {
		free(dir);
		fclose(text);
		print_message("ADAPEFT_SHARED names the directory with models/minilm-l3\n");
		skip();
	}
	fclose(there);
	start(&r, dir, false, true);
	fputs("1\t101 2023 2003 1037 2204 2143 102\n", text);
	rewind(text);
	batch_text_read_for(&r.m, &r.batch, text, SIZE_MAX);
	assert_int_equal(pass_batch(&r.pass, &r.batch, &r.e), EX_OK);
	pass_forward(&r.pass);
	memcpy(z, r.pass.act[r.m.logits], sizeof z);
	assert_int_equal(jet_batch(r.jet, &r.pass, &r.e), EX_OK);
	for (int c = 0; c < 2; c++)
		assert_true(fabsf(r.pass.act[r.m.logits][c] - z[c]) < 1e-5f);
	assert_true(fabsf(z[0] - z[1]) > 1e-3f);
	fclose(text);
	free(dir);
	end(&r);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(logits_become_those_of_double_precision),
		cmocka_unit_test(logits_of_many_sequences_become_those_of_double_precision),
		cmocka_unit_test(logits_of_a_wide_model_stay_about_what_they_were),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
