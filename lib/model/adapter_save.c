/*
 * Adapters as they are written: what of a model goes to which file.
 *
 * PEFT takes LoRA pairs, whole modules (modules_to_save) and biases on their own (bias). It
 * cannot have a pair and a new weight in one module, nor a table that the head is tied to;
 * of a sequence classifier it always wants the head.
 */
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "base/mem.h"
#include "io/file.h"
#include "io/json.h"
#include "model/adapter.h"
#include "model/adapter_name.h"
#include "model/adapter_saving.h"
#include "model/family.h"
#include "model/lora.h"

enum { PEFT, DELTA };

void adapter_changed(const struct model *m, const bool *trained, bool *changed)
{
	for (size_t i = 0; i < m->n_params; i++) {
		const struct param *p = &m->params[i];

		changed[i] = trained[i] || p->fresh || lora_is_pair(p);
		for (size_t f = 0; f < m->n_own_files && !changed[i]; f++)
			changed[i] = safetensors_find(&m->files[f], p->name) != NULL;
	}
}

/* ---- where each parameter goes ---- */

static bool is_outside(const struct saving *s, size_t i)
{
	return !str_starts(s->m->params[i].save_name, s->m->prefix);
}

/* Bytes of a name that are the module which PEFT would save: in the encoder the path
 * without its last part, in the head the first part. */
static size_t module_len(const struct saving *s, size_t i)
{
	const char *name = s->memory[i];
	const char *dot = is_outside(s, i) ? strchr(name, '.') : strrchr(name, '.');

	return dot == NULL ? strlen(name) : (size_t)(dot - name);
}

static bool is_under(const char *name, const char *module)
{
	size_t len = strlen(module);

	return strncmp(name, module, len) == 0 && (name[len] == '.' || name[len] == '\0');
}

static bool under_any(const struct strlist *modules, const char *name)
{
	for (size_t i = 0; i < modules->n; i++)
		if (is_under(name, modules->s[i]))
			return true;
	return false;
}

static void mark_paired(struct saving *s)
{
	for (size_t i = 0; i < s->m->n_ops; i++) {
		const struct op *op = &s->m->ops[i];

		for (int j = 0; j < 2; j++)
			if (op->pairs > 0 && op->p[j] >= 0)
				s->paired[op->p[j]] = true;
	}
}

bool saving_classifies_text(const struct model *m)
{
	return !m->language && m->config.channels == 0;
}

/* Is the whole module of params[i] to be saved on its account? */
static bool asks_for_module(const struct saving *s, size_t i)
{
	const struct param *p = &s->m->params[i];
	bool head = p->type == TYPE_HEAD;

	if (lora_is_pair(p))
		return false;
	if (head && is_outside(s, i) && saving_classifies_text(s->m))
		return true;
	if (!s->changed[i] || s->paired[i])
		return false;
	if (p->type == TYPE_EMBED && model_uses(s->m, i) > 1)
		return false;
	return head || !str_ends(p->name, ".bias");
}

static int list_modules(struct saving *s)
{
	int rc = EX_OK;

	for (size_t i = 0; i < s->m->n_params && rc == EX_OK; i++) {
		char *module;

		if (!asks_for_module(s, i))
			continue;
		module = str_dupn(s->memory[i], module_len(s, i));
		if (module == NULL)
			return err_nomem(s->e);
		if (!strlist_has(&s->modules, module))
			rc = strlist_add(&s->modules, module, s->e);
		free(module);
	}
	return rc;
}

static enum place place_of(const struct saving *s, size_t i)
{
	const struct param *p = &s->m->params[i];
	bool saved = under_any(&s->modules, s->memory[i]);

	if (lora_is_pair(p))
		return saved ? PLACE_DELTA : PLACE_PAIR;
	if (saved)
		return PLACE_MODULE;
	if (!s->changed[i])
		return PLACE_NONE;
	return str_ends(p->name, ".bias") ? PLACE_BIAS : PLACE_DELTA;
}

