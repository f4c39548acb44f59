#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <cmocka.h>

#include <math.h>
#include <signal.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/resource.h>
#include <unistd.h>

#include "base/prng.h"
#include "base/str.h"
#include "io/safetensors.h"

static char path[] = "/tmp/safetensors.XXXXXX";

static int make_path(void **state)
{
	int fd = mkstemp(path);

	(void)state;
	return fd < 0 ? -1 : close(fd);
}

static int remove_path(void **state)
{
	(void)state;
	return unlink(path);
}

static void put_bytes(const void *bytes, size_t n)
{
	FILE *f = fopen(path, "wb");

	assert_non_null(f);
	assert_int_equal(fwrite(bytes, 1, n, f), n);
	assert_int_equal(fclose(f), 0);
}

/* The bytes of a file with that header and `n` bytes of data, 0, 1, 2, ... */
static void build(struct strbuf *b, const char *header, size_t n)
{
	uint64_t length = strlen(header);

	strbuf_clear(b);
	for (int i = 0; i < 8; i++) {
		char c = (char)(length >> 8 * i & 0xff);

		strbuf_add(b, &c, 1);
	}
	strbuf_puts(b, header);
	for (size_t i = 0; i < n; i++) {
		char c = (char)i;

		strbuf_add(b, &c, 1);
	}
	assert_false(b->failed);
}

static void put(const char *header, size_t data)
{
	struct strbuf b = { 0 };

	build(&b, header, data);
	put_bytes(b.s, b.len);
	strbuf_free(&b);
}

/* The file is refused with a message that holds `why` and the file's name. */
static void refused(const char *why)
{
	struct safetensors s;
	struct err e = { 0 };

	assert_int_equal(safetensors_open(&s, path, &e), EX_DATAERR);
	assert_int_equal(e.code, EX_DATAERR);
	if (strstr(e.text, why) == NULL)
		fail_msg("'%s' lacks '%s'", e.text, why);
	assert_true(str_starts(e.text, path));
}

#define TENSOR(name, type, shape, from, to)                                                \
	"\"" name "\":{\"dtype\":\"" type "\",\"shape\":" shape ",\"data_offsets\":[" from \
	"," to "]}"

/* ---- good files ---- */

static void tensors_are_found_by_name_with_shape_and_data(void **state)
{
	struct safetensors s;
	const struct tensor_view *t;
	struct err e;

	(void)state;
	put("{\"__metadata__\":{\"format\":\"pt\"}," TENSOR("b", "F32", "[2,3]", "8",
							    "32") "," //
	    TENSOR("a", "I64", "[1]", "0", "8") "}   ",
	    32);
	assert_int_equal(safetensors_open(&s, path, &e), EX_OK);
	assert_int_equal(s.n, 2);
	assert_string_equal(s.t[0].name, "a");
	t = safetensors_find(&s, "b");
	assert_ptr_equal(t, &s.t[1]);
	assert_int_equal(t->dtype, DTYPE_F32);
	assert_int_equal(t->ndim, 2);
	assert_int_equal(t->shape[0], 2);
	assert_int_equal(t->shape[1], 3);
	assert_int_equal(t->n, 6);
	assert_int_equal(t->bytes, 24);
	assert_int_equal(*(const unsigned char *)t->data, 8);
	assert_null(safetensors_find(&s, "c"));
	assert_null(safetensors_find(&s, ""));
	safetensors_close(&s);
}

static void scalars_and_empty_tensors_are_allowed(void **state)
{
	struct safetensors s;
	struct err e;

	(void)state;
	put("{" TENSOR("scalar", "F32", "[]", "0", "4") "," //
	    TENSOR("empty", "F16", "[0,7]", "4", "4") ","   //
	    TENSOR("first", "F16", "[0]", "0", "0") "}",
	    4);
	assert_int_equal(safetensors_open(&s, path, &e), EX_OK);
	assert_int_equal(safetensors_find(&s, "scalar")->n, 1);
	assert_int_equal(safetensors_find(&s, "empty")->n, 0);
	safetensors_close(&s);
}

static void a_file_without_tensors_is_whole(void **state)
{
	struct safetensors s;
	struct err e;

	(void)state;
	put("{}", 0);
	assert_int_equal(safetensors_open(&s, path, &e), EX_OK);
	assert_int_equal(s.n, 0);
	assert_null(safetensors_find(&s, "a"));
	safetensors_close(&s);
}

