#include "input.h"

#include <math.h>
#include <stdint.h>
#include <string.h>

/* Those from CHOICE on may be absent. */
enum column {
	STEP,
	GROUP,
	TYPE,
	LAYER,
	PARAMS,
	PPI,
	GAIN,
	STATUS,
	CHOICE,
	SHARD,
	LOSS,
	COLUMNS
};

static int find_columns(const struct stream_reader *r, size_t at[COLUMNS], struct err *e)
{
	static const char *const names[COLUMNS] = { "step",   "group", "type", "layer",
						    "params", "ppi",   "gain", "status",
						    "choice", "shard", "loss" };
	int rc = EX_OK;

	for (int i = 0; i < CHOICE && rc == EX_OK; i++)
		rc = stream_column(r, names[i], &at[i], e);
	for (int i = CHOICE; i < COLUMNS; i++)
		at[i] = stream_column_maybe(r, names[i]);
	return rc;
}

static int add_row(struct ranker *ranker, struct regrouper *regrouper,
		   const struct stream_reader *r, const size_t at[COLUMNS], struct err *e)
{
	struct influence_row row = { .group = stream_text(r, at[GROUP]),
				     .type = stream_text(r, at[TYPE]),
				     .layer = stream_text(r, at[LAYER]),
				     .status = stream_text(r, at[STATUS]),
				     .choice = "-",
				     .shard = 1 };
	struct err why = { 0 };
	double loss = NAN;
	int64_t params;
	int rc;

	if ((rc = stream_int(r, at[STEP], &row.step, e)) != EX_OK ||
	    (rc = stream_int(r, at[PARAMS], &params, e)) != EX_OK ||
	    (rc = stream_real(r, at[GAIN], &row.gain, e)) != EX_OK ||
	    (rc = stream_real(r, at[PPI], &row.ppi, e)) != EX_OK)
		return rc;
	if (at[SHARD] != SIZE_MAX &&
	    (rc = stream_int(r, at[SHARD], &row.shard, e)) != EX_OK)
		return rc;
	if (regrouper != NULL && at[LOSS] != SIZE_MAX &&
	    (rc = stream_real(r, at[LOSS], &loss, e)) != EX_OK)
		return rc;
	if (params < 0)
		return stream_error(r, e, "params is negative");
	row.params = (uint64_t)params;
	if (at[CHOICE] != SIZE_MAX)
		row.choice = stream_text(r, at[CHOICE]);
	rc = ranker_add(ranker, &row, &why);
	if (rc == EX_OK && regrouper != NULL)
		rc = regroup_add(regrouper, &row, loss, &why);
	if (rc == EX_DATAERR)
		return stream_error(r, e, "%s", why.text);
	if (rc != EX_OK)
		*e = why;
	return rc;
}

int input_head(const struct cli *cli, const struct stream_reader *r, struct heads *heads,
	       struct err *e)
{
	struct strlist differ = { 0 };
	int rc = heads_add(heads, stream_name(r), stream_head(r), &differ, e);

	for (size_t i = 0; i < differ.n && rc == EX_OK; i++) {
		const char *how = heads_difference(heads);

		if (strcmp(differ.s[i], "probe") == 0 && *how != '\0')
			cli_note(cli, "%s: %s", stream_name(r), how);
		else
			cli_note(cli,
				 "%s: its ##%s line differs from that of the files "
				 "before",
				 stream_name(r), differ.s[i]);
	}
	strlist_free(&differ);
	return rc;
}

int input_read(const struct cli *cli, const char *path, struct ranker *ranker,
	       struct regrouper *regrouper, struct heads *heads, struct err *e)
{
	struct stream_reader *r = NULL;
	size_t at[COLUMNS];
	bool got = true;
	int rc = stream_open(&r, path, "ppi", cli->strict, e);

	if (rc != EX_OK)
		return rc;
	if ((rc = find_columns(r, at, e)) == EX_OK &&
	    (rc = input_head(cli, r, heads, e)) == EX_OK) {
		ranker_expect_shards(ranker, heads_shards(heads));
		rc = ranker_source(ranker, stream_name(r), e);
	}
	while (rc == EX_OK && (rc = stream_next(r, &got, e)) == EX_OK && got)
		rc = add_row(ranker, regrouper, r, at, e);
	if (rc == EX_OK && stream_note(r) != NULL)
		cli_note(cli, "%s", stream_note(r));
	stream_close(r);
	return rc;
}
