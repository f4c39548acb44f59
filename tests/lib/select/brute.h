/*
 * brute - all subsets tried, with the rules of select/knapsack.h and nothing of its
 * implementation; for the tests of the knapsack.
 */
#ifndef TESTS_SELECT_BRUTE_H
#define TESTS_SELECT_BRUTE_H

#include <stdint.h>
#include <string.h>

#include "base/prng.h"
#include "select/knapsack.h"

#define SMALL 12

static const char *const letters[26] = { "a", "b", "c", "d", "e", "f", "g", "h", "i",
					 "j", "k", "l", "m", "n", "o", "p", "q", "r",
					 "s", "t", "u", "v", "w", "x", "y", "z" };

static bool before(const struct item *a, const struct item *b)
{
	double left = a->value * (double)b->params, right = b->value * (double)a->params;

	if ((a->params == 0) != (b->params == 0))
		return a->params == 0;
	if (a->params == 0 && a->value != b->value)
		return a->value > b->value;
	if (left != right)
		return left > right;
	if (a->params != b->params)
		return a->params < b->params;
	return strcmp(a->name, b->name) < 0;
}

static void canonical(const struct item *items, size_t n, struct item *out)
{
	for (size_t i = 0; i < n; i++) {
		size_t j = i;

		for (; j > 0 && before(&items[i], &out[j - 1]); j--)
			out[j] = out[j - 1];
		out[j] = items[i];
	}
}

static bool rivals(const struct item *a, const struct item *b)
{
	return a->choice != NULL && b->choice != NULL && strcmp(a->choice, b->choice) == 0;
}

struct best {
	uint32_t set; /* bit n-1-i: item i of the canonical order */
	double value;
	uint64_t params;
	bool any;
};

static struct best brute_force(const struct item *x, size_t n, uint64_t budget)
{
	struct best best = { 0 };

	for (uint32_t set = 0; set < (uint32_t)1 << n; set++) {
		double value = 0;
		uint64_t params = 0;
		bool allowed = true;

		for (size_t i = 0; i < n && allowed; i++) {
			bool in = (set >> (n - 1 - i) & 1) != 0;

			if (in) {
				value += x[i].value;
				params += x[i].params;
			}
			allowed = in ? x[i].rule == RULE_REQUIRED ||
					   (x[i].rule == RULE_FREE && x[i].value > 0)
				     : x[i].rule != RULE_REQUIRED;
			for (size_t j = 0; j < i && in; j++)
				if ((set >> (n - 1 - j) & 1) != 0 && rivals(&x[i], &x[j]))
					allowed = false;
		}
		if (!allowed || params > budget)
			continue;
		if (!best.any || value > best.value ||
		    (value == best.value &&
		     (params < best.params || (params == best.params && set > best.set))))
			best = (struct best){ set, value, params, true };
	}
	return best;
}

/* Small numbers, so that equal ratios, equal sums and equal items are common; integers, so
 * that sums are exact. */
static size_t random_items(struct prng *p, struct item *items)
{
	size_t n = prng_below(p, SMALL + 1);
	uint64_t span = 1 + prng_below(p, 12);
	uint64_t kind = prng_below(p, 4);

	for (size_t i = 0; i < n; i++) {
		items[i].name = letters[i];
		items[i].params = prng_below(p, 2 * span + 1);
		items[i].value = (double)prng_below(p, 3 * span) - (double)(span / 2);
		if (kind == 0)
			items[i].value = 2 * (double)items[i].params;
		if (kind == 1)
			items[i].params = span;
		items[i].rule = RULE_FREE;
		items[i].choice = NULL;
		if (prng_below(p, 8) == 0)
			items[i].rule = prng_below(p, 2) ? RULE_REQUIRED : RULE_FORBIDDEN;
	}
	return n;
}

static void assert_is(const struct solution *s, const struct item *items,
		      const struct item *order, size_t n, const struct best *best)
{
	size_t at = 0;

	assert_true(s->optimal);
	assert_true(s->value == best->value);
	assert_true(s->bound == s->value);
	assert_true(s->gap == 0);
	assert_int_equal(s->params, best->params);
	for (size_t i = 0; i < n; i++) {
		if ((best->set >> (n - 1 - i) & 1) == 0)
			continue;
		assert_true(at < s->n);
		assert_string_equal(items[s->chosen[at]].name, order[i].name);
		at++;
	}
	assert_int_equal(at, s->n);
}

/* Is the frontier what brute force finds, budget after budget? */
static inline void expect_frontier(const struct item *items, size_t n)
{
	struct item order[SMALL] = { 0 };
	struct frontier_point *f;
	uint64_t total = 0;
	bool complete, any = false;
	double value = 0;
	size_t at = 0, n_f;

	for (size_t i = 0; i < n; i++)
		total += items[i].params;
	canonical(items, n, order);
	assert_int_equal(knapsack_frontier(items, n, 0, &f, &n_f, &complete, NULL), EX_OK);
	assert_true(complete);
	for (uint64_t budget = 0; budget <= total; budget++) {
		struct best best = brute_force(order, n, budget);

		if (!best.any || (any && best.value <= value))
			continue;
		any = true;
		value = best.value;
		assert_true(at < n_f);
		assert_int_equal(f[at].params, best.params);
		assert_true(f[at].value == best.value);
		at++;
	}
	assert_int_equal(at, n_f);
	free(f);
}

#endif
