#include "model/config.h"

#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "io/file.h"
#include "io/json.h"
#include "model/family.h"

int config_sizes(const struct config_reader *r, const struct config_size *sizes, size_t n)
{
	for (size_t i = 0; i < n; i++) {
		const struct config_size *s = &sizes[i];
		int64_t x;
		int rc = js_int(r->o, s->key, s->fallback, &x, r->file, r->e);

		if (rc != EX_OK)
			return rc;
		if (x < 1 || x > (int64_t)s->max)
			return err_set(r->e, EX_DATAERR, "%s: %s is %lld, not in 1 to %d",
				       r->file, s->key, (long long)x, (int)s->max);
		*s->out = (size_t)x;
	}
	return EX_OK;
}

int config_real(const struct config_reader *r, const char *key, double fallback, double min,
		double max, double *out)
{
	int rc = js_real(r->o, key, fallback, out, r->file, r->e);

	if (rc != EX_OK)
		return rc;
	if (!(*out >= min && *out <= max))
		return err_set(r->e, EX_DATAERR, "%s: %s is %g, not in %g to %g", r->file,
			       key, *out, min, max);
	return EX_OK;
}

int config_probabilities(const struct config_reader *r, const struct config_probability *p,
			 size_t n)
{
	for (size_t i = 0; i < n; i++) {
		double x;
		int rc = config_real(r, p[i].key, p[i].fallback, 0, 0.99, &x);

		if (rc != EX_OK)
			return rc;
		*p[i].out = (float)x;
	}
	return EX_OK;
}

int config_activation(const struct config_reader *r, const char *key, const char *fallback,
		      enum activation *act)
{
	static const struct {
		const char *name;
		enum activation act;
	} known[] = {
		{ "gelu", ACT_GELU }, { "gelu_new", ACT_GELU_NEW },
		{ "relu", ACT_RELU }, { "gelu_pytorch_tanh", ACT_GELU_NEW },
		{ "silu", ACT_SILU }, { "swish", ACT_SILU },
		{ "tanh", ACT_TANH },
	};
	const char *name;
	int rc = js_text(r->o, key, fallback, &name, r->file, r->e);

	if (rc != EX_OK)
		return rc;
	for (size_t i = 0; i < sizeof known / sizeof known[0]; i++) {
		if (strcmp(name, known[i].name) == 0) {
			*act = known[i].act;
			return EX_OK;
		}
	}
	return err_set(r->e, EX_DATAERR,
		       "%s: %s '%s' is not known; known are gelu, gelu_new, "
		       "gelu_pytorch_tanh, relu, silu, swish, tanh",
		       r->file, key, name);
}

int config_pad_token(const struct config_reader *r, int64_t fallback, struct config *c)
{
	int rc;

	if (json_is_null(json_object_get(r->o, "pad_token_id"))) {
		c->pad_token = -1;
		return EX_OK;
	}
	rc = js_int(r->o, "pad_token_id", fallback, &c->pad_token, r->file, r->e);
	if (rc != EX_OK)
		return rc;
	if (c->pad_token < -1 || c->pad_token >= (int64_t)c->vocab)
		return err_set(r->e, EX_DATAERR,
			       "%s: pad_token_id is %lld, not in the vocabulary of %zu",
			       r->file, (long long)c->pad_token, c->vocab);
	return EX_OK;
}

int config_refuse(const struct config_reader *r, const char *key, const char *why)
{
	bool set;
	int rc = js_bool(r->o, key, false, &set, r->file, r->e);

	if (rc == EX_OK && set)
		return err_set(r->e, EX_DATAERR, "%s: %s is true: %s", r->file, key, why);
	return rc;
}

