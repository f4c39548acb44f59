/*
 * kernels_softmax - rows of attention probabilities, in whole vectors.
 *
 * Included by kernels.c alone. Sequences are short: the rest of a row that fills no vector
 * would take most of the time if it were done float by float. A row with `room` may be read
 * and written up to padded(n).
 */
#ifndef TENSOR_KERNELS_SOFTMAX_H
#define TENSOR_KERNELS_SOFTMAX_H

ALWAYS_INLINE float largest(lanes v)
{
	float x[LANES], top;

	store(x, v);
	top = x[0];
#pragma omp simd reduction(max : top)
	for (size_t l = 0; l < LANES; l++)
		top = x[l] > top ? x[l] : top;
	return top;
}

ALWAYS_INLINE float total(lanes v)
{
	float x[LANES];
	quad sum, part;

	store(x, v);
	memcpy(&sum, x, sizeof sum);
	for (size_t l = 4; l < LANES; l += 4) {
		memcpy(&part, x + l, sizeof part);
		sum += part;
	}
	return (sum[0] + sum[2]) + (sum[1] + sum[3]);
}

ALWAYS_INLINE lanes larger(lanes a, lanes b)
{
	float x[LANES], y[LANES];

	store(x, a);
	store(y, b);
#pragma omp simd
	for (size_t l = 0; l < LANES; l++)
		x[l] = x[l] > y[l] ? x[l] : y[l];
	return load(x);
}

/* e^v, or 0 for what no sum would notice: subnormal products would cost far more time. */
ALWAYS_INLINE lanes exp_lanes(lanes v)
{
	float x[LANES];

	store(x, v);
#pragma omp simd
	for (size_t l = 0; l < LANES; l++)
		x[l] = x[l] < -64.0f ? 0.0f : exp_of(x[l]);
	return load(x);
}

/* The first n lanes of v, and `fill` behind them. */
ALWAYS_INLINE lanes first_lanes(lanes v, size_t n, float fill)
{
	float x[LANES];

	store(x, v);
#pragma omp simd
	for (int l = 0; l < LANES; l++)
		x[l] = l < (int)n ? x[l] : fill;
	return load(x);
}

ALWAYS_INLINE void softmax_row(size_t n, float *x, bool room)
{
	size_t rest = n % LANES, whole = n - rest;
	lanes v, tops, sums;
	float top, rate;

	if (room && rest > 0)
		v = first_lanes(load(x + whole), rest, -INFINITY);
	else
		v = load_part(x + whole, rest, -INFINITY);
	tops = v;
	for (size_t j = 0; j < whole; j += LANES)
		tops = larger(load(x + j), tops);
	top = largest(tops);
	v = exp_lanes(v - top);
	sums = v;
	for (size_t j = 0; j < whole; j += LANES) {
		lanes e = exp_lanes(load(x + j) - top);

		store(x + j, e);
		sums += e;
	}
	rate = 1.0f / total(sums);
	for (size_t j = 0; j < whole; j += LANES)
		store(x + j, load(x + j) * rate);
	if (room && rest > 0)
		store(x + whole, first_lanes(v * rate, rest, 0.0f));
	else
		store_part(x + whole, v * rate, rest);
}

ALWAYS_INLINE float dot_row(size_t n, const float *x, const float *y)
{
	size_t rest = n % LANES, whole = n - rest;
	lanes sums = { 0 };

	if (rest > 0)
		sums = load_part(x + whole, rest, 0.0f) * load_part(y + whole, rest, 0.0f);
	for (size_t j = 0; j < whole; j += LANES)
		sums += load(x + j) * load(y + j);
	return total(sums);
}

/* y[n][padded(n)] = x[n][n], zeros behind. */
static void widen(size_t n, const float *x, float *y)
{
	size_t rest = n % LANES, whole = n - rest, ldy = padded(n);

	for (size_t i = 0; i < n; i++) {
		for (size_t j = 0; j < whole; j += LANES)
			store(y + i * ldy + j, load(x + i * n + j));
		if (rest > 0)
			store(y + i * ldy + whole,
			      load_part(x + i * n + whole, rest, 0.0f));
	}
}

/* y[n][n] = x[n][padded(n)]. Whole vectors reach into the next row, which is written after.
 */
static void narrow(size_t n, const float *x, float *y)
{
	size_t ldx = padded(n);

	for (size_t i = 0; i < n; i++) {
		size_t left = (n - i) * n;

		for (size_t j = 0; j < n; j += LANES) {
			lanes v = load(x + i * ldx + j);

			if (j + LANES <= left)
				store(y + i * n + j, v);
			else
				store_part(y + i * n + j, v, n - j);
		}
	}
}

#endif
