/*
 * fit - the loss along one group's direction, and the parabola through it.
 *
 * Four points, L(w - r reach g) - L(w) at r = -2, -1, 1, 2, by passes forward of the change
 * alone (model/change.h): from the first operation that the group touches, over what it
 * reaches, the product of a moved weight made once for all points. Rounding is then a share
 * FIT_ROUNDING of the change, where that of a loss would be a share of the loss, some
 * hundred times more. So `reach` need not be as long as rounding allows; it is where the
 * mean over sequences of the absolute change of their losses is FIT_CHANGE of the loss, or
 * the group moves by FIT_FARTHEST of its rms, whichever is shorter.
 *
 * That length is known beforehand: from the last probed step's fit of the same group, else
 * from its slope and the last fitted group's proportion between absolute change and slope.
 * Where the first point shows that the guess is far off it is made once more. Where the
 * fourth order, as the four points show it, and rounding make more of the curvature than
 * FIT_UNSURE, and a step nearer or further out would halve that, the group is fitted once
 * more there. What is left is judged by r2, spread and bent (estimate.h).
 *
 * A kink of the loss, of a relu, is no bend at any one point and has no place in g'Hg, but
 * the fit's points are on both sides of it. One or few of them look like a fourth order,
 * which `bent` tells; many are a curvature of the loss as far as the points reach.
 */
#ifndef INFLUENCE_FIT_H
#define INFLUENCE_FIT_H

#include "influence/prober.h"

#define FIT_CHANGE   0.003
#define FIT_FARTHEST 0.005
#define FIT_ROUNDING 5e-8
#define FIT_UNSURE   0.01

/* For the group whose directions stand in p->directions, with slope, and in e->reach the
 * longest step allowed: evaluates the loss, and sets curv, r2, reach, spread and
 * bent. */
void fit_group(struct prober *p, size_t k, struct estimate *e);

#endif
