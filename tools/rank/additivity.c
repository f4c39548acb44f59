#include "additivity.h"

#include <math.h>
#include <stdio.h>

#include "base/num.h"
#include "influence/additive.h"
#include "influence/heads.h"
#include "input.h"
#include "io/file.h"
#include "io/stream.h"

/* ---- reading ---- */

enum column {
	A,
	B,
	CURV,
	SLOPE_A,
	SLOPE_B,
	TAU_A,
	TAU_B,
	GAIN_A,
	GAIN_B,
	JOINT,
	STEPS,
	COLUMNS
};

static int find_columns(const struct stream_reader *r, size_t at[COLUMNS], struct err *e)
{
	static const char *const names[COLUMNS] = { "a",       "b",     "curv",  "slope_a",
						    "slope_b", "tau_a", "tau_b", "gain_a",
						    "gain_b",  "joint", "steps" };
	int rc = EX_OK;

	for (int i = 0; i < COLUMNS && rc == EX_OK; i++)
		rc = stream_column(r, names[i], &at[i], e);
	return rc;
}

static int add_row(struct interaction_table *x, const struct stream_reader *r,
		   const size_t at[COLUMNS], struct err *e)
{
	struct interaction_row row = { .a = stream_text(r, at[A]),
				       .b = stream_text(r, at[B]) };
	double *const real[] = { &row.curv,  &row.slope_a, &row.slope_b, &row.tau_a,
				 &row.tau_b, &row.gain_a,  &row.gain_b,  &row.joint };
	struct err why = { 0 };
	int rc = stream_int(r, at[STEPS], &row.steps, e);

	for (size_t i = 0; i < sizeof real / sizeof real[0] && rc == EX_OK; i++)
		rc = stream_real(r, at[CURV + i], real[i], e);
	if (rc != EX_OK)
		return rc;
	rc = interaction_table_add(x, &row, &why);
	if (rc == EX_DATAERR)
		return stream_error(r, e, "%s", why.text);
	if (rc != EX_OK)
		*e = why;
	return rc;
}

static int read_file(const struct cli *cli, const char *path, struct interaction_table *x,
		     struct heads *heads, struct err *e)
{
	struct stream_reader *r = NULL;
	size_t at[COLUMNS];
	bool got = true;
	int rc = stream_open(&r, path, "interactions", cli->strict, e);

	if (rc != EX_OK)
		return rc;
	if ((rc = find_columns(r, at, e)) == EX_OK)
		rc = input_head(cli, r, heads, e);
	while (rc == EX_OK && (rc = stream_next(r, &got, e)) == EX_OK && got)
		rc = add_row(x, r, at, e);
	if (rc == EX_OK && stream_note(r) != NULL)
		cli_note(cli, "%s", stream_note(r));
	stream_close(r);
	return rc;
}

/* ---- writing ---- */

static int add_summary(const struct settings *s, const struct interaction_table *x,
		       const struct additivity *a, struct meta_list *head, struct err *e)
{
	char joint[NUM_MAX], gap[NUM_MAX], sum[NUM_MAX], ratio[NUM_MAX];
	char unbounded[NUM_MAX], threshold[NUM_MAX], line[10 * NUM_MAX + 160];

	num_print(joint, a->joint);
	num_print(gap, a->gap);
	num_print(sum, a->sum);
	num_print(ratio, a->joint / a->sum);
	num_print(unbounded, a->unbounded);
	num_print(threshold, s->threshold);
	snprintf(line, sizeof line,
		 "joint=%s\tsum=%s\tratio=%s\tgap=%s\tunbounded=%s\trank=%zu\tgroups=%zu"
		 "\tpairs=%zu\tsynergy=%zu\tredundant=%zu\tthreshold=%s\tsteps=%.0f",
		 joint, sum, ratio, gap, unbounded, a->rank, x->groups.names.n, a->n,
		 a->synergy, a->redundant, threshold, x->steps);
	return meta_add(head, "additivity", line, e);
}

static int write_rows(struct stream_writer *w, const struct settings *s,
		      const struct interaction_table *x, const struct additivity *a,
		      struct err *e)
{
	int rc = EX_OK;

	for (size_t i = 0; i < a->n && (s->top == 0 || i < s->top) && rc == EX_OK; i++) {
		const struct additive_pair *p = &a->pair[i];

		stream_put_int(w, (int64_t)i + 1);
		stream_put_text(w, x->groups.names.s[p->a]);
		stream_put_text(w, x->groups.names.s[p->b]);
		stream_put_real(w, p->joint);
		stream_put_real(w, p->sum);
		stream_put_real(w, p->excess);
		stream_put_real(w, p->ratio);
		stream_put_real(w, p->cosine);
		stream_put_text(w, pair_kind_name(p->kind));
		rc = stream_end_row(w, e);
	}
	return rc;
}

