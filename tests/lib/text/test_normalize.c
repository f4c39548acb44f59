#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <setjmp.h>
#include <cmocka.h>

#include <stdlib.h>
#include <string.h>

#include "text/normalize.h"

static const struct normalizer uncased = {
	.clean = true,
	.ideographs = true,
	.strip = true,
	.lower = true,
};
static const struct normalizer cased = { .clean = true, .ideographs = true };

static void becomes(const struct normalizer *settings, const char *s, const char *want)
{
	struct normalizer z = *settings;
	struct bytes out = { 0 };
	struct marks marks = { 0 };
	struct err e = { 0 };

	normalizer_init(&z);
	assert_int_equal(normalize(&z, s, strlen(s), &out, &marks, &e), EX_OK);
	if (out.n != strlen(want) || memcmp(out.s, want, out.n) != 0)
		fail_msg("%s became %.*s", s, (int)out.n, out.s);
	free(out.s);
	free(marks.c);
}

static void case_and_accents_go_when_asked_for(void **state)
{
	(void)state;
	becomes(&uncased, "Caf\u00e9 \u00c5NGSTR\u00d6M", "cafe angstrom");
	becomes(&uncased, "e\u0301\u0323", "e");
	becomes(&cased, "Caf\u00e9", "Caf\u00e9");
	becomes(&(struct normalizer){ .strip = true }, "Caf\u00e9", "Cafe");
	becomes(&(struct normalizer){ .lower = true }, "CAF\u00c9", "caf\u00e9");
}

static void capitals_lose_their_case_one_by_one(void **state)
{
	(void)state;
	becomes(&(struct normalizer){ .lower = true }, "\u0130", "i\u0307");
	becomes(&uncased, "\u0130I\u0131", "ii\u0131");
	becomes(&uncased, "\u03a3\u0391\u03a3", "\u03c3\u03b1\u03c3"); /* no final sigma */
	becomes(&uncased, "\u1e9e\u00df\ufb01", "\u00df\u00df\ufb01");
}

static void controls_go_and_every_space_is_a_blank(void **state)
{
	(void)state;
	becomes(&uncased,
		"a\x07"
		"b\tc\nd\re\x7f",
		"ab c d e");
	becomes(&uncased, "x\u00a0y\u2003z\u3000", "x y z ");
	becomes(&uncased, "a\u200bb\u00adc\ufeff\ue000\ufffd", "abc");
	becomes(&uncased,
		"a\xc2\x85"
		"b\x0b",
		"ab"); /* white space, but controls too */
	becomes(&(struct normalizer){ .clean = false }, "a\x07\t\u00a0\ufffd",
		"a\x07\t\u00a0\ufffd");
}

static void ideographs_stand_apart(void **state)
{
	(void)state;
	becomes(&uncased, "a\u4e2d\u6587b", "a \u4e2d  \u6587 b");
	becomes(&uncased, "\uf900", " \u8c48 ");
	becomes(&uncased, "\u3042\uac00", "\u3042\u1100\u1161");
	becomes(&(struct normalizer){ .lower = true }, "a\u4e2d", "a\u4e2d");
}

static void marks_that_stay_come_in_canonical_order(void **state)
{
	(void)state;
	/* Classes 224, 226, 216 and 220; spacing marks, so they are kept. */
	becomes(&uncased, "x\u302e\U0001d165", "x\U0001d165\u302e");
	becomes(&uncased, "x\U0001d16d\u302e\u302f\U0001d165.",
		"x\U0001d165\u302e\u302f\U0001d16d.");
	becomes(&uncased, "x\u302ey\U0001d165", "x\u302ey\U0001d165");
	/* A dropped control does not end the run, a mark of class 0 does. */
	becomes(&uncased, "x\u302e\x01\U0001d165", "x\U0001d165\u302e");
	becomes(&uncased, "x\u302e\u034f\U0001d165", "x\u302e\U0001d165");
}

static void long_runs_of_marks_take_little_time(void **state)
{
	enum { RUN = 300000 };
	struct normalizer z = uncased;
	struct bytes out = { 0 };
	struct marks marks = { 0 };
	struct err e = { 0 };
	char *s = malloc(RUN * 7);
	size_t i;

	(void)state;
	assert_non_null(s);
	for (i = 0; i < RUN; i++)
		memcpy(s + i * 7, "\u302e\U0001d165", 7);
	normalizer_init(&z);
	assert_int_equal(normalize(&z, s, RUN * 7, &out, &marks, &e), EX_OK);
	assert_int_equal(out.n, RUN * 7);
	assert_memory_equal(out.s, "\U0001d165\U0001d165", 8);
	assert_memory_equal(out.s + out.n - 6, "\u302e\u302e", 6);
	free(s);
	free(out.s);
	free(marks.c);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(case_and_accents_go_when_asked_for),
		cmocka_unit_test(capitals_lose_their_case_one_by_one),
		cmocka_unit_test(controls_go_and_every_space_is_a_blank),
		cmocka_unit_test(ideographs_stand_apart),
		cmocka_unit_test(marks_that_stay_come_in_canonical_order),
		cmocka_unit_test(long_runs_of_marks_take_little_time),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
