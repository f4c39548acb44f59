/*
 * additivity - how far the gains of groups add up, from interactions streams.
 */
#ifndef RANK_ADDITIVITY_H
#define RANK_ADDITIVITY_H

#include <stdint.h>

#include "base/err.h"
#include "settings.h"

/* Reads the interactions streams of `s`, writes the additivity stream: a row for each of
 * the first s->top pairs; notes what a person wants to know of it. */
int additivity(const struct settings *s, struct err *e);

#endif
