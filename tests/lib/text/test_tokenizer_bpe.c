#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <setjmp.h>
#include <cmocka.h>

#include "tokens.h"

/* The character of a space. */
#define SPACE "\xc4\xa0"

#define PIECES "\"a\": 0, \"b\": 1, \"" SPACE "\": 2, \"ab\": 3, \"" SPACE "a\": 4"
#define MERGES "#version: 0.2\na b\n" SPACE " a\n"
#define GPT2   "{" PIECES ", \"<|endoftext|>\": 5}"
#define ROBERTA                                                                  \
	"{" PIECES                                                               \
	", \"<s>\": 5, \"<pad>\": 6, \"</s>\": 7, \"<unk>\": 8, \"<mask>\": 9, " \
	"\"<\": 10, \"s\": 11, \">\": 12}"
#define BYTE_LEVEL \
	"\"pre_tokenizer\": {\"type\": \"ByteLevel\", \"add_prefix_space\": false}"

static struct tokenizer *gpt2(const char *config)
{
	return opened(FILES({ "vocab.json", GPT2 }, { "merges.txt", MERGES },
			    { "tokenizer_config.json", config }));
}

static struct tokenizer *roberta(const char *config)
{
	return opened(FILES({ "vocab.json", ROBERTA }, { "merges.txt", MERGES },
			    { "tokenizer_config.json", config }));
}

/* A tokenizer.json of GPT-2's pieces, with more members of the model and of the whole. */
static struct tokenizer *whole(const char *of_model, const char *more)
{
	char text[1000];

	snprintf(text, sizeof text,
		 "{\"model\": {\"type\": \"BPE\", \"vocab\": " GPT2 ", %s}, %s}", of_model,
		 more);
	return opened(FILES({ "tokenizer.json", text }));
}

static void encodes_plain(const struct tokenizer *t, const char *text, const char *want)
{
	struct encoding x = { 0 };
	struct err e = { 0 };
	char got[MANY];

	assert_int_equal(tokenizer_encode_plain(t, text, strlen(text), &x, &e), EX_OK);
	print_tokens(&x, false, got, sizeof got);
	assert_string_equal(got, want);
	encoding_free(&x);
}

static void decodes(const struct tokenizer *t, const uint32_t *ids, size_t n,
		    bool skip_special, const char *want)
{
	struct strbuf text = { 0 };
	struct err e = { 0 };

	assert_int_equal(tokenizer_decode(t, ids, n, skip_special, &text, &e), EX_OK);
	assert_string_equal(text.s == NULL ? "" : text.s, want);
	strbuf_free(&text);
}

/* ---- which tokenizer ------------------------------------------------------------------
 */

static void gpt_2_puts_nothing_around_a_text(void **state)
{
	struct tokenizer *t = gpt2("{}");

	(void)state;
	encodes(t, "ab a", NULL, MANY, "3 4");
	encodes(t, "ab", " a", MANY, "3/0 4/1");
	encodes(t, "a<|endoftext|> a", NULL, MANY, "0 5 4");
	encodes(t, "", NULL, MANY, "");
	assert_int_equal(tokenizer_size(t), 6);
	assert_int_equal(tokenizer_end(t), 5);
	assert_int_equal(tokenizer_pad(t), -1);
	assert_string_equal(tokenizer_files(t)[0], "tokenizer_config.json");
	assert_string_equal(tokenizer_files(t)[1], "vocab.json");
	assert_string_equal(tokenizer_files(t)[2], "merges.txt");
	assert_null(tokenizer_files(t)[3]);
	tokenizer_close(t);
}

static void roberta_puts_two_tokens_between_the_texts_of_a_pair(void **state)
{
	struct tokenizer *t = roberta("{}");

	(void)state;
	encodes(t, "ab a", NULL, MANY, "5 3 4 7");
	encodes(t, "ab", " a", MANY, "5/0 3/0 7/0 7/0 4/0 7/0");
	encodes(t, "a <mask> a", NULL, MANY, "5 0 2 9 4 7");
	encodes(t, "", NULL, MANY, "5 7");
	assert_int_equal(tokenizer_end(t), 7);
	assert_int_equal(tokenizer_pad(t), 6);
	tokenizer_close(t);
}

