#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#include <cmocka.h>

#include "peft/mask.h"

static const char *const columns[] = { "budget", "group", "params" };

struct row {
	const char *budget, *group; /* group NULL: a ##budget line */
	int64_t params;
};

/* Writes a mask stream and reads it again; `cut` leaves the ##end line away. */
static int round_trip(struct mask_set *s, const struct row *rows, size_t n, bool cut,
		      struct err *e)
{
	char path[] = P_tmpdir "/adapeft-mask-XXXXXX";
	struct meta_list head = { 0 };
	struct stream_writer *w;
	int fd = mkstemp(path), rc;
	FILE *f;

	assert_true(fd >= 0);
	f = fdopen(fd, "w");
	assert_int_equal(meta_add(&head, "model", "tiny\tparams=10", e), EX_OK);
	assert_int_equal(stream_create(&w, f, STREAM_TEXT, "mask", &head, columns, 3, e),
			 EX_OK);
	for (size_t i = 0; i < n; i++) {
		if (rows[i].group == NULL) {
			stream_put_meta(w, "budget", rows[i].budget, e);
			continue;
		}
		stream_put_text(w, rows[i].budget);
		stream_put_text(w, rows[i].group);
		stream_put_int(w, rows[i].params);
		stream_end_row(w, e);
	}
	if (cut) {
		stream_flush(w, e);
		stream_abort(w);
	} else {
		assert_int_equal(stream_finish(w, e), EX_OK);
	}
	fclose(f);
	meta_free(&head);
	rc = masks_read(s, path, false, e);
	unlink(path);
	return rc;
}

static void rows_become_a_mask_for_each_budget(void **state)
{
	static const struct row rows[] = {
		{ "1%\tparams=7", NULL, 0 }, { "1%", "a", 5 },   { "1%", "b", 2 },
		{ "2%\tparams=9", NULL, 0 }, { "2%", "a b", 9 },
	};
	struct mask_set s;
	struct err e;

	(void)state;
	if (round_trip(&s, rows, 5, false, &e) != EX_OK)
		fail_msg("%s", e.text);
	assert_int_equal(s.n, 2);
	assert_string_equal(s.m[0].budget, "1%");
	assert_int_equal(s.m[0].groups.n, 2);
	assert_string_equal(s.m[0].groups.s[1], "b");
	assert_int_equal(s.m[0].params, 7);
	assert_string_equal(s.m[1].groups.s[0], "a b");
	assert_string_equal(meta_get(&s.head, "model"), "tiny\tparams=10");
	assert_null(s.note);
	masks_free(&s);
}

static void a_budget_without_rows_counts(void **state)
{
	static const struct row rows[] = {
		{ "3\tparams=0", NULL, 0 },
		{ "1%\tparams=7", NULL, 0 },
		{ "1%", "a", 5 },
		{ "0.1%", NULL, 0 },
	};
	struct mask_set s;

	(void)state;
	assert_int_equal(round_trip(&s, rows, 4, false, NULL), EX_OK);
	assert_int_equal(s.n, 3);
	assert_string_equal(s.m[0].budget, "3");
	assert_int_equal(s.m[0].groups.n, 0);
	assert_int_equal(s.m[1].groups.n, 1);
	assert_string_equal(s.m[2].budget, "0.1%");
	masks_free(&s);
}

static void a_stream_that_was_cut_short_is_refused(void **state)
{
	static const struct row rows[] = { { "1%", "a", 5 }, { "1%", "b", 2 } };
	struct mask_set s;
	struct err e;

	(void)state;
	assert_int_equal(round_trip(&s, rows, 2, true, &e), EX_DATAERR);
}

static void impossible_rows_are_refused(void **state)
{
	static const struct row bad[] = { { "", "a", 5 }, { "1%", "a", -1 } };
	static const struct row many[] = { { "1%", "a", INT64_MAX },
					   { "1%", "b", INT64_MAX },
					   { "1%", "c", 2 } };
	struct mask_set s;
	struct err e;

	(void)state;
	assert_int_equal(round_trip(&s, &bad[0], 1, false, &e), EX_DATAERR);
	assert_non_null(strstr(e.text, "the budget is empty"));
	assert_int_equal(round_trip(&s, &bad[1], 1, false, &e), EX_DATAERR);
	assert_non_null(strstr(e.text, "params is negative"));
	assert_int_equal(round_trip(&s, many, 3, false, &e), EX_DATAERR);
	assert_non_null(strstr(e.text, "beyond 64 bits"));
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(rows_become_a_mask_for_each_budget),
		cmocka_unit_test(a_budget_without_rows_counts),
		cmocka_unit_test(a_stream_that_was_cut_short_is_refused),
		cmocka_unit_test(impossible_rows_are_refused),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
