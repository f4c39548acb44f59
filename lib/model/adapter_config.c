#include "model/adapter_config.h"

#include <math.h>
#include <stdlib.h>
#include <string.h>

#define PCRE2_CODE_UNIT_WIDTH 8
#include <pcre2.h>

#include "base/str.h"
#include "io/file.h"
#include "io/json.h"
#include "model/adapter.h"

/* Members that change what the tensors mean, in ways that are not computed here. */
static const struct {
	const char *key, *what;
} unsupported[] = {
	{ "use_dora", "DoRA" },
	{ "use_qalora", "QA-LoRA" },
	{ "use_bdlora", "BD-LoRA" },
	{ "lora_bias", "biases of LoRA pairs" },
	{ "alora_invocation_tokens", "activated LoRA" },
	{ "arrow_config", "Arrow" },
	{ "layer_replication", "replicated layers" },
	{ "target_parameters", "LoRA of parameters outside of modules" },
	{ "trainable_token_indices", "single trained tokens" },
	{ "monteclora_config", "MonteCLoRA" },
	{ "kasa_config", "KaSA" },
	{ "velora_config", "VeLoRA" },
};

/* Beginnings that change the base's weights. */
static const char *const changing[] = { "pissa*", "olora", "corda", "loftq", "lora_ga" };

/* Not null, false or empty? */
static bool is_set(const json_t *x)
{
	if (json_is_array(x))
		return json_array_size(x) > 0;
	if (json_is_object(x))
		return json_object_size(x) > 0;
	return x != NULL && !json_is_null(x) && !json_is_false(x);
}

static int check_supported(const struct adapter_config *c, struct err *e)
{
	const char *type,
	    *begins = json_string_value(json_object_get(c->json, "init_lora_weights"));
	int rc = js_text(c->json, "peft_type", "", &type, c->file, e);

	if (rc != EX_OK)
		return rc;
	if (strcmp(type, "LORA") != 0)
		return err_set(e, EX_DATAERR,
			       "%s: peft_type '%s' is not supported, only LORA", c->file,
			       type);
	for (size_t i = 0; i < sizeof unsupported / sizeof *unsupported; i++)
		if (is_set(json_object_get(c->json, unsupported[i].key)))
			return err_set(e, EX_DATAERR, "%s: %s is set: %s is not supported",
				       c->file, unsupported[i].key, unsupported[i].what);
	for (size_t i = 0; i < sizeof changing / sizeof *changing && begins != NULL; i++)
		if (str_glob(changing[i], begins))
			return err_set(e, EX_DATAERR,
				       "%s: init_lora_weights '%s' changed the base's "
				       "weights; PEFT's save_pretrained with "
				       "path_initial_model_for_weight_conversion makes a "
				       "plain LoRA of it",
				       c->file, begins);
	return EX_OK;
}

static int read_members(struct adapter_config *c, struct err *e)
{
	const char *task;
	int rc;

	if (!json_is_object(c->json))
		return err_set(e, EX_DATAERR, "%s: not an object", c->file);
	if ((rc = check_supported(c, e)) != EX_OK ||
	    (rc = js_text(c->json, "task_type", "", &task, c->file, e)) != EX_OK ||
	    (rc = js_text(c->json, "base_model_name_or_path", NULL, &c->base, c->file,
			  e)) != EX_OK ||
	    (rc = js_real(c->json, "lora_alpha", 8, &c->alpha, c->file, e)) != EX_OK ||
	    (rc = js_real(c->json, "lora_dropout", 0, &c->dropout, c->file, e)) != EX_OK ||
	    (rc = js_bool(c->json, "use_rslora", false, &c->rslora, c->file, e)) != EX_OK)
		return rc;
	c->language = strcmp(task, "CAUSAL_LM") == 0;
	if (!(fabs(c->alpha) <= ADAPTER_MAX_ALPHA))
		return err_set(e, EX_DATAERR, "%s: lora_alpha is %g", c->file, c->alpha);
	if (!(c->dropout >= 0 && c->dropout < 1))
		return err_set(e, EX_DATAERR, "%s: lora_dropout is %g, not in 0 to 1",
			       c->file, c->dropout);
	return EX_OK;
}

