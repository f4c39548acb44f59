#include "data/task.h"

#include <math.h>
#include <stdlib.h>
#include <string.h>

#include "base/num.h"

#define MAX_COLUMN 100000

/* How the files of a task differ from others'. */
enum oddity { NONE, QUOTED_COMMAS, SHORT_ROWS };

/* What is known of a name. Columns and classes are separated by commas. */
struct known {
	const char *name, *text, *label;
	enum task_kind kind;
	enum task_form form;
	bool header;
	const char *metric, *classes;
	enum oddity oddity;
};

/* GLUE as distributed, classes in the order of its numbers; the E2E challenge. */
static const struct known tasks[] = {
	{ "sst2", "sentence", "label", TASK_CLASSES, FORM_ROWS, true, "accuracy", "0,1",
	  NONE },
	{ "cola", "4", "2", TASK_CLASSES, FORM_ROWS, false, "matthews", "0,1", NONE },
	{ "mrpc", "#1 String,#2 String", "Quality", TASK_CLASSES, FORM_ROWS, true, "f1",
	  "0,1", NONE },
	{ "rte", "sentence1,sentence2", "label", TASK_CLASSES, FORM_ROWS, true, "accuracy",
	  "entailment,not_entailment", NONE },
	{ "qnli", "question,sentence", "label", TASK_CLASSES, FORM_ROWS, true, "accuracy",
	  "entailment,not_entailment", NONE },
	{ "qqp", "question1,question2", "is_duplicate", TASK_CLASSES, FORM_ROWS, true, "f1",
	  "0,1", SHORT_ROWS },
	{ "stsb", "sentence1,sentence2", "score", TASK_REGRESSION, FORM_ROWS, true,
	  "pearson", NULL, NONE },
	{ "mnli", "sentence1,sentence2", "gold_label", TASK_CLASSES, FORM_ROWS, true,
	  "accuracy", "entailment,neutral,contradiction", NONE },
	{ "wnli", "sentence1,sentence2", "label", TASK_CLASSES, FORM_ROWS, true, "accuracy",
	  "0,1", NONE },
	{ "e2e", "mr", "ref", TASK_LANGUAGE, FORM_ROWS, true, "bleu", NULL, QUOTED_COMMAS },
	{ "lm", NULL, NULL, TASK_LANGUAGE, FORM_PLAIN, false, "perplexity", NULL, NONE },
	{ "image", TASK_IMAGE_TEXT, TASK_IMAGE_LABEL, TASK_CLASSES, FORM_IMAGES, true,
	  "accuracy", NULL, NONE },
	{ "custom", NULL, NULL, TASK_CLASSES, FORM_ROWS, false, "accuracy", NULL, NONE },
};

#define N_TASKS (sizeof tasks / sizeof tasks[0])

static const char *const metrics[] = { "accuracy", "f1",   "matthews",  "pearson",
				       "spearman", "bleu", "perplexity" };
static const char *const kinds[] = { "classes", "regression", "language" };
static const char *const forms[] = { "rows", "plain", "images" };
static const char *const answers[] = { "no", "yes" };

#define N_OF(list) (sizeof(list) / sizeof *(list))

/* All that can be said of a task, as words. NULL or empty: not said. */
enum key { LABEL, KIND, FORM, HEADER, QUOTING, METRIC, THRESHOLD, ONLY, KEYS };

static const char *const key_names[KEYS] = { "label",   "kind",   "form",      "header",
					     "quoting", "metric", "threshold", "only" };

struct words {
	char *one[KEYS];
	struct strlist text, classes;
};

static void words_free(struct words *w)
{
	for (int k = 0; k < KEYS; k++)
		free(w->one[k]);
	strlist_free(&w->text);
	strlist_free(&w->classes);
}

static int put(char **to, const char *s, struct err *e)
{
	free(*to);
	*to = str_dup(s);
	return *to == NULL ? err_nomem(e) : EX_OK;
}

/* ---- the name ---- */

