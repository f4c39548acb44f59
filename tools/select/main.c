/* adapeft-select - the groups with the most influence within budgets of parameters. */
#include <inttypes.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "base/mem.h"
#include "base/num.h"
#include "budgets.h"
#include "cli.h"
#include "groups.h"
#include "io/file.h"

static const char *const kept[] = { "model", "task",  "groups",    "group",
				    "lora",  "probe", "stability", NULL };

struct select {
	const char *out, *solver;
	struct strlist typed, require, forbid;
	uint64_t max_states, points;
	bool frontier;
	struct groups groups;
	struct budgets budgets;
	struct solution *solutions; /* one a budget */
};

static enum solver solver_of(const char *name)
{
	if (strcmp(name, "greedy") == 0)
		return SOLVER_GREEDY;
	return strcmp(name, "greedy-stop") == 0 ? SOLVER_GREEDY_STOP : SOLVER_EXACT;
}

/* ---- writing ---- */

static int put_budget(struct stream_writer *w, const struct select *s, size_t at,
		      struct err *e)
{
	const struct solution *a = &s->solutions[at];
	char value[NUM_MAX], bound[NUM_MAX], gap[NUM_MAX];
	struct strbuf line = { 0 };
	int rc;

	num_print(value, a->value);
	num_print(bound, a->bound);
	num_print(gap, a->gap);
	strbuf_printf(&line,
		      "%s\tparams=%" PRIu64 "\tof=%" PRIu64
		      "\tgroups=%zu\tvalue=%s\tbound=%s\tgap=%s\tmethod=%s\toptimal=%s",
		      s->budgets.labels.s[at], a->params, s->budgets.params[at], a->n,
		      value, bound, gap, s->solver, a->optimal ? "yes" : "no");
	rc = line.failed ? err_nomem(e) : stream_put_meta(w, "budget", line.s, e);
	strbuf_free(&line);
	return rc;
}

static int put_rows(struct stream_writer *w, const struct select *s, size_t at,
		    struct err *e)
{
	const struct solution *a = &s->solutions[at];
	const struct groups *g = &s->groups;
	uint64_t params = 0;
	double value = 0;
	int rc = EX_OK;

	for (size_t i = 0; i < a->n && rc == EX_OK; i++) {
		size_t k = a->chosen[i];

		params += g->items[k].params;
		value += g->items[k].value;
		stream_put_text(w, s->budgets.labels.s[at]);
		stream_put_text(w, g->names.s[k]);
		stream_put_int(w, (int64_t)g->items[k].params);
		stream_put_real(w, g->items[k].value);
		stream_put_int(w, (int64_t)params);
		stream_put_real(w, value);
		stream_put_text(w, g->types.s[k]);
		stream_put_text(w, g->layers.s[k]);
		rc = stream_end_row(w, e);
	}
	return rc;
}

static int write_stream(const struct cli *cli, const struct select *s, FILE *out,
			struct err *e)
{
	static const char *const columns[] = {
		"budget",     "group",     "params", "value",
		"cum_params", "cum_value", "type",   "layer"
	};
	struct meta_list head = { 0 };
	struct stream_writer *w = NULL;
	int rc = cli_lineage(cli, &s->groups.head, kept, &head, e);

	if (rc == EX_OK)
		rc = stream_create(&w, out, cli_format(cli), "mask", &head, columns,
				   sizeof columns / sizeof columns[0], e);
	meta_free(&head);
	if (rc != EX_OK)
		return rc;
	for (size_t i = 0; i < s->budgets.n && rc == EX_OK; i++)
		if ((rc = put_budget(w, s, i, e)) == EX_OK)
			rc = put_rows(w, s, i, e);
	if (rc == EX_OK)
		return stream_finish(w, e);
	stream_abort(w);
	return rc;
}

static int write_output(const struct cli *cli, const struct select *s, struct err *e)
{
	struct output out = { 0 };
	int rc = output_open(&out, s->out, e);

	if (rc == EX_OK)
		rc = write_stream(cli, s, out.file, e);
	if (rc == EX_OK)
		rc = output_commit(&out, e);
	output_drop(&out);
	return rc;
}

/* ---- solving ---- */

static void report(const struct cli *cli, const struct select *s)
{
	for (size_t i = 0; i < s->budgets.n; i++) {
		const struct solution *a = &s->solutions[i];
		const char *label = s->budgets.labels.s[i];

		if (a->n == 0)
			cli_note(cli,
				 "budget %s: no group of value fits into %" PRIu64
				 " parameters",
				 label, s->budgets.params[i]);
		if (!a->optimal && solver_of(s->solver) == SOLVER_EXACT)
			cli_note(cli,
				 "budget %s: not proven optimal, %.2g%% may be missing; "
				 "a larger --max-states closes the gap",
				 label, 100 * a->gap);
	}
}

/* Points that are one and the same once solved are kept once, labelled with what they hold.
 */
