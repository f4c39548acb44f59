/*
 * alone - every family's fixture with its batch, and with each sequence of it alone.
 */
#ifndef TESTS_ALONE_H
#define TESTS_ALONE_H

#include "base/prng.h"
#include "batch_text.h"
#include "model/lora.h"
#include "model/pass.h"
#include "model/samples.h"

struct fixture_case {
	const char *name;
	bool language;
	const char *lora; /* a target, or NULL */
};

static const struct fixture_case fixture_cases[] = {
	{ "tiny-bert", false, NULL },
	{ "tiny-bert-regression", false, NULL },
	{ "tiny-distilbert", false, NULL },
	{ "tiny-roberta", false, NULL },
	{ "tiny-roberta-regression", false, NULL },
	{ "tiny-gpt2-classes", false, NULL },
	{ "tiny-vit", false, NULL },
	{ "tiny-vit-newer", false, NULL },
	{ "tiny-bert", false, "query" },
	{ "tiny-gpt2-classes", false, "c_attn" },
	{ "tiny-gpt2", true, NULL },
	{ "tiny-gpt2-untied", true, NULL },
	{ "tiny-gpt2", true, "c_attn" },
};

#define FIXTURE_CASES (sizeof fixture_cases / sizeof *fixture_cases)

/* A model that can be changed, its batch, and a direction for each parameter. */
struct fixture {
	const struct fixture_case *is;
	struct model m;
	struct batch b;
	float **v; /* [n_params] */
	bool *all; /* [n_params] true */
};

static inline char *fixture_path(const char *name, const char *file)
{
	const char *tests = getenv("TESTS");

	return str_printf("%s/fixtures/%s%s", tests == NULL ? "tests" : tests, name, file);
}

static inline void fixture_batch(struct fixture *f)
{
	char *path = fixture_path(f->is->name, "/batch.tsv");
	FILE *in = fopen(path, "r");

	assert_non_null(in);
	assert_int_equal(fscanf(in, "#label ids types "), 0);
	batch_text_read_for(&f->m, &f->b, in, SIZE_MAX);
	fclose(in);
	free(path);
}

/* Weights of their own, B no longer zero, and normal directions as long as weights are. */
static inline void fixture_draw(struct fixture *f)
{
	for (size_t i = 0; i < f->m.n_params; i++) {
		struct param *p = &f->m.params[i];
		struct prng r;

		assert_int_equal(model_own(&f->m, i, NULL), EX_OK);
		prng_seed(&r, 3, p->save_name);
		for (size_t j = 0; p->type == TYPE_LORA_B && j < p->n; j++)
			p->own[j] = (float)(0.1 * prng_normal(&r));
		f->v[i] = mem_floats(p->n);
		assert_non_null(f->v[i]);
		for (size_t j = 0; j < p->n; j++)
			f->v[i][j] = (float)(0.1 * prng_normal(&r));
		f->all[i] = true;
	}
}

static inline void fixture_open(struct fixture *f, const struct fixture_case *is)
{
	struct lora_spec lora = { .rank = { 2, 3 }, .ranks = 2 };
	struct head_spec head = { .language = is->language };
	char *dir = fixture_path(is->name, "");
	struct err e;

	*f = (struct fixture){ .is = is };
	if (is->lora != NULL) {
		assert_int_equal(strlist_add(&lora.targets, is->lora, &e), EX_OK);
		head.lora = &lora;
	}
	if (model_open(&f->m, dir, &head, &e) != EX_OK)
		fail_msg("%s", e.text);
	strlist_free(&lora.targets);
	free(dir);
	fixture_batch(f);
	f->v = mem_zeros(f->m.n_params, sizeof *f->v);
	f->all = mem_zeros(f->m.n_params, sizeof *f->all);
	fixture_draw(f);
}

static inline void fixture_close(struct fixture *f)
{
	for (size_t i = 0; i < f->m.n_params; i++)
		free(f->v[i]);
	free(f->v);
	free(f->all);
	batch_free(&f->b);
	model_close(&f->m);
}

static inline void fixture_direction(const void *self, size_t param, size_t from, size_t n,
				     float *d)
{
	const struct fixture *f = self;

	memcpy(d, f->v[param] + from, n * sizeof *d);
}

static inline struct directions fixture_directions(const struct fixture *f)
{
	return (struct directions){ .self = f, .get = fixture_direction };
}

/* Forward and backward; `retain`: with the errors kept. */
static inline void fixture_run(const struct fixture *f, const struct batch *b,
			       struct pass *p, struct gradients *g, bool retain)
{
	struct visitor v;

	assert_int_equal(gradients_init(g, &f->m, f->all, false, NULL), EX_OK);
	assert_int_equal(pass_init(p, &f->m, true, NULL), EX_OK);
	p->retain = retain;
	assert_int_equal(pass_batch(p, b, NULL), EX_OK);
	pass_forward(p);
	v = gradients_visitor(g);
	assert_int_equal(pass_backward(p, &v, NULL), EX_OK);
}

/* Sequence s of `b` as a batch. Targets are put into room of its own. */
static inline struct batch batch_alone(const struct batch *b, size_t s)
{
	uint32_t from = b->start[s], n = b->start[s + 1] - from;
	struct batch one = { .sequences = 1, .tokens = n, .longest = n, .image = b->image };

	one.start = mem_zeros(2, sizeof *one.start);
	one.start[1] = n;
	one.ids = b->ids + from;
	one.types = b->types + from;
	one.position = b->position + from;
	one.label = b->label + s;
	one.target = b->target + s;
	one.pixels = b->pixels == NULL ? NULL : b->pixels + s * b->image;
	one.predict = mem_zeros(n, sizeof *one.predict);
	one.next = mem_zeros(n, sizeof *one.next);
	for (size_t t = 0; t < b->targets; t++) {
		if (b->predict[t] < from || b->predict[t] >= from + n)
			continue;
		one.predict[one.targets] = b->predict[t] - from;
		one.next[one.targets++] = b->next[t];
	}
	return one;
}

/* The gradient of what sequence s adds to the batch's loss. */
static inline void gradients_alone(const struct fixture *f, size_t s, struct gradients *g)
{
	struct batch one = batch_alone(&f->b, s);
	struct pass p;
	float share = f->m.language ? (float)one.targets / (float)f->b.targets
				    : 1 / (float)f->b.sequences;

	fixture_run(f, &one, &p, g, false);
	for (size_t i = 0; i < f->m.n_params; i++)
		vec_scale(f->m.k, f->m.params[i].n, share, g->g[i]);
	pass_free(&p);
	free(one.start);
	free(one.predict);
	free(one.next);
}

#endif
