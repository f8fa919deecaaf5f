// SPDX-License-Identifier: GPL-2.0
/*
 * What drivers do that they should not, or rarely do: it hurts nobody else.
 */
#include "test.h"

/* As dma_sync_single_for_cpu() has it */
static void sync_for_cpu(struct device *dev, dma_addr_t dma, size_t size)
{
	if (!dev->dma_skip_sync)
		swiotlb_sync_single_for_cpu(dev, dma_to_phys(dev, dma), size, DMA_FROM_DEVICE);
}

/* A mask that is set while a bounced mapping lives: it is synced as before. */
TEST_ALL_FRAMES(mistake_mask_set_again)
{
	struct buffer buffer;
	struct device dev;
	u8 seen[6];
	dma_addr_t dma;

	boot(variant, "512");
	device_init(&dev, 32);
	EXPECT_EQ(dma_set_mask(&dev, DMA_BIT_MASK(32)), 0);
	EXPECT(dev.dma_skip_sync);
	buffer = buffer_alloc(100, 0, __GFP_HIGHMEM);
	dma = map(&dev, &buffer, DMA_FROM_DEVICE);
	EXPECT(!dev.dma_skip_sync);

	EXPECT_EQ(dma_set_mask(&dev, DMA_BIT_MASK(32)), 0);
	EXPECT(machine_dma(&dev, dma, "arrived", 6, true));
	sync_for_cpu(&dev, dma, 6);
	copy_out(seen, buffer.phys, 6);
	EXPECT(!memcmp(seen, "arrived", 6));
	unmap(&dev, dma, 100, DMA_FROM_DEVICE);

	/* Another driver, or a wider mask: what is mapped later is synced as well. */
	EXPECT_EQ(dma_set_mask(&dev, DMA_BIT_MASK(64)), 0);
	dma = map(&dev, &buffer, DMA_FROM_DEVICE);
	EXPECT(!dev.dma_skip_sync);
	unmap(&dev, dma, 100, DMA_FROM_DEVICE);
	buffer_free(&buffer);
}

/* No call crashes, bounces or allocates for a device that has no software IO TLB. */
static void check_never_bounces(struct device *dev, struct buffer *buffer)
{
	phys_addr_t in_pool = io_tlb_default_mem.defpool->end - IO_TLB_SIZE;

	EXPECT(!is_swiotlb_active(dev));
	EXPECT(!is_swiotlb_force_bounce(dev));
	EXPECT(!is_swiotlb_for_alloc(dev));
	EXPECT(!swiotlb_supports(dev, DMA_BIT_MASK(32)));
	swiotlb_max_mapping_size(dev);
	EXPECT(!swiotlb_alloc(dev, PAGE_SIZE));
	EXPECT(!swiotlb_free(dev, pfn_to_page(PHYS_PFN(buffer->phys)), PAGE_SIZE));
	EXPECT(swiotlb_map(dev, buffer->phys, 100, DMA_TO_DEVICE, 0) == DMA_MAPPING_ERROR);
	EXPECT(swiotlb_map(dev, buffer->phys, SZ_1M, DMA_TO_DEVICE, DMA_ATTR_NO_WARN) ==
	       DMA_MAPPING_ERROR);
	EXPECT(swiotlb_tbl_map_single(dev, buffer->phys, 100, 4095, DMA_TO_DEVICE, 0) ==
	       (phys_addr_t)DMA_MAPPING_ERROR);
	EXPECT(!swiotlb_find_pool(dev, buffer->phys));
	swiotlb_sync_single_for_cpu(dev, buffer->phys, 100, DMA_BIDIRECTIONAL);
	swiotlb_sync_single_for_device(dev, buffer->phys, 100, DMA_BIDIRECTIONAL);
	swiotlb_sync_single_for_cpu(dev, in_pool, 100, DMA_BIDIRECTIONAL);
	swiotlb_sync_single_for_device(dev, in_pool, 100, DMA_BIDIRECTIONAL);
	swiotlb_tbl_unmap_single(dev, buffer->phys, 100, DMA_BIDIRECTIONAL, 0);
	swiotlb_tbl_unmap_single(dev, DMA_PHYS_NONE, 100, DMA_BIDIRECTIONAL, 0);
}

/* dev->dma_io_tlb_mem = NULL: a device that must never bounce, and never has */
TEST_ALL_FRAMES(mistake_no_io_tlb)
{
	struct buffer buffer;
	struct device dev;

	boot(variant, "512");
	device_init(&dev, 32);
	dev.dma_io_tlb_mem = NULL;
	buffer = buffer_alloc(100, 0, __GFP_HIGHMEM);
	check_never_bounces(&dev, &buffer);
	EXPECT_EQ(slots_used(), 0);
	buffer_free(&buffer);
}

