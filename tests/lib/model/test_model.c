#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <cmocka.h>

#include <math.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#include "base/mem.h"
#include "io/file.h"
#include "io/json.h"
#include "model/model.h"
#include "../models.h"

static const struct head_spec as_saved = { 0 };
static const struct head_spec two_new = { .labels = 2, .may_be_new = true, .seed = 7 };

/* ---- a directory of one's own ---- */

struct scratch {
	char dir[32];
};

static void scratch_make(struct scratch *s)
{
	strcpy(s->dir, "/tmp/model.XXXXXX");
	assert_non_null(mkdtemp(s->dir));
}

static void scratch_remove(struct scratch *s)
{
	static const char *const names[] = {
		"config.json",       "model.safetensors", "model.safetensors.index.json",
		"pytorch_model.bin", "a.safetensors",     "b.safetensors",
	};

	for (size_t i = 0; i < sizeof names / sizeof names[0]; i++) {
		char *path = file_join(s->dir, names[i]);

		unlink(path);
		free(path);
	}
	assert_int_equal(rmdir(s->dir), 0);
}

static void scratch_put(const struct scratch *s, const char *name, const char *text)
{
	char *path = file_join(s->dir, name);
	FILE *f = fopen(path, "w");

	assert_non_null(f);
	assert_true(fputs(text, f) >= 0);
	assert_int_equal(fclose(f), 0);
	free(path);
}

static void scratch_copy(const struct scratch *s, const char *fixture_name,
			 const char *name)
{
	char *dir = fixture(fixture_name), *from = file_join(dir, name);
	char *to = file_join(s->dir, name);
	struct err e;

	assert_int_equal(file_copy(from, to, &e), EX_OK);
	free(dir);
	free(from);
	free(to);
}

/* tiny-bert's tensors, to be changed and written as a directory. */
struct weights {
	struct model m;
	struct tensor_out *t;
	size_t n;
};

static void weights_take(struct weights *w)
{
	open_fixture(&w->m, "tiny-bert", &as_saved);
	w->n = w->m.n_params;
	w->t = mem_zeros(w->n + 8, sizeof *w->t);
	assert_non_null(w->t);
	for (size_t i = 0; i < w->n; i++) {
		const struct param *p = &w->m.params[i];

		w->t[i] =
		    (struct tensor_out){ .name = p->name, .ndim = p->ndim, .data = p->w };
		memcpy(w->t[i].shape, p->shape, sizeof p->shape);
	}
}

static struct tensor_out *weights_find(struct weights *w, const char *name)
{
	for (size_t i = 0; i < w->n; i++)
		if (strcmp(w->t[i].name, name) == 0)
			return &w->t[i];
	fail_msg("no %s", name);
	return NULL;
}

static void weights_put(struct weights *w, const struct scratch *s)
{
	char *path = file_join(s->dir, "model.safetensors");
	struct err e;

	unlink(path);
	assert_int_equal(safetensors_write(path, w->t, w->n, &e), EX_OK);
	free(path);
}

static void weights_drop(struct weights *w)
{
	free(w->t);
	model_close(&w->m);
}

static void same_values(const struct model *a, const struct model *b)
{
	assert_int_equal(a->n_params, b->n_params);
	for (size_t i = 0; i < a->n_params; i++) {
		assert_string_equal(a->params[i].save_name, b->params[i].save_name);
		assert_int_equal(a->params[i].n, b->params[i].n);
		assert_memory_equal(a->params[i].w, b->params[i].w,
				    a->params[i].n * sizeof(float));
	}
}

/* ---- parameters ---- */

