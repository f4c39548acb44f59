/*
 * image - pictures from PNG and JPEG files.
 *
 * The bytes are those that Pillow's convert("RGB") gives: a palette is looked up, fewer
 * than 8 bits are spread to 0 to 255, of 16 bits the high byte is kept, transparency is
 * left out (what it hid shows), CMYK becomes (1 - C)(1 - K) with the inverted values that
 * Adobe writes. Of grey in 16 bits, as there, all above 255 is white. Grey stays grey, one
 * channel. Colour profiles, gamma and a camera's orientation are not applied.
 */
#ifndef IO_IMAGE_H
#define IO_IMAGE_H

#include <stddef.h>

#include "base/err.h"

#define IMAGE_MAX_PIXELS ((size_t)1 << 28)

struct image {
	size_t width, height;
	size_t channels;      /* 1, grey, or 3, RGB */
	unsigned char *bytes; /* [height][width][channels] */
};

/* Reads a PNG or JPEG file, whichever its first bytes say; release with image_free.
 * EX_NOINPUT when it is not there; EX_DATAERR for another format, a truncated or damaged
 * file, more than IMAGE_MAX_PIXELS. */
int image_read(struct image *im, const char *path, struct err *e);
void image_free(struct image *im);

#endif