static int place_all(struct saving *s, enum adapter_form form)
{
	int rc = form == ADAPTER_PEFT ? list_modules(s) : EX_OK;

	for (size_t i = 0; i < s->m->n_params && rc == EX_OK; i++) {
		if (form == ADAPTER_PEFT)
			s->place[i] = place_of(s, i);
		else
			s->place[i] = s->changed[i] ? PLACE_DELTA : PLACE_NONE;
	}
	return rc;
}

/* ---- tensors ---- */

/* Takes `name` over; `values` NULL: the parameter's. */
static int put(struct saving *s, int file, char *name, const struct param *p,
	       const size_t *shape, float *values)
{
	struct tensor_out *t = &s->t[file][s->n[file]];

	if (values != NULL)
		s->owned[s->floats++] = values;
	if (name == NULL)
		return err_nomem(s->e);
	s->name[s->names++] = name;
	*t = (struct tensor_out){ .name = name,
				  .dtype = DTYPE_F32,
				  .ndim = p->ndim,
				  .data = values == NULL ? p->w : values };
	memcpy(t->shape, shape, (size_t)p->ndim * sizeof *shape);
	s->n[file]++;
	return EX_OK;
}

static char *bias_name(const struct saving *s, size_t i)
{
	const char *name = s->memory[i];
	size_t module = strlen(name) - strlen(".bias");

	return str_printf("%s%.*s%s.bias", ADAPTER_ROOT, (int)module, name,
			  s->paired[i] ? ".base_layer" : "");
}

static double alpha_of(const struct op *op, int k, size_t rank)
{
	char digits[32];

	/* The scale is a float: no more digits than it has. */
	snprintf(digits, sizeof digits, "%.7g", (double)op->share[k] * (double)rank);
	return strtod(digits, NULL);
}

/* The pair whose scale all of an operation's pairs get as one: the first that has any. */
static int leader(const struct op *op)
{
	int k = 0;

	while (k + 1 < op->pairs && op->share[k] == 0)
		k++;
	return k;
}

/* scale_k / scale: exactly 1, where they are equal, leaves B as it is. */
static float ratio(const struct op *op, int k)
{
	float scale = op->share[leader(op)];

	return op->share[k] == scale ? 1 : op->share[k] / scale;
}

/* Pairs of several ranks beside one weight are one pair for PEFT: with the scale of the
 * leader, A = [A1; A2; ...] and B = [B1 scale1/scale, B2 scale2/scale, ...]. */
static int join_pairs(struct saving *s, const struct op *op, size_t rank, float **a,
		      float **b)
{
	const struct model *m = s->m;
	size_t in = m->params[op->p[2]].shape[1], out = m->params[op->p[3]].shape[0];
	size_t at = 0;

	*a = mem_floats(rank * in);
	*b = mem_floats(rank * out);
	if (*a == NULL || *b == NULL) {
		free(*a);
		free(*b);
		return err_nomem(s->e);
	}
	for (int k = 0; k < op->pairs; k++) {
		const struct param *ka = &m->params[op->p[2 + 2 * k]];
		const struct param *kb = &m->params[op->p[3 + 2 * k]];
		size_t r = ka->shape[0];
		float share = ratio(op, k);

		memcpy(*a + at * in, ka->w, r * in * sizeof **a);
		for (size_t i = 0; i < out; i++)
			for (size_t j = 0; j < r; j++)
				(*b)[i * rank + at + j] = kb->w[i * r + j] * share;
		at += r;
	}
	return EX_OK;
}

static int put_joined(struct saving *s, const struct op *op, const char *module,
		      size_t rank)
{
	const struct param *a = &s->m->params[op->p[2]], *b = &s->m->params[op->p[3]];
	const size_t shape_a[2] = { rank, a->shape[1] }, shape_b[2] = { b->shape[0], rank };
	float *va, *vb;
	int rc = join_pairs(s, op, rank, &va, &vb);

	if (rc != EX_OK)
		return rc;
	rc = put(s, PEFT, str_printf("%s%s.lora_A.weight", ADAPTER_ROOT, module), a,
		 shape_a, va);
	if (rc != EX_OK) {
		free(vb);
		return rc;
	}
	return put(s, PEFT, str_printf("%s%s.lora_B.weight", ADAPTER_ROOT, module), b,
		   shape_b, vb);
}