/* As in transformers id2label, when it is there, says how many; num_labels else. */
static int read_labels(const struct config_reader *r, struct config *c)
{
	const struct config_size number = { "num_labels", 2, CONFIG_LABELS, &c->labels };
	const json_t *names = json_object_get(r->o, "id2label");
	const char *problem;
	int rc = js_text(r->o, "problem_type", "", &problem, r->file, r->e);

	if (rc != EX_OK)
		return rc;
	if (json_is_object(names)) {
		c->labels = json_object_size(names);
		if (c->labels < 1 || c->labels > CONFIG_LABELS)
			return err_set(r->e, EX_DATAERR,
				       "%s: id2label has %zu labels, not 1 to %d", r->file,
				       c->labels, CONFIG_LABELS);
	} else if (names != NULL && !json_is_null(names)) {
		return err_set(r->e, EX_DATAERR, "%s: id2label is no object", r->file);
	} else {
		rc = config_sizes(r, &number, 1);
		if (rc != EX_OK)
			return rc;
	}
	c->regression = c->labels == 1;
	if (strcmp(problem, "multi_label_classification") == 0 ||
	    (strcmp(problem, "regression") == 0 && c->labels != 1))
		return err_set(
		    r->e, EX_DATAERR,
		    "%s: problem_type %s with %zu labels is not supported: one class "
		    "or one number a text",
		    r->file, problem, c->labels);
	return EX_OK;
}

static int read_architecture(const struct config_reader *r, struct config *c)
{
	struct strbuf known = { 0 };
	const char *name;
	int rc;

	if (!json_is_object(r->o))
		return err_set(r->e, EX_DATAERR, "%s: is no JSON object", r->file);
	rc = js_text(r->o, "model_type", NULL, &name, r->file, r->e);
	if (rc != EX_OK)
		return rc;
	for (const struct architecture *const *a = architectures; *a != NULL; a++) {
		if (name != NULL && strcmp((*a)->model_type, name) == 0)
			c->arch = *a;
		strbuf_printf(&known, "%s%s", a == architectures ? "" : ", ",
			      (*a)->model_type);
	}
	if (c->arch == NULL && name == NULL)
		rc = err_set(r->e, EX_DATAERR, "%s: model_type is missing; known are: %s",
			     r->file, known.failed ? "" : known.s);
	else if (c->arch == NULL)
		rc = err_set(r->e, EX_DATAERR,
			     "%s: model_type '%s' is not supported; known are: %s", r->file,
			     name, known.failed ? "" : known.s);
	strbuf_free(&known);
	return rc;
}

static int check_heads(const struct config_reader *r, const struct config *c)
{
	if (c->width % c->heads == 0)
		return EX_OK;
	return err_set(r->e, EX_DATAERR,
		       "%s: the number of attention heads, %zu, does not divide the "
		       "width, %zu",
		       r->file, c->heads, c->width);
}

int config_read(struct config *c, const char *dir, struct err *e)
{
	char *path = file_join(dir, "config.json");
	struct config_reader r = { .file = path, .e = e };
	int rc;

	memset(c, 0, sizeof *c);
	c->pad_token = -1;
	if (path == NULL)
		return err_nomem(e);
	rc = js_load(&c->json, path, e);
	r.o = c->json;
	if (rc == EX_OK)
		rc = read_architecture(&r, c);
	if (rc == EX_OK)
		rc = c->arch->configure(&r, c);
	if (rc == EX_OK)
		rc = check_heads(&r, c);
	if (rc == EX_OK)
		rc = read_labels(&r, c);
	free(path);
	if (rc != EX_OK)
		config_free(c);
	return rc;
}

const char *config_class(const struct config *c, size_t i)
{
	char key[24], unnamed[32];
	const char *name;

	snprintf(key, sizeof key, "%zu", i);
	snprintf(unnamed, sizeof unnamed, "LABEL_%zu", i);
	name =
	    json_string_value(json_object_get(json_object_get(c->json, "id2label"), key));
	return name == NULL || strcmp(name, unnamed) == 0 ? NULL : name;
}

void config_free(struct config *c)
{
	json_decref(c->json);
	c->json = NULL;
}
