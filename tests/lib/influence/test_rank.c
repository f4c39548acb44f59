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
#include "influence/kendall.h"
#include "influence/rank.h"

static int add(struct ranker *r, int64_t step, const char *group, uint64_t params,
	       double gain, const char *status, struct err *e)
{
	const struct influence_row row = { .step = step,
					   .shard = 1,
					   .group = group,
					   .type = "attn",
					   .layer = "0",
					   .status = status,
					   .choice = "-",
					   .params = params,
					   .gain = gain,
					   .ppi = 2 * gain / (double)params };

	return ranker_add(r, &row, e);
}

/* A row of one parameter, so that ppi is twice the gain. */
static int add_shard(struct ranker *r, int64_t step, int64_t shard, const char *group,
		     double gain, const char *status, struct err *e)
{
	const struct influence_row row = { .step = step,
					   .shard = shard,
					   .group = group,
					   .type = "attn",
					   .layer = "0",
					   .status = status,
					   .choice = "-",
					   .params = 1,
					   .gain = gain,
					   .ppi = 2 * gain };

	return ranker_add(r, &row, e);
}

static struct ranker *start_with(size_t buffer)
{
	struct ranker *r;

	assert_int_equal(ranker_start(&r, buffer, "/tmp", NULL), EX_OK);
	assert_int_equal(ranker_source(r, "a.ppi", NULL), EX_OK);
	return r;
}

static struct ranker *start(void)
{
	return start_with(1 << 20);
}

static void test_sums_mean_and_deviation(void **state)
{
	const struct ranking *out;
	struct ranker *r = start();

	(void)state;
	assert_int_equal(add(r, 0, "w", 4, 2, "ok", NULL), EX_OK);
	assert_int_equal(add(r, 1, "w", 4, 6, "bounded", NULL), EX_OK);
	assert_int_equal(add(r, 0, "b", 2, 3, "ok", NULL), EX_OK);
	assert_int_equal(ranker_finish(r, RANK_APPI, &out, NULL), EX_OK);
	assert_int_equal(out->n, 2);
	assert_int_equal(out->steps, 2);
	assert_string_equal(out->g[0].group, "w");
	assert_true(out->g[0].appi == 4 && out->g[0].value == 8 && out->g[0].mean == 2);
	assert_true(fabs(out->g[0].sd - sqrt(2)) < 1e-15);
	assert_int_equal(out->g[0].bounded, 1);
	assert_int_equal(out->g[0].rejected, 0);
	assert_true(out->g[1].sd == 0 && out->g[1].steps == 1 && out->g[1].appi == 3);
	ranker_free(r);
}

static void test_rejected_rows_count_zero_but_are_counted(void **state)
{
	static const char *const status[] = { "negcurv", "negcurv", "lowfit", "noise",
					      "zero" };
	static const double gain[] = { 5, -5, 7, 7, 0 };
	const struct ranking *out;
	struct ranker *r = start();

	(void)state;
	for (int64_t i = 0; i < 5; i++)
		assert_int_equal(add(r, i, "w", 1, gain[i], status[i], NULL), EX_OK);
	assert_int_equal(ranker_finish(r, RANK_APPI, &out, NULL), EX_OK);
	assert_true(out->g[0].value == 5 && out->g[0].appi == 10 && out->g[0].mean == 2);
	assert_int_equal(out->g[0].rejected, 5);
	assert_int_equal(out->g[0].steps, 5);
	assert_int_equal(out->by_status[STATUS_NEGCURV], 2);
	assert_int_equal(out->negcurv_counted, 1);
	assert_int_equal(out->by_status[STATUS_LOWFIT], 1);
	assert_int_equal(out->by_status[STATUS_ZERO], 1);
	ranker_free(r);
}

/* The same rows in another order, spread over other files, with another buffer, give the
 * same bits. */
