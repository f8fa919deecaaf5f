// SPDX-License-Identifier: GPL-2.0
/*
 * DMA masks that no pool lies below: whether they are supported, and the pools that are
 * added for devices with such a mask. The tests call what drivers call.
 */
#include "test.h"
#include <dma/direct.h>

#define BITS		24
#define IS_XEN		(variant != FRAMES_NATIVE)

static struct io_tlb_mem *const mem = &io_tlb_default_mem;
static struct device narrow;
static struct buffer buffer;

static unsigned int nr_pools(void)
{
	return mem->pools->nr;
}

static struct io_tlb_pool *newest_pool(void)
{
	return mem->pools->pools[nr_pools() - 1];
}

/* The default pool is too high for the device. */
static void boot_high(unsigned int variant)
{
	boot(variant, "512");
	mem->defpool->maddr_max = DMA_BIT_MASK(32);
	device_init(&narrow, 64);
	buffer = buffer_alloc(3000, 0, __GFP_HIGHMEM);
}

/* Map a buffer that must be bounced, in any pool. Returns whether that works. */
static bool try_map(void)
{
	dma_addr_t dma;

	machine_set_atomic(true);
	dma = dma_direct_map_page(&narrow, pfn_to_page(PHYS_PFN(buffer.phys)), 0, buffer.size,
				  DMA_TO_DEVICE, DMA_ATTR_NO_WARN);
	if (dma != DMA_MAPPING_ERROR)
		dma_direct_unmap_page(&narrow, dma, buffer.size, DMA_TO_DEVICE, 0);
	machine_set_atomic(false);
	return dma != DMA_MAPPING_ERROR;
}

/* Move the sets of the default pool out of the reach of the device. */
static void lift_default(void)
{
	struct io_tlb_pool *pool = mem->defpool;
	unsigned long i;

	for (i = 0; i < pool->nslabs / IO_TLB_SEGSIZE; i++)
		pool->sets[i].maddr = DMA_BIT_MASK(31) + 1 + i * IO_TLB_SET_BYTES;
}

/* dma_direct_supported() neither sleeps nor allocates, however often it is called. */
TEST_ALL_FRAMES(promise_question)
{
	unsigned long pages, objects, extents;
	unsigned int bits;

	boot_high(variant);
	pages = machine_pages_in_use();
	objects = machine_objects_in_use();
	extents = machine_extents_in_use();
	machine_set_atomic(true);
	for (bits = BITS; bits <= 64; bits++)
		EXPECT(dma_direct_supported(&narrow, DMA_BIT_MASK(bits)));
	/* No pool is ever added for devices of fewer bits. */
	EXPECT_EQ(dma_direct_supported(&narrow, DMA_BIT_MASK(BITS - 1)), 0);
	machine_set_atomic(false);
	EXPECT_EQ(machine_work(), 0);
	EXPECT_EQ(nr_pools(), 1);
	EXPECT_EQ(machine_pages_in_use(), pages);
	EXPECT_EQ(machine_objects_in_use(), objects);
	EXPECT_EQ(machine_extents_in_use(), extents);
	swiotlb_stop_growth();
	EXPECT_EQ(dma_direct_supported(&narrow, DMA_BIT_MASK(BITS)), !IS_XEN);
	buffer_free(&buffer);
}

/* When such a mask is set, the worker adds a pool: once, and only on Xen. */
TEST_ALL_FRAMES(promise_mask_is_set)
{
	unsigned int i;

	boot_high(variant);
	machine_set_atomic(true);
	EXPECT_EQ(dma_set_mask(&narrow, DMA_BIT_MASK(64)), 0);
	EXPECT_EQ(dma_set_mask(&narrow, DMA_BIT_MASK(32)), 0);
	machine_set_atomic(false);
	EXPECT_EQ(machine_work(), 0);

	for (i = 0; i < 2; i++) {
		machine_set_atomic(true);
		EXPECT_EQ(dma_set_mask(&narrow, DMA_BIT_MASK(BITS)), 0);
		machine_set_atomic(false);
		EXPECT_EQ(machine_work(), IS_XEN && !i);
		EXPECT_EQ(nr_pools(), 1 + IS_XEN);
	}
	lift_default();
	EXPECT(try_map());
	if (IS_XEN)
		EXPECT(newest_pool()->maddr_max <= DMA_BIT_MASK(BITS));
	/* The added pool does not count in the size that drivers may rely on. */
	EXPECT_EQ(swiotlb_max_mapping_size(&narrow), IO_TLB_SET_BYTES);
	machine_work();
	machine_grace_period();
	buffer_free(&buffer);
}

/* The limit of the bus counts too. */
TEST_ALL_FRAMES(promise_bus_limit)
{
	boot_high(variant);
	narrow.bus_dma_limit = DMA_BIT_MASK(28);
	EXPECT_EQ(dma_set_mask(&narrow, DMA_BIT_MASK(32)), 0);
	EXPECT_EQ(machine_work(), IS_XEN);
	if (IS_XEN)
		EXPECT(newest_pool()->maddr_max <= DMA_BIT_MASK(28));
	buffer_free(&buffer);
}

