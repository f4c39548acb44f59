#include "base/num.h"

#include <ctype.h>
#include <errno.h>
#include <math.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

size_t num_print(char out[NUM_MAX], double x)
{
	int n = 0;

	if (isnan(x))
		return (size_t)snprintf(out, NUM_MAX, "nan");
	/* Whenever 15 digits suffice, %.15g prints them and drops the zeros. */
	for (int digits = 15; digits <= 17; digits++) {
		n = snprintf(out, NUM_MAX, "%.*g", digits, x);
		if (digits == 17 || strtod(out, NULL) == x)
			break;
	}
	return (size_t)n;
}

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
	case 'k': x *= 1e3L; rest++; break;
	case 'M': x *= 1e6L; rest++; break;
	case 'G': x *= 1e9L; rest++; break;
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
