# SPDX-License-Identifier: GPL-2.0
# The core, built as for an architecture that has a phys_to_dma() of its own, and tests of
# that build.

CC_phys_to_dma := $(CC_gcc) -DCONFIG_ARCH_HAS_PHYS_TO_DMA=1
$(if $(filter phys_to_dma,$(VARIANTS)),,$(eval $(call variant,phys_to_dma)))

$(OUT)/phys_to_dma/bridge/bridge: $(phys_to_dma_objects) $(OUT)/phys_to_dma/tests/main.o \
		$(OUT)/phys_to_dma/bridge/bridge.o
	@$(CC_phys_to_dma) $^ -lpthread -o $@
