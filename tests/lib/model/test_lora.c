#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <cmocka.h>

#include <math.h>

#include "pairs.h"

/* The rounding of single precision behind some hundred operations. */
#define TOLERANCE 3e-6

static struct lora_spec spec_of(const char *value)
{
	struct lora_spec s;
	struct err e;

	if (lora_parse(&s, value, &e) != EX_OK)
		fail_msg("%s", e.text);
	return s;
}

static size_t pairs_of(const struct model *m)
{
	size_t n = 0;

	for (size_t i = 0; i < m->n_params; i++)
		n += m->params[i].type == TYPE_LORA_A;
	return n;
}

static size_t added(const char *name, const char *value)
{
	struct lora_spec s = spec_of(value);
	struct model m;
	size_t n;

	pairs_open(&m, name, &s);
	n = pairs_of(&m);
	model_close(&m);
	lora_free(&s);
	return n;
}

static void new_pairs_change_nothing(void **state)
{
	struct lora_spec s = spec_of("rank=2,3");
	struct model plain, m;
	struct batch b;
	float *x, *y;
	size_t n;

	(void)state;
	pairs_open(&plain, "tiny-bert", NULL);
	pairs_open(&m, "tiny-bert", &s);
	pairs_batch(&b, &m, "tiny-bert");
	x = pairs_logits(&plain, &b, &n);
	y = pairs_logits(&m, &b, &n);
	assert_true(pairs_apart(x, y, n) == 0);
	assert_int_equal(model_params(&m), model_params(&plain));
	free(x);
	free(y);
	batch_free(&b);
	model_close(&m);
	model_close(&plain);
	lora_free(&s);
}

static void a_pair_is_two_tensors_behind_the_others(void **state)
{
	struct lora_spec s = spec_of("rank=2 targets=encoder.layer.1.output.dense");
	const struct param *a, *b;
	struct model m;

	(void)state;
	pairs_open(&m, "tiny-bert", &s);
	a = &m.params[m.n_params - 2];
	b = &m.params[m.n_params - 1];
	assert_string_equal(a->name, "bert.encoder.layer.1.output.dense.lora_A.weight");
	assert_string_equal(b->name, "bert.encoder.layer.1.output.dense.lora_B.weight");
	assert_int_equal(a->type, TYPE_LORA_A);
	assert_int_equal(b->type, TYPE_LORA_B);
	assert_int_equal(a->layer, 1);
	assert_int_equal(a->shape[0], 2);
	assert_int_equal(a->shape[1], 32);
	assert_int_equal(b->shape[0], 16);
	assert_int_equal(b->shape[1], 2);
	for (size_t i = 0; i < a->n; i++)
		assert_true(fabsf(a->w[i]) <= 1 / sqrtf(32));
	for (size_t i = 0; i < b->n; i++)
		assert_true(b->w[i] == 0);
	model_close(&m);
	lora_free(&s);
}

static void targets_are_parts_paths_and_globs(void **state)
{
	(void)state;
	/* Of two blocks: query and value. */
	assert_int_equal(added("tiny-bert", "rank=1"), 4);
	assert_int_equal(added("tiny-bert", "rank=1 targets=self.query"), 2);
	assert_int_equal(
	    added("tiny-bert", "rank=1 targets=bert.encoder.layer.0.attention.self.key"),
	    1);
	assert_int_equal(added("tiny-bert", "rank=1 targets=encoder.layer.*.self.*"), 6);
	/* The pooler is a dense too. */
	assert_int_equal(added("tiny-bert", "rank=1 targets=dense"), 7);
	assert_int_equal(added("tiny-bert", "rank=1 targets=all-linear"), 12);
	assert_int_equal(added("tiny-bert", "rank=1 targets=all-linear,classifier"), 13);
	assert_int_equal(added("tiny-bert", "rank=1,2 targets=query"), 4);
	assert_int_equal(added("tiny-vit", "rank=1"), 4);
	assert_int_equal(added("tiny-vit-newer", "rank=1"), 4);
	assert_int_equal(added("tiny-distilbert", "rank=1"), 4);
	/* No table has pairs. */
	assert_int_equal(added("tiny-bert", "rank=1 targets=*"), 14);
	assert_int_equal(added("tiny-gpt2", "rank=1 targets=*"), 8);
}

