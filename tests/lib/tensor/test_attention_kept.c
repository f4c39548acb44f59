#include "tables.h"

#include "tensor/attention_kept.h"

enum { HEADS = 3, SEQUENCES = 6, LONGEST = 200 };

/* Rows end with their last value, so that a sanitizer sees what is read behind it. */
struct problem {
	struct attention_kept a;
	size_t width, start[SEQUENCES + 1];
	float *row[LONGEST], *q, *probs, *out;
	const float *of[SEQUENCES * LONGEST];
};

static struct problem *problem_start(const size_t *lengths, size_t dim)
{
	struct problem *p = mem_zeros(1, sizeof *p);

	assert_non_null(p);
	p->width = HEADS * dim;
	for (size_t i = 0; i < LONGEST; i++) {
		float *x = normals(2 * p->width, 100 + i);

		p->row[i] = malloc(2 * p->width * sizeof *x);
		assert_non_null(p->row[i]);
		memcpy(p->row[i], x, 2 * p->width * sizeof *x);
		free(x);
	}
	for (size_t s = 0; s < SEQUENCES; s++) {
		p->start[s + 1] = p->start[s] + lengths[s];
		for (size_t j = 0; j < lengths[s]; j++) /* sequences share most rows */
			p->of[p->start[s] + j] = p->row[j % 3 == 0 ? LONGEST - 1 - j : j];
	}
	p->a = (struct attention_kept){ .sequences = SEQUENCES,
					.heads = HEADS,
					.head_dim = dim,
					.start = p->start,
					.row = p->of,
					.key = 0,
					.value = p->width,
					.scale = 1.3f / sqrtf((float)dim) };
	p->q = normals(SEQUENCES * p->width, 1);
	p->out = normals(SEQUENCES * p->width, 2); /* what is there must not matter */
	p->probs = normals(HEADS * p->start[SEQUENCES], 3);
	return p;
}

static void problem_end(struct problem *p)
{
	for (size_t i = 0; i < LONGEST; i++)
		free(p->row[i]);
	free(p->q);
	free(p->out);
	free(p->probs);
	free(p);
}

/* out[d] of one head, in double. */
static double exact(const struct problem *p, size_t s, size_t head, size_t d)
{
	size_t dim = p->a.head_dim, from = head * dim;
	double sum = 0, mixed = 0;

	for (size_t j = p->start[s]; j < p->start[s + 1]; j++) {
		double score = 0, e;

		for (size_t i = 0; i < dim; i++)
			score += (double)p->q[s * p->width + from + i] *
				 (double)p->of[j][from + i];
		e = exp((double)p->a.scale * score);
		sum += e;
		mixed += e * (double)p->of[j][p->width + from + d];
	}
	return mixed / sum;
}

static void check(const struct kernels *k)
{
	static const size_t lengths[SEQUENCES] = { 1, 2, 15, 33, 128, LONGEST };
	static const size_t dims[] = { 1, 5, 8, 16, 20, 64, 80 };

	for (size_t n = 0; n < sizeof dims / sizeof *dims; n++) {
		struct problem *p = problem_start(lengths, dims[n]);

		attention_kept_forward(k, &p->a, p->q, p->probs, p->out);
		for (size_t i = 0; i < SEQUENCES * p->width; i++) {
			size_t s = i / p->width, column = i % p->width;

			ASSERT_NEAR(k, p->out[i],
				    exact(p, s, column / dims[n], column % dims[n]), 2e-6,
				    2e-6);
		}
		problem_end(p);
	}
}

static void kept_rows_are_mixed_by_the_softmax_of_their_keys(void **state)
{
	(void)state;
	with_every_table(check);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(kept_rows_are_mixed_by_the_softmax_of_their_keys),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
