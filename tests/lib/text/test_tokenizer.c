#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <setjmp.h>
#include <cmocka.h>

#include <unistd.h>

#include "tokens.h"

#define VOCAB "[PAD]\n[UNK]\n[CLS]\n[SEP]\n[MASK]\na\nb\n##c\nA\n\xc3\xa9\n[\n]\nmask\ne\n"

/* ---- reading --------------------------------------------------------------------------
 */

static void a_vocabulary_alone_is_uncased(void **state)
{
	struct tokenizer *t =
	    opened((const struct file[]){ { "vocab.txt", VOCAB }, { NULL, NULL } });

	(void)state;
	encodes(t, "A ac \xc3\x89", NULL, MANY, "2 5 5 7 13 3");
	assert_int_equal(tokenizer_size(t), 14);
	assert_string_equal(tokenizer_files(t)[0], "vocab.txt");
	assert_null(tokenizer_files(t)[1]);
	tokenizer_close(t);
}

static void the_configuration_changes_the_normal_form(void **state)
{
	struct tokenizer *t = opened((const struct file[]){
	    { "vocab.txt", VOCAB },
	    { "tokenizer_config.json", "{\"do_lower_case\": false}" },
	    { NULL, NULL } });

	(void)state;
	encodes(t, "A \xc3\xa9", NULL, MANY, "2 8 9 3");
	tokenizer_close(t);
	t = opened((const struct file[]){
	    { "vocab.txt", VOCAB },
	    { "tokenizer_config.json",
	      "{\"do_lower_case\": false, \"strip_accents\": true}" },
	    { NULL, NULL } });
	encodes(t, "A \xc3\xa9", NULL, MANY, "2 8 13 3");
	tokenizer_close(t);
}

static void special_tokens_are_found_in_the_text_as_it_came(void **state)
{
	struct tokenizer *t =
	    opened((const struct file[]){ { "vocab.txt", VOCAB }, { NULL, NULL } });

	(void)state;
	encodes(t, "a[MASK]b [SEP]", NULL, MANY, "2 5 4 6 3 3");
	encodes(t, "[mask]", NULL, MANY, "2 10 12 11 3");
	tokenizer_close(t);
}

static void special_tokens_can_have_other_names(void **state)
{
	struct tokenizer *t = opened((const struct file[]){
	    { "vocab.txt", "<pad>\n<unk>\n<s>\n</s>\na\n[\n]\nmask\n" },
	    { "special_tokens_map.json",
	      "{\"unk_token\": \"<unk>\", \"cls_token\": \"<s>\", "
	      "\"sep_token\": {\"content\": \"</s>\", \"rstrip\": true}}" },
	    { NULL, NULL } });

	(void)state;
	encodes(t, "a x</s>  a[MASK]", NULL, MANY, "2 4 1 3 4 5 7 6 3");
	assert_int_equal(tokenizer_size(t), 8);
	tokenizer_close(t);
}

static void added_tokens_come_behind_the_vocabulary(void **state)
{
	struct tokenizer *t = opened(
	    (const struct file[]){ { "vocab.txt", VOCAB },
				   { "tokenizer_config.json",
				     "{\"added_tokens_decoder\": {\"14\": {\"content\": "
				     "\"New\", \"normalized\": true, \"special\": false}}, "
				     "\"additional_special_tokens\": [\"[X]\"]}" },
				   { NULL, NULL } });

	(void)state;
	encodes(t, "a new[X]NEW [x]", NULL, MANY, "2 5 14 15 14 10 1 11 3");
	assert_int_equal(tokenizer_size(t), 16);
	tokenizer_close(t);
}

#define MODEL                                                                           \
	"\"model\": {\"type\": \"WordPiece\", \"vocab\": {\"[UNK]\": 0, \"[CLS]\": 1, " \
	"\"[SEP]\": 2, \"a\": 9, \"##a\": 4, \"A\": 5}}"

