# adapeft.mk - dozens of runs from a makefile of five lines.
#
#     MODEL = minilm
#     TRAIN = train.tsv
#     DEV   = dev.tsv
#     TASK  = sst2
#     include PREFIX/share/adapeft/adapeft.mk
#
# `make` then probes, ranks, selects, trains and judges, and shows a table of the runs.
# What is there is not made again: a new budget or seed adds its runs, a changed setting
# makes again what depends on it, and `make` after Ctrl-C goes on with the next run.
# `make pictures` draws; `make -n` shows the commands.
#
#   MODEL      a model directory
#   TRAIN DEV  data to train with and to judge by
#   TASK       a task that adapeft-probe knows; or, instead of it,
#   COLUMNS    --text COL --label COL and what else describes the data
#   BUDGETS    parameters to train: 20k, or shares of the model: 0.1%
#   PRESETS    fixed choices to compare with
#   SEEDS      every run is made once for each
#   GROUPING   the groups that are chosen from
#   PICTURED   the grouping of the heatmap: within layers and types
#   OUT        the directory of streams, runs and pictures
#   PROBE RANK SELECT FINETUNE EVALUATE
#              more options of these programs; PROBE.G those for the grouping G alone,
#              FINETUNE.X those for the budget or preset X: FINETUNE.lora = --lora-rank 8
#   TITLE      a title for the frontier's picture
#
# Pipeline, left to right, below OUT:
#   streams/G.ppi  streams/G.appi  streams/G-B.mask  runs/G-B-S.run  all.point
#   frontier.tsv  frontier.txt
# and beside each .run the directory of the trained model.

BUDGETS  ?= 0.1% 1% 10%
PRESETS  ?= head bitfit norm full
SEEDS    ?= 0
GROUPING ?= tensor
PICTURED ?= layer-type
OUT      ?= adapeft
COLUMNS  ?=
PROBE    ?= --fraction 0.1
RANK     ?=
SELECT   ?=
FINETUNE ?=
EVALUATE ?=
TITLE    ?=

adapeft_share := $(patsubst %/,%,$(dir $(lastword $(MAKEFILE_LIST))))
adapeft_task  := $(strip $(if $(TASK),--task $(TASK)) $(COLUMNS))
adapeft_said   = $(OUT)/settings

# A name for files: % has a meaning in make.
adapeft_name   = $(subst %,pct,$(1))

adapeft_runs := $(foreach s,$(SEEDS),$(foreach b,$(BUDGETS) \
	,$(OUT)/runs/$(GROUPING)-$(call adapeft_name,$(b))-$(s).run) $(foreach p,$(PRESETS) \
	,$(OUT)/runs/$(p)-$(s).run))

.DELETE_ON_ERROR:
.SECONDARY:
.PHONY: frontier pictures adapeft_always

frontier: $(OUT)/frontier.txt
	@cat $<

pictures: $(foreach f,svg png,$(OUT)/pictures/influence.$(f) $(OUT)/pictures/frontier.$(f))

# A file that holds what was said, and is new only when something else is said.
$(adapeft_said)/probe:    export said = $(adapeft_task) $(PROBE)
$(adapeft_said)/rank:     export said = $(RANK)
$(adapeft_said)/select:   export said = $(SELECT)
$(adapeft_said)/finetune: export said = $(adapeft_task) $(FINETUNE)
$(adapeft_said)/evaluate: export said = $(EVALUATE) $(adapeft_runs)
$(adapeft_said)/title:    export said = $(TITLE)
$(adapeft_said)/probe.%:  export said = $(PROBE$(suffix $@))
$(adapeft_said)/%: adapeft_always
	+@mkdir -p $(@D)
	+@printf '%s\n' "$$said" | cmp -s - $@ || printf '%s\n' "$$said" >$@

# ---- probe, rank, select -----------------------------------------------------------

