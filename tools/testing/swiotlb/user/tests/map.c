// SPDX-License-Identifier: GPL-2.0
/*
 * Mappings: what a driver asks for and what a device gets.
 */
#include "test.h"

static const size_t sizes[] = {
	1, 2, 511, 512, 2047, 2048, 2049, 4095, 4096, 4097, 6144, 65535, 65536,
	131072, 262143, 262144,
};

/* Every size around those of a slot, a page and a set, at several offsets */
TEST_ALL_FRAMES(map_sizes)
{
	static const size_t offsets[] = { 0, 1, 512, 2048, 4095 };
	unsigned int i, o, dir;
	struct buffer buffer;
	struct device dev;
	dma_addr_t dma;

	boot(variant, "1024");
	device_init(&dev, 32);
	for (i = 0; i < ARRAY_SIZE(sizes); i++) {
		for (o = 0; o < ARRAY_SIZE(offsets); o++) {
			buffer = buffer_alloc(sizes[i], offsets[o], __GFP_HIGHMEM);
			for (dir = DMA_BIDIRECTIONAL; dir <= DMA_FROM_DEVICE; dir++) {
				machine_context("%zu bytes at %zu, direction %u", sizes[i],
						offsets[o], dir);
				dma = map(&dev, &buffer, dir);
				EXPECT(dma != DMA_MAPPING_ERROR);
				EXPECT_EQ(slots_used(), DIV_ROUND_UP(sizes[i], IO_TLB_SIZE));
				unmap(&dev, dma, buffer.size, dir);
			}
			buffer_free(&buffer);
		}
	}
}

/* A mapping of too many bytes, or of none, is refused with one message and takes no slot. */
TEST_ALL_FRAMES(map_refused)
{
	struct buffer buffer;
	struct device dev;

	boot(variant, "1024");
	swiotlb_stop_growth();
	device_init(&dev, 32);
	buffer = buffer_alloc(2 * SZ_1M + 1, 0, __GFP_HIGHMEM);

	EXPECT(swiotlb_map(&dev, buffer.phys, 2097153, DMA_TO_DEVICE, 0) == DMA_MAPPING_ERROR);
	EXPECT(machine_said("swiotlb cannot map 2097153 bytes, at most 16384"));
	machine_forget_messages();
	EXPECT(swiotlb_map(&dev, buffer.phys, 0, DMA_TO_DEVICE, 0) == DMA_MAPPING_ERROR);
	EXPECT(machine_said("swiotlb cannot map 0 bytes"));
	machine_forget_messages();
	EXPECT(swiotlb_map(&dev, buffer.phys, SIZE_MAX, DMA_TO_DEVICE,
			   DMA_ATTR_NO_WARN) == DMA_MAPPING_ERROR);
	EXPECT(!machine_said("cannot map"));
	EXPECT_EQ(slots_used(), 0);
	buffer_free(&buffer);
}

/* A mapping of swiotlb_max_mapping_size() succeeds, whatever its offset. */
TEST_ALL_FRAMES(map_max_size)
{
	static const unsigned int masks[] = { 0, 0xff, 0x7ff, 0xfff, 0xffff };
	struct buffer buffer;
	struct device dev;
	unsigned int i;
	dma_addr_t dma;
	size_t most;

	boot(variant, "1024");
	device_init(&dev, 32);
	for (i = 0; i < ARRAY_SIZE(masks); i++) {
		dev.min_align_mask = masks[i];
		most = swiotlb_max_mapping_size(&dev);
		EXPECT(most >= PAGE_SIZE && most + ALIGN(masks[i], 2048) >= 2 * SZ_1M / 128);
		buffer = buffer_alloc(most, 0xfff, __GFP_HIGHMEM);
		dma = map(&dev, &buffer, DMA_BIDIRECTIONAL);
		EXPECT(dma != DMA_MAPPING_ERROR);
		unmap(&dev, dma, most, DMA_BIDIRECTIONAL);
		buffer_free(&buffer);
	}
}

