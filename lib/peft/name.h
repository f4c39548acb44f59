/*
 * name - parameter names with and without the family's prefix.
 *
 * One checkpoint says "bert.encoder.layer.3.output.dense.bias", another of the same family
 * leaves "bert." away. Names and patterns that a user gives count for both.
 */
#ifndef PEFT_NAME_H
#define PEFT_NAME_H

#include <stdbool.h>

#include "model/model.h"

/* `name` behind the family's prefix; points into `name`. */
const char *name_bare(const struct model *m, const char *name);
bool name_equal(const struct model *m, const char *a, const char *b);
/* Does the shell glob match the parameter's name, with or without the prefix, or the name
 * that it is saved under, or that of the LoRA pair which it is part of? */
bool name_matches(const struct model *m, const char *pattern, const struct param *p);

#endif
