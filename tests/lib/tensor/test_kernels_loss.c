#include "tables.h"

enum { ROWS = 5 };

/* Of the loss, for logits within +-SPREAD: terms in float, and each difference of two
 * logits rounded once. */
#define SPREAD    12.0
#define TOLERANCE (2e-7 + 2 * SPREAD * 6e-8)

struct entropy_case {
	size_t classes;
	float *z, *dz;
	uint32_t label[ROWS];
	double loss[ROWS];
};

static double exact_loss(const struct entropy_case *c, size_t row)
{
	const float *z = c->z + row * c->classes;
	long double sum = 0;

	/* The label's own term is 1: what the others add keeps its accuracy. */
	for (size_t j = 0; j < c->classes; j++)
		if (j != c->label[row])
			sum += expl((long double)z[j] - (long double)z[c->label[row]]);
	return (double)log1pl(sum);
}

/* Logits up to SPREAD; row 0's label is far below the others, row 1's above. */
static struct entropy_case entropy_start(size_t classes)
{
	struct entropy_case c = { .classes = classes,
				  .z = normals(ROWS * classes, classes),
				  .dz = floats(ROWS * classes) };

	for (size_t i = 0; i < ROWS * classes; i++)
		c.z[i] = (float)fmax(-SPREAD, fmin(SPREAD, 2.5 * (double)c.z[i]));
	for (size_t i = 0; i < ROWS; i++)
		c.label[i] = (uint32_t)((i * 7919 + classes / 2) % classes);
	c.z[c.label[0]] = (float)-SPREAD;
	c.z[classes + c.label[1]] = (float)SPREAD;
	return c;
}

static void entropy_end(struct entropy_case *c)
{
	free(c->z);
	free(c->dz);
}

static const size_t sizes[] = { 1, 2, 17, 1000, 50257 };

static void each_size(const struct kernels *k,
		      void (*check)(const struct kernels *k, struct entropy_case *c))
{
	for (size_t i = 0; i < sizeof sizes / sizeof *sizes; i++) {
		struct entropy_case c = entropy_start(sizes[i]);

		cross_entropy_forward(k, ROWS, c.classes, c.z, c.label, c.loss);
		check(k, &c);
		entropy_end(&c);
	}
}

static void loss_is_exact(const struct kernels *k, struct entropy_case *c)
{
	for (size_t i = 0; i < ROWS; i++)
		ASSERT_NEAR(k, c->loss[i], exact_loss(c, i), 1e-15, TOLERANCE);
}

static void error_is_exact(const struct kernels *k, struct entropy_case *c)
{
	const double share = 1.0 / 1016;

	cross_entropy_backward(k, ROWS, c->classes, c->z, c->label, c->loss, share, c->dz);
	for (size_t i = 0; i < ROWS; i++) {
		const float *z = c->z + i * c->classes, *d = c->dz + i * c->classes;
		double loss = exact_loss(c, i);

		for (size_t j = 0; j < c->classes; j++) {
			double p = exp((double)z[j] - (double)z[c->label[i]] - loss);
			double exact = j == c->label[i] ? expm1(-loss) : p;

			ASSERT_NEAR(k, d[j], share * exact, 1e-30, 2 * TOLERANCE);
		}
	}
}

static void error_in_place_is_the_same(const struct kernels *k, struct entropy_case *c)
{
	cross_entropy_backward(k, ROWS, c->classes, c->z, c->label, c->loss, 0.5, c->dz);
	cross_entropy_backward(k, ROWS, c->classes, c->z, c->label, c->loss, 0.5, c->z);
	assert_memory_equal(c->z, c->dz, ROWS * c->classes * sizeof *c->z);
}

static void cross_entropy_is_exact(const struct kernels *k)
{
	each_size(k, loss_is_exact);
}

static void cross_entropy_has_an_exact_error(const struct kernels *k)
{
	each_size(k, error_is_exact);
	each_size(k, error_in_place_is_the_same);
}

static void unlikely_classes_have_no_subnormal_error(const struct kernels *k)
{
	float z[3] = { 0, -63, -90 }, dz[3];
	const uint32_t label = 0;
	double loss;

	cross_entropy_forward(k, 1, 3, z, &label, &loss);
	cross_entropy_backward(k, 1, 3, z, &label, &loss, 1, dz);
	ASSERT_NEAR(k, dz[1], exp(-63), 0, 1e-5);
	assert_true(dz[2] == 0);
}

static void a_nan_is_a_nan_of_its_row(const struct kernels *k)
{
	struct entropy_case c = entropy_start(17);

	c.z[17 + 3] = NAN;
	cross_entropy_forward(k, ROWS, 17, c.z, c.label, c.loss);
	assert_true(isnan(c.loss[1]));
	assert_true(isfinite(c.loss[0]) && isfinite(c.loss[2]));
	entropy_end(&c);
}

#define EVERY_TABLE(name)                     \
	static void test_##name(void **state) \
	{                                     \
		(void)state;                  \
		with_every_table(name);       \
	}

EVERY_TABLE(cross_entropy_is_exact)
EVERY_TABLE(cross_entropy_has_an_exact_error)
EVERY_TABLE(unlikely_classes_have_no_subnormal_error)
EVERY_TABLE(a_nan_is_a_nan_of_its_row)

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(test_cross_entropy_is_exact),
		cmocka_unit_test(test_cross_entropy_has_an_exact_error),
		cmocka_unit_test(test_unlikely_classes_have_no_subnormal_error),
		cmocka_unit_test(test_a_nan_is_a_nan_of_its_row),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
