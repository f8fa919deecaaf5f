// SPDX-License-Identifier: GPL-2.0
/*
 * Growth: a mapping that finds no room gets a transient pool, and a worker adds a larger
 * pool for later mappings.
 */
#include "test.h"

static struct io_tlb_mem *const mem = &io_tlb_default_mem;

/* Fill all pools with mappings of one set each. Returns how many. */
static unsigned int fill(struct device *dev, struct buffer *set, dma_addr_t *dma)
{
	unsigned int i;

	for (i = 0; i < mem->nslabs / IO_TLB_SEGSIZE; i++) {
		dma[i] = map(dev, set, DMA_TO_DEVICE);
		EXPECT(dma[i] != DMA_MAPPING_ERROR);
	}
	return i;
}

/* The pool is full: a mapping in atomic context gets a transient pool, freed after use. */
TEST(grow_transient)
{
	u64 transient, used;
	struct buffer set, buffer;
	unsigned long pages;
	dma_addr_t dma[64], extra;
	struct device dev;
	u8 data[100];
	unsigned int nr;

	boot(FRAMES_NATIVE, "512");
	device_init(&dev, 32);
	set = buffer_alloc(262144, 0, __GFP_HIGHMEM);
	buffer = buffer_alloc(5000, 100, __GFP_HIGHMEM);
	nr = fill(&dev, &set, dma);
	pages = machine_pages_in_use();

	machine_set_atomic(true);
	extra = map(&dev, &buffer, DMA_BIDIRECTIONAL);
	machine_set_atomic(false);
	EXPECT(extra != DMA_MAPPING_ERROR);
	EXPECT(swiotlb_find_pool(&dev, dma_to_phys(&dev, extra))->transient);
	EXPECT(machine_read_counter("swiotlb", "io_tlb_transient_nslabs", &transient));
	EXPECT_EQ(transient, 3);
	EXPECT(machine_read_counter("swiotlb", "io_tlb_used", &used));
	EXPECT_EQ(used, 512 + 3);
	EXPECT(machine_dma(&dev, extra, memset(data, 'x', 100), 100, true));
	swiotlb_sync_single_for_cpu(&dev, dma_to_phys(&dev, extra), 100, DMA_BIDIRECTIONAL);
	copy_out(data, buffer.phys, 1);
	EXPECT_EQ(*data, 'x');
	machine_set_atomic(true);
	unmap(&dev, extra, 5000, DMA_BIDIRECTIONAL);
	machine_set_atomic(false);

	/* Readers of the list may still use the pool. */
	EXPECT(machine_pages_in_use() > pages);
	machine_grace_period();
	EXPECT_EQ(machine_pages_in_use(), pages);
	EXPECT(!swiotlb_find_pool(&dev, dma_to_phys(&dev, extra)));
	EXPECT_EQ(slots_used(), 512);
	while (nr--)
		unmap(&dev, dma[nr], 262144, DMA_TO_DEVICE);
	buffer_free(&buffer);
	buffer_free(&set);
}

