# SPDX-License-Identifier: GPL-2.0
# The model, random sequences, and entries for coverage-guided fuzzers.
#
#   make OUT=dir VARIANTS="gcc plain libfuzzer afl" fuzz
#
# gcc and plain get `fuzz`, which makes its own sequences; libfuzzer and afl get the
# entries `fuzz-steps`, `fuzz-param` and `fuzz-restricted`, and gcc the same as programs
# that take files.

CC_libfuzzer := clang -fsanitize=fuzzer-no-link,address,undefined -fno-sanitize-recover=all \
	-fno-omit-frame-pointer -Wno-gnu
CC_afl := AFL_USE_ASAN=1 AFL_USE_UBSAN=1 afl-clang-fast -fno-omit-frame-pointer -Wno-gnu

# Coverage of these files must not guide the fuzzer: that of the core and of steps does.
NO_GUIDE := -fno-sanitize=fuzzer-no-link
$(OUT)/libfuzzer/machine/%.o $(OUT)/libfuzzer/model/model.o $(OUT)/libfuzzer/model/image.o \
	$(OUT)/libfuzzer/model/world.o: private CC_libfuzzer += $(NO_GUIDE)

MODEL := $(addprefix model/,model image steps shrink world run)
ENTRIES := steps param restricted

# $(1): variant with a main of its own
define model
$(OUT)/$(1)/fuzz: $$($(1)_objects) $(MODEL:%=$(OUT)/$(1)/%.o) $(OUT)/$(1)/model/main.o
	@$$(CC_$(1)) $$^ -lpthread -o $$@
endef

# $(1): variant, $(2): entry, $(3): what calls it
define entry
$(OUT)/$(1)/fuzz-$(2): $$($(1)_objects) $(MODEL:%=$(OUT)/$(1)/%.o) \
		$(OUT)/$(1)/model/fuzz_$(2).o $(filter %.o,$(3))
	@$$(CC_$(1)) $$^ $(filter -%,$(3)) -lpthread -o $$@
endef

with_main := $(filter gcc plain,$(VARIANTS))
$(foreach v,$(with_main),$(eval $(call model,$v)))
$(foreach e,$(ENTRIES),$(eval $(call entry,libfuzzer,$e,-fsanitize=fuzzer)))
$(foreach e,$(ENTRIES),$(eval $(call entry,afl,$e,-fsanitize=fuzzer)))
$(foreach e,$(ENTRIES),$(eval $(call entry,gcc,$e,$(OUT)/gcc/model/standalone.o)))

fuzz: $(with_main:%=$(OUT)/%/fuzz) \
	$(foreach v,$(filter gcc libfuzzer afl,$(VARIANTS)),$(ENTRIES:%=$(OUT)/$v/fuzz-%))
.PHONY: fuzz