$(OUT)/streams/%.ppi: $(TRAIN) $(MODEL)/config.json $(adapeft_said)/probe \
		$(adapeft_said)/probe.%
	@mkdir -p $(@D)
	adapeft-probe -m $(MODEL) -d $(TRAIN) $(adapeft_task) --group-by $* $(PROBE) \
	  $(PROBE.$*) --progress >$@

$(OUT)/streams/%.appi: $(OUT)/streams/%.ppi $(adapeft_said)/rank
	adapeft-rank $(RANK) $< >$@

# budget
define adapeft_mask
$(OUT)/streams/$(GROUPING)-$(call adapeft_name,$(1)).mask: \
		$(OUT)/streams/$(GROUPING).appi $(adapeft_said)/select
	adapeft-select --budget $(1) $(SELECT) $$< >$$@
endef
$(foreach b,$(BUDGETS),$(eval $(call adapeft_mask,$(b))))

# ---- train and judge ---------------------------------------------------------------

# budget or preset
define adapeft_training
$(adapeft_said)/finetune.$(call adapeft_name,$(1)): export said = $$(FINETUNE.$(1))
endef
$(foreach x,$(sort $(BUDGETS) $(PRESETS)),$(eval $(call adapeft_training,$(x))))

# budget, seed
define adapeft_run
$(OUT)/runs/$(GROUPING)-$(call adapeft_name,$(1))-$(2).run: \
		$(OUT)/streams/$(GROUPING)-$(call adapeft_name,$(1)).mask \
		$(TRAIN) $(adapeft_said)/finetune \
		$(adapeft_said)/finetune.$(call adapeft_name,$(1))
	@mkdir -p $$(@D)
	adapeft-finetune --mask $$< -m $(MODEL) -d $(TRAIN) -s $(2) $(FINETUNE) \
	  $(FINETUNE.$(1)) --progress -o $$(@:.run=) >$$@
endef
$(foreach s,$(SEEDS),$(foreach b,$(BUDGETS),$(eval $(call adapeft_run,$(b),$(s)))))

# preset, seed
define adapeft_preset
$(OUT)/runs/$(1)-$(2).run: $(TRAIN) $(MODEL)/config.json $(adapeft_said)/finetune \
		$(adapeft_said)/finetune.$(1)
	@mkdir -p $$(@D)
	adapeft-finetune --preset $(1) -m $(MODEL) -d $(TRAIN) $(adapeft_task) -s $(2) \
	  $(FINETUNE) $(FINETUNE.$(1)) --progress -o $$(@:.run=) </dev/null >$$@
endef
$(foreach s,$(SEEDS),$(foreach p,$(PRESETS),$(eval $(call adapeft_preset,$(p),$(s)))))

$(OUT)/all.point: $(adapeft_runs) $(DEV) $(adapeft_said)/evaluate
	adapeft-evaluate -d $(DEV) $(EVALUATE) --progress $(adapeft_runs) >$@

# ---- look --------------------------------------------------------------------------

$(OUT)/frontier.tsv: $(OUT)/all.point
	awk -f $(adapeft_share)/cols.awk -v head=1 \
	  -v cols=run,budget,trained,percent,metric,score,loss,on_frontier $< >$@

$(OUT)/frontier.txt: $(OUT)/frontier.tsv
	@{ sed 1q $<; sed 1d $< | sort -s -k3,3n; } | awk -f $(adapeft_share)/table.awk >$@

$(OUT)/pictures/influence.svg $(OUT)/pictures/influence.png: $(OUT)/streams/$(PICTURED).appi
	@mkdir -p $(@D)
	adapeft-plot heatmap $< -o $@

$(OUT)/pictures/frontier.svg $(OUT)/pictures/frontier.png: $(OUT)/all.point \
		$(adapeft_said)/title
	@mkdir -p $(@D)
	adapeft-plot frontier $< -o $@ $(if $(TITLE),--title '$(subst ','\'',$(TITLE))')
