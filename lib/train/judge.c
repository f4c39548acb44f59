#include "train/judge.h"

#include <math.h>
#include <stdlib.h>
#include <string.h>

#include "base/mem.h"
#include "model/pass.h"
#include "train/metric.h"

/* ---- predicting ---- */

struct example {
	size_t at, length;
};

/* The longest first, so that buffers have their final size at once. */
static int longer_first(const void *va, const void *vb)
{
	const struct example *a = va, *b = vb;

	if (a->length != b->length)
		return a->length < b->length ? 1 : -1;
	return (a->at > b->at) - (a->at < b->at);
}

static size_t *order_by_length(const struct dataset *d)
{
	struct example *x = mem_zeros(d->n, sizeof *x);
	size_t *order = mem_zeros(d->n, sizeof *order);

	if (x != NULL && order != NULL) {
		for (size_t i = 0; i < d->n; i++)
			x[i] = (struct example){ i, d->start[i + 1] - d->start[i] };
		qsort(x, d->n, sizeof *x, longer_first);
		for (size_t i = 0; i < d->n; i++)
			order[i] = x[i].at;
	}
	free(x);
	return order;
}

static int32_t largest(const float *x, size_t n)
{
	size_t best = 0;

	for (size_t i = 1; i < n; i++) {
		if (x[i] > x[best])
			best = i;
	}
	return (int32_t)best;
}

/* Tokens of each example that were predicted. */
static void count_targets(struct predictions *p, const struct batch *b,
			  const size_t *examples)
{
	size_t i = 0;

	for (size_t s = 0; s < b->sequences; s++) {
		size_t first = i;

		while (i < b->targets && b->predict[i] < b->start[s + 1])
			i++;
		p->tokens[examples[s]] = i - first;
	}
}

static void take_logits(struct predictions *p, const struct pass *pass,
			const size_t *examples, size_t count)
{
	const float *logits = pass->act[pass->m->logits];

	for (size_t i = 0; i < count; i++) {
		const float *row = logits + i * p->classes;
		size_t at = examples[i];

		memcpy(p->logits + at * p->classes, row, p->classes * sizeof *row);
		p->guess[at] = pass->m->regression ? -1 : largest(row, p->classes);
	}
}

static int predict_batch(struct predictions *p, struct pass *pass, struct batch *b,
			 const struct dataset *d, const size_t *examples, size_t count,
			 struct err *e)
{
	int rc;

	if ((rc = batch_fill(b, d, examples, count, e)) != EX_OK ||
	    (rc = pass_batch(pass, b, e)) != EX_OK)
		return rc;
	pass_forward(pass);
	for (size_t i = 0; i < count; i++)
		p->losses[examples[i]] = pass->row_loss[i];
	if (pass->m->language)
		count_targets(p, b, examples);
	else
		take_logits(p, pass, examples, count);
	return EX_OK;
}

static int predict_all(struct predictions *p, struct pass *pass, const struct dataset *d,
		       size_t batch, const size_t *order, struct progress *progress,
		       struct err *e)
{
	struct batch b = { 0 };
	double sum = 0;
	size_t terms = p->tokens == NULL ? d->n : 0;
	int rc = EX_OK;

	for (size_t at = 0; at < d->n && rc == EX_OK;) {
		size_t count = d->n - at < batch ? d->n - at : batch;

		rc = predict_batch(p, pass, &b, d, order + at, count, e);
		at += count;
		if (progress != NULL)
			progress_step(progress, at, NULL);
	}
	for (size_t i = 0; i < d->n && rc == EX_OK; i++) {
		sum += p->losses[i];
		terms += p->tokens == NULL ? 0 : p->tokens[i];
	}
	p->loss = sum / (double)terms;
	batch_free(&b);
	return rc;
}

static int make_room(struct predictions *p, struct err *e)
{
	size_t all;

	p->losses = mem_zeros(p->n, sizeof *p->losses);
	if (p->losses == NULL || !mem_mul(p->n, p->classes, &all))
		return err_nomem(e);
	if (p->classes == 0) {
		p->tokens = mem_zeros(p->n, sizeof *p->tokens);
		return p->tokens == NULL ? err_nomem(e) : EX_OK;
	}
	p->guess = mem_zeros(p->n, sizeof *p->guess);
	p->logits = mem_zeros(all, sizeof *p->logits);
	return p->guess == NULL || p->logits == NULL ? err_nomem(e) : EX_OK;
}

