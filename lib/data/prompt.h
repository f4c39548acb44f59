/*
 * prompt - the tokens of a prompt, and of a prompt with its completion.
 *
 *     prompt  END  " " completion  END
 *
 * END is the token that ends a text (text/tokenizer.h); no other special tokens stand
 * around the two texts. What is predicted begins behind the first END.
 */
#ifndef DATA_PROMPT_H
#define DATA_PROMPT_H

#include <stdbool.h>
#include <stddef.h>

#include "base/err.h"
#include "base/str.h"
#include "data/task.h"
#include "text/tokenizer.h"

/* Appends a prompt as a model is to read it. E2E's are spelt out: "name[The Vaults],
 * eatType[pub]" becomes "name : The Vaults | eatType : pub". What is not of that form, and
 * every prompt of another task, stays as it is. EX_UNAVAILABLE when memory is short. */
int prompt_text(const struct task *t, const char *prompt, struct strbuf *out);

/* The tokens of a prompt with its END, the last max_len of them, at least 1: what a model
 * continues. EX_DATAERR when the tokenizer has no token that ends a text. */
int prompt_encode(const struct task *t, const struct tokenizer *tok, const char *prompt,
		  size_t max_len, struct encoding *out, struct err *e);

/* The tokens of one example; {0} at first, and can be used again. */
struct example {
	struct encoding tokens, spare; /* spare: needed on the way */
	size_t given;                  /* tokens before the first that is to be predicted */
	bool cut;                      /* tokens were left out */
};

/* The tokens of prompt and completion, at most max_len, at least 2. The prompt is cut on
 * the left, down to its END, before the completion is cut on the right. */
int prompt_complete(const struct task *t, const struct tokenizer *tok, const char *prompt,
		    const char *completion, size_t max_len, struct example *out,
		    struct err *e);
void example_free(struct example *x);

#endif
