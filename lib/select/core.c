#include "select/core.h"

#include <float.h>
#include <math.h>
#include <stdlib.h>

#include "base/mem.h"

/* A set of parts: parts before the core [left, right) are in it, those behind are not, and
 * `node` says in what it differs from the break solution. */
struct state {
	uint64_t params;
	int64_t value;
	uint32_t node;
};

/* One part put in (at or behind the break) or taken out (before it), after `parent`. Node
 * 0 is the break solution; parents come before their children. */
struct node {
	uint32_t parent;
	uint32_t part;
};

struct core {
	const struct part *parts;
	size_t n, left, right, break_at;
	uint64_t capacity;
	int64_t lower;    /* reachable */
	int64_t upper;    /* Dantzig */
	int64_t given_up; /* bound of the best state that was dropped for want of memory */
	size_t max_states, work;
	struct state *now, *next; /* increasing in params and in value */
	size_t n_now, n_next, cap_now, cap_next;
	struct node *nodes;
	size_t n_nodes, cap_nodes;
	struct state best;
	int64_t *delta;  /* [kinds], zero between uses */
	size_t *touched; /* [2n] */
};

/* Value per parameter, rounded up and down by more than the arithmetic's error. */
static double ratio_above(const struct part *p)
{
	return (double)p->value / (double)p->params * (1 + 8 * DBL_EPSILON);
}

static double ratio_below(const struct part *p)
{
	return (double)p->value / (double)p->params * (1 - 8 * DBL_EPSILON);
}

/* No completion of the state within the capacity is worth more. */
static int64_t state_bound(const struct core *k, const struct state *s)
{
	double x;
	int64_t bound;

	if (s->params <= k->capacity) {
		if (k->right == k->n)
			return s->value;
		x = (double)(k->capacity - s->params) * ratio_above(&k->parts[k->right]);
		if (x >= (double)(k->upper - s->value))
			return k->upper;
		return s->value + (int64_t)x + 1;
	}
	if (k->left == 0)
		return -1;
	x = (double)(s->params - k->capacity) * ratio_below(&k->parts[k->left - 1]);
	if (x >= (double)s->value)
		return -1;
	bound = s->value - (int64_t)x;
	return bound < k->upper ? bound : k->upper;
}

/* False when no optimal solution differs from the break solution in this part: with the
 * break's ratio r as multiplier, the Lagrangian bound falls by |value - r params|. */
static bool may_differ(const struct core *k, size_t at)
{
	const struct part *p = &k->parts[at], *b = &k->parts[k->break_at];
	double r = (double)b->value / (double)b->params;
	double value = (double)p->value, price = r * (double)p->params;
	double loss = fabs(value - price) - 8 * DBL_EPSILON * (value + price);

	return (double)k->upper + 1 - loss >= (double)k->lower * (1 - 4 * DBL_EPSILON);
}

/* Whether set `a` goes before set `b` of equal value and params: it has more copies of the
 * first kind in which they differ. */
static bool goes_before(struct core *k, uint32_t a, uint32_t b)
{
	size_t n = 0, first = SIZE_MAX;
	bool before = false;

	while (a != b) {
		bool of_a = a > b;
		const struct node *x = &k->nodes[of_a ? a : b];
		const struct part *p = &k->parts[x->part];
		bool put_in = x->part >= k->break_at;

		k->delta[p->kind] +=
		    put_in == of_a ? (int64_t)p->copies : -(int64_t)p->copies;
		k->touched[n++] = p->kind;
		if (of_a)
			a = x->parent;
		else
			b = x->parent;
	}
	for (size_t i = 0; i < n; i++)
		if (k->touched[i] < first && k->delta[k->touched[i]] != 0) {
			first = k->touched[i];
			before = k->delta[first] > 0;
		}
	for (size_t i = 0; i < n; i++)
		k->delta[k->touched[i]] = 0;
	return before;
}

static void offer(struct core *k, const struct state *s)
{
	const struct state *best = &k->best;

	if (s->params > k->capacity || s->value < best->value)
		return;
	if (s->value == best->value) {
		if (s->params > best->params)
			return;
		if (s->params == best->params && !goes_before(k, s->node, best->node))
			return;
	}
	k->best = *s;
	if (s->value > k->lower)
		k->lower = s->value;
}

