#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <setjmp.h>
#include <cmocka.h>
#include <zlib.h>

#include "base/str.h"
#include "data/dataset.h"

#include "../images.h"
#include "../scratch.h"
#include "../tasks.h"

/* What the tests' model takes: grey pictures of 2 x 3 pixels, in four tokens. */
enum { HEIGHT = 2, WIDTH = 3, SIZE = HEIGHT * WIDTH, TOKENS = 4 };

static struct pixels grey, colour;

static int open_all(void **state)
{
	(void)state;
	if (scratch_open() != 0 ||
	    pixels_read(&grey, scratch_dir, 1, HEIGHT, WIDTH, NULL) != EX_OK)
		return -1;
	return pixels_read(&colour, scratch_dir, 3, HEIGHT, WIDTH, NULL) == EX_OK ? 0 : -1;
}

static int close_all(void **state)
{
	(void)state;
	return scratch_close();
}

static void read_file(struct dataset *d, struct task *t, const char *file,
		      const struct pixels *p)
{
	const struct encoder how = { .pixels = p, .image_tokens = TOKENS };
	struct err e = { 0 };

	if (dataset_read(d, file, t, true, &how, &e) != EX_OK)
		fail_msg("%s", e.text);
}

static void refused(const char *said, const char *name, int code, const char *want)
{
	const struct encoder how = { .pixels = &grey, .image_tokens = TOKENS };
	struct task t = task_of(said);
	struct dataset d;
	struct err e = { 0 };

	assert_int_equal(dataset_read(&d, scratch(name), &t, true, &how, &e), code);
	if (strstr(e.text, want) == NULL)
		fail_msg("\"%s\" is not in \"%s\"", want, e.text);
	assert_true(d.n == 0 && d.label == NULL && d.pixels == NULL && d.start == NULL);
	task_free(&t);
}

/* An IDX file whose header says n x HEIGHT x WIDTH (or n alone for labels), and `len` bytes
 * 0, 1, 2... behind it. */
static void write_idx(const char *name, int ndim, unsigned char n, size_t len)
{
	char bytes[1000] = { 0, 0, 8, (char)ndim, 0, 0, 0, (char)n };
	const char sides[] = { 0, 0, 0, HEIGHT, 0, 0, 0, WIDTH, 0, 0, 0, 3 };
	size_t head = 4 + 4 * (size_t)ndim;

	memcpy(bytes + 8, sides, head - 8);
	for (size_t i = 0; i < len; i++)
		bytes[head + i] = (char)i;
	scratch_bytes(name, bytes, head + len);
}

static void write_labels(const char *name, const char *labels, unsigned char n)
{
	char bytes[100] = { 0, 0, 8, 1, 0, 0, 0, (char)n };

	memcpy(bytes + 8, labels, n);
	scratch_bytes(name, bytes, 8 + (size_t)n);
}

/* ---- IDX ---- */

static void idx_pictures_have_the_labels_beside_them(void **state)
{
	struct task t = task_of("image");
	struct dataset d;

	(void)state;
	write_idx("train-images-idx3-ubyte", 3, 4, 4 * SIZE);
	write_labels("train-labels-idx1-ubyte", "\x07\x02\x0a\x02", 4);
	read_file(&d, &t, scratch("train-images-idx3-ubyte"), &grey);
	assert_int_equal(d.n, 4);
	assert_true(d.label[0] == 1 && d.label[1] == 0 && d.label[2] == 2 &&
		    d.label[3] == 0);
	assert_int_equal(t.classes.n, 3);
	assert_string_equal(t.classes.s[0], "2");
	assert_string_equal(t.classes.s[2], "10");
	for (size_t i = 0; i < 4 * SIZE; i++)
		assert_int_equal(d.pixels[i], i);
	assert_true(d.ids == NULL && d.prompt == NULL && d.longest == TOKENS);
	for (size_t i = 0; i <= 4; i++)
		assert_int_equal(d.start[i], i * TOKENS);
	assert_memory_equal(&d.how, &grey, sizeof grey);
	dataset_free(&d);
	task_free(&t);
}

static void gzip_idx(const char *from, const char *to)
{
	char bytes[1000];
	FILE *in = fopen(scratch(from), "rb");
	size_t n = fread(bytes, 1, sizeof bytes, in);
	gzFile f = gzopen(scratch(to), "wb");

	fclose(in);
	assert_int_equal(gzwrite(f, bytes, (unsigned)n), n);
	assert_int_equal(gzclose(f), Z_OK);
}

