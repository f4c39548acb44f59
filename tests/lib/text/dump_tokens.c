/* Writes the token numbers of each line of stdin, separated by blanks.
 * usage: dump_tokens DIR [MAX_LEN [pair|time|plain|whole|decode|skip]]
 * pair: a line is two texts with a tab between, and a token is NUMBER/TYPE
 * time: writes only the seconds that encoding took, reading left out
 * plain: without special tokens around the text; whole: so, and all of stdin is one text
 * decode: the text of these tokens instead of their numbers, each byte as two hexadecimal
 * digits; skip: so, of the tokens of an encoded text, without the special ones */
#include <stdbool.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <time.h>

#include "text/tokenizer.h"

enum mode { SINGLE, PAIR, TIME, PLAIN, WHOLE, DECODE, SKIP };

struct dump {
	struct tokenizer *t;
	size_t max_len;
	enum mode mode;
	struct encoding out;
	double seconds;
};

static double now(void)
{
	struct timespec t;

	clock_gettime(CLOCK_MONOTONIC, &t);
	return (double)t.tv_sec + (double)t.tv_nsec * 1e-9;
}

static int encode(struct dump *d, const char *line, size_t n, struct err *e)
{
	const char *tab = d->mode == PAIR ? memchr(line, '\t', n) : NULL;
	size_t first = tab == NULL ? n : (size_t)(tab - line);

	if (d->mode == PLAIN || d->mode == WHOLE || d->mode == DECODE)
		return tokenizer_encode_plain(d->t, line, n, &d->out, e);
	return tokenizer_encode(d->t, line, first, tab == NULL ? NULL : tab + 1,
				tab == NULL ? 0 : n - first - 1, d->max_len, &d->out, e);
}

static int print_text(const struct dump *d, struct err *e)
{
	struct strbuf text = { 0 };
	size_t i;
	int status =
	    tokenizer_decode(d->t, d->out.ids, d->out.n, d->mode == SKIP, &text, e);

	for (i = 0; i < text.len && status == EX_OK; i++)
		printf("%02x", (unsigned)(unsigned char)text.s[i]);
	strbuf_free(&text);
	return status;
}

static int encode_line(struct dump *d, const char *line, size_t n, struct err *e)
{
	double began = now();
	size_t i;
	int status = encode(d, line, n, e);

	d->seconds += now() - began;
	if (status != EX_OK || d->mode == TIME)
		return status;
	if (d->mode == DECODE || d->mode == SKIP)
		status = print_text(d, e);
	else
		for (i = 0; i < d->out.n; i++) {
			printf("%s%u", i == 0 ? "" : " ", d->out.ids[i]);
			if (d->mode == PAIR)
				printf("/%u", (unsigned)d->out.types[i]);
		}
	putchar('\n');
	return status;
}

static int encode_stdin(struct dump *d, struct err *e)
{
	char *line = NULL;
	size_t cap = 0;
	ssize_t n;
	int status = EX_OK;
	bool whole = d->mode == WHOLE;

	while (status == EX_OK &&
	       (n = getdelim(&line, &cap, whole ? EOF : '\n', stdin)) > 0)
		status =
		    encode_line(d, line, (size_t)n - (!whole && line[n - 1] == '\n'), e);
	free(line);
	return status;
}

int main(int argc, char **argv)
{
	static const char *const modes[] = { "",      "pair",   "time", "plain",
					     "whole", "decode", "skip" };
	struct dump d = { .max_len = 1000000 };
	struct err e = { 0 };
	size_t i;
	int status;

	if (argc < 2) {
		fputs("usage: dump_tokens DIR [MAX_LEN [MODE]]\n", stderr);
		return EX_USAGE;
	}
	if (argc > 2)
		d.max_len = strtoul(argv[2], NULL, 10);
	for (i = 0; i < sizeof modes / sizeof modes[0] && argc > 3; i++)
		if (strcmp(argv[3], modes[i]) == 0)
			d.mode = (enum mode)i;
	status = tokenizer_open(&d.t, argv[1], &e);
	if (status == EX_OK)
		status = encode_stdin(&d, &e);
	if (status != EX_OK)
		fprintf(stderr, "dump_tokens: %s\n", e.text);
	else if (d.mode == TIME)
		printf("%.6f\n", d.seconds);
	encoding_free(&d.out);
	tokenizer_close(d.t);
	return status != EX_OK ? status : fflush(stdout) == 0 ? EX_OK : EX_IOERR;
}
