#include "io/image.h"

#include <setjmp.h>
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include <jpeglib.h>
#include <jerror.h>
#include <png.h>

#include "io/file.h"

/* What a byte of file can hold at most: deflate packs 1032 bytes into one; Huffman codes
 * of JPEG spend a bit on each block of 8 x 8 samples, of which there are four or more
 * among 16 times as many pixels. */
#define PNG_BYTES_PER_BYTE   1032
#define JPEG_PIXELS_PER_BYTE (8 * 64 * 16 / 4)

/* A file that is being decoded. Both libraries report errors by calling back, from where
 * there is no return but `escape`. */
struct decoding {
	const char *path;
	struct mapped file;
	size_t at; /* of the next byte, for PNG */
	struct image *im;
	struct err *e;
	int rc;
	jmp_buf escape;
};

static int allocate(struct decoding *d, size_t width, size_t height, size_t channels)
{
	struct image *im = d->im;

	if (width == 0 || height == 0 || width > IMAGE_MAX_PIXELS / height)
		return err_set(d->e, EX_DATAERR,
			       "%s: %zu x %zu pixels; a picture has 1 to %zu", d->path,
			       width, height, IMAGE_MAX_PIXELS);
	im->bytes = malloc(width * height * channels);
	if (im->bytes == NULL)
		return err_nomem(d->e);
	im->width = width;
	im->height = height;
	im->channels = channels;
	return EX_OK;
}

static int too_short(const struct decoding *d, size_t width, size_t height)
{
	return err_set(d->e, EX_DATAERR,
		       "%s: truncated: %zu bytes cannot hold the %zu x %zu pixels that it "
		       "says it has",
		       d->path, d->file.size, width, height);
}

/* ---- PNG ---- */

static _Noreturn void png_failed(png_structp png, png_const_charp why)
{
	struct decoding *d = png_get_error_ptr(png);

	if (strcmp(why, "Out of memory") == 0)
		d->rc = err_nomem(d->e);
	else
		d->rc = err_set(d->e, EX_DATAERR, "%s: the PNG file is damaged: %s",
				d->path, why);
	longjmp(d->escape, 1);
}

static void png_warned(png_structp png, png_const_charp why)
{
	(void)png;
	(void)why;
}

static void png_bytes(png_structp png, png_bytep out, size_t n)
{
	struct decoding *d = png_get_io_ptr(png);

	if (n > d->file.size - d->at) {
		d->rc = err_set(d->e, EX_DATAERR,
				"%s: truncated: the PNG file ends after %zu bytes; fetch "
				"it again",
				d->path, d->file.size);
		longjmp(d->escape, 1);
	}
	memcpy(out, d->file.data + d->at, n);
	d->at += n;
}

/* Grey or RGB of 8 bits, whatever it is in the file; but grey of 16 bits stays. */
static size_t reduce_png(png_structp png, png_infop info)
{
	int type = png_get_color_type(png, info);

	if (type == PNG_COLOR_TYPE_PALETTE)
		png_set_palette_to_rgb(png);
	if (type == PNG_COLOR_TYPE_GRAY && png_get_bit_depth(png, info) < 8)
		png_set_expand_gray_1_2_4_to_8(png);
	if (type != PNG_COLOR_TYPE_GRAY)
		png_set_strip_16(png);
	png_set_strip_alpha(png);
	return type == PNG_COLOR_TYPE_GRAY || type == PNG_COLOR_TYPE_GRAY_ALPHA ? 1 : 3;
}

/* Grey of 16 bits, the high byte first, as Pillow makes bytes of it. */
static void cut_off_grey(struct image *im)
{
	for (size_t i = 0; i < im->width * im->height; i++)
		im->bytes[i] = im->bytes[2 * i] > 0 ? 255 : im->bytes[2 * i + 1];
}

static int read_png(struct decoding *d, png_structp png, png_infop info)
{
	size_t width, height, channels, row;
	int passes, rc;

	png_set_read_fn(png, d, png_bytes);
	png_set_user_limits(png, PNG_UINT_31_MAX, PNG_UINT_31_MAX);
	png_read_info(png, info);
	width = png_get_image_width(png, info);
	height = png_get_image_height(png, info);
	if (png_get_rowbytes(png, info) > SIZE_MAX / height ||
	    png_get_rowbytes(png, info) * height / PNG_BYTES_PER_BYTE > d->file.size)
		return too_short(d, width, height);
	channels = reduce_png(png, info);
	passes = png_set_interlace_handling(png);
	png_read_update_info(png, info);
	row = png_get_rowbytes(png, info);
	if (row != width * channels && (channels != 1 || row != width * 2))
		return err_set(d->e, EX_SOFTWARE, "%s: %zu bytes for %zu pixels of a row",
			       d->path, row, width);
	rc = allocate(d, width, height, row / width);
	for (; passes > 0 && rc == EX_OK; passes--)
		for (size_t y = 0; y < height; y++)
			png_read_row(png, d->im->bytes + y * row, NULL);
	if (rc != EX_OK)
		return rc;
	png_read_end(png, NULL);
	d->im->channels = channels;
	if (row == width * 2)
		cut_off_grey(d->im);
	return EX_OK;
}

static int decode_png(struct decoding *d)
{
	png_structp png =
	    png_create_read_struct(PNG_LIBPNG_VER_STRING, d, png_failed, png_warned);
	png_infop info = png == NULL ? NULL : png_create_info_struct(png);

	if (info == NULL)
		d->rc = err_nomem(d->e);
	else if (setjmp(d->escape) == 0)
		d->rc = read_png(d, png, info);
	png_destroy_read_struct(&png, &info, NULL);
	return d->rc;
}

