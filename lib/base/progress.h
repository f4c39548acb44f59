/*
 * progress - how far a long piece of work has come.
 *
 * On a terminal one line that is redrawn some ten times a second; with
 * PROGRESS_PLAIN a line every ten seconds and one at the end; else nothing. It
 * only ever writes to the stream that it was given (stderr).
 */
#ifndef BASE_PROGRESS_H
#define BASE_PROGRESS_H

#include <stdbool.h>
#include <stddef.h>
#include <stdio.h>

enum progress_style { PROGRESS_NONE, PROGRESS_BAR, PROGRESS_PLAIN };

struct progress {
	FILE *out;
	enum progress_style style;
	const char *label; /* "probe" */
	size_t done, total;
	double started, drawn; /* seconds on the monotonic clock */
	bool on_line;          /* a bar stands on the terminal's line */
};

/* `total` steps of `label`, which must outlive `p`. */
void progress_start(struct progress *p, FILE *out, enum progress_style style,
		    const char *label, size_t total);

/* `done` steps are over; `note` (or NULL) is shown behind rate and ETA:
 * "loss 0.412". */
void progress_step(struct progress *p, size_t done, const char *note);

/* Clears the bar's line, so that a message can be written. */
void progress_pause(struct progress *p);
void progress_end(struct progress *p);

/* Seconds on the monotonic clock. */
double progress_clock(void);

#endif
