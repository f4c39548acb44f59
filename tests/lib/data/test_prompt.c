#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <setjmp.h>
#include <cmocka.h>

#include "data/prompt.h"

#include "../bpe.h"

static struct tokenizer *tok;
static struct task custom = { .name = (char *)"custom" };
static struct task e2e = { .name = (char *)"e2e" };

static int open_all(void **state)
{
	(void)state;
	if (scratch_open() != 0)
		return -1;
	tok = bpe_open();
	return 0;
}

static int close_all(void **state)
{
	(void)state;
	tokenizer_close(tok);
	return scratch_close();
}

static void expect_text(const struct task *t, const char *prompt, const char *want)
{
	struct strbuf out = { 0 };

	strbuf_puts(&out, ">");
	assert_int_equal(prompt_text(t, prompt, &out), EX_OK);
	assert_string_equal(out.s + 1, want);
	strbuf_free(&out);
}

static void e2e_prompts_are_spelt_out(void **state)
{
	(void)state;
	expect_text(&e2e, "name[The Vaults], eatType[pub]",
		    "name : The Vaults | eatType : pub");
	expect_text(&e2e, "name[x],area[y],  customer rating[5 out of 5]",
		    "name : x | area : y | customer rating : 5 out of 5");
	expect_text(&e2e, "name[\xc2\xa3 20, or so]", "name : \xc2\xa3 20, or so");
	expect_text(&e2e, "name[]", "name : ");
}

static void what_is_not_of_that_form_stays(void **state)
{
	static const char *const texts[] = {
		"",           "name",         "name[x",     "name]x[",     "[x]",
		"name[x], ",  "name[x],",     "name[x] y",  "a[b[c]]",     "a[b]c[d]",
		"name[x], y", "a[b], , c[d]", "a[b]; c[d]", "a[b]], c[d]", "a, b[c]",
	};

	(void)state;
	for (size_t i = 0; i < sizeof texts / sizeof *texts; i++)
		expect_text(&e2e, texts[i], texts[i]);
	expect_text(&custom, "name[x], y[z]", "name[x], y[z]");
}

static void expect_prompt(const struct task *t, const char *prompt, size_t max_len,
			  const uint32_t *want, size_t n)
{
	struct encoding x = { 0 };
	struct err e;

	if (prompt_encode(t, tok, prompt, max_len, &x, &e) != EX_OK)
		fail_msg("%s", e.text);
	expect_tokens(x.ids, x.n, want, n);
	encoding_free(&x);
}

static void prompt_ends_with_the_end_token(void **state)
{
	(void)state;
	expect_prompt(&custom, "ab ab", 99, TOKENS(AB, _A, B, END));
	expect_prompt(&custom, "", 99, TOKENS(END));
	expect_prompt(&e2e, "a[b], c[ab]", 99,
		      TOKENS(A, SPACE, COLON, SPACE, B, SPACE, BAR, SPACE, C, SPACE, COLON,
			     _A, B, END));
}

static void long_prompt_keeps_its_end(void **state)
{
	struct encoding x = { 0 };
	struct err e;

	(void)state;
	expect_prompt(&custom, "ab ab", 4, TOKENS(AB, _A, B, END));
	expect_prompt(&custom, "ab ab", 2, TOKENS(B, END));
	expect_prompt(&custom, "ab ab", 1, TOKENS(END));
	assert_int_equal(prompt_encode(&custom, tok, "a", 0, &x, &e), EX_USAGE);
	encoding_free(&x);
}

static void expect_whole(const char *prompt, const char *completion, size_t max_len,
			 size_t given, bool cut, const uint32_t *want, size_t n)
{
	struct example x = { .cut = !cut };
	struct err e;

	/* The second time in memory that was used before. */
	for (int i = 0; i < 2; i++) {
		if (prompt_complete(&custom, tok, prompt, completion, max_len, &x, &e) !=
		    EX_OK)
			fail_msg("%s", e.text);
		expect_tokens(x.tokens.ids, x.tokens.n, want, n);
		for (size_t j = 0; j < x.tokens.n; j++)
			assert_int_equal(x.tokens.types[j], 0);
		assert_int_equal(x.given, given);
		assert_int_equal(x.cut, cut);
	}
	example_free(&x);
}

