#include "base/mem.h"

#include <stdint.h>
#include <stdlib.h>
#include <string.h>

bool mem_mul(size_t count, size_t size, size_t *out)
{
	return !__builtin_mul_overflow(count, size, out);
}

void *mem_zeros(size_t count, size_t size)
{
	return calloc(count == 0 ? 1 : count, size == 0 ? 1 : size);
}

float *mem_floats(size_t count)
{
	size_t bytes;

	if (!mem_mul(count, sizeof(float), &bytes) || bytes > SIZE_MAX - MEM_ALIGN)
		return NULL;
	bytes = (bytes / MEM_ALIGN + 1) * MEM_ALIGN;
	return aligned_alloc(MEM_ALIGN, bytes);
}

int mem_grow(void *array, size_t *cap, size_t need, size_t size, struct err *e)
{
	void *old, *grown;
	size_t want, bytes;

	if (need <= *cap)
		return EX_OK;
	want = *cap < 16 ? 16 : *cap;
	while (want < need) {
		if (want > SIZE_MAX / 2)
			return err_nomem(e);
		want *= 2;
	}
	if (!mem_mul(want, size, &bytes))
		return err_nomem(e);
	memcpy(&old, array, sizeof old);
	grown = realloc(old, bytes);
	if (grown == NULL)
		return err_nomem(e);
	memset((char *)grown + *cap * size, 0, (want - *cap) * size);
	memcpy(array, &grown, sizeof grown);
	*cap = want;
	return EX_OK;
}
