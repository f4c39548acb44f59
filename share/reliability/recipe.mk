# How far can each method's influence be trusted? The truth: every tensor is trained alone,
# from the same initial model, and the decrease of the loss on rows that were held out is
# its own. Beside it stand the scores that each method gives the tensors before any of that.
# Change what you like and make again; what is there is not made again.
#
#   GLUE    a directory with sst2/train.tsv and mrpc/train.tsv, as GLUE distributes them;
#           without it the demo's reviews
#   MODEL   the model for these; unsaid, the demo's
#   E2E     a directory with devset.csv and testset_w_refs.csv of the E2E NLG data; without
#           it the restaurants of share/demo/restaurants.awk
#   TASKS   which of sst2 mrpc reviews gpt2
#   TENSORS which tensors are trained alone, as patterns of make: %.bias
#
# Pipeline, left to right, below DIR/TASK:
#   train.tsv held.tsv  init  streams/METHOD.ppi  streams/METHOD.appi
#                             alone/SEED/TENSOR.point  decrease.tsv  agreement.tsv
# and of all tasks DIR/agreement.tsv, the tables DIR/*.txt and the pictures DIR/pictures.

DIR    = demo/reliability
GLUE  ?= $(wildcard ../shared/data/glue)
MODEL ?= $(or $(wildcard ../shared/models/minilm-l3),demo/model)
E2E   ?= $(wildcard ../shared/data/e2e)
TASKS ?= $(if $(GLUE),sst2,reviews) gpt2

SEEDS    = 0
TENSORS  = %
ROWS     = 3200
OTHERS   = 2000
FINETUNE = --steps 100 --batch 32
PROBE    = --epochs 1 --batch 32

# ---- the table of tasks -----------------------------------------------------------------
# The data, the column of its label, where it is other than the column's own value, what the
# programs are told of it, the initial model (unsaid: MODEL with a new head), and files to
# judge by (unsaid: other rows of the data).

data.sst2    = $(GLUE)/sst2/train.tsv
label.sst2   = -v label=2
options.sst2 = --task sst2

data.mrpc    = $(GLUE)/mrpc/train.tsv
label.mrpc   = -v label=1
options.mrpc = --task mrpc

data.reviews    = demo/data/train.tsv
label.reviews   = -v label=2 -v threshold=0
options.reviews = --text sentence --label score --threshold 0

# Its first training has read train.csv's references, but none of the other two.
gpt2         = $(DIR)/gpt2/pretrained
data.gpt2    = $(gpt2)/data/train.csv
others.gpt2  = $(gpt2)/data/dev.csv $(gpt2)/data/test.csv
options.gpt2 = --task e2e
init.gpt2    = $(gpt2)/model

# ---- the table of methods ---------------------------------------------------------------
# `default` is whatever adapeft-probe does unasked (ggn within travel). Slopes are from
# halves of the batch, but for paper, which is the paper's estimate, and NAME-batch.

METHODS ?= default default-batch paper \
	$(filter-out ggn-travel hvp-rms hvp-inf fit-rms,$(bounded)) \
	grad-adamw grad-sgd grad-sgd-batch fisher magnitude random
bounded := $(foreach m,ggn hvp fit,$(foreach t,travel rms inf,$(m)-$(t)))

trust.travel = travel
trust.rms    = rms:0.1
trust.inf    = inf

probe.default       =
probe.default-batch = --slopes batch
probe.paper         = --method fit --trust inf --slopes batch
$(foreach m,ggn hvp fit,$(foreach t,travel rms inf,$(eval \
	probe.$(m)-$(t) = --method $(m) --trust $(trust.$(t)))))
probe.grad-adamw     = --method grad --direction adamw
probe.grad-sgd       = --method grad --direction sgd
probe.grad-sgd-batch = --method grad --direction sgd --slopes batch
probe.fisher         = --method fisher
probe.magnitude      = --method magnitude
probe.random         = --method random

