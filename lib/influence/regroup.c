#include "influence/regroup.h"

#include <ctype.h>
#include <inttypes.h>
#include <math.h>
#include <stdlib.h>
#include <string.h>

#include "base/mem.h"
#include "base/num.h"
#include "influence/regroup_private.h"

struct cell {
	int64_t step;
	double gain, ppi, loss;
	uint32_t group, shard;
	uint32_t order; /* of sums: that of the units */
	uint8_t status;
};

/* What stays the same of a group from row to row; words are numbers in regrouper.words. */
struct trait {
	uint64_t params;
	size_t type, layer, choice;
};

struct regrouper {
	struct numbering groups, words, fresh; /* old groups, their words, new groups */
	struct trait *old, *new;               /* [groups], [fresh] */
	size_t cap_old;
	struct cell *cells;
	size_t n, cap;
	struct point *points; /* [n] */
	struct unit *units;   /* [groups] */
	size_t *of;           /* [groups] new group */
	struct regrouped out;
};

int regroup_start(struct regrouper **r, struct err *e)
{
	*r = mem_zeros(1, sizeof **r);
	return *r == NULL ? err_nomem(e) : EX_OK;
}

/* ---- rows ---- */

static int add_traits(struct regrouper *r, const struct influence_row *row, struct err *e)
{
	struct trait *t;
	int rc;

	for (const char *s = row->group; *s != '\0'; s++)
		if (iscntrl((unsigned char)*s))
			return err_set(e, EX_DATAERR,
				       "the group's name has a control character, which a "
				       "groups file cannot hold");
	rc = mem_grow(&r->old, &r->cap_old, r->groups.names.n, sizeof *r->old, e);

	if (rc != EX_OK)
		return rc;
	t = &r->old[r->groups.names.n - 1];
	t->params = row->params;
	if ((rc = numbering_put(&r->words, row->type, &t->type, e)) == EX_OK &&
	    (rc = numbering_put(&r->words, row->layer, &t->layer, e)) == EX_OK)
		rc = numbering_put(&r->words, row->choice, &t->choice, e);
	return rc;
}

int regroup_add(struct regrouper *r, const struct influence_row *row, double loss,
		struct err *e)
{
	size_t before = r->groups.names.n, at;
	enum status status = STATUS_ZERO;
	int rc = numbering_put(&r->groups, row->group, &at, e);

	status_named(row->status, &status);
	if (rc == EX_OK && r->groups.names.n > before)
		rc = add_traits(r, row, e);
	if (rc == EX_OK)
		rc = mem_grow(&r->cells, &r->cap, r->n + 1, sizeof *r->cells, e);
	if (rc != EX_OK)
		return rc;
	r->cells[r->n++] = (struct cell){ .step = row->step,
					  .gain = row->gain,
					  .ppi = row->ppi,
					  .loss = loss,
					  .group = (uint32_t)at,
					  .shard = (uint32_t)row->shard,
					  .status = (uint8_t)status };
	return EX_OK;
}

static int by_group(const void *p, const void *q)
{
	const struct cell *a = p, *b = q;

	if (a->group != b->group)
		return a->group < b->group ? -1 : 1;
	if (a->step != b->step)
		return a->step < b->step ? -1 : 1;
	return (a->shard > b->shard) - (a->shard < b->shard);
}

/* The ranker has seen to it that rows of one place say the same. */
static void settle(struct regrouper *r)
{
	size_t kept = 0;

	if (r->n > 0)
		qsort(r->cells, r->n, sizeof *r->cells, by_group);
	for (size_t i = 0; i < r->n; i++)
		if (kept == 0 || by_group(&r->cells[i], &r->cells[kept - 1]) != 0)
			r->cells[kept++] = r->cells[i];
	r->n = kept;
}

static bool counts(const struct cell *c)
{
	return status_counts((enum status)c->status, c->gain);
}

/* ---- members ---- */

static int by_number(const void *p, const void *q)
{
	int64_t a = *(const int64_t *)p, b = *(const int64_t *)q;

	return (a > b) - (a < b);
}

/* The different steps, for the caller to free. */
static int list_steps(const struct regrouper *r, int64_t **steps, size_t *n, struct err *e)
{
	*steps = mem_zeros(r->n, sizeof **steps);
	*n = 0;
	if (*steps == NULL)
		return err_nomem(e);
	for (size_t i = 0; i < r->n; i++)
		(*steps)[i] = r->cells[i].step;
	if (r->n > 0)
		qsort(*steps, r->n, sizeof **steps, by_number);
	for (size_t i = 0; i < r->n; i++)
		if (*n == 0 || (*steps)[i] != (*steps)[*n - 1])
			(*steps)[(*n)++] = (*steps)[i];
	return EX_OK;
}

