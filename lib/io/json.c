#include "io/json.h"

#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#include "base/mem.h"
#include "base/num.h"
#include "base/str.h"
#include "io/file.h"

#define JSON_MAX_BYTES ((size_t)256 << 20)
#define INT64_DIGITS   19 /* integers with fewer digits fit 64 bits */

static const char bom[] = "\xef\xbb\xbf";

/* A copy of the text in which integers that may not fit 64 bits are written as reals,
 * "123e0": jansson refuses them otherwise. */
static void widen_integers(const char *text, size_t len, struct strbuf *out)
{
	bool in_string = false;
	size_t i = 0;

	while (i < len) {
		size_t from = i, digits;

		if (in_string || strchr("0123456789+-.eE", text[i]) == NULL ||
		    text[i] == '\0') {
			if (in_string && text[i] == '\\' && i + 1 < len)
				i++;
			else if (text[i] == '"')
				in_string = !in_string;
			i++;
			strbuf_add(out, text + from, i - from);
			continue;
		}
		i += text[i] == '-';
		for (digits = 0; i < len && text[i] >= '0' && text[i] <= '9'; i++)
			digits++;
		strbuf_add(out, text + from, i - from);
		from = i;
		while (i < len && text[i] != '\0' &&
		       strchr("0123456789+-.eE", text[i]) != NULL)
			i++;
		strbuf_add(out, text + from, i - from);
		if (i == from && digits >= INT64_DIGITS)
			strbuf_puts(out, "e0");
	}
}

int js_parse(json_t **out, const char *text, size_t len, const char *name, struct err *e)
{
	json_error_t why;
	struct strbuf wide = { 0 };

	*out = NULL;
	if (len > JSON_MAX_BYTES)
		return err_set(e, EX_DATAERR, "%s: larger than %zu bytes", name,
			       JSON_MAX_BYTES);
	if (len >= 3 && memcmp(text, bom, 3) == 0) {
		text += 3;
		len -= 3;
	}
	*out = json_loadb(text, len, JSON_REJECT_DUPLICATES, &why);
	if (*out == NULL && json_error_code(&why) == json_error_numeric_overflow) {
		widen_integers(text, len, &wide);
		if (!wide.failed)
			*out = json_loadb(wide.s, wide.len, JSON_REJECT_DUPLICATES, &why);
		strbuf_free(&wide);
	}
	if (*out != NULL)
		return EX_OK;
	if (json_error_code(&why) == json_error_out_of_memory)
		return err_nomem(e);
	return err_at(e, EX_DATAERR, name, why.line < 1 ? 1 : (unsigned)why.line,
		      "not valid JSON: %s", why.text);
}

int js_load(json_t **out, const char *path, struct err *e)
{
	char *text;
	size_t len;
	int rc;

	*out = NULL;
	rc = file_read(path, JSON_MAX_BYTES, &text, &len, e);
	if (rc != EX_OK)
		return rc;
	rc = js_parse(out, text, len, path, e);
	free(text);
	return rc;
}

/* The member, or NULL where the fallback holds. */
static const json_t *member(const json_t *o, const char *key)
{
	const json_t *v = json_object_get(o, key);

	return json_is_null(v) ? NULL : v;
}

static int wrong_type(const char *file, const char *key, const char *type, struct err *e)
{
	return err_set(e, EX_DATAERR, "%s: %s is not %s", file, key, type);
}

int js_int(const json_t *o, const char *key, int64_t fallback, int64_t *out,
	   const char *file, struct err *e)
{
	const json_t *v = member(o, key);

	if (v != NULL && !json_is_integer(v))
		return wrong_type(file, key, "an integer of 64 bits", e);
	*out = v == NULL ? fallback : json_integer_value(v);
	return EX_OK;
}

int js_real(const json_t *o, const char *key, double fallback, double *out,
	    const char *file, struct err *e)
{
	const json_t *v = member(o, key);

	if (v != NULL && !json_is_number(v))
		return wrong_type(file, key, "a number", e);
	*out = v == NULL ? fallback : json_number_value(v);
	return EX_OK;
}

int js_bool(const json_t *o, const char *key, bool fallback, bool *out, const char *file,
	    struct err *e)
{
	const json_t *v = member(o, key);

	if (v != NULL && !json_is_boolean(v))
		return wrong_type(file, key, "true or false", e);
	*out = v == NULL ? fallback : json_is_true(v);
	return EX_OK;
}

int js_text(const json_t *o, const char *key, const char *fallback, const char **out,
	    const char *file, struct err *e)
{
	const json_t *v = member(o, key);

	if (v != NULL && !json_is_string(v))
		return wrong_type(file, key, "a string", e);
	*out = v == NULL ? fallback : json_string_value(v);
	return EX_OK;
}

