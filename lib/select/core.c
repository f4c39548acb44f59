#include "select/core.h"

#include <float.h>
#include <math.h>
#include <stdlib.h>

#include "base/mem.h"

/* An alternative of every class: classes in the core may have any, all others that of the
 * break solution, and `node` says in what it differs from the break solution. */
struct state {
	uint64_t params;
	int64_t value;
	uint32_t node;
};

/* An alternative taken in place of the break solution's, after `parent`. Node 0 is the
 * break solution; parents come before their children. */
struct node {
	uint32_t parent;
	uint32_t alternative;
};

/* A walk through a list of states, all of which take an alternative. */
struct cursor {
	struct state head;
	size_t at;
	uint32_t alternative;
	bool stays;      /* it is the break solution's */
	uint64_t params; /* that it has more than the break solution's; may wrap */
	int64_t value;
};

struct core {
	const struct classes *classes;
	const struct exchange *x;
	size_t n, left, right, break_at; /* exchanges */
	uint32_t *taken;                 /* [classes] by the break solution */
	bool *inside;                    /* [classes] the core */
	uint64_t capacity;
	int64_t lower;    /* reachable */
	int64_t upper;    /* of the relaxation */
	double ratio;     /* value per parameter of the break */
	int64_t given_up; /* bound of the best state that was dropped for want of memory */
	size_t max_states, work;
	struct state *now, *next; /* increasing in params and in value */
	size_t n_now, n_next, cap_now, cap_next;
	struct node *nodes;
	size_t n_nodes, cap_nodes;
	struct state best;
	struct cursor *cursors; /* [alternatives of a class] */
	int64_t *delta;         /* [kinds], zero between uses */
	size_t *touched;        /* [4 classes] */
};

static const struct alternative *alternative(const struct core *k, size_t at)
{
	return &k->classes->alternatives[at];
}

/* Value per parameter, rounded up and down by more than the arithmetic's error. */
static double ratio_above(const struct exchange *x)
{
	return (double)x->value / (double)x->params * (1 + 8 * DBL_EPSILON);
}

static double ratio_below(const struct exchange *x)
{
	return (double)x->value / (double)x->params * (1 - 8 * DBL_EPSILON);
}

/* No completion of the state within the capacity is worth more. */
static int64_t state_bound(const struct core *k, const struct state *s)
{
	double x;
	int64_t bound;

	if (s->params <= k->capacity) {
		if (k->right == k->n)
			return s->value;
		x = (double)(k->capacity - s->params) * ratio_above(&k->x[k->right]);
		if (x >= (double)(k->upper - s->value))
			return k->upper;
		return s->value + (int64_t)x + 1;
	}
	if (k->left == 0)
		return -1;
	x = (double)(s->params - k->capacity) * ratio_below(&k->x[k->left - 1]);
	if (x >= (double)s->value)
		return -1;
	bound = s->value - (int64_t)x;
	return bound < k->upper ? bound : k->upper;
}

/* False when no optimal solution takes this alternative: with the break's ratio r as
 * multiplier, the Lagrangian bound falls by r params - value, the differences from the
 * break solution's. */
static bool may_take(const struct core *k, uint64_t params, int64_t value)
{
	double price = k->ratio * (double)(int64_t)params;
	double loss =
	    price - (double)value - 8 * DBL_EPSILON * (fabs((double)value) + fabs(price));

	return (double)k->upper + 1 - loss >= (double)k->lower * (1 - 4 * DBL_EPSILON);
}

static size_t count(struct core *k, const struct alternative *a, int sign)
{
	if (a->copies == 0)
		return 0;
	k->delta[a->kind] += sign * (int64_t)a->copies;
	return 1;
}

/* Whether solution `a` goes before solution `b` of equal value and params: it has more
 * copies of the first kind in which they differ. */
