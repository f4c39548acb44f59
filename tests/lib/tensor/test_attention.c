#include "tables.h"

enum { HEADS = 3 };

/* Sequences of given lengths with everything that attention takes, and the same in double.
 */
struct problem {
	struct attention a;
	uint32_t start[16];
	size_t probs_at[16], tokens, width, ld, probs_n;
	float *q, *k, *v, *dout, *probs, *out, *dq, *dk, *dv;
	double *probs_ref, *out_ref, *dq_ref, *dk_ref, *dv_ref;
};

static double *doubles(size_t n)
{
	double *x = mem_zeros(n, sizeof *x);

	assert_non_null(x);
	return x;
}

static struct problem *problem_start(const uint32_t *lengths, size_t n, size_t head_dim,
				     bool causal, float dropout)
{
	struct problem *p = mem_zeros(1, sizeof *p);
	size_t floats_n;

	assert_non_null(p);
	for (size_t s = 0; s < n; s++) {
		p->start[s + 1] = p->start[s] + lengths[s];
		p->probs_at[s] = p->probs_n;
		p->probs_n += (size_t)lengths[s] * lengths[s] * HEADS;
	}
	p->tokens = p->start[n];
	p->width = HEADS * head_dim;
	p->ld = p->width + 5; /* rows need not be dense */
	p->a = (struct attention){ .sequences = n,
				   .heads = HEADS,
				   .head_dim = head_dim,
				   .start = p->start,
				   .probs_at = p->probs_at,
				   .scale = 1.3f / sqrtf((float)head_dim),
				   .causal = causal,
				   .dropout = dropout,
				   .key = 77 };
	floats_n = p->tokens * p->ld;
	p->q = normals(floats_n, 1);
	p->k = normals(floats_n, 2);
	p->v = normals(floats_n, 3);
	p->dout = normals(floats_n, 4);
	p->out = normals(floats_n, 5); /* what is there must not matter */
	p->dq = normals(floats_n, 6);
	p->dk = normals(floats_n, 7);
	p->dv = normals(floats_n, 8);
	p->probs = normals(p->probs_n, 9);
	p->probs_ref = doubles(p->probs_n);
	p->out_ref = doubles(floats_n);
	p->dq_ref = doubles(floats_n);
	p->dk_ref = doubles(floats_n);
	p->dv_ref = doubles(floats_n);
	return p;
}

static void problem_end(struct problem *p)
{
	void *all[] = { p->q,       p->k,      p->v,      p->dout,  p->probs,
			p->out,     p->dq,     p->dk,     p->dv,    p->probs_ref,
			p->out_ref, p->dq_ref, p->dk_ref, p->dv_ref };

	for (size_t i = 0; i < sizeof all / sizeof *all; i++)
		free(all[i]);
	free(p);
}

/* One query of one head: probabilities, output and all gradients, term by term. mask[] is
 * what dropout multiplies the row with. */
static void reference_row(struct problem *p, size_t first, size_t len, size_t head,
			  size_t i, double *probs, const float *mask)
{
	size_t dim = p->a.head_dim, seen = p->a.causal ? i + 1 : len, col = head * dim;
	size_t row = (first + i) * p->ld + col;
	double top = -INFINITY, sum = 0, along = 0, *dp = doubles(len);

	for (size_t j = 0; j < seen; j++) {
		double s = 0;

		for (size_t d = 0; d < dim; d++)
			s += (double)p->q[row + d] *
			     (double)p->k[(first + j) * p->ld + col + d];
		probs[j] = s * (double)p->a.scale;
		top = fmax(top, probs[j]);
	}
	for (size_t j = 0; j < seen; j++)
		sum += probs[j] = exp(probs[j] - top);
	for (size_t j = 0; j < seen; j++) {
		size_t at = (first + j) * p->ld + col;

		probs[j] /= sum;
		for (size_t d = 0; d < dim; d++) {
			p->out_ref[row + d] +=
			    probs[j] * (double)mask[j] * (double)p->v[at + d];
			p->dv_ref[at + d] +=
			    probs[j] * (double)mask[j] * (double)p->dout[row + d];
			dp[j] += (double)p->dout[row + d] * (double)p->v[at + d];
		}
		dp[j] *= (double)mask[j];
		along += probs[j] * dp[j];
	}
	for (size_t j = 0; j < seen; j++) {
		size_t at = (first + j) * p->ld + col;
		double ds = probs[j] * (dp[j] - along) * (double)p->a.scale;

		for (size_t d = 0; d < dim; d++) {
			p->dq_ref[row + d] += ds * (double)p->k[at + d];
			p->dk_ref[at + d] += ds * (double)p->q[row + d];
		}
	}
	free(dp);
}