/* Transient pools obey limits and alignment as well. */
TEST(grow_transient_placement)
{
	static const unsigned int keep[] = { 0, 0x1ff, 0xfff, 0x3fff };
	struct buffer set, buffer;
	dma_addr_t dma[64], extra;
	unsigned int nr, i, b;
	struct device dev;

	boot(FRAMES_NATIVE, "512");
	device_init(&dev, 32);
	set = buffer_alloc(262144, 0, __GFP_HIGHMEM);
	nr = fill(&dev, &set, dma);
	for (i = 0; i < ARRAY_SIZE(keep); i++) {
		for (b = 24; b <= 32; b += 4) {
			buffer = buffer_alloc(9000, 0x3765, __GFP_HIGHMEM);
			dev.min_align_mask = keep[i];
			*dev.dma_mask = DMA_BIT_MASK(b);
			machine_context("min_align_mask %#x, %u bits", keep[i], b);
			extra = map(&dev, &buffer, DMA_BIDIRECTIONAL);
			EXPECT(extra != DMA_MAPPING_ERROR);
			unmap(&dev, extra, 9000, DMA_BIDIRECTIONAL);
			buffer_free(&buffer);
		}
	}
	/* There is no memory below 1 MiB. */
	*dev.dma_mask = DMA_BIT_MASK(20);
	buffer = buffer_alloc(100, 0, __GFP_HIGHMEM);
	EXPECT(map(&dev, &buffer, DMA_TO_DEVICE) == DMA_MAPPING_ERROR);
	EXPECT(machine_said("not all within reach"));
	/* If pages of the page allocator cross the segment boundary, mapping fails. */
	*dev.dma_mask = DMA_BIT_MASK(32);
	dev.segment_boundary = 0x7ff;
	dev.min_align_mask = 0;
	buffer.size = 4096;
	EXPECT(swiotlb_map(&dev, buffer.phys & PAGE_MASK, 4096, DMA_TO_DEVICE, 0) ==
	       DMA_MAPPING_ERROR);
	dev.segment_boundary = U32_MAX;
	buffer.size = 100;
	buffer_free(&buffer);

	while (nr--)
		unmap(&dev, dma[nr], 262144, DMA_TO_DEVICE);
	buffer_free(&set);
}

/* The worker adds a pool, which serves mappings like the first. */
TEST_ALL_FRAMES(grow_pool)
{
	struct io_tlb_pool *first, *second;
	struct buffer set, buffer;
	dma_addr_t dma[64], more[64];
	struct device dev;
	unsigned int nr, i;

	boot(variant, "1024,4");
	device_init(&dev, 32);
	set = buffer_alloc(262144, 0, __GFP_HIGHMEM);
	buffer = buffer_alloc(100, 0, __GFP_HIGHMEM);
	nr = fill(&dev, &set, dma);
	more[0] = map(&dev, &buffer, DMA_TO_DEVICE);
	if (more[0] != DMA_MAPPING_ERROR)
		unmap(&dev, more[0], 100, DMA_TO_DEVICE);
	/* On Xen it depends on the frames whether the device reaches a transient pool. */
	EXPECT(more[0] != DMA_MAPPING_ERROR || variant != FRAMES_NATIVE);
	EXPECT_EQ(machine_work(), 1);
	machine_grace_period();
	EXPECT_EQ(mem->nslabs, 2048);
	first = mem->defpool;

	for (i = 0; i < 8; i++) {
		machine_set_cpu(i);
		more[i] = map(&dev, &set, DMA_TO_DEVICE);
		EXPECT(more[i] != DMA_MAPPING_ERROR);
		second = swiotlb_find_pool(&dev, dma_to_phys(&dev, more[i]));
		EXPECT(second != first && !second->transient);
	}
	for (i = 0; i < 8; i++)
		unmap(&dev, more[i], 262144, DMA_TO_DEVICE);
	machine_set_cpu(0);
	while (nr--)
		unmap(&dev, dma[nr], 262144, DMA_TO_DEVICE);
	buffer_free(&buffer);
	buffer_free(&set);
}

/* There is less memory than for the first pool, so the second has fewer areas. */
TEST(grow_smaller_pool)
{
	struct buffer set;
	dma_addr_t dma[64];
	struct device dev;
	unsigned int nr, i;

	boot(FRAMES_NATIVE, "2048,16");
	device_init(&dev, 32);
	set = buffer_alloc(262144, 0, __GFP_HIGHMEM);
	nr = fill(&dev, &set, dma);
	dma[nr] = map(&dev, &set, DMA_TO_DEVICE);
	unmap(&dev, dma[nr], 262144, DMA_TO_DEVICE);
	machine_fail_nth(FAIL_PAGES, 1);
	EXPECT_EQ(machine_work(), 1);
	EXPECT_EQ(mem->nslabs, 3072);
	EXPECT_EQ(mem->defpool->nareas, 16);
	for (i = nr; i < 24; i++) {
		machine_set_cpu(15);
		dma[i] = map(&dev, &set, DMA_TO_DEVICE);
		EXPECT(dma[i] != DMA_MAPPING_ERROR);
		EXPECT_EQ(swiotlb_find_pool(&dev, dma_to_phys(&dev, dma[i]))->nareas, 8);
	}
	machine_set_cpu(0);
	machine_fail_all(FAIL_PAGES, true);
	EXPECT(map(&dev, &set, DMA_TO_DEVICE) == DMA_MAPPING_ERROR);
	machine_fail_all(FAIL_PAGES, false);
	while (i--)
		unmap(&dev, dma[i], 262144, DMA_TO_DEVICE);
	buffer_free(&set);
}

