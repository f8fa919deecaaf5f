// SPDX-License-Identifier: GPL-2.0
/*
 * Mappings of more than a slot set: where they may be, what is copied, and that
 * their neighbours survive.
 */
#include "test.h"

static struct io_tlb_mem *const mem = &io_tlb_default_mem;

/* Only the pool of boot */
static void boot_fixed(enum machine_frames frames, const char *param, struct device *dev)
{
	struct machine_config config = { .frames = frames, .cpus = 8, .param = param, .seed = 1 };

	machine_boot(&config);
	swiotlb_stop_growth();
	device_init(dev, 32);
}

/* The device writes one byte. A sync of @size bytes around it copies it; another, back. */
static void check_byte(struct device *dev, struct buffer *buffer, dma_addr_t dma, size_t at,
		       size_t before, size_t size)
{
	u8 *original = machine_memory(buffer->phys + at), byte = ~*original, seen;
	phys_addr_t tlb = dma_to_phys(dev, dma) + at - before;

	EXPECT(machine_dma(dev, dma + at, &byte, 1, true));
	EXPECT(*original != byte);
	swiotlb_sync_single_for_cpu(dev, tlb, size, DMA_BIDIRECTIONAL);
	EXPECT_EQ(*original, byte);
	*original = 77;
	swiotlb_sync_single_for_device(dev, tlb, size, DMA_BIDIRECTIONAL);
	EXPECT(machine_dma(dev, dma + at, &seen, 1, false));
	EXPECT_EQ(seen, 77);
}

/* All that the device writes arrives, and no other byte changes. */
static void check_write(struct device *dev, struct buffer *buffer, dma_addr_t dma,
			enum dma_data_direction dir)
{
	size_t pages = PAGE_ALIGN(buffer->phys - buffer->pages + buffer->size), i;
	u8 *expected = malloc(pages), *seen = malloc(pages);
	size_t offset = buffer->phys - buffer->pages;
	u64 random = dma;

	copy_out(expected, buffer->pages, pages);
	for (i = 0; i < buffer->size; i += 512)
		expected[offset + i] = machine_random(&random);
	EXPECT(machine_dma(dev, dma, expected + offset, buffer->size, true));
	if (dir == DMA_TO_DEVICE)
		copy_out(expected, buffer->pages, pages);
	unmap(dev, dma, buffer->size, dir);
	copy_out(seen, buffer->pages, pages);
	EXPECT(!memcmp(seen, expected, pages));
	free(expected);
	free(seen);
}

/* Every size around a border of sets, up to the longest run, whatever the offset */
TEST_ALL_FRAMES(span_sizes)
{
	static const size_t offsets[] = { 0, 1, 2048, 4095 };
	size_t sizes[] = { 262145, 264192, 264193, 300000, 524287, 524288, 524289, 1000000,
			   SZ_1M, 2 * SZ_1M, 0 };
	struct buffer buffer;
	struct device dev;
	unsigned int i;
	dma_addr_t dma;

	boot_fixed(variant, "2048,4", &dev);
	sizes[ARRAY_SIZE(sizes) - 1] = mem->defpool->longest;
	EXPECT(sizes[ARRAY_SIZE(sizes) - 1] >= 2 * SZ_1M);
	for (i = 0; i < ARRAY_SIZE(sizes); i++) {
		machine_context("%zu bytes", sizes[i]);
		buffer = buffer_alloc(sizes[i], offsets[i % 4], __GFP_HIGHMEM);
		dma = map(&dev, &buffer, i % 3);
		EXPECT(dma != DMA_MAPPING_ERROR);
		EXPECT_EQ(slots_used(), DIV_ROUND_UP(sizes[i], IO_TLB_SIZE));
		check_write(&dev, &buffer, dma, i % 3);
		contract_check_all_free(mem);
		buffer_free(&buffer);
	}
}

/*
 * The longest run of a pool can be mapped, and a byte more is refused. Drivers are told a
 * share of the pool.
 */
TEST_ALL_FRAMES(span_longest)
{
	struct buffer buffer;
	struct device dev;
	dma_addr_t dma, second;
	size_t most;

	boot_fixed(variant, "3072,2", &dev);
	most = mem->defpool->longest;
	EXPECT_EQ(swiotlb_max_mapping_size(&dev), 8 * SZ_1M / 128);
	buffer = buffer_alloc(most + 1, 0, __GFP_HIGHMEM);
	EXPECT(map(&dev, &buffer, DMA_TO_DEVICE) == DMA_MAPPING_ERROR);
	EXPECT(machine_said("at most 65536"));
	buffer.size--;
	dma = map(&dev, &buffer, DMA_TO_DEVICE);
	EXPECT(dma != DMA_MAPPING_ERROR);
	machine_forget_messages();
	/* On Xen there may be another run of this length. */
	second = map(&dev, &buffer, DMA_TO_DEVICE);
	if (second == DMA_MAPPING_ERROR)
		EXPECT(machine_said("swiotlb buffer is full"));
	else
		unmap(&dev, second, most, DMA_TO_DEVICE);
	EXPECT(second == DMA_MAPPING_ERROR || variant != FRAMES_NATIVE);
	unmap(&dev, dma, most, DMA_TO_DEVICE);
	buffer.size++;
	buffer_free(&buffer);

	/* Padding reduces the size. */
	dev.min_align_mask = 0xfff;
	EXPECT_EQ(swiotlb_max_mapping_size(&dev), 8 * SZ_1M / 128 - 4096);
}

