// SPDX-License-Identifier: GPL-2.0
/*
 * Where mappings are: alignment, boundary, reach, and that no two overlap.
 */
#include "test.h"

static const unsigned int keep_masks[] = { 0, 0x1ff, 0x7ff, 0xfff, 0x1fff, 0xffff };

/* Map with an alignment of the allocation, check all about the mapping, and unmap. */
static void check_alignment(struct device *dev, phys_addr_t phys, size_t size, unsigned int align)
{
	phys_addr_t tlb;
	dma_addr_t dma;

	machine_context("min_align_mask %#x, alloc_align_mask %#x, %#llx+%#zx",
			dev->min_align_mask, align, phys, size);
	tlb = swiotlb_tbl_map_single(dev, phys, size, align, DMA_TO_DEVICE, TBL_ATTRS(0));
	EXPECT(tlb != (phys_addr_t)DMA_MAPPING_ERROR);
	dma = phys_to_dma_unencrypted(dev, tlb);
	contract_check(dev, phys, size, align, dma);
	contract_check_content(dev, phys, size, dma);
	/* An IOMMU maps whole granules. They belong to this mapping only. */
	EXPECT(slots_used() * IO_TLB_SIZE >=
	       ALIGN(size + (phys & dev->min_align_mask & align), align + 1));
	swiotlb_tbl_unmap_single(dev, tlb, size, DMA_TO_DEVICE, 0);
	EXPECT_EQ(slots_used(), 0);
}

static void check_alignments(struct device *dev)
{
	static const unsigned int align[] = { 0, 0x1ff, 0x7ff, 0xfff, 0x3fff, 0xffff };
	static const size_t offsets[] = { 0, 0x200, 0x7ff, 0x800, 0xfff, 0x1800, 0x7654 };
	static const size_t sizes[] = { 1, 512, 2049, 4096, 20000, 65536 };
	struct buffer buffer = buffer_alloc(SZ_1M, 0, __GFP_HIGHMEM);
	unsigned int k, a, o, s;

	for (k = 0; k < ARRAY_SIZE(keep_masks); k++)
		for (a = 0; a < ARRAY_SIZE(align); a++)
			for (o = 0; o < ARRAY_SIZE(offsets); o++)
				for (s = 0; s < ARRAY_SIZE(sizes); s++) {
					dev->min_align_mask = keep_masks[k];
					check_alignment(dev, buffer.phys + offsets[o], sizes[s],
							align[a]);
				}
	buffer_free(&buffer);
}

/*
 * All combinations of min_align_mask, alignment of the allocation and offset of the
 * buffer. Each of six releases of the base kernel between 2021 and 2024 had
 * one of them wrong.
 */
TEST_ALL_FRAMES(place_alignment)
{
	struct device dev;

	boot(variant, "2048");
	device_init(&dev, 32);
	check_alignments(&dev);
}

/* All address bits within a set are preserved, so each set has one place for the mapping. */
TEST_ALL_FRAMES(place_alignment_coarse)
{
	struct buffer buffer;
	struct device dev;

	boot(variant, "512");
	device_init(&dev, 32);
	dev.min_align_mask = 0x3ffff;
	buffer = buffer_alloc(SZ_1M, 0, __GFP_HIGHMEM);
	check_alignment(&dev, buffer.phys + 0x1c321, 20000, 0);
	check_alignment(&dev, buffer.phys + 0x2c321, 20000, 0);
	buffer_free(&buffer);
}

/* The start of the pool and the offset of the device are not multiples of a set. */
static void boot_askew(struct device *dev, struct bus_dma_region *range)
{
	struct machine_config config = { };

	machine_power_on(&config);
	memblock_alloc_low(5 * PAGE_SIZE, PAGE_SIZE);
	EXPECT(swiotlb_init_buffer(memblock_alloc_low(4 * SZ_1M, PAGE_SIZE), 4 * SZ_1M, 0, NULL));
	swiotlb_stop_growth();
	EXPECT(io_tlb_default_mem.defpool->start % IO_TLB_SET_BYTES);
	*range = (struct bus_dma_region){ 0, 0x70027000, U32_MAX };
	device_init(dev, 32);
	dev->dma_range_map = range;
}