/* If the pages of a zone are out of reach, pages of the next zone are used. */
TEST(grow_transient_zones)
{
	static const struct {
		gfp_t zone;
		u64 start;
	} zones[] = { { __GFP_HIGHMEM, 1ULL << 32 }, { __GFP_DMA32, 1 << 24 } };
	struct buffer set, buffer, filler;
	dma_addr_t dma[64], extra;
	struct device dev;
	unsigned int nr, i;

	boot(FRAMES_NATIVE, "512");
	device_init(&dev, 32);
	set = buffer_alloc(262144, 0, __GFP_HIGHMEM);
	nr = fill(&dev, &set, dma);
	for (i = 0; i < ARRAY_SIZE(zones); i++) {
		buffer = buffer_alloc(100, 0, __GFP_HIGHMEM);
		filler = buffer_alloc(SZ_1M, 0, zones[i].zone);
		/* One page of the zone is within reach, but it is in use. */
		*dev.dma_mask = zones[i].start + 0xfff;
		extra = map(&dev, &buffer, DMA_TO_DEVICE);
		EXPECT(extra != DMA_MAPPING_ERROR);
		EXPECT(extra < zones[i].start);
		unmap(&dev, extra, 100, DMA_TO_DEVICE);
		buffer_free(&filler);
		buffer_free(&buffer);
	}
	while (nr--)
		unmap(&dev, dma[nr], 262144, DMA_TO_DEVICE);
	buffer_free(&set);
}

/* A pool is added for a device with ranges that shift addresses. */
TEST(grow_for_device_with_ranges)
{
	struct bus_dma_region ranges[2] = { { 0, 0x40000000, 1ULL << 33 } };
	struct buffer set;
	dma_addr_t dma[64];
	struct device dev;
	unsigned int nr;

	boot(FRAMES_NATIVE, "512");
	device_init(&dev, 64);
	dev.dma_range_map = ranges;
	set = buffer_alloc(262144, 0, __GFP_HIGHMEM);
	nr = fill(&dev, &set, dma);
	dma[nr] = map(&dev, &set, DMA_TO_DEVICE);
	unmap(&dev, dma[nr], 262144, DMA_TO_DEVICE);
	EXPECT_EQ(machine_work(), 1);
	EXPECT_EQ(mem->nslabs, 1024);
	while (nr--)
		unmap(&dev, dma[nr], 262144, DMA_TO_DEVICE);
	buffer_free(&set);
}

/* With many pools, each is found by its address, in whatever order they were added. */
TEST_ALL_FRAMES(grow_many)
{
	struct buffer set, buffer, space[7];
	dma_addr_t dma[128];
	struct device dev;
	unsigned int nr = 0, pools, i;

	boot(variant, "512");
	/* Each pool is going to be below the one before, except one of them. */
	for (i = 0; i < 7; i++)
		space[i] = buffer_alloc(SZ_1M, 0, variant ? __GFP_HIGHMEM : __GFP_DMA32);
	swap(space[3], space[4]);
	device_init(&dev, 32);
	set = buffer_alloc(262144, 0, __GFP_HIGHMEM);
	buffer = buffer_alloc(2049, 0, __GFP_HIGHMEM);
	for (pools = 1; pools < 8; pools++) {
		while (nr < mem->nslabs / IO_TLB_SEGSIZE) {
			dma[nr] = map(&dev, &set, DMA_TO_DEVICE);
			EXPECT(dma[nr++] != DMA_MAPPING_ERROR);
		}
		i = nr;
		dma[i] = map(&dev, &buffer, DMA_TO_DEVICE);
		if (dma[i] != DMA_MAPPING_ERROR)
			unmap(&dev, dma[i], 2049, DMA_TO_DEVICE);
		buffer_free(&space[7 - pools]);
		EXPECT_EQ(machine_work(), 1);
		machine_grace_period();
		EXPECT_EQ(mem->nslabs, 512 * (pools + 1));
		EXPECT_EQ(((struct io_tlb_pool_table *)mem->pools)->nr, pools + 1);
	}
	for (i = 0; i < nr; i++) {
		struct io_tlb_pool *pool = swiotlb_find_pool(&dev, dma_to_phys(&dev, dma[i]));

		EXPECT(pool && !pool->transient);
		EXPECT(!swiotlb_find_pool(&dev, buffer.phys));
		contract_check_content(&dev, set.phys, set.size, dma[i]);
		unmap(&dev, dma[i], 262144, DMA_TO_DEVICE);
	}
	EXPECT_EQ(slots_used(), 0);
	buffer_free(&buffer);
	buffer_free(&set);
}

