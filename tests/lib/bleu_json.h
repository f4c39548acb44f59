/*
 * bleu_json - BLEU of a corpus that is written in JSON.
 */
#ifndef BLEU_JSON_H
#define BLEU_JSON_H

#include <jansson.h>
#include <stdlib.h>

#include "base/mem.h"
#include "train/bleu.h"

/* Counts {"lowercase": BOOL, "segments": [[HYPOTHESIS, REFERENCE..]..]}; a reference that
 * is null is missing. */
static int bleu_json_count(struct bleu *b, const json_t *corpus, struct err *e)
{
	const json_t *segments = json_object_get(corpus, "segments");
	int rc = EX_OK;

	*b = (struct bleu){ .lowercase =
				json_is_true(json_object_get(corpus, "lowercase")) };
	for (size_t i = 0; i < json_array_size(segments) && rc == EX_OK; i++) {
		const json_t *texts = json_array_get(segments, i);
		size_t n = json_array_size(texts) - 1;
		const char **references = mem_zeros(n, sizeof *references);

		if (references == NULL)
			return err_nomem(e);
		for (size_t k = 0; k < n; k++)
			references[k] = json_string_value(json_array_get(texts, k + 1));
		rc = bleu_add(b, json_string_value(json_array_get(texts, 0)), references, n,
			      e);
		free(references);
	}
	return rc;
}

#endif
