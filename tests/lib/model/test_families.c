/*
 * What is particular to a family: its layout, its heads, how its weights are saved. The
 * numbers are held to PyTorch's in test_golden.c.
 */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <cmocka.h>

#include <dirent.h>
#include <math.h>
#include <unistd.h>

#include "../batch_text.h"
#include "../models.h"
#include "io/file.h"
#include "io/json.h"
#include "model/family.h"
#include "model/pass.h"

static const struct head_spec as_saved = { 0 };
static const struct head_spec language = { .language = true };

/* ---- a directory of one's own ---- */

static char scratch[32];

static int make_scratch(void **state)
{
	(void)state;
	strcpy(scratch, P_tmpdir "/families.XXXXXX");
	return mkdtemp(scratch) == NULL ? -1 : 0;
}

static int remove_scratch(void **state)
{
	DIR *d = opendir(scratch);
	struct dirent *entry;

	(void)state;
	while ((entry = readdir(d)) != NULL)
		if (entry->d_name[0] != '.')
			assert_int_equal(unlinkat(dirfd(d), entry->d_name, 0), 0);
	closedir(d);
	return rmdir(scratch);
}

static bool holds(const char *name)
{
	char *path = file_join(scratch, name);
	bool there = file_exists(path);

	free(path);
	return there;
}

static void put(const char *name, const char *text)
{
	char *path = file_join(scratch, name);
	FILE *f = fopen(path, "w");

	assert_non_null(f);
	assert_true(fputs(text, f) >= 0);
	assert_int_equal(fclose(f), 0);
	free(path);
}

static void drop(const char *name)
{
	char *path = file_join(scratch, name);

	assert_int_equal(unlink(path), 0);
	free(path);
}

static void copy(const char *fixture_name, const char *name)
{
	char *dir = fixture(fixture_name), *from = file_join(dir, name);
	char *to = file_join(scratch, name);
	struct err e;

	if (file_copy(from, to, &e) != EX_OK)
		fail_msg("%s", e.text);
	free(dir);
	free(from);
	free(to);
}

static void same_values(const struct model *a, const struct model *b)
{
	assert_int_equal(a->n_params, b->n_params);
	for (size_t i = 0; i < a->n_params; i++) {
		assert_string_equal(a->params[i].save_name, b->params[i].save_name);
		assert_memory_equal(a->params[i].w, b->params[i].w,
				    a->params[i].n * sizeof(float));
	}
}

/* ---- layouts ---- */

static const struct {
	const char *name;
	bool language;
	uint64_t params; /* as PyTorch counts */
	struct {
		const char *name;
		enum param_type type;
		int layer;
	} some[6];
} layouts[] = {
	{ "tiny-distilbert",
	  false,
	  4747,
	  { { "distilbert.embeddings.word_embeddings.weight", TYPE_EMBED, LAYER_EMBED },
	    { "distilbert.transformer.layer.1.attention.q_lin.bias", TYPE_BIAS, 1 },
	    { "distilbert.transformer.layer.1.sa_layer_norm.bias", TYPE_NORM, 1 },
	    { "distilbert.transformer.layer.0.ffn.lin2.weight", TYPE_MLP, 0 },
	    { "pre_classifier.weight", TYPE_HEAD, LAYER_HEAD },
	    { "classifier.bias", TYPE_HEAD, LAYER_HEAD } } },
	{ "tiny-roberta",
	  false,
	  4778,
	  { { "roberta.embeddings.position_embeddings.weight", TYPE_EMBED, LAYER_EMBED },
	    { "roberta.encoder.layer.1.attention.self.key.weight", TYPE_ATTN, 1 },
	    { "roberta.encoder.layer.0.output.LayerNorm.bias", TYPE_NORM, 0 },
	    { "classifier.dense.weight", TYPE_HEAD, LAYER_HEAD },
	    { "classifier.out_proj.weight", TYPE_HEAD, LAYER_HEAD },
	    { "classifier.out_proj.bias", TYPE_HEAD, LAYER_HEAD } } },
	{ "tiny-gpt2",
	  true,
	  4424,
	  { { "transformer.wte.weight", TYPE_EMBED, LAYER_EMBED },
	    { "transformer.wpe.weight", TYPE_EMBED, LAYER_EMBED },
	    { "transformer.h.1.attn.c_attn.weight", TYPE_ATTN, 1 },
	    { "transformer.h.0.mlp.c_proj.weight", TYPE_MLP, 0 },
	    { "transformer.h.0.mlp.c_fc.bias", TYPE_BIAS, 0 },
	    { "transformer.ln_f.bias", TYPE_NORM, LAYER_HEAD } } },
	{ "tiny-vit",
	  false,
	  4651,
	  { { "vit.embeddings.cls_token", TYPE_EMBED, LAYER_EMBED },
	    { "vit.embeddings.patch_embeddings.projection.weight", TYPE_EMBED,
	      LAYER_EMBED },
	    { "vit.encoder.layer.0.attention.attention.query.weight", TYPE_ATTN, 0 },
	    { "vit.encoder.layer.1.layernorm_after.weight", TYPE_NORM, 1 },
	    { "vit.layernorm.weight", TYPE_NORM, LAYER_HEAD },
	    { "classifier.bias", TYPE_HEAD, LAYER_HEAD } } },
};

