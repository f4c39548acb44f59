#include "train/generate.h"

#include <math.h>
#include <stdlib.h>
#include <string.h>

#include "base/mem.h"
#include "model/decode.h"
#include "tensor/kernels.h"

/* A text with the log-probability of its new tokens; of an ended one, its score. */
struct text {
	uint32_t *ids; /* prompt and new tokens */
	size_t n;
	double score;
	size_t parent; /* the live text that it continues, when it is new */
};

/* A prompt on its way. Its live texts are the decoder's sequences first .. first + live. */
struct search {
	size_t prompt, given; /* its number and tokens */
	size_t first, live;
	struct text *text, *next; /* [beams] live texts, and those that follow */
	struct text *ended;       /* [beams] best first */
	size_t n_ended;
	size_t longest;   /* tokens that a text may have */
	struct text *all; /* [3 beams] these */
	uint32_t *ids;    /* and theirs */
	bool done;
};

struct candidate {
	double score;
	size_t text;
	uint32_t token;
};

struct generator {
	const struct model *m;
	const struct generation_options *o;
	const uint32_t *ids;
	const size_t *start;
	size_t n, begun, ended;          /* prompts */
	size_t vocab, batch, rows, keep; /* rows: live texts; keep: candidates of each */
	struct decoder *decoder;
	struct search *search; /* [batch] prompts on their way */
	size_t n_search;
	const struct text **text;     /* [rows] what follows has a row a text */
	double *total;                /* the logarithm of the sum of e^logit */
	struct candidate *candidates; /* [rows, keep] */
	size_t *count;                /* of them */
	struct candidate *best;       /* [keep] of a prompt */
	size_t *from;                 /* for decoder_arrange */
	uint32_t *token;              /* the likeliest; then for decoder_step */
	struct generated *out;
};

/* ---- candidates ---- */

/* Would the token end n tokens that occur in the text already? */
static bool repeats(const struct text *t, size_t n, uint32_t token)
{
	const uint32_t *last;

	if (n == 0 || t->n < n)
		return false;
	last = t->ids + t->n + 1 - n;
	for (size_t i = 0; i + n <= t->n; i++)
		if (t->ids[i + n - 1] == token &&
		    memcmp(t->ids + i, last, (n - 1) * sizeof *last) == 0)
			return true;
	return false;
}

/* Puts a candidate behind those that are as good or better; the last one falls out when
 * there are `keep`. */
static void insert(struct candidate *c, size_t *n, size_t keep, struct candidate new)
{
	size_t i;

	if (*n == keep && !(new.score > c[keep - 1].score))
		return;
	if (*n < keep)
		(*n)++;
	for (i = *n - 1; i > 0 && new.score > c[i - 1].score; i--)
		c[i] = c[i - 1];
	c[i] = new;
}

/* The best `keep` continuations of a text by a token, by their logits. */
static size_t best_tokens(const struct generator *g, const struct text *t, const float *z,
			  struct candidate *c)
{
	size_t n = 0;

	for (size_t j = 0; j < g->vocab; j++) {
		struct candidate new = { .score = (double)z[j], .token = (uint32_t)j };

		if (n == g->keep && !(new.score > c[n - 1].score))
			continue;
		if (!repeats(t, g->o->no_repeat, new.token))
			insert(c, &n, g->keep, new);
	}
	return n;
}

/* ---- one prompt ---- */

static void copy_text(struct text *to, const struct text *from)
{
	memcpy(to->ids, from->ids, from->n * sizeof *to->ids);
	to->n = from->n;
}

/* Remembers a text that ended, if it is among the best. */
static void remember(struct search *s, size_t beams, const struct text *t, uint32_t token,
		     double score)
{
	struct text spare;
	size_t i = s->n_ended < beams ? s->n_ended : beams - 1;

	if (s->n_ended == beams && !(score > s->ended[i].score))
		return;
	if (s->n_ended < beams)
		s->n_ended++;
	spare = s->ended[i];
	for (; i > 0 && score > s->ended[i - 1].score; i--)
		s->ended[i] = s->ended[i - 1];
	copy_text(&spare, t);
	spare.ids[spare.n++] = token;
	spare.score = score;
	s->ended[i] = spare;
}

