/*
 * settings - what the command line of adapeft-rank says.
 */
#ifndef RANK_SETTINGS_H
#define RANK_SETTINGS_H

#include <stdint.h>

#include "cli.h"
#include "influence/rank.h"

struct settings {
	struct cli cli;
	const char *out, *by_name, *dir;
	const char *regroup;       /* groups file to write, or NULL */
	double penalty, threshold; /* of --regroup, of --additivity */
	bool additivity;
	uint64_t top;    /* rows of --additivity; 0: all */
	uint64_t buffer; /* bytes */
	char **files;    /* [n_files], or none: stdin */
	int n_files;
	/* made of the above */
	enum rank_by by;
};

/* Parses; ends the process for --help, --version and wrong usage. */
void settings_read(struct settings *s, int argc, char **argv);

#endif
