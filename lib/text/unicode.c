#include "text/unicode.h"

#include <utf8proc.h>

struct range {
	uint32_t first, last;
};

/* Punctuation, marks and format characters that came after Unicode 8.0, with whatever
 * lies between them and is none of these: `tokenizers` takes them for letters. Another
 * utf8proc needs another list: tests/ref/unicode.py --ranges prints it. */
static const struct range young[] = {
	{ 0x61d, 0x61d },     { 0x7fd, 0x7fd },     { 0x890, 0x8e2 },
	{ 0x9fd, 0x9fe },     { 0xa76, 0xa76 },     { 0xafa, 0xaff },
	{ 0xb55, 0xb55 },     { 0xc04, 0xc3c },     { 0xc77, 0xc77 },
	{ 0xc84, 0xc84 },     { 0xd00, 0xd00 },     { 0xd3b, 0xd3c },
	{ 0xd81, 0xd81 },     { 0xeba, 0xeba },     { 0xece, 0xece },
	{ 0x1715, 0x1715 },   { 0x180f, 0x1886 },   { 0x1abf, 0x1ace },
	{ 0x1b7d, 0x1b7e },   { 0x1df6, 0x1dfb },   { 0x2e43, 0x2e5d },
	{ 0xa82c, 0xa82c },   { 0xa8c5, 0xa8c5 },   { 0xa8ff, 0xa8ff },
	{ 0xa9bd, 0xa9bd },   { 0x10d24, 0x10f89 }, { 0x11070, 0x11074 },
	{ 0x110c2, 0x110cd }, { 0x111c9, 0x111c9 }, { 0x111cf, 0x111cf },
	{ 0x1123e, 0x11241 }, { 0x1133b, 0x1133b }, { 0x11438, 0x1145e },
	{ 0x11660, 0x1166c }, { 0x116b9, 0x116b9 }, { 0x1182f, 0x11fff },
	{ 0x12ff1, 0x13455 }, { 0x16e97, 0x16f4f }, { 0x16fe2, 0x16ff1 },
	{ 0x1cf00, 0x1cf46 }, { 0x1e000, 0x1e4ef }, { 0x1e944, 0x1e95f },
};

/* Those of them whose combining class was known already: they came with Unicode 9.0,
 * which the table of classes is from. */
static const struct range nine[] = {
	{ 0x8d4, 0x8e1 },     { 0x1dfb, 0x1dfb },   { 0x11442, 0x11446 },
	{ 0x11c3f, 0x11c3f }, { 0x1e000, 0x1e02a }, { 0x1e944, 0x1e94a },
};

/* Capitals that utf8proc 2.8 does not know, with the distance to their small letter. */
static const struct capital {
	uint32_t first, last;
	int32_t to_small;
} capitals[] = {
	{ 0x1c89, 0x1c89, 1 },      { 0xa7cb, 0xa7cb, 0x264 - 0xa7cb },
	{ 0xa7cc, 0xa7cc, 1 },      { 0xa7ce, 0xa7ce, 1 },
	{ 0xa7d2, 0xa7d2, 1 },      { 0xa7d4, 0xa7d4, 1 },
	{ 0xa7da, 0xa7da, 1 },      { 0xa7dc, 0xa7dc, 0x19b - 0xa7dc },
	{ 0x10d50, 0x10d65, 0x20 }, { 0x16ea0, 0x16eb8, 0x1b },
};

#define COUNT(a) (sizeof(a) / sizeof(a)[0])

static bool within(const struct range *r, size_t n, uint32_t c)
{
	size_t low = 0, high = n;

	while (low < high) {
		size_t mid = low + (high - low) / 2;

		if (c > r[mid].last)
			low = mid + 1;
		else
			high = mid;
	}
	return low < n && c >= r[low].first;
}

/* ---- UTF-8 -------------------------------------------------------------------------- */

/* What may follow a first byte: how many bytes, and the bounds of the first of them. */
static size_t follows(unsigned char lead, unsigned char *low, unsigned char *high)
{
	*low = lead == 0xe0 ? 0xa0 : lead == 0xf0 ? 0x90 : 0x80;
	*high = lead == 0xed ? 0x9f : lead == 0xf4 ? 0x8f : 0xbf;
	if (lead >= 0xc2 && lead <= 0xdf)
		return 1;
	if (lead >= 0xe0 && lead <= 0xef)
		return 2;
	return lead >= 0xf0 && lead <= 0xf4 ? 3 : 0;
}

