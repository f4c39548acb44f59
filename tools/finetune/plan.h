/*
 * plan - the runs that were asked for: one a budget of the masks, one a preset, one for
 * the patterns of --train.
 */
#ifndef FINETUNE_PLAN_H
#define FINETUNE_PLAN_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#include "base/err.h"
#include "base/str.h"
#include "model/model.h"
#include "peft/mask.h"
#include "peft/selection.h"

struct planned {
	char *name;              /* "1pct" for the budget "1%", "bitfit", "train" */
	char *budget;            /* "1%"; "-" for presets and patterns */
	char *dir;               /* where its model goes */
	const struct mask *mask; /* NULL for presets and patterns */
	const char *preset;      /* NULL for masks and patterns */
	struct selection some;   /* what trains, after plan_resolve */
	size_t n_wanted;         /* parameters (tensors) of which something does */
	struct strlist groups;   /* what trains: the mask's groups, else the tensors */
};

struct plan {
	struct planned *run;
	size_t n;
};

/* A single run is written to `out` itself, several to directories of their names in it. The
 * plan points into its arguments. EX_DATAERR when two runs would have the same name. */
int plan_make(struct plan *p, const struct mask_set *masks, const struct strlist *presets,
	      bool patterns, const char *out, struct err *e);
void plan_free(struct plan *p);

/* Fills what each run trains; `head` says how the masks divide the model. EX_DATAERR for a
 * group that the model has not, EX_USAGE for such a pattern or preset. */
int plan_resolve(struct plan *p, const struct model *m, const struct meta_list *head,
		 const struct strlist *patterns, struct err *e);

/* EX_DATAERR when nothing is to be trained; EX_CANTCREAT when a run's directory is the
 * model's own or could not be written, before any work is done. */
int plan_check(const struct plan *p, const struct model *m, struct err *e);

#endif
