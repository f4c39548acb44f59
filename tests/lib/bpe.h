/*
 * bpe - a byte-level BPE vocabulary that is small enough to encode by hand.
 *
 *     "ab" -> AB    " ab" -> _A B    " a" -> _A    "\n" -> NL
 */
#ifndef TESTS_BPE_H
#define TESTS_BPE_H

#include "scratch.h"
#include "text/tokenizer.h"

enum { A, B, C, COLON, BAR, SPACE, NL, _A, AB, END };

static const char bpe_vocab[] =
    "{\"a\": 0, \"b\": 1, \"c\": 2, \":\": 3, \"|\": 4, \"\xc4\xa0\": 5, "
    "\"\xc4\x8a\": 6, \"\xc4\xa0"
    "a\": 7, \"ab\": 8, \"<|endoftext|>\": 9}\n";
static const char bpe_merges[] = "#version: 0.2\n\xc4\xa0 a\na b\n";

/* Writes the files into the scratch directory and opens them. */
static inline struct tokenizer *bpe_open(void)
{
	struct tokenizer *t;
	struct err e;

	scratch_text("vocab.json", bpe_vocab);
	scratch_text("merges.txt", bpe_merges);
	if (tokenizer_open(&t, scratch_dir, &e) != EX_OK)
		fail_msg("%s", e.text);
	return t;
}

static inline void expect_tokens(const uint32_t *got, size_t n, const uint32_t *want,
				 size_t want_n)
{
	assert_int_equal(n, want_n);
	for (size_t i = 0; i < n; i++)
		assert_int_equal(got[i], want[i]);
}

#define TOKENS(...)                        \
	(const uint32_t[]){ __VA_ARGS__ }, \
	    sizeof((const uint32_t[]){ __VA_ARGS__ }) / sizeof(uint32_t)

#endif
