/*
 * selection - which elements of a model's parameters train.
 */
#ifndef PEFT_SELECTION_H
#define PEFT_SELECTION_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#include "base/err.h"
#include "model/model.h"

/* Elements from .. from + n of a parameter. */
struct run {
	size_t from, n;
};

/* What is chosen of one parameter: nothing (n == 0), all (one run), or some of it. */
struct chosen {
	struct run *run; /* by increasing from; once settled, they do not touch */
	size_t n, cap;
	size_t elements; /* sum over the runs, once settled */
};

struct selection {
	struct chosen *of; /* [params] */
	size_t params;
};

int selection_init(struct selection *s, const struct model *m, struct err *e);
/* All of the parameters that are marked in wanted[n_params]. */
int selection_of(struct selection *s, const struct model *m, const bool *wanted,
		 struct err *e);
int selection_copy(struct selection *to, const struct selection *from, struct err *e);
void selection_free(struct selection *s);

/* Adds elements, in any order and more than once; selection_settle before it is read. */
int selection_add(struct selection *s, size_t param, size_t from, size_t n, struct err *e);
void selection_settle(struct selection *s);

/* Parameters of which something is chosen; `wanted` [params] (or NULL) marks them. */
size_t selection_params(const struct selection *s, bool *wanted);

#endif