static void same_in_another_order(size_t buffer)
{
	enum { GROUPS = 20, STEPS = 30, ROWS = GROUPS * STEPS };
	static const char *const status[] = { "ok", "bounded", "negcurv", "noise" };
	double gain[ROWS];
	size_t at[ROWS];
	char name[GROUPS][16];
	const struct ranking *a, *b;
	struct ranker *r[2];
	struct prng p;

	prng_seed(&p, 7, "rank");
	for (size_t i = 0; i < ROWS; i++) {
		at[i] = i;
		gain[i] = exp(20 * prng_normal(&p));
	}
	for (size_t i = 0; i < GROUPS; i++)
		snprintf(name[i], sizeof name[i], "g%zu", i);
	for (int k = 0; k < 2; k++) {
		r[k] = k == 0 ? start() : start_with(buffer);
		for (size_t i = 0; i < ROWS; i++) {
			if (k == 1 && i == ROWS / 3)
				assert_int_equal(ranker_source(r[k], "b.ppi", NULL), EX_OK);
			assert_int_equal(add(r[k], (int64_t)(at[i] / GROUPS),
					     name[at[i] % GROUPS], 1 + at[i] % GROUPS,
					     gain[at[i]], status[at[i] % 4], NULL),
					 EX_OK);
		}
		prng_shuffle(&p, at, ROWS);
	}
	assert_int_equal(ranker_finish(r[0], RANK_APPI, &a, NULL), EX_OK);
	assert_int_equal(ranker_finish(r[1], RANK_APPI, &b, NULL), EX_OK);
	for (size_t i = 0; i < GROUPS; i++) {
		assert_string_equal(a->g[i].group, b->g[i].group);
		assert_true(a->g[i].appi == b->g[i].appi && a->g[i].value == b->g[i].value);
		assert_true(a->g[i].sd == b->g[i].sd);
		assert_true(a->g[i].stability == b->g[i].stability);
	}
	assert_true(a->tau == b->tau);
	assert_true(a->runs == 0 && (b->runs > 0) == (buffer < ROWS * 40));
	ranker_free(r[0]);
	ranker_free(r[1]);
}

static void test_order_of_rows_does_not_matter(void **state)
{
	(void)state;
	same_in_another_order(1 << 20);
}

static void test_what_memory_holds_does_not_matter(void **state)
{
	(void)state;
	same_in_another_order(0);
	same_in_another_order(1000);
	same_in_another_order(10000);
}

static void test_small_terms_survive_large_ones(void **state)
{
	const struct ranking *out;
	struct ranker *r = start();

	(void)state;
	assert_int_equal(add(r, 0, "w", 1, 1, "ok", NULL), EX_OK);
	assert_int_equal(add(r, 1, "w", 1, 1e100, "ok", NULL), EX_OK);
	assert_int_equal(add(r, 2, "w", 1, 1, "ok", NULL), EX_OK);
	assert_int_equal(add(r, 3, "w", 1, -1e100, "ok", NULL), EX_OK);
	assert_int_equal(ranker_finish(r, RANK_APPI, &out, NULL), EX_OK);
	assert_true(out->g[0].value == 2);
	ranker_free(r);
}

/* Rows of other groups between the two make them go to disk apart. */
static void refuse_two_accounts(size_t buffer)
{
	const struct ranking *out;
	struct ranker *r = start_with(buffer);
	struct err e = { 0 };

	assert_int_equal(add(r, 0, "v", 1, 1, "ok", NULL), EX_OK);
	assert_int_equal(add(r, 3, "w", 1, 1, "ok", NULL), EX_OK);
	assert_int_equal(ranker_source(r, "empty.ppi", NULL), EX_OK);
	assert_int_equal(ranker_source(r, "b.ppi", NULL), EX_OK);
	for (int64_t i = 0; i < 100; i++)
		assert_int_equal(add(r, i, "x", 1, 1, "ok", NULL), EX_OK);
	assert_int_equal(add(r, 3, "w", 1, 1.5, "ok", NULL), EX_OK);
	assert_int_equal(ranker_finish(r, RANK_APPI, &out, &e), EX_DATAERR);
	assert_non_null(strstr(e.text, "b.ppi: row 101: step 3 of group w"));
	assert_non_null(strstr(e.text, "in a.ppi: row 2"));
	ranker_free(r);
}

static void test_two_accounts_of_a_step_are_refused(void **state)
{
	(void)state;
	refuse_two_accounts(1 << 20);
	refuse_two_accounts(1000);
}

