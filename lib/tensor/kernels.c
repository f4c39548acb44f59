/*
 * The kernels, compiled once for each instruction set with KERNELS_ISA naming it.
 *
 * Selects stay selects only when the compiler neither fears traps of what is not chosen nor
 * makes paths of their own for constants that are.
 */
#if defined(__GNUC__) && !defined(__clang__)
#pragma GCC optimize("no-trapping-math", "no-thread-jumps")
#endif

#include <math.h>

#include "tensor/kernels_impl.h"
#include "tensor/kernels_math.h"
#include "tensor/kernels_tile.h"

/* Declared once more as a function of nothing but its argument: loops with a square root do
 * not vectorise while it may set errno. */
extern float sqrtf(float x) __attribute__((const));

/* Sums over rows are made of sums over this many, which keeps rounding small. */
#define SUM_ROWS ((size_t)64)
/* Columns summed side by side. */
#define SUM_COLUMNS ((size_t)256)

static void drop(size_t n, const float *a, const float *b, const struct dropout *d,
		 uint64_t first, float *y);

#include "tensor/kernels_softmax.h"
#include "tensor/kernels_attention.h"
#include "tensor/kernels_kept.h"

/* ---- rows ---- */

static void add_bias(size_t rows, size_t width, const float *x, const float *b, float *y)
{
	for (size_t i = 0; i < rows; i++) {
#pragma omp simd
		for (size_t j = 0; j < width; j++)
			y[i * width + j] = x[i * width + j] + b[j];
	}
}

static void sum_part(size_t rows, size_t cols, size_t ld, const float *x, float *sum)
{
	float part[SUM_COLUMNS] = { 0 };

	for (size_t i = 0; i < rows; i++) {
#pragma omp simd
		for (size_t j = 0; j < cols; j++)
			part[j] += x[i * ld + j];
	}
#pragma omp simd
	for (size_t j = 0; j < cols; j++)
		sum[j] += part[j];
}

static void sum_abs_part(size_t rows, size_t cols, size_t ld, const float *x, float *sum)
{
	float part[SUM_COLUMNS] = { 0 };

	for (size_t i = 0; i < rows; i++) {
#pragma omp simd
		for (size_t j = 0; j < cols; j++)
			part[j] += absolute(x[i * ld + j]);
	}
#pragma omp simd
	for (size_t j = 0; j < cols; j++)
		sum[j] += part[j];
}

static void sum_columns(size_t rows, size_t cols, size_t ld, const float *x, float *sum,
			float *sum_abs)
{
	for (size_t i = 0; i < rows; i += SUM_ROWS) {
		size_t m = smaller(SUM_ROWS, rows - i);

		for (size_t j = 0; j < cols; j += SUM_COLUMNS) {
			size_t n = smaller(SUM_COLUMNS, cols - j);

			sum_part(m, n, ld, x + i * ld + j, sum + j);
			if (sum_abs != NULL)
				sum_abs_part(m, n, ld, x + i * ld + j, sum_abs + j);
		}
	}
}

static void sum_products_part(size_t rows, size_t cols, size_t ldx, const float *x,
			      size_t ldy, const float *y, double *sum)
{
	float part[SUM_COLUMNS] = { 0 };

	for (size_t i = 0; i < rows; i++) {
#pragma omp simd
		for (size_t j = 0; j < cols; j++)
			part[j] += x[i * ldx + j] * y[i * ldy + j];
	}
#pragma omp simd
	for (size_t j = 0; j < cols; j++)
		sum[j] += (double)part[j];
}

static void sum_products(size_t rows, size_t cols, size_t ldx, const float *x, size_t ldy,
			 const float *y, double *sum)
{
	for (size_t i = 0; i < rows; i += SUM_ROWS)
		for (size_t j = 0; j < cols; j += SUM_COLUMNS)
			sum_products_part(smaller(SUM_ROWS, rows - i),
					  smaller(SUM_COLUMNS, cols - j), ldx,
					  x + i * ldx + j, ldy, y + i * ldy + j, sum + j);
}

/* ---- activations ---- */

/* 2 sqrt(2/pi) log2(e), and that times 0.044715 */
#define GATE_LINEAR 2.302208198f
#define GATE_CUBIC  0.1029432396f

/* e^(-2u), u = sqrt(2/pi) (x + 0.044715 x^3), so that 1/2 (1 + tanh(u)) = 1/(1 + e^(-2u))
 */
static inline float gate_of(float x)
{
	return exp2_product(-x, GATE_LINEAR + GATE_CUBIC * x * x);
}

static inline float gelu_new(float x)
{
	float low = at_least(x, -10.0f);

	return low / (1.0f + gate_of(at_most(low, 10.0f)));
}