/* If the pool is full, a message says how full. A slot that is freed can be mapped again. */
TEST_ALL_FRAMES(map_full)
{
	struct buffer buffer;
	dma_addr_t dma[512];
	struct device dev;
	unsigned int i;

	boot(variant, "512");
	swiotlb_stop_growth();
	device_init(&dev, 32);
	buffer = buffer_alloc(2048, 0, __GFP_HIGHMEM);
	for (i = 0; i < 512; i++) {
		dma[i] = map(&dev, &buffer, DMA_TO_DEVICE);
		EXPECT(dma[i] != DMA_MAPPING_ERROR);
	}
	EXPECT(map(&dev, &buffer, DMA_TO_DEVICE) == DMA_MAPPING_ERROR);
	EXPECT(machine_said("swiotlb buffer is full (sz: 2048 bytes), total 512 (slots), used 512 (slots)"));
	EXPECT(!machine_said("within reach"));
	machine_forget_messages();
	EXPECT(swiotlb_map(&dev, buffer.phys, 1, DMA_TO_DEVICE, DMA_ATTR_NO_WARN) ==
	       DMA_MAPPING_ERROR);
	EXPECT(!machine_said("full"));

	unmap(&dev, dma[300], 2048, DMA_TO_DEVICE);
	EXPECT_EQ(map(&dev, &buffer, DMA_TO_DEVICE), dma[300]);
	for (i = 0; i < 512; i++)
		unmap(&dev, dma[i], 2048, DMA_TO_DEVICE);
	buffer_free(&buffer);
}

/* Any pattern of free slots: a run of n is found if and only if there is one. */
TEST(map_finds_every_run)
{
	struct buffer one, run;
	dma_addr_t dma[128], found;
	struct device dev;
	unsigned int i, n, round, len, longest;
	bool used[129];
	u64 random = 5;

	boot(FRAMES_NATIVE, "512,1");
	swiotlb_stop_growth();
	device_init(&dev, 32);
	one = buffer_alloc(2048, 0, __GFP_HIGHMEM);
	run = buffer_alloc(262144, 0, __GFP_HIGHMEM);
	/* Leave only the last set. */
	for (i = 0; i < 3; i++)
		dma[i] = swiotlb_map(&dev, run.phys, 262144, DMA_TO_DEVICE, 0);
	for (round = 0; round < 300; round++) {
		for (i = 0; i < 128; i++) {
			dma[i] = swiotlb_map(&dev, one.phys, 2048, DMA_TO_DEVICE, 0);
			EXPECT(dma[i] != DMA_MAPPING_ERROR);
			used[i] = true;
		}
		for (i = 0; i < 128; i++) {
			if (machine_random(&random) % (2 + round % 7) == 0)
				continue;
			unmap(&dev, dma[i], 2048, DMA_TO_DEVICE);
			used[i] = false;
		}
		used[128] = true;
		for (longest = len = i = 0; i <= 128; i++) {
			len = used[i] ? 0 : len + 1;
			longest = max(longest, len);
		}
		dev.min_align_mask = 0x7ff;	/* no page alignment */
		/* First longer and longer, then shorter: a failed search hides no shorter run. */
		for (i = 1; i <= 256; i++) {
			n = i <= 128 ? i : 257 - i;
			found = swiotlb_map(&dev, run.phys, n * 2048, DMA_TO_DEVICE,
					    DMA_ATTR_NO_WARN);
			EXPECT_EQ(found != DMA_MAPPING_ERROR, n <= longest);
			if (found != DMA_MAPPING_ERROR)
				unmap(&dev, found, n * 2048, DMA_TO_DEVICE);
		}
		dev.min_align_mask = 0;
		for (i = 0; i < 128; i++)
			if (used[i])
				unmap(&dev, dma[i], 2048, DMA_TO_DEVICE);
	}
	for (i = 0; i < 3; i++)
		unmap(&dev, io_tlb_default_mem.defpool->start + i * 262144, 262144,
		      DMA_TO_DEVICE);
	buffer_free(&run);
	buffer_free(&one);
}