static void test_repeated_rows_count_once(void **state)
{
	const struct ranking *out;
	struct ranker *r = start();

	(void)state;
	for (int i = 0; i < 3; i++)
		assert_int_equal(add(r, 3, "w", 1, 1.5, "ok", NULL), EX_OK);
	assert_int_equal(ranker_finish(r, RANK_APPI, &out, NULL), EX_OK);
	assert_true(out->g[0].value == 1.5);
	assert_int_equal(out->repeated, 2);
	assert_int_equal(out->rows, 3);
	ranker_free(r);
}

static void test_repeated_rows_count_once_on_disk_too(void **state)
{
	const struct ranking *out;
	struct ranker *r = start_with(1000);

	(void)state;
	for (int64_t i = 0; i < 300; i++)
		assert_int_equal(add(r, i % 100, "w", 1, 2, "ok", NULL), EX_OK);
	assert_int_equal(ranker_finish(r, RANK_APPI, &out, NULL), EX_OK);
	assert_true(out->runs > 0);
	assert_true(out->g[0].value == 200 && out->g[0].steps == 100);
	assert_int_equal(out->repeated, 200);
	ranker_free(r);
}

static void test_a_step_is_the_mean_of_its_shards(void **state)
{
	const struct ranking *out;
	struct ranker *r = start();

	(void)state;
	assert_int_equal(add_shard(r, 0, 2, "w", 3, "ok", NULL), EX_OK);
	assert_int_equal(add_shard(r, 0, 1, "w", 1, "bounded", NULL), EX_OK);
	assert_int_equal(add_shard(r, 1, 1, "w", 8, "ok", NULL), EX_OK);
	assert_int_equal(add_shard(r, 1, 2, "w", 5, "noise", NULL), EX_OK);
	assert_int_equal(ranker_finish(r, RANK_APPI, &out, NULL), EX_OK);
	/* gains of the steps: (1 + 3) / 2 and (8 + 0) / 2 */
	assert_true(out->g[0].value == 6 && out->g[0].appi == 12 && out->g[0].mean == 6);
	/* deviations 4 - 6 and 8 - 6 */
	assert_true(fabs(out->g[0].sd - sqrt(8)) < 1e-15);
	assert_int_equal(out->g[0].steps, 2);
	assert_int_equal(out->g[0].rejected, 1);
	assert_int_equal(out->g[0].bounded, 1);
	assert_int_equal(out->shards, 2);
	assert_int_equal(out->estimates, 2);
	assert_int_equal(out->incomplete, 0);
	ranker_free(r);
}

static void test_missing_shards_are_counted(void **state)
{
	const struct ranking *out;
	struct ranker *r = start();

	(void)state;
	assert_int_equal(add_shard(r, 4, 1, "a", 1, "ok", NULL), EX_OK);
	assert_int_equal(add_shard(r, 3, 2, "w", 4, "ok", NULL), EX_OK);
	assert_int_equal(add_shard(r, 3, 1, "v", 4, "ok", NULL), EX_OK);
	assert_int_equal(add_shard(r, 3, 2, "v", 4, "ok", NULL), EX_OK);
	assert_int_equal(ranker_finish(r, RANK_APPI, &out, NULL), EX_OK);
	assert_int_equal(out->shards, 2);
	assert_int_equal(out->incomplete, 2);
	assert_int_equal(out->lacks_step, 3);
	assert_string_equal(out->lacks_group, "w");
	assert_int_equal(out->lacks_has, 1);
	assert_string_equal(out->g[0].group, "v");
	assert_true(out->g[0].value == 4 && out->g[1].value == 4);
	ranker_free(r);
}

static void test_shards_that_no_row_has_are_missing(void **state)
{
	const struct ranking *out;
	struct ranker *r = start();

	(void)state;
	ranker_expect_shards(r, 5);
	assert_int_equal(add_shard(r, 0, 1, "w", 1, "ok", NULL), EX_OK);
	assert_int_equal(ranker_finish(r, RANK_APPI, &out, NULL), EX_OK);
	assert_int_equal(out->shards, 5);
	assert_int_equal(out->incomplete, 1);
	ranker_free(r);
}

