#include "base/opt.h"

#include <math.h>
#include <stdlib.h>
#include <string.h>

#include "base/num.h"
#include "base/str.h"

/* ---- values ---- */

static bool bounded(const struct opt *o)
{
	return o->min != 0 || o->max != 0;
}

static bool in_bounds(const struct opt *o, double x)
{
	return !bounded(o) || (x >= o->min && x <= o->max);
}

static int bad_number(const struct opt *o, const char *shown, const char *value,
		      const char *what, struct err *e)
{
	char low[NUM_MAX], high[NUM_MAX];

	if (!bounded(o))
		return err_set(e, EX_USAGE, "%s: '%s' is not %s", shown, value, what);
	num_print(low, o->min);
	num_print(high, o->max);
	if (isinf(o->max) || o->max >= 1e18)
		return err_set(e, EX_USAGE, "%s: '%s' is not %s of at least %s", shown,
			       value, what, low);
	return err_set(e, EX_USAGE, "%s: '%s' is not %s from %s to %s", shown, value, what,
		       low, high);
}

static bool is_choice(const char *choices, const char *value)
{
	size_t len = strlen(value);

	for (const char *c = choices;; c++) {
		size_t n = strcspn(c, "|");

		if (n == len && memcmp(c, value, n) == 0)
			return true;
		c += n;
		if (*c == '\0')
			return false;
	}
}

static int set_text(const struct opt *o, const char *shown, const char *value,
		    struct err *e)
{
	if (o->choices != NULL && !is_choice(o->choices, value))
		return err_set(e, EX_USAGE, "%s: '%s' is none of %s", shown, value,
			       o->choices);
	*(const char **)o->to = value;
	return EX_OK;
}

static int set_value(const struct opt *o, const char *shown, const char *value,
		     struct err *e)
{
	int64_t i;
	uint64_t u;
	double x;

	switch (o->type) {
	case OPT_TEXT: return set_text(o, shown, value, e);
	case OPT_LIST: return strlist_split(o->to, value, ',', e);
	case OPT_INT:
		if (!num_int(value, &i) || !in_bounds(o, (double)i))
			return bad_number(o, shown, value, "a whole number", e);
		*(int64_t *)o->to = i;
		return EX_OK;
	case OPT_COUNT:
		if (!num_count(value, &u) || !in_bounds(o, (double)u))
			return bad_number(o, shown, value, "a count", e);
		*(uint64_t *)o->to = u;
		return EX_OK;
	case OPT_REAL:
		if (!num_real(value, &x) || !isfinite(x) || !in_bounds(o, x))
			return bad_number(o, shown, value, "a number", e);
		*(double *)o->to = x;
		return EX_OK;
	case OPT_FLAG:
	case OPT_GROUP:
	case OPT_END: break;
	}
	return err_set(e, EX_SOFTWARE, "%s: an option of a type that takes no value",
		       shown);
}

/* ---- finding options ---- */

static const struct opt *find_letter(const struct opt *o, char letter)
{
	for (; o->type != OPT_END; o++)
		if (o->type != OPT_GROUP && o->letter == letter)
			return o;
	return NULL;
}

static const struct opt *find_name(const struct opt *o, const char *name, size_t len)
{
	for (; o->type != OPT_END; o++)
		if (o->type != OPT_GROUP && o->name != NULL && strlen(o->name) == len &&
		    memcmp(o->name, name, len) == 0)
			return o;
	return NULL;
}

static int unknown(const struct program *p, const char *name, size_t len, struct err *e)
{
	struct strbuf near = { 0 };
	struct strlist names = { 0 }, found = { 0 };
	char *word = str_dupn(name, len);
	int rc = word == NULL ? err_nomem(e) : EX_OK;

	for (const struct opt *o = p->opts; rc == EX_OK && o->type != OPT_END; o++)
		if (o->type != OPT_GROUP && o->name != NULL)
			rc = strlist_add(&names, o->name, e);
	if (rc == EX_OK)
		str_near(word, (const char *const *)names.s, names.n, &near);
	if (rc == EX_OK && near.len > 0)
		rc = strlist_split(&found, near.s, ',', e);
	if (rc == EX_OK) {
		strbuf_clear(&near);
		for (size_t i = 0; i < found.n; i++)
			strbuf_printf(&near, "%s--%s", i == 0 ? "; did you mean " : ", ",
				      found.s[i] + strspn(found.s[i], " "));
		rc =
		    err_set(e, EX_USAGE, "--%s: no such option%s%s", word,
			    found.n > 0 ? near.s : " (see --help)", found.n > 0 ? "?" : "");
	}
	strbuf_free(&near);
	strlist_free(&names);
	strlist_free(&found);
	free(word);
	return rc;
}

/* ---- parsing ---- */

/* Where parsing stands. */
struct scan {
	int argc, at; /* argv[at] is looked at */
	char **argv;
};

static int take_value(struct scan *s, const struct opt *o, const char *shown,
		      const char *attached, struct err *e)
{
	if (attached != NULL)
		return set_value(o, shown, attached, e);
	if (s->at + 1 >= s->argc)
		return err_set(e, EX_USAGE, "%s: needs a value, %s", shown,
			       o->arg == NULL ? "VALUE" : o->arg);
	return set_value(o, shown, s->argv[++s->at], e);
}

