#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <setjmp.h>
#include <cmocka.h>
#include <string.h>

#include "data/dataset.h"

#define N 10

/* Takes an epoch; checks that it holds every example once; the order goes to `at`. */
static void take_epoch(struct order *o, size_t at[N])
{
	const size_t *examples;
	size_t count, taken = 0;
	bool seen[N] = { false };

	for (size_t i = 0; i < order_batches(o); i++) {
		order_next(o, &examples, &count);
		assert_true(count > 0 && taken + count <= N);
		memcpy(at + taken, examples, count * sizeof *at);
		taken += count;
	}
	assert_int_equal(taken, N);
	for (size_t i = 0; i < N; i++) {
		assert_true(at[i] < N && !seen[at[i]]);
		seen[at[i]] = true;
	}
}

static void start(struct order *o, size_t batch, uint64_t seed, bool shuffle)
{
	assert_int_equal(order_start(o, N, batch, seed, shuffle, NULL), EX_OK);
}

static void epochs_hold_every_example_in_orders_of_their_own(void **state)
{
	struct order o;
	size_t first[N], second[N], again[N];

	(void)state;
	start(&o, 4, 1, true);
	assert_int_equal(order_batches(&o), 3);
	take_epoch(&o, first);
	assert_int_equal(o.epoch, 0);
	take_epoch(&o, second);
	assert_int_equal(o.epoch, 1);
	assert_memory_not_equal(first, second, sizeof first);
	order_free(&o);
	start(&o, 5, 1, true);
	take_epoch(&o, again);
	assert_memory_equal(first, again, sizeof first);
	order_free(&o);
	start(&o, 4, 2, true);
	take_epoch(&o, again);
	assert_memory_not_equal(first, again, sizeof first);
	order_free(&o);
}

static void last_batch_is_what_remains(void **state)
{
	struct order o;
	const size_t *examples;
	size_t count;

	(void)state;
	start(&o, 4, 1, true);
	for (int epoch = 0; epoch < 2; epoch++) {
		static const size_t want[] = { 4, 4, 2 };

		for (int i = 0; i < 3; i++) {
			order_next(&o, &examples, &count);
			assert_int_equal(count, want[i]);
		}
	}
	order_free(&o);
}

static void file_order_without_shuffling_or_in_one_batch(void **state)
{
	static const size_t in_order[N] = { 0, 1, 2, 3, 4, 5, 6, 7, 8, 9 };
	size_t at[N];
	struct order o;

	(void)state;
	start(&o, 3, 1, false);
	take_epoch(&o, at);
	take_epoch(&o, at);
	assert_memory_equal(at, in_order, sizeof at);
	order_free(&o);
	for (size_t batch = N; batch <= N + 1; batch++) {
		start(&o, batch, 7, true);
		take_epoch(&o, at);
		take_epoch(&o, at);
		assert_memory_equal(at, in_order, sizeof at);
		order_free(&o);
	}
}

static void batch_packs_its_sequences(void **state)
{
	uint32_t ids[] = { 5, 6, 7, 8, 9, 10 };
	uint8_t types[] = { 0, 0, 1, 0, 0, 1 };
	size_t at[] = { 0, 3, 4, 6 };
	int32_t label[] = { 2, 0, 1 };
	float target[] = { 0.5f, 1.5f, 2.5f };
	struct dataset d = { .n = 3,
			     .ids = ids,
			     .types = types,
			     .start = at,
			     .label = label,
			     .target = target };
	struct batch b = { 0 };
	const size_t pick[] = { 2, 0 }, one[] = { 1 };
	const uint32_t want_ids[] = { 9, 10, 5, 6, 7 }, want_types[] = { 0, 1, 0, 0, 1 },
		       want_position[] = { 0, 1, 0, 1, 2 }, want_start[] = { 0, 2, 5 };

	(void)state;
	assert_int_equal(batch_fill(&b, &d, pick, 2, NULL), EX_OK);
	assert_int_equal(b.sequences, 2);
	assert_int_equal(b.tokens, 5);
	assert_int_equal(b.longest, 3);
	assert_memory_equal(b.ids, want_ids, sizeof want_ids);
	assert_memory_equal(b.types, want_types, sizeof want_types);
	assert_memory_equal(b.position, want_position, sizeof want_position);
	assert_memory_equal(b.start, want_start, sizeof want_start);
	assert_true(b.label[0] == 1 && b.label[1] == 2);
	assert_true(b.target[0] == 2.5f && b.target[1] == 0.5f);
	assert_int_equal(batch_fill(&b, &d, one, 1, NULL), EX_OK);
	assert_true(b.sequences == 1 && b.tokens == 1 && b.longest == 1 && b.ids[0] == 8);
	batch_free(&b);
}

/* Every array has room whatever the number of sequences and tokens. */
static void batches_of_growing_size_fit(void **state)
{
	enum { EXAMPLES = 70, LONG = 40 };
	static uint32_t ids[EXAMPLES * LONG];
	static uint8_t types[EXAMPLES * LONG];
	static int32_t label[EXAMPLES];
	static float target[EXAMPLES];
	size_t at[EXAMPLES + 1], pick[EXAMPLES];
	struct dataset d = { .n = EXAMPLES,
			     .ids = ids,
			     .types = types,
			     .start = at,
			     .label = label,
			     .target = target };
	struct batch b = { 0 };

	(void)state;
	for (size_t i = 0; i <= EXAMPLES; i++)
		at[i] = i * LONG;
	for (size_t i = 0; i < EXAMPLES; i++)
		pick[i] = i;
	for (size_t n = 1; n <= EXAMPLES; n++) {
		assert_int_equal(batch_fill(&b, &d, pick, n, NULL), EX_OK);
		assert_int_equal(b.start[n], n * LONG);
	}
	batch_free(&b);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(epochs_hold_every_example_in_orders_of_their_own),
		cmocka_unit_test(last_batch_is_what_remains),
		cmocka_unit_test(file_order_without_shuffling_or_in_one_batch),
		cmocka_unit_test(batch_packs_its_sequences),
		cmocka_unit_test(batches_of_growing_size_fit),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
