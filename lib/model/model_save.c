/*
 * A model as a directory that transformers reads.
 */
#include <stdio.h>
#include <stdlib.h>

#include "base/mem.h"
#include "io/file.h"
#include "io/json.h"
#include "model/family.h"

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

static int save_weights(const struct model *m, const char *path, struct err *e)
{
	struct tensor_out *t = mem_zeros(m->n_params, sizeof *t);
	int rc;

	if (t == NULL)
		return err_nomem(e);
	for (size_t i = 0; i < m->n_params; i++) {
		const struct param *p = &m->params[i];

		t[i] = (struct tensor_out){ .name = p->save_name,
					    .dtype = DTYPE_F32,
					    .ndim = p->ndim,
					    .data = p->w };
		for (int d = 0; d < p->ndim; d++)
			t[i].shape[d] = p->shape[d];
	}
	rc = safetensors_write(path, t, m->n_params, e);
	free(t);
	return rc;
}

int model_save(const struct model *m, const char *dir, const char *const *classes,
	       size_t n_classes, struct err *e)
{
	char *config = file_join(dir, "config.json");
	char *weights = file_join(dir, "model.safetensors");
	int rc = EX_OK;

	if (config == NULL || weights == NULL)
		rc = err_nomem(e);
	else if (!m->language && (n_classes == 0 ? 1 : n_classes) != m->config.labels)
		rc = err_set(e, EX_SOFTWARE, "%zu class names for %zu outputs", n_classes,
			     m->config.labels);
	if (rc == EX_OK)
		rc = save_config(m, config, classes, n_classes, e);
	if (rc == EX_OK)
		rc = save_weights(m, weights, e);
	free(config);
	free(weights);
	return rc;
}
