#include "model/lora.h"

#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "base/mem.h"
#include "base/num.h"
#include "io/stream.h"
#include "model/family.h"
#include "tensor/blas.h"

#define TAIL_SIZE 32 /* of ".r4096" */

/* ---- names ---- */

bool lora_is_pair(const struct param *p)
{
	return p->type == TYPE_LORA_A || p->type == TYPE_LORA_B;
}

size_t lora_module_len(const char *tensor)
{
	const char *at = NULL;

	/* The last one: what stands before it is any module's name. */
	for (const char *s = tensor; (s = strstr(s, ".lora_")) != NULL; s++)
		at = s;
	return at == NULL ? strlen(tensor) : (size_t)(at - tensor);
}

void lora_pair_name(const char *tensor, struct strbuf *out)
{
	size_t module = lora_module_len(tensor), behind;
	const char *tail = tensor + module;

	strbuf_add(out, tensor, module);
	strbuf_puts(out, ".lora");
	if (*tail == '\0')
		return;
	tail += strlen(".lora_A");
	behind = strlen(tail) - (str_ends(tail, ".weight") ? strlen(".weight") : 0);
	strbuf_add(out, tail, behind);
}

/* ---- which modules ---- */

static const struct op *linear_of(const struct model *m, size_t weight)
{
	for (size_t i = 0; i < m->n_ops; i++)
		if (m->ops[i].kind == OP_LINEAR && m->ops[i].p[0] == (int)weight)
			return &m->ops[i];
	return NULL;
}

bool lora_can_have(const struct model *m, size_t i)
{
	const struct param *p = &m->params[i];

	return p->ndim == 2 && p->type != TYPE_EMBED && str_ends(p->name, ".weight") &&
	       linear_of(m, i) != NULL;
}

bool model_has_pairs(const struct model *m)
{
	for (size_t i = 0; i < m->n_params; i++)
		if (lora_is_pair(&m->params[i]))
			return true;
	return false;
}

const struct op *lora_op_of(const struct model *m, size_t i, int *k)
{
	for (size_t o = 0; o < m->n_ops; o++)
		for (*k = 0; *k < m->ops[o].pairs; (*k)++)
			if (m->ops[o].p[2 + 2 * *k] == (int)i ||
			    m->ops[o].p[3 + 2 * *k] == (int)i)
				return &m->ops[o];
	return NULL;
}

static char *module_of(const char *weight)
{
	return str_dupn(weight, strlen(weight) - strlen(".weight"));
}

static bool is_last_part(const char *target, const char *module)
{
	size_t whole = strlen(module), part = strlen(target);

	return whole > part && module[whole - part - 1] == '.' &&
	       strcmp(module + whole - part, target) == 0;
}

static bool fits(const char *target, const char *module)
{
	return is_last_part(target, module) || str_glob(target, module);
}

/* `saved` is the module's path with the family's prefix. */
static bool target_fits(const struct model *m, const char *target, const struct param *p,
			const char *saved)
{
	size_t skip = str_starts(saved, m->prefix) ? strlen(m->prefix) : 0;

	if (strcmp(target, LORA_ALL) == 0)
		return p->type != TYPE_HEAD;
	return fits(target, saved) || fits(target, saved + skip);
}

static int no_module(const struct model *m, const char *target, struct err *e)
{
	const char **names = mem_zeros(2 * m->n_params + 1, sizeof *names);
	struct strlist paths = { 0 };
	struct strbuf near = { 0 };
	size_t n = 0;
	int rc = names == NULL ? err_nomem(e) : EX_OK;

	for (size_t i = 0; i < m->n_params && rc == EX_OK; i++) {
		const char *name = m->params[i].save_name;

		if (lora_can_have(m, i))
			rc =
			    strlist_addn(&paths, name, strlen(name) - strlen(".weight"), e);
	}
	for (size_t i = 0; i < paths.n && rc == EX_OK; i++) {
		const char *dot = strrchr(paths.s[i], '.');

		names[n++] = paths.s[i];
		/* The parts are the same in every block. */
		if (dot != NULL && (n < 2 || strstr(paths.s[i], ".0.") != NULL))
			names[n++] = dot + 1;
	}
	if (rc == EX_OK) {
		str_near(target, names, n, &near);
		rc = err_set(e, EX_USAGE,
			     "the LoRA target '%s' matches no linear module%s%s%s", target,
			     near.len > 0 ? "; did you mean " : "",
			     near.len > 0 ? near.s : "", near.len > 0 ? "?" : "");
	}
	strbuf_free(&near);
	strlist_free(&paths);
	free(names);
	return rc;
}