static void live_on(struct text *to, const struct text *t, const struct candidate *c)
{
	copy_text(to, t);
	to->ids[to->n++] = c->token;
	to->score = c->score;
	to->parent = c->text;
}

static double penalised(double score, size_t tokens, double penalty)
{
	return score / pow((double)tokens, penalty);
}

/* Can the live texts still be better than those that ended? */
static bool may_improve(const struct search *s, const struct generation_options *o)
{
	const struct text *best = &s->text[0];

	if (s->n_ended < o->beams)
		return true;
	return !o->early_stopping &&
	       penalised(best->score, best->n - s->given, o->length_penalty) >
		   s->ended[o->beams - 1].score;
}

/* The texts that follow from the candidates, best first, for beam search. */
static void continue_texts(const struct generator *g, struct search *s,
			   const struct candidate *c, size_t n)
{
	const struct generation_options *o = g->o;
	struct text *spare = s->text;
	size_t live = 0;

	for (size_t i = 0; i < n && live < o->beams; i++) {
		const struct text *t = &s->text[c[i].text];
		size_t made = t->n + 1 - s->given;
		bool ends = c[i].token == o->end || t->n + 1 == s->longest;

		if (!ends)
			live_on(&s->next[live++], t, &c[i]);
		else if (i < o->beams)
			remember(s, o->beams, t, c[i].token,
				 penalised(c[i].score, made, o->length_penalty));
	}
	if (live == 0) {
		s->done = true;
		return;
	}
	s->text = s->next;
	s->next = spare;
	s->live = live;
	s->done = !may_improve(s, o);
}

static void continue_greedily(const struct generator *g, struct search *s,
			      const struct candidate *c)
{
	struct text *t = s->text;

	t->ids[t->n++] = c->token;
	s->done = c->token == g->o->end || t->n == s->longest;
}

/* The candidates of its live texts stand in the rows from `row` on. */
static void advance(const struct generator *g, struct search *s, size_t row)
{
	size_t n = 0;

	for (size_t t = 0; t < s->live; t++, row++)
		for (size_t i = 0; i < g->count[row]; i++) {
			struct candidate new = g->candidates[row * g->keep + i];

			new.text = t;
			new.score += s->text[t].score - g->total[row];
			insert(g->best, &n, g->keep, new);
		}
	if (n == 0)
		s->done = true;
	else if (g->o->beams == 1)
		continue_greedily(g, s, g->best);
	else
		continue_texts(g, s, g->best, n);
}

/* ---- prompts on their way ---- */

static void free_search(struct search *s)
{
	free(s->all);
	free(s->ids);
}

static int start_search(struct generator *g, struct search *s, size_t prompt, struct err *e)
{
	size_t beams = g->o->beams, cells, room = g->m->config.positions;

	*s = (struct search){ .prompt = prompt, .live = 1 };
	s->given = g->start[prompt + 1] - g->start[prompt];
	s->longest = g->o->max_new < room - s->given ? s->given + g->o->max_new : room;
	if (!mem_mul(3 * beams, s->longest, &cells))
		return err_nomem(e);
	s->all = mem_zeros(3 * beams, sizeof *s->all);
	s->ids = mem_zeros(cells, sizeof *s->ids);
	if (s->all == NULL || s->ids == NULL) {
		free_search(s);
		return err_nomem(e);
	}
	for (size_t i = 0; i < 3 * beams; i++)
		s->all[i].ids = s->ids + i * s->longest;
	s->text = s->all;
	s->next = s->all + beams;
	s->ended = s->all + 2 * beams;
	s->text->n = s->given;
	memcpy(s->ids, g->ids + g->start[prompt], s->given * sizeof *s->ids);
	return EX_OK;
}

/* Stores the answer. */
static int finish(struct generator *g, const struct search *s, struct err *e)
{
	const struct text *t = s->n_ended > 0 ? s->ended : s->text;
	struct continuation *c = &g->out->of[s->prompt];

	c->n = t->n - s->given;
	c->ids = mem_zeros(c->n, sizeof *c->ids);
	if (c->ids == NULL)
		return err_nomem(e);
	memcpy(c->ids, t->ids + s->given, c->n * sizeof *c->ids);
	g->out->tokens += c->n;
	g->ended++;
	return EX_OK;
}