static void tokenizer_json_comes_before_vocab_txt(void **state)
{
	struct tokenizer *t = opened((const struct file[]){
	    { "vocab.txt", VOCAB },
	    { "config.json", "{\"model_type\": \"bert\"}" },
	    { "tokenizer.json", "{" MODEL ", \"truncation\": {\"max_length\": 3}}" },
	    { NULL, NULL } });

	(void)state;
	encodes(t, "Aa a a", NULL, MANY, "1 9 4 9 9 2");
	assert_int_equal(tokenizer_size(t), 10);
	tokenizer_close(t);
	t = opened(
	    (const struct file[]){ { "vocab.txt", VOCAB },
				   { "config.json", "{\"model_type\": \"bert\"}" },
				   { "tokenizer.json", "{\"model\": {\"type\": \"BPE\"}}" },
				   { NULL, NULL } });
	encodes(t, "a", NULL, MANY, "2 5 3");
	tokenizer_close(t);
}

static void a_template_says_what_stands_around_a_text(void **state)
{
	struct tokenizer *t = opened((const struct file[]){
	    { "tokenizer.json",
	      "{" MODEL ", \"normalizer\": {\"type\": \"BertNormalizer\", "
	      "\"lowercase\": false}, \"pre_tokenizer\": {\"type\": \"BertPreTokenizer\"}, "
	      "\"post_processor\": {\"type\": \"TemplateProcessing\", \"single\": "
	      "[{\"Sequence\": {\"id\": \"A\", \"type_id\": 0}}], \"pair\": "
	      "[{\"Sequence\": {\"id\": \"B\", \"type_id\": 4}}, {\"SpecialToken\": "
	      "{\"id\": "
	      "\"[SEP]\", \"type_id\": 2}}, {\"Sequence\": {\"id\": \"A\", \"type_id\": "
	      "3}}], "
	      "\"special_tokens\": {\"[SEP]\": {\"ids\": [2, 1]}}}}" },
	    { NULL, NULL } });

	(void)state;
	encodes(t, "A a", NULL, MANY, "5 9");
	encodes(t, "A", "a", MANY, "9/4 2/2 1/2 5/3");
	tokenizer_close(t);
}

static void files_at_fault_are_refused_in_one_line(void **state)
{
	(void)state;
	refused((const struct file[]){ { NULL, NULL } }, EX_NOINPUT,
		"neither tokenizer.json nor");
	refused(FILES({ "vocab.txt", "" }), EX_DATAERR,
		"vocab.txt: the vocabulary is empty");
	refused(FILES({ "vocab.txt", "[UNK]\n[CLS]\n[SEP]\na\na \n" }), EX_DATAERR,
		"vocab.txt:5: token a is there already, as number 3");
	refused(FILES({ "vocab.txt", "[UNK]\n\xff\n" }), EX_DATAERR,
		"vocab.txt:2: not UTF-8");
	refused(FILES({ "vocab.txt", "[CLS]\n[SEP]\n" }), EX_DATAERR,
		"[UNK] is not in the");
	refused(FILES({ "vocab.txt", "[UNK]\n[SEP]\n" }), EX_DATAERR,
		"[CLS] is not in the");
	refused(FILES({ "vocab.txt", "[UNK]\n[CLS]\n" }), EX_DATAERR,
		"[SEP] is not in the");
	refused(FILES({ "vocab.json", "{}" }), EX_NOINPUT, "merges.txt: not there");
	refused(
	    FILES({ "tokenizer.json", "{\"model\": {\"type\": \"Unigram\"}}" }), EX_DATAERR,
	    "tokenizer.json: the model Unigram is not supported, only WordPiece or BPE");
	refused(FILES({ "tokenizer.json", "[]" }), EX_DATAERR,
		"tokenizer.json: not an object");
	refused(
	    FILES({ "tokenizer.json", "{\"model\": {\"type\": \"WordPiece\", \"vocab\": "
				      "{\"a\": -1}}}" }),
	    EX_DATAERR, "the number of token a is not an integer from 0");
	refused(
	    FILES({ "tokenizer.json", "{\"model\": {\"type\": \"WordPiece\", \"vocab\": "
				      "{\"a\": 99999999999}}}" }),
	    EX_DATAERR, "the number of token a is not");
	refused(FILES({ "tokenizer.json", "{" MODEL "}" }), EX_DATAERR,
		"the normalizer (none)");
	refused(
	    FILES({ "tokenizer.json", "{" MODEL ", \"added_tokens\": [{\"content\": \"x\", "
				      "\"id\": 1e9}]}" },
		  { "config.json", "{\"model_type\": \"bert\"}" }),
	    EX_DATAERR, "the number of added token x");
	refused(FILES({ "vocab.txt", VOCAB },
		      { "tokenizer_config.json", "{\"do_lower_case\": 1}" }),
		EX_DATAERR, "do_lower_case is not true or false");
	refused(FILES({ "vocab.txt", VOCAB },
		      { "special_tokens_map.json", "{\"cls_token\": 3}" }),
		EX_DATAERR, "special_tokens_map.json: an added token is");
}

