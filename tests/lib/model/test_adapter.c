#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <cmocka.h>

#include <math.h>
#include <sys/stat.h>
#include <unistd.h>

#include "io/file.h"
#include "io/json.h"
#include "model/adapter.h"
#include "pairs.h"

/* The rounding of single precision behind some hundred operations. */
#define TOLERANCE 3e-6

/* ---- directories ---- */

static char *scratch(void)
{
	char *dir = strdup(P_tmpdir "/adapeft-adapter-XXXXXX");

	assert_non_null(mkdtemp(dir));
	return dir;
}

static void drop(char *dir)
{
	static const char *const files[] = { ADAPTER_CONFIG, ADAPTER_WEIGHTS,
					     ADAPTER_DELTA,  ADAPTER_NOTE,
					     "config.json",  "adapter_model.bin" };

	for (size_t i = 0; i < sizeof files / sizeof *files; i++) {
		char *path = file_join(dir, files[i]);

		unlink(path);
		free(path);
	}
	assert_int_equal(rmdir(dir), 0);
	free(dir);
}

static void put(const char *dir, const char *name, const char *text)
{
	char *path = file_join(dir, name);
	FILE *f = fopen(path, "w");

	assert_non_null(f);
	fputs(text, f);
	assert_int_equal(fclose(f), 0);
	free(path);
}

static void copy_weights(const char *to)
{
	char *from = file_join(pairs_fixture("tiny-bert-peft"), ADAPTER_WEIGHTS);
	char *path = file_join(to, ADAPTER_WEIGHTS);

	assert_int_equal(file_copy(from, path, NULL), EX_OK);
	free(from);
	free(path);
}

/* An adapter's directory with PEFT's weights and a configuration of these members. */
static char *adapter_with(const char *members)
{
	char *dir = scratch(), base[4096], *text;

	assert_non_null(realpath(pairs_fixture("tiny-bert"), base));
	text = str_printf("{\"base_model_name_or_path\": \"%s\", %s}", base, members);
	put(dir, ADAPTER_CONFIG, text);
	free(text);
	copy_weights(dir);
	return dir;
}

static void refused(const char *dir, int code, const char *why)
{
	const struct head_spec head = { 0 };
	struct model m;
	struct err e = { 0 };

	if (model_open(&m, dir, &head, &e) != code)
		fail_msg("%d, not %d: %s", e.code, code, e.text);
	if (strstr(e.text, why) == NULL)
		fail_msg("'%s' says nothing of '%s'", e.text, why);
}

/* ---- reading ---- */

static void a_peft_adapter_gives_pefts_logits(void **state)
{
	char *path = str_printf("%s/logits.tsv", pairs_fixture("tiny-bert-peft"));
	FILE *f = fopen(path, "r");
	const struct head_spec head = { 0 };
	struct model m;
	struct batch b;
	struct err e;
	float *z;
	size_t n;

	(void)state;
	if (model_open(&m, pairs_fixture("tiny-bert-peft"), &head, &e) != EX_OK)
		fail_msg("%s", e.text);
	pairs_batch(&b, &m, "tiny-bert");
	z = pairs_logits(&m, &b, &n);
	assert_non_null(f);
	assert_int_equal(fscanf(f, "#logits "), 0);
	for (size_t i = 0; i < n; i++) {
		double x;

		assert_int_equal(fscanf(f, "%lf", &x), 1);
		if (fabs((double)z[i] - x) > TOLERANCE)
			fail_msg("logit %zu: %.9g, not %.9g", i, (double)z[i], x);
	}
	fclose(f);
	free(path);
	free(z);
	batch_free(&b);
	model_close(&m);
}

/* Of an encoder without a head: no prefix, and no head. */
static void write_bare(const char *dir)
{
	char *from = file_join(pairs_fixture("tiny-bert-peft"), ADAPTER_WEIGHTS);
	char *to = file_join(dir, ADAPTER_WEIGHTS);
	struct tensor_out t[64] = { 0 };
	char names[64][200];
	struct safetensors f;
	size_t n = 0;

	assert_int_equal(safetensors_open(&f, from, NULL), EX_OK);
	for (size_t i = 0; i < f.n; i++) {
		const char *bare = strstr(f.t[i].name, ".bert.");

		if (bare == NULL)
			continue;
		snprintf(names[n], sizeof names[n], "base_model.model.%s", bare + 6);
		t[n] = (struct tensor_out){ .name = names[n],
					    .ndim = f.t[i].ndim,
					    .data = f.t[i].data };
		memcpy(t[n++].shape, f.t[i].shape, sizeof f.t[i].shape);
	}
	assert_int_equal(safetensors_write(to, t, n, NULL), EX_OK);
	safetensors_close(&f);
	free(from);
	free(to);
}