static void an_unknown_dtype_is_refused_only_on_use(void **state)
{
	struct safetensors s;
	struct err e = { 0 };
	float x[2];

	(void)state;
	put("{" TENSOR("a", "F4_NEW", "[2]", "0", "1") "}", 1);
	assert_int_equal(safetensors_open(&s, path, &e), EX_OK);
	assert_int_equal(s.t[0].dtype, DTYPE_OTHER);
	assert_int_equal(tensor_floats(&s.t[0], x, path, &e), EX_DATAERR);
	assert_non_null(strstr(e.text, "tensor a"));
	safetensors_close(&s);
}

/* ---- malformed files, each named after its defect ---- */

static void no_room_for_the_header_length(void **state)
{
	(void)state;
	put_bytes("1234567", 7);
	refused("7 bytes are too few");
}

static void empty_file(void **state)
{
	(void)state;
	put_bytes("", 0);
	refused("0 bytes are too few");
}

static void header_length_beyond_the_file(void **state)
{
	(void)state;
	put_bytes("\x03\0\0\0\0\0\0\0{}", 10);
	refused("truncated: a header of 3 bytes");
}

static void header_length_beyond_the_limit(void **state)
{
	(void)state;
	put_bytes("\xff\xff\xff\xff\xff\xff\xff\xff{}", 10);
	refused("no safetensors file: a header of 18446744073709551615 bytes");
}

static void truncated_header(void **state)
{
	struct strbuf b = { 0 };

	(void)state;
	build(&b, "{" TENSOR("a", "F32", "[2]", "0", "8") "}", 0);
	put_bytes(b.s, b.len - 10);
	refused("truncated: a header");
	strbuf_free(&b);
}

static void truncated_data(void **state)
{
	(void)state;
	put("{" TENSOR("a", "F32", "[2]", "0", "8") "}", 7);
	refused("truncated: tensor a ends at byte 8");
}

static void trailing_bytes(void **state)
{
	(void)state;
	put("{" TENSOR("a", "F32", "[2]", "0", "8") "}", 9);
	refused("1 trailing bytes");
}

static void overlapping_tensors(void **state)
{
	(void)state;
	put("{" TENSOR("a", "F32", "[2]", "0", "8") "," TENSOR("b", "F32", "[2]", "4",
							       "12") "}",
	    12);
	refused("tensors a and b overlap at byte 4");
}

static void one_place_for_two_tensors(void **state)
{
	(void)state;
	put("{" TENSOR("a", "F32", "[2]", "0", "8") "," TENSOR("b", "F32", "[2]", "0",
							       "8") "}",
	    8);
	refused("overlap at byte 0");
}

static void hole_between_tensors(void **state)
{
	(void)state;
	put("{" TENSOR("a", "F32", "[1]", "0", "4") "," TENSOR("b", "F32", "[1]", "6",
							       "10") "}",
	    10);
	refused("a hole of 2 bytes before tensor b");
}

static void hole_before_the_first_tensor(void **state)
{
	(void)state;
	put("{" TENSOR("a", "F32", "[1]", "4", "8") "}", 8);
	refused("a hole of 4 bytes before tensor a");
}

static void reversed_offsets(void **state)
{
	(void)state;
	put("{" TENSOR("a", "F32", "[1]", "4", "0") "}", 4);
	refused("data_offsets are reversed");
}

static void negative_offset(void **state)
{
	(void)state;
	put("{" TENSOR("a", "F32", "[1]", "-4", "0") "}", 4);
	refused("data_offsets are not two whole numbers");
}

static void fractional_offset(void **state)
{
	(void)state;
	put("{" TENSOR("a", "F32", "[1]", "0", "4.0") "}", 4);
	refused("data_offsets are not two whole numbers");
}

static void offset_beyond_64_bits(void **state)
{
	(void)state;
	put("{" TENSOR("a", "F32", "[1]", "0", "18446744073709551620") "}", 4);
	refused("data_offsets are not two whole numbers");
}

static void three_offsets(void **state)
{
	(void)state;
	put("{" TENSOR("a", "F32", "[1]", "0", "4,4") "}", 4);
	refused("data_offsets are not two whole numbers");
}

static void size_that_is_not_shape_times_dtype(void **state)
{
	(void)state;
	put("{" TENSOR("a", "F32", "[3]", "0", "8") "}", 8);
	refused("tensor a has 3 elements of 4 bytes in 8 bytes");
}

static void shape_product_overflows(void **state)
{
	(void)state;
	put("{" TENSOR("a", "F32", "[4294967296,4294967296]", "0", "0") "}", 0);
	refused("the product of its shape overflows");
}

