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

/* Whether transformers takes the class of tokenizer_config.json, or the one that goes with
 * the model type of config.json, for a BertTokenizer. */
static int is_rebuilt(struct source *from, struct err *e)
{
	static const char *const classes[] = {
		"BertTokenizer",        "BertTokenizerFast",        "DistilBertTokenizer",
		"ElectraTokenizer",     "DistilBertTokenizerFast",  "ElectraTokenizerFast",
		"ConvBertTokenizer",    "ConvBertTokenizerFast",    "LayoutLMTokenizer",
		"MobileBertTokenizer",  "MobileBertTokenizerFast",  "LayoutLMTokenizerFast",
		"SqueezeBertTokenizer", "SqueezeBertTokenizerFast", NULL,
	};
	static const char *const types[] = {
		"bert",  "distilbert",    "electra", "mobilebert",  "convbert", "layoutlm",
		"ernie", "megatron-bert", "nezha",   "squeezebert", NULL,
	};
	struct json_file model = { 0 };
	const char *name = NULL;
	int status;

	status = js_text(from->config.json, "tokenizer_class", NULL, &name,
			 from->config.path, e);
	if (status != EX_OK)
		return status;
	if (name != NULL) {
		from->rebuilt = one_of(name, classes);
		return EX_OK;
	}
	status = open_json(&model, from->dir, "config.json", e);
	if (status == EX_OK)
		status = js_text(model.json, "model_type", NULL, &name, model.path, e);
	from->rebuilt = name != NULL && one_of(name, types);
	close_json(&model);
	return status;
}

/* The "type" of a part of tokenizer.json; "" when the part is absent or null. */
static int part_type(const struct source *from, const char *part, const char **type,
		     struct err *e)
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

static int want_type(const struct source *from, const char *part, const char *want,
		     struct err *e)
{
	const char *type;
	int status = part_type(from, part, &type, e);

	if (status != EX_OK || strcmp(type, want) == 0)
		return status;
	return err_set(e, EX_DATAERR, "%s: the %s %s is not supported, only %s is",
		       from->whole.path, part, *type == '\0' ? "(none)" : type, want);
}

/* Decides between tokenizer.json and vocab.txt: drops the former when it holds another
 * model and the latter exists. */
static int choose(struct source *from, struct err *e)
{
	bool has_vocab = file_exists(from->vocab_path);
	const char *type;
	int status;

	if (from->whole.json == NULL && !has_vocab) {
		char *other = file_join(from->dir, "vocab.json");
		bool bpe = other != NULL && file_exists(other);

		status = bpe ? err_set(e, EX_DATAERR,
				       "%s: a BPE vocabulary is not supported, "
				       "only WordPiece is",
				       other)
			     : err_set(e, EX_NOINPUT,
				       "%s: no tokenizer: neither "
				       "tokenizer.json nor vocab.txt",
				       from->dir);
		free(other);
		return status;
	}
	if (from->whole.json != NULL) {
		if ((status = part_type(from, "model", &type, e)) != EX_OK)
			return status;
		if (strcmp(type, "WordPiece") != 0 && has_vocab) {
			json_decref(from->whole.json);
			from->whole.json = NULL;
		} else if ((status = want_type(from, "model", "WordPiece", e)) != EX_OK) {
			return status;
		}
	}
	from->named = from->whole.json != NULL ? from->whole.path : from->vocab_path;
	if (from->whole.json != NULL)
		return is_rebuilt(from, e);
	from->rebuilt = true;
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
	int status;

	if (!file_is_dir(dir))
		return err_set(e, EX_NOINPUT, "%s: no such directory", dir);
	if ((from->vocab_path = file_join(dir, "vocab.txt")) == NULL)
		return err_nomem(e);
	if ((status = open_json(&from->whole, dir, "tokenizer.json", e)) != EX_OK ||
	    (status = open_json(&from->config, dir, "tokenizer_config.json", e)) != EX_OK ||
	    (status = open_json(&from->special, dir, "special_tokens_map.json", e)) !=
		EX_OK ||
	    (status = open_json(&from->added, dir, "added_tokens.json", e)) != EX_OK)
		return status;
	return choose(from, e);
}

int tokenizer_read(struct tokenizer *t, const char *dir, struct err *e)
{
	struct source from = { .dir = dir };
	int status = open_source(&from, e);

	if (status == EX_OK)
		status = list_files(t, dir, e);
	if (status == EX_OK)
		status = read_vocabulary(t, &from, e);
	if (status == EX_OK)
		status = read_normalizer(&t->normalizer, &from, e);
	if (status == EX_OK)
		status = read_special(t, &from, e);
	close_json(&from.whole);
	close_json(&from.config);
	close_json(&from.special);
	close_json(&from.added);
	free(from.vocab_path);
	return status;
}
