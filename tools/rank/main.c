/* adapeft-rank - adds up the influence of groups over a probing run, best first. */
#include <inttypes.h>
#include <math.h>
#include <stdlib.h>
#include <string.h>

#include "base/num.h"
#include "cli.h"
#include "influence/rank.h"
#include "io/file.h"
#include "io/stream.h"

#define SETTLED_TAU   0.5 /* below it the halves of a run disagree */
#define SETTLED_STEPS 4   /* fewer say nothing about it */

static const char *const kept[] = { "model", "task",  "groups", "group",
				    "lora",  "probe", NULL };

struct rank {
	const char *out, *by;
	struct meta_list head; /* of all inputs, each line once */
};

/* ---- reading ---- */

static bool has_line(const struct meta_list *l, const struct meta *m)
{
	for (size_t i = 0; i < l->n; i++)
		if (strcmp(l->m[i].key, m->key) == 0 &&
		    strcmp(l->m[i].value, m->value) == 0)
			return true;
	return false;
}

/* A model is known by its digest, wherever it lies. */
static bool same_model(const char *a, const char *b)
{
	char *x = meta_word(a, "sha256"), *y = meta_word(b, "sha256");
	bool same = x != NULL && y != NULL ? strcmp(x, y) == 0 : strcmp(a, b) == 0;

	free(x);
	free(y);
	return same;
}

/* What says which groups there are. */
static bool divides(const char *key)
{
	return str_starts(key, "group") || strcmp(key, "lora") == 0;
}

static bool has_divisions(const struct meta_list *l, const struct meta_list *of)
{
	for (size_t i = 0; i < of->n; i++)
		if (divides(of->m[i].key) && !has_line(l, &of->m[i]))
			return false;
	return true;
}

static int check_head(const struct rank *k, const struct stream_reader *r, struct err *e)
{
	const struct meta_list *head = stream_head(r);
	const char *model = meta_get(&k->head, "model"), *other = meta_get(head, "model");

	if (model != NULL && other != NULL && !same_model(model, other))
		return err_set(e, EX_DATAERR,
			       "%s: probed on another model than the files before it",
			       stream_name(r));
	if (k->head.n > 0 &&
	    (!has_divisions(&k->head, head) || !has_divisions(head, &k->head)))
		return err_set(e, EX_DATAERR,
			       "%s: divides the model into other groups than the files "
			       "before it",
			       stream_name(r));
	return EX_OK;
}

static int merge_head(const struct cli *cli, struct rank *k, const struct stream_reader *r,
		      struct err *e)
{
	const struct meta_list *head = stream_head(r);
	int rc = check_head(k, r, e);

	for (size_t i = 0; i < head->n && rc == EX_OK; i++) {
		const struct meta *m = &head->m[i];
		const char *had = meta_get(&k->head, m->key);
		bool differs = had != NULL && strcmp(had, m->value) != 0;

		if (strcmp(m->key, "model") == 0 && had != NULL)
			continue;
		if (differs &&
		    (strcmp(m->key, "task") == 0 || strcmp(m->key, "probe") == 0))
			cli_note(cli,
				 "%s: its ##%s line differs from that of the files before",
				 stream_name(r), m->key);
		if (!has_line(&k->head, m))
			rc = meta_add(&k->head, m->key, m->value, e);
	}
	return rc;
}

/* CHOICE may be absent. */
enum column { STEP, GROUP, TYPE, LAYER, PARAMS, PPI, GAIN, STATUS, CHOICE, COLUMNS };

static int find_columns(const struct stream_reader *r, size_t at[COLUMNS], struct err *e)
{
	static const char *const names[CHOICE] = { "step",   "group", "type", "layer",
						   "params", "ppi",   "gain", "status" };
	int rc = EX_OK;

	for (int i = 0; i < CHOICE && rc == EX_OK; i++)
		rc = stream_column(r, names[i], &at[i], e);
	at[CHOICE] = stream_column_maybe(r, "choice");
	return rc;
}

