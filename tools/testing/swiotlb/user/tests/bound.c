// SPDX-License-Identifier: GPL-2.0
/*
 * The bound on memory that pools take while the system runs: a part of the memory that
 * the device reaches, so that coherent memory can still be allocated.
 */
#include "test.h"
#include <dma/direct.h>

#define SHARE		4
#define MEMORY		(MACHINE_LOW_SIZE + MACHINE_HIGH_SIZE)
/* Most slots that may be added for 32 bits, which are enough for all memory here */
#define MOST		(MEMORY / SHARE >> IO_TLB_SHIFT)
#define MANY		(10 * MEMORY / SHARE / IO_TLB_SET_BYTES)
#define SAID		"all that they may have"

static struct io_tlb_mem *const mem = &io_tlb_default_mem;
static dma_addr_t at[MANY];
static struct device device;
static struct buffer set;
static unsigned int nr;

static unsigned int nr_pools(void)
{
	return mem->pools->nr;
}

/* Ask for ten times as much as may be added, and run the worker after each request. */
static void ask_for_much(struct device *dev)
{
	unsigned int tries;
	dma_addr_t dma;

	for (tries = 0; tries < MANY; tries++) {
		dma = swiotlb_map(dev, set.phys, set.size, DMA_TO_DEVICE, DMA_ATTR_NO_WARN);
		if (dma != DMA_MAPPING_ERROR)
			at[nr++] = dma;
		machine_work();
		machine_grace_period();
		machine_ticks += HZ / 10;
	}
}

static void unmap_mapped(struct device *dev)
{
	while (nr)
		unmap(dev, at[--nr], set.size, DMA_TO_DEVICE);
	machine_grace_period();
}

/* Slots that were added, including those of transient pools */
static unsigned long added(void)
{
	return mem->nslabs - mem->defpool->nslabs + counter("io_tlb_transient_nslabs");
}

static void expect_coherent_memory(struct device *dev)
{
	dma_addr_t dma;
	void *vaddr = dma_direct_alloc(dev, SZ_1M, &dma, GFP_KERNEL, 0);

	EXPECT(vaddr);
	EXPECT(machine_reaches(dev, dma, SZ_1M));
	dma_direct_free(dev, SZ_1M, vaddr, dma, 0);
}

static void start(unsigned int frames, unsigned int bits)
{
	boot(frames, "512");
	device_init(&device, bits);
	set = buffer_alloc(IO_TLB_SET_BYTES, 0, __GFP_HIGHMEM);
}

/* Growth stops with one message, and goes on when there is room again. */
TEST_ALL_FRAMES(bound_of_growth)
{
	unsigned int round, i;

	start(variant, 32);
	for (round = 0; round < 2; round++) {
		machine_forget_messages();
		ask_for_much(&device);
		machine_context("%lu slots were added", added());
		EXPECT(added() <= MOST);
		EXPECT(added() > MOST - 2 * 512);
		EXPECT(nr_pools() > 2);
		EXPECT(machine_said(SAID));
		machine_forget_messages();
		machine_ticks += HZ;
		EXPECT(map(&device, &set, DMA_TO_DEVICE) == DMA_MAPPING_ERROR);
		EXPECT_EQ(machine_work(), 0);
		EXPECT(!machine_said(SAID));
		expect_coherent_memory(&device);
		unmap_mapped(&device);
		for (i = 0; i < 3; i++)
			machine_delayed_work();
		machine_grace_period();
		EXPECT_EQ(nr_pools(), 1);
		EXPECT_EQ(added(), 0);
	}
	buffer_free(&set);
}

/* The last pool takes just the room that is left. */
TEST(bound_of_last_pool)
{
	boot(FRAMES_BY_PAGE, "2048");
	device_init(&device, 32);
	set = buffer_alloc(IO_TLB_SET_BYTES, 0, __GFP_HIGHMEM);
	ask_for_much(&device);
	EXPECT_EQ(nr_pools(), 4);
	EXPECT_EQ(mem->pools->pools[3]->nslabs, MOST - 2 * 2048);
	unmap_mapped(&device);
	buffer_free(&set);
}

/* A 24-bit device may have a part of the memory that it reaches. Other pools do not count. */
TEST_ALL_FRAMES(bound_of_few_bits)
{
	static const unsigned int bits = 24;
	unsigned int before;
	struct device wide;

	start(variant, bits);
	device_init(&wide, 64);
	mem->defpool->maddr_max = DMA_BIT_MASK(32);
	ask_for_much(&device);
	machine_context("%lu slots were added", added());
	EXPECT(added() <= BIT(bits) / SHARE >> IO_TLB_SHIFT);
	EXPECT(added() >= 512);

	/* Pools for other devices can still be added. */
	before = nr_pools();
	while (!machine_work()) {
		EXPECT(nr < MANY);
		at[nr] = map(&wide, &set, DMA_TO_DEVICE);
		nr += at[nr] != DMA_MAPPING_ERROR;
	}
	EXPECT_EQ(nr_pools(), before + 1);
	machine_grace_period();
	unmap_mapped(&wide);
	buffer_free(&set);
}

