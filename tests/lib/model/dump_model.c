/*
 * dump_model - what a model computes, for tests/ref/compare.py.
 *
 *   dump_model save DIR OUT            the model as it is first opened, with a new head of
 * two classes where it lacks one, in the directory OUT dump_model logits DIR BATCH        a
 * line of logits for each sequence on stdin dump_model gradients DIR OUT       the
 * gradients of the mean loss over stdin's sequences, one batch, in the new safetensors file
 * OUT
 *
 * A line on stdin is LABEL <tab> IDS [<tab> TYPES].
 */
#include "../batch_text.h"
#include "model/model.h"
#include "model/pass.h"

static int fail(const struct err *e)
{
	fprintf(stderr, "dump_model: %s\n", e->text);
	return e->code;
}

static int save(const struct model *m, const char *out, struct err *e)
{
	static const char *const classes[] = { "negative", "positive" };

	return model_save(m, out, classes, m->regression ? 0 : 2, e);
}

static int logits(const struct model *m, size_t most, struct err *e)
{
	struct pass p;
	struct batch b;
	size_t width = m->slots[m->logits].width;
	int rc = pass_init(&p, m, false, e);
	bool more = true;

	while (rc == EX_OK && more) {
		batch_text_read(&b, stdin, most, m->regression);
		more = b.sequences > 0;
		if (more)
			rc = pass_batch(&p, &b, e);
		if (more && rc == EX_OK)
			pass_forward(&p);
		for (size_t i = 0; i < b.sequences * width && rc == EX_OK; i++)
			printf("%.9g%c", (double)p.act[m->logits][i],
			       (i + 1) % width == 0 ? '\n' : '\t');
		batch_free(&b);
	}
	pass_free(&p);
	return rc;
}

static int write_gradients(const struct gradients *g, const char *out, struct err *e)
{
	const struct model *m = g->m;
	struct tensor_out *t = mem_zeros(m->n_params, sizeof *t);
	int rc;

	if (t == NULL)
		return err_nomem(e);
	for (size_t i = 0; i < m->n_params; i++) {
		t[i] = (struct tensor_out){ .name = m->params[i].save_name,
					    .dtype = DTYPE_F32,
					    .ndim = m->params[i].ndim,
					    .data = g->g[i] };
		memcpy(t[i].shape, m->params[i].shape, sizeof t[i].shape);
	}
	rc = safetensors_write(out, t, m->n_params, e);
	free(t);
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
	batch_text_read(&b, stdin, SIZE_MAX, m->regression);
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

int main(int argc, char **argv)
{
	struct head_spec head = { .seed = 1 };
	struct err e = { 0 };
	struct model m;
	int rc;

	if (argc != 4) {
		fprintf(stderr, "usage: dump_model save|logits|gradients DIR OUT|BATCH\n");
		return EX_USAGE;
	}
	if (strcmp(argv[1], "save") == 0) {
		head.may_be_new = true;
		head.labels = 2;
	}
	if (model_open(&m, argv[2], &head, &e) != EX_OK)
		return fail(&e);
	if (head.may_be_new)
		rc = save(&m, argv[3], &e);
	else if (strcmp(argv[1], "logits") == 0)
		rc = logits(&m, (size_t)atol(argv[3]), &e);
	else
		rc = gradients(&m, argv[3], &e);
	model_close(&m);
	return rc == EX_OK ? 0 : fail(&e);
}
