#include "settings.h"

#include <inttypes.h>
#include <stdlib.h>
#include <string.h>

#include "base/num.h"
#include "io/file.h"

static void put_real(struct strbuf *b, const char *option, double x)
{
	char number[NUM_MAX];

	num_print(number, x);
	strbuf_printf(b, "%s %s", option, number);
}

/* What travels as ##pg says what decides the result: not the files, whose own lines do, nor
 * where and how it is made. So the same rows give the same bytes however they are spread
 * over files. */
static void name_command(struct settings *s)
{
	strbuf_clear(&s->cli.pg);
	strbuf_printf(&s->cli.pg, "%s %s", s->cli.name, ADAPEFT_VERSION);
	if (s->by == RANK_VALUE)
		strbuf_puts(&s->cli.pg, " --by value");
	if (s->additivity)
		put_real(&s->cli.pg, " --additivity --threshold", s->threshold);
	if (s->top > 0)
		strbuf_printf(&s->cli.pg, " --top %" PRIu64, s->top);
	if (s->regroup != NULL)
		put_real(&s->cli.pg, " --regroup FILE --penalty", s->penalty);
}

/* Options that would change nothing. */
static int check_idle(const struct settings *s, struct err *e)
{
	if (s->regroup == NULL && s->penalty >= 0)
		return err_set(e, EX_USAGE, "--penalty is of --regroup");
	if (!s->additivity && s->threshold >= 0)
		return err_set(e, EX_USAGE, "--threshold is of --additivity");
	if (!s->additivity && s->top > 0)
		return err_set(e, EX_USAGE, "--top is of --additivity");
	if (s->additivity && s->by_name != NULL)
		return err_set(e, EX_USAGE,
			       "--additivity orders pairs by their excess, not by --by");
	if (s->additivity && (s->buffer > 0 || s->dir != NULL))
		return err_set(e, EX_USAGE,
			       "--additivity sorts nothing on disk, so -S and -T "
			       "are not of it");
	return EX_OK;
}

static int check(const struct settings *s, struct err *e)
{
	if (s->additivity && s->regroup != NULL)
		return err_set(e, EX_USAGE,
			       "--additivity reads interactions, --regroup ppi rows: "
			       "one of them at a time");
	if (s->regroup != NULL && strcmp(s->regroup, "-") == 0)
		return err_set(e, EX_USAGE,
			       "--regroup writes to a file; stdout is for rows");
	if (s->regroup != NULL && s->out != NULL &&
	    (strcmp(s->regroup, s->out) == 0 || file_same(s->regroup, s->out)))
		return err_set(e, EX_USAGE, "two outputs to one file");
	return check_idle(s, e);
}

static void settle(struct settings *s)
{
	const char *tmpdir = getenv("TMPDIR");

	if (s->dir == NULL)
		s->dir = tmpdir != NULL && *tmpdir != '\0' ? tmpdir : "/tmp";
	if (s->buffer == 0)
		s->buffer = 64000000;
	if (s->penalty < 0)
		s->penalty = 1;
	if (s->threshold < 0)
		s->threshold = 0.05;
	s->by =
	    s->by_name != NULL && strcmp(s->by_name, "value") == 0 ? RANK_VALUE : RANK_APPI;
}

void settings_read(struct settings *s, int argc, char **argv)
{
	const struct opt opts[] = {
		{ OPT_TEXT, 'o', "output", "FILE", &s->out, NULL, 0, 0,
		  "write there, whole or not at all (stdout)" },
		{ OPT_TEXT, 0, "by", "appi|value", &s->by_name, "appi|value", 0, 0,
		  "order by influence per parameter, or by the whole group's gain (appi)" },
		{ OPT_COUNT, 'S', "buffer-size", "SIZE", &s->buffer, NULL, 1e3, 1e15,
		  "bytes of rows in memory; more are sorted on disk (64M)" },
		{ OPT_TEXT, 'T', "temporary-directory", "DIR", &s->dir, NULL, 0, 0,
		  "where, instead of $TMPDIR or /tmp" },
		{ .type = OPT_GROUP, .help = "Coarser groups" },
		{ OPT_TEXT, 0, "regroup", "FILE", &s->regroup, NULL, 0, 0,
		  "merge groups of like influence; write a groups file, rank the new "
		  "groups" },
		{ OPT_REAL, 0, "penalty", "X", &s->penalty, NULL, 1e-6, 1e6,
		  "what a group costs, times BIC's; more makes fewer (1)" },
		{ .type = OPT_GROUP, .help = "Interactions" },
		{ OPT_FLAG, 0, "additivity", NULL, &s->additivity, NULL, 0, 0,
		  "read interactions; tell how far gains add up, and which pairs do not" },
		{ OPT_REAL, 0, "threshold", "X", &s->threshold, NULL, 0, 1e6,
		  "excess, over the sum, beyond which a pair is not additive (0.05)" },
		{ OPT_COUNT, 0, "top", "N", &s->top, NULL, 1, 1e15,
		  "only the N pairs of the largest excess" },
		{ .type = OPT_GROUP, .help = "Common" },
		CLI_STREAM(s->cli),
		CLI_COMMON(s->cli),
		{ .type = OPT_END },
	};
	const struct program program = {
		"adapeft-rank",
		"Add up the influence of groups over a probing run, best first.",
		"[FILE ...]", opts
	};
	struct err e = { 0 };

	*s = (struct settings){
		.cli = CLI_INIT("adapeft-rank"),
		.penalty = -1,
		.threshold = -1,
	};
	cli_start(&s->cli, &program, argc, argv);
	s->files = argv + s->cli.first;
	s->n_files = argc - s->cli.first;
	if (check(s, &e) != EX_OK)
		exit(cli_end(&s->cli, e.code, &e));
	settle(s);
	name_command(s);
}
