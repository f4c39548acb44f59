#include "training.h"

#include <math.h>

int training_check(struct training_options *t, struct err *e)
{
	if (t->warmup >= 1 && t->warmup != floor(t->warmup))
		return err_set(e, EX_USAGE,
			       "--warmup is a fraction below 1 or a whole number of steps");
	if (!schedule_named(t->schedule_name, &t->schedule))
		return err_set(e, EX_USAGE, "no schedule '%s'", t->schedule_name);
	return EX_OK;
}

uint64_t training_steps(const struct training_options *t, uint64_t n, uint64_t batch)
{
	uint64_t epochs = t->epochs > 0 ? t->epochs : TRAINING_EPOCHS;

	return epochs * (n / batch + (n % batch != 0));
}

uint64_t training_warmup(const struct training_options *t, uint64_t steps)
{
	/* The addend keeps 0.29 of 100 steps from being 28. */
	return (uint64_t)(t->warmup < 1 ? t->warmup * (double)steps + 1e-9 : t->warmup);
}