/* Sync the first and the last byte of each set, alone and across the border. */
TEST_ALL_FRAMES(span_sync)
{
	struct buffer buffer;
	struct device dev;
	phys_addr_t tlb;
	dma_addr_t dma;
	size_t at;

	boot_fixed(variant, "2048,8", &dev);
	/* The mapping begins in the middle of a set. */
	dev.min_align_mask = 0x3ffff;
	buffer = buffer_alloc(1300000, 0x1c23, __GFP_HIGHMEM);
	dma = map(&dev, &buffer, DMA_BIDIRECTIONAL);
	EXPECT(dma != DMA_MAPPING_ERROR);
	tlb = dma_to_phys(&dev, dma);
	for (at = IO_TLB_SET_BYTES - (tlb - mem->defpool->start) % IO_TLB_SET_BYTES;
	     at < buffer.size; at += IO_TLB_SET_BYTES) {
		check_byte(&dev, &buffer, dma, at, 0, 1);
		check_byte(&dev, &buffer, dma, at - 1, 0, 1);
		check_byte(&dev, &buffer, dma, at, 100, 200);
		check_byte(&dev, &buffer, dma, at, at, buffer.size);
	}
	check_byte(&dev, &buffer, dma, 0, 0, 1);
	check_byte(&dev, &buffer, dma, buffer.size - 1, 0, 1);
	check_byte(&dev, &buffer, dma, buffer.size - 1, buffer.size - 1, buffer.size);

	/* A sync beyond the end is reported, and copies nothing from there. */
	swiotlb_sync_single_for_cpu(&dev, tlb + buffer.size - 1, 2, DMA_BIDIRECTIONAL);
	EXPECT_EQ(machine_expect_warning("sync of 2 bytes, of which only 1"), 1);
	check_write(&dev, &buffer, dma, DMA_BIDIRECTIONAL);
	buffer_free(&buffer);
}

/* Unmapping at the start frees all slots. Unmapping anywhere else frees nothing and warns. */
TEST_ALL_FRAMES(span_unmap_anywhere)
{
	static const size_t at[] = { 0, 2047, 2048, 262143, 262144, 300000, 524287, 524288, 599999 };
	struct buffer buffer;
	struct device dev;
	unsigned int i;
	dma_addr_t dma;

	boot_fixed(variant, "2048,8", &dev);
	buffer = buffer_alloc(600000, 0, __GFP_HIGHMEM);
	for (i = 0; i < ARRAY_SIZE(at); i++) {
		machine_context("at %zu", at[i]);
		dma = map(&dev, &buffer, DMA_TO_DEVICE);
		EXPECT(dma != DMA_MAPPING_ERROR);
		if (at[i]) {
			unmap(&dev, dma + at[i], 1, DMA_TO_DEVICE);
			EXPECT_EQ(machine_expect_warning("inside a mapping"), 1);
			EXPECT_EQ(slots_used(), DIV_ROUND_UP(600000, IO_TLB_SIZE));
		}
		unmap(&dev, dma, 1, DMA_TO_DEVICE);
		contract_check_all_free(mem);
		EXPECT_EQ(machine_expect_warning(""), 0);
		unmap(&dev, dma + at[i], 1, DMA_TO_DEVICE);
		EXPECT_EQ(machine_expect_warning("which is not mapped"), 1);
		contract_check_all_free(mem);
	}
	buffer_free(&buffer);
}

static void check_aligned(struct device *dev, phys_addr_t orig, size_t size, unsigned int align)
{
	size_t bytes = ALIGN(size + (orig & dev->min_align_mask & (align | 0x7ff)),
			     (size_t)align + 1);
	phys_addr_t tlb;

	machine_context("keep %#x, align %#x, %#llx+%zu", dev->min_align_mask, align, orig, size);
	tlb = swiotlb_tbl_map_single(dev, orig, size, align, DMA_TO_DEVICE, TBL_ATTRS(0));
	EXPECT(tlb != (phys_addr_t)DMA_MAPPING_ERROR);
	contract_check(dev, orig, size, align, phys_to_dma_unencrypted(dev, tlb));
	EXPECT_EQ(slots_used(), DIV_ROUND_UP(bytes, IO_TLB_SIZE));
	swiotlb_tbl_unmap_single(dev, tlb, size, DMA_TO_DEVICE, 0);
	EXPECT_EQ(slots_used(), 0);
}