static void each_family_lays_out_its_parameters(void **state)
{
	(void)state;
	for (size_t i = 0; i < sizeof layouts / sizeof layouts[0]; i++) {
		struct model m;
		int last = -1;

		open_fixture(&m, layouts[i].name,
			     layouts[i].language ? &language : &as_saved);
		assert_int_equal(model_params(&m), layouts[i].params);
		for (size_t j = 0; j < 6; j++) {
			int at = model_find(&m, layouts[i].some[j].name);

			assert_true(at >= 0);
			assert_int_equal(m.params[at].type, layouts[i].some[j].type);
			assert_int_equal(m.params[at].layer, layouts[i].some[j].layer);
			last = at > last ? at : last;
		}
		assert_int_equal(last, m.n_params - 1);
		model_close(&m);
	}
}

static void queries_keys_and_values_of_gpt2_are_thirds_of_one_weight(void **state)
{
	struct model m;
	size_t at = 0, thirds = 0;

	(void)state;
	open_fixture(&m, "tiny-gpt2", &language);
	at = (size_t)model_find(&m, "h.0.attn.c_attn.weight");
	assert_int_equal(m.params[at].shape[0], 16);
	assert_int_equal(m.params[at].shape[1], 48);
	assert_int_equal(model_uses(&m, at), 3);
	for (size_t i = 0; i < m.n_ops; i++) {
		if (m.ops[i].p[0] != (int)at)
			continue;
		assert_true(m.ops[i].transposed);
		assert_int_equal(m.ops[i].offset, 16 * thirds++);
		assert_int_equal(m.slots[m.ops[i].out].width, 16);
	}
	assert_int_equal(thirds, 3);
	model_close(&m);
}

static void both_spellings_of_vit_are_saved_as_they_were(void **state)
{
	struct model m;

	(void)state;
	open_fixture(&m, "tiny-vit-newer", &as_saved);
	assert_true(model_find(&m, "vit.layers.0.attention.q_proj.weight") >= 0);
	assert_int_equal(model_find(&m, "vit.layers.0.attention.q_proj.bias"), -1);
	assert_true(model_find(&m, "vit.layers.0.attention.o_proj.bias") >= 0);
	assert_int_equal(model_find(&m, "vit.encoder.layer.0.output.dense.weight"), -1);
	model_close(&m);
}

/* ---- heads ---- */

static void only_language_models_predict_tokens(void **state)
{
	char *dir = fixture("tiny-bert");

	(void)state;
	refused(dir, &language, EX_USAGE, "predicts no next token");
	free(dir);
}

