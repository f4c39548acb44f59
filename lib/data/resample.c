#include "data/resample.h"

#include <math.h>
#include <stdbool.h>
#include <stdint.h>
#include <stdlib.h>
#include <string.h>

#include "base/mem.h"

#define PI            3.14159265358979323846
#define FRACTION_BITS 22

/* ---- filters ---- */

static double box(double x)
{
	return x > -0.5 && x <= 0.5 ? 1 : 0;
}

static double triangle(double x)
{
	x = fabs(x);
	return x < 1 ? 1 - x : 0;
}

static double sinc(double x)
{
	return x == 0 ? 1 : sin(x * PI) / (x * PI);
}

static double hamming(double x)
{
	x = fabs(x);
	return x < 1 ? sinc(x) * (0.54 + 0.46 * cos(x * PI)) : 0;
}

/* Keys' cubic convolution with a = -1/2. */
static double cubic(double x)
{
	const double a = -0.5;

	x = fabs(x);
	if (x < 1)
		return ((a + 2) * x - (a + 3)) * x * x + 1;
	return x < 2 ? (((x - 5) * x + 8) * x - 4) * a : 0;
}

static double lanczos(double x)
{
	return x >= -3 && x < 3 ? sinc(x) * sinc(x / 3) : 0;
}

static const struct filter {
	double (*f)(double);
	double support; /* f is zero beyond it */
} filters[RESAMPLE_KINDS] = {
	[RESAMPLE_LANCZOS] = { lanczos, 3 }, [RESAMPLE_BILINEAR] = { triangle, 1 },
	[RESAMPLE_BICUBIC] = { cubic, 2 },   [RESAMPLE_BOX] = { box, 0.5 },
	[RESAMPLE_HAMMING] = { hamming, 1 },
};

/* ---- weights ---- */

/* What the outputs of one direction are made of: output x of the inputs from[x] to
 * from[x] + n[x] - 1, with the weights w[x * stride ...]. */
struct weights {
	size_t stride, *from, *n;
	int32_t *w;
};

static void free_weights(struct weights *k)
{
	free(k->from);
	free(k->n);
	free(k->w);
}

static int32_t to_fixed(double x)
{
	return (int32_t)(x * (1 << FRACTION_BITS) + (x < 0 ? -0.5 : 0.5));
}

/* Output x: its inputs, and their weights as reals into `real`. */
static void weigh(struct weights *k, const struct filter *filter, size_t x, double scale,
		  size_t in, double *real)
{
	double wide = scale > 1 ? scale : 1, per_wide = 1 / wide, sum = 0;
	double centre = ((double)x + 0.5) * scale, reach = filter->support * wide;
	double first = centre - reach + 0.5, end = centre + reach + 0.5;
	size_t from = first > 0 ? (size_t)first : 0;
	size_t n = (end < (double)in ? (size_t)end : in) - from;

	for (size_t j = 0; j < n; j++) {
		real[j] = filter->f(((double)(from + j) - centre + 0.5) * per_wide);
		sum += real[j];
	}
	for (size_t j = 0; j < n; j++)
		k->w[x * k->stride + j] = to_fixed(sum != 0 ? real[j] / sum : real[j]);
	k->from[x] = from;
	k->n[x] = n;
}

static int make_weights(struct weights *k, const struct filter *filter, size_t in,
			size_t out, struct err *e)
{
	double scale = (double)in / (double)out;
	double *real;
	size_t cells;

	k->stride = (size_t)ceil(filter->support * (scale > 1 ? scale : 1)) * 2 + 1;
	k->from = mem_zeros(out, sizeof *k->from);
	k->n = mem_zeros(out, sizeof *k->n);
	k->w = mem_mul(out, k->stride, &cells) ? mem_zeros(cells, sizeof *k->w) : NULL;
	real = mem_zeros(k->stride, sizeof *real);
	if (k->from == NULL || k->n == NULL || k->w == NULL || real == NULL) {
		free(real);
		free_weights(k);
		return err_nomem(e);
	}
	for (size_t x = 0; x < out; x++)
		weigh(k, filter, x, scale, in, real);
	free(real);
	return EX_OK;
}

/* ---- passes ---- */

static unsigned char to_byte(int32_t sum)
{
	int32_t x = sum >> FRACTION_BITS;

	return (unsigned char)(x < 0 ? 0 : x > 255 ? 255 : x);
}

#define HALF ((int32_t)1 << (FRACTION_BITS - 1))

/* One RGB pixel from the `n` at `in`. */
static void blend_rgb(const int32_t *w, const unsigned char *in, size_t n,
		      unsigned char *out)
{
	int32_t red = HALF, green = HALF, blue = HALF;

	for (size_t j = 0; j < n; j++) {
		red += w[j] * in[3 * j];
		green += w[j] * in[3 * j + 1];
		blue += w[j] * in[3 * j + 2];
	}
	out[0] = to_byte(red);
	out[1] = to_byte(green);
	out[2] = to_byte(blue);
}

static void blend_grey(const int32_t *w, const unsigned char *in, size_t n,
		       unsigned char *out)
{
	int32_t grey = HALF;

	for (size_t j = 0; j < n; j++)
		grey += w[j] * in[j];
	*out = to_byte(grey);
}