static int look_up(const char *name, int code, const struct known **out, struct err *e)
{
	const char *names[N_TASKS];
	struct strbuf near = { 0 };

	for (size_t i = 0; i < N_TASKS; i++) {
		names[i] = tasks[i].name;
		if (strcmp(name, tasks[i].name) != 0)
			continue;
		*out = &tasks[i];
		return EX_OK;
	}
	str_near(name, names, N_TASKS, &near);
	if (near.len > 0)
		err_set(e, code, "no task '%s'; did you mean %s?", name, near.s);
	else
		err_set(e, code,
			"no task '%s'; there are sst2, cola, mrpc, rte, qnli, qqp, "
			"stsb, mnli, wnli, e2e, lm and image, and --text and --label for "
			"others",
			name);
	strbuf_free(&near);
	return code;
}

/* ---- the words of a ##task value ---- */

static int decode_list(struct strlist *l, const char *value, struct err *e)
{
	int rc;

	strlist_free(l);
	rc = strlist_split(l, value, ',', e);
	for (size_t i = 0; i < l->n && rc == EX_OK; i++)
		if (!str_unpercent(l->s[i]))
			rc = err_set(e, EX_DATAERR, "task: malformed %%XX in '%s'", value);
	return rc;
}

static int take_word(struct words *w, char *word, struct err *e)
{
	char *value = strchr(word, '=');

	if (value == NULL)
		return err_set(e, EX_DATAERR, "task: '%s' is not KEY=VALUE", word);
	*value++ = '\0';
	if (strcmp(word, "text") == 0)
		return decode_list(&w->text, value, e);
	if (strcmp(word, "classes") == 0)
		return decode_list(&w->classes, value, e);
	for (int k = 0; k < KEYS; k++) {
		if (strcmp(word, key_names[k]) != 0)
			continue;
		if (!str_unpercent(value))
			return err_set(e, EX_DATAERR, "task: malformed %%XX in '%s'",
				       value);
		return put(&w->one[k], value, e);
	}
	return EX_OK;
}

static int take_said(const char *said, const struct known **known, struct words *w,
		     struct err *e)
{
	char *copy = str_dup(said), *rest, *word;
	int rc;

	if (copy == NULL)
		return err_nomem(e);
	word = strtok_r(copy, " \t", &rest);
	rc = look_up(word == NULL ? "" : word, EX_DATAERR, known, e);
	while (rc == EX_OK && (word = strtok_r(NULL, " \t", &rest)) != NULL)
		rc = take_word(w, word, e);
	free(copy);
	return rc;
}

/* ---- checking ---- */

/* Where `word` is in a list of n, or n. */
static size_t place(const char *word, const char *const *list, size_t n)
{
	size_t i = 0;

	while (i < n && strcmp(word, list[i]) != 0)
		i++;
	return i;
}

/* A word that is said is one of a list. */
static int check_choice(const struct words *w, enum key key, const char *const *list,
			size_t n, int code, struct err *e)
{
	const char *word = w->one[key];
	struct strbuf b = { 0 };

	if (word == NULL || place(word, list, n) < n)
		return EX_OK;
	for (size_t i = 0; i < n; i++)
		strbuf_printf(&b, "%s%s", i == 0 ? "" : i + 1 < n ? ", " : " or ", list[i]);
	if (b.failed)
		code = err_nomem(e);
	else
		err_set(e, code, "task: %s '%s' is not %s", key_names[key], word, b.s);
	strbuf_free(&b);
	return code;
}

static int compare(const void *a, const void *b)
{
	return strcmp(*(char *const *)a, *(char *const *)b);
}

static int check_classes(const struct strlist *l, int code, struct err *e)
{
	char *sorted[TASK_MAX_CLASSES];

	if (l->n > TASK_MAX_CLASSES)
		return err_set(e, code, "task: %zu classes; at most %d can be", l->n,
			       TASK_MAX_CLASSES);
	if (l->n == 0)
		return EX_OK;
	memcpy(sorted, l->s, l->n * sizeof *sorted);
	qsort(sorted, l->n, sizeof *sorted, compare);
	for (size_t i = 1; i < l->n; i++)
		if (strcmp(sorted[i - 1], sorted[i]) == 0)
			return err_set(e, code, "task: class '%s' is there twice",
				       sorted[i]);
	return EX_OK;
}

static int check_choices(const struct words *w, int code, struct err *e)
{
	int rc = check_choice(w, METRIC, metrics, N_OF(metrics), code, e);

	if (rc == EX_OK)
		rc = check_choice(w, KIND, kinds, N_OF(kinds), code, e);
	if (rc == EX_OK)
		rc = check_choice(w, FORM, forms, N_OF(forms), code, e);
	if (rc == EX_OK)
		rc = check_choice(w, HEADER, answers, N_OF(answers), code, e);
	if (rc == EX_OK)
		rc = check_choice(w, QUOTING, answers, N_OF(answers), code, e);
	if (rc == EX_OK)
		rc = check_choice(w, ONLY, answers, N_OF(answers), code, e);
	return rc;
}