static int describe(const struct settings *s, struct heads *heads,
		    const struct interaction_table *x, const struct additivity *a,
		    struct meta_list *head, struct err *e)
{
	static const char *const kept[] = { "model", "task",  "groups", "group",
					    "lora",  "probe", NULL };
	struct meta_list merged = { 0 };
	int rc = heads_merge(heads, &merged, e);

	if (rc == EX_OK)
		rc = cli_lineage(&s->cli, &merged, kept, head, e);
	if (rc == EX_OK)
		rc = add_summary(s, x, a, head, e);
	meta_free(&merged);
	return rc;
}

static int write_stream(const struct settings *s, struct heads *heads,
			const struct interaction_table *x, const struct additivity *a,
			FILE *out, struct err *e)
{
	static const char *const columns[] = { "rank",   "a",     "b",      "joint", "sum",
					       "excess", "ratio", "cosine", "kind" };
	struct meta_list head = { 0 };
	struct stream_writer *w = NULL;
	int rc = describe(s, heads, x, a, &head, e);

	if (rc == EX_OK)
		rc = stream_create(&w, out, cli_format(&s->cli), "additivity", &head,
				   columns, sizeof columns / sizeof columns[0], e);
	meta_free(&head);
	if (rc != EX_OK)
		return rc;
	rc = write_rows(w, s, x, a, e);
	if (rc == EX_OK)
		return stream_finish(w, e);
	stream_abort(w);
	return rc;
}

static int write_output(const struct settings *s, struct heads *heads,
			const struct interaction_table *x, const struct additivity *a,
			struct err *e)
{
	struct output out = { 0 };
	int rc = output_open(&out, s->out, e);

	if (rc == EX_OK)
		rc = write_stream(s, heads, x, a, out.file, e);
	if (rc == EX_OK)
		rc = output_commit(&out, e);
	output_drop(&out);
	return rc;
}

/* ---- what a person wants to know ---- */

static void report_all(const struct cli *cli, const struct interaction_table *x,
		       const struct additivity *a)
{
	cli_note(cli,
		 "all %zu groups together gain %.3g, %.3g times the %.3g that their gains "
		 "add up to",
		 x->groups.names.n, a->joint, a->joint / a->sum, a->sum);
	if (a->gap > 1e-3 * a->joint)
		cli_warn(cli,
			 "the joint gain may be larger by %.3g: its search did "
			 "not settle",
			 a->gap);
}

/* The first pair of the kind is the strongest. */
static void report_kind(const struct cli *cli, const struct interaction_table *x,
			const struct additivity *a, enum pair_kind kind, size_t number,
			double threshold)
{
	for (size_t i = 0; i < a->n; i++) {
		const struct additive_pair *p = &a->pair[i];

		if (p->kind != kind)
			continue;
		cli_note(cli,
			 "%s: %zu of %zu pairs; the strongest, %s and %s, gain %.3g "
			 "together, %.3g alone",
			 pair_kind_name(kind), number, a->n, x->groups.names.s[p->a],
			 x->groups.names.s[p->b], p->joint, p->sum);
		return;
	}
	cli_note(cli, "%s: none of %zu pairs is beyond %.3g of its sum",
		 pair_kind_name(kind), a->n, threshold);
}

static void report(const struct settings *s, const struct interaction_table *x,
		   const struct additivity *a)
{
	report_all(&s->cli, x, a);
	report_kind(&s->cli, x, a, PAIR_SYNERGY, a->synergy, s->threshold);
	report_kind(&s->cli, x, a, PAIR_REDUNDANT, a->redundant, s->threshold);
}

static int read_all(const struct settings *s, struct interaction_table *x,
		    struct heads *heads, struct err *e)
{
	int rc = EX_OK;

	if (s->n_files == 0)
		rc = read_file(&s->cli, NULL, x, heads, e);
	for (int i = 0; i < s->n_files && rc == EX_OK; i++)
		rc = read_file(&s->cli, s->files[i], x, heads, e);
	if (rc == EX_OK && x->groups.names.n == 0)
		rc = err_set(e, EX_DATAERR, "there are no rows of interactions");
	return rc == EX_OK ? interaction_table_finish(x, e) : rc;
}

int additivity(const struct settings *s, struct err *e)
{
	struct interaction_table x = { 0 };
	struct additivity a = { 0 };
	struct heads *heads = NULL;
	int rc = heads_start(&heads, e);

	if (rc == EX_OK)
		rc = read_all(s, &x, heads, e);
	if (rc == EX_OK)
		rc = additivity_measure(&x, s->threshold, &a, e);
	if (rc == EX_OK) {
		report(s, &x, &a);
		rc = write_output(s, heads, &x, &a, e);
	}
	additivity_free(&a);
	interaction_table_free(&x);
	heads_free(heads);
	return rc;
}