static void a_tied_head_is_the_table_and_an_untied_one_a_parameter(void **state)
{
	struct model m;

	(void)state;
	open_fixture(&m, "tiny-gpt2", &language);
	assert_int_equal(model_find(&m, "lm_head.weight"), -1);
	assert_int_equal(model_uses(&m, (size_t)model_find(&m, "wte.weight")), 2);
	assert_int_equal(m.slots[m.logits].rows, ROWS_TARGETS);
	assert_int_equal(m.slots[m.logits].width, 32);
	assert_int_equal(m.unexpected.n, 0);
	assert_int_equal(m.ignored, 2 * 2 + 1);
	model_close(&m);
	open_fixture(&m, "tiny-gpt2-untied", &language);
	assert_int_equal(m.params[model_find(&m, "lm_head.weight")].type, TYPE_HEAD);
	assert_int_equal(model_uses(&m, (size_t)model_find(&m, "wte.weight")), 1);
	model_close(&m);
}

static void an_untied_head_that_is_missing_is_named_or_new(void **state)
{
	struct head_spec new_head = { .language = true, .may_be_new = true };
	struct model m;

	(void)state;
	copy("tiny-gpt2-classes", "model.safetensors");
	put("config.json",
	    "{\"model_type\":\"gpt2\",\"n_embd\":8,\"n_head\":2,\"n_layer\":2,"
	    "\"vocab_size\":24,\"n_positions\":12,\"tie_word_embeddings\":false}");
	refused(scratch, &language, EX_DATAERR, "the weights lack tensor lm_head.weight");
	opened(&m, scratch, &new_head);
	assert_true(m.new_head);
	assert_true(m.params[model_find(&m, "lm_head.weight")].fresh);
	model_close(&m);
}

static void a_language_model_becomes_a_classifier(void **state)
{
	struct head_spec three = { .labels = 3, .may_be_new = true };
	struct model m;

	(void)state;
	open_fixture(&m, "tiny-gpt2", &three);
	assert_true(m.new_head);
	assert_string_equal(m.params[m.n_params - 1].name, "score.weight");
	assert_string_equal(m.with_head, "GPT2ForSequenceClassification");
	assert_int_equal(m.slots[m.logits].rows, ROWS_SEQUENCES);
	assert_int_equal(m.unexpected.n, 0);
	model_close(&m);
}

static void a_model_without_weights_is_drawn_from_the_seed(void **state)
{
	static const struct head_spec drawn = { .random = true, .seed = 3 };

	(void)state;
	for (size_t i = 0; i < sizeof layouts / sizeof layouts[0]; i++) {
		struct head_spec head = drawn;
		struct model a, b;
		char *dir = fixture(layouts[i].name);

		head.language = layouts[i].language;
		opened(&a, dir, &head);
		opened(&b, dir, &head);
		assert_int_equal(a.n_files, 0);
		assert_int_equal(model_params(&a), layouts[i].params);
		same_values(&a, &b);
		for (size_t j = 0; j < a.n_params; j++)
			if (a.params[j].init == INIT_ONE)
				assert_true(a.params[j].w[0] == 1);
		model_close(&a);
		model_close(&b);
		free(dir);
	}
}

/* ---- saving ---- */

static void save_to_scratch(const struct model *m)
{
	static const char *const classes[] = { "a", "b", "c" };
	struct err e = { 0 };

	if (model_save(m, scratch, classes, m->config.labels, &e) != EX_OK)
		fail_msg("%s", e.text);
}

static const char *home_of(const struct model *m, const char *name)
{
	const struct safetensors *f = NULL;

	assert_non_null(model_tensor(m, name, &f));
	return strrchr(f->path, '/') + 1;
}

static void shards_are_saved_as_shards(void **state)
{
	struct model m, again;
	struct err e;
	json_t *index;
	char *path;
	int64_t bytes;

	(void)state;
	open_fixture(&m, "tiny-gpt2-untied", &language);
	assert_int_equal(m.n_files, 2);
	save_to_scratch(&m);
	assert_false(holds("model.safetensors"));
	assert_true(holds("model-00001-of-00002.safetensors"));
	opened(&again, scratch, &language);
	assert_int_equal(again.n_files, 2);
	same_values(&m, &again);
	for (size_t i = 0; i < m.n_params; i++)
		assert_string_equal(home_of(&again, again.params[i].name),
				    home_of(&m, m.params[i].name));
	path = file_join(scratch, "model.safetensors.index.json");
	assert_int_equal(js_load(&index, path, &e), EX_OK);
	assert_int_equal(
	    js_int(json_object_get(index, "metadata"), "total_size", 0, &bytes, path, &e),
	    EX_OK);
	assert_int_equal(bytes, model_params(&m) * sizeof(float));
	json_decref(index);
	free(path);
	model_close(&m);
	model_close(&again);
}

