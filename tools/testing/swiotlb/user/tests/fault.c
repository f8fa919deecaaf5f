// SPDX-License-Identifier: GPL-2.0
/*
 * After a failure, either less was set up, with a message, or an error was returned. The
 * only memory that is lost is what could not be taken back from the devices, with a
 * message. Nothing is half set up. The same call succeeds as soon as nothing fails.
 */
#include "inject.h"
#include <asm/dma-machine.h>

static struct io_tlb_mem *const mem = &io_tlb_default_mem;
static const char *const no_xen[] = { "native", "encrypted", NULL };

/* --- what checks need --- */

static const struct swiotlb_backend *backend(void)
{
	return machine == XEN ? &xen_swiotlb_backend : NULL;
}

/* Mappings work. */
static void use(void)
{
	struct buffer buffer = buffer_alloc(5000, 100, __GFP_HIGHMEM);
	struct device dev;
	dma_addr_t dma;

	device_init(&dev, 32);
	dma = map(&dev, &buffer, DMA_BIDIRECTIONAL);
	EXPECT(dma != DMA_MAPPING_ERROR);
	unmap(&dev, dma, 5000, DMA_BIDIRECTIONAL);
	buffer_free(&buffer);
}

static void start_late(void)
{
	swiotlb_update_mem_attributes();
	EXPECT_EQ(swiotlb_init_late(SZ_1M, GFP_KERNEL | GFP_DMA32, backend()), 0);
	EXPECT(mem->nslabs >= 512);
	check_whole();
	use();
}

static void prepare_boot(void)
{
	core_boot(&configs[machine]);
	machine_run_initcalls();
	EXPECT_EQ(mem->nslabs, NSLABS);
}

/* --- boot --- */

static void act_boot(void)
{
	core_boot(&configs[machine]);
	machine_run_initcalls();
}

static void check_boot(void)
{
	if (mem->nslabs == NSLABS) {
		use();
		return;
	}
	EXPECT(machine_said("Failed to allocate") || machine_said("size adjusted") ||
	       machine_said("no bounce memory") || machine_said("doing without"));
	if (mem->nslabs) {
		EXPECT_EQ(swiotlb_size_or_default(), mem->nslabs << IO_TLB_SHIFT);
		use();
		return;
	}
	start_late();
}

TEST_VARIANTS(fault_boot, machines)
{
	fail_each(variant, &(struct fault){ NULL, act_boot, check_boot });
}

/* --- late set-up --- */

static int result;

static void prepare_late(void)
{
	if (machine == XEN)
		xen_dma_init();
}

static void act_late(void)
{
	swiotlb_update_mem_attributes();
	result = swiotlb_init_late(4 * SZ_1M, GFP_KERNEL | GFP_DMA32, backend());
}

static void check_late(void)
{
	if (result) {
		EXPECT_EQ(result, -ENOMEM);
		EXPECT(!mem->defpool);
		start_late();
		return;
	}
	/* What a hypervisor had too little for shows in the size that is printed. */
	EXPECT(mem->nslabs == 2048 || machine_said("only able to allocate") ||
	       (machine == XEN && machine_said("mapped [mem")));
	use();
}

TEST_VARIANTS(fault_late, machines)
{
	fail_each(variant, &(struct fault){ prepare_late, act_late, check_late });
}

/* --- growth, and transient pools --- */

static struct device device;
static struct buffer set, extra;
static dma_addr_t filled[NSLABS / IO_TLB_SEGSIZE], extra_dma;

static void prepare_full(void)
{
	unsigned int i;

	prepare_boot();
	device_init(&device, 32);
	set = buffer_alloc(IO_TLB_SET_BYTES, 0, __GFP_HIGHMEM);
	extra = buffer_alloc(9000, 100, __GFP_HIGHMEM);
	for (i = 0; i < ARRAY_SIZE(filled); i++) {
		filled[i] = map(&device, &set, DMA_TO_DEVICE);
		EXPECT(filled[i] != DMA_MAPPING_ERROR);
	}
}

static void drain(void)
{
	unsigned int i;

	for (i = 0; i < ARRAY_SIZE(filled); i++)
		unmap(&device, filled[i], set.size, DMA_TO_DEVICE);
	buffer_free(&set);
	buffer_free(&extra);
}

/* No room: starts the worker, and gets a transient pool where there are any */
static void map_extra(void)
{
	machine_set_atomic(true);
	extra_dma = map(&device, &extra, DMA_BIDIRECTIONAL);
	machine_set_atomic(false);
}

static void unmap_extra(void)
{
	if (extra_dma == DMA_MAPPING_ERROR)
		return;
	machine_set_atomic(true);
	unmap(&device, extra_dma, extra.size, DMA_BIDIRECTIONAL);
	machine_set_atomic(false);
	machine_grace_period();
}

static void prepare_growth(void)
{
	prepare_full();
	map_extra();
	unmap_extra();
}

static void act_growth(void)
{
	EXPECT_EQ(machine_work(), 1);
}