static void gzipped_idx_files_are_read(void **state)
{
	struct task t = task_of("image");
	struct dataset d;

	(void)state;
	write_idx("x", 3, 2, 2 * SIZE);
	gzip_idx("x", "t10k-images-idx3-ubyte.gz");
	write_labels("x", "\x00\x01", 2);
	gzip_idx("x", "t10k-labels-idx1-ubyte.gz");
	read_file(&d, &t, scratch("t10k-images-idx3-ubyte.gz"), &grey);
	assert_int_equal(d.n, 2);
	dataset_free(&d);
	task_free(&t);
}

/* Other data has other labels, so the file does not travel with the task. */
static void labels_file_that_was_said_is_used_and_forgotten(void **state)
{
	struct strbuf said = { 0 };
	struct dataset d;
	struct task t;

	(void)state;
	write_idx("drawings", 3, 2, 2 * SIZE);
	write_labels("answers", "\x05\x03", 2);
	strbuf_printf(&said, "image label=%s", scratch("answers"));
	t = task_of(said.s);
	read_file(&d, &t, scratch("drawings"), &grey);
	assert_true(d.label[0] == 1 && d.label[1] == 0);
	assert_string_equal(t.label, "label");
	dataset_free(&d);
	task_free(&t);
	strbuf_free(&said);
}

static void idx_colours_are_the_fourth_dimension(void **state)
{
	struct task t = task_of("image");
	struct dataset d;

	(void)state;
	write_idx("colour-images-idx4-ubyte", 4, 2, 2 * SIZE * 3);
	write_labels("colour-labels-idx1-ubyte", "\x00\x01", 2);
	read_file(&d, &t, scratch("colour-images-idx4-ubyte"), &colour);
	for (size_t i = 0; i < 2; i++)
		for (size_t c = 0; c < 3; c++)
			for (size_t p = 0; p < SIZE; p++)
				assert_int_equal(d.pixels[(i * 3 + c) * SIZE + p],
						 (i * SIZE + p) * 3 + c);
	dataset_free(&d);
	task_free(&t);
}

static void grey_pictures_become_three_equal_channels(void **state)
{
	struct task t = task_of("image");
	struct dataset d;

	(void)state;
	write_idx("grey-images-idx3-ubyte", 3, 2, 2 * SIZE);
	write_labels("grey-labels-idx1-ubyte", "\x00\x01", 2);
	read_file(&d, &t, scratch("grey-images-idx3-ubyte"), &colour);
	for (size_t i = 0; i < 2 * 3 * SIZE; i++)
		assert_int_equal(d.pixels[i], i / (3 * SIZE) * SIZE + i % SIZE);
	dataset_free(&d);
	task_free(&t);
}

static void pictures_of_classes_asked_for_are_left(void **state)
{
	struct task t = task_of("image classes=9,7 only=yes");
	struct dataset d;

	(void)state;
	write_idx("some-images-idx3-ubyte", 3, 5, 5 * SIZE);
	write_labels("some-labels-idx1-ubyte", "\x07\x01\x09\x02\x07", 5);
	read_file(&d, &t, scratch("some-images-idx3-ubyte"), &grey);
	assert_true(d.n == 3 && d.left_out == 2);
	assert_true(d.label[0] == 1 && d.label[1] == 0 && d.label[2] == 1);
	assert_int_equal(d.start[3], 3 * TOKENS);
	for (size_t i = 0; i < SIZE; i++) {
		assert_int_equal(d.pixels[i], i);
		assert_int_equal(d.pixels[SIZE + i], 2 * SIZE + i);
		assert_int_equal(d.pixels[2 * SIZE + i], 4 * SIZE + i);
	}
	dataset_free(&d);
	task_free(&t);
	refused("image classes=7,8 only=yes", "some-images-idx3-ubyte", EX_DATAERR,
		"no row has the label '8' of --classes");
	refused("image classes=4,5 only=yes", "some-images-idx3-ubyte", EX_DATAERR,
		"all 5 rows were passed over: the classes are 4, 5, and the labels 7, 1, "
		"9, 2");
	refused("image classes=1,7", "some-images-idx3-ubyte", EX_DATAERR,
		"label '9' is none of the 2 classes");
}

static void labels_may_be_numbers(void **state)
{
	struct task t = task_of("image kind=regression");
	struct dataset d;

	(void)state;
	write_idx("n-images-idx3-ubyte", 3, 2, 2 * SIZE);
	write_labels("n-labels-idx1-ubyte", "\xff\x03", 2);
	read_file(&d, &t, scratch("n-images-idx3-ubyte"), &grey);
	assert_true(d.target[0] == 255 && d.target[1] == 3 && d.label[0] == -1);
	dataset_free(&d);
	task_free(&t);
}