/* High memory has no address for the kernel: it is copied page by page, both ways. */
TEST(map_highmem)
{
	struct machine_config config = { .highmem = true, .param = "1024" };
	struct buffer buffer;
	struct device dev;
	u8 data[9000], seen[9000];
	u64 random = 9;
	dma_addr_t dma;
	unsigned int i;

	machine_boot(&config);
	device_init(&dev, 32);
	buffer = buffer_alloc(9000, 100, __GFP_HIGHMEM);
	EXPECT(PageHighMem(pfn_to_page(PHYS_PFN(buffer.phys))));
	dma = map(&dev, &buffer, DMA_BIDIRECTIONAL);
	for (i = 0; i < sizeof(data); i++)
		data[i] = machine_random(&random);
	EXPECT(machine_dma(&dev, dma, data, sizeof(data), true));
	unmap(&dev, dma, buffer.size, DMA_BIDIRECTIONAL);
	copy_out(seen, buffer.phys, sizeof(seen));
	EXPECT(!memcmp(seen, data, sizeof(data)));
	buffer_free(&buffer);
}

/* A device that is not coherent */
TEST(map_noncoherent)
{
	struct buffer buffer;
	struct device dev;
	dma_addr_t dma;

	boot(FRAMES_NATIVE, "512");
	device_init(&dev, 32);
	dev.dma_coherent = false;
	buffer = buffer_alloc(100, 0, __GFP_HIGHMEM);
	dma = map(&dev, &buffer, DMA_TO_DEVICE);
	EXPECT(dma != DMA_MAPPING_ERROR);
	/* The caches have been cleaned when the device is given the buffer. */
	EXPECT(!machine_flushing);
	unmap(&dev, dma, 100, DMA_TO_DEVICE);
	buffer_free(&buffer);
}

/* The first bounce marks the device. If memory is encrypted, there is a message. */
TEST(map_first_use)
{
	struct machine_config config = { .encrypted = true, .param = "1024" };
	struct buffer buffer;
	struct device dev;
	dma_addr_t dma;

	machine_boot(&config);
	device_init(&dev, 32);
	dev.dma_skip_sync = true;
	EXPECT(!swiotlb_used_by(&dev));
	EXPECT(!swiotlb_find_pool(&dev, io_tlb_default_mem.defpool->start));
	buffer = buffer_alloc(100, 0, __GFP_HIGHMEM);
	dma = map(&dev, &buffer, DMA_TO_DEVICE);
	EXPECT(machine_said("Memory encryption is active"));
	EXPECT(swiotlb_used_by(&dev));
	EXPECT(!dev.dma_skip_sync);
	EXPECT(swiotlb_find_pool(&dev, io_tlb_default_mem.defpool->start));
	unmap(&dev, dma, 100, DMA_TO_DEVICE);
	buffer_free(&buffer);
}

/* Without a pool a mapping fails with one message. All other functions work. */
TEST(map_without_pool)
{
	struct machine_config config = { .no_pool = true };
	struct buffer buffer;
	struct device dev;

	machine_boot(&config);
	device_init(&dev, 32);
	buffer = buffer_alloc(100, 0, __GFP_HIGHMEM);
	EXPECT(swiotlb_map(&dev, buffer.phys, 100, DMA_TO_DEVICE, 0) == DMA_MAPPING_ERROR);
	EXPECT(machine_said("no swiotlb was set up at boot"));
	EXPECT(!is_swiotlb_active(&dev));
	EXPECT(!is_swiotlb_allocated());
	EXPECT(!is_swiotlb_force_bounce(&dev));
	EXPECT_EQ(default_swiotlb_base(), 0);
	/* Without bounce buffers a device has to reach all memory. */
	EXPECT_EQ(default_swiotlb_limit(), MACHINE_HIGH_START + MACHINE_HIGH_SIZE - 1);
	EXPECT(!swiotlb_supports(&dev, DMA_BIT_MASK(64)));
	dev.dma_io_tlb_mem = NULL;
	EXPECT(swiotlb_map(&dev, buffer.phys, 100, DMA_TO_DEVICE, 0) == DMA_MAPPING_ERROR);
	EXPECT(!is_swiotlb_active(&dev));
	EXPECT(!is_swiotlb_force_bounce(&dev));
	EXPECT(!swiotlb_find_pool(&dev, buffer.phys));
	buffer_free(&buffer);
}
