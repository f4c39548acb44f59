/* Writes the token numbers of each line of stdin, separated by blanks.
 * usage: dump_tokens DIR [MAX_LEN [pair|time]]
 * pair: a line is two texts with a tab between, and a token is NUMBER/TYPE
 * time: writes only the seconds that encoding took, reading left out */
#include <stdbool.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <time.h>

#include "text/tokenizer.h"

struct dump {
	struct tokenizer *t;
	size_t max_len;
	bool pair, quiet;
	struct encoding out;
	double seconds;
};

static double now(void)
{
	struct timespec t;

	clock_gettime(CLOCK_MONOTONIC, &t);
	return (double)t.tv_sec + (double)t.tv_nsec * 1e-9;
}

static int encode_line(struct dump *d, const char *line, size_t n, struct err *e)
{
	const char *tab = d->pair ? memchr(line, '\t', n) : NULL;
	size_t first = tab == NULL ? n : (size_t)(tab - line), i;
	double began = now();
	int status =
	    tokenizer_encode(d->t, line, first, tab == NULL ? NULL : tab + 1,
			     tab == NULL ? 0 : n - first - 1, d->max_len, &d->out, e);

	d->seconds += now() - began;
	if (status != EX_OK || d->quiet)
		return status;
	for (i = 0; i < d->out.n; i++) {
		printf("%s%u", i == 0 ? "" : " ", d->out.ids[i]);
		if (d->pair)
			printf("/%u", (unsigned)d->out.types[i]);
	}
	putchar('\n');
	return EX_OK;
}

int main(int argc, char **argv)
{
	struct dump d = { .max_len = 1000000 };
	struct err e = { 0 };
	char *line = NULL;
	size_t cap = 0;
	ssize_t n;
	int status;

	if (argc < 2) {
		fputs("usage: dump_tokens DIR [MAX_LEN [pair|time]]\n", stderr);
		return EX_USAGE;
	}
	if (argc > 2)
		d.max_len = strtoul(argv[2], NULL, 10);
	d.pair = argc > 3 && strcmp(argv[3], "pair") == 0;
	d.quiet = argc > 3 && strcmp(argv[3], "time") == 0;
	status = tokenizer_open(&d.t, argv[1], &e);
	while (status == EX_OK && (n = getline(&line, &cap, stdin)) > 0)
		status = encode_line(&d, line, (size_t)n - (line[n - 1] == '\n'), &e);
	if (status != EX_OK)
		fprintf(stderr, "dump_tokens: %s\n", e.text);
	else if (d.quiet)
		printf("%.6f\n", d.seconds);
	free(line);
	encoding_free(&d.out);
	tokenizer_close(d.t);
	return status != EX_OK ? status : fflush(stdout) == 0 ? EX_OK : EX_IOERR;
}
