# SPDX-License-Identifier: GPL-2.0
# Calls that must not compile, see refused/

$(OUT)/refused: $(HERE)refused/old_dma_capable.c $(TREE)/include/linux/dma-direct.h \
		$(HEADERS) $(HERE)refused.mk
	@$(CC_plain) $(CPPFLAGS) $(CFLAGS) -fsyntax-only $<
	@for last in true false is_ram; do \
		! $(CC_plain) $(CPPFLAGS) $(CFLAGS) -fsyntax-only -DLAST=$$last $< 2>$@.log && \
		grep -q 'static assertion failed' $@.log || \
		{ echo "dma_capable(dev, dma, size, $$last) compiles"; exit 1; }; \
	done
	@cp $< $@