/* out[x][c] = sum over j of w[x][j] in[from[x] + j][c] */
static void resample_row(const struct weights *k, const unsigned char *in, size_t channels,
			 unsigned char *out, size_t out_width)
{
	for (size_t x = 0; x < out_width; x++) {
		const int32_t *w = k->w + x * k->stride;
		const unsigned char *from = in + k->from[x] * channels;

		if (channels == 3)
			blend_rgb(w, from, k->n[x], out + 3 * x);
		else
			blend_grey(w, from, k->n[x], out + x);
	}
}

/* out[y][i] = sum over j of w[y][j] in[from[y] + j][i], rows of n bytes; sum is [n]. */
static void resample_columns(const struct weights *k, const unsigned char *in, size_t n,
			     unsigned char *out, size_t out_height, int32_t *sum)
{
	for (size_t y = 0; y < out_height; y++) {
		for (size_t i = 0; i < n; i++)
			sum[i] = HALF;
		for (size_t j = 0; j < k->n[y]; j++) {
			const unsigned char *row = in + (k->from[y] + j) * n;
			int32_t w = k->w[y * k->stride + j];

			for (size_t i = 0; i < n; i++)
				sum[i] += w * row[i];
		}
		for (size_t i = 0; i < n; i++)
			out[y * n + i] = to_byte(sum[i]);
	}
}

static int resize_width(const struct filter *filter, const unsigned char *in, size_t height,
			size_t width, size_t channels, unsigned char *out, size_t out_width,
			struct err *e)
{
	struct weights k;
	int rc = make_weights(&k, filter, width, out_width, e);

	if (rc != EX_OK)
		return rc;
	for (size_t y = 0; y < height; y++)
		resample_row(&k, in + y * width * channels, channels,
			     out + y * out_width * channels, out_width);
	free_weights(&k);
	return EX_OK;
}

static int resize_height(const struct filter *filter, const unsigned char *in,
			 size_t height, size_t row, unsigned char *out, size_t out_height,
			 struct err *e)
{
	int32_t *sum = mem_zeros(row, sizeof *sum);
	struct weights k;
	int rc =
	    sum == NULL ? err_nomem(e) : make_weights(&k, filter, height, out_height, e);

	if (rc == EX_OK) {
		resample_columns(&k, in, row, out, out_height, sum);
		free_weights(&k);
	}
	free(sum);
	return rc;
}

/* As in Pillow from 13 on: columns first where the height loses more than twice what the
 * width does. */
static bool columns_first(size_t height, size_t width, size_t out_height, size_t out_width)
{
	return height > out_height && height + 2 * out_width > out_height + 2 * width;
}

static int convolve(const struct filter *filter, const unsigned char *in, size_t height,
		    size_t width, size_t channels, unsigned char *out, size_t out_height,
		    size_t out_width, struct err *e)
{
	bool columns = columns_first(height, width, out_height, out_width);
	size_t row = width * channels, out_row = out_width * channels, bytes;
	unsigned char *between;
	int rc;

	if (width == out_width)
		return resize_height(filter, in, height, row, out, out_height, e);
	if (height == out_height)
		return resize_width(filter, in, height, width, channels, out, out_width, e);
	if (!mem_mul(columns ? out_height : height, columns ? row : out_row, &bytes))
		return err_nomem(e);
	between = malloc(bytes);
	if (between == NULL)
		return err_nomem(e);
	if (columns)
		rc = resize_height(filter, in, height, row, between, out_height, e);
	else
		rc = resize_width(filter, in, height, width, channels, between, out_width,
				  e);
	if (rc == EX_OK && columns)
		rc = resize_width(filter, between, out_height, width, channels, out,
				  out_width, e);
	else if (rc == EX_OK)
		rc = resize_height(filter, between, height, out_row, out, out_height, e);
	free(between);
	return rc;
}

/* ---- nearest ---- */

/* Centres are summed up, not multiplied, as Pillow does: it shows where one falls on the
 * border of two pixels. */
static size_t *nearest_of(size_t in, size_t out)
{
	double scale = (double)in / (double)out, centre = 0.5 * scale;
	size_t *from = mem_zeros(out, sizeof *from);

	for (size_t x = 0; from != NULL && x < out; x++, centre += scale)
		from[x] = (size_t)centre < in ? (size_t)centre : in - 1;
	return from;
}

static int take_nearest(const unsigned char *in, size_t height, size_t width,
			size_t channels, unsigned char *out, size_t out_height,
			size_t out_width, struct err *e)
{
	size_t *x_from = nearest_of(width, out_width);
	size_t *y_from = nearest_of(height, out_height);
	int rc = x_from == NULL || y_from == NULL ? err_nomem(e) : EX_OK;

	for (size_t y = 0; rc == EX_OK && y < out_height; y++) {
		const unsigned char *row = in + y_from[y] * width * channels;

		for (size_t x = 0; x < out_width; x++, out += channels)
			memcpy(out, row + x_from[x] * channels, channels);
	}
	free(x_from);
	free(y_from);
	return rc;
}

int resample(enum resample how, const unsigned char *in, size_t height, size_t width,
	     size_t channels, unsigned char *out, size_t out_height, size_t out_width,
	     struct err *e)
{
	if (height == out_height && width == out_width) {
		memcpy(out, in, height * width * channels);
		return EX_OK;
	}
	if (how == RESAMPLE_NEAREST)
		return take_nearest(in, height, width, channels, out, out_height, out_width,
				    e);
	return convolve(&filters[how], in, height, width, channels, out, out_height,
			out_width, e);
}