int judge_predict(struct predictions *p, const struct model *m, const struct dataset *d,
		  size_t batch, struct progress *progress, struct err *e)
{
	size_t *order = order_by_length(d);
	struct pass pass;
	int rc;

	*p = (struct predictions){ .n = d->n };
	if (!m->language)
		p->classes = m->slots[m->logits].width;
	rc = order == NULL ? err_nomem(e) : make_room(p, e);
	if (rc == EX_OK && (rc = pass_init(&pass, m, false, e)) == EX_OK) {
		rc = predict_all(p, &pass, d, batch, order, progress, e);
		pass_free(&pass);
	}
	free(order);
	if (rc != EX_OK)
		predictions_free(p);
	return rc;
}

void predictions_free(struct predictions *p)
{
	free(p->guess);
	free(p->logits);
	free(p->losses);
	free(p->tokens);
	*p = (struct predictions){ 0 };
}

/* ---- scoring ---- */

static bool one_of(const char *metric, const char *const *names)
{
	for (; *names != NULL; names++)
		if (strcmp(metric, *names) == 0)
			return true;
	return false;
}

int judge_fits(const char *metric, enum task_kind kind, struct err *e)
{
	static const char *const classes[] = { "accuracy", "f1", "matthews", "loss", NULL };
	static const char *const numbers[] = { "pearson", "spearman", "loss", NULL };
	static const char *const language[] = { "perplexity", "bleu", "loss", NULL };
	static const struct {
		const char *const *names;
		const char *said;
	} known[] = {
		[TASK_CLASSES] = { classes,
				   "classes; there are accuracy, f1, matthews and loss" },
		[TASK_REGRESSION] = { numbers,
				      "numbers; there are pearson, spearman and loss" },
		[TASK_LANGUAGE] = { language,
				    "language; there are perplexity, bleu and loss" },
	};

	if (one_of(metric, known[kind].names))
		return EX_OK;
	return err_set(e, EX_USAGE, "no metric '%s' for %s", metric, known[kind].said);
}

bool judge_falls(const char *metric)
{
	return strcmp(metric, "loss") == 0 || strcmp(metric, "perplexity") == 0;
}

static enum task_kind kind_of(const struct predictions *p)
{
	if (p->classes == 0)
		return TASK_LANGUAGE;
	return p->classes == 1 ? TASK_REGRESSION : TASK_CLASSES;
}

static double score_classes(const struct predictions *p, const struct dataset *d,
			    const char *metric)
{
	if (strcmp(metric, "accuracy") == 0)
		return metric_accuracy(p->n, d->label, p->guess);
	if (strcmp(metric, "f1") == 0)
		return metric_f1(p->n, p->classes, d->label, p->guess);
	return metric_matthews(p->n, p->classes, d->label, p->guess);
}

static int correlate(const char *metric, size_t n, const double *x, const double *y,
		     double *score, struct err *e)
{
	if (strcmp(metric, "spearman") == 0)
		return metric_spearman(n, x, y, score, e);
	*score = metric_pearson(n, x, y);
	return EX_OK;
}

static int score_numbers(const struct predictions *p, const struct dataset *d,
			 const char *metric, double *score, struct err *e)
{
	double *x = mem_zeros(p->n, sizeof *x), *y = mem_zeros(p->n, sizeof *y);
	int rc;

	if (x != NULL && y != NULL) {
		for (size_t i = 0; i < p->n; i++) {
			x[i] = (double)d->target[i];
			y[i] = (double)p->logits[i];
		}
		rc = correlate(metric, p->n, x, y, score, e);
	} else {
		rc = err_nomem(e);
	}
	free(x);
	free(y);
	return rc;
}

int judge_score(const struct predictions *p, const struct dataset *d, const char *metric,
		double *score, struct err *e)
{
	int rc = judge_fits(metric, kind_of(p), e);

	if (rc != EX_OK)
		return rc;
	if (strcmp(metric, "bleu") == 0)
		return err_set(e, EX_USAGE, "bleu is a score of generations");
	if (strcmp(metric, "loss") == 0)
		*score = p->loss;
	else if (strcmp(metric, "perplexity") == 0)
		*score = exp(p->loss);
	else if (p->classes == 1)
		return score_numbers(p, d, metric, score, e);
	else
		*score = score_classes(p, d, metric);
	return EX_OK;
}

double judge_error(const char *metric, double score, size_t n)
{
	if (judge_falls(metric) || strcmp(metric, "bleu") == 0)
		return NAN;
	if (strcmp(metric, "accuracy") == 0 || strcmp(metric, "f1") == 0)
		return sqrt(score * (1 - score) / (double)n);
	return (1 - score * score) / sqrt((double)n);
}
