#include <string.h>

#include "tensor/kernels_impl.h"

#ifdef KERNELS_X86
static bool has_avx2(void)
{
	return __builtin_cpu_supports("avx2") && __builtin_cpu_supports("fma");
}

static bool has_avx512(void)
{
	return has_avx2() && __builtin_cpu_supports("avx512f") &&
	       __builtin_cpu_supports("avx512bw") && __builtin_cpu_supports("avx512dq") &&
	       __builtin_cpu_supports("avx512vl");
}
#endif

const struct kernels *kernels_pick(const char *name)
{
#ifdef KERNELS_X86
	if ((name == NULL || strcmp(name, "avx512") == 0) && has_avx512())
		return &kernels_avx512;
	if ((name == NULL || strcmp(name, "avx2") == 0) && has_avx2())
		return &kernels_avx2;
#endif
	if (name == NULL || strcmp(name, "portable") == 0)
		return &kernels_portable;
	return NULL;
}

const char *kernels_name(const struct kernels *k)
{
	return k->name;
}
