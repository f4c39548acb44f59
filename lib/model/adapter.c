/*
 * Adapters as they are read. Its files come before the base's in m->files, their tensors in
 * the base's spelling, so that whoever looks for a tensor finds the adapter's first.
 */
#include "model/adapter.h"

#include <math.h>
#include <stdlib.h>
#include <string.h>

#include "base/mem.h"
#include "io/file.h"
#include "io/json.h"
#include "model/adapter_config.h"
#include "model/adapter_name.h"
#include "model/family.h"
#include "model/lora.h"

/* A pair that the adapter brings along. */
struct brought {
	char *a; /* its tensor MODULE.lora_A.weight in the base's spelling */
	size_t rank;
	double scale, dropout;
};

struct adapter {
	bool has_config;              /* config.json */
	bool peft;                    /* has PEFT's two files */
	struct adapter_config config; /* of these */
	json_t *note;                 /* adapeft.json; NULL: none */
	char *note_file;
	struct safetensors file[2]; /* until they are the model's */
	int files;
	struct brought *pair;
	size_t pairs, cap;
};

/* ---- directories ---- */

static bool has_file(const char *dir, const char *name)
{
	char *path = file_join(dir, name);
	bool yes = path != NULL && file_exists(path);

	free(path);
	return yes;
}

bool adapter_is(const char *dir)
{
	return (has_file(dir, ADAPTER_CONFIG) || has_file(dir, ADAPTER_DELTA)) &&
	       !has_file(dir, "model.safetensors") &&
	       !has_file(dir, "model.safetensors.index.json");
}

/* The base as it is said, or else beside the adapter. */
static int find_base(const char *dir, const char *said, char **base, struct err *e)
{
	char *beside = NULL;

	if (said == NULL || *said == '\0')
		return err_set(e, EX_NOINPUT,
			       "%s: an adapter that does not say what it was trained upon; "
			       "base_model_name_or_path in its %s is the place",
			       dir, ADAPTER_CONFIG);
	if (*said != '/' && (beside = file_join(dir, said)) == NULL)
		return err_nomem(e);
	*base = file_is_dir(said) ? str_dup(said) : NULL;
	if (*base == NULL && beside != NULL && file_is_dir(beside))
		*base = str_dup(beside);
	if (*base != NULL && adapter_is(*base))
		err_set(e, EX_DATAERR,
			"%s: stands upon another adapter, %s; adapeft view --apply makes a "
			"model of that",
			dir, *base);
	else if (*base == NULL && (file_is_dir(said) || (beside && file_is_dir(beside))))
		err_nomem(e);
	else if (*base == NULL)
		err_set(e, EX_NOINPUT,
			"%s: its base, the model %s, is no directory, nor is %s; adapeft "
			"view --apply BASE %s -o DIR says where it is",
			dir, said, beside == NULL ? "there another" : beside, dir);
	free(beside);
	if (*base != NULL && !adapter_is(*base))
		return EX_OK;
	free(*base);
	*base = NULL;
	return e == NULL ? EX_NOINPUT : e->code;
}

static int read_note(struct adapter *a, const char *dir, struct err *e)
{
	int rc;

	a->note_file = file_join(dir, ADAPTER_NOTE);
	if (a->note_file == NULL)
		return err_nomem(e);
	rc = file_exists(a->note_file) ? js_load(&a->note, a->note_file, e) : EX_OK;
	if (rc == EX_OK && a->note != NULL && !json_is_object(a->note))
		rc = err_set(e, EX_DATAERR, "%s: not an object", a->note_file);
	return rc;
}

/* Configuration and note; the base's directory, unless that is NULL. */
static int read_papers(struct adapter *a, const char *dir, char **base, struct err *e)
{
	const char *said = NULL;
	int rc = read_note(a, dir, e);

	a->peft = has_file(dir, ADAPTER_CONFIG);
	if (rc == EX_OK && a->peft)
		rc = adapter_config_read(&a->config, dir, e);
	if (rc != EX_OK || base == NULL)
		return rc;
	if (a->peft)
		said = a->config.base;
	if (said == NULL)
		said = json_string_value(
		    json_object_get(json_object_get(a->note, "base"), "model"));
	return find_base(dir, said, base, e);
}

int adapter_place(const char *dir, const char *const *files, char **place, struct err *e)
{
	struct adapter a = { 0 };
	int rc = EX_OK;

	*place = NULL;
	for (; adapter_is(dir) && *files != NULL && !has_file(dir, *files); files++)
		;
	if (!adapter_is(dir) || *files != NULL) {
		*place = str_dup(dir);
		return *place == NULL ? err_nomem(e) : EX_OK;
	}
	rc = read_papers(&a, dir, place, e);
	adapter_config_free(&a.config);
	json_decref(a.note);
	free(a.note_file);
	return rc;
}

