#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <setjmp.h>
#include <cmocka.h>
#include <errno.h>
#include <string.h>

#include "base/err.h"

static void the_code_is_returned_and_kept(void **state)
{
	struct err e = { 0 };

	(void)state;
	assert_int_equal(err_set(&e, EX_DATAERR, "%d cells", 3), EX_DATAERR);
	assert_int_equal(e.code, EX_DATAERR);
	assert_string_equal(e.text, "3 cells");
}

static void nobody_needs_to_listen(void **state)
{
	(void)state;
	assert_int_equal(err_set(NULL, EX_USAGE, "x"), EX_USAGE);
	assert_int_equal(err_at(NULL, EX_DATAERR, "f", 1, "x"), EX_DATAERR);
	assert_int_equal(err_errno(NULL, EX_IOERR, "x"), EX_IOERR);
}

static void file_and_line_stand_in_front(void **state)
{
	struct err e = { 0 };

	(void)state;
	err_at(&e, EX_DATAERR, "a.tsv", 12, "bad");
	assert_string_equal(e.text, "a.tsv:12: bad");
}

static void the_system_s_reason_stands_behind(void **state)
{
	struct err e = { 0 };

	(void)state;
	errno = ENOENT;
	err_errno(&e, EX_NOINPUT, "a.tsv");
	assert_string_equal(e.text, "a.tsv: No such file or directory");
}

static void a_hostile_name_stays_on_one_line(void **state)
{
	struct err e = { 0 };

	(void)state;
	err_set(&e, EX_NOINPUT, "%s", "a\n\x1b[2Jb\x7f\xc3\xa9");
	assert_string_equal(e.text, "a??[2Jb?\xc3\xa9");
}

static void a_long_text_is_cut(void **state)
{
	struct err e = { 0 };
	char name[3000];

	(void)state;
	memset(name, 'x', sizeof name - 1);
	name[sizeof name - 1] = '\0';
	err_at(&e, EX_DATAERR, name, 1, "bad");
	assert_int_equal(strlen(e.text), sizeof e.text - 1);
	errno = EIO;
	err_errno(&e, EX_IOERR, "%s", name);
	assert_int_equal(strlen(e.text), sizeof e.text - 1);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(the_code_is_returned_and_kept),
		cmocka_unit_test(nobody_needs_to_listen),
		cmocka_unit_test(file_and_line_stand_in_front),
		cmocka_unit_test(the_system_s_reason_stands_behind),
		cmocka_unit_test(a_hostile_name_stays_on_one_line),
		cmocka_unit_test(a_long_text_is_cut),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
