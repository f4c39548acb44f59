#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#include <cmocka.h>

#include "../tiny.h"
#include "base/mem.h"
#include "model/lora.h"
#include "peft/group.h"

#define QUERY "bert.encoder.layer.1.attention.self.query.weight"

static void divide(struct partition *p, const struct model *m, enum grouping by)
{
	struct err e;

	if (partition_make(p, m, by, NULL, &e) != EX_OK)
		fail_msg("%s", e.text);
}

/* The group that a parameter is in. */
static const struct group *group_of(const struct partition *p, const struct model *m,
				    const char *tensor)
{
	int i = model_find(m, tensor);

	assert_true(i >= 0);
	for (size_t k = 0; k < p->n; k++) {
		for (size_t j = 0; j < p->g[k].n; j++) {
			if (p->g[k].member[j].param == (size_t)i)
				return &p->g[k];
		}
	}
	fail_msg("%s is in no group", tensor);
	return NULL;
}

/* Every element is in one member, and members are runs of increasing elements. */
static void all_elements_once(const struct partition *p, const struct model *m)
{
	for (size_t i = 0; i < m->n_params; i++) {
		unsigned char *seen = mem_zeros(m->params[i].n, 1);

		for (size_t k = 0; k < p->n; k++) {
			const struct group *g = &p->g[k];

			for (size_t j = 0; j < g->n; j++) {
				const struct member *x = &g->member[j];

				for (size_t a = 0; x->param == i && a < x->n; a++)
					assert_int_equal(seen[x->from + a]++, 0);
				if (j > 0 && x[-1].param == x->param)
					assert_true(x[-1].from + x[-1].n < x->from);
			}
		}
		for (size_t a = 0; a < m->params[i].n; a++)
			assert_int_equal(seen[a], 1);
		free(seen);
	}
}

static void every_parameter_is_in_exactly_one_group(void **state)
{
	struct model m;

	(void)state;
	tiny_model(&m, "tiny-bert");
	for (enum grouping by = BY_TENSOR; by < BY_FILE; by++) {
		struct partition p;
		uint64_t params = 0;
		size_t members = 0;

		divide(&p, &m, by);
		all_elements_once(&p, &m);
		for (size_t k = 0; k < p.n; k++) {
			members += p.g[k].n;
			params += p.g[k].params;
		}
		assert_true(by == BY_ROW ? members == p.n : members == m.n_params);
		assert_true(params == model_params(&m));
		partition_free(&p);
	}
	model_close(&m);
}

static void groups_have_the_names_of_the_stream_format(void **state)
{
	static const struct {
		enum grouping by;
		const char *tensor, *name, *type, *layer;
		uint64_t params;
	} cases[] = {
		{ BY_TENSOR, QUERY, QUERY, "attn", "1", 256 },
		{ BY_MODULE, QUERY, "bert.encoder.layer.1.attention.self.query", "mixed",
		  "1", 272 },
		{ BY_LAYER, QUERY, "encoder.layer.1", "mixed", "1", 2224 },
		{ BY_LAYER, "bert.embeddings.LayerNorm.bias", "embeddings", "mixed",
		  "embed", 1568 },
		{ BY_LAYER, "classifier.weight", "head", "head", "head", 306 },
		{ BY_TYPE, "bert.embeddings.LayerNorm.bias", "norm", "norm", "mixed", 160 },
		{ BY_LAYER_TYPE, QUERY, "encoder.layer.1/attn", "attn", "1", 1024 },
		{ BY_LAYER_TYPE, "bert.embeddings.LayerNorm.bias", "embeddings/norm",
		  "norm", "embed", 32 },
		{ BY_LAYER_TYPE, "classifier.bias", "head/head", "head", "head", 306 },
	};
	struct model m;

	(void)state;
	tiny_model(&m, "tiny-bert");
	for (size_t i = 0; i < sizeof cases / sizeof cases[0]; i++) {
		const struct group *g;
		struct partition p;

		divide(&p, &m, cases[i].by);
		g = group_of(&p, &m, cases[i].tensor);
		assert_string_equal(g->name, cases[i].name);
		assert_string_equal(g->type, cases[i].type);
		assert_string_equal(g->layer, cases[i].layer);
		assert_true(g->params == cases[i].params);
		partition_free(&p);
	}
	model_close(&m);
}