static struct io_tlb_pool *newest_pool(void)
{
	struct io_tlb_pool_table *table = mem->pools;

	return table->pools[table->nr - 1];
}

/* A pool is added within the reach of the device, unless that is less than 24 bits. */
TEST_ALL_FRAMES(grow_below_mask)
{
	static const unsigned int bits[] = { 23, 24, 25, 28, 32, 64 };
	unsigned int i, nr, pools = 1;
	struct device dev, narrow;
	struct buffer set, buffer;
	dma_addr_t dma[128];

	boot(variant, "512");
	device_init(&dev, 64);
	set = buffer_alloc(262144, 0, __GFP_HIGHMEM);
	buffer = buffer_alloc(100, 0, __GFP_HIGHMEM);
	for (nr = i = 0; i < ARRAY_SIZE(bits); i++) {
		machine_context("%u bits", bits[i]);
		while (nr < mem->nslabs / IO_TLB_SEGSIZE)
			EXPECT((dma[nr++] = map(&dev, &set, DMA_TO_DEVICE)) != DMA_MAPPING_ERROR);
		device_init(&narrow, bits[i]);
		dma[nr] = swiotlb_map(&narrow, buffer.phys, 100, DMA_TO_DEVICE, DMA_ATTR_NO_WARN);
		if (dma[nr] != DMA_MAPPING_ERROR)
			unmap(&narrow, dma[nr], 100, DMA_TO_DEVICE);
		EXPECT_EQ(machine_work(), bits[i] >= 24);
		machine_grace_period();
		pools += bits[i] >= 24;
		EXPECT_EQ(((struct io_tlb_pool_table *)mem->pools)->nr, pools);
		if (bits[i] < 24)
			continue;
		EXPECT_EQ(mem->nslabs, pools * 512);
		EXPECT(newest_pool()->maddr_max <= DMA_BIT_MASK(bits[i]));
		dma[nr] = map(&narrow, &set, DMA_TO_DEVICE);
		EXPECT(dma[nr] != DMA_MAPPING_ERROR);
		EXPECT(swiotlb_find_pool(&narrow, dma_to_phys(&narrow, dma[nr++])) == newest_pool());
	}
	while (nr--)
		unmap(&dev, dma[nr], 262144, DMA_TO_DEVICE);
	buffer_free(&buffer);
	buffer_free(&set);
}

