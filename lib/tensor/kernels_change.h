/*
 * kernels_change - rows of changes (changes.h).
 *
 * Included by kernels.c alone.
 */
#ifndef TENSOR_KERNELS_CHANGE_H
#define TENSOR_KERNELS_CHANGE_H

/* Places of Gauss's rule of two points between 0 and 1. */
#define GAUSS_NEAR 0.2113248654f
#define GAUSS_FAR  0.7886751346f

/* e^x - 1 */
static inline float expm1_of(float x)
{
	float p = 1.984126984e-4f;

	p = p * x + 1.388888889e-3f;
	p = p * x + 8.333333333e-3f;
	p = p * x + 4.166666667e-2f;
	p = p * x + 1.666666667e-1f;
	p = p * x + 0.5f;
	return absolute(x) < 0.4f ? x + x * x * p : exp_of(x) - 1.0f;
}

/* ---- activations ---- */

/* Of a kink no quadrature knows. */
static inline float relu_change(float x, float d)
{
	float ahead = x + d;

	if (x > 0.0f)
		return ahead > 0.0f ? d : -x;
	return ahead > 0.0f ? ahead : 0.0f;
}

#define MAP_CHANGE(slope)                                                       \
	_Pragma("omp simd") for (size_t i = 0; i < n; i++) y[i] =               \
	    0.5f * d[i] *                                                       \
	    (slope(x[i] + GAUSS_NEAR * d[i]) + slope(x[i] + GAUSS_FAR * d[i])); \
	break

static void act_change_block(enum activation f, size_t n, const float *x, const float *d,
			     float *y)
{
	switch (f) {
	case ACT_GELU: MAP_CHANGE(gelu_slope_of);
	case ACT_GELU_NEW: MAP_CHANGE(gelu_new_slope);
	case ACT_TANH: MAP_CHANGE(tanh_slope);
	case ACT_SILU: MAP_CHANGE(silu_slope);
	case ACT_RELU:
#pragma omp simd
		for (size_t i = 0; i < n; i++)
			y[i] = relu_change(x[i], d[i]);
		break;
	}
}

/* ---- layer normalisation ---- */

/* With h = d - mean(d) and t = rstd^2 (2 mean((x - mean) h) + mean(h^2)), the share by
 * which variance + eps grows, and s = sqrt(1 + t): rstd' = rstd/s    rstd' - rstd = -rstd t
 * / (s (1 + s)) */
struct norm_moved {
	double mean, rstd, more; /* mean(d), rstd', rstd' - rstd */
};

static struct norm_moved norm_moved_of(size_t width, const float *x, float mean, float rstd,
				       const float *d)
{
	double one = 0, along = 0, squares = 0, r = (double)rstd, w = (double)width, t, s;

#pragma omp simd reduction(+ : one)
	for (size_t j = 0; j < width; j++)
		one += (double)d[j];
	one /= w;
#pragma omp simd reduction(+ : along, squares)
	for (size_t j = 0; j < width; j++) {
		double h = (double)d[j] - one;

		along += (double)(x[j] - mean) * h;
		squares += h * h;
	}
	t = r * r * (2 * along + squares) / w;
	/* A variance of zero may come out as a little less. */
	s = sqrt(t > -1 + 1e-12 ? 1 + t : 1e-12);
	return (struct norm_moved){ one, r / s, -r * t / (s * (1 + s)) };
}

static void norm_change_row(size_t width, const struct norm_change *o, size_t row)
{
	size_t at = row * width;
	const float *x = o->x + at, *w = o->w, *dw = o->dw, *db = o->db;
	float *y = o->y + at, mean = o->mean[row], rstd = o->rstd[row], step = o->step;

	if (o->d == NULL) {
		memset(y, 0, width * sizeof *y);
	} else {
		const float *d = o->d + at;
		struct norm_moved to = norm_moved_of(width, x, mean, rstd, d);

#pragma omp simd
		for (size_t j = 0; j < width; j++) {
			double h = (double)d[j] - to.mean;

			y[j] = (float)(h * to.rstd + (double)(x[j] - mean) * to.more);
		}
		/* n' w' - n w = (n' - n) w' + n (w' - w), of which the last is below. */
		for (size_t j = 0; dw != NULL && j < width; j++)
			y[j] *= w[j] + step * dw[j];
		for (size_t j = 0; dw == NULL && j < width; j++)
			y[j] *= w[j];
	}
	for (size_t j = 0; dw != NULL && j < width; j++)
		y[j] += (x[j] - mean) * rstd * (step * dw[j]);
	for (size_t j = 0; db != NULL && j < width; j++)
		y[j] += step * db[j];
}

static void norm_change_rows(size_t rows, size_t width, const struct norm_change *o,
			     size_t first)
{
	for (size_t i = first; i < first + rows; i++)
		norm_change_row(width, o, i);
}

/* ---- attention ---- */

/* dS to dP in place. Scores that are shifted alike give nothing, so the first is taken from
 * all. */
static void softmax_change(size_t n, const float *p, float *s)
{
	float shift = s[0];
	double all = 0, mean = 0;

#pragma omp simd reduction(+ : all, mean)
	for (size_t j = 0; j < n; j++) {
		s[j] = expm1_of(s[j] - shift);
		all += (double)p[j];
		mean += (double)p[j] * (double)s[j];
	}
	mean /= all;
#pragma omp simd
	for (size_t j = 0; j < n; j++)
		s[j] = (float)((double)p[j] * ((double)s[j] - mean) / (1.0 + mean));
}

static void attention_head_change(const struct attention *a, size_t sequence, size_t head,
				  size_t ld, const struct attention_change *c)
{
	struct head h = head_of(a, sequence, head, ld);
	size_t at = a->start[sequence] * ld + head * h.dim;
	const float *probs = c->probs + h.first;
	float *work = c->work == NULL ? NULL : c->work + h.first;
	bool scores = c->dq != NULL || c->dkey != NULL;

	h.stride = h.len;
	if (c->dq != NULL)
		multiply_rows(&h, h.len, h.len, c->dq + at, c->key + at, h.scale, false, 0,
			      0, work, h.len);
	if (c->dkey != NULL)
		multiply_rows(&h, h.len, h.len, c->moved_q + at, c->dkey + at, h.scale,
			      c->dq != NULL, 0, 0, work, h.len);
	for (size_t i = 0; scores && i < h.len; i++) {
		size_t n = visible(&h, i, 0, h.len);
		float *row = work + i * h.len;

		softmax_change(n, probs + i * h.len, row);
		memset(row + n, 0, (h.len - n) * sizeof *row);
	}
	if (scores)
		multiply_columns(&h, h.len, h.len, work, h.len, 1, c->moved_v + at, false,
				 c->out + at);
	if (c->dv != NULL)
		multiply_columns(&h, h.len, h.len, probs, h.len, 1, c->dv + at, scores,
				 c->out + at);
}

/* ---- the loss ---- */

static double expm1_dot(size_t n, const float *e, const float *d, float shift)
{
	double sum = 0;

#pragma omp simd reduction(+ : sum)
	for (size_t i = 0; i < n; i++)
		sum += (double)e[i] * (double)expm1_of(d[i] - shift);
	return sum;
}

#endif
