/*
 * probing - the steps of the probed training, and the rows that come of them.
 */
#ifndef PROBE_PROBING_H
#define PROBE_PROBING_H

#include <stdbool.h>
#include <stdint.h>

#include "base/progress.h"
#include "influence/interactions.h"
#include "influence/prober.h"
#include "influence/window.h"
#include "io/stream.h"
#include "settings.h"
#include "source.h"
#include "train/trainer.h"

#define FEWEST_PROBES 4 /* of which --until-stable compares the halves */

struct probing {
	struct settings *s;
	struct source source;
	struct partition part;
	struct schedule_plan plan;
	struct trainer trainer;
	struct prober prober;
	struct order order;
	struct batch trains, other; /* the first batch of a step, and one of the others */
	size_t *picked;             /* [batch] examples, half after half */
	struct estimate *estimates; /* [groups] */
	double *ppi; /* [groups] of the step at hand, means over its shards */
	struct window window;
	double tau;       /* of its halves */
	bool agreed;      /* tau was reached at the probed step before */
	uint64_t singles; /* probed batches of one example, which has no halves */
	uint64_t probes;  /* made so far */
	uint64_t done;    /* of the progress */
	double seconds;   /* in probing, gradients apart */
	struct interactions interactions;
	struct stream_writer *out;
	struct progress progress;
};

/* Once source, part and plan are there, and `interactions` where they are wanted. */
int probing_start(struct probing *p, struct err *e);
void probing_free(struct probing *p);

/* One step of training, probed or not; rows go to p->out. Sets *stable when the order of
 * the groups has settled. */
int probing_step(struct probing *p, uint64_t at, bool *stable, struct err *e);

#endif