int adapter_config_read(struct adapter_config *c, const char *dir, struct err *e)
{
	int rc;

	*c = (struct adapter_config){ .file = file_join(dir, ADAPTER_CONFIG) };
	rc = c->file == NULL ? err_nomem(e) : js_load(&c->json, c->file, e);
	if (rc == EX_OK)
		rc = read_members(c, e);
	if (rc != EX_OK)
		adapter_config_free(c);
	return rc;
}

void adapter_config_free(struct adapter_config *c)
{
	json_decref(c->json);
	free(c->file);
	*c = (struct adapter_config){ 0 };
}

/* ---- rank_pattern, alpha_pattern ---- */

/* Steps of one match, far more than any sensible expression takes for a module's path. */
#define MATCH_STEPS 100000

static int matches(const struct adapter_config *c, const char *of, const char *key,
		   const char *module, bool *yes, struct err *e)
{
	char *pattern = str_printf("(?:.*\\.)?(?:%s)$", key);
	pcre2_code *code = NULL;
	pcre2_match_data *room = NULL;
	pcre2_match_context *limits = NULL;
	int number, found;
	PCRE2_SIZE at;
	int rc = EX_OK;

	*yes = false;
	if (pattern == NULL)
		return err_nomem(e);
	code = pcre2_compile((PCRE2_SPTR)pattern, PCRE2_ZERO_TERMINATED,
			     PCRE2_ANCHORED | PCRE2_DOLLAR_ENDONLY, &number, &at, NULL);
	if (code == NULL) {
		rc = err_set(e, EX_DATAERR, "%s: %s: '%s' is no expression", c->file, of,
			     key);
	} else if ((room = pcre2_match_data_create(1, NULL)) == NULL ||
		   (limits = pcre2_match_context_create(NULL)) == NULL) {
		rc = err_nomem(e);
	} else {
		pcre2_set_match_limit(limits, MATCH_STEPS);
		found = pcre2_match(code, (PCRE2_SPTR)module, strlen(module), 0, 0, room,
				    limits);
		*yes = found >= 0;
		if (found < 0 && found != PCRE2_ERROR_NOMATCH)
			rc = err_set(e, EX_DATAERR, "%s: %s: '%s' cannot be matched",
				     c->file, of, key);
	}
	pcre2_match_context_free(limits);
	pcre2_match_data_free(room);
	pcre2_code_free(code);
	free(pattern);
	return rc;
}

/* What a pattern says of a module: the value of the first expression that matches; `value`
 * as it is when none does. */
static int look_up(const struct adapter_config *c, const char *pattern, const char *module,
		   double *value, struct err *e)
{
	const char *key;
	json_t *said;
	bool yes = false;

	json_object_foreach(json_object_get(c->json, pattern), key, said)
	{
		int rc = matches(c, pattern, key, module, &yes, e);

		if (rc != EX_OK)
			return rc;
		if (!yes)
			continue;
		if (!json_is_number(said) ||
		    !(fabs(json_number_value(said)) <= ADAPTER_MAX_ALPHA))
			return err_set(e, EX_DATAERR, "%s: %s: '%s' is not a usable number",
				       c->file, pattern, key);
		*value = json_number_value(said);
		break;
	}
	return EX_OK;
}

int adapter_config_scale(const struct adapter_config *c, const char *module, size_t rank,
			 double *scale, struct err *e)
{
	double alpha = c->alpha, expected = (double)rank;
	int rc = js_real(c->json, "r", expected, &expected, c->file, e);

	if (rc == EX_OK)
		rc = look_up(c, "rank_pattern", module, &expected, e);
	if (rc == EX_OK)
		rc = look_up(c, "alpha_pattern", module, &alpha, e);
	if (rc != EX_OK)
		return rc;
	if (expected != (double)rank)
		return err_set(e, EX_DATAERR,
			       "%s: the pair of %s has rank %zu, but r and rank_pattern "
			       "say %g",
			       c->file, module, rank, expected);
	*scale = alpha / (c->rslora ? sqrt((double)rank) : (double)rank);
	return EX_OK;
}
