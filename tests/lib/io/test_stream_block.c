#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <setjmp.h>
#include <cmocka.h>
#include <stdlib.h>
#include <string.h>
#include <zlib.h>

#include "base/prng.h"
#include "io/stream_private.h"

static void put_u32(unsigned char *to, size_t x)
{
	for (int i = 0; i < 4; i++)
		to[i] = (unsigned char)(x >> (8 * i));
}

/* A block with right checksums around whatever data, as someone with bad intent makes it.
 * `claimed`: its size as the head tells it. */
static unsigned char *forge(char type, const void *raw, size_t len, size_t claimed)
{
	uLongf packed = compressBound((uLong)len);
	unsigned char *block = malloc(BLOCK_HEAD + packed);
	uLong crc;

	assert_non_null(block);
	assert_int_equal(compress(block + BLOCK_HEAD, &packed, raw, (uLong)len), Z_OK);
	block[0] = (unsigned char)type;
	put_u32(block + 1, packed);
	put_u32(block + 5, claimed);
	crc = crc32(crc32(0, block, 9), block + BLOCK_HEAD, (unsigned)packed);
	put_u32(block + 9, crc);
	return block;
}

static void assert_forgery_refused(char type, const void *raw, size_t len, size_t claimed,
				   const char *want)
{
	unsigned char *block = forge(type, raw, len, claimed);
	struct strbuf text = { 0 };
	struct err e = { 0 };

	assert_int_equal(block_decode(block, &text, &e), EX_DATAERR);
	assert_string_equal(e.text, want);
	strbuf_free(&text);
	free(block);
}

#define ROWS(bytes) 'R', bytes, sizeof(bytes) - 1, sizeof(bytes) - 1

static void a_block_gives_its_lines_back(void **state)
{
	static const char rows[] = "1\ta\t0.5\n-2\t\tnan\n";
	struct strbuf block = { 0 }, text = { 0 };
	struct err e = { 0 };

	(void)state;
	assert_int_equal(block_encode(&block, 'R', rows, sizeof rows - 1, 3, &e), EX_OK);
	assert_int_equal(block_decode((unsigned char *)block.s, &text, &e), EX_OK);
	assert_string_equal(text.s, rows);
	strbuf_free(&block);
	strbuf_free(&text);
}

static void rows_of_another_width_are_not_encoded(void **state)
{
	struct strbuf block = { 0 };
	struct err e = { 0 };

	(void)state;
	assert_int_equal(block_encode(&block, 'R', "1\t2\n3\n", 6, 2, &e), EX_SOFTWARE);
	assert_int_equal(block_encode(&block, 'R', "1\t2\n3\t4\t5\n", 10, 2, &e),
			 EX_SOFTWARE);
	strbuf_free(&block);
}

static void hostile_sizes_are_refused_before_anything_is_allocated(void **state)
{
	unsigned char head[BLOCK_HEAD] = { 'R' };
	size_t packed, raw;

	(void)state;
	put_u32(head + 1, 100);
	put_u32(head + 5, BLOCK_RAW_MAX);
	assert_true(block_head(head, &packed, &raw));
	put_u32(head + 5, BLOCK_RAW_MAX + 1);
	assert_false(block_head(head, &packed, &raw));
	put_u32(head + 5, 0xffffffff);
	assert_false(block_head(head, &packed, &raw));
	put_u32(head + 5, 0);
	assert_false(block_head(head, &packed, &raw));
	put_u32(head + 1, 0xffffffff);
	put_u32(head + 5, 1000);
	assert_false(block_head(head, &packed, &raw));
}

