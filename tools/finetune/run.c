#include "run.h"

#include <stdio.h>

#include "train/trainer.h"

/* Loss over time: what the bar shows, and what a run reports. */
struct curve {
	double smooth; /* exponential mean */
	double sum;    /* over the last tenth */
	uint64_t counted;
};

static void take_loss(struct curve *c, double loss, uint64_t step, uint64_t steps)
{
	c->smooth = step == 0 ? loss : 0.95 * c->smooth + 0.05 * loss;
	if (step >= steps - (steps + 9) / 10) {
		c->sum += loss;
		c->counted++;
	}
}

static int one_step(const struct recipe *r, struct trainer *t, const struct dataset *d,
		    struct order *order, struct batch *b, double lr, double *loss,
		    struct err *e)
{
	double factor = schedule_factor(r->schedule, t->step, r->warmup, r->steps);
	const size_t *examples;
	size_t count;
	int rc;

	order_next(order, &examples, &count);
	if ((rc = batch_fill(b, d, examples, count, e)) != EX_OK ||
	    (rc = trainer_gradient(t, b, loss, e)) != EX_OK)
		return rc;
	trainer_step(t, lr * factor);
	return EX_OK;
}

static int all_steps(const struct recipe *r, struct trainer *t, const struct dataset *d,
		     struct progress *progress, struct outcome *o, struct err *e)
{
	struct order order;
	struct batch b = { 0 };
	struct curve curve = { 0 };
	int rc = order_start(&order, d->n, r->batch, r->seed, true, e);

	if (rc != EX_OK)
		return rc;
	for (uint64_t step = 0; step < r->steps && rc == EX_OK; step++) {
		double loss = 0;
		char note[32];

		rc = one_step(r, t, d, &order, &b, o->lr, &loss, e);
		take_loss(&curve, loss, step, r->steps);
		o->tokens += b.tokens;
		snprintf(note, sizeof note, "loss %.4f", curve.smooth);
		progress_step(progress, step + 1, note);
	}
	o->loss = curve.sum / (double)curve.counted;
	batch_free(&b);
	order_free(&order);
	return rc;
}

int run_train(const struct recipe *r, struct model *m, const struct selection *some,
	      const struct dataset *d, struct progress *progress, struct outcome *o,
	      struct err *e)
{
	struct trainer_options options = trainer_defaults();
	struct trainer t;
	double started = progress_clock();
	int rc;

	options.weight_decay = r->weight_decay;
	options.clip = r->clip;
	options.dropout = r->dropout;
	options.seed = r->seed;
	if ((rc = trainer_init_some(&t, m, some, &options, e)) != EX_OK)
		return rc;
	*o = (struct outcome){ .trained = t.trained };
	o->lr = r->lr >= 0 ? r->lr : schedule_lr(t.trained, model_params(m));
	rc = all_steps(r, &t, d, progress, o, e);
	o->seconds = progress_clock() - started;
	trainer_free(&t);
	return rc;
}
