#include "peft/index.h"

#include <stdint.h>
#include <stdlib.h>
#include <string.h>

#include "base/mem.h"
#include "base/prng.h"

static uint64_t hash(const char *s)
{
	uint64_t h = 0;

	for (; *s != '\0'; s++)
		h = h * 0x100000001b3 + (unsigned char)*s;
	return prng_mix(h);
}

/* The slot of that name, or the free one where it belongs. */
static struct index_slot *place(const struct index *x, const char *name)
{
	size_t at = (size_t)hash(name) & (x->slots - 1);

	while (x->slot[at].name != NULL && strcmp(x->slot[at].name, name) != 0)
		at = (at + 1) & (x->slots - 1);
	return &x->slot[at];
}

static int grow(struct index *x, struct err *e)
{
	struct index wide = { .slots = x->slots == 0 ? 256 : 2 * x->slots, .n = x->n };

	wide.slot = mem_zeros(wide.slots, sizeof *wide.slot);
	if (wide.slot == NULL)
		return err_nomem(e);
	for (size_t i = 0; i < x->slots; i++) {
		if (x->slot[i].name != NULL)
			*place(&wide, x->slot[i].name) = x->slot[i];
	}
	free(x->slot);
	*x = wide;
	return EX_OK;
}

int index_add(struct index *x, const char *name, size_t value, struct err *e)
{
	struct index_slot *s;

	if (2 * (x->n + 1) > x->slots && grow(x, e) != EX_OK)
		return EX_UNAVAILABLE;
	s = place(x, name);
	if (s->name == NULL) {
		*s = (struct index_slot){ name, value };
		x->n++;
	}
	return EX_OK;
}

size_t index_find(const struct index *x, const char *name)
{
	const struct index_slot *s = x->slots == 0 ? NULL : place(x, name);

	return s == NULL || s->name == NULL ? SIZE_MAX : s->value;
}

void index_free(struct index *x)
{
	free(x->slot);
	*x = (struct index){ 0 };
}
