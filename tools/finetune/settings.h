/*
 * settings - what the command line of adapeft-finetune says.
 */
#ifndef FINETUNE_SETTINGS_H
#define FINETUNE_SETTINGS_H

#include <stdbool.h>
#include <stdint.h>

#include "base/err.h"
#include "cli.h"
#include "pairs.h"
#include "run.h"
#include "source.h"
#include "train/saved.h"
#include "training.h"

struct settings {
	struct cli cli;
	struct source_options source;
	const char *out, *mask;
	struct strlist presets, patterns;
	struct pairs_options pairs;
	struct training_options training;
	double clip;
	const char *dropout;
	const char *save_name;
	enum saved_form save; /* made of save_name */
	bool timing;
};

/* Parses; ends the process for --help, --version and wrong usage. */
void settings_read(struct settings *s, int argc, char **argv);
void settings_free(struct settings *s);

/* Does a preset need LoRA pairs? */
bool settings_need_pairs(const struct settings *s);

/* The recipe for a data set of `n` examples. */
struct recipe settings_recipe(const struct settings *s, size_t n);

/* Is a mask stream to be read (*masks), and from which file (NULL: stdin)? Without --mask
 * stdin is read when it is a pipe, a socket or a file, not empty and not the data.
 * EX_DATAERR when nothing says what to train. */
int settings_mask(const struct settings *s, const char **path, bool *masks, struct err *e);

#endif