/* Several devices find no room before the worker runs: all of them reach the pool. */
TEST_ALL_FRAMES(grow_for_the_least)
{
	static const unsigned int bits[] = { 32, 24, 64 };
	struct buffer set, buffer;
	struct device dev[3];
	dma_addr_t dma[64], extra;
	unsigned int nr, i;

	boot(variant, "512");
	for (i = 0; i < 3; i++)
		device_init(&dev[i], bits[i]);
	set = buffer_alloc(262144, 0, __GFP_HIGHMEM);
	buffer = buffer_alloc(9000, 0, __GFP_HIGHMEM);
	nr = fill(&dev[2], &set, dma);
	for (i = 0; i < 3; i++) {
		extra = swiotlb_map(&dev[i], buffer.phys, 9000, DMA_TO_DEVICE, DMA_ATTR_NO_WARN);
		if (extra != DMA_MAPPING_ERROR)
			unmap(&dev[i], extra, 9000, DMA_TO_DEVICE);
	}
	EXPECT_EQ(machine_work(), 1);
	EXPECT(newest_pool()->maddr_max <= DMA_BIT_MASK(24));

	/* The next pool may lie anywhere again. */
	extra = map(&dev[1], &buffer, DMA_TO_DEVICE);
	EXPECT(newest_pool() == swiotlb_find_pool(&dev[1], dma_to_phys(&dev[1], extra)));
	EXPECT_EQ(mem->growth->bits, 64);
	unmap(&dev[1], extra, 9000, DMA_TO_DEVICE);
	while (nr--)
		unmap(&dev[0], dma[nr], 262144, DMA_TO_DEVICE);
	buffer_free(&buffer);
	buffer_free(&set);
}

/* Try to map, run the worker, and unmap what was mapped. Returns whether the worker ran. */
static unsigned int ask(struct device *dev, struct buffer *buffer)
{
	dma_addr_t dma = swiotlb_map(dev, buffer->phys, buffer->size, DMA_TO_DEVICE, 0);
	unsigned int ran = machine_work();

	if (dma != DMA_MAPPING_ERROR)
		unmap(dev, dma, buffer->size, DMA_TO_DEVICE);
	machine_grace_period();
	return ran;
}

/* A failure for few bits pauses growth for these only, a failure for more bits for both. */
TEST(grow_pause_is_for_few_bits)
{
	struct device few, more;
	struct buffer set, buffer;
	dma_addr_t dma[64];
	unsigned int nr;

	boot(FRAMES_BY_PAGE, "512");
	device_init(&few, 30);
	device_init(&more, 32);
	set = buffer_alloc(262144, 0, __GFP_HIGHMEM);
	buffer = buffer_alloc(9000, 0, __GFP_HIGHMEM);
	nr = fill(&more, &set, dma);

	machine_fail_all(FAIL_EXCHANGE, true);
	EXPECT_EQ(ask(&few, &buffer), 1);
	EXPECT_EQ(ask(&few, &buffer), 0);
	EXPECT_EQ(ask(&more, &buffer), 1);
	EXPECT_EQ(ask(&more, &buffer), 0);
	EXPECT_EQ(ask(&few, &buffer), 0);
	machine_fail_all(FAIL_EXCHANGE, false);

	machine_ticks += HZ;
	EXPECT_EQ(ask(&few, &buffer), 1);
	EXPECT_EQ(mem->nslabs, 1024);
	while (nr--)
		unmap(&more, dma[nr], 262144, DMA_TO_DEVICE);
	buffer_free(&buffer);
	buffer_free(&set);
}

/* The hypervisor has no memory: one message, a pause, and growth when it has memory again */
TEST(grow_again_after_failure)
{
	struct buffer set, buffer;
	dma_addr_t dma[64];
	struct device dev;
	unsigned int nr, i;

	boot(FRAMES_BY_PAGE, "512");
	device_init(&dev, 32);
	set = buffer_alloc(262144, 0, __GFP_HIGHMEM);
	buffer = buffer_alloc(9000, 0, __GFP_HIGHMEM);
	nr = fill(&dev, &set, dma);

	machine_fail_all(FAIL_EXCHANGE, true);
	EXPECT_EQ(ask(&dev, &buffer), 1);
	EXPECT(machine_said("no memory for another pool"));
	EXPECT(machine_said("swiotlb buffer is full"));
	machine_forget_messages();
	EXPECT_EQ(ask(&dev, &buffer), 0);
	machine_ticks += HZ - 1;
	EXPECT_EQ(ask(&dev, &buffer), 0);
	for (i = 0; i < 3; i++) {
		machine_ticks += HZ;
		EXPECT_EQ(ask(&dev, &buffer), 1);
	}
	EXPECT(!machine_said("no memory for another pool"));
	EXPECT_EQ(mem->nslabs, 512);

	machine_fail_all(FAIL_EXCHANGE, false);
	EXPECT_EQ(ask(&dev, &buffer), 0);
	machine_ticks += HZ;
	EXPECT_EQ(ask(&dev, &buffer), 1);
	EXPECT_EQ(mem->nslabs, 1024);
	for (i = 0; i < 4; i++)
		dma[nr++] = map(&dev, &set, DMA_TO_DEVICE);

	/* Growth has succeeded since, so the next failure is printed. */
	machine_fail_all(FAIL_EXCHANGE, true);
	EXPECT_EQ(ask(&dev, &buffer), 1);
	EXPECT(machine_said("no memory for another pool"));
	machine_fail_all(FAIL_EXCHANGE, false);
	while (nr--)
		unmap(&dev, dma[nr], 262144, DMA_TO_DEVICE);
	buffer_free(&buffer);
	buffer_free(&set);
}

