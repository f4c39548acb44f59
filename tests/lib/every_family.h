/*
 * every_family - the fixtures of all families, heads and spellings that have a batch.
 */
#ifndef TESTS_EVERY_FAMILY_H
#define TESTS_EVERY_FAMILY_H

static const char *const fixtures[] = {
	"tiny-bert",        "tiny-bert-regression",    "tiny-distilbert",
	"tiny-roberta",     "tiny-roberta-regression", "tiny-gpt2",
	"tiny-gpt2-untied", "tiny-gpt2-classes",       "tiny-vit",
	"tiny-vit-newer",
};
#define N_FIXTURES (sizeof fixtures / sizeof fixtures[0])

#endif