/* Room for a child of every state was made before. */
static uint32_t new_node(struct core *k, uint32_t parent, size_t part)
{
	k->nodes[k->n_nodes] = (struct node){ parent, (uint32_t)part };
	return (uint32_t)k->n_nodes++;
}

static struct state differing(const struct core *k, const struct state *s, size_t at)
{
	const struct part *p = &k->parts[at];
	struct state t = *s;

	if (at >= k->break_at) {
		t.params += p->params;
		t.value += p->value;
	} else {
		t.params -= p->params;
		t.value -= p->value;
	}
	return t;
}

/* Negative when a stands before b in a list, 0 when they are equal. */
static int list_order(const struct state *a, const struct state *b)
{
	if (a->params != b->params)
		return a->params < b->params ? -1 : 1;
	return (a->value < b->value) - (a->value > b->value);
}

/* Merges the states with those that differ from them in part `at`. */
static void merge(struct core *k, size_t at)
{
	size_t i = 0, j = 0;
	int64_t top = -1;

	k->n_next = 0;
	while (j < k->n_now) {
		struct state other = differing(k, &k->now[j], at), s = other;
		int order = i < k->n_now ? list_order(&k->now[i], &other) : 1;
		bool fresh = order > 0;

		if (order <= 0)
			s = k->now[i++];
		if (order >= 0)
			j++;
		if (order == 0) {
			other.node = new_node(k, other.node, at);
			if (goes_before(k, other.node, s.node)) {
				s = other;
				offer(k, &s);
			}
		}
		if (s.value <= top)
			continue;
		top = s.value;
		if (state_bound(k, &s) < k->lower)
			continue;
		if (fresh) {
			s.node = new_node(k, s.node, at);
			offer(k, &s);
		}
		k->next[k->n_next++] = s;
	}
	for (; i < k->n_now; i++) {
		struct state s = k->now[i];

		if (s.value > top && state_bound(k, &s) >= k->lower)
			k->next[k->n_next++] = s;
	}
}

static void swap_lists(struct core *k)
{
	struct state *list = k->now;
	size_t cap = k->cap_now;

	k->now = k->next;
	k->cap_now = k->cap_next;
	k->n_now = k->n_next;
	k->next = list;
	k->cap_next = cap;
}

static void mark(const struct core *k, uint32_t *live, uint32_t at)
{
	for (; at != 0 && live[at] == 0; at = k->nodes[at].parent)
		live[at] = 1;
}

/* Forgets nodes that lead to no state. */
static int collect(struct core *k, struct err *e)
{
	uint32_t *live = mem_zeros(k->n_nodes, sizeof *live);
	uint32_t kept = 1;

	if (live == NULL)
		return err_nomem(e);
	mark(k, live, k->best.node);
	for (size_t i = 0; i < k->n_now; i++)
		mark(k, live, k->now[i].node);
	for (size_t i = 1; i < k->n_nodes; i++) {
		if (live[i] == 0)
			continue;
		live[i] = kept;
		k->nodes[kept].part = k->nodes[i].part;
		k->nodes[kept++].parent = live[k->nodes[i].parent];
	}
	k->n_nodes = kept;
	k->best.node = live[k->best.node];
	for (size_t i = 0; i < k->n_now; i++)
		k->now[i].node = live[k->now[i].node];
	free(live);
	return EX_OK;
}

static size_t count_from(const struct core *k, int64_t bound)
{
	size_t n = 0;

	for (size_t i = 0; i < k->n_now; i++)
		n += state_bound(k, &k->now[i]) >= bound;
	return n;
}

/* Keeps the more promising half of the states at most, and remembers how good the best of
 * the others could have been. */
static void thin(struct core *k)
{
	int64_t low = k->lower, high = k->upper + 1; /* none has a bound from `high` on */
	size_t kept = 0;

	while (high - low > 1) {
		int64_t middle = low + (high - low) / 2;
		size_t n = count_from(k, middle);

		if (n > k->n_now / 2) {
			low = middle;
			continue;
		}
		high = middle;
		if (n >= k->n_now / 4)
			break;
	}
	for (size_t i = 0; i < k->n_now; i++)
		if (state_bound(k, &k->now[i]) >= high)
			k->now[kept++] = k->now[i];
	k->n_now = kept;
	if (high - 1 > k->given_up)
		k->given_up = high - 1;
}

