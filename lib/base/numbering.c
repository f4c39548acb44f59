#include "base/numbering.h"

#include <stdlib.h>
#include <string.h>

#include "base/mem.h"
#include "base/prng.h"

static size_t hash(const char *s)
{
	uint64_t h = 14695981039346656037u; /* FNV-1a */

	for (; *s != '\0'; s++)
		h = (h ^ (unsigned char)*s) * 1099511628211u;
	return (size_t)prng_mix(h);
}

/* The slot that holds the name, or the empty one where it belongs. */
static uint32_t *slot_of(const struct numbering *x, const char *name)
{
	size_t at = hash(name) & (x->n_slots - 1);

	while (x->slots[at] != 0 && strcmp(x->names.s[x->slots[at] - 1], name) != 0)
		at = (at + 1) & (x->n_slots - 1);
	return &x->slots[at];
}

static int grow(struct numbering *x, struct err *e)
{
	size_t n = x->n_slots == 0 ? 256 : 2 * x->n_slots;
	uint32_t *slots;

	if (x->names.n + 1 <= x->n_slots / 2)
		return EX_OK;
	slots = mem_zeros(n, sizeof *slots);
	if (slots == NULL)
		return err_nomem(e);
	free(x->slots);
	x->slots = slots;
	x->n_slots = n;
	for (size_t i = 0; i < x->names.n; i++)
		*slot_of(x, x->names.s[i]) = (uint32_t)(i + 1);
	return EX_OK;
}

int numbering_put(struct numbering *x, const char *name, size_t *at, struct err *e)
{
	uint32_t *slot;
	int rc = grow(x, e);

	if (rc != EX_OK)
		return rc;
	slot = slot_of(x, name);
	if (*slot == 0) {
		if (x->names.n >= UINT32_MAX - 1)
			return err_set(e, EX_DATAERR, "more than 2^32 names");
		if ((rc = strlist_add(&x->names, name, e)) != EX_OK)
			return rc;
		*slot = (uint32_t)x->names.n;
	}
	*at = *slot - 1;
	return EX_OK;
}

size_t numbering_find(const struct numbering *x, const char *name)
{
	uint32_t slot = x->n_slots == 0 ? 0 : *slot_of(x, name);

	return slot == 0 ? SIZE_MAX : slot - 1;
}

void numbering_free(struct numbering *x)
{
	strlist_free(&x->names);
	free(x->slots);
	*x = (struct numbering){ 0 };
}