/* Drops the prompts that are done, and brings the decoder's sequences into the order of the
 * live texts. */
static int settle(struct generator *g, struct err *e)
{
	size_t rows = 0, left = 0, n = g->n_search;
	int rc = EX_OK;

	for (size_t i = 0; i < n; i++) {
		struct search *s = &g->search[i];

		if (s->done && rc == EX_OK)
			rc = finish(g, s, e);
		if (s->done) {
			free_search(s);
			continue;
		}
		for (size_t t = 0; t < s->live; t++) {
			g->from[rows + t] = s->first + s->text[t].parent;
			g->token[rows + t] = s->text[t].ids[s->text[t].n - 1];
			s->text[t].parent = t;
		}
		s->first = rows;
		rows += s->live;
		g->search[left++] = *s;
	}
	g->n_search = left;
	return rc != EX_OK ? rc : decoder_arrange(g->decoder, rows, g->from, e);
}

/* Continues the prompts from number `first` on by a token; `logits` has a row for each of
 * their texts. */
static int continue_all(struct generator *g, size_t first, const float *logits,
			struct err *e)
{
	size_t rows = 0;

	for (size_t i = first; i < g->n_search; i++)
		for (size_t t = 0; t < g->search[i].live; t++)
			g->text[rows++] = &g->search[i].text[t];
	if (!vec_finite(g->m->k, rows * g->vocab, logits))
		return err_set(e, EX_DATAERR,
			       "%s: its logits are not finite; are its weights?",
			       g->m->dir);
#pragma omp parallel for schedule(static)
	for (size_t r = 0; r < rows; r++) {
		struct candidate *c = g->candidates + r * g->keep;

		g->count[r] = best_tokens(g, g->text[r], logits + r * g->vocab, c);
		g->token[r] = g->count[r] > 0 ? c->token : 0;
	}
	if (g->o->beams > 1)
		cross_entropy_forward(g->m->k, rows, g->vocab, logits, g->token, g->total);
	for (size_t r = 0; r < rows && g->o->beams > 1; r++)
		g->total[r] += (double)logits[r * g->vocab + g->token[r]];
	rows = 0;
	for (size_t i = first; i < g->n_search; i++) {
		size_t live = g->search[i].live;

		advance(g, &g->search[i], rows);
		rows += live;
	}
	return settle(g, e);
}

/* Takes up as many prompts as there is room for. */
static int begin_prompts(struct generator *g, struct err *e)
{
	size_t first = g->n_search, begin = g->begun;
	const float *logits;
	int rc = EX_OK;

	while (g->n_search < g->batch && g->begun < g->n && rc == EX_OK) {
		struct search *s = &g->search[g->n_search];

		if ((rc = start_search(g, s, g->begun, e)) != EX_OK)
			return rc;
		s->first = decoder_live(g->decoder) + g->n_search - first;
		g->n_search++;
		g->begun++;
	}
	if (g->begun == begin)
		return EX_OK;
	rc =
	    decoder_add(g->decoder, g->begun - begin, g->ids, g->start + begin, &logits, e);
	return rc != EX_OK ? rc : continue_all(g, first, logits, e);
}

static int run(struct generator *g, struct progress *progress, struct err *e)
{
	const float *logits;
	int rc = EX_OK;

	while (g->ended < g->n && rc == EX_OK) {
		rc = begin_prompts(g, e);
		if (rc == EX_OK && g->n_search > 0)
			rc = decoder_step(g->decoder, g->token, &logits, e);
		if (rc == EX_OK && g->n_search > 0)
			rc = continue_all(g, 0, logits, e);
		if (rc == EX_OK && progress != NULL)
			progress_step(progress, g->ended, NULL);
	}
	return rc;
}

/* ---- all of them ---- */