# What tables and pictures are made of, whatever METHODS is.
needed := default hvp-travel fit-travel
probed := $(sort $(METHODS) $(needed))

# ---- all --------------------------------------------------------------------------------

recipe  := $(lastword $(MAKEFILE_LIST))
here    := $(patsubst %/,%,$(dir $(recipe)))
share   := $(patsubst %/,%,$(dir $(here)))
said     = $(DIR)/settings
first   := $(firstword $(TASKS))
tables   = $(foreach t,tasks agreement types,$(DIR)/$(t).txt)
pictures = $(foreach p,agreement interactions heatmap steps \
	$(foreach t,$(TASKS),scatter-$(t) curvature-$(t) fit-$(t)),$(DIR)/pictures/$(p).svg)

export OMP_WAIT_POLICY ?= passive
export LC_ALL = C

.DEFAULT_GOAL = all
.DELETE_ON_ERROR:
.SECONDARY: $(probed:%=$(said)/probe.%) \
	$(foreach t,$(TASKS),$(probed:%=$(DIR)/$(t)/streams/%.ppi))
.PHONY: all tensors report doc always

# Which tensors there are is known after the first probe.
all: tensors
	+@$(MAKE) --no-print-directory -f $(recipe) report
	@cat $(tables)
	@echo 'pictures: $(DIR)/pictures'

tensors: $(TASKS:%=$(DIR)/%/tensors.txt)
report: $(tables) $(pictures)

# A file that holds what was said, and is new only when something else is said.
$(said)/split:    export said = $(ROWS) $(OTHERS)
$(said)/finetune: export said = $(FINETUNE)
$(said)/probe:    export said = $(PROBE)
$(said)/tables:   export said = $(TASKS); $(METHODS); $(SEEDS); $(TENSORS)
$(said)/data.%:   export said = $(data$(suffix $*)) $(others$(suffix $*))
$(said)/model.%:  export said = $(or $(init$(suffix $*)),$(MODEL)) $(options$(suffix $*))
$(said)/probe.%:  export said = $(probe$(suffix $*))
$(said)/%: always
	+@mkdir -p $(@D)
	+@printf '%s\n' "$$said" | cmp -s - $@ || printf '%s\n' "$$said" >$@

# ---- models and data of the demos -------------------------------------------------------

# Given as directories, these are there.
ifneq (,$(filter demo/model,$(MODEL))$(filter reviews,$(TASKS)))
demo/model/config.json demo/data/train.tsv &:
	sh $(share)/demo/fetch.sh demo/cache minilm vader
	+$(MAKE) --no-print-directory -f $(share)/demo/recipe.mk OUT=demo MODEL=demo/model \
	  TRAIN=demo/data/train.tsv demo/model/config.json demo/data/train.tsv
endif

$(gpt2)/model/config.json $(data.gpt2) $(others.gpt2) &:
	sh $(share)/demo/fetch.sh demo/cache vader
	+$(MAKE) --no-print-directory -f $(share)/demo/gpt2.mk OUT=$(gpt2) MODEL=$(gpt2)/model \
	  E2E=$(E2E) $(gpt2)/model/config.json $(data.gpt2)

# ---- each task --------------------------------------------------------------------------

# task
define of_task
suffix.$(1) := $$(suffix $$(data.$(1)))
train.$(1)  := $$(DIR)/$(1)/train$$(suffix.$(1))
held.$(1)   := $$(DIR)/$(1)/held$$(suffix.$(1))
init.$(1)   ?= $$(DIR)/$(1)/init
alone.$(1)  := $$(foreach s,$$(SEEDS),$$(foreach t,$$(filter $$(TENSORS) \
	,$$(shell cat $$(DIR)/$(1)/tensors.txt 2>/dev/null)),$$(DIR)/$(1)/alone/$$(s)/$$(t).point))

