#include "settings.h"

#include <errno.h>
#include <poll.h>
#include <stdlib.h>
#include <string.h>
#include <sys/ioctl.h>
#include <sys/stat.h>
#include <unistd.h>

static bool from_stdin(const char *path)
{
	return strcmp(path, "-") == 0;
}

static int check(struct settings *s, int operands, struct err *e)
{
	if (operands > 0)
		return err_set(e, EX_USAGE,
			       "there are no operands; a mask stream comes from "
			       "stdin or --mask FILE");
	if (s->source.data == NULL)
		return err_set(e, EX_USAGE, "-d FILE says what to train on");
	if (s->out == NULL || s->out[0] == '\0')
		return err_set(e, EX_USAGE, "-o DIR says where the models go");
	if (s->mask == NULL && s->presets.n == 0 && s->patterns.n == 0 &&
	    from_stdin(s->source.data))
		return err_set(e, EX_USAGE,
			       "masks and data cannot both come from stdin; --mask "
			       "FILE says where the masks are");
	if (s->training.epochs > 0 && s->training.steps > 0)
		return err_set(e, EX_USAGE, "--epochs and --steps contradict each other");
	if (!saved_form_named(s->save_name, &s->save))
		return err_set(e, EX_SOFTWARE, "no form '%s'", s->save_name);
	if (s->source.init != NULL && s->save != SAVED_FULL)
		return err_set(e, EX_USAGE,
			       "--init random has no base that --save %s could stand upon; "
			       "--save full",
			       s->save_name);
	return training_check(&s->training, e);
}

void settings_read(struct settings *s, int argc, char **argv)
{
	const struct opt opts[] = {
		{ .type = OPT_GROUP, .help = "What to train, on what" },
		SOURCE_MODEL(s->source),
		{ OPT_TEXT, 'o', "output", "DIR", &s->out, NULL, 0, 0,
		  "where the model goes; several runs go to directories in it" },
		{ OPT_TEXT, 0, "mask", "FILE", &s->mask, NULL, 0, 0,
		  "the mask stream (stdin)" },
		{ OPT_LIST, 0, "preset", "LIST", &s->presets, NULL, 0, 0,
		  "a run each: full, head, bitfit, norm, lora, lora+bias" },
		{ OPT_LIST, 0, "train", "PATTERN", &s->patterns, NULL, 0, 0,
		  "a run of the tensors that the globs match" },
		{ OPT_TEXT, 0, "init", "random", &s->source.init, "random", 0, 0,
		  "weights from the seed; the model's directory needs none" },
		PAIRS_OPTIONS(s->pairs),
		SOURCE_DATA(s->source),
		{ .type = OPT_GROUP, .help = "How to train" },
		{ OPT_COUNT, 0, "epochs", "N", &s->training.epochs, NULL, 1, 1e6,
		  "times through the data (3)" },
		{ OPT_COUNT, 0, "steps", "N", &s->training.steps, NULL, 1, 1e12,
		  "steps, instead of epochs" },
		SOURCE_BATCH(s->source, "128"),
		TRAINING_RATE(s->training, "5e-5 sqrt(all/trained), at most 2e-3"),
		{ OPT_REAL, 0, "clip", "X", &s->clip, NULL, 0, 1e9,
		  "largest norm of the gradient, 0 for any (1)" },
		{ OPT_TEXT, 0, "dropout", "yes|no", &s->dropout, "yes|no", 0, 0,
		  "as the model's configuration says, or none (yes)" },
		{ OPT_TEXT, 0, "save", "FORM", &s->save_name, "full|delta|peft", 0, 0,
		  "a whole model, the trained tensors, or an adapter for PEFT (full)" },
		{ OPT_FLAG, 0, "timing", NULL, &s->timing, NULL, 0, 0,
		  "fill the column seconds, which differs from run to run" },
		{ .type = OPT_GROUP, .help = "Common" },
		CLI_WORK(s->cli),
		CLI_STREAM(s->cli),
		CLI_COMMON(s->cli),
		{ .type = OPT_END },
	};
	const struct program program = {
		.name = "adapeft-finetune",
		.summary = "Train the parameters that masks, presets or patterns name.",
		.operands = "",
		.opts = opts,
	};
	struct err e = { 0 };
	int rc;

	*s = (struct settings){
		.cli = CLI_INIT("adapeft-finetune"),
		.source = SOURCE_INIT,
		.training = TRAINING_INIT,
		.pairs = PAIRS_INIT,
		.save_name = "full",
		.clip = 1,
		.dropout = "yes",
	};
	cli_start(&s->cli, &program, argc, argv);
	if ((rc = check(s, argc - s->cli.first, &e)) != EX_OK)
		exit(cli_end(&s->cli, rc, &e));
}

void settings_free(struct settings *s)
{
	strlist_free(&s->presets);
	strlist_free(&s->patterns);
	pairs_options_free(&s->pairs);
	source_options_free(&s->source);
}

bool settings_need_pairs(const struct settings *s)
{
	for (size_t i = 0; i < s->presets.n; i++)
		if (str_starts(s->presets.s[i], "lora"))
			return true;
	return false;
}

struct recipe settings_recipe(const struct settings *s, size_t n)
{
	const struct training_options *t = &s->training;
	struct recipe r = {
		.steps = t->steps > 0 ? t->steps : training_steps(t, n, s->source.batch),
		.batch = s->source.batch,
		.seed = s->cli.seed,
		.lr = t->lr,
		.schedule = t->schedule,
		.weight_decay = t->weight_decay,
		.clip = s->clip,
		.dropout = strcmp(s->dropout, "yes") == 0,
	};

	r.warmup = training_warmup(t, r.steps);
	return r;
}

#define PATIENCE 5000 /* milliseconds until we say what may not be coming */

static bool needs_masks(const struct settings *s)
{
	return s->presets.n == 0 && s->patterns.n == 0;
}

/* Waits until stdin has bytes or has ended. */
static bool stdin_brings_something(const struct settings *s)
{
	struct pollfd in = { .fd = STDIN_FILENO, .events = POLLIN };
	int bytes = 0;

	if (!needs_masks(s) && poll(&in, 1, PATIENCE) == 0)
		cli_note(&s->cli, "waiting for masks on stdin; </dev/null says that there "
				  "are none");
	while (poll(&in, 1, -1) < 0 && errno == EINTR)
		;
	return ioctl(STDIN_FILENO, FIONREAD, &bytes) == 0 && bytes > 0;
}

static bool stdin_has_masks(const struct settings *s)
{
	struct stat st;

	if (fstat(STDIN_FILENO, &st) != 0)
		return false;
	if (S_ISREG(st.st_mode))
		return st.st_size > lseek(STDIN_FILENO, 0, SEEK_CUR);
	return (S_ISFIFO(st.st_mode) || S_ISSOCK(st.st_mode)) && stdin_brings_something(s);
}

int settings_mask(const struct settings *s, const char **path, bool *masks, struct err *e)
{
	*path = s->mask;
	*masks = s->mask != NULL || (!from_stdin(s->source.data) && stdin_has_masks(s));
	if (!*masks && needs_masks(s))
		return err_set(e, EX_DATAERR,
			       "nothing says what to train: a mask stream on stdin, "
			       "--mask FILE, --preset NAME or --train PATTERN");
	return EX_OK;
}
