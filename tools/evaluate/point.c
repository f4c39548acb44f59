#include "point.h"

#include <math.h>
#include <stdlib.h>
#include <string.h>

#include "base/mem.h"
#include "train/judge.h"
#include "train/pareto.h"

void points_free(struct points *ps)
{
	for (size_t i = 0; i < ps->n; i++) {
		free(ps->p[i].run);
		free(ps->p[i].budget);
		free(ps->p[i].dir);
	}
	free(ps->p);
	free(ps->metric);
	meta_free(&ps->origin);
	*ps = (struct points){ 0 };
}

int points_mark(struct points *ps, struct err *e)
{
	struct pareto_point *q = mem_zeros(ps->n, sizeof *q);
	double sign = judge_falls(ps->metric) ? -1 : 1;

	if (q == NULL)
		return err_nomem(e);
	for (size_t i = 0; i < ps->n; i++) {
		q[i].name = ps->p[i].run;
		q[i].cost = ps->p[i].trained;
		q[i].score = sign * ps->p[i].score;
	}
	pareto_mark(q, ps->n);
	for (size_t i = 0; i < ps->n; i++) {
		ps->p[i].on_frontier = q[i].on_frontier;
		ps->p[i].by = q[i].by;
	}
	free(q);
	return EX_OK;
}

static bool is_mask(const struct point *p)
{
	return strcmp(p->budget, "-") != 0;
}

/* The best mask with fewer parameters; NULL when there is none. */
static const struct point *best_smaller(const struct points *ps, const struct point *p)
{
	const struct point *best = NULL;

	for (size_t i = 0; i < ps->n; i++) {
		const struct point *q = &ps->p[i];

		if (is_mask(q) && q->trained < p->trained &&
		    (best == NULL || q->score > best->score))
			best = q;
	}
	return best;
}

void points_note_descents(const struct points *ps, const struct cli *cli)
{
	for (size_t i = 0; i < ps->n; i++) {
		const struct point *p = &ps->p[i];
		const struct point *q = is_mask(p) ? best_smaller(ps, p) : NULL;
		double error = q == NULL ? 0 : judge_error(ps->metric, q->score, q->n);

		if (q != NULL && q->score - p->score > error)
			cli_note(cli,
				 "non-monotonic frontier: %s (%s %.4f) does worse than the "
				 "smaller %s (%.4f) by more than the standard error %.4f",
				 p->run, ps->metric, p->score, q->run, q->score, error);
	}
}

/* ---- writing ---- */

static int by_trained(const void *va, const void *vb)
{
	const struct point *a = *(const struct point *const *)va;
	const struct point *b = *(const struct point *const *)vb;

	if (a->trained != b->trained)
		return a->trained < b->trained ? -1 : 1;
	return (a > b) - (a < b);
}

static int put_point(struct stream_writer *w, const struct points *ps,
		     const struct point *p, struct err *e)
{
	stream_put_text(w, p->run);
	stream_put_text(w, p->budget);
	stream_put_int(w, (int64_t)p->trained);
	stream_put_real(w, p->percent);
	stream_put_text(w, ps->metric);
	stream_put_real(w, p->score);
	stream_put_real(w, p->loss);
	stream_put_int(w, (int64_t)p->n);
	stream_put_int(w, p->on_frontier);
	stream_put_text(w, p->by == SIZE_MAX ? "-" : ps->p[p->by].run);
	stream_put_text(w, p->dir);
	return stream_end_row(w, e);
}

static int put_points(struct stream_writer *w, const struct points *ps, bool frontier,
		      struct err *e)
{
	const struct point **order = mem_zeros(ps->n, sizeof *order);
	int rc = EX_OK;

	if (order == NULL)
		return err_nomem(e);
	for (size_t i = 0; i < ps->n; i++)
		order[i] = &ps->p[i];
	if (frontier)
		qsort(order, ps->n, sizeof *order, by_trained);
	for (size_t i = 0; i < ps->n && rc == EX_OK; i++) {
		if (!frontier || order[i]->on_frontier)
			rc = put_point(w, ps, order[i], e);
	}
	free(order);
	return rc;
}

int points_write(const struct points *ps, const struct cli *cli, FILE *out, bool frontier,
		 struct err *e)
{
	static const char *const keep[] = { "model", "task", NULL };
	static const char *const columns[] = { "run",          "budget", "trained",
					       "percent",      "metric", "score",
					       "loss",         "n",      "on_frontier",
					       "dominated_by", "model" };
	struct meta_list head = { 0 };
	struct stream_writer *w = NULL;
	int rc = cli_lineage(cli, &ps->origin, keep, &head, e);

	if (rc == EX_OK)
		rc = stream_create(&w, out, cli_format(cli), "point", &head, columns,
				   sizeof columns / sizeof columns[0], e);
	meta_free(&head);
	if (rc != EX_OK)
		return rc;
	rc = put_points(w, ps, frontier, e);
	if (rc == EX_OK)
		return stream_finish(w, e);
	stream_abort(w);
	return rc;
}
