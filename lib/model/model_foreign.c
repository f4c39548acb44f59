/*
 * A directory without safetensors: which other weights it holds, and how they become what
 * is read here.
 */
#include <dirent.h>
#include <stdlib.h>
#include <string.h>

#include "model/family.h"

#define SAVE "M.from_pretrained(\"%s\"%s).save_pretrained(\"%s\")'"

struct foreign {
	const char *glob;
	const char *what;
	const char *argument; /* of from_pretrained; NULL: a file that it does not know */
};

static const char pickle[] = "a pickle can run code when it is read";

/* The first that a file's name matches; no argument and nothing said: no weights. */
static const struct foreign foreign[] = {
	{ "pytorch_model*.bin", pickle, "" },
	{ "pytorch_model*.bin.index.json", pickle, "" },
	{ "tf_model*", "weights of TensorFlow, which transformers 4 can read",
	  ", from_tf=True" },
	{ "flax_model*", "weights of Flax, which transformers 4 can read",
	  ", from_flax=True" },
	{ "optimizer.pt", NULL, NULL },
	{ "scheduler.pt", NULL, NULL },
	{ "scaler.pt", NULL, NULL },
	{ "rng_state*.pth", NULL, NULL },
	{ "*.pt", pickle, NULL },
	{ "*.pth", pickle, NULL },
	{ "*.ckpt", pickle, NULL },
};

#define KINDS (sizeof foreign / sizeof foreign[0])

static const struct foreign *kind_of(const char *name)
{
	for (const struct foreign *f = foreign; f < foreign + KINDS; f++)
		if (str_glob(f->glob, name))
			return f->what == NULL ? NULL : f;
	return NULL;
}

/* The file of the kind that stands first in the table, of these the first by name; NULL
 * when there is none. The caller frees *name. */
static const struct foreign *look_for(const char *dir, char **name, struct err *e)
{
	const struct foreign *best = NULL;
	DIR *d = opendir(dir);
	struct dirent *entry;

	while (d != NULL && (entry = readdir(d)) != NULL) {
		const struct foreign *f = kind_of(entry->d_name);

		if (f == NULL || (best != NULL && f > best) ||
		    (f == best && strcmp(entry->d_name, *name) >= 0))
			continue;
		best = f;
		free(*name);
		*name = str_dup(entry->d_name);
		if (*name == NULL) {
			err_nomem(e);
			break;
		}
	}
	if (d != NULL)
		closedir(d);
	return best;
}

static const char *auto_class(const struct model *m)
{
	const char *name = json_string_value(
	    json_array_get(json_object_get(m->config.json, "architectures"), 0));

	if (m->language)
		return "AutoModelForCausalLM";
	/* A head that is not in the file would be drawn from no seed. */
	if (name == NULL || strstr(name, "For") == NULL)
		return "AutoModel";
	return m->config.channels > 0 ? "AutoModelForImageClassification"
				      : "AutoModelForSequenceClassification";
}

int model_no_weights(const struct model *m, struct err *e)
{
	const char *dir = model_weights_dir(m);
	char *name = NULL;
	const struct foreign *f = look_for(dir, &name, e);
	int rc;

	if (f == NULL)
		rc = err_set(e, EX_NOINPUT, "%s: has no model.safetensors", dir);
	else if (name == NULL)
		rc = EX_UNAVAILABLE;
	else if (f->argument != NULL)
		rc = err_set(e, EX_NOINPUT,
			     "%s/%s: %s; convert it: python3 -c 'from transformers import "
			     "%s as M; " SAVE,
			     dir, name, f->what, auto_class(m), dir, f->argument, dir);
	else
		rc = err_set(e, EX_NOINPUT,
			     "%s/%s: %s; convert it, if it holds a dictionary of tensors: "
			     "python3 -c 'import torch; from safetensors.torch import "
			     "save_file; save_file(torch.load(\"%s/%s\", "
			     "weights_only=True), \"%s/model.safetensors\")'",
			     dir, name, f->what, dir, name, dir);
	free(name);
	return rc;
}