static void modules_keep_the_checkpoints_spelling(void **state)
{
	struct partition p;
	struct model m;

	(void)state;
	tiny_model(&m, "tiny-bert-bare");
	divide(&p, &m, BY_MODULE);
	assert_string_equal(group_of(&p, &m, QUERY)->name,
			    "encoder.layer.1.attention.self.query");
	partition_free(&p);
	model_close(&m);
}

static void groupings_have_names(void **state)
{
	enum grouping by;

	(void)state;
	assert_true(grouping_named("layer-type", &by));
	assert_int_equal(by, BY_LAYER_TYPE);
	assert_string_equal(grouping_name(by), "layer-type");
	assert_false(grouping_named("layers", &by));
}

/* ---- groups files ---- */

static void write_rules(const char *path, const char *text)
{
	FILE *f = fopen(path, "w");

	assert_non_null(f);
	fputs(text, f);
	assert_int_equal(fclose(f), 0);
}

/* Reads `text` as a groups file and divides tiny-bert by it. */
static int by_rules(struct partition *p, const struct model *m, const char *text,
		    struct err *e)
{
	char path[] = P_tmpdir "/adapeft-groups-XXXXXX";
	int fd = mkstemp(path), rc;

	assert_true(fd >= 0);
	close(fd);
	write_rules(path, text);
	rc = partition_read(p, m, path, e);
	unlink(path);
	return rc;
}

static void the_first_rule_that_matches_wins(void **state)
{
	struct partition p;
	struct model m;
	struct err e;

	(void)state;
	tiny_model(&m, "tiny-bert");
	assert_int_equal(by_rules(&p, &m,
				  "# what trains\n"
				  "*.bias\tall biases\n"
				  "classifier.*\ttop\r\n"
				  "\n"
				  "*\trest",
				  &e),
			 EX_OK);
	assert_int_equal(p.n, 3);
	assert_string_equal(group_of(&p, &m, "classifier.bias")->name, "all biases");
	assert_string_equal(group_of(&p, &m, "classifier.weight")->name, "top");
	assert_string_equal(group_of(&p, &m, QUERY)->name, "rest");
	partition_free(&p);
	model_close(&m);
}

static void patterns_count_with_and_without_the_prefix(void **state)
{
	static const char *const checkpoints[] = { "tiny-bert", "tiny-bert-bare" };
	const char *text =
	    "bert.encoder.layer.0.*\tlower\nencoder.layer.1.*\tupper\n*\trest\n";

	(void)state;
	for (int i = 0; i < 2; i++) {
		struct partition p;
		struct model m;
		struct err e;

		tiny_model(&m, checkpoints[i]);
		assert_int_equal(by_rules(&p, &m, text, &e), EX_OK);
		assert_int_equal(p.n, 3);
		assert_string_equal(group_of(&p, &m, QUERY)->name, "upper");
		partition_free(&p);
		model_close(&m);
	}
}

static void bad_rules_are_told(void **state)
{
	static const struct {
		const char *text;
		int code;
		const char *says;
	} cases[] = {
		{ "*\trest\nno tab here\n", EX_DATAERR, ":2: a rule is PATTERN<tab>GROUP" },
		{ "\tgroup\n", EX_DATAERR, ":1: " },
		{ "*\t\n", EX_DATAERR, ":1: " },
		{ "*\ta\tb\n", EX_DATAERR, ":1: " },
		{ "*\ta\033[2Jb\n", EX_DATAERR, ":1: " },
		{ "# nothing\n", EX_DATAERR, "no rules" },
		{ "*.bias\tb\n", EX_DATAERR, "no rule of the groups file matches" },
		{ "*.bias\tb\n*.clasifier.weight\tb\n*\tr\n", EX_USAGE,
		  ":2: the pattern '*.clasifier.weight' matches no tensor" },
		{ "clasifier.weight\tb\n*\tr\n", EX_USAGE,
		  "did you mean classifier.weight" },
		{ "*\tr\nclassifier.weight[1:1]\tb\n", EX_DATAERR, ":2: " },
		{ "classifier.weight[1:0]\tb\n", EX_DATAERR, ":1: " },
		{ "classifier.weight[:]\tb\n", EX_DATAERR, ":1: " },
		{ "classifier.weight[-1:1]\tb\n", EX_DATAERR, ":1: " },
		{ "classifier.weight[0:1x]\tb\n", EX_DATAERR, ":1: " },
		{ "[0:1]\tb\n", EX_DATAERR, ":1: " },
		{ "classifier.weight[0:99999999999999999999]\tb\n", EX_DATAERR, ":1: " },
		{ "# a\n\nclassifier.weight[0:3]\tb\n*\tr\n", EX_DATAERR,
		  ":3: 'classifier.weight[0:3]': classifier.weight has 2 rows" },
		{ "classifier.weight[2:]\tb\n*\tr\n", EX_DATAERR, "has 2 rows" },
		{ "classifier.bias[0:2]\tb\n*\tr\n", EX_DATAERR, "has 1 row," },
		{ "classifier.weight[:1]\tb\n[!c]*\tr\n*.bias\tr\n", EX_DATAERR,
		  "classifier.weight, row 1 of 2" },
	};
	struct model m;

	(void)state;
	tiny_model(&m, "tiny-bert");
	for (size_t i = 0; i < sizeof cases / sizeof cases[0]; i++) {
		struct partition p;
		struct err e;

		assert_int_equal(by_rules(&p, &m, cases[i].text, &e), cases[i].code);
		if (strstr(e.text, cases[i].says) == NULL)
			fail_msg("case %zu: %s", i, e.text);
	}
	model_close(&m);
}

