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

/* --- cache maintenance in batches --- */

static const enum dma_data_direction dirs[] = { DMA_FROM_DEVICE, DMA_BIDIRECTIONAL };

/* The caches have been cleaned when the device is given a bounce buffer. */
TEST(flush_before_device)
{
	struct buffer buffer;
	dma_addr_t dma;

	boot(FRAMES_NATIVE, "512");
	device_init(&device, 64);
	device.dma_coherent = false;
	buffer = buffer_alloc(5000, 0, __GFP_HIGHMEM);
	dma = map(&device, &buffer, DMA_TO_DEVICE);
	EXPECT(!machine_flushing);
	unmap(&device, dma, buffer.size, DMA_TO_DEVICE);
	buffer_free(&buffer);
}

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

#ifdef MAPS_PHYS
/* --- what must never be bounced --- */

static const unsigned long never[] = { DMA_ATTR_MMIO, DMA_ATTR_REQUIRE_COHERENT };

static void expect_refused(struct buffer *buffer)
{
	unsigned int i;

	for (i = 0; i < ARRAY_SIZE(never); i++)
		EXPECT(dma_direct_map_phys(&device, buffer->phys, buffer->size,
					   DMA_BIDIRECTIONAL, never[i], true) ==
		       DMA_MAPPING_ERROR);
	EXPECT_EQ(slots_used(), 0);
}

/* MMIO and memory that has to be coherent fail under force, on Xen too. */
TEST_ALL_FRAMES(never_bounced_by_force)
{
	struct buffer buffer;

	boot(variant, "512,force");
	device_init(&device, 64);
	buffer = buffer_alloc(4096, 0, 0);
	expect_refused(&buffer);
	buffer_free(&buffer);
}

/* They fail if the device does not reach them. That is said. */
TEST(never_bounced_out_of_reach)
{
	struct buffer buffer;

	boot(FRAMES_NATIVE, "512");
	device_init(&device, 64);
	*device.dma_mask = DMA_BIT_MASK(21);
	buffer = buffer_alloc(4096, 0, __GFP_HIGHMEM);
	expect_refused(&buffer);
	EXPECT_EQ(machine_expect_warning("overflow"), ARRAY_SIZE(never));
	buffer_free(&buffer);
}

/* The high-water mark is always kept; the word that asks for it is known. */
TEST(track_hiwater_is_known)
{
	boot(FRAMES_NATIVE, "512,4,force,track_hiwater");
	EXPECT(mem->force_bounce);
	boot(FRAMES_NATIVE, "track_hiwater");
	EXPECT(!machine_said("ignored"));
}
#endif