static int check(const struct words *w, int code, struct err *e)
{
	const char *threshold = w->one[THRESHOLD];
	int rc = check_choices(w, code, e);
	double x;

	if (rc != EX_OK)
		return rc;
	if (threshold != NULL && (!num_real(threshold, &x) || !isfinite(x)))
		return err_set(e, code, "task: threshold '%s' is not a number", threshold);
	if (w->text.n > 2)
		return err_set(e, code, "%zu text columns; a model reads one or two",
			       w->text.n);
	for (size_t i = 0; i < w->text.n; i++)
		if (w->text.s[i][0] == '\0')
			return err_set(e, code, "a text column without a name");
	if (w->one[LABEL] != NULL && w->one[LABEL][0] == '\0')
		return err_set(e, code, "a label column without a name");
	return check_classes(&w->classes, code, e);
}

/* ---- putting together ---- */

static int copy_list(struct strlist *to, const struct strlist *from, struct err *e)
{
	int rc = EX_OK;

	strlist_free(to);
	for (size_t i = 0; i < from->n && rc == EX_OK; i++)
		rc = strlist_add(to, from->s[i], e);
	return rc;
}

static void forget(struct words *w, enum key key)
{
	free(w->one[key]);
	w->one[key] = NULL;
}

static int take_options(struct words *w, const struct task_options *o, struct err *e)
{
	const char *const said[KEYS] = {
		[LABEL] = o->label,         [KIND] = o->kind,
		[HEADER] = o->header,       [QUOTING] = o->quoting,
		[THRESHOLD] = o->threshold, [ONLY] = o->classes.n > 0 ? "yes" : NULL
	};
	int rc = EX_OK;

	/* Classes, a metric and a threshold belong to the kind they were said with. */
	if (o->kind != NULL || o->threshold != NULL) {
		strlist_free(&w->classes);
		forget(w, KIND);
		forget(w, METRIC);
		forget(w, THRESHOLD);
		forget(w, ONLY);
	}
	for (int k = 0; k < KEYS && rc == EX_OK; k++)
		if (said[k] != NULL)
			rc = put(&w->one[k], said[k], e);
	if (o->text.n > 0 && rc == EX_OK)
		rc = copy_list(&w->text, &o->text, e);
	if (o->classes.n > 0 && rc == EX_OK)
		rc = copy_list(&w->classes, &o->classes, e);
	return rc;
}

size_t task_column_number(const char *column)
{
	int64_t n;

	return num_int(column, &n) && n >= 1 && n <= MAX_COLUMN ? (size_t)n : 0;
}

/* Has the file a header, when nobody said so? */
static bool default_header(const struct known *k, const struct task *t)
{
	bool named = k->header || (t->label != NULL && task_column_number(t->label) == 0);

	for (size_t i = 0; i < t->text.n; i++)
		named |= task_column_number(t->text.s[i]) == 0;
	return named;
}

static enum task_quoting default_quoting(const struct known *k)
{
	return k->oddity == QUOTED_COMMAS ? QUOTING_YES : QUOTING_BY_NAME;
}

static enum task_kind kind_of(const struct known *k, const struct words *w)
{
	if (w->one[KIND] != NULL)
		return (enum task_kind)place(w->one[KIND], kinds, N_OF(kinds));
	return w->one[THRESHOLD] != NULL ? TASK_CLASSES : k->kind;
}

static const char *metric_of(const struct known *k, enum task_kind kind)
{
	static const char *const usual[] = { [TASK_CLASSES] = "accuracy",
					     [TASK_REGRESSION] = "pearson",
					     [TASK_LANGUAGE] = "perplexity" };

	return kind == k->kind ? k->metric : usual[kind];
}

static const char *classes_of(const struct known *k, const struct task *t)
{
	if (t->has_threshold)
		return "0,1";
	return t->kind == k->kind ? k->classes : NULL;
}

