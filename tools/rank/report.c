#include "report.h"

#include <inttypes.h>
#include <math.h>
#include <stdbool.h>

#include "base/num.h"

#define UNSTABLE_SHOWN 3
#define MATTERS_LEAST  10  /* groups at the top that matter, */
#define MATTERS_SHARE  0.1 /* or this share of them, if more */

static void report_statuses(const struct cli *cli, const struct ranking *a)
{
	struct strbuf why = { 0 };
	size_t none = 0;

	for (int s = 0; s < RANK_STATUSES; s++) {
		size_t n = a->by_status[s] - (s == STATUS_NEGCURV ? a->negcurv_counted : 0);

		if (s == STATUS_OK || s == STATUS_BOUNDED || n == 0)
			continue;
		strbuf_printf(&why, "%s%zu %s", none > 0 ? ", " : "", n,
			      status_name((enum status)s));
		none += n;
	}
	if (none > 0)
		cli_note(cli, "%zu of %zu rows count as 0: %s", none, a->rows,
			 why.failed ? "" : why.s);
	if (a->negcurv_counted > 0)
		cli_note(cli,
			 "%zu of %zu rows have negative curvature (negcurv) and count as "
			 "bounded steps",
			 a->negcurv_counted, a->rows);
	strbuf_free(&why);
}

static void report_shards(const struct cli *cli, const struct ranking *a)
{
	if (a->incomplete > 0)
		cli_note(cli,
			 "%zu of %zu estimates lack shards and are means over fewer than "
			 "%" PRIu64 " (step %" PRId64 " of group %s: %zu)",
			 a->incomplete, a->estimates, a->shards, a->lacks_step,
			 a->lacks_group, a->lacks_has);
}

/* Thousandths are enough to read. */
static const char *shown(char out[NUM_MAX], double x)
{
	num_print(out, round(x * 1000) / 1000);
	return out;
}

static void report_instability(const struct cli *cli, const struct ranking *a)
{
	char tau[NUM_MAX], without[NUM_MAX];

	cli_note(cli,
		 "PPI instability: the two halves of %zu steps rank the groups "
		 "differently (Kendall's tau-b %s): probe for longer, or with a "
		 "smaller learning rate",
		 a->steps, shown(tau, a->tau));
	if (a->tau_without >= RANK_SETTLED_TAU)
		cli_note(cli,
			 "PPI instability: group %s carries it; without it the halves "
			 "agree (tau-b %s)",
			 a->carrier, shown(without, a->tau_without));
}

/* Of the groups that matter the least stable ones, least stable first; those of equal
 * stability in their order. */
static size_t find_unstable(const struct ranking *a,
			    const struct ranked *out[UNSTABLE_SHOWN])
{
	size_t matter = (size_t)ceil(MATTERS_SHARE * (double)a->n), n = 0;

	if (matter < MATTERS_LEAST)
		matter = MATTERS_LEAST;
	for (size_t i = 0; i < a->n && i < matter; i++) {
		const struct ranked *g = &a->g[i];
		size_t at = n;

		if (g->stability == 1)
			continue;
		for (; at > 0 && out[at - 1]->stability > g->stability; at--)
			if (at < UNSTABLE_SHOWN)
				out[at] = out[at - 1];
		if (at < UNSTABLE_SHOWN)
			out[at] = g;
		n += n < UNSTABLE_SHOWN;
	}
	return n;
}

static void report_unstable(const struct cli *cli, const struct ranking *a)
{
	const struct ranked *unstable[UNSTABLE_SHOWN];
	size_t n = find_unstable(a, unstable);

	for (size_t i = 0; i < n; i++)
		cli_note(
		    cli,
		    "unstable: group %s, number %td of %zu: %.10g. in the first half of "
		    "the steps, %.10g. in the second",
		    unstable[i]->group, unstable[i] - a->g + 1, a->n, unstable[i]->first,
		    unstable[i]->second);
}

void report(const struct cli *cli, const struct ranking *a)
{
	report_statuses(cli, a);
	if (a->repeated > 0)
		cli_note(cli, "%zu of %zu rows came more than once and count once",
			 a->repeated, a->rows);
	report_shards(cli, a);
	if (a->runs > 0)
		cli_detail(cli, "sorted %zu rows on disk, in %zu runs", a->rows, a->runs);
	if (!a->settled)
		report_instability(cli, a);
	if (!a->settled || cli->verbose)
		report_unstable(cli, a);
}