static void parameters_stand_in_the_order_of_the_forward_pass(void **state)
{
	static const struct {
		const char *name;
		enum param_type type;
		int layer;
	} expected[] = {
		{ "bert.embeddings.word_embeddings.weight", TYPE_EMBED, LAYER_EMBED },
		{ "bert.embeddings.position_embeddings.weight", TYPE_EMBED, LAYER_EMBED },
		{ "bert.embeddings.token_type_embeddings.weight", TYPE_EMBED, LAYER_EMBED },
		{ "bert.embeddings.LayerNorm.weight", TYPE_NORM, LAYER_EMBED },
		{ "bert.embeddings.LayerNorm.bias", TYPE_NORM, LAYER_EMBED },
		{ "bert.encoder.layer.0.attention.self.query.weight", TYPE_ATTN, 0 },
		{ "bert.encoder.layer.0.attention.self.query.bias", TYPE_BIAS, 0 },
		{ "bert.encoder.layer.0.attention.self.key.weight", TYPE_ATTN, 0 },
		{ "bert.encoder.layer.0.attention.self.key.bias", TYPE_BIAS, 0 },
		{ "bert.encoder.layer.0.attention.self.value.weight", TYPE_ATTN, 0 },
		{ "bert.encoder.layer.0.attention.self.value.bias", TYPE_BIAS, 0 },
		{ "bert.encoder.layer.0.attention.output.dense.weight", TYPE_ATTN, 0 },
		{ "bert.encoder.layer.0.attention.output.dense.bias", TYPE_BIAS, 0 },
		{ "bert.encoder.layer.0.attention.output.LayerNorm.weight", TYPE_NORM, 0 },
		{ "bert.encoder.layer.0.attention.output.LayerNorm.bias", TYPE_NORM, 0 },
		{ "bert.encoder.layer.0.intermediate.dense.weight", TYPE_MLP, 0 },
		{ "bert.encoder.layer.0.intermediate.dense.bias", TYPE_BIAS, 0 },
		{ "bert.encoder.layer.0.output.dense.weight", TYPE_MLP, 0 },
		{ "bert.encoder.layer.0.output.dense.bias", TYPE_BIAS, 0 },
		{ "bert.encoder.layer.0.output.LayerNorm.weight", TYPE_NORM, 0 },
		{ "bert.encoder.layer.0.output.LayerNorm.bias", TYPE_NORM, 0 },
		{ "bert.encoder.layer.1.attention.self.query.weight", TYPE_ATTN, 1 },
	}, tail[] = {
		{ "bert.pooler.dense.weight", TYPE_HEAD, LAYER_HEAD },
		{ "bert.pooler.dense.bias", TYPE_HEAD, LAYER_HEAD },
		{ "classifier.weight", TYPE_HEAD, LAYER_HEAD },
		{ "classifier.bias", TYPE_HEAD, LAYER_HEAD },
	};
	size_t n = sizeof expected / sizeof expected[0];
	struct model m;
	uint64_t sum = 0;

	(void)state;
	open_fixture(&m, "tiny-bert", &as_saved);
	assert_int_equal(m.n_params, 5 + 2 * 16 + 4);
	for (size_t i = 0; i < n; i++) {
		assert_string_equal(m.params[i].name, expected[i].name);
		assert_int_equal(m.params[i].type, expected[i].type);
		assert_int_equal(m.params[i].layer, expected[i].layer);
	}
	for (size_t i = 0; i < 4; i++) {
		const struct param *p = &m.params[m.n_params - 4 + i];

		assert_string_equal(p->name, tail[i].name);
		assert_int_equal(p->type, tail[i].type);
		assert_int_equal(p->layer, tail[i].layer);
	}
	for (size_t i = 0; i < m.n_params; i++)
		sum += m.params[i].n;
	assert_int_equal(model_params(&m), sum);
	assert_int_equal(sum, 6322); /* as PyTorch counts */
	assert_string_equal(param_type_name(TYPE_LORA_B), "lora_B");
	model_close(&m);
}

static void parameters_are_found_under_each_of_their_names(void **state)
{
	struct model m;
	int at;

	(void)state;
	open_fixture(&m, "tiny-bert", &as_saved);
	at = model_find(&m, "bert.encoder.layer.1.output.dense.weight");
	assert_true(at >= 0);
	assert_string_equal(m.params[at].name, "bert.encoder.layer.1.output.dense.weight");
	assert_int_equal(model_find(&m, "encoder.layer.1.output.dense.weight"), at);
	assert_int_equal(model_find(&m, "encoder.layer.2.output.dense.weight"), -1);
	assert_int_equal(model_find(&m, ""), -1);
	model_close(&m);
	open_fixture(&m, "tiny-bert-bare", &two_new);
	assert_string_equal(m.params[at].name, "encoder.layer.1.output.dense.weight");
	assert_int_equal(model_find(&m, "encoder.layer.1.output.dense.weight"), at);
	assert_int_equal(model_find(&m, "bert.encoder.layer.1.output.dense.weight"), at);
	model_close(&m);
}

