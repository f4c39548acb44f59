#include "cli.h"

#include <fcntl.h>
#include <limits.h>
#include <stdarg.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#include "io/file.h"

/* ---- messages ---- */

static void say(const struct cli *cli, const char *fmt, va_list ap)
{
	char text[1200];

	vsnprintf(text, sizeof text, fmt, ap);
	/* A name from outside cannot break the line or drive the terminal. */
	for (char *c = text; *c != '\0'; c++)
		if ((unsigned char)*c < 0x20 || *c == 0x7f)
			*c = '?';
	fprintf(stderr, "%s: %s\n", cli->name, text);
}

void cli_warn(const struct cli *cli, const char *fmt, ...)
{
	va_list ap;

	va_start(ap, fmt);
	say(cli, fmt, ap);
	va_end(ap);
}

void cli_note(const struct cli *cli, const char *fmt, ...)
{
	va_list ap;

	if (cli->quiet)
		return;
	va_start(ap, fmt);
	say(cli, fmt, ap);
	va_end(ap);
}

void cli_detail(const struct cli *cli, const char *fmt, ...)
{
	va_list ap;

	if (!cli->verbose || cli->quiet)
		return;
	va_start(ap, fmt);
	say(cli, fmt, ap);
	va_end(ap);
}

/* ---- start ---- */

static bool needs_quotes(const char *word)
{
	static const char plain[] = "abcdefghijklmnopqrstuvwxyzABCDEFGHIJKLMNOPQRSTUVWXYZ"
				    "0123456789-_./:=,+%@";

	return *word == '\0' || word[strspn(word, plain)] != '\0';
}

static void add_word(struct strbuf *b, const char *word)
{
	strbuf_puts(b, " ");
	if (!needs_quotes(word)) {
		strbuf_puts(b, word);
		return;
	}
	strbuf_puts(b, "'");
	for (; *word != '\0'; word++) {
		if (*word == '\'')
			strbuf_puts(b, "'\\''");
		else
			strbuf_add(b, word, 1);
	}
	strbuf_puts(b, "'");
}

/* With a standard descriptor closed, the next file opened would take its place and be
 * read or written by mistake. These are opened the wrong way round, so that using them
 * still fails. */
static void fill_standard_descriptors(void)
{
	for (int fd = 0; fd <= 2; fd++)
		if (fcntl(fd, F_GETFD) < 0 &&
		    open("/dev/null", fd == 0 ? O_WRONLY : O_RDONLY) != fd)
			_exit(EX_SOFTWARE);
}

/* OpenMP's threads wait for each other by spinning, unless told otherwise before the
 * process begins. On a machine that does other work besides, a spinning thread takes the
 * processor from the one that it waits for, and a run takes several times as long: so a
 * program that computes begins again, with waiting threads asleep. Whoever has set one of
 * these variables knows better. */
static void begin_patiently(const struct program *p, char **argv)
{
	char self[PATH_MAX];
	ssize_t n;
	bool computes = false;

	for (const struct opt *o = p->opts; o->type != OPT_END; o++)
		computes = computes || (o->name != NULL && strcmp(o->name, "threads") == 0);
	if (!computes || getenv("OMP_WAIT_POLICY") != NULL ||
	    getenv("GOMP_SPINCOUNT") != NULL)
		return;
	n = readlink("/proc/self/exe", self, sizeof self - 1);
	if (n <= 0 || setenv("OMP_WAIT_POLICY", "passive", 1) != 0)
		return;
	self[n] = '\0';
	execv(self, argv); /* on failure things go on, only slower */
}

static int flush_stdout(struct err *e)
{
	if (fflush(stdout) != 0 || ferror(stdout))
		return err_errno(e, EX_IOERR, "stdout");
	return EX_OK;
}

void cli_start(struct cli *cli, const struct program *p, int argc, char **argv)
{
	struct err e = { 0 };
	int rc;

	begin_patiently(p, argv);
	fill_standard_descriptors();
	file_clean_on_signals();
	strbuf_printf(&cli->pg, "%s %s", cli->name, ADAPEFT_VERSION);
	for (int i = 1; i < argc; i++)
		add_word(&cli->pg, argv[i]);
	rc = cli->pg.failed ? err_nomem(&e) : opt_parse(p, argc, argv, &cli->first, &e);
	if (rc == EX_OK && !cli->help && !cli->version)
		return;
	if (rc == EX_OK && cli->help)
		opt_help(p, stdout);
	else if (rc == EX_OK)
		printf("%s %s\n", cli->name, ADAPEFT_VERSION);
	if (rc == EX_OK)
		rc = flush_stdout(&e);
	exit(cli_end(cli, rc, &e));
}

/* ---- lineage ---- */

static bool listed(const char *const *names, const char *name)
{
	for (; names != NULL && *names != NULL; names++)
		if (strcmp(*names, name) == 0)
			return true;
	return false;
}

int cli_lineage(const struct cli *cli, const struct meta_list *from,
		const char *const *keep, struct meta_list *to, struct err *e)
{
	int rc = EX_OK;

	for (size_t i = 0; from != NULL && i < from->n && rc == EX_OK; i++)
		if (strcmp(from->m[i].key, "pg") != 0 && listed(keep, from->m[i].key))
			rc = meta_add(to, from->m[i].key, from->m[i].value, e);
	for (size_t i = 0; from != NULL && i < from->n && rc == EX_OK; i++)
		if (strcmp(from->m[i].key, "pg") == 0)
			rc = meta_add(to, "pg", from->m[i].value, e);
	if (rc == EX_OK)
		rc = meta_add(to, "pg", cli->pg.s, e);
	return rc;
}

/* ---- the rest ---- */

enum progress_style cli_progress(const struct cli *cli)
{
	if (cli->quiet)
		return PROGRESS_NONE;
	if (isatty(STDERR_FILENO))
		return PROGRESS_BAR;
	return cli->progress ? PROGRESS_PLAIN : PROGRESS_NONE;
}

enum stream_format cli_format(const struct cli *cli)
{
	return strcmp(cli->format, "binary") == 0 ? STREAM_BINARY : STREAM_TEXT;
}

int cli_end(struct cli *cli, int rc, const struct err *e)
{
	struct err unwritten = { 0 };

	if (rc == EX_OK) {
		rc = flush_stdout(&unwritten);
		e = &unwritten;
	}
	if (rc != EX_OK)
		cli_warn(cli, "%s", e->text);
	strbuf_free(&cli->pg);
	return rc;
}