static int check_columns(const struct task *t, const struct words *w, struct err *e)
{
	if (t->form == FORM_PLAIN && (w->text.n > 0 || w->one[LABEL] != NULL))
		return err_set(e, EX_USAGE,
			       "task %s reads a file as one text, without columns; for "
			       "rows of prompts and completions say --kind language, "
			       "--text COL and --label COL, and no --task",
			       t->name);
	if (t->form == FORM_PLAIN)
		return EX_OK;
	if (w->text.n == 0 || w->one[LABEL] == NULL)
		return err_set(e, EX_USAGE,
			       "which columns hold the %s? say --task NAME, or "
			       "--text COL[,COL] and --label COL",
			       w->text.n == 0 ? "text" : "label");
	if (w->text.n > 1 && t->form == FORM_IMAGES)
		return err_set(e, EX_USAGE, "two text columns; a picture has one path");
	if (w->text.n > 1 && t->kind == TASK_LANGUAGE)
		return err_set(e, EX_USAGE,
			       "two text columns; of a language task one holds the prompt, "
			       "and --label COL the completion");
	return EX_OK;
}

/* Do the kind, the form and what else is said fit together? */
static int check_kind(const struct task *t, const struct words *w, struct err *e)
{
	if ((t->form == FORM_PLAIN && t->kind != TASK_LANGUAGE) ||
	    (t->form == FORM_IMAGES && t->kind == TASK_LANGUAGE))
		return err_set(e, EX_USAGE, "task %s cannot be of kind %s", t->name,
			       kinds[t->kind]);
	if (w->one[THRESHOLD] != NULL && t->kind != TASK_CLASSES)
		return err_set(e, EX_USAGE,
			       "--threshold makes classes of numbers; leave it out for "
			       "--kind %s",
			       kinds[t->kind]);
	if (!t->only_classes)
		return EX_OK;
	if (t->kind != TASK_CLASSES)
		return err_set(e, EX_USAGE, "--classes is nothing for kind %s",
			       kinds[t->kind]);
	if (w->one[THRESHOLD] != NULL)
		return err_set(e, EX_USAGE,
			       "--threshold makes the classes 0 and 1; leave out "
			       "--classes");
	if (w->classes.n < 2)
		return err_set(e, EX_USAGE, "%zu classes; --classes says two or more",
			       w->classes.n);
	return EX_OK;
}

/* What is known of the name, where nothing was said. */
static int complete(const struct task *t, const struct known *k, struct words *w,
		    struct err *e)
{
	const char *classes;
	int rc = EX_OK;

	if (w->text.n == 0 && k->text != NULL)
		rc = strlist_split(&w->text, k->text, ',', e);
	if (w->one[LABEL] == NULL && k->label != NULL && rc == EX_OK)
		rc = put(&w->one[LABEL], k->label, e);
	if (w->one[METRIC] == NULL && rc == EX_OK)
		rc = put(&w->one[METRIC], metric_of(k, t->kind), e);
	if (t->kind != TASK_CLASSES)
		strlist_free(&w->classes);
	classes = classes_of(k, t);
	if (t->kind == TASK_CLASSES && w->classes.n == 0 && classes != NULL && rc == EX_OK)
		rc = strlist_split(&w->classes, classes, ',', e);
	return rc;
}

/* Moves what was said into t and fills in what is known of the name. */
static int assemble(struct task *t, const struct known *k, struct words *w, struct err *e)
{
	int rc = put(&t->name, k->name, e);

	t->kind = kind_of(k, w);
	t->form = w->one[FORM] == NULL
		      ? k->form
		      : (enum task_form)place(w->one[FORM], forms, N_OF(forms));
	t->only_classes = w->one[ONLY] != NULL && strcmp(w->one[ONLY], "yes") == 0;
	if (w->one[THRESHOLD] != NULL)
		t->has_threshold = num_real(w->one[THRESHOLD], &t->threshold);
	if (rc == EX_OK)
		rc = check_kind(t, w, e);
	if (rc == EX_OK)
		rc = complete(t, k, w, e);
	if (rc == EX_OK)
		rc = check_columns(t, w, e);
	if (rc != EX_OK)
		return rc;
	t->text = w->text;
	t->classes = w->classes;
	t->label = w->one[LABEL];
	t->metric = w->one[METRIC];
	w->text = w->classes = (struct strlist){ 0 };
	w->one[LABEL] = w->one[METRIC] = NULL;
	t->header = w->one[HEADER] == NULL ? default_header(k, t)
					   : strcmp(w->one[HEADER], "yes") == 0;
	t->quoting = default_quoting(k);
	if (w->one[QUOTING] != NULL)
		t->quoting = strcmp(w->one[QUOTING], "yes") == 0 ? QUOTING_YES : QUOTING_NO;
	return EX_OK;
}