static void rules_may_name_rows(void **state)
{
	const struct group *top;
	struct partition p;
	struct model m;
	struct err e;

	(void)state;
	tiny_model(&m, "tiny-bert");
	if (by_rules(&p, &m,
		     "encoder.layer.*.query.weight[4:6]\tfew\n"
		     "*.query.weight[:8]\tlower\n"
		     "*.query.weight[6:]\tupper\n"
		     "classifier.weight[1:]\tfew\n"
		     "classifier.bia[[:alpha:]]\tfew\n"
		     "*\trest\n",
		     &e) != EX_OK)
		fail_msg("%s", e.text);
	all_elements_once(&p, &m);
	for (size_t k = 0; k < p.n; k++) {
		const char *name = p.g[k].name;
		size_t params = strcmp(name, "few") == 0     ? 2 * 2 * 16 + 16 + 2
				: strcmp(name, "lower") == 0 ? 2 * 6 * 16
				: strcmp(name, "upper") == 0 ? 2 * 8 * 16
							     : p.g[k].params;

		assert_int_equal(p.g[k].params, params);
	}
	top = group_of(&p, &m, "classifier.bias");
	assert_string_equal(top->name, "few");
	assert_int_equal(top->n, 4);
	assert_string_equal(top->type, "mixed");
	assert_int_equal(top->member[0].from, 4 * 16);
	assert_int_equal(top->member[0].n, 2 * 16);
	partition_free(&p);
	model_close(&m);
}

static void rows_are_groups_of_their_own(void **state)
{
	static const char *const families[] = { "tiny-bert", "tiny-distilbert",
						"tiny-roberta", "tiny-gpt2", "tiny-vit" };

	(void)state;
	for (size_t f = 0; f < sizeof families / sizeof families[0]; f++) {
		const struct head_spec head = { .may_be_new = true };
		struct partition p;
		struct model m;
		struct err e;
		size_t k = 0;

		if (model_open(&m, fixture(families[f]), &head, &e) != EX_OK)
			fail_msg("%s", e.text);
		divide(&p, &m, BY_ROW);
		for (size_t i = 0; i < m.n_params; i++) {
			const struct param *x = &m.params[i];
			size_t rows = x->ndim > 1 ? x->shape[0] : 1;

			for (size_t r = 0; r < rows; r++, k++) {
				char name[256];

				snprintf(name, sizeof name, "%s[%zu]", x->name, r);
				assert_string_equal(p.g[k].name,
						    x->ndim > 1 ? name : x->name);
				assert_string_equal(p.g[k].type, param_type_name(x->type));
				assert_int_equal(p.g[k].params, x->n / rows);
				assert_int_equal(p.g[k].member[0].from, r * (x->n / rows));
			}
		}
		assert_int_equal(k, p.n);
		partition_free(&p);
		model_close(&m);
	}
}

static void rows_are_chosen_as_runs(void **state)
{
	struct strlist names = { 0 };
	struct partition p;
	struct selection s;
	struct model m;
	size_t i;

	(void)state;
	tiny_model(&m, "tiny-bert");
	divide(&p, &m, BY_ROW);
	assert_int_equal(selection_init(&s, &m, NULL), EX_OK);
	for (int r = 5; r >= 1; r -= r == 3 ? 2 : 1) {
		char name[128];

		snprintf(name, sizeof name, "%s[%d]", QUERY + strlen("bert."), r);
		assert_int_equal(strlist_add(&names, name, NULL), EX_OK);
	}
	assert_int_equal(partition_choose(&p, &m, &names, &s, NULL), EX_OK);
	i = (size_t)model_find(&m, QUERY);
	assert_int_equal(selection_params(&s, NULL), 1);
	assert_int_equal(s.of[i].n, 2);
	assert_int_equal(s.of[i].run[0].from, 16);
	assert_int_equal(s.of[i].run[0].n, 16);
	assert_int_equal(s.of[i].run[1].from, 3 * 16);
	assert_int_equal(s.of[i].run[1].n, 3 * 16);
	assert_int_equal(s.of[i].elements, 4 * 16);
	strlist_free(&names);
	selection_free(&s);
	partition_free(&p);
	model_close(&m);
}