/* ---- opening ---- */

static int open_file(struct adapter *a, const char *dir, const char *name, struct err *e)
{
	char *path = file_join(dir, name);
	int rc =
	    path == NULL ? err_nomem(e) : safetensors_open(&a->file[a->files], path, e);

	free(path);
	if (rc == EX_OK)
		a->files++;
	return rc;
}

static int open_files(struct adapter *a, const char *dir, struct err *e)
{
	int rc = EX_OK;

	if (a->peft && !has_file(dir, ADAPTER_WEIGHTS) &&
	    has_file(dir, "adapter_model.bin"))
		return err_set(e, EX_NOINPUT,
			       "%s/adapter_model.bin: a pickle can run code when it is "
			       "read; convert it: python3 -c 'import torch, "
			       "safetensors.torch as s; "
			       "s.save_file(torch.load(\"%s/adapter_model.bin\"), "
			       "\"%s/%s\")'",
			       dir, dir, dir, ADAPTER_WEIGHTS);
	if (a->peft)
		rc = open_file(a, dir, ADAPTER_WEIGHTS, e);
	if (rc == EX_OK && has_file(dir, ADAPTER_DELTA))
		rc = open_file(a, dir, ADAPTER_DELTA, e);
	return rc;
}

int adapter_open(struct adapter **a, struct model *m, const char *base, struct err *e)
{
	int rc;

	*a = NULL;
	if (!adapter_is(m->dir))
		return EX_OK;
	*a = mem_zeros(1, sizeof **a);
	if (*a == NULL)
		return err_nomem(e);
	(*a)->has_config = has_file(m->dir, "config.json");
	rc = read_papers(*a, m->dir, base == NULL ? &m->base : NULL, e);
	if (rc == EX_OK && base != NULL && (m->base = str_dup(base)) == NULL)
		rc = err_nomem(e);
	if (rc == EX_OK)
		rc = open_files(*a, m->dir, e);
	if (rc != EX_OK) {
		adapter_free(*a);
		*a = NULL;
	}
	return rc;
}

bool adapter_has_config(const struct adapter *a)
{
	return a->has_config;
}

bool adapter_is_language(const char *dir)
{
	struct adapter_config c;
	bool yes;

	if (!has_file(dir, ADAPTER_CONFIG) || adapter_config_read(&c, dir, NULL) != EX_OK)
		return false;
	yes = c.language;
	adapter_config_free(&c);
	return yes;
}

void adapter_free(struct adapter *a)
{
	if (a == NULL)
		return;
	for (int i = 0; i < a->files; i++)
		safetensors_close(&a->file[i]);
	for (size_t i = 0; i < a->pairs; i++)
		free(a->pair[i].a);
	free(a->pair);
	adapter_config_free(&a->config);
	json_decref(a->note);
	free(a->note_file);
	free(a);
}

size_t adapter_labels(const struct adapter *a)
{
	static const char *const heads[] = { "classifier.weight", "score.weight",
					     "classifier.out_proj.weight" };

	for (int i = 0; i < a->files; i++)
		for (size_t j = 0; j < sizeof heads / sizeof *heads; j++) {
			char *wrapped = str_printf("%s%s", ADAPTER_ROOT, heads[j]);
			const struct tensor_view *t =
			    safetensors_find(&a->file[i], heads[j]);

			if (t == NULL && wrapped != NULL)
				t = safetensors_find(&a->file[i], wrapped);
			free(wrapped);
			if (t != NULL && t->ndim == 2)
				return t->shape[0];
		}
	return 0;
}

static bool is_lora_a(const char *name)
{
	return str_ends(name, ".weight") &&
	       strncmp(name + lora_module_len(name), ".lora_A.", strlen(".lora_A.")) == 0;
}

bool adapter_has_pairs(const char *dir)
{
	struct adapter a = { .peft = has_file(dir, ADAPTER_CONFIG) };
	bool any = false;

	if (!adapter_is(dir))
		return false;
	/* Whoever opens the model says what is wrong with its files. */
	if (open_files(&a, dir, NULL) == EX_OK)
		for (int i = 0; i < a.files; i++)
			for (size_t j = 0; j < a.file[i].n; j++)
				any = any || is_lora_a(a.file[i].t[j].name);
	for (int i = 0; i < a.files; i++)
		safetensors_close(&a.file[i]);
	return any;
}

/* ---- names ---- */

/* Takes the first `part` out of a name. */
static void cut(char *name, const char *part)
{
	char *at = strstr(name, part);

	if (at != NULL)
		memmove(at, at + strlen(part), strlen(at + strlen(part)) + 1);
}

