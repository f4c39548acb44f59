#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <setjmp.h>
#include <cmocka.h>

#include <math.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "base/prng.h"
#include "influence/regroup.h"
#include "influence/split.h"

/* ---- splits beside all divisions there are ---- */

#define FEW 7

static double group_cost(const double *x, const double *w, const uint32_t *part, uint32_t g)
{
	double sum_w = 0, sum_y = 0;

	for (size_t i = 0; i < FEW; i++) {
		if (part[i] == g) {
			sum_w += w[i];
			sum_y += w[i] * x[i];
		}
	}
	return sum_w > 0 ? 2 * sum_w * log(sum_y / sum_w) : 0;
}

static double division_cost(const double *x, const double *w, const uint32_t *part,
			    struct split_cost c, int chain)
{
	double cost = 0, count[FEW] = { 0 };
	size_t groups = 0;

	for (size_t i = 0; i < FEW; i++)
		count[part[i]]++;
	for (uint32_t g = 0; g < FEW; g++) {
		if (count[g] == 0)
			continue;
		groups++;
		cost += group_cost(x, w, part, g) + c.level;
		if (!chain)
			cost += 2 * c.place * count[g] * log(FEW / count[g]);
	}
	if (chain)
		cost += (double)(groups - 1) * 2 * c.place * log(FEW);
	return cost;
}

/* The least over all divisions, counted as numbers of base FEW. */
static double least_cost(const double *x, const double *w, struct split_cost c, int chain)
{
	double least = INFINITY;
	size_t all = 1;

	for (size_t i = 0; i < FEW; i++)
		all *= FEW;
	for (size_t code = 0; code < all; code++) {
		uint32_t part[FEW];
		size_t rest = code;
		int fits = 1;

		for (size_t i = 0; i < FEW; i++, rest /= FEW) {
			part[i] = (uint32_t)(rest % FEW);
			fits &= !chain || i == 0 || part[i] == part[i - 1] ||
				part[i] == part[i - 1] + 1;
		}
		if (fits)
			least = fmin(least, division_cost(x, w, part, c, chain));
	}
	return least;
}

static void test_splits_are_the_best_there_are(void **state)
{
	struct prng r;

	(void)state;
	prng_seed(&r, 1, "splits");
	for (int round = 0; round < 12; round++) {
		struct split_cost c = { 0.5 + 3 * prng_unit(&r), prng_unit(&r) };
		double x[FEW], w[FEW], cost, n = 1 + 5 * prng_unit(&r);
		uint32_t part[FEW];
		size_t parts;

		for (size_t i = 0; i < FEW; i++) {
			x[i] = exp(2 * prng_normal(&r));
			w[i] = n;
		}
		assert_int_equal(split_chain(FEW, x, w, c, part, &parts, &cost, NULL), 0);
		assert_true(fabs(cost - division_cost(x, w, part, c, 1)) < 1e-9);
		assert_true(fabs(cost - least_cost(x, w, c, 1)) < 1e-9);
		assert_int_equal(split_levels(FEW, x, w, c, part, &parts, &cost, NULL), 0);
		assert_true(fabs(cost - division_cost(x, w, part, c, 0)) < 1e-9);
		assert_true(fabs(cost - least_cost(x, w, c, 0)) < 1e-9);
	}
}

#define MANY 400

/* By plain dynamic programming over all ends. */
static double chain_cost(const double *x, const double *w, double group)
{
	double best[MANY + 1] = { -group };

	for (size_t t = 1; t <= MANY; t++) {
		double sum_w = 0, sum_y = 0;

		best[t] = INFINITY;
		for (size_t s = t; s-- > 0;) {
			sum_w += w[s];
			sum_y += w[s] * x[s];
			best[t] =
			    fmin(best[t], best[s] + 2 * sum_w * log(sum_y / sum_w) + group);
		}
	}
	return best[MANY];
}