static void test_shards_that_contradict_are_named(void **state)
{
	const struct ranking *out;
	struct ranker *r = start();
	struct err e = { 0 };

	(void)state;
	assert_int_equal(add_shard(r, 0, 1, "w", 1, "ok", NULL), EX_OK);
	assert_int_equal(add_shard(r, 0, 2, "w", 2, "ok", NULL), EX_OK);
	assert_int_equal(add_shard(r, 0, 2, "w", 3, "ok", NULL), EX_OK);
	assert_int_equal(ranker_finish(r, RANK_APPI, &out, &e), EX_DATAERR);
	assert_non_null(strstr(e.text, "row 3: step 0, shard 2, of group w"));
	ranker_free(r);
}

static void test_absurd_steps_and_shards_are_refused(void **state)
{
	static const int64_t shard[] = { 0, -1, (int64_t)UINT32_MAX + 1, INT64_MAX,
					 INT64_MIN };
	struct ranker *r = start();
	const struct ranking *out;
	struct err e = { 0 };

	(void)state;
	for (size_t i = 0; i < sizeof shard / sizeof *shard; i++)
		assert_int_equal(add_shard(r, 0, shard[i], "w", 1, "ok", &e), EX_DATAERR);
	assert_int_equal(add_shard(r, -1, 1, "w", 1, "ok", &e), EX_DATAERR);
	assert_int_equal(add_shard(r, INT64_MIN, 1, "w", 1, "ok", &e), EX_DATAERR);
	assert_int_equal(add_shard(r, INT64_MAX, UINT32_MAX, "w", 1, "ok", &e), EX_OK);
	assert_int_equal(ranker_finish(r, RANK_APPI, &out, &e), EX_OK);
	assert_true(out->steps == 1 && out->rows == 1 && out->g[0].value == 1);
	ranker_free(r);
}

static void test_a_directory_that_takes_no_file(void **state)
{
	struct ranker *r;
	struct err e = { 0 };
	int rc = EX_OK;

	(void)state;
	assert_int_equal(ranker_start(&r, 1000, "/nowhere/at/all", &e), EX_OK);
	assert_int_equal(ranker_source(r, "a.ppi", &e), EX_OK);
	for (int64_t i = 0; i < 1000 && rc == EX_OK; i++)
		rc = add(r, i, "w", 1, 1, "ok", &e);
	assert_int_equal(rc, EX_CANTCREAT);
	assert_non_null(strstr(e.text, "/nowhere/at/all: "));
	ranker_free(r);
}

static void test_bad_rows_are_refused(void **state)
{
	const struct influence_row other = { .step = 1,
					     .shard = 1,
					     .group = "w",
					     .type = "mlp",
					     .layer = "0",
					     .status = "ok",
					     .choice = "-",
					     .params = 4,
					     .gain = 1,
					     .ppi = 1 };
	struct ranker *r = start();
	struct err e = { 0 };

	(void)state;
	assert_int_equal(add(r, 0, "w", 4, 1, "ok", &e), EX_OK);
	assert_int_equal(add(r, 1, "w", 4, NAN, "ok", &e), EX_DATAERR);
	assert_non_null(strstr(e.text, "gain of group w"));
	assert_int_equal(add(r, 1, "w", 4, INFINITY, "zero", &e), EX_DATAERR);
	assert_int_equal(add(r, 1, "w", 4, 1, "fine", &e), EX_DATAERR);
	assert_non_null(strstr(e.text, "'fine'"));
	assert_int_equal(add(r, 1, "w", 5, 1, "ok", &e), EX_DATAERR);
	assert_non_null(strstr(e.text, "a.ppi: row 1"));
	assert_int_equal(ranker_add(r, &other, &e), EX_DATAERR);
	ranker_free(r);
}