static inline float gelu_new_slope(float x)
{
	float z = at_most(at_least(x, -10.0f), 10.0f);
	float e = gate_of(z), s = 1.0f / (1.0f + e);

	return s + z * (e * s * s) * ((GATE_LINEAR + 3.0f * GATE_CUBIC * z * z) / LOG2_E);
}

/* 4 e / (1 + e)^2, e = e^(-2|x|): 1 - tanh(x)^2 would cancel where tanh(x) is near 1. */
static inline float tanh_slope(float x)
{
	float e = exp2_product(at_most(absolute(x), 40.0f), -2.0f * LOG2_E);

	return 4.0f * e / ((1.0f + e) * (1.0f + e));
}

static inline float relu(float x)
{
	return x < 0.0f ? 0.0f : x;
}

static inline float relu_slope(float x)
{
	return x > 0.0f ? 1.0f : 0.0f;
}

static inline float silu(float x)
{
	return at_least(x, -87.0f) / (1.0f + exp_of(-x));
}

static inline float silu_slope(float x)
{
	float z = at_least(x, -87.0f), e = exp_of(-z), s = 1.0f / (1.0f + e);

	return s * (1.0f + z * (e * s));
}

#define MAP_FORWARD(f)                                                     \
	_Pragma("omp simd") for (size_t i = 0; i < n; i++) y[i] = f(x[i]); \
	break
#define MAP_BACKWARD(f)                                                             \
	_Pragma("omp simd") for (size_t i = 0; i < n; i++) dx[i] = dy[i] * f(x[i]); \
	break

static void activation_forward(enum activation f, size_t n, const float *x, float *y)
{
	switch (f) {
	case ACT_GELU: MAP_FORWARD(gelu_of);
	case ACT_GELU_NEW: MAP_FORWARD(gelu_new);
	case ACT_TANH: MAP_FORWARD(tanh_of);
	case ACT_RELU: MAP_FORWARD(relu);
	case ACT_SILU: MAP_FORWARD(silu);
	}
}

static void activation_backward(enum activation f, size_t n, const float *x,
				const float *dy, float *dx)
{
	switch (f) {
	case ACT_GELU: MAP_BACKWARD(gelu_slope_of);
	case ACT_GELU_NEW: MAP_BACKWARD(gelu_new_slope);
	case ACT_TANH: MAP_BACKWARD(tanh_slope);
	case ACT_RELU: MAP_BACKWARD(relu_slope);
	case ACT_SILU: MAP_BACKWARD(silu_slope);
	}
}

/* ---- layer normalisation ---- */

static void norm_forward_rows(size_t rows, size_t width, const float *x, const float *w,
			      const float *b, float eps, float *y, float *mean, float *rstd)
{
	for (size_t i = 0; i < rows; i++, x += width, y += width) {
		float sum = 0.0f, squares = 0.0f, m, r;

#pragma omp simd reduction(+ : sum)
		for (size_t j = 0; j < width; j++)
			sum += x[j];
		m = sum / (float)width;
#pragma omp simd reduction(+ : squares)
		for (size_t j = 0; j < width; j++)
			squares += (x[j] - m) * (x[j] - m);
		r = 1.0f / sqrtf(squares / (float)width + eps);
#pragma omp simd
		for (size_t j = 0; j < width; j++)
			y[j] = (x[j] - m) * r * w[j] + b[j];
		mean[i] = m;
		rstd[i] = r;
	}
}

/* dx = rstd (e - mean(e) - n mean(e n)), e = dy w, n = (x - mean) rstd */
static void norm_input(size_t rows, size_t width, const float *x, const float *w,
		       const float *mean, const float *rstd, const float *dy, float *dx)
{
	for (size_t i = 0; i < rows; i++, x += width, dy += width, dx += width) {
		float m = mean[i], r = rstd[i], sum = 0.0f, along = 0.0f;

#pragma omp simd reduction(+ : sum, along)
		for (size_t j = 0; j < width; j++) {
			float e = dy[j] * w[j];

			sum += e;
			along += e * (x[j] - m);
		}
		sum /= (float)width;
		along = along * r * r / (float)width;
#pragma omp simd
		for (size_t j = 0; j < width; j++)
			dx[j] = r * (dy[j] * w[j] - sum - (x[j] - m) * along);
	}
}

static void norm_weight_part(size_t rows, size_t cols, size_t ld, const float *x,
			     const float *mean, const float *rstd, const float *dy,
			     float *dw)
{
	float part[SUM_COLUMNS] = { 0 };

	for (size_t i = 0; i < rows; i++) {
		float m = mean[i], r = rstd[i];

#pragma omp simd
		for (size_t j = 0; j < cols; j++)
			part[j] += dy[i * ld + j] * ((x[i * ld + j] - m) * r);
	}
#pragma omp simd
	for (size_t j = 0; j < cols; j++)
		dw[j] += part[j];
}

