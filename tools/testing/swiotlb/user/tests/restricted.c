// SPDX-License-Identifier: GPL-2.0
/*
 * Restricted DMA pools: the only memory that a device may access.
 */
#include "test.h"

#define RESTRICTED "restricted-dma-pool"

static struct reserved_mem rmem;

static int set_up(size_t size, const char *property)
{
	rmem = (struct reserved_mem){
		.name = "restricted", .base = machine_alloc(size, __GFP_DMA32), .size = size,
	};
	return machine_setup_reserved(&rmem, RESTRICTED, property);
}

static void boot_restricted(struct device *dev, bool encrypted)
{
	struct machine_config config = { .encrypted = encrypted, .param = "512" };

	machine_boot(&config);
	EXPECT_EQ(set_up(SZ_1M, NULL), 0);
	EXPECT(machine_said("a restricted DMA pool of"));
	device_init(dev, 64);
	EXPECT_EQ(rmem.ops->device_init(&rmem, dev), 0);
}

/* All mappings are bounced in the restricted pool and counted there. */
TEST(restricted_map)
{
	struct buffer buffer;
	struct device dev, second;
	dma_addr_t dma;
	u64 used;

	boot_restricted(&dev, true);
	EXPECT(is_swiotlb_force_bounce(&dev));
	EXPECT(is_swiotlb_for_alloc(&dev));
	EXPECT(is_swiotlb_active(&dev));
	buffer = buffer_alloc(5000, 77, __GFP_DMA32);
	dma = map(&dev, &buffer, DMA_BIDIRECTIONAL);
	EXPECT(dma >= rmem.base && dma + 5000 <= rmem.base + rmem.size);
	EXPECT(machine_read_counter("restricted", "io_tlb_used", &used));
	EXPECT_EQ(used, 3);
	EXPECT_EQ(slots_used(), 0);
	EXPECT(machine_dma(&dev, dma, "x", 1, true));
	unmap(&dev, dma, 5000, DMA_BIDIRECTIONAL);
	EXPECT_EQ(*machine_memory(buffer.phys), 'x');

	/* A second device shares the pool. */
	device_init(&second, 64);
	EXPECT_EQ(rmem.ops->device_init(&rmem, &second), 0);
	EXPECT(second.dma_io_tlb_mem == dev.dma_io_tlb_mem);
	rmem.ops->device_release(&rmem, &second);
	EXPECT(second.dma_io_tlb_mem == &io_tlb_default_mem);
	buffer_free(&buffer);
	contract_check_all_free(dev.dma_io_tlb_mem);
}

/* Number of areas of a restricted pool of @size bytes, with @cpus CPUs */
static unsigned int areas_of(struct device *dev, size_t size, unsigned int cpus,
			     bool no_default_pool)
{
	struct machine_config config = {
		.cpus = cpus, .no_pool = no_default_pool, .param = "512",
	};

	machine_boot(&config);
	EXPECT_EQ(set_up(size, NULL), 0);
	device_init(dev, 64);
	EXPECT_EQ(rmem.ops->device_init(&rmem, dev), 0);
	return dev->dma_io_tlb_mem->defpool->nareas;
}

static const char *const area_names[] = { "1M", "3M", "8M", "no_default_pool", NULL };

/* Each CPU maps in an area of its own, which has room for large mappings too. */
TEST_VARIANTS(restricted_areas, area_names)
{
	dma_addr_t dma[4], large[4];
	struct io_tlb_pool *pool;
	struct buffer buffer, set;
	struct device dev;
	unsigned int i;

	switch (variant) {
	case 0:
		EXPECT_EQ(areas_of(&dev, SZ_1M, 4, false), 1);
		return;
	case 1:
		EXPECT_EQ(areas_of(&dev, 3 * SZ_1M, 4, false), 2);
		return;
	case 2:
		EXPECT_EQ(areas_of(&dev, 8 * SZ_1M, 3, false), 4);
		return;
	case 3:
		EXPECT_EQ(areas_of(&dev, 4 * SZ_1M, 4, true), 4);
		break;
	}
	pool = dev.dma_io_tlb_mem->defpool;
	buffer = buffer_alloc(64, 0, __GFP_DMA32);
	set = buffer_alloc(262144, 0, __GFP_DMA32);
	for (i = 0; i < 4; i++) {
		machine_set_cpu(i);
		dma[i] = map(&dev, &buffer, DMA_TO_DEVICE);
		large[i] = map(&dev, &set, DMA_TO_DEVICE);
		EXPECT(large[i] != DMA_MAPPING_ERROR);
		EXPECT_EQ((dma[i] - pool->start) / SZ_1M, i);
		EXPECT_EQ((large[i] - pool->start) / SZ_1M, i);
	}
	for (i = 0; i < 4; i++) {
		unmap(&dev, dma[i], 64, DMA_TO_DEVICE);
		unmap(&dev, large[i], 262144, DMA_TO_DEVICE);
	}
	machine_set_cpu(0);
	buffer_free(&buffer);
	buffer_free(&set);
	contract_check_all_free(dev.dma_io_tlb_mem);
}