/* As utf8_next, but says whether the sequence was well-formed. */
static bool decode(const char *s, size_t n, uint32_t *c, size_t *used)
{
	unsigned char low, high, lead = (unsigned char)s[0];
	size_t i, more;

	*used = 1;
	*c = lead;
	if (lead < 0x80)
		return true;
	more = follows(lead, &low, &high);
	*c = lead & (0x3fu >> more);
	for (i = 1; i <= more && i < n; i++) {
		unsigned char b = (unsigned char)s[i];

		if (b < low || b > high)
			break;
		*c = *c << 6 | (b & 0x3fu);
		low = 0x80;
		high = 0xbf;
	}
	*used = i;
	if (more > 0 && i == more + 1)
		return true;
	*c = UNICODE_REPLACEMENT;
	return false;
}

size_t utf8_next(const char *s, size_t n, uint32_t *c)
{
	size_t used;

	decode(s, n, c, &used);
	return used;
}

bool utf8_valid(const char *s, size_t n)
{
	size_t i = 0, used;
	uint32_t c;

	while (i < n) {
		if ((unsigned char)s[i] < 0x80) {
			i++;
			continue;
		}
		if (!decode(s + i, n - i, &c, &used))
			return false;
		i += used;
	}
	return true;
}

size_t utf8_put(char out[UTF8_MAX], uint32_t c)
{
	if (c < 0x80) {
		out[0] = (char)c;
		return 1;
	}
	if (c < 0x800) {
		out[0] = (char)(0xc0 | c >> 6);
		out[1] = (char)(0x80 | (c & 0x3f));
		return 2;
	}
	if (c < 0x10000) {
		out[0] = (char)(0xe0 | c >> 12);
		out[1] = (char)(0x80 | (c >> 6 & 0x3f));
		out[2] = (char)(0x80 | (c & 0x3f));
		return 3;
	}
	out[0] = (char)(0xf0 | c >> 18);
	out[1] = (char)(0x80 | (c >> 12 & 0x3f));
	out[2] = (char)(0x80 | (c >> 6 & 0x3f));
	out[3] = (char)(0x80 | (c & 0x3f));
	return 4;
}

/* ---- categories --------------------------------------------------------------------- */

static utf8proc_category_t category(uint32_t c)
{
	return utf8proc_category((utf8proc_int32_t)c);
}

bool unicode_is_space(uint32_t c)
{
	if (c <= 0x20)
		return c == 0x20 || (c >= 0x09 && c <= 0x0d);
	if (c < 0x1680)
		return c == 0x85 || c == 0xa0;
	return c == 0x1680 || (c >= 0x2000 && c <= 0x200a) || c == 0x2028 || c == 0x2029 ||
	       c == 0x202f || c == 0x205f || c == 0x3000;
}

bool unicode_is_control(uint32_t c)
{
	if (c == '\t' || c == '\n' || c == '\r')
		return false;
	switch (category(c)) {
	case UTF8PROC_CATEGORY_CC:
	case UTF8PROC_CATEGORY_CO: return true;
	case UTF8PROC_CATEGORY_CF: return !within(young, COUNT(young), c);
	default: return false;
	}
}

bool unicode_is_punct(uint32_t c)
{
	utf8proc_category_t k;

	if (c < 0x80)
		return (c >= '!' && c <= '/') || (c >= ':' && c <= '@') ||
		       (c >= '[' && c <= '`') || (c >= '{' && c <= '~');
	/* Punctuation that became a symbol and a mark with Unicode 11 and 12. */
	if (c == 0x166d || c == 0x111c9)
		return true;
	k = category(c);
	return k >= UTF8PROC_CATEGORY_PC && k <= UTF8PROC_CATEGORY_PO &&
	       !within(young, COUNT(young), c);
}

bool unicode_is_mark(uint32_t c)
{
	/* U+1734 was a nonspacing mark until Unicode 14. */
	if (c == 0x1734)
		return true;
	return category(c) == UTF8PROC_CATEGORY_MN && !within(young, COUNT(young), c);
}