static size_t step_index(const int64_t *steps, size_t n, int64_t step)
{
	const int64_t *at = bsearch(&step, steps, n, sizeof *steps, by_number);

	return (size_t)(at - steps);
}

/* The mean over the shards of a step; cells i .. of one group and step. */
static struct point point_of(const struct regrouper *r, size_t i, size_t *end)
{
	struct point p = { 0 };

	for (*end = i; *end < r->n && r->cells[*end].group == r->cells[i].group &&
		       r->cells[*end].step == r->cells[i].step;
	     ++*end)
		if (counts(&r->cells[*end]))
			p.x += fmax(r->cells[*end].ppi, 0);
	p.x /= (double)(*end - i);
	return p;
}

/* TENSOR[row] with a row of digits only; else all of the name. */
static void parse_name(struct unit *u, bool rows)
{
	const char *open = strrchr(u->name, '[');
	size_t len = strlen(u->name), digits;

	u->tensor = len;
	u->row = -1;
	if (!rows || open == NULL || u->name[len - 1] != ']')
		return;
	digits = strspn(open + 1, "0123456789");
	if (digits == 0 || digits > 15 || open + 1 + digits != u->name + len - 1)
		return;
	u->tensor = (size_t)(open - u->name);
	u->row = strtoll(open + 1, NULL, 10);
}

static int make_units(struct regrouper *r, bool rows, size_t *n_steps, struct err *e)
{
	size_t n = 0, next = r->groups.names.n;
	int64_t *steps;
	int rc = list_steps(r, &steps, n_steps, e);

	r->points = mem_zeros(r->n, sizeof *r->points);
	r->units = mem_zeros(next, sizeof *r->units);
	r->of = mem_zeros(next, sizeof *r->of);
	if (rc == EX_OK && (r->points == NULL || r->units == NULL || r->of == NULL))
		rc = err_nomem(e);
	for (size_t i = 0, end; i < r->n && rc == EX_OK; i = end) {
		struct unit *u = &r->units[r->cells[i].group];

		r->points[n] = point_of(r, i, &end);
		r->points[n].step = step_index(steps, *n_steps, r->cells[i].step);
		if (u->points++ == 0)
			u->point = &r->points[n];
		n++;
	}
	for (size_t g = 0; g < next && rc == EX_OK; g++) {
		struct unit *u = &r->units[g];

		u->group = g;
		u->name = r->groups.names.s[g];
		u->params = r->old[g].params;
		u->apart = strcmp(r->words.names.s[r->old[g].choice], "-") != 0;
		parse_name(u, rows);
	}
	free(steps);
	return rc;
}

static int by_tensor(const void *p, const void *q)
{
	const struct unit *a = p, *b = q;
	size_t len = a->tensor < b->tensor ? a->tensor : b->tensor;
	int order;

	if (a->apart != b->apart)
		return a->apart ? 1 : -1;
	order = memcmp(a->name, b->name, len);
	if (order != 0)
		return order;
	if (a->tensor != b->tensor)
		return a->tensor < b->tensor ? -1 : 1;
	return (a->row > b->row) - (a->row < b->row);
}

/* ---- dividing ---- */

static int division_of(const struct meta_list *head, enum division *by, bool *rows,
		       struct err *e)
{
	static const struct {
		const char *name;
		enum division by;
	} known[] = { { "tensor", BY_TENSORS },
		      { "row", BY_TENSORS },
		      { "module", BY_MODULES },
		      { "file", BY_RULES } };
	const char *name = meta_get(head, "groups");

	name = name == NULL ? "tensor" : name;
	*rows = strcmp(name, "row") == 0;
	for (size_t i = 0; i < sizeof known / sizeof known[0]; i++) {
		if (strcmp(known[i].name, name) == 0) {
			*by = known[i].by;
			return EX_OK;
		}
	}
	return err_set(e, EX_USAGE,
		       "groups by %s cannot be regrouped, since no pattern names them: "
		       "probe by row, tensor or module, or in the groups of a file",
		       name);
}

/* Does the run's model have no parameter that is in no row? */
static bool covers(const struct unit *u, size_t n, const struct meta_list *head)
{
	const char *model = meta_get(head, "model");
	char *word = model == NULL ? NULL : meta_word(model, "params");
	int64_t params = 0;
	bool known = word != NULL && num_int(word, &params), gaps = false;
	uint64_t sum = 0;

	for (size_t i = 0; i < n; i++) {
		bool first = i == 0 || u[i].tensor != u[i - 1].tensor ||
			     memcmp(u[i].name, u[i - 1].name, u[i].tensor) != 0;

		if (strstr(u[i].name, ".lora") == NULL)
			sum += u[i].params;
		gaps |= u[i].row >= 0 && u[i].row != (first ? 0 : u[i - 1].row + 1);
	}
	free(word);
	return known && !gaps && params >= 0 && sum >= (uint64_t)params;
}

