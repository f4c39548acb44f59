#include "train/saved.h"

#include <inttypes.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "base/mem.h"
#include "io/file.h"
#include "io/json.h"

#define SAVED_FORMAT 1

const char *const saved_files[] = { SAVED_NOTE,
				    "config.json",
				    "model.safetensors",
				    "model.safetensors.index.json",
				    "model-*-of-*.safetensors",
				    ADAPTER_CONFIG,
				    ADAPTER_WEIGHTS,
				    ADAPTER_DELTA,
				    "vocab.txt",
				    "vocab.json",
				    "merges.txt",
				    PIXELS_FILE,
				    "tokenizer.json",
				    "tokenizer_config.json",
				    "special_tokens_map.json",
				    "added_tokens.json",
				    NULL };

/* ---- writing ---- */

static json_t *array_of(const struct strlist *l)
{
	json_t *a = json_array();

	for (size_t i = 0; a != NULL && i < l->n; i++) {
		/* A null in place of a string that is not UTF-8: names of groups and a
		 * command line may hold any bytes. */
		json_t *s = json_string(l->s[i]);

		if (json_array_append_new(a, s != NULL ? s : json_null()) != 0) {
			json_decref(a);
			return NULL;
		}
	}
	return a;
}

static json_t *text_or_null(const char *s)
{
	json_t *o = s == NULL ? NULL : json_string(s);

	return o != NULL ? o : json_null();
}

static int fill_note(json_t *o, const struct task *task, const struct saved_note *note,
		     struct err *e)
{
	struct strbuf said = { 0 };
	int rc = task == NULL ? EX_OK : task_print(task, &said, e);

	if (rc == EX_OK &&
	    (json_object_set_new(o, "format", json_integer(SAVED_FORMAT)) ||
	     json_object_set_new(o, "task", text_or_null(said.s)) ||
	     json_object_set_new(o, "max_len", json_integer((json_int_t)note->max_len)) ||
	     json_object_set_new(o, "run", text_or_null(note->run)) ||
	     json_object_set_new(o, "budget", text_or_null(note->budget)) ||
	     json_object_set_new(o, "trained", json_integer((json_int_t)note->trained)) ||
	     json_object_set_new(o, "groups", array_of(&note->groups)) ||
	     json_object_set_new(o, "pg", array_of(&note->pg))))
		rc = err_nomem(e);
	strbuf_free(&said);
	return rc;
}

static int write_note(const char *dir, const json_t *o, struct err *e)
{
	char *path = file_join(dir, SAVED_NOTE);
	int rc = path == NULL ? err_nomem(e) : js_save(o, path, e);

	free(path);
	return rc;
}

static int copy_tokenizer(const char *to, const struct model *m,
			  const struct tokenizer *tok, struct err *e)
{
	const char *const *files = tokenizer_files(tok);
	int rc = EX_OK;

	for (; rc == EX_OK && *files != NULL; files++) {
		char *source = file_join(m->dir, *files), *copy = file_join(to, *files);

		/* An adapter without one has its base's. */
		if (source != NULL && !file_exists(source) && m->base != NULL) {
			free(source);
			source = file_join(m->base, *files);
		}
		rc = source == NULL || copy == NULL ? err_nomem(e)
						    : file_copy(source, copy, e);
		free(source);
		free(copy);
	}
	return rc;
}

static int write_pixels(const char *to, const struct pixels *pixels, struct err *e)
{
	char *path = file_join(to, PIXELS_FILE);
	int rc = path == NULL ? err_nomem(e) : pixels_save(pixels, path, e);

	free(path);
	return rc;
}

static int write_adapter(const char *dir, const struct model *m, enum adapter_form form,
			 const bool *trained, json_t *note, struct err *e)
{
	bool *changed = mem_zeros(m->n_params, sizeof *changed);
	int rc;

	if (changed == NULL)
		return err_nomem(e);
	adapter_changed(m, trained, changed);
	rc = adapter_save(m, dir, form, changed, note, e);
	free(changed);
	return rc;
}

/* The names of the classes; none for regression and language. */
static int name_classes(const struct model *m, const struct task *task,
			struct strlist *names, struct err *e)
{
	const json_t *said = json_object_get(m->config.json, "id2label");
	int rc = EX_OK;

	if (task != NULL && task->kind != TASK_CLASSES)
		return EX_OK;
	for (size_t i = 0; task != NULL && i < task->classes.n && rc == EX_OK; i++)
		rc = strlist_add(names, task->classes.s[i], e);
	if (task != NULL || m->language || m->regression)
		return rc;
	for (size_t i = 0; i < m->config.labels && rc == EX_OK; i++) {
		char label[32];
		const char *name;

		snprintf(label, sizeof label, "%zu", i);
		name = json_object_size(said) == m->config.labels
			   ? json_string_value(json_object_get(said, label))
			   : NULL;
		snprintf(label, sizeof label, "LABEL_%zu", i);
		rc = strlist_add(names, name == NULL ? label : name, e);
	}
	return rc;
}

static int write_model(const char *dir, const struct model *m, enum saved_form form,
		       const bool *trained, const struct task *task, json_t *note,
		       struct err *e)
{
	struct strlist names = { 0 };
	int rc = name_classes(m, task, &names, e);

