#include "pairs.h"

#include "base/num.h"

static int take_ranks(const struct strlist *said, struct lora_spec *out, struct err *e)
{
	out->ranks = 0;
	if (said->n > OP_PAIRS)
		return err_set(e, EX_USAGE, "--lora-rank: at most %d ranks at once",
			       OP_PAIRS);
	for (size_t i = 0; i < said->n; i++) {
		int64_t x;

		if (!num_int(said->s[i], &x) || x < 1 || x > LORA_MAX_RANK)
			return err_set(e, EX_USAGE,
				       "--lora-rank %s: a rank is a number from 1 to %d",
				       said->s[i], LORA_MAX_RANK);
		for (int j = 0; j < out->ranks; j++)
			if (out->rank[j] == (size_t)x)
				return err_set(e, EX_USAGE, "--lora-rank: %s is said twice",
					       said->s[i]);
		out->rank[out->ranks++] = (size_t)x;
	}
	return EX_OK;
}

static int take_targets(const struct strlist *said, struct lora_spec *out, struct err *e)
{
	int rc = EX_OK;

	strlist_free(&out->targets);
	for (size_t i = 0; i < said->n && rc == EX_OK; i++)
		rc = strlist_add(&out->targets, said->s[i], e);
	return rc;
}

static int take_options(const struct pairs_options *o, bool needed, struct lora_spec *out,
			struct err *e)
{
	int rc = EX_OK;

	if (o->ranks.n > 0 && (rc = take_ranks(&o->ranks, out, e)) != EX_OK)
		return rc;
	if (out->ranks == 0 && needed)
		out->rank[out->ranks++] = LORA_RANK;
	if (out->ranks == 0 && (o->alpha >= 0 || o->dropout >= 0 || o->targets.n > 0))
		return err_set(e, EX_USAGE,
			       "--lora-alpha, --lora-dropout and --lora-targets are of "
			       "pairs; --lora-rank N adds them");
	if (o->alpha >= 0)
		out->alpha = o->alpha;
	if (o->dropout >= 0)
		out->dropout = (float)o->dropout;
	if (o->targets.n > 0)
		rc = take_targets(&o->targets, out, e);
	return rc;
}

int pairs_resolve(const struct pairs_options *o, const char *said, bool needed,
		  struct lora_spec *out, struct err *e)
{
	int rc = EX_OK;

	*out = (struct lora_spec){ 0 };
	if (said != NULL)
		rc = lora_parse(out, said, e);
	if (rc == EX_OK)
		rc = take_options(o, needed, out, e);
	if (rc != EX_OK)
		lora_free(out);
	return rc;
}

void pairs_options_free(struct pairs_options *o)
{
	strlist_free(&o->ranks);
	strlist_free(&o->targets);
}
