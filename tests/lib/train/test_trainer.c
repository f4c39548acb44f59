#include <math.h>
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <stdlib.h>
#include <string.h>

#include <cmocka.h>

#include "../model/pairs.h"
#include "../tiny.h"
#include "base/mem.h"
#include "io/rows.h"
#include "train/schedule.h"
#include "train/trainer.h"

#define STEPS  12
#define WARMUP 3

/* Everything in one batch, in the order of the file. */
static void fill_batch(struct batch *b, const struct dataset *d)
{
	size_t *all = mem_zeros(d->n, sizeof *all);

	for (size_t i = 0; i < d->n; i++)
		all[i] = i;
	*b = (struct batch){ 0 };
	assert_int_equal(batch_fill(b, d, all, d->n, NULL), EX_OK);
	free(all);
}

static void start(struct trainer *t, struct tiny *x, const struct trainer_options *o,
		  bool (*wants)(const struct param *))
{
	bool *wanted = mem_zeros(x->model.n_params, sizeof *wanted);
	struct err e;

	for (size_t i = 0; i < x->model.n_params; i++)
		wanted[i] = wants(&x->model.params[i]);
	if (trainer_init(t, &x->model, wanted, o, &e) != EX_OK)
		fail_msg("%s", e.text);
	free(wanted);
}

static double step(struct trainer *t, const struct batch *b, double lr)
{
	struct err e;
	double loss;

	if (trainer_gradient(t, b, &loss, &e) != EX_OK)
		fail_msg("%s", e.text);
	trainer_step(t, lr);
	return loss;
}

/* In three calls. */
static void step_by_parts(struct trainer *t, const struct batch *b, double lr)
{
	struct err e;
	double loss;

	assert_int_equal(trainer_gradient(t, b, &loss, &e), EX_OK);
	trainer_moments(t);
	trainer_update(t, lr);
}

static bool everything(const struct param *p)
{
	(void)p;
	return true;
}

static bool the_head(const struct param *p)
{
	return p->type == TYPE_HEAD;
}

/* Norm of the difference of two models' parameters of that name. */
static double change(const struct model *a, const struct model *b, const char *name)
{
	int i = model_find(a, name);
	double sum = 0;

	assert_true(i >= 0);
	for (size_t j = 0; j < a->params[i].n; j++) {
		double d = (double)a->params[i].w[j] - (double)b->params[i].w[j];

		sum += d * d;
	}
	return sqrt(sum);
}

static void near(const char *what, double got, double want, double tolerance)
{
	if (!(fabs(got - want) <= tolerance))
		fail_msg("%s: %.9g, expected %.9g", what, got, want);
}

/* Runs `kind` beside its rows of training.tsv. The reference computes in double precision;
 * ours are floats, and AdamW divides small gradients by their own size, which multiplies
 * rounding errors from step to step. */
static void compare_run(const char *kind, enum direction direction, double lr)
{
	struct trainer_options o = trainer_defaults();
	struct tiny x;
	struct trainer t;
	struct batch b;
	struct model before;
	struct rows *r;
	char **field;
	size_t n;

	o.direction = direction;
	o.weight_decay = 0.1;
	o.dropout = false;
	tiny_open(&x);
	tiny_model(&before, "tiny-bert");
	fill_batch(&b, &x.data);
	start(&t, &x, &o, everything);
	assert_int_equal(rows_open(&r, fixture("training.tsv"), '\t', false, NULL), EX_OK);
	while (rows_next(r, &field, &n, NULL) == EX_OK && n > 0) {
		if (strcmp(field[0], kind) != 0)
			continue;
		if (n == 4) {
			double factor =
			    schedule_factor(SCHEDULE_LINEAR, t.step, WARMUP, STEPS);
			double loss = step(&t, &b, lr * factor);

			near("loss", loss, strtod(field[2], NULL), 2e-6);
			near("norm", t.grad_norm, strtod(field[3], NULL), 2e-5);
		} else {
			double want = strtod(field[2], NULL);

			/* The gradient of a key's bias is exactly zero; what floats leave
			 * of it is noise, which AdamW makes large. */
			if (want > 1e-6)
				near(field[1], change(&x.model, &before, field[1]), want,
				     1e-4 * want);
		}
	}
	assert_int_equal(t.step, STEPS);
	rows_close(r);
	trainer_free(&t);
	batch_free(&b);
	model_close(&before);
	tiny_close(&x);
}

static void adamw_runs_as_pytorchs(void **state)
{
	(void)state;
	compare_run("adamw", DIRECTION_ADAMW, 0.01);
}

static void sgd_runs_as_pytorchs_with_decoupled_decay(void **state)
{
	(void)state;
	compare_run("sgd", DIRECTION_SGD, 0.5);
}

