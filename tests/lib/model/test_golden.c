/*
 * The passes against what PyTorch computed in double precision (tests/ref/model.py and
 * families.py).
 */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <cmocka.h>

#include <math.h>

#include "../batch_text.h"
#include "../every_family.h"
#include "model/pass.h"

/* Single precision has 2^-24; some hundred operations stand behind a number here. */
#define LOGIT_TOLERANCE    2e-6 /* absolute, of logits near 1 */
#define GRADIENT_TOLERANCE 1e-5 /* of a tensor: |difference| / |gradient|, and */
#define ROUNDING           2e-7 /* absolute: a bias sums terms that cancel, some exactly */

struct golden {
	struct model m;
	struct batch batch;
	char *dir;
};

static FILE *golden_file(const char *dir, const char *name)
{
	char *path = str_printf("%s/%s", dir, name);
	FILE *f = fopen(path, "r");

	if (f == NULL)
		fail_msg("%s: not found", path);
	free(path);
	return f;
}

static bool is_language(const char *name)
{
	return strcmp(name, "tiny-gpt2") == 0 || strcmp(name, "tiny-gpt2-untied") == 0;
}

static void golden_open(struct golden *g, const char *name)
{
	const struct head_spec as_saved = { .language = is_language(name) };
	const char *tests = getenv("TESTS");
	struct err e;
	FILE *f;

	g->dir = str_printf("%s/fixtures/%s", tests == NULL ? "tests" : tests, name);
	if (model_open(&g->m, g->dir, &as_saved, &e) != EX_OK)
		fail_msg("%s", e.text);
	assert_int_equal(g->m.unexpected.n, 0);
	f = golden_file(g->dir, "batch.tsv");
	assert_int_equal(fscanf(f, "#label ids types "), 0);
	batch_text_read_for(&g->m, &g->batch, f, SIZE_MAX);
	fclose(f);
	assert_int_equal(g->batch.sequences, 6);
}

static void golden_close(struct golden *g)
{
	batch_free(&g->batch);
	model_close(&g->m);
	free(g->dir);
}

/* The loss of a sequence, or of a token that is predicted. */
static double loss_of(const struct pass *p, size_t row)
{
	return p->m->language ? p->target_loss[row] : p->row_loss[row];
}

/* Compares losses and logits; `p` has run forward. */
static void check_logits(const struct golden *g, const struct pass *p)
{
	FILE *f = golden_file(g->dir, "logits.tsv");
	size_t width = g->m.slots[g->m.logits].width, rows = pass_rows(p, g->m.logits);
	double sum = 0, sequences = 0;

	assert_int_equal(fscanf(f, "#loss logits "), 0);
	for (size_t r = 0; r < rows; r++) {
		double x;

		assert_int_equal(fscanf(f, "%lf", &x), 1);
		assert_true(fabs(loss_of(p, r) - x) < 5 * LOGIT_TOLERANCE);
		sum += x;
		for (size_t c = 0; c < width; c++) {
			assert_int_equal(fscanf(f, "%lf", &x), 1);
			x -= (double)p->act[g->m.logits][r * width + c];
			assert_true(fabs(x) < LOGIT_TOLERANCE);
		}
	}
	assert_int_equal(fscanf(f, "%*s"), EOF);
	for (size_t s = 0; s < g->batch.sequences; s++)
		sequences += p->row_loss[s];
	assert_true(fabs(sequences - sum) < 5 * LOGIT_TOLERANCE * (double)rows);
	assert_true(fabs(p->loss - sum / (double)rows) < 5 * LOGIT_TOLERANCE);
	fclose(f);
}

static void forward_agrees(bool keep)
{
	for (size_t i = 0; i < N_FIXTURES; i++) {
		struct golden g;
		struct pass p;
		struct err e;

		golden_open(&g, fixtures[i]);
		assert_int_equal(pass_init(&p, &g.m, keep, &e), EX_OK);
		assert_int_equal(pass_batch(&p, &g.batch, &e), EX_OK);
		pass_forward(&p);
		check_logits(&g, &p);
		pass_free(&p);
		golden_close(&g);
	}
}

static void logits_and_losses_are_those_of_pytorch(void **state)
{
	(void)state;
	forward_agrees(true);
}

static void shared_buffers_give_the_same_logits(void **state)
{
	(void)state;
	forward_agrees(false);
}

static void check_gradient(const struct param *p, const float *ours,
			   const struct tensor_view *t)
{
	float *theirs = mem_floats(t->n);
	double size = 0, difference = 0;
	struct err e;

	assert_int_equal(t->n, p->n);
	assert_int_equal(tensor_floats(t, theirs, "", &e), EX_OK);
	for (size_t j = 0; j < t->n; j++) {
		double d = (double)ours[j] - (double)theirs[j];

		size += (double)theirs[j] * (double)theirs[j];
		difference += d * d;
	}
	if (sqrt(difference) > GRADIENT_TOLERANCE * sqrt(size) + ROUNDING)
		fail_msg("%s: %g of %g", t->name, sqrt(difference), sqrt(size));
	free(theirs);
}

/* Every tensor, by its name. */
static void check_gradients(const struct golden *g, float *const *grad)
{
	char *path = str_printf("%s/gradients.safetensors", g->dir);
	struct safetensors golden;
	struct err e;

	if (safetensors_open(&golden, path, &e) != EX_OK)
		fail_msg("%s", e.text);
	assert_int_equal(golden.n, g->m.n_params);
	for (size_t i = 0; i < golden.n; i++) {
		int at = model_find(&g->m, golden.t[i].name);

		assert_true(at >= 0);
		check_gradient(&g->m.params[at], grad[at], &golden.t[i]);
	}
	safetensors_close(&golden);
	free(path);
}

static void gradients_are_those_of_pytorch(void **state)
{
	(void)state;
	for (size_t i = 0; i < N_FIXTURES; i++) {
		struct golden g;
		struct gradients grad;
		struct visitor v;
		struct pass p;
		struct err e;
		bool wanted[64];

		for (size_t j = 0; j < 64; j++)
			wanted[j] = true;
		golden_open(&g, fixtures[i]);
		assert_int_equal(pass_init(&p, &g.m, true, &e), EX_OK);
		assert_int_equal(gradients_init(&grad, &g.m, wanted, false, &e), EX_OK);
		assert_int_equal(pass_batch(&p, &g.batch, &e), EX_OK);
		gradients_zero(&grad);
		v = gradients_visitor(&grad);
		pass_forward(&p);
		assert_int_equal(pass_backward(&p, &v, &e), EX_OK);
		check_gradients(&g, grad.g);
		gradients_free(&grad);
		pass_free(&p);
		golden_close(&g);
	}
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(logits_and_losses_are_those_of_pytorch),
		cmocka_unit_test(shared_buffers_give_the_same_logits),
		cmocka_unit_test(gradients_are_those_of_pytorch),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
