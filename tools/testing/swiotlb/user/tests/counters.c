// SPDX-License-Identifier: GPL-2.0
/*
 * The counters in debugfs: how many slots are in use, and the most that ever were.
 */
#include "test.h"

/* The mark is never too low, and too high by no more than documented, whatever the areas. */
TEST_ALL_FRAMES(counters_hiwater)
{
	struct machine_config config = { .frames = variant, .cpus = 4, .param = "1024" };
	unsigned int i, step, used = 0, high = 0;
	struct buffer buffer;
	size_t size[64] = { };
	dma_addr_t dma[64];
	struct device dev;
	u64 random = 23;

	machine_boot(&config);
	device_init(&dev, 32);
	buffer = buffer_alloc(20000, 0, __GFP_HIGHMEM);
	EXPECT_EQ(counter("io_tlb_nslabs"), 1024);
	for (step = 0; step < 3000; step++) {
		machine_set_cpu(machine_random(&random) % 4);
		i = machine_random(&random) % 64;
		if (size[i]) {
			used -= DIV_ROUND_UP(size[i], IO_TLB_SIZE);
			unmap(&dev, dma[i], size[i], DMA_TO_DEVICE);
			size[i] = 0;
		} else {
			size[i] = 1 + machine_random(&random) % 20000;
			dma[i] = swiotlb_map(&dev, buffer.phys, size[i], DMA_TO_DEVICE, 0);
			EXPECT(dma[i] != DMA_MAPPING_ERROR);
			used += DIV_ROUND_UP(size[i], IO_TLB_SIZE);
		}
		high = max(high, used);
		EXPECT_EQ(counter("io_tlb_used"), used);
		expect_hiwater(high);
		if (step % 500 == 499) {
			EXPECT_EQ(machine_write_counter("swiotlb", "io_tlb_used_hiwater", 0), 0);
			high = used;
		}
	}
	EXPECT_EQ(machine_write_counter("swiotlb", "io_tlb_used_hiwater", 1), -EINVAL);
	for (i = 0; i < 64; i++)
		if (size[i])
			unmap(&dev, dma[i], size[i], DMA_TO_DEVICE);
	buffer_free(&buffer);
}

/* Slots of transient pools count while the pool exists, and in the high-water mark. */
TEST(counters_transient)
{
	dma_addr_t dma[4], extra[3];
	struct buffer set, buffer;
	struct device dev;
	unsigned int i;

	boot(FRAMES_NATIVE, "512");
	device_init(&dev, 32);
	set = buffer_alloc(262144, 0, __GFP_HIGHMEM);
	buffer = buffer_alloc(4096, 0, __GFP_HIGHMEM);
	for (i = 0; i < 4; i++)
		dma[i] = map(&dev, &set, DMA_TO_DEVICE);
	for (i = 0; i < 3; i++)
		extra[i] = map(&dev, &buffer, DMA_TO_DEVICE);
	EXPECT_EQ(counter("io_tlb_used"), 518);
	expect_hiwater(518);
	for (i = 0; i < 3; i++)
		unmap(&dev, extra[i], 4096, DMA_TO_DEVICE);
	unmap(&dev, dma[0], 262144, DMA_TO_DEVICE);
	EXPECT_EQ(counter("io_tlb_used"), 384);
	expect_hiwater(518);

	/* Use fewer slots than before: the mark remains. */
	dma[0] = map(&dev, &set, DMA_TO_DEVICE);
	extra[0] = map(&dev, &buffer, DMA_TO_DEVICE);
	expect_hiwater(518);
	EXPECT_EQ(machine_write_counter("swiotlb", "io_tlb_used_hiwater", 0), 0);
	EXPECT_EQ(counter("io_tlb_used_hiwater"), 514);
	unmap(&dev, extra[0], 4096, DMA_TO_DEVICE);
	EXPECT_EQ(counter("io_tlb_transient_nslabs"), 0);
	for (i = 0; i < 4; i++)
		unmap(&dev, dma[i], 262144, DMA_TO_DEVICE);
	buffer_free(&buffer);
	buffer_free(&set);
}

/*
 * One CPU after the other maps in its area, and unmaps: the mark does not add up the slots
 * of different CPUs. Nor does it for small mappings.
 */
TEST(counters_wandering)
{
	struct machine_config config = { .cpus = 16, .param = "8192,16" };
	dma_addr_t dma[256];
	struct buffer buffer;
	struct device dev;
	unsigned int cpu, i;

	machine_boot(&config);
	device_init(&dev, 32);
	buffer = buffer_alloc(2048, 0, __GFP_HIGHMEM);
	for (cpu = 0; cpu < 16; cpu++) {
		machine_set_cpu(cpu);
		for (i = 0; i < 256; i++)
			dma[i] = map(&dev, &buffer, DMA_TO_DEVICE);
		for (i = 0; i < 256; i++)
			unmap(&dev, dma[i], 2048, DMA_TO_DEVICE);
	}
	expect_hiwater(256);
	EXPECT_EQ(machine_write_counter("swiotlb", "io_tlb_used_hiwater", 0), 0);
	EXPECT_EQ(counter("io_tlb_used_hiwater"), 0);

	for (cpu = 0; cpu < 16; cpu++) {
		machine_set_cpu(cpu);
		unmap(&dev, map(&dev, &buffer, DMA_TO_DEVICE), 2048, DMA_TO_DEVICE);
	}
	expect_hiwater(1);
	EXPECT(counter("io_tlb_used_hiwater") <= 16);
	machine_set_cpu(0);
	buffer_free(&buffer);
}

/* Without a pool all counters are zero. */
TEST(counters_without_pool)
{
	struct machine_config config = { .no_pool = true };

	machine_boot(&config);
	EXPECT_EQ(counter("io_tlb_nslabs"), 0);
	EXPECT_EQ(counter("io_tlb_used"), 0);
	EXPECT_EQ(machine_write_counter("swiotlb", "io_tlb_used_hiwater", 0), 0);
	EXPECT_EQ(counter("io_tlb_used_hiwater"), 0);
	EXPECT_EQ(slots_used(), 0);
}