static void reference(struct problem *p)
{
	float *mask = floats(p->probs_n);

	for (size_t i = 0; i < p->probs_n; i++)
		mask[i] = 1.0f;
	if (p->a.dropout > 0.0f)
		rows_dropout(kernels_pick("portable"), p->probs_n, NULL, mask, p->a.dropout,
			     p->a.key, mask);
	for (size_t s = 0; s < p->a.sequences; s++) {
		size_t len = p->start[s + 1] - p->start[s];

		for (size_t h = 0; h < HEADS; h++)
			for (size_t i = 0; i < len; i++) {
				size_t at = p->probs_at[s] + (h * len + i) * len;

				reference_row(p, p->start[s], len, h, i, p->probs_ref + at,
					      mask + at);
			}
	}
	free(mask);
}

/* Columns of heads are near the reference; what lies between rows was left alone. */
static void compare(const struct kernels *k, const struct problem *p, const float *x,
		    const double *exact, uint64_t seed, double tolerance)
{
	float *before = normals(p->tokens * p->ld, seed);

	for (size_t i = 0; i < p->tokens * p->ld; i++) {
		if (i % p->ld < p->width)
			ASSERT_NEAR(k, x[i], exact[i], tolerance, tolerance);
		else
			assert_true(x[i] == before[i]);
	}
	free(before);
}

static void check(const struct kernels *k, const uint32_t *lengths, size_t n,
		  size_t head_dim, bool causal, float dropout)
{
	struct problem *p = problem_start(lengths, n, head_dim, causal, dropout);

	reference(p);
	attention_forward(k, &p->a, p->ld, p->q, p->k, p->v, p->probs, p->out);
	attention_backward(k, &p->a, p->ld, p->q, p->k, p->v, p->probs, p->dout, p->dq,
			   p->dk, p->dv);
	for (size_t i = 0; i < p->probs_n; i++)
		ASSERT_NEAR(k, p->probs[i], p->probs_ref[i], 1e-7, 4e-6);
	compare(k, p, p->out, p->out_ref, 5, 3e-6);
	compare(k, p, p->dq, p->dq_ref, 6, 8e-6);
	compare(k, p, p->dk, p->dk_ref, 7, 8e-6);
	compare(k, p, p->dv, p->dv_ref, 8, 8e-6);
	problem_end(p);
}

static const uint32_t mixed[] = { 27, 1, 0, 64, 65, 7, 130 };

static void heads_match_double(const struct kernels *k)
{
	check(k, mixed, 7, 32, false, 0.0f);
	check(k, mixed, 7, 64, false, 0.0f);
}

static void odd_and_wide_heads_match_double(const struct kernels *k)
{
	static const size_t dims[] = { 1, 3, 8, 12, 24, 80, 100, 128 };

	for (size_t i = 0; i < sizeof dims / sizeof *dims; i++)
		check(k, mixed, 7, dims[i], i % 2 == 1, 0.0f);
}

static void causal_heads_match_double(const struct kernels *k)
{
	check(k, mixed, 7, 32, true, 0.0f);
	check(k, mixed, 7, 64, true, 0.1f);
}

static void dropout_matches_double(const struct kernels *k)
{
	check(k, mixed, 7, 32, false, 0.1f);
	check(k, mixed, 7, 20, true, 0.5f);
}

static void long_sequences_match_double(const struct kernels *k)
{
	static const uint32_t one[] = { 600 };

	check(k, one, 1, 8, false, 0.1f);
	check(k, one, 1, 8, true, 0.0f);
}

