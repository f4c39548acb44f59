#include "data/pixels.h"

#include <stdlib.h>
#include <string.h>

#include "base/mem.h"
#include "base/str.h"
#include "io/file.h"
#include "io/json.h"

#define BYTES 256 /* values of one */

/* ---- preprocessor_config.json ---- */

struct reader {
	const json_t *o;
	const char *file;
	struct err *e;
};

/* What a file that does not say all leaves to the class that it names. */
struct defaults {
	int64_t resample;
	size_t size, crop; /* edges of a square; 0: the model's size, none */
};

static const struct defaults vit = { .resample = RESAMPLE_BILINEAR };
static const struct defaults deit = { .resample = RESAMPLE_BICUBIC,
				      .size = 256,
				      .crop = 224 };

static int find_defaults(const struct reader *r, const struct defaults **d)
{
	static const char *const kinds[] = { "ImageProcessor", "ImageProcessorFast",
					     "ImageProcessorPil", "FeatureExtractor" };
	const char *older, *name, *kind;
	int rc = js_text(r->o, "feature_extractor_type", "ViTFeatureExtractor", &older,
			 r->file, r->e);

	if (rc == EX_OK)
		rc = js_text(r->o, "image_processor_type", older, &name, r->file, r->e);
	if (rc != EX_OK)
		return rc;
	*d = str_starts(name, "DeiT") ? &deit : &vit;
	kind = name + (*d == &deit ? 4 : str_starts(name, "ViT") ? 3 : 0);
	for (size_t i = 0; i < sizeof kinds / sizeof *kinds; i++)
		if (kind > name && strcmp(kind, kinds[i]) == 0)
			return EX_OK;
	return err_set(r->e, EX_DATAERR,
		       "%s: image_processor_type '%s' is not known; known are "
		       "ViTImageProcessor and DeiTImageProcessor",
		       r->file, name);
}

/* A length of pixels. */
static int read_edge(const struct reader *r, const char *key, const json_t *v, size_t *out)
{
	json_int_t x = json_integer_value(v);

	if (!json_is_integer(v) || x < 1 || x > (json_int_t)PIXELS_MAX_SIDE)
		return err_set(r->e, EX_DATAERR,
			       "%s: %s has a length that is not an integer of 1 to %zu",
			       r->file, key, PIXELS_MAX_SIDE);
	*out = (size_t)x;
	return EX_OK;
}

/* A size, as N for a square, [height, width] or {"height": N, "width": N}. */
static int read_size(const struct reader *r, const char *key, size_t *height, size_t *width)
{
	const json_t *v = json_object_get(r->o, key), *h = v, *w = v;
	int rc;

	if (json_is_array(v) && json_array_size(v) == 2) {
		h = json_array_get(v, 0);
		w = json_array_get(v, 1);
	} else if (json_is_object(v) && json_object_size(v) == 2) {
		h = json_object_get(v, "height");
		w = json_object_get(v, "width");
	}
	if (h == NULL || w == NULL || json_is_object(h) || json_is_array(h))
		return err_set(r->e, EX_DATAERR,
			       "%s: %s is none of N, {\"height\": N, \"width\": N}%s",
			       r->file, key,
			       strcmp(key, "size") == 0 ? ", {\"shortest_edge\": N}" : "");
	rc = read_edge(r, key, h, height);
	return rc == EX_OK ? read_edge(r, key, w, width) : rc;
}

static int read_resize(const struct reader *r, const struct defaults *d, struct pixels *p)
{
	const json_t *size = json_object_get(r->o, "size");
	const json_t *edge = json_object_get(size, "shortest_edge");
	int64_t how;
	bool square;
	int rc = js_bool(r->o, "do_resize", true, &p->resize, r->file, r->e);

	if (rc == EX_OK)
		rc = js_int(r->o, "resample", d->resample, &how, r->file, r->e);
	if (rc == EX_OK)
		rc = js_bool(r->o, "default_to_square", true, &square, r->file, r->e);
	if (rc != EX_OK || !p->resize)
		return rc;
	if (how < 0 || how >= RESAMPLE_KINDS)
		return err_set(r->e, EX_DATAERR,
			       "%s: resample is %lld; known are 0 nearest, 1 Lanczos, 2 "
			       "bilinear, 3 bicubic, 4 box, 5 Hamming",
			       r->file, (long long)how);
	p->resample = (enum resample)how;
	if (edge != NULL && json_object_size(size) == 1)
		return read_edge(r, "size", edge, &p->shortest);
	if (json_is_integer(size) && !square)
		return read_edge(r, "size", size, &p->shortest);
	if (size != NULL && !json_is_null(size))
		return read_size(r, "size", &p->resize_height, &p->resize_width);
	p->resize_height = d->size != 0 ? d->size : p->height;
	p->resize_width = d->size != 0 ? d->size : p->width;
	return EX_OK;
}