/* Marks in wanted[n_params] the weights that a target matches. */
static int mark(const struct model *m, const char *target, bool *wanted, bool *any,
		struct err *e)
{
	*any = false;
	for (size_t i = 0; i < m->n_params; i++) {
		char *module;

		if (!lora_can_have(m, i))
			continue;
		module = module_of(m->params[i].save_name);
		if (module == NULL)
			return err_nomem(e);
		if (target_fits(m, target, &m->params[i], module))
			wanted[i] = *any = true;
		free(module);
	}
	return EX_OK;
}

/* A family's targets are the names of several generations of its checkpoints: it is enough
 * that one of them matches. */
static int mark_family(const struct model *m, bool *wanted, struct err *e)
{
	struct strlist targets = { 0 };
	const char *said = m->config.arch->lora_targets;
	bool any = false, this;
	int rc = strlist_split(&targets, said, ',', e);

	for (size_t i = 0; i < targets.n && rc == EX_OK; i++) {
		rc = mark(m, targets.s[i], wanted, &this, e);
		any = any || this;
	}
	strlist_free(&targets);
	return rc == EX_OK && !any ? no_module(m, said, e) : rc;
}

static int mark_all(const struct model *m, const struct lora_spec *s, bool *wanted,
		    struct err *e)
{
	int rc = EX_OK;

	if (s->targets.n == 0)
		return mark_family(m, wanted, e);
	for (size_t i = 0; i < s->targets.n && rc == EX_OK; i++) {
		bool any;

		rc = mark(m, s->targets.s[i], wanted, &any, e);
		if (rc == EX_OK && !any)
			rc = no_module(m, s->targets.s[i], e);
	}
	return rc;
}

/* ---- adding pairs ---- */

/* MODULE.lora_A TAIL.weight of MODULE.weight. */
static char *tensor_name(const char *weight, char part, const char *tail)
{
	size_t module = strlen(weight) - strlen(".weight");

	return str_printf("%.*s.lora_%c%s.weight", (int)module, weight, part, tail);
}

static int add_tensor(struct model *m, size_t weight, char part, const char *tail,
		      size_t rows, size_t columns, int *at, struct err *e)
{
	const struct param *w = &m->params[weight];
	char *name = tensor_name(w->name, part, tail);
	char *saved = tensor_name(w->save_name, part, tail);
	const size_t shape[2] = { rows, columns };

	*at = name == NULL || saved == NULL
		  ? -1
		  : model_add_param(m, name, saved, part == 'A' ? TYPE_LORA_A : TYPE_LORA_B,
				    w->layer, 2, shape, e);
	if (name == NULL || saved == NULL)
		err_nomem(e);
	free(name);
	free(saved);
	if (*at < 0)
		return EX_UNAVAILABLE;
	m->params[*at].fresh = true;
	m->params[*at].init = part == 'A' ? INIT_UNIFORM : INIT_ZERO;
	return EX_OK;
}

/* Lets the operation compute the pair of parameters a and b. */
static int join(struct model *m, struct op *op, int a, int b, size_t rank, double scale,
		float dropout, struct err *e)
{
	int k = op->pairs, mid;

	if (k == OP_PAIRS)
		return err_set(e, EX_DATAERR, "%s: more than %d LoRA pairs beside %s",
			       m->dir, OP_PAIRS, m->params[op->p[0]].name);
	mid = model_add_slot(m, rank, m->slots[op->out].rows, e);
	if (mid < 0)
		return EX_UNAVAILABLE;
	op->p[2 + 2 * k] = a;
	op->p[3 + 2 * k] = b;
	op->mid[k] = mid;
	op->share[k] = (float)scale;
	op->dropout = dropout;
	op->pairs++;
	return EX_OK;
}

int model_add_pair(struct model *m, size_t weight, size_t rank, double scale, float dropout,
		   const char *tail, struct err *e)
{
	const struct param *w = &m->params[weight];
	bool transposed = linear_of(m, weight)->transposed;
	size_t in = w->shape[transposed ? 0 : 1], out = w->shape[transposed ? 1 : 0];
	int a, b, rc;

	rc = add_tensor(m, weight, 'A', tail, rank, in, &a, e);
	if (rc == EX_OK)
		rc = add_tensor(m, weight, 'B', tail, out, rank, &b, e);
	for (size_t i = 0; i < m->n_ops && rc == EX_OK; i++)
		if (m->ops[i].kind == OP_LINEAR && m->ops[i].p[0] == (int)weight)
			rc = join(m, &m->ops[i], a, b, rank, scale, dropout, e);
	return rc;
}