static void forged_blocks_are_refused(void **state)
{
	static const char inflated[] = "its data cannot be inflated";
	static const char small[] = "too small for its rows",
			  columns[] = "malformed columns";

	(void)state;
	assert_forgery_refused('X', "abc", 3, 3, "of an unknown type");
	assert_forgery_refused('L', "abc", 3, 2, inflated);
	assert_forgery_refused('L', "abc", 3, 4, inflated);
	assert_forgery_refused(ROWS("\1\0\0"), small);
	/* no rows; no columns; more of them than bytes; a product that wraps around */
	assert_forgery_refused(ROWS("\0\0\0\0\1\0\0\0s\0\0\0\0"), small);
	assert_forgery_refused(ROWS("\1\0\0\0\0\0\0\0"), small);
	assert_forgery_refused(ROWS("\1\0\0\0\377\377\377\377s\1\0\0\0\0"), small);
	assert_forgery_refused(ROWS("\377\377\377\377\1\0\0\0s\1\0\0\0\0"), small);
	assert_forgery_refused(ROWS("\0\0\0\200\2\0\0\0s\1\0\0\0\0s\1\0\0\0\0"), small);
	/* a column of an unknown type; larger than the block; smaller than its rows */
	assert_forgery_refused(ROWS("\1\0\0\0\1\0\0\0x\1\0\0\0\0"), columns);
	assert_forgery_refused(ROWS("\1\0\0\0\1\0\0\0\0\1\0\0\0\0"), columns);
	assert_forgery_refused(ROWS("\1\0\0\0\1\0\0\0s\2\0\0\0\0"), columns);
	assert_forgery_refused(ROWS("\1\0\0\0\1\0\0\0s\377\377\377\377\0"), columns);
	assert_forgery_refused(ROWS("\2\0\0\0\1\0\0\0s\1\0\0\0\0"), columns);
	assert_forgery_refused(ROWS("\1\0\0\0\1\0\0\0r\7\0\0\0\0\0\0\0\0\0\0"), columns);
	/* a string longer than its column; a number without end; bytes left over */
	assert_forgery_refused(ROWS("\1\0\0\0\1\0\0\0s\2\0\0\0\2a"), columns);
	assert_forgery_refused(ROWS("\1\0\0\0\1\0\0\0i\1\0\0\0\200"), columns);
	assert_forgery_refused(ROWS("\1\0\0\0\1\0\0\0i\13\0\0\0\200\200\200\200\200\200"
				    "\200\200\200\200\1"),
			       columns);
	assert_forgery_refused(ROWS("\1\0\0\0\1\0\0\0i\2\0\0\0\1\1"), columns);
	assert_forgery_refused(ROWS("\1\0\0\0\1\0\0\0s\1\0\0\0\0x"), columns);
	assert_forgery_refused(ROWS("\1\0\0\0\2\0\0\0s\1\0\0\0\0"), columns);
}

/* Random changes to the raw data under right checksums: text or an error, no crash. */
static void randomly_forged_rows_do_no_harm(void **state)
{
	struct prng p;
	size_t refused = 0;

	(void)state;
	prng_seed(&p, 1, "forgery");
	for (int i = 0; i < 20000; i++) {
		char raw[] = "\2\0\0\0\3\0\0\0i\3\0\0\0\1\200\1s\5\0\0\0\2ab\1c"
			     "r\20\0\0\0????????zzzzzzzz";
		unsigned char *block;
		struct strbuf text = { 0 };

		for (uint64_t n = prng_below(&p, 3) + 1; n > 0; n--)
			raw[prng_below(&p, sizeof raw - 1)] = (char)prng_next(&p);
		block = forge('R', raw, sizeof raw - 1, sizeof raw - 1);
		refused += block_decode(block, &text, NULL) != EX_OK;
		strbuf_free(&text);
		free(block);
	}
	assert_in_range(refused, 5000, 19999);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(a_block_gives_its_lines_back),
		cmocka_unit_test(rows_of_another_width_are_not_encoded),
		cmocka_unit_test(hostile_sizes_are_refused_before_anything_is_allocated),
		cmocka_unit_test(forged_blocks_are_refused),
		cmocka_unit_test(randomly_forged_rows_do_no_harm),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