static void a_groups_file_that_is_not_there_is_told(void **state)
{
	struct partition p;
	struct model m;
	struct err e;

	(void)state;
	tiny_model(&m, "tiny-bert");
	assert_int_equal(partition_read(&p, &m, "no/such/file", &e), EX_NOINPUT);
	model_close(&m);
}

static void a_partition_travels_in_a_head(void **state)
{
	struct meta_list head = { 0 };
	struct partition p, q;
	struct model m;
	struct err e;

	(void)state;
	tiny_model(&m, "tiny-bert");
	assert_int_equal(by_rules(&p, &m, "*.bias\tall biases\n*\trest\n", &e), EX_OK);
	assert_int_equal(partition_describe(&p, &head, &e), EX_OK);
	assert_int_equal(partition_from(&q, &m, &head, &e), EX_OK);
	assert_int_equal(q.n, p.n);
	for (size_t k = 0; k < p.n; k++) {
		assert_string_equal(q.g[k].name, p.g[k].name);
		assert_true(q.g[k].params == p.g[k].params);
	}
	meta_free(&head);
	partition_free(&p);
	partition_free(&q);
	model_close(&m);
}

static void a_head_that_says_nothing_means_tensors(void **state)
{
	const struct meta_list head = { 0 };
	struct partition p;
	struct model m;

	(void)state;
	tiny_model(&m, "tiny-bert");
	assert_int_equal(partition_from(&p, &m, &head, NULL), EX_OK);
	assert_int_equal(p.n, m.n_params);
	partition_free(&p);
	model_close(&m);
}

static void malformed_heads_are_refused(void **state)
{
	static const char *const lines[][2] = { { "groups", "columns" },
						{ "group", "no tab" },
						{ "group", "a\tb\tc" } };
	struct model m;

	(void)state;
	tiny_model(&m, "tiny-bert");
	for (int i = 0; i < 3; i++) {
		struct meta_list head = { 0 };
		struct partition p;
		struct err e;

		assert_int_equal(meta_add(&head, lines[i][0], lines[i][1], &e), EX_OK);
		if (i > 0)
			assert_int_equal(meta_add(&head, "groups", "file", &e), EX_OK);
		assert_int_equal(partition_from(&p, &m, &head, &e), EX_DATAERR);
		meta_free(&head);
	}
	model_close(&m);
}

/* ---- choosing ---- */

static size_t marked(const struct model *m, const bool *wanted)
{
	size_t n = 0;

	for (size_t i = 0; i < m->n_params; i++)
		n += wanted[i];
	return n;
}

static int choose(const char *checkpoint, const char *group, size_t *n, struct err *e)
{
	struct strlist names = { 0 };
	struct partition p;
	struct model m;
	struct selection s;
	int rc;

	tiny_model(&m, checkpoint);
	divide(&p, &m, BY_TENSOR);
	assert_int_equal(selection_init(&s, &m, e), EX_OK);
	assert_int_equal(strlist_add(&names, group, e), EX_OK);
	rc = partition_choose(&p, &m, &names, &s, e);
	*n = selection_params(&s, NULL);
	if (rc == EX_OK) {
		int i = model_find(&m, group);

		assert_int_equal(s.of[i].elements, m.params[i].n);
	}
	selection_free(&s);
	strlist_free(&names);
	partition_free(&p);
	model_close(&m);
	return rc;
}

static void groups_are_chosen_by_name_whatever_the_prefix(void **state)
{
	struct err e;
	size_t n;

	(void)state;
	assert_int_equal(choose("tiny-bert", QUERY, &n, &e), EX_OK);
	assert_int_equal(n, 1);
	assert_int_equal(choose("tiny-bert", QUERY + strlen("bert."), &n, &e), EX_OK);
	assert_int_equal(n, 1);
	assert_int_equal(choose("tiny-bert-bare", QUERY, &n, &e), EX_OK);
	assert_int_equal(n, 1);
}