static void single_precision_is_read_where_it_lies(void **state)
{
	struct model m;
	struct err e;
	const float *w;

	(void)state;
	open_fixture(&m, "tiny-bert", &as_saved);
	for (size_t i = 0; i < m.n_params; i++)
		assert_null(m.params[i].own);
	w = m.params[3].w;
	assert_int_equal(model_own(&m, 3, &e), EX_OK);
	assert_non_null(m.params[3].own);
	assert_ptr_equal(m.params[3].w, m.params[3].own);
	assert_memory_equal(m.params[3].own, w, m.params[3].n * sizeof *w);
	m.params[3].own[0] = 42;
	assert_int_equal(model_own(&m, 3, &e), EX_OK);
	assert_true(m.params[3].w[0] == 42);
	model_close(&m);
}

/* Rounded to 11 and to 8 bits. */
static void half_precision_is_converted(void **state)
{
	static const struct {
		const char *name;
		float bound;
	} halves[] = { { "tiny-bert-f16", 0x1p-11f }, { "tiny-bert-bf16", 0x1p-8f } };
	struct model whole, m;

	(void)state;
	open_fixture(&whole, "tiny-bert", &as_saved);
	for (size_t h = 0; h < 2; h++) {
		bool differs = false;

		open_fixture(&m, halves[h].name, &as_saved);
		for (size_t i = 0; i < m.n_params; i++) {
			assert_non_null(m.params[i].own);
			for (size_t j = 0; j < m.params[i].n; j++) {
				float x = whole.params[i].w[j], y = m.params[i].w[j];

				differs = differs || x != y;
				assert_true(fabsf(x - y) <=
					    halves[h].bound * fabsf(x) + 0x1p-25f);
			}
		}
		assert_true(differs);
		model_close(&m);
	}
	model_close(&whole);
}

static void shards_hold_what_the_whole_holds(void **state)
{
	struct model whole, m;

	(void)state;
	open_fixture(&whole, "tiny-bert", &as_saved);
	open_fixture(&m, "tiny-bert-shards", &as_saved);
	assert_int_equal(m.n_files, 2);
	same_values(&whole, &m);
	model_close(&whole);
	model_close(&m);
}

/* ---- heads ---- */

static void a_missing_head_is_drawn_from_the_seed_and_the_name(void **state)
{
	struct head_spec other = two_new;
	struct model a, b;
	const struct param *w;
	double sum = 0;

	(void)state;
	open_fixture(&a, "tiny-bert-bare", &two_new);
	assert_true(a.new_head && a.new_pooler);
	w = &a.params[a.n_params - 4];
	assert_string_equal(w->name, "pooler.dense.weight");
	assert_string_equal(w->save_name, "bert.pooler.dense.weight");
	assert_true(w->fresh && w[1].fresh && w[2].fresh && w[3].fresh && !w[-1].fresh);
	for (size_t i = 0; i < w->n; i++)
		sum += (double)w->w[i] * (double)w->w[i];
	/* 256 draws: the deviation's own standard error is 4.4 % */
	assert_true(fabs(sqrt(sum / (double)w->n) - 0.02) < 0.004);
	for (size_t i = 0; i < w[1].n; i++)
		assert_true(w[1].w[i] == 0);
	open_fixture(&b, "tiny-bert-bare", &two_new);
	same_values(&a, &b);
	model_close(&b);
	other.labels = 3;
	open_fixture(&b, "tiny-bert-bare", &other);
	assert_memory_equal(w->w, b.params[b.n_params - 4].w, w->n * sizeof(float));
	model_close(&b);
	other.seed = 8;
	open_fixture(&b, "tiny-bert-bare", &other);
	assert_memory_not_equal(w->w, b.params[b.n_params - 4].w, w->n * sizeof(float));
	model_close(&b);
	model_close(&a);
}

