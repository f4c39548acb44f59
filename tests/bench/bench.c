/*
 * bench - a step of what the programs spend their time on, as often as it is told to.
 *
 * usage: bench MODE DIR [TENSOR...]
 *
 * DIR holds a model and one batch: batch.txt has a line for each sequence, its label (-1:
 * the next token is to be predicted) and its tokens; for images the lines have a label
 * only, and pixels.f32 has the floats. MODE is
 *
 *     forward          the loss
 *     train            a step of AdamW; of the tensors named, or of all
 *     lora             the same, of pairs of rank 8 and the tensors named
 *     grad             train, and the slopes of all tensors (adapeft-probe --method grad)
 *     fit, hvp, ggn    a gradient, and the estimates of the tensors named, or of all
 *     ggn-rows         the same, of all rows
 *
 * Every line on stdin asks for one step, answered with its seconds by the wall, those of
 * all threads, its loss, and, of an estimate, both kinds of seconds over those of a forward
 * pass in the same turn (else 0); the end of stdin with the peak of resident memory in
 * bytes.
 */
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <time.h>

#include "base/mem.h"
#include "base/progress.h"
#include "influence/prober.h"
#include "io/file.h"
#include "model/lora.h"
#include "peft/group.h"
#include "tensor/blas.h"
#include "train/trainer.h"

enum mode { FORWARD, TRAIN, LORA, GRAD, FIT, HVP, GGN, GGN_ROWS, MODES };

static const char *const mode_names[MODES] = { "forward", "train", "lora", "grad",
					       "fit",     "hvp",   "ggn",  "ggn-rows" };

/* Forward passes that an estimate is compared with, before it and after it. */
#define COMPARED 3

struct bench {
	enum mode mode;
	struct model model;
	struct batch batch;
	struct trainer trainer;
	struct pass pass;
	struct partition part;
	struct prober prober;
	struct estimate *estimates;
	bool *wanted;
};

/* ---- the batch ---- */

static int add_token(struct batch *b, uint32_t id, struct err *e)
{
	size_t caps[5];
	int rc = EX_OK;

	for (int i = 0; i < 5; i++)
		caps[i] = b->cap_tokens;
	if ((rc = mem_grow(&b->ids, &caps[0], b->tokens + 1, sizeof *b->ids, e)) != EX_OK ||
	    (rc = mem_grow(&b->types, &caps[1], b->tokens + 1, sizeof *b->types, e)) !=
		EX_OK ||
	    (rc = mem_grow(&b->position, &caps[2], b->tokens + 1, sizeof *b->position,
			   e)) != EX_OK ||
	    (rc = mem_grow(&b->predict, &caps[3], b->tokens + 1, sizeof *b->predict, e)) !=
		EX_OK ||
	    (rc = mem_grow(&b->next, &caps[4], b->tokens + 1, sizeof *b->next, e)) != EX_OK)
		return rc;
	b->cap_tokens = caps[0];
	b->ids[b->tokens] = id;
	b->position[b->tokens] = (uint32_t)(b->tokens - b->start[b->sequences]);
	b->tokens++;
	return EX_OK;
}

static int add_sequence(struct batch *b, int32_t label, struct err *e)
{
	size_t caps[3] = { b->cap_sequences, b->cap_sequences, b->cap_sequences };
	size_t need = b->sequences + 2;
	int rc;

	if ((rc = mem_grow(&b->start, &caps[0], need, sizeof *b->start, e)) != EX_OK ||
	    (rc = mem_grow(&b->label, &caps[1], need, sizeof *b->label, e)) != EX_OK ||
	    (rc = mem_grow(&b->target, &caps[2], need, sizeof *b->target, e)) != EX_OK)
		return rc;
	b->cap_sequences = caps[0];
	b->label[b->sequences] = label;
	return EX_OK;
}

static void end_sequence(struct batch *b)
{
	for (size_t t = b->start[b->sequences]; t + 1 < b->tokens; t++) {
		b->predict[b->targets] = (uint32_t)t;
		b->next[b->targets++] = b->ids[t + 1];
	}
	b->start[++b->sequences] = (uint32_t)b->tokens;
}

static int read_line(struct batch *b, const char *line, size_t positions, struct err *e)
{
	char *end;
	long n = strtol(line, &end, 10);
	int rc = add_sequence(b, (int32_t)n, e);

	for (const char *at = end; rc == EX_OK; at = end) {
		n = strtol(at, &end, 10);
		if (end == at)
			break;
		rc = add_token(b, (uint32_t)n, e);
	}
	for (size_t i = 0; rc == EX_OK && i < positions; i++)
		rc = add_token(b, 0, e);
	if (rc == EX_OK)
		end_sequence(b);
	return rc;
}

