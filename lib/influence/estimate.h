/*
 * estimate - what one probed step says of one group.
 *
 * Along the direction g of group k the loss is taken as a parabola (arXiv 2505.12579, eq.
 * 3; GeN, arXiv 2407.02772):
 *
 *     L(w - eta g) - L(w) = -eta G.g + eta^2/2 g'Hg
 *
 *     slope = G.g    curv = g'Hg    eta = slope/curv    gain = slope^2 / (2 curv)
 *     ppi   = 2 gain / params
 *
 * The parabola holds nearby only. With a bound tau on eta,
 *
 *     gain = max over 0 <= eta <= tau of (eta slope - eta^2/2 curv)
 *
 * which is finite whatever the curvature. A gain is never larger than the loss.
 */
#ifndef INFLUENCE_ESTIMATE_H
#define INFLUENCE_ESTIMATE_H

#include <stdbool.h>
#include <stdint.h>

enum status {
	STATUS_OK,
	STATUS_BOUNDED, /* the bound tau, or the loss, decided the gain */
	STATUS_NEGCURV, /* curv < 0: a gain only with a bound, then the one at tau */
	STATUS_LOWFIT,  /* R^2 below 0.99, or a gain that hangs on the fourth order: gain 0
			 */
	STATUS_NOISE,   /* slope <= 0, or curv not to be told from rounding without a bound:
			 * gain 0 */
	STATUS_ZERO     /* the exact gradient is zero: gain 0 */
};

const char *status_name(enum status s); /* "ok", "bounded", ... */
/* False for another word. */
bool status_named(const char *name, enum status *out);

/* Does a row count in a sum over steps? ok and bounded do, and negcurv with a gain. */
bool status_counts(enum status s, double gain);

enum trust { TRUST_INF, TRUST_RMS, TRUST_TRAVEL };

/* How far a group may be moved:
 *     TRUST_RMS     eta |g|rms <= x |w|rms
 *     TRUST_TRAVEL  eta <= the sum of the learning rates of a training of the group alone
 */
struct trust_region {
	enum trust kind;
	double x;     /* TRUST_RMS */
	double steps; /* TRUST_TRAVEL: the sum of the schedule's factors (schedule.h) */
	double lr;    /* TRUST_TRAVEL: largest learning rate; negative: schedule_lr's for
		       * the group's own number of parameters */
};

/* "inf", "rms:0.1", "travel": steps is 0 then, and lr negative, for the caller to fill in.
 */
bool trust_named(const char *s, struct trust_region *out);

/* The bound on eta of a group of `params` of all `total` parameters, whose weights have the
 * root mean square `weights` and whose direction has `direction`. */
double trust_bound(const struct trust_region *t, double weights, double direction,
		   uint64_t params, uint64_t total);

/* What a method has no number for is nan. */
struct estimate {
	double loss, slope, curv, eta, gain, ppi, r2;
	double tau;    /* bound of eta; inf without one */
	double reach;  /* eta of the fit's nearer points */
	double spread; /* standard error of curv from rounding */
	double bent;   /* what the fourth order adds to curv, about, as a fit shows it */
	double noise;  /* how far the slopes of two half batches disagree (prober.h) */
	enum status status;
};

/* The least-squares parabola through the origin and y[0..3] = L(w - r reach g) - L(w) at
 * r = -2, -1, 1, 2:
 *     curv  =  [(y1+y-1) + 4 (y2+y-2)] / (17 reach^2)
 *     slope = -[(y1-y-1) + 2 (y2-y-2)] / (10 reach)
 * r2 is its coefficient of determination over the five points. */
void fit_parabola(const double y[4], double reach, double *slope, double *curv, double *r2);

#define FIT_R2      0.99 /* below it a fit is STATUS_LOWFIT */
#define FIT_BENT    0.05 /* a share of the gain; more by the fourth order is STATUS_LOWFIT */
#define FIT_SPREADS 3.0  /* a curvature within so many standard errors of zero is noise */

/* From loss, slope, curv, r2, spread, bent and tau: eta, gain, ppi and status. A status of
 * STATUS_ZERO that stands already stays. r2, spread and bent may be nan: curv is exact
 * then. A curv of 0 is as good as any with a bound. */
void estimate_settle(struct estimate *e, uint64_t params);

#endif