static void malformed_idx_files_are_refused(void **state)
{
	static const char name[] = "bad-images-idx3-ubyte";
	static const char labels[] = "bad-labels-idx1-ubyte";

	(void)state;
	write_idx(name, 3, 2, 2 * SIZE);
	refused("image", name, EX_NOINPUT,
		"bad-labels-idx1-ubyte, which is not there; say --label FILE");
	refused("image label=/nonexistent/labels", name, EX_NOINPUT,
		"/nonexistent/labels: no such file");
	write_labels(labels, "\x00\x01\x02", 3);
	refused("image", name, EX_DATAERR, "3 labels in 1 dimensions; ");
	write_labels(labels, "\x01\x01", 2);
	refused("image", name, EX_DATAERR, "only one class, '1'");
	write_labels(labels, "\x00\x01", 2);
	write_idx(name, 3, 2, 2 * SIZE - 1);
	refused("image", name, EX_DATAERR, name);
	write_idx(name, 3, 2, 2 * SIZE + 1);
	refused("image", name, EX_DATAERR, name);
	write_idx(name, 2, 2, 2 * HEIGHT);
	refused("image", name, EX_DATAERR, "2 dimensions; pictures have");
	write_idx(name, 3, 0, 0);
	write_labels(labels, "", 0);
	refused("image", name, EX_DATAERR, "no pictures");
	write_idx("nameless", 3, 2, 2 * SIZE);
	refused("image", "nameless", EX_NOINPUT,
		"nameless: where are its labels? say --label FILE");
}

/* ---- lists ---- */

/* A picture as the model takes it. */
static void expect_picture(const struct dataset *d, size_t i, const char *name)
{
	unsigned char want[SIZE];
	struct image im;

	assert_int_equal(image_read(&im, picture(name), NULL), EX_OK);
	assert_int_equal(pixels_fit(&grey, &im, want, NULL), EX_OK);
	assert_memory_equal(d->pixels + i * SIZE, want, SIZE);
	image_free(&im);
}

/* Writes a list with the absolute paths of the fixtures in the place of '@'. */
static void write_list(const char *name, const char *text)
{
	struct strbuf b = { 0 };

	for (; *text != '\0'; text++)
		if (*text == '@')
			strbuf_printf(&b, "%s/", scratch("pictures"));
		else
			strbuf_add(&b, text, 1);
	scratch_text(name, b.s);
	strbuf_free(&b);
}

static void copy_picture(const char *name)
{
	char to[80];

	snprintf(to, sizeof to, "pictures/%s", name);
	unlink(scratch(to));
	assert_int_equal(file_copy(picture(name), scratch(to), NULL), EX_OK);
}

static void expect_list(const char *said, const char *list, const char *text)
{
	struct task t = task_of(said);
	struct dataset d;

	write_list(list, text);
	read_file(&d, &t, scratch(list), &grey);
	assert_true(d.n == 2 && d.left_out == 0 && d.longest == TOKENS);
	assert_true(d.label[0] == 1 && d.label[1] == 0);
	assert_string_equal(t.classes.s[0], "dark");
	assert_string_equal(t.classes.s[1], "light");
	expect_picture(&d, 0, "rgb-8.png");
	expect_picture(&d, 1, "grey.jpg");
	dataset_free(&d);
	task_free(&t);
}

static void a_list_names_pictures_and_labels(void **state)
{
	(void)state;
	expect_list("image", "list.tsv",
		    "id\tlabel\timage\n1\tlight\t@rgb-8.png\n2\tdark\t@grey.jpg\n");
	expect_list("custom text=path label=says form=images", "list.csv",
		    "path,says\n@rgb-8.png,light\n\"@grey.jpg\",dark\n");
}

static void paths_are_relative_to_the_list(void **state)
{
	(void)state;
	expect_list("image", "pictures/list.tsv",
		    "image\tlabel\nrgb-8.png\tlight\n../pictures/grey.jpg\tdark\n");
	expect_list("image", "list.tsv",
		    "image\tlabel\npictures/rgb-8.png\tlight\n@grey.jpg\tdark\n");
}

static void columns_that_nobody_named_are_the_first_two(void **state)
{
	(void)state;
	expect_list("image", "list.tsv",
		    "file\tclass\n@rgb-8.png\tlight\n@grey.jpg\tdark\n");
	expect_list("image", "list.tsv", "@rgb-8.png\tlight\n@grey.jpg\tdark\n");
	expect_list("image header=no", "list.tsv", "@rgb-8.png\tlight\n@grey.jpg\tdark\n");
	expect_list("image text=2 label=1", "list.tsv",
		    "class\tfile\nlight\t@rgb-8.png\ndark\t@grey.jpg\n");
	refused("image text=path", "list.tsv", EX_DATAERR, "no column 'path'");
	write_list("list.tsv", "@rgb-8.png\n");
	refused("image", "list.tsv", EX_DATAERR, "no column 'label'");
}

