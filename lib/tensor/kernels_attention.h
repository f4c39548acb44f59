/*
 * kernels_attention - one head of one sequence, forward and backward.
 *
 * Included by kernels.c alone. Keys, head columns and, with dropout, rows are walked in
 * blocks of ATTENTION_BLOCK, so that scratch is of a fixed size on the stack.
 *
 *     S = scale Q K'     P = softmax(S)     O = (P o M) V      M: dropout, 0 or 1/(1-p)
 *     dV = (P o M)' dO   dP = (dO V') o M   dS = P o (dP - rowsum(P o dP)) scale
 *     dQ = dS K          dK = dS' Q
 */
#ifndef TENSOR_KERNELS_ATTENTION_H
#define TENSOR_KERNELS_ATTENTION_H

#define ATTENTION_BLOCK   ((size_t)64)
#define ATTENTION_SMALL   ((size_t)128)   /* up to here P is worked on in padded rows */
#define ATTENTION_PANEL   ((size_t)512)   /* keys whose dS is held at once */
#define ATTENTION_SCRATCH ((size_t)16384) /* floats of dS: 32 rows of a whole panel */

typedef float block[ATTENTION_BLOCK * ATTENTION_BLOCK];

/* One head of one sequence; `first` is the index of its first probability. P has `stride`
 * floats between rows: len, or padded(len) for a copy of ours. */
struct head {
	size_t len, dim, ld, stride;
	float scale;
	bool causal, drops;
	struct dropout drop;
	uint64_t first;
};

static inline size_t smaller(size_t a, size_t b)
{
	return a < b ? a : b;
}

static struct head head_of(const struct attention *a, size_t sequence, size_t head,
			   size_t ld)
{
	struct head h = { .dim = a->head_dim,
			  .ld = ld,
			  .scale = a->scale,
			  .causal = a->causal,
			  .drops = a->dropout > 0.0f };

	h.len = a->start[sequence + 1] - a->start[sequence];
	h.stride = h.len <= ATTENTION_SMALL ? padded(h.len) : h.len;
	h.first = a->probs_at[sequence] + head * h.len * h.len;
	if (h.drops)
		h.drop = dropout_make(a->dropout, a->key);
	return h;
}

/* Keys that row i sees among the `n` from j0 on. */
static inline size_t visible(const struct head *h, size_t i, size_t j0, size_t n)
{
	if (!h->causal)
		return n;
	return i < j0 ? 0 : smaller(n, i + 1 - j0);
}

/* n elements of a row of P, or as many as make whole vectors when the row has room. */
static inline size_t in_vectors(const struct head *h, size_t n)
{
	return h->stride % LANES == 0 ? padded(n) : n;
}

/* B of a product: `rows` rows and `cols` columns of x. They are copied together where that
 * pays, or where reading whole vectors could leave the array. */
static const float *together(size_t rows, size_t cols, const float *x, size_t ld,
			     size_t uses, block scratch, size_t *ldb)
{
	if (uses < 32 && cols % LANES == 0) {
		*ldb = ld;
		return x;
	}
	pack(rows, cols, x, ld, scratch, ATTENTION_BLOCK);
	*ldb = ATTENTION_BLOCK;
	return scratch;
}

/* C[m,n] = alpha A B', or C += it when `add`, rows of A and B being dim long; n in blocks.
 * Zeros are written behind column n where the row of C has room. With a causal head the
 * rows of C that see nothing of a block are left alone; row 0 is row i0 of the sequence,
 * column 0 is column j0. */
static void multiply_rows(const struct head *h, size_t m, size_t n, const float *a,
			  const float *b, float alpha, bool add, size_t i0, size_t j0,
			  float *c, size_t ldc)
{
	block turned;

	for (size_t j = 0; j < n; j += ATTENTION_BLOCK) {
		size_t cols = smaller(ATTENTION_BLOCK, n - j);
		size_t above = h->causal && j0 + j > i0 ? smaller(m, j0 + j - i0) : 0;

		for (size_t d = 0; d < h->dim; d += ATTENTION_BLOCK) {
			size_t depth = smaller(ATTENTION_BLOCK, h->dim - d);

			transpose(cols, depth, b + j * h->ld + d, h->ld, turned,
				  ATTENTION_BLOCK);
			multiply(&(struct product){ .m = m - above,
						    .n = smaller(padded(cols), ldc - j),
						    .k = depth,
						    .a = a + above * h->ld + d,
						    .a_row = h->ld,
						    .a_col = 1,
						    .b = turned,
						    .ldb = ATTENTION_BLOCK,
						    .alpha = alpha,
						    .add = add || d > 0,
						    .c = c + above * ldc + j,
						    .ldc = ldc });
		}
	}
}