/* PEFT's name without what its wrappers add. */
static void unwrap(char *name)
{
	if (str_starts(name, ADAPTER_ROOT))
		cut(name, ADAPTER_ROOT);
	cut(name, ".base_layer");
	cut(name, ".modules_to_save.default");
	cut(name, ".modules_to_save");
	cut(name, ".default");
}

static int add_pair(struct adapter *a, struct brought pair, struct err *e)
{
	int rc = mem_grow(&a->pair, &a->cap, a->pairs + 1, sizeof *a->pair, e);

	if (rc != EX_OK) {
		free(pair.a);
		return rc;
	}
	a->pair[a->pairs++] = pair;
	return EX_OK;
}

/* `name` is unwrapped, `in_base` the same tensor's in the base's spelling. */
static int bring_peft(struct adapter *a, const struct tensor_view *t, const char *name,
		      const char *in_base, struct err *e)
{
	struct brought pair = { .rank = t->shape[0], .dropout = a->config.dropout };
	char *module = str_dupn(name, lora_module_len(name));
	int rc = module == NULL
		     ? err_nomem(e)
		     : adapter_config_scale(&a->config, module, pair.rank, &pair.scale, e);

	free(module);
	if (rc != EX_OK)
		return rc;
	pair.a = str_dup(in_base);
	return pair.a == NULL ? err_nomem(e) : add_pair(a, pair, e);
}

static int by_name(const void *x, const void *y)
{
	return strcmp(((const struct tensor_view *)x)->name,
		      ((const struct tensor_view *)y)->name);
}

/* The value from before that PEFT keeps of a module that was saved whole; with bias "all"
 * it writes that too, and the new one twice. */
static bool is_leftover(const struct safetensors *f, const char *name)
{
	char *plain;
	bool twice;

	if (strstr(name, ".original_module.") != NULL)
		return true;
	if (strstr(name, ".modules_to_save.") == NULL || (plain = str_dup(name)) == NULL)
		return false;
	cut(plain, ".modules_to_save.default");
	cut(plain, ".modules_to_save");
	twice = safetensors_find(f, plain) != NULL;
	free(plain);
	return twice;
}

static void drop_leftovers(struct safetensors *f)
{
	bool *drop = mem_zeros(f->n, sizeof *drop);
	size_t n = 0;

	for (size_t i = 0; i < f->n && drop != NULL; i++)
		drop[i] = is_leftover(f, f->t[i].name);
	for (size_t i = 0; i < f->n && drop != NULL; i++) {
		if (drop[i])
			free(f->t[i].name);
		else
			f->t[n++] = f->t[i];
	}
	f->n = drop == NULL ? f->n : n;
	free(drop);
}

/* Gives the tensors of PEFT's file the names that the base has for them. */
static int rename_tensors(struct adapter *a, const struct model *m, struct err *e)
{
	struct safetensors *f = &a->file[0];
	int rc = EX_OK;

	drop_leftovers(f);
	for (size_t i = 0; i < f->n && rc == EX_OK; i++) {
		struct tensor_view *t = &f->t[i];
		char *in_base;

		unwrap(t->name);
		in_base = adapter_base_name(m, t->name);
		if (in_base == NULL)
			return err_nomem(e);
		if (is_lora_a(in_base) && t->ndim == 2)
			rc = bring_peft(a, t, t->name, in_base, e);
		free(t->name);
		t->name = in_base;
	}
	qsort(f->t, f->n, sizeof *f->t, by_name);
	for (size_t i = 1; i < f->n && rc == EX_OK; i++)
		if (strcmp(f->t[i - 1].name, f->t[i].name) == 0)
			rc = err_set(e, EX_DATAERR, "%s: two tensors are %s", f->path,
				     f->t[i].name);
	return rc;
}

/* Scale and dropout of a pair in delta.safetensors, which the note knows. */
static int read_scale(const struct adapter *a, const char *tensor, struct brought *pair,
		      struct err *e)
{
	const json_t *lora = json_object_get(a->note, "lora");
	struct strbuf name = { 0 };
	const json_t *alpha;
	int rc;

	lora_pair_name(tensor, &name);
	if (name.failed)
		return err_nomem(e);
	alpha = json_object_get(json_object_get(lora, "alpha"), name.s);
	strbuf_free(&name);
	if (!json_is_number(alpha) ||
	    !(fabs(json_number_value(alpha)) <= ADAPTER_MAX_ALPHA))
		return err_set(e, EX_DATAERR,
			       "%s: does not say a usable alpha of the pair of %s in %s",
			       a->note_file, tensor, ADAPTER_DELTA);
	pair->scale = json_number_value(alpha) / (double)pair->rank;
	rc = js_real(lora, "dropout", 0, &pair->dropout, a->note_file, e);
	if (rc == EX_OK && !(pair->dropout >= 0 && pair->dropout < 1))
		return err_set(e, EX_DATAERR, "%s: the pairs' dropout is %g, not in 0 to 1",
			       a->note_file, pair->dropout);
	return rc;
}

