// SPDX-License-Identifier: GPL-2.0
/*
 * Mappings: what a driver asks for and what a device gets.
 */
#include "test.h"

/* Every size around the sizes of a slot, a page and a set, at several offsets */
TEST_ALL_FRAMES(map_sizes)
{
	static const size_t sizes[] = {
		1, 2, 511, 512, 2047, 2048, 2049, 4095, 4096, 4097, 6144, 65535, 65536,
		131072, 262143, 262144,
	};
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
