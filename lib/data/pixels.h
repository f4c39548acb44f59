/*
 * pixels - from a picture to a model's input, as preprocessor_config.json says it.
 *
 * A picture is converted to the model's channels, resized, cropped about its centre and
 * normalised, each value then being
 *
 *     (byte * factor - mean[c]) / std[c]
 *
 * as transformers' ViTImageProcessor does it on Pillow. (Where torchvision is installed,
 * transformers takes that: the same filters, other rounding.) What the file does not say is
 * as ViTImageProcessor has it: resized by bilinear interpolation to the size that the model
 * takes, not cropped, 1/255, mean and standard deviation 0.5. Grey becomes RGB and RGB
 * grey, L = 0.299 R + 0.587 G + 0.114 B, where the model takes the other.
 */
#ifndef DATA_PIXELS_H
#define DATA_PIXELS_H

#include <stdbool.h>
#include <stddef.h>

#include "base/err.h"
#include "data/resample.h"
#include "io/image.h"

#define PIXELS_FILE         "preprocessor_config.json"
#define PIXELS_MAX_CHANNELS 3
#define PIXELS_MAX_SIDE     ((size_t)1 << 14)

struct pixels {
	size_t channels, height, width; /* what the model takes */
	bool resize;
	size_t shortest;                    /* that edge becomes this long, or 0: */
	size_t resize_height, resize_width; /* the size whatever the picture's */
	enum resample resample;
	bool crop;
	size_t crop_height,
	    crop_width; /* filled up with zeros where the picture is smaller */
	double factor, mean[PIXELS_MAX_CHANNELS], std[PIXELS_MAX_CHANNELS];
};

/* Reads DIR/preprocessor_config.json, which may be absent, for a model that takes
 * [channels, height, width]. EX_DATAERR for a malformed file, steps that are not known
 * here, and sizes other than the model's. */
int pixels_read(struct pixels *p, const char *dir, size_t channels, size_t height,
		size_t width, struct err *e);

/* The picture's bytes as the model takes them, out [channels, height, width]. EX_DATAERR
 * for a picture without pixels, one too narrow to be resized, and one that has another size
 * once resized and cropped, where no size is fixed; the caller knows its name. */
int pixels_fit(const struct pixels *p, const struct image *im, unsigned char *out,
	       struct err *e);

/* out[i] = (in[i] * factor - mean[c]) / std[c], in and out [channels, height, width]: the
 * product in double, the rest in float. */
void pixels_floats(const struct pixels *p, const unsigned char *in, float *out);

/* Writes a preprocessor_config.json, a file that must not exist yet, which transformers and
 * pixels_read read to the same effect. */
int pixels_save(const struct pixels *p, const char *path, struct err *e);

#endif
