/*
 * opt - an options table that gives parsing and help at once.
 *
 * Long options as --name VALUE or --name=VALUE, a letter as -x VALUE or -xVALUE,
 * flags of one letter may be bundled; "--" ends the options; "-" is an operand.
 * Unambiguous beginnings of long names are not accepted: scripts outlive them.
 */
#ifndef BASE_OPT_H
#define BASE_OPT_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>
#include <stdio.h>

#include "base/err.h"

enum opt_type {
	OPT_END,   /* closes a table */
	OPT_GROUP, /* a heading in the help; only `help` is used */
	OPT_FLAG,  /* bool *: set to true */
	OPT_TEXT,  /* const char **: points into argv */
	OPT_LIST,  /* struct strlist *: repeated options add up, commas split */
	OPT_INT,   /* int64_t *, min <= value <= max */
	OPT_COUNT, /* uint64_t *, with suffixes k M G; min <= value <= max */
	OPT_REAL   /* double *, finite, min <= value <= max */
};

struct opt {
	enum opt_type type;
	char letter;      /* 0 when there is none */
	const char *name; /* without the dashes; NULL when there is none */
	const char *arg;  /* what the help calls the value: "DIR" */
	void *to;
	const char *choices; /* OPT_TEXT: "fit|grad"; NULL takes anything */
	double min, max;     /* no bounds when both are 0 */
	const char *help;
};

/* A program as its help shows it. */
struct program {
	const char *name;       /* "adapeft-probe" */
	const char *summary;    /* one line */
	const char *operands;   /* "[FILE ...]" or "" */
	const struct opt *opts; /* closed by OPT_END */
};

/* Reads argv against the table; operands are moved behind the options and
 * *first is the index of the first. EX_USAGE names the option at fault and, for
 * an unknown one, near misses. */
int opt_parse(const struct program *p, int argc, char **argv, int *first, struct err *e);

void opt_help(const struct program *p, FILE *out);

#endif
