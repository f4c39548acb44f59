/*
 * kernels_jet - rows of derivatives along a direction (jets.h).
 *
 * Included by kernels.c alone. x1 and x2 are the coefficients of eta and eta^2.
 */
#ifndef TENSOR_KERNELS_JET_H
#define TENSOR_KERNELS_JET_H

/* ---- second derivatives of the activations ---- */

/* phi(x) (2 - x^2), phi the density of the standard normal distribution */
static inline float gelu_bend(float x)
{
	float a = at_most(absolute(x), 13.0f);

	return BELL_HEIGHT * exp2_product(a * (-0.5f * LOG2_E), a) * (2.0f - a * a);
}

/* Of x s, s = 1/(1 + e^(-h)): 2 s' + x s'', s' = s (1 - s) h',
 * s'' = s' (1 - 2s) h' + s (1 - s) h''. */
static inline float gelu_new_bend(float x)
{
	float z = at_most(at_least(x, -10.0f), 10.0f);
	float e = gate_of(z), s = 1.0f / (1.0f + e), both = e * s * s;
	float h1 = (GATE_LINEAR + 3.0f * GATE_CUBIC * z * z) / LOG2_E;
	float h2 = 6.0f * GATE_CUBIC * z / LOG2_E;

	return both * (2.0f * h1 + z * (h2 + h1 * h1 * ((e - 1.0f) * s)));
}

static inline float tanh_bend(float x)
{
	return -2.0f * tanh_of(x) * tanh_slope(x);
}

static inline float relu_bend(float x)
{
	(void)x;
	return 0.0f;
}

static inline float silu_bend(float x)
{
	float z = at_least(x, -87.0f), e = exp_of(-z), s = 1.0f / (1.0f + e);

	return e * s * s * (2.0f + z * ((e - 1.0f) * s));
}

/* y1 may be x1, y2 may be x2. */
#define MAP_JET(slope, bend)                                      \
	_Pragma("omp simd") for (size_t i = 0; i < n; i++)        \
	{                                                         \
		float d = x1[i], c = 0.5f * bend(x[i]) * d * d;   \
                                                                  \
		y2[i] = x2 == NULL ? c : c + slope(x[i]) * x2[i]; \
		y1[i] = slope(x[i]) * d;                          \
	}                                                         \
	break

static void act_jet_block(enum activation f, size_t n, const float *x, const float *x1,
			  const float *x2, float *y1, float *y2)
{
	switch (f) {
	case ACT_GELU: MAP_JET(gelu_slope_of, gelu_bend);
	case ACT_GELU_NEW: MAP_JET(gelu_new_slope, gelu_new_bend);
	case ACT_TANH: MAP_JET(tanh_slope, tanh_bend);
	case ACT_RELU: MAP_JET(relu_slope, relu_bend);
	case ACT_SILU: MAP_JET(silu_slope, silu_bend);
	}
}

/* ---- layer normalisation ---- */

/* Means over a row, in double: what is left after a projection may be small. */
struct norm_means {
	double one, two;             /* of x1 and x2 */
	double along_one, along_two; /* of n x1 and n x2, both without their means */
};

static struct norm_means norm_means_of(size_t width, const float *x, float mean, float rstd,
				       const float *x1, const float *x2)
{
	double n0 = 0, one = 0, two = 0, along_one = 0, along_two = 0, w = (double)width;

#pragma omp simd reduction(+ : n0, one, along_one)
	for (size_t j = 0; j < width; j++) {
		double n = (double)((x[j] - mean) * rstd);

		n0 += n;
		one += (double)x1[j];
		along_one += n * (double)x1[j];
	}
	if (x2 == NULL)
		return (struct norm_means){ .one = one / w,
					    .along_one = (along_one - n0 * one / w) / w };
#pragma omp simd reduction(+ : two, along_two)
	for (size_t j = 0; j < width; j++) {
		two += (double)x2[j];
		along_two += (double)((x[j] - mean) * rstd) * (double)x2[j];
	}
	return (struct norm_means){ one / w, two / w, (along_one - n0 * one / w) / w,
				    (along_two - n0 * two / w) / w };
}

