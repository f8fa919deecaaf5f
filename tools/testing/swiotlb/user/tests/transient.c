// SPDX-License-Identifier: GPL-2.0
/*
 * Transient pools: many at a time, and with encrypted memory.
 */
#include "test.h"

#define MANY	3000

static struct io_tlb_mem *const mem = &io_tlb_default_mem;

/* Number of list elements that a sync and an unmap of this mapping look at */
static unsigned long steps_of(struct device *dev, dma_addr_t dma, size_t size)
{
	machine_list_steps = 0;
	swiotlb_sync_single_for_cpu(dev, dma_to_phys(dev, dma), size, DMA_BIDIRECTIONAL);
	unmap(dev, dma, size, DMA_BIDIRECTIONAL);
	return machine_list_steps;
}

/* The device does not reach the pool. Each of many transient pools is found in few steps. */
TEST(transient_many)
{
	static const size_t sizes[] = { 100, 9000, 4096 };
	static dma_addr_t dma[MANY];
	struct device dev, other;
	struct buffer buffer[3];
	unsigned long steps, most = 0, pages, i;

	boot(FRAMES_NATIVE, "512");
	mem->defpool->maddr_max = DMA_BIT_MASK(40);
	mem->defpool->sets[0].maddr = mem->defpool->sets[1].maddr = 1ULL << 40;
	mem->defpool->sets[2].maddr = mem->defpool->sets[3].maddr = 1ULL << 40;
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

/* --- memory encryption --- */

static struct buffer set, buffer;
static dma_addr_t filled[64];
static unsigned int nr_filled;
static struct device device;

static void boot_encrypted(const struct machine_config *config)
{
	machine_boot(config);
	device_init(&device, 32);
	set = buffer_alloc(262144, 0, __GFP_HIGHMEM);
	buffer = buffer_alloc(5000, 100, __GFP_HIGHMEM);
	while (nr_filled < mem->nslabs / IO_TLB_SEGSIZE)
		filled[nr_filled++] = map(&device, &set, DMA_TO_DEVICE);
}

static void end(void)
{
	while (nr_filled)
		unmap(&device, filled[--nr_filled], set.size, DMA_TO_DEVICE);
	buffer_free(&buffer);
	buffer_free(&set);
}

/* Map and unmap in atomic context, as a driver does in an interrupt. */
static dma_addr_t map_in_atomic_context(void)
{
	dma_addr_t dma;

	machine_set_atomic(true);
	dma = map(&device, &buffer, DMA_BIDIRECTIONAL);
	if (dma != DMA_MAPPING_ERROR)
		unmap(&device, dma, buffer.size, DMA_BIDIRECTIONAL);
	machine_set_atomic(false);
	return dma;
}

/*
 * On an SME host devices reach encrypted memory too. But decrypting and encrypting sleeps
 * there as it does elsewhere.
 */
TEST_VARIANTS(transient_encrypted_host, ((const char *const[]){ "few_bits", "sme", NULL }))
{
	struct machine_config config = {
		.encrypted = true, .reach_encrypted = variant, .param = "512",
	};
	unsigned long pages;
	unsigned int i;

	boot_encrypted(&config);
	pages = machine_pages_in_use();
	for (i = 0; i < 20; i++) {
		EXPECT(map_in_atomic_context() != DMA_MAPPING_ERROR);
		machine_grace_period();
		machine_work();
		machine_grace_period();
	}
	/* A pool was added meanwhile. It is idle, so it is freed. */
	machine_delayed_work();
	machine_delayed_work();
	machine_grace_period();
	EXPECT_EQ(machine_pages_in_use(), pages);
	end();
}

/* No memory was decrypted in advance: mappings fail, with no message if none is wanted. */
TEST(transient_no_atomic_pool)
{
	struct machine_config config = {
		.encrypted = true, .no_atomic_pool = true, .param = "512",
	};
	unsigned int i;

	boot_encrypted(&config);
	machine_set_atomic(true);
	for (i = 0; i < 1000; i++)
		EXPECT(swiotlb_map(&device, buffer.phys, buffer.size, DMA_TO_DEVICE,
				   DMA_ATTR_NO_WARN) == DMA_MAPPING_ERROR);
	machine_set_atomic(false);
	EXPECT(!machine_said("full"));
	machine_work();
	EXPECT(map_in_atomic_context() != DMA_MAPPING_ERROR);
	end();
}

/*
 * Memory that was decrypted in advance may be aligned to less than its size. Such a pool is
 * found by any address in it, or there is none.
 */
TEST(transient_odd_atomic_pool)
{
	struct machine_config config = {
		.encrypted = true, .odd_atomic_pool = true, .param = "512",
	};
	struct buffer large = { };
	dma_addr_t dma;

	boot_encrypted(&config);
	large = buffer_alloc(130000, 0, __GFP_HIGHMEM);
	dma = map(&device, &large, DMA_BIDIRECTIONAL);
	if (dma != DMA_MAPPING_ERROR) {
		EXPECT(swiotlb_find_pool(&device, dma_to_phys(&device, dma)));
		EXPECT(swiotlb_find_pool(&device, dma_to_phys(&device, dma) + large.size - 1));
		unmap(&device, dma, large.size, DMA_BIDIRECTIONAL);
	}
	machine_work();
	machine_grace_period();
	buffer_free(&large);
	end();
}
