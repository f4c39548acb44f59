/*
 * fit - the loss along one group's direction, and the parabola through it.
 */
#ifndef INFLUENCE_FIT_H
#define INFLUENCE_FIT_H

#include "influence/prober.h"

/* The longest step of a fit, as a share of the group's own rms. */
#define FIT_FARTHEST 0.05

/* For the group whose directions stand in p->directions, with slope, and in e->reach the
 * longest step allowed: evaluates the loss, and sets curv, r2, reach and spread. */
void fit_group(struct prober *p, size_t k, struct estimate *e);

#endif
