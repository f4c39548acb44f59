#include "regroup.h"

#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "base/str.h"
#include "io/file.h"

static int write_rules(const char *path, const struct regrouped *r, struct err *e)
{
	struct output out = { 0 };
	int rc = output_open(&out, path, e);

	if (rc == EX_OK)
		fprintf(out.file, "# PATTERN\tGROUP: the first that matches counts\n");
	for (size_t i = 0; i < r->rules.n && rc == EX_OK; i++)
		fprintf(out.file, "%s\t%s\n", r->rules.m[i].key, r->rules.m[i].value);
	if (rc == EX_OK)
		rc = output_commit(&out, e);
	output_drop(&out);
	return rc;
}

static int divide(const struct settings *s, struct regrouper *r, struct heads *heads,
		  const struct regrouped **out, struct err *e)
{
	struct meta_list head = { 0 };
	int rc = heads_merge(heads, &head, e);

	if (rc == EX_OK)
		rc = regroup_finish(r, &head, s->penalty, out, e);
	meta_free(&head);
	return rc;
}

/* What is merged does in part the same work: its gains do not simply add up. */
static void note_sums(const struct cli *cli, const struct regrouped *r)
{
	if (!r->decreases || r->groups == r->members)
		return;
	cli_note(cli,
		 "values are sums of the members' gains, %zu of them cut to the loss of "
		 "their step; adapeft probe --groups FILE gives those of the new groups "
		 "themselves",
		 r->capped);
}

int regroup_rank(const struct settings *s, struct regrouper *r, struct heads *heads,
		 struct ranker **to, const struct ranking **out,
		 const struct regrouped **regrouped, struct err *e)
{
	int rc = divide(s, r, heads, regrouped, e);

	if (rc == EX_OK) {
		cli_note(
		    &s->cli,
		    "%zu groups become %zu, %zu of them whole tensors, modules or more",
		    (*regrouped)->members, (*regrouped)->groups, (*regrouped)->whole);
		rc = ranker_start(to, (size_t)s->buffer, s->dir, e);
	}
	if (rc == EX_OK) {
		ranker_expect_shards(*to, heads_shards(heads));
		rc = regroup_feed(r, *to, e);
	}
	if (rc == EX_OK)
		note_sums(&s->cli, *regrouped);
	if (rc == EX_OK)
		rc = ranker_finish(*to, s->by, out, e);
	return rc == EX_OK ? write_rules(s->regroup, *regrouped, e) : rc;
}

static int add_line(struct meta_list *to, const char *pattern, const char *group,
		    struct err *e)
{
	char *line = str_printf("%s\t%s", pattern, group);
	int rc = line == NULL ? err_nomem(e) : meta_add(to, "group", line, e);

	free(line);
	return rc;
}

int regroup_head(const struct regrouped *r, struct meta_list *head, struct err *e)
{
	struct meta_list to = { 0 };
	int rc = EX_OK;

	for (size_t i = 0; i < head->n && rc == EX_OK; i++)
		if (strcmp(head->m[i].key, "groups") != 0 &&
		    strcmp(head->m[i].key, "group") != 0)
			rc = meta_add(&to, head->m[i].key, head->m[i].value, e);
	if (rc == EX_OK)
		rc = meta_add(&to, "groups", "file", e);
	for (size_t i = 0; i < r->rules.n && rc == EX_OK; i++)
		rc = add_line(&to, r->rules.m[i].key, r->rules.m[i].value, e);
	if (rc == EX_OK) {
		struct meta_list old = *head;

		*head = to;
		to = old;
	}
	meta_free(&to);
	return rc;
}