static int add_row(struct ranker *ranker, const struct stream_reader *r,
		   const size_t at[COLUMNS], struct err *e)
{
	struct influence_row row = { .group = stream_text(r, at[GROUP]),
				     .type = stream_text(r, at[TYPE]),
				     .layer = stream_text(r, at[LAYER]),
				     .status = stream_text(r, at[STATUS]),
				     .choice = "-" };
	struct err why = { 0 };
	int64_t params;
	int rc;

	if ((rc = stream_int(r, at[STEP], &row.step, e)) != EX_OK ||
	    (rc = stream_int(r, at[PARAMS], &params, e)) != EX_OK ||
	    (rc = stream_real(r, at[GAIN], &row.gain, e)) != EX_OK ||
	    (rc = stream_real(r, at[PPI], &row.ppi, e)) != EX_OK)
		return rc;
	if (params < 0)
		return stream_error(r, e, "params is negative");
	row.params = (uint64_t)params;
	if (at[CHOICE] != SIZE_MAX)
		row.choice = stream_text(r, at[CHOICE]);
	rc = ranker_add(ranker, &row, &why);
	if (rc == EX_DATAERR)
		return stream_error(r, e, "%s", why.text);
	if (rc != EX_OK)
		*e = why;
	return rc;
}

static int read_file(const struct cli *cli, struct rank *k, struct ranker *ranker,
		     const char *path, struct err *e)
{
	struct stream_reader *r = NULL;
	size_t at[COLUMNS];
	bool got = true;
	int rc = stream_open(&r, path, "ppi", cli->strict, e);

	if (rc != EX_OK)
		return rc;
	if ((rc = find_columns(r, at, e)) == EX_OK &&
	    (rc = merge_head(cli, k, r, e)) == EX_OK)
		rc = ranker_source(ranker, stream_name(r), e);
	while (rc == EX_OK && (rc = stream_next(r, &got, e)) == EX_OK && got)
		rc = add_row(ranker, r, at, e);
	if (rc == EX_OK && stream_note(r) != NULL)
		cli_note(cli, "%s", stream_note(r));
	stream_close(r);
	return rc;
}

/* ---- reporting ---- */

static void report_statuses(const struct cli *cli, const struct ranking *a)
{
	struct strbuf why = { 0 };
	size_t none = 0;

	for (int s = 0; s < RANK_STATUSES; s++) {
		size_t n = a->by_status[s] - (s == STATUS_NEGCURV ? a->negcurv_counted : 0);

		if (s == STATUS_OK || s == STATUS_BOUNDED || n == 0)
			continue;
		strbuf_printf(&why, "%s%zu %s", none > 0 ? ", " : "", n,
			      status_name((enum status)s));
		none += n;
	}
	if (none > 0)
		cli_note(cli, "%zu of %zu rows count as 0: %s", none, a->rows,
			 why.failed ? "" : why.s);
	if (a->negcurv_counted > 0)
		cli_note(cli,
			 "%zu of %zu rows have negative curvature (negcurv) and count as "
			 "bounded steps",
			 a->negcurv_counted, a->rows);
	strbuf_free(&why);
}

static void report(const struct cli *cli, const struct ranking *a)
{
	char tau[NUM_MAX];

	report_statuses(cli, a);
	if (a->repeated > 0)
		cli_note(cli, "%zu of %zu rows came more than once and count once",
			 a->repeated, a->rows);
	if (a->steps >= SETTLED_STEPS && a->tau < SETTLED_TAU) {
		num_print(tau, round(a->tau * 1000) / 1000);
		cli_note(cli,
			 "PPI instability: the two halves of %zu steps rank the groups "
			 "differently (Kendall's tau-b %s): probe for longer, or with a "
			 "smaller learning rate",
			 a->steps, tau);
	}
}

static int add_stability(const struct ranking *a, struct meta_list *head, struct err *e)
{
	char tau[NUM_MAX], line[2 * NUM_MAX + 32];

	if (a->steps < 2)
		return EX_OK;
	num_print(tau, a->tau);
	snprintf(line, sizeof line, "kendall=%s\tsteps=%zu", tau, a->steps);
	return meta_add(head, "stability", line, e);
}

