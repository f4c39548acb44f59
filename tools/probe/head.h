/*
 * head - what the streams of adapeft-probe say in front of their rows.
 */
#ifndef PROBE_HEAD_H
#define PROBE_HEAD_H

#include "settings.h"
#include "source.h"

/* Model, task, pairs, groups, how it was probed, and this command. */
int head_describe(struct meta_list *head, const struct settings *s,
		  const struct source *source, const struct partition *part,
		  const struct schedule_plan *plan, struct err *e);

#endif
