/* adapeft-rank - adds up the influence of groups over a probing run, best first. */
#include <stdio.h>
#include <string.h>

#include "base/num.h"
#include "additivity.h"
#include "input.h"
#include "io/file.h"
#include "regroup.h"
#include "report.h"
#include "settings.h"

static const char *const kept[] = { "model", "task",  "groups", "group",
				    "lora",  "probe", NULL };

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

/* What is ranked. */
struct subject {
	struct heads *heads;
	const struct ranking *a;
	const struct regrouped *regrouped; /* or NULL */
};

static int describe(const struct cli *cli, const struct subject *b, struct meta_list *head,
		    struct err *e)
{
	struct meta_list merged = { 0 };
	int rc = heads_merge(b->heads, &merged, e);

	if (rc == EX_OK && b->regrouped != NULL)
		rc = regroup_head(b->regrouped, &merged, e);
	if (rc == EX_OK)
		rc = cli_lineage(cli, &merged, kept, head, e);
	if (rc == EX_OK)
		rc = add_stability(b->a, head, e);
	meta_free(&merged);
	return rc;
}

static int write_stream(const struct cli *cli, const struct subject *b, FILE *out,
			struct err *e)
{
	static const char *const columns[] = { "rank",    "group", "type",     "layer",
					       "params",  "value", "appi",     "mean",
					       "sd",      "steps", "rejected", "stability",
					       "bounded", "choice" };
	struct meta_list head = { 0 };
	struct stream_writer *w = NULL;
	int rc = describe(cli, b, &head, e);

	if (rc == EX_OK)
		rc = stream_create(&w, out, cli_format(cli), "appi", &head, columns,
				   sizeof columns / sizeof columns[0], e);
	meta_free(&head);
	if (rc != EX_OK)
		return rc;
	rc = write_rows(w, b->a, e);
	if (rc == EX_OK)
		return stream_finish(w, e);
	stream_abort(w);
	return rc;
}

static int write_output(const struct settings *s, const struct subject *b, struct err *e)
{
	struct output out = { 0 };
	int rc = output_open(&out, s->out, e);

	if (rc == EX_OK)
		rc = write_stream(&s->cli, b, out.file, e);
	if (rc == EX_OK)
		rc = output_commit(&out, e);
	output_drop(&out);
	return rc;
}

static int read_all(const struct settings *s, struct ranker *ranker,
		    struct regrouper *regrouper, struct heads *heads, struct err *e)
{
	int rc = EX_OK;

	if (s->n_files == 0)
		rc = input_read(&s->cli, NULL, ranker, regrouper, heads, e);
	for (int i = 0; i < s->n_files && rc == EX_OK; i++)
		rc = input_read(&s->cli, s->files[i], ranker, regrouper, heads, e);
	return rc;
}

/* Of the rows read it is said which count, of the new groups whether they settled. */
static int regroup(const struct settings *s, struct regrouper *r, struct ranker **to,
		   struct subject *b, struct err *e)
{
	struct ranking said = *b->a;
	int rc;

	said.settled = true;
	report(&s->cli, &said);
	rc = regroup_rank(s, r, b->heads, to, &b->a, &b->regrouped, e);
	if (rc != EX_OK)
		return rc;
	said = *b->a;
	memset(said.by_status, 0, sizeof said.by_status);
	said.negcurv_counted = 0;
	report(&s->cli, &said);
	return EX_OK;
}

static int rank(const struct settings *s, struct err *e)
{
	struct subject b = { 0 };
	struct ranker *ranker = NULL, *coarse = NULL;
	struct regrouper *regrouper = NULL;
	int rc = ranker_start(&ranker, (size_t)s->buffer, s->dir, e);

	if (rc == EX_OK)
		rc = heads_start(&b.heads, e);
	if (rc == EX_OK && s->regroup != NULL)
		rc = regroup_start(&regrouper, e);
	if (rc == EX_OK)
		rc = read_all(s, ranker, regrouper, b.heads, e);
	if (rc == EX_OK)
		rc = ranker_finish(ranker, s->by, &b.a, e);
	if (rc == EX_OK && b.a->n == 0)
		rc = err_set(e, EX_DATAERR, "there are no rows to rank");
	if (rc == EX_OK && regrouper == NULL)
		report(&s->cli, b.a);
	if (rc == EX_OK && regrouper != NULL)
		rc = regroup(s, regrouper, &coarse, &b, e);
	if (rc == EX_OK)
		rc = write_output(s, &b, e);
	regroup_free(regrouper);
	ranker_free(coarse);
	ranker_free(ranker);
	heads_free(b.heads);
	return rc;
}

int main(int argc, char **argv)
{
	struct settings s;
	struct err e = { 0 };
	int rc;

	settings_read(&s, argc, argv);
	rc = s.additivity ? additivity(&s, &e) : rank(&s, &e);
	return cli_end(&s.cli, rc, &e);
}