$$(train.$(1)) $$(held.$(1)) &: $$(data.$(1)) $$(others.$(1)) $$(here)/split.awk \
		$$(said)/split $$(said)/data.$(1)
	@mkdir -p $$(DIR)/$(1)
	awk -v rows=$$(ROWS) $$(if $$(others.$(1)),-v others=0,-v others=$$(OTHERS) \
	  -v held=$$(held.$(1))) -v train=$$(train.$(1)) $$(label.$(1)) \
	  -f $$(here)/split.awk $$(data.$(1))
	$$(if $$(others.$(1)),awk -v rows=0 -v others=$$(OTHERS) -v held=$$(held.$(1)) \
	  $$(label.$(1)) -f $$(here)/split.awk $$(others.$(1)))

# A training that goes nowhere: all runs begin with the same new head.
$$(DIR)/$(1)/init/config.json: $$(train.$(1)) $$(MODEL)/config.json $$(said)/model.$(1)
	adapeft-finetune --preset head --steps 1 --lr 0 -s 0 -j 1 -q -m $$(MODEL) \
	  -d $$(train.$(1)) $$(options.$(1)) -o $$(@D) </dev/null >$$(DIR)/$(1)/init.run

$$(DIR)/$(1)/init.point: $$(held.$(1)) $$(init.$(1))/config.json
	adapeft-evaluate -j 1 -q --metric loss -d $$(held.$(1)) $$(options.$(1)) $$(init.$(1)) >$$@

# Influence, as every method has it.
$$(DIR)/$(1)/streams/%.ppi: $$(train.$(1)) $$(init.$(1))/config.json $$(said)/probe \
		$$(said)/probe.%
	@mkdir -p $$(@D)
	adapeft-probe -j 1 -q -m $$(init.$(1)) -d $$(train.$(1)) $$(options.$(1)) $$(PROBE) \
	  $$(probe.$$*) -o $$@

$$(DIR)/$(1)/pairs.interactions: $$(train.$(1)) $$(init.$(1))/config.json $$(said)/probe
	adapeft-probe -j 1 -q -m $$(init.$(1)) -d $$(train.$(1)) $$(options.$(1)) $$(PROBE) \
	  --method ggn --interactions $$@ -o $$(DIR)/$(1)/streams/pairs.ppi

$$(DIR)/$(1)/tensors.txt: $$(DIR)/$(1)/streams/default.ppi
	@awk -f $$(share)/cols.awk -v cols=group $$< | awk '!seen[$$$$1]++' >$$@

# The truth. Of a trained model only its loss is kept.
$$(DIR)/$(1)/alone/%.point: $$(train.$(1)) $$(held.$(1)) $$(init.$(1))/config.json \
		$$(said)/finetune
	@mkdir -p $$(@D)
	adapeft-finetune -j 1 -q -m $$(init.$(1)) -d $$(train.$(1)) $$(options.$(1)) \
	  --train $$(@F:.point=) -s $$(notdir $$(@D)) $$(FINETUNE) --save delta \
	  -o $$(@:.point=) </dev/null >$$(@:.point=.run)
	@adapeft-evaluate -j 1 -q --metric loss -d $$(held.$(1)) $$(options.$(1)) \
	  $$(@:.point=.run) >$$@
	@rm -rf $$(@:.point=)

$$(DIR)/$(1)/decrease.tsv: $$(DIR)/$(1)/init.point $$(alone.$(1)) $$(here)/decrease.awk \
		$$(said)/tables
	@awk -f $$(share)/cols.awk -v cols=model,trained,loss $$(filter %.point,$$^) | \
	  awk -v seeds='$$(SEEDS)' -f $$(here)/decrease.awk >$$@

$$(DIR)/$(1)/agreement.tsv: $$(DIR)/$(1)/decrease.tsv $$(here)/agree.sh $$(here)/agree.awk \
		$$(probed:%=$$(DIR)/$(1)/streams/%.appi)
	@sh $$(here)/agree.sh $(1) $$(DIR)/$(1) '$$(METHODS)' >$$@