static void a_head_of_another_size_is_new_and_the_pooler_kept(void **state)
{
	struct head_spec three = { .labels = 3, .may_be_new = true };
	struct model m;

	(void)state;
	open_fixture(&m, "tiny-bert", &three);
	assert_true(m.new_head);
	assert_false(m.new_pooler);
	assert_int_equal(m.params[m.n_params - 2].shape[0], 3);
	assert_int_equal(m.config.labels, 3);
	assert_int_equal(m.slots[m.logits].width, 3);
	assert_int_equal(m.unexpected.n, 0);
	model_close(&m);
}

static void a_head_that_must_be_there_is_asked_for(void **state)
{
	static const struct head_spec three = { .labels = 3 }, none = { .labels = 2 };
	static const struct head_spec odd = { .labels = 2, .regression = true };
	char *tiny = fixture("tiny-bert"), *bare = fixture("tiny-bert-bare");

	(void)state;
	refused(tiny, &three, EX_DATAERR, "a model with 2 outputs, but the task has 3");
	refused(tiny, &odd, EX_USAGE, "a regression has one output");
	refused(bare, &none, EX_DATAERR,
		"the weights lack 4 of 41 tensors, the first is "
		"pooler.dense.weight");
	free(tiny);
	free(bare);
}

static void outputs_are_as_the_configuration_says_unless_asked(void **state)
{
	struct model m;

	(void)state;
	open_fixture(&m, "tiny-bert", &as_saved);
	assert_int_equal(m.slots[m.logits].width, 2);
	assert_false(m.regression || m.new_head || m.new_pooler);
	model_close(&m);
	open_fixture(&m, "tiny-bert-regression", &as_saved);
	assert_int_equal(m.slots[m.logits].width, 1);
	assert_true(m.regression);
	model_close(&m);
}

/* ---- operations ---- */

static size_t count_ops(const struct model *m, enum op_kind kind)
{
	size_t n = 0;

	for (size_t i = 0; i < m->n_ops; i++)
		n += m->ops[i].kind == kind;
	return n;
}

/* In the last of the two blocks only keys and values are computed for every token. */
static void the_last_block_works_on_first_tokens_but_for_keys_and_values(void **state)
{
	struct model m;
	size_t first = 0, pool = 0, wide = 0;

	(void)state;
	open_fixture(&m, "tiny-bert", &as_saved);
	assert_int_equal(count_ops(&m, OP_ATTENTION), 2);
	assert_int_equal(count_ops(&m, OP_POOL), 1);
	assert_int_equal(count_ops(&m, OP_LINEAR), 2 * 6 + 2);
	assert_int_equal(count_ops(&m, OP_NORM), 1 + 2 * 2);
	while (m.ops[first].kind != OP_ATTENTION)
		first++;
	while (m.ops[pool].kind != OP_POOL)
		pool++;
	assert_true(pool > first);
	for (size_t i = pool; i < m.n_ops; i++) {
		if (m.ops[i].out >= 0 && m.slots[m.ops[i].out].rows == ROWS_TOKENS) {
			assert_int_equal(m.ops[i].kind, OP_LINEAR);
			wide++;
		}
	}
	assert_int_equal(wide, 2);
	for (size_t i = pool; i < m.n_ops; i++) {
		if (m.ops[i].kind != OP_ATTENTION)
			continue;
		assert_int_equal(m.slots[m.ops[i].in[0]].rows, ROWS_SEQUENCES);
		assert_int_equal(m.slots[m.ops[i].in[1]].rows, ROWS_TOKENS);
		assert_int_equal(m.slots[m.ops[i].in[2]].rows, ROWS_TOKENS);
		assert_int_equal(m.ops[i].heads, 2);
		assert_true(fabsf(m.ops[i].scale - 1 / sqrtf(8)) < 1e-7f);
	}
	assert_int_equal(m.ops[m.n_ops - 1].kind, OP_LOSS);
	assert_int_equal(m.ops[m.n_ops - 1].in[0], m.logits);
	model_close(&m);
}

static bool reads(const struct op *op, int slot)
{
	return op->in[0] == slot || op->in[1] == slot || op->in[2] == slot;
}