static bool goes_before(struct core *k, uint32_t a, uint32_t b)
{
	size_t n = 0, first = SIZE_MAX;
	bool before = false;

	while (a != b) {
		bool of_a = a > b;
		const struct node *x = &k->nodes[of_a ? a : b];
		const struct alternative *to = alternative(k, x->alternative);
		const struct alternative *from = alternative(k, k->taken[to->class]);

		k->touched[n] = to->kind;
		n += count(k, to, of_a ? 1 : -1);
		k->touched[n] = from->kind;
		n += count(k, from, of_a ? -1 : 1);
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

/* Room for all children of every state was made before. */
static uint32_t new_node(struct core *k, uint32_t parent, uint32_t at)
{
	k->nodes[k->n_nodes] = (struct node){ parent, at };
	return (uint32_t)k->n_nodes++;
}

/* Negative when a stands before b in a list, 0 when they are equal. */
static int list_order(const struct state *a, const struct state *b)
{
	if (a->params != b->params)
		return a->params < b->params ? -1 : 1;
	return (a->value < b->value) - (a->value > b->value);
}

/* Fills the head from the list of states; false at its end. */
static bool look(const struct core *k, struct cursor *c)
{
	if (c->at == k->n_now)
		return false;
	c->head = k->now[c->at];
	c->head.params += c->params;
	c->head.value += c->value;
	return true;
}

/* Of states that differ in their node alone, the last of the list and the cursor's. */
static void settle_tie(struct core *k, struct state *last, const struct cursor *c,
		       struct state s)
{
	if (!c->stays)
		s.node = new_node(k, s.node, c->alternative);
	if (goes_before(k, s.node, last->node)) {
		*last = s;
		offer(k, last);
	} else if (!c->stays) {
		k->n_nodes--;
	}
}

static void keep(struct core *k, const struct cursor *c, struct state s)
{
	if (state_bound(k, &s) < k->lower)
		return;
	if (!c->stays) {
		s.node = new_node(k, s.node, c->alternative);
		offer(k, &s);
	}
	k->next[k->n_next++] = s;
}

/* Restores the heap c[0, n), least head first, of which c[at] may be too large. */
static void sift(struct cursor *c, size_t n, size_t at)
{
	const struct cursor moved = c[at];
	size_t child = 2 * at + 1;

	for (; child < n; child = 2 * at + 1) {
		if (child + 1 < n && list_order(&c[child + 1].head, &c[child].head) < 0)
			child++;
		if (list_order(&c[child].head, &moved.head) >= 0)
			break;
		c[at] = c[child];
		at = child;
	}
	c[at] = moved;
}

/* Merges the states with those that take other alternatives of a class, for each of which
 * there is a cursor. */
static void merge(struct core *k, size_t n)
{
	struct cursor *c = k->cursors;
	int64_t top = -1;

	k->n_next = 0;
	if (k->n_now == 0)
		return;
	for (size_t i = n; i-- > 0; sift(c, n, i))
		look(k, &c[i]);
	while (n > 0) {
		struct state *last = k->n_next > 0 ? &k->next[k->n_next - 1] : NULL;

		if (c->head.value > top) {
			top = c->head.value;
			keep(k, c, c->head);
		} else if (last != NULL && list_order(last, &c->head) == 0) {
			settle_tie(k, last, c, c->head);
		}
		c->at++;
		if (!look(k, c))
			*c = c[--n];
		sift(c, n, 0);
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
		k->nodes[kept].alternative = k->nodes[i].alternative;
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

/* For `n` states in place of each. */
static int make_room(struct core *k, size_t n, struct err *e)
{
	const size_t limit = k->max_states;
	int rc = EX_OK;

	if (k->n_nodes + (n - 1) * k->n_now > limit)
		rc = collect(k, e);
	while (rc == EX_OK && k->n_now > 0 &&
	       (n * k->n_now > limit || k->n_nodes + (n - 1) * k->n_now > limit)) {
		thin(k);
		rc = collect(k, e);
	}
	if (rc == EX_OK)
		rc = mem_grow(&k->next, &k->cap_next, n * k->n_now, sizeof *k->next, e);
	if (rc == EX_OK)
		rc = mem_grow(&k->nodes, &k->cap_nodes, k->n_nodes + (n - 1) * k->n_now,
			      sizeof *k->nodes, e);
	return rc;
}

/* A cursor for each alternative of the class that an optimal solution may take, and how
 * many there are. */
static size_t set_cursors(struct core *k, size_t class)
{
	const struct alternatives *c = &k->classes->c[class];
	const uint32_t taken = k->taken[class];
	const struct alternative *from = alternative(k, taken);
	size_t n = 1;

	for (uint32_t i = c->first; i < c->first + c->n; i++) {
		const struct alternative *a = alternative(k, i);
		uint64_t params = a->params - from->params;
		int64_t value = a->value - from->value;

		if (i != taken && may_take(k, params, value))
			k->cursors[n++] = (struct cursor){ .alternative = i,
							   .params = params,
							   .value = value };
	}
	k->cursors[0] = (struct cursor){ .alternative = taken, .stays = true };
	return n;
}

/* Lets the class take any of its alternatives. */
static int widen(struct core *k, size_t class, struct err *e)
{
	size_t n = set_cursors(k, class);
	int rc = n > 1 ? make_room(k, n, e) : EX_OK;

	k->inside[class] = true;
	while (k->right < k->n && k->inside[k->x[k->right].class])
		k->right++;
	while (k->left > 0 && k->inside[k->x[k->left - 1].class])
		k->left--;
	if (rc == EX_OK && n > 1) {
		k->work += (n - 1) * k->n_now;
		merge(k, n);
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
			rc = widen(k, k->x[k->right].class, e);
		if (rc == EX_OK && k->left > 0)
			rc = widen(k, k->x[k->left - 1].class, e);
	}
	return rc;
}

/* The break solution; without a break, everything fits. */
static void fill(struct core *k)
{
	struct state *s = &k->best;
	const struct exchange *x = k->x, *end = k->x + k->n;

	for (size_t i = 0; i < k->classes->n; i++)
		k->taken[i] = k->classes->c[i].first;
	s->value = k->classes->value;
	for (; x < end && s->params + x->params <= k->capacity; x++) {
		s->params += x->params;
		s->value += x->value;
		k->taken[x->class] = x->to;
	}
	k->break_at = k->left = k->right = (size_t)(x - k->x);
	k->upper = s->value;
	if (x < end) {
		k->upper +=
		    (int64_t)((wide)(k->capacity - s->params) * x->value / (wide)x->params);
		k->ratio = (double)x->value / (double)x->params;
	}
	if (s->value > k->lower)
		k->lower = s->value;
}

static int start(struct core *k, struct err *e)
{
	const struct classes *c = k->classes;
	size_t kinds = 0;
	int rc;

	for (size_t i = 0; i < c->n_alternatives; i++)
		if (c->alternatives[i].kind >= kinds)
			kinds = c->alternatives[i].kind + 1;
	k->taken = mem_zeros(c->n, sizeof *k->taken);
	k->inside = mem_zeros(c->n, sizeof *k->inside);
	k->cursors = mem_zeros(c->most, sizeof *k->cursors);
	k->delta = mem_zeros(kinds, sizeof *k->delta);
	k->touched = mem_zeros(c->n + 1, 4 * sizeof *k->touched);
	if (k->taken == NULL || k->inside == NULL || k->cursors == NULL ||
	    k->delta == NULL || k->touched == NULL)
		return err_nomem(e);
	rc = mem_grow(&k->now, &k->cap_now, 1, sizeof *k->now, e);
	if (rc == EX_OK)
		rc = mem_grow(&k->nodes, &k->cap_nodes, 1, sizeof *k->nodes, e);
	return rc;
}

static void count_copies(const struct core *k, size_t *copies)
{
	for (size_t i = 0; i < k->classes->n; i++) {
		const struct alternative *a = alternative(k, k->taken[i]);

		copies[a->kind] += a->copies;
	}
	for (uint32_t at = k->best.node; at != 0; at = k->nodes[at].parent) {
		const struct alternative *to = alternative(k, k->nodes[at].alternative);
		const struct alternative *from = alternative(k, k->taken[to->class]);

		copies[to->kind] += to->copies;
		copies[from->kind] -= from->copies;
	}
}

int core_solve(const struct classes *classes, uint64_t capacity, int64_t lower,
	       size_t max_states, size_t *copies, struct core_result *out, struct err *e)
{
	struct core k = { .classes = classes,
			  .x = classes->exchanges,
			  .n = classes->n_exchanges,
			  .capacity = capacity,
			  .lower = lower,
			  .given_up = -1,
			  .max_states = max_states };
	int rc;

	if (max_states >= UINT32_MAX)
		return err_set(e, EX_DATAERR, "more states than 2^32");
	rc = start(&k, e);
	if (rc == EX_OK) {
		fill(&k);
		k.n_nodes = 1;
		if (k.break_at < k.n)
			k.now[k.n_now++] = k.best;
		rc = search(&k, e);
	}
	if (rc == EX_OK) {
		count_copies(&k, copies);
		out->value = k.best.value;
		out->bound = k.given_up > out->value ? k.given_up : out->value;
	}
	free(k.taken);
	free(k.inside);
	free(k.cursors);
	free(k.now);
	free(k.next);
	free(k.nodes);
	free(k.delta);
	free(k.touched);
	return rc;
}