static void a_new_tensor_goes_to_the_last_shard(void **state)
{
	struct head_spec three = { .labels = 3, .may_be_new = true };
	struct model m, again;

	(void)state;
	open_fixture(&m, "tiny-gpt2-untied", &three);
	save_to_scratch(&m);
	opened(&again, scratch, &as_saved);
	same_values(&m, &again);
	assert_string_equal(home_of(&again, "score.weight"),
			    "model-00002-of-00002.safetensors");
	assert_null(model_tensor(&again, "lm_head.weight", NULL));
	model_close(&m);
	model_close(&again);
}

static void a_language_model_keeps_its_configuration(void **state)
{
	struct model m, again;

	(void)state;
	open_fixture(&m, "tiny-gpt2", &language);
	save_to_scratch(&m);
	assert_true(holds("model.safetensors"));
	opened(&again, scratch, &language);
	same_values(&m, &again);
	assert_int_equal(again.ignored, 0);
	assert_null(json_object_get(again.config.json, "id2label"));
	assert_null(json_object_get(again.config.json, "problem_type"));
	assert_string_equal(json_string_value(json_array_get(
				json_object_get(again.config.json, "architectures"), 0)),
			    "GPT2LMHeadModel");
	model_close(&m);
	model_close(&again);
}

/* ---- weights that are not read ---- */

static void other_weights_say_how_they_are_converted(void **state)
{
	static const struct {
		const char *config, *file, *why;
		bool language;
	} cases[] = {
		{ "tiny-roberta", "pytorch_model.bin",
		  "pytorch_model.bin: a pickle can run code when it is read; convert it: "
		  "python3 -c 'from transformers import "
		  "AutoModelForSequenceClassification as M; M.from_pretrained(\"",
		  false },
		{ "tiny-roberta", "pytorch_model.bin.index.json",
		  "AutoModelForSequenceClassification as M", false },
		{ "tiny-gpt2", "pytorch_model-00001-of-00002.bin",
		  "AutoModelForCausalLM as M", true },
		{ "tiny-vit", "pytorch_model.bin", "AutoModelForImageClassification as M",
		  false },
		{ "tiny-vit", "tf_model.h5", "from_tf=True", false },
		{ "tiny-roberta", "flax_model.msgpack", "from_flax=True", false },
		{ "tiny-roberta", "weights.pt", "torch.load(\"", false },
		{ "tiny-roberta", "model.ckpt", "weights_only=True", false },
		{ "tiny-roberta", "optimizer.pt", "has no model.safetensors", false },
		{ "tiny-roberta", "training_args.bin", "has no model.safetensors", false },
	};

	(void)state;
	for (size_t i = 0; i < sizeof cases / sizeof cases[0]; i++) {
		copy(cases[i].config, "config.json");
		put(cases[i].file, "pickle");
		refused(scratch, cases[i].language ? &language : &as_saved, EX_NOINPUT,
			cases[i].why);
		drop("config.json");
		drop(cases[i].file);
	}
}

static void of_many_files_the_one_that_transformers_reads_is_named(void **state)
{
	(void)state;
	copy("tiny-roberta", "config.json");
	put("a.pt", "");
	put("optimizer.pt", "");
	put("pytorch_model-00002-of-00002.bin", "");
	put("pytorch_model-00001-of-00002.bin", "");
	refused(scratch, &as_saved, EX_NOINPUT, "/pytorch_model-00001-of-00002.bin: ");
}

/* ---- dropout ---- */