static void test_no_end_of_a_long_chain_is_passed_over(void **state)
{
	struct prng r;

	(void)state;
	prng_seed(&r, 2, "chains");
	for (int round = 0; round < 10; round++) {
		struct split_cost c = { round, 1 };
		double x[MANY], w[MANY], cost, level = 1;
		uint32_t part[MANY];
		size_t parts;

		for (size_t i = 0; i < MANY; i++) {
			double z = prng_normal(&r);

			level = prng_below(&r, 40) == 0 ? exp(2 * prng_normal(&r)) : level;
			x[i] = i % 7 == 0 && i > 0 ? x[i - 1] : level * z * z + 0.01;
			w[i] = 1 + round % 3;
		}
		assert_int_equal(split_chain(MANY, x, w, c, part, &parts, &cost, NULL), 0);
		assert_true(fabs(cost - c.level -
				 chain_cost(x, w, c.level + 2 * log(MANY))) < 1e-6);
		assert_true(round > 1 || parts > 1);
	}
}

/* ---- structure that is known ---- */

#define STEPS 10

struct bench {
	struct regrouper *r;
	const struct regrouped *out;
	struct prng noise;
	struct meta_list head;
	uint64_t params;
	double penalty;
};

static void begin(struct bench *b, uint64_t seed)
{
	*b = (struct bench){ .penalty = 1 };
	prng_seed(&b->noise, seed, "noise");
	assert_int_equal(regroup_start(&b->r, NULL), EX_OK);
}

static void end(struct bench *b)
{
	regroup_free(b->r);
	meta_free(&b->head);
}

/* Gains of mean `level` a parameter, of a squared normal number, over STEPS steps whose
 * common factor falls. */
static void member(struct bench *b, const char *name, double level, const char *choice)
{
	struct influence_row row = { .shard = 1,
				     .group = name,
				     .type = "attn",
				     .layer = "0",
				     .status = "ok",
				     .choice = choice,
				     .params = 4 };

	if (strcmp(choice, "-") == 0 && strstr(name, ".lora") == NULL)
		b->params += row.params;
	for (row.step = 0; row.step < STEPS; row.step++) {
		double z = prng_normal(&b->noise);

		row.ppi = level * z * z * exp(-0.3 * (double)row.step);
		row.gain = 2 * row.ppi;
		assert_int_equal(regroup_add(b->r, &row, NAN, NULL), EX_OK);
	}
}

static void rows(struct bench *b, const char *tensor, size_t from, size_t to, double level)
{
	char name[64];

	for (size_t i = from; i < to; i++) {
		snprintf(name, sizeof name, "%s[%zu]", tensor, i);
		member(b, name, level, "-");
	}
}

/* `more`: parameters of the model that are in no row. */
static void finish(struct bench *b, const char *division, uint64_t more)
{
	char model[64];

	snprintf(model, sizeof model, "m\tparams=%d", (int)(b->params + more));
	assert_int_equal(meta_add(&b->head, "model", model, NULL), EX_OK);
	assert_int_equal(meta_add(&b->head, "groups", division, NULL), EX_OK);
	assert_int_equal(regroup_finish(b->r, &b->head, b->penalty, &b->out, NULL), EX_OK);
}

static void expect_rule(const struct bench *b, size_t i, const char *pattern,
			const char *group)
{
	assert_true(i < b->out->rules.n);
	assert_string_equal(b->out->rules.m[i].key, pattern);
	assert_string_equal(b->out->rules.m[i].value, group);
}

static void test_noise_is_one_group(void **state)
{
	(void)state;
	for (uint64_t seed = 0; seed < 10; seed++) {
		struct bench b;

		begin(&b, seed);
		rows(&b, "m.a.weight", 0, 60, 1);
		rows(&b, "m.b.weight", 0, 60, 1);
		rows(&b, "head.weight", 0, 60, 1);
		finish(&b, "row", 0);
		assert_int_equal(b.out->members, 180);
		assert_int_equal(b.out->groups, 1);
		expect_rule(&b, 0, "*", "all");
		assert_int_equal(b.out->rules.n, 1);
		end(&b);
	}
}

static void test_a_strong_row_is_split_off(void **state)
{
	(void)state;
	for (uint64_t seed = 0; seed < 10; seed++) {
		struct bench b;

		begin(&b, seed);
		rows(&b, "a.weight", 0, 17, 1);
		rows(&b, "a.weight", 17, 18, 100);
		rows(&b, "a.weight", 18, 80, 1);
		finish(&b, "row", 0);
		assert_int_equal(b.out->groups, 2);
		expect_rule(&b, 0, "a.weight[17:18]", "a.weight/1");
		expect_rule(&b, 1, "a.weight", "a.weight/2");
		end(&b);
	}
}