/* ---- JPEG ---- */

static _Noreturn void jpeg_failed(j_common_ptr c)
{
	struct decoding *d = c->client_data;
	char why[JMSG_LENGTH_MAX];

	c->err->format_message(c, why);
	if (c->err->msg_code == JERR_OUT_OF_MEMORY)
		d->rc = err_nomem(d->e);
	else if (c->err->msg_code == JWRN_JPEG_EOF)
		d->rc = err_set(d->e, EX_DATAERR,
				"%s: truncated: the JPEG file ends after %zu bytes; fetch "
				"it again",
				d->path, d->file.size);
	else
		d->rc = err_set(d->e, EX_DATAERR, "%s: the JPEG file is damaged: %s",
				d->path, why);
	longjmp(d->escape, 1);
}

/* The library goes on after lost pixels, with grey ones; a trace or an oddity that loses
 * none may pass. */
static void jpeg_warned(j_common_ptr c, int level)
{
	switch (c->err->msg_code) {
	case JWRN_ADOBE_XFORM:
	case JWRN_BOGUS_ICC:
	case JWRN_EXTRANEOUS_DATA:
	case JWRN_JFIF_MAJOR:
	case JWRN_NOT_SEQUENTIAL: return;
	default:
		if (level < 0)
			jpeg_failed(c);
	}
}

static void jpeg_silent(j_common_ptr c)
{
	(void)c;
}

/* `row` of CMYK, each byte inverted, as RGB into `out`: (1 - C)(1 - K). */
static void rgb_of_inverted_cmyk(const unsigned char *row, size_t width, unsigned char *out)
{
	for (size_t i = 0; i < 3 * width; i++) {
		unsigned black = row[i / 3 * 4 + 3];
		unsigned ink = 255U - row[i / 3 * 4 + i % 3];

		out[i] = (unsigned char)(black - (2 * ink * black + 255) / 510);
	}
}

static int read_rows(struct decoding *d, struct jpeg_decompress_struct *c)
{
	size_t width = c->output_width, stride = width * d->im->channels;
	JSAMPARRAY cmyk = NULL;

	if (c->out_color_space == JCS_CMYK)
		cmyk = c->mem->alloc_sarray((j_common_ptr)c, JPOOL_IMAGE,
					    c->output_width * 4, 1);
	while (c->output_scanline < c->output_height) {
		unsigned char *row = d->im->bytes + c->output_scanline * stride;

		jpeg_read_scanlines(c, cmyk != NULL ? cmyk : &row, 1);
		if (cmyk != NULL)
			rgb_of_inverted_cmyk(cmyk[0], width, row);
	}
	jpeg_finish_decompress(c);
	return EX_OK;
}

static int read_jpeg(struct decoding *d, struct jpeg_decompress_struct *c)
{
	size_t pixels;
	int rc;

	jpeg_create_decompress(c);
	jpeg_mem_src(c, d->file.data, d->file.size);
	jpeg_read_header(c, TRUE);
	pixels = (size_t)c->image_width * c->image_height;
	if (!c->arith_code && pixels / JPEG_PIXELS_PER_BYTE > d->file.size)
		return too_short(d, c->image_width, c->image_height);
	if (c->num_components != 1 && c->num_components != 3 && c->num_components != 4)
		return err_set(d->e, EX_DATAERR,
			       "%s: a JPEG file of %d channels; 1, 3 or 4 are read",
			       d->path, c->num_components);
	rc = allocate(d, c->image_width, c->image_height, c->num_components == 1 ? 1 : 3);
	if (rc != EX_OK)
		return rc;
	jpeg_start_decompress(c);
	return read_rows(d, c);
}

static void try_jpeg(struct decoding *d, struct jpeg_decompress_struct *c)
{
	if (setjmp(d->escape) == 0)
		d->rc = read_jpeg(d, c);
}

static int decode_jpeg(struct decoding *d)
{
	struct jpeg_error_mgr errors;
	struct jpeg_decompress_struct c;

	memset(&c, 0, sizeof c);
	c.err = jpeg_std_error(&errors);
	c.client_data = d;
	errors.error_exit = jpeg_failed;
	errors.emit_message = jpeg_warned;
	errors.output_message = jpeg_silent;
	try_jpeg(d, &c);
	jpeg_destroy_decompress(&c);
	return d->rc;
}

/* ---- either ---- */

static int decode(struct decoding *d)
{
	static const unsigned char png[] = { 0x89, 'P', 'N', 'G', '\r', '\n', 0x1a, '\n' };
	static const unsigned char jpeg[] = { 0xff, 0xd8, 0xff };

	if (d->file.size >= sizeof png && memcmp(d->file.data, png, sizeof png) == 0)
		return decode_png(d);
	if (d->file.size >= sizeof jpeg && memcmp(d->file.data, jpeg, sizeof jpeg) == 0)
		return decode_jpeg(d);
	if (d->file.size == 0)
		return err_set(d->e, EX_DATAERR, "%s: the file is empty", d->path);
	return err_set(d->e, EX_DATAERR, "%s: neither a PNG nor a JPEG file; convert it",
		       d->path);
}

int image_read(struct image *im, const char *path, struct err *e)
{
	struct decoding d = { .path = path, .im = im, .e = e };
	int rc;

	*im = (struct image){ 0 };
	rc = file_map(&d.file, path, e);
	if (rc != EX_OK)
		return rc;
	rc = decode(&d);
	file_unmap(&d.file);
	if (rc != EX_OK)
		image_free(im);
	return rc;
}

void image_free(struct image *im)
{
	free(im->bytes);
	*im = (struct image){ 0 };
}