/* Alternatives stay what they are, and their rules come first. */
static int keep_apart(struct regrouper *r, size_t from, bool rules, struct err *e)
{
	int rc = EX_OK;

	for (size_t i = from; i < r->groups.names.n && rc == EX_OK; i++) {
		const struct unit *u = &r->units[i];

		rc = numbering_put(&r->fresh, u->name, &r->of[u->group], e);
		if (rc == EX_OK && rules)
			rc = meta_add(&r->out.rules, u->name, u->name, e);
	}
	return rc;
}

/* The rules of the groups file, each with the new name of its group. */
static int rename_rules(struct regrouper *r, const struct meta_list *head, struct err *e)
{
	int rc = EX_OK;

	for (size_t i = 0; i < head->n && rc == EX_OK; i++) {
		const char *tab = strchr(head->m[i].value, '\t');
		char *pattern;
		size_t old;

		if (strcmp(head->m[i].key, "group") != 0 || tab == NULL)
			continue;
		pattern = str_dupn(head->m[i].value, (size_t)(tab - head->m[i].value));
		old = numbering_find(&r->groups, tab + 1);
		if (pattern == NULL)
			rc = err_nomem(e);
		else
			rc = meta_add(
			    &r->out.rules, pattern,
			    old == SIZE_MAX ? tab + 1 : r->fresh.names.s[r->of[old]], e);
		free(pattern);
	}
	return rc;
}

/* Estimates of a step and a member. */
static size_t data_of(const struct regrouper *r)
{
	size_t n = 0;

	for (size_t g = 0; g < r->groups.names.n; g++)
		n += r->units[g].points;
	return n;
}

static int divide(struct regrouper *r, enum division by, const struct meta_list *head,
		  double penalty, struct err *e)
{
	size_t all = r->groups.names.n, n = 0;
	struct tree t = { .by = by,
			  .cost = { penalty * log((double)(data_of(r) + 1)), penalty },
			  .names = &r->fresh,
			  .of = r->of,
			  .to = &r->out };
	int rc;

	while (n < all && !r->units[n].apart)
		n++;
	t.complete = covers(r->units, n, head);
	rc = keep_apart(r, n, by != BY_RULES, e);
	if (rc == EX_OK)
		rc = by == BY_RULES ? regroup_levels(&t, r->units, n, e)
				    : regroup_divide(&t, r->units, n, e);
	if (rc == EX_OK && by == BY_RULES)
		return rename_rules(r, head, e);
	if (rc == EX_OK && !t.complete)
		rc = meta_add(&r->out.rules, "*", "rest", e);
	return rc;
}

static const char *const mixed = "mixed";

/* Params, type, layer and choice of the new groups. */
static int merge_traits(struct regrouper *r, struct err *e)
{
	size_t word;
	int rc = numbering_put(&r->words, mixed, &word, e);

	r->new = mem_zeros(r->fresh.names.n, sizeof *r->new);
	if (rc == EX_OK && r->new == NULL)
		rc = err_nomem(e);
	for (size_t g = 0; g < r->groups.names.n && rc == EX_OK; g++) {
		const struct trait *old = &r->old[g];
		struct trait *new = &r->new[r->of[g]];

		if (new->params == 0)
			*new = (struct trait){ 0, old->type, old->layer, old->choice };
		new->params += old->params;
		new->type = new->type == old->type ? new->type : word;
		new->layer = new->layer == old->layer ? new->layer : word;
	}
	return rc;
}

/* Fisher information and what else only scores is no decrease of the loss. */
static int read_method(const struct meta_list *head, bool *decreases, struct err *e)
{
	static const char *const scores[] = { "fisher", "magnitude", "random" };
	const char *probe = meta_get(head, "probe");
	char *method = probe == NULL ? NULL : meta_word(probe, "method");

	if (probe != NULL && method == NULL && strstr(probe, "method=") != NULL)
		return err_nomem(e);
	*decreases = true;
	for (size_t i = 0; i < sizeof scores / sizeof scores[0] && method != NULL; i++)
		*decreases &= strcmp(method, scores[i]) != 0;
	free(method);
	return EX_OK;
}

