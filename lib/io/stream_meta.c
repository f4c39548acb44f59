#include <stdlib.h>
#include <string.h>

#include "base/mem.h"
#include "io/stream.h"
#include "io/stream_private.h"

/* ---- escapes ---- */

/* Appends `s` with backslashes and the characters of `special` escaped. */
static void escape(struct strbuf *out, const char *s, const char *special)
{
	for (;;) {
		size_t n = strcspn(s, special);

		strbuf_add(out, s, n);
		s += n;
		if (*s == '\0')
			return;
		strbuf_puts(out, *s == '\t' ? "\\t" : *s == '\n' ? "\\n" : "\\\\");
		s++;
	}
}

void stream_escape_cell(struct strbuf *out, const char *s)
{
	if (*s == '#') {
		strbuf_puts(out, "\\x23");
		s++;
	}
	escape(out, s, "\t\n\\");
}

/* A tab inside a value stands as it is, for cut and awk; at its start it would be taken
 * for the space behind the key. */
void stream_escape_value(struct strbuf *out, const char *s)
{
	if (*s == ' ' || *s == '\t') {
		strbuf_puts(out, *s == ' ' ? "\\x20" : "\\t");
		s++;
	}
	escape(out, s, "\n\\");
}

static int hex(char c)
{
	if (c >= '0' && c <= '9')
		return c - '0';
	if (c >= 'a' && c <= 'f')
		return c - 'a' + 10;
	if (c >= 'A' && c <= 'F')
		return c - 'A' + 10;
	return -1;
}

bool stream_unescape(char *s)
{
	char *to = strchr(s, '\\');

	if (to == NULL)
		return true;
	for (s = to; *s != '\0'; s++) {
		if (*s != '\\') {
			*to++ = *s;
			continue;
		}
		switch (*++s) {
		case 't': *to++ = '\t'; break;
		case 'n': *to++ = '\n'; break;
		case '\\': *to++ = '\\'; break;
		case 'x':
			if (hex(s[1]) < 0 || hex(s[2]) < 0 || (s[1] == '0' && s[2] == '0'))
				return false;
			*to++ = (char)(hex(s[1]) << 4 | hex(s[2]));
			s += 2;
			break;
		default: return false;
		}
	}
	*to = '\0';
	return true;
}

/* ---- lists of metadata ---- */

int meta_add(struct meta_list *l, const char *key, const char *value, struct err *e)
{
	struct meta m;

	if (mem_grow(&l->m, &l->cap, l->n + 1, sizeof *l->m, e) != EX_OK)
		return EX_UNAVAILABLE;
	m.key = str_dup(key);
	m.value = str_dup(value);
	if (m.key == NULL || m.value == NULL) {
		free(m.key);
		free(m.value);
		return err_nomem(e);
	}
	l->m[l->n++] = m;
	return EX_OK;
}

int meta_copy(struct meta_list *to, const struct meta_list *from, struct err *e)
{
	int rc = EX_OK;

	for (size_t i = 0; i < from->n && rc == EX_OK; i++)
		rc = meta_add(to, from->m[i].key, from->m[i].value, e);
	return rc;
}

const char *meta_get(const struct meta_list *l, const char *key)
{
	for (size_t i = 0; i < l->n; i++)
		if (strcmp(l->m[i].key, key) == 0)
			return l->m[i].value;
	return NULL;
}

char *meta_word(const char *value, const char *name)
{
	size_t len = strlen(name);

	for (;;) {
		size_t n;

		value += strspn(value, " \t");
		n = strcspn(value, " \t");
		if (n == 0)
			return NULL;
		if (n > len && value[len] == '=' && memcmp(value, name, len) == 0)
			return str_dupn(value + len + 1, n - len - 1);
		value += n;
	}
}

void meta_free(struct meta_list *l)
{
	for (size_t i = 0; i < l->n; i++) {
		free(l->m[i].key);
		free(l->m[i].value);
	}
	free(l->m);
	*l = (struct meta_list){ 0 };
}
