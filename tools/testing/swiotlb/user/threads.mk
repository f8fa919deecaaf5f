# SPDX-License-Identifier: GPL-2.0
# The tests with threads

THREADS := $(basename $(notdir $(wildcard $(HERE)threads/*.c)))

# $(1): variant
define threads
all: $(OUT)/$(1)/threads/threads

$(OUT)/$(1)/threads/threads: $$($(1)_objects) $(THREADS:%=$(OUT)/$(1)/threads/%.o)
	@$$(CC_$(1)) $$^ -lpthread -o $$@
endef
$(foreach v,$(filter gcc tsan cov,$(VARIANTS)),$(eval $(call threads,$v)))