/* C[m,dim] += A[m,k] B[k,dim], in blocks of k and dim; C = when not `add`. */
static void multiply_columns(const struct head *h, size_t m, size_t k, const float *a,
			     size_t a_row, size_t a_col, const float *b, bool add, float *c)
{
	block scratch;

	for (size_t p = 0; p < k; p += ATTENTION_BLOCK) {
		size_t depth = smaller(ATTENTION_BLOCK, k - p);

		for (size_t d = 0; d < h->dim; d += ATTENTION_BLOCK) {
			size_t cols = smaller(ATTENTION_BLOCK, h->dim - d), ldb;
			const float *bd = together(depth, cols, b + p * h->ld + d, h->ld, m,
						   scratch, &ldb);

			multiply(&(struct product){ .m = m,
						    .n = cols,
						    .k = depth,
						    .a = a + p * a_col,
						    .a_row = a_row,
						    .a_col = a_col,
						    .b = bd,
						    .ldb = ldb,
						    .alpha = 1.0f,
						    .add = add || p > 0,
						    .c = c + d,
						    .ldc = h->ld });
		}
	}
}

/* The probabilities of rows i0 .. i0+m, columns j0 .. j0+n after dropout, into y. */
static void dropped(const struct head *h, size_t m, size_t n, size_t i0, size_t j0,
		    const float *probs, block y)
{
	for (size_t i = 0; i < m; i++)
		drop(in_vectors(h, n), NULL, probs + (i0 + i) * h->stride + j0, &h->drop,
		     h->first + (i0 + i) * h->len + j0, y + i * ATTENTION_BLOCK);
}

/* O = (P o M) V */
static void mix(const struct head *h, const float *probs, const float *v, float *out)
{
	block kept;

	for (size_t j = 0; j < h->len; j += ATTENTION_BLOCK) {
		size_t n = smaller(ATTENTION_BLOCK, h->len - j);
		size_t first = h->causal ? j : 0;
		size_t step = h->drops ? ATTENTION_BLOCK : h->len;

		for (size_t i = first; i < h->len; i += step) {
			size_t m = smaller(step, h->len - i);

			if (h->drops)
				dropped(h, m, n, i, j, probs, kept);
			multiply_columns(h, m, n,
					 h->drops ? kept : probs + i * h->stride + j,
					 h->drops ? ATTENTION_BLOCK : h->stride, 1,
					 v + j * h->ld, j > 0, out + i * h->ld);
		}
	}
}

static void softmax(const struct head *h, float *probs)
{
	bool room = h->stride % LANES == 0;

	for (size_t i = 0; i < h->len; i++) {
		size_t n = visible(h, i, 0, h->len);

		softmax_row(n, probs + i * h->stride, room);
		if (n < h->len)
			memset(probs + i * h->stride + n, 0, (h->len - n) * sizeof *probs);
	}
}

static void attention_head_forward(const struct attention *a, size_t sequence, size_t head,
				   size_t ld, const float *q, const float *key,
				   const float *v, float *probs, float *out)
{
	struct head h = head_of(a, sequence, head, ld);
	size_t at = a->start[sequence] * ld + head * h.dim;
	float wide[ATTENTION_SMALL * ATTENTION_SMALL], *work;

	probs += h.first;
	work = h.stride == h.len ? probs : wide;
	multiply_rows(&h, h.len, h.len, q + at, key + at, h.scale, false, 0, 0, work,
		      h.stride);
	softmax(&h, work);
	mix(&h, work, v + at, out + at);
	if (work == wide)
		narrow(h.len, wide, probs);
}

/* A part of dS: rows i0 .. i0+m, keys j0 .. j0+n. */
struct panel {
	size_t i0, m, j0, n, stride;
	float *ds;  /* [m][stride] */
	float *dot; /* [m]: rowsum(P o dP), over all keys */
};

/* dP of the panel into ds; with `summing` its products with P are added to dot. */
static void probs_error(const struct head *h, const struct panel *p, const float *probs,
			const float *dout, const float *v, bool summing)
{
	multiply_rows(h, p->m, p->n, dout + p->i0 * h->ld, v + p->j0 * h->ld, 1.0f, false,
		      p->i0, p->j0, p->ds, p->stride);
	for (size_t i = 0; i < p->m; i++) {
		size_t row = p->i0 + i;
		size_t n = in_vectors(h, visible(h, row, p->j0, p->n));
		float *dp = p->ds + i * p->stride;

		if (h->drops)
			drop(n, NULL, dp, &h->drop, h->first + row * h->len + p->j0, dp);
		if (summing)
			p->dot[i] += dot_row(n, probs + row * h->stride + p->j0, dp);
	}
}