static void shape_times_dtype_overflows(void **state)
{
	(void)state;
	put("{" TENSOR("a", "F32", "[4611686018427387904]", "0", "0") "}", 0);
	refused("4611686018427387904 elements of 4 bytes in 0 bytes");
}

static void negative_size_in_a_shape(void **state)
{
	(void)state;
	put("{" TENSOR("a", "F32", "[-1]", "0", "4") "}", 4);
	refused("a size in its shape is no whole number");
}

static void too_many_dimensions(void **state)
{
	(void)state;
	put("{" TENSOR("a", "F32", "[1,1,1,1,1]", "0", "4") "}", 4);
	refused("5 dimensions");
}

static void duplicate_name(void **state)
{
	(void)state;
	put("{" TENSOR("a", "F32", "[1]", "0", "4") "," TENSOR("a", "F32", "[1]", "4",
							       "8") "}",
	    8);
	refused("duplicate object key");
}

static void header_is_not_json(void **state)
{
	(void)state;
	put("{\"a\":", 0);
	refused("not valid JSON");
}

static void header_is_no_object(void **state)
{
	(void)state;
	put("[1, 2]", 0);
	refused("the header is no JSON object");
}

static void entry_is_no_object(void **state)
{
	(void)state;
	put("{\"a\":3}", 0);
	refused("the entry of tensor a is no object");
}

static void entry_without_dtype(void **state)
{
	(void)state;
	put("{\"a\":{\"shape\":[],\"data_offsets\":[0,0]}}", 0);
	refused("tensor a has no dtype");
}

static void entry_without_shape(void **state)
{
	(void)state;
	put("{\"a\":{\"dtype\":\"F32\",\"data_offsets\":[0,0]}}", 0);
	refused("tensor a has no shape");
}

static void control_character_in_a_name(void **state)
{
	(void)state;
	put("{" TENSOR("a\\n", "F32", "[1]", "0", "4") "}", 4);
	refused("control characters");
}

static void empty_name(void **state)
{
	(void)state;
	put("{" TENSOR("", "F32", "[1]", "0", "4") "}", 4);
	refused("is empty");
}

static void metadata_is_no_object_of_strings(void **state)
{
	(void)state;
	put("{\"__metadata__\":{\"format\":1}}", 0);
	refused("__metadata__: the value of 'format' is no string");
	put("{\"__metadata__\":7}", 0);
	refused("__metadata__ is no object");
}

static void missing_file_is_no_input(void **state)
{
	struct safetensors s;
	struct err e;

	(void)state;
	assert_int_equal(safetensors_open(&s, "/nonexistent/x", &e), EX_NOINPUT);
}

/* Whatever single bytes change, the file is opened or refused, and what is opened can be
 * read to its last byte. */
static void mutated_files_never_crash(void **state)
{
	struct strbuf b = { 0 };
	struct prng r;
	size_t opened = 0, refusals = 0;
	volatile unsigned sum = 0;

	(void)state;
	build(&b,
	      "{\"__metadata__\":{\"format\":\"pt\"}," TENSOR(
		  "a.b", "F32", "[2,3]", "0",
		  "24") "," TENSOR("c", "F16", "[5]", "24",
				   "34") "," TENSOR("d", "F64", "[]", "34", "42") "}",
	      42);
	prng_seed(&r, 1, "mutations");
	for (int i = 0; i < 20000; i++) {
		size_t count = 1 + prng_below(&r, 3), at[3];
		struct safetensors s;
		struct err e;
		char was[3];

		for (size_t j = 0; j < count; j++) {
			at[j] = prng_below(&r, b.len);
			was[j] = b.s[at[j]];
			b.s[at[j]] = (char)prng_below(&r, 256);
		}
		put_bytes(b.s, i % 7 == 0 ? prng_below(&r, b.len) : b.len);
		if (safetensors_open(&s, path, &e) == EX_OK) {
			float x[64];

			for (size_t t = 0; t < s.n; t++) {
				for (size_t k = 0; k < s.t[t].bytes; k++)
					sum += ((const unsigned char *)s.t[t].data)[k];
				if (s.t[t].n <= 64)
					tensor_floats(&s.t[t], x, path, &e);
			}
			safetensors_close(&s);
			opened++;
		} else {
			refusals++;
		}
		for (size_t j = count; j-- > 0;)
			b.s[at[j]] = was[j];
	}
	assert_true(opened > 100);
	assert_true(refusals > 100);
	strbuf_free(&b);
}