static void the_class_decides_else_the_model_type_else_the_vocabulary(void **state)
{
	struct tokenizer *t = roberta("{\"tokenizer_class\": \"GPT2TokenizerFast\"}");

	(void)state;
	encodes(t, "a<s>", NULL, MANY, "0 10 11 12");
	tokenizer_close(t);
	t = opened(FILES({ "vocab.json", ROBERTA }, { "merges.txt", MERGES },
			 { "config.json", "{\"model_type\": \"gpt2\"}" }));
	encodes(t, "a", NULL, MANY, "0");
	tokenizer_close(t);
	t = opened(FILES(
	    { "vocab.json", ROBERTA }, { "merges.txt", MERGES },
	    { "tokenizer_config.json", "{\"tokenizer_class\": \"RobertaTokenizer\"}" },
	    { "config.json", "{\"model_type\": \"gpt2\"}" }));
	encodes(t, "a", NULL, MANY, "5 0 7");
	tokenizer_close(t);
	t = opened(FILES({ "vocab.json", ROBERTA }, { "merges.txt", MERGES },
			 { "config.json", "{\"model_type\": \"gpt2\", \"tokenizer_class\": "
					  "\"RobertaTokenizerFast\"}" }));
	encodes(t, "a", NULL, MANY, "5 0 7");
	tokenizer_close(t);
}

static void the_configuration_changes_what_stands_around(void **state)
{
	struct tokenizer *t = gpt2("{\"add_bos_token\": true, \"add_prefix_space\": true, "
				   "\"pad_token\": \"<|endoftext|>\"}");

	(void)state;
	encodes(t, "ab<|endoftext|>a", NULL, MANY, "5 2 3 5 4");
	encodes(t, "a", "a", MANY, "5/0 4/0 5/1 4/1");
	assert_int_equal(tokenizer_pad(t), 5);
	tokenizer_close(t);
	t = gpt2("{\"add_eos_token\": true}");
	encodes(t, "a", "b", MANY, "0/0 5/0 1/1 5/1");
	tokenizer_close(t);
	t = roberta("{\"mask_token\": {\"content\": \"<mask>\", \"lstrip\": true}}");
	encodes(t, "a <mask> a", NULL, MANY, "5 0 9 4 7");
	tokenizer_close(t);
}

static void pairs_are_cut_with_room_for_four_tokens(void **state)
{
	struct tokenizer *t = roberta("{}");
	struct encoding x = { 0 };
	struct err e = { 0 };

	(void)state;
	encodes(t, "bbb", "bb", 7, "5/0 1/0 1/0 7/0 7/0 1/0 7/0");
	encodes(t, "bb", "bbb", 7, "5/0 1/0 7/0 7/0 1/0 1/0 7/0");
	encodes(t, "bbb", "b", 4, "5/0 7/0 7/0 7/0");
	encodes(t, "bbb", NULL, 3, "5 1 7");
	assert_int_equal(tokenizer_encode(t, "b", 1, "b", 1, 3, &x, &e), EX_USAGE);
	encoding_free(&x);
	tokenizer_close(t);
}

/* ---- tokenizer.json -------------------------------------------------------------------
 */

static void merges_are_read_in_both_their_forms(void **state)
{
	struct tokenizer *t = whole("\"merges\": [\"a b\", \"" SPACE " a\"]", BYTE_LEVEL);

	(void)state;
	encodes(t, "ab a", NULL, MANY, "3 4");
	tokenizer_close(t);
	t = whole("\"merges\": [[\"a\", \"b\"], [\"" SPACE "\", \"a\"]]", BYTE_LEVEL);
	encodes(t, "ab a", NULL, MANY, "3 4");
	tokenizer_close(t);
}