static double loss_at(struct model *m, const struct batch *b, const struct gradients *g,
		      float step)
{
	struct pass p;
	struct err e;
	double loss;

	for (size_t i = 0; i < m->n_params; i++)
		vec_axpy(m->k, m->params[i].n, step, g->g[i], m->params[i].own);
	assert_int_equal(pass_init(&p, m, false, &e), EX_OK);
	assert_int_equal(pass_batch(&p, b, &e), EX_OK);
	p.dropout = true;
	p.key = 5;
	pass_forward(&p);
	loss = p.loss;
	pass_free(&p);
	for (size_t i = 0; i < m->n_params; i++)
		vec_axpy(m->k, m->params[i].n, -step, g->g[i], m->params[i].own);
	return loss;
}

static double gradient_with_dropout(struct model *m, const struct batch *b,
				    struct gradients *g)
{
	struct visitor v;
	struct pass p;
	struct err e;
	bool wanted[64];
	double norm2 = 0;

	for (size_t i = 0; i < 64; i++)
		wanted[i] = true;
	for (size_t i = 0; i < m->n_params; i++)
		assert_int_equal(model_own(m, i, &e), EX_OK);
	for (size_t i = 0; i < m->n_ops; i++)
		if (m->ops[i].kind == OP_ADD || m->ops[i].kind == OP_DROPOUT ||
		    m->ops[i].kind == OP_ATTENTION)
			m->ops[i].dropout = 0.25F;
	assert_int_equal(pass_init(&p, m, true, &e), EX_OK);
	assert_int_equal(gradients_init(g, m, wanted, false, &e), EX_OK);
	assert_int_equal(pass_batch(&p, b, &e), EX_OK);
	v = gradients_visitor(g);
	p.dropout = true;
	p.key = 5;
	pass_forward(&p);
	assert_int_equal(pass_backward(&p, &v, &e), EX_OK);
	pass_free(&p);
	for (size_t i = 0; i < m->n_params; i++)
		norm2 += vec_dot(m->k, m->params[i].n, g->g[i], g->g[i]);
	return norm2;
}

/* Along the gradient, under the same masks, the loss changes by its square. */
static void gradients_are_slopes_under_dropout(void **state)
{
	(void)state;
	for (size_t i = 0; i < sizeof layouts / sizeof layouts[0]; i++) {
		char *dir = fixture(layouts[i].name), *path = file_join(dir, "batch.tsv");
		FILE *f = fopen(path, "r");
		struct gradients g;
		struct batch b;
		struct model m;
		double norm2, change;
		float step;

		assert_non_null(f);
		assert_int_equal(fscanf(f, "#label ids types "), 0);
		opened(&m, dir, layouts[i].language ? &language : &as_saved);
		batch_text_read_for(&m, &b, f, SIZE_MAX);
		norm2 = gradient_with_dropout(&m, &b, &g);
		step = (float)(2e-3 / norm2);
		change = (loss_at(&m, &b, &g, step) - loss_at(&m, &b, &g, -step)) /
			 (2 * (double)step);
		if (fabs(change - norm2) > 0.01 * norm2)
			fail_msg("%s: %g, but the gradient's square is %g", layouts[i].name,
				 change, norm2);
		gradients_free(&g);
		batch_free(&b);
		model_close(&m);
		fclose(f);
		free(path);
		free(dir);
	}
}

#define TEST(name) cmocka_unit_test_setup_teardown(name, make_scratch, remove_scratch)

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(each_family_lays_out_its_parameters),
		cmocka_unit_test(queries_keys_and_values_of_gpt2_are_thirds_of_one_weight),
		cmocka_unit_test(both_spellings_of_vit_are_saved_as_they_were),
		cmocka_unit_test(only_language_models_predict_tokens),
		cmocka_unit_test(a_tied_head_is_the_table_and_an_untied_one_a_parameter),
		TEST(an_untied_head_that_is_missing_is_named_or_new),
		cmocka_unit_test(a_language_model_becomes_a_classifier),
		cmocka_unit_test(a_model_without_weights_is_drawn_from_the_seed),
		TEST(shards_are_saved_as_shards),
		TEST(a_new_tensor_goes_to_the_last_shard),
		TEST(a_language_model_keeps_its_configuration),
		TEST(other_weights_say_how_they_are_converted),
		TEST(of_many_files_the_one_that_transformers_reads_is_named),
		cmocka_unit_test(gradients_are_slopes_under_dropout),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