/* ---- elements ---- */

/* The same values in each dtype, all exact in half precision, behind one byte that makes
 * every address odd. */
static void elements_convert_to_floats_at_any_address(void **state)
{
	static const unsigned char data[] = {
		7,                                              /* I8 */
		0x00, 0x00, 0x80, 0x3f, 0x00, 0x00, 0x20, 0xc0, /* F32: 1, -2.5 */
		0x00, 0x3c, 0x00, 0xc1,                         /* F16 */
		0x80, 0x3f, 0x20, 0xc0,                         /* BF16 */
		0,    0,    0,    0,    0,    0,    0xf0, 0x3f, /* F64 */
		0,    0,    0,    0,    0,    0,    0x04, 0xc0,
	};
	struct strbuf b = { 0 };
	struct safetensors s;
	struct err e;

	(void)state;
	build(&b,
	      "{" TENSOR("0", "I8", "[1]", "0", "1") "," TENSOR(
		  "1", "F32", "[2]", "1",
		  "9") "," TENSOR("2", "F16", "[2]", "9",
				  "13") "," TENSOR("3", "BF16", "[2]", "13",
						   "17") "," TENSOR("4", "F64", "[2]", "17",
								    "33") "} ",
	      0);
	strbuf_add(&b, (const char *)data, sizeof data);
	put_bytes(b.s, b.len);
	strbuf_free(&b);
	assert_int_equal(safetensors_open(&s, path, &e), EX_OK);
	for (size_t i = 1; i < s.n; i++) {
		float x[2];

		assert_int_equal(tensor_floats(&s.t[i], x, path, &e), EX_OK);
		assert_true(x[0] == 1.0f && x[1] == -2.5f);
	}
	safetensors_close(&s);
}

/* ---- writing ---- */

static void written_tensors_read_back(void **state)
{
	const float x[6] = { 1, -2, 3.5f, 0, 1e-30f, 65504 }, y = 4;
	const struct tensor_out t[] = {
		{ .name = "z \"q\" \\",
		  .dtype = DTYPE_F32,
		  .ndim = 2,
		  .shape = { 2, 3 },
		  .data = x },
		{ .name = "b", .dtype = DTYPE_F32, .ndim = 0, .data = &y },
		{ .name = "a", .dtype = DTYPE_F32, .ndim = 1, .shape = { 0 }, .data = x },
	};
	struct safetensors s;
	struct err e;

	(void)state;
	unlink(path);
	assert_int_equal(safetensors_write(path, t, 3, &e), EX_OK);
	assert_int_equal(safetensors_open(&s, path, &e), EX_OK);
	assert_int_equal(s.n, 3);
	assert_string_equal(s.t[0].name, "a");
	assert_string_equal(s.t[2].name, "z \"q\" \\");
	assert_int_equal(s.t[2].shape[1], 3);
	assert_memory_equal(s.t[2].data, x, sizeof x);
	assert_memory_equal(s.t[1].data, &y, sizeof y);
	assert_int_equal((uintptr_t)s.t[0].data % 8, 0);
	safetensors_close(&s);
}

static void writing_does_not_replace_a_file(void **state)
{
	struct err e;

	(void)state;
	put_bytes("mine", 4);
	assert_int_equal(safetensors_write(path, NULL, 0, &e), EX_CANTCREAT);
}

static void a_file_that_cannot_be_written_whole_is_removed(void **state)
{
	const float x[1024] = { 0 };
	const struct tensor_out t = {
		.name = "a", .dtype = DTYPE_F32, .ndim = 1, .shape = { 1024 }, .data = x
	};
	struct rlimit before, small;
	struct err e = { 0 };

	(void)state;
	unlink(path);
	signal(SIGXFSZ, SIG_IGN);
	assert_int_equal(getrlimit(RLIMIT_FSIZE, &before), 0);
	small = before;
	small.rlim_cur = 1000;
	assert_int_equal(setrlimit(RLIMIT_FSIZE, &small), 0);
	assert_int_equal(safetensors_write(path, &t, 1, &e), EX_IOERR);
	assert_int_equal(setrlimit(RLIMIT_FSIZE, &before), 0);
	assert_non_null(strstr(e.text, "cannot write"));
	assert_int_not_equal(access(path, F_OK), 0);
}

