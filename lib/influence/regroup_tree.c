#include <inttypes.h>
#include <stdlib.h>
#include <string.h>

#include "base/mem.h"
#include "influence/regroup_private.h"

#define DEPTH_MOST 64 /* parts of a name; what is below is taken together */

/* Units of one tensor or module, and the best division of them. */
struct leaf {
	size_t begin, end; /* units */
	size_t parts, top; /* top: bytes of the name above which all is one group */
	size_t merged_end; /* leaves up to there are that group; 0: none */
	bool runs;         /* parts are runs of neighbours */
	double cost, w, y;
};

struct walk {
	const struct tree *t;
	struct unit *u;
	struct leaf *leaf;
	size_t n;
};

static const char *leaf_name(const struct walk *k, size_t i, size_t *len)
{
	const struct unit *u = &k->u[k->leaf[i].begin];

	*len = u->tensor;
	return u->name;
}

/* ---- within a tensor ---- */

static void gather(const struct unit *u, size_t n, double *x, double *w)
{
	for (size_t i = 0; i < n; i++) {
		x[i] = u[i].x;
		w[i] = u[i].w;
	}
}

static void take(struct unit *u, size_t n, const uint32_t *part)
{
	for (size_t i = 0; i < n; i++)
		u[i].part = part[i];
}

/* work[2 n] and part[n] */
static int divide_leaf(struct walk *k, struct leaf *l, double *work, uint32_t *part,
		       struct err *e)
{
	struct unit *u = &k->u[l->begin];
	size_t n = l->end - l->begin, parts = 1;
	double *x = work, *w = work + n, cost;
	int rc;

	gather(u, n, x, w);
	for (size_t i = 0; i < n; i++) {
		l->w += w[i];
		l->y += w[i] * x[i];
		u[i].part = 0;
	}
	l->parts = 1;
	l->cost = split_none(n, x, w, k->t->cost);
	if (n < 2)
		return EX_OK;
	rc = split_chain(n, x, w, k->t->cost, part, &parts, &cost, e);
	if (rc == EX_OK && parts > 1 && cost < l->cost) {
		take(u, n, part);
		l->runs = true;
		l->cost = cost;
		l->parts = parts;
	}
	if (rc == EX_OK)
		rc = split_levels(n, x, w, k->t->cost, part, &parts, &cost, e);
	if (rc == EX_OK && parts > 1 && cost < l->cost) {
		take(u, n, part);
		l->runs = false;
		l->cost = cost;
		l->parts = parts;
	}
	return rc;
}

static int divide_leaves(struct walk *k, size_t most, struct err *e)
{
	double *work = mem_zeros(most, 2 * sizeof *work);
	uint32_t *part = mem_zeros(most, sizeof *part);
	int rc = work == NULL || part == NULL ? err_nomem(e) : EX_OK;

	for (size_t i = 0; i < k->n && rc == EX_OK; i++)
		rc = divide_leaf(k, &k->leaf[i], work, part, e);
	free(work);
	free(part);
	return rc;
}

/* ---- above ---- */

/* Leaves lo .. end share the part of their name that begins at `at`, with its dot. */
static size_t child_end(const struct walk *k, size_t lo, size_t hi, size_t at, size_t *next)
{
	size_t len, end = lo + 1;
	const char *name = leaf_name(k, lo, &len);
	const char *dot = memchr(name + at, '.', len - at);

	*next = len;
	if (dot == NULL)
		return end;
	*next = (size_t)(dot - name) + 1;
	while (end < hi) {
		size_t other_len;
		const char *other = leaf_name(k, end, &other_len);

		if (other_len < *next || memcmp(other, name, *next) != 0)
			break;
		end++;
	}
	return end;
}

static double merge_node(struct walk *k, size_t lo, size_t hi, size_t at, double below)
{
	double w = 0, y = 0, level, cost;

	for (size_t i = lo; i < hi; i++) {
		w += k->leaf[i].w;
		y += k->leaf[i].y;
	}
	level = y / w;
	cost = split_none(1, &level, &w, k->t->cost);
	if (cost > below)
		return below;
	for (size_t i = lo; i < hi; i++) {
		k->leaf[i].merged_end = hi;
		k->leaf[i].top = at;
	}
	return cost;
}

/* The least cost of leaves lo .. hi, which share the first `at` bytes of their names. */
static double climb(struct walk *k, size_t lo, size_t hi, size_t at, int depth)
{
	double below = 0;
	size_t next, children = 0;

	if (hi - lo == 1)
		return k->leaf[lo].cost;
	for (size_t i = lo, end; i < hi; i = end) {
		end = child_end(k, i, hi, at, &next);
		if (depth < DEPTH_MOST)
			below += climb(k, i, end, next, depth + 1);
		else
			for (size_t j = i; j < end; j++)
				below += k->leaf[j].cost;
		children++;
	}
	return children > 1 ? merge_node(k, lo, hi, at, below) : below;
}