/* Is the pair one of those that are to be added? */
static bool listed(const struct model *m, const struct lora_spec *s, const char *pair)
{
	size_t skip = strlen(m->prefix);

	for (size_t i = 0; i < s->only.n; i++) {
		const char *name = s->only.s[i];

		if (strcmp(name, pair) == 0 ||
		    (str_starts(name, m->prefix) && strcmp(name + skip, pair) == 0) ||
		    (str_starts(pair, m->prefix) && strcmp(name, pair + skip) == 0))
			return true;
	}
	return s->only.n == 0;
}

static int check_rank(const struct model *m, size_t weight, size_t rank, struct err *e)
{
	const struct param *w = &m->params[weight];
	size_t most = w->shape[0] < w->shape[1] ? w->shape[0] : w->shape[1];

	if (rank >= 1 && rank <= most)
		return EX_OK;
	return err_set(e, EX_USAGE,
		       "a LoRA pair of rank %zu beside %s, which is %zu x %zu: ranks are 1 "
		       "to %zu",
		       rank, w->name, w->shape[0], w->shape[1], most);
}

static int add_rank(struct model *m, const struct lora_spec *s, size_t weight, int j,
		    struct err *e)
{
	size_t rank = s->rank[j];
	double alpha = s->alpha == 0 ? 2 * (double)rank : s->alpha;
	char tail[TAIL_SIZE] = "";
	struct strbuf pair = { 0 };
	char *a;
	int rc = check_rank(m, weight, rank, e);

	if (rc != EX_OK)
		return rc;
	if (s->ranks > 1)
		snprintf(tail, sizeof tail, ".r%zu", rank);
	a = tensor_name(m->params[weight].name, 'A', tail);
	if (a != NULL)
		lora_pair_name(a, &pair);
	if (a == NULL || pair.failed)
		rc = err_nomem(e);
	else if (!listed(m, s, pair.s))
		rc = EX_OK;
	else if (model_find(m, a) >= 0)
		rc = err_set(e, EX_USAGE,
			     "%s: has the LoRA pair %s already; adapeft view --apply makes "
			     "it a part of the weights",
			     m->dir, pair.s);
	else
		rc = model_add_pair(m, weight, rank, alpha / (double)rank, s->dropout, tail,
				    e);
	strbuf_free(&pair);
	free(a);
	return rc;
}

int model_add_lora(struct model *m, const struct lora_spec *s, struct err *e)
{
	size_t n = m->n_params;
	bool *wanted = mem_zeros(n, sizeof *wanted);
	int rc = wanted == NULL ? err_nomem(e) : mark_all(m, s, wanted, e);

	for (size_t i = 0; i < n && rc == EX_OK; i++)
		for (int j = 0; j < s->ranks && wanted[i] && rc == EX_OK; j++)
			rc = add_rank(m, s, i, j, e);
	free(wanted);
	return rc;
}

/* ---- merging ---- */

static bool is_zero(const struct param *p)
{
	for (size_t i = 0; i < p->n; i++)
		if (p->w[i] != 0)
			return false;
	return true;
}

/* W += scale B A; W stands as [in, outputs] when it is transposed. */
static void add_product(const struct model *m, const struct op *op, int k, float *w,
			float *room)
{
	const struct param *a = &m->params[op->p[2 + 2 * k]];
	const struct param *b = &m->params[op->p[3 + 2 * k]];
	size_t rank = a->shape[0], in = a->shape[1], out = b->shape[0];

	for (size_t i = 0; i < out; i++)
		for (size_t j = 0; j < rank; j++)
			room[op->transposed ? j * out + i : i * rank + j] =
			    op->share[k] * b->w[i * rank + j];
	if (op->transposed)
		gemm_tn(in, out, rank, a->w, in, room, out, 1, w, out);
	else
		gemm_nn(out, in, rank, room, rank, a->w, in, 1, w, in);
}