/* dP to dS, in place. */
static void scores_error(const struct head *h, const struct panel *p, const float *probs)
{
	for (size_t i = 0; i < p->m; i++) {
		const float *row = probs + (p->i0 + i) * h->stride + p->j0;
		size_t n = in_vectors(h, visible(h, p->i0 + i, p->j0, p->n));
		float *ds = p->ds + i * p->stride, dot = p->dot[i], scale = h->scale;

#pragma omp simd
		for (size_t j = 0; j < n; j++)
			ds[j] = row[j] * (ds[j] - dot) * scale;
		if (n < p->n)
			memset(ds + n, 0, (p->n - n) * sizeof *ds);
	}
}

/* dV (+)= (P o M)' dO, of the panel's rows and keys. */
static void values_error(const struct head *h, const struct panel *p, const float *probs,
			 const float *dout, bool add, float *dv)
{
	block kept;

	if (!h->drops) {
		multiply_columns(h, p->n, p->m, probs + p->i0 * h->stride + p->j0, 1,
				 h->stride, dout + p->i0 * h->ld, add, dv + p->j0 * h->ld);
		return;
	}
	for (size_t i = 0; i < p->m; i += ATTENTION_BLOCK) {
		size_t m = smaller(ATTENTION_BLOCK, p->m - i);

		for (size_t j = 0; j < p->n; j += ATTENTION_BLOCK) {
			size_t n = smaller(ATTENTION_BLOCK, p->n - j);

			dropped(h, m, n, p->i0 + i, p->j0 + j, probs, kept);
			multiply_columns(h, n, m, kept, 1, ATTENTION_BLOCK,
					 dout + (p->i0 + i) * h->ld, add || i > 0,
					 dv + (p->j0 + j) * h->ld);
		}
	}
}

static void clear_head(const struct head *h, float *x)
{
	for (size_t i = 0; i < h->len && x != NULL; i++)
		memset(x + i * h->ld, 0, h->dim * sizeof *x);
}

static void attention_head_backward(const struct attention *a, size_t sequence, size_t head,
				    size_t ld, const float *q, const float *key,
				    const float *v, const float *probs, const float *dout,
				    float *dq, float *dk, float *dv)
{
	struct head h = head_of(a, sequence, head, ld);
	size_t at = a->start[sequence] * ld + head * h.dim;
	float ds[ATTENTION_SCRATCH], dot[ATTENTION_PANEL];
	float wide[ATTENTION_SMALL * ATTENTION_SMALL];
	struct panel p = { .stride = padded(smaller(h.len, ATTENTION_PANEL)),
			   .ds = ds,
			   .dot = dot };
	size_t rows =
	    h.len == 0 ? 1 : smaller(ATTENTION_PANEL, ATTENTION_SCRATCH / p.stride);
	bool clears;

	dq = dq == NULL ? NULL : dq + at;
	dk = dk == NULL ? NULL : dk + at;
	dv = dv == NULL ? NULL : dv + at;
	clears = h.causal && rows < h.len; /* the first rows do not reach all keys */
	if (clears) {
		clear_head(&h, dk);
		clear_head(&h, dv);
	}
	probs += h.first;
	if (h.stride != h.len) {
		widen(h.len, probs, wide);
		probs = wide;
	}
	for (p.i0 = 0; p.i0 < h.len; p.i0 += rows) {
		bool add = clears || p.i0 > 0;
		size_t end;

		p.m = smaller(rows, h.len - p.i0);
		end = visible(&h, p.i0 + p.m - 1, 0, h.len);
		memset(dot, 0, p.m * sizeof *dot);
		for (p.j0 = 0; p.j0 < end && (dq != NULL || dk != NULL); p.j0 += p.n) {
			p.n = smaller(ATTENTION_PANEL, end - p.j0);
			probs_error(&h, &p, probs, dout + at, v + at, true);
		}
		for (p.j0 = 0; p.j0 < end; p.j0 += p.n) {
			p.n = smaller(ATTENTION_PANEL, end - p.j0);
			if (dv != NULL)
				values_error(&h, &p, probs, dout + at, add, dv);
			if (dq == NULL && dk == NULL)
				continue;
			if (end > ATTENTION_PANEL)
				probs_error(&h, &p, probs, dout + at, v + at, false);
			scores_error(&h, &p, probs);
			if (dq != NULL)
				multiply_columns(&h, p.m, p.n, ds, p.stride, 1,
						 key + at + p.j0 * ld, p.j0 > 0,
						 dq + p.i0 * ld);
			if (dk != NULL)
				multiply_columns(&h, p.n, p.m, ds, 1, p.stride,
						 q + at + p.i0 * ld, add, dk + p.j0 * ld);
		}
	}
}

#endif