static void test_a_group_keeps_its_choice(void **state)
{
	struct influence_row row = { .shard = 1,
				     .group = "w",
				     .type = "lora",
				     .layer = "0",
				     .status = "ok",
				     .choice = "w.choice",
				     .params = 4,
				     .gain = 1,
				     .ppi = 0.5 };
	const struct ranking *out;
	struct ranker *r = start();
	struct err e = { 0 };

	(void)state;
	assert_int_equal(ranker_add(r, &row, &e), EX_OK);
	row.step = 1;
	assert_int_equal(ranker_add(r, &row, &e), EX_OK);
	row.choice = "other";
	assert_int_equal(ranker_add(r, &row, &e), EX_DATAERR);
	assert_non_null(strstr(e.text, "of choice other here, but of choice w.choice in "
				       "a.ppi: row 1"));
	row.choice = "-";
	assert_int_equal(ranker_add(r, &row, &e), EX_DATAERR);
	assert_int_equal(ranker_finish(r, RANK_APPI, &out, NULL), EX_OK);
	assert_string_equal(out->g[0].choice, "w.choice");
	ranker_free(r);
}

static void test_overflowing_sums_are_refused(void **state)
{
	const struct ranking *out;
	struct ranker *r = start();
	struct err e = { 0 };

	(void)state;
	for (int64_t i = 0; i < 3; i++)
		assert_int_equal(add(r, i, "w", 4, 8e307, "ok", NULL), EX_OK);
	assert_int_equal(ranker_finish(r, RANK_APPI, &out, &e), EX_DATAERR);
	ranker_free(r);
}

static void test_order_and_its_ties(void **state)
{
	const struct ranking *out;
	struct ranker *r = start();

	(void)state;
	/* ppi: big 2, small 2, same 2, dense 4 */
	assert_int_equal(add(r, 0, "big", 100, 100, "ok", NULL), EX_OK);
	assert_int_equal(add(r, 0, "small", 1, 1, "ok", NULL), EX_OK);
	assert_int_equal(add(r, 0, "same", 1, 1, "ok", NULL), EX_OK);
	assert_int_equal(add(r, 0, "dense", 1, 2, "ok", NULL), EX_OK);
	assert_int_equal(ranker_finish(r, RANK_APPI, &out, NULL), EX_OK);
	assert_string_equal(out->g[0].group, "dense");
	assert_string_equal(out->g[1].group, "same");
	assert_string_equal(out->g[2].group, "small");
	assert_string_equal(out->g[3].group, "big");
	assert_true(isnan(out->tau) && out->g[3].stability == 1);
	ranker_free(r);
	r = start();
	assert_int_equal(add(r, 0, "dense", 1, 2, "ok", NULL), EX_OK);
	assert_int_equal(add(r, 0, "big", 100, 100, "ok", NULL), EX_OK);
	assert_int_equal(ranker_finish(r, RANK_VALUE, &out, NULL), EX_OK);
	assert_string_equal(out->g[0].group, "big");
	ranker_free(r);
}

static void test_stability_compares_the_halves(void **state)
{
	/* steps 0, 1 | 2, 3, 4: ranks of a b c are 1 2 3, then 3 2 1 */
	static const double gain[5][3] = {
		{ 3, 2, 1 }, { 3, 2, 1 }, { 1, 2, 3 }, { 1, 2, 3 }, { 1, 2, 3 }
	};
	static const char *const name[] = { "a", "b", "c" };
	const struct ranking *out;
	struct ranker *r = start();

	(void)state;
	for (int64_t s = 0; s < 5; s++)
		for (size_t i = 0; i < 3; i++)
			assert_int_equal(add(r, s, name[i], 1, gain[s][i], "ok", NULL),
					 EX_OK);
	assert_int_equal(ranker_finish(r, RANK_APPI, &out, NULL), EX_OK);
	assert_true(out->tau == -1);
	for (size_t i = 0; i < 3; i++)
		assert_true(out->g[i].stability == (*out->g[i].group == 'b' ? 1 : 0));
	ranker_free(r);
}

static void test_one_group_can_carry_the_instability(void **state)
{
	/* e is last in the first half and first in the second */
	static const double gain[2][5] = { { 9, 8, 7, 6, 0 }, { 9, 8, 7, 6, 10 } };
	static const char *const name[] = { "a", "b", "c", "d", "e" };
	const struct ranking *out;
	struct ranker *r = start();

	(void)state;
	for (int64_t s = 0; s < 4; s++)
		for (size_t i = 0; i < 5; i++)
			assert_int_equal(add(r, s, name[i], 1, gain[s / 2][i], "ok", NULL),
					 EX_OK);
	assert_int_equal(ranker_finish(r, RANK_APPI, &out, NULL), EX_OK);
	/* 6 pairs stand alike, 4 do not */
	assert_true(fabs(out->tau - 0.2) < 1e-15);
	assert_false(out->settled);
	assert_string_equal(out->carrier, "e");
	assert_true(out->tau_without == 1);
	for (size_t i = 0; i < 5; i++)
		if (*out->g[i].group == 'e')
			assert_true(out->g[i].first == 5 && out->g[i].second == 1);
	ranker_free(r);
}