static int parse_long(const struct program *p, struct scan *s, struct err *e)
{
	const char *name = s->argv[s->at] + 2;
	size_t len = strcspn(name, "=");
	const char *value = name[len] == '=' ? name + len + 1 : NULL;
	const struct opt *o = find_name(p->opts, name, len);
	char shown[64];

	if (o == NULL)
		return unknown(p, name, len, e);
	snprintf(shown, sizeof shown, "--%s", o->name);
	if (o->type != OPT_FLAG)
		return take_value(s, o, shown, value, e);
	if (value != NULL)
		return err_set(e, EX_USAGE, "%s: takes no value, but got '%s'", shown,
			       value);
	*(bool *)o->to = true;
	return EX_OK;
}

/* -x, -xVALUE, -x VALUE, or several flags and at last perhaps one with a value. */
static int parse_letters(const struct program *p, struct scan *s, struct err *e)
{
	for (const char *c = s->argv[s->at] + 1; *c != '\0'; c++) {
		const struct opt *o = find_letter(p->opts, *c);
		char shown[3] = { '-', *c, '\0' };

		if (o == NULL && c > s->argv[s->at] + 1)
			return err_set(e, EX_USAGE,
				       "%s in '%s': no such option (see --help)", shown,
				       s->argv[s->at]);
		if (o == NULL)
			return err_set(e, EX_USAGE, "%s: no such option (see --help)",
				       shown);
		if (o->type != OPT_FLAG)
			return take_value(s, o, shown, c[1] == '\0' ? NULL : c + 1, e);
		*(bool *)o->to = true;
	}
	return EX_OK;
}

/* Parses the options in argv[1..) and collects pointers to the operands. */
static int scan_all(const struct program *p, struct scan *s, char **operands, int *n,
		    struct err *e)
{
	for (s->at = 1; s->at < s->argc; s->at++) {
		char *arg = s->argv[s->at];
		int rc;

		if (strcmp(arg, "--") == 0) {
			while (++s->at < s->argc)
				operands[(*n)++] = s->argv[s->at];
			return EX_OK;
		}
		if (arg[0] != '-' || arg[1] == '\0') {
			operands[(*n)++] = arg;
			continue;
		}
		rc = arg[1] == '-' ? parse_long(p, s, e) : parse_letters(p, s, e);
		if (rc != EX_OK)
			return rc;
	}
	return EX_OK;
}

/* Moves the operands, which are in order, behind everything else in argv. */
static void operands_last(int argc, char **argv, char **operands, int n)
{
	int to = 1, next = 0;

	for (int i = 1; i < argc; i++) {
		if (next < n && argv[i] == operands[next])
			next++;
		else
			argv[to++] = argv[i];
	}
	for (int i = 0; i < n; i++)
		argv[argc - n + i] = operands[i];
}

int opt_parse(const struct program *p, int argc, char **argv, int *first, struct err *e)
{
	struct scan s = { .argc = argc, .argv = argv };
	char **operands;
	int n = 0, rc;

	*first = argc;
	if (argc < 1)
		return EX_OK;
	operands = calloc((size_t)argc, sizeof *operands);
	if (operands == NULL)
		return err_nomem(e);
	rc = scan_all(p, &s, operands, &n, e);
	if (rc == EX_OK) {
		operands_last(argc, argv, operands, n);
		*first = argc - n;
	}
	free(operands);
	return rc;
}

/* ---- help ---- */

#define HELP_LEFT  28 /* widest left column; longer options stand on a line of their own */
#define HELP_WIDTH 79

/* "  -j, --threads N" into out; returns its length. */
static size_t left_column(const struct opt *o, char *out, size_t size)
{
	char letter[8] = "    ";
	int n;

	if (o->letter != 0)
		snprintf(letter, sizeof letter, "-%c%s", o->letter,
			 o->name == NULL ? "" : ", ");
	n = snprintf(out, size, "  %s%s%s%s%s", letter, o->name == NULL ? "" : "--",
		     o->name == NULL ? "" : o->name, o->arg == NULL ? "" : " ",
		     o->arg == NULL ? "" : o->arg);
	return n < 0 ? 0 : (size_t)n;
}

/* Words of `text`, the first of which stands at column `indent`, as do further lines. */
static void wrapped(FILE *out, const char *text, size_t indent)
{
	size_t at = indent;

	for (bool first = true; *(text += strspn(text, " ")) != '\0'; first = false) {
		size_t n = strcspn(text, " ");

		if (!first && at + 1 + n > HELP_WIDTH) {
			fprintf(out, "\n%*s", (int)indent, "");
			at = indent;
		} else if (!first) {
			fputc(' ', out);
			at++;
		}
		fprintf(out, "%.*s", (int)n, text);
		at += n;
		text += n;
	}
	fputc('\n', out);
}

void opt_help(const struct program *p, FILE *out)
{
	char left[256];
	size_t width = 0, n;

	for (const struct opt *o = p->opts; o->type != OPT_END; o++) {
		n = o->type == OPT_GROUP ? 0 : left_column(o, left, sizeof left);
		if (n > width && n <= HELP_LEFT)
			width = n;
	}
	fprintf(out, "usage: %s [OPTION ...]%s%s\n", p->name,
		*p->operands == '\0' ? "" : " ", p->operands);
	wrapped(out, p->summary, 0);
	for (const struct opt *o = p->opts; o->type != OPT_END; o++) {
		if (o->type == OPT_GROUP) {
			fprintf(out, "\n%s:\n", o->help);
			continue;
		}
		n = left_column(o, left, sizeof left);
		if (o == p->opts)
			fputc('\n', out);
		fprintf(out, "%s", left);
		if (n > width) {
			fputc('\n', out);
			n = 0;
		}
		fprintf(out, "%*s", (int)(width + 2 - n), "");
		wrapped(out, o->help, width + 2);
	}
}