/* Runs the plan with the slots' numbers in the place of their values. */
static void no_buffer_is_written_while_its_slot_is_still_read(void **state)
{
	struct model m;
	int holds[64];

	(void)state;
	open_fixture(&m, "tiny-bert", &as_saved);
	assert_true(m.n_shared <= 6);
	for (size_t i = 0; i < m.n_ops; i++) {
		const struct op *op = &m.ops[i];

		for (int j = 0; j < 3; j++) {
			if (op->in[j] < 0)
				continue;
			assert_int_equal(holds[m.slots[op->in[j]].shared], op->in[j]);
			assert_true(m.slots[op->in[j]].last_use >= (int)i);
		}
		if (op->out < 0)
			continue;
		assert_int_equal(m.slots[op->out].made_by, i);
		assert_true(reads(&m.ops[m.slots[op->out].last_use], op->out));
		for (int j = 0; j < 3; j++) {
			bool over = op->in[j] >= 0 &&
				    m.slots[op->in[j]].shared == m.slots[op->out].shared;

			assert_true(!over || op->kind == OP_ACT || op->kind == OP_ADD ||
				    op->kind == OP_DROPOUT);
		}
		assert_in_range(m.slots[op->out].shared, 0, m.n_shared - 1);
		holds[m.slots[op->out].shared] = op->out;
	}
	model_close(&m);
}

/* ---- spellings, and what else lies in a file ---- */

static void old_spellings_of_norms_are_read_and_saved_anew(void **state)
{
	struct scratch s;
	struct weights w;
	struct model m;
	int at;

	(void)state;
	scratch_make(&s);
	scratch_copy(&s, "tiny-bert", "config.json");
	weights_take(&w);
	weights_find(&w, "bert.embeddings.LayerNorm.weight")->name =
	    "bert.embeddings.LayerNorm.gamma";
	weights_find(&w, "bert.embeddings.LayerNorm.bias")->name =
	    "bert.embeddings.LayerNorm.beta";
	weights_put(&w, &s);
	opened(&m, s.dir, &as_saved);
	same_values(&w.m, &m);
	at = model_find(&m, "embeddings.LayerNorm.weight");
	assert_true(at >= 0);
	assert_string_equal(m.params[at].name, "bert.embeddings.LayerNorm.gamma");
	assert_string_equal(m.params[at].save_name, "bert.embeddings.LayerNorm.weight");
	assert_int_equal(model_find(&m, "bert.embeddings.LayerNorm.gamma"), at);
	model_close(&m);
	weights_drop(&w);
	scratch_remove(&s);
}

static void other_tensors_are_ignored_or_listed(void **state)
{
	static const float x[4] = { 0 };
	static const char *const names[] = { "bert.embeddings.position_ids",
					     "cls.predictions.bias",
					     "cls.seq_relationship.weight",
					     "bert.encoder.layer.2.new.weight" };
	struct scratch s;
	struct weights w;
	struct model m;

	(void)state;
	scratch_make(&s);
	scratch_copy(&s, "tiny-bert", "config.json");
	weights_take(&w);
	for (size_t i = 0; i < 4; i++)
		w.t[w.n++] = (struct tensor_out){
			.name = names[i], .ndim = 1, .shape = { 4 }, .data = x
		};
	weights_put(&w, &s);
	opened(&m, s.dir, &as_saved);
	assert_int_equal(m.ignored, 3);
	assert_int_equal(m.unexpected.n, 1);
	assert_string_equal(m.unexpected.s[0], "bert.encoder.layer.2.new.weight");
	model_close(&m);
	weights_drop(&w);
	scratch_remove(&s);
}

