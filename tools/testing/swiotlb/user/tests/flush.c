// SPDX-License-Identifier: GPL-2.0
/*
 * Cache maintenance that is done in batches, and ends later
 */
#include "test.h"

static struct device device;

static const enum dma_data_direction dirs[] = { DMA_FROM_DEVICE, DMA_BIDIRECTIONAL };

/* The caches have been invalidated when the CPU reads what the device wrote. */
TEST(flush_before_copy)
{
	struct buffer buffer;
	dma_addr_t dma;
	unsigned int i;

	boot(FRAMES_NATIVE, "512");
	device_init(&device, 64);
	device.dma_coherent = false;
	buffer = buffer_alloc(5000, 0, __GFP_HIGHMEM);
	for (i = 0; i < ARRAY_SIZE(dirs); i++) {
		dma = map(&device, &buffer, dirs[i]);
		machine_flushing = true;
		swiotlb_sync_single_for_cpu(&device, dma_to_phys(&device, dma), buffer.size,
					    dirs[i]);
		EXPECT(!machine_flushing);
		machine_flushing = true;
		unmap(&device, dma, buffer.size, dirs[i]);
		EXPECT(!machine_flushing);
	}
	buffer_free(&buffer);
}
