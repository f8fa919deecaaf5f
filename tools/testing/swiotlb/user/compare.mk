# SPDX-License-Identifier: GPL-2.0
# The software IO TLB of the base kernel on the same fake machine, and a comparison of both
# for the same requests.

STOCK_COMMIT := $(shell git -C $(TREE) rev-list --max-parents=0 HEAD)
STOCK := $(OUT)/stock-source/$(STOCK_COMMIT)
STOCK_FILES := kernel/dma/swiotlb.c kernel/dma/direct.h include/linux/swiotlb.h include/linux/dma-direct.h \
	include/linux/iommu-helper.h
STOCK_FLAGS := $(SANE) -I$(STOCK)/include -DSTOCK_SOURCE='"$(STOCK)/kernel/dma/swiotlb.c"'
COMPARE := compare/main.o $(MACHINE:%=machine/%.o)

$(STOCK_FILES:%=$(STOCK)/%):
	@mkdir -p $(@D)
	@git -C $(TREE) show $(STOCK_COMMIT):$(@:$(STOCK)/%=%) > $@.new && mv $@.new $@

$(OUT)/stock/%.o: $(HERE)%.c $(HEADERS) $(STOCK_FILES:%=$(STOCK)/%)
	@mkdir -p $(@D)
	@gcc $(STOCK_FLAGS) $(CPPFLAGS) $(CFLAGS) -I$(HERE)machine -MMD -MP -c $< -o $@

# The P2M of the fake machine is not used here, but it calls functions of p2m-leaf.c.
$(OUT)/stock/compare-with: $(COMPARE:%=$(OUT)/stock/%) $(OUT)/stock/compare/stock.o \
		$(OUT)/gcc/arch/x86/xen/p2m-leaf.o
	@gcc $(SANE) $^ -lpthread -o $@

$(OUT)/gcc/compare-with: $(COMPARE:%=$(OUT)/gcc/%) $(gcc_objects) $(OUT)/gcc/compare/ours.o
	@gcc $(SANE) $(sort $^) -lpthread -o $@

compare: $(OUT)/stock/compare-with $(OUT)/gcc/compare-with
.PHONY: compare