/* Atomic context allows no exchange, but pages may happen to be contiguous and in reach. */
TEST_ALL_FRAMES(grow_transient_xen)
{
	struct buffer set, buffer;
	dma_addr_t dma[64], extra;
	struct device dev, narrow;
	unsigned int nr;

	if (variant == FRAMES_NATIVE)
		return;
	boot(variant, "512");
	device_init(&dev, 64);
	device_init(&narrow, 20);
	set = buffer_alloc(262144, 0, __GFP_HIGHMEM);
	buffer = buffer_alloc(9000, 100, __GFP_HIGHMEM);
	nr = fill(&dev, &set, dma);
	machine_set_atomic(true);
	extra = map(&dev, &buffer, DMA_BIDIRECTIONAL);
	machine_set_atomic(false);
	EXPECT_EQ(extra != DMA_MAPPING_ERROR, variant != FRAMES_BY_PAGE);
	if (extra != DMA_MAPPING_ERROR) {
		EXPECT(swiotlb_find_pool(&dev, dma_to_phys(&dev, extra))->transient);
		EXPECT_EQ(slots_used(), 512 + 5);
		EXPECT(machine_dma(&dev, extra, "x", 1, true));
		unmap(&dev, extra, 9000, DMA_BIDIRECTIONAL);
		EXPECT_EQ(*machine_memory(buffer.phys), 'x');
	}
	/* No frame is that low. */
	EXPECT(map(&narrow, &buffer, DMA_TO_DEVICE) == DMA_MAPPING_ERROR);
	machine_grace_period();
	EXPECT_EQ(slots_used(), 512);
	while (nr--)
		unmap(&dev, dma[nr], 262144, DMA_TO_DEVICE);
	buffer_free(&buffer);
	buffer_free(&set);
}

/* A request that no pool can serve does not add a pool. */
TEST(grow_impossible)
{
	struct buffer buffer;
	struct device dev;

	boot(FRAMES_NATIVE, "512");
	device_init(&dev, 64);
	buffer = buffer_alloc(8192, 0, __GFP_HIGHMEM);
	dev.segment_boundary = 0xfff;
	EXPECT(map(&dev, &buffer, DMA_TO_DEVICE) == DMA_MAPPING_ERROR);
	EXPECT_EQ(machine_work(), 0);
	buffer_free(&buffer);
}

/* After swiotlb_stop_growth() no pool is added, even if the worker is already scheduled. */
TEST(grow_forbidden)
{
	struct buffer set;
	dma_addr_t dma[64];
	struct device dev;
	unsigned int nr;

	boot(FRAMES_NATIVE, "512");
	device_init(&dev, 32);
	set = buffer_alloc(262144, 0, __GFP_HIGHMEM);
	nr = fill(&dev, &set, dma);
	schedule_work(&mem->growth->grow);
	swiotlb_stop_growth();
	EXPECT(map(&dev, &set, DMA_TO_DEVICE) == DMA_MAPPING_ERROR);
	EXPECT_EQ(machine_work(), 1);
	EXPECT_EQ(mem->nslabs, 512);
	while (nr--)
		unmap(&dev, dma[nr], 262144, DMA_TO_DEVICE);
	buffer_free(&set);
}

