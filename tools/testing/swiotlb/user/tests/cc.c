// SPDX-License-Identifier: GPL-2.0
/*
 * Memory encryption: which memory a device is given, and whether its DMA address says
 * that the memory is decrypted.
 */
#include <dma/direct.h>
#include "test.h"

static struct io_tlb_mem *const mem = &io_tlb_default_mem;

#define TAG	BIT_ULL(46)

/* A confidential guest on arm64; a host with SME */
static const char *const platforms[] = { "shared_bit", "encrypted_bit", NULL };

/*
 * Older kernels look for the range of a DMA address before they remove the bit. None of them
 * has both.
 */
#ifdef MAPS_PHYS
static const char *const growth[] = { "direct", "range", NULL };
#else
static const char *const growth[] = { "direct", NULL };
#endif

static struct device device;

static void boot_tagged(unsigned int platform, unsigned int mask_bits)
{
	struct machine_config config = {
		.encrypted = true, .param = "1024", .reach_encrypted = platform,
		.shared_bit = platform ? 0 : TAG, .encrypted_bit = platform ? TAG : 0,
	};

	machine_boot(&config);
	device_init(&device, mask_bits);
}

/* The device writes what the driver wants, and the driver gets it. */
static void expect_transfer(struct buffer *buffer)
{
	dma_addr_t dma = map(&device, buffer, DMA_BIDIRECTIONAL);
	u8 *data = malloc(buffer->size), *seen = malloc(buffer->size);
	u64 random = 5;
	size_t i;

	EXPECT(dma != DMA_MAPPING_ERROR);
	EXPECT_EQ(dma & TAG, machine_shared_bit);
	for (i = 0; i < buffer->size; i++)
		data[i] = machine_random(&random);
	EXPECT(machine_dma(&device, dma, data, buffer->size, true));
	unmap(&device, dma, buffer->size, DMA_BIDIRECTIONAL);
	copy_out(seen, buffer->phys, buffer->size);
	EXPECT(!memcmp(seen, data, buffer->size));
	free(seen);
	free(data);
}

/* The DMA address of a bounce buffer says that it is decrypted. */
TEST_VARIANTS(cc_tag, platforms)
{
	static const size_t sizes[] = { 1, 4096, 262144, 300000 };
	struct buffer buffer;
	unsigned int i;

	boot_tagged(variant, 64);
	for (i = 0; i < ARRAY_SIZE(sizes); i++) {
		buffer = buffer_alloc(sizes[i], i * 3, __GFP_HIGHMEM);
		expect_transfer(&buffer);
		buffer_free(&buffer);
	}
}

/* The device has a range with an offset. The bit comes on top of that. */
#ifdef MAPS_PHYS
TEST_VARIANTS(cc_tag_range, platforms)
{
	static const struct bus_dma_region map[] = {
		{ .cpu_start = 0, .dma_start = 1ULL << 36, .size = 1ULL << 34 }, { }
	};
	struct buffer buffer = { };

	boot_tagged(variant, 64);
	device.dma_range_map = map;
	buffer = buffer_alloc(9000, 10, __GFP_HIGHMEM);
	expect_transfer(&buffer);
	buffer_free(&buffer);
}
#endif

/*
 * The bit is above what the device reaches. No mapping gets an address without it, and no
 * pool is added: none would help.
 */
TEST_VARIANTS(cc_tag_out_of_reach, ((const char *const[]){ "direct", "range", NULL }))
{
	static const struct bus_dma_region map_all[] = {
		{ .cpu_start = 0, .dma_start = 0, .size = 1ULL << 34 }, { }
	};
	struct buffer buffer;
	unsigned int i;

	boot_tagged(0, 40);
	if (variant)
		device.dma_range_map = map_all;
	buffer = buffer_alloc(5000, 0, __GFP_HIGHMEM);
	for (i = 0; i < 3; i++) {
		EXPECT(swiotlb_map(&device, buffer.phys, buffer.size, DMA_TO_DEVICE, 0) ==
		       DMA_MAPPING_ERROR);
		machine_work();
	}
	EXPECT(machine_said("not all within reach"));
	EXPECT_EQ(mem->nslabs, 1024);
	EXPECT_EQ(slots_used(), 0);
	EXPECT_EQ(swiotlb_max_mapping_size(&device), 262144);
	buffer_free(&buffer);
}