static void test_neighbours_of_one_level_are_a_range(void **state)
{
	struct bench b;
	long long edge;

	(void)state;
	begin(&b, 3);
	rows(&b, "a.weight", 0, 70, 1);
	rows(&b, "a.weight", 70, 120, 8);
	finish(&b, "row", 0);
	assert_int_equal(b.out->groups, 2);
	assert_int_equal(b.out->rules.n, 2);
	assert_int_equal(strncmp(b.out->rules.m[0].key, "a.weight[", 9), 0);
	edge = strtoll(b.out->rules.m[0].key + 9, NULL, 10);
	assert_true(edge >= 66 && edge <= 74);
	end(&b);
}

static void test_strong_rows_anywhere_share_a_group(void **state)
{
	struct bench b;
	size_t strong = 0;

	(void)state;
	begin(&b, 4);
	for (size_t i = 0; i < 300; i++)
		rows(&b, "a.weight", i, i + 1, i % 31 == 5 ? 30 : 1);
	finish(&b, "row", 0);
	assert_int_equal(b.out->groups, 2);
	for (size_t i = 0; i + 1 < b.out->rules.n; i++) {
		assert_string_equal(b.out->rules.m[i].value, "a.weight/1");
		strong += strtoull(b.out->rules.m[i].key + 9, NULL, 10) % 31 == 5;
	}
	assert_true(strong >= 9 && b.out->rules.n - 1 - strong <= 1); /* of 10 */
	end(&b);
}

static void test_modules_of_one_level_are_merged(void **state)
{
	struct bench b;

	(void)state;
	begin(&b, 5);
	rows(&b, "m.layer.1.a.weight", 0, 40, 1);
	member(&b, "m.layer.1.a.bias", 1, "-");
	rows(&b, "m.layer.1.b.weight", 0, 40, 1);
	rows(&b, "m.layer.10.a.weight", 0, 40, 20);
	rows(&b, "m.layer.10.b.weight", 0, 40, 20);
	finish(&b, "row", 0);
	assert_int_equal(b.out->groups, 2);
	expect_rule(&b, 0, "m.layer.10.*", "m.layer.10");
	expect_rule(&b, 1, "m.layer.1.*", "m.layer.1");
	assert_int_equal(b.out->whole, 2);
	end(&b);
}

static void test_what_was_not_probed_is_left_out_by_ranges(void **state)
{
	struct bench b;

	(void)state;
	begin(&b, 6);
	rows(&b, "m.a.weight", 0, 20, 1);
	rows(&b, "m.a.weight", 30, 50, 1);
	member(&b, "m.a.bias", 1, "-");
	finish(&b, "row", 400);
	assert_int_equal(b.out->groups, 1);
	expect_rule(&b, 0, "m.a.bias", "m.a");
	expect_rule(&b, 1, "m.a.weight[0:20]", "m.a");
	expect_rule(&b, 2, "m.a.weight[30:50]", "m.a");
	expect_rule(&b, 3, "*", "rest");
	end(&b);
}

static void test_alternatives_stay_apart(void **state)
{
	struct bench b;

	(void)state;
	begin(&b, 7);
	member(&b, "m.q.lora.r4", 1, "m.q.lora");
	member(&b, "m.q.lora.r8", 1, "m.q.lora");
	member(&b, "m.q", 1, "-");
	member(&b, "m.k", 1, "-");
	finish(&b, "module", 0);
	assert_int_equal(b.out->groups, 3);
	expect_rule(&b, 0, "m.q.lora.r4", "m.q.lora.r4");
	expect_rule(&b, 1, "m.q.lora.r8", "m.q.lora.r8");
	expect_rule(&b, 2, "m.*", "m");
	end(&b);
}

static void test_longer_names_come_before_what_they_begin_with(void **state)
{
	struct bench b;

	(void)state;
	begin(&b, 8);
	member(&b, "m.q", 1, "-");
	member(&b, "m.q.lora", 1000, "-");
	finish(&b, "module", 0);
	expect_rule(&b, 0, "m.q.lora", "m.q.lora");
	expect_rule(&b, 1, "m.q.*", "m.q");
	end(&b);
}

