#include "rows.h"

#include <inttypes.h>

#define COUNT(a) (sizeof(a) / sizeof *(a))

int rows_start(struct stream_writer **w, FILE *out, enum stream_format format,
	       const struct meta_list *head, struct err *e)
{
	static const char *const columns[] = { "step",   "group", "type",  "layer",
					       "params", "loss",  "slope", "curv",
					       "eta",    "gain",  "ppi",   "r2",
					       "status", "tau",   "reach", "spread",
					       "choice", "shard", "noise" };

	return stream_create(w, out, format, "ppi", head, columns, COUNT(columns), e);
}

static int put_row(struct stream_writer *w, const struct group *g, uint64_t step,
		   size_t shard, const struct estimate *x, struct err *e)
{
	stream_put_int(w, (int64_t)step);
	stream_put_text(w, g->name);
	stream_put_text(w, g->type);
	stream_put_text(w, g->layer);
	stream_put_int(w, (int64_t)g->params);
	stream_put_real(w, x->loss);
	stream_put_real(w, x->slope);
	stream_put_real(w, x->curv);
	stream_put_real(w, x->eta);
	stream_put_real(w, x->gain);
	stream_put_real(w, x->ppi);
	stream_put_real(w, x->r2);
	stream_put_text(w, status_name(x->status));
	stream_put_real(w, x->tau);
	stream_put_real(w, x->reach);
	stream_put_real(w, x->spread);
	stream_put_text(w, g->choice == NULL ? "-" : g->choice);
	stream_put_int(w, (int64_t)shard);
	stream_put_real(w, x->noise);
	return stream_end_row(w, e);
}

int rows_put(struct stream_writer *w, const struct partition *part, uint64_t step,
	     size_t shard, const struct estimate *x, struct err *e)
{
	int rc = EX_OK;

	for (size_t k = 0; k < part->n && rc == EX_OK; k++)
		rc = put_row(w, &part->g[k], step, shard, &x[k], e);
	return rc == EX_OK ? stream_flush(w, e) : rc;
}

static int put_pair(struct stream_writer *w, const char *a, const char *b,
		    const struct interaction *x, uint64_t steps, struct err *e)
{
	stream_put_text(w, a);
	stream_put_text(w, b);
	stream_put_real(w, x->curv);
	stream_put_real(w, x->slope[0]);
	stream_put_real(w, x->slope[1]);
	stream_put_real(w, x->tau[0]);
	stream_put_real(w, x->tau[1]);
	stream_put_real(w, x->gain[0]);
	stream_put_real(w, x->gain[1]);
	stream_put_real(w, x->joint);
	stream_put_int(w, (int64_t)steps);
	return stream_end_row(w, e);
}

int rows_interactions(FILE *out, enum stream_format format, const struct meta_list *head,
		      const struct partition *part, const struct interactions *x,
		      struct err *e)
{
	static const char *const columns[] = { "a",       "b",     "curv",  "slope_a",
					       "slope_b", "tau_a", "tau_b", "gain_a",
					       "gain_b",  "joint", "steps" };
	struct stream_writer *w = NULL;
	int rc = stream_create(&w, out, format, "interactions", head, columns,
			       COUNT(columns), e);

	for (size_t a = 0; a < part->n && rc == EX_OK; a++) {
		for (size_t b = a; b < part->n && rc == EX_OK; b++) {
			struct interaction mean = interactions_mean(x, a, b);

			rc = put_pair(w, part->g[a].name, part->g[b].name, &mean, x->steps,
				      e);
		}
	}
	if (rc == EX_OK)
		return stream_finish(w, e);
	if (w != NULL)
		stream_abort(w);
	return rc;
}