static int read_pixels(struct batch *b, const struct config *c, const char *dir,
		       struct err *e)
{
	char *path = file_join(dir, "pixels.f32");
	FILE *f = path == NULL ? NULL : fopen(path, "rb");
	size_t n, caps = 0;
	int rc;

	b->image = c->channels * c->image_height * c->image_width;
	n = b->sequences * b->image;
	rc = mem_grow(&b->pixels, &caps, n, sizeof *b->pixels, e);
	if (rc == EX_OK && (f == NULL || fread(b->pixels, sizeof *b->pixels, n, f) != n))
		rc = err_set(e, EX_NOINPUT, "%s: too short, or not there", path);
	if (f != NULL)
		fclose(f);
	free(path);
	return rc;
}

static int read_batch(struct batch *b, const struct config *c, const char *dir,
		      struct err *e)
{
	char *path = file_join(dir, "batch.txt"), *line = NULL;
	FILE *f = path == NULL ? NULL : fopen(path, "r");
	size_t cap = 0, positions = c->channels > 0 ? c->positions : 0;
	int rc = f == NULL ? err_set(e, EX_NOINPUT, "%s: not there", path) : EX_OK;

	while (rc == EX_OK && getline(&line, &cap, f) > 0)
		rc = read_line(b, line, positions, e);
	if (f != NULL)
		fclose(f);
	free(line);
	free(path);
	return rc == EX_OK && c->channels > 0 ? read_pixels(b, c, dir, e) : rc;
}

/* ---- the steps ---- */

static int choose(struct bench *b, char **names, int n, struct err *e)
{
	const struct model *m = &b->model;
	bool all = b->mode >= GRAD || (b->mode == TRAIN && n == 0);

	b->wanted = mem_zeros(m->n_params, sizeof *b->wanted);
	if (b->wanted == NULL)
		return err_nomem(e);
	for (size_t i = 0; i < m->n_params; i++)
		b->wanted[i] = all || lora_is_pair(&m->params[i]);
	for (int j = 0; j < n; j++) {
		int i = model_find(m, names[j]);

		if (i < 0)
			return err_set(e, EX_USAGE, "no tensor %s", names[j]);
		b->wanted[i] = true;
	}
	return EX_OK;
}

/* Leaves the groups of the tensors named. */
static void keep_named(struct bench *b, char **names, int n)
{
	size_t kept = 0;

	for (size_t k = 0; k < b->part.n; k++) {
		struct group g = b->part.g[k];
		bool named = false;

		for (int j = 0; j < n; j++)
			named = named ||
				model_find(&b->model, names[j]) == (int)g.member[0].param;
		if (!named)
			continue;
		b->part.g[k] = b->part.g[kept];
		b->part.g[kept++] = g;
	}
	b->part.n = kept;
}

static int prepare_prober(struct bench *b, char **names, int n, struct err *e)
{
	static const enum method methods[MODES] = { [GRAD] = METHOD_GRAD,
						    [FIT] = METHOD_FIT,
						    [HVP] = METHOD_HVP,
						    [GGN] = METHOD_GGN,
						    [GGN_ROWS] = METHOD_GGN };
	const struct prober_options o = { .method = methods[b->mode],
					  .trust = { TRUST_RMS, 0.1 } };
	int rc = partition_make(&b->part, &b->model,
				b->mode == GGN_ROWS ? BY_ROW : BY_TENSOR, NULL, e);

	if (rc != EX_OK)
		return rc;
	if (n > 0)
		keep_named(b, names, n);
	b->estimates = mem_zeros(b->part.n, sizeof *b->estimates);
	if (b->estimates == NULL)
		return err_nomem(e);
	return prober_init(&b->prober, &b->trainer, &b->part, &o, e);
}

static int prepare(struct bench *b, const char *dir, char **names, int n, struct err *e)
{
	const struct lora_spec lora = { .rank = { LORA_RANK }, .ranks = 1 };
	struct config c;
	struct head_spec head = { .lora = b->mode == LORA ? &lora : NULL };
	struct trainer_options o = trainer_defaults();
	int rc = config_read(&c, dir, e);

	if (rc != EX_OK)
		return rc;
	rc = read_batch(&b->batch, &c, dir, e);
	config_free(&c);
	if (rc != EX_OK)
		return rc;
	head.language = b->batch.label[0] < 0;
	rc = model_open(&b->model, dir, &head, e);
	if (rc == EX_OK && (b->mode == FORWARD || b->mode > GRAD))
		rc = pass_init(&b->pass, &b->model, false, e);
	if (rc != EX_OK || b->mode == FORWARD)
		return rc;
	rc = choose(b, names, n, e);
	o.dropout = false;
	o.clip = 0;
	o.want_terms = b->mode >= GRAD;
	if (rc == EX_OK)
		rc = trainer_init(&b->trainer, &b->model, b->wanted, &o, e);
	return rc == EX_OK && o.want_terms ? prepare_prober(b, names, n, e) : rc;
}

