/*
 * judge - a model's predictions on a data set, and their score.
 */
#ifndef TRAIN_JUDGE_H
#define TRAIN_JUDGE_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#include "base/err.h"
#include "base/progress.h"
#include "data/dataset.h"
#include "model/model.h"

struct predictions {
	size_t n, classes; /* classes 1: regression; 0: language */
	int32_t *guess;    /* [n] most likely class, the first of equals; -1: regression;
			    * NULL: language */
	float *logits;     /* [n, classes]; NULL: language */
	double *losses;    /* [n] of each example; language: summed over its tokens */
	size_t *tokens;    /* [n] tokens predicted; NULL but for language */
	double loss;       /* mean over examples, or over all tokens predicted */
};

/* Runs the model, dropout off, over the data in batches of at most `batch` examples of
 * similar length; the results stand in the order of the data. `progress` (or NULL) was
 * started with the number of examples as its total. On failure there is nothing to free. */
int judge_predict(struct predictions *p, const struct model *m, const struct dataset *d,
		  size_t batch, struct progress *progress, struct err *e);
/* "accuracy", "f1" and "matthews" are for classes, "pearson" and "spearman" for regression,
 * "perplexity" and "bleu" for language, "loss" for all; EX_USAGE for another name or one
 * that does not fit. */
int judge_fits(const char *metric, enum task_kind kind, struct err *e);
/* Is less of it better? */
bool judge_falls(const char *metric);
/* EX_USAGE as judge_fits says, and for "bleu", which is no matter of predictions but of
 * generations. perplexity = exp(loss). */
int judge_score(const struct predictions *p, const struct dataset *d, const char *metric,
		double *score, struct err *e);
/* The standard error of such a score on n examples, to first order: sqrt(s (1-s) / n) for
 * accuracy and f1, (1 - s^2) / sqrt(n) for correlations (matthews too); nan for others. */
double judge_error(const char *metric, double score, size_t n);
void predictions_free(struct predictions *p);

#endif