static void the_model_says_what_happens_to_words(void **state)
{
	struct tokenizer *t = whole("\"merges\": [], \"ignore_merges\": true", BYTE_LEVEL);

	(void)state;
	encodes(t, "ab aab", NULL, MANY, "3 2 0 0 1");
	tokenizer_close(t);
	t = whole("\"merges\": [], \"unk_token\": \"<|endoftext|>\"", BYTE_LEVEL);
	encodes(t, "axxb", NULL, MANY, "0 5 5 1");
	tokenizer_close(t);
	t = whole("\"merges\": [], \"unk_token\": \"<|endoftext|>\", \"fuse_unk\": true",
		  BYTE_LEVEL);
	encodes(t, "axxb", NULL, MANY, "0 5 1");
	tokenizer_close(t);
	t = whole("\"merges\": [\"a b\"]",
		  "\"pre_tokenizer\": {\"type\": \"ByteLevel\", "
		  "\"add_prefix_space\": true, \"use_regex\": false}");
	encodes(t, "ab", NULL, MANY, "2 3");
	tokenizer_close(t);
}

static void a_sequence_of_processors_is_the_one_that_adds_tokens(void **state)
{
	struct tokenizer *t =
	    whole("\"merges\": []", BYTE_LEVEL
		  ", \"post_processor\": {\"type\": \"Sequence\", \"processors\": "
		  "[{\"type\": \"ByteLevel\"}, {\"type\": \"RobertaProcessing\", "
		  "\"sep\": [\"b\", 1], \"cls\": [\"a\", 0]}]}");

	(void)state;
	encodes(t, "b", "a", MANY, "0/0 1/0 1/0 1/0 0/0 1/0");
	tokenizer_close(t);
	t = whole("\"merges\": []", BYTE_LEVEL ", \"post_processor\": {\"type\": "
					       "\"ByteLevel\", \"trim_offsets\": true}");
	encodes(t, "b", "a", MANY, "1/0 0/1");
	tokenizer_close(t);
}

/* ---- files at fault -------------------------------------------------------------------
 */

static void refuses_pieces(const char *pieces, const char *merges, const char *says)
{
	refused(FILES({ "vocab.json", pieces }, { "merges.txt", merges }), EX_DATAERR,
		says);
}

static void refuses_model(const char *of_model, const char *more, const char *says)
{
	char text[1000];

	snprintf(text, sizeof text,
		 "{\"model\": {\"type\": \"BPE\", \"vocab\": " GPT2 "%s}%s}", of_model,
		 more);
	refused(FILES({ "tokenizer.json", text }), EX_DATAERR, says);
}

static void merges_at_fault_are_refused_in_one_line(void **state)
{
	(void)state;
	refused(FILES({ "vocab.json", GPT2 }), EX_NOINPUT, "merges.txt: not there");
	refuses_pieces(GPT2, "a b\na b\n", "merges.txt:2: this merge is there already");
	refuses_pieces(GPT2, "a c\n", "merges.txt:1: not in the vocabulary: c");
	refuses_pieces(GPT2, "c a\n", "merges.txt:1: not in the vocabulary: c");
	refuses_pieces(GPT2, "b a\n", "merges.txt:1: the merged piece is not in");
	refuses_pieces(GPT2, "a b\nab\n", "merges.txt:2: not two pieces with a space");
	refuses_pieces(GPT2, "a b \n", "merges.txt:1: not two pieces with a space");
	refuses_pieces(GPT2, "a \xff\n", "merges.txt:1: not UTF-8");
	refuses_model(", \"merges\": [\"a b\", \"a b\"]", ", " BYTE_LEVEL,
		      "tokenizer.json: merge 2: this merge is there already");
	refuses_model(", \"merges\": [[\"a\"]]", ", " BYTE_LEVEL,
		      "merge 1: neither a string nor a list of two");
	refuses_model(", \"merges\": 3", ", " BYTE_LEVEL, "model.merges is not a list");
}

