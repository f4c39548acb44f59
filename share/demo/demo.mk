# make demo: share/demo/recipe.mk with the programs of this tree.

.PHONY: demo
demo:
	@sh .ci/deps demo
	@$(MAKE) --no-print-directory all
	@sh share/demo/fetch.sh demo/cache
	@PATH="$(CURDIR)/$(BIN):$$PATH" $(MAKE) --no-print-directory -f share/demo/recipe.mk
	@echo 'pictures: demo/pictures/influence.svg and frontier.svg (and .png)'
