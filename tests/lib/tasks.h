/*
 * tasks - the task of a ##task value, for tests.
 */
#ifndef TESTS_TASKS_H
#define TESTS_TASKS_H

#include "data/task.h"

static inline struct task task_of(const char *said)
{
	const struct task_options o = { 0 };
	struct task t;
	struct err e = { 0 };

	if (task_resolve(&t, &o, said, &e) != EX_OK)
		fail_msg("%s", e.text);
	return t;
}

#endif
