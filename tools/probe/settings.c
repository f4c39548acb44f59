#include "settings.h"

#include <math.h>
#include <stdlib.h>
#include <string.h>

#define PROBES_UNASKED 10 /* probed steps when --every does not say */

static int check(struct settings *s, int operands, struct err *e)
{
	int rc;

	if (operands > 0)
		return err_set(e, EX_USAGE,
			       "there are no operands; -d FILE says what to train on");
	if (s->training.steps > 0 && s->fraction > 0)
		return err_set(e, EX_USAGE, "--steps and --fraction contradict each other");
	if (s->groups != NULL && s->group_by != NULL)
		return err_set(e, EX_USAGE,
			       "--group-by and --groups contradict each other");
	if (!trust_named(s->trust_name, &s->trust))
		return err_set(e, EX_USAGE,
			       "--trust %s: inf, or rms:X with X > 0 (rms:0.1)",
			       s->trust_name);
	if ((rc = pairs_resolve(&s->pairs, NULL, false, &s->lora, e)) != EX_OK)
		return rc;
	s->source.lora = s->lora.ranks > 0 ? &s->lora : NULL;
	s->grouping = BY_FILE;
	if (s->groups == NULL &&
	    !grouping_named(s->group_by == NULL ? "tensor" : s->group_by, &s->grouping))
		return err_set(e, EX_SOFTWARE, "no grouping '%s'", s->group_by);
	s->method = strcmp(s->method_name, "fit") == 0 ? METHOD_FIT : METHOD_GRAD;
	s->direction =
	    strcmp(s->direction_name, "sgd") == 0 ? DIRECTION_SGD : DIRECTION_ADAMW;
	return training_check(&s->training, e);
}

void settings_read(struct settings *s, int argc, char **argv)
{
	const struct opt opts[] = {
		{ .type = OPT_GROUP, .help = "What to probe, on what" },
		SOURCE_MODEL(s->source),
		SOURCE_DATA(s->source),
		{ OPT_TEXT, 'o', "output", "FILE", &s->out, NULL, 0, 0,
		  "where the ppi rows go (stdout)" },
		PAIRS_OPTIONS(s->pairs),
		{ .type = OPT_GROUP, .help = "How to probe" },
		{ OPT_TEXT, 0, "group-by", "G", &s->group_by,
		  "tensor|module|layer|type|layer-type", 0, 0, "the groups (tensor)" },
		{ OPT_TEXT, 0, "groups", "FILE", &s->groups, NULL, 0, 0,
		  "groups of your own: lines of PATTERN <tab> GROUP, first match wins" },
		{ OPT_TEXT, 0, "method", "M", &s->method_name, "fit|grad", 0, 0,
		  "a fitted parabola, or the gradient alone (fit)" },
		{ OPT_TEXT, 0, "direction", "D", &s->direction_name, "adamw|sgd", 0, 0,
		  "where a group would move, and how training moves (adamw)" },
		{ OPT_TEXT, 0, "trust", "T", &s->trust_name, NULL, 0, 0,
		  "bound of a group's step: rms:X of its weights' rms, or inf (rms:0.1)" },
		{ .type = OPT_GROUP, .help = "The training that is probed" },
		{ OPT_COUNT, 0, "epochs", "N", &s->training.epochs, NULL, 1, 1e6,
		  "times through the data in a whole training (3)" },
		{ OPT_REAL, 0, "fraction", "F", &s->fraction, NULL, 1e-9, 1,
		  "share of those steps that is made (0.1)" },
		{ OPT_COUNT, 0, "steps", "N", &s->training.steps, NULL, 1, 1e12,
		  "steps to make, instead of a share" },
		{ OPT_COUNT, 0, "every", "N", &s->every, NULL, 1, 1e12,
		  "probe the first step and every N-th after it (so that 10 are probed)" },
		SOURCE_BATCH(s->source, "128"),
		TRAINING_RATE(s->training, "5e-5"),
		{ .type = OPT_GROUP, .help = "Common" },
		CLI_WORK(s->cli),
		CLI_STREAM(s->cli),
		CLI_COMMON(s->cli),
		{ .type = OPT_END },
	};
	const struct program program = {
		.name = "adapeft-probe",
		.summary =
		    "Measure the influence of every group of parameters while training.",
		.operands = "",
		.opts = opts,
	};
	struct err e = { 0 };
	int rc;

	*s = (struct settings){
		.cli = CLI_INIT("adapeft-probe"),
		.source = SOURCE_INIT,
		.method_name = "fit",
		.direction_name = "adamw",
		.trust_name = "rms:0.1",
		.training = TRAINING_INIT,
		.pairs = PAIRS_INIT,
	};
	s->training.lr = 5e-5;
	cli_start(&s->cli, &program, argc, argv);
	if ((rc = check(s, argc - s->cli.first, &e)) != EX_OK) {
		settings_free(s);
		exit(cli_end(&s->cli, rc, &e));
	}
}

void settings_free(struct settings *s)
{
	pairs_options_free(&s->pairs);
	lora_free(&s->lora);
	source_options_free(&s->source);
}

struct schedule_plan settings_plan(const struct settings *s, uint64_t n)
{
	const struct training_options *t = &s->training;
	struct schedule_plan p = { .total = training_steps(t, n, s->source.batch) };
	double share = s->fraction > 0 ? s->fraction : 0.1;

	p.steps = t->steps > 0 ? t->steps : (uint64_t)ceil(share * (double)p.total);
	if (p.steps > p.total)
		p.total = p.steps;
	p.warmup = training_warmup(t, p.total);
	p.every = s->every > 0 ? s->every : (p.steps + PROBES_UNASKED - 1) / PROBES_UNASKED;
	p.probes = (p.steps + p.every - 1) / p.every;
	return p;
}
