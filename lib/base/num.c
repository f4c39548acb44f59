#include "base/num.h"

#include <ctype.h>
#include <errno.h>
#include <math.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "base/num_pow10.h"

/* ---- printing ---- */

__extension__ typedef unsigned __int128 wide;

/* floor(g c 2^-127) with a sticky last bit, where g = high 2^63 + low. */
static uint64_t scale(const uint64_t g[2], uint64_t c)
{
	uint64_t below = (uint64_t)((wide)g[1] * c >> 64);
	wide above = (wide)g[0] * c;
	uint64_t middle = ((uint64_t)above >> 1) + below;
	uint64_t whole = (uint64_t)(above >> 64) + (middle >> 63);

	return whole | ((middle & INT64_MAX) != 0);
}

/*
 * The decimal digits * 10^*exponent with the fewest digits among those that read back to
 * c 2^q > 0, and the nearest among these. Raffaello Giulietti's Schubfach: 10^k is the
 * largest power of ten not above the width of the interval of numbers that round to
 * c 2^q, so that the interval holds at least one multiple of 10^k and at most one of
 * 10^(k+1). `narrow`: the interval's lower half is half as wide (c is the least of its
 * binade). All is compared in quarters of 10^k.
 */
static uint64_t shortest(uint64_t c, int q, bool narrow, int *exponent)
{
	/* floor(q log10(2)), floor(q log10(2) + log10(3/4)) and floor(-k log2(10)) */
	int k = (q * 1262611 - (narrow ? 524031 : 0)) >> 22;
	int h = q + ((-k * 1741647) >> 19) + 2;
	const uint64_t *g = num_pow10[-k - NUM_POW10_MIN];
	uint64_t odd = c & 1; /* an interval's ends belong to the even neighbour */
	uint64_t low = scale(g, (4 * c - (narrow ? 1 : 2)) << h) + odd;
	uint64_t value = scale(g, (4 * c) << h);
	uint64_t high = scale(g, (4 * c + 2) << h) - odd;
	uint64_t s = value >> 2, tens = s / 10 * 10;
	bool below = low <= 4 * tens, above = 4 * tens + 40 <= high;

	*exponent = k;
	if (s >= 10 && below != above)
		return below ? tens : tens + 10;
	below = low <= 4 * s;
	above = 4 * s + 4 <= high;
	if (below != above)
		return below ? s : s + 1;
	if (value == 4 * s + 2)
		return s + (s & 1);
	return value < 4 * s + 2 ? s : s + 1;
}

/* Prints 0.DIGITS 10^point as %g does with as many digits as there are, or 15. */
static size_t layout(char *out, const char *digits, int n, int point)
{
	char *at = out;

	if (point < -3 || point > (n > 15 ? n : 15)) {
		*at++ = digits[0];
		if (n > 1) {
			*at++ = '.';
			memcpy(at, digits + 1, (size_t)n - 1);
			at += n - 1;
		}
		return (size_t)(at - out) + (size_t)sprintf(at, "e%+03d", point - 1);
	}
	if (point <= 0) {
		memcpy(at, "0.000", 5);
		at += 2 - point;
		memcpy(at, digits, (size_t)n);
		at += n;
	} else if (point >= n) {
		memcpy(at, digits, (size_t)n);
		memset(at + n, '0', (size_t)(point - n));
		at += point;
	} else {
		memcpy(at, digits, (size_t)point);
		at[point] = '.';
		memcpy(at + point + 1, digits + point, (size_t)(n - point));
		at += n + 1;
	}
	*at = '\0';
	return (size_t)(at - out);
}

size_t num_print(char out[NUM_MAX], double x)
{
	uint64_t bits, c, digits;
	char text[20];
	int q, exponent, n = 0;
	bool minus;

	memcpy(&bits, &x, sizeof bits);
	minus = bits >> 63 != 0 && !isnan(x);
	if (!isfinite(x) || x == 0) {
		strcpy(out, minus ? "-" : "");
		strcat(out, isnan(x) ? "nan" : x == 0 ? "0" : "inf");
		return strlen(out);
	}
	c = bits & 0xfffffffffffff;
	q = (int)(bits >> 52 & 0x7ff);
	if (q > 0)
		c |= (uint64_t)1 << 52;
	digits =
	    shortest(c, (q > 0 ? q : 1) - 1075, c == (uint64_t)1 << 52 && q > 1, &exponent);
	for (; digits % 10 == 0; digits /= 10)
		exponent++;
	for (; digits > 0; digits /= 10)
		text[sizeof text - (size_t)++n] = (char)('0' + digits % 10);
	out[0] = '-';
	return minus + layout(out + minus, text + sizeof text - n, n, exponent + n);
}

/* ---- reading ---- */

bool num_real(const char *s, double *out)
{
	char *end;

	if (*s == '\0' || isspace((unsigned char)*s))
		return false;
	*out = strtod(s, &end);
	return *end == '\0';
}

bool num_int(const char *s, int64_t *out)
{
	char *end;

	if (*s == '\0' || isspace((unsigned char)*s))
		return false;
	errno = 0;
	*out = strtoll(s, &end, 10);
	return *end == '\0' && errno == 0;
}

/* A plain decimal and what follows it: no sign, no hex, no nan. */
static bool plain(const char *s, long double *x, const char **rest)
{
	char *end;

	if (!isdigit((unsigned char)*s) && *s != '.')
		return false;
	if (s[0] == '0' && (s[1] == 'x' || s[1] == 'X'))
		return false;
	*x = strtold(s, &end);
	*rest = end;
	return end != s && isfinite(*x);
}

bool num_count(const char *s, uint64_t *out)
{
	long double x;
	const char *rest;

	if (!plain(s, &x, &rest))
		return false;
	switch (*rest) {
	case 'k':
		x *= 1e3L;
		rest++;
		break;
	case 'M':
		x *= 1e6L;
		rest++;
		break;
	case 'G':
		x *= 1e9L;
		rest++;
		break;
	default: break;
	}
	if (*rest != '\0' || x >= 0x1p63L)
		return false;
	*out = (uint64_t)x;
	return true;
}

bool num_budget(const char *s, uint64_t total, uint64_t *out)
{
	long double x;
	const char *rest;

	if (!plain(s, &x, &rest))
		return false;
	if (strcmp(rest, "%") != 0)
		return num_count(s, out);
	x = x * (long double)total / 100.0L;
	if (x >= 0x1p63L)
		return false;
	*out = (uint64_t)x;
	return true;
}