static int read_crop(const struct reader *r, const struct defaults *d, struct pixels *p)
{
	const json_t *size = json_object_get(r->o, "crop_size");
	bool pad;
	int rc = js_bool(r->o, "do_pad", false, &pad, r->file, r->e);

	if (rc == EX_OK)
		rc = js_bool(r->o, "do_center_crop", d->crop != 0, &p->crop, r->file, r->e);
	if (rc == EX_OK && pad)
		return err_set(r->e, EX_DATAERR,
			       "%s: do_pad is true; a model of one size takes no padding",
			       r->file);
	if (rc != EX_OK || !p->crop)
		return rc;
	if ((size == NULL || json_is_null(size)) && d->crop != 0) {
		p->crop_height = p->crop_width = d->crop;
		return EX_OK;
	}
	return read_size(r, "crop_size", &p->crop_height, &p->crop_width);
}

/* A number for all channels or an array of one for each. */
static int read_per_channel(const struct reader *r, const char *key, size_t channels,
			    double *out)
{
	const json_t *v = json_object_get(r->o, key);

	if (v == NULL || json_is_null(v))
		return EX_OK;
	if (json_is_array(v) && json_array_size(v) != channels)
		return err_set(r->e, EX_DATAERR,
			       "%s: %s has %zu values, and the model takes %zu channels",
			       r->file, key, json_array_size(v), channels);
	for (size_t c = 0; c < channels; c++) {
		const json_t *x = json_is_array(v) ? json_array_get(v, c) : v;

		if (!json_is_number(x))
			return err_set(r->e, EX_DATAERR, "%s: %s is not made of numbers",
				       r->file, key);
		out[c] = json_number_value(x);
	}
	return EX_OK;
}

static int read_values(const struct reader *r, struct pixels *p)
{
	bool rescale, normalize, rgb;
	int rc = js_bool(r->o, "do_convert_rgb", false, &rgb, r->file, r->e);

	if (rc == EX_OK)
		rc = js_bool(r->o, "do_rescale", true, &rescale, r->file, r->e);
	if (rc == EX_OK)
		rc = js_real(r->o, "rescale_factor", p->factor, &p->factor, r->file, r->e);
	if (rc == EX_OK)
		rc = js_bool(r->o, "do_normalize", true, &normalize, r->file, r->e);
	if (rc == EX_OK)
		rc = read_per_channel(r, "image_mean", p->channels, p->mean);
	if (rc == EX_OK)
		rc = read_per_channel(r, "image_std", p->channels, p->std);
	if (rc != EX_OK)
		return rc;
	if (rgb && p->channels != 3)
		return err_set(
		    r->e, EX_DATAERR,
		    "%s: do_convert_rgb makes 3 channels, and the model takes %zu", r->file,
		    p->channels);
	if (!rescale)
		p->factor = 1;
	for (size_t c = 0; c < p->channels; c++) {
		p->mean[c] = normalize ? p->mean[c] : 0;
		p->std[c] = normalize ? p->std[c] : 1;
		if (!((float)p->std[c] > 0))
			return err_set(r->e, EX_DATAERR,
				       "%s: image_std holds %g; it is more than 0", r->file,
				       p->std[c]);
	}
	return EX_OK;
}

static int wrong_size(const char *what, size_t width, size_t height, const struct pixels *p,
		      struct err *e)
{
	return err_set(e, EX_DATAERR,
		       "%s gives %zu x %zu pixels (width x height), and the model takes "
		       "%zu x %zu",
		       what, width, height, p->width, p->height);
}

/* What can be said before a picture is seen. */
static int check_size(const struct reader *r, const struct pixels *p)
{
	size_t height = p->resize_height, width = p->resize_width;
	size_t short_edge = p->height < p->width ? p->height : p->width;

	if (p->crop) {
		height = p->crop_height;
		width = p->crop_width;
	} else if (!p->resize || p->shortest == short_edge) {
		return EX_OK;
	} else if (p->shortest != 0) {
		height = width = p->shortest;
	}
	if (height == p->height && width == p->width)
		return EX_OK;
	return wrong_size(r->file, width, height, p, r->e);
}