/* Coherent memory: pages aligned to their size. A sync copies nothing to or from them. */
TEST(restricted_alloc)
{
	static const size_t sizes[] = { 4096, 8192, 12288, 65536, 262144, 266240, 524288 };
	struct page *page, *filler;
	struct device dev;
	phys_addr_t phys;
	unsigned int i;

	boot_restricted(&dev, false);
	for (i = 0; i < ARRAY_SIZE(sizes); i++) {
		filler = swiotlb_alloc(&dev, 4096, machine_alloc_attrs());
		page = swiotlb_alloc(&dev, sizes[i], machine_alloc_attrs());
		EXPECT(page && filler && page != filler);
		phys = page_to_phys(page);
		EXPECT_EQ(phys & ((PAGE_SIZE << get_order(sizes[i])) - 1), 0);
		*machine_memory(phys) = 'c';
		swiotlb_sync_single_for_cpu(&dev, phys, 100, DMA_BIDIRECTIONAL);
		EXPECT_EQ(*machine_memory(phys), 'c');
		EXPECT(swiotlb_free(&dev, page, sizes[i]));
		EXPECT(swiotlb_free(&dev, filler, 4096));
	}
	EXPECT(!swiotlb_alloc(&dev, SZ_1M + 4096, machine_alloc_attrs()));
	EXPECT(!swiotlb_alloc(&dev, SIZE_MAX & PAGE_MASK, machine_alloc_attrs()));
	EXPECT(!swiotlb_alloc(&dev, 0, machine_alloc_attrs()));
	EXPECT(!swiotlb_alloc(&dev, 4096, machine_alloc_attrs() ^ __DMA_ATTR_ALLOC_CC_SHARED));
	EXPECT(!swiotlb_free(&dev, pfn_to_page(PHYS_PFN(MACHINE_HIGH_START)), 4096));
	contract_check_all_free(dev.dma_io_tlb_mem);

	dev.dma_io_tlb_mem = NULL;
	EXPECT(!swiotlb_alloc(&dev, 4096, machine_alloc_attrs()));
}

/* If the pool is full, no other pool is used. */
TEST(restricted_full)
{
	struct buffer buffer;
	struct page *pages[4];
	struct device dev;
	unsigned int i;

	boot_restricted(&dev, false);
	for (i = 0; i < 4; i++)
		EXPECT(pages[i] = swiotlb_alloc(&dev, 262144, machine_alloc_attrs()));
	EXPECT(!swiotlb_alloc(&dev, 4096, machine_alloc_attrs()));
	buffer = buffer_alloc(100, 0, __GFP_DMA32);
	EXPECT(map(&dev, &buffer, DMA_TO_DEVICE) == DMA_MAPPING_ERROR);
	EXPECT(machine_said("swiotlb buffer is full"));
	EXPECT_EQ(machine_work(), 0);
	for (i = 0; i < 4; i++)
		EXPECT(swiotlb_free(&dev, pages[i], 262144));
	buffer_free(&buffer);
}

/* A size that is no multiple of a set: all of it is used, and nothing behind it. */
TEST(restricted_odd_size)
{
	struct buffer buffer;
	dma_addr_t dma[72];
	struct device dev;
	unsigned int nr;

	boot(FRAMES_NATIVE, "512");
	/* The last page is not whole, so devices will not see it. */
	EXPECT_EQ(set_up(36 * 4096 + 2048, NULL), 0);
	device_init(&dev, 64);
	EXPECT_EQ(rmem.ops->device_init(&rmem, &dev), 0);
	buffer = buffer_alloc(2048, 0, __GFP_DMA32);
	for (nr = 0; nr < 72; nr++) {
		dma[nr] = map(&dev, &buffer, DMA_TO_DEVICE);
		EXPECT(dma[nr] != DMA_MAPPING_ERROR);
	}
	EXPECT_EQ(dma[71], rmem.base + 36 * 4096 - 2048);
	EXPECT(map(&dev, &buffer, DMA_TO_DEVICE) == DMA_MAPPING_ERROR);
	while (nr--)
		unmap(&dev, dma[nr], 2048, DMA_TO_DEVICE);
	contract_check_all_free(dev.dma_io_tlb_mem);
	buffer_free(&buffer);
}

/* Memory that cannot be a restricted pool is refused with one message. */
TEST(restricted_refused)
{
	struct machine_config config = { .highmem = true };
	struct device dev;

	boot(FRAMES_NATIVE, "512");
	EXPECT_EQ(set_up(SZ_1M, "reusable"), -EINVAL);
	EXPECT(machine_said("cannot be \"reusable\""));
	EXPECT_EQ(set_up(SZ_1M, "no-map"), -EINVAL);
	EXPECT_EQ(set_up(SZ_1M, "linux,cma-default"), -EINVAL);
	EXPECT_EQ(set_up(SZ_1M, "linux,dma-default"), -EINVAL);
	EXPECT_EQ(set_up(4095, NULL), -EINVAL);
	rmem.base += 512;
	rmem.size = SZ_1M;
	EXPECT_EQ(machine_setup_reserved(&rmem, RESTRICTED, NULL), -EINVAL);
	EXPECT(machine_said("cannot be a restricted DMA pool"));

	machine_boot(&config);
	rmem = (struct reserved_mem){ .name = "high", .base = MACHINE_HIGH_START, .size = SZ_1M };
	EXPECT_EQ(machine_setup_reserved(&rmem, RESTRICTED, NULL), 0);
	device_init(&dev, 64);
	EXPECT_EQ(rmem.ops->device_init(&rmem, &dev), -EINVAL);
	EXPECT(machine_said("cannot be in high memory"));
	EXPECT(dev.dma_io_tlb_mem == &io_tlb_default_mem);
}
