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