/* ---- cutting --------------------------------------------------------------------------
 */

static void a_text_is_cut_at_its_end(void **state)
{
	struct tokenizer *t =
	    opened((const struct file[]){ { "vocab.txt", VOCAB }, { NULL, NULL } });

	(void)state;
	encodes(t, "a b a b", NULL, 6, "2 5 6 5 6 3");
	encodes(t, "a b a b", NULL, 5, "2 5 6 5 3");
	encodes(t, "ac ac", NULL, 5, "2 5 7 5 3");
	encodes(t, "a b", NULL, 2, "2 3");
	tokenizer_close(t);
}

static void the_longer_text_of_a_pair_is_cut_first(void **state)
{
	struct tokenizer *t =
	    opened((const struct file[]){ { "vocab.txt", VOCAB }, { NULL, NULL } });

	(void)state;
	encodes(t, "a", "b b b b", 6, "2/0 5/0 3/0 6/1 6/1 3/1");
	encodes(t, "a a a a", "b", 6, "2/0 5/0 5/0 3/0 6/1 3/1");
	encodes(t, "a a a", "b b b", 8, "2/0 5/0 5/0 3/0 6/1 6/1 6/1 3/1");
	encodes(t, "a a a a", "b b b", 8, "2/0 5/0 5/0 5/0 3/0 6/1 6/1 3/1");
	encodes(t, "a", "b", 4, "2/0 3/0 6/1 3/1");
	encodes(t, "a", "b", 3, "2/0 3/0 3/1");
	encodes(t, "", "b", MANY, "2/0 3/0 6/1 3/1");
	tokenizer_close(t);
}

static void no_room_for_special_tokens_is_an_error(void **state)
{
	struct tokenizer *t =
	    opened((const struct file[]){ { "vocab.txt", VOCAB }, { NULL, NULL } });
	struct encoding x = { 0 };
	struct err e = { 0 };

	(void)state;
	assert_int_equal(tokenizer_encode(t, "a", 1, NULL, 0, 1, &x, &e), EX_USAGE);
	assert_non_null(strstr(e.text, "no room for the 2 special ones"));
	assert_int_equal(tokenizer_encode(t, "a", 1, "b", 1, 2, &x, &e), EX_USAGE);
	encoding_free(&x);
	tokenizer_close(t);
}

static void an_encoding_can_be_used_again(void **state)
{
	struct tokenizer *t =
	    opened((const struct file[]){ { "vocab.txt", VOCAB }, { NULL, NULL } });
	struct encoding x = { 0 };
	struct err e = { 0 };
	char got[MANY];

	(void)state;
	assert_int_equal(tokenizer_encode(t, "a \xff \xe2\x82 a", 8, "b", 1, MANY, &x, &e),
			 0);
	assert_int_equal(tokenizer_encode(t, "b\0a", 3, NULL, 0, MANY, &x, &e), EX_OK);
	print_tokens(&x, true, got, sizeof got);
	assert_string_equal(got, "2/0 1/0 3/0"); /* a NUL is dropped: "ba" is unknown */
	encoding_free(&x);
	assert_int_equal(x.n, 0);
	tokenizer_close(t);
}

/* ---- against transformers -------------------------------------------------------------
 */

/* Made by tests/ref/tokens.py --fixtures. */
static void hard_texts_are_as_transformers_has_them_uncased(void **state)
{
	(void)state;
	torture("tokens-plain", false);
}

static void hard_texts_are_as_transformers_has_them_with_added_tokens(void **state)
{
	(void)state;
	torture("tokens-whole", false);
}

