#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <cmocka.h>

#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#include "base/str.h"
#include "model/family.h"

static char dir[] = "/tmp/config.XXXXXX";
static char path[sizeof dir + sizeof "/config.json"];

static int make_dir(void **state)
{
	(void)state;
	if (mkdtemp(dir) == NULL)
		return -1;
	snprintf(path, sizeof path, "%s/config.json", dir);
	return 0;
}

static int remove_dir(void **state)
{
	(void)state;
	unlink(path);
	return rmdir(dir);
}

static void put(const char *json)
{
	FILE *f = fopen(path, "w");

	assert_non_null(f);
	assert_true(fputs(json, f) >= 0);
	assert_int_equal(fclose(f), 0);
}

/* Reads {"model_type": "bert" MORE}. */
static int read_with(struct config *c, const char *more, struct err *e)
{
	char *json = str_printf("{\"model_type\": \"bert\"%s}", more);

	put(json);
	free(json);
	return config_read(c, dir, e);
}

static void refused(const char *more, const char *why)
{
	struct config c;
	struct err e = { 0 };

	assert_int_equal(read_with(&c, more, &e), EX_DATAERR);
	if (strstr(e.text, why) == NULL)
		fail_msg("'%s' lacks '%s'", e.text, why);
	assert_true(str_starts(e.text, path));
	assert_null(c.json);
}

static int read_as(struct config *c, const char *type, const char *more, struct err *e)
{
	char *json = str_printf("{\"model_type\": \"%s\"%s}", type, more);

	put(json);
	free(json);
	return config_read(c, dir, e);
}

static void refused_as(const char *type, const char *more, const char *why)
{
	struct config c;
	struct err e = { 0 };

	assert_int_equal(read_as(&c, type, more, &e), EX_DATAERR);
	if (strstr(e.text, why) == NULL)
		fail_msg("'%s' lacks '%s'", e.text, why);
	assert_true(str_starts(e.text, path));
	assert_null(c.json);
}

/* transformers.BertConfig() */
static void absent_keys_are_as_transformers_has_them(void **state)
{
	struct config c;
	struct err e;

	(void)state;
	assert_int_equal(read_with(&c, "", &e), EX_OK);
	assert_ptr_equal(c.arch, &architecture_bert);
	assert_int_equal(c.layers, 12);
	assert_int_equal(c.width, 768);
	assert_int_equal(c.heads, 12);
	assert_int_equal(c.inner, 3072);
	assert_int_equal(c.vocab, 30522);
	assert_int_equal(c.positions, 512);
	assert_int_equal(c.types, 2);
	assert_int_equal(c.act, ACT_GELU);
	assert_true(c.norm_eps == 1e-12f);
	assert_true(c.dropout == 0.1f && c.attention_dropout == 0.1f &&
		    c.head_dropout == 0.1f);
	assert_true(c.init_std == 0.02);
	assert_int_equal(c.labels, 2);
	assert_false(c.regression);
	config_free(&c);
}

/* transformers' DistilBertConfig(), RobertaConfig(), GPT2Config() and ViTConfig() */
static void absent_keys_of_other_families_are_as_transformers_has_them(void **state)
{
	struct config c;
	struct err e;

	(void)state;
	assert_int_equal(read_as(&c, "distilbert", "", &e), EX_OK);
	assert_int_equal(c.layers, 6);
	assert_int_equal(c.inner, 3072);
	assert_int_equal(c.types, 0);
	assert_true(c.head_dropout == 0.2f && c.dropout == 0.1f);
	config_free(&c);
	assert_int_equal(read_as(&c, "roberta", "", &e), EX_OK);
	assert_int_equal(c.vocab, 50265);
	assert_int_equal(c.pad_token, 1);
	assert_int_equal(c.positions, 510);
	assert_int_equal(c.types, 2);
	config_free(&c);
	assert_int_equal(read_as(&c, "gpt2", ",\"n_inner\":null", &e), EX_OK);
	assert_int_equal(c.vocab, 50257);
	assert_int_equal(c.positions, 1024);
	assert_int_equal(c.inner, 4 * 768);
	assert_int_equal(c.act, ACT_GELU_NEW);
	assert_true(c.tied && c.scaled && !c.scaled_by_layer);
	assert_true(c.embedding_dropout == 0.1f && c.norm_eps == 1e-5f);
	config_free(&c);
	assert_int_equal(read_as(&c, "vit", "", &e), EX_OK);
	assert_int_equal(c.positions, 1 + 14 * 14);
	assert_int_equal(c.channels, 3);
	assert_true(c.qkv_bias && c.dropout == 0 && c.attention_dropout == 0);
	config_free(&c);
}