static void test_rules_of_a_file_get_the_new_names(void **state)
{
	struct bench b;

	(void)state;
	begin(&b, 9);
	member(&b, "strong", 1e4, "-");
	for (int i = 0; i < 30; i++) {
		char name[16], line[32];

		snprintf(name, sizeof name, "g%d", i);
		snprintf(line, sizeof line, "p%d\tg%d", i, i);
		member(&b, name, 1, "-");
		assert_int_equal(meta_add(&b.head, "group", line, NULL), EX_OK);
	}
	assert_int_equal(meta_add(&b.head, "group", "*\tstrong", NULL), EX_OK);
	finish(&b, "file", 0);
	assert_int_equal(b.out->groups, 2);
	assert_int_equal(b.out->rules.n, 31);
	expect_rule(&b, 0, "p0", "level/2");
	expect_rule(&b, 30, "*", "strong");
	end(&b);
}

static void test_groups_without_patterns_are_refused(void **state)
{
	struct bench b;
	struct err e;

	(void)state;
	begin(&b, 10);
	member(&b, "bias", 1, "-");
	assert_int_equal(meta_add(&b.head, "groups", "type", NULL), EX_OK);
	assert_int_equal(regroup_finish(b.r, &b.head, 1, &b.out, &e), EX_USAGE);
	end(&b);
}

/* ---- sums ---- */

static void put(struct regrouper *r, const char *group, int64_t step, int64_t shard,
		double gain, const char *status)
{
	const struct influence_row row = { .step = step,
					   .shard = shard,
					   .group = group,
					   .type = group[0] == 'a' ? "attn" : "bias",
					   .layer = "3",
					   .status = status,
					   .choice = "-",
					   .params = 2,
					   .gain = gain,
					   .ppi = gain };

	assert_int_equal(regroup_add(r, &row, NAN, NULL), EX_OK);
}

static void test_gains_of_members_add_up(void **state)
{
	const struct ranking *sums;
	struct ranker *to;
	struct bench b;

	(void)state;
	begin(&b, 11);
	for (int64_t step = 0; step < 3; step++) {
		for (int64_t shard = 1; shard <= 2; shard++) {
			double up = (double)step, down = (double)(2 - step);

			put(b.r, "a.w[0]", step, shard, up, "ok");
			put(b.r, "a.w[1]", step, shard, 2 * down, "bounded");
			put(b.r, "a.w[1]", step, shard, 2 * down, "bounded");
			put(b.r, "b.w", step, shard, 9, "lowfit");
			put(b.r, "b.v", step, shard, step == 1 ? 3 : 0, "ok");
		}
	}
	b.params = 8;
	b.penalty = 100;
	finish(&b, "row", 0);
	assert_int_equal(b.out->groups, 1);
	assert_int_equal(ranker_start(&to, 1 << 20, "/tmp", NULL), EX_OK);
	assert_int_equal(regroup_feed(b.r, to, NULL), EX_OK);
	assert_int_equal(ranker_finish(to, RANK_APPI, &sums, NULL), EX_OK);
	assert_int_equal(sums->n, 1);
	assert_string_equal(sums->g[0].group, "all");
	assert_string_equal(sums->g[0].type, "mixed");
	assert_string_equal(sums->g[0].layer, "3");
	assert_int_equal(sums->g[0].params, 8);
	assert_true(sums->g[0].value == 12 && sums->g[0].appi == 3);
	assert_int_equal(sums->g[0].bounded, 6);
	assert_int_equal(sums->g[0].rejected, 0);
	ranker_free(to);
	end(&b);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(test_splits_are_the_best_there_are),
		cmocka_unit_test(test_no_end_of_a_long_chain_is_passed_over),
		cmocka_unit_test(test_noise_is_one_group),
		cmocka_unit_test(test_a_strong_row_is_split_off),
		cmocka_unit_test(test_neighbours_of_one_level_are_a_range),
		cmocka_unit_test(test_strong_rows_anywhere_share_a_group),
		cmocka_unit_test(test_modules_of_one_level_are_merged),
		cmocka_unit_test(test_what_was_not_probed_is_left_out_by_ranges),
		cmocka_unit_test(test_alternatives_stay_apart),
		cmocka_unit_test(test_longer_names_come_before_what_they_begin_with),
		cmocka_unit_test(test_rules_of_a_file_get_the_new_names),
		cmocka_unit_test(test_groups_without_patterns_are_refused),
		cmocka_unit_test(test_gains_of_members_add_up),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
