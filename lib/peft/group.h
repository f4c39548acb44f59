/*
 * group - the parameters of a model divided into named groups, the items of the knapsack.
 *
 * Every parameter is in exactly one group. Names (adapeft-stream(5)):
 *   tensor      the tensor's name in the checkpoint
 *   module      its module path: the name without the last part; a LoRA pair is a group of
 *               its own, MODULE.lora, or MODULE.lora.r4 when there are several ranks
 *   layer       encoder.layer.3, embeddings, head
 *   type        head norm bias embed attn mlp lora_A lora_B
 *   layer-type  both: encoder.layer.3/norm; embeddings/embed, embeddings/norm, head/head
 *   row         TENSOR[i], row i of the tensor's first dimension as the checkpoint has it
 *               (an output of most linear layers, a token of an embedding table); a tensor
 *               of one dimension is one row, named by its tensor
 *   file        whatever a groups file says: PATTERN <tab> GROUP, first match wins, row by
 *               row where patterns end in [a:b] (ruling.h)
 */
#ifndef PEFT_GROUP_H
#define PEFT_GROUP_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#include "base/err.h"
#include "io/stream.h"
#include "model/model.h"
#include "peft/selection.h"

enum grouping { BY_TENSOR, BY_MODULE, BY_LAYER, BY_TYPE, BY_LAYER_TYPE, BY_ROW, BY_FILE };

/* Elements from .. from + n of a parameter: all of them, or whole rows. */
struct member {
	size_t param; /* index into model->params */
	size_t from, n;
};

struct group {
	char *name;
	char *choice; /* the groups with the same one exclude each other: MODULE.lora for
		       * pairs of several ranks, by module; NULL */
	const char *type;      /* as param_type_name, or "mixed" */
	char layer[24];        /* "0", "1", ..., "embed", "head", or "mixed" */
	uint64_t params;       /* elements */
	struct member *member; /* by increasing param, then from; runs do not touch */
	size_t n;
};

struct partition {
	enum grouping by;
	struct group *g; /* in the order of their first element */
	size_t n;
	struct member *members; /* those of all groups, one after the other */
	struct meta_list rules; /* BY_FILE: the rules as read, key PATTERN, value GROUP */
	struct strlist
	    notes; /* of partition_read: rules that take nothing, FILE:LINE: ... */
};

/* "type", "layer-type", ...; false for another word. */
bool grouping_named(const char *name, enum grouping *out);
const char *grouping_name(enum grouping by);

/* `rules` is for BY_FILE only, else NULL. EX_DATAERR when rules leave a parameter or a row
 * without a group (the first is named) or name rows that a tensor has not, EX_USAGE when a
 * pattern matches nothing (near misses). */
int partition_make(struct partition *p, const struct model *m, enum grouping by,
		   const struct meta_list *rules, struct err *e);
/* BY_FILE, of a groups file; # begins a comment line. What is wrong with a rule is told
 * with FILE:LINE. */
int partition_read(struct partition *p, const struct model *m, const char *path,
		   struct err *e);
void partition_free(struct partition *p);

/* How a partition travels in a stream: one line ##groups <tab> NAME, and for BY_FILE one
 * ##group <tab> PATTERN <tab> GROUP a rule. */
int partition_describe(const struct partition *p, struct meta_list *to, struct err *e);
/* The partition that a stream's head describes, for this model; by tensor when it says
 * none. */
int partition_from(struct partition *p, const struct model *m, const struct meta_list *head,
		   struct err *e);

/* Adds the elements of the groups named to `s`, and settles it; names count with or without
 * the family's prefix. EX_DATAERR names the first that the model has not, with near misses.
 */
int partition_choose(const struct partition *p, const struct model *m,
		     const struct strlist *groups, struct selection *s, struct err *e);

/* Marks the parameters whose name, or whose pair's, one of the patterns matches. EX_USAGE
 * with near misses when a pattern matches none. */
int params_matching(const struct model *m, const struct strlist *patterns, bool *wanted,
		    struct err *e);

/* Presets: "full" (all but LoRA pairs); "head" (pooler and classifier); "bitfit" (every
 * tensor named .bias, and the head); "norm" (layer norms, and the head); "lora" (all pairs,
 * and the head); "lora+bias" (and every tensor named .bias). EX_USAGE for another name, and
 * for lora when the model has no pairs. */
int params_preset(const struct model *m, const char *preset, bool *wanted, struct err *e);

#endif