/* With encryption, a transient pool consists of memory that was decrypted in advance. */
TEST(grow_transient_encrypted)
{
	struct machine_config config = { .encrypted = true, .param = "512" };
	struct buffer set, buffer;
	dma_addr_t dma[64], extra;
	struct device dev;
	unsigned int nr;

	machine_boot(&config);
	device_init(&dev, 32);
	set = buffer_alloc(262144, 0, __GFP_HIGHMEM);
	buffer = buffer_alloc(5000, 100, __GFP_HIGHMEM);
	nr = fill(&dev, &set, dma);
	machine_set_atomic(true);
	extra = map(&dev, &buffer, DMA_BIDIRECTIONAL);
	EXPECT(extra != DMA_MAPPING_ERROR);
	unmap(&dev, extra, 5000, DMA_BIDIRECTIONAL);
	machine_set_atomic(false);
	machine_grace_period();
	EXPECT_EQ(machine_work(), 1);
	EXPECT_EQ(mem->nslabs, 1024);
	while (nr--)
		unmap(&dev, dma[nr], 262144, DMA_TO_DEVICE);
	buffer_free(&buffer);
	buffer_free(&set);
}

/*
 * Memory freed from the kernel's image has a second mapping, so the hypervisor does not
 * take it. The worker tries other buffers, up to four, and reports no shortage.
 */
TEST_VARIANTS(grow_mapped_twice, ((const char *const[]){ "1", "3", "4", NULL }))
{
	static const unsigned int bad[] = { 1, 3, 4 };
	struct machine_config config = { .frames = FRAMES_BY_PAGE, .param = "512", .seed = 1 };
	struct buffer set, fill_up[8];
	unsigned long pages;
	dma_addr_t dma[64];
	struct device dev;
	unsigned int nr, i;

	machine_boot(&config);
	device_init(&dev, 32);
	set = buffer_alloc(262144, 0, __GFP_HIGHMEM);
	nr = fill(&dev, &set, dma);
	/* Find out where the page allocator is going to put the buffers. */
	for (i = 0; i < 8; i++)
		fill_up[i] = buffer_alloc(SZ_1M, 0, __GFP_HIGHMEM);
	for (i = 0; i < 8; i++)
		buffer_free(&fill_up[i]);
	for (i = 0; i < bad[variant]; i++)
		machine_map_twice(ALIGN(fill_up[0].phys, SZ_1M) + i * SZ_1M + PAGE_SIZE, PAGE_SIZE);
	pages = machine_pages_in_use();
	EXPECT_EQ(ask(&dev, &set), 1);
	if (bad[variant] < 4) {
		EXPECT_EQ(mem->nslabs, 1024);
		EXPECT(!machine_said("no memory for another pool"));
		EXPECT_EQ(machine_pages_in_use(), pages + 256);
	} else {
		EXPECT_EQ(mem->nslabs, 512);
		EXPECT(machine_said("cannot be made contiguous"));
		EXPECT_EQ(machine_pages_in_use(), pages);
	}
	while (nr--)
		unmap(&dev, dma[nr], 262144, DMA_TO_DEVICE);
	buffer_free(&set);
}

/*
 * The page allocator gives the highest memory of a zone first, but the device reaches only
 * the lowest. A pool is added there, so that not each mapping needs a transient pool.
 */