static int read_config(struct pixels *p, const struct reader *r)
{
	const struct defaults *d;
	int rc;

	if (!json_is_object(r->o))
		return err_set(r->e, EX_DATAERR, "%s: not a JSON object", r->file);
	rc = find_defaults(r, &d);
	if (rc == EX_OK)
		rc = read_resize(r, d, p);
	if (rc == EX_OK)
		rc = read_crop(r, d, p);
	if (rc == EX_OK)
		rc = read_values(r, p);
	return rc == EX_OK ? check_size(r, p) : rc;
}

static int read_file(struct pixels *p, const char *path, struct err *e)
{
	json_t *o;
	int rc = js_load(&o, path, e);

	if (rc != EX_OK)
		return rc;
	rc = read_config(p, &(struct reader){ .o = o, .file = path, .e = e });
	json_decref(o);
	return rc;
}

int pixels_read(struct pixels *p, const char *dir, size_t channels, size_t height,
		size_t width, struct err *e)
{
	char *path;
	int rc = EX_OK;

	*p = (struct pixels){ .channels = channels,
			      .height = height,
			      .width = width,
			      .resize = true,
			      .resize_height = height,
			      .resize_width = width,
			      .resample = RESAMPLE_BILINEAR,
			      .factor = 1.0 / 255,
			      .mean = { 0.5, 0.5, 0.5 },
			      .std = { 0.5, 0.5, 0.5 } };
	if ((channels != 1 && channels != 3) || height < 1 || height > PIXELS_MAX_SIDE ||
	    width < 1 || width > PIXELS_MAX_SIDE)
		return err_set(e, EX_DATAERR,
			       "%s: the model takes %zu channels of %zu x %zu pixels; "
			       "pictures have 1 or 3, of at most %zu x %zu here",
			       dir, channels, width, height, PIXELS_MAX_SIDE,
			       PIXELS_MAX_SIDE);
	path = file_join(dir, PIXELS_FILE);
	if (path == NULL)
		return err_nomem(e);
	if (file_exists(path))
		rc = read_file(p, path, e);
	free(path);
	return rc;
}

/* ---- saving ---- */

static json_t *size_of(size_t height, size_t width)
{
	return json_pack("{s:I, s:I}", "height", (json_int_t)height, "width",
			 (json_int_t)width);
}

static json_t *per_channel(const double *x, size_t channels)
{
	json_t *a = json_array();

	for (size_t c = 0; c < channels; c++) {
		if (json_array_append_new(a, json_real(x[c])) != 0) {
			json_decref(a);
			return NULL;
		}
	}
	return a;
}

static json_t *resize_size(const struct pixels *p)
{
	if (!p->resize)
		return size_of(p->height, p->width);
	if (p->shortest != 0)
		return json_pack("{s:I}", "shortest_edge", (json_int_t)p->shortest);
	return size_of(p->resize_height, p->resize_width);
}

int pixels_save(const struct pixels *p, const char *path, struct err *e)
{
	json_t *o =
	    json_pack("{s:s, s:b, s:b, s:o, s:I, s:b, s:b, s:f, s:b, s:o, s:o}",
		      "image_processor_type", "ViTImageProcessor", "do_convert_rgb",
		      p->channels == 3, "do_resize", p->resize, "size", resize_size(p),
		      "resample", (json_int_t)p->resample, "do_center_crop", p->crop,
		      "do_rescale", true, "rescale_factor", p->factor, "do_normalize", true,
		      "image_mean", per_channel(p->mean, p->channels), "image_std",
		      per_channel(p->std, p->channels));
	int rc;

	if (o == NULL)
		return err_nomem(e);
	if (p->crop && json_object_set_new(o, "crop_size",
					   size_of(p->crop_height, p->crop_width)) != 0)
		rc = err_nomem(e);
	else
		rc = js_save(o, path, e);
	json_decref(o);
	return rc;
}

/* ---- pictures ---- */

/* The weights of ITU-R 601 in 16 bits of fraction. */
static unsigned char grey_of(const unsigned char *rgb)
{
	return (
	    unsigned char)((19595U * rgb[0] + 38470U * rgb[1] + 7471U * rgb[2] + 0x8000U) >>
			   16);
}

/* Grey as RGB or RGB as grey. */
static int convert(const struct image *im, struct image *out, struct err *e)
{
	size_t n = im->height * im->width, bytes;

	*out = (struct image){ im->width, im->height, im->channels == 1 ? 3 : 1, NULL };
	out->bytes = mem_mul(n, out->channels, &bytes) ? malloc(bytes) : NULL;
	if (out->bytes == NULL)
		return err_nomem(e);
	for (size_t i = 0; i < n; i++) {
		if (im->channels == 1)
			memset(out->bytes + 3 * i, im->bytes[i], 3);
		else
			out->bytes[i] = grey_of(im->bytes + 3 * i);
	}
	return EX_OK;
}

