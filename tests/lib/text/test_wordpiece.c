#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <setjmp.h>
#include <cmocka.h>

#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "text/vocab.h"
#include "text/wordpiece.h"

/* Numbers count from 0. */
static const char *const pieces[] = {
	"[UNK]", "un",  "##aff", "##able", "##a",    "able",   "##ble",    "a", "ab", "abc",
	"##c",   "##d", "-",     ".",      "\u4e2d", "\u3002", "##\u0301", "e", "##", "#",
};

static void make(struct wordpiece *w)
{
	struct err e = { 0 };
	bool is_new;
	size_t i;

	memset(w, 0, sizeof *w);
	for (i = 0; i < sizeof pieces / sizeof pieces[0]; i++) {
		assert_int_equal(vocab_add(&w->vocab, pieces[i], strlen(pieces[i]),
					   (uint32_t)i, &is_new, &e),
				 EX_OK);
		assert_true(is_new);
	}
	w->prefix = (char *)"##";
	w->prefix_len = 2;
	w->longest_word = 10;
	wordpiece_init(w);
}

static void encodes(const char *s, size_t limit, const char *want)
{
	struct wordpiece w;
	struct pieces out = { 0 };
	struct err e = { 0 };
	char got[200] = "";
	size_t i;

	make(&w);
	assert_int_equal(wordpiece_encode(&w, s, strlen(s), limit, &out, &e), EX_OK);
	for (i = 0; i < out.n; i++)
		snprintf(got + strlen(got), sizeof got - strlen(got), "%s%u",
			 i > 0 ? " " : "", out.id[i]);
	assert_string_equal(got, want);
	free(out.id);
	free(out.hash);
	vocab_free(&w.vocab);
}

static void the_longest_piece_comes_first(void **state)
{
	(void)state;
	encodes("unaffable", SIZE_MAX, "1 2 3");
	encodes("abcd ab able", SIZE_MAX, "9 11 8 5");
	encodes("una", SIZE_MAX, "1 4");
	encodes("e\u0301", SIZE_MAX, "17 16");
}

static void a_word_without_pieces_is_unknown_as_a_whole(void **state)
{
	(void)state;
	encodes("x abx able", SIZE_MAX, "0 0 5");
	encodes("unablex", SIZE_MAX, "0");
	encodes("", SIZE_MAX, "");
	encodes(" \t\u00a0 ", SIZE_MAX, "");
}

static void a_word_is_too_long_by_its_characters(void **state)
{
	(void)state;
	encodes("abcccccccc", SIZE_MAX, "9 10 10 10 10 10 10 10");
	encodes("abccccccccc", SIZE_MAX, "0");
	encodes("e\u0301\u0301\u0301\u0301\u0301\u0301\u0301\u0301\u0301", SIZE_MAX,
		"17 16 16 16 16 16 16 16 16 16");
}

static void punctuation_is_a_word_of_its_own(void **state)
{
	(void)state;
	encodes("un-able.", SIZE_MAX, "1 12 5 13");
	encodes("..-", SIZE_MAX, "13 13 12");
	encodes("ab\u3002ab", SIZE_MAX, "8 15 8");
	encodes("##a", SIZE_MAX, "19 19 7"); /* not the continuing piece */
	encodes("un\u2003able\u3000a", SIZE_MAX, "1 5 7");
}

static void encoding_stops_at_the_limit(void **state)
{
	(void)state;
	encodes("unaffable a a a", 2, "1 2");
	encodes("a unaffable", 3, "7 1 2");
	encodes("unaffable", 0, "");
	encodes("a", 1, "7");
}

static void a_large_vocabulary_keeps_every_number(void **state)
{
	enum { MANY = 100000 };
	struct vocab v = { 0 };
	struct err e = { 0 };
	char s[16];
	uint32_t i;
	bool is_new;

	(void)state;
	assert_int_equal(vocab_get(&v, "0", 1), VOCAB_NONE);
	for (i = 0; i < MANY; i++) {
		snprintf(s, sizeof s, "%x", i * 7);
		assert_int_equal(vocab_add(&v, s, strlen(s), i, &is_new, &e), EX_OK);
	}
	for (i = 0; i < MANY; i++) {
		snprintf(s, sizeof s, "%x", i * 7);
		assert_int_equal(vocab_get(&v, s, strlen(s)), i);
		snprintf(s, sizeof s, "%x", i * 7 + 1);
		assert_int_equal(vocab_get(&v, s, strlen(s)), VOCAB_NONE);
	}
	assert_int_equal(v.size, MANY);
	assert_int_equal(v.longest, 5);
	vocab_free(&v);
}

static void a_piece_that_is_there_is_not_added_again(void **state)
{
	struct vocab v = { 0 };
	struct err e = { 0 };
	bool is_new;

	(void)state;
	assert_int_equal(vocab_add(&v, "a", 1, 5, &is_new, &e), EX_OK);
	assert_true(is_new);
	assert_int_equal(vocab_add(&v, "a", 1, 6, &is_new, &e), EX_OK);
	assert_false(is_new);
	assert_int_equal(vocab_get(&v, "a", 1), 5);
	assert_int_equal(v.size, 6);
	vocab_free(&v);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(the_longest_piece_comes_first),
		cmocka_unit_test(a_word_without_pieces_is_unknown_as_a_whole),
		cmocka_unit_test(a_word_is_too_long_by_its_characters),
		cmocka_unit_test(punctuation_is_a_word_of_its_own),
		cmocka_unit_test(encoding_stops_at_the_limit),
		cmocka_unit_test(a_large_vocabulary_keeps_every_number),
		cmocka_unit_test(a_piece_that_is_there_is_not_added_again),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