static void check_growth(void)
{
	if (mem->nslabs == NSLABS) {
		EXPECT(machine_said("no memory for another pool"));
		map_extra();
		unmap_extra();
		EXPECT_EQ(machine_work(), 0);
		machine_ticks += HZ;
		map_extra();
		unmap_extra();
		EXPECT_EQ(machine_work(), 1);
	}
	EXPECT(mem->nslabs > NSLABS);
	check_whole();
	map_extra();
	EXPECT(extra_dma != DMA_MAPPING_ERROR);
	EXPECT(!swiotlb_find_pool(&device, dma_to_phys(&device, extra_dma))->transient);
	unmap_extra();
	drain();
}

TEST_VARIANTS(fault_growth, machines)
{
	fail_each(variant, &(struct fault){ prepare_growth, act_growth, check_growth });
}

static void act_transient(void)
{
	map_extra();
	if (extra_dma == DMA_MAPPING_ERROR)
		EXPECT(machine_said("swiotlb buffer is full"));
	unmap_extra();
}

static void check_transient(void)
{
	u64 slots;

	EXPECT(machine_read_counter("swiotlb", "io_tlb_transient_nslabs", &slots) && !slots);
	EXPECT_EQ(slots_used(), NSLABS);
	map_extra();
	EXPECT(extra_dma != DMA_MAPPING_ERROR);
	unmap_extra();
	check_nothing_lost();
	drain();
}

TEST_VARIANTS(fault_transient, no_xen)
{
	fail_each(variant, &(struct fault){ prepare_full, act_transient, check_transient });
}

/* --- a restricted pool --- */

static struct reserved_mem rmem;

static void prepare_restricted(void)
{
	prepare_boot();
	rmem = (struct reserved_mem){
		.name = "restricted", .base = machine_alloc(SZ_1M, __GFP_DMA32), .size = SZ_1M,
	};
	EXPECT_EQ(machine_setup_reserved(&rmem, "restricted-dma-pool", NULL), 0);
	device_init(&device, 32);
}

static void act_restricted(void)
{
	result = rmem.ops->device_init(&rmem, &device);
	if (!result)
		others.objects += 3;
}

static void check_restricted(void)
{
	if (result) {
		EXPECT_EQ(result, -ENOMEM);
		EXPECT(!rmem.priv);
		EXPECT(device.dma_io_tlb_mem == mem);
		EXPECT_EQ(rmem.ops->device_init(&rmem, &device), 0);
	}
	extra = buffer_alloc(9000, 100, __GFP_HIGHMEM);
	map_extra();
	EXPECT(extra_dma >= rmem.base && extra_dma < rmem.base + rmem.size);
	unmap_extra();
	buffer_free(&extra);
	contract_check_all_free(device.dma_io_tlb_mem);
}

TEST_VARIANTS(fault_restricted, no_xen)
{
	struct fault fault = { prepare_restricted, act_restricted, check_restricted };

	fail_each(variant, &fault);
}

/* --- tear-down --- */

static void act_exit(void)
{
	swiotlb_exit();
}

static void check_exit(void)
{
	EXPECT(!is_swiotlb_allocated());
	start_late();
}

TEST(fault_exit)
{
	fail_each(ENCRYPTED, &(struct fault){ prepare_boot, act_exit, check_exit });
}

TEST(fault_exit_late)
{
	fail_each(ENCRYPTED, &(struct fault){ start_late, act_exit, check_exit });
}

/* --- coherent memory on Xen --- */

static struct page *pages;

static void prepare_exchange(void)
{
	prepare_boot();
	pages = alloc_pages(GFP_KERNEL, 3);
}

static void act_exchange(void)
{
	result = xen_dma_make_contiguous(pages, 8 * PAGE_SIZE, DMA_BIT_MASK(32), GFP_KERNEL);
	if (!result)
		others.extents += 8;
}

static void check_exchange(void)
{
	if (result) {
		EXPECT_EQ(result, -ENOMEM);
		/* Nothing to undo, and nothing is undone. */
		xen_dma_undo_contiguous(pages, 8 * PAGE_SIZE);
		check_nothing_lost();
		EXPECT_EQ(xen_dma_make_contiguous(pages, 8 * PAGE_SIZE, DMA_BIT_MASK(32),
						  GFP_KERNEL), 0);
		others.extents += 8;
	}
	EXPECT(xen_dma_contiguous(page_to_phys(pages), 8 * PAGE_SIZE));
	xen_dma_undo_contiguous(pages, 8 * PAGE_SIZE);
	others.extents -= 8;
	check_nothing_lost();
	__free_pages(pages, 3);
	use();
}

TEST(fault_exchange)
{
	fail_each(XEN, &(struct fault){ prepare_exchange, act_exchange, check_exchange });
}

/* --- callers' mistakes --- */

/* A transient pool is gone after the first unmap; the second finds nothing. */
TEST(fault_unmap_transient_twice)
{
	machine_power_on(&configs[NATIVE]);
	machine_set_param("swiotlb", configs[NATIVE].param);
	prepare_full();
	map_extra();
	EXPECT(swiotlb_find_pool(&device, dma_to_phys(&device, extra_dma))->transient);
	unmap(&device, extra_dma, extra.size, DMA_BIDIRECTIONAL);
	unmap(&device, extra_dma, extra.size, DMA_BIDIRECTIONAL);
	swiotlb_sync_single_for_cpu(&device, dma_to_phys(&device, extra_dma), extra.size,
				    DMA_BIDIRECTIONAL);
	EXPECT_EQ(machine_callbacks_pending(), 1);
	drain();
}
