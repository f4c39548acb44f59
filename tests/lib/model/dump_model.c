/*
 * dump_model - what a model computes, for tests/ref/compare.py.
 *
 *   dump_model [-l] [-r RANKS [-d P]] save DIR OUT
 *       the model as it is first opened, with a new head of two classes where it lacks one,
 *       in the directory OUT
 *   dump_model [-l] [-r RANKS [-d P]] logits DIR BATCH
 *       a line of logits for each sequence, or token that is predicted, of stdin
 *   dump_model [-l] [-r RANKS [-d P]] gradients DIR OUT
 *       the gradients of the mean loss over stdin's sequences, one batch, in the new
 *       safetensors file OUT, and LoRA pairs' values as value:NAME
 *   dump_model [-l] [-r RANKS [-d P]] influence DIR METHOD:DIRECTION:DRAWS:SEEDS
 *       of every tensor its name, slope, curvature and status, as the prober estimates them
 *       for stdin's sequences; so many times, with another seed each
 *   dump_model [-l] [-r RANKS [-d P]] losses DIR N
 *       the mean loss of stdin's sequences under N different dropout masks, a line each
 *
 * -l: the next token is predicted. -r: pairs of these ranks, separated by commas, with
 * a random B, their input dropped with probability P. stdin's lines are those of
 * batch_text.h.
 */
#include <getopt.h>

#include "../batch_text.h"
#include "base/prng.h"
#include "influence/prober.h"
#include "model/lora.h"
#include "model/model.h"
#include "model/pass.h"

static int fail(const struct err *e)
{
	fprintf(stderr, "dump_model: %s\n", e->text);
	return e->code;
}

static int save(const struct model *m, const char *out, struct err *e)
{
	struct strlist classes = { 0 };
	int rc = EX_OK;

	for (size_t i = 0; i < m->config.labels && !m->regression && rc == EX_OK; i++) {
		char name[32];

		snprintf(name, sizeof name, "class %zu", i);
		rc = strlist_add(&classes, name, e);
	}
	if (rc == EX_OK)
		rc = model_save(m, out, (const char *const *)classes.s, classes.n, e);
	strlist_free(&classes);
	return rc;
}

static int logits(const struct model *m, size_t most, struct err *e)
{
	struct pass p;
	struct batch b;
	size_t width = m->slots[m->logits].width;
	int rc = pass_init(&p, m, false, e);
	bool more = true;

	while (rc == EX_OK && more) {
		batch_text_read_for(m, &b, stdin, most);
		more = b.sequences > 0;
		if (more)
			rc = pass_batch(&p, &b, e);
		if (more && rc == EX_OK)
			pass_forward(&p);
		for (size_t i = 0;
		     more && rc == EX_OK && i < pass_rows(&p, m->logits) * width; i++)
			printf("%.9g%c", (double)p.act[m->logits][i],
			       (i + 1) % width == 0 ? '\n' : '\t');
		batch_free(&b);
	}
	pass_free(&p);
	return rc;
}

static int losses(const struct model *m, uint64_t n, struct err *e)
{
	struct pass p;
	struct batch b;
	int rc = pass_init(&p, m, true, e);

	if (rc != EX_OK)
		return rc;
	batch_text_read_for(m, &b, stdin, SIZE_MAX);
	rc = pass_batch(&p, &b, e);
	p.dropout = true;
	for (uint64_t i = 0; i < n && rc == EX_OK; i++) {
		p.key = prng_mix(i);
		pass_forward(&p);
		printf("%.9g\n", p.loss);
	}
	pass_free(&p);
	batch_free(&b);
	return rc;
}

static struct tensor_out tensor_of(const struct param *p, const char *name, const float *x)
{
	struct tensor_out t = { .name = name, .dtype = DTYPE_F32, .ndim = p->ndim };

	t.data = x;
	memcpy(t.shape, p->shape, sizeof t.shape);
	return t;
}