bool unicode_is_word(uint32_t c)
{
	/* Symbols that are letters with something around them, the joiners, and what came
	 * after Unicode 15.0. */
	static const struct range more[] = {
		{ 0x897, 0x897 },     { 0x1c89, 0x1c8a },   { 0x200c, 0x200d },
		{ 0x24b6, 0x24e9 },   { 0xa7cb, 0xa7cd },   { 0xa7da, 0xa7dc },
		{ 0x105c0, 0x105f3 }, { 0x10d40, 0x10d65 }, { 0x10d69, 0x10d6d },
		{ 0x10d6f, 0x10d85 }, { 0x10ec2, 0x10ec4 }, { 0x10efc, 0x10efc },
		{ 0x11380, 0x11389 }, { 0x1138b, 0x1138b }, { 0x1138e, 0x1138e },
		{ 0x11390, 0x113b5 }, { 0x113b7, 0x113c0 }, { 0x113c2, 0x113c2 },
		{ 0x113c5, 0x113c5 }, { 0x113c7, 0x113ca }, { 0x113cc, 0x113d3 },
		{ 0x113e1, 0x113e2 }, { 0x116d0, 0x116e3 }, { 0x11bc0, 0x11be0 },
		{ 0x11bf0, 0x11bf9 }, { 0x11f5a, 0x11f5a }, { 0x13460, 0x143fa },
		{ 0x16100, 0x16139 }, { 0x16d40, 0x16d6c }, { 0x16d70, 0x16d79 },
		{ 0x18cff, 0x18cff }, { 0x1ccf0, 0x1ccf9 }, { 0x1e5d0, 0x1e5fa },
		{ 0x1f130, 0x1f149 }, { 0x1f150, 0x1f169 }, { 0x1f170, 0x1f189 },
		{ 0x2ebf0, 0x2ee5d },
	};

	switch (category(c)) {
	case UTF8PROC_CATEGORY_LU:
	case UTF8PROC_CATEGORY_LL:
	case UTF8PROC_CATEGORY_LT:
	case UTF8PROC_CATEGORY_LM:
	case UTF8PROC_CATEGORY_LO:
	case UTF8PROC_CATEGORY_MN:
	case UTF8PROC_CATEGORY_MC:
	case UTF8PROC_CATEGORY_ME:
	case UTF8PROC_CATEGORY_ND:
	case UTF8PROC_CATEGORY_NL:
	case UTF8PROC_CATEGORY_PC: return true;
	default: return within(more, COUNT(more), c);
	}
}

bool unicode_is_ideograph(uint32_t c)
{
	static const struct range blocks[] = {
		{ 0x3400, 0x4dbf },   { 0x4e00, 0x9fff },   { 0xf900, 0xfaff },
		{ 0x20000, 0x2a6df }, { 0x2a700, 0x2b81f }, { 0x2b920, 0x2ceaf },
		{ 0x2f800, 0x2fa1f },
	};

	return c >= 0x3400 && within(blocks, COUNT(blocks), c);
}

/* ---- forms -------------------------------------------------------------------------- */

size_t unicode_decompose(uint32_t c, uint32_t out[UNICODE_DECOMPOSED])
{
	utf8proc_int32_t to[UNICODE_DECOMPOSED];
	utf8proc_ssize_t n;
	size_t i;
	int boundary = 0;

	out[0] = c;
	/* The one decomposition that came after Unicode 9. */
	if (c < 0xc0 || c == 0x11938)
		return 1;
	n = utf8proc_decompose_char((utf8proc_int32_t)c, to, UNICODE_DECOMPOSED,
				    UTF8PROC_DECOMPOSE, &boundary);
	if (n < 1 || n > UNICODE_DECOMPOSED)
		return 1;
	for (i = 0; i < (size_t)n; i++)
		out[i] = (uint32_t)to[i];
	return (size_t)n;
}

unsigned unicode_combining(uint32_t c)
{
	int class;

	if (c < 0x300)
		return 0;
	class = utf8proc_get_property((utf8proc_int32_t)c)->combining_class;
	if (class != 0 && within(young, COUNT(young), c) && !within(nine, COUNT(nine), c))
		return 0;
	return (unsigned)class;
}

size_t unicode_lower(uint32_t c, uint32_t out[2])
{
	size_t i;

	if (c == 0x130) {
		out[0] = 'i';
		out[1] = 0x307;
		return 2;
	}
	out[0] = (uint32_t)utf8proc_tolower((utf8proc_int32_t)c);
	if (out[0] != c || c < capitals[0].first)
		return 1;
	for (i = 0; i < COUNT(capitals); i++)
		if (c >= capitals[i].first && c <= capitals[i].last)
			out[0] = (uint32_t)((int32_t)c + capitals[i].to_small);
	return 1;
}
