#include "model/adapter_name.h"

#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "model/adapter.h"
#include "model/family.h"

#define PREFIX_SIZE 32

/* ---- ViT ---- */

/* Parts of ViT's names, in checkpoints and in memory. */
static const struct {
	const char *checkpoint, *memory;
} vit_parts[] = {
	{ ".attention.attention.query.", ".attention.q_proj." },
	{ ".attention.attention.key.", ".attention.k_proj." },
	{ ".attention.attention.value.", ".attention.v_proj." },
	{ ".attention.output.dense.", ".attention.o_proj." },
	{ ".intermediate.dense.", ".mlp.fc1." },
	{ ".output.dense.", ".mlp.fc2." },
};

#define VIT_BLOCK_CHECKPOINT "encoder.layer."
#define VIT_BLOCK_MEMORY     "layers."

/* `name` with the first `from` in it replaced. */
static char *replace(const char *name, const char *from, const char *to)
{
	const char *at = strstr(name, from);

	if (at == NULL)
		return str_dup(name);
	return str_printf("%.*s%s%s", (int)(at - name), name, to, at + strlen(from));
}

/* A part without what follows it counts too: a module's own path. */
static char *vit_part(const char *name, bool to_memory)
{
	char *dotted = str_printf("%s.", name), *out = NULL;

	for (size_t i = 0; dotted != NULL && i < sizeof vit_parts / sizeof *vit_parts;
	     i++) {
		const char *a = vit_parts[i].checkpoint, *b = vit_parts[i].memory;

		if (strstr(dotted, to_memory ? a : b) == NULL)
			continue;
		out = replace(dotted, to_memory ? a : b, to_memory ? b : a);
		break;
	}
	if (dotted != NULL && out == NULL)
		out = str_dup(dotted);
	free(dotted);
	if (out != NULL)
		out[strlen(out) - 1] = '\0';
	return out;
}

static bool in_block(const char *name, const char *block)
{
	return str_starts(name, block) ||
	       (str_starts(name, "vit.") && str_starts(name + strlen("vit."), block));
}

static char *vit_name(const char *name, bool to_memory)
{
	const char *from = to_memory ? VIT_BLOCK_CHECKPOINT : VIT_BLOCK_MEMORY;
	const char *to = to_memory ? VIT_BLOCK_MEMORY : VIT_BLOCK_CHECKPOINT;
	char *part, *out;

	if (!in_block(name, from))
		return str_dup(name);
	part = vit_part(name, to_memory);
	out = part == NULL ? NULL : replace(part, from, to);
	free(part);
	return out;
}

static bool is_vit(const struct model *m)
{
	return strcmp(m->config.arch->model_type, "vit") == 0;
}

char *adapter_memory_name(const struct model *m, const char *save_name)
{
	return is_vit(m) ? vit_name(save_name, true) : str_dup(save_name);
}

/* ---- the base's spelling ---- */

/* The encoder's prefix in a model with a head, known before the model is built. */
static void family_prefix(const struct model *m, char out[PREFIX_SIZE])
{
	const char *type = m->config.arch->model_type;

	snprintf(out, PREFIX_SIZE, "%s.", strcmp(type, "gpt2") == 0 ? "transformer" : type);
}

/* Does the base hold a tensor whose name begins so? */
static bool base_begins(const struct model *m, const char *prefix)
{
	for (size_t i = 0; i < m->n_files; i++)
		for (size_t j = 0; j < m->files[i].n; j++)
			if (str_starts(m->files[i].t[j].name, prefix))
				return true;
	return false;
}

static char *vit_in_base(const struct model *m, const char *name)
{
	bool memory =
	    base_begins(m, VIT_BLOCK_MEMORY) || base_begins(m, "vit." VIT_BLOCK_MEMORY);

	return vit_name(name, memory);
}

/* Was the adapter trained upon an encoder without a head? Then its names have no prefix,
 * although those of the base do. */
static bool lacks_prefix(const struct model *m, const char *name, const char *prefix)
{
	size_t part = strcspn(name, ".") + 1;
	char *bare = str_dupn(name, part),
	     *whole = str_printf("%s%.*s", prefix, (int)part, name);
	bool lacks =
	    bare != NULL && whole != NULL && !base_begins(m, bare) && base_begins(m, whole);

	free(bare);
	free(whole);
	return lacks;
}

char *adapter_base_name(const struct model *m, const char *name)
{
	char prefix[PREFIX_SIZE], *in_base, *whole;

	if (str_starts(name, ADAPTER_ROOT))
		name += strlen(ADAPTER_ROOT);
	in_base = is_vit(m) ? vit_in_base(m, name) : str_dup(name);
	if (in_base == NULL)
		return NULL;
	family_prefix(m, prefix);
	if (str_starts(in_base, prefix) && !base_begins(m, prefix))
		memmove(in_base, in_base + strlen(prefix),
			strlen(in_base) - strlen(prefix) + 1);
	else if (!str_starts(in_base, prefix) && lacks_prefix(m, in_base, prefix)) {
		whole = str_printf("%s%s", prefix, in_base);
		free(in_base);
		return whole;
	}
	return in_base;
}