/* Alignment of the allocation, preserved bits, both */
TEST_ALL_FRAMES(span_alignment)
{
	static const unsigned int keep[] = { 0, 0x7ff, 0xfff, 0xffff, 0x3ffff, 0x7ffff };
	static const unsigned int align[] = { 0, 0xfff, 0x3ffff, 0x7ffff, 0xfffff };
	static const size_t offsets[] = { 0, 0x400, 0x1c00, 0x32345 };
	static const size_t sizes[] = { 262145, 300000, 600000 };
	struct buffer buffer;
	struct device dev;
	phys_addr_t orig;
	unsigned int i;

	boot_fixed(variant, "4096,4", &dev);
	buffer = buffer_alloc(SZ_1M, 0, __GFP_HIGHMEM);
	for (i = 0; i < 6 * 5 * 4 * 3; i++) {
		dev.min_align_mask = keep[i % 6];
		orig = buffer.phys + offsets[i / 6 % 4];
		check_aligned(&dev, orig, sizes[i / 24 % 3], align[i / 72]);
	}
	contract_check_all_free(mem);
	buffer_free(&buffer);
}

/* Mappings of no more than a set, at an offset at which they do not fit into one */
TEST_ALL_FRAMES(span_at_offset)
{
	static const size_t offsets[] = { 0x200, 0x800, 0x801, 0xe00, 0xfff };
	struct buffer buffer;
	struct device dev;
	unsigned int i;

	boot_fixed(variant, "2048,4", &dev);
	dev.min_align_mask = 0xfff;
	buffer = buffer_alloc(SZ_1M, 0, __GFP_HIGHMEM);
	for (i = 0; i < ARRAY_SIZE(offsets); i++) {
		check_aligned(&dev, buffer.phys + offsets[i], 258048, 0);
		check_aligned(&dev, buffer.phys + offsets[i], 260096, 0);
		check_aligned(&dev, buffer.phys + offsets[i], 260097, 0);
		check_aligned(&dev, buffer.phys + offsets[i], 262144, 0);
	}
	contract_check_all_free(mem);
	buffer_free(&buffer);
}

static void drain(struct device *dev, struct buffer *buffer, dma_addr_t *dma, unsigned int nr)
{
	unmap_all(dev, buffer, dma, nr, DMA_TO_DEVICE);
	contract_check_all_free(mem);
}

/* Boundaries from 64 KiB to 2 MiB: no mapping crosses one, and each piece between is used. */
TEST_ALL_FRAMES(span_boundary)
{
	unsigned long boundary;
	struct buffer buffer;
	dma_addr_t dma[64];
	struct device dev;
	unsigned int nr;

	boot_fixed(variant, "4096,4", &dev);
	buffer = buffer_alloc(300000, 0, __GFP_HIGHMEM);
	for (boundary = SZ_64K; boundary <= 2 * SZ_1M; boundary *= 2) {
		machine_context("boundary %#lx", boundary);
		dev.segment_boundary = boundary - 1;
		nr = map_up_to(&dev, &buffer, dma, ARRAY_SIZE(dma), DMA_TO_DEVICE);
		if (boundary < buffer.size)
			EXPECT_EQ(nr, 0);
		else	/* at both ends there may be less than a piece */
			EXPECT(nr >= (8 * SZ_1M / boundary - 1) * (boundary / 301056) &&
			       nr <= (8 * SZ_1M / boundary + 1) * (boundary / 301056));
		drain(&dev, &buffer, dma, nr);
	}
	buffer_free(&buffer);
}

/* The limit of the device is in the middle of a run: all slots below it are used. */
TEST_ALL_FRAMES(span_limit)
{
	struct buffer buffer;
	dma_addr_t dma[64];
	struct device dev;
	unsigned int nr, i;
	u64 lowest = U64_MAX;

	boot_fixed(variant, "1024,4", &dev);
	buffer = buffer_alloc(300 * 2048, 0, __GFP_HIGHMEM);
	for (i = 0; i < 8; i++)
		lowest = min(lowest, (u64)mem->defpool->sets[i].maddr);
	*dev.dma_mask = lowest + buffer.size - 1;
	EXPECT_EQ(map_up_to(&dev, &buffer, dma, 2, DMA_TO_DEVICE), 1);
	EXPECT_EQ(dma[0], lowest);
	drain(&dev, &buffer, dma, 1);
	*dev.dma_mask -= 1;
	EXPECT_EQ(map_up_to(&dev, &buffer, dma, 2, DMA_TO_DEVICE), 0);
	EXPECT(machine_said("not all within reach"));

	/* 2 MiB in one piece, of which the device reaches 1000 slots */
	*dev.dma_mask = lowest + 1000 * 2048 - 1;
	nr = map_up_to(&dev, &buffer, dma, 8, DMA_TO_DEVICE);
	EXPECT_EQ(nr, 3);
	drain(&dev, &buffer, dma, nr);
	dev.bus_dma_limit = lowest + 599 * 2048;
	nr = map_up_to(&dev, &buffer, dma, 8, DMA_TO_DEVICE);
	EXPECT_EQ(nr, 1);
	drain(&dev, &buffer, dma, nr);
	buffer_free(&buffer);
}