static void vocabularies_at_fault_are_refused_in_one_line(void **state)
{
	(void)state;
	refuses_pieces("{}", "", "vocab.json: the vocabulary is empty");
	refuses_pieces("{\"a\": 1, \"b\": 1}", "",
		       "vocab.json: two tokens have the number 1");
	refuses_pieces("{\"a\": 99999999999}", "", "the number of token a is not");
	refuses_pieces("{\"a\": -1}", "", "the number of token a is not");
	refuses_pieces("{\"a\": \"b\"}", "", "the number of token a is not");
	refuses_pieces("[]", "", "vocab.json: not an object");
	refuses_pieces("{\"a\": 0, \"<s>\": 1, \"</s>\": 2, ", "", "vocab.json:1:");
	refused(FILES({ "vocab.json", "{\"a\": 0}" }, { "merges.txt", "" },
		      { "config.json", "{\"model_type\": \"roberta\"}" }),
		EX_DATAERR, "the special token </s> is not in the vocabulary");
	refused(FILES({ "vocab.json", "{\"a\": 0}" }, { "merges.txt", "" },
		      { "tokenizer_config.json", "{\"add_bos_token\": true}" }),
		EX_DATAERR, "add_bos_token, but the vocabulary has no such token");
}

static void models_of_another_kind_are_refused_in_one_line(void **state)
{
	(void)state;
	refuses_model(", \"merges\": []", "", "the pre_tokenizer (none) is not supported");
	refuses_model(", \"merges\": []",
		      ", \"normalizer\": {\"type\": \"NFC\"}, " BYTE_LEVEL,
		      "the normalizer NFC is not supported, only none is");
	refuses_model(", \"merges\": [], \"end_of_word_suffix\": \"</w>\"", ", " BYTE_LEVEL,
		      "end_of_word_suffix of a BPE model is not supported");
	refuses_model(", \"merges\": [], \"byte_fallback\": true", ", " BYTE_LEVEL,
		      "byte_fallback of a BPE model");
	refuses_model(", \"merges\": [], \"dropout\": 0.1", ", " BYTE_LEVEL,
		      "dropout of a BPE model");
	refuses_model(", \"merges\": [], \"unk_token\": \"x\"", ", " BYTE_LEVEL,
		      "neither the unknown token x nor one for byte 0");
	refuses_model(
	    ", \"merges\": []",
	    ", " BYTE_LEVEL ", \"post_processor\": {\"type\": \"Sequence\", "
	    "\"processors\": [{\"type\": \"RobertaProcessing\"}, {\"type\": \"BertPr\"}]}",
	    "two of a Sequence add tokens");
	refused(FILES({ "tokenizer.json", "{\"model\": {\"type\": \"BPE\"}}" },
		      { "config.json", "{\"model_type\": \"bert\"}" }),
		EX_DATAERR, "a BPE model, which is not what the class");
}

/* ---- decoding -------------------------------------------------------------------------
 */

static void pieces_become_the_bytes_that_they_were(void **state)
{
	struct tokenizer *t = roberta("{}");
	const uint32_t ids[] = { 5, 3, 4, 2, 9, 7 };

	(void)state;
	decodes(t, ids, 6, false, "<s>ab a <mask></s>");
	decodes(t, ids, 6, true, "ab a ");
	decodes(t, ids, 0, true, "");
	tokenizer_close(t);
}

static void words_of_wordpiece_are_joined_by_spaces(void **state)
{
	struct tokenizer *t = opened(
	    FILES({ "vocab.txt", "[PAD]\n[UNK]\n[CLS]\n[SEP]\n[MASK]\na\n##b\n.\n" }));
	const uint32_t ids[] = { 2, 5, 6, 7, 4, 3, 0 };

	(void)state;
	decodes(t, ids, 7, false, "[CLS] ab . [MASK] [SEP] [PAD]");
	decodes(t, ids, 7, true, "ab .");
	decodes(t, ids + 2, 2, true, "##b .");
	assert_int_equal(tokenizer_end(t), 3);
	assert_int_equal(tokenizer_pad(t), 0);
	encodes_plain(t, "ab [MASK] a", "5 6 4 5");
	tokenizer_close(t);
}

