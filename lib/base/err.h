/*
 * err - what went wrong, for a person to read.
 *
 * A library function that can fail returns a status from <sysexits.h>
 * (EX_OK is 0) and fills the caller's `struct err` with one line: where it
 * happened, what is wrong and what to do. The library never prints it and never
 * exits; a program's main does both, with the status as its exit code.
 *
 *   EX_USAGE 64        wrong usage            EX_SOFTWARE 70   internal error
 *   EX_DATAERR 65      malformed data         EX_CANTCREAT 73  cannot create output
 *   EX_NOINPUT 66      input not found        EX_IOERR 74      read or write error
 *   EX_UNAVAILABLE 69  something it needs is missing (memory too)
 */
#ifndef BASE_ERR_H
#define BASE_ERR_H

#include <sysexits.h>

struct err {
	int code;        /* EX_OK or the status that was returned */
	char text[1000]; /* one line, no newline; "?" for control characters */
};

/* Fills `e` (which may be NULL) and returns `code`, so that a caller can write
 * `return err_set(e, EX_DATAERR, "...")`. */
int err_set(struct err *e, int code, const char *fmt, ...)
    __attribute__((format(printf, 3, 4)));

/* As err_set, with "FILE:LINE: " in front. */
int err_at(struct err *e, int code, const char *file, unsigned long long line,
	   const char *fmt, ...) __attribute__((format(printf, 5, 6)));

/* As err_set, with ": " and strerror(errno) behind. */
int err_errno(struct err *e, int code, const char *fmt, ...)
    __attribute__((format(printf, 3, 4)));

/* Out of memory: EX_UNAVAILABLE. */
int err_nomem(struct err *e);

#endif