static void missing_and_contradicting_tensors_are_named(void **state)
{
	struct scratch s;
	struct weights w;
	struct tensor_out *t;
	float odd[16] = { 0 };

	(void)state;
	scratch_make(&s);
	scratch_copy(&s, "tiny-bert", "config.json");
	weights_take(&w);
	t = weights_find(&w, "bert.encoder.layer.1.attention.output.LayerNorm.bias");
	t->name = "x";
	weights_put(&w, &s);
	refused(s.dir, &two_new, EX_DATAERR,
		"lack tensor bert.encoder.layer.1.attention.output.LayerNorm.bias");
	t->name = "bert.encoder.layer.1.attention.output.LayerNorm.bias";
	t->shape[0] = 15;
	weights_put(&w, &s);
	refused(s.dir, &two_new, EX_DATAERR,
		"has shape [15], but config.json and the task make "
		"it [16]");
	t->shape[0] = 16;
	t->data = odd;
	t->dtype = DTYPE_F16;
	odd[7] = NAN;
	weights_put(&w, &s);
	refused(s.dir, &two_new, EX_DATAERR,
		"LayerNorm.bias holds values that are not finite");
	weights_drop(&w);
	scratch_remove(&s);
}

static void a_directory_without_weights_is_no_input(void **state)
{
	struct scratch s;

	(void)state;
	refused("/nonexistent/model", &two_new, EX_NOINPUT, "no such model directory");
	scratch_make(&s);
	refused(s.dir, &two_new, EX_NOINPUT, "config.json");
	scratch_copy(&s, "tiny-bert", "config.json");
	refused(s.dir, &two_new, EX_NOINPUT, "has no model.safetensors");
	scratch_put(&s, "pytorch_model.bin", "pickle");
	refused(s.dir, &two_new, EX_NOINPUT, "convert it: python3 -c");
	scratch_remove(&s);
}

static void an_index_that_contradicts_its_shards_is_refused(void **state)
{
	static const float x[1] = { 0 };
	static const struct tensor_out t[2] = {
		{ .name = "x", .ndim = 1, .shape = { 1 }, .data = x },
		{ .name = "y", .ndim = 1, .shape = { 1 }, .data = x },
	};
	struct scratch s;
	struct err e;
	char *a, *b;

	(void)state;
	scratch_make(&s);
	scratch_copy(&s, "tiny-bert", "config.json");
	a = file_join(s.dir, "a.safetensors");
	b = file_join(s.dir, "b.safetensors");
	assert_int_equal(safetensors_write(a, t, 2, &e), EX_OK);
	assert_int_equal(safetensors_write(b, t + 1, 1, &e), EX_OK);
#define INDEX(map) \
	scratch_put(&s, "model.safetensors.index.json", "{\"weight_map\":" map "}")
	INDEX("{}");
	refused(s.dir, &two_new, EX_DATAERR, "has no weight_map");
	INDEX("{\"x\":\"../a.safetensors\"}");
	refused(s.dir, &two_new, EX_DATAERR, "x is not in a .safetensors file beside it");
	INDEX("{\"x\":\"c.safetensors\"}");
	refused(s.dir, &two_new, EX_NOINPUT, "c.safetensors");
	INDEX("{\"x\":\"a.safetensors\"}");
	refused(s.dir, &two_new, EX_DATAERR,
		"tensor y is in a.safetensors, but not in the index");
	INDEX("{\"x\":\"a.safetensors\",\"y\":\"a.safetensors\",\"z\":\"a.safetensors\"}");
	refused(s.dir, &two_new, EX_DATAERR, "lists 3 tensors, but the shards hold 2");
	INDEX("{\"x\":\"a.safetensors\",\"y\":\"b.safetensors\"}");
	refused(s.dir, &two_new, EX_DATAERR,
		"tensor y is in a.safetensors, but not in the index");
#undef INDEX
	free(a);
	free(b);
	scratch_remove(&s);
}

/* ---- saving ---- */

static void a_saved_model_opens_with_the_same_values(void **state)
{
	static const char *const classes[] = { "bad", "good" };
	struct model m, again;
	struct scratch s;
	struct err e;
	const char *text;
	json_t *o;

	(void)state;
	scratch_make(&s);
	open_fixture(&m, "tiny-bert-bare", &two_new);
	assert_int_equal(model_save(&m, s.dir, classes, 2, &e), EX_OK);
	opened(&again, s.dir, &as_saved);
	assert_false(again.new_head || again.new_pooler);
	assert_string_equal(again.params[0].name, "bert.embeddings.word_embeddings.weight");
	same_values(&m, &again);
	o = again.config.json;
	text = json_string_value(json_object_get(json_object_get(o, "id2label"), "1"));
	assert_string_equal(text, "good");
	assert_int_equal(
	    json_integer_value(json_object_get(json_object_get(o, "label2id"), "good")), 1);
	assert_int_equal(js_text(o, "problem_type", "", &text, "", &e), EX_OK);
	assert_string_equal(text, "single_label_classification");
	assert_int_equal(js_text(o, "dtype", "", &text, "", &e), EX_OK);
	assert_string_equal(text, "float32");
	assert_string_equal(
	    json_string_value(json_array_get(json_object_get(o, "architectures"), 0)),
	    "BertForSequenceClassification");
	model_close(&again);
	model_close(&m);
	scratch_remove(&s);
}