static void halves(enum dtype dtype, const float *x, const float *rounded, size_t n)
{
	const struct tensor_out t = {
		.name = "h", .dtype = dtype, .ndim = 1, .shape = { n }, .data = x
	};
	struct safetensors s;
	struct err e;
	float y[16];

	unlink(path);
	assert_int_equal(safetensors_write(path, &t, 1, &e), EX_OK);
	assert_int_equal(safetensors_open(&s, path, &e), EX_OK);
	assert_int_equal(s.t[0].dtype, dtype);
	assert_int_equal(tensor_floats(&s.t[0], y, path, &e), EX_OK);
	for (size_t i = 0; i < n; i++)
		if (!(y[i] == rounded[i] || (isnan(y[i]) && isnan(rounded[i]))))
			fail_msg("%a rounded to %a, not %a", (double)x[i], (double)y[i],
				 (double)rounded[i]);
	safetensors_close(&s);
}

/* Ties go to the even neighbour; 2^-24 is the smallest half, 65504 the largest. */
static void halves_round_to_even(void **state)
{
	const float x[] = { 1 + 0x1p-11f, 1 + 0x3p-11f, 0x1p-25f,     0x1.8p-25f,
			    0x1.8p-24f,   0x1p-14f,     0x1.ffcp-15f, 65519,
			    65520,        -0x1p-24f,    NAN,          INFINITY };
	const float y[] = {
		1,        1 + 0x1p-9f, 0,        0x1p-24f,  0x1p-23f, 0x1p-14f,
		0x1p-14f, 65504,       INFINITY, -0x1p-24f, NAN,      INFINITY
	};

	(void)state;
	halves(DTYPE_F16, x, y, sizeof x / sizeof *x);
}

static void bfloats_round_to_even(void **state)
{
	const float x[] = { 1 + 0x1p-8f,   1 + 0x3p-8f, 1 + 0x1.1p-8f,
			    -3.402823e38f, NAN,         0x1p-149f };
	const float y[] = { 1, 1 + 0x1p-6f, 1 + 0x1p-7f, -INFINITY, NAN, 0 };

	(void)state;
	halves(DTYPE_BF16, x, y, sizeof x / sizeof *x);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(tensors_are_found_by_name_with_shape_and_data),
		cmocka_unit_test(scalars_and_empty_tensors_are_allowed),
		cmocka_unit_test(a_file_without_tensors_is_whole),
		cmocka_unit_test(an_unknown_dtype_is_refused_only_on_use),
		cmocka_unit_test(no_room_for_the_header_length),
		cmocka_unit_test(empty_file),
		cmocka_unit_test(header_length_beyond_the_file),
		cmocka_unit_test(header_length_beyond_the_limit),
		cmocka_unit_test(truncated_header),
		cmocka_unit_test(truncated_data),
		cmocka_unit_test(trailing_bytes),
		cmocka_unit_test(overlapping_tensors),
		cmocka_unit_test(one_place_for_two_tensors),
		cmocka_unit_test(hole_between_tensors),
		cmocka_unit_test(hole_before_the_first_tensor),
		cmocka_unit_test(reversed_offsets),
		cmocka_unit_test(negative_offset),
		cmocka_unit_test(fractional_offset),
		cmocka_unit_test(offset_beyond_64_bits),
		cmocka_unit_test(three_offsets),
		cmocka_unit_test(size_that_is_not_shape_times_dtype),
		cmocka_unit_test(shape_product_overflows),
		cmocka_unit_test(shape_times_dtype_overflows),
		cmocka_unit_test(negative_size_in_a_shape),
		cmocka_unit_test(too_many_dimensions),
		cmocka_unit_test(duplicate_name),
		cmocka_unit_test(header_is_not_json),
		cmocka_unit_test(header_is_no_object),
		cmocka_unit_test(entry_is_no_object),
		cmocka_unit_test(entry_without_dtype),
		cmocka_unit_test(entry_without_shape),
		cmocka_unit_test(control_character_in_a_name),
		cmocka_unit_test(empty_name),
		cmocka_unit_test(metadata_is_no_object_of_strings),
		cmocka_unit_test(missing_file_is_no_input),
		cmocka_unit_test(mutated_files_never_crash),
		cmocka_unit_test(elements_convert_to_floats_at_any_address),
		cmocka_unit_test(written_tensors_read_back),
		cmocka_unit_test(writing_does_not_replace_a_file),
		cmocka_unit_test(a_file_that_cannot_be_written_whole_is_removed),
		cmocka_unit_test(halves_round_to_even),
		cmocka_unit_test(bfloats_round_to_even),
	};

	return cmocka_run_group_tests(tests, make_path, remove_path);
}
