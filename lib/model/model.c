#include "model/model.h"

#include <nettle/sha2.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "base/mem.h"
#include "io/file.h"
#include "model/adapter.h"
#include "model/family.h"
#include "model/lora.h"

const char *param_type_name(enum param_type t)
{
	static const char *const names[TYPE_COUNT] = {
		[TYPE_HEAD] = "head",     [TYPE_NORM] = "norm",     [TYPE_BIAS] = "bias",
		[TYPE_EMBED] = "embed",   [TYPE_ATTN] = "attn",     [TYPE_MLP] = "mlp",
		[TYPE_LORA_A] = "lora_A", [TYPE_LORA_B] = "lora_B",
	};

	return names[t];
}

/* ---- what a family adds ---- */

int model_add_param(struct model *m, const char *name, const char *save_name,
		    enum param_type type, int layer, int ndim, const size_t *shape,
		    struct err *e)
{
	struct param p = { .type = type, .layer = layer, .ndim = ndim, .n = 1 };

	for (int i = 0; i < ndim; i++) {
		p.shape[i] = shape[i];
		if (!mem_mul(p.n, shape[i], &p.n)) {
			err_set(e, EX_DATAERR, "%s: %s is too large", m->dir, name);
			return -1;
		}
	}
	if (mem_grow(&m->params, &m->cap_params, m->n_params + 1, sizeof *m->params, e) !=
	    EX_OK)
		return -1;
	p.name = str_dup(name);
	p.save_name = str_dup(save_name);
	if (p.name == NULL || p.save_name == NULL) {
		free(p.name);
		free(p.save_name);
		err_nomem(e);
		return -1;
	}
	m->params[m->n_params] = p;
	return (int)m->n_params++;
}

int model_add_slot(struct model *m, size_t width, enum slot_rows rows, struct err *e)
{
	if (mem_grow(&m->slots, &m->cap_slots, m->n_slots + 1, sizeof *m->slots, e) !=
	    EX_OK)
		return -1;
	m->slots[m->n_slots] = (struct slot){ .width = width, .rows = rows };
	return (int)m->n_slots++;
}

struct op *model_add_op(struct model *m, enum op_kind kind, struct err *e)
{
	struct op *op;

	if (mem_grow(&m->ops, &m->cap_ops, m->n_ops + 1, sizeof *m->ops, e) != EX_OK)
		return NULL;
	op = &m->ops[m->n_ops++];
	*op = (struct op){ .kind = kind, .in = { -1, -1, -1 }, .out = -1, .pad = -1 };
	for (int j = 0; j < OP_PARAMS; j++)
		op->p[j] = -1;
	for (int k = 0; k < OP_PAIRS; k++)
		op->mid[k] = -1;
	return op;
}

/* ---- opening ---- */

const struct architecture *const architectures[] = {
	&architecture_bert, &architecture_distilbert, &architecture_roberta,
	&architecture_gpt2, &architecture_vit,        NULL
};

/* The outputs that are asked for, or those of the configuration. */
static int choose_labels(struct model *m, const struct head_spec *head, struct err *e)
{
	m->language = head->language;
	if (head->language && !m->config.arch->language)
		return err_set(e, EX_USAGE, "%s: a %s predicts no next token", m->dir,
			       m->config.arch->model_type);
	if (head->language)
		return EX_OK;
	if (head->labels == 0) {
		m->regression = m->config.regression;
		return EX_OK;
	}
	if (head->regression != (head->labels == 1))
		return err_set(e, EX_USAGE,
			       "a regression has one output and a classification "
			       "two or more, not %zu",
			       head->labels);
	if (!head->may_be_new && head->labels != m->config.labels)
		return err_set(e, EX_DATAERR,
			       "%s: a model with %zu outputs, but the task has %zu", m->dir,
			       m->config.labels, head->labels);
	m->config.labels = head->labels;
	m->config.regression = m->regression = head->regression;
	return EX_OK;
}

/* An adapter that does not bring a configuration along has its base's, but its own head. */
static int read_config(struct model *m, const struct adapter *a, struct err *e)
{
	static const char *const files[] = { "config.json", NULL };
	char *place;
	int rc;

	if (a == NULL || adapter_has_config(a)) {
		rc = adapter_place(m->dir, files, &place, e);
		if (rc == EX_OK)
			rc = config_read(&m->config, place, e);
		free(place);
		return rc;
	}
	rc = config_read(&m->config, m->base, e);
	if (rc == EX_OK && adapter_labels(a) > 0) {
		m->config.labels = adapter_labels(a);
		m->config.regression = m->config.labels == 1;
	}
	return rc;
}

