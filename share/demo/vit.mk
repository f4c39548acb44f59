# A small vision transformer learns seven kinds of clothing from 42,000 pictures. How well
# does it then learn three kinds more (sneakers, bags and boots) from 300, when only a share
# of it is trained? Change what you like and make again.

cache = demo/cache/fashion-mnist
OUT   = demo/vit
MODEL = $(OUT)/model
TRAIN = $(cache)/train-images-idx3-ubyte.gz
DEV   = $(cache)/t10k-images-idx3-ubyte.gz

TASK    = image
COLUMNS = --classes 7,8,9
FEW     = --limit 300

BUDGETS  = 0.1% 1% 10%
PRESETS  = head bitfit norm lora full
SEEDS    = 0 1 2
FINETUNE = $(FEW) --steps 150 --lr 3e-3
PROBE    = $(FEW) --steps 150 --fraction 0.07 --lr 3e-3
PICTURED = tensor

# The fewer train, the further each has to go.
FINETUNE.0.1% = --lr 1e-2
FINETUNE.head = --lr 1e-2
FINETUNE.norm = --lr 1e-2
FINETUNE.lora = --lora-rank 4

# The first training, on the other classes and from random weights.
OLD      = --task image --classes 0,1,2,3,4,5,6
PRETRAIN = --steps 2500 --batch 64 --lr 2e-3 --schedule cosine

TITLE = Three new classes for a vision transformer

.DEFAULT_GOAL = all
include share/adapeft.mk

all: pictures $(OUT)/before.txt $(OUT)/scores.txt
	@echo 'demo: the seven classes of the first training:'
	@cat $(OUT)/before.txt
	@echo 'demo: the three new classes, mean of the seeds, worst and best:'
	@cat $(OUT)/scores.txt
.PHONY: all

# ---- the model ---------------------------------------------------------------------------

shape  = "image_size": 28, "patch_size": 4, "num_channels": 1, "hidden_size": 64, \
	"num_hidden_layers": 4, "num_attention_heads": 4, "intermediate_size": 256
pixels = "image_processor_type": "ViTImageProcessor", "size": {"height": 28, "width": 28}, \
	"image_mean": [0.286], "image_std": [0.353]

$(adapeft_said)/shape:    export said = {"model_type": "vit", $(shape)}
$(adapeft_said)/pixels:   export said = {$(pixels)}
$(adapeft_said)/pretrain: export said = $(OLD) $(PRETRAIN)

$(OUT)/random/config.json: $(adapeft_said)/shape
$(OUT)/random/preprocessor_config.json: $(adapeft_said)/pixels
$(OUT)/random/%.json:
	@mkdir -p $(@D)
	cp $< $@

$(OUT)/pretraining.run: $(OUT)/random/config.json $(OUT)/random/preprocessor_config.json \
		$(TRAIN) $(adapeft_said)/pretrain
	adapeft-finetune --init random --preset full -m $(OUT)/random -d $(TRAIN) $(OLD) \
	  $(PRETRAIN) --progress -o $(MODEL) </dev/null >$@

$(MODEL)/config.json: $(OUT)/pretraining.run ;

$(OUT)/before.txt: $(OUT)/pretraining.run $(DEV)
	adapeft-evaluate -d $(DEV) $< >$(@:txt=point)
	@awk -f share/cols.awk -v head=1 -v cols=run,trained,metric,score,loss,n \
	  $(@:txt=point) | awk -f share/table.awk >$@

# ---- look --------------------------------------------------------------------------------

$(OUT)/scores.txt: $(OUT)/all.point share/demo/seeds.awk
	@awk -f share/cols.awk -v cols=run,trained,percent,score $< | sort -s -k2,2n | \
	  awk -f share/demo/seeds.awk | awk -f share/table.awk >$@
