/*
 * A model as a directory that transformers reads.
 */
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "base/mem.h"
#include "io/file.h"
#include "io/json.h"
#include "model/family.h"
#include "model/lora.h"

#define LABEL_KEY_SIZE 24

/* {"0": NAME, ...} and {NAME: 0, ...}. */
static bool name_labels(const char *const *classes, size_t n, json_t *by_id,
			json_t *by_name)
{
	bool ok = true;

	for (size_t i = 0; i < n && ok; i++) {
		char id[LABEL_KEY_SIZE];

		snprintf(id, sizeof id, "%zu", i);
		ok = json_object_set_new(by_id, id, json_string(classes[i])) == 0 &&
		     json_object_set_new(by_name, classes[i],
					 json_integer((json_int_t)i)) == 0;
	}
	return ok;
}

static int set_labels(json_t *o, const char *const *classes, size_t n, struct err *e)
{
	static const char *const number =
	    "LABEL_0"; /* transformers' name of a regression's */
	json_t *by_id = json_object(), *by_name = json_object();
	bool ok = by_id != NULL && by_name != NULL &&
		  name_labels(n == 0 ? &number : classes, n == 0 ? 1 : n, by_id, by_name);
	const char *problem = n == 0 ? "regression" : "single_label_classification";

	if (ok && n > 0 && json_object_size(by_name) != n) {
		json_decref(by_id);
		json_decref(by_name);
		return err_set(e, EX_DATAERR, "two classes have the same name");
	}
	ok = ok && json_object_set(o, "id2label", by_id) == 0 &&
	     json_object_set(o, "label2id", by_name) == 0 &&
	     json_object_set_new(o, "problem_type", json_string(problem)) == 0;
	json_object_del(o, "num_labels");
	json_decref(by_id);
	json_decref(by_name);
	return ok ? EX_OK : err_set(e, EX_DATAERR, "the name of a class is no valid UTF-8");
}

static int save_config(const struct model *m, const char *path, const char *const *classes,
		       size_t n_classes, struct err *e)
{
	const char *name = m->with_head;
	json_t *o = json_copy(m->config.json);
	int rc;

	if (o == NULL)
		return err_nomem(e);
	json_object_del(o, "torch_dtype");
	if (json_object_set_new(o, "architectures", json_pack("[s]", name)) != 0 ||
	    json_object_set_new(o, "dtype", json_string("float32")) != 0)
		rc = err_nomem(e);
	else
		rc = m->language ? EX_OK : set_labels(o, classes, n_classes, e);
	if (rc == EX_OK)
		rc = js_save(o, path, e);
	json_decref(o);
	return rc;
}

/* ---- weights ---- */

/* The shard that a parameter came from; a new one, or an adapter's that the base has not,
 * goes to the last. */
static size_t shard_of(const struct model *m, const struct param *p)
{
	for (size_t i = m->n_own_files; i < m->n_files; i++)
		if (safetensors_find(&m->files[i], p->name) != NULL)
			return i;
	return m->n_files - 1;
}

static bool has_shards(const struct model *m)
{
	return m->n_files - m->n_own_files > 1;
}

/* Collects the parameters of a shard, or with one file of the model; `t` has room for all.
 */
static size_t collect(const struct model *m, size_t shard, struct tensor_out *t)
{
	size_t n = 0;

	for (size_t i = 0; i < m->n_params; i++) {
		const struct param *p = &m->params[i];

		if (lora_is_pair(p) || (has_shards(m) && shard_of(m, p) != shard))
			continue;
		t[n] = (struct tensor_out){ .name = p->save_name,
					    .dtype = DTYPE_F32,
					    .ndim = p->ndim,
					    .data = p->w };
		memcpy(t[n++].shape, p->shape, sizeof p->shape);
	}
	return n;
}

/* Nothing when the shard has no tensors. */
static int save_file(const struct model *m, const char *dir, const char *name, size_t shard,
		     struct err *e)
{
	struct tensor_out *t = mem_zeros(m->n_params, sizeof *t);
	char *path = file_join(dir, name);
	size_t n = t == NULL ? 0 : collect(m, shard, t);
	int rc = t == NULL || path == NULL ? err_nomem(e) : EX_OK;

	if (rc == EX_OK && n > 0)
		rc = safetensors_write(path, t, n, e);
	free(path);
	free(t);
	return rc;
}

static const char *shard_name(const struct model *m, size_t shard)
{
	const char *slash = strrchr(m->files[shard].path, '/');

	return slash == NULL ? m->files[shard].path : slash + 1;
}

static int save_index(const struct model *m, const char *dir, struct err *e)
{
	char *path = file_join(dir, "model.safetensors.index.json");
	json_t *map = json_object(), *o;
	json_int_t bytes = 0;
	int rc = EX_OK;

	for (size_t i = 0; i < m->n_params; i++) {
		const struct param *p = &m->params[i];

		if (lora_is_pair(p))
			continue;
		bytes += (json_int_t)(p->n * sizeof *p->w);
		if (json_object_set_new(map, p->save_name,
					json_string(shard_name(m, shard_of(m, p)))) != 0)
			rc = err_nomem(e);
	}
	o = json_pack("{s: {s: I}, s: o}", "metadata", "total_size", bytes, "weight_map",
		      map);
	if (path == NULL || o == NULL)
		rc = err_nomem(e);
	if (rc == EX_OK)
		rc = js_save(o, path, e);
	json_decref(o);
	free(path);
	return rc;
}

static int save_weights(const struct model *m, const char *dir, struct err *e)
{
	int rc = EX_OK;

	if (!has_shards(m))
		return save_file(m, dir, "model.safetensors", 0, e);
	for (size_t i = m->n_own_files; i < m->n_files && rc == EX_OK; i++)
		rc = save_file(m, dir, shard_name(m, i), i, e);
	return rc == EX_OK ? save_index(m, dir, e) : rc;
}

int model_save_config(const struct model *m, const char *dir, const char *const *classes,
		      size_t n_classes, struct err *e)
{
	char *config = file_join(dir, "config.json");
	int rc = EX_OK;

	if (config == NULL)
		rc = err_nomem(e);
	else if (!m->language && (n_classes == 0 ? 1 : n_classes) != m->config.labels)
		rc = err_set(e, EX_SOFTWARE, "%zu class names for %zu outputs", n_classes,
			     m->config.labels);
	if (rc == EX_OK)
		rc = save_config(m, config, classes, n_classes, e);
	free(config);
	return rc;
}

int model_save(const struct model *m, const char *dir, const char *const *classes,
	       size_t n_classes, struct err *e)
{
	int rc = model_save_config(m, dir, classes, n_classes, e);

	return rc == EX_OK ? save_weights(m, dir, e) : rc;
}