/* All pairs of the operation that params[i], the A of the first of them, is part of. */
static int put_pairs(struct saving *s, size_t i)
{
	int first;
	const struct op *op = lora_op_of(s->m, i, &first);
	size_t rank = 0;
	char *module;
	int rc;

	if (first != 0 || op->p[2] != (int)i)
		return EX_OK;
	module = str_dupn(s->memory[i], lora_module_len(s->memory[i]));
	if (module == NULL)
		return err_nomem(s->e);
	for (int k = 0; k < op->pairs; k++)
		rank += s->m->params[op->p[2 + 2 * k]].shape[0];
	rc = strlist_add(&s->targets, module, s->e);
	if (rc == EX_OK)
		rc = saving_set(s->ranks, module, json_integer((json_int_t)rank), s->e);
	if (rc == EX_OK)
		rc = saving_set(s->alphas, module,
				json_real(alpha_of(op, leader(op), rank)), s->e);
	if (rc == EX_OK)
		rc = put_joined(s, op, module, rank);
	free(module);
	return rc;
}

static int put_delta(struct saving *s, size_t i)
{
	const struct param *p = &s->m->params[i];
	struct strbuf pair = { 0 };
	int k, rc = EX_OK;

	if (p->type == TYPE_LORA_A) {
		const struct op *op = lora_op_of(s->m, i, &k);

		lora_pair_name(p->name, &pair);
		rc = pair.failed
			 ? err_nomem(s->e)
			 : saving_set(s->delta_alphas, pair.s,
				      json_real(alpha_of(op, k, p->shape[0])), s->e);
		strbuf_free(&pair);
	}
	return rc == EX_OK ? put(s, DELTA, str_dup(p->name), p, p->shape, NULL) : rc;
}

static int put_all(struct saving *s)
{
	int rc = EX_OK;

	for (size_t i = 0; i < s->m->n_params && rc == EX_OK; i++) {
		const struct param *p = &s->m->params[i];

		switch (s->place[i]) {
		case PLACE_NONE: break;
		case PLACE_MODULE:
			rc = put(s, PEFT, str_printf("%s%s", ADAPTER_ROOT, s->memory[i]), p,
				 p->shape, NULL);
			break;
		case PLACE_BIAS:
			rc = put(s, PEFT, bias_name(s, i), p, p->shape, NULL);
			break;
		case PLACE_PAIR: rc = put_pairs(s, i); break;
		case PLACE_DELTA: rc = put_delta(s, i); break;
		}
	}
	return rc;
}

/* ---- the note ---- */

static json_t *names_of(const struct saving *s, int file)
{
	json_t *a = json_array();

	for (size_t i = 0; i < s->n[file]; i++)
		json_array_append_new(a, json_string(s->t[file][i].name));
	return a;
}

static int add_note(const struct saving *s, enum adapter_form form, json_t *note)
{
	const struct model *m = s->m;
	struct model base = *m;
	json_t *files = json_object();
	char digest[65];
	int rc = EX_OK;

	/* A digest is of files alone. */
	base.files += m->n_own_files;
	base.n_files -= m->n_own_files;
	model_digest(&base, digest);
	if (form == ADAPTER_PEFT)
		rc = saving_set(files, ADAPTER_WEIGHTS, names_of(s, PEFT), s->e);
	if (rc == EX_OK && s->n[DELTA] > 0)
		rc = saving_set(files, ADAPTER_DELTA, names_of(s, DELTA), s->e);
	if (rc == EX_OK)
		rc = saving_set(note, "base",
				json_pack("{s: s, s: s}", "model", model_weights_dir(m),
					  "sha256", digest),
				s->e);
	if (rc == EX_OK)
		rc = saving_set(note, "files", json_incref(files), s->e);
	if (rc == EX_OK && json_object_size(s->delta_alphas) > 0)
		rc = saving_set(note, "lora",
				json_pack("{s: f, s: O}", "dropout", saving_dropout(m),
					  "alpha", s->delta_alphas),
				s->e);
	json_decref(files);
	return rc;
}

/* ---- all of it ---- */