/*
 * Pools for a 32-bit device have taken all that may be added. Then nothing is added for a
 * 24-bit device either, and no memory is made contiguous in the attempt.
 */
TEST_ALL_FRAMES(bound_of_all)
{
	unsigned long pages, extents;
	struct device wide;

	start(variant, 24);
	device_init(&wide, 32);
	mem->defpool->maddr_max = DMA_BIT_MASK(32);
	ask_for_much(&wide);
	machine_work();
	machine_ticks += HZ;
	machine_forget_messages();
	pages = machine_pages_in_use();
	extents = machine_extents_in_use();
	machine_fail_nth(FAIL_EXCHANGE, 0);
	EXPECT(map(&device, &set, DMA_TO_DEVICE) == DMA_MAPPING_ERROR);
	machine_work();
	EXPECT(added() <= MOST);
	EXPECT_EQ(machine_failure_calls(FAIL_EXCHANGE), 0);
	EXPECT_EQ(machine_pages_in_use(), pages);
	EXPECT_EQ(machine_extents_in_use(), extents);
	unmap_mapped(&wide);
	buffer_free(&set);
}

/* Pools for a 32-bit device may happen to lie low. The bound of 25 bits does not limit them. */
TEST(bound_of_low_memory)
{
	start(FRAMES_NATIVE, 32);
	ask_for_much(&device);
	EXPECT(mem->pools->pools[1]->maddr_max <= DMA_BIT_MASK(25));
	EXPECT(added() > BIT(25) / SHARE >> IO_TLB_SHIFT);
	unmap_mapped(&device);
	buffer_free(&set);
}

/* The worker can add no pool, so all added pools are transient. They obey the bound too. */
TEST(bound_of_transient_pools)
{
	start(FRAMES_NATIVE, 32);
	set.size = PAGE_SIZE;
	mem->growth->room = 0;
	while (nr < MANY) {
		at[nr] = map(&device, &set, DMA_TO_DEVICE);
		if (at[nr] == DMA_MAPPING_ERROR)
			break;
		nr++;
		if (nr == 256)
			set.size = IO_TLB_SET_BYTES;
	}
	machine_context("%lu slots were added", added());
	EXPECT(added() <= MOST);
	expect_coherent_memory(&device);
	while (nr > 256)
		unmap(&device, at[--nr], IO_TLB_SET_BYTES, DMA_TO_DEVICE);
	set.size = PAGE_SIZE;
	unmap_mapped(&device);
	EXPECT_EQ(added(), 0);
	set.size = IO_TLB_SET_BYTES;
	ask_for_much(&device);
	unmap_mapped(&device);
	buffer_free(&set);
}

/* There is room when the worker is scheduled, but no room when it runs. */
TEST(bound_reached_meanwhile)
{
	unsigned int i;

	start(FRAMES_NATIVE, 32);
	for (i = 0; i < MANY; i++) {
		at[nr] = map(&device, &set, DMA_TO_DEVICE);
		nr += at[nr] != DMA_MAPPING_ERROR;
	}
	EXPECT(added() > 0);
	EXPECT_EQ(machine_work(), 1);
	EXPECT_EQ(nr_pools(), 1);
	EXPECT(added() <= MOST);
	unmap_mapped(&device);
	buffer_free(&set);
}

static unsigned int exchanges;
static struct device wide_device;

/* Once the worker has exchanged memory for its pool, transient pools take all the room. */
static void map_the_rest(void)
{
	if (machine_failure_calls(FAIL_EXCHANGE) == exchanges) {
		machine_interrupt = map_the_rest;
		return;
	}
	while (nr < MANY) {
		at[nr] = swiotlb_map(&wide_device, set.phys, set.size, DMA_TO_DEVICE,
				     DMA_ATTR_NO_WARN);
		if (at[nr] == DMA_MAPPING_ERROR)
			break;
		nr++;
	}
}

/* There is room when the worker begins, but no room when it has made its pool. */
TEST(bound_reached_while_adding)
{
	start(FRAMES_BY_2M, 26);	/* reaches no pool */
	device_init(&wide_device, 64);
	EXPECT_EQ(map(&device, &set, DMA_TO_DEVICE), DMA_MAPPING_ERROR);
	exchanges = machine_failure_calls(FAIL_EXCHANGE);
	machine_interrupt = map_the_rest;
	EXPECT(machine_work());
	EXPECT(!machine_interrupt);
	/* There and back */
	EXPECT_EQ(machine_failure_calls(FAIL_EXCHANGE), exchanges + 2);
	EXPECT_EQ(nr_pools(), 1);
	EXPECT(added() <= MOST);
	unmap_mapped(&wide_device);
	buffer_free(&set);
}
