#include "model/config.h"

#include <math.h>
#include <stdlib.h>
#include <string.h>

#include "io/file.h"
#include "io/json.h"

/* Bounds: no product of two sizes, times four bytes, comes near 2^63. */
#define MAX_LAYERS    1024
#define MAX_WIDTH     (1 << 16)
#define MAX_INNER     (1 << 20)
#define MAX_VOCAB     (1 << 24)
#define MAX_POSITIONS (1 << 20)
#define MAX_TYPES     (1 << 10)
#define MAX_LABELS    (1 << 16)

struct reader {
	const json_t *o;
	const char *file;
	struct err *e;
};

/* Sizes, with the values that transformers' BertConfig has for those that are not said. */
static int read_size(const struct reader *r, const char *key, int64_t fallback, int64_t max,
		     size_t *out)
{
	int64_t x;
	int rc = js_int(r->o, key, fallback, &x, r->file, r->e);

	if (rc != EX_OK)
		return rc;
	if (x < 1 || x > max)
		return err_set(r->e, EX_DATAERR, "%s: %s is %lld, not in 1 to %lld",
			       r->file, key, (long long)x, (long long)max);
	*out = (size_t)x;
	return EX_OK;
}

static int read_sizes(const struct reader *r, struct config *c)
{
	const struct {
		const char *key;
		int64_t fallback, max;
		size_t *out;
	} sizes[] = {
		{ "num_hidden_layers", 12, MAX_LAYERS, &c->layers },
		{ "hidden_size", 768, MAX_WIDTH, &c->width },
		{ "num_attention_heads", 12, MAX_WIDTH, &c->heads },
		{ "intermediate_size", 3072, MAX_INNER, &c->inner },
		{ "vocab_size", 30522, MAX_VOCAB, &c->vocab },
		{ "max_position_embeddings", 512, MAX_POSITIONS, &c->positions },
		{ "type_vocab_size", 2, MAX_TYPES, &c->types },
	};

	for (size_t i = 0; i < sizeof sizes / sizeof sizes[0]; i++) {
		int rc = read_size(r, sizes[i].key, sizes[i].fallback, sizes[i].max,
				   sizes[i].out);

		if (rc != EX_OK)
			return rc;
	}
	if (c->width % c->heads != 0)
		return err_set(
		    r->e, EX_DATAERR,
		    "%s: num_attention_heads, %zu, does not divide hidden_size, %zu",
		    r->file, c->heads, c->width);
	return EX_OK;
}

static int read_real(const struct reader *r, const char *key, double fallback, double min,
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

static int read_probability(const struct reader *r, const char *key, double fallback,
			    float *out)
{
	double p;
	int rc = read_real(r, key, fallback, 0, 0.99, &p);

	if (rc == EX_OK)
		*out = (float)p;
	return rc;
}

static int read_reals(const struct reader *r, struct config *c)
{
	double eps;
	int rc = read_real(r, "layer_norm_eps", 1e-12, 0, 1, &eps);

	if (rc == EX_OK)
		rc = read_real(r, "initializer_range", 0.02, 0, 100, &c->init_std);
	if (rc == EX_OK)
		rc = read_probability(r, "hidden_dropout_prob", 0.1, &c->dropout);
	if (rc == EX_OK)
		rc = read_probability(r, "attention_probs_dropout_prob", 0.1,
				      &c->attention_dropout);
	if (rc == EX_OK)
		rc = read_probability(r, "classifier_dropout", (double)c->dropout,
				      &c->head_dropout);
	if (rc == EX_OK)
		c->norm_eps = (float)eps;
	return rc;
}

static int read_activation(const struct reader *r, enum activation *act)
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
	int rc = js_text(r->o, "hidden_act", "gelu", &name, r->file, r->e);

	if (rc != EX_OK)
		return rc;
	for (size_t i = 0; i < sizeof known / sizeof known[0]; i++) {
		if (strcmp(name, known[i].name) == 0) {
			*act = known[i].act;
			return EX_OK;
		}
	}
	return err_set(r->e, EX_DATAERR,
		       "%s: hidden_act '%s' is not known; known are gelu, gelu_new, "
		       "gelu_pytorch_tanh, relu, silu, swish, tanh",
		       r->file, name);
}

