#include "influence/estimate.h"

#include <math.h>
#include <string.h>

#include "base/num.h"
#include "base/str.h"
#include "train/schedule.h"

const char *status_name(enum status s)
{
	static const char *const names[] = { "ok",     "bounded", "negcurv",
					     "lowfit", "noise",   "zero" };

	return names[s];
}

bool status_named(const char *name, enum status *out)
{
	for (int s = STATUS_OK; s <= STATUS_ZERO; s++) {
		if (strcmp(name, status_name((enum status)s)) == 0) {
			*out = (enum status)s;
			return true;
		}
	}
	return false;
}

bool status_counts(enum status s, double gain)
{
	return s == STATUS_OK || s == STATUS_BOUNDED || (s == STATUS_NEGCURV && gain > 0);
}

bool trust_named(const char *s, struct trust_region *out)
{
	*out = (struct trust_region){ .kind = TRUST_INF, .x = INFINITY, .lr = -1 };
	if (strcmp(s, "inf") == 0)
		return true;
	out->kind = TRUST_TRAVEL;
	if (strcmp(s, "travel") == 0)
		return true;
	out->kind = TRUST_RMS;
	return str_starts(s, "rms:") && num_real(s + 4, &out->x) && out->x > 0 &&
	       isfinite(out->x);
}

double trust_bound(const struct trust_region *t, double weights, double direction,
		   uint64_t params, uint64_t total)
{
	switch (t->kind) {
	case TRUST_RMS: return t->x * weights / direction;
	case TRUST_TRAVEL:
		return t->steps * (t->lr >= 0 ? t->lr : schedule_lr(params, total));
	case TRUST_INF: break;
	}
	return INFINITY;
}

void fit_parabola(const double y[4], double reach, double *slope, double *curv, double *r2)
{
	static const double r[4] = { -2, -1, 1, 2 };
	double mean = (y[0] + y[1] + y[2] + y[3]) / 5, total = mean * mean, left = 0;

	*curv = ((y[2] + y[1]) + 4 * (y[3] + y[0])) / (17 * reach * reach);
	*slope = -((y[2] - y[1]) + 2 * (y[3] - y[0])) / (10 * reach);
	for (int i = 0; i < 4; i++) {
		double eta = r[i] * reach;
		double d = y[i] - (-eta * *slope + eta * eta / 2 * *curv);

		left += d * d;
		total += (y[i] - mean) * (y[i] - mean);
	}
	*r2 = total > 0 ? 1 - left / total : 0;
}

static void refuse(struct estimate *e, enum status why)
{
	e->status = why;
	e->gain = e->ppi = 0;
}

void estimate_settle(struct estimate *e, uint64_t params)
{
	bool bounded = isfinite(e->tau), curved = e->curv > 0;
	double best = curved ? e->slope / e->curv : INFINITY, eta;

	e->eta = e->slope / e->curv;
	if (e->status == STATUS_ZERO || !(e->slope > 0)) {
		refuse(e, e->status == STATUS_ZERO ? STATUS_ZERO : STATUS_NOISE);
		return;
	}
	if (e->r2 < FIT_R2) {
		refuse(e, STATUS_LOWFIT);
		return;
	}
	if (!bounded &&
	    !(fabs(e->curv) > (isnan(e->spread) ? 0 : FIT_SPREADS * e->spread))) {
		refuse(e, STATUS_NOISE);
		return;
	}
	if (!curved && !bounded) {
		refuse(e, STATUS_NEGCURV);
		return;
	}
	eta = fmin(best, e->tau);
	e->gain = eta * e->slope - eta * eta / 2 * e->curv;
	e->status = e->curv < 0     ? STATUS_NEGCURV
		    : best > e->tau ? STATUS_BOUNDED
				    : STATUS_OK;
	if (e->gain > e->loss) {
		e->gain = e->loss;
		e->status = e->curv < 0 ? STATUS_NEGCURV : STATUS_BOUNDED;
	} else if (e->bent * eta * eta / 2 > FIT_BENT * e->gain) {
		refuse(e, STATUS_LOWFIT);
		return;
	}
	e->ppi = 2 * e->gain / (double)params;
}