int regroup_finish(struct regrouper *r, const struct meta_list *head, double penalty,
		   const struct regrouped **out, struct err *e)
{
	enum division by = BY_TENSORS;
	bool rows = false;
	size_t steps = 0;
	int rc = division_of(head, &by, &rows, e);

	if (rc == EX_OK)
		rc = read_method(head, &r->out.decreases, e);
	if (rc != EX_OK)
		return rc;
	settle(r);
	if ((rc = make_units(r, rows, &steps, e)) != EX_OK)
		return rc;
	if (r->groups.names.n > 0)
		qsort(r->units, r->groups.names.n, sizeof *r->units, by_tensor);
	if ((rc = regroup_measure(r->units, r->groups.names.n, steps, e)) != EX_OK ||
	    (rc = divide(r, by, head, penalty, e)) != EX_OK ||
	    (rc = merge_traits(r, e)) != EX_OK)
		return rc;
	r->out.members = r->groups.names.n;
	r->out.groups = r->fresh.names.n;
	*out = &r->out;
	return EX_OK;
}

/* ---- rows of the new groups ---- */

static int by_place(const void *p, const void *q)
{
	const struct cell *a = p, *b = q;

	if (a->step != b->step)
		return a->step < b->step ? -1 : 1;
	if (a->shard != b->shard)
		return a->shard < b->shard ? -1 : 1;
	if (a->group != b->group)
		return a->group < b->group ? -1 : 1;
	return (a->order > b->order) - (a->order < b->order);
}

/* Which status speaks for several: one that counts before one that does not. */
static int weight_of(const struct cell *c)
{
	if (c->status == STATUS_BOUNDED)
		return 3;
	if (c->status == STATUS_OK)
		return 2;
	return counts(c) ? 1 : 0;
}

/* No step takes more off a loss than there is. */
static void cap_gain(struct regrouper *r, double loss, struct influence_row *row)
{
	if (!r->out.decreases || !isfinite(loss) || row->gain <= fmax(loss, 0))
		return;
	row->ppi *= fmax(loss, 0) / row->gain;
	row->gain = fmax(loss, 0);
	r->out.capped++;
}

static int feed_one(struct regrouper *r, const struct cell *c, size_t n, struct ranker *to,
		    struct err *e)
{
	const struct trait *t = &r->new[c->group];
	struct influence_row row = { .step = c->step,
				     .shard = c->shard,
				     .group = r->fresh.names.s[c->group],
				     .type = r->words.names.s[t->type],
				     .layer = r->words.names.s[t->layer],
				     .choice = r->words.names.s[t->choice],
				     .params = t->params };
	const struct cell *speaker = c;
	double loss = c->loss;

	for (size_t i = 0; i < n; i++) {
		if (weight_of(&c[i]) > weight_of(speaker))
			speaker = &c[i];
		loss = fmin(loss, c[i].loss);
		if (!counts(&c[i]))
			continue;
		row.gain += c[i].gain;
		row.ppi += c[i].ppi;
	}
	cap_gain(r, loss, &row);
	row.status = status_name((enum status)speaker->status);
	if (t->params > 0)
		row.ppi /= (double)t->params;
	return ranker_add(to, &row, e);
}

static bool same_place(const struct cell *a, const struct cell *b)
{
	return a->step == b->step && a->shard == b->shard && a->group == b->group;
}

/* From old groups to new ones. ppi is per parameter: sums are of ppi times params. */
static int rename_cells(struct regrouper *r, struct err *e)
{
	uint32_t *order = mem_zeros(r->groups.names.n, sizeof *order);

	if (order == NULL)
		return err_nomem(e);
	for (size_t i = 0; i < r->groups.names.n; i++)
		order[r->units[i].group] = (uint32_t)i;
	for (size_t i = 0; i < r->n; i++) {
		struct cell *c = &r->cells[i];

		c->ppi *= (double)r->old[c->group].params;
		c->order = order[c->group];
		c->group = (uint32_t)r->of[c->group];
	}
	free(order);
	return EX_OK;
}

int regroup_feed(struct regrouper *r, struct ranker *to, struct err *e)
{
	int rc = ranker_source(to, "the regrouped rows", e);

	if (rc == EX_OK)
		rc = rename_cells(r, e);
	if (rc != EX_OK)
		return rc;
	if (r->n > 0)
		qsort(r->cells, r->n, sizeof *r->cells, by_place);
	for (size_t i = 0, end; i < r->n && rc == EX_OK; i = end) {
		for (end = i + 1; end < r->n && same_place(&r->cells[i], &r->cells[end]);)
			end++;
		rc = feed_one(r, &r->cells[i], end - i, to, e);
	}
	return rc;
}

void regroup_free(struct regrouper *r)
{
	if (r == NULL)
		return;
	numbering_free(&r->groups);
	numbering_free(&r->words);
	numbering_free(&r->fresh);
	free(r->old);
	free(r->new);
	free(r->cells);
	free(r->points);
	free(r->units);
	free(r->of);
	meta_free(&r->out.rules);
	free(r);
}