TEST_VARIANTS(grow_low_in_zone, ((const char *const[]){ "free", "full", NULL }))
{
	struct machine_config config = { .from_top = true, .param = "2048", .seed = 1 };
	bool full = variant;
	struct buffer buffer, lowest[4];
	struct device dev;
	dma_addr_t dma;
	unsigned int i;

	/* All low memory is one zone, of which the device reaches 8 MiB. */
	zone_dma_limit = MACHINE_LOW_START - 1;
	machine_power_on(&config);
	machine_set_param("swiotlb", config.param);
	core_boot(&config);
	machine_run_initcalls();
	device_init(&dev, 24);
	buffer = buffer_alloc(9000, 0, __GFP_HIGHMEM);
	if (full)
		for (i = 0; i < 4; i++)
			lowest[i].phys = page_to_phys(alloc_contig_pages(1024, __GFP_DMA32 | __GFP_COMP,
									 0, NULL));
	EXPECT_EQ(ask(&dev, &buffer), 1);
	EXPECT_EQ(mem->pools->nr, full ? 1 : 2);
	EXPECT(!full || machine_said("no memory for another pool of 24-bit"));
	dma = map(&dev, &buffer, DMA_TO_DEVICE);
	EXPECT_EQ(dma != DMA_MAPPING_ERROR, !full);
	EXPECT_EQ(machine_work(), 0);
	if (!full) {
		EXPECT(!swiotlb_find_pool(&dev, dma_to_phys(&dev, dma))->transient);
		EXPECT(newest_pool()->maddr_max <= DMA_BIT_MASK(24));
		unmap(&dev, dma, buffer.size, DMA_TO_DEVICE);
		machine_delayed_work();
		machine_delayed_work();
		EXPECT_EQ(mem->pools->nr, 1);
	}
	for (i = 0; full && i < 4; i++)
		machine_free(lowest[i].phys, SZ_1M * 4);
	buffer_free(&buffer);
}

/* --- what a device with ranges reaches --- */

static const struct {
	const char *name;
	struct bus_dma_region ranges[3];
	unsigned int bits;
	bool helps;
} reaches[] = {
	/* The range is beyond the mask, so no pool can help. */
	{ "beyond_the_mask", { { 0, 0x1000000000, 1ULL << 33 } }, 32, false },
	/* The range ends below all memory that may be added. */
	{ "ends_early", { { 0, 0, MACHINE_LOW_START } }, 64, false },
	{ "first_16_mib", { { 0, 0, 16 << 20 } }, 64, true },
	{ "upper_part", { { 16 << 20, 0, 1ULL << 33 } }, 64, true },
	{ "highest_part", { { 3UL << 30, 0, 1ULL << 33 } }, 64, false },
	{ "all_with_offset", { { 0, 0x40000000, 1ULL << 33 } }, 64, true },
	{ "low_in_two", { { 0, 0x80000000, 12 << 20 },
			  { 12 << 20, 0x80000000 + (12 << 20), 1ULL << 33 } }, 32, true },
};

static const char *const reach_names[] = {
	"beyond_the_mask", "ends_early", "first_16_mib", "upper_part", "highest_part",
	"all_with_offset", "low_in_two", NULL,
};

/* Failing mappings add a pool only if that helps the device. */
TEST_VARIANTS(grow_within_ranges, reach_names)
{
	struct buffer set, buffer;
	struct device all, dev;
	dma_addr_t dma[64], got;
	unsigned int nr, i;

	boot(FRAMES_NATIVE, "512");
	device_init(&all, 32);
	device_init(&dev, reaches[variant].bits);
	dev.dma_range_map = reaches[variant].ranges;
	set = buffer_alloc(262144, 0, __GFP_HIGHMEM);
	buffer = buffer_alloc(3000, 0, __GFP_HIGHMEM);
	nr = fill(&all, &set, dma);
	for (i = 0; i < 10; i++)
		ask(&dev, &buffer);
	EXPECT(mem->nslabs <= 1024);
	EXPECT_EQ(mem->nslabs > 512, reaches[variant].helps);
	got = map(&dev, &buffer, DMA_TO_DEVICE);
	if (reaches[variant].helps) {
		EXPECT(got != DMA_MAPPING_ERROR);
		EXPECT(!swiotlb_find_pool(&dev, dma_to_phys(&dev, got))->transient);
	}
	if (got != DMA_MAPPING_ERROR)
		unmap(&dev, got, buffer.size, DMA_TO_DEVICE);
	machine_work();
	while (nr--)
		unmap(&all, dma[nr], 262144, DMA_TO_DEVICE);
	buffer_free(&buffer);
	buffer_free(&set);
}