static void an_encoders_adapter_lacks_the_prefix(void **state)
{
	const struct head_spec head = { 0 };
	char *dir = scratch(), base[4096], *text;
	struct model m;
	struct err e;

	(void)state;
	assert_non_null(realpath(pairs_fixture("tiny-bert"), base));
	text = str_printf("{\"base_model_name_or_path\": \"%s\", \"peft_type\": \"LORA\"}",
			  base);
	put(dir, ADAPTER_CONFIG, text);
	write_bare(dir);
	if (model_open(&m, dir, &head, &e) != EX_OK)
		fail_msg("%s", e.text);
	assert_true(
	    model_find(&m, "bert.encoder.layer.1.attention.self.query.lora_A.weight") >= 0);
	model_close(&m);
	free(text);
	drop(dir);
}

static void an_adapter_is_told_from_a_model(void **state)
{
	(void)state;
	assert_true(adapter_is(pairs_fixture("tiny-bert-peft")));
	assert_true(adapter_has_pairs(pairs_fixture("tiny-bert-peft")));
	assert_false(adapter_is(pairs_fixture("tiny-bert")));
	assert_false(adapter_has_pairs(pairs_fixture("tiny-bert")));
}

static void files_are_found_in_the_adapter_or_its_base(void **state)
{
	static const char *const own[] = { ADAPTER_CONFIG, NULL };
	static const char *const other[] = { "vocab.txt", NULL };
	const char *dir = pairs_fixture("tiny-bert-peft");
	char *place, *path;

	(void)state;
	assert_int_equal(adapter_place(dir, own, &place, NULL), EX_OK);
	assert_string_equal(place, dir);
	free(place);
	assert_int_equal(adapter_place(dir, other, &place, NULL), EX_OK);
	path = file_join(place, "vocab.txt");
	assert_true(file_exists(path));
	free(path);
	free(place);
}

static void what_is_not_supported_is_one_line(void **state)
{
	static const struct {
		const char *members, *why;
	} cases[] = {
		{ "\"peft_type\": \"IA3\"", "peft_type 'IA3'" },
		{ "\"r\": 2", "peft_type ''" },
		{ "\"peft_type\": \"LORA\", \"use_dora\": true", "DoRA" },
		{ "\"peft_type\": \"LORA\", \"lora_bias\": true", "lora_bias" },
		{ "\"peft_type\": \"LORA\", \"trainable_token_indices\": [1]", "tokens" },
		{ "\"peft_type\": \"LORA\", \"target_parameters\": [\"a\"]", "parameters" },
		{ "\"peft_type\": \"LORA\", \"init_lora_weights\": \"pissa_niter_4\"",
		  "changed the base" },
		{ "\"peft_type\": \"LORA\", \"lora_alpha\": \"much\"", "lora_alpha" },
		{ "\"peft_type\": \"LORA\", \"lora_alpha\": 1e99", "lora_alpha" },
		{ "\"peft_type\": \"LORA\", \"lora_dropout\": 1", "lora_dropout" },
		{ "\"peft_type\": \"LORA\", \"alpha_pattern\": {\"(\": 1}", "expression" },
		{ "\"peft_type\": \"LORA\", \"alpha_pattern\": {\"(e|.)*(e|.)*(e|.)*y.\": "
		  "1}",
		  "cannot be matched" },
		{ "\"peft_type\": \"LORA\", \"alpha_pattern\": {\"query\": null}",
		  "number" },
		{ "\"peft_type\": \"LORA\", \"r\": 77", "r and rank_pattern say 77" },
		{ "\"peft_type\": \"LORA\", \"rank_pattern\": {\".*\": 78}",
		  "r and rank_pattern say 78" },
	};

	(void)state;
	for (size_t i = 0; i < sizeof cases / sizeof *cases; i++) {
		char *dir = adapter_with(cases[i].members);

		refused(dir, EX_DATAERR, cases[i].why);
		drop(dir);
	}
}