static int write_rows(struct stream_writer *w, const struct ranking *a, struct err *e)
{
	int rc = EX_OK;

	for (size_t i = 0; i < a->n && rc == EX_OK; i++) {
		const struct ranked *g = &a->g[i];

		stream_put_int(w, (int64_t)i + 1);
		stream_put_text(w, g->group);
		stream_put_text(w, g->type);
		stream_put_text(w, g->layer);
		stream_put_int(w, (int64_t)g->params);
		stream_put_real(w, g->value);
		stream_put_real(w, g->appi);
		stream_put_real(w, g->mean);
		stream_put_real(w, g->sd);
		stream_put_int(w, (int64_t)g->steps);
		stream_put_int(w, (int64_t)g->rejected);
		stream_put_real(w, g->stability);
		stream_put_int(w, (int64_t)g->bounded);
		stream_put_text(w, g->choice);
		rc = stream_end_row(w, e);
	}
	return rc;
}

static int write_stream(const struct cli *cli, const struct rank *k,
			const struct ranking *a, FILE *out, struct err *e)
{
	static const char *const columns[] = { "rank",    "group", "type",     "layer",
					       "params",  "value", "appi",     "mean",
					       "sd",      "steps", "rejected", "stability",
					       "bounded", "choice" };
	struct meta_list head = { 0 };
	struct stream_writer *w = NULL;
	int rc = cli_lineage(cli, &k->head, kept, &head, e);

	if (rc == EX_OK)
		rc = add_stability(a, &head, e);
	if (rc == EX_OK)
		rc = stream_create(&w, out, cli_format(cli), "appi", &head, columns,
				   sizeof columns / sizeof columns[0], e);
	meta_free(&head);
	if (rc != EX_OK)
		return rc;
	rc = write_rows(w, a, e);
	if (rc == EX_OK)
		return stream_finish(w, e);
	stream_abort(w);
	return rc;
}

static int write_output(const struct cli *cli, const struct rank *k,
			const struct ranking *a, struct err *e)
{
	struct output out = { 0 };
	int rc = output_open(&out, k->out, e);

	if (rc == EX_OK)
		rc = write_stream(cli, k, a, out.file, e);
	if (rc == EX_OK)
		rc = output_commit(&out, e);
	output_drop(&out);
	return rc;
}

static int rank(const struct cli *cli, struct rank *k, int n, char **files, struct err *e)
{
	enum rank_by by = strcmp(k->by, "value") == 0 ? RANK_VALUE : RANK_APPI;
	const struct ranking *a = NULL;
	struct ranker *ranker = NULL;
	int rc = ranker_start(&ranker, e);

	if (rc == EX_OK && n == 0)
		rc = read_file(cli, k, ranker, NULL, e);
	for (int i = 0; i < n && rc == EX_OK; i++)
		rc = read_file(cli, k, ranker, files[i], e);
	if (rc == EX_OK)
		rc = ranker_finish(ranker, by, &a, e);
	if (rc == EX_OK && a->n == 0)
		rc = err_set(e, EX_DATAERR, "there are no rows to rank");
	if (rc == EX_OK) {
		report(cli, a);
		rc = write_output(cli, k, a, e);
	}
	ranker_free(ranker);
	meta_free(&k->head);
	return rc;
}

int main(int argc, char **argv)
{
	struct cli cli = CLI_INIT("adapeft-rank");
	struct rank k = { .by = "appi" };
	struct err e = { 0 };
	const struct opt opts[] = {
		{ OPT_TEXT, 'o', "output", "FILE", &k.out, NULL, 0, 0,
		  "write there, whole or not at all (stdout)" },
		{ OPT_TEXT, 0, "by", "appi|value", &k.by, "appi|value", 0, 0,
		  "order by influence per parameter, or by the whole group's gain (appi)" },
		CLI_STREAM(cli),
		CLI_COMMON(cli),
		{ .type = OPT_END },
	};
	const struct program program = {
		"adapeft-rank",
		"Add up the influence of groups over a probing run, best first.",
		"[FILE ...]", opts
	};
	int rc;

	cli_start(&cli, &program, argc, argv);
	rc = rank(&cli, &k, argc - cli.first, argv + cli.first, &e);
	return cli_end(&cli, rc, &e);
}
