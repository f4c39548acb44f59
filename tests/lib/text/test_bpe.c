#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <setjmp.h>
#include <cmocka.h>

#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#include "text/bpe.h"
#include "text/byte_level.h"

/* A vocabulary of pieces, separated by "|" and numbered from 0, and merges "left right". */
static void build(struct bpe *b, const char *pieces, const char *const *merges)
{
	struct err e = { 0 };
	bool is_new;
	uint32_t id;

	for (id = 0; *pieces != '\0'; id++) {
		size_t n = strcspn(pieces, "|");

		assert_int_equal(vocab_add(&b->vocab, pieces, n, id, &is_new, &e), EX_OK);
		pieces += n + (pieces[n] == '|');
	}
	for (; *merges != NULL; merges++) {
		const char *space = strchr(*merges, ' ');
		size_t n = (size_t)(space - *merges), m = strlen(space + 1);
		char both[40];

		snprintf(both, sizeof both, "%.*s%s", (int)n, *merges, space + 1);
		assert_int_equal(bpe_add(b, vocab_get(&b->vocab, *merges, n),
					 vocab_get(&b->vocab, space + 1, m),
					 vocab_get(&b->vocab, both, n + m), &is_new, &e),
				 EX_OK);
		assert_true(is_new);
	}
	assert_int_equal(bpe_init(b, &e), EX_OK);
}

/* The pieces of a text, joined by "|". */
static void encodes_within(const struct bpe *b, struct bpe_room *room, const char *s,
			   size_t limit, const char *want)
{
	struct pieces out = { 0 };
	struct err e = { 0 };
	char got[200] = "";
	size_t i;

	assert_int_equal(bpe_encode(b, s, strlen(s), limit, room, &out, &e), EX_OK);
	for (i = 0; i < out.n; i++) {
		const struct vocab_piece *p = &b->vocab.piece[out.id[i]];

		snprintf(got + strlen(got), sizeof got - strlen(got), "%s%.*s",
			 i == 0 ? "" : "|", (int)p->len, b->vocab.text + p->at);
	}
	assert_string_equal(got, want);
	free(out.id);
}

/* Twice, the second time out of the cache. */
static void encodes(const struct bpe *b, const char *s, const char *want)
{
	struct bpe_room room = { 0 };

	encodes_within(b, &room, s, SIZE_MAX, want);
	encodes_within(b, &room, s, SIZE_MAX, want);
	bpe_room_free(&room);
}

static void every_byte_has_a_character_and_comes_back(void **state)
{
	struct strbuf text = { 0 };
	char c[UTF8_MAX], all[256 * UTF8_MAX];
	size_t i, n = 0;

	(void)state;
	for (i = 0; i < 256; i++) {
		size_t used = byte_level_put(c, (unsigned char)i);

		assert_true(utf8_valid(c, used));
		memcpy(all + n, c, used);
		n += used;
	}
	byte_level_undo(all, n, &text);
	assert_int_equal(text.len, 256);
	for (i = 0; i < 256; i++)
		assert_int_equal((unsigned char)text.s[i], i);
	assert_int_equal(byte_level_put(c, ' '), 2);
	assert_memory_equal(c, "\xc4\xa0", 2);
	assert_int_equal(byte_level_put(c, 0xad), 2);
	assert_memory_equal(c, "\xc5\x83", 2);
	strbuf_clear(&text);
	strbuf_puts(&text, "before ");
	byte_level_undo("\xc4\xa0 a", 4, &text);
	assert_string_equal(text.s, "before \xc4\xa0 a");
	strbuf_free(&text);
}

static void the_lowest_rank_is_merged_first_and_the_leftmost_of_several(void **state)
{
	static const char *const merges[] = { "b c", "a b", "a a", "bc d", "aa bcd", NULL };
	struct bpe b = { .unknown = VOCAB_NONE };

	(void)state;
	build(&b, "a|b|c|d|bc|ab|aa|bcd|aabcd", merges);
	encodes(&b, "abc", "a|bc");
	encodes(&b, "ab", "ab");
	encodes(&b, "aaa", "aa|a");
	encodes(&b, "aabcd", "aabcd");
	encodes(&b, "aaabcd", "aa|a|bcd");
	encodes(&b, "d", "d");
	encodes(&b, "", "");
	bpe_free(&b);
}