static void a_base_that_is_not_there_is_told_with_both_places(void **state)
{
	char *dir = scratch();

	(void)state;
	copy_weights(dir);
	put(dir, ADAPTER_CONFIG,
	    "{\"peft_type\": \"LORA\", \"base_model_name_or_path\": \"bert-tiny\"}");
	refused(dir, EX_NOINPUT, "the model bert-tiny, is no directory");
	refused(dir, EX_NOINPUT, "/bert-tiny; adapeft view --apply BASE ");
	put(dir, ADAPTER_CONFIG, "{\"peft_type\": \"LORA\"}");
	refused(dir, EX_NOINPUT, "does not say what it was trained upon");
	drop(dir);
}

static void a_pickle_is_refused_with_a_way_out(void **state)
{
	char *dir = adapter_with("\"peft_type\": \"LORA\"");
	char *path = file_join(dir, ADAPTER_WEIGHTS);

	(void)state;
	unlink(path);
	put(dir, "adapter_model.bin", "PK");
	refused(dir, EX_NOINPUT, "save_file");
	free(path);
	drop(dir);
}

static void a_tensor_of_another_model_is_refused(void **state)
{
	char *dir = scratch(), base[4096], *text;

	(void)state;
	copy_weights(dir);
	assert_non_null(realpath(pairs_fixture("tiny-distilbert"), base));
	text = str_printf("{\"peft_type\": \"LORA\", \"base_model_name_or_path\": \"%s\"}",
			  base);
	put(dir, ADAPTER_CONFIG, text);
	refused(dir, EX_DATAERR, "no linear module of this model");
	free(text);
	drop(dir);
}

/* A directory upon `base` whose file `name` has these values as a matrix. */
static char *adapter_of(const char *base, const char *name, const char *tensor)
{
	static const float values[16];
	const struct tensor_out t = {
		.name = tensor, .ndim = 2, .shape = { 2, 8 }, .data = values
	};
	char *dir = scratch(), whole[4096], *text, *path = file_join(dir, name);

	assert_non_null(realpath(pairs_fixture(base), whole));
	text = str_printf("{\"base\": {\"model\": \"%s\"}, \"peft_type\": \"LORA\", "
			  "\"base_model_name_or_path\": \"%s\"}",
			  whole, whole);
	put(dir, ADAPTER_NOTE, text);
	if (strcmp(name, ADAPTER_WEIGHTS) == 0)
		put(dir, ADAPTER_CONFIG, text);
	assert_int_equal(safetensors_write(path, &t, 1, NULL), EX_OK);
	free(text);
	free(path);
	return dir;
}

/* In an encoder that has no prefix nothing is left of the module's name. */
static void a_pair_of_no_module_is_refused(void **state)
{
	static const char *const names[] = { "base_model.model.bert.lora_A.weight",
					     "bert.lora_A.weight", "lora_A.weight",
					     ".lora_A.weight", "x.lora_A.lora_B.weight" };

	(void)state;
	for (size_t i = 0; i < sizeof names / sizeof *names; i++) {
		char *dir = adapter_of("tiny-bert-bare", ADAPTER_WEIGHTS, names[i]);

		refused(dir, EX_DATAERR, "model");
		drop(dir);
	}
}

static void a_delta_needs_usable_alphas(void **state)
{
	static const char *const notes[] = { "{}", "{\"a.lora\": \"1\"}",
					     "{\"a.lora\": 1e99}" };
	char base[4096];

	(void)state;
	assert_non_null(realpath(pairs_fixture("tiny-bert"), base));
	for (size_t i = 0; i < sizeof notes / sizeof *notes; i++) {
		char *dir = adapter_of("tiny-bert", ADAPTER_DELTA, "a.lora_A.weight");
		char *text = str_printf("{\"base\": {\"model\": \"%s\"}, \"lora\": "
					"{\"alpha\": %s}}",
					base, notes[i]);

		put(dir, ADAPTER_NOTE, text);
		refused(dir, EX_DATAERR, "usable alpha");
		free(text);
		drop(dir);
	}
}

static void another_base_is_refused(void **state)
{
	char *dir = adapter_with("\"peft_type\": \"LORA\"");

	(void)state;
	put(dir, ADAPTER_NOTE, "{\"base\": {\"sha256\": \"00\"}}");
	refused(dir, EX_DATAERR, "other weights");
	put(dir, ADAPTER_NOTE, "[]");
	refused(dir, EX_DATAERR, "not an object");
	drop(dir);
}

