#include "peft/name.h"

#include <string.h>

#include "base/str.h"

const char *family_prefix(const struct model *m)
{
	static const char *const prefixes[] = { [FAMILY_BERT] = "bert." };

	return prefixes[m->config.family];
}

const char *name_bare(const struct model *m, const char *name)
{
	const char *prefix = family_prefix(m);

	return str_starts(name, prefix) ? name + strlen(prefix) : name;
}

bool name_equal(const struct model *m, const char *a, const char *b)
{
	return strcmp(name_bare(m, a), name_bare(m, b)) == 0;
}

bool name_matches(const struct model *m, const char *pattern, const struct param *p)
{
	return str_glob(pattern, p->name) || str_glob(pattern, name_bare(m, p->name)) ||
	       str_glob(pattern, p->save_name);
}