static void an_image_has_as_many_patches_as_fit(void **state)
{
	struct config c;
	struct err e;

	(void)state;
	assert_int_equal(
	    read_as(&c, "vit", ",\"image_size\":[20,32],\"patch_size\":[6,8]", &e), EX_OK);
	assert_int_equal(c.image_height, 20);
	assert_int_equal(c.image_width, 32);
	assert_int_equal(c.patch_height, 6);
	assert_int_equal(c.patch_width, 8);
	assert_int_equal(c.positions, 1 + 3 * 4);
	config_free(&c);
	refused_as("vit", ",\"patch_size\":225", "patch_size exceeds image_size");
	refused_as("vit", ",\"image_size\":[8,32]", "patch_size exceeds image_size");
	refused_as("vit", ",\"image_size\":[224]", "image_size is neither a number nor");
	refused_as("vit", ",\"image_size\":[224,\"224\"]", "image_size is neither");
	refused_as("vit", ",\"image_size\":\"224\"", "image_size is not an integer");
	refused_as("vit", ",\"patch_size\":[16,0]", "patch_size is neither");
	refused_as("vit", ",\"image_size\":8192,\"patch_size\":1",
		   "make 67108864 patches of an image, more than 1048575");
	refused_as("vit", ",\"num_channels\":5", "num_channels is 5, not in 1 to 4");
}

static void a_padding_token_must_leave_positions(void **state)
{
	(void)state;
	refused_as("roberta", ",\"pad_token_id\":511", "pad_token_id, 511, leaves no");
	refused_as("roberta", ",\"pad_token_id\":-1", "pad_token_id, -1, leaves no");
	refused_as("roberta", ",\"pad_token_id\":50265", "not in the vocabulary");
	refused_as("bert", ",\"pad_token_id\":9223372036854775807",
		   "pad_token_id is 9223372036854775807, not in the vocabulary of 30522");
	refused_as("distilbert", ",\"pad_token_id\":-2", "pad_token_id is -2, not in");
	refused_as("roberta", ",\"pad_token_id\":\"1\"", "pad_token_id is not an integer");
}

static void every_family_refuses_what_it_cannot_be(void **state)
{
	(void)state;
	refused_as("gpt2", ",\"n_inner\":0", "n_inner is 0, not in 1 to");
	refused_as("gpt2", ",\"n_head\":5", "heads, 5, does not divide the width, 768");
	refused_as("gpt2", ",\"n_embd\":\"768\"", "n_embd is not an integer");
	refused_as("gpt2", ",\"n_positions\":99999999999", "n_positions is 99999999999");
	refused_as("gpt2", ",\"add_cross_attention\":true", "add_cross_attention is true");
	refused_as("gpt2", ",\"tie_word_embeddings\":\"yes\"",
		   "tie_word_embeddings is not true or false");
	refused_as("gpt2", ",\"scale_attn_weights\":1", "scale_attn_weights is not true");
	refused_as("distilbert", ",\"n_layers\":\"6\"", "n_layers is not an integer");
	refused_as("distilbert", ",\"n_heads\":7", "heads, 7, does not divide");
	refused_as("distilbert", ",\"seq_classif_dropout\":1", "seq_classif_dropout is 1");
	refused_as("vit", ",\"qkv_bias\":0", "qkv_bias is not true or false");
	refused_as("vit", ",\"num_attention_heads\":13", "heads, 13, does not divide");
	refused_as("roberta", ",\"is_decoder\":true", "is_decoder is true");
}