struct clock {
	double seconds, busy; /* by the wall, and of all threads */
};

static struct clock clock_now(void)
{
	struct timespec t;

	clock_gettime(CLOCK_PROCESS_CPUTIME_ID, &t);
	return (struct clock){ progress_clock(),
			       (double)t.tv_sec + 1e-9 * (double)t.tv_nsec };
}

static int estimate(struct bench *b, double *loss, struct err *e)
{
	int rc = trainer_gradient(&b->trainer, &b->batch, loss, e);

	if (rc != EX_OK)
		return rc;
	return prober_step(&b->prober, 1, *loss, b->estimates, NULL, 0, e);
}

static int train(struct bench *b, double *loss, struct err *e)
{
	int rc;

	if (b->mode == GRAD)
		rc = estimate(b, loss, e);
	else
		rc = trainer_gradient(&b->trainer, &b->batch, loss, e);
	if (rc == EX_OK)
		trainer_step(&b->trainer, 1e-6);
	return rc;
}

static int forward(struct bench *b, double *loss, struct err *e)
{
	int rc = pass_batch(&b->pass, &b->batch, e);

	if (rc == EX_OK)
		pass_forward(&b->pass);
	*loss = b->pass.loss;
	return rc;
}

static void add_since(struct clock *sum, struct clock start)
{
	struct clock end = clock_now();

	sum->seconds += end.seconds - start.seconds;
	sum->busy += end.busy - start.busy;
}

/* Forward passes, whose clocks are added to `sum`. */
static int compare(struct bench *b, struct clock *sum, struct err *e)
{
	double loss;
	int rc = forward(b, &loss, e);

	for (int i = 0; i < COMPARED && rc == EX_OK; i++) {
		struct clock start = clock_now();

		rc = forward(b, &loss, e);
		add_since(sum, start);
	}
	return rc;
}

static int step(struct bench *b, struct err *e)
{
	struct clock start, spent = { 0 }, passes = { 0 };
	bool compared = b->mode > GRAD;
	double loss = 0;
	int rc = compared ? compare(b, &passes, e) : EX_OK;

	if (rc != EX_OK)
		return rc;
	start = clock_now();
	if (b->mode == FORWARD)
		rc = forward(b, &loss, e);
	else
		rc = compared ? estimate(b, &loss, e) : train(b, &loss, e);
	add_since(&spent, start);
	if (rc == EX_OK && compared)
		rc = compare(b, &passes, e);
	printf("%.6f %.6f %.6f %.2f %.2f\n", spent.seconds, spent.busy, loss,
	       compared ? 2 * COMPARED * spent.seconds / passes.seconds : 0,
	       compared ? 2 * COMPARED * spent.busy / passes.busy : 0);
	fflush(stdout);
	return rc;
}

/* The peak of resident memory. getrusage would count that of the program that became this
 * one, too. */
static size_t peak_bytes(void)
{
	FILE *f = fopen("/proc/self/status", "r");
	char line[128];
	size_t kib = 0;

	while (f != NULL && fgets(line, sizeof line, f) != NULL)
		sscanf(line, "VmHWM: %zu kB", &kib);
	if (f != NULL)
		fclose(f);
	return 1024 * kib;
}

static int answer(struct bench *b, struct err *e)
{
	char line[16];
	int rc = EX_OK;

	while (rc == EX_OK && fgets(line, sizeof line, stdin) != NULL)
		rc = step(b, e);
	printf("%zu\n", peak_bytes());
	return rc;
}

int main(int argc, char **argv)
{
	struct bench b = { .mode = MODES };
	struct err e = { 0 };
	int rc;

	for (int i = 0; argc > 2 && i < MODES; i++)
		if (strcmp(argv[1], mode_names[i]) == 0)
			b.mode = (enum mode)i;
	if (b.mode == MODES)
		return EX_USAGE;
	blas_threads(0);
	rc = prepare(&b, argv[2], argv + 3, argc - 3, &e);
	if (rc == EX_OK)
		rc = answer(&b, &e);
	if (rc != EX_OK)
		fprintf(stderr, "bench: %s\n", e.text);
	return rc;
}