static int write_gradients(const struct gradients *g, const char *out, struct err *e)
{
	const struct model *m = g->m;
	struct tensor_out *t = mem_zeros(2 * m->n_params, sizeof *t);
	struct strlist names = { 0 };
	size_t n = 0;
	int rc = t == NULL ? err_nomem(e) : EX_OK;

	for (size_t i = 0; i < m->n_params && rc == EX_OK; i++) {
		const struct param *p = &m->params[i];
		char name[256];

		t[n++] = tensor_of(p, p->save_name, g->g[i]);
		if (p->type != TYPE_LORA_A && p->type != TYPE_LORA_B)
			continue;
		snprintf(name, sizeof name, "value:%s", p->save_name);
		rc = strlist_add(&names, name, e);
		if (rc == EX_OK)
			t[n++] = tensor_of(p, names.s[names.n - 1], p->w);
	}
	if (rc == EX_OK)
		rc = safetensors_write(out, t, n, e);
	strlist_free(&names);
	free(t);
	return rc;
}

/* What the prober says of every tensor: a line for each of `seeds` seeds. */
static int print_estimates(struct trainer *t, const struct partition *part,
			   const struct batch *b, struct prober_options *o, unsigned seeds,
			   struct err *e)
{
	struct estimate *x = mem_zeros(part->n, sizeof *x);
	int rc = x == NULL ? err_nomem(e) : EX_OK;

	for (o->seed = 1; o->seed <= seeds && rc == EX_OK; o->seed++) {
		struct prober p;
		double loss;

		rc = prober_init(&p, t, part, o, e);
		if (rc != EX_OK)
			break;
		rc = trainer_gradient(t, b, &loss, e);
		if (rc == EX_OK)
			rc = prober_step(&p, 1, loss, x, NULL, 0, e);
		for (size_t k = 0; k < part->n && rc == EX_OK; k++)
			printf("%s\t%.12g\t%.12g\t%s\n",
			       t->m->params[part->g[k].member[0].param].save_name,
			       x[k].slope, x[k].curv, status_name(x[k].status));
		prober_free(&p);
	}
	free(x);
	return rc;
}

/* `how` is METHOD:DIRECTION:DRAWS:SEEDS. */
static int influence(struct model *m, const char *how, struct err *e)
{
	struct trainer_options to = trainer_defaults();
	struct prober_options o = { .method = METHOD_FIT };
	char method[16], direction[16];
	bool *wanted = mem_zeros(m->n_params, sizeof *wanted);
	unsigned seeds;
	struct trainer t;
	struct partition part;
	struct batch b;
	int rc;

	if (wanted == NULL ||
	    sscanf(how, "%15[^:]:%15[^:]:%u:%u", method, direction, &o.draws, &seeds) != 4)
		return err_set(e, EX_USAGE, "%s: METHOD:DIRECTION:DRAWS:SEEDS", how);
	if (strcmp(method, "fit") != 0)
		o.method = strcmp(method, "hvp") == 0 ? METHOD_HVP : METHOD_GGN;
	to.direction = strcmp(direction, "sgd") == 0 ? DIRECTION_SGD : DIRECTION_ADAMW;
	to.clip = 0;
	to.dropout = false;
	to.want_terms = true;
	trust_named("inf", &o.trust);
	for (size_t i = 0; i < m->n_params; i++)
		wanted[i] = true;
	batch_text_read_for(m, &b, stdin, SIZE_MAX);
	rc = trainer_init(&t, m, wanted, &to, e);
	if (rc == EX_OK)
		rc = partition_make(&part, m, BY_TENSOR, NULL, e);
	if (rc == EX_OK) {
		rc = print_estimates(&t, &part, &b, &o, seeds, e);
		partition_free(&part);
		trainer_free(&t);
	}
	batch_free(&b);
	free(wanted);
	return rc;
}