/* Tokens of every line of a file, and their checksum. */
static void sum_lines(const struct tokenizer *t, const char *path, size_t *total,
		      uint32_t *sum)
{
	FILE *f = fopen(path, "r");
	struct encoding x = { 0 };
	struct err e = { 0 };
	char *line = NULL;
	size_t cap = 0, i;
	ssize_t n;

	assert_non_null(f);
	*total = *sum = 0;
	while ((n = getline(&line, &cap, f)) > 0) {
		n -= line[n - 1] == '\n';
		assert_int_equal(
		    tokenizer_encode(t, line, (size_t)n, NULL, 0, SIZE_MAX, &x, &e), EX_OK);
		*total += x.n;
		for (i = 0; i < x.n; i++)
			*sum = *sum * 31 + x.ids[i];
	}
	free(line);
	encoding_free(&x);
	fclose(f);
}

/* The numbers are printed by tests/ref/tokens.py --sums, out of transformers. */
static void published_vocabularies_give_the_published_tokens(void **state)
{
	static const char *const files[] = { "sst2", "cola", "mrpc", "stsb" };
	static const struct {
		const char *dir;
		struct sum {
			size_t total;
			uint32_t sum;
		} want[4];
	} dirs[] = {
		{ "models/minilm-l3",
		  { { 964392, 0x0634b28bu },
		    { 133545, 0x1bd3c20du },
		    { 220909, 0x1d7780e7u },
		    { 251405, 0xab683438u } } },
		{ "tokenizers/bert-uncased",
		  { { 964392, 0x0634b28bu },
		    { 133545, 0x1bd3c20du },
		    { 220909, 0x1d7780e7u },
		    { 251405, 0xab683438u } } },
		{ "tokenizers/gpt2",
		  { { 967109, 0x651f3a32u },
		    { 139103, 0xe0319344u },
		    { 223146, 0x5ad72b6cu },
		    { 291695, 0x0cdf9f1au } } },
		{ "tokenizers/roberta",
		  { { 1101809, 0x03af8035u },
		    { 156205, 0x0b90fb99u },
		    { 230482, 0xd8bf4579u },
		    { 303195, 0xd31e3e7du } } },
	};
	const char *shared = getenv("ADAPEFT_SHARED");
	size_t d, i;

	(void)state;
	if (shared == NULL)
		shared = "../shared";
	for (d = 0; d < 4; d++) {
		struct tokenizer *t;
		struct err e = { 0 };
		char path[500];

		snprintf(path, sizeof path, "%s/%s", shared, dirs[d].dir);
		if (access(path, R_OK) != 0)
			skip();
		if (tokenizer_open(&t, path, &e) != EX_OK)
			fail_msg("%s", e.text);
		for (i = 0; i < 4; i++) {
			size_t total;
			uint32_t sum;

			snprintf(path, sizeof path, "%s/data/glue/%s/train.tsv", shared,
				 files[i]);
			sum_lines(t, path, &total, &sum);
			assert_int_equal(total, dirs[d].want[i].total);
			assert_int_equal(sum, dirs[d].want[i].sum);
		}
		tokenizer_close(t);
	}
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(a_vocabulary_alone_is_uncased),
		cmocka_unit_test(the_configuration_changes_the_normal_form),
		cmocka_unit_test(special_tokens_are_found_in_the_text_as_it_came),
		cmocka_unit_test(special_tokens_can_have_other_names),
		cmocka_unit_test(added_tokens_come_behind_the_vocabulary),
		cmocka_unit_test(tokenizer_json_comes_before_vocab_txt),
		cmocka_unit_test(a_template_says_what_stands_around_a_text),
		cmocka_unit_test(files_at_fault_are_refused_in_one_line),
		cmocka_unit_test(a_text_is_cut_at_its_end),
		cmocka_unit_test(the_longer_text_of_a_pair_is_cut_first),
		cmocka_unit_test(no_room_for_special_tokens_is_an_error),
		cmocka_unit_test(an_encoding_can_be_used_again),
		cmocka_unit_test(hard_texts_are_as_transformers_has_them_uncased),
		cmocka_unit_test(hard_texts_are_as_transformers_has_them_with_added_tokens),
		cmocka_unit_test(published_vocabularies_give_the_published_tokens),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