/* As in transformers id2label, when it is there, says how many; num_labels else. */
static int read_labels(const struct reader *r, struct config *c)
{
	const json_t *names = json_object_get(r->o, "id2label");
	const char *problem;
	int rc = js_text(r->o, "problem_type", "", &problem, r->file, r->e);

	if (rc != EX_OK)
		return rc;
	if (json_is_object(names)) {
		c->labels = json_object_size(names);
		if (c->labels < 1 || c->labels > MAX_LABELS)
			return err_set(r->e, EX_DATAERR,
				       "%s: id2label has %zu labels, not 1 to %d", r->file,
				       c->labels, MAX_LABELS);
	} else if (names != NULL && !json_is_null(names)) {
		return err_set(r->e, EX_DATAERR, "%s: id2label is no object", r->file);
	} else {
		rc = read_size(r, "num_labels", 2, MAX_LABELS, &c->labels);
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

/* What the passes do not compute. */
static int refuse_others(const struct reader *r)
{
	static const char *const absent[] = { "is_decoder", "add_cross_attention" };
	const char *position;
	bool set;
	int rc =
	    js_text(r->o, "position_embedding_type", "absolute", &position, r->file, r->e);

	if (rc == EX_OK && strcmp(position, "absolute") != 0)
		return err_set(
		    r->e, EX_DATAERR,
		    "%s: position_embedding_type '%s' is not supported, only absolute",
		    r->file, position);
	for (size_t i = 0; i < sizeof absent / sizeof absent[0] && rc == EX_OK; i++) {
		rc = js_bool(r->o, absent[i], false, &set, r->file, r->e);
		if (rc == EX_OK && set)
			return err_set(r->e, EX_DATAERR,
				       "%s: %s is true: only encoders are supported",
				       r->file, absent[i]);
	}
	return rc;
}

static int read_family(const struct reader *r, enum family *family)
{
	const char *name;
	int rc;

	if (!json_is_object(r->o))
		return err_set(r->e, EX_DATAERR, "%s: is no JSON object", r->file);
	rc = js_text(r->o, "model_type", NULL, &name, r->file, r->e);
	if (rc != EX_OK)
		return rc;
	if (name == NULL)
		return err_set(r->e, EX_DATAERR,
			       "%s: model_type is missing; known is: bert", r->file);
	if (strcmp(name, "bert") != 0)
		return err_set(r->e, EX_DATAERR,
			       "%s: model_type '%s' is not supported; known is: bert",
			       r->file, name);
	*family = FAMILY_BERT;
	return EX_OK;
}

int config_read(struct config *c, const char *dir, struct err *e)
{
	char *path = file_join(dir, "config.json");
	struct reader r = { .file = path, .e = e };
	int rc;

	memset(c, 0, sizeof *c);
	if (path == NULL)
		return err_nomem(e);
	rc = js_load(&c->json, path, e);
	r.o = c->json;
	if (rc == EX_OK)
		rc = read_family(&r, &c->family);
	if (rc == EX_OK)
		rc = read_sizes(&r, c);
	if (rc == EX_OK)
		rc = read_reals(&r, c);
	if (rc == EX_OK)
		rc = read_activation(&r, &c->act);
	if (rc == EX_OK)
		rc = read_labels(&r, c);
	if (rc == EX_OK)
		rc = refuse_others(&r);
	free(path);
	if (rc != EX_OK)
		config_free(c);
	return rc;
}

void config_free(struct config *c)
{
	json_decref(c->json);
	c->json = NULL;
}