static void what_is_said_is_read(void **state)
{
	struct config c;
	struct err e;

	(void)state;
	assert_int_equal(
	    read_with(
		&c,
		",\"hidden_size\":24,\"num_hidden_layers\":1,\"num_attention_heads\":3,"
		"\"intermediate_size\":5,\"vocab_size\":7,"
		"\"max_position_embeddings\":11,\"type_vocab_size\":1,"
		"\"layer_norm_eps\":0.5,\"hidden_dropout_prob\":0.25,"
		"\"attention_probs_dropout_prob\":0,\"initializer_range\":1,"
		"\"hidden_act\":\"relu\",\"num_labels\":4",
		&e),
	    EX_OK);
	assert_int_equal(c.width, 24);
	assert_int_equal(c.layers, 1);
	assert_int_equal(c.heads, 3);
	assert_int_equal(c.inner, 5);
	assert_int_equal(c.vocab, 7);
	assert_int_equal(c.positions, 11);
	assert_int_equal(c.types, 1);
	assert_true(c.norm_eps == 0.5f);
	assert_true(c.dropout == 0.25f && c.attention_dropout == 0);
	assert_true(c.init_std == 1);
	assert_int_equal(c.act, ACT_RELU);
	assert_int_equal(c.labels, 4);
	config_free(&c);
}

static void the_heads_dropout_is_the_hidden_one_unless_said(void **state)
{
	struct config c;
	struct err e;

	(void)state;
	assert_int_equal(
	    read_with(&c, ",\"hidden_dropout_prob\":0.25,\"classifier_dropout\":null", &e),
	    EX_OK);
	assert_true(c.head_dropout == 0.25f);
	config_free(&c);
	assert_int_equal(read_with(&c, ",\"classifier_dropout\":0.5", &e), EX_OK);
	assert_true(c.head_dropout == 0.5f);
	config_free(&c);
}

static void every_activation_has_its_names(void **state)
{
	static const struct {
		const char *more;
		enum activation act;
	} cases[] = {
		{ ",\"hidden_act\":\"gelu\"", ACT_GELU },
		{ ",\"hidden_act\":\"gelu_new\"", ACT_GELU_NEW },
		{ ",\"hidden_act\":\"gelu_pytorch_tanh\"", ACT_GELU_NEW },
		{ ",\"hidden_act\":\"relu\"", ACT_RELU },
		{ ",\"hidden_act\":\"silu\"", ACT_SILU },
		{ ",\"hidden_act\":\"swish\"", ACT_SILU },
		{ ",\"hidden_act\":\"tanh\"", ACT_TANH },
	};

	(void)state;
	for (size_t i = 0; i < sizeof cases / sizeof cases[0]; i++) {
		struct config c;
		struct err e;

		assert_int_equal(read_with(&c, cases[i].more, &e), EX_OK);
		assert_int_equal(c.act, cases[i].act);
		config_free(&c);
	}
	refused(",\"hidden_act\":\"mish\"",
		"hidden_act 'mish' is not known; known are gelu");
}

static void id2label_counts_before_num_labels(void **state)
{
	struct config c;
	struct err e;

	(void)state;
	assert_int_equal(read_with(&c,
				   ",\"num_labels\":7,"
				   "\"id2label\":{\"0\":\"a\",\"1\":\"b\",\"2\":\"c\"}",
				   &e),
			 EX_OK);
	assert_int_equal(c.labels, 3);
	config_free(&c);
	refused(",\"id2label\":{}", "id2label has 0 labels");
	refused(",\"id2label\":[\"a\",\"b\"]", "id2label is no object");
}

static void a_single_label_is_a_regression(void **state)
{
	struct config c;
	struct err e;

	(void)state;
	assert_int_equal(read_with(&c, ",\"num_labels\":1", &e), EX_OK);
	assert_true(c.regression);
	config_free(&c);
	refused(",\"num_labels\":2,\"problem_type\":\"regression\"",
		"problem_type regression");
	refused(",\"problem_type\":\"multi_label_classification\"", "multi_label");
}

