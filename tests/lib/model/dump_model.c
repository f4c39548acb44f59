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
 *   dump_model [-l] [-r RANKS [-d P]] jets DIR adamw|sgd
 *       of each parameter's own direction, for the mean loss over stdin's sequences: its
 *       name, G.v, and the three numbers of struct jet_result
 *   dump_model [-l] [-r RANKS [-d P]] losses DIR N
 *       the mean loss of stdin's sequences under N different dropout masks, a line each
 *
 * -l: the next token is predicted. -r: pairs of these ranks, separated by commas, with
 * a random B, their input dropped with probability P. stdin's lines are those of
 * batch_text.h.
 */
#include <getopt.h>
#include <math.h>

#include "../batch_text.h"
#include "base/prng.h"
#include "model/jet.h"
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

/* The direction of a parameter, plain or as AdamW's first step has it. */
static void direct(bool adamw, size_t n, const float *g, float *v)
{
	for (size_t i = 0; i < n; i++)
		v[i] = adamw ? g[i] / (fabsf(g[i]) + 1e-8f) : g[i];
}

static int print_jets(const struct gradients *g, const struct pass *p, const char *word,
		      struct err *e)
{
	const struct model *m = g->m;
	const float **v = mem_zeros(m->n_params, sizeof *v);
	struct jet *j;
	int rc = v == NULL ? err_nomem(e) : jet_init(&j, m, e);

	if (rc == EX_OK)
		rc = jet_batch(j, p, e);
	for (size_t i = 0; i < m->n_params && rc == EX_OK; i++) {
		size_t n = m->params[i].n;
		float *d = mem_floats(n);
		struct jet_result r;

		if (d == NULL)
			return err_nomem(e);
		direct(strcmp(word, "adamw") == 0, n, g->g[i], d);
		v[i] = d;
		r = jet_run(j, v);
		v[i] = NULL;
		printf("%s\t%.12g\t%.12g\t%.12g\t%.12g\n", m->params[i].save_name,
		       vec_dot(m->k, n, g->g[i], d), r.first, r.second, r.gauss_newton);
		free(d);
	}
	jet_free(j);
	free(v);
	return rc;
}

/* With the gradients of stdin's sequences: writes them to `out`, or prints the jets of the
 * direction that `out` names. */
static int gradients(const struct model *m, const char *out, bool jets, struct err *e)
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
		rc = jets ? print_jets(&g, &p, out, e) : write_gradients(&g, out, e);
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
	return gradients(m, argument, strcmp(command, "jets") == 0, e);
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
				"save|logits|gradients|jets|losses "
				"DIR OUT|BATCH|DIRECTION|N\n");
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