static void gradients_give_only_what_is_wanted(const struct kernels *k)
{
	struct problem *p = problem_start(mixed, 7, 32, false, 0.1f);
	struct problem *o = problem_start(mixed, 7, 32, false, 0.1f);
	size_t bytes = p->tokens * p->ld * sizeof(float);

	attention_forward(k, &p->a, p->ld, p->q, p->k, p->v, p->probs, p->out);
	attention_backward(k, &p->a, p->ld, p->q, p->k, p->v, p->probs, p->dout, p->dq,
			   p->dk, p->dv);
	attention_backward(k, &p->a, p->ld, p->q, p->k, p->v, p->probs, p->dout, o->dq,
			   NULL, NULL);
	attention_backward(k, &p->a, p->ld, p->q, p->k, p->v, p->probs, p->dout, NULL,
			   o->dk, NULL);
	attention_backward(k, &p->a, p->ld, p->q, p->k, p->v, p->probs, p->dout, NULL, NULL,
			   o->dv);
	assert_memory_equal(p->dq, o->dq, bytes);
	assert_memory_equal(p->dk, o->dk, bytes);
	assert_memory_equal(p->dv, o->dv, bytes);
	problem_end(p);
	problem_end(o);
}

static void threads_do_not_matter(const struct kernels *k)
{
	struct problem *p = problem_start(mixed, 7, 32, false, 0.1f);
	struct problem *o = problem_start(mixed, 7, 32, false, 0.1f);
	size_t bytes = p->tokens * p->ld * sizeof(float);

	blas_threads(1);
	attention_forward(k, &p->a, p->ld, p->q, p->k, p->v, p->probs, p->out);
	attention_backward(k, &p->a, p->ld, p->q, p->k, p->v, p->probs, p->dout, p->dq,
			   p->dk, p->dv);
	blas_threads(3);
	attention_forward(k, &o->a, o->ld, o->q, o->k, o->v, o->probs, o->out);
	attention_backward(k, &o->a, o->ld, o->q, o->k, o->v, o->probs, o->dout, o->dq,
			   o->dk, o->dv);
	blas_threads(0);
	assert_memory_equal(p->out, o->out, bytes);
	assert_memory_equal(p->dq, o->dq, bytes);
	assert_memory_equal(p->dk, o->dk, bytes);
	assert_memory_equal(p->dv, o->dv, bytes);
	problem_end(p);
	problem_end(o);
}

static void large_scores_do_not_overflow(const struct kernels *k)
{
	struct problem *p = problem_start(mixed, 7, 32, false, 0.0f);

	p->a.scale = 1e4f;
	attention_forward(k, &p->a, p->ld, p->q, p->k, p->v, p->probs, p->out);
	for (size_t s = 0; s < 7; s++) {
		size_t len = mixed[s];

		for (size_t i = 0; i < HEADS * len; i++) {
			double sum = 0;

			for (size_t j = 0; j < len; j++)
				sum += (double)p->probs[p->probs_at[s] + i * len + j];
			ASSERT_NEAR(k, sum, 1.0, 1e-5, 0);
		}
	}
	problem_end(p);
}

static void a_nan_is_not_hidden(const struct kernels *k)
{
	static const uint32_t one[] = { 20 };
	struct problem *p = problem_start(one, 1, 32, false, 0.0f);

	p->q[3 * p->ld + 2] = NAN;
	attention_forward(k, &p->a, p->ld, p->q, p->k, p->v, p->probs, p->out);
	assert_true(isnan(p->out[3 * p->ld]));
	assert_true(isfinite(p->out[2 * p->ld]));
	problem_end(p);
}

#define EACH_TABLE(name)                      \
	static void test_##name(void **state) \
	{                                     \
		(void)state;                  \
		with_every_table(name);       \
	}

EACH_TABLE(heads_match_double)
EACH_TABLE(odd_and_wide_heads_match_double)
EACH_TABLE(causal_heads_match_double)
EACH_TABLE(dropout_matches_double)
EACH_TABLE(long_sequences_match_double)
EACH_TABLE(gradients_give_only_what_is_wanted)
EACH_TABLE(threads_do_not_matter)
EACH_TABLE(large_scores_do_not_overflow)
EACH_TABLE(a_nan_is_not_hidden)

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(test_heads_match_double),
		cmocka_unit_test(test_odd_and_wide_heads_match_double),
		cmocka_unit_test(test_causal_heads_match_double),
		cmocka_unit_test(test_dropout_matches_double),
		cmocka_unit_test(test_long_sequences_match_double),
		cmocka_unit_test(test_gradients_give_only_what_is_wanted),
		cmocka_unit_test(test_threads_do_not_matter),
		cmocka_unit_test(test_large_scores_do_not_overflow),
		cmocka_unit_test(test_a_nan_is_not_hidden),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
