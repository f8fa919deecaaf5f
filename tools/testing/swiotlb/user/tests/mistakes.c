// SPDX-License-Identifier: GPL-2.0
/*
 * Mistakes and rare habits of drivers. They must not affect other drivers.
 */
#include "test.h"

/* As dma_sync_single_for_cpu() does it */
static void sync_for_cpu(struct device *dev, dma_addr_t dma, size_t size)
{
	if (!dev->dma_skip_sync)
		swiotlb_sync_single_for_cpu(dev, dma_to_phys(dev, dma), size, DMA_FROM_DEVICE);
}

/* The mask is set again while there is a bounced mapping. Syncs still work. */
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

	/* Another driver sets a wider mask. Later mappings are synced too. */
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
	EXPECT(!swiotlb_alloc(dev, PAGE_SIZE, machine_alloc_attrs()));
	EXPECT(!swiotlb_free(dev, pfn_to_page(PHYS_PFN(buffer->phys)), PAGE_SIZE));
	EXPECT(swiotlb_map(dev, buffer->phys, 100, DMA_TO_DEVICE, 0) == DMA_MAPPING_ERROR);
	EXPECT(swiotlb_map(dev, buffer->phys, SZ_1M, DMA_TO_DEVICE, DMA_ATTR_NO_WARN) ==
	       DMA_MAPPING_ERROR);
	EXPECT(swiotlb_tbl_map_single(dev, buffer->phys, 100, 4095, DMA_TO_DEVICE, TBL_ATTRS(0)) ==
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

/* The same for a device that has bounced. Its mappings are synced and unmapped as before. */
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

/* The device loses its restricted pool. Mappings there are not found then, but not lost. */
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
	page = swiotlb_alloc(&dev, PAGE_SIZE, machine_alloc_attrs());
	EXPECT(page);

	mem = dev.dma_io_tlb_mem;
	dev.dma_io_tlb_mem = NULL;
	check_never_bounces(&dev, &buffer);
	unmap(&dev, dma, 100, DMA_BIDIRECTIONAL);
	EXPECT_EQ(slots_used(), 0);
	EXPECT_EQ(swiotlb_mem_used(mem), 3);

	/* Memory of the pool must not be given to the page allocator. */
	EXPECT(swiotlb_free(&dev, page, PAGE_SIZE));
	EXPECT_EQ(swiotlb_mem_used(mem), 1);
	dev.dma_io_tlb_mem = mem;
	page = swiotlb_alloc(&dev, PAGE_SIZE, machine_alloc_attrs());
	rmem.ops->device_release(&rmem, &dev);
	EXPECT(swiotlb_free(&dev, page, PAGE_SIZE));

	dev.dma_io_tlb_mem = mem;
	unmap(&dev, dma, 100, DMA_BIDIRECTIONAL);
	contract_check_all_free(mem);
	buffer_free(&buffer);
}

/* 1536 bytes are mapped, and 42 are unmapped: 42 bytes are copied, all slots are freed. */
TEST_ALL_FRAMES(mistake_unmap_less)
{
	u8 before[1536], seen[1536], data[1536];
	struct buffer buffer;
	struct device dev;
	dma_addr_t dma;

	boot(variant, "512");
	device_init(&dev, 32);
	buffer = buffer_alloc(1536, 0, __GFP_HIGHMEM);
	copy_out(before, buffer.phys, 1536);
	dma = map(&dev, &buffer, DMA_FROM_DEVICE);
	EXPECT(machine_dma(&dev, dma, memset(data, 'r', 1536), 1536, true));
	unmap(&dev, dma, 42, DMA_FROM_DEVICE);
	copy_out(seen, buffer.phys, 1536);
	EXPECT(!memcmp(seen, data, 42));
	EXPECT(!memcmp(seen + 42, before + 42, 1536 - 42));
	EXPECT_EQ(slots_used(), 0);
	buffer_free(&buffer);
}

/* Pieces from inside a mapping are unmapped: each is copied, and no slot is freed. */
TEST_ALL_FRAMES(mistake_unmap_in_pieces)
{
	static const size_t pieces[] = { 4096, 8192, 12288 };
	struct buffer buffer, small;
	dma_addr_t dma, others[8];
	struct device dev;
	u8 data[4096];
	unsigned int i;

	boot(variant, "512,1");
	device_init(&dev, 32);
	buffer = buffer_alloc(16384, 0, __GFP_HIGHMEM);
	small = buffer_alloc(4096, 0, __GFP_HIGHMEM);
	dma = map(&dev, &buffer, DMA_FROM_DEVICE);
	for (i = 0; i < 3; i++) {
		EXPECT(machine_dma(&dev, dma + pieces[i], memset(data, 'a' + i, 4096), 4096, true));
		unmap(&dev, dma + pieces[i], 4096, DMA_FROM_DEVICE);
		EXPECT_EQ(machine_expect_warning("inside a mapping"), 1);
		EXPECT_EQ(*machine_memory(buffer.phys + pieces[i]), 'a' + i);
		if (i)
			continue;
		/* Other mappings get slots elsewhere. */
		for (int k = 0; k < 8; k++)
			others[k] = map(&dev, &small, DMA_TO_DEVICE);
	}
	EXPECT_EQ(slots_used(), 8 + 8 * 2);
	for (i = 0; i < 8; i++) {
		contract_check_content(&dev, small.phys, 4096, others[i]);
		unmap(&dev, others[i], 4096, DMA_TO_DEVICE);
	}
	unmap(&dev, dma, 4096, DMA_FROM_DEVICE);
	EXPECT_EQ(slots_used(), 0);
	buffer_free(&small);
	buffer_free(&buffer);
}

