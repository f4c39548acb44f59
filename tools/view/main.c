/* adapeft-view - copies a stream, byte for byte, in either format; or seals it; or makes a
 * model of an adapter and its base. */
#include <stdio.h>
#include <string.h>

#include "apply.h"
#include "cli.h"
#include "io/file.h"
#include "io/stream.h"

struct view {
	const char *in, *out, *base;
	bool seal, header;
};

static int put_header(FILE *out, const char *line, size_t len, struct err *e)
{
	if (len < 2 || line[0] != '#' || line[1] != '#' || fwrite(line, 1, len, out) == len)
		return EX_OK;
	return err_errno(e, EX_IOERR, "stdout");
}

/* Only the lines that start with ##. */
static int copy_header(struct stream_reader *r, FILE *out, struct err *e)
{
	size_t len, n;
	const char *line = stream_head_lines(r, &len);
	bool got = true;
	int rc = EX_OK;

	for (; len > 0 && rc == EX_OK; line += n, len -= n) {
		n = (size_t)((const char *)memchr(line, '\n', len) - line) + 1;
		rc = put_header(out, line, n, e);
	}
	while (rc == EX_OK) {
		rc = stream_next_line(r, &line, &len, &got, e);
		if (rc != EX_OK || !got)
			break;
		rc = put_header(out, line, len, e);
	}
	line = stream_end_line(r);
	return rc == EX_OK ? put_header(out, line, strlen(line), e) : rc;
}

static int copy_lines(const struct cli *cli, const struct view *v, struct stream_reader *r,
		      FILE *out, struct err *e)
{
	struct meta_list pg = { 0 };
	struct stream_writer *w = NULL;
	const char *line;
	size_t len;
	bool got = true;
	int rc = EX_OK;

	/* Data that a hand has changed says so; a mere conversion keeps every byte. */
	if (v->seal)
		rc = meta_add(&pg, "pg", cli->pg.s, e);
	if (rc == EX_OK)
		rc = stream_create_like(&w, out, cli_format(cli), r, &pg, e);
	meta_free(&pg);
	while (rc == EX_OK) {
		rc = stream_next_line(r, &line, &len, &got, e);
		if (rc != EX_OK || !got)
			break;
		rc = stream_put_line(w, line, len, e);
	}
	if (rc != EX_OK)
		stream_abort(w);
	else if (v->seal)
		rc = stream_finish(w, e);
	else
		rc = stream_finish_as(w, stream_end_line(r), e);
	return rc;
}

static int view(const struct cli *cli, const struct view *v, struct err *e)
{
	struct stream_reader *r = NULL;
	struct output out = { 0 };
	int rc = stream_open(&r, v->in, NULL, cli->strict, e);

	if (rc == EX_OK)
		rc = output_open(&out, v->out, e);
	if (rc == EX_OK && v->header)
		rc = copy_header(r, out.file, e);
	else if (rc == EX_OK)
		rc = copy_lines(cli, v, r, out.file, e);
	if (rc == EX_OK && stream_note(r) != NULL && !v->seal)
		cli_note(cli, "%s", stream_note(r));
	if (rc == EX_OK)
		rc = output_commit(&out, e);
	output_drop(&out);
	stream_close(r);
	return rc;
}

int main(int argc, char **argv)
{
	struct cli cli = CLI_INIT("adapeft-view");
	struct view v = { 0 };
	struct err e = { 0 };
	const struct opt opts[] = {
		{ OPT_TEXT, 0, "apply", "BASE", &v.base, NULL, 0, 0,
		  "write the model that this base and an adapter's directory are, to -o" },
		{ OPT_TEXT, 'o', "output", "FILE", &v.out, NULL, 0, 0,
		  "write there, whole or not at all (stdout)" },
		{ OPT_FLAG, 0, "seal", NULL, &v.seal, NULL, 0, 0,
		  "write a new ##end line for a stream that was edited, and a ##pg line" },
		{ OPT_FLAG, 0, "header", NULL, &v.header, NULL, 0, 0,
		  "show only the lines that start with ##" },
		CLI_STREAM(cli),
		CLI_COMMON(cli),
		{ .type = OPT_END },
	};
	const struct program program = {
		"adapeft-view",
		"Show a stream, convert it between text and binary, or seal it.",
		"[FILE | DIR]", opts
	};
	int rc;

	cli_start(&cli, &program, argc, argv);
	if (argc - cli.first > 1)
		rc = err_set(&e, EX_USAGE, "one FILE at most, or none to read stdin");
	else if (v.seal && v.header)
		rc = err_set(&e, EX_USAGE, "--seal and --header exclude each other");
	else if (v.seal && cli.strict)
		rc = err_set(&e, EX_USAGE, "--seal and --strict exclude each other");
	else if (v.base != NULL && (v.seal || v.header || cli.first == argc || !v.out))
		rc = err_set(&e, EX_USAGE,
			     "--apply BASE takes the directory of an adapter, and -o DIR");
	else if (v.base != NULL)
		rc = apply(&cli, v.base, argv[cli.first], v.out, &e);
	else {
		v.in = cli.first < argc ? argv[cli.first] : NULL;
		rc = view(&cli, &v, &e);
	}
	return cli_end(&cli, rc, &e);
}