/* mean((h - n a)^2), h = x1 - mean(x1), a = mean(n h): what of x1 changes n. */
static double norm_across(size_t width, const float *x, float mean, float rstd,
			  const float *x1, const struct norm_means *of)
{
	double sum = 0;

#pragma omp simd reduction(+ : sum)
	for (size_t j = 0; j < width; j++) {
		double n = (double)((x[j] - mean) * rstd);
		double p = (double)x1[j] - of->one - n * of->along_one;

		sum += p * p;
	}
	return sum / (double)width;
}

/* With h1 = x1 - mean(x1), a1 = mean(n h1), p = h1 - n a1, and the same of x2, for
 * n = (x - mean(x)) rstd:
 *     n1 = rstd p
 *     n2 = rstd (h2 - n a2) - rstd^2 (a1 p + n/2 (mean(p^2) + a1^2 eps rstd^2)) */
static void norm_jet_row(size_t width, const struct norm_jet *o, size_t row)
{
	size_t at = row * width;
	const float *x = o->x + at, *x1 = o->x1 + at, *w = o->w;
	const float *x2 = o->x2 == NULL ? NULL : o->x2 + at;
	float *y1 = o->y1 + at, *y2 = o->y2 + at, mean = o->mean[row], r = o->rstd[row];
	struct norm_means of = norm_means_of(width, x, mean, r, x1, x2);
	double rate = (double)r * (double)r;
	double half = norm_across(width, x, mean, r, x1, &of) +
		      of.along_one * of.along_one * (double)o->eps * rate;

	half *= 0.5 * rate;
	for (size_t j = 0; j < width; j++) {
		double n = (double)((x[j] - mean) * r);
		double p = (double)x1[j] - of.one - n * of.along_one;
		double h = x2 == NULL ? 0 : (double)x2[j] - of.two - n * of.along_two;
		double n1 = (double)r * p;
		double n2 = (double)r * h - rate * of.along_one * p - half * n;
		double a = (double)w[j] * n1, b = (double)w[j] * n2;

		if (o->w1 != NULL) {
			a += (double)o->w1[j] * n;
			b += (double)o->w1[j] * n1;
		}
		y1[j] = (float)(o->b1 == NULL ? a : a + (double)o->b1[j]);
		y2[j] = (float)b;
	}
}

/* Scale and shift alone move. */
static void norm_jet_still(size_t width, const struct norm_jet *o, size_t row)
{
	const float *x = o->x + row * width;
	float *y1 = o->y1 + row * width, mean = o->mean[row], r = o->rstd[row];

	for (size_t j = 0; j < width; j++) {
		float scaled = o->w1 == NULL ? 0.0f : (x[j] - mean) * r * o->w1[j];

		y1[j] = o->b1 == NULL ? scaled : scaled + o->b1[j];
	}
}

static void norm_jet_rows(size_t rows, size_t width, const struct norm_jet *o, size_t first)
{
	for (size_t i = first; i < first + rows; i++) {
		if (o->x1 == NULL)
			norm_jet_still(width, o, i);
		else
			norm_jet_row(width, o, i);
	}
}

/* ---- softmax ---- */

/* p1 = p a,  p2 = p (c - mean(c)),  a = s1 - mean(s1),  c = s2 + a^2/2, means weighted by
 * p. Scores that are shifted alike give nothing, so the first is taken from all. In place:
 * s1 becomes p1, s2 p2; `has2` says that s2 is not zero. */
static void softmax_jet_row(size_t n, const float *p, bool has2, float *s1, float *s2)
{
	float shift = s1[0];
	double all = 0, one = 0, two = 0;

#pragma omp simd reduction(+ : all, one)
	for (size_t j = 0; j < n; j++) {
		all += (double)p[j];
		one += (double)p[j] * ((double)s1[j] - (double)shift);
	}
	one = one / all + (double)shift;
#pragma omp simd reduction(+ : two)
	for (size_t j = 0; j < n; j++) {
		double a = (double)s1[j] - one;

		two += (double)p[j] * ((has2 ? (double)s2[j] : 0.0) + 0.5 * a * a);
	}
	two /= all;
#pragma omp simd
	for (size_t j = 0; j < n; j++) {
		double a = (double)s1[j] - one;
		double c = (has2 ? (double)s2[j] : 0.0) + 0.5 * a * a;

		s1[j] = (float)((double)p[j] * a);
		s2[j] = (float)((double)p[j] * (c - two));
	}
}

#endif