static void refused(const char *value, const char *why)
{
	struct lora_spec s = spec_of(value);
	const struct head_spec head = { .lora = &s };
	struct model m;
	struct err e;

	assert_int_equal(model_open(&m, pairs_fixture("tiny-bert"), &head, &e), EX_USAGE);
	if (strstr(e.text, why) == NULL)
		fail_msg("'%s' says nothing of '%s'", e.text, why);
	lora_free(&s);
}

static void what_cannot_be_is_told(void **state)
{
	(void)state;
	refused("rank=2 targets=qeury", "did you mean query");
	refused("rank=2 targets=word_embeddings", "matches no linear module");
	refused("rank=17", "ranks are 1 to 16");
}

static void operations_that_share_a_weight_share_its_pair(void **state)
{
	struct lora_spec s = spec_of("rank=3");
	struct model m;
	size_t a, uses = 0;

	(void)state;
	pairs_open(&m, "tiny-gpt2", &s);
	a = (size_t)model_find(&m, "h.0.attn.c_attn.lora_A.weight");
	assert_int_equal(m.params[a].shape[1], 16);
	assert_int_equal(m.params[a + 1].shape[0], 48);
	for (size_t i = 0; i < m.n_ops; i++)
		for (int k = 0; k < m.ops[i].pairs; k++)
			uses += m.ops[i].p[2 + 2 * k] == (int)a;
	assert_int_equal(uses, 3);
	model_close(&m);
	lora_free(&s);
}

static void only_those_that_are_listed_are_added(void **state)
{
	struct lora_spec s = spec_of("rank=2,4");
	struct model m;

	(void)state;
	strlist_add(&s.only, "bert.encoder.layer.0.attention.self.query.lora.r4", NULL);
	strlist_add(&s.only, "encoder.layer.1.attention.self.value.lora.r2", NULL);
	pairs_open(&m, "tiny-bert", &s);
	assert_int_equal(pairs_of(&m), 2);
	assert_true(
	    model_find(&m, "encoder.layer.0.attention.self.query.lora_A.r4.weight") >= 0);
	assert_true(
	    model_find(&m, "encoder.layer.1.attention.self.value.lora_B.r2.weight") >= 0);
	model_close(&m);
	lora_free(&s);
}

static void merged_weights_give_the_same_logits(void **state)
{
	static const char *const names[] = { "tiny-bert", "tiny-gpt2", "tiny-vit-newer" };

	(void)state;
	for (size_t i = 0; i < 3; i++) {
		struct lora_spec s = spec_of("rank=2,3 alpha=5 targets=all-linear");
		struct model m;
		struct batch b;
		float *x, *y;
		size_t n;

		pairs_open(&m, names[i], &s);
		pairs_batch(&b, &m, names[i]);
		y = pairs_logits(&m, &b, &n);
		pairs_draw(&m);
		x = pairs_logits(&m, &b, &n);
		assert_true(pairs_apart(x, y, n) > 0.01);
		free(y);
		assert_int_equal(model_merge_lora(&m, NULL), EX_OK);
		y = pairs_logits(&m, &b, &n);
		assert_true(pairs_apart(x, y, n) < TOLERANCE);
		/* Once merged, there is nothing left to merge. */
		free(x);
		assert_int_equal(model_merge_lora(&m, NULL), EX_OK);
		x = pairs_logits(&m, &b, &n);
		assert_true(pairs_apart(x, y, n) == 0);
		free(x);
		free(y);
		batch_free(&b);
		model_close(&m);
		lora_free(&s);
	}
}

static double loss_at(struct model *m, const struct batch *b, size_t i, const float *g,
		      double step)
{
	struct param *p = &m->params[i];
	struct pass pass;
	double loss;

	for (size_t j = 0; j < p->n; j++)
		p->own[j] += (float)(step * (double)g[j]);
	assert_int_equal(pass_init(&pass, m, false, NULL), EX_OK);
	assert_int_equal(pass_batch(&pass, b, NULL), EX_OK);
	pass_forward(&pass);
	loss = pass.loss;
	pass_free(&pass);
	for (size_t j = 0; j < p->n; j++)
		p->own[j] -= (float)(step * (double)g[j]);
	return loss;
}

/* Along its gradient the loss changes by the square of the gradient's norm. */
static void check_gradient(struct model *m, const struct batch *b,
			   const struct gradients *g, size_t i)
{
	double norm2 = vec_dot(m->k, m->params[i].n, g->g[i], g->g[i]), step, slope;

	assert_int_equal(model_own(m, i, NULL), EX_OK);
	assert_true(norm2 > 0);
	step = 5e-3 / sqrt(norm2);
	slope = (loss_at(m, b, i, g->g[i], step) - loss_at(m, b, i, g->g[i], -step)) /
		(2 * step);
	/* A third-order term, and the loss's rounding over a change of some 1e-3 and more.
	 */
	if (fabs(slope - norm2) > 0.01 * norm2 + 1e-4 * sqrt(norm2))
		fail_msg("%s: slope %g, gradient %g", m->params[i].name, slope, norm2);
}

