# make bench: seconds a step and memory, beside PyTorch's. Takes a Python with
# tests/ref/requirements.txt installed (PYTHON=...). BENCH=gpt2 measures the rows that have
# one of these words in their name; the table goes to $(BENCH_CSV), too.

PYTHON    ?= python3
BENCH     ?=
BENCH_CSV ?= $(OUT)/bench.csv

$(OUT)/tests/bench/%: $(OUT)/tests/bench/%.o $(LIB)
	@mkdir -p $(@D)
	$(CC) $(SANFLAGS) -fopenmp $(LDFLAGS) -o $@ $^ $(LIBS)

.PHONY: bench
bench: $(OUT)/tests/bench/bench
	@$(PYTHON) -c 'import peft, torch, transformers' 2>/dev/null || { \
	  echo 'bench: $(PYTHON) has no torch, transformers and peft; install' \
	    'tests/ref/requirements.txt into an environment and say PYTHON=DIR/bin/python' >&2; \
	  exit 69; }
	@$(PYTHON) tests/bench/bench.py $(OUT)/tests/bench/bench $(BENCH_CSV) $(BENCH)

# The peak of the programs' memory on models of the size of BERT-base and GPT-2.
.PHONY: bench-memory
bench-memory: all
	@python3 tests/bench/memory.py $(BIN) $(BENCH)