/* ---- names and rules ---- */

/* A name as a pattern: characters that mean something in one stand for any. */
static void put_plain(struct strbuf *b, const char *name, size_t len)
{
	for (size_t i = 0; i < len; i++)
		strbuf_add(b, strchr("#*?[]\\", name[i]) != NULL ? "?" : &name[i], 1);
}

static int add_rule(const struct tree *t, struct strbuf *pattern, const char *group,
		    struct err *e)
{
	int rc =
	    pattern->failed ? err_nomem(e) : meta_add(&t->to->rules, pattern->s, group, e);

	strbuf_clear(pattern);
	return rc;
}

/* The pattern of all of a unit's tensor or module. */
static void put_whole(const struct tree *t, struct strbuf *b, const struct unit *u)
{
	put_plain(b, u->name, u->tensor);
	if (t->by == BY_MODULES && strstr(u->name, ".lora") == NULL)
		strbuf_puts(b, ".*");
}

/* Units i .. of one part whose rows follow each other. */
static size_t run_end(const struct unit *u, size_t i, size_t end)
{
	size_t j = i + 1;

	while (j < end && u[j].part == u[i].part && u[j].row == u[j - 1].row + 1)
		j++;
	return j;
}

/* Rules of the runs of units lo .. hi, each part under its name, but for part `but`. */
static int add_runs(const struct tree *t, const struct unit *u, size_t lo, size_t hi,
		    uint32_t but, char *const *names, struct err *e)
{
	struct strbuf b = { 0 };
	int rc = EX_OK;

	for (size_t i = lo, end; i < hi && rc == EX_OK; i = end) {
		end = run_end(u, i, hi);
		if (u[i].part == but)
			continue;
		if (u[i].row < 0) {
			put_whole(t, &b, &u[i]);
		} else {
			put_plain(&b, u[i].name, u[i].tensor);
			strbuf_printf(&b, "[%" PRId64 ":%" PRId64 "]", u[i].row,
				      u[end - 1].row + 1);
		}
		rc = add_rule(t, &b, names[u[i].part], e);
	}
	strbuf_free(&b);
	return rc;
}

/* The number of the new group `name`, which its units get. */
static int assign(const struct tree *t, struct unit *u, const char *name, struct err *e)
{
	return numbering_put(t->names, name, &t->of[u->group], e);
}

static char *part_name(const struct leaf *l, const struct unit *u, uint32_t part)
{
	size_t first = l->begin, last;

	if (l->parts == 1)
		return str_dupn(u[first].name, u[first].tensor);
	if (!l->runs)
		return str_printf("%.*s/%u", (int)u[first].tensor, u[first].name, part + 1);
	while (u[first].part != part)
		first++;
	for (last = first; last + 1 < l->end && u[last + 1].part == part;)
		last++;
	return str_printf("%.*s[%" PRId64 ":%" PRId64 "]", (int)u[first].tensor,
			  u[first].name, u[first].row, u[last].row + 1);
}

/* The part that stands in the most runs, for the rule that takes in what is left. */
static int scattered(const struct leaf *l, const struct unit *u, uint32_t *part,
		     struct err *e)
{
	size_t *runs = mem_zeros(l->parts, sizeof *runs);

	if (runs == NULL)
		return err_nomem(e);
	*part = 0;
	for (size_t i = l->begin; i < l->end; i = run_end(u, i, l->end))
		if (++runs[u[i].part] > runs[*part])
			*part = u[i].part;
	free(runs);
	return EX_OK;
}

static int name_parts(const struct walk *k, const struct leaf *l, char **names,
		      struct err *e)
{
	int rc = EX_OK;

	for (uint32_t p = 0; p < l->parts; p++)
		if ((names[p] = part_name(l, k->u, p)) == NULL)
			return err_nomem(e);
	for (size_t i = l->begin; i < l->end && rc == EX_OK; i++)
		rc = assign(k->t, &k->u[i], names[k->u[i].part], e);
	return rc;
}

static int emit_leaf(const struct walk *k, const struct leaf *l, struct err *e)
{
	char **names = mem_zeros(l->parts, sizeof *names);
	uint32_t rest = UINT32_MAX;
	struct strbuf b = { 0 };
	int rc = names == NULL ? err_nomem(e) : name_parts(k, l, names, e);

	if (rc == EX_OK && k->t->complete)
		rc = scattered(l, k->u, &rest, e);
	if (rc == EX_OK)
		rc = add_runs(k->t, k->u, l->begin, l->end, rest, names, e);
	if (rc == EX_OK && rest != UINT32_MAX) {
		put_whole(k->t, &b, &k->u[l->begin]);
		rc = add_rule(k->t, &b, names[rest], e);
	}
	if (rc == EX_OK)
		k->t->to->whole += l->parts == 1;
	for (size_t p = 0; names != NULL && p < l->parts; p++)
		free(names[p]);
	free(names);
	strbuf_free(&b);
	return rc;
}