/* ---- writing and reading again ---- */

static struct lora_spec spec_of(const char *value)
{
	struct lora_spec s;

	assert_int_equal(lora_parse(&s, value, NULL), EX_OK);
	return s;
}

/* Trains what a name holds one of `words`, in a way. */
static bool *train(struct model *m, const char *const *words)
{
	bool *trained = calloc(m->n_params, sizeof *trained);

	assert_non_null(trained);
	for (size_t i = 0; i < m->n_params; i++)
		for (const char *const *w = words; *w != NULL; w++)
			trained[i] |= strstr(m->params[i].name, *w) != NULL;
	for (size_t i = 0; i < m->n_params; i++) {
		struct prng r;

		if (!trained[i] || lora_is_pair(&m->params[i]))
			continue;
		assert_int_equal(model_own(m, i, NULL), EX_OK);
		prng_seed(&r, 4, m->params[i].name);
		for (size_t j = 0; j < m->params[i].n; j++)
			m->params[i].own[j] += (float)(0.1 * prng_normal(&r));
	}
	pairs_draw(m);
	return trained;
}

static json_t *save(const struct model *m, const char *dir, enum adapter_form form,
		    const bool *trained)
{
	bool *changed = calloc(m->n_params, sizeof *changed);
	json_t *note = json_object();
	char *path = file_join(dir, ADAPTER_NOTE);
	struct err e;

	adapter_changed(m, trained, changed);
	if (adapter_save(m, dir, form, changed, note, &e) != EX_OK)
		fail_msg("%s", e.text);
	assert_int_equal(js_save(note, path, NULL), EX_OK);
	free(path);
	free(changed);
	return note;
}

static void check_round_trip(const char *name, const char *lora, const char *const *words)
{
	struct lora_spec s = spec_of(lora);
	const struct head_spec head = { .language = strcmp(name, "tiny-gpt2") == 0 };
	struct model m, again;
	struct batch b;
	struct err e;
	bool *trained;
	float *x, *y;
	size_t n;

	pairs_open(&m, name, &s);
	trained = train(&m, words);
	pairs_batch(&b, &m, name);
	x = pairs_logits(&m, &b, &n);
	for (int form = ADAPTER_PEFT; form <= ADAPTER_WHOLE; form++) {
		char *dir = scratch();

		json_decref(save(&m, dir, (enum adapter_form)form, trained));
		if (model_open(&again, dir, &head, &e) != EX_OK)
			fail_msg("%s", e.text);
		y = pairs_logits(&again, &b, &n);
		if (!(pairs_apart(x, y, n) < TOLERANCE))
			fail_msg("%s, form %d: %g", name, form, pairs_apart(x, y, n));
		free(y);
		model_close(&again);
		drop(dir);
	}
	free(x);
	free(trained);
	batch_free(&b);
	model_close(&m);
	lora_free(&s);
}

static void what_was_saved_is_what_was_trained(void **state)
{
	static const char *const mixed[] = { "lora_", "norm", "layer.1.", "bias", NULL };
	static const char *const gpt2[] = { "lora_", "wte", "ln_1", "h.1.", NULL };
	static const char *const head[] = { "lora_", "classifier", NULL };

	(void)state;
	check_round_trip("tiny-bert", "rank=2", mixed);
	check_round_trip("tiny-bert", "rank=2,3 alpha=5", mixed);
	check_round_trip("tiny-bert", "rank=2 targets=classifier,query", head);
	check_round_trip("tiny-roberta", "rank=2 targets=classifier.dense", head);
	check_round_trip("tiny-gpt2", "rank=2,4", gpt2);
	check_round_trip("tiny-vit", "rank=2 targets=all-linear", mixed);
	check_round_trip("tiny-vit-newer", "rank=1,2", mixed);
}