static void bytes_without_a_piece_are_left_out_or_unknown(void **state)
{
	static const char *const merges[] = { "a b", NULL };
	struct bpe b = { .unknown = VOCAB_NONE };

	(void)state;
	build(&b, "a|b|ab|?", merges);
	encodes(&b, "axb", "ab");
	encodes(&b, "xx", "");
	b.unknown = 3;
	encodes(&b, "axxb", "a|?|?|b");
	b.fuse_unknown = true;
	encodes(&b, "axxbx", "a|?|b|?");
	bpe_free(&b);
}

static void a_word_that_is_a_piece_can_come_before_all_merges(void **state)
{
	static const char *const merges[] = { "b c", NULL };
	struct bpe b = { .unknown = VOCAB_NONE };

	(void)state;
	build(&b, "a|b|c|bc|abc|\xc4\xa0", merges);
	encodes(&b, "abc", "a|bc");
	b.whole_words = true;
	encodes(&b, "abc", "abc");
	encodes(&b, "abcc", "a|bc|c");
	bpe_free(&b);
}

static void a_space_comes_in_front_unless_there_is_one(void **state)
{
	static const char *const merges[] = { "\xc4\xa0 a", NULL };
	struct bpe b = { .unknown = VOCAB_NONE, .space_first = true };

	(void)state;
	build(&b,
	      "a|\xc4\xa0|\xc4\xa0"
	      "a",
	      merges);
	encodes(&b, "a",
		"\xc4\xa0"
		"a");
	encodes(&b, " a",
		"\xc4\xa0"
		"a");
	encodes(&b, "", "");
	bpe_free(&b);
}

static void words_are_merged_apart(void **state)
{
	static const char *const merges[] = { "a \xc4\xa0", "\xc4\xa0 a", NULL };
	static const char pieces[] = "a|\xc4\xa0|a\xc4\xa0|\xc4\xa0"
				     "a";
	struct bpe whole = { .unknown = VOCAB_NONE };
	struct bpe words = { .unknown = VOCAB_NONE, .split = true };

	(void)state;
	build(&whole, pieces, merges);
	build(&words, pieces, merges);
	encodes(&whole, "a a", "a\xc4\xa0|a");
	encodes(&words, "a a",
		"a|\xc4\xa0"
		"a");
	bpe_free(&whole);
	bpe_free(&words);
}

static void room_serves_one_vocabulary_after_another(void **state)
{
	static const char *const one[] = { "a b", NULL }, *const two[] = { "b a", NULL };
	struct bpe b = { .unknown = VOCAB_NONE }, c = { .unknown = VOCAB_NONE };
	struct bpe_room room = { 0 };

	(void)state;
	build(&b, "a|b|ab", one);
	build(&c, "a|b|ba", two);
	encodes_within(&b, &room, "aba", SIZE_MAX, "ab|a");
	encodes_within(&c, &room, "aba", SIZE_MAX, "a|ba");
	encodes_within(&b, &room, "aba", SIZE_MAX, "ab|a");
	encodes_within(&b, &room, "aba", 1, "ab");
	encodes_within(&b, &room, "aba", 0, "");
	bpe_room_free(&room);
	bpe_free(&b);
	bpe_free(&c);
}

/* A word, or white space, of a size at which quadratic work would take hours. */
static void a_word_of_megabytes_is_encoded_in_time(void **state)
{
	static const char *const merges[] = { "a a", "aa aa", "\xc4\xa0 \xc4\xa0", NULL };
	static const char kinds[] = "a !";
	struct bpe b = { .unknown = VOCAB_NONE, .split = true };
	const size_t n = (size_t)4 << 20;
	char *s = malloc(n);
	size_t i;

	(void)state;
	assert_non_null(s);
	build(&b, "a|aa|aaaa|\xc4\xa0|\xc4\xa0\xc4\xa0|!", merges);
	alarm(300);
	for (i = 0; i < 3; i++) {
		static const size_t want[] = { 4, 2, 1 };
		struct bpe_room room = { 0 };
		struct pieces out = { 0 };
		struct err e = { 0 };

		memset(s, kinds[i], n);
		assert_int_equal(bpe_encode(&b, s, n, SIZE_MAX, &room, &out, &e), EX_OK);
		assert_int_equal(out.n, n / want[i]);
		free(out.id);
		bpe_room_free(&room);
	}
	alarm(0);
	free(s);
	bpe_free(&b);
}

