/*
 * resample - another size for a picture, equal to the Image.resize of Pillow 13.
 *
 * Rows and then columns, or columns and then rows where the height loses more than twice as
 * many pixels as the width, are convolved with a filter. With s = in / out, the output at x
 * has its centre at (x + 1/2) s in the input, and gives the input pixel j, whose centre is
 * at j + 1/2, the weight
 *
 *     f((j + 1/2 - (x + 1/2) s) / max(s, 1))
 *
 * so that the filter is as wide as an output pixel when the picture shrinks. Weights are
 * normalised over the pixels that there are and rounded to 22 bits of fraction; each
 * direction rounds to bytes. A direction that keeps its size is left alone.
 */
#ifndef DATA_RESAMPLE_H
#define DATA_RESAMPLE_H

#include <stddef.h>

#include "base/err.h"

/* The numbers that Pillow and preprocessor_config.json have for them. f is zero beyond
 * |x| = 1/2 (box), 1 (bilinear, Hamming), 2 (bicubic, a = -1/2), 3 (Lanczos); nearest takes
 * the pixel in which the centre lies. */
enum resample {
	RESAMPLE_NEAREST = 0,
	RESAMPLE_LANCZOS = 1,
	RESAMPLE_BILINEAR = 2,
	RESAMPLE_BICUBIC = 3,
	RESAMPLE_BOX = 4,
	RESAMPLE_HAMMING = 5
};

#define RESAMPLE_KINDS 6

/* in [height][width][channels], out [out_height][out_width][channels], apart; no size is 0,
 * channels 1 or 3. EX_UNAVAILABLE when memory is short. */
int resample(enum resample how, const unsigned char *in, size_t height, size_t width,
	     size_t channels, unsigned char *out, size_t out_height, size_t out_width,
	     struct err *e);

#endif