static int merge(struct model *m, const struct op *op, int k, struct err *e)
{
	size_t weight = (size_t)op->p[0], b = (size_t)op->p[3 + 2 * k];
	float *room;
	int rc;

	if (is_zero(&m->params[b]))
		return EX_OK;
	room = mem_floats(m->params[b].n);
	if (room == NULL)
		return err_nomem(e);
	if ((rc = model_own(m, weight, e)) == EX_OK && (rc = model_own(m, b, e)) == EX_OK) {
		add_product(m, op, k, m->params[weight].own, room);
		memset(m->params[b].own, 0, m->params[b].n * sizeof(float));
	}
	free(room);
	return rc;
}

int model_merge_lora(struct model *m, struct err *e)
{
	int rc = EX_OK;

	/* Of operations that share a pair the first merges it, and then its B is zero. */
	for (size_t i = 0; i < m->n_ops && rc == EX_OK; i++)
		for (int k = 0; k < m->ops[i].pairs && rc == EX_OK; k++)
			rc = merge(m, &m->ops[i], k, e);
	return rc;
}

/* ---- in streams ---- */

int lora_print(const struct lora_spec *s, struct strbuf *out, struct err *e)
{
	char number[NUM_MAX];

	for (int i = 0; i < s->ranks; i++)
		strbuf_printf(out, "%s%zu", i == 0 ? "rank=" : ",", s->rank[i]);
	if (s->alpha != 0) {
		num_print(number, s->alpha);
		strbuf_printf(out, " alpha=%s", number);
	}
	if (s->dropout > 0) {
		/* As it was said, not with the digits of a float. */
		snprintf(number, sizeof number, "%.7g", (double)s->dropout);
		strbuf_printf(out, " dropout=%s", number);
	}
	for (size_t i = 0; i < s->targets.n; i++) {
		strbuf_puts(out, i == 0 ? " targets=" : ",");
		strbuf_percent(out, s->targets.s[i]);
	}
	return out->failed ? err_nomem(e) : EX_OK;
}

static bool take_ranks(struct lora_spec *s, const struct strlist *ranks)
{
	if (ranks->n < 1 || ranks->n > OP_PAIRS)
		return false;
	for (size_t i = 0; i < ranks->n; i++) {
		int64_t x;

		if (!num_int(ranks->s[i], &x) || x < 1 || x > LORA_MAX_RANK)
			return false;
		for (int j = 0; j < s->ranks; j++)
			if (s->rank[j] == (size_t)x)
				return false;
		s->rank[s->ranks++] = (size_t)x;
	}
	return true;
}

/* One of the words KEY=VALUE; those that are not known are passed over. */
static int take_word(struct lora_spec *s, const char *key, const char *word, bool *good,
		     struct err *e)
{
	struct strlist parts = { 0 };
	double x = 0;
	int rc = strlist_split(&parts, word, ',', e);

	*good = true;
	if (rc != EX_OK)
		return rc;
	if (strcmp(key, "rank") == 0) {
		*good = take_ranks(s, &parts);
	} else if (strcmp(key, "alpha") == 0) {
		*good = num_real(word, &x) && x > 0 && x <= 1e6;
		s->alpha = x;
	} else if (strcmp(key, "dropout") == 0) {
		*good = num_real(word, &x) && x >= 0 && x < 1;
		s->dropout = (float)x;
	} else {
		for (size_t i = 0; i < parts.n && *good && rc == EX_OK; i++) {
			*good = str_unpercent(parts.s[i]) && parts.s[i][0] != '\0';
			if (*good)
				rc = strlist_add(&s->targets, parts.s[i], e);
		}
	}
	strlist_free(&parts);
	return rc;
}

int lora_parse(struct lora_spec *s, const char *value, struct err *e)
{
	static const char *const keys[] = { "rank", "alpha", "dropout", "targets" };
	bool good = true;
	int rc = EX_OK;

	*s = (struct lora_spec){ 0 };
	for (size_t i = 0; i < sizeof keys / sizeof *keys && rc == EX_OK && good; i++) {
		char *word = meta_word(value, keys[i]);

		if (word != NULL)
			rc = take_word(s, keys[i], word, &good, e);
		free(word);
	}
	if (rc == EX_OK && (!good || s->ranks == 0))
		rc = err_set(e, EX_DATAERR,
			     "the line '##lora %s' is malformed; it is rank=N[,N...] "
			     "alpha=X dropout=P targets=PATTERN[,PATTERN...]",
			     value);
	if (rc != EX_OK)
		lora_free(s);
	return rc;
}

void lora_free(struct lora_spec *s)
{
	strlist_free(&s->targets);
	strlist_free(&s->only);
	*s = (struct lora_spec){ 0 };
}