/* ---- words ----------------------------------------------------------------------------
 */

/* The words of a text, joined by "|". */
static void splits(const char *s, const char *want)
{
	struct splitter p = { 0 };
	struct split_room room = { 0 };
	struct err e = { 0 };
	char got[300] = "";
	size_t at, stop, n = strlen(s);

	assert_int_equal(splitter_open(&p, &e), EX_OK);
	for (at = 0; at < n; at = stop) {
		assert_int_equal(splitter_next(&p, &room, s, n, at, &stop, &e), EX_OK);
		assert_true(stop > at);
		snprintf(got + strlen(got), sizeof got - strlen(got), "%s%.*s",
			 at == 0 ? "" : "|", (int)(stop - at), s + at);
	}
	assert_string_equal(got, want);
	split_room_free(&room);
	splitter_close(&p);
}

static void words_are_cut_as_gpt_2_does_it(void **state)
{
	(void)state;
	splits("it's a test", "it|'s| a| test");
	splits("WE'RE we're 'tis", "WE|'|RE| we|'re| '|tis");
	splits("a1b 12 x!? y", "a|1|b| 12| x|!?| y");
	splits("a   b ", "a|  | b| ");
	splits("\n\na\t b", "\n|\n|a|\t| b");
	splits("na\xc3\xafve \xd9\xa1\xc2\xb2", "na\xc3\xafve| \xd9\xa1\xc2\xb2");
	splits("a\xe1\xa0\x8e"
	       "b",
	       "a|\xe1\xa0\x8e|b");
	splits("\xc2\xa0 a", "\xc2\xa0| a");
}

static void letters_and_numbers_are_those_of_unicode_16(void **state)
{
	(void)state;
	splits("a\xe1\xb2\x89", "a\xe1\xb2\x89");
	splits("a\xf0\xb2\x8e\xaf", "a\xf0\xb2\x8e\xaf");
	splits("1\xf0\x90\xb5\x80", "1\xf0\x90\xb5\x80");
	splits("a\xf0\xb2\x8e\xb0", "a|\xf0\xb2\x8e\xb0");
}

/* The sums are printed by tests/ref/unicode.py --properties, out of `tokenizers`. A PCRE2
 * of another Unicode may fail here: then the lists of split.c are to be made anew. */
static void all_characters_are_cut_as_tokenizers_does_it(void **state)
{
	static const struct {
		char before; /* the words that such a character continues */
		uint32_t sum;
	} want[] = { { 'a', 0x7c7aa1eau }, { '1', 0xc1066893u }, { '!', 0xaf97e0a7u } };
	struct splitter p = { 0 };
	struct split_room room = { 0 };
	struct err e = { 0 };
	uint32_t c;
	size_t i;

	(void)state;
	assert_int_equal(splitter_open(&p, &e), EX_OK);
	for (i = 0; i < 3; i++) {
		uint32_t sum = 0;

		for (c = 1; c < 0x110000; c++) {
			char s[1 + UTF8_MAX] = { want[i].before };
			size_t n, stop;

			if (c >= 0xd800 && c < 0xe000)
				continue;
			n = 1 + utf8_put(s + 1, c);
			assert_int_equal(splitter_next(&p, &room, s, n, 0, &stop, &e), 0);
			if (stop == n)
				sum = sum * 31 + c;
		}
		assert_int_equal(sum, want[i].sum);
	}
	split_room_free(&room);
	splitter_close(&p);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(every_byte_has_a_character_and_comes_back),
		cmocka_unit_test(
		    the_lowest_rank_is_merged_first_and_the_leftmost_of_several),
		cmocka_unit_test(bytes_without_a_piece_are_left_out_or_unknown),
		cmocka_unit_test(a_word_that_is_a_piece_can_come_before_all_merges),
		cmocka_unit_test(a_space_comes_in_front_unless_there_is_one),
		cmocka_unit_test(words_are_merged_apart),
		cmocka_unit_test(room_serves_one_vocabulary_after_another),
		cmocka_unit_test(a_word_of_megabytes_is_encoded_in_time),
		cmocka_unit_test(words_are_cut_as_gpt_2_does_it),
		cmocka_unit_test(letters_and_numbers_are_those_of_unicode_16),
		cmocka_unit_test(all_characters_are_cut_as_tokenizers_does_it),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