static void a_saved_regression_opens_as_one(void **state)
{
	struct model m, again;
	struct scratch s;
	struct err e;

	(void)state;
	scratch_make(&s);
	open_fixture(&m, "tiny-bert-regression", &as_saved);
	assert_int_equal(model_save(&m, s.dir, NULL, 0, &e), EX_OK);
	opened(&again, s.dir, &as_saved);
	assert_true(again.regression);
	same_values(&m, &again);
	model_close(&again);
	model_close(&m);
	scratch_remove(&s);
}

static void class_names_that_cannot_be_saved_are_refused(void **state)
{
	static const char *const same[] = { "a", "a" }, *const bytes[] = { "a", "\xff" };
	struct model m;
	struct scratch s;
	struct err e;

	(void)state;
	scratch_make(&s);
	open_fixture(&m, "tiny-bert", &as_saved);
	assert_int_equal(model_save(&m, s.dir, same, 2, &e), EX_DATAERR);
	assert_int_equal(model_save(&m, s.dir, bytes, 2, &e), EX_DATAERR);
	assert_int_equal(model_save(&m, s.dir, same, 1, &e), EX_SOFTWARE);
	model_close(&m);
	scratch_remove(&s);
}

/* As sha256sum has it, of the file and of both shards one after the other. */
static void the_digest_is_that_of_the_weights_files(void **state)
{
	struct model m;
	char hex[65];

	(void)state;
	open_fixture(&m, "tiny-bert", &as_saved);
	model_digest(&m, hex);
	assert_string_equal(
	    hex, "7bd9507935c3a731ce622cdfd4a777973f219b099dcc2e764b30e8a67651ccb7");
	model_close(&m);
	open_fixture(&m, "tiny-bert-shards", &as_saved);
	model_digest(&m, hex);
	assert_string_equal(
	    hex, "5ebf3b5ccae08e4297c89db4c5814183ee82b48b1ede92bd7b97d975167763bc");
	model_close(&m);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(parameters_stand_in_the_order_of_the_forward_pass),
		cmocka_unit_test(parameters_are_found_under_each_of_their_names),
		cmocka_unit_test(single_precision_is_read_where_it_lies),
		cmocka_unit_test(half_precision_is_converted),
		cmocka_unit_test(shards_hold_what_the_whole_holds),
		cmocka_unit_test(a_missing_head_is_drawn_from_the_seed_and_the_name),
		cmocka_unit_test(a_head_of_another_size_is_new_and_the_pooler_kept),
		cmocka_unit_test(a_head_that_must_be_there_is_asked_for),
		cmocka_unit_test(outputs_are_as_the_configuration_says_unless_asked),
		cmocka_unit_test(
		    the_last_block_works_on_first_tokens_but_for_keys_and_values),
		cmocka_unit_test(no_buffer_is_written_while_its_slot_is_still_read),
		cmocka_unit_test(old_spellings_of_norms_are_read_and_saved_anew),
		cmocka_unit_test(other_tensors_are_ignored_or_listed),
		cmocka_unit_test(missing_and_contradicting_tensors_are_named),
		cmocka_unit_test(a_directory_without_weights_is_no_input),
		cmocka_unit_test(an_index_that_contradicts_its_shards_is_refused),
		cmocka_unit_test(a_saved_model_opens_with_the_same_values),
		cmocka_unit_test(a_saved_regression_opens_as_one),
		cmocka_unit_test(class_names_that_cannot_be_saved_are_refused),
		cmocka_unit_test(the_digest_is_that_of_the_weights_files),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
