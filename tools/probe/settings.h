/*
 * settings - what the command line of adapeft-probe says.
 */
#ifndef PROBE_SETTINGS_H
#define PROBE_SETTINGS_H

#include <stdint.h>

#include "base/err.h"
#include "cli.h"
#include "influence/prober.h"
#include "influence/shards.h"
#include "pairs.h"
#include "peft/group.h"
#include "source.h"
#include "training.h"

struct settings {
	struct cli cli;
	struct source_options source;
	const char *out, *group_by, *groups, *method_name, *direction_name, *trust_name,
	    *slopes_name;
	const char *interactions; /* file of them, or NULL */
	const char *shard;        /* "2/8", "1-4/8", or NULL */
	bool unbiased;
	uint64_t draws;      /* 0: as many as are needed */
	double until_stable; /* Kendall's tau-b; negative: not said */
	struct pairs_options pairs;
	struct training_options training;
	uint64_t every;
	double fraction;
	/* made of the above */
	struct lora_spec lora; /* ranks 0: no pairs are added */
	enum grouping grouping;
	enum method method;
	enum direction direction;
	bool halves;
	struct trust_region trust;
	struct shard_set asked;                   /* --shard; empty when not said */
	uint64_t shards, first_shard, last_shard; /* from 1 */
};

/* The steps of a probing run. */
struct schedule_plan {
	uint64_t total; /* steps of the whole training that this is the beginning of */
	uint64_t steps; /* of these the first so many are made */
	uint64_t every; /* step 0 and every so many later ones are probed */
	uint64_t warmup;
	uint64_t probes;
	double travel; /* the sum of the whole training's factors of the learning rate */
};

/* Parses; ends the process for --help, --version and wrong usage. */
void settings_read(struct settings *s, int argc, char **argv);
void settings_free(struct settings *s);

/* For a data set of `n` examples. */
struct schedule_plan settings_plan(const struct settings *s, uint64_t n);

#endif
