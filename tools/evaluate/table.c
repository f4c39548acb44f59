#include "table.h"

#include <stdlib.h>

#include "base/num.h"

static void put_float(FILE *out, float x)
{
	char s[32];

	for (int digits = 1; digits <= 9; digits++) {
		snprintf(s, sizeof s, "%.*g", digits, (double)x);
		if (strtof(s, NULL) == x)
			break;
	}
	fputs(s, out);
}

/* A name; tabs and line ends, which a quoted field or an escape may hold, as a stream has
 * them. */
static void put_text(FILE *out, const char *s)
{
	for (; *s != '\0'; s++) {
		switch (*s) {
		case '\t': fputs("\\t", out); break;
		case '\n': fputs("\\n", out); break;
		case '\r': fputs("\\r", out); break;
		case '\\': fputs("\\\\", out); break;
		default: putc(*s, out); break;
		}
	}
}

static void put_header(FILE *out, bool run, size_t logits)
{
	fputs(run ? "run\trow\tlabel\tguess" : "row\tlabel\tguess", out);
	for (size_t c = 0; c < logits; c++)
		fprintf(out, "\tlogit_%zu", c);
	putc('\n', out);
}

static void put_run(FILE *out, const char *run)
{
	if (run == NULL)
		return;
	put_text(out, run);
	putc('\t', out);
}

static void write_language(FILE *out, const char *run, bool first,
			   const struct predictions *p)
{
	char loss[NUM_MAX];

	if (first)
		fprintf(out, "%srow\ttokens\tloss\n", run == NULL ? "" : "run\t");
	for (size_t i = 0; i < p->n; i++) {
		put_run(out, run);
		num_print(loss, p->losses[i]);
		fprintf(out, "%zu\t%zu\t%s\n", i + 1, p->tokens[i], loss);
	}
}

void table_write(FILE *out, const char *run, bool first, const struct predictions *p,
		 const struct dataset *d, const struct task *t)
{
	if (t->kind == TASK_LANGUAGE) {
		write_language(out, run, first, p);
		return;
	}
	if (first)
		put_header(out, run != NULL, p->classes);
	for (size_t i = 0; i < p->n; i++) {
		const float *logits = p->logits + i * p->classes;

		put_run(out, run);
		fprintf(out, "%zu\t", i + 1);
		if (p->guess[i] < 0) {
			put_float(out, d->target[i]);
			putc('\t', out);
			put_float(out, logits[0]);
		} else {
			put_text(out, t->classes.s[d->label[i]]);
			putc('\t', out);
			put_text(out, t->classes.s[p->guess[i]]);
		}
		for (size_t c = 0; c < p->classes; c++) {
			putc('\t', out);
			put_float(out, logits[c]);
		}
		putc('\n', out);
	}
}