static void sizes_out_of_range_are_refused_by_name(void **state)
{
	(void)state;
	refused(",\"hidden_size\":0", "hidden_size is 0, not in 1 to 65536");
	refused(",\"hidden_size\":-8", "hidden_size is -8");
	refused(",\"hidden_size\":4294967296", "hidden_size is 4294967296");
	refused(",\"num_hidden_layers\":1000000", "num_hidden_layers is 1000000");
	refused(",\"vocab_size\":99999999999", "vocab_size is 99999999999");
	refused(",\"num_attention_heads\":7", "heads, 7, does not divide the width, 768");
	refused(",\"num_labels\":0", "num_labels is 0");
}

static void wrong_types_are_refused_by_name(void **state)
{
	(void)state;
	refused(",\"hidden_size\":\"768\"", "hidden_size is not an integer");
	refused(",\"hidden_size\":768.5", "hidden_size is not an integer");
	refused(",\"layer_norm_eps\":\"tiny\"", "layer_norm_eps is not a number");
	refused(",\"hidden_act\":3", "hidden_act is not a string");
	refused(",\"is_decoder\":\"no\"", "is_decoder is not true or false");
}

static void probabilities_out_of_range_are_refused(void **state)
{
	(void)state;
	refused(",\"hidden_dropout_prob\":1", "hidden_dropout_prob is 1");
	refused(",\"attention_probs_dropout_prob\":-0.1",
		"attention_probs_dropout_prob is -0.1");
	refused(",\"layer_norm_eps\":-1", "layer_norm_eps is -1");
}

static void what_is_not_computed_is_refused(void **state)
{
	(void)state;
	refused(",\"is_decoder\":true", "is_decoder is true: only as an encoder");
	refused(",\"add_cross_attention\":true", "add_cross_attention is true");
	refused(",\"position_embedding_type\":\"relative_key\"",
		"'relative_key' is not supported");
}

static void an_unknown_family_lists_the_known(void **state)
{
	struct config c;
	struct err e;

	(void)state;
	put("{\"model_type\":\"t5\"}");
	assert_int_equal(config_read(&c, dir, &e), EX_DATAERR);
	assert_non_null(
	    strstr(e.text, "model_type 't5' is not supported; known are: bert, "));
	put("{\"hidden_size\":8}");
	assert_int_equal(config_read(&c, dir, &e), EX_DATAERR);
	assert_non_null(strstr(e.text, "model_type is missing"));
	put("[]");
	assert_int_equal(config_read(&c, dir, &e), EX_DATAERR);
	assert_non_null(strstr(e.text, "no JSON object"));
}

static void a_missing_file_is_no_input(void **state)
{
	struct config c;
	struct err e;

	(void)state;
	unlink(path);
	assert_int_equal(config_read(&c, dir, &e), EX_NOINPUT);
	assert_non_null(strstr(e.text, "config.json"));
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(absent_keys_are_as_transformers_has_them),
		cmocka_unit_test(
		    absent_keys_of_other_families_are_as_transformers_has_them),
		cmocka_unit_test(an_image_has_as_many_patches_as_fit),
		cmocka_unit_test(a_padding_token_must_leave_positions),
		cmocka_unit_test(every_family_refuses_what_it_cannot_be),
		cmocka_unit_test(what_is_said_is_read),
		cmocka_unit_test(the_heads_dropout_is_the_hidden_one_unless_said),
		cmocka_unit_test(every_activation_has_its_names),
		cmocka_unit_test(id2label_counts_before_num_labels),
		cmocka_unit_test(a_single_label_is_a_regression),
		cmocka_unit_test(sizes_out_of_range_are_refused_by_name),
		cmocka_unit_test(wrong_types_are_refused_by_name),
		cmocka_unit_test(probabilities_out_of_range_are_refused),
		cmocka_unit_test(what_is_not_computed_is_refused),
		cmocka_unit_test(an_unknown_family_lists_the_known),
		cmocka_unit_test(a_missing_file_is_no_input),
	};

	return cmocka_run_group_tests(tests, make_dir, remove_dir);
}
