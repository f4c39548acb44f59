#include "model/lora.h"

int model_add_lora(struct model *m, const struct lora_spec *s, struct err *e)
{
	(void)s;
	return err_set(e, EX_SOFTWARE, "%s: no LoRA", m->dir);
}