TEST(place_alignment_askew)
{
	struct bus_dma_region ranges[2] = { };
	struct device dev;

	boot_askew(&dev, ranges);
	/* For an IOMMU the machine address is aligned. */
	dev.dma_range_map = NULL;
	check_alignments(&dev);
}

/* Segment boundaries within sets that do not start at a boundary */
TEST(place_boundary_askew)
{
	static const unsigned long boundaries[] = { 0xffff, 0x1ffff, 0x3ffff, 0x7ffff };
	struct bus_dma_region ranges[2] = { };
	struct buffer buffer;
	dma_addr_t dma[512];
	struct device dev;
	unsigned int b, nr;

	boot_askew(&dev, ranges);
	buffer = buffer_alloc(28000, 0, __GFP_HIGHMEM);
	for (b = 0; b < ARRAY_SIZE(boundaries); b++) {
		dev.segment_boundary = boundaries[b];
		for (nr = 0; nr < 512; nr++) {
			dma[nr] = map(&dev, &buffer, DMA_TO_DEVICE);
			if (dma[nr] == DMA_MAPPING_ERROR)
				break;
		}
		EXPECT(nr >= 16 * 8);
		while (nr--)
			unmap(&dev, dma[nr], buffer.size, DMA_TO_DEVICE);
	}
	buffer_free(&buffer);
}

/* With padding and alignment, a mapping may take more than a set, but not more than all. */
TEST(place_too_much_padding)
{
	struct buffer buffer;
	struct device dev;
	phys_addr_t tlb;

	boot(FRAMES_NATIVE, "512");
	device_init(&dev, 32);
	buffer = buffer_alloc(262144, 0x400, __GFP_HIGHMEM);
	tlb = swiotlb_tbl_map_single(&dev, buffer.phys, 200000, 0x3ffff, DMA_TO_DEVICE, TBL_ATTRS(0));
	EXPECT(tlb != (phys_addr_t)DMA_MAPPING_ERROR);
	EXPECT_EQ(slots_used(), 128);
	swiotlb_tbl_unmap_single(&dev, tlb, 200000, DMA_TO_DEVICE, 0);
	check_alignment(&dev, buffer.phys, 200000, 0x7ffff);

	dev.min_align_mask = 0xfff;
	check_alignment(&dev, buffer.phys, 262144, 0);

	swiotlb_stop_growth();
	EXPECT_EQ(swiotlb_tbl_map_single(&dev, buffer.phys, 200000, 0x1fffff, DMA_TO_DEVICE, TBL_ATTRS(0)),
		  (phys_addr_t)DMA_MAPPING_ERROR);
	EXPECT(machine_said("swiotlb buffer is full (sz: 200000 bytes)"));
	EXPECT_EQ(slots_used(), 0);
	buffer_free(&buffer);
}

/* Random mappings of all kinds of devices at once: none overlaps another. */
TEST_ALL_FRAMES(place_no_overlap)
{
	enum { N = 120 };
	static const unsigned long boundaries[] = { U32_MAX, 0xffff, 0x1ffff, 0xfff, ULONG_MAX };
	static const unsigned int keep[] = { 0, 0, 0x1ff, 0xfff, 0x3fff };
	struct {
		size_t size;
		dma_addr_t dma;
	} maps[N] = { };
	unsigned int step, i, j;
	struct buffer buffer;
	struct device dev;
	u64 random = 11;
	size_t most;

	boot(variant, "4096,8");
	device_init(&dev, 32);
	buffer = buffer_alloc(SZ_64K * 4, 0, __GFP_HIGHMEM);
	for (step = 0; step < 4000; step++) {
		i = machine_random(&random) % N;
		machine_set_cpu(machine_random(&random) % 8);
		if (maps[i].size) {
			unmap(&dev, maps[i].dma, maps[i].size, DMA_TO_DEVICE);
			maps[i].size = 0;
			continue;
		}
		dev.segment_boundary = boundaries[machine_random(&random) % 5];
		dev.min_align_mask = keep[machine_random(&random) % 5];
		most = min(dev.segment_boundary, 0x7fffUL) / 2;
		buffer.size = 1 + machine_random(&random) % most;
		maps[i].dma = swiotlb_map(&dev, buffer.phys, buffer.size, DMA_TO_DEVICE,
					  DMA_ATTR_NO_WARN);
		if (maps[i].dma == DMA_MAPPING_ERROR)
			continue;
		maps[i].size = buffer.size;
		contract_check(&dev, buffer.phys, buffer.size, 0, maps[i].dma);
		for (j = 0; j < N; j++)
			if (j != i && maps[j].size &&
			    maps[i].dma < maps[j].dma + maps[j].size &&
			    maps[j].dma < maps[i].dma + maps[i].size)
				machine_fail("two mappings overlap at %#llx", maps[i].dma);
	}
	for (i = 0; i < N; i++)
		if (maps[i].size)
			unmap(&dev, maps[i].dma, maps[i].size, DMA_TO_DEVICE);
	buffer.size = SZ_64K * 4;
	buffer_free(&buffer);
}

