#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <setjmp.h>
#include <cmocka.h>
#include <math.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "../bleu_json.h"
#include "io/json.h"

/* Some ulps: sacrebleu takes the logarithms of percentages. */
#define TOLERANCE 1e-12

static struct bleu score(const char *hypothesis, const char *reference)
{
	struct bleu b = { 0 };

	assert_int_equal(bleu_add(&b, hypothesis, &reference, 1, NULL), EX_OK);
	return b;
}

static void counts_equal(const uint64_t *got, const json_t *want, size_t corpus)
{
	for (size_t k = 0; k < BLEU_ORDER; k++)
		if ((json_int_t)got[k] != json_integer_value(json_array_get(want, k)))
			fail_msg("corpus %zu: %llu %zu-grams, not %lld", corpus,
				 (unsigned long long)got[k], k + 1,
				 (long long)json_integer_value(json_array_get(want, k)));
}

static void counts_and_scores_equal_those_of_sacrebleu(void **state)
{
	const char *tests = getenv("TESTS");
	char path[4096];
	json_t *all;
	struct err e;

	(void)state;
	snprintf(path, sizeof path, "%s/fixtures/bleu.json",
		 tests == NULL ? "tests" : tests);
	if (js_load(&all, path, &e) != EX_OK)
		fail_msg("%s", e.text);
	assert_true(json_array_size(all) > 10);
	for (size_t i = 0; i < json_array_size(all); i++) {
		const json_t *corpus = json_array_get(all, i);
		double want = json_number_value(json_object_get(corpus, "score"));
		struct bleu b;

		assert_int_equal(bleu_json_count(&b, corpus, &e), EX_OK);
		counts_equal(b.match, json_object_get(corpus, "match"), i);
		counts_equal(b.total, json_object_get(corpus, "total"), i);
		assert_int_equal(b.hypothesis,
				 json_integer_value(json_object_get(corpus, "hypothesis")));
		assert_int_equal(b.reference,
				 json_integer_value(json_object_get(corpus, "reference")));
		if (!(fabs(bleu_score(&b) - want) <= TOLERANCE))
			fail_msg("corpus %zu: %.17g, not %.17g", i, bleu_score(&b), want);
	}
	json_decref(all);
}

static void the_same_text_scores_one_and_another_nothing(void **state)
{
	struct bleu same = score("A pub near the river.", "A pub near the river ."),
		    other = score("one two three four five", "six seven eight nine ten"),
		    three = score("one two three", "one two three");

	(void)state;
	assert_true(bleu_score(&same) == 1.0);
	assert_true(bleu_score(&other) == 0.0);
	assert_true(bleu_score(&three) == 0.0);
}

static void no_text_has_no_score_and_an_empty_hypothesis_scores_nothing(void **state)
{
	struct bleu none = { 0 }, blank = score(" \t\xc2\xa0", ""),
		    empty = score("", "a b");

	(void)state;
	assert_true(isnan(bleu_score(&none)));
	assert_true(isnan(bleu_score(&blank)));
	assert_true(bleu_score(&empty) == 0.0);
	assert_int_equal(empty.reference, 2);
	assert_int_equal(empty.total[0], 0);
}

/* Papineni et al. (2002): "the" seven times, of which a reference has two. */
static void a_gram_counts_no_more_often_than_in_one_reference(void **state)
{
	const char *const references[] = { "The cat is on the mat.",
					   "There is a cat on the mat." };
	struct bleu b = { .lowercase = true };

	(void)state;
	assert_int_equal(bleu_add(&b, "the the the the the the the.", references, 2, NULL),
			 EX_OK);
	assert_int_equal(b.match[0], 2 + 1);
	assert_int_equal(b.total[0], 8);
	assert_int_equal(b.match[1], 0);
}

static void the_closest_length_counts_and_the_shorter_of_two(void **state)
{
	const char *const references[] = { "1 2 3 4 5 6", NULL, "1 2 3 4", "1", NULL };
	struct bleu b = { 0 };

	(void)state;
	assert_int_equal(bleu_add(&b, "1 2 3 4 5", references, 5, NULL), EX_OK);
	assert_int_equal(b.reference, 4);
}