static void gradients_are_slopes(void **state)
{
	static const char *const names[] = { "tiny-bert", "tiny-gpt2" };

	(void)state;
	for (size_t i = 0; i < 2; i++) {
		struct lora_spec s = spec_of("rank=2,3 alpha=5 targets=all-linear");
		struct gradients g;
		struct visitor v;
		struct model m;
		struct batch b;
		struct pass p;
		bool *wanted;

		pairs_open(&m, names[i], &s);
		pairs_draw(&m);
		pairs_batch(&b, &m, names[i]);
		wanted = calloc(m.n_params, sizeof *wanted);
		for (size_t j = 0; j < m.n_params; j++)
			wanted[j] = lora_is_pair(&m.params[j]);
		assert_int_equal(gradients_init(&g, &m, wanted, false, NULL), EX_OK);
		assert_int_equal(pass_init(&p, &m, true, NULL), EX_OK);
		assert_int_equal(pass_batch(&p, &b, NULL), EX_OK);
		pass_forward(&p);
		v = gradients_visitor(&g);
		assert_int_equal(pass_backward(&p, &v, NULL), EX_OK);
		for (size_t j = 0; j < m.n_params; j++)
			if (wanted[j])
				check_gradient(&m, &b, &g, j);
		gradients_free(&g);
		pass_free(&p);
		free(wanted);
		batch_free(&b);
		model_close(&m);
		lora_free(&s);
	}
}

static void a_line_is_read_as_it_was_written(void **state)
{
	static const char *const lines[] = {
		"rank=8",
		"rank=2,4,8,16 alpha=0.5",
		"rank=4 alpha=16 dropout=0.1 targets=query,encoder.*.value",
		"rank=4 targets=a%20b%2Cc%25",
	};

	(void)state;
	for (size_t i = 0; i < sizeof lines / sizeof *lines; i++) {
		struct lora_spec s = spec_of(lines[i]);
		struct strbuf out = { 0 };

		assert_int_equal(lora_print(&s, &out, NULL), EX_OK);
		assert_string_equal(out.s, lines[i]);
		strbuf_free(&out);
		lora_free(&s);
	}
}

static void malformed_lines_are_refused(void **state)
{
	static const char *const lines[] = {
		"",
		"alpha=3",
		"rank=",
		"rank=0",
		"rank=-1",
		"rank=4,4",
		"rank=1,2,3,4,5",
		"rank=4097",
		"rank=4x",
		"rank=4 alpha=0",
		"rank=4 alpha=nan",
		"rank=4 dropout=1",
		"rank=4 targets=a%2",
		"rank=4 targets=a%00",
		"rank=4 targets=a,,b",
	};

	(void)state;
	for (size_t i = 0; i < sizeof lines / sizeof *lines; i++) {
		struct lora_spec s;
		struct err e;

		if (lora_parse(&s, lines[i], &e) != EX_DATAERR)
			fail_msg("'%s' was taken", lines[i]);
	}
}

static void pairs_have_names(void **state)
{
	struct strbuf b = { 0 };

	(void)state;
	lora_pair_name("x.query.lora_A.weight", &b);
	assert_string_equal(b.s, "x.query.lora");
	strbuf_clear(&b);
	lora_pair_name("x.lora_B.query.lora_B.r16.weight", &b);
	assert_string_equal(b.s, "x.lora_B.query.lora.r16");
	strbuf_free(&b);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(new_pairs_change_nothing),
		cmocka_unit_test(a_pair_is_two_tensors_behind_the_others),
		cmocka_unit_test(targets_are_parts_paths_and_globs),
		cmocka_unit_test(what_cannot_be_is_told),
		cmocka_unit_test(operations_that_share_a_weight_share_its_pair),
		cmocka_unit_test(only_those_that_are_listed_are_added),
		cmocka_unit_test(merged_weights_give_the_same_logits),
		cmocka_unit_test(gradients_are_slopes),
		cmocka_unit_test(a_line_is_read_as_it_was_written),
		cmocka_unit_test(malformed_lines_are_refused),
		cmocka_unit_test(pairs_have_names),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
