/*
 * dataset_private - what the readers of the forms share: texts.c, plain.c and images.c fill
 * a struct dataset, and dataset.c numbers its labels.
 */
#ifndef DATA_DATASET_PRIVATE_H
#define DATA_DATASET_PRIVATE_H

#include "data/dataset.h"
#include "data/labels.h"
#include "data/table.h"

struct reading {
	const char *path, *name; /* name: the path, or "stdin" */
	struct task *task;
	const struct encoder *how;
	struct dataset *d;
	bool learn;            /* as dataset_read's */
	bool open;             /* labels that are new become classes */
	struct labels classes; /* so far */
	struct labels others;  /* of rows that were passed over, the first few */
	size_t cap_label, cap_target;
};

/* Takes the label of one more example, which d->n counts then. *taken is false for a label
 * of another class than those asked for, which d->left_out counts. EX_DATAERR does not say
 * where. */
int dataset_label(struct reading *r, const char *label, bool *taken, struct err *e);
/* One more example without a label. */
int dataset_unlabelled(struct reading *r, struct err *e);
/* One of these for a row of a table, as the task is; EX_DATAERR says where. */
int dataset_row(struct reading *r, const struct table *t, char **field, bool *taken,
		struct err *e);

/* Read r->path into r->d, each its form. */
int dataset_rows(struct reading *r, struct err *e);
int dataset_plain(struct reading *r, struct err *e);
int dataset_images(struct reading *r, struct err *e);

/* Numbers the learned classes in their order and hands them to the task, when all labels
 * are there. EX_DATAERR when no example is left, and in training when one of the classes
 * asked for has none. */
int dataset_settle(struct reading *r, struct err *e);

#endif