/* Leaves lo .. hi as one group, named by what their names share. */
static int emit_node(const struct walk *k, size_t lo, size_t hi, size_t top, struct err *e)
{
	const struct unit *u = &k->u[k->leaf[lo].begin];
	char *name = top > 0 ? str_dupn(u->name, top - 1) : str_dup("all");
	struct strbuf b = { 0 };
	int rc = name == NULL ? err_nomem(e) : EX_OK;

	for (size_t i = k->leaf[lo].begin; i < k->leaf[hi - 1].end && rc == EX_OK; i++) {
		k->u[i].part = 0;
		rc = assign(k->t, &k->u[i], name, e);
	}
	if (rc == EX_OK && k->t->complete) {
		put_plain(&b, u->name, top);
		strbuf_puts(&b, "*");
		rc = add_rule(k->t, &b, name, e);
	}
	for (size_t i = lo; i < hi && rc == EX_OK && !k->t->complete; i++)
		rc = add_runs(k->t, k->u, k->leaf[i].begin, k->leaf[i].end, UINT32_MAX,
			      &name, e);
	if (rc == EX_OK)
		k->t->to->whole++;
	free(name);
	strbuf_free(&b);
	return rc;
}

/* From the last name to the first: what a name goes on with comes before it, so that the
 * first rule that matches is the right one. */
static int emit(const struct walk *k, struct err *e)
{
	int rc = EX_OK;

	for (size_t hi = k->n; hi > 0 && rc == EX_OK;) {
		const struct leaf *l = &k->leaf[hi - 1];
		size_t lo = hi - 1;

		if (l->merged_end == 0) {
			rc = emit_leaf(k, l, e);
		} else {
			while (lo > 0 && k->leaf[lo - 1].merged_end == hi)
				lo--;
			rc = emit_node(k, lo, hi, l->top, e);
		}
		hi = lo;
	}
	return rc;
}

static int make_leaves(struct walk *k, size_t n, size_t *most, struct err *e)
{
	k->leaf = mem_zeros(n, sizeof *k->leaf);
	if (k->leaf == NULL)
		return err_nomem(e);
	for (size_t i = 0; i < n; i++) {
		const struct unit *u = &k->u[i];
		struct leaf *l = &k->leaf[k->n];

		if (k->n == 0 || u->tensor != u[-1].tensor ||
		    memcmp(u->name, u[-1].name, u->tensor) != 0)
			k->leaf[k->n++].begin = i;
		l = &k->leaf[k->n - 1];
		l->end = i + 1;
		if (l->end - l->begin > *most)
			*most = l->end - l->begin;
	}
	return EX_OK;
}

int regroup_divide(const struct tree *t, struct unit *u, size_t n, struct err *e)
{
	struct walk k = { .t = t, .u = u };
	size_t most = 0;
	int rc = make_leaves(&k, n, &most, e);

	if (rc == EX_OK)
		rc = divide_leaves(&k, most, e);
	if (rc == EX_OK && k.n > 0)
		climb(&k, 0, k.n, 0, 0);
	if (rc == EX_OK)
		rc = emit(&k, e);
	free(k.leaf);
	return rc;
}

/* ---- groups of a groups file ---- */

static int name_levels(const struct tree *t, struct unit *u, size_t n, const uint32_t *part,
		       size_t parts, struct err *e)
{
	size_t *members = mem_zeros(parts, sizeof *members);
	int rc = members == NULL ? err_nomem(e) : EX_OK;

	for (size_t i = 0; i < n && rc == EX_OK; i++)
		members[part[i]]++;
	for (size_t i = 0; i < n && rc == EX_OK; i++) {
		char *name = members[part[i]] == 1 ? str_dup(u[i].name)
						   : str_printf("level/%u", part[i] + 1);

		rc = name == NULL ? err_nomem(e) : assign(t, &u[i], name, e);
		free(name);
	}
	free(members);
	return rc;
}

int regroup_levels(const struct tree *t, struct unit *u, size_t n, struct err *e)
{
	double *work = mem_zeros(n, 2 * sizeof *work), cost;
	uint32_t *part = mem_zeros(n, sizeof *part);
	size_t parts = 0;
	int rc = work == NULL || part == NULL ? err_nomem(e) : EX_OK;

	if (rc == EX_OK) {
		gather(u, n, work, work + n);
		rc = split_levels(n, work, work + n, t->cost, part, &parts, &cost, e);
	}
	if (rc == EX_OK)
		rc = name_levels(t, u, n, part, parts, e);
	free(work);
	free(part);
	return rc;
}
