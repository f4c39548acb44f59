/*
 * prng - random numbers that are the same on every machine.
 *
 * A stream of numbers is a function of a seed and a purpose, so that taking more
 * numbers for one purpose (shuffling, say) does not change another (the new head).
 */
#ifndef BASE_PRNG_H
#define BASE_PRNG_H

#include <stddef.h>
#include <stdint.h>

/* xoshiro256** (Blackman, Vigna 2018), seeded through splitmix64. */
struct prng {
	uint64_t s[4];
};

/* splitmix64's output function: a bijection that scatters nearby numbers. */
uint64_t prng_mix(uint64_t x);

/* The stream for `purpose` (any short name) under `seed`. */
void prng_seed(struct prng *p, uint64_t seed, const char *purpose);
uint64_t prng_next(struct prng *p);
uint64_t prng_below(struct prng *p, uint64_t n); /* unbiased, 0 <= x < n, n > 0 */
double prng_unit(struct prng *p);                /* 0 <= x < 1, 53 bits */
double prng_normal(struct prng *p);              /* mean 0, variance 1 */
void prng_shuffle(struct prng *p, size_t *a, size_t n);

#endif