/* A transient pool has a single mapping. Unmapping inside that mapping does not free it. */
TEST(mistake_unmap_transient_in_pieces)
{
	struct buffer buffer, set;
	dma_addr_t dma, filler[4];
	struct device dev;
	unsigned int i;

	boot(FRAMES_NATIVE, "512,1");
	device_init(&dev, 32);
	buffer = buffer_alloc(16384, 0, __GFP_HIGHMEM);
	set = buffer_alloc(262144, 0, __GFP_HIGHMEM);
	for (i = 0; i < 4; i++)
		filler[i] = map(&dev, &set, DMA_TO_DEVICE);
	dma = map(&dev, &buffer, DMA_TO_DEVICE);
	EXPECT_EQ(atomic_long_read(&io_tlb_default_mem.transient_nslabs), 8);
	for (i = 1; i < 4; i++)
		unmap(&dev, dma + 4096 * i, 4096, DMA_TO_DEVICE);
	EXPECT_EQ(machine_expect_warning("inside a mapping"), 3);
	EXPECT_EQ(atomic_long_read(&io_tlb_default_mem.transient_nslabs), 8);
	unmap(&dev, dma, 4096, DMA_TO_DEVICE);
	EXPECT_EQ(atomic_long_read(&io_tlb_default_mem.transient_nslabs), 0);
	for (i = 0; i < 4; i++)
		unmap(&dev, filler[i], 262144, DMA_TO_DEVICE);
	buffer_free(&set);
	buffer_free(&buffer);
}

/* Coherent memory of a restricted pool: freeing a page inside it frees nothing. */
TEST(mistake_free_restricted_in_pieces)
{
	struct reserved_mem rmem = { .name = "restricted", .size = SZ_1M };
	struct device dev;
	struct page *page;

	boot(FRAMES_NATIVE, "512");
	rmem.base = machine_alloc(SZ_1M, __GFP_DMA32);
	EXPECT_EQ(machine_setup_reserved(&rmem, "restricted-dma-pool", NULL), 0);
	device_init(&dev, 64);
	EXPECT_EQ(rmem.ops->device_init(&rmem, &dev), 0);
	page = swiotlb_alloc(&dev, 16384, machine_alloc_attrs());
	EXPECT(page && swiotlb_free(&dev, page + 1, PAGE_SIZE));
	EXPECT_EQ(machine_expect_warning("inside a mapping"), 1);
	EXPECT_EQ(swiotlb_mem_used(dev.dma_io_tlb_mem), 8);
	EXPECT(swiotlb_free(&dev, page, PAGE_SIZE));
	contract_check_all_free(dev.dma_io_tlb_mem);
}

/* A mapping is synced and unmapped through another device. */
TEST_ALL_FRAMES(mistake_other_device)
{
	struct device dev, other, never;
	struct buffer buffer, small;
	dma_addr_t dma, theirs;

	boot(variant, "512,1");
	device_init(&dev, 32);
	device_init(&other, 32);
	device_init(&never, 32);
	dev.min_align_mask = 0xfff;
	buffer = buffer_alloc(9000, 0x123, __GFP_HIGHMEM);
	small = buffer_alloc(100, 0, __GFP_HIGHMEM);
	dma = map(&dev, &buffer, DMA_FROM_DEVICE);

	/* That device has never bounced: nothing happens. */
	EXPECT(machine_dma(&dev, dma, "data", 4, true));
	swiotlb_sync_single_for_cpu(&never, dma_to_phys(&never, dma), 4, DMA_FROM_DEVICE);
	unmap(&never, dma, 9000, DMA_FROM_DEVICE);
	EXPECT_EQ(slots_used(), 5);

	/* That device has bounced: it syncs and unmaps as the right device does. */
	theirs = map(&other, &small, DMA_TO_DEVICE);
	swiotlb_sync_single_for_cpu(&other, dma_to_phys(&other, dma), 4, DMA_FROM_DEVICE);
	EXPECT(!memcmp(machine_memory(buffer.phys), "data", 4));
	unmap(&other, dma + 4096, 9000 - 4096, DMA_FROM_DEVICE);
	EXPECT_EQ(machine_expect_warning("inside a mapping"), 1);
	EXPECT_EQ(slots_used(), 6);
	unmap(&other, dma, 9000, DMA_FROM_DEVICE);
	EXPECT_EQ(slots_used(), 1);
	contract_check_content(&other, small.phys, 100, theirs);
	unmap(&other, theirs, 100, DMA_TO_DEVICE);
	EXPECT_EQ(slots_used(), 0);
	buffer_free(&small);
	buffer_free(&buffer);
}

