/* Continues the prompts on stdin, for tests/ref/generate.py to compare.
 * usage: dump_generate MODEL_DIR BEAMS MAX_NEW LENGTH_PENALTY NO_REPEAT END EARLY BATCH
 *
 * A prompt is a line of token numbers, and so is its continuation on stdout. The first line
 * there has the new tokens and the seconds that they took, with the model open. */
#include <stdio.h>
#include <stdlib.h>

#include "base/mem.h"
#include "tensor/blas.h"
#include "train/generate.h"

struct prompts {
	uint32_t *ids;
	size_t *start;
	size_t n, cap_ids, cap_start;
};

static int read_prompts(struct prompts *p, struct err *e)
{
	char *line = NULL, *s, *end;
	size_t cap = 0, n = 0;
	int rc = EX_OK;

	while (rc == EX_OK && getline(&line, &cap, stdin) > 0) {
		rc = mem_grow(&p->start, &p->cap_start, p->n + 2, sizeof *p->start, e);
		for (s = line; rc == EX_OK; s = end) {
			unsigned long id = strtoul(s, &end, 10);

			if (end == s)
				break;
			rc = mem_grow(&p->ids, &p->cap_ids, n + 1, sizeof *p->ids, e);
			if (rc == EX_OK)
				p->ids[n++] = (uint32_t)id;
		}
		if (rc == EX_OK)
			p->start[++p->n] = n;
	}
	free(line);
	return rc;
}

static void write_continuations(const struct generated *g, double seconds)
{
	printf("%zu %.6f\n", g->tokens, seconds);
	for (size_t i = 0; i < g->n; i++) {
		for (size_t j = 0; j < g->of[i].n; j++)
			printf(j == 0 ? "%u" : " %u", g->of[i].ids[j]);
		putchar('\n');
	}
}

static int run(const struct model *m, const struct generation_options *o, struct err *e)
{
	struct prompts p = { 0 };
	struct generated g = { 0 };
	double began;
	int rc = read_prompts(&p, e);

	began = progress_clock();
	if (rc == EX_OK)
		rc = generate(&g, m, p.ids, p.start, p.n, o, NULL, e);
	if (rc == EX_OK)
		write_continuations(&g, progress_clock() - began);
	generated_free(&g);
	free(p.ids);
	free(p.start);
	return rc;
}

int main(int argc, char **argv)
{
	const struct head_spec head = { .language = true };
	struct generation_options o;
	struct model m;
	struct err e = { 0 };
	int rc;

	if (argc != 9) {
		fprintf(stderr, "usage: dump_generate MODEL_DIR BEAMS MAX_NEW "
				"LENGTH_PENALTY NO_REPEAT END EARLY BATCH\n");
		return EX_USAGE;
	}
	o = (struct generation_options){
		.beams = strtoul(argv[2], NULL, 10),
		.max_new = strtoul(argv[3], NULL, 10),
		.length_penalty = strtod(argv[4], NULL),
		.no_repeat = strtoul(argv[5], NULL, 10),
		.end = (uint32_t)strtoul(argv[6], NULL, 10),
		.early_stopping = argv[7][0] == '1',
		.batch = strtoul(argv[8], NULL, 10),
	};
	blas_threads(0);
	rc = model_open(&m, argv[1], &head, &e);
	if (rc == EX_OK) {
		rc = run(&m, &o, &e);
		model_close(&m);
	}
	if (rc != EX_OK)
		fprintf(stderr, "dump_generate: %s\n", e.text);
	return rc;
}
