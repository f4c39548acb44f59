#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <setjmp.h>
#include <cmocka.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#include "io/json.h"

static json_t *parse(const char *text)
{
	struct err e = { 0 };
	json_t *o;

	if (js_parse(&o, text, strlen(text), "config.json", &e) != EX_OK)
		fail_msg("%s", e.text);
	return o;
}

static void refused(const char *text, size_t len, const char *want)
{
	struct err e = { 0 };
	json_t *o;

	assert_int_equal(js_parse(&o, text, len, "config.json", &e), EX_DATAERR);
	assert_null(o);
	assert_non_null(strstr(e.text, want));
}

static void members_have_their_values(void **state)
{
	json_t *o =
	    parse("{\"n\": 12, \"eps\": 1e-12, \"one\": 1, \"on\": true, \"s\": \"gelu\"}");
	int64_t n;
	double x;
	bool on;
	const char *s;

	(void)state;
	assert_int_equal(js_int(o, "n", 0, &n, "f", NULL), EX_OK);
	assert_int_equal(n, 12);
	assert_int_equal(js_real(o, "eps", 0, &x, "f", NULL), EX_OK);
	assert_true(x == 1e-12);
	assert_int_equal(js_real(o, "one", 0, &x, "f", NULL), EX_OK);
	assert_true(x == 1.0);
	assert_int_equal(js_bool(o, "on", false, &on, "f", NULL), EX_OK);
	assert_true(on);
	assert_int_equal(js_text(o, "s", NULL, &s, "f", NULL), EX_OK);
	assert_string_equal(s, "gelu");
	json_decref(o);
}

static void absent_or_null_member_gives_the_fallback(void **state)
{
	json_t *o = parse("{\"n\": null}");
	int64_t n;
	double x;
	bool on;
	const char *s;

	(void)state;
	assert_int_equal(js_int(o, "n", 7, &n, "f", NULL), EX_OK);
	assert_int_equal(n, 7);
	assert_int_equal(js_real(o, "eps", 0.5, &x, "f", NULL), EX_OK);
	assert_true(x == 0.5);
	assert_int_equal(js_bool(o, "on", true, &on, "f", NULL), EX_OK);
	assert_true(on);
	assert_int_equal(js_text(o, "s", "relu", &s, "f", NULL), EX_OK);
	assert_string_equal(s, "relu");
	json_decref(o);
}

static void member_of_the_wrong_type_is_named(void **state)
{
	json_t *o = parse("{\"a\": \"12\", \"b\": 1.5}");
	struct err e;
	int64_t n;
	double x;
	bool on;
	const char *s;

	(void)state;
	assert_int_equal(js_int(o, "a", 0, &n, "config.json", &e), EX_DATAERR);
	assert_string_equal(e.text, "config.json: a is not an integer of 64 bits");
	assert_int_equal(js_int(o, "b", 0, &n, "f", &e), EX_DATAERR);
	assert_int_equal(js_real(o, "a", 0, &x, "f", &e), EX_DATAERR);
	assert_int_equal(js_bool(o, "b", 0, &on, "f", &e), EX_DATAERR);
	assert_int_equal(js_text(o, "b", NULL, &s, "f", &e), EX_DATAERR);
	json_decref(o);
}

static void integer_beyond_64_bits_is_a_real_and_others_stay(void **state)
{
	json_t *o = parse(
	    "{\"model_max_length\": 1000000000000000019884624838656,"
	    " \"s\": \"a\\\"9999999999999999999999\", \"pi\": 3.14159265358979323846,"
	    " \"e\": 10000000000000000000000e3, \"n\": 9007199254740993, \"t\": true}");
	int64_t n;
	double x;
	const char *s;

	(void)state;
	assert_int_equal(js_real(o, "model_max_length", 0, &x, "f", NULL), EX_OK);
	assert_true(x == 1e30);
	assert_int_equal(js_int(o, "model_max_length", 0, &n, "f", NULL), EX_DATAERR);
	assert_int_equal(js_text(o, "s", NULL, &s, "f", NULL), EX_OK);
	assert_string_equal(s, "a\"9999999999999999999999");
	assert_int_equal(js_real(o, "pi", 0, &x, "f", NULL), EX_OK);
	assert_true(x == 3.14159265358979323846);
	assert_int_equal(js_real(o, "e", 0, &x, "f", NULL), EX_OK);
	assert_true(x == 1e25);
	assert_int_equal(js_int(o, "n", 0, &n, "f", NULL), EX_OK);
	assert_int_equal(n, 9007199254740993);
	json_decref(o);
}