static void only_the_wanted_parameters_move(void **state)
{
	const struct trainer_options o = trainer_defaults();
	struct tiny x;
	struct trainer t;
	struct batch b;
	struct model before;

	(void)state;
	tiny_open(&x);
	tiny_model(&before, "tiny-bert");
	fill_batch(&b, &x.data);
	start(&t, &x, &o, the_head);
	assert_int_equal(t.trained, 16 * 16 + 16 + 2 * 16 + 2);
	step(&t, &b, 0.01);
	for (size_t i = 0; i < x.model.n_params; i++) {
		const struct param *p = &x.model.params[i];
		bool same = memcmp(p->w, before.params[i].w, p->n * sizeof *p->w) == 0;

		assert_int_equal(same, p->type != TYPE_HEAD);
		assert_true((t.moment1[i] != NULL) == (p->type == TYPE_HEAD));
	}
	trainer_free(&t);
	batch_free(&b);
	model_close(&before);
	tiny_close(&x);
}

/* Row 1 of every matrix, and 4..6 where there are as many. */
static void select_rows(struct selection *s, const struct model *m)
{
	assert_int_equal(selection_init(s, m, NULL), EX_OK);
	for (size_t i = 0; i < m->n_params; i++) {
		const struct param *p = &m->params[i];
		size_t width = p->n / p->shape[0];

		if (p->ndim < 2 || p->shape[0] < 2)
			continue;
		assert_int_equal(selection_add(s, i, width, width, NULL), EX_OK);
		if (p->shape[0] >= 7)
			assert_int_equal(selection_add(s, i, 4 * width, 3 * width, NULL),
					 EX_OK);
	}
	selection_settle(s);
}

static bool selected(const struct chosen *c, size_t at)
{
	for (size_t j = 0; j < c->n; j++) {
		if (at >= c->run[j].from && at < c->run[j].from + c->run[j].n)
			return true;
	}
	return false;
}

/* Trains rows of `m` on `b` for two steps; what is not selected stays bit for bit. */
static void rows_train_alone(struct model *m, struct model *before, const struct batch *b,
			     enum direction direction)
{
	struct trainer_options o = trainer_defaults();
	struct selection s;
	struct trainer t;
	uint64_t moved = 0, count = 0;

	o.direction = direction;
	select_rows(&s, m);
	assert_int_equal(trainer_init_some(&t, m, &s, &o, NULL), EX_OK);
	step(&t, b, 0.01);
	step_by_parts(&t, b, 0.01);
	for (size_t i = 0; i < m->n_params; i++) {
		count += s.of[i].elements;
		for (size_t j = 0; j < m->params[i].n; j++) {
			bool same = memcmp(&m->params[i].w[j], &before->params[i].w[j],
					   sizeof(float)) == 0;

			if (!same && !selected(&s.of[i], j))
				fail_msg("%s moves at %zu", m->params[i].name, j);
			moved += !same;
		}
	}
	assert_true(t.trained == count);
	assert_true(moved > count / 2);
	selection_free(&s);
	trainer_free(&t);
}

static void only_the_selected_rows_move(void **state)
{
	(void)state;
	for (int d = DIRECTION_ADAMW; d <= DIRECTION_SGD; d++) {
		struct model before;
		struct tiny x;
		struct batch b;

		tiny_open(&x);
		tiny_model(&before, "tiny-bert");
		fill_batch(&b, &x.data);
		rows_train_alone(&x.model, &before, &b, (enum direction)d);
		batch_free(&b);
		model_close(&before);
		tiny_close(&x);
	}
}

/* Of a fixture with LoRA pairs: GPT-2's weights are [in, out]. */
static void only_the_selected_rows_of_a_family_move(const char *name)
{
	const struct lora_spec lora = { .rank = { 2, 8 }, .ranks = 2 };
	struct model m, before;
	struct batch b;

	pairs_open(&m, name, &lora);
	pairs_open(&before, name, &lora);
	pairs_draw(&m);
	pairs_draw(&before);
	pairs_batch(&b, &m, name);
	rows_train_alone(&m, &before, &b, DIRECTION_ADAMW);
	batch_free(&b);
	model_close(&m);
	model_close(&before);
}

static void only_the_selected_rows_of_conv1d_and_pairs_move(void **state)
{
	(void)state;
	only_the_selected_rows_of_a_family_move("tiny-gpt2");
	only_the_selected_rows_of_a_family_move("tiny-gpt2-classes");
	only_the_selected_rows_of_a_family_move("tiny-bert");
}

