/*
 * mask - which groups train, as a mask stream says it.
 */
#ifndef PEFT_MASK_H
#define PEFT_MASK_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#include "base/err.h"
#include "io/stream.h"

/* The groups of one budget. */
struct mask {
	char *budget; /* the label: "1%" */
	struct strlist groups;
	uint64_t params; /* as the stream says */
};

struct mask_set {
	struct mask *m; /* in the order of the stream; a budget without rows counts too */
	size_t n, cap;
	struct meta_list head; /* the stream's metadata */
	char *note;            /* stream_note, or NULL */
};

/* Reads a whole mask stream before anything is done with it. */
int masks_read(struct mask_set *s, const char *path, bool strict, struct err *e);
void masks_free(struct mask_set *s);

#endif
