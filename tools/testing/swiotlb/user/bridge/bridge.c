// SPDX-License-Identifier: GPL-2.0
/*
 * Devices behind a bridge that only the architecture's phys_to_dma() knows of: their
 * DMA addresses are not machine addresses, and nothing in struct device says so. This is
 * so for all devices of powerpc and MIPS.
 */
#include "../tests/test.h"

#define OFFSET	((u64)1 << 40)

static struct io_tlb_mem *const mem = &io_tlb_default_mem;

/* A machine whose pool is the only one, and a device that sees it elsewhere */
static void boot_fixed(const char *param, struct device *dev, unsigned int mask_bits, u64 offset)
{
	boot(FRAMES_NATIVE, param);
	swiotlb_stop_growth();
	device_init(dev, mask_bits);
	dev->archdata.dma_offset = offset;
}

/* map() checks that the device reads the right bytes there. */
TEST(bridge_address)
{
	static const size_t sizes[] = { 1, 2048, 5000, 100000, 262144 };
	struct buffer buffer;
	struct device dev;
	dma_addr_t dma;
	unsigned int i;

	boot_fixed("512,1", &dev, 64, OFFSET);
	for (i = 0; i < ARRAY_SIZE(sizes); i++) {
		buffer = buffer_alloc(sizes[i], 0, __GFP_HIGHMEM);
		dma = map(&dev, &buffer, DMA_TO_DEVICE);
		EXPECT_EQ(dma, mem->defpool->start + OFFSET);
		unmap(&dev, dma, sizes[i], DMA_TO_DEVICE);
		buffer_free(&buffer);
	}
}

/* Mappings of more than a set */
TEST(bridge_span)
{
	struct buffer buffer;
	struct device dev;
	dma_addr_t dma[8];
	unsigned int nr;

	boot_fixed("1024,1", &dev, 64, OFFSET);
	buffer = buffer_alloc(300000, 0, __GFP_HIGHMEM);
	nr = map_up_to(&dev, &buffer, dma, 8, DMA_BIDIRECTIONAL);
	EXPECT_EQ(nr, 6);
	EXPECT_EQ(dma[0], mem->defpool->start + OFFSET);
	unmap_all(&dev, &buffer, dma, nr, DMA_BIDIRECTIONAL);
	buffer_free(&buffer);
}

/* Limit, alignment and boundary are the device's, not those of the bus. */
TEST(bridge_constraints)
{
	struct buffer page, odd;
	dma_addr_t dma[512];
	struct device dev;
	unsigned int nr;
	u64 half;

	boot_fixed("512,1", &dev, 40, OFFSET);
	half = mem->defpool->start + SZ_1M / 2;
	page = buffer_alloc(4096, 0, __GFP_HIGHMEM);
	EXPECT_EQ(map_up_to(&dev, &page, dma, 512, DMA_BIDIRECTIONAL), 0);

	dev.archdata.dma_offset = OFFSET - half;
	nr = map_up_to(&dev, &page, dma, 512, DMA_BIDIRECTIONAL);
	EXPECT_EQ(nr, SZ_1M / 2 / 4096);
	unmap_all(&dev, &page, dma, nr, DMA_BIDIRECTIONAL);

	*dev.dma_mask = DMA_BIT_MASK(64);
	dev.archdata.dma_offset = OFFSET + 0x800;
	dev.min_align_mask = 0xfff;
	dev.segment_boundary = 0x7fff;
	odd = buffer_alloc(9000, 0x123, __GFP_HIGHMEM);
	nr = map_up_to(&dev, &odd, dma, 512, DMA_BIDIRECTIONAL);
	EXPECT(nr > 20);
	unmap_all(&dev, &odd, dma, nr, DMA_BIDIRECTIONAL);
	buffer_free(&odd);
	buffer_free(&page);
}

/* The pool is full: the mapping gets a transient pool, and another pool is added. */
TEST(bridge_grow)
{
	struct buffer set;
	dma_addr_t dma[16];
	struct device dev;
	unsigned int nr;

	boot(FRAMES_NATIVE, "512");
	device_init(&dev, 64);
	dev.archdata.dma_offset = OFFSET;
	set = buffer_alloc(262144, 0, __GFP_HIGHMEM);
	nr = map_up_to(&dev, &set, dma, 5, DMA_BIDIRECTIONAL);
	EXPECT_EQ(nr, 5);
	EXPECT_EQ(machine_work(), 1);
	EXPECT_EQ(mem->nslabs, 1024);
	nr += map_up_to(&dev, &set, dma + nr, 4, DMA_BIDIRECTIONAL);
	EXPECT_EQ(nr, 9);
	unmap_all(&dev, &set, dma, nr, DMA_BIDIRECTIONAL);
	buffer_free(&set);
}

/*
 * It is not known which machine addresses such a device reaches, so no pool is added in
 * vain. A mapping gets a transient pool, which can be checked.
 */
TEST(bridge_grow_out_of_reach)
{
	struct buffer set;
	dma_addr_t dma[8];
	struct device dev;
	unsigned int nr;

	boot(FRAMES_NATIVE, "512");
	device_init(&dev, 32);
	dev.archdata.dma_offset = 0x10000000;
	set = buffer_alloc(262144, 0, __GFP_HIGHMEM);
	nr = map_up_to(&dev, &set, dma, 5, DMA_BIDIRECTIONAL);
	EXPECT_EQ(nr, 5);
	EXPECT_EQ(machine_work(), 0);
	EXPECT_EQ(mem->nslabs, 512);
	unmap_all(&dev, &set, dma, nr, DMA_BIDIRECTIONAL);
	buffer_free(&set);
}