static int relabel(struct select *s, struct err *e)
{
	struct budgets *b = &s->budgets;
	size_t kept_n = 0;
	char label[NUM_MAX];

	for (size_t i = 0; i < b->n; i++) {
		struct solution a = s->solutions[i];

		s->solutions[i] = (struct solution){ 0 };
		if (kept_n > 0 && s->solutions[kept_n - 1].params == a.params) {
			solution_free(&a);
			continue;
		}
		snprintf(label, sizeof label, "%" PRIu64, a.params);
		free(b->labels.s[kept_n]);
		b->labels.s[kept_n] = str_dup(label);
		b->params[kept_n] = a.params;
		s->solutions[kept_n++] = a;
		if (b->labels.s[kept_n - 1] == NULL)
			return err_nomem(e);
	}
	b->n = kept_n;
	return EX_OK;
}

static int solve(const struct cli *cli, struct select *s, struct err *e)
{
	const struct groups *g = &s->groups;
	struct budgets *b = &s->budgets;
	size_t max_states = (size_t)s->max_states;
	int rc = s->frontier ? budgets_frontier(b, cli, g, (size_t)s->points, max_states, e)
			     : budgets_parse(b, cli, &s->typed, g, e);

	if (rc != EX_OK)
		return rc;
	s->solutions = mem_zeros(b->n, sizeof *s->solutions);
	if (s->solutions == NULL)
		return err_nomem(e);
	rc = knapsack_solve_all(g->items, g->n, b->params, b->n, solver_of(s->solver),
				max_states, s->solutions, e);
	return rc == EX_OK && s->frontier ? relabel(s, e) : rc;
}

static int select_groups(const struct cli *cli, struct select *s, const char *path,
			 struct err *e)
{
	int rc = groups_read(&s->groups, cli, path, e);

	if (rc == EX_OK)
		rc = groups_rule(&s->groups, &s->require, RULE_REQUIRED, e);
	if (rc == EX_OK)
		rc = groups_rule(&s->groups, &s->forbid, RULE_FORBIDDEN, e);
	if (rc == EX_OK)
		rc = solve(cli, s, e);
	if (rc == EX_OK) {
		report(cli, s);
		rc = write_output(cli, s, e);
	}
	return rc;
}

static int check_usage(const struct select *s, int operands, struct err *e)
{
	if (operands > 1)
		return err_set(e, EX_USAGE, "one FILE at most, or none to read stdin");
	if (s->typed.n == 0 && !s->frontier)
		return err_set(e, EX_USAGE, "how much? --budget 1%%,50k, or --frontier");
	if (s->typed.n > 0 && s->frontier)
		return err_set(e, EX_USAGE, "--budget and --frontier exclude each other");
	return EX_OK;
}

static void select_free(struct select *s)
{
	for (size_t i = 0; s->solutions != NULL && i < s->budgets.n; i++)
		solution_free(&s->solutions[i]);
	free(s->solutions);
	budgets_free(&s->budgets);
	groups_free(&s->groups);
	strlist_free(&s->typed);
	strlist_free(&s->require);
	strlist_free(&s->forbid);
}

int main(int argc, char **argv)
{
	struct cli cli = CLI_INIT("adapeft-select");
	struct select s = { .solver = "exact", .points = 100 };
	struct err e = { 0 };
	const struct opt opts[] = {
		{ OPT_LIST, 0, "budget", "LIST", &s.typed, NULL, 0, 0,
		  "parameters to spend: 0.1%,1% of the model's, or 12000,50k" },
		{ OPT_FLAG, 0, "frontier", NULL, &s.frontier, NULL, 0, 0,
		  "a mask for each point of the frontier of value over parameters" },
		{ OPT_COUNT, 0, "points", "N", &s.points, NULL, 1, 1e6,
		  "with --frontier: N points at most, evenly on a logarithmic scale "
		  "(100)" },
		{ OPT_TEXT, 0, "solver", "NAME", &s.solver, "exact|greedy|greedy-stop", 0,
		  0, "exact, greedy, or greedy-stop, the paper's (exact)" },
		{ OPT_LIST, 0, "require", "PATTERN", &s.require, NULL, 0, 0,
		  "choose the groups of these names in any case" },
		{ OPT_LIST, 0, "forbid", "PATTERN", &s.forbid, NULL, 0, 0,
		  "never choose the groups of these names" },
		{ OPT_COUNT, 0, "max-states", "N", &s.max_states, NULL, 1, 4e9,
		  "memory for the exact solver; reaching it gives a certified gap (8M)" },
		{ OPT_TEXT, 'o', "output", "FILE", &s.out, NULL, 0, 0,
		  "write there, whole or not at all (stdout)" },
		CLI_STREAM(cli),
		CLI_COMMON(cli),
		{ .type = OPT_END },
	};
	const struct program program = {
		"adapeft-select",
		"Choose the groups with the most influence within budgets of parameters.",
		"[FILE]", opts
	};
	int rc;

	cli_start(&cli, &program, argc, argv);
	rc = check_usage(&s, argc - cli.first, &e);
	if (rc == EX_OK)
		rc = select_groups(&cli, &s, cli.first < argc ? argv[cli.first] : NULL, &e);
	select_free(&s);
	return cli_end(&cli, rc, &e);
}
