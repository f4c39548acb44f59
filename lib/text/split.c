#define PCRE2_CODE_UNIT_WIDTH 8
#include "text/split.h"

#include <pcre2.h>
#include <stdbool.h>

/* tests/ref/unicode.py --classes prints both lists for the PCRE2 that is installed. */
#define YOUNG_LETTERS                                                                   \
	"\\x{1c89}\\x{1c8a}\\x{a7cb}-\\x{a7cd}\\x{a7da}-\\x{a7dc}\\x{105c0}-\\x{105f3}" \
	"\\x{10d4a}-\\x{10d65}\\x{10d6f}-\\x{10d85}\\x{10ec2}-\\x{10ec4}"               \
	"\\x{1123f}-\\x{11240}\\x{11380}-\\x{11389}\\x{1138b}\\x{1138e}"                \
	"\\x{11390}-\\x{113b5}\\x{113b7}\\x{113d1}\\x{113d3}\\x{11bc0}-\\x{11be0}"      \
	"\\x{11f02}\\x{11f04}-\\x{11f10}\\x{11f12}-\\x{11f33}\\x{1342f}"                \
	"\\x{13441}-\\x{13446}\\x{13460}-\\x{143fa}\\x{16100}-\\x{1611d}"               \
	"\\x{16d40}-\\x{16d6c}\\x{18cff}\\x{1b132}\\x{1b155}\\x{1df25}-\\x{1df2a}"      \
	"\\x{1e030}-\\x{1e06d}\\x{1e4d0}-\\x{1e4eb}\\x{1e5d0}-\\x{1e5ed}\\x{1e5f0}"     \
	"\\x{2b739}\\x{2ebf0}-\\x{2ee5d}\\x{31350}-\\x{323af}"
#define YOUNG_NUMBERS                                                     \
	"\\x{10d40}-\\x{10d49}\\x{116d0}-\\x{116e3}\\x{11bf0}-\\x{11bf9}" \
	"\\x{11f50}-\\x{11f59}\\x{16130}-\\x{16139}\\x{16d70}-\\x{16d79}" \
	"\\x{1ccf0}-\\x{1ccf9}\\x{1d2c0}-\\x{1d2d3}\\x{1e4f0}-\\x{1e4f9}" \
	"\\x{1e5f1}-\\x{1e5fa}"
/* PCRE2's \s has U+180E as well. */
#define SPACES                                                                         \
	"\\x09-\\x0d\\x20\\x{85}\\x{a0}\\x{1680}\\x{2000}-\\x{200a}\\x{2028}\\x{2029}" \
	"\\x{202f}\\x{205f}\\x{3000}"
#define LETTERS "\\p{L}" YOUNG_LETTERS
#define NUMBERS "\\p{N}" YOUNG_NUMBERS

/* Every character begins a word. */
static const char pattern[] = "'(?:[sdmt]|re|ve|ll)"
			      "| ?[" LETTERS "]+"
			      "| ?[" NUMBERS "]+"
			      "| ?[^" SPACES LETTERS NUMBERS "]+"
			      "|[" SPACES "]+(?![^" SPACES "])"
			      "|[" SPACES "]+";

int splitter_open(struct splitter *p, struct err *e)
{
	PCRE2_UCHAR says[200];
	PCRE2_SIZE at;
	int code;

	p->code = pcre2_compile((PCRE2_SPTR)pattern, sizeof pattern - 1,
				PCRE2_UTF | PCRE2_UCP | PCRE2_ANCHORED, &code, &at, NULL);
	if (p->code == NULL) {
		pcre2_get_error_message(code, says, sizeof says);
		return err_set(e, EX_SOFTWARE, "the pattern of words, byte %zu: %s", at,
			       (const char *)says);
	}
	/* Where there is no JIT the same pattern is interpreted. */
	(void)pcre2_jit_compile(p->code, PCRE2_JIT_COMPLETE);
	return EX_OK;
}

void splitter_close(struct splitter *p)
{
	pcre2_code_free(p->code);
	p->code = NULL;
}

void split_room_free(struct split_room *room)
{
	pcre2_match_data_free(room->match);
	room->match = NULL;
}

int splitter_next(const struct splitter *p, struct split_room *room, const char *s,
		  size_t n, size_t at, size_t *stop, struct err *e)
{
	PCRE2_UCHAR says[200];
	int found;

	if (room->match == NULL && (room->match = pcre2_match_data_create(1, NULL)) == NULL)
		return err_nomem(e);
	found = pcre2_match(p->code, (PCRE2_SPTR)s, n, at, PCRE2_NO_UTF_CHECK, room->match,
			    NULL);
	if (found == PCRE2_ERROR_NOMEMORY)
		return err_nomem(e);
	if (found < 0) {
		pcre2_get_error_message(found, says, sizeof says);
		return err_set(e, EX_SOFTWARE, "cutting a text into words, byte %zu: %s",
			       at, (const char *)says);
	}
	*stop = pcre2_get_ovector_pointer(room->match)[1];
	return EX_OK;
}
