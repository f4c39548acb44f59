/*
 * The weights of a model: its files, and from them or from the seed each parameter's
 * values.
 */
#include <math.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "base/mem.h"
#include "base/prng.h"
#include "io/file.h"
#include "io/json.h"
#include "model/family.h"

/* ---- files ---- */

const char *model_weights_dir(const struct model *m)
{
	return m->base != NULL ? m->base : m->dir;
}

static int add_file(struct model *m, const char *name, struct err *e)
{
	char *path = file_join(model_weights_dir(m), name);
	int rc;

	if (path == NULL)
		return err_nomem(e);
	rc = safetensors_open(&m->files[m->n_files], path, e);
	if (rc == EX_OK)
		m->n_files++;
	free(path);
	return rc;
}

static int by_text(const void *a, const void *b)
{
	return strcmp(*(const char *const *)a, *(const char *const *)b);
}

/* The different file names of a weight_map, sorted. */
static int list_shards(const json_t *map, const char *index, struct strlist *names,
		       struct err *e)
{
	void *at = json_object_iter((json_t *)map);
	size_t n = 0;

	for (; at != NULL; at = json_object_iter_next((json_t *)map, at)) {
		const char *file = json_string_value(json_object_iter_value(at));

		if (file == NULL || strchr(file, '/') != NULL ||
		    !str_ends(file, ".safetensors"))
			return err_set(
			    e, EX_DATAERR,
			    "%s: weight_map: %s is not in a .safetensors file beside it",
			    index, json_object_iter_key(at));
		if (strlist_add(names, file, e) != EX_OK)
			return EX_UNAVAILABLE;
	}
	if (names->n == 0)
		return err_set(e, EX_DATAERR, "%s: has no weight_map", index);
	qsort(names->s, names->n, sizeof *names->s, by_text);
	for (size_t i = 0; i < names->n; i++) {
		if (n > 0 && strcmp(names->s[n - 1], names->s[i]) == 0)
			free(names->s[i]);
		else
			names->s[n++] = names->s[i];
	}
	names->n = n;
	return EX_OK;
}

/* Each tensor is in exactly one shard, the one that the index says. */
static int check_shards(const struct model *m, const json_t *map, const char *index,
			struct err *e)
{
	size_t listed = 0;

	for (size_t i = 0; i < m->n_files; i++) {
		const struct safetensors *f = &m->files[i];
		const char *slash = strrchr(f->path, '/');
		const char *file = slash == NULL ? f->path : slash + 1;

		for (size_t j = 0; j < f->n; j++) {
			const char *said =
			    json_string_value(json_object_get(map, f->t[j].name));

			if (said == NULL || strcmp(said, file) != 0)
				return err_set(
				    e, EX_DATAERR,
				    "%s: tensor %s is in %s, but not in the index", index,
				    f->t[j].name, file);
			listed++;
		}
	}
	if (listed != json_object_size(map))
		return err_set(e, EX_DATAERR,
			       "%s: lists %zu tensors, but the shards hold %zu", index,
			       json_object_size(map), listed);
	return EX_OK;
}

static int open_shards(struct model *m, const json_t *map, const char *index, struct err *e)
{
	struct strlist names = { 0 };
	int rc = list_shards(map, index, &names, e);

	if (rc == EX_OK) {
		m->files = mem_zeros(names.n, sizeof *m->files);
		rc = m->files == NULL ? err_nomem(e) : EX_OK;
	}
	for (size_t i = 0; i < names.n && rc == EX_OK; i++)
		rc = add_file(m, names.s[i], e);
	strlist_free(&names);
	return rc == EX_OK ? check_shards(m, map, index, e) : rc;
}

static int open_index(struct model *m, const char *path, struct err *e)
{
	json_t *index;
	int rc = js_load(&index, path, e);

	if (rc != EX_OK)
		return rc;
	rc = open_shards(m, json_object_get(index, "weight_map"), path, e);
	json_decref(index);
	return rc;
}

int model_open_weights(struct model *m, struct err *e)
{
	char *whole = file_join(model_weights_dir(m), "model.safetensors");
	char *index = file_join(model_weights_dir(m), "model.safetensors.index.json");
	int rc = EX_OK;

	if (whole == NULL || index == NULL) {
		rc = err_nomem(e);
	} else if (file_exists(whole)) {
		m->files = mem_zeros(1, sizeof *m->files);
		rc = m->files == NULL ? err_nomem(e) : add_file(m, "model.safetensors", e);
	} else if (file_exists(index)) {
		rc = open_index(m, index, e);
	} else {
		rc = model_no_weights(m, e);
	}
	free(whole);
	free(index);
	return rc;
}

const struct tensor_view *model_tensor(const struct model *m, const char *name,
				       const struct safetensors **file)
{
	for (size_t i = 0; i < m->n_files; i++) {
		const struct tensor_view *t = safetensors_find(&m->files[i], name);

		if (t != NULL && file != NULL)
			*file = &m->files[i];
		if (t != NULL)
			return t;
	}
	return NULL;
}

/* ---- values ---- */

/* "[30522, 384]" */
static const char *print_shape(char out[128], int ndim, const size_t *shape)
{
	size_t at = 1;

	memcpy(out, "[", 2);
	for (int i = 0; i < ndim; i++)
		at += (size_t)snprintf(out + at, 128 - at, "%s%zu", i == 0 ? "" : ", ",
				       shape[i]);
	snprintf(out + at, 128 - at, "]");
	return out;
}

