/* Writes SCORE H R MATCH.. TOTAL.. for each corpus of the JSON file on stdin, for
 * tests/ref/bleu.py to compare.
 * usage: dump_bleu
 *
 * The file is a list of {"lowercase": BOOL, "segments": [[HYPOTHESIS, REFERENCE..]..]}; a
 * reference that is null is missing. */
#include <inttypes.h>
#include <stdio.h>

#include "../bleu_json.h"

int main(void)
{
	struct err e = { 0 };
	json_error_t why;
	json_t *all = json_loadf(stdin, 0, &why);
	int rc = EX_OK;

	if (all == NULL) {
		fprintf(stderr, "dump_bleu: line %d: %s\n", why.line, why.text);
		return EX_DATAERR;
	}
	for (size_t i = 0; i < json_array_size(all) && rc == EX_OK; i++) {
		struct bleu b;

		rc = bleu_json_count(&b, json_array_get(all, i), &e);
		printf("%.17g %" PRIu64 " %" PRIu64, bleu_score(&b), b.hypothesis,
		       b.reference);
		for (int k = 0; k < 2 * BLEU_ORDER; k++)
			printf(" %" PRIu64,
			       k < BLEU_ORDER ? b.match[k] : b.total[k - BLEU_ORDER]);
		putchar('\n');
	}
	json_decref(all);
	if (rc != EX_OK)
		fprintf(stderr, "dump_bleu: %s\n", e.text);
	return rc != EX_OK ? rc : fflush(stdout) == 0 ? EX_OK : EX_IOERR;
}
