#include "peft/mask.h"

#include <stdlib.h>
#include <string.h>

#include "base/mem.h"

struct columns {
	size_t budget, group, params;
};

/* The mask of that budget, a new one when there is none yet. */
static int mask_of(struct mask_set *s, const char *budget, size_t len, struct mask **m,
		   struct err *e)
{
	int rc;

	/* The rows of a budget stand together, so the newest is looked at first. */
	for (size_t i = s->n; i-- > 0;) {
		*m = &s->m[i];
		if (strlen((*m)->budget) == len && memcmp((*m)->budget, budget, len) == 0)
			return EX_OK;
	}
	if ((rc = mem_grow(&s->m, &s->cap, s->n + 1, sizeof *s->m, e)) != EX_OK)
		return rc;
	*m = &s->m[s->n];
	(*m)->budget = str_dupn(budget, len);
	if ((*m)->budget == NULL)
		return err_nomem(e);
	s->n++;
	return EX_OK;
}

/* A line ##budget<tab>LABEL... announces a budget that may have no rows. */
static int take_budgets(struct mask_set *s, const struct meta_list *lines, struct err *e)
{
	struct mask *m;
	int rc = EX_OK;

	for (size_t i = 0; i < lines->n && rc == EX_OK; i++) {
		const char *value = lines->m[i].value;

		if (strcmp(lines->m[i].key, "budget") == 0)
			rc = mask_of(s, value, strcspn(value, "\t"), &m, e);
	}
	return rc;
}

static int take_head(struct mask_set *s, const struct meta_list *head, struct err *e)
{
	int rc = meta_copy(&s->head, head, e);

	return rc == EX_OK ? take_budgets(s, head, e) : rc;
}

static int find_columns(const struct stream_reader *r, struct columns *c, struct err *e)
{
	int rc = stream_column(r, "budget", &c->budget, e);

	if (rc == EX_OK)
		rc = stream_column(r, "group", &c->group, e);
	c->params = stream_column_maybe(r, "params");
	return rc;
}

static int take_row(struct mask_set *s, const struct stream_reader *r,
		    const struct columns *c, struct err *e)
{
	const char *budget = stream_text(r, c->budget);
	int64_t params = 0;
	struct mask *m;
	int rc;

	if (budget[0] == '\0')
		return stream_error(r, e, "the budget is empty");
	if (c->params != SIZE_MAX && (rc = stream_int(r, c->params, &params, e)) != EX_OK)
		return rc;
	if (params < 0)
		return stream_error(r, e, "params is negative");
	if ((rc = mask_of(s, budget, strlen(budget), &m, e)) != EX_OK)
		return rc;
	if (__builtin_add_overflow(m->params, (uint64_t)params, &m->params))
		return stream_error(
		    r, e, "the parameters of budget %s add up beyond 64 bits", budget);
	return strlist_add(&m->groups, stream_text(r, c->group), e);
}

static int read_rows(struct mask_set *s, struct stream_reader *r, struct err *e)
{
	struct columns c;
	bool got = true;
	int rc;

	if ((rc = take_head(s, stream_head(r), e)) != EX_OK ||
	    (rc = find_columns(r, &c, e)) != EX_OK)
		return rc;
	while (got) {
		if ((rc = stream_next(r, &got, e)) != EX_OK ||
		    (rc = take_budgets(s, stream_between(r), e)) != EX_OK)
			return rc;
		if (got && (rc = take_row(s, r, &c, e)) != EX_OK)
			return rc;
	}
	if (stream_note(r) != NULL) {
		s->note = str_dup(stream_note(r));
		if (s->note == NULL)
			return err_nomem(e);
	}
	return EX_OK;
}

int masks_read(struct mask_set *s, const char *path, bool strict, struct err *e)
{
	struct stream_reader *r;
	int rc;

	*s = (struct mask_set){ 0 };
	if ((rc = stream_open(&r, path, "mask", strict, e)) != EX_OK)
		return rc;
	rc = read_rows(s, r, e);
	stream_close(r);
	if (rc != EX_OK)
		masks_free(s);
	return rc;
}

void masks_free(struct mask_set *s)
{
	for (size_t i = 0; i < s->n; i++) {
		free(s->m[i].budget);
		strlist_free(&s->m[i].groups);
	}
	free(s->m);
	free(s->note);
	meta_free(&s->head);
	*s = (struct mask_set){ 0 };
}