$$(DIR)/$(1)/types.txt: $$(DIR)/$(1)/streams/hvp-travel.ppi \
		$$(DIR)/$(1)/streams/fit-travel.ppi $$(here)/types.awk
	@awk -f $$(share)/cols.awk -v cols=type,curv $$< >$$(@D)/curvatures.tsv
	@awk -f $$(share)/cols.awk -v cols=type,r2 $$(word 2,$$^) >$$(@D)/fits.tsv
	@awk -v task=$(1) -v head=$$(filter $(1),$$(first)) -f $$(here)/types.awk \
	  $$(@D)/curvatures.tsv $$(@D)/fits.tsv >$$@

$$(DIR)/$(1)/scatter.tsv: $$(DIR)/$(1)/decrease.tsv $$(DIR)/$(1)/streams/default.appi
	@awk -f $$(share)/cols.awk -v cols=group,value $$(word 2,$$^) | awk -F '\t' -v OFS='\t' \
	  'NR == FNR { score[$$$$1] = $$$$2; next } \
	   { print $$$$1, FNR == 1 ? "score" : score[$$$$1], $$$$3 }' - $$< >$$@

$$(DIR)/pictures/scatter-$(1).svg: $$(DIR)/$(1)/scatter.tsv
	@mkdir -p $$(@D)
	adapeft-plot agreement $$< -o $$@ --title '$(1): influence and what training measured'

$$(DIR)/pictures/curvature-$(1).svg: $$(DIR)/$(1)/streams/hvp-travel.ppi
	@mkdir -p $$(@D)
	adapeft-plot curvature $$< -o $$@ --title '$(1): curvature along each direction'

$$(DIR)/pictures/fit-$(1).svg: $$(DIR)/$(1)/streams/fit-travel.ppi
	@mkdir -p $$(@D)
	adapeft-plot fit $$< -o $$@ --title '$(1): how well parabolas fit the loss'
endef
$(foreach t,$(TASKS),$(eval $(call of_task,$(t))))

%.appi: %.ppi
	adapeft-rank -q --by value $< -o $@

# ---- all tasks --------------------------------------------------------------------------

$(DIR)/agreement.tsv: $(TASKS:%=$(DIR)/%/agreement.tsv) $(said)/tables
	@awk 'FNR > 1 || NR == 1' $(filter %.tsv,$^) >$@

$(DIR)/agreement.txt: $(DIR)/agreement.tsv $(share)/table.awk
	@awk -v digits=2 -f $(share)/table.awk $< >$@

$(DIR)/types.txt: $(TASKS:%=$(DIR)/%/types.txt) $(said)/tables
	@cat $(filter %.txt,$^) >$@

$(DIR)/tasks.txt: $(DIR)/agreement.tsv $(TASKS:%=$(DIR)/%/decrease.tsv) $(here)/tasks.sh
	@sh $(here)/tasks.sh $(DIR) $(TASKS) | awk -f $(share)/table.awk >$@

$(DIR)/pictures/agreement.svg: $(DIR)/agreement.tsv
	@mkdir -p $(@D)
	adapeft-plot agreement $< -o $@

$(DIR)/pictures/interactions.svg: $(DIR)/$(first)/pairs.interactions
	@mkdir -p $(@D)
	adapeft-plot interactions --top 20 $< -o $@ --title '$(first): how groups work together'

$(DIR)/pictures/heatmap.svg: $(DIR)/$(first)/streams/default.appi
	@mkdir -p $(@D)
	adapeft-plot heatmap $< -o $@ --title '$(first): influence per parameter'

$(DIR)/pictures/steps.svg: $(DIR)/$(first)/streams/default.ppi
	@mkdir -p $(@D)
	adapeft-plot steps $< -o $@ --title '$(first): influence over the probed steps'

# What is committed of it.
DOC = $(share)/doc
doc: all
	@mkdir -p $(DOC)
	@rm -f $(DOC)/reliability-*.svg
	@for p in $(pictures); do cp $$p $(DOC)/reliability-$${p##*/}; done
	@sh $(here)/doc.sh $(DIR) $(TASKS) >$(DOC)/reliability.md