/* Ranges that end within a run of sets, and within a set of it */
TEST(span_ranges)
{
	static const size_t splits[] = { 524288, 600 * 2048, 700000, 264192, 4096, 1048576 };
	struct bus_dma_region ranges[3] = { };
	struct buffer buffer;
	dma_addr_t dma[64];
	struct device dev;
	unsigned int i, nr;
	phys_addr_t start;

	boot_fixed(FRAMES_NATIVE, "1024,4", &dev);
	*dev.dma_mask = DMA_BIT_MASK(64);
	start = mem->defpool->start;
	buffer = buffer_alloc(300000, 0, __GFP_HIGHMEM);
	dev.dma_range_map = ranges;
	for (i = 0; i < ARRAY_SIZE(splits); i++) {
		size_t split = PAGE_ALIGN(splits[i]);

		machine_context("split at %zu", split);
		ranges[0] = (struct bus_dma_region){ start, 0x40000000, split };
		ranges[1] = (struct bus_dma_region){ start + split, 0x80000000, 2 * SZ_1M - split };
		nr = map_up_to(&dev, &buffer, dma, ARRAY_SIZE(dma), DMA_TO_DEVICE);
		/* If a set is in two ranges, its part in the second may stay unused. */
		EXPECT(nr >= split / 301056 + (2 * SZ_1M - split - 262144) / 301056 - 2);
		drain(&dev, &buffer, dma, nr);
		/* There is no second range. */
		ranges[1].size = 0;
		nr = map_up_to(&dev, &buffer, dma, ARRAY_SIZE(dma), DMA_TO_DEVICE);
		EXPECT(nr <= split / 301056);
		EXPECT(split < SZ_1M || nr);
		drain(&dev, &buffer, dma, nr);
	}
	buffer_free(&buffer);
}

/* When a mapping of several sets is gone, each of the sets can be used alone. */
TEST_ALL_FRAMES(span_leaves_nothing)
{
	struct buffer large, set;
	dma_addr_t dma[64];
	struct device dev;
	unsigned int nr, i;

	boot_fixed(variant, "1024,2", &dev);
	large = buffer_alloc(SZ_1M, 0, __GFP_HIGHMEM);
	set = buffer_alloc(262144, 0, __GFP_HIGHMEM);
	nr = map_up_to(&dev, &large, dma, ARRAY_SIZE(dma), DMA_TO_DEVICE);
	drain(&dev, &large, dma, nr);

	nr = map_up_to(&dev, &set, dma, ARRAY_SIZE(dma), DMA_TO_DEVICE);
	EXPECT_EQ(nr, 8);
	for (i = 0; i < nr; i++) {
		unmap(&dev, dma[i], 262144, DMA_TO_DEVICE);
		EXPECT_EQ(swiotlb_mem_used(mem), (nr - 1 - i) * IO_TLB_SEGSIZE);
	}
	buffer_free(&set);
	buffer_free(&large);
}