int task_resolve(struct task *t, const struct task_options *o, const char *said,
		 struct err *e)
{
	const struct known *known = NULL;
	struct words w = { 0 };
	const char *name = o->task;
	size_t len = said == NULL ? 0 : strcspn(said, " \t");
	int rc = EX_OK;

	*t = (struct task){ 0 };
	if (name != NULL && said != NULL &&
	    (strlen(name) != len || strncmp(name, said, len) != 0))
		said = NULL;
	if (said != NULL) {
		rc = take_said(said, &known, &w, e);
		if (rc == EX_OK)
			rc = check(&w, EX_DATAERR, e);
	} else {
		rc = look_up(name == NULL ? "custom" : name, EX_USAGE, &known, e);
	}
	if (rc == EX_OK)
		rc = take_options(&w, o, e);
	if (rc == EX_OK)
		rc = check(&w, EX_USAGE, e);
	if (rc == EX_OK)
		rc = assemble(t, known, &w, e);
	words_free(&w);
	if (rc != EX_OK)
		task_free(t);
	return rc;
}

static bool is_odd(const struct task *t, enum oddity oddity)
{
	for (size_t i = 0; t->name != NULL && i < N_TASKS; i++)
		if (strcmp(t->name, tasks[i].name) == 0)
			return tasks[i].oddity == oddity;
	return false;
}

void task_file_form(const struct task *t, const char *path, char *delimiter, bool *quoting)
{
	bool csv = str_ends(path, ".csv") || str_ends(path, ".csv.gz");
	bool tsv = str_ends(path, ".tsv") || str_ends(path, ".tsv.gz");

	*delimiter = csv || (!tsv && is_odd(t, QUOTED_COMMAS)) ? ',' : '\t';
	*quoting = t->quoting == QUOTING_BY_NAME ? csv : t->quoting == QUOTING_YES;
}

bool task_has_short_rows(const struct task *t)
{
	return is_odd(t, SHORT_ROWS);
}

/* ---- printing ---- */

static void print_word(struct strbuf *out, const char *key, const char *value)
{
	strbuf_printf(out, " %s=", key);
	strbuf_percent(out, value);
}

static void print_list(struct strbuf *out, const char *key, const struct strlist *l)
{
	strbuf_printf(out, " %s=", key);
	for (size_t i = 0; i < l->n; i++) {
		strbuf_puts(out, i == 0 ? "" : ",");
		strbuf_percent(out, l->s[i]);
	}
}

int task_print(const struct task *t, struct strbuf *out, struct err *e)
{
	const struct known *known;
	char number[NUM_MAX];
	int rc = look_up(t->name, EX_SOFTWARE, &known, e);

	if (rc != EX_OK)
		return rc;
	strbuf_puts(out, t->name);
	if (t->text.n > 0)
		print_list(out, "text", &t->text);
	if (t->label != NULL)
		print_word(out, "label", t->label);
	if (t->kind != (t->has_threshold ? TASK_CLASSES : known->kind))
		print_word(out, "kind", kinds[t->kind]);
	if (t->form != known->form)
		print_word(out, "form", forms[t->form]);
	if (t->header != default_header(known, t))
		print_word(out, "header", t->header ? "yes" : "no");
	if (t->quoting != default_quoting(known))
		print_word(out, "quoting", t->quoting == QUOTING_YES ? "yes" : "no");
	if (strcmp(t->metric, metric_of(known, t->kind)) != 0)
		print_word(out, "metric", t->metric);
	if (t->has_threshold) {
		num_print(number, t->threshold);
		print_word(out, "threshold", number);
	}
	if (t->classes.n > 0)
		print_list(out, "classes", &t->classes);
	if (t->only_classes)
		print_word(out, "only", "yes");
	return out->failed ? err_nomem(e) : EX_OK;
}

void task_free(struct task *t)
{
	free(t->name);
	free(t->label);
	free(t->metric);
	strlist_free(&t->text);
	strlist_free(&t->classes);
	*t = (struct task){ 0 };
}