static int make_room(struct core *k, struct err *e)
{
	int rc = EX_OK;

	if (k->n_nodes + k->n_now > k->max_states)
		rc = collect(k, e);
	while (rc == EX_OK && k->n_now > 0 &&
	       (2 * k->n_now > k->max_states || k->n_nodes + k->n_now > k->max_states)) {
		thin(k);
		rc = collect(k, e);
	}
	if (rc == EX_OK)
		rc = mem_grow(&k->next, &k->cap_next, 2 * k->n_now, sizeof *k->next, e);
	if (rc == EX_OK)
		rc = mem_grow(&k->nodes, &k->cap_nodes, k->n_nodes + k->n_now,
			      sizeof *k->nodes, e);
	return rc;
}

/* Lets part `at`, the next on its side, be in or out. */
static int widen(struct core *k, size_t at, struct err *e)
{
	bool differs = may_differ(k, at);
	int rc = differs ? make_room(k, e) : EX_OK;

	if (at == k->right)
		k->right++;
	else
		k->left--;
	if (rc == EX_OK && differs) {
		k->work += k->n_now;
		merge(k, at);
		swap_lists(k);
	}
	return rc;
}

static bool over(const struct core *k)
{
	bool only_ties = k->best.value == k->upper && k->work > k->max_states;

	return k->n_now == 0 || only_ties || (k->left == 0 && k->right == k->n);
}

static int search(struct core *k, struct err *e)
{
	int rc = EX_OK;

	while (rc == EX_OK && !over(k)) {
		if (k->right < k->n)
			rc = widen(k, k->right, e);
		if (rc == EX_OK && k->left > 0)
			rc = widen(k, k->left - 1, e);
	}
	return rc;
}

/* The break solution; without a break, everything fits. */
static void fill(struct core *k)
{
	struct state *s = &k->best;
	const struct part *b = k->parts;

	for (; b < k->parts + k->n && s->params + b->params <= k->capacity; b++) {
		s->params += b->params;
		s->value += b->value;
	}
	k->break_at = k->left = k->right = (size_t)(b - k->parts);
	k->upper = s->value;
	if (k->break_at < k->n)
		k->upper +=
		    (int64_t)((wide)(k->capacity - s->params) * b->value / (wide)b->params);
	if (s->value > k->lower)
		k->lower = s->value;
}

static int start(struct core *k, struct err *e)
{
	int rc;

	k->delta = mem_zeros(k->parts[k->n - 1].kind + 1, sizeof *k->delta);
	k->touched = mem_zeros(k->n, 2 * sizeof *k->touched);
	if (k->delta == NULL || k->touched == NULL)
		return err_nomem(e);
	rc = mem_grow(&k->now, &k->cap_now, 1, sizeof *k->now, e);
	if (rc == EX_OK)
		rc = mem_grow(&k->nodes, &k->cap_nodes, 1, sizeof *k->nodes, e);
	if (rc == EX_OK) {
		k->n_nodes = 1;
		k->now[k->n_now++] = k->best;
	}
	return rc;
}

static void count_copies(const struct core *k, size_t *copies)
{
	for (size_t i = 0; i < k->break_at; i++)
		copies[k->parts[i].kind] += k->parts[i].copies;
	for (uint32_t at = k->best.node; at != 0; at = k->nodes[at].parent) {
		const struct part *p = &k->parts[k->nodes[at].part];

		if (k->nodes[at].part >= k->break_at)
			copies[p->kind] += p->copies;
		else
			copies[p->kind] -= p->copies;
	}
}

int core_solve(const struct part *parts, size_t n, uint64_t capacity, int64_t lower,
	       size_t max_states, size_t *copies, struct core_result *out, struct err *e)
{
	struct core k = { .parts = parts,
			  .n = n,
			  .capacity = capacity,
			  .lower = lower,
			  .given_up = -1,
			  .max_states = max_states };
	int rc = EX_OK;

	if (n >= UINT32_MAX || max_states >= UINT32_MAX)
		return err_set(e, EX_DATAERR, "more groups or states than 2^32");
	fill(&k);
	if (k.break_at < n)
		rc = start(&k, e);
	if (rc == EX_OK)
		rc = search(&k, e);
	if (rc == EX_OK) {
		count_copies(&k, copies);
		out->value = k.best.value;
		out->bound = k.given_up > out->value ? k.given_up : out->value;
	}
	free(k.now);
	free(k.next);
	free(k.nodes);
	free(k.delta);
	free(k.touched);
	return rc;
}
