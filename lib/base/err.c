#include "base/err.h"

#include <errno.h>
#include <stdarg.h>
#include <stdio.h>
#include <string.h>

/* A name from outside may hold anything; a message stays on its one line and
 * cannot drive a terminal. UTF-8 passes. */
static void keep_to_one_line(char *s)
{
	for (; *s != '\0'; s++)
		if ((unsigned char)*s < 0x20 || *s == 0x7f)
			*s = '?';
}

static void vset(struct err *e, int code, size_t used, const char *fmt, va_list ap)
{
	e->code = code;
	if (used < sizeof e->text)
		vsnprintf(e->text + used, sizeof e->text - used, fmt, ap);
	keep_to_one_line(e->text);
}

int err_set(struct err *e, int code, const char *fmt, ...)
{
	va_list ap;

	if (e == NULL)
		return code;
	va_start(ap, fmt);
	vset(e, code, 0, fmt, ap);
	va_end(ap);
	return code;
}

int err_at(struct err *e, int code, const char *file, unsigned long long line,
	   const char *fmt, ...)
{
	va_list ap;
	int used;

	if (e == NULL)
		return code;
	used = snprintf(e->text, sizeof e->text, "%s:%llu: ", file, line);
	va_start(ap, fmt);
	vset(e, code, used < 0 ? 0 : (size_t)used, fmt, ap);
	va_end(ap);
	return code;
}

int err_errno(struct err *e, int code, const char *fmt, ...)
{
	int saved = errno;
	size_t used;
	va_list ap;

	if (e == NULL)
		return code;
	va_start(ap, fmt);
	vset(e, code, 0, fmt, ap);
	va_end(ap);
	used = strlen(e->text);
	snprintf(e->text + used, sizeof e->text - used, ": %s", strerror(saved));
	return code;
}

int err_nomem(struct err *e)
{
	return err_set(e, EX_UNAVAILABLE, "out of memory");
}
