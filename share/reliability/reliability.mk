# make reliability, reliability-doc: the recipe of this directory with the programs of this
# tree, two of them at a time (JOBS=N).

JOBS ?= 2
reliability_recipe = PATH="$(CURDIR)/$(BIN):$$PATH" $(MAKE) --no-print-directory \
	$(if $(filter -j%,$(MAKEFLAGS)),,-j $(JOBS)) -f share/reliability/recipe.mk

.PHONY: reliability reliability-doc
reliability:
	@sh .ci/deps demo
	@$(MAKE) --no-print-directory all
	+@$(reliability_recipe)

# share/doc/reliability.md and its pictures, from what `make reliability` left.
reliability-doc:
	@$(MAKE) --no-print-directory all
	+@$(reliability_recipe) doc