static void norm_weight(size_t rows, size_t cols, size_t ld, const float *x,
			const float *mean, const float *rstd, const float *dy, float *dw)
{
	for (size_t i = 0; i < rows; i += SUM_ROWS)
		for (size_t j = 0; j < cols; j += SUM_COLUMNS)
			norm_weight_part(smaller(SUM_ROWS, rows - i),
					 smaller(SUM_COLUMNS, cols - j), ld, x + i * ld + j,
					 mean + i, rstd + i, dy + i * ld + j, dw + j);
}

#include "tensor/kernels_jet.h"
#include "tensor/kernels_change.h"

/* ---- dropout ---- */

/* Elements whose indices share the upper 32 bits. */
static void drop_near(size_t n, const float *a, const float *b, const struct dropout *d,
		      uint64_t first, float *y)
{
	uint32_t low = (uint32_t)first, high = (uint32_t)(first >> 32);
	uint32_t key_a = (uint32_t)d->key,
		 key_b = (uint32_t)(d->key >> 32) ^ hash_of(high, 0, 0);
	uint32_t threshold = d->threshold;
	float scale = d->scale;

	if (a == NULL) {
#pragma omp simd
		for (size_t i = 0; i < n; i++) {
			uint32_t h = hash_of(low + (uint32_t)i, key_a, key_b) >> 8;

			y[i] = b[i] * (h < threshold ? 0.0f : scale);
		}
		return;
	}
#pragma omp simd
	for (size_t i = 0; i < n; i++) {
		uint32_t h = hash_of(low + (uint32_t)i, key_a, key_b) >> 8;

		y[i] = a[i] + b[i] * (h < threshold ? 0.0f : scale);
	}
}

static void drop(size_t n, const float *a, const float *b, const struct dropout *d,
		 uint64_t first, float *y)
{
	while (n > 0) {
		uint64_t left = ((uint64_t)1 << 32) - (first & 0xffffffffu);
		size_t m = n < left ? n : (size_t)left;

		drop_near(m, a, b, d, first, y);
		a = a == NULL ? NULL : a + m;
		b += m;
		y += m;
		n -= m;
		first += m;
	}
}

/* ---- cross-entropy ---- */

static float largest_of(size_t n, const float *x)
{
	float top = x[0];

#pragma omp simd reduction(max : top)
	for (size_t i = 0; i < n; i++)
		top = x[i] > top ? x[i] : top;
	return top;
}

/* e^x, or 0 for what no sum would notice. */
static inline float exp_or_none(float x)
{
	return x < -64.0f ? 0.0f : exp_of(x);
}

static double sum_exp(size_t n, const float *x, float minus)
{
	double sum = 0.0;

#pragma omp simd reduction(+ : sum)
	for (size_t i = 0; i < n; i++)
		sum += (double)exp_or_none(x[i] - minus);
	return sum;
}

static void exp_scaled(size_t n, const float *x, float minus, float factor, float *y)
{
#pragma omp simd
	for (size_t i = 0; i < n; i++)
		y[i] = factor * exp_or_none(x[i] - minus);
}

/* ---- vectors ---- */

static void axpy(size_t n, float alpha, const float *x, float *y)
{
#pragma omp simd
	for (size_t i = 0; i < n; i++)
		y[i] += alpha * x[i];
}

static void step(size_t n, const float *x, float alpha, const float *d, float *y)
{
#pragma omp simd
	for (size_t i = 0; i < n; i++)
		y[i] = x[i] + alpha * d[i];
}

static void scale(size_t n, float alpha, float *x)
{
#pragma omp simd
	for (size_t i = 0; i < n; i++)
		x[i] *= alpha;
}

static double dot(size_t n, const float *x, const float *y)
{
	double sum = 0.0;

#pragma omp simd reduction(+ : sum)
	for (size_t i = 0; i < n; i++)
		sum += (double)x[i] * (double)y[i];
	return sum;
}

static double sum_abs(size_t n, const float *x)
{
	double sum = 0.0;

#pragma omp simd reduction(+ : sum)
	for (size_t i = 0; i < n; i++)
		sum += (double)absolute(x[i]);
	return sum;
}

static bool finite_all(size_t n, const float *x)
{
	uint32_t largest = 0;

#pragma omp simd reduction(max : largest)
	for (size_t i = 0; i < n; i++) {
		uint32_t size = bits_of(x[i]) & 0x7fffffffu;

		largest = size > largest ? size : largest;
	}
	return largest < 0x7f800000u;
}