/* A device that reaches only a part of the pool gets that part, and no more. */
TEST_ALL_FRAMES(place_limit)
{
	struct buffer buffer;
	dma_addr_t dma[2048];
	struct device dev;
	unsigned int nr, i;
	u64 mask;

	boot(variant, "2048");
	swiotlb_stop_growth();
	device_init(&dev, 32);
	buffer = buffer_alloc(2048, 0, __GFP_HIGHMEM);
	/* The limit is in the middle of a set, unlike that of a mask of whole bits. */
	mask = machine_to_dma(&dev, io_tlb_default_mem.defpool->sets[7].maddr, true) + 77 * 2048 + 5;
	*dev.dma_mask = mask;
	for (nr = 0; nr < 2048; nr++) {
		dma[nr] = map(&dev, &buffer, DMA_TO_DEVICE);
		if (dma[nr] == DMA_MAPPING_ERROR)
			break;
	}
	EXPECT(nr >= 77 && nr < 2048);
	EXPECT(machine_said("not all within reach"));

	/* The limit of the bus counts too. */
	*dev.dma_mask = DMA_BIT_MASK(64);
	dev.bus_dma_limit = mask;
	EXPECT(map(&dev, &buffer, DMA_TO_DEVICE) == DMA_MAPPING_ERROR);
	dev.bus_dma_limit = 0;
	EXPECT((dma[nr] = map(&dev, &buffer, DMA_TO_DEVICE)) != DMA_MAPPING_ERROR);
	for (i = 0; i <= nr; i++)
		unmap(&dev, dma[i], 2048, DMA_TO_DEVICE);
	buffer_free(&buffer);
}

/* Segment boundaries down to a page: mappings fill the space between and cross none. */
TEST_ALL_FRAMES(place_boundary)
{
	static const unsigned long boundaries[] = { 0xfff, 0x1fff, 0xffff, 0x3ffff, 0xfffff };
	struct buffer buffer;
	dma_addr_t dma[1024];
	struct device dev;
	unsigned int b, nr, i;

	boot(variant, "1024");
	swiotlb_stop_growth();
	device_init(&dev, 32);
	for (b = 0; b < ARRAY_SIZE(boundaries); b++) {
		dev.segment_boundary = boundaries[b];
		/* Three slots: one of four is lost between boundaries of 8 KiB. */
		dev.min_align_mask = 0x7ff;
		buffer = buffer_alloc(min(6144UL, boundaries[b] + 1), 0, __GFP_HIGHMEM);
		for (nr = 0; nr < 1024; nr++) {
			dma[nr] = map(&dev, &buffer, DMA_TO_DEVICE);
			if (dma[nr] == DMA_MAPPING_ERROR)
				break;
		}
		machine_context("boundary %#lx: %u mappings", boundaries[b], nr);
		EXPECT(nr >= (boundaries[b] < 0x2000 ? 256 : 1024 / 3 - 48));
		for (i = 0; i < nr; i++)
			unmap(&dev, dma[i], buffer.size, DMA_TO_DEVICE);
		buffer_free(&buffer);
	}
	/* A mapping that does not fit between two boundaries is refused. */
	dev.segment_boundary = 0xfff;
	buffer = buffer_alloc(8192, 0, __GFP_HIGHMEM);
	EXPECT(map(&dev, &buffer, DMA_TO_DEVICE) == DMA_MAPPING_ERROR);
	buffer_free(&buffer);
}

/* It is refused in a large area too, where one search looks at a few sets only. */
TEST(place_boundary_too_narrow)
{
	struct buffer buffer;
	struct device dev;

	boot(FRAMES_NATIVE, "8192,1");
	device_init(&dev, 32);
	dev.segment_boundary = 0xfff;
	buffer = buffer_alloc(8192, 0, __GFP_HIGHMEM);
	EXPECT(map(&dev, &buffer, DMA_TO_DEVICE) == DMA_MAPPING_ERROR);
	EXPECT_EQ(slots_used(), 0);
	EXPECT_EQ(machine_work(), 0);
	dev.segment_boundary = 0x1fff;
	unmap(&dev, map(&dev, &buffer, DMA_TO_DEVICE), buffer.size, DMA_TO_DEVICE);
	buffer_free(&buffer);
}

/* The lowest slots that fit are taken: they are the ones in the cache. */
TEST(place_lowest)
{
	struct buffer buffer;
	struct device dev;
	dma_addr_t dma[8];
	unsigned int i;

	boot(FRAMES_NATIVE, "512,1");
	device_init(&dev, 32);
	buffer = buffer_alloc(2048, 0, __GFP_HIGHMEM);
	for (i = 0; i < 8; i++)
		dma[i] = map(&dev, &buffer, DMA_TO_DEVICE);
	for (i = 0; i < 8; i++)
		EXPECT_EQ(dma[i], io_tlb_default_mem.defpool->start + i * 2048);
	unmap(&dev, dma[5], 2048, DMA_TO_DEVICE);
	unmap(&dev, dma[2], 2048, DMA_TO_DEVICE);
	EXPECT_EQ(map(&dev, &buffer, DMA_TO_DEVICE), dma[2]);
	EXPECT_EQ(map(&dev, &buffer, DMA_TO_DEVICE), dma[5]);
	for (i = 0; i < 8; i++)
		unmap(&dev, dma[i], 2048, DMA_TO_DEVICE);
	buffer_free(&buffer);
}

/* An area of two windows is full. A set that is freed in any of them is found. */
TEST(place_windows)
{
	const size_t bytes = 80 * IO_TLB_SET_BYTES;
	static const unsigned int freed[] = { 70, 3, 64, 79, 63 };
	struct machine_config config = { };
	static dma_addr_t dma[80];
	struct io_tlb_area *area;
	struct buffer buffer;
	struct device dev;
	unsigned int i;

	machine_power_on(&config);
	EXPECT(swiotlb_init_buffer(memblock_alloc_low(bytes, PAGE_SIZE), bytes, 0, NULL));
	swiotlb_stop_growth();
	area = io_tlb_default_mem.defpool->areas;
	EXPECT_EQ(area->nr_sets, IO_TLB_WINDOW_SETS + 16);
	device_init(&dev, 32);
	buffer = buffer_alloc(IO_TLB_SEGSIZE * IO_TLB_SIZE, 0, 0);
	for (i = 0; i < ARRAY_SIZE(dma); i++)
		dma[i] = map(&dev, &buffer, DMA_TO_DEVICE);
	for (i = 0; i < ARRAY_SIZE(freed); i++) {
		EXPECT(map(&dev, &buffer, DMA_TO_DEVICE) == DMA_MAPPING_ERROR);
		EXPECT(area->windows[0] < 127 && area->windows[1] < 127);
		unmap(&dev, dma[freed[i]], buffer.size, DMA_TO_DEVICE);
		EXPECT_EQ(map(&dev, &buffer, DMA_TO_DEVICE), dma[freed[i]]);
	}
	for (i = 0; i < ARRAY_SIZE(dma); i++)
		unmap(&dev, dma[i], buffer.size, DMA_TO_DEVICE);
	buffer_free(&buffer);
}

static struct device half_seen_by;
static dma_addr_t half_seen[4096];

static void free_the_first(void)
{
	unmap(&half_seen_by, half_seen[0], IO_TLB_SIZE, DMA_TO_DEVICE);
}

/*
 * In half of the sets every other slot is free, so a search for two slots looks into each
 * of them. While it does not hold the lock, two slots become free where it has looked.
 */
TEST(place_window_half_seen)
{
	struct buffer one, two;
	dma_addr_t dma;
	unsigned int i;

	boot(FRAMES_NATIVE, "4096,1");
	swiotlb_stop_growth();
	device_init(&half_seen_by, 32);
	one = buffer_alloc(IO_TLB_SIZE, 0, 0);
	two = buffer_alloc(2 * IO_TLB_SIZE, 0, 0);
	for (i = 0; i < ARRAY_SIZE(half_seen); i++)
		half_seen[i] = map(&half_seen_by, &one, DMA_TO_DEVICE);
	EXPECT(map(&half_seen_by, &one, DMA_TO_DEVICE) == DMA_MAPPING_ERROR);
	for (i = 1; i < 2048; i += 2)
		unmap(&half_seen_by, half_seen[i], one.size, DMA_TO_DEVICE);
	machine_other_cpu(free_the_first, 2);
	dma = map(&half_seen_by, &two, DMA_TO_DEVICE);
	EXPECT(machine_other_cpu_ran());
	EXPECT_EQ(dma, half_seen[0]);
	unmap(&half_seen_by, dma, two.size, DMA_TO_DEVICE);
	for (i = 2; i < ARRAY_SIZE(half_seen); i += i < 2048 ? 2 : 1)
		unmap(&half_seen_by, half_seen[i], one.size, DMA_TO_DEVICE);
	buffer_free(&one);
	buffer_free(&two);
}

/*
 * The only run of free slots has @free slots. A search for a longer one fails, and must
 * not hide it.
 */
static void check_last_run(unsigned int free)
{
	struct buffer set = buffer_alloc(IO_TLB_SEGSIZE * IO_TLB_SIZE, 0, 0);
	struct buffer rest = buffer_alloc((IO_TLB_SEGSIZE - free) * IO_TLB_SIZE, 0, 0);
	struct buffer more = buffer_alloc((free + 1) * IO_TLB_SIZE, 0, 0);
	struct buffer run = buffer_alloc(free * IO_TLB_SIZE, 0, 0);
	dma_addr_t dma[4], found;
	struct device dev;
	unsigned int i;

	machine_context("a run of %u slots", free);
	device_init(&dev, 32);
	for (i = 0; i < 3; i++)
		dma[i] = map(&dev, &set, DMA_TO_DEVICE);
	dma[3] = map(&dev, &rest, DMA_TO_DEVICE);

	EXPECT(map(&dev, &more, DMA_TO_DEVICE) == DMA_MAPPING_ERROR);
	found = map(&dev, &run, DMA_TO_DEVICE);
	EXPECT(found != DMA_MAPPING_ERROR);

	unmap(&dev, found, run.size, DMA_TO_DEVICE);
	unmap(&dev, dma[3], rest.size, DMA_TO_DEVICE);
	for (i = 0; i < 3; i++)
		unmap(&dev, dma[i], set.size, DMA_TO_DEVICE);
	buffer_free(&run);
	buffer_free(&more);
	buffer_free(&rest);
	buffer_free(&set);
}

TEST(place_last_run)
{
	struct machine_config config = { .param = "512" };
	unsigned int free;

	machine_boot(&config);
	swiotlb_stop_growth();
	/* An odd run would start in the middle of a page, where no mapping starts. */
	for (free = 2; free < IO_TLB_SEGSIZE; free += 2)
		check_last_run(free);
}

/* Each CPU searches an area of its own first, and the others before it fails. */
TEST(place_areas)
{
	struct machine_config config = { .cpus = 4, .param = "1024" };
	struct io_tlb_pool *pool;
	struct buffer buffer, small;
	dma_addr_t dma[9];
	struct device dev;
	unsigned int i;

	machine_boot(&config);
	swiotlb_stop_growth();
	pool = io_tlb_default_mem.defpool;
	EXPECT_EQ(pool->nareas, 4);
	EXPECT_EQ(pool->areas[0].nr_sets, 2);
	device_init(&dev, 32);
	buffer = buffer_alloc(262144, 0, __GFP_HIGHMEM);
	small = buffer_alloc(100, 0, __GFP_HIGHMEM);
	for (i = 0; i < 4; i++) {
		machine_set_cpu(i);
		dma[i] = map(&dev, &buffer, DMA_TO_DEVICE);
		EXPECT_EQ(dma[i], pool->start + i * 2 * 262144);
	}
	machine_set_cpu(2);
	for (i = 4; i < 8; i++) {
		dma[i] = map(&dev, &buffer, DMA_TO_DEVICE);
		EXPECT_EQ(dma[i], pool->start + ((i - 4 + 2) % 4 * 2 + 1) * 262144);
	}
	EXPECT(map(&dev, &small, DMA_TO_DEVICE) == DMA_MAPPING_ERROR);
	machine_set_cpu(0);
	for (i = 0; i < 8; i++)
		unmap(&dev, dma[i], 262144, DMA_TO_DEVICE);
	buffer_free(&small);
	buffer_free(&buffer);
}

/* DMA ranges with offsets, whose borders are not those of slot sets */
TEST(place_dma_range)
{
	struct bus_dma_region ranges[3] = { };
	struct buffer buffer;
	struct device dev;
	phys_addr_t start;
	dma_addr_t dma, next;

	boot(FRAMES_NATIVE, "512,1");
	swiotlb_stop_growth();
	device_init(&dev, 64);
	start = io_tlb_default_mem.defpool->start;
	ranges[0] = (struct bus_dma_region){ start, 0x40000000, 0x1800 };
	ranges[1] = (struct bus_dma_region){ start + 0x1800, 0x80000000, 0x100000 - 0x1800 };
	dev.dma_range_map = ranges;
	dev.min_align_mask = 0x7ff;

	buffer = buffer_alloc(0x1000, 0, __GFP_HIGHMEM);
	dma = map(&dev, &buffer, DMA_TO_DEVICE);
	EXPECT_EQ(dma, 0x40000000);
	/* The rest of the first range is too small, and no mapping lies in two ranges. */
	next = map(&dev, &buffer, DMA_TO_DEVICE);
	EXPECT_EQ(next, 0x80000000 + 0x40000 - 0x1800);
	unmap(&dev, next, buffer.size, DMA_TO_DEVICE);
	unmap(&dev, dma, buffer.size, DMA_TO_DEVICE);

	/* Now the second range is too small, too. */
	ranges[1].size = 0x800;
	EXPECT_EQ(map(&dev, &buffer, DMA_TO_DEVICE), dma);
	EXPECT(map(&dev, &buffer, DMA_TO_DEVICE) == DMA_MAPPING_ERROR);
	unmap(&dev, dma, buffer.size, DMA_TO_DEVICE);
	buffer_free(&buffer);
}

/*
 * A device behind an IOMMU may have ranges too. They say nothing about the memory that the
 * IOMMU maps for it.
 */
TEST(place_dma_range_behind_iommu)
{
	struct bus_dma_region ranges[2] = { { 0, 0, SZ_1M } };
	struct bus_dma_region shifted[2] = { { 0, 0x1000, 1ULL << 33 } };
	struct buffer buffer;
	struct device dev;
	phys_addr_t tlb;

	boot(FRAMES_NATIVE, "512,1");
	swiotlb_stop_growth();
	device_init(&dev, 64);
	dev.dma_range_map = ranges;
	buffer = buffer_alloc(5000, 0x800, __GFP_HIGHMEM);
	EXPECT(map(&dev, &buffer, DMA_TO_DEVICE) == DMA_MAPPING_ERROR);
	tlb = swiotlb_tbl_map_single(&dev, buffer.phys, buffer.size, 0xfff, DMA_TO_DEVICE, TBL_ATTRS(0));
	EXPECT(tlb != (phys_addr_t)DMA_MAPPING_ERROR);
	EXPECT_EQ(tlb & 0xfff, 0);
	swiotlb_tbl_unmap_single(&dev, tlb, buffer.size, DMA_TO_DEVICE, 0);

	/* Nor do ranges shift addresses there: the machine address keeps the bits. */
	dev.dma_range_map = shifted;
	dev.min_align_mask = 0x1fff;
	tlb = swiotlb_tbl_map_single(&dev, buffer.phys, buffer.size, 0, DMA_TO_DEVICE, TBL_ATTRS(0));
	EXPECT_EQ(tlb & 0x1fff, buffer.phys & 0x1fff);
	swiotlb_tbl_unmap_single(&dev, tlb, buffer.size, DMA_TO_DEVICE, 0);
	buffer_free(&buffer);
}