static void a_number_that_is_no_token_is_refused(void **state)
{
	struct tokenizer *t =
	    opened(FILES({ "vocab.json", "{\"a\": 0, \"b\": 3}" }, { "merges.txt", "" }));
	static const uint32_t none[] = { 1, 2, 4, UINT32_MAX };
	struct strbuf text = { 0 };
	struct err e = { 0 };
	size_t i;

	(void)state;
	for (i = 0; i < 4; i++) {
		assert_int_equal(tokenizer_decode(t, &none[i], 1, false, &text, &e),
				 EX_DATAERR);
		assert_non_null(strstr(e.text, "is not the number of a token"));
	}
	strbuf_free(&text);
	tokenizer_close(t);
}

static void encoding_and_decoding_give_the_text_back(void **state)
{
	static const char *const files[] = { "torture.txt", "torture-bpe.txt" };
	char path[500];
	const char *tests = getenv("TESTS");
	struct tokenizer *t;
	struct encoding x = { 0 };
	struct strbuf text = { 0 };
	struct err e = { 0 };
	char *line = NULL;
	size_t cap = 0, i;
	ssize_t n;

	(void)state;
	snprintf(path, sizeof path, "%s/fixtures/tokens-gpt2",
		 tests == NULL ? "tests" : tests);
	if (tokenizer_open(&t, path, &e) != EX_OK)
		fail_msg("%s", e.text);
	for (i = 0; i < 2; i++) {
		FILE *f = open_fixture(files[i]);

		while ((n = getline(&line, &cap, f)) > 0) {
			strbuf_clear(&text);
			assert_int_equal(tokenizer_encode_plain(t, line, (size_t)n, &x, &e),
					 EX_OK);
			assert_int_equal(tokenizer_decode(t, x.ids, x.n, false, &text, &e),
					 EX_OK);
			assert_int_equal(text.len, n);
			assert_memory_equal(text.s, line, (size_t)n);
		}
		fclose(f);
	}
	free(line);
	strbuf_free(&text);
	encoding_free(&x);
	tokenizer_close(t);
}

static void plain_encoding_finds_added_tokens_and_is_not_cut(void **state)
{
	struct tokenizer *t = roberta("{}");

	(void)state;
	encodes_plain(t, "ab<mask> a</s>", "3 9 4 7");
	encodes_plain(t, "", "");
	tokenizer_close(t);
}

/* ---- against transformers -------------------------------------------------------------
 */

static void hard_texts_are_as_transformers_has_them_for_gpt_2(void **state)
{
	(void)state;
	torture("tokens-gpt2", true);
}

static void hard_texts_are_as_transformers_has_them_for_roberta(void **state)
{
	(void)state;
	torture("tokens-roberta", true);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(gpt_2_puts_nothing_around_a_text),
		cmocka_unit_test(roberta_puts_two_tokens_between_the_texts_of_a_pair),
		cmocka_unit_test(the_class_decides_else_the_model_type_else_the_vocabulary),
		cmocka_unit_test(the_configuration_changes_what_stands_around),
		cmocka_unit_test(pairs_are_cut_with_room_for_four_tokens),
		cmocka_unit_test(merges_are_read_in_both_their_forms),
		cmocka_unit_test(the_model_says_what_happens_to_words),
		cmocka_unit_test(a_sequence_of_processors_is_the_one_that_adds_tokens),
		cmocka_unit_test(merges_at_fault_are_refused_in_one_line),
		cmocka_unit_test(vocabularies_at_fault_are_refused_in_one_line),
		cmocka_unit_test(models_of_another_kind_are_refused_in_one_line),
		cmocka_unit_test(pieces_become_the_bytes_that_they_were),
		cmocka_unit_test(words_of_wordpiece_are_joined_by_spaces),
		cmocka_unit_test(a_number_that_is_no_token_is_refused),
		cmocka_unit_test(encoding_and_decoding_give_the_text_back),
		cmocka_unit_test(plain_encoding_finds_added_tokens_and_is_not_cut),
		cmocka_unit_test(hard_texts_are_as_transformers_has_them_for_gpt_2),
		cmocka_unit_test(hard_texts_are_as_transformers_has_them_for_roberta),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