/* ---- AdamW ---- */

/* m moves towards g as PyTorch's lerp does: from the nearer end. */
static inline float moment(const struct adamw_factors *f, float m, float g)
{
	float from_m = m + f->gain1 * (g - m), from_g = g - (g - m) * f->beta1;

	return f->gain1 < 0.5f ? from_m : from_g;
}

static inline float second_moment(const struct adamw_factors *f, float v, float g)
{
	return v * f->beta2 + f->gain2 * g * g;
}

static inline float root(const struct adamw_factors *f, float v)
{
	return sqrtf(v) * f->root_unbias2 + f->eps;
}

static void adamw_moments(size_t n, const struct adamw_factors *factors, const float *g,
			  float *m, float *v)
{
	const struct adamw_factors f = *factors;

#pragma omp simd
	for (size_t i = 0; i < n; i++) {
		m[i] = moment(&f, m[i], g[i]);
		v[i] = second_moment(&f, v[i], g[i]);
	}
}

static void adamw_direction(size_t n, const struct adamw_factors *factors, const float *m,
			    const float *v, float *d)
{
	const struct adamw_factors f = *factors;

#pragma omp simd
	for (size_t i = 0; i < n; i++)
		d[i] = m[i] * f.unbias1 / root(&f, v[i]);
}

static void adamw_ahead(size_t n, const struct adamw_factors *factors, const float *g,
			const float *m, const float *v, float *d)
{
	const struct adamw_factors f = *factors;

#pragma omp simd
	for (size_t i = 0; i < n; i++)
		d[i] = moment(&f, m[i], g[i]) * f.unbias1 /
		       root(&f, second_moment(&f, v[i], g[i]));
}

static void adamw_update(size_t n, const struct adamw_factors *factors, const float *g,
			 float *m, float *v, float *w)
{
	const struct adamw_factors f = *factors;

#pragma omp simd
	for (size_t i = 0; i < n; i++) {
		float mi = moment(&f, m[i], g[i]), vi = second_moment(&f, v[i], g[i]);

		m[i] = mi;
		v[i] = vi;
		w[i] = w[i] * f.decay + f.minus_rate * mi / root(&f, vi);
	}
}

/* ---- half precision ---- */

/* The bits moved into place make a float 2^112 too small; multiplying by that is exact for
 * subnormals too. Infinities and nans keep their payload. */
static void from_f16(size_t n, const uint16_t *x, float *y)
{
	const float up = 0x1p112f;

#pragma omp simd
	for (size_t i = 0; i < n; i++) {
		uint32_t h = x[i], size = (h & 0x7fffu) << 13;
		uint32_t finite = bits_of(float_of(size) * up);
		uint32_t other = size | 0x7f800000u;

		y[i] =
		    float_of((h & 0x8000u) << 16 | (size >= 0x0f800000u ? other : finite));
	}
}

static void from_bf16(size_t n, const uint16_t *x, float *y)
{
#pragma omp simd
	for (size_t i = 0; i < n; i++)
		y[i] = float_of((uint32_t)x[i] << 16);
}

/* ---- the table ---- */

#define JOINED(a, b) a##b
#define NAMED(a, b)  JOINED(a, b)
#define QUOTED(a)    #a
#define TEXT(a)      QUOTED(a)

const struct kernels NAMED(kernels_, KERNELS_ISA) = {
	.name = TEXT(KERNELS_ISA),
	.add_bias = add_bias,
	.sum_columns = sum_columns,
	.sum_products = sum_products,
	.act_forward = activation_forward,
	.act_backward = activation_backward,
	.norm_forward = norm_forward_rows,
	.norm_input = norm_input,
	.norm_weight = norm_weight,
	.act_jet = act_jet_block,
	.norm_jet = norm_jet_rows,
	.softmax_jet = softmax_jet_row,
	.act_change = act_change_block,
	.norm_change = norm_change_rows,
	.attention_change = attention_head_change,
	.expm1_dot = expm1_dot,
	.attention_forward = attention_head_forward,
	.attention_backward = attention_head_backward,
	.attention_kept = attention_kept_head,
	.dropout = drop,
	.largest = largest_of,
	.sum_exp = sum_exp,
	.exp_scaled = exp_scaled,
	.axpy = axpy,
	.step = step,
	.scale = scale,
	.dot = dot,
	.sum_abs = sum_abs,
	.finite = finite_all,
	.adamw_moments = adamw_moments,
	.adamw_direction = adamw_direction,
	.adamw_ahead = adamw_ahead,
	.adamw_update = adamw_update,
	.from_f16 = from_f16,
	.from_bf16 = from_bf16,
};