	if (rc == EX_OK && form == SAVED_FULL)
		rc = model_save(m, dir, (const char *const *)names.s, names.n, e);
	else if (rc == EX_OK)
		rc = model_save_config(m, dir, (const char *const *)names.s, names.n, e);
	strlist_free(&names);
	if (rc != EX_OK || form == SAVED_FULL)
		return rc;
	return write_adapter(dir, m, form == SAVED_PEFT ? ADAPTER_PEFT : ADAPTER_WHOLE,
			     trained, note, e);
}

bool saved_form_named(const char *name, enum saved_form *out)
{
	static const char *const names[] = { "full", "delta", "peft" };

	for (size_t i = 0; i < sizeof names / sizeof *names; i++) {
		if (strcmp(names[i], name) != 0)
			continue;
		*out = (enum saved_form)i;
		return true;
	}
	return false;
}

int saved_write(const char *dir, const struct model *m, enum saved_form form,
		const bool *trained, const struct tokenizer *tok,
		const struct pixels *pixels, const struct task *task,
		const struct saved_note *note, struct err *e)
{
	json_t *o = json_object();
	struct outdir out;
	int rc = o == NULL ? err_nomem(e) : fill_note(o, task, note, e);

	if (rc == EX_OK)
		rc = outdir_open(&out, dir, saved_files, e);
	if (rc != EX_OK) {
		json_decref(o);
		return rc;
	}
	rc = write_model(out.temporary, m, form, trained, task, o, e);
	if (rc == EX_OK)
		rc = write_note(out.temporary, o, e);
	if (rc == EX_OK && tok != NULL)
		rc = copy_tokenizer(out.temporary, m, tok, e);
	if (rc == EX_OK && pixels != NULL)
		rc = write_pixels(out.temporary, pixels, e);
	json_decref(o);
	if (rc == EX_OK)
		return outdir_commit(&out, e);
	outdir_drop(&out);
	return rc;
}

/* ---- reading ---- */

static int read_text(const json_t *o, const char *key, const char *path, char **out,
		     struct err *e)
{
	const char *s;
	int rc = js_text(o, key, NULL, &s, path, e);

	if (rc != EX_OK || s == NULL)
		return rc;
	*out = str_dup(s);
	return *out == NULL ? err_nomem(e) : EX_OK;
}

static int read_count(const json_t *o, const char *key, const char *path, uint64_t *out,
		      struct err *e)
{
	int64_t x;
	int rc = js_int(o, key, 0, &x, path, e);

	if (rc == EX_OK && x < 0)
		rc = err_set(e, EX_DATAERR, "%s: %s is negative", path, key);
	if (rc == EX_OK)
		*out = (uint64_t)x;
	return rc;
}

static int read_list(const json_t *o, const char *key, const char *path,
		     struct strlist *out, struct err *e)
{
	const json_t *a = json_object_get(o, key);
	int rc = EX_OK;

	if (a != NULL && !json_is_array(a))
		return err_set(e, EX_DATAERR, "%s: %s is not an array", path, key);
	for (size_t i = 0; i < json_array_size(a) && rc == EX_OK; i++) {
		const json_t *s = json_array_get(a, i);

		if (json_is_string(s))
			rc = strlist_add(out, json_string_value(s), e);
		else if (!json_is_null(s))
			rc = err_set(e, EX_DATAERR, "%s: %s holds what is no string", path,
				     key);
	}
	return rc;
}

static int check_format(const json_t *o, const char *path, struct err *e)
{
	int64_t format;
	int rc;

	if (!json_is_object(o))
		return err_set(e, EX_DATAERR, "%s: not an object", path);
	rc = js_int(o, "format", 0, &format, path, e);
	if (rc == EX_OK && format != SAVED_FORMAT)
		rc = err_set(e, EX_DATAERR,
			     "%s: format %" PRId64 "; this program knows format %d", path,
			     format, SAVED_FORMAT);
	return rc;
}

static int read_note(struct saved_note *note, const json_t *o, const char *path,
		     struct err *e)
{
	int rc;

	if ((rc = check_format(o, path, e)) != EX_OK ||
	    (rc = read_text(o, "task", path, &note->task, e)) != EX_OK ||
	    (rc = read_count(o, "max_len", path, &note->max_len, e)) != EX_OK ||
	    (rc = read_text(o, "run", path, &note->run, e)) != EX_OK ||
	    (rc = read_text(o, "budget", path, &note->budget, e)) != EX_OK ||
	    (rc = read_count(o, "trained", path, &note->trained, e)) != EX_OK ||
	    (rc = read_list(o, "groups", path, &note->groups, e)) != EX_OK)
		return rc;
	return read_list(o, "pg", path, &note->pg, e);
}

int saved_read(struct saved_note *note, const char *dir, struct err *e)
{
	char *path = file_join(dir, SAVED_NOTE);
	json_t *o = NULL;
	int rc = EX_OK;

	*note = (struct saved_note){ 0 };
	if (path == NULL)
		return err_nomem(e);
	if (file_exists(path)) {
		rc = js_load(&o, path, e);
		if (rc == EX_OK)
			rc = read_note(note, o, path, e);
		json_decref(o);
	}
	free(path);
	if (rc != EX_OK)
		saved_note_free(note);
	return rc;
}

void saved_note_free(struct saved_note *note)
{
	free(note->task);
	free(note->run);
	free(note->budget);
	strlist_free(&note->groups);
	strlist_free(&note->pg);
	*note = (struct saved_note){ 0 };
}