/* A pool is partly in use: its longest free run can be mapped, and no more. */
TEST_ALL_FRAMES(span_fragmented)
{
	unsigned int round, i, nr, run, longest, slot;
	struct buffer one, buffer;
	struct io_tlb_pool *pool;
	bool used[1025];
	struct device dev;
	dma_addr_t dma;
	u64 random = 41;

	boot_fixed(variant, "1024,4", &dev);
	dev.min_align_mask = 0x7ff;	/* no page alignment */
	pool = mem->defpool;
	one = buffer_alloc(2048, 0, 0);
	buffer = buffer_alloc(2 * SZ_1M, 0, __GFP_HIGHMEM);
	for (round = 0; round < 40; round++) {
		/* Fill the pool, and unmap all but a few slots. */
		for (i = 0; i < 1024; i++) {
			machine_set_cpu(i % 8);
			EXPECT(swiotlb_map(&dev, one.phys, 2048, DMA_TO_DEVICE, 0) != DMA_MAPPING_ERROR);
			used[i] = false;
		}
		nr = 1 + round % 6;
		while (nr--)
			used[machine_random(&random) % 1024] = true;
		for (i = 0; i < 1024; i++)
			if (!used[i])
				swiotlb_tbl_unmap_single(&dev, slot_phys(pool, i), 2048,
							 DMA_TO_DEVICE, 0);
		for (i = run = longest = slot = 0; i < 1024; i++) {
			if (i && i % 128 == 0 && pool->sets[i / 128].maddr !=
			    pool->sets[i / 128 - 1].maddr + IO_TLB_SET_BYTES)
				run = 0;
			run = used[i] ? 0 : run + 1;
			if (run > longest)
				slot = i + 1 - run;
			longest = max(longest, run);
		}
		machine_context("round %u: %u slots from %u", round, longest, slot);
		buffer.size = (longest + 1) * 2048UL;
		if (longest > 128 && longest < 1024)
			EXPECT(map(&dev, &buffer, DMA_TO_DEVICE) == DMA_MAPPING_ERROR);
		buffer.size = longest * 2048UL;
		if (longest > 128) {
			dma = map(&dev, &buffer, DMA_TO_DEVICE);
			EXPECT_EQ(dma, pool->sets[slot / 128].maddr + slot % 128 * 2048UL);
			unmap(&dev, dma, buffer.size, DMA_TO_DEVICE);
		}
		for (i = 0; i < 1024; i++)
			if (used[i])
				swiotlb_tbl_unmap_single(&dev, slot_phys(pool, i), 2048,
							 DMA_TO_DEVICE, 0);
		contract_check_all_free(mem);
	}
	machine_set_cpu(0);
	buffer.size = 2 * SZ_1M;
	buffer_free(&buffer);
	buffer_free(&one);
}

/* Counters and high-water mark are right, also if a mapping takes slots of several areas. */
TEST_ALL_FRAMES(span_counters)
{
	unsigned int i, step, used = 0, high = 0;
	size_t size[12] = { };
	struct buffer buffer;
	dma_addr_t dma[12];
	struct device dev;
	u64 random = 43;

	boot_fixed(variant, "4096,8", &dev);
	buffer = buffer_alloc(700000, 0, __GFP_HIGHMEM);
	for (step = 0; step < 400; step++) {
		machine_set_cpu(machine_random(&random) % 8);
		i = machine_random(&random) % 12;
		if (size[i]) {
			used -= DIV_ROUND_UP(size[i], IO_TLB_SIZE);
			unmap(&dev, dma[i], size[i], DMA_TO_DEVICE);
			size[i] = 0;
		} else {
			size[i] = 1 + machine_random(&random) % (step % 3 ? 700000 : 20000);
			dma[i] = swiotlb_map(&dev, buffer.phys, size[i], DMA_TO_DEVICE,
					     DMA_ATTR_NO_WARN);
			if (dma[i] == DMA_MAPPING_ERROR)
				size[i] = 0;
			used += DIV_ROUND_UP(size[i], IO_TLB_SIZE);
		}
		high = max(high, used);
		EXPECT_EQ(counter("io_tlb_used"), used);
		expect_hiwater(high);
		if (step % 100 == 99) {
			EXPECT_EQ(machine_write_counter("swiotlb", "io_tlb_used_hiwater", 0), 0);
			high = used;
		}
	}
	EXPECT(high > 700);
	machine_set_cpu(0);
	for (i = 0; i < 12; i++)
		if (size[i])
			unmap(&dev, dma[i], size[i], DMA_TO_DEVICE);
	buffer_free(&buffer);
}

/* --- neighbours --- */

#define NEIGHBOURS 5

/*
 * A whole set; a mapping of several sets; a small one in the last of these; another of
 * several sets, which starts in the rest of that set; and a small one in its last set.
 */
static const size_t neighbour_sizes[NEIGHBOURS] = {
	262144, 300 * 2048, 40 * 2048, 300 * 2048, 60 * 2048
};

static struct buffer neighbours[NEIGHBOURS];
static dma_addr_t neighbour_dma[NEIGHBOURS];

static void map_neighbours(struct device *dev)
{
	unsigned int i;

	for (i = 0; i < NEIGHBOURS; i++) {
		neighbours[i].size = neighbour_sizes[i];
		neighbour_dma[i] = map(dev, &neighbours[i], DMA_BIDIRECTIONAL);
		EXPECT_EQ(neighbour_dma[i], i ? neighbour_dma[i - 1] + neighbour_sizes[i - 1] :
						mem->defpool->sets[0].maddr);
	}
}

static void check_alive(struct device *dev, unsigned int i)
{
	struct buffer *buffer = &neighbours[i];
	dma_addr_t dma = neighbour_dma[i];

	contract_check_content(dev, buffer->phys, buffer->size, dma);
	check_byte(dev, buffer, dma, 0, 0, 1);
	check_byte(dev, buffer, dma, buffer->size - 1, 0, 1);
	check_byte(dev, buffer, dma, buffer->size - 1, buffer->size - 1, buffer->size);
}

