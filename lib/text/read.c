#include "text/read.h"

#include <stdlib.h>
#include <string.h>

#include "base/mem.h"
#include "base/str.h"
#include "io/file.h"

static const char *const file_names[TOKENIZER_FILES] = {
	"vocab.txt",
	"tokenizer.json",
	"tokenizer_config.json",
	"special_tokens_map.json",
	"added_tokens.json",
	"vocab.json",
	"merges.txt",
};

static bool one_of(const char *name, const char *const *list)
{
	for (; *list != NULL; list++)
		if (strcmp(name, *list) == 0)
			return true;
	return false;
}

/* A file that may be absent. */
static int open_json(struct json_file *f, const char *dir, const char *name, struct err *e)
{
	int status;

	f->path = file_join(dir, name);
	if (f->path == NULL)
		return err_nomem(e);
	if (!file_exists(f->path))
		return EX_OK;
	status = js_load(&f->json, f->path, e);
	if (status == EX_OK && !json_is_object(f->json))
		return err_set(e, EX_DATAERR, "%s: not an object", f->path);
	return status;
}

static void close_json(struct json_file *f)
{
	free(f->path);
	json_decref(f->json);
}

/* ---- which tokenizer ------------------------------------------------------------------
 */

/* The class of tokenizers that transformers takes for a name of a class, or for a
 * model type. */
static enum rebuilt rebuilt_as(const char *name, bool is_type)
{
	static const char *const classes[][32] = {
		[REBUILT_BERT] = { "BertTokenizer", "BertTokenizerFast",
				   "DistilBertTokenizer", "DistilBertTokenizerFast",
				   "ElectraTokenizer", "ElectraTokenizerFast",
				   "ConvBertTokenizer", "ConvBertTokenizerFast",
				   "LayoutLMTokenizer", "LayoutLMTokenizerFast",
				   "MobileBertTokenizer", "MobileBertTokenizerFast",
				   "SqueezeBertTokenizer", "SqueezeBertTokenizerFast" },
		[REBUILT_GPT2] = { "GPT2Tokenizer", "GPT2TokenizerFast" },
		[REBUILT_ROBERTA] = { "RobertaTokenizer", "RobertaTokenizerFast",
				      "BartTokenizer", "BartTokenizerFast", "LEDTokenizer",
				      "LEDTokenizerFast", "LongformerTokenizer",
				      "LongformerTokenizerFast", "MvpTokenizer",
				      "MvpTokenizerFast" },
	};
	static const char *const types[][32] = {
		[REBUILT_BERT] = { "bert", "distilbert", "electra", "mobilebert",
				   "convbert", "layoutlm", "ernie", "megatron-bert",
				   "nezha", "squeezebert" },
		[REBUILT_GPT2] = { "gpt2", "gpt_neo", "gptj", "opt", "phi", "codegen",
				   "starcoder2" },
		[REBUILT_ROBERTA] = { "roberta", "roberta-prelayernorm", "bart",
				      "data2vec-text", "ibert", "lilt", "longformer",
				      "mega", "mra" },
	};
	enum rebuilt r;

	for (r = REBUILT_BERT; r <= REBUILT_ROBERTA; r++)
		if (one_of(name, is_type ? types[r] : classes[r]))
			return r;
	return REBUILT_NOT;
}

/* The class is named by tokenizer_config.json, or by config.json, or goes with the model
 * type of config.json. */
static int find_class(struct source *from, struct err *e)
{
	struct json_file model = { 0 };
	const char *name = NULL, *type = NULL;
	int status;

	status = js_text(from->config.json, "tokenizer_class", NULL, &name,
			 from->config.path, e);
	if (status == EX_OK && name == NULL) {
		status = open_json(&model, from->dir, "config.json", e);
		if (status == EX_OK)
			status = js_text(model.json, "tokenizer_class", NULL, &name,
					 model.path, e);
		if (status == EX_OK)
			status =
			    js_text(model.json, "model_type", NULL, &type, model.path, e);
	}
	if (name != NULL)
		from->rebuilt = rebuilt_as(name, false);
	else if (type != NULL)
		from->rebuilt = rebuilt_as(type, true);
	close_json(&model);
	return status;
}

