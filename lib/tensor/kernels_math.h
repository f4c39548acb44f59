/*
 * kernels_math - exp, tanh and the normal distribution as branchless polynomials.
 *
 * Included by kernels.c alone. Loops over these vectorise: choices are selects, rounding
 * to an integer is adding and subtracting 1.5 * 2^23, powers of two are made from bits.
 * The coefficients are weighted minimax fits of the relative error.
 */
#ifndef TENSOR_KERNELS_MATH_H
#define TENSOR_KERNELS_MATH_H

#include <stdint.h>
#include <string.h>

#define ROUNDER 12582912.0f    /* 1.5 * 2^23: floats of this size are whole */
#define ROUNDER_BITS 0x4b400000u
#define LOG2_E 1.442695041f
#define LN2_HIGH 0.693359375f  /* times a whole number below 2^14 exact */
#define LN2_LOW -2.121944401e-4f

static inline uint32_t bits_of(float x)
{
	uint32_t u;

	memcpy(&u, &x, sizeof u);
	return u;
}

static inline float float_of(uint32_t u)
{
	float x;

	memcpy(&x, &u, sizeof x);
	return x;
}

static inline float absolute(float x)
{
	return float_of(bits_of(x) & 0x7fffffffu);
}

/* exp(x + tail), tail small beside 1. The power of two is applied in two halves, so that
 * overflow and gradual underflow come out right; a nan passes through. */
static inline float exp_sum(float x, float tail)
{
	float low = x < -110.0f ? -110.0f : x;
	float z = low > 90.0f ? 90.0f : low;
	float shifted = z * LOG2_E + ROUNDER;
	float n = shifted - ROUNDER;
	float r = (z - n * LN2_HIGH) - n * LN2_LOW + tail;
	float p = 1.381453942e-3f;
	uint32_t whole = bits_of(shifted) - ROUNDER_BITS + 256; /* n + 256 */
	uint32_t half = whole >> 1;

	p = p * r + 8.368745446e-3f;
	p = p * r + 4.166838899e-2f;
	p = p * r + 1.666652113e-1f;
	p = p * r + 4.999999404e-1f;
	p = p * (r * r) + r + 1.0f;
	return p * float_of((half - 1) << 23) * float_of((whole - half - 1) << 23);
}

static inline float exp_of(float x)
{
	return exp_sum(x, 0.0f);
}

static inline float tanh_of(float x)
{
	float a = absolute(x), z = x * x;
	float big = 1.0f - 2.0f / (exp_of(2.0f * a) + 1.0f);
	float p = -5.704978481e-3f, small;

	p = p * z + 2.063907869e-2f;
	p = p * z - 5.373971164e-2f;
	p = p * z + 1.333144158e-1f;
	p = p * z - 3.333328068e-1f;
	small = a + a * (z * p);
	return float_of(bits_of(a < 0.625f ? small : big) | (bits_of(x) & 0x80000000u));
}

static inline float sigmoid_of(float x)
{
	return 1.0f / (1.0f + exp_of(-x));
}

/* The standard normal distribution at x: *bell = exp(-x^2/2), returns Phi(x).
 * The tail is bell R(|x|), R (Mills' ratio over sqrt(2 pi)) a polynomial in
 * 1/(1 + 0.35 |x|), so that it keeps its relative accuracy; x^2 is split because its rounding
 * error is large for exp. */
static inline float normal_of(float x, float *bell)
{
	float size = absolute(x);
	float a = size > 15.0f ? 15.0f : size;
	float high = float_of(bits_of(a) & 0xfffff000u); /* its square is exact */
	float low = (a - high) * (a + high);
	float e = exp_sum(-0.5f * (high * high), -0.5f * low);
	float t = 1.0f / (1.0f + 0.35f * a);
	float p = -2.915780805e-2f, tail;

	p = p * t + 1.440305412e-1f;
	p = p * t - 2.558382452e-1f;
	p = p * t + 1.593188643e-1f;
	p = p * t - 2.321180888e-2f;
	p = p * t + 1.055522859e-1f;
	p = p * t + 1.198213398e-1f;
	p = p * t + 1.398635060e-1f;
	p = p * t + 1.396213025e-1f;
	tail = p * t * e;
	*bell = e;
	return x < 0.0f ? tail : 1.0f - tail;
}

/* 32 bits that look random, a function of the whole key and of i: two rounds of xor-shift
 * and multiply with odd constants, each keyed with one half. */
static inline uint32_t hash_of(uint32_t i, uint32_t key_a, uint32_t key_b)
{
	uint32_t x = i ^ key_a;

	x ^= x >> 16;
	x *= 0x7feb352du;
	x ^= x >> 15;
	x += key_b;
	x *= 0x846ca68bu;
	x ^= x >> 16;
	x *= 0x9e3779b1u;
	return x ^ (x >> 15);
}

#endif