/* PEFT's file and the delta's cannot both have a pair. */
static void a_pair_is_in_one_file(void **state)
{
	struct lora_spec s = spec_of("rank=2");
	char *dir = scratch(), *note = file_join(dir, ADAPTER_NOTE);
	struct model m;
	bool *trained;

	(void)state;
	pairs_open(&m, "tiny-bert", &s);
	trained = train(&m, (const char *const[]){ "lora_", NULL });
	json_decref(save(&m, dir, ADAPTER_PEFT, trained));
	unlink(note);
	json_decref(save(&m, dir, ADAPTER_WHOLE, trained));
	refused(dir, EX_DATAERR, "two files hold the LoRA pair");
	free(note);
	free(trained);
	drop(dir);
	model_close(&m);
	lora_free(&s);
}

/* Also where its scale has no exact inverse, or is 0. */
static void a_pair_is_saved_to_the_bit(void **state)
{
	static const float scales[] = { 0.7F, 0 };
	struct lora_spec s = spec_of("rank=3");
	const struct head_spec head = { 0 };
	struct model m, again;
	struct err e;
	bool *trained;

	(void)state;
	pairs_open(&m, "tiny-bert", &s);
	trained = train(&m, (const char *const[]){ "lora_", NULL });
	for (size_t k = 0; k < sizeof scales / sizeof *scales; k++) {
		char *dir = scratch();

		for (size_t i = 0; i < m.n_ops; i++)
			m.ops[i].share[0] = scales[k];
		json_decref(save(&m, dir, ADAPTER_PEFT, trained));
		if (model_open(&again, dir, &head, &e) != EX_OK)
			fail_msg("%s", e.text);
		assert_int_equal(again.n_params, m.n_params);
		for (size_t i = 0; i < m.n_params; i++)
			assert_memory_equal(again.params[i].w, m.params[i].w,
					    m.params[i].n * sizeof *m.params[i].w);
		model_close(&again);
		drop(dir);
	}
	free(trained);
	model_close(&m);
	lora_free(&s);
}

static void pefts_names_are_those_in_memory(void **state)
{
	static const char *const words[] = { "lora_", "layernorm_after", NULL };
	static const char *const expected[] = {
		"base_model.model.vit.layers.0.attention.q_proj.lora_A.weight",
		"base_model.model.vit.layers.1.attention.v_proj.lora_B.weight",
		"base_model.model.vit.layers.1.layernorm_after.bias",
	};
	struct lora_spec s = spec_of("rank=2,3");
	char *dir = scratch(), *path = file_join(dir, ADAPTER_WEIGHTS);
	struct safetensors f;
	struct model m;
	bool *trained;

	(void)state;
	pairs_open(&m, "tiny-vit", &s);
	trained = train(&m, words);
	json_decref(save(&m, dir, ADAPTER_PEFT, trained));
	assert_int_equal(safetensors_open(&f, path, NULL), EX_OK);
	for (size_t i = 0; i < 3; i++)
		if (safetensors_find(&f, expected[i]) == NULL)
			fail_msg("no %s", expected[i]);
	/* Ranks beside each other are one pair. */
	assert_int_equal(safetensors_find(&f, expected[0])->shape[0], 5);
	safetensors_close(&f);
	free(path);
	free(trained);
	drop(dir);
	model_close(&m);
	lora_free(&s);
}

/* The member of adapter_config.json, or of the note, as text. */
static void check_json(const json_t *o, const char *key, const char *expected)
{
	char *text = json_dumps(json_object_get(o, key),
				JSON_ENCODE_ANY | JSON_SORT_KEYS | JSON_REAL_PRECISION(7));

	assert_string_equal(text, expected);
	free(text);
}

static void the_configuration_is_pefts(void **state)
{
	static const char *const words[] = { "lora_", "classifier", "query.bias", NULL };
	struct lora_spec s =
	    spec_of("rank=2 alpha=5 dropout=0.1 targets=query,output.dense");
	char *dir = scratch(), *path = file_join(dir, ADAPTER_CONFIG);
	struct model m;
	bool *trained;
	json_t *o;

	(void)state;
	pairs_open(&m, "tiny-bert", &s);
	trained = train(&m, words);
	json_decref(save(&m, dir, ADAPTER_PEFT, trained));
	assert_int_equal(js_load(&o, path, NULL), EX_OK);
	check_json(o, "peft_type", "\"LORA\"");
	check_json(o, "task_type", "\"SEQ_CLS\"");
	check_json(o, "r", "2");
	check_json(o, "lora_alpha", "5.0");
	check_json(o, "lora_dropout", "0.1");
	check_json(o, "bias", "\"lora_only\"");
	check_json(o, "rank_pattern", "{}");
	check_json(o, "modules_to_save", "[\"classifier\"]");
	check_json(o, "fan_in_fan_out", "false");
	/* "dense" would be too many, so those paths are whole. */
	assert_string_equal(
	    json_string_value(json_array_get(json_object_get(o, "target_modules"), 0)),
	    "query");
	assert_string_equal(
	    json_string_value(json_array_get(json_object_get(o, "target_modules"), 1)),
	    "bert.encoder.layer.0.attention.output.dense");
	json_decref(o);
	free(path);
	free(trained);
	drop(dir);
	model_close(&m);
	lora_free(&s);
}