static void unmap_in_order(struct device *dev, const unsigned int *order, bool at_end)
{
	unsigned int i, j;
	size_t used = 0;

	map_neighbours(dev);
	for (i = 0; i < NEIGHBOURS; i++)
		used += neighbour_sizes[i] / IO_TLB_SIZE;
	for (i = 0; i < NEIGHBOURS; i++) {
		EXPECT_EQ(slots_used(), used);
		if (at_end) {
			unmap(dev, neighbour_dma[order[i]] + neighbour_sizes[order[i]] - 1, 1,
			      DMA_TO_DEVICE);
			EXPECT_EQ(machine_expect_warning("inside a mapping"), 1);
			EXPECT_EQ(slots_used(), used);
		}
		unmap(dev, neighbour_dma[order[i]], 1, DMA_TO_DEVICE);
		used -= neighbour_sizes[order[i]] / IO_TLB_SIZE;
		for (j = i + 1; j < NEIGHBOURS; j++)
			check_alive(dev, order[j]);
	}
	contract_check_all_free(mem);
}

/* Unmap in all orders, made by Heap's algorithm. */
static void permute(struct device *dev, unsigned int *order, unsigned int n)
{
	unsigned int i;

	if (n == 1) {
		machine_context("%u %u %u %u %u", order[0], order[1], order[2], order[3], order[4]);
		unmap_in_order(dev, order, order[0] % 2);
		return;
	}
	for (i = 0; i < n; i++) {
		permute(dev, order, n - 1);
		swap(order[n % 2 ? 0 : i], order[n - 1]);
	}
}

static const char *const area_counts[] = { "one_area", "areas", NULL };

TEST_VARIANTS(span_neighbours, area_counts)
{
	unsigned int order[NEIGHBOURS] = { 0, 1, 2, 3, 4 }, i;
	struct device dev;

	boot_fixed(FRAMES_NATIVE, variant ? "1024,8" : "1024,1", &dev);
	for (i = 0; i < NEIGHBOURS; i++)
		neighbours[i] = buffer_alloc(neighbour_sizes[i], 0, __GFP_HIGHMEM);
	/* Small mappings get slots of the first area with room: that of the set to be shared. */
	permute(&dev, order, NEIGHBOURS);
	for (i = 0; i < NEIGHBOURS; i++)
		buffer_free(&neighbours[i]);
}

/*
 * The record of a mapping has room for 512 KiB of padding less a byte. A mapping that needs
 * more is refused with a message.
 */
TEST(span_padding)
{
	struct buffer buffer;
	struct device dev;
	phys_addr_t orig, tlb;

	boot_fixed(FRAMES_NATIVE, "4096,1", &dev);
	dev.min_align_mask = SZ_1M - 1;
	buffer = buffer_alloc(3 * SZ_1M, 0, __GFP_HIGHMEM);
	orig = ALIGN(buffer.phys, SZ_1M);
	check_aligned(&dev, orig + SZ_1M / 2 - 1, 4096, SZ_1M - 1);
	check_aligned(&dev, orig + SZ_1M / 2 - 1, SZ_1M, SZ_1M - 1);

	tlb = swiotlb_tbl_map_single(&dev, orig + SZ_1M / 2, 4096, SZ_1M - 1, DMA_TO_DEVICE, TBL_ATTRS(0));
	EXPECT(tlb == (phys_addr_t)DMA_MAPPING_ERROR);
	EXPECT(machine_said("cannot map 4096 bytes"));
	contract_check_all_free(mem);
	buffer_free(&buffer);
}

/* --- races --- */

static struct device racer;
static struct buffer raced_for;
static dma_addr_t raced;
static unsigned int race_cpu;

static void take_one(void)
{
	machine_set_cpu(race_cpu);
	raced = swiotlb_map(&racer, raced_for.phys, raced_for.size, DMA_TO_DEVICE, 0);
	EXPECT(raced != DMA_MAPPING_ERROR);
}

/* Another CPU takes a slot of one of the sets meanwhile: all others are given back. */
TEST(span_race)
{
	struct buffer buffer;
	dma_addr_t dma;

	boot_fixed(FRAMES_NATIVE, "512,4", &racer);
	raced_for = buffer_alloc(100, 0, 0);
	/* The buffer takes all of the pool, so there is no other place. */
	buffer = buffer_alloc(SZ_1M, 0, __GFP_HIGHMEM);
	for (race_cpu = 0; race_cpu < 4; race_cpu++) {
		machine_context("set %u", race_cpu);
		machine_other_cpu(take_one, 1);
		EXPECT(map(&racer, &buffer, DMA_TO_DEVICE) == DMA_MAPPING_ERROR);
		EXPECT(machine_other_cpu_ran());
		EXPECT_EQ(raced, mem->defpool->sets[race_cpu].maddr);
		EXPECT_EQ(slots_used(), 1);
		unmap(&racer, raced, 100, DMA_TO_DEVICE);
		contract_check_all_free(mem);

		/* Later mappings find all slots. */
		dma = map(&racer, &buffer, DMA_TO_DEVICE);
		EXPECT(dma != DMA_MAPPING_ERROR);
		unmap(&racer, dma, buffer.size, DMA_TO_DEVICE);
	}
	buffer_free(&buffer);
	buffer_free(&raced_for);
}

