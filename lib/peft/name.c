#include "peft/name.h"

#include <string.h>

#include "base/str.h"

const char *name_bare(const struct model *m, const char *name)
{
	return str_starts(name, m->prefix) ? name + strlen(m->prefix) : name;
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