int part_type(const struct source *from, const char *part, const char **type, struct err *e)
{
	const json_t *o = json_object_get(from->whole.json, part);

	*type = "";
	if (o == NULL || json_is_null(o))
		return EX_OK;
	if (!json_is_object(o))
		return err_set(e, EX_DATAERR, "%s: %s is not an object", from->whole.path,
			       part);
	return js_text(o, "type", "", type, from->whole.path, e);
}

int want_type(const struct source *from, const char *part, const char *want, struct err *e)
{
	const char *type;
	int status = part_type(from, part, &type, e);

	if (status != EX_OK || strcmp(type, want) == 0)
		return status;
	return err_set(e, EX_DATAERR, "%s: the %s %s is not supported, only %s is",
		       from->whole.path, part, *type == '\0' ? "(none)" : type,
		       *want == '\0' ? "none" : want);
}

/* Whether the model of tokenizer.json is one of ours, and which. Early files do not name
 * its type; then its members tell. */
static int choose_whole(struct source *from, bool *ours, struct err *e)
{
	const json_t *model = json_object_get(from->whole.json, "model");
	const char *type;
	int status = part_type(from, "model", &type, e);

	if (*type == '\0' && json_object_get(model, "merges") != NULL)
		type = "BPE";
	else if (*type == '\0' && json_object_get(model, "max_input_chars_per_word"))
		type = "WordPiece";
	*ours = strcmp(type, "WordPiece") == 0 || strcmp(type, "BPE") == 0;
	from->is_bpe = strcmp(type, "BPE") == 0;
	return status;
}

static void forget_whole(struct source *from)
{
	json_decref(from->whole.json);
	from->whole.json = NULL;
}

/* The class when no file names one of BPE: as its usual special tokens say. */
static enum rebuilt guess_class(const struct source *from)
{
	bool roberta = json_object_get(from->pieces.json, "<s>") != NULL &&
		       json_object_get(from->pieces.json, "</s>") != NULL;

	return roberta ? REBUILT_ROBERTA : REBUILT_GPT2;
}

static int choose_pieces(struct source *from, struct err *e)
{
	int status = open_json(&from->pieces, from->dir, "vocab.json", e);

	if (status != EX_OK)
		return status;
	from->is_bpe = true;
	from->named = from->pieces.path;
	if (from->rebuilt == REBUILT_NOT || from->rebuilt == REBUILT_BERT)
		from->rebuilt = guess_class(from);
	if (!file_exists(from->merges_path))
		return err_set(e, EX_NOINPUT, "%s: not there, only vocab.json is",
			       from->merges_path);
	return EX_OK;
}

/* tokenizer.json comes first, unless its model is of a kind that is not ours and there are
 * other files, or it is BPE beside the vocab.txt of a BertTokenizer. */
static int choose(struct source *from, bool has_txt, bool has_pieces, struct err *e)
{
	bool bert, ours = false;
	int status = find_class(from, e);

	if (status == EX_OK && from->whole.json != NULL)
		status = choose_whole(from, &ours, e);
	if (status != EX_OK)
		return status;
	bert = from->rebuilt == REBUILT_BERT;
	if (from->whole.json != NULL &&
	    ((!ours && (has_txt || has_pieces)) || (from->is_bpe && bert && has_txt)))
		forget_whole(from);
	if (from->whole.json != NULL) {
		from->named = from->whole.path;
		if (!ours)
			return want_type(from, "model", "WordPiece or BPE", e);
		if (from->rebuilt != REBUILT_NOT && from->is_bpe == bert)
			return err_set(e, EX_DATAERR,
				       "%s: a %s model, which is not what the class of "
				       "the tokenizer or the model type has; set "
				       "tokenizer_class in tokenizer_config.json to "
				       "PreTrainedTokenizerFast",
				       from->named, from->is_bpe ? "BPE" : "WordPiece");
		return EX_OK;
	}
	if (has_pieces && (!has_txt || from->rebuilt > REBUILT_BERT))
		return choose_pieces(from, e);
	if (!has_txt)
		return err_set(e, EX_NOINPUT,
			       "%s: no tokenizer: neither tokenizer.json nor vocab.txt "
			       "nor vocab.json with merges.txt",
			       from->dir);
	from->is_bpe = false;
	from->named = from->vocab_path;
	from->rebuilt = REBUILT_BERT;
	return EX_OK;
}

