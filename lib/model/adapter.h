/*
 * adapter - what was trained, apart from the weights that it was trained upon.
 *
 * An adapter's directory has no weights of its own but, of another directory's, the base:
 *
 * adapter_config.json, adapter_model.safetensors
 *     as PEFT writes and loads them: LoRA pairs, whole modules, biases
 *
 * delta.safetensors
 *     whole tensors, in the base's spelling, and pairs that PEFT has no place for
 *
 * adapeft.json
 *     {"base": {"model": DIR, "sha256": HEX}, "files": {FILE: [TENSOR, ...]},
 *      "lora": {"dropout": P, "alpha": {PAIR: X}}}, lora for the pairs of the delta
 *
 * The base is the directory as it is said, or else as it is seen from the adapter's. A
 * tensor of the adapter's stands in place of the base's.
 *
 * model_open takes such a directory as it takes a model's. Tensors in PEFT's files have the
 * names of transformers' modules in memory, which for ViT are not those of checkpoints.
 */
#ifndef MODEL_ADAPTER_H
#define MODEL_ADAPTER_H

#include <jansson.h>

#include "model/model.h"

#define ADAPTER_CONFIG  "adapter_config.json"
#define ADAPTER_WEIGHTS "adapter_model.safetensors"
#define ADAPTER_DELTA   "delta.safetensors"
#define ADAPTER_NOTE    "adapeft.json"

/* Is this an adapter's directory? */
bool adapter_is(const char *dir);

/* Does PEFT's file in it, or its delta, hold LoRA pairs? False when they cannot be read. */
bool adapter_has_pairs(const char *dir);

/* Does it predict the next token: is its task_type CAUSAL_LM? */
bool adapter_is_language(const char *dir);

/* The directory that one of `files` (ends with NULL) is in: `dir` when it has one of them
 * or is no adapter's, else its base; for the caller to free. EX_NOINPUT: no base, and where
 * it was looked for. */
int adapter_place(const char *dir, const char *const *files, char **place, struct err *e);

/* ---- for model_open ---- */

struct adapter;

/* Opens the adapter's own files and sets m->base, to `base` unless that is NULL; *a is NULL
 * when m->dir is no adapter's.
 * EX_DATAERR for what is not supported (peft_type other than LORA, DoRA, ...), each in one
 * line. On failure there is nothing to free. */
int adapter_open(struct adapter **a, struct model *m, const char *base, struct err *e);
/* Does it bring a config.json along? */
bool adapter_has_config(const struct adapter *a);
/* The outputs of the head that it brings along; 0 when it brings none. */
size_t adapter_labels(const struct adapter *a);
/* Once the base's files are open: puts the adapter's before them. EX_DATAERR when the base
 * is known to be another. */
int adapter_overlay(struct adapter *a, struct model *m, struct err *e);
/* Once the parameters are there: adds the adapter's pairs. EX_DATAERR for a tensor that is
 * no part of the model. */
int adapter_add_pairs(const struct adapter *a, struct model *m, struct err *e);
void adapter_free(struct adapter *a);

/* ---- writing ---- */

enum adapter_form { ADAPTER_PEFT, ADAPTER_WHOLE };

/* Marks in changed[n_params] what a model's adapter has to hold: what was trained, what was
 * drawn from the seed, and what an earlier adapter holds. */
void adapter_changed(const struct model *m, const bool *trained, bool *changed);

/* Writes the adapter of what changed into the existing directory `dir`, and adds "base",
 * "files" and "lora" to `note`. ADAPTER_PEFT: what PEFT 0.21 loads goes to its two files,
 * the rest to delta.safetensors; ADAPTER_WHOLE: all goes to delta.safetensors. EX_USAGE for
 * a model without files, which has no base; EX_DATAERR when the base's path is no UTF-8. */
int adapter_save(const struct model *m, const char *dir, enum adapter_form form,
		 const bool *changed, json_t *note, struct err *e);

/* The name of a parameter (or its module) in transformers' memory, for the caller to free;
 * NULL when memory is short. */
char *adapter_memory_name(const struct model *m, const char *save_name);

#endif
