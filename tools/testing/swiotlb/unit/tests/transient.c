// SPDX-License-Identifier: GPL-2.0
/*
 * Pools of a single mapping: many at a time, and where memory is encrypted.
 */
#include "test.h"

#define MANY	4000

static struct io_tlb_mem *const mem = &io_tlb_default_mem;

/* Elements of lists that a sync and an unmap of this mapping look at */
static unsigned long steps_of(struct device *dev, dma_addr_t dma, size_t size)
{
	machine_list_steps = 0;
	swiotlb_sync_single_for_cpu(dev, dma_to_phys(dev, dma), size, DMA_BIDIRECTIONAL);
	unmap(dev, dma, size, DMA_BIDIRECTIONAL);
	return machine_list_steps;
}

/* A device that the pool cannot serve: each mapping takes as long as the first did. */
TEST(transient_many)
{
	static const size_t sizes[] = { 100, 9000, 4096 };
	static dma_addr_t dma[MANY];
	struct device dev, other;
	struct buffer buffer[3];
	unsigned long steps, most = 0, pages, i;

	boot(FRAMES_NATIVE, "512");
	mem->defpool->bus_max = DMA_BIT_MASK(40);
	mem->defpool->sets[0].bus = mem->defpool->sets[1].bus = 1ULL << 40;
	mem->defpool->sets[2].bus = mem->defpool->sets[3].bus = 1ULL << 40;
	device_init(&dev, 32);
	device_init(&other, 32);
	for (i = 0; i < ARRAY_SIZE(sizes); i++)
		buffer[i] = buffer_alloc(sizes[i], i, __GFP_HIGHMEM);
	pages = machine_pages_in_use();
	for (i = 0; i < MANY; i++) {
		dma[i] = map(i % 2 ? &dev : &other, &buffer[i % 8 ? 0 : i / 8 % 3],
			     DMA_BIDIRECTIONAL);
		EXPECT(dma[i] != DMA_MAPPING_ERROR);
	}
	for (i = 0; i < MANY; i++) {
		steps = steps_of(i % 2 ? &dev : &other, dma[i],
				 buffer[i % 8 ? 0 : i / 8 % 3].size);
		most = max(most, steps);
	}
	machine_context("%lu elements at most", most);
	EXPECT(most < 64);
	EXPECT_EQ(slots_used(), 0);
	machine_grace_period();
	EXPECT_EQ(machine_pages_in_use(), pages);
	machine_work();
	for (i = 0; i < ARRAY_SIZE(sizes); i++)
		buffer_free(&buffer[i]);
}