static int gradients(const struct model *m, const char *out, struct err *e)
{
	bool *wanted = mem_zeros(m->n_params, sizeof *wanted);
	struct gradients g = { 0 };
	struct batch b;
	struct pass p;
	int rc = wanted == NULL ? err_nomem(e) : pass_init(&p, m, true, e);

	if (rc != EX_OK)
		return rc;
	batch_text_read_for(m, &b, stdin, SIZE_MAX);
	for (size_t i = 0; i < m->n_params; i++)
		wanted[i] = true;
	rc = gradients_init(&g, m, wanted, false, e);
	if (rc == EX_OK)
		rc = pass_batch(&p, &b, e);
	if (rc == EX_OK) {
		struct visitor v = gradients_visitor(&g);

		gradients_zero(&g);
		pass_forward(&p);
		rc = pass_backward(&p, &v, e);
	}
	if (rc == EX_OK)
		rc = write_gradients(&g, out, e);
	gradients_free(&g);
	pass_free(&p);
	batch_free(&b);
	free(wanted);
	return rc;
}

/* A new pair changes nothing as long as its B is zero. */
static int draw_pairs(struct model *m, struct err *e)
{
	for (size_t i = 0; i < m->n_params; i++) {
		struct param *p = &m->params[i];
		struct prng r;

		if (p->type != TYPE_LORA_B || !p->fresh)
			continue;
		if (model_own(m, i, e) != EX_OK)
			return EX_UNAVAILABLE;
		prng_seed(&r, 2, p->save_name);
		for (size_t j = 0; j < p->n; j++)
			p->own[j] = (float)(0.1 * prng_normal(&r));
	}
	return EX_OK;
}

static void read_ranks(struct lora_spec *s, const char *text)
{
	uint32_t ranks[OP_PAIRS];
	char spaced[64];

	snprintf(spaced, sizeof spaced, "%s", text);
	for (char *c = spaced; (c = strchr(c, ',')) != NULL;)
		*c = ' ';
	s->ranks = (int)batch_text_numbers(spaced, ranks);
	for (int k = 0; k < s->ranks; k++)
		s->rank[k] = ranks[k];
}

static int run(struct model *m, const char *command, const char *argument, struct err *e)
{
	int rc = draw_pairs(m, e);

	if (rc != EX_OK)
		return rc;
	if (strcmp(command, "save") == 0)
		return save(m, argument, e);
	if (strcmp(command, "logits") == 0)
		return logits(m, (size_t)atol(argument), e);
	if (strcmp(command, "losses") == 0)
		return losses(m, (uint64_t)atol(argument), e);
	if (strcmp(command, "influence") == 0)
		return influence(m, argument, e);
	return gradients(m, argument, e);
}

int main(int argc, char **argv)
{
	struct head_spec head = { .seed = 1 };
	struct lora_spec lora = { 0 };
	struct err e = { 0 };
	struct model m;
	int option, rc;

	while ((option = getopt(argc, argv, "lr:d:")) != -1) {
		if (option == 'l')
			head.language = true;
		if (option == 'r')
			read_ranks(&lora, optarg);
		if (option == 'd')
			lora.dropout = strtof(optarg, NULL);
	}
	if (argc - optind != 3) {
		fprintf(stderr, "usage: dump_model [-l] [-r RANKS [-d P]] "
				"save|logits|gradients|influence|losses "
				"DIR OUT|BATCH|HOW|N\n");
		return EX_USAGE;
	}
	argv += optind;
	head.lora = lora.ranks > 0 ? &lora : NULL;
	head.may_be_new = strcmp(argv[0], "save") == 0;
	if (model_open(&m, argv[1], &head, &e) != EX_OK)
		return fail(&e);
	for (size_t i = 0; i < m.unexpected.n; i++)
		fprintf(stderr, "dump_model: unexpected: %s\n", m.unexpected.s[i]);
	rc = run(&m, argv[0], argv[2], &e);
	model_close(&m);
	return rc == EX_OK ? 0 : fail(&e);
}