/* Leave one slot free in a pool of four sets of which one slot is in use. */
static void fill_all_but_one(struct device *dev, struct buffer *set, dma_addr_t *dma)
{
	unsigned int i;

	for (i = 0; i < 4; i++) {
		set->size = i < 3 ? 262144 : 258048;
		dma[i] = map(dev, set, DMA_TO_DEVICE);
		EXPECT(dma[i] != DMA_MAPPING_ERROR);
	}
}

/* The same for one that has bounced: what it has mapped lives on, and ends as ever. */
TEST_ALL_FRAMES(mistake_io_tlb_taken_away)
{
	struct buffer buffer, page, set;
	dma_addr_t dma, transient, filler[4];
	struct device dev, wide;
	unsigned int i;

	boot(variant, "512,1");
	device_init(&dev, 34);
	device_init(&wide, 64);
	buffer = buffer_alloc(100, 0, __GFP_HIGHMEM);
	page = buffer_alloc(4096, 0, __GFP_HIGHMEM);
	set = buffer_alloc(262144, 0, __GFP_HIGHMEM);
	dma = map(&dev, &buffer, DMA_BIDIRECTIONAL);
	fill_all_but_one(&wide, &set, filler);
	transient = map(&dev, &page, DMA_BIDIRECTIONAL);
	EXPECT(transient != DMA_MAPPING_ERROR);
	EXPECT_EQ(atomic_long_read(&io_tlb_default_mem.transient_nslabs), 2);
	dev.dma_io_tlb_mem = NULL;
	check_never_bounces(&dev, &buffer);

	EXPECT(machine_dma(&dev, dma, "synced", 6, true));
	swiotlb_sync_single_for_cpu(&dev, dma_to_phys(&dev, dma), 6, DMA_BIDIRECTIONAL);
	EXPECT(!memcmp(machine_memory(buffer.phys), "synced", 6));
	EXPECT(machine_dma(&dev, dma, "ending", 6, true));
	unmap(&dev, dma, 100, DMA_BIDIRECTIONAL);
	EXPECT(!memcmp(machine_memory(buffer.phys), "ending", 6));
	EXPECT(machine_dma(&dev, transient, "transient", 9, true));
	unmap(&dev, transient, 4096, DMA_BIDIRECTIONAL);
	EXPECT(!memcmp(machine_memory(page.phys), "transient", 9));
	EXPECT_EQ(atomic_long_read(&io_tlb_default_mem.transient_nslabs), 0);
	swiotlb_tbl_unmap_single(&dev, dma_to_phys(&dev, dma), 100, DMA_BIDIRECTIONAL, 0);
	EXPECT_EQ(machine_expect_warning("which is not mapped"), 1);

	for (i = 0; i < 4; i++)
		unmap(&wide, filler[i], 262144, DMA_TO_DEVICE);
	EXPECT_EQ(slots_used(), 0);
	set.size = 262144;
	buffer_free(&set);
	buffer_free(&page);
	buffer_free(&buffer);
}

/* A restricted pool that is taken away: what is in it is out of sight, but not lost. */
TEST(mistake_restricted_pool_taken_away)
{
	struct reserved_mem rmem = { .name = "restricted", .size = SZ_1M };
	struct io_tlb_mem *mem;
	struct buffer buffer;
	struct device dev;
	struct page *page;
	dma_addr_t dma;

	boot(FRAMES_NATIVE, "512");
	rmem.base = machine_alloc(SZ_1M, __GFP_DMA32);
	EXPECT_EQ(machine_setup_reserved(&rmem, "restricted-dma-pool", NULL), 0);
	device_init(&dev, 64);
	EXPECT_EQ(rmem.ops->device_init(&rmem, &dev), 0);
	buffer = buffer_alloc(100, 0, __GFP_DMA32);
	dma = map(&dev, &buffer, DMA_BIDIRECTIONAL);
	page = swiotlb_alloc(&dev, PAGE_SIZE);
	EXPECT(page);

	mem = dev.dma_io_tlb_mem;
	dev.dma_io_tlb_mem = NULL;
	check_never_bounces(&dev, &buffer);
	unmap(&dev, dma, 100, DMA_BIDIRECTIONAL);
	EXPECT_EQ(slots_used(), 0);
	EXPECT_EQ(swiotlb_mem_used(mem), 3);

	dev.dma_io_tlb_mem = mem;
	unmap(&dev, dma, 100, DMA_BIDIRECTIONAL);
	EXPECT(swiotlb_free(&dev, page, PAGE_SIZE));
	contract_check_all_free(mem);
	buffer_free(&buffer);
}
