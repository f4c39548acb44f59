/*
 * pairs - a fixture's model with its batch, for tests of LoRA pairs and adapters.
 */
#ifndef TESTS_PAIRS_H
#define TESTS_PAIRS_H

#include "../batch_text.h"
#include "base/prng.h"
#include "model/lora.h"
#include "model/pass.h"

static inline const char *pairs_fixture(const char *name)
{
	static char path[4096];
	const char *tests = getenv("TESTS");

	snprintf(path, sizeof path, "%s/fixtures/%s", tests == NULL ? "tests" : tests,
		 name);
	return path;
}

static inline void pairs_open(struct model *m, const char *name,
			      const struct lora_spec *lora)
{
	const struct head_spec head = { .lora = lora,
					.language = strcmp(name, "tiny-gpt2") == 0 };
	struct err e;

	if (model_open(m, pairs_fixture(name), &head, &e) != EX_OK)
		fail_msg("%s", e.text);
}

static inline void pairs_batch(struct batch *b, const struct model *m, const char *name)
{
	char *path = str_printf("%s/batch.tsv", pairs_fixture(name));
	FILE *f = fopen(path, "r");

	assert_non_null(f);
	assert_int_equal(fscanf(f, "#label ids types "), 0);
	batch_text_read_for(m, b, f, SIZE_MAX);
	fclose(f);
	free(path);
}

/* Pairs as after some training. */
static inline void pairs_draw(struct model *m)
{
	for (size_t i = 0; i < m->n_params; i++) {
		struct param *p = &m->params[i];
		struct prng r;

		if (p->type != TYPE_LORA_B)
			continue;
		assert_int_equal(model_own(m, i, NULL), EX_OK);
		prng_seed(&r, 3, p->save_name);
		for (size_t j = 0; j < p->n; j++)
			p->own[j] = (float)(0.1 * prng_normal(&r));
	}
}

/* The logits of all rows, for the caller to free. */
static inline float *pairs_logits(const struct model *m, const struct batch *b, size_t *n)
{
	struct pass p;
	float *z;

	assert_int_equal(pass_init(&p, m, false, NULL), EX_OK);
	assert_int_equal(pass_batch(&p, b, NULL), EX_OK);
	pass_forward(&p);
	*n = pass_rows(&p, m->logits) * m->slots[m->logits].width;
	z = malloc(*n * sizeof *z);
	assert_non_null(z);
	memcpy(z, p.act[m->logits], *n * sizeof *z);
	pass_free(&p);
	return z;
}

static inline double pairs_apart(const float *a, const float *b, size_t n)
{
	double most = 0;

	for (size_t i = 0; i < n; i++) {
		double d = (double)a[i] - (double)b[i];

		most = d > most ? d : -d > most ? -d : most;
	}
	return most;
}

#endif