static void an_unknown_group_is_told_with_near_ones(void **state)
{
	struct err e;
	size_t n;

	(void)state;
	assert_int_equal(choose("tiny-bert", "clasifier.bias", &n, &e), EX_DATAERR);
	assert_non_null(strstr(e.text, "no group 'clasifier.bias'"));
	assert_non_null(strstr(e.text, "did you mean classifier.bias"));
}

static void presets_mark_what_they_name(void **state)
{
	static const struct {
		const char *name;
		size_t n;
	} presets[] = {
		{ "full", 41 }, /* 5 of embeddings, 16 a layer, 4 of the head */
		{ "head", 4 },
		{ "bitfit", 21 }, /* 8 biases a layer, the embeddings' norm's, the head */
		{ "norm", 14 },   /* 5 norms of two tensors, the head */
	};
	struct model m;
	struct err e;

	(void)state;
	tiny_model(&m, "tiny-bert");
	for (size_t i = 0; i < sizeof presets / sizeof presets[0]; i++) {
		bool *wanted = mem_zeros(m.n_params, sizeof *wanted);

		if (params_preset(&m, presets[i].name, wanted, &e) != EX_OK)
			fail_msg("%s", e.text);
		if (marked(&m, wanted) != presets[i].n)
			fail_msg("%s marks %zu", presets[i].name, marked(&m, wanted));
		free(wanted);
	}
	assert_int_equal(params_preset(&m, "lora", NULL, &e), EX_USAGE);
	model_close(&m);
}

static void patterns_mark_tensors(void **state)
{
	struct strlist patterns = { 0 };
	struct model m;
	struct err e;
	bool *wanted;

	(void)state;
	tiny_model(&m, "tiny-bert");
	wanted = mem_zeros(m.n_params, sizeof *wanted);
	assert_int_equal(strlist_split(&patterns, "*.LayerNorm.*,classifier.bias", ',', &e),
			 EX_OK);
	assert_int_equal(params_matching(&m, &patterns, wanted, &e), EX_OK);
	assert_int_equal(marked(&m, wanted), 11);
	assert_int_equal(strlist_add(&patterns, "*.LayrNorm.*", &e), EX_OK);
	assert_int_equal(params_matching(&m, &patterns, wanted, &e), EX_USAGE);
	assert_non_null(strstr(e.text, "'*.LayrNorm.*' matches no tensor"));
	strlist_free(&patterns);
	free(wanted);
	model_close(&m);
}

/* tiny-bert with pairs of these ranks. */
static void model_with_pairs(struct model *m, const char *lora)
{
	struct lora_spec s;
	struct head_spec head = { .lora = &s };
	struct err e;

	if (lora_parse(&s, lora, &e) != EX_OK ||
	    model_open(m, fixture("tiny-bert"), &head, &e) != EX_OK)
		fail_msg("%s", e.text);
	lora_free(&s);
}

static void a_pair_is_a_group_apart_from_its_module(void **state)
{
	const char *tensor = "encoder.layer.1.attention.self.query.lora_B.weight";
	const char *by[] = { "bert.encoder.layer.1.attention.self.query.lora_B.weight",
			     "bert.encoder.layer.1.attention.self.query.lora",
			     "encoder.layer.1", "lora_B", "encoder.layer.1/lora_B" };
	const size_t params[] = { 32, 64, 2352, 128, 64 };
	struct partition p;
	struct model m;

	(void)state;
	model_with_pairs(&m, "rank=2");
	for (enum grouping g = BY_TENSOR; g < BY_ROW; g++) {
		divide(&p, &m, g);
		assert_string_equal(group_of(&p, &m, tensor)->name, by[g]);
		assert_int_equal(group_of(&p, &m, tensor)->params, params[g]);
		assert_null(group_of(&p, &m, tensor)->choice);
		partition_free(&p);
	}
	divide(&p, &m, BY_MODULE);
	assert_string_equal(group_of(&p, &m, QUERY)->name,
			    "bert.encoder.layer.1.attention.self.query");
	assert_int_equal(group_of(&p, &m, QUERY)->n, 2);
	partition_free(&p);
	model_close(&m);
}