/* Another CPU takes a slot of the first place. There is room behind it, which is used. */
TEST_ALL_FRAMES(span_goes_on_after_race)
{
	struct buffer buffer;
	dma_addr_t dma;

	boot_fixed(variant, "2048,8", &racer);
	raced_for = buffer_alloc(100, 0, 0);
	buffer = buffer_alloc(2 * SZ_1M, 0, __GFP_HIGHMEM);
	race_cpu = 3;
	machine_other_cpu(take_one, 1);
	dma = map(&racer, &buffer, DMA_TO_DEVICE);
	EXPECT(dma != DMA_MAPPING_ERROR);
	EXPECT(machine_other_cpu_ran());
	EXPECT_EQ(slots_used(), 1025);
	unmap(&racer, raced, 100, DMA_TO_DEVICE);
	unmap(&racer, dma, buffer.size, DMA_TO_DEVICE);
	buffer_free(&buffer);
	buffer_free(&raced_for);
}

/* A mapping is so large that the lock is released in between. Another CPU is faster then. */
TEST(span_race_between_steps)
{
	struct buffer buffer;
	unsigned int lock;

	boot_fixed(FRAMES_NATIVE, "8192,4", &racer);
	raced_for = buffer_alloc(100, 0, 0);
	buffer = buffer_alloc(40 * IO_TLB_SET_BYTES, 0, __GFP_HIGHMEM);
	race_cpu = 2;
	for (lock = 1; lock <= 3; lock++) {
		machine_context("lock %u", lock);
		machine_other_cpu(take_one, lock);
		EXPECT(map(&racer, &buffer, DMA_TO_DEVICE) == DMA_MAPPING_ERROR);
		EXPECT(machine_other_cpu_ran());
		EXPECT_EQ(raced, mem->defpool->sets[32].maddr);
		EXPECT_EQ(slots_used(), 1);
		unmap(&racer, raced, 100, DMA_TO_DEVICE);
		contract_check_all_free(mem);
	}
	buffer_free(&buffer);
	buffer_free(&raced_for);
}

static struct buffer also_for;
static dma_addr_t also;
static unsigned int also_at;

static void map_also(void)
{
	also = map(&racer, &also_for, DMA_TO_DEVICE);
}

static void take_one_then_map_also(void)
{
	take_one();
	machine_other_thread(map_also, also_at);
}

static const char *const also_sizes[] = { "one_set", "several", NULL };

/*
 * A mapping of all of the pool fails, because a slot of the last set has just been taken.
 * A mapping that is made meanwhile, at any moment, gets slots that are free without it.
 */
TEST_VARIANTS(span_tried_in_vain, also_sizes)
{
	struct buffer buffer;

	boot_fixed(FRAMES_NATIVE, "512,4", &racer);
	raced_for = buffer_alloc(100, 0, 0);
	buffer = buffer_alloc(SZ_1M, 0, __GFP_HIGHMEM);
	also_for = buffer_alloc((variant ? 3 : 1) * IO_TLB_SET_BYTES, 0, __GFP_HIGHMEM);
	race_cpu = 3;
	for (also_at = 1; also_at <= 12; also_at++) {
		machine_context("lock %u", also_at);
		machine_other_cpu(take_one_then_map_also, 1);
		EXPECT(map(&racer, &buffer, DMA_TO_DEVICE) == DMA_MAPPING_ERROR);
		EXPECT(machine_other_cpu_ran());
		if (machine_join_other_thread()) {
			EXPECT(also != DMA_MAPPING_ERROR);
			unmap(&racer, also, also_for.size, DMA_TO_DEVICE);
		} else {
			EXPECT(also_at > 4);
		}
		unmap(&racer, raced, 100, DMA_TO_DEVICE);
		contract_check_all_free(mem);
	}
	buffer_free(&buffer);
	buffer_free(&raced_for);
	buffer_free(&also_for);
}

static dma_addr_t first_raced;

/*
 * Takes a slot of the place that the first mapping has found. Then maps too, and loses a
 * slot of its own place.
 */
static void lose_as_well(void)
{
	race_cpu = 1;
	take_one();
	first_raced = raced;
	race_cpu = 2;
	machine_other_cpu(take_one, 1);
	map_also();
	EXPECT(machine_other_cpu_ran());
}