static void all_rows_train_as_the_whole_tensor(void **state)
{
	const struct trainer_options o = trainer_defaults();
	struct tiny whole, rows;
	struct selection s;
	struct trainer t, u;
	struct batch b;

	(void)state;
	tiny_open(&whole);
	tiny_open(&rows);
	fill_batch(&b, &whole.data);
	start(&t, &whole, &o, everything);
	assert_int_equal(selection_init(&s, &rows.model, NULL), EX_OK);
	for (size_t i = 0; i < rows.model.n_params; i++) {
		const struct param *p = &rows.model.params[i];
		size_t width = p->n / p->shape[0];

		for (size_t r = p->shape[0]; r-- > 0;)
			assert_int_equal(selection_add(&s, i, r * width, width, NULL),
					 EX_OK);
	}
	selection_settle(&s);
	assert_int_equal(trainer_init_some(&u, &rows.model, &s, &o, NULL), EX_OK);
	for (int i = 0; i < 3; i++) {
		step(&t, &b, 1e-2);
		step(&u, &b, 1e-2);
	}
	for (size_t i = 0; i < whole.model.n_params; i++)
		assert_memory_equal(whole.model.params[i].w, rows.model.params[i].w,
				    whole.model.params[i].n * sizeof(float));
	selection_free(&s);
	trainer_free(&t);
	trainer_free(&u);
	batch_free(&b);
	tiny_close(&whole);
	tiny_close(&rows);
}

static void a_step_is_moments_and_update(void **state)
{
	struct trainer_options o = trainer_defaults();
	struct tiny whole, parts;
	struct trainer t, u;
	struct batch b;

	(void)state;
	o.dropout = false;
	o.clip = 0.5;
	tiny_open(&whole);
	tiny_open(&parts);
	fill_batch(&b, &whole.data);
	start(&t, &whole, &o, everything);
	start(&u, &parts, &o, everything);
	for (int i = 0; i < 3; i++) {
		step(&t, &b, 1e-2);
		step_by_parts(&u, &b, 1e-2);
	}
	for (size_t i = 0; i < whole.model.n_params; i++) {
		const struct param *p = &whole.model.params[i];

		/* One rounding more or less of a step of about 1e-2, three times; a key
		 * bias has nothing but rounding to go by. */
		for (size_t j = 0; !strstr(p->name, "key.bias") && j < p->n; j++)
			assert_true(fabs(p->w[j] - parts.model.params[i].w[j]) < 2e-5);
	}
	trainer_free(&t);
	trainer_free(&u);
	batch_free(&b);
	tiny_close(&whole);
	tiny_close(&parts);
}

static void the_update_is_lr_times_the_direction(void **state)
{
	struct trainer_options o = trainer_defaults();
	struct tiny x;
	struct trainer t;
	struct batch b;
	float direction[2], before[2];
	double loss;
	size_t i;

	(void)state;
	o.weight_decay = 0;
	o.dropout = false;
	tiny_open(&x);
	fill_batch(&b, &x.data);
	start(&t, &x, &o, everything);
	i = (size_t)model_find(&x.model, "classifier.bias");
	assert_int_equal(trainer_gradient(&t, &b, &loss, NULL), EX_OK);
	trainer_moments(&t);
	trainer_direction(&t, i, direction);
	memcpy(before, x.model.params[i].w, sizeof before);
	trainer_update(&t, 0.25);
	for (int j = 0; j < 2; j++) {
		/* AdamW's first direction is the sign of the gradient. */
		near("direction", (double)direction[j], copysign(1, (double)t.grad.g[i][j]),
		     1e-5);
		near("weight", (double)x.model.params[i].w[j],
		     (double)before[j] - 0.25 * (double)direction[j], 1e-7);
	}
	trainer_free(&t);
	batch_free(&b);
	tiny_close(&x);
}

/* As the moments would have it, which do not move; of some elements at a time. */
static void check_foreseen(enum direction direction)
{
	struct trainer_options o = trainer_defaults();
	struct tiny x;
	struct trainer t;
	struct batch b;
	size_t i, n;
	float *foreseen, *taken, *part;
	struct err e;
	double loss;

	o.direction = direction;
	o.clip = 0;
	o.dropout = false;
	tiny_open(&x);
	fill_batch(&b, &x.data);
	start(&t, &x, &o, everything);
	step(&t, &b, 1e-3);
	i = (size_t)model_find(&x.model, "pooler.dense.weight");
	n = x.model.params[i].n;
	foreseen = mem_floats(n);
	taken = mem_floats(n);
	part = mem_floats(n);
	assert_int_equal(trainer_gradient(&t, &b, &loss, &e), EX_OK);
	trainer_direction_along(&t, i, 0, n, t.grad.g[i], foreseen);
	trainer_direction_along(&t, i, 37, 50, t.grad.g[i] + 37, part);
	assert_memory_equal(part, foreseen + 37, 50 * sizeof *part);
	trainer_moments(&t);
	trainer_direction(&t, i, taken);
	assert_memory_equal(foreseen, taken, n * sizeof *taken);
	trainer_direction_part(&t, i, 37, 50, part);
	assert_memory_equal(part, taken + 37, 50 * sizeof *part);
	free(foreseen);
	free(taken);
	free(part);
	batch_free(&b);
	trainer_free(&t);
	tiny_close(&x);
}