static void of_several_ranks_one_is_chosen(void **state)
{
	const char *two = "encoder.layer.1.attention.self.query.lora_A.r2.weight";
	const char *four = "encoder.layer.1.attention.self.query.lora_B.r4.weight";
	const char *module = "bert.encoder.layer.1.attention.self.query.lora";
	struct partition p;
	struct model m;

	(void)state;
	model_with_pairs(&m, "rank=2,4");
	divide(&p, &m, BY_MODULE);
	assert_string_equal(group_of(&p, &m, two)->name,
			    "bert.encoder.layer.1.attention.self.query.lora.r2");
	assert_string_equal(group_of(&p, &m, four)->name,
			    "bert.encoder.layer.1.attention.self.query.lora.r4");
	assert_string_equal(group_of(&p, &m, two)->choice, module);
	assert_string_equal(group_of(&p, &m, four)->choice, module);
	assert_null(group_of(&p, &m, QUERY)->choice);
	partition_free(&p);
	/* A and B of one rank go together, so tensors exclude nothing. */
	divide(&p, &m, BY_TENSOR);
	assert_null(group_of(&p, &m, two)->choice);
	partition_free(&p);
	model_close(&m);
}

static void presets_of_pairs_take_no_others_in(void **state)
{
	static const struct {
		const char *name;
		size_t n;
	} presets[] = {
		{ "full", 41 }, { "head", 4 },  { "bitfit", 21 },
		{ "norm", 14 }, { "lora", 12 }, { "lora+bias", 29 },
	};
	struct model m;

	(void)state;
	model_with_pairs(&m, "rank=2");
	for (size_t i = 0; i < sizeof presets / sizeof presets[0]; i++) {
		bool *wanted = mem_zeros(m.n_params, sizeof *wanted);

		assert_int_equal(params_preset(&m, presets[i].name, wanted, NULL), EX_OK);
		if (marked(&m, wanted) != presets[i].n)
			fail_msg("%s marks %zu", presets[i].name, marked(&m, wanted));
		free(wanted);
	}
	model_close(&m);
}

static void patterns_mean_pairs_too(void **state)
{
	static const struct {
		const char *pattern;
		size_t n;
	} cases[] = {
		{ "*.lora", 0 },
		{ "*.lora.r2", 8 },
		{ "encoder.layer.0.*.query.lora.r4", 2 },
		{ "*.lora_B.*", 8 },
		{ "bert.encoder.layer.1.attention.self.value.lora*", 4 },
	};
	struct model m;

	(void)state;
	model_with_pairs(&m, "rank=2,4");
	for (size_t i = 0; i < sizeof cases / sizeof cases[0]; i++) {
		bool *wanted = mem_zeros(m.n_params, sizeof *wanted);
		struct strlist patterns = { 0 };
		int rc;

		assert_int_equal(strlist_add(&patterns, cases[i].pattern, NULL), EX_OK);
		rc = params_matching(&m, &patterns, wanted, NULL);
		assert_int_equal(rc, cases[i].n == 0 ? EX_USAGE : EX_OK);
		if (marked(&m, wanted) != cases[i].n)
			fail_msg("%s marks %zu", cases[i].pattern, marked(&m, wanted));
		strlist_free(&patterns);
		free(wanted);
	}
	model_close(&m);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(every_parameter_is_in_exactly_one_group),
		cmocka_unit_test(groups_have_the_names_of_the_stream_format),
		cmocka_unit_test(modules_keep_the_checkpoints_spelling),
		cmocka_unit_test(groupings_have_names),
		cmocka_unit_test(the_first_rule_that_matches_wins),
		cmocka_unit_test(patterns_count_with_and_without_the_prefix),
		cmocka_unit_test(bad_rules_are_told),
		cmocka_unit_test(rules_may_name_rows),
		cmocka_unit_test(rows_are_groups_of_their_own),
		cmocka_unit_test(rows_are_chosen_as_runs),
		cmocka_unit_test(a_groups_file_that_is_not_there_is_told),
		cmocka_unit_test(a_partition_travels_in_a_head),
		cmocka_unit_test(a_head_that_says_nothing_means_tensors),
		cmocka_unit_test(malformed_heads_are_refused),
		cmocka_unit_test(groups_are_chosen_by_name_whatever_the_prefix),
		cmocka_unit_test(an_unknown_group_is_told_with_near_ones),
		cmocka_unit_test(presets_mark_what_they_name),
		cmocka_unit_test(patterns_mark_tensors),
		cmocka_unit_test(a_pair_is_a_group_apart_from_its_module),
		cmocka_unit_test(of_several_ranks_one_is_chosen),
		cmocka_unit_test(presets_of_pairs_take_no_others_in),
		cmocka_unit_test(patterns_mean_pairs_too),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
