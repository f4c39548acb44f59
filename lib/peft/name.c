#include "peft/name.h"

#include <string.h>

#include "base/str.h"
#include "model/lora.h"

const char *name_bare(const struct model *m, const char *name)
{
	return str_starts(name, m->prefix) ? name + strlen(m->prefix) : name;
}

bool name_equal(const struct model *m, const char *a, const char *b)
{
	return strcmp(name_bare(m, a), name_bare(m, b)) == 0;
}

/* A pattern may mean a whole pair: MODULE.lora. */
static bool pair_matches(const struct model *m, const char *pattern, const struct param *p)
{
	struct strbuf pair = { 0 };
	bool yes;

	lora_pair_name(p->name, &pair);
	yes = !pair.failed &&
	      (str_glob(pattern, pair.s) || str_glob(pattern, name_bare(m, pair.s)));
	strbuf_free(&pair);
	return yes;
}

bool name_matches(const struct model *m, const char *pattern, const struct param *p)
{
	if (lora_is_pair(p) && pair_matches(m, pattern, p))
		return true;
	return str_glob(pattern, p->name) || str_glob(pattern, name_bare(m, p->name)) ||
	       str_glob(pattern, p->save_name);
}
