#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <setjmp.h>
#include <cmocka.h>

#include <stdio.h>
#include <string.h>

#include "text/unicode.h"

/* Decodes all of s and compares with `want`, which 0 ends. */
static void decodes(const char *s, const uint32_t *want)
{
	size_t n = strlen(s), i = 0;
	uint32_t c;

	for (; *want != 0; want++) {
		assert_true(i < n);
		i += utf8_next(s + i, n - i, &c);
		assert_int_equal(c, *want);
	}
	assert_int_equal(i, n);
}

#define BAD 0xfffd

/* The right-hand sides are Python's bytes.decode("utf-8", "replace"). */
static void bytes_that_are_not_utf8_become_replacements(void **state)
{
	(void)state;
	decodes("a\xff\xfe", (const uint32_t[]){ 'a', BAD, BAD, 0 });
	decodes("\x80\xbf", (const uint32_t[]){ BAD, BAD, 0 });
	decodes("\xc0\x80\xc1\xbf", (const uint32_t[]){ BAD, BAD, BAD, BAD, 0 });
	decodes("\xe2\x82", (const uint32_t[]){ BAD, 0 });
	decodes("\xf0\x9f\x98z", (const uint32_t[]){ BAD, 'z', 0 });
	decodes("\xe2\x28\xa1", (const uint32_t[]){ BAD, '(', BAD, 0 });
	decodes("\xed\xa0\x80", (const uint32_t[]){ BAD, BAD, BAD, 0 });
	decodes("\xe0\x9f\xbf", (const uint32_t[]){ BAD, BAD, BAD, 0 });
	decodes("\xf0\x8f\xbf\xbf", (const uint32_t[]){ BAD, BAD, BAD, BAD, 0 });
	decodes("\xf4\x90\x80\x80", (const uint32_t[]){ BAD, BAD, BAD, BAD, 0 });
	decodes("\xf5\x80", (const uint32_t[]){ BAD, BAD, 0 });
	decodes("\xe4\xb8\xe4\xb8\xad", (const uint32_t[]){ BAD, 0x4e2d, 0 });
}

static void every_character_reads_back_as_it_was_written(void **state)
{
	char s[UTF8_MAX];
	uint32_t c, back;

	(void)state;
	for (c = 0; c < 0x110000; c++) {
		size_t n;

		if (c >= 0xd800 && c < 0xe000)
			continue;
		n = utf8_put(s, c);
		if (!utf8_valid(s, n) || utf8_next(s, n, &back) != n || back != c)
			fail_msg("U+%04X", c);
	}
}

static void validity_is_of_the_whole_text(void **state)
{
	(void)state;
	assert_true(utf8_valid("", 0));
	assert_true(utf8_valid("na\xc3\xafve \xf0\x9f\x98\x80 \xef\xbf\xbd", 15));
	assert_false(utf8_valid("na\xc3\xafve \xf0\x9f\x98\x80", 10));
	assert_false(utf8_valid("\xe9t\xe9", 3));
	assert_false(utf8_valid("\xed\xa0\x80", 3));
}

enum { SPACE, CONTROL, PUNCT, MARK, IDEOGRAPH, COMBINING, DECOMPOSE, LOWER, WORD, FACTS };

static void note(uint32_t *sum, bool holds, uint32_t c)
{
	if (holds)
		*sum = *sum * 31 + c;
}

/* The sums are printed by tests/ref/unicode.py --properties, out of `tokenizers`. A
 * utf8proc of another Unicode fails here: then the tables of unicode.c are to be made anew.
 */
static void properties_of_all_characters_are_those_of_tokenizers(void **state)
{
	static const struct {
		const char *name;
		uint32_t sum;
	} want[FACTS] = {
		{ "space", 0xc16bf75au },     { "control", 0x80254b40u },
		{ "punct", 0xc715f353u },     { "mark", 0x4bbf14c6u },
		{ "ideograph", 0x3b31aeb8u }, { "combining", 0x90b56b75u },
		{ "decompose", 0x958c3b0cu }, { "lower", 0x31af8176u },
		{ "word", 0x57a77c64u },
	};
	uint32_t sum[FACTS] = { 0 }, to[UNICODE_DECOMPOSED], c;
	size_t n, i;

	(void)state;
	for (c = 1; c < 0x110000; c++) {
		bool alone;

		if (c >= 0xd800 && c < 0xe000)
			continue;
		n = unicode_decompose(c, to);
		alone = n == 1 && to[0] == c;
		for (i = 0; i < n; i++)
			note(&sum[DECOMPOSE], true, to[i]);
		note(&sum[SPACE], unicode_is_space(c), c);
		note(&sum[CONTROL], unicode_is_control(c), c);
		note(&sum[PUNCT], unicode_is_punct(c), c);
		note(&sum[MARK], alone && unicode_is_mark(c), c);
		note(&sum[IDEOGRAPH], unicode_is_ideograph(c), c);
		note(&sum[WORD], unicode_is_word(c), c);
		note(&sum[COMBINING], alone && unicode_combining(c) != 0, c);
		n = unicode_lower(c, to);
		for (i = 0; i < n; i++)
			note(&sum[LOWER], true, to[i]);
	}
	for (i = 0; i < FACTS; i++)
		if (sum[i] != want[i].sum)
			fail_msg("%s: %#010x", want[i].name, sum[i]);
}

static void decomposition_is_full_and_hangul_is_computed(void **state)
{
	uint32_t to[UNICODE_DECOMPOSED];

	(void)state;
	assert_int_equal(unicode_decompose(0x1fa7, to), 4);
	assert_int_equal(to[0], 0x3c9);
	assert_int_equal(to[3], 0x345);
	assert_int_equal(unicode_decompose(0xac01, to), 3);
	assert_int_equal(to[2], 0x11a8);
	assert_int_equal(unicode_decompose(0x1e9b, to), 2);
	assert_int_equal(unicode_decompose(0xfb01, to), 1); /* a ligature stays whole */
}

static void word_characters_are_those_of_regular_expressions(void **state)
{
	(void)state;
	assert_true(unicode_is_word('a') && unicode_is_word('_') && unicode_is_word('7'));
	assert_true(unicode_is_word(0xe9) && unicode_is_word(0x301) &&
		    unicode_is_word(0x24b6));
	assert_true(unicode_is_word(0x200d));
	assert_false(unicode_is_word('-') || unicode_is_word(' ') ||
		     unicode_is_word(0x2460));
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(bytes_that_are_not_utf8_become_replacements),
		cmocka_unit_test(every_character_reads_back_as_it_was_written),
		cmocka_unit_test(validity_is_of_the_whole_text),
		cmocka_unit_test(properties_of_all_characters_are_those_of_tokenizers),
		cmocka_unit_test(decomposition_is_full_and_hangul_is_computed),
		cmocka_unit_test(word_characters_are_those_of_regular_expressions),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
