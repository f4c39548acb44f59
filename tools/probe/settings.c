#include "settings.h"

#include <inttypes.h>
#include <math.h>
#include <stdlib.h>
#include <string.h>

#include "influence/shards.h"
#include "io/file.h"

#define PROBES_UNASKED 10 /* probed steps when --every does not say */
#define LR_UNSAID      5e-5

/* Bound of the step when --trust does not say. */
#define TRUST_UNSAID "travel"

static enum method method_named(const char *name)
{
	static const char *const names[] = {
		[METHOD_FIT] = "fit",       [METHOD_HVP] = "hvp",
		[METHOD_GGN] = "ggn",       [METHOD_GRAD] = "grad",
		[METHOD_FISHER] = "fisher", [METHOD_MAGNITUDE] = "magnitude",
		[METHOD_RANDOM] = "random",
	};
	size_t m = 0;

	while (strcmp(names[m], name) != 0)
		m++;
	return (enum method)m;
}

/* I/N or I-J/N. */
static int read_shards(struct settings *s, struct err *e)
{
	const struct shard_set *set = &s->asked;

	if (shard_set_add(&s->asked, s->shard, e) != EX_OK || set->n != 1)
		return err_set(e, EX_USAGE,
			       "--shard %s: I/N or I-J/N with 1 <= I <= J <= N", s->shard);
	s->first_shard = set->range[0].first;
	s->last_shard = set->range[0].last;
	s->shards = set->of;
	return EX_OK;
}

static int check_shards(struct settings *s, struct err *e)
{
	int rc;

	if (s->shard == NULL)
		return EX_OK;
	if ((rc = read_shards(s, e)) != EX_OK)
		return rc;
	if (s->until_stable >= 0 && (s->first_shard != 1 || s->last_shard != s->shards))
		return err_set(e, EX_USAGE,
			       "--until-stable needs every shard in one process: "
			       "--shard 1-%" PRIu64 "/%" PRIu64,
			       s->shards, s->shards);
	return EX_OK;
}

static bool is_stdout(const char *path)
{
	return path == NULL || strcmp(path, "-") == 0;
}

static int check_outputs(const struct settings *s, struct err *e)
{
	if (s->interactions == NULL)
		return EX_OK;
	if ((is_stdout(s->interactions) && is_stdout(s->out)) ||
	    (s->out != NULL &&
	     (strcmp(s->interactions, s->out) == 0 || file_same(s->interactions, s->out))))
		return err_set(e, EX_USAGE, "two outputs to one file");
	return EX_OK;
}

static int check_method(struct settings *s, struct err *e)
{
	if (!trust_named(s->trust_name, &s->trust))
		return err_set(e, EX_USAGE,
			       "--trust %s: inf, travel, or rms:X with X > 0 (rms:0.1)",
			       s->trust_name);
	s->method = method_named(s->method_name);
	s->direction =
	    strcmp(s->direction_name, "sgd") == 0 ? DIRECTION_SGD : DIRECTION_ADAMW;
	if (s->draws > 0 && s->method != METHOD_GGN && s->interactions == NULL)
		return err_set(e, EX_USAGE,
			       "--draws is of --method ggn and of --interactions");
	s->halves = strcmp(s->slopes_name, "halves") == 0;
	if (s->unbiased && !s->halves)
		return err_set(e, EX_USAGE,
			       "--unbiased and --slopes batch contradict each other");
	if (s->unbiased && s->source.batch < 2)
		return err_set(e, EX_USAGE, "--unbiased halves a batch: --batch 2 or more");
	return EX_OK;
}

