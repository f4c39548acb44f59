/*
 * ruling - the rules of a groups file applied to the rows of tensors.
 *
 * A rule is PATTERN <tab> GROUP, and PATTERN may end in [a:b], [a:] or [:b]: rows a up to
 * but not including b of the tensors that the rest of it matches. A tensor of one dimension
 * is one row. First match wins, row by row.
 */
#ifndef PEFT_RULING_H
#define PEFT_RULING_H

#include <stdbool.h>
#include <stddef.h>

#include "base/err.h"
#include "io/stream.h"
#include "model/model.h"

/* Where rules stand, for messages. */
struct rule_lines {
	const char *path;
	unsigned long long *line; /* [rules] */
	size_t cap;
};

struct ruling {
	const struct meta_list *rules; /* the caller's; key PATTERN, value GROUP */
	const struct rule_lines *from; /* the caller's, or NULL */
	struct rule_rows {
		size_t pattern, from, to; /* to: SIZE_MAX for the last row's end */
	} * rows;                         /* [rules] */
	bool *matches;                    /* [patterns x n_params] */
	bool *takes;                      /* [rules] has had a row so far */
	size_t *owner; /* [rows] of the parameter at hand: the rule of each row */
	size_t *next;  /* [rows + 1] the first row from here on without a rule, or a step
			* towards it */
};

/* EX_DATAERR for malformed or empty ranges, EX_USAGE for patterns that match nothing. */
int ruling_init(struct ruling *r, const struct model *m, const struct meta_list *rules,
		const struct rule_lines *from, struct err *e);
/* Fills owner for params[i]. EX_DATAERR when a row has no rule, or a rule names rows that
 * the tensor has not. */
int ruling_of(struct ruling *r, const struct model *m, size_t i, struct err *e);
/* Once all parameters have been through ruling_of: appends a line FILE:LINE: ... for each
 * rule that had no row, since rules before it took them all; nothing without `from`, nor of
 * "*", which files end with in any case. */
int ruling_idle(const struct ruling *r, struct strlist *notes, struct err *e);
void ruling_free(struct ruling *r);

/* Rows that a tensor is divided into. */
size_t param_rows(const struct param *p);

/* Is what follows PATTERN's range well formed, or is there none? `len` gets the bytes of
 * PATTERN in front of it. */
bool rule_range(const char *pattern, size_t *len, size_t *from, size_t *to);

/* EX_USAGE, with near misses, when the pattern matches no parameter. */
int pattern_check(const struct model *m, const char *pattern, struct err *e);

#endif
