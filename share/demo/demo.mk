# make demo, demo-gpt2, demo-vit: the recipes of share/demo with the programs of this tree.

demo_recipe = PATH="$(CURDIR)/$(BIN):$$PATH" $(MAKE) --no-print-directory -f share/demo

.PHONY: demo demo-gpt2 demo-vit
demo:
	@sh .ci/deps demo
	@$(MAKE) --no-print-directory all
	@sh share/demo/fetch.sh demo/cache minilm vader
	+@$(demo_recipe)/recipe.mk
	@echo 'pictures: demo/pictures/influence.svg and frontier.svg (and .png)'

# E2E=DIR: devset.csv and testset_w_refs.csv of the E2E NLG data are there.
demo-gpt2:
	@sh .ci/deps demo
	@$(MAKE) --no-print-directory all
	@sh share/demo/fetch.sh demo/cache vader
	+@$(demo_recipe)/gpt2.mk
	@echo 'pictures: demo/gpt2/pictures/influence.svg and frontier.svg (and .png)'

demo-vit:
	@sh .ci/deps
	@$(MAKE) --no-print-directory all
	@sh share/demo/fetch.sh demo/cache fashion-mnist
	+@$(demo_recipe)/vit.mk
	@echo 'pictures: demo/vit/pictures/influence.svg and frontier.svg (and .png)'