static void byte_order_mark_is_skipped(void **state)
{
	(void)state;
	json_decref(parse("\xef\xbb\xbf{}"));
}

static void malformed_text_is_refused_with_its_line(void **state)
{
	(void)state;
	refused("", 0, "config.json:1: not valid JSON");
	refused("{\n\"a\": 1,\n}", 12, "config.json:3: ");
	refused("{\"a\": 1, \"a\": 2}", 16, "duplicate");
	refused("{} x", 4, "config.json:1: ");
	refused("{\"a\": \"\xff\"}", 10, "config.json:1: ");
	refused("{\"a\": \"x\0y\"}", 12, "config.json:1: ");
	refused("{\"a\": 1e999}", 12, "config.json:1: ");
}

static void nesting_without_end_is_refused(void **state)
{
	char deep[100000];

	(void)state;
	memset(deep, '[', sizeof deep);
	refused(deep, sizeof deep, "depth");
}

static void missing_file_is_no_input(void **state)
{
	struct err e = { 0 };
	json_t *o;

	(void)state;
	assert_int_equal(js_load(&o, "/nonexistent/config.json", &e), EX_NOINPUT);
	assert_non_null(strstr(e.text, "/nonexistent/config.json"));
}

static void saved_file_is_sorted_short_and_reads_back(void **state)
{
	static const char want[] = "{\n"
				   "  \"a\": [\n    0.1,\n    1.0,\n    []\n  ],\n"
				   "  \"b\": {},\n"
				   "  \"c\": \"\xc3\xa4\\n\",\n"
				   "  \"d\": {\n    \"x\": 1e-12,\n    \"y\": true\n  },\n"
				   "  \"e\": null,\n"
				   "  \"f\": 3\n"
				   "}\n";
	char dir[] = "/tmp/test_json.XXXXXX", path[64], got[sizeof want + 8] = "";
	json_t
	    *o = parse(
		"{\"f\":3,\"e\":null,\"d\":{\"y\":true,\"x\":1e-12},\"c\":\"\xc3\xa4\\n\","
		"\"b\":{},\"a\":[0.1,1.0,[]]}"),
	    *again;
	struct err e = { 0 };
	FILE *f;

	(void)state;
	assert_non_null(mkdtemp(dir));
	snprintf(path, sizeof path, "%s/config.json", dir);
	assert_int_equal(js_save(o, path, &e), EX_OK);
	f = fopen(path, "r");
	assert_non_null(f);
	assert_int_equal(fread(got, 1, sizeof got - 1, f), strlen(want));
	fclose(f);
	assert_string_equal(got, want);
	assert_int_equal(js_load(&again, path, &e), EX_OK);
	assert_true(json_equal(o, again));
	assert_int_equal(js_save(o, path, &e), EX_CANTCREAT);
	json_decref(again);
	json_decref(o);
	unlink(path);
	rmdir(dir);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(members_have_their_values),
		cmocka_unit_test(absent_or_null_member_gives_the_fallback),
		cmocka_unit_test(member_of_the_wrong_type_is_named),
		cmocka_unit_test(integer_beyond_64_bits_is_a_real_and_others_stay),
		cmocka_unit_test(byte_order_mark_is_skipped),
		cmocka_unit_test(malformed_text_is_refused_with_its_line),
		cmocka_unit_test(nesting_without_end_is_refused),
		cmocka_unit_test(missing_file_is_no_input),
		cmocka_unit_test(saved_file_is_sorted_short_and_reads_back),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