/* --- any address, any size --- */

#define HOSTILE_MAPPINGS	4
#define HOSTILE_PAGES		5
#define HOSTILE_POOL		((size_t)512 << IO_TLB_SHIFT)

static const struct hostile_case {
	unsigned int min_align_mask;
	unsigned int alloc_align_mask;
	size_t offset;
} hostile_cases[] = {
	{ 0, 0, 0 }, { 0, 0, 0x345 }, { 511, 0, 0x345 }, { 0xfff, 0, 0x123 },
	{ 0xfff, 0, 0x800 }, { 0xfff, 0, 0x9ff }, { 0xfff, 0xfff, 0x923 },
	{ 0xfff, 0xffff, 0x923 }, { 0, 0xffff, 0x10 }, { 0xffff, 0xffff, 0x801 },
	{ 0xf0f, 0xfff, 0xfff },
};

static struct hostile {
	struct io_tlb_pool *pool;
	struct device dev;
	struct buffer buffer[HOSTILE_MAPPINGS];
	phys_addr_t tlb[HOSTILE_MAPPINGS];
	phys_addr_t alloc[HOSTILE_MAPPINGS];		/* where the allocation starts */
	u8 cpu[HOSTILE_MAPPINGS][HOSTILE_PAGES * 4096];	/* expected in the buffers' pages */
	u8 bounce[HOSTILE_POOL];			/* expected in the pool */
} hostile;

static size_t hostile_bytes(unsigned int i)
{
	return PAGE_ALIGN(hostile.buffer[i].phys - hostile.buffer[i].pages +
			  hostile.buffer[i].size);
}

static void hostile_set_up(unsigned int variant, const struct hostile_case *c)
{
	static const size_t sizes[HOSTILE_MAPPINGS] = { 5000, 1, 2048, 9001 };
	struct hostile *h = &hostile;
	u64 random = 3;
	unsigned int i;

	boot(variant, "512,1");
	h->pool = io_tlb_default_mem.defpool;
	device_init(&h->dev, 64);
	h->dev.min_align_mask = c->min_align_mask;
	for (i = 0; i < HOSTILE_MAPPINGS; i++) {
		h->buffer[i] = buffer_alloc(sizes[i], c->offset, __GFP_HIGHMEM);
		h->tlb[i] = swiotlb_tbl_map_single(&h->dev, h->buffer[i].phys, sizes[i],
						   c->alloc_align_mask, DMA_BIDIRECTIONAL, TBL_ATTRS(0));
		EXPECT(h->tlb[i] != (phys_addr_t)DMA_MAPPING_ERROR);
		h->alloc[i] = h->tlb[i] - (h->buffer[i].phys & c->min_align_mask &
					   (c->alloc_align_mask | (IO_TLB_SIZE - 1)));
		copy_out(h->cpu[i], h->buffer[i].pages, hostile_bytes(i));
	}
	/* Slots and padding contain data that others have left there. */
	fill_random(h->pool->start, HOSTILE_POOL, &random);
	copy_out(h->bounce, h->pool->start, HOSTILE_POOL);
}

/* The mapping that an address is in, or -1 */
static int hostile_find(phys_addr_t addr)
{
	int i;

	for (i = 0; i < HOSTILE_MAPPINGS; i++)
		if (addr >= hostile.tlb[i] && addr - hostile.tlb[i] < hostile.buffer[i].size)
			return i;
	return -1;
}

static void hostile_check(bool pool)
{
	struct hostile *h = &hostile;
	static u8 seen[HOSTILE_POOL];
	unsigned int i;

	for (i = 0; i < HOSTILE_MAPPINGS; i++) {
		copy_out(seen, h->buffer[i].pages, hostile_bytes(i));
		if (memcmp(seen, h->cpu[i], hostile_bytes(i)))
			machine_fail("the pages of buffer %u do not hold what they should", i);
	}
	if (!pool)
		return;
	copy_out(seen, h->pool->start, HOSTILE_POOL);
	if (memcmp(seen, h->bounce, HOSTILE_POOL))
		machine_fail("the pool does not hold what it should");
}

/* Warnings do not matter here, only that nothing else happens. */
static void hostile_forget_warnings(void)
{
	machine_expect_warning("");
}