/* The device reaches the bit: when the pool is full, another is added and serves it. */
TEST_VARIANTS(cc_tag_growth, growth)
{
	static const struct bus_dma_region map_all[] = {
		{ .cpu_start = 0, .dma_start = 0, .size = 1ULL << 34 }, { }
	};
	struct buffer set, buffer;
	dma_addr_t dma[8];
	unsigned int i;

	boot_tagged(0, 48);
	if (variant)
		device.dma_range_map = map_all;
	set = buffer_alloc(262144, 0, __GFP_HIGHMEM);
	buffer = buffer_alloc(5000, 0, __GFP_HIGHMEM);
	for (i = 0; i < ARRAY_SIZE(dma); i++)
		dma[i] = map(&device, &set, DMA_TO_DEVICE);
	expect_transfer(&buffer);
	machine_work();
	EXPECT(mem->nslabs > 1024);
	expect_transfer(&buffer);
	for (i = 0; i < ARRAY_SIZE(dma); i++)
		unmap(&device, dma[i], set.size, DMA_TO_DEVICE);
	buffer_free(&buffer);
	buffer_free(&set);
}

/* A guest trusts a device: it sees only encrypted memory, so no bounce buffer suits it. */
TEST(cc_trusted_device)
{
	unsigned long attrs = DMA_ATTR_CC_SHARED;
	struct buffer buffer;

	boot_tagged(0, 64);
	device.trusted = true;
	buffer = buffer_alloc(5000, 0, __GFP_HIGHMEM);
	EXPECT(swiotlb_map(&device, buffer.phys, buffer.size, DMA_TO_DEVICE,
			   DMA_ATTR_NO_WARN) == DMA_MAPPING_ERROR);
	EXPECT(!machine_said("cannot use"));
	EXPECT(swiotlb_map(&device, buffer.phys, buffer.size, DMA_TO_DEVICE, 0) ==
	       DMA_MAPPING_ERROR);
	EXPECT(machine_said("cannot use"));
	EXPECT(swiotlb_tbl_map_single(&device, buffer.phys, buffer.size, 0, DMA_TO_DEVICE,
				      &attrs) == (phys_addr_t)DMA_MAPPING_ERROR);
	EXPECT_EQ(slots_used(), 0);
	buffer_free(&buffer);
}

/* swiotlb_tbl_map_single() tells its caller whether the memory is decrypted. */
TEST_VARIANTS(cc_attrs, ((const char *const[]){ "plain", "encrypted", NULL }))
{
	struct machine_config config = { .encrypted = variant, .param = "512" };
	unsigned long attrs = variant ? 0 : DMA_ATTR_CC_SHARED;
	struct buffer buffer;
	phys_addr_t tlb;

	machine_boot(&config);
	device_init(&device, 64);
	buffer = buffer_alloc(5000, 0, __GFP_HIGHMEM);
	tlb = swiotlb_tbl_map_single(&device, buffer.phys, buffer.size, 0, DMA_TO_DEVICE,
				     &attrs);
	EXPECT(tlb != (phys_addr_t)DMA_MAPPING_ERROR);
	EXPECT_EQ(attrs, variant ? DMA_ATTR_CC_SHARED : 0);
	swiotlb_tbl_unmap_single(&device, tlb, buffer.size, DMA_TO_DEVICE, attrs);
	buffer_free(&buffer);
}

/* A host has not decrypted the pool, because the architecture never said that it can. */
TEST(cc_not_decrypted)
{
	struct machine_config config = { .encrypted = true, .reach_encrypted = true };
	struct buffer buffer;

	machine_power_on(&config);
	machine_set_param("swiotlb", "512");
	swiotlb_init(true, 0);
	device_init(&device, 64);
	buffer = buffer_alloc(5000, 0, __GFP_HIGHMEM);
	EXPECT(swiotlb_map(&device, buffer.phys, buffer.size, DMA_TO_DEVICE, 0) ==
	       DMA_MAPPING_ERROR);
	EXPECT(machine_said("cannot use"));
	buffer_free(&buffer);
}