static int start(struct saving *s)
{
	size_t n = s->m->n_params;

	s->place = mem_zeros(n, sizeof *s->place);
	s->paired = mem_zeros(n, sizeof *s->paired);
	s->memory = mem_zeros(n, sizeof *s->memory);
	s->name = mem_zeros(n, sizeof *s->name);
	s->owned = mem_zeros(n, sizeof *s->owned);
	s->t[PEFT] = mem_zeros(n, sizeof *s->t[PEFT]);
	s->t[DELTA] = mem_zeros(n, sizeof *s->t[DELTA]);
	s->config = json_object();
	s->ranks = json_object();
	s->alphas = json_object();
	s->delta_alphas = json_object();
	if (s->place == NULL || s->paired == NULL || s->memory == NULL || s->name == NULL ||
	    s->owned == NULL || s->t[PEFT] == NULL || s->t[DELTA] == NULL ||
	    s->config == NULL || s->ranks == NULL || s->alphas == NULL ||
	    s->delta_alphas == NULL)
		return err_nomem(s->e);
	for (size_t i = 0; i < n; i++) {
		s->memory[i] = adapter_memory_name(s->m, s->m->params[i].save_name);
		if (s->memory[i] == NULL)
			return err_nomem(s->e);
	}
	mark_paired(s);
	return EX_OK;
}

static void finish(struct saving *s)
{
	for (size_t i = 0; i < s->m->n_params && s->memory != NULL; i++)
		free(s->memory[i]);
	for (size_t i = 0; i < s->names; i++)
		free(s->name[i]);
	for (size_t i = 0; i < s->floats; i++)
		free(s->owned[i]);
	free(s->place);
	free(s->paired);
	free(s->memory);
	free(s->name);
	free(s->owned);
	free(s->t[PEFT]);
	free(s->t[DELTA]);
	strlist_free(&s->modules);
	strlist_free(&s->targets);
	json_decref(s->config);
	json_decref(s->ranks);
	json_decref(s->alphas);
	json_decref(s->delta_alphas);
}

static int write_tensors(const struct saving *s, const char *dir, int file,
			 const char *name)
{
	char *path = file_join(dir, name);
	int rc = path == NULL ? err_nomem(s->e)
			      : safetensors_write(path, s->t[file], s->n[file], s->e);

	free(path);
	return rc;
}

/* JSON has no room for other bytes. */
static int check_path(const struct saving *s)
{
	json_t *path = json_string(model_weights_dir(s->m));

	if (path == NULL)
		return err_set(s->e, EX_DATAERR,
			       "%s: an adapter names its base, and this path is no valid "
			       "UTF-8; --save full",
			       model_weights_dir(s->m));
	json_decref(path);
	return EX_OK;
}

static int write_files(struct saving *s, const char *dir, enum adapter_form form)
{
	char *path = file_join(dir, ADAPTER_CONFIG);
	int rc = path == NULL ? err_nomem(s->e) : EX_OK;

	if (rc == EX_OK && form == ADAPTER_PEFT)
		rc = saving_config(s);
	if (rc == EX_OK && form == ADAPTER_PEFT)
		rc = js_save(s->config, path, s->e);
	if (rc == EX_OK && form == ADAPTER_PEFT)
		rc = write_tensors(s, dir, PEFT, ADAPTER_WEIGHTS);
	if (rc == EX_OK && (form == ADAPTER_WHOLE || s->n[DELTA] > 0))
		rc = write_tensors(s, dir, DELTA, ADAPTER_DELTA);
	free(path);
	return rc;
}

int adapter_save(const struct model *m, const char *dir, enum adapter_form form,
		 const bool *changed, json_t *note, struct err *e)
{
	struct saving s = { .m = m, .changed = changed, .e = e };
	int rc;

	if (m->n_files == 0)
		return err_set(e, EX_USAGE,
			       "%s: a model that was drawn from the seed has no base that "
			       "an adapter could stand upon; --save full",
			       m->dir);
	rc = check_path(&s);
	if (rc == EX_OK)
		rc = start(&s);
	if (rc == EX_OK)
		rc = place_all(&s, form);
	if (rc == EX_OK)
		rc = put_all(&s);
	if (rc == EX_OK)
		rc = write_files(&s, dir, form);
	if (rc == EX_OK)
		rc = add_note(&s, form, note);
	finish(&s);
	return rc;
}