static int build_with(struct model *m, struct adapter *a, const struct head_spec *head,
		      struct err *e)
{
	int rc = read_config(m, a, e);

	if (rc == EX_OK)
		rc = choose_labels(m, head, e);
	if (rc == EX_OK && !head->random)
		rc = model_open_weights(m, e);
	if (rc == EX_OK && a != NULL)
		rc = adapter_overlay(a, m, e);
	if (rc == EX_OK)
		rc = m->config.arch->build(m, head, e);
	if (rc == EX_OK && a != NULL)
		rc = adapter_add_pairs(a, m, e);
	if (rc == EX_OK && head->lora != NULL)
		rc = model_add_lora(m, head->lora, e);
	if (rc == EX_OK)
		rc = model_load(m, head->seed, e);
	return rc == EX_OK ? model_plan(m, e) : rc;
}

static int build(struct model *m, const struct head_spec *head, struct err *e)
{
	struct adapter *a = NULL;
	int rc = head->random ? EX_OK : adapter_open(&a, m, head->base, e);

	if (rc == EX_OK)
		rc = build_with(m, a, head, e);
	adapter_free(a);
	return rc;
}

int model_open(struct model *m, const char *dir, const struct head_spec *head,
	       struct err *e)
{
	int rc;

	memset(m, 0, sizeof *m);
	m->k = kernels_pick(NULL);
	if (!file_is_dir(dir))
		return err_set(e, EX_NOINPUT, "%s: no such model directory", dir);
	m->dir = str_dup(dir);
	rc = m->dir == NULL ? err_nomem(e) : build(m, head, e);
	if (rc != EX_OK)
		model_close(m);
	return rc;
}

void model_close(struct model *m)
{
	for (size_t i = 0; i < m->n_params; i++) {
		free(m->params[i].name);
		free(m->params[i].save_name);
		free(m->params[i].own);
	}
	for (size_t i = 0; i < m->n_files; i++)
		safetensors_close(&m->files[i]);
	free(m->files);
	free(m->params);
	free(m->ops);
	free(m->slots);
	free(m->dir);
	free(m->base);
	strlist_free(&m->unexpected);
	config_free(&m->config);
	memset(m, 0, sizeof *m);
}

/* ---- questions ---- */

uint64_t model_params(const struct model *m)
{
	uint64_t sum = 0;

	for (size_t i = 0; i < m->n_params; i++)
		if (m->params[i].type != TYPE_LORA_A && m->params[i].type != TYPE_LORA_B)
			sum += m->params[i].n;
	return sum;
}

static bool reads(const struct op *op, size_t i)
{
	for (int j = 0; j < OP_PARAMS; j++)
		if (op->p[j] == (int)i)
			return true;
	return false;
}

size_t model_first_use(const struct model *m, size_t i)
{
	size_t k = 0;

	while (k < m->n_ops && !reads(&m->ops[k], i))
		k++;
	return k;
}

size_t model_uses(const struct model *m, size_t i)
{
	size_t uses = 0;

	for (size_t k = 0; k < m->n_ops; k++)
		uses += reads(&m->ops[k], i);
	return uses;
}

int model_find(const struct model *m, const char *name)
{
	size_t skip = m->prefix == NULL ? 0 : strlen(m->prefix);

	for (size_t i = 0; i < m->n_params; i++) {
		const struct param *p = &m->params[i];
		bool prefixed = skip > 0 && str_starts(p->save_name, m->prefix);

		if (strcmp(p->name, name) == 0 || strcmp(p->save_name, name) == 0 ||
		    (prefixed && strcmp(p->save_name + skip, name) == 0))
			return (int)i;
	}
	return -1;
}

int model_own(struct model *m, size_t i, struct err *e)
{
	struct param *p = &m->params[i];

	if (p->own != NULL)
		return EX_OK;
	p->own = mem_floats(p->n);
	if (p->own == NULL)
		return err_nomem(e);
	memcpy(p->own, p->w, p->n * sizeof *p->own);
	p->w = p->own;
	return EX_OK;
}

void model_digest(const struct model *m, char hex[65])
{
	struct sha256_ctx sha;
	uint8_t digest[SHA256_DIGEST_SIZE];

	sha256_init(&sha);
	for (size_t i = 0; i < m->n_params && m->n_files == 0; i++)
		sha256_update(&sha, m->params[i].n * sizeof *m->params[i].w,
			      (const uint8_t *)m->params[i].w);
	for (size_t i = 0; i < m->n_files; i++)
		sha256_update(&sha, m->files[i].map.size, m->files[i].map.data);
	sha256_digest(&sha, sizeof digest, digest);
	for (size_t i = 0; i < sizeof digest; i++)
		snprintf(hex + 2 * i, 3, "%02x", digest[i]);
}