static void punctuation_stands_alone_but_not_between_digits(void **state)
{
	static const char *const texts[][2] = {
		{ "Don't, e.g. say \"no\"!", "Don't , e . g . say \" no \" !" },
		{ "3,000.5 or 5-star or 1980s.", "3,000.5 or 5 - star or 1980s ." },
		{ "kid-friendly", "kid-friendly" },
		{ "a&quot;b &amp;lt; c", "a \" b < c" },
		{ "a-\nb<skipped>c\nd-\n", "abc d-" },
	};
	struct bleu same;

	(void)state;
	for (size_t i = 0; i < sizeof texts / sizeof *texts; i++) {
		same = score(texts[i][0], texts[i][1]);
		assert_int_equal(same.match[0], same.total[0]);
		assert_int_equal(same.hypothesis, same.reference);
	}
}

static void case_matters_unless_asked_otherwise(void **state)
{
	const char *hypothesis = "THE CAF\xc3\x89 IS OPEN",
		   *reference = "the caf\xc3\xa9 is open";
	struct bleu with = { 0 }, without = { .lowercase = true };

	(void)state;
	assert_int_equal(bleu_add(&with, hypothesis, &reference, 1, NULL), EX_OK);
	assert_int_equal(bleu_add(&without, hypothesis, &reference, 1, NULL), EX_OK);
	assert_true(bleu_score(&with) == 0.0);
	assert_true(bleu_score(&without) == 1.0);
}

/* Of a sigma, what is small depends on where in a word it is. */
static void small_letters_are_those_that_python_makes(void **state)
{
	static const char *const texts[][2] = {
		{ "\u039f\u0394\u039f\u03a3", "\u03bf\u03b4\u03bf\u03c2" },
		{ "\u03a3\u0391\u03a3\u0391", "\u03c3\u03b1\u03c3\u03b1" },
		{ "x \u03a3 x", "x \u03c3 x" },
		{ "\u0391'\u03a3 \u0391", "\u03b1'\u03c2 \u03b1" },
		{ "\u0391\u03a3'\u0391 \u0391", "\u03b1\u03c3'\u03b1 \u03b1" },
		{ "\u0130", "i\u0307" },
	};

	(void)state;
	for (size_t i = 0; i < sizeof texts / sizeof *texts; i++) {
		struct bleu b = { .lowercase = true };

		assert_int_equal(bleu_add(&b, texts[i][0], &texts[i][1], 1, NULL), EX_OK);
		assert_int_equal(b.match[0], b.total[0]);
	}
}

static void separators_part_words_as_blanks_do(void **state)
{
	struct bleu b = score("a\x1c"
			      "b\u2003c\u00a0d",
			      "a b c d");

	(void)state;
	assert_int_equal(b.match[3], 1);
}

static void a_text_without_reference_is_refused_and_not_counted(void **state)
{
	const char *const missing[] = { NULL, NULL };
	struct bleu b = score("a b", "a b"), before = b;
	struct err e;

	(void)state;
	assert_int_equal(bleu_add(&b, "a b", missing, 2, &e), EX_DATAERR);
	assert_non_null(strstr(e.text, "reference"));
	assert_int_equal(bleu_add(&b, "a b", NULL, 0, &e), EX_DATAERR);
	assert_memory_equal(&b, &before, sizeof b);
}

static void bytes_that_are_no_utf8_are_words_like_others(void **state)
{
	struct bleu same = score("a \xff\xfe b \xc3", "a \xff\xfe b \xc3"),
		    other = score("\xff", "\xfe");

	(void)state;
	assert_true(bleu_score(&same) == 1.0);
	assert_int_equal(other.match[0], 0);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(counts_and_scores_equal_those_of_sacrebleu),
		cmocka_unit_test(the_same_text_scores_one_and_another_nothing),
		cmocka_unit_test(
		    no_text_has_no_score_and_an_empty_hypothesis_scores_nothing),
		cmocka_unit_test(a_gram_counts_no_more_often_than_in_one_reference),
		cmocka_unit_test(the_closest_length_counts_and_the_shorter_of_two),
		cmocka_unit_test(punctuation_stands_alone_but_not_between_digits),
		cmocka_unit_test(case_matters_unless_asked_otherwise),
		cmocka_unit_test(small_letters_are_those_that_python_makes),
		cmocka_unit_test(separators_part_words_as_blanks_do),
		cmocka_unit_test(a_text_without_reference_is_refused_and_not_counted),
		cmocka_unit_test(bytes_that_are_no_utf8_are_words_like_others),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