static void find_size(const struct pixels *p, const struct image *im, size_t *height,
		      size_t *width)
{
	bool tall = im->width <= im->height;
	double narrow = (double)(tall ? im->width : im->height);
	double wide = (double)(tall ? im->height : im->width);
	size_t longest = (size_t)((double)p->shortest * wide / narrow);

	*height = p->resize_height;
	*width = p->resize_width;
	if (p->shortest != 0) {
		*height = tall ? longest : p->shortest;
		*width = tall ? p->shortest : longest;
	}
}

static int resized(const struct pixels *p, const struct image *im, struct image *out,
		   struct err *e)
{
	size_t height, width, between_rows, between_columns, bytes;
	int rc;

	find_size(p, im, &height, &width);
	if (!mem_mul(im->height, width, &between_rows) ||
	    !mem_mul(im->width, height, &between_columns) ||
	    between_rows > IMAGE_MAX_PIXELS || between_columns > IMAGE_MAX_PIXELS ||
	    height > IMAGE_MAX_PIXELS / width)
		return err_set(e, EX_DATAERR,
			       "%zu x %zu pixels are too long and narrow to be resized to "
			       "%zu x %zu",
			       im->width, im->height, width, height);
	*out = (struct image){ width, height, im->channels, NULL };
	out->bytes = mem_mul(height * width, im->channels, &bytes) ? malloc(bytes) : NULL;
	if (out->bytes == NULL)
		return err_nomem(e);
	rc = resample(p->resample, im->bytes, im->height, im->width, im->channels,
		      out->bytes, height, width, e);
	if (rc != EX_OK)
		image_free(out);
	return rc;
}

/* Where the first of `out` pixels lies among `in`; negative where `in` is filled up. */
static ptrdiff_t crop_from(size_t in, size_t out)
{
	return out > in ? -(ptrdiff_t)((out - in + 1) / 2) : (ptrdiff_t)((in - out) / 2);
}

static unsigned char pixel_at(const struct image *im, ptrdiff_t y, ptrdiff_t x, size_t c)
{
	if (y < 0 || x < 0 || (size_t)y >= im->height || (size_t)x >= im->width)
		return 0;
	return im->bytes[((size_t)y * im->width + (size_t)x) * im->channels + c];
}

/* [height][width][channels] to [channels, height, width], about the centre. */
static void cut_planes(const struct pixels *p, const struct image *im, unsigned char *out)
{
	ptrdiff_t top = crop_from(im->height, p->height);
	ptrdiff_t left = crop_from(im->width, p->width);

	for (size_t i = 0; i < p->channels * p->height; i++) {
		size_t c = i / p->height, y = i % p->height;

		for (size_t x = 0; x < p->width; x++)
			*out++ = pixel_at(im, (ptrdiff_t)y + top, (ptrdiff_t)x + left, c);
	}
}

static int fit_converted(const struct pixels *p, const struct image *im, unsigned char *out,
			 struct err *e)
{
	struct image other = { 0 };
	const struct image *from = p->resize ? &other : im;
	int rc = p->resize ? resized(p, im, &other, e) : EX_OK;

	if (rc == EX_OK && !p->crop &&
	    (from->height != p->height || from->width != p->width))
		rc = wrong_size("the picture", from->width, from->height, p, e);
	if (rc == EX_OK)
		cut_planes(p, from, out);
	image_free(&other);
	return rc;
}

int pixels_fit(const struct pixels *p, const struct image *im, unsigned char *out,
	       struct err *e)
{
	struct image other = { 0 };
	bool same = im->channels == p->channels;
	int rc;

	if (im->height == 0 || im->width == 0 || (im->channels != 1 && im->channels != 3))
		return err_set(e, EX_DATAERR,
			       "%zu x %zu pixels (width x height) of %zu channels; a "
			       "picture has some, of 1 or 3",
			       im->width, im->height, im->channels);
	rc = same ? EX_OK : convert(im, &other, e);
	if (rc == EX_OK)
		rc = fit_converted(p, same ? im : &other, out, e);
	image_free(&other);
	return rc;
}

void pixels_floats(const struct pixels *p, const unsigned char *in, float *out)
{
	size_t n = p->height * p->width;
	float value[BYTES];

	for (size_t c = 0; c < p->channels; c++, in += n, out += n) {
		for (int b = 0; b < BYTES; b++) {
			float x = (float)(b * p->factor);

			value[b] = (x - (float)p->mean[c]) / (float)p->std[c];
		}
		for (size_t i = 0; i < n; i++)
			out[i] = value[in[i]];
	}
}
