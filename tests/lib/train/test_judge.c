#include <math.h>
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <stdlib.h>
#include <string.h>

#include <cmocka.h>

#include "../tiny.h"
#include "model/pass.h"
#include "train/judge.h"

static void predict(struct predictions *p, const struct tiny *x, size_t batch)
{
	struct err e;

	if (judge_predict(p, &x->model, &x->data, batch, NULL, &e) != EX_OK)
		fail_msg("%s", e.text);
}

static void predictions_stand_in_the_order_of_the_data(void **state)
{
	struct batch b = { 0 };
	struct predictions p;
	struct pass pass;
	struct tiny x;

	(void)state;
	tiny_open(&x);
	predict(&p, &x, 7);
	assert_int_equal(p.n, x.data.n);
	assert_int_equal(p.classes, 2);
	assert_int_equal(pass_init(&pass, &x.model, false, NULL), EX_OK);
	for (size_t i = 0; i < p.n; i++) {
		const float *logits;

		assert_int_equal(batch_fill(&b, &x.data, &i, 1, NULL), EX_OK);
		assert_int_equal(pass_batch(&pass, &b, NULL), EX_OK);
		pass_forward(&pass);
		logits = pass.act[x.model.logits];
		for (size_t c = 0; c < 2; c++)
			assert_true(fabsf(p.logits[2 * i + c] - logits[c]) <= 1e-5f);
		assert_int_equal(p.guess[i], logits[1] > logits[0]);
	}
	pass_free(&pass);
	batch_free(&b);
	predictions_free(&p);
	tiny_close(&x);
}

/* Beyond rounding: the sums of a matrix product may depend on its size. */
static void the_size_of_batches_does_not_matter(void **state)
{
	struct predictions one, all;
	struct tiny x;

	(void)state;
	tiny_open(&x);
	predict(&one, &x, 1);
	predict(&all, &x, 1000);
	assert_true(fabs(one.loss - all.loss) <= 1e-6);
	assert_memory_equal(one.guess, all.guess, one.n * sizeof *one.guess);
	predictions_free(&one);
	predictions_free(&all);
	tiny_close(&x);
}

/* Step 0 of training.tsv: PyTorch's loss of the same sentences. */
static void the_loss_is_pytorchs(void **state)
{
	struct predictions p;
	struct tiny x;
	double loss;

	(void)state;
	tiny_open(&x);
	predict(&p, &x, 16);
	assert_int_equal(judge_score(&p, &x.data, "loss", &loss, NULL), EX_OK);
	assert_true(fabs(loss - 0.72510655) <= 1e-6);
	predictions_free(&p);
	tiny_close(&x);
}

static void classes_are_scored(void **state)
{
	int32_t label[] = { 0, 1, 1, 0 }, guess[] = { 0, 1, 0, 0 };
	struct predictions p = { .n = 4, .classes = 2, .guess = guess, .loss = 0.25 };
	struct dataset d = { .n = 4, .label = label };
	struct err e;
	double s;

	(void)state;
	assert_int_equal(judge_score(&p, &d, "accuracy", &s, &e), EX_OK);
	assert_true(s == 0.75);
	assert_int_equal(judge_score(&p, &d, "f1", &s, &e), EX_OK);
	assert_true(fabs(s - 2.0 / 3) <= 1e-15);
	assert_int_equal(judge_score(&p, &d, "matthews", &s, &e), EX_OK);
	assert_true(fabs(s - 1 / sqrt(3)) <= 1e-15);
	assert_int_equal(judge_score(&p, &d, "pearson", &s, &e), EX_USAGE);
	assert_non_null(strstr(e.text, "no metric 'pearson' for classes"));
}

static void numbers_are_scored(void **state)
{
	float target[] = { 1, 2, 3 }, logits[] = { 2, 4, 9 };
	struct predictions p = { .n = 3, .classes = 1, .logits = logits };
	struct dataset d = { .n = 3, .target = target };
	struct err e;
	double s;

	(void)state;
	assert_int_equal(judge_score(&p, &d, "spearman", &s, &e), EX_OK);
	assert_true(fabs(s - 1) <= 1e-15);
	assert_int_equal(judge_score(&p, &d, "pearson", &s, &e), EX_OK);
	assert_true(fabs(s - 7 / sqrt(52)) <= 1e-15);
	assert_int_equal(judge_score(&p, &d, "accuracy", &s, &e), EX_USAGE);
}

static void language_is_scored_by_its_loss(void **state)
{
	double losses[] = { 3, 1 };
	size_t tokens[] = { 3, 1 };
	struct predictions p = { .n = 2, .losses = losses, .tokens = tokens, .loss = 0.5 };
	struct dataset d = { .n = 2 };
	struct err e;
	double s;

	(void)state;
	assert_int_equal(judge_score(&p, &d, "perplexity", &s, &e), EX_OK);
	assert_true(s == exp(0.5));
	assert_int_equal(judge_score(&p, &d, "accuracy", &s, &e), EX_USAGE);
	assert_non_null(strstr(e.text, "no metric 'accuracy' for language"));
	assert_int_equal(judge_score(&p, &d, "bleu", &s, &e), EX_USAGE);
	assert_true(judge_falls("perplexity") && judge_falls("loss"));
	assert_false(judge_falls("accuracy") || judge_falls("bleu"));
}

static void a_score_has_a_standard_error(void **state)
{
	(void)state;
	assert_true(judge_error("accuracy", 0.8, 100) == sqrt(0.8 * (1 - 0.8) / 100));
	assert_true(judge_error("pearson", 0.6, 25) == (1 - 0.6 * 0.6) / 5);
	assert_true(isnan(judge_error("loss", 0.3, 100)));
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(predictions_stand_in_the_order_of_the_data),
		cmocka_unit_test(the_size_of_batches_does_not_matter),
		cmocka_unit_test(the_loss_is_pytorchs),
		cmocka_unit_test(classes_are_scored),
		cmocka_unit_test(numbers_are_scored),
		cmocka_unit_test(language_is_scored_by_its_loss),
		cmocka_unit_test(a_score_has_a_standard_error),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
