#include "head.h"

#include <inttypes.h>

#include "base/num.h"

static int describe_pairs(const struct settings *s, struct meta_list *head, struct err *e)
{
	struct strbuf value = { 0 };
	int rc = EX_OK;

	if (s->lora.ranks > 0)
		rc = lora_print(&s->lora, &value, e);
	if (rc == EX_OK && s->lora.ranks > 0)
		rc = meta_add(head, "lora", value.s, e);
	strbuf_free(&value);
	return rc;
}

static bool draws_labels(const struct settings *s)
{
	return s->method == METHOD_GGN || s->interactions != NULL;
}

/* What the ##probe line says only when it was asked for. */
static void describe_more(const struct settings *s, const struct model *m,
			  struct strbuf *how)
{
	char number[NUM_MAX];

	strbuf_printf(how, " slopes=%s", s->halves ? "halves" : "batch");
	if (draws_labels(s))
		strbuf_printf(how, " draws=%" PRIu64,
			      s->draws > 0 ? s->draws
					   : curvature_draws(m, s->source.batch));
	if (s->shard != NULL) {
		strbuf_puts(how, " shard=");
		shard_set_print(&s->asked, how);
	}
	if (s->until_stable >= 0) {
		num_print(number, s->until_stable);
		strbuf_printf(how, " until-stable=%s", number);
	}
}

int head_describe(struct meta_list *head, const struct settings *s,
		  const struct source *source, const struct partition *part,
		  const struct schedule_plan *plan, struct err *e)
{
	struct strbuf how = { 0 };
	char lr[NUM_MAX];
	int rc = source_describe(source, head, e);

	num_print(lr, s->training.lr);
	strbuf_printf(&how,
		      "method=%s direction=%s trust=%s steps=%" PRIu64 " every=%" PRIu64
		      " of=%" PRIu64 " batch=%" PRIu64 " lr=%s schedule=%s seed=%" PRIu64,
		      s->method_name, s->direction_name, s->trust_name, plan->steps,
		      plan->every, plan->total, s->source.batch, lr,
		      s->training.schedule_name, s->cli.seed);
	describe_more(s, &source->model, &how);
	if (rc == EX_OK)
		rc = describe_pairs(s, head, e);
	if (rc == EX_OK)
		rc = partition_describe(part, head, e);
	if (rc == EX_OK)
		rc = how.failed ? err_nomem(e) : meta_add(head, "probe", how.s, e);
	if (rc == EX_OK)
		rc = cli_lineage(&s->cli, NULL, NULL, head, e);
	strbuf_free(&how);
	return rc;
}
