/*
 * json - reading configuration files with jansson, with errors that name the file.
 */
#ifndef IO_JSON_H
#define IO_JSON_H

#include <jansson.h>
#include <stdbool.h>
#include <stdint.h>

#include "base/err.h"

/* Parses a file (at most 256 MiB, duplicate keys refused); release with
 * json_decref. EX_NOINPUT, or EX_DATAERR with FILE:LINE. An integer beyond 64 bits (the
 * model_max_length of many tokenizers) becomes a real. */
int js_load(json_t **out, const char *path, struct err *e);
/* The same of `len` bytes that came from `name`. */
int js_parse(json_t **out, const char *text, size_t len, const char *name, struct err *e);

/* Members of an object. An absent member (or null) gives `fallback`; one of the wrong
 * type is EX_DATAERR: "FILE: hidden_size is not an integer". */
int js_int(const json_t *o, const char *key, int64_t fallback, int64_t *out,
	   const char *file, struct err *e);
int js_real(const json_t *o, const char *key, double fallback, double *out,
	    const char *file, struct err *e);
int js_bool(const json_t *o, const char *key, bool fallback, bool *out, const char *file,
	    struct err *e);
/* Points into the object. */
int js_text(const json_t *o, const char *key, const char *fallback, const char **out,
	    const char *file, struct err *e);

/* Writes `o` with sorted keys, two spaces of indent, the fewest digits that read back and a
 * final newline into a file that must not exist yet, fsynced. */
int js_save(const json_t *o, const char *path, struct err *e);

#endif
