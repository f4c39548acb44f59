/*
 * str - growable strings, lists of strings, shell globs, near misses.
 */
#ifndef BASE_STR_H
#define BASE_STR_H

#include <stdarg.h>
#include <stdbool.h>
#include <stddef.h>

#include "base/err.h"

/* A growable string; {0} is an empty one. `s` is NUL-terminated once anything
 * was added. After a failed allocation `failed` stays set and additions do
 * nothing, so a caller checks once at the end. */
struct strbuf {
	char *s;
	size_t len, cap;
	bool failed;
};

void strbuf_add(struct strbuf *b, const char *bytes, size_t n);
void strbuf_puts(struct strbuf *b, const char *s);
void strbuf_printf(struct strbuf *b, const char *fmt, ...)
    __attribute__((format(printf, 2, 3)));
void strbuf_clear(struct strbuf *b); /* keeps the memory */
void strbuf_free(struct strbuf *b);

/* A list of owned strings; {0} is an empty one. */
struct strlist {
	char **s;
	size_t n, cap;
};

int strlist_add(struct strlist *l, const char *s, struct err *e);
int strlist_addn(struct strlist *l, const char *s, size_t len, struct err *e);
/* Adds the parts of `s` between `sep`; empty parts are kept. */
int strlist_split(struct strlist *l, const char *s, char sep, struct err *e);
bool strlist_has(const struct strlist *l, const char *s);
void strlist_free(struct strlist *l);

/* A copy that the caller frees; NULL when memory is short. */
char *str_dup(const char *s);
char *str_dupn(const char *s, size_t n);
char *str_printf(const char *fmt, ...) __attribute__((format(printf, 1, 2)));

bool str_starts(const char *s, const char *prefix);
bool str_ends(const char *s, const char *suffix);

/* Appends `s` with %XX in place of every byte that is a space, a control, no ASCII, or one
 * of % = and comma, so that it can stand in a list of KEY=VALUE words. */
void strbuf_percent(struct strbuf *b, const char *s);
/* Undoes that in place; false when a %XX is malformed or stands for NUL. */
bool str_unpercent(char *s);

/* Shell glob over a whole name: * ? [..]; a dot or slash is nothing special. */
bool str_glob(const char *pattern, const char *name);

/* Appends to `out` up to three of the `n` names that look most like `word`, as
 * "a, b, c"; nothing when none is near. For "did you mean ...?". */
void str_near(const char *word, const char *const *names, size_t n, struct strbuf *out);

#endif