/* ---- normal forms ---------------------------------------------------------------------
 */

static int read_normalizer(struct normalizer *z, const struct source *from, struct err *e)
{
	const json_t *o = from->config.json;
	const char *file = from->config.path;
	int status = EX_OK;

	z->clean = true;
	if (!from->rebuilt) {
		o = json_object_get(from->whole.json, "normalizer");
		file = from->whole.path;
		if ((status = want_type(from, "normalizer", "BertNormalizer", e)) !=
			EX_OK ||
		    (status = want_type(from, "pre_tokenizer", "BertPreTokenizer", e)) !=
			EX_OK)
			return status;
		status = js_bool(o, "clean_text", true, &z->clean, file, e);
	}
	if (status == EX_OK)
		status = js_bool(o, from->rebuilt ? "do_lower_case" : "lowercase", true,
				 &z->lower, file, e);
	if (status == EX_OK)
		status = js_bool(o, "strip_accents", z->lower, &z->strip, file, e);
	if (status == EX_OK)
		status = js_bool(
		    o, from->rebuilt ? "tokenize_chinese_chars" : "handle_chinese_chars",
		    true, &z->ideographs, file, e);
	normalizer_init(z);
	return status;
}

/* ---- all of it ------------------------------------------------------------------------
 */

static int list_files(struct tokenizer *t, const char *dir, struct err *e)
{
	size_t i, n = 0;

	for (i = 0; i < TOKENIZER_FILES; i++) {
		char *path = file_join(dir, file_names[i]);

		if (path == NULL)
			return err_nomem(e);
		if (file_exists(path))
			t->files[n++] = file_names[i];
		free(path);
	}
	return EX_OK;
}

static int open_source(struct source *from, struct err *e)
{
	const char *dir = from->dir;
	char *pieces;
	bool has_pieces;
	int status;

	if (!file_is_dir(dir))
		return err_set(e, EX_NOINPUT, "%s: no such directory", dir);
	from->vocab_path = file_join(dir, "vocab.txt");
	from->merges_path = file_join(dir, "merges.txt");
	if (from->vocab_path == NULL || from->merges_path == NULL ||
	    (pieces = file_join(dir, "vocab.json")) == NULL)
		return err_nomem(e);
	has_pieces = file_exists(pieces);
	free(pieces);
	if ((status = open_json(&from->whole, dir, "tokenizer.json", e)) != EX_OK ||
	    (status = open_json(&from->config, dir, "tokenizer_config.json", e)) != EX_OK ||
	    (status = open_json(&from->special, dir, "special_tokens_map.json", e)) !=
		EX_OK ||
	    (status = open_json(&from->added, dir, "added_tokens.json", e)) != EX_OK)
		return status;
	return choose(from, file_exists(from->vocab_path), has_pieces, e);
}

static void close_source(struct source *from)
{
	close_json(&from->whole);
	close_json(&from->config);
	close_json(&from->special);
	close_json(&from->added);
	close_json(&from->pieces);
	free(from->vocab_path);
	free(from->merges_path);
}

int tokenizer_read(struct tokenizer *t, const char *dir, struct err *e)
{
	struct source from = { .dir = dir };
	int status = open_source(&from, e);

	t->is_bpe = from.is_bpe;
	if (status == EX_OK)
		status = list_files(t, dir, e);
	if (status == EX_OK && t->is_bpe)
		status = read_bpe(t, &from, e);
	else if (status == EX_OK)
		status = read_wordpiece(t, &from, e);
	if (status == EX_OK && !t->is_bpe)
		status = read_normalizer(&t->normalizer, &from, e);
	if (status == EX_OK)
		status = read_special(t, &from, e);
	close_source(&from);
	return status;
}