/* ---- writing ---- */

static int print_value(struct strbuf *b, const json_t *v, int depth);

static void print_newline(struct strbuf *b, int depth)
{
	strbuf_printf(b, "\n%*s", 2 * depth, "");
}

static int print_text(struct strbuf *b, const char *s)
{
	json_t *v = json_string(s);
	char *text = v == NULL ? NULL : json_dumps(v, JSON_ENCODE_ANY);

	if (text != NULL)
		strbuf_puts(b, text);
	free(text);
	json_decref(v);
	return text == NULL ? EX_UNAVAILABLE : EX_OK;
}

/* jansson prints 17 digits, 0.1 as 0.10000000000000001; a whole real keeps a mark that
 * makes it a real again. */
static void print_real(struct strbuf *b, double x)
{
	char text[NUM_MAX];

	num_print(text, x);
	strbuf_puts(b, text);
	if (strpbrk(text, ".en") == NULL)
		strbuf_puts(b, ".0");
}

static int print_array(struct strbuf *b, const json_t *a, int depth)
{
	size_t n = json_array_size(a);

	strbuf_puts(b, "[");
	for (size_t i = 0; i < n; i++) {
		strbuf_puts(b, i == 0 ? "" : ",");
		print_newline(b, depth + 1);
		if (print_value(b, json_array_get(a, i), depth + 1) != EX_OK)
			return EX_UNAVAILABLE;
	}
	if (n > 0)
		print_newline(b, depth);
	strbuf_puts(b, "]");
	return EX_OK;
}

static int compare_keys(const void *a, const void *b)
{
	return strcmp(*(const char *const *)a, *(const char *const *)b);
}

static int print_object(struct strbuf *b, const json_t *o, int depth)
{
	size_t n = json_object_size(o), k = 0;
	const char **keys = mem_zeros(n, sizeof *keys);
	void *at = json_object_iter((json_t *)o);
	int rc = EX_OK;

	if (keys == NULL)
		return EX_UNAVAILABLE;
	for (; at != NULL; at = json_object_iter_next((json_t *)o, at))
		keys[k++] = json_object_iter_key(at);
	qsort(keys, n, sizeof *keys, compare_keys);
	strbuf_puts(b, "{");
	for (size_t i = 0; i < n && rc == EX_OK; i++) {
		strbuf_puts(b, i == 0 ? "" : ",");
		print_newline(b, depth + 1);
		rc = print_text(b, keys[i]);
		strbuf_puts(b, ": ");
		if (rc == EX_OK)
			rc = print_value(b, json_object_get(o, keys[i]), depth + 1);
	}
	if (n > 0)
		print_newline(b, depth);
	strbuf_puts(b, "}");
	free(keys);
	return rc;
}

static int print_value(struct strbuf *b, const json_t *v, int depth)
{
	switch (json_typeof(v)) {
	case JSON_OBJECT: return print_object(b, v, depth);
	case JSON_ARRAY: return print_array(b, v, depth);
	case JSON_STRING: return print_text(b, json_string_value(v));
	case JSON_INTEGER:
		strbuf_printf(b, "%" JSON_INTEGER_FORMAT, json_integer_value(v));
		break;
	case JSON_REAL: print_real(b, json_real_value(v)); break;
	case JSON_TRUE: strbuf_puts(b, "true"); break;
	case JSON_FALSE: strbuf_puts(b, "false"); break;
	case JSON_NULL: strbuf_puts(b, "null"); break;
	}
	return EX_OK;
}

int js_save(const json_t *o, const char *path, struct err *e)
{
	struct strbuf b = { 0 };
	FILE *f;
	bool written;
	int rc = print_value(&b, o, 0);

	strbuf_puts(&b, "\n");
	if (rc != EX_OK || b.failed) {
		strbuf_free(&b);
		return err_nomem(e);
	}
	f = fopen(path, "wx");
	if (f == NULL) {
		strbuf_free(&b);
		return err_errno(e, EX_CANTCREAT, "%s: cannot create", path);
	}
	written =
	    fwrite(b.s, 1, b.len, f) == b.len && fflush(f) == 0 && fsync(fileno(f)) == 0;
	strbuf_free(&b);
	if (!written)
		rc = err_errno(e, EX_IOERR, "%s: cannot write", path);
	if (fclose(f) != 0 && rc == EX_OK)
		rc = err_errno(e, EX_IOERR, "%s: cannot write", path);
	return rc;
}