static int bring_delta(struct adapter *a, struct err *e)
{
	const struct safetensors *f = &a->file[a->files - 1];
	int rc = EX_OK;

	for (size_t i = 0; i < f->n && rc == EX_OK; i++) {
		const struct tensor_view *t = &f->t[i];
		struct brought pair = { .rank = t->shape[0] };

		if (!is_lora_a(t->name) || t->ndim != 2 || pair.rank == 0)
			continue;
		rc = read_scale(a, t->name, &pair, e);
		if (rc == EX_OK && (pair.a = str_dup(t->name)) == NULL)
			rc = err_nomem(e);
		if (rc == EX_OK)
			rc = add_pair(a, pair, e);
	}
	return rc;
}

/* ---- between base and model ---- */

static int check_base(const struct adapter *a, const struct model *m, struct err *e)
{
	const char *said =
	    json_string_value(json_object_get(json_object_get(a->note, "base"), "sha256"));
	char digest[65];

	if (said == NULL)
		return EX_OK;
	model_digest(m, digest);
	if (strcmp(said, digest) == 0)
		return EX_OK;
	return err_set(e, EX_DATAERR,
		       "%s: was trained upon other weights than those in %s (sha256 %.12s, "
		       "not %.12s)",
		       m->dir, m->base, said, digest);
}

/* The adapter's files, before those of the base. */
static int put_first(struct adapter *a, struct model *m, struct err *e)
{
	size_t n = (size_t)a->files;
	struct safetensors *files = mem_zeros(n + m->n_files, sizeof *files);

	if (files == NULL)
		return err_nomem(e);
	for (size_t i = 0; i < n; i++)
		files[i] = a->file[i];
	for (size_t i = 0; i < m->n_files; i++)
		files[n + i] = m->files[i];
	free(m->files);
	m->files = files;
	m->n_files += n;
	m->n_own_files = n;
	a->files = 0;
	return EX_OK;
}

int adapter_overlay(struct adapter *a, struct model *m, struct err *e)
{
	int rc = check_base(a, m, e);

	if (rc == EX_OK && a->peft)
		rc = rename_tensors(a, m, e);
	if (rc == EX_OK && a->files > (a->peft ? 1 : 0))
		rc = bring_delta(a, e);
	return rc == EX_OK ? put_first(a, m, e) : rc;
}

static int add_brought(struct model *m, const struct brought *pair, struct err *e)
{
	size_t len = lora_module_len(pair->a);
	char *weight = str_printf("%.*s.weight", (int)len, pair->a);
	const char *tail = pair->a + len + strlen(".lora_A");
	char *between = str_dupn(tail, strlen(tail) - strlen(".weight"));
	int at = weight == NULL ? -1 : model_find(m, weight), rc;

	if (weight == NULL || between == NULL)
		rc = err_nomem(e);
	else if (at < 0 || !lora_can_have(m, (size_t)at))
		rc = err_set(e, EX_DATAERR,
			     "%s: a LoRA pair beside %s, which is no linear module of this "
			     "model",
			     m->dir, weight);
	else if (model_find(m, pair->a) >= 0)
		rc = err_set(e, EX_DATAERR, "%s: two files hold the LoRA pair of %s",
			     m->dir, pair->a);
	else if (pair->rank == 0 || pair->rank > LORA_MAX_RANK)
		rc = err_set(e, EX_DATAERR, "%s: %s has rank %zu", m->dir, pair->a,
			     pair->rank);
	else
		rc = model_add_pair(m, (size_t)at, pair->rank, pair->scale,
				    (float)pair->dropout, between, e);
	for (int k = 1; k <= 2 && rc == EX_OK; k++)
		m->params[m->n_params - (size_t)k].fresh = false;
	free(weight);
	free(between);
	return rc;
}

static bool is_param(const struct model *m, const char *name)
{
	for (size_t i = 0; i < m->n_params; i++)
		if (strcmp(m->params[i].name, name) == 0)
			return true;
	return false;
}

int adapter_add_pairs(const struct adapter *a, struct model *m, struct err *e)
{
	int rc = EX_OK;

	for (size_t i = 0; i < a->pairs && rc == EX_OK; i++)
		rc = add_brought(m, &a->pair[i], e);
	for (size_t i = 0; i < m->n_own_files && rc == EX_OK; i++)
		for (size_t j = 0; j < m->files[i].n && rc == EX_OK; j++)
			if (!is_param(m, m->files[i].t[j].name))
				rc = err_set(e, EX_DATAERR,
					     "%s: tensor %s is no part of this model",
					     m->files[i].path, m->files[i].t[j].name);
	return rc;
}