static int check_shape(const struct param *p, const struct tensor_view *t, const char *file,
		       struct err *e)
{
	char found[128], expected[128];

	if (t->ndim == p->ndim &&
	    memcmp(t->shape, p->shape, (size_t)p->ndim * sizeof *p->shape) == 0)
		return EX_OK;
	return err_set(
	    e, EX_DATAERR,
	    "%s: tensor %s has shape %s, but config.json and the task make it %s", file,
	    p->name, print_shape(found, t->ndim, t->shape),
	    print_shape(expected, p->ndim, p->shape));
}

static int read_values(const struct model *m, struct param *p, const struct tensor_view *t,
		       const char *file, struct err *e)
{
	int rc = check_shape(p, t, file, e);

	if (rc != EX_OK)
		return rc;
	if (t->dtype == DTYPE_F32 && (uintptr_t)t->data % _Alignof(float) == 0) {
		p->w = t->data;
		return EX_OK;
	}
	p->own = mem_floats(p->n);
	if (p->own == NULL)
		return err_nomem(e);
	p->w = p->own;
	rc = tensor_floats(t, p->own, file, e);
	if (rc == EX_OK && !vec_finite(m->k, p->n, p->own))
		rc = err_set(e, EX_DATAERR,
			     "%s: tensor %s holds values that are not finite as F32", file,
			     p->name);
	return rc;
}

static int draw_values(const struct model *m, struct param *p, uint64_t seed, struct err *e)
{
	double std = m->config.init_std, bound = 1 / sqrt((double)p->shape[p->ndim - 1]);
	struct prng r;

	p->own = mem_floats(p->n);
	if (p->own == NULL)
		return err_nomem(e);
	p->w = p->own;
	prng_seed(&r, seed, p->save_name);
	if (p->init == INIT_SCALED)
		std /= sqrt(2 * (double)m->config.layers);
	for (size_t i = 0; i < p->n; i++) {
		double x = 0;

		switch (p->init) {
		case INIT_NORMAL:
		case INIT_SCALED: x = p->ndim == 1 ? 0 : std * prng_normal(&r); break;
		case INIT_ONE: x = 1; break;
		case INIT_UNIFORM: x = bound * (2 * prng_unit(&r) - 1); break;
		case INIT_ZERO: break;
		}
		p->own[i] = (float)x;
	}
	return EX_OK;
}

static int check_missing(const struct model *m, struct err *e)
{
	const struct param *first = NULL;
	size_t missing = 0;

	for (size_t i = 0; i < m->n_params; i++) {
		const struct param *p = &m->params[i];

		if (p->fresh || model_tensor(m, p->name, NULL) != NULL)
			continue;
		if (missing++ == 0)
			first = p;
	}
	if (missing == 0)
		return EX_OK;
	if (missing == 1)
		return err_set(e, EX_DATAERR, "%s: the weights lack tensor %s", m->dir,
			       first->name);
	return err_set(e, EX_DATAERR,
		       "%s: the weights lack %zu of %zu tensors, the first is %s", m->dir,
		       missing, m->n_params, first->name);
}

/* ---- what no parameter reads ---- */

struct names {
	const char **s;
	size_t n;
};

static bool is_ignored(const struct architecture *arch, const char *name)
{
	for (const char *const *glob = arch->ignored; *glob != NULL; glob++)
		if (str_glob(*glob, name))
			return true;
	return false;
}

/* A head of another size is replaced, so its name is no surprise. */
static int list_unexpected(struct model *m, const struct names *known, struct err *e)
{
	for (size_t i = 0; i < m->n_files; i++) {
		const struct safetensors *f = &m->files[i];

		for (size_t j = 0; j < f->n; j++) {
			const char *name = f->t[j].name;

			if (bsearch(&name, known->s, known->n, sizeof *known->s, by_text) !=
			    NULL)
				continue;
			if (is_ignored(m->config.arch, name))
				m->ignored++;
			else if (strlist_add(&m->unexpected, name, e) != EX_OK)
				return EX_UNAVAILABLE;
		}
	}
	return EX_OK;
}

static int sort_out_others(struct model *m, struct err *e)
{
	struct names known = { mem_zeros(m->n_params, sizeof *known.s), m->n_params };
	int rc;

	if (known.s == NULL)
		return err_nomem(e);
	for (size_t i = 0; i < m->n_params; i++)
		known.s[i] = m->params[i].name;
	qsort(known.s, known.n, sizeof *known.s, by_text);
	rc = list_unexpected(m, &known, e);
	free(known.s);
	return rc;
}

int model_load(struct model *m, uint64_t seed, struct err *e)
{
	int rc = check_missing(m, e);

	for (size_t i = 0; i < m->n_params && rc == EX_OK; i++) {
		struct param *p = &m->params[i];
		const struct safetensors *file = NULL;
		const struct tensor_view *t = model_tensor(m, p->name, &file);

		rc = p->fresh ? draw_values(m, p, seed, e)
			      : read_values(m, p, t, file->path, e);
	}
	return rc == EX_OK ? sort_out_others(m, e) : rc;
}