/* If the pool is never used, it is freed like any other. The first mapping adds it again. */
TEST_ALL_FRAMES(promise_unused)
{
	unsigned long extents;

	boot_high(variant);
	extents = machine_extents_in_use();
	EXPECT_EQ(dma_set_mask(&narrow, DMA_BIT_MASK(BITS)), 0);
	machine_work();
	machine_delayed_work();
	machine_delayed_work();
	EXPECT_EQ(nr_pools(), 1);
	EXPECT_EQ(machine_extents_in_use(), extents);
	EXPECT_EQ(machine_delayed_work(), 0);

	lift_default();
	/* A mapping cannot exchange memory, so it may fail. */
	try_map();
	EXPECT_EQ(machine_work(), 1);
	EXPECT_EQ(nr_pools(), 2);
	EXPECT(newest_pool()->maddr_max <= DMA_BIT_MASK(BITS));
	EXPECT(try_map());
	machine_grace_period();
	buffer_free(&buffer);
}

/* If the pool has been used, it remains on Xen as long as no other pool is as low. */
TEST_ALL_FRAMES(promise_used)
{
	struct buffer set;
	dma_addr_t dma;
	unsigned int i;

	boot_high(variant);
	set = buffer_alloc(IO_TLB_SET_BYTES, 0, __GFP_HIGHMEM);
	EXPECT_EQ(dma_set_mask(&narrow, DMA_BIT_MASK(BITS)), 0);
	lift_default();
	if (!IS_XEN)
		try_map();
	EXPECT_EQ(machine_work(), 1);
	machine_grace_period();
	dma = map(&narrow, &set, DMA_TO_DEVICE);
	EXPECT(dma != DMA_MAPPING_ERROR);
	EXPECT_EQ(machine_delayed_work(), 1);
	unmap(&narrow, dma, set.size, DMA_TO_DEVICE);
	for (i = 0; i < 3; i++)
		machine_delayed_work();
	EXPECT_EQ(nr_pools(), 1 + IS_XEN);

	/* Of two pools that are as low, an idle one is freed. */
	schedule_work(&mem->growth->grow);
	mem->growth->bits = BITS;
	EXPECT_EQ(machine_work(), 1);
	EXPECT_EQ(nr_pools(), 2 + IS_XEN);
	for (i = 0; i < 3; i++)
		machine_delayed_work();
	EXPECT_EQ(nr_pools(), 1 + IS_XEN);
	machine_grace_period();
	buffer_free(&set);
	buffer_free(&buffer);
}

/* Xen has only a single set that is as low: the pool consists of this set. */
TEST_ALL_FRAMES(promise_single_set)
{
	if (variant != FRAMES_BY_PAGE)
		return;
	boot_high(variant);
	machine_limit_extents(1);
	EXPECT_EQ(dma_set_mask(&narrow, DMA_BIT_MASK(BITS)), 0);
	EXPECT_EQ(machine_work(), 1);
	EXPECT_EQ(nr_pools(), 2);
	EXPECT_EQ(newest_pool()->nslabs, IO_TLB_SEGSIZE);
	lift_default();
	EXPECT(try_map());
	buffer_free(&buffer);
}

/* No pool can be added: masks are refused for a while, and nothing is lost. */
TEST_ALL_FRAMES(promise_refused)
{
	static const enum machine_failure kinds[] = { FAIL_PAGES, FAIL_KMALLOC, FAIL_EXCHANGE };
	unsigned long pages, objects, extents;
	unsigned int i;

	if (!IS_XEN)
		return;
	boot_high(variant);
	pages = machine_pages_in_use();
	objects = machine_objects_in_use();
	extents = machine_extents_in_use();
	for (i = 0; i < ARRAY_SIZE(kinds); i++) {
		EXPECT_EQ(dma_set_mask(&narrow, DMA_BIT_MASK(28)), 0);
		machine_fail_all(kinds[i], true);
		EXPECT_EQ(machine_work(), 1);
		machine_fail_all(kinds[i], false);
		EXPECT_EQ(dma_set_mask(&narrow, DMA_BIT_MASK(28)), -EIO);
		EXPECT_EQ(dma_set_mask(&narrow, DMA_BIT_MASK(BITS)), -EIO);
		EXPECT_EQ(machine_work(), 0);
		EXPECT_EQ(nr_pools(), 1);
		EXPECT_EQ(machine_pages_in_use(), pages);
		EXPECT_EQ(machine_objects_in_use(), objects);
		EXPECT_EQ(machine_extents_in_use(), extents);
		machine_ticks += HZ;
	}
	EXPECT_EQ(dma_set_mask(&narrow, DMA_BIT_MASK(28)), 0);
	EXPECT_EQ(machine_work(), 1);
	EXPECT_EQ(nr_pools(), 2);
	buffer_free(&buffer);
}
