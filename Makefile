# SPDX-License-Identifier: GPL-2.0
# Words to type; the work is done by the scripts in tools/testing/swiotlb.

T := tools/testing/swiotlb
EVERYTHING := kernel modules guest xen
PARITY := debug guest xen
CHECKS := figures checkpatch sparse coccinelle kernel-doc htmldocs maintainers spelling
export BASE LINUX PATCH PART

help: ## this list
	@echo 'Targets:'
	@sed -n 's/^\([a-z0-9-]*\):.*## \(.*\)/  \1\t\2/p' $(MAKEFILE_LIST) | expand -t 15
	@echo 'Variables:'
	@echo '  BASE=6.12             the kernel that the series is laid on, or 7.3'
	@echo '  LINUX=/path/to/tree   your own checkout of it in place of Debian'"'"'s; only read'
	@echo '  SCENARIO=name         what to boot, one or more, see `make list`'
	@echo '  SHELL_GUEST=1         boot to a prompt'
	@echo '  TIME=30               seconds to fuzz'
	@echo '  PATCH=NN-slug         the patch that takes what is absorbed'
	@echo '  PART=N                the part of the series whose mails are written; how far parity and boot go'

run: ## build what is missing, boot Xen with dom0 and with a domU that owns a PCI disk
	@$T/build $(EVERYTHING)
	@$T/guest/run --table xen-dom0 xen-domu-pci

test: ## build what is missing, run the tests
	@$T/build $(EVERYTHING) $(PARITY)
	@$T/test

test-all: ## the same, and what takes another kernel or configuration: 45 minutes more
	@$T/build $(EVERYTHING) $(PARITY) stock-debug
	@$T/test all

quick: ## after an edit: series, one userspace build, instructions, two boots
	@$T/build $(EVERYTHING)
	@$T/test quick

unit: tree ## the core in userspace: every compiler and sanitizer, threads, fault injection
	@$T/test unit

fuzz: tree ## random sequences against the model and coverage-guided fuzzing, TIME seconds
	@$T/user/fuzz $(or $(TIME),30)

models: tree ## what is read without a lock, in every interleaving, by spin
	@$T/test models

kunit: ## the KUnit suites, on bare hardware and in dom0
	@$T/build $(EVERYTHING)
	@$T/test kunit

mutants: tree ## put known bugs in, one at a time: some test must fail for each
	@$T/user/run-mutants

coverage: tree ## lines and branches that the userspace tests run
	@$T/user/coverage

bench: tree ## time ours against stock's in one process: table, JSON and plots in build/BASE/bench
	@$T/user/bench/bench

bench-check: tree ## the same in instructions, against the goals
	@$T/test bench

cost: ## instructions of map, unmap and sync in a booted kernel, with the series and without
	@$T/build $(EVERYTHING) stock
	@$T/guest/cost/calls

iocost: ## instructions of whole I/Os under swiotlb=force, with the series and without
	@$T/build $(EVERYTHING) stock
	@$T/guest/cost/io

bisect: ## build each patch in each configuration, and boot it: hours on two cores
	@$T/build cross tree guest xen
	@$T/series/walk/walk

parity: ## what drivers may expect of the DMA API, stock against the series, row by row
	@$T/build $(or $(PART:%=guest xen part-%),$(PARITY)) stock-debug
	@$(if $(PART),$T/guest/parity/table --build build/part-$(PART) --part $(PART),$T/test parity-both)

arch: ## compile for every architecture that selects SWIOTLB, boot arm64
	@$T/build cross tree guest arm64
	@$T/test arch arm64

boot: ## boot SCENARIO=name, all without it; SHELL_GUEST=1 for a prompt
	@$T/build $(or $(PART:%=guest xen part-%),$(EVERYTHING))
	@$T/guest/run $(PART:%=--build build/part-%) $(if $(SHELL_GUEST),--shell) $(or $(SCENARIO),all)

list: ## list the scenarios
	@$T/guest/run --list

check: tree ## round trip of the series, figures in texts, the kernel's own checkers
	@$T/test series $(CHECKS)

htmldocs: tree ## the kernel's book that has the pages of the series, in build/htmldocs
	@$T/test htmldocs

stat: tree ## the tables of the cover letter: lines, features, what is copied
	@$T/series/figures.py

tree: ## the base in build/6.12/linux with one commit for each patch
kernel: ## build that kernel
stock: ## build the base without the series, to compare with
debug: ## build the kernel with the series and with more checks
stock-debug: ## build the base with the same
arm64: ## build the kernel, modules and programs for arm64
modules: ## build the test modules
guest: ## build the programs that test inside a guest
series: ## write the mails to build/mails
absorb: ## bring changes made in build/6.12/linux into this repository
xen: ## unpack Xen under build/xen
cross: ## install cross compilers and QEMU for arm64
tree kernel stock debug stock-debug arm64 modules guest series absorb xen cross:
	@$T/build $@

bare: ## make TARGET=run or test in a bare Debian 12 or 13, say DEBIAN=13, made with debootstrap
	@$T/setup/bare "$(DEBIAN)" "$(TARGET)"

clean: ## remove everything generated
	@[ ! -d build ] || flock build/.lock rm -rf build

.PHONY: help run test test-all quick unit fuzz models kunit mutants coverage bench bench-check cost iocost bisect parity arch boot \
	list check htmldocs stat bare tree kernel stock debug stock-debug arm64 modules guest series absorb xen cross clean
.NOTPARALLEL:
