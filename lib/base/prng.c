#include "base/prng.h"

#include <math.h>

static uint64_t rotl(uint64_t x, int k)
{
	return (x << k) | (x >> (64 - k));
}

uint64_t prng_mix(uint64_t x)
{
	x += 0x9e3779b97f4a7c15u;
	x = (x ^ (x >> 30)) * 0xbf58476d1ce4e5b9u;
	x = (x ^ (x >> 27)) * 0x94d049bb133111ebu;
	return x ^ (x >> 31);
}

void prng_seed(struct prng *p, uint64_t seed, const char *purpose)
{
	uint64_t x = prng_mix(seed);

	for (; *purpose != '\0'; purpose++)
		x = prng_mix(x ^ (unsigned char)*purpose);
	for (int i = 0; i < 4; i++)
		p->s[i] = x = prng_mix(x);
}

uint64_t prng_next(struct prng *p)
{
	uint64_t *s = p->s, result = rotl(s[1] * 5, 7) * 9, t = s[1] << 17;

	s[2] ^= s[0];
	s[3] ^= s[1];
	s[1] ^= s[2];
	s[0] ^= s[3];
	s[2] ^= t;
	s[3] = rotl(s[3], 45);
	return result;
}

uint64_t prng_below(struct prng *p, uint64_t n)
{
	uint64_t first = -n % n, x; /* 2^64 mod n: numbers below it are one too many */

	do
		x = prng_next(p);
	while (x < first);
	return x % n;
}

double prng_unit(struct prng *p)
{
	return (double)(prng_next(p) >> 11) * 0x1p-53;
}

/* Box and Muller; the second number of each pair is not kept, so that the state
 * is all there is. */
double prng_normal(struct prng *p)
{
	double u = 1.0 - prng_unit(p), v = prng_unit(p);

	return sqrt(-2.0 * log(u)) * cos(6.283185307179586 * v);
}

void prng_shuffle(struct prng *p, size_t *a, size_t n)
{
	for (size_t i = n; i > 1; i--) {
		size_t j = (size_t)prng_below(p, i), t = a[i - 1];

		a[i - 1] = a[j];
		a[j] = t;
	}
}
