/*
 * PEFT's adapter_config.json of an adapter that is written.
 */
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "model/adapter.h"
#include "model/adapter_saving.h"
#include "model/family.h"
#include "model/lora.h"

/* What PEFT takes for target_modules when there are no pairs. */
#define NO_TARGETS "dummy-target-modules"
#define NO_RANK    8 /* of its r then */

int saving_set(json_t *o, const char *key, json_t *value, struct err *e)
{
	return json_object_set_new(o, key, value) == 0 ? EX_OK : err_nomem(e);
}

static const char *bias_word(const struct saving *s)
{
	const char *word = "none";

	for (size_t i = 0; i < s->m->n_params; i++) {
		if (s->place[i] != PLACE_BIAS)
			continue;
		if (!s->paired[i])
			return "all";
		word = "lora_only";
	}
	return word;
}

/* Have all modules whose last part is `part` pairs? */
static bool all_targeted(const struct saving *s, const char *part)
{
	for (size_t i = 0; i < s->m->n_params; i++) {
		const char *name = s->memory[i];
		size_t module, len = strlen(part);

		if (lora_is_pair(&s->m->params[i]) || strrchr(name, '.') == NULL)
			continue;
		module = (size_t)(strrchr(name, '.') - name);
		if (module > len && name[module - len - 1] == '.' &&
		    strncmp(name + module - len, part, len) == 0 && !s->paired[i])
			return false;
	}
	return true;
}

/* Adds what PEFT is to be told of a target: its last part, once, where all modules that end
 * with it are targets, else its whole path. `parts` are those that were told, `not_all`
 * those that say too much. */
static int tell_target(const struct saving *s, const char *target, struct strlist *parts,
		       struct strlist *not_all, json_t *told)
{
	const char *dot = strrchr(target, '.');
	const char *part = dot == NULL ? target : dot + 1;
	bool whole = dot != NULL && strlist_has(not_all, part);

	if (strlist_has(parts, part))
		return EX_OK;
	if (!whole && dot != NULL && !all_targeted(s, part)) {
		whole = true;
		if (strlist_add(not_all, part, s->e) != EX_OK)
			return EX_UNAVAILABLE;
	}
	if (!whole && strlist_add(parts, part, s->e) != EX_OK)
		return EX_UNAVAILABLE;
	return json_array_append_new(told, json_string(whole ? target : part)) == 0
		   ? EX_OK
		   : err_nomem(s->e);
}

static json_t *target_names(const struct saving *s)
{
	json_t *told = json_array();
	struct strlist parts = { 0 }, not_all = { 0 };
	int rc = told == NULL ? err_nomem(s->e) : EX_OK;

	for (size_t i = 0; i < s->targets.n && rc == EX_OK; i++)
		rc = tell_target(s, s->targets.s[i], &parts, &not_all, told);
	strlist_free(&parts);
	strlist_free(&not_all);
	if (rc != EX_OK) {
		json_decref(told);
		return NULL;
	}
	return told;
}

static json_t *module_names(const struct saving *s)
{
	json_t *a = s->modules.n == 0 ? json_null() : json_array();

	for (size_t i = 0; i < s->modules.n; i++)
		json_array_append_new(a, json_string(s->modules.s[i]));
	return a;
}

/* Leaves in the pattern what differs from the first target's. */
static json_t *common(const struct saving *s, json_t *pattern)
{
	json_t *first = s->targets.n == 0
			    ? json_integer(NO_RANK)
			    : json_copy(json_object_get(pattern, s->targets.s[0]));

	for (size_t i = 0; i < s->targets.n; i++)
		if (json_equal(json_object_get(pattern, s->targets.s[i]), first))
			json_object_del(pattern, s->targets.s[i]);
	return first;
}

static bool is_transposed(const struct saving *s)
{
	for (size_t i = 0; i < s->m->n_ops; i++)
		if (s->m->ops[i].pairs > 0 && s->m->ops[i].transposed)
			return true;
	return false;
}

double saving_dropout(const struct model *m)
{
	char digits[32];

	for (size_t i = 0; i < m->n_ops; i++) {
		if (m->ops[i].pairs == 0)
			continue;
		snprintf(digits, sizeof digits, "%.7g", (double)m->ops[i].dropout);
		return strtod(digits, NULL);
	}
	return 0;
}

int saving_config(struct saving *s)
{
	const struct model *m = s->m;
	json_t *o = s->config, *task = json_null();
	struct err *e = s->e;

	if (m->language)
		task = json_string("CAUSAL_LM");
	else if (saving_classifies_text(m))
		task = json_string("SEQ_CLS");
	if (saving_set(o, "peft_type", json_string("LORA"), e) != EX_OK ||
	    saving_set(o, "task_type", task, e) != EX_OK ||
	    saving_set(o, "base_model_name_or_path", json_string(model_weights_dir(m)),
		       e) != EX_OK ||
	    saving_set(o, "inference_mode", json_true(), e) != EX_OK ||
	    saving_set(o, "r", common(s, s->ranks), e) != EX_OK ||
	    saving_set(o, "lora_alpha", common(s, s->alphas), e) != EX_OK ||
	    saving_set(o, "rank_pattern", json_incref(s->ranks), e) != EX_OK ||
	    saving_set(o, "alpha_pattern", json_incref(s->alphas), e) != EX_OK ||
	    saving_set(o, "lora_dropout", json_real(saving_dropout(m)), e) != EX_OK ||
	    saving_set(o, "target_modules",
		       s->targets.n == 0 ? json_string(NO_TARGETS) : target_names(s),
		       e) != EX_OK ||
	    saving_set(o, "modules_to_save", module_names(s), e) != EX_OK ||
	    saving_set(o, "bias", json_string(bias_word(s)), e) != EX_OK ||
	    saving_set(o, "fan_in_fan_out", json_boolean(is_transposed(s)), e) != EX_OK ||
	    saving_set(o, "init_lora_weights", json_true(), e) != EX_OK ||
	    saving_set(o, "use_rslora", json_false(), e) != EX_OK)
		return e == NULL ? EX_UNAVAILABLE : e->code;
	return EX_OK;
}