static int check(struct settings *s, int operands, struct err *e)
{
	int rc;

	if (operands > 0)
		return err_set(e, EX_USAGE,
			       "there are no operands; -d FILE says what to train on");
	if (s->groups != NULL && s->group_by != NULL)
		return err_set(e, EX_USAGE,
			       "--group-by and --groups contradict each other");
	if ((rc = check_method(s, e)) != EX_OK || (rc = check_shards(s, e)) != EX_OK ||
	    (rc = check_outputs(s, e)) != EX_OK ||
	    (rc = pairs_resolve(&s->pairs, NULL, false, &s->lora, e)) != EX_OK)
		return rc;
	s->source.lora = s->lora.ranks > 0 ? &s->lora : NULL;
	s->grouping = BY_FILE;
	if (s->groups == NULL &&
	    !grouping_named(s->group_by == NULL ? "tensor" : s->group_by, &s->grouping))
		return err_set(e, EX_SOFTWARE, "no grouping '%s'", s->group_by);
	if (s->direction == DIRECTION_ADAMW)
		s->trust.lr = s->training.lr;
	if (s->training.lr < 0)
		s->training.lr = LR_UNSAID;
	if (s->direction == DIRECTION_SGD)
		s->trust.lr = s->training.lr;
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
		{ OPT_TEXT, 0, "group-by", "tensor|module|layer|type|layer-type|row",
		  &s->group_by, "tensor|module|layer|type|layer-type|row", 0, 0,
		  "the groups (tensor)" },
		{ OPT_TEXT, 0, "groups", "FILE", &s->groups, NULL, 0, 0,
		  "groups of your own: lines of PATTERN <tab> GROUP, first match wins" },
		{ OPT_TEXT, 0, "method", "fit|hvp|ggn|grad|fisher|magnitude|random",
		  &s->method_name, "fit|hvp|ggn|grad|fisher|magnitude|random", 0, 0,
		  "how curvature is had, or what stands in for influence (ggn)" },
		{ OPT_TEXT, 0, "direction", "adamw|sgd", &s->direction_name, "adamw|sgd", 0,
		  0, "where a group would move, and how training moves (adamw)" },
		{ OPT_TEXT, 0, "trust", "inf|travel|rms:X", &s->trust_name, NULL, 0, 0,
		  "bound of a group's step: rms:X of its weights' rms, travel: as far as "
		  "training goes, or inf (" TRUST_UNSAID ")" },
		{ OPT_TEXT, 0, "slopes", "halves|batch", &s->slopes_name, "halves|batch", 0,
		  0, "from two half batches, without bias, or from the batch (halves)" },
		{ OPT_FLAG, 0, "unbiased", NULL, &s->unbiased, NULL, 0, 0,
		  "--slopes halves, insisted upon" },
		{ OPT_COUNT, 0, "draws", "N", &s->draws, NULL, 1, 1e6,
		  "labels that ggn draws for each target (as many as are needed)" },
		{ OPT_TEXT, 0, "interactions", "FILE", &s->interactions, NULL, 0, 0,
		  "where a row for every pair of groups goes" },
		{ .type = OPT_GROUP, .help = "The training that is probed" },
		{ OPT_COUNT, 0, "epochs", "N", &s->training.epochs, NULL, 1, 1e6,
		  "times through the data in a whole training (3)" },
		{ OPT_REAL, 0, "fraction", "F", &s->fraction, NULL, 1e-9, 1,
		  "share of those steps that is made (0.1)" },
		{ OPT_COUNT, 0, "steps", "N", &s->training.steps, NULL, 1, 1e12,
		  "steps to make; with --fraction: steps that it is a share of" },
		{ OPT_COUNT, 0, "every", "N", &s->every, NULL, 1, 1e12,
		  "probe the first step and every N-th after it (so that 10 are probed)" },
		{ OPT_REAL, 0, "until-stable", "TAU", &s->until_stable, NULL, 0, 1,
		  "stop when the halves of the probed steps agree, by Kendall's tau-b" },
		{ OPT_TEXT, 0, "shard", "I/N", &s->shard, NULL, 0, 0,
		  "probe the I-th (I-J/N: I-th to J-th) of N batches a step" },
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
		.method_name = "ggn",
		.direction_name = "adamw",
		.trust_name = TRUST_UNSAID,
		.slopes_name = "halves",
		.training = TRAINING_INIT,
		.until_stable = -1,
		.shards = 1,
		.first_shard = 1,
		.last_shard = 1,
		.pairs = PAIRS_INIT,
	};
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
	shard_set_free(&s->asked);
	source_options_free(&s->source);
}

struct schedule_plan settings_plan(const struct settings *s, uint64_t n)
{
	const struct training_options *t = &s->training;
	struct schedule_plan p = { .total = training_steps(t, n, s->source.batch) };
	double share = s->fraction > 0 ? s->fraction : 0.1;
	bool made = t->steps > 0 && !(s->fraction > 0); /* all the steps that were said */

	if (t->steps > 0 && s->fraction > 0)
		p.total = t->steps;
	p.steps =
	    made ? t->steps : (uint64_t)ceil(share * (double)p.total / (double)s->shards);
	if (p.steps > p.total)
		p.total = p.steps;
	p.warmup = training_warmup(t, p.total);
	p.every = s->every > 0 ? s->every : (p.steps + PROBES_UNASKED - 1) / PROBES_UNASKED;
	p.probes = (p.steps + p.every - 1) / p.every;
	p.travel = schedule_sum(t->schedule, p.warmup, p.total);
	return p;
}
