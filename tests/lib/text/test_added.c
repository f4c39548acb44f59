#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <setjmp.h>
#include <cmocka.h>

#include <stdio.h>
#include <string.h>

#include "text/added.h"

static void put(struct added_tokens *list, const struct added_token *token)
{
	struct added_token t = *token;
	struct err e = { 0 };

	t.pattern = t.text;
	t.pattern_len = strlen(t.text);
	assert_int_equal(added_put(list, &t, &e), EX_OK);
}

/* Cuts s and compares the parts, joined by "|", tokens in <>. */
static void cuts(const struct added_tokens *list, const char *s, const char *want)
{
	struct added_scan scan = { .list = list, .s = s, .n = strlen(s) };
	const struct added_token *token;
	const char *part;
	char got[200] = "";
	size_t n;

	while (added_part(&scan, &part, &n, &token))
		snprintf(got + strlen(got), sizeof got - strlen(got), "%s%s%.*s%s",
			 *got == '\0' ? "" : "|", token == NULL ? "" : "<", (int)n, part,
			 token == NULL ? "" : ">");
	assert_string_equal(got, want);
}

static void more_tokens_than_any_tokenizer_has_are_refused(void **state)
{
	struct added_tokens list = { 0 };
	struct err e = { 0 };
	char text[16];
	struct added_token token = { .text = text, .pattern = text };

	(void)state;
	for (int i = 0; i <= ADDED_MAX; i++) {
		token.pattern_len = (size_t)snprintf(text, sizeof text, "<%d>", i);
		assert_int_equal(added_put(&list, &token, &e),
				 i < ADDED_MAX ? EX_OK : EX_DATAERR);
	}
	added_free(&list);
}

static void tokens_are_found_wherever_they_stand(void **state)
{
	struct added_tokens list = { 0 };

	(void)state;
	cuts(&list, "no [A] here", "no [A] here");
	put(&list, &(struct added_token){ .text = (char *)"[A]" });
	put(&list, &(struct added_token){ .text = (char *)"[B]" });
	cuts(&list, "x[A]y [B][A]", "x|<[A]>|y |<[B]>|<[A]>");
	cuts(&list, "[A", "[A");
	cuts(&list, "[[A]]", "[|<[A]>|]");
	cuts(&list, "", "");
	added_free(&list);
}

static void the_longest_of_one_beginning_counts(void **state)
{
	struct added_tokens list = { 0 };

	(void)state;
	put(&list, &(struct added_token){ .text = (char *)"ab" });
	put(&list, &(struct added_token){ .text = (char *)"abcd" });
	put(&list, &(struct added_token){ .text = (char *)"bcdef" });
	cuts(&list, "abcdef", "<abcd>|ef");
	cuts(&list, "abcx", "<ab>|cx");
	cuts(&list, "bcdefab", "<bcdef>|<ab>");
	added_free(&list);
}

static void a_single_word_token_is_not_part_of_a_word(void **state)
{
	struct added_tokens list = { 0 };

	(void)state;
	put(&list, &(struct added_token){ .text = (char *)"foo", .single_word = true });
	cuts(&list, "foo foo. xfoo foox -foo-", "<foo>| |<foo>|. xfoo foox -|<foo>|-");
	cuts(&list, "\u00e9foo foo\u00e9 foo_ foo\u20ac",
	     "\u00e9foo foo\u00e9 foo_ |<foo>|\u20ac");
	added_free(&list);
}

static void a_token_takes_the_spaces_that_it_strips(void **state)
{
	struct added_tokens list = { 0 };

	(void)state;
	put(&list, &(struct added_token){ .text = (char *)"<l>", .strip_left = true });
	put(&list, &(struct added_token){ .text = (char *)"<r>", .strip_right = true });
	cuts(&list, "a  <l> b", "a|<  <l>>| b");
	cuts(&list, "a <r>\u3000 b", "a |<<r>\u3000 >|b");
	cuts(&list, "<r>  <l>", "<<r>  >|<<l>>"); /* each space goes to one token */
	cuts(&list, " <l>", "< <l>>");
	added_free(&list);
}

static void a_token_of_the_same_text_is_replaced(void **state)
{
	struct added_tokens list = { 0 };

	(void)state;
	put(&list, &(struct added_token){ .text = (char *)"x", .id = 1 });
	put(&list,
	    &(struct added_token){ .text = (char *)"x", .id = 2, .single_word = true });
	assert_int_equal(list.n, 1);
	assert_int_equal(added_get(&list, "x")->id, 2);
	assert_null(added_get(&list, "y"));
	cuts(&list, "ax x", "ax |<x>");
	added_free(&list);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(tokens_are_found_wherever_they_stand),
		cmocka_unit_test(more_tokens_than_any_tokenizer_has_are_refused),
		cmocka_unit_test(the_longest_of_one_beginning_counts),
		cmocka_unit_test(a_single_word_token_is_not_part_of_a_word),
		cmocka_unit_test(a_token_takes_the_spaces_that_it_strips),
		cmocka_unit_test(a_token_of_the_same_text_is_replaced),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
