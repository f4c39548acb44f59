# make bench: texts a second beside PyTorch's. Takes a Python with tests/ref/requirements.txt
# installed (PYTHON=...), a model and a labelled TSV: the demo's, unless BENCH_MODEL and BENCH_DATA
# name others.

PYTHON      ?= python3
BENCH_MODEL ?= demo/bench/model
BENCH_DATA  ?= demo/bench/data.tsv

$(OUT)/tests/bench/bench: $(OUT)/tests/bench/bench.o $(CLI_OBJ) $(LIB)
	@mkdir -p $(@D)
	$(CC) $(SANFLAGS) -fopenmp $(LDFLAGS) -o $@ $^ $(LIBS)

# The demo's data with a label in place of the score, and its model with a head.
demo/bench/data.tsv: demo/data/train.tsv
	@mkdir -p $(@D)
	awk -F '\t' 'NR == 1 { print "sentence\tlabel"; next } { print $$1 "\t" ($$2 > 0) }' $< >$@

demo/bench/model: $(BIN)/adapeft-finetune demo/bench/data.tsv
	$< -q -m demo/model -d demo/bench/data.tsv --task sst2 --preset head --lr 0 --steps 1 \
	  -o $@ </dev/null >/dev/null

.PHONY: bench
bench: all $(OUT)/tests/bench/bench $(BENCH_DATA) $(BENCH_MODEL)
	@$(PYTHON) -c 'import torch, transformers' 2>/dev/null || { \
	  echo 'bench: $(PYTHON) has no torch and transformers; install tests/ref/requirements.txt' \
	    'into an environment and say PYTHON=DIR/bin/python' >&2; exit 69; }
	@$(PYTHON) tests/bench/bench.py $(OUT)/tests/bench/bench $(BENCH_MODEL) $(BENCH_DATA)
