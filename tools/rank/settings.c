#include "settings.h"

#include <stdlib.h>
#include <string.h>

/* What travels as ##pg says what decides the result: not the files, whose own lines do, nor
 * where and how it is made. So the same rows give the same bytes however they are spread
 * over files. */
static void name_command(struct settings *s)
{
	strbuf_clear(&s->cli.pg);
	strbuf_printf(&s->cli.pg, "%s %s", s->cli.name, ADAPEFT_VERSION);
	if (s->by == RANK_VALUE)
		strbuf_puts(&s->cli.pg, " --by value");
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
		CLI_STREAM(s->cli),
		CLI_COMMON(s->cli),
		{ .type = OPT_END },
	};
	const struct program program = {
		"adapeft-rank",
		"Add up the influence of groups over a probing run, best first.",
		"[FILE ...]", opts
	};
	const char *tmpdir = getenv("TMPDIR");

	*s = (struct settings){
		.cli = CLI_INIT("adapeft-rank"),
		.by_name = "appi",
		.buffer = 64000000,
		.dir = tmpdir != NULL && *tmpdir != '\0' ? tmpdir : "/tmp",
	};
	cli_start(&s->cli, &program, argc, argv);
	s->files = argv + s->cli.first;
	s->n_files = argc - s->cli.first;
	s->by = strcmp(s->by_name, "value") == 0 ? RANK_VALUE : RANK_APPI;
	name_command(s);
}
