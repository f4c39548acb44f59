# A small GPT-2 learns English from 23,000 sentences of reviews, news and tweets, and from
# descriptions of restaurants without what they are descriptions of. How well does it then
# learn to describe what it is told when only a share of it is trained? Change what you like
# and make again.
#
#   E2E   a directory with devset.csv and testset_w_refs.csv of the E2E NLG data; without it
#         the restaurants are those of share/demo/restaurants.awk

OUT   = demo/gpt2
MODEL = $(OUT)/model
TRAIN = $(OUT)/data/train.csv
DEV   = $(OUT)/data/test.csv
TASK  = e2e

BUDGETS  = 0.1% 1% 10%
PRESETS  = bitfit lora full
SEEDS    = 0
FINETUNE = --steps 200 --lr 5e-3
PROBE    = --steps 200 --fraction 0.05 --lr 3e-3
EVALUATE = --metric bleu --generate $(OUT)/written
PICTURED = tensor

# The fewer train, the further each has to go.
FINETUNE.0.1%   = --lr 2e-2
FINETUNE.1%     = --lr 1e-2
FINETUNE.bitfit = --lr 1e-2
FINETUNE.lora   = --lora-rank 8
FINETUNE.full   = --lr 3e-3

# The first training, from random weights.
PRETRAIN = --steps 1400 --batch 8 --lr 3e-3 --schedule cosine
TOKENS   = 2048

TITLE = A small GPT-2 learns to describe restaurants

.DEFAULT_GOAL = all
include share/adapeft.mk

all: pictures before $(OUT)/scores.txt $(OUT)/written.txt
	@cat $(OUT)/written.txt $(OUT)/scores.txt
.PHONY: all before

before: $(OUT)/before.point
	@awk -f share/cols.awk -v cols=score $< | \
	  sed 's/^\(.*\..\).*/demo: after the first training, perplexity \1 on other sentences/'

# ---- texts -------------------------------------------------------------------------------

read    = $(OUT)/data/train.txt
unread  = $(OUT)/data/dev.txt
archive = demo/cache/vaderSentiment-3.3.2.tar.gz
inner   = vaderSentiment-3.3.2/additional_resources/hutto_ICWSM_2014.tar.gz

$(read) $(unread) &: $(archive) share/demo/text.awk
	@mkdir -p $(@D)
	tar -xzOf $(archive) $(inner) | \
	  tar -xz --wildcards --to-command='cat; echo' '*_GroundTruth.txt' | \
	  LC_ALL=C awk -v out=$(@D) -f share/demo/text.awk

# ---- restaurants -------------------------------------------------------------------------

E2E    ?=
e2e     = $(or $(E2E),$(OUT)/made)
e2e_csv = $(e2e)/devset.csv $(e2e)/testset_w_refs.csv
every   = $(if $(E2E),3,1)
unseen  = $(OUT)/data/dev.csv
text    = $(OUT)/data/text.txt

$(adapeft_said)/e2e: export said = $(e2e)

$(OUT)/made/devset.csv $(OUT)/made/testset_w_refs.csv &: share/demo/restaurants.awk
	@mkdir -p $(@D)
	LC_ALL=C awk -v out=$(@D) -f share/demo/restaurants.awk

$(TRAIN) $(unseen) $(DEV) &: $(e2e_csv) share/demo/e2e.awk $(adapeft_said)/e2e
	@mkdir -p $(@D)
	@echo 'demo: $(if $(E2E),E2E data of $(E2E),made restaurants (share/demo/restaurants.awk))'
	LC_ALL=C awk -v out=$(@D) -v every=$(every) -f share/demo/e2e.awk $(e2e_csv)

$(E2E:%=%/devset.csv) $(E2E:%=%/testset_w_refs.csv):
	@echo 'demo: $@ is not there; E2E=DIR says where the E2E NLG data are' >&2; exit 66

# References of one restaurant follow one another: names come again, and are worth copying.
$(text): $(read) $(TRAIN)
	@{ cat $(read); sed -e 1d -e 's/^"[^"]*",//' -e 's/^"\(.*\)"$$/\1/' -e 's/""/"/g' \
	  $(TRAIN); } >$@

# ---- the model ---------------------------------------------------------------------------

shape = "n_positions": 256, "n_embd": 128, "n_layer": 4, "n_head": 4, \
	"resid_pdrop": 0, "embd_pdrop": 0, "attn_pdrop": 0

$(adapeft_said)/tokens:   export said = $(TOKENS)
$(adapeft_said)/shape:    export said = $(shape)
$(adapeft_said)/pretrain: export said = $(PRETRAIN)

$(OUT)/random/vocab.json $(OUT)/random/merges.txt &: $(text) $(TRAIN) share/demo/bpe.awk \
		$(adapeft_said)/tokens
	@mkdir -p $(@D)
	LC_ALL=C awk -v out=$(@D) -v size=$(TOKENS) -f share/demo/bpe.awk $(text) $(TRAIN)

# Beside 256 bytes there is a token for each merge, and one that ends a text.
$(OUT)/random/config.json: $(OUT)/random/merges.txt $(adapeft_said)/shape
	@end=$$(($$(sed 1d $< | wc -l) + 256)); \
	printf '{"model_type": "gpt2", %s, "vocab_size": %d, %s}\n' '$(shape)' $$((end + 1)) \
	  "\"bos_token_id\": $$end, \"eos_token_id\": $$end, \"pad_token_id\": $$end" >$@

$(OUT)/pretraining.run: $(OUT)/random/config.json $(OUT)/random/vocab.json $(text) \
		$(adapeft_said)/pretrain
	adapeft-finetune --init random --preset full -m $(OUT)/random -d $(text) --task lm \
	  $(PRETRAIN) --progress -o $(MODEL) </dev/null >$@

$(MODEL)/config.json: $(OUT)/pretraining.run ;

$(OUT)/before.point: $(OUT)/pretraining.run $(unread)
	adapeft-evaluate -d $(unread) $< >$@

# ---- look --------------------------------------------------------------------------------

$(OUT)/dev.point: $(adapeft_runs) $(unseen)
	adapeft-evaluate -d $(unseen) --metric perplexity $(adapeft_runs) >$@

$(OUT)/scores.txt: $(OUT)/all.point $(OUT)/dev.point
	@awk -f share/cols.awk -v cols=run,score $(OUT)/dev.point >$(OUT)/dev.tsv
	@{ printf 'run\ttrained\tpercent\tbleu\tperplexity\ton_frontier\n'; \
	  awk -f share/cols.awk -v cols=run,trained,percent,score,on_frontier $< | sort -k2,2n | \
	  awk -F '\t' -v OFS='\t' 'NR == FNR { of[$$1] = $$2; next } \
	    { print $$1, $$2, $$3, $$4, of[$$1], $$5 }' $(OUT)/dev.tsv -; } | \
	  awk -f share/table.awk >$@

# What was written for three of the test's restaurants, by all.
$(OUT)/written.txt: $(OUT)/all.point share/demo/written.awk
	@for run in $$(awk -f share/cols.awk -v cols=run,trained $< | sort -k2,2n | cut -f 1); do \
	  echo $(OUT)/written.$$run; done | \
	  xargs awk -v show='20 90 180' -f share/demo/written.awk $(DEV) >$@
