/*
 * kernels_math - exp, tanh and the normal distribution as branchless polynomials.
 *
 * Included by kernels.c alone. Loops over these vectorise: choices are selects, rounding
 * to an integer is adding and subtracting 1.5 * 2^23, powers of two are made from bits.
 * The coefficients are minimax fits of the relative error. A nan gives a nan.
 */
#ifndef TENSOR_KERNELS_MATH_H
#define TENSOR_KERNELS_MATH_H

#include <stdint.h>
#include <string.h>

#define ROUNDER      12582912.0f /* 1.5 * 2^23: floats of this size are whole */
#define ROUNDER_BITS 0x4b400000u
#define LOG2_E       1.442695041f
#define BELL_HEIGHT  0.3989422804f /* 1/sqrt(2 pi) */

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

static inline float at_most(float x, float most)
{
	return x > most ? most : x;
}

static inline float at_least(float x, float least)
{
	return x < least ? least : x;
}

/* 2^(a b) for -126 <= a b <= 127. Taken as a product because a fused multiply-add then sees
 * it unrounded, which matters where it is large. */
static inline float exp2_product(float a, float b)
{
	float shifted = a * b + ROUNDER;
	float whole = shifted - ROUNDER;
	float f = a * b - whole;
	float p = 1.326471916e-3f;

	p = p * f + 9.671514854e-3f;
	p = p * f + 5.550733954e-2f;
	p = p * f + 2.402224243e-1f;
	p = p * f + 6.931470037e-1f;
	p = p * f + 1.0f;
	return p * float_of((bits_of(shifted) - (ROUNDER_BITS - 127)) << 23);
}

/* e^x; it stays at e^-87 = 1.6e-38 below and at e^87 above. */
static inline float exp_of(float x)
{
	return exp2_product(at_most(at_least(x, -87.0f), 87.0f), LOG2_E);
}

static inline float tanh_of(float x)
{
	float a = absolute(x), z = a * a;
	float big = 1.0f - 2.0f / (exp2_product(at_most(a, 40.0f), 2.0f * LOG2_E) + 1.0f);
	float p = -5.704978481e-3f, small;

	p = p * z + 2.063907869e-2f;
	p = p * z - 5.373971164e-2f;
	p = p * z + 1.333144158e-1f;
	p = p * z - 3.333328068e-1f;
	small = a + a * (z * p);
	return float_of(bits_of(a < 0.625f ? small : big) | (bits_of(x) & 0x80000000u));
}

/* x Phi(x) = max(x, 0) - a Phi(-a), a = |x|, Phi the standard normal distribution. The tail
 * Phi(-a) is 2^(a P(a) - 1), so that it keeps its relative accuracy up to a = 5.3; further
 * out it is too large, and below 2e-8. */
static inline float gelu_of(float x)
{
	float a = at_most(absolute(x), 13.0f), z = at_most(a, 5.3f);
	float p = -2.099740115e-8f;

	p = p * z + 6.450486012e-7f;
	p = p * z - 8.532393622e-6f;
	p = p * z + 6.141063932e-5f;
	p = p * z - 2.247846132e-4f;
	p = p * z - 1.204516520e-4f;
	p = p * z + 7.102446631e-3f;
	p = p * z - 5.255183578e-2f;
	p = p * z - 4.591833055e-1f;
	p = p * z - 1.151108503f;
	return at_least(x, 0.0f) - 0.5f * a * exp2_product(a, p);
}

/* The derivative of x Phi(x), Phi(x) + x phi(x). On the negative side it is
 * e^(-a^2/2) (R(a) - a / sqrt(2 pi)), a = |x|; Mills' ratio over sqrt(2 pi), R, is a
 * polynomial in t = 1/(1 + a/4). The positive side is one minus that. */
static inline float gelu_slope_of(float x)
{
	float a = at_most(absolute(x), 13.0f);
	float bell = exp2_product(a * (-0.5f * LOG2_E), a);
	float t = 1.0f / (1.0f + 0.25f * a);
	float p = -9.481767565e-2f, low;

	p = p * t + 3.566282392e-1f;
	p = p * t - 2.957195044e-1f;
	p = p * t + 3.099166453e-1f;
	p = p * t + 8.960059844e-3f;
	p = p * t + 1.167424619e-1f;
	p = p * t + 9.828980267e-2f;
	low = bell * (p * t - a * BELL_HEIGHT);
	return x < 0.0f ? low : 1.0f - low;
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