static void completion_follows_with_a_space_and_an_end(void **state)
{
	(void)state;
	expect_whole("ab c", "ab", 99, 4, false, TOKENS(AB, SPACE, C, END, _A, B, END));
	expect_whole("", "c", 99, 1, false, TOKENS(END, SPACE, C, END));
	expect_whole("a", "", 99, 2, false, TOKENS(A, END, END));
}

static void prompt_is_cut_on_the_left_before_the_completion(void **state)
{
	(void)state;
	expect_whole("abc", "ab", 6, 3, false, TOKENS(AB, C, END, _A, B, END));
	expect_whole("abc", "ab", 5, 2, true, TOKENS(C, END, _A, B, END));
	expect_whole("abc", "ab", 4, 1, true, TOKENS(END, _A, B, END));
	expect_whole("abc", "ab", 3, 1, true, TOKENS(END, _A, B));
	expect_whole("abc", "ab", 2, 1, true, TOKENS(END, _A));
}

static void one_token_is_too_short_for_both(void **state)
{
	struct example x = { 0 };
	struct err e;

	(void)state;
	assert_int_equal(prompt_complete(&custom, tok, "a", "b", 1, &x, &e), EX_USAGE);
	example_free(&x);
}

/* Generation begins where training did. */
static void prompt_alone_is_the_beginning_of_the_whole(void **state)
{
	static const char *const prompts[] = { "", "a", "ab ab", "a[b], c[ab]", " a \n" };
	struct example whole = { 0 };
	struct encoding alone = { 0 };

	(void)state;
	for (size_t i = 0; i < sizeof prompts / sizeof *prompts; i++) {
		assert_int_equal(
		    prompt_complete(&e2e, tok, prompts[i], "ab", 99, &whole, NULL), EX_OK);
		assert_int_equal(prompt_encode(&e2e, tok, prompts[i], 99, &alone, NULL),
				 EX_OK);
		expect_tokens(whole.tokens.ids, whole.given, alone.ids, alone.n);
	}
	example_free(&whole);
	encoding_free(&alone);
}

static void wordpiece_ends_with_its_separator(void **state)
{
	const uint32_t want[] = { 3, 2, 3, 2 };
	struct tokenizer *bert;
	struct example x = { 0 };

	(void)state;
	scratch_subdir("bert");
	scratch_text("bert/vocab.txt", "[UNK]\n[CLS]\n[SEP]\ngood\n[PAD]\n");
	assert_int_equal(tokenizer_open(&bert, scratch("bert"), NULL), EX_OK);
	assert_int_equal(prompt_complete(&custom, bert, "good", "good", 9, &x, NULL),
			 EX_OK);
	expect_tokens(x.tokens.ids, x.tokens.n, want, 4);
	example_free(&x);
	tokenizer_close(bert);
}

static void tokenizer_without_an_end_is_refused(void **state)
{
	struct tokenizer *none;
	struct encoding x = { 0 };
	struct err e = { 0 };

	(void)state;
	scratch_subdir("none");
	scratch_text("none/tokenizer.json",
		     "{\"model\": {\"type\": \"BPE\", \"vocab\": {\"a\": 0, \"b\": 1}, "
		     "\"merges\": []}, \"pre_tokenizer\": {\"type\": \"ByteLevel\", "
		     "\"add_prefix_space\": false, \"use_regex\": true}}");
	if (tokenizer_open(&none, scratch("none"), &e) != EX_OK)
		fail_msg("%s", e.text);
	assert_int_equal(prompt_encode(&custom, none, "a", 9, &x, &e), EX_DATAERR);
	assert_non_null(strstr(e.text, "no token that ends a text"));
	encoding_free(&x);
	tokenizer_close(none);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(e2e_prompts_are_spelt_out),
		cmocka_unit_test(what_is_not_of_that_form_stays),
		cmocka_unit_test(prompt_ends_with_the_end_token),
		cmocka_unit_test(long_prompt_keeps_its_end),
		cmocka_unit_test(completion_follows_with_a_space_and_an_end),
		cmocka_unit_test(prompt_is_cut_on_the_left_before_the_completion),
		cmocka_unit_test(one_token_is_too_short_for_both),
		cmocka_unit_test(prompt_alone_is_the_beginning_of_the_whole),
		cmocka_unit_test(wordpiece_ends_with_its_separator),
		cmocka_unit_test(tokenizer_without_an_end_is_refused),
	};

	return cmocka_run_group_tests(tests, open_all, close_all);
}