static void a_direction_is_foreseen_without_the_moments_taking_it_in(void **state)
{
	(void)state;
	check_foreseen(DIRECTION_ADAMW);
	check_foreseen(DIRECTION_SGD);
}

static void clipping_leaves_the_gradient_itself_alone(void **state)
{
	struct trainer_options o = trainer_defaults();
	struct tiny x;
	struct trainer t;
	struct batch b;
	float whole[2], clipped[2];
	double loss;
	size_t i;

	(void)state;
	o.direction = DIRECTION_SGD;
	o.clip = 0.01;
	o.dropout = false;
	tiny_open(&x);
	fill_batch(&b, &x.data);
	start(&t, &x, &o, everything);
	i = (size_t)model_find(&x.model, "classifier.bias");
	assert_int_equal(trainer_gradient(&t, &b, &loss, NULL), EX_OK);
	memcpy(whole, t.grad.g[i], sizeof whole);
	trainer_moments(&t);
	trainer_direction(&t, i, clipped);
	assert_memory_equal(whole, t.grad.g[i], sizeof whole);
	near("factor", t.clip_factor, 0.01 / (t.grad_norm + 1e-6), 1e-15);
	near("clipped", (double)clipped[0], t.clip_factor * (double)whole[0], 1e-9);
	trainer_free(&t);
	batch_free(&b);
	tiny_close(&x);
}

/* Loss of the third step with dropout. */
static double third_loss(uint64_t seed)
{
	struct trainer_options o = trainer_defaults();
	struct tiny x;
	struct trainer t;
	struct batch b;
	double loss = 0;

	o.seed = seed;
	tiny_open(&x);
	fill_batch(&b, &x.data);
	start(&t, &x, &o, everything);
	for (int i = 0; i < 3; i++)
		loss = step(&t, &b, 1e-3);
	trainer_free(&t);
	batch_free(&b);
	tiny_close(&x);
	return loss;
}

static void a_run_is_a_function_of_its_seed(void **state)
{
	(void)state;
	assert_true(third_loss(1) == third_loss(1));
	assert_true(third_loss(1) != third_loss(2));
}

static void dropout_differs_from_step_to_step(void **state)
{
	const struct trainer_options o = trainer_defaults();
	struct tiny x;
	struct trainer t;
	struct batch b;
	double first, second;

	(void)state;
	tiny_open(&x);
	fill_batch(&b, &x.data);
	start(&t, &x, &o, everything);
	first = step(&t, &b, 0);
	second = step(&t, &b, 0);
	assert_true(first != second);
	trainer_free(&t);
	batch_free(&b);
	tiny_close(&x);
}

static void a_loss_that_is_not_finite_names_the_step(void **state)
{
	const struct trainer_options o = trainer_defaults();
	struct tiny x;
	struct trainer t;
	struct batch b;
	struct err e;
	double loss;

	(void)state;
	tiny_open(&x);
	fill_batch(&b, &x.data);
	start(&t, &x, &o, everything);
	step(&t, &b, 1e-3);
	x.model.params[model_find(&x.model, "classifier.bias")].own[0] = NAN;
	assert_int_equal(trainer_gradient(&t, &b, &loss, &e), EX_DATAERR);
	assert_non_null(strstr(e.text, "step 2: the loss is not finite"));
	trainer_free(&t);
	batch_free(&b);
	tiny_close(&x);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(adamw_runs_as_pytorchs),
		cmocka_unit_test(sgd_runs_as_pytorchs_with_decoupled_decay),
		cmocka_unit_test(only_the_wanted_parameters_move),
		cmocka_unit_test(only_the_selected_rows_move),
		cmocka_unit_test(only_the_selected_rows_of_conv1d_and_pairs_move),
		cmocka_unit_test(all_rows_train_as_the_whole_tensor),
		cmocka_unit_test(a_step_is_moments_and_update),
		cmocka_unit_test(the_update_is_lr_times_the_direction),
		cmocka_unit_test(a_direction_is_foreseen_without_the_moments_taking_it_in),
		cmocka_unit_test(clipping_leaves_the_gradient_itself_alone),
		cmocka_unit_test(a_run_is_a_function_of_its_seed),
		cmocka_unit_test(dropout_differs_from_step_to_step),
		cmocka_unit_test(a_loss_that_is_not_finite_names_the_step),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