static void other_classes_of_a_list_need_no_picture(void **state)
{
	struct task t = task_of("image classes=light,dark only=yes");
	struct dataset d;

	(void)state;
	write_list("list.tsv", "image\tlabel\n@grey.jpg\tdark\nnowhere.png\tloud\n"
			       "@rgb-8.png\tlight\n");
	read_file(&d, &t, scratch("list.tsv"), &grey);
	assert_true(d.n == 2 && d.left_out == 1 && d.label[0] == 1);
	expect_picture(&d, 1, "rgb-8.png");
	dataset_free(&d);
	task_free(&t);
}

static void missing_picture_is_told_by_line_and_path(void **state)
{
	(void)state;
	write_list("list.tsv", "image\tlabel\n@grey.jpg\ta\n@gone.png\tb\n@lost.png\ta\n");
	refused("image", "list.tsv", EX_NOINPUT, "list.tsv:3: ");
	refused("image", "list.tsv", EX_NOINPUT, "/pictures/gone.png");
}

static void malformed_lists_are_refused(void **state)
{
	(void)state;
	write_list("list.tsv", "image\tlabel\n@grey.jpg\ta\nlist.tsv\tb\n");
	refused("image", "list.tsv", EX_DATAERR, "list.tsv:3: ");
	write_list("list.tsv", "image\tlabel\n\ta\n");
	refused("image", "list.tsv", EX_DATAERR, "list.tsv:2: the path is empty");
	write_list("list.tsv", "image\tlabel\n@grey.jpg\ta\n@grey.jpg\n");
	refused("image", "list.tsv", EX_DATAERR, "list.tsv:3: 1 fields");
	write_list("list.tsv", "image\tlabel\n@grey.jpg\ta\n");
	refused("image", "list.tsv", EX_DATAERR, "only one class");
	refused("image classes=b,c", "list.tsv", EX_DATAERR, "list.tsv:2: label 'a'");
	write_list("list.tsv", "image\tlabel\n");
	refused("image", "list.tsv", EX_DATAERR, "a header and no rows");
	scratch_text("list.tsv", "");
	refused("image", "list.tsv", EX_DATAERR, "the file is empty");
	refused("image", "absent.tsv", EX_NOINPUT, "absent.tsv");
}

/* Which of many threads comes first does not matter. */
static void the_first_bad_picture_is_told_whichever_thread_finds_it(void **state)
{
	struct strbuf b = { 0 };

	(void)state;
	strbuf_puts(&b, "image\tlabel\n");
	for (int i = 0; i < 200; i++)
		strbuf_printf(&b, "pictures/%s\t%d\n", i < 57 ? "grey.jpg" : "gone.png",
			      i % 2);
	scratch_text("many.tsv", b.s);
	refused("image", "many.tsv", EX_NOINPUT, "many.tsv:59: ");
	strbuf_free(&b);
}

static void a_model_of_texts_is_refused(void **state)
{
	const struct encoder how = { .max_len = 9 };
	struct task t = task_of("image");
	struct dataset d;
	struct err e;

	(void)state;
	assert_int_equal(dataset_read(&d, scratch("list.tsv"), &t, true, &how, &e),
			 EX_USAGE);
	assert_non_null(strstr(e.text, "task image needs a model that takes pictures"));
	task_free(&t);
}

static int open_pictures(void **state)
{
	if (open_all(state) != 0)
		return -1;
	scratch_subdir("pictures");
	copy_picture("rgb-8.png");
	copy_picture("grey.jpg");
	return 0;
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(idx_pictures_have_the_labels_beside_them),
		cmocka_unit_test(gzipped_idx_files_are_read),
		cmocka_unit_test(labels_file_that_was_said_is_used_and_forgotten),
		cmocka_unit_test(idx_colours_are_the_fourth_dimension),
		cmocka_unit_test(grey_pictures_become_three_equal_channels),
		cmocka_unit_test(pictures_of_classes_asked_for_are_left),
		cmocka_unit_test(labels_may_be_numbers),
		cmocka_unit_test(malformed_idx_files_are_refused),
		cmocka_unit_test(a_list_names_pictures_and_labels),
		cmocka_unit_test(paths_are_relative_to_the_list),
		cmocka_unit_test(columns_that_nobody_named_are_the_first_two),
		cmocka_unit_test(other_classes_of_a_list_need_no_picture),
		cmocka_unit_test(missing_picture_is_told_by_line_and_path),
		cmocka_unit_test(malformed_lists_are_refused),
		cmocka_unit_test(the_first_bad_picture_is_told_whichever_thread_finds_it),
		cmocka_unit_test(a_model_of_texts_is_refused),
	};

	return cmocka_run_group_tests(tests, open_pictures, close_all);
}