static int check(const struct generator *g, struct err *e)
{
	const struct generation_options *o = g->o;
	size_t room = g->m->config.positions;

	if (!g->m->language)
		return err_set(e, EX_USAGE,
			       "%s: not opened as a model that predicts the next token; "
			       "only such a model generates text",
			       g->m->dir);
	if (o->beams == 0 || o->max_new == 0 || o->batch == 0)
		return err_set(e, EX_USAGE,
			       "%zu beams, %zu new tokens, %zu prompts at once: each is "
			       "at least 1",
			       o->beams, o->max_new, o->batch);
	if (!isfinite(o->length_penalty))
		return err_set(e, EX_USAGE, "a length penalty of %g", o->length_penalty);
	for (size_t i = 0; i < g->n; i++) {
		if (g->start[i + 1] <= g->start[i])
			return err_set(e, EX_USAGE, "prompt %zu has no tokens", i + 1);
		if (g->start[i + 1] - g->start[i] >= room)
			return err_set(e, EX_DATAERR,
				       "%s: prompt %zu has %zu tokens, but the model's "
				       "longest text %zu: nothing can follow",
				       g->m->dir, i + 1, g->start[i + 1] - g->start[i],
				       room);
	}
	return EX_OK;
}

static int reserve(struct generator *g, struct err *e)
{
	size_t cells;

	g->batch = g->o->batch < g->n ? g->o->batch : g->n;
	if (g->o->beams > SIZE_MAX / 8 || !mem_mul(g->batch, g->o->beams, &g->rows))
		return err_nomem(e);
	g->keep = g->o->beams == 1 ? 1 : 2 * g->o->beams;
	if (!mem_mul(g->rows, g->keep, &cells))
		return err_nomem(e);
	g->search = mem_zeros(g->batch, sizeof *g->search);
	g->text = mem_zeros(g->rows, sizeof *g->text);
	g->total = mem_zeros(g->rows, sizeof *g->total);
	g->candidates = mem_zeros(cells, sizeof *g->candidates);
	g->count = mem_zeros(g->rows, sizeof *g->count);
	g->best = mem_zeros(g->keep, sizeof *g->best);
	g->from = mem_zeros(g->rows, sizeof *g->from);
	g->token = mem_zeros(g->rows, sizeof *g->token);
	g->out->of = mem_zeros(g->n, sizeof *g->out->of);
	if (g->search == NULL || g->text == NULL || g->total == NULL ||
	    g->candidates == NULL || g->count == NULL || g->best == NULL ||
	    g->from == NULL || g->token == NULL || g->out->of == NULL)
		return err_nomem(e);
	g->out->n = g->n;
	return EX_OK;
}

static int open_decoder(struct generator *g, struct err *e)
{
	size_t longest = 0, room = g->m->config.positions;

	for (size_t i = 0; i < g->n; i++)
		if (g->start[i + 1] - g->start[i] > longest)
			longest = g->start[i + 1] - g->start[i];
	if (g->o->max_new < room - longest)
		room = longest + g->o->max_new;
	return decoder_open(&g->decoder, g->m, g->rows, room, e);
}

static void release(struct generator *g)
{
	decoder_close(g->decoder);
	for (size_t i = 0; i < g->n_search; i++)
		free_search(&g->search[i]);
	free(g->search);
	free(g->text);
	free(g->total);
	free(g->candidates);
	free(g->count);
	free(g->best);
	free(g->from);
	free(g->token);
}

int generate(struct generated *out, const struct model *m, const uint32_t *ids,
	     const size_t *start, size_t n, const struct generation_options *o,
	     struct progress *progress, struct err *e)
{
	struct generator g = { .m = m, .o = o, .ids = ids, .start = start, .n = n };
	int rc;

	*out = (struct generated){ 0 };
	g.out = out;
	g.vocab = m->slots[m->logits].width;
	rc = check(&g, e);
	if (rc != EX_OK || n == 0)
		return rc;
	rc = reserve(&g, e);
	if (rc == EX_OK)
		rc = open_decoder(&g, e);
	if (rc == EX_OK)
		rc = run(&g, progress, e);
	release(&g);
	if (rc != EX_OK)
		generated_free(out);
	return rc;
}

void generated_free(struct generated *g)
{
	for (size_t i = 0; i < g->n; i++)
		free(g->of[i].ids);
	free(g->of);
	*g = (struct generated){ 0 };
}
