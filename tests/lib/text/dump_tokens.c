/* Writes the token numbers of each line of stdin, separated by blanks.
 * usage: dump_tokens DIR [MAX_LEN [pair]]    (pair: a line is two texts and a tab between) */
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "text/tokenizer.h"

static int encode_line(const struct tokenizer *t, char *line, size_t n, size_t max_len,
		       int pair, struct encoding *out, struct err *e)
{
	char *tab = pair ? memchr(line, '\t', n) : NULL;
	size_t first = tab == NULL ? n : (size_t)(tab - line), i;
	int status = tokenizer_encode(t, line, first, tab == NULL ? NULL : tab + 1,
				      tab == NULL ? 0 : n - first - 1, max_len, out, e);

	if (status != EX_OK)
		return status;
	for (i = 0; i < out->n; i++)
		printf(pair ? "%s%u/%u" : "%s%u", i == 0 ? "" : " ", out->ids[i],
		       (unsigned)out->types[i]);
	putchar('\n');
	return EX_OK;
}

int main(int argc, char **argv)
{
	size_t max_len = argc > 2 ? strtoul(argv[2], NULL, 10) : 1000000, cap = 0;
	struct encoding out = {0};
	struct tokenizer *t;
	struct err e = {0};
	char *line = NULL;
	ssize_t n;
	int status;

	if (argc < 2) {
		fputs("usage: dump_tokens DIR [MAX_LEN [pair]]\n", stderr);
		return EX_USAGE;
	}
	status = tokenizer_open(&t, argv[1], &e);
	while (status == EX_OK && (n = getline(&line, &cap, stdin)) > 0) {
		if (line[n - 1] == '\n')
			n--;
		status = encode_line(t, line, (size_t)n, max_len, argc > 3, &out, &e);
	}
	if (status != EX_OK)
		fprintf(stderr, "dump_tokens: %s\n", e.text);
	free(line);
	encoding_free(&out);
	tokenizer_close(t);
	return status != EX_OK ? status : fflush(stdout) == 0 ? EX_OK : EX_IOERR;
}