static void only_what_changed_is_saved(void **state)
{
	static const char *const words[] = { "layer.0.output.LayerNorm.weight", NULL };
	char *dir = scratch();
	struct model m;
	bool *trained;
	json_t *note;

	(void)state;
	pairs_open(&m, "tiny-bert", NULL);
	trained = train(&m, words);
	note = save(&m, dir, ADAPTER_WHOLE, trained);
	check_json(note, "files",
		   "{\"delta.safetensors\": "
		   "[\"bert.encoder.layer.0.output.LayerNorm.weight\"]}");
	assert_null(json_object_get(note, "lora"));
	json_decref(note);
	free(trained);
	drop(dir);
	model_close(&m);
}

/* What an adapter brought is saved again when it is trained on. */
static void an_adapter_is_saved_with_what_it_had(void **state)
{
	const struct head_spec head = { 0 };
	struct model m, again;
	struct batch b;
	bool *trained;
	float *x, *y;
	char *dir = scratch();
	size_t n;

	(void)state;
	assert_int_equal(model_open(&m, pairs_fixture("tiny-bert-peft"), &head, NULL),
			 EX_OK);
	trained = calloc(m.n_params, sizeof *trained);
	json_decref(save(&m, dir, ADAPTER_PEFT, trained));
	assert_int_equal(model_open(&again, dir, &head, NULL), EX_OK);
	pairs_batch(&b, &m, "tiny-bert");
	x = pairs_logits(&m, &b, &n);
	y = pairs_logits(&again, &b, &n);
	assert_true(pairs_apart(x, y, n) < TOLERANCE);
	free(x);
	free(y);
	free(trained);
	batch_free(&b);
	model_close(&again);
	model_close(&m);
	drop(dir);
}

static void a_model_from_the_seed_has_no_base(void **state)
{
	const struct head_spec head = { .labels = 2, .random = true };
	json_t *note = json_object();
	char *dir = scratch();
	struct model m;
	bool *changed;

	(void)state;
	assert_int_equal(model_open(&m, pairs_fixture("tiny-bert"), &head, NULL), EX_OK);
	changed = calloc(m.n_params, sizeof *changed);
	assert_int_equal(adapter_save(&m, dir, ADAPTER_WHOLE, changed, note, NULL),
			 EX_USAGE);
	free(changed);
	json_decref(note);
	model_close(&m);
	drop(dir);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(a_peft_adapter_gives_pefts_logits),
		cmocka_unit_test(an_encoders_adapter_lacks_the_prefix),
		cmocka_unit_test(an_adapter_is_told_from_a_model),
		cmocka_unit_test(files_are_found_in_the_adapter_or_its_base),
		cmocka_unit_test(what_is_not_supported_is_one_line),
		cmocka_unit_test(a_base_that_is_not_there_is_told_with_both_places),
		cmocka_unit_test(a_pickle_is_refused_with_a_way_out),
		cmocka_unit_test(a_tensor_of_another_model_is_refused),
		cmocka_unit_test(a_pair_of_no_module_is_refused),
		cmocka_unit_test(a_delta_needs_usable_alphas),
		cmocka_unit_test(another_base_is_refused),
		cmocka_unit_test(what_was_saved_is_what_was_trained),
		cmocka_unit_test(a_pair_is_in_one_file),
		cmocka_unit_test(a_pair_is_saved_to_the_bit),
		cmocka_unit_test(pefts_names_are_those_in_memory),
		cmocka_unit_test(the_configuration_is_pefts),
		cmocka_unit_test(only_what_changed_is_saved),
		cmocka_unit_test(an_adapter_is_saved_with_what_it_had),
		cmocka_unit_test(a_model_from_the_seed_has_no_base),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