static void test_kendall_equals_its_definition(void **state)
{
	struct prng p;

	(void)state;
	prng_seed(&p, 8, "kendall");
	for (size_t n = 2; n < 60; n++) {
		double x[60], y[60], tau, same = 0, tx = 0, ty = 0;
		double all = (double)n * (double)(n - 1) / 2;

		for (size_t i = 0; i < n; i++) {
			x[i] = (double)prng_below(&p, 2 + n / 2);
			y[i] = (double)prng_below(&p, 2 + n / 2);
		}
		x[0] = y[1] = -1;
		for (size_t i = 0; i < n; i++)
			for (size_t j = 0; j < i; j++) {
				double d = (x[i] - x[j]) * (y[i] - y[j]);

				same += (d > 0) - (d < 0);
				tx += x[i] == x[j];
				ty += y[i] == y[j];
			}
		assert_int_equal(kendall_tau_b(n, x, y, &tau, NULL), EX_OK);
		/* rounding of a square root, a product and a division */
		assert_true(fabs(tau - same / sqrt((all - tx) * (all - ty))) < 1e-14);
	}
}

static void test_kendall_of_a_constant_is_nan(void **state)
{
	const double constant[] = { 1, 1 }, x[] = { 1, 2 };
	double tau;

	(void)state;
	assert_int_equal(kendall_tau_b(2, constant, x, &tau, NULL), EX_OK);
	assert_true(isnan(tau));
	assert_int_equal(kendall_tau_b(2, x, constant, &tau, NULL), EX_OK);
	assert_true(isnan(tau));
	assert_int_equal(kendall_tau_b(0, NULL, NULL, &tau, NULL), EX_OK);
	assert_true(isnan(tau));
}

static void test_equal_values_share_a_rank(void **state)
{
	const double x[] = { 5, 1, 5, 9 };
	double rank[4];

	(void)state;
	assert_int_equal(mean_ranks(4, x, rank, NULL), EX_OK);
	assert_true(rank[3] == 1 && rank[0] == 2.5 && rank[2] == 2.5 && rank[1] == 4);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(test_sums_mean_and_deviation),
		cmocka_unit_test(test_rejected_rows_count_zero_but_are_counted),
		cmocka_unit_test(test_order_of_rows_does_not_matter),
		cmocka_unit_test(test_what_memory_holds_does_not_matter),
		cmocka_unit_test(test_small_terms_survive_large_ones),
		cmocka_unit_test(test_two_accounts_of_a_step_are_refused),
		cmocka_unit_test(test_repeated_rows_count_once),
		cmocka_unit_test(test_repeated_rows_count_once_on_disk_too),
		cmocka_unit_test(test_a_step_is_the_mean_of_its_shards),
		cmocka_unit_test(test_missing_shards_are_counted),
		cmocka_unit_test(test_shards_that_no_row_has_are_missing),
		cmocka_unit_test(test_shards_that_contradict_are_named),
		cmocka_unit_test(test_absurd_steps_and_shards_are_refused),
		cmocka_unit_test(test_a_directory_that_takes_no_file),
		cmocka_unit_test(test_bad_rows_are_refused),
		cmocka_unit_test(test_a_group_keeps_its_choice),
		cmocka_unit_test(test_overflowing_sums_are_refused),
		cmocka_unit_test(test_order_and_its_ties),
		cmocka_unit_test(test_stability_compares_the_halves),
		cmocka_unit_test(test_one_group_can_carry_the_instability),
		cmocka_unit_test(test_kendall_equals_its_definition),
		cmocka_unit_test(test_kendall_of_a_constant_is_nan),
		cmocka_unit_test(test_equal_values_share_a_rank),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
