/*
 * cli - what every program does alike: common options, messages, lineage, exit.
 *
 * A program is one screen: a table of options that begins with CLI_OPTIONS, then
 * open, loop, report. Its main is
 *
 *     struct cli cli = CLI_INIT("adapeft-rank");
 *     ...
 *     cli_start(&cli, &program, argc, argv);    handles --help, --version, wrong usage
 *     rc = work(&cli, ..., &err);
 *     return cli_end(&cli, rc, &err);           prints the message, gives the exit code
 */
#ifndef TOOLS_CLI_H
#define TOOLS_CLI_H

#include <stdbool.h>
#include <stdint.h>

#include "base/err.h"
#include "base/opt.h"
#include "base/progress.h"
#include "io/stream.h"

struct cli {
	const char *name;
	uint64_t threads; /* 0: as many as the machine has */
	uint64_t seed;
	bool quiet, verbose, progress, help, version, strict;
	const char *format; /* "text" or "binary" */
	int first;          /* index of the first operand in argv */
	struct strbuf pg;   /* "adapeft-rank 0.1.0 -q probe.ppi": this command */
};

#define CLI_INIT(program)                           \
	{                                           \
		.name = (program), .format = "text" \
	}

/* clang-format off */
/* Rows of an options table, closed by the program's own OPT_END. CLI_STREAM for programs
 * that write a stream; CLI_WORK for those that compute. */
#define CLI_COMMON(c)                                                                   \
	{ OPT_FLAG, 'q', "quiet", NULL, &(c).quiet, NULL, 0, 0,                         \
	  "say nothing but errors" },                                                   \
	{ OPT_FLAG, 'v', "verbose", NULL, &(c).verbose, NULL, 0, 0, "say more" },       \
	{ OPT_FLAG, 'h', "help", NULL, &(c).help, NULL, 0, 0, "show this help" },       \
	{ OPT_FLAG, 0, "version", NULL, &(c).version, NULL, 0, 0, "show the version" }
#define CLI_STREAM(c)                                                                   \
	{ OPT_TEXT, 0, "format", "text|binary", &(c).format, "text|binary", 0, 0,       \
	  "form of the records written (text)" },                                       \
	{ OPT_FLAG, 0, "strict", NULL, &(c).strict, NULL, 0, 0,                         \
	  "refuse a stream that was edited or filtered" }
#define CLI_WORK(c)                                                                     \
	{ OPT_COUNT, 'j', "threads", "N", &(c).threads, NULL, 1, 1024,                  \
	  "threads (all cores)" },                                                      \
	{ OPT_COUNT, 's', "seed", "N", &(c).seed, NULL, 0, 9e18,                        \
	  "seed of all that is random (0)" },                                           \
	{ OPT_FLAG, 0, "progress", NULL, &(c).progress, NULL, 0, 0,                     \
	  "a line on progress every so often" }
/* clang-format on */

/* Parses; prints help or version on stdout and exits 0; prints wrong usage on stderr and
 * exits 64. Fills cli->pg with the command as typed (words quoted where a shell needs
 * it). Sets SIGPIPE to end the process quietly. */
void cli_start(struct cli *cli, const struct program *p, int argc, char **argv);

/* A message on stderr, "NAME: text"; cli_note is silent with -q, cli_detail without -v. */
void cli_warn(const struct cli *cli, const char *fmt, ...)
    __attribute__((format(printf, 2, 3)));
void cli_note(const struct cli *cli, const char *fmt, ...)
    __attribute__((format(printf, 2, 3)));
void cli_detail(const struct cli *cli, const char *fmt, ...)
    __attribute__((format(printf, 2, 3)));

/* PROGRESS_BAR on a terminal, PROGRESS_PLAIN with --progress, else none; none with -q. */
enum progress_style cli_progress(const struct cli *cli);

enum stream_format cli_format(const struct cli *cli);

/* Adds the ##pg line of this command behind those of `from` (or NULL), and before them
 * the other metadata of `from` whose key is in `keep` (a NULL-terminated list). */
int cli_lineage(const struct cli *cli, const struct meta_list *from,
		const char *const *keep, struct meta_list *to, struct err *e);

/* Prints e when rc is not EX_OK, frees what cli holds, returns the exit code. */
int cli_end(struct cli *cli, int rc, const struct err *e);

#endif