/* Two mappings lose their places, one while the other tries. Both search anew and find room. */
TEST(span_two_lose)
{
	struct buffer buffer;
	dma_addr_t dma;

	boot_fixed(FRAMES_NATIVE, "2048,8", &racer);
	raced_for = buffer_alloc(100, 0, 0);
	buffer = buffer_alloc(5 * IO_TLB_SET_BYTES, 0, __GFP_HIGHMEM);
	also_for = buffer_alloc(5 * IO_TLB_SET_BYTES, 0, __GFP_HIGHMEM);
	machine_other_cpu(lose_as_well, 1);
	dma = map(&racer, &buffer, DMA_TO_DEVICE);
	EXPECT(machine_other_cpu_ran());
	EXPECT_EQ(mem->tries_in_vain, 2);
	EXPECT(also != DMA_MAPPING_ERROR);
	EXPECT(dma != DMA_MAPPING_ERROR);
	EXPECT_EQ(slots_used(), 2 * 640 + 2);
	contract_check_content(&racer, also_for.phys, also_for.size, also);
	contract_check_content(&racer, buffer.phys, buffer.size, dma);
	unmap(&racer, also, also_for.size, DMA_TO_DEVICE);
	unmap(&racer, dma, buffer.size, DMA_TO_DEVICE);
	unmap(&racer, raced, raced_for.size, DMA_TO_DEVICE);
	unmap(&racer, first_raced, raced_for.size, DMA_TO_DEVICE);
	contract_check_all_free(mem);
	buffer_free(&buffer);
	buffer_free(&also_for);
	buffer_free(&raced_for);
}

/* --- transient pools, growth, high memory --- */

/* A mapping that is larger than any run of the pool gets a transient pool. */
TEST(span_transient)
{
	struct buffer buffer;
	struct device dev;
	dma_addr_t dma;

	boot(FRAMES_NATIVE, "512,2");
	device_init(&dev, 32);
	buffer = buffer_alloc(SZ_1M + 5000, 100, __GFP_HIGHMEM);
	dma = map(&dev, &buffer, DMA_BIDIRECTIONAL);
	EXPECT(dma != DMA_MAPPING_ERROR);
	EXPECT(swiotlb_find_pool(&dev, dma_to_phys(&dev, dma))->transient);
	check_byte(&dev, &buffer, dma, 262144, 1, 2);
	check_write(&dev, &buffer, dma, DMA_BIDIRECTIONAL);
	machine_grace_period();
	EXPECT_EQ(machine_work(), 0);
	buffer_free(&buffer);
}

/* A pool is added that has room for mappings of several sets. */
TEST_ALL_FRAMES(span_grow)
{
	struct buffer buffer;
	struct device dev;
	dma_addr_t dma[2], extra;

	boot(variant, "1024,2");
	device_init(&dev, 32);
	buffer = buffer_alloc(SZ_1M, 0, __GFP_HIGHMEM);
	EXPECT((dma[0] = map(&dev, &buffer, DMA_TO_DEVICE)) != DMA_MAPPING_ERROR);
	EXPECT((dma[1] = map(&dev, &buffer, DMA_TO_DEVICE)) != DMA_MAPPING_ERROR);
	extra = map(&dev, &buffer, DMA_TO_DEVICE);
	if (extra != DMA_MAPPING_ERROR)
		unmap(&dev, extra, SZ_1M, DMA_TO_DEVICE);
	EXPECT_EQ(machine_work(), 1);
	EXPECT_EQ(mem->nslabs, 2048);
	extra = map(&dev, &buffer, DMA_TO_DEVICE);
	EXPECT(extra != DMA_MAPPING_ERROR);
	EXPECT(!swiotlb_find_pool(&dev, dma_to_phys(&dev, extra))->transient);
	/* The added pool may be freed, so it does not count. */
	EXPECT_EQ(swiotlb_max_mapping_size(&dev), 2 * SZ_1M / 128);
	unmap(&dev, extra, SZ_1M, DMA_TO_DEVICE);
	unmap(&dev, dma[1], SZ_1M, DMA_TO_DEVICE);
	unmap(&dev, dma[0], SZ_1M, DMA_TO_DEVICE);
	buffer_free(&buffer);
}

/* A mapping of several sets from high memory */
TEST(span_highmem)
{
	struct machine_config config = { .highmem = true, .param = "1024,2" };
	struct buffer buffer;
	struct device dev;
	dma_addr_t dma;

	machine_boot(&config);
	device_init(&dev, 32);
	buffer = buffer_alloc(600000, 777, __GFP_HIGHMEM);
	EXPECT(PageHighMem(pfn_to_page(PHYS_PFN(buffer.phys))));
	dma = map(&dev, &buffer, DMA_BIDIRECTIONAL);
	EXPECT(dma != DMA_MAPPING_ERROR);
	check_byte(&dev, &buffer, dma, 300000, 1, 5000);
	check_write(&dev, &buffer, dma, DMA_BIDIRECTIONAL);
	buffer_free(&buffer);
}