static void hostile_to_cpu(phys_addr_t addr, size_t size, bool unmaps)
{
	struct hostile *h = &hostile;
	int i = hostile_find(addr);
	size_t offset, len;

	if (unmaps)
		swiotlb_tbl_unmap_single(&h->dev, addr, size, DMA_BIDIRECTIONAL, 0);
	else
		swiotlb_sync_single_for_cpu(&h->dev, addr, size, DMA_BIDIRECTIONAL);
	if (i >= 0) {
		offset = addr - h->tlb[i];
		len = min(size, h->buffer[i].size - offset);
		memcpy(h->cpu[i] + (h->buffer[i].phys - h->buffer[i].pages) + offset,
		       h->bounce + (addr - h->pool->start), len);
	}
	hostile_forget_warnings();
	hostile_check(false);
}

static void hostile_to_device(phys_addr_t addr, size_t size)
{
	struct hostile *h = &hostile;
	int i = hostile_find(addr);
	size_t offset, len;

	swiotlb_sync_single_for_device(&h->dev, addr, size, DMA_BIDIRECTIONAL);
	if (i >= 0) {
		offset = addr - h->tlb[i];
		len = min(size, h->buffer[i].size - offset);
		memcpy(h->bounce + (addr - h->pool->start),
		       h->cpu[i] + (h->buffer[i].phys - h->buffer[i].pages) + offset, len);
	}
	hostile_forget_warnings();
	hostile_check(true);
}

/* Does an unmap of this address free a mapping? */
static bool hostile_may_unmap(phys_addr_t addr)
{
	unsigned int i;

	for (i = 0; i < HOSTILE_MAPPINGS; i++)
		if (addr == hostile.tlb[i] || addr == hostile.alloc[i])
			return true;
	return false;
}

static void hostile_calls(phys_addr_t addr, u64 *random)
{
	static const size_t sizes[] = {
		0, 1, 3, 2047, 2048, 2049, 4096, 5000, 9001, 62847, (size_t)1 << 20,
		(size_t)1 << 31, U32_MAX, SIZE_MAX / 2, SIZE_MAX - 0x900, SIZE_MAX - 1, SIZE_MAX,
	};
	unsigned long used = slots_used();
	unsigned int i;

	for (i = 0; i < ARRAY_SIZE(sizes); i++) {
		machine_context("%zu bytes at %#llx of the pool", sizes[i],
				(unsigned long long)(addr - hostile.pool->start));
		hostile_to_cpu(addr, sizes[i], false);
		if (!hostile_may_unmap(addr))
			hostile_to_cpu(addr, sizes[i], true);
		EXPECT_EQ(slots_used(), used);
		/* The other direction is rarer, because it takes long to compare the pool. */
		if (machine_random(random) % 4)
			continue;
		for (int k = 0; k < HOSTILE_MAPPINGS; k++) {
			fill_random(hostile.buffer[k].phys, 1, random);
			copy_out(hostile.cpu[k], hostile.buffer[k].pages, hostile_bytes(k));
		}
		hostile_to_device(addr, sizes[i]);
	}
}

/*
 * A sync or unmap of any address with any size copies within the mapping that the
 * address is in, or nothing. An unmap of an address that is not the start of a mapping
 * frees nothing.
 */
TEST_ALL_FRAMES(mistake_anywhere)
{
	static const long distances[] = {
		-4097, -2049, -2048, -1, 0, 1, 255, 2047, 2048, 2049, 4096, 4999, 5000, 5001,
		8192, 9000, 9001, 62847,
	};
	struct hostile *h = &hostile;
	unsigned int c, i, d;
	u64 random = 5;

	for (c = 0; c < ARRAY_SIZE(hostile_cases); c++) {
		hostile_set_up(variant, &hostile_cases[c]);
		for (i = 0; i < HOSTILE_MAPPINGS; i++) {
			for (d = 0; d < ARRAY_SIZE(distances); d++)
				hostile_calls(h->tlb[i] + distances[d], &random);
			hostile_calls(h->alloc[i], &random);
			hostile_calls(h->alloc[i] + 1, &random);
			hostile_calls(h->buffer[i].phys, &random);
		}
		hostile_calls(h->pool->end - 1, &random);
		hostile_calls(h->pool->end, &random);
		hostile_calls(h->pool->start - 1, &random);
		hostile_calls(0, &random);
		hostile_calls(DMA_PHYS_NONE, &random);
		for (i = 0; i < HOSTILE_MAPPINGS; i++) {
			swiotlb_tbl_unmap_single(&h->dev, h->tlb[i], h->buffer[i].size,
						 DMA_TO_DEVICE, 0);
			buffer_free(&h->buffer[i]);
		}
		machine_no_surprises();
		EXPECT_EQ(slots_used(), 0);
	}
}
