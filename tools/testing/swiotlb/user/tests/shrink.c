// SPDX-License-Identifier: GPL-2.0
/*
 * Idle pools are freed. promise.c tests the pools that are kept though they are idle.
 */
#include "test.h"

static struct io_tlb_mem *const mem = &io_tlb_default_mem;
static struct buffer set;
static dma_addr_t filled[64];
static unsigned int nr_filled;
static struct device device;

static unsigned int nr_pools(void)
{
	return ((struct io_tlb_pool_table *)mem->pools)->nr;
}

static struct io_tlb_pool *newest_pool(void)
{
	return ((struct io_tlb_pool_table *)mem->pools)->pools[nr_pools() - 1];
}

static void fill(void)
{
	while (nr_filled < mem->nslabs / IO_TLB_SEGSIZE) {
		filled[nr_filled] = map(&device, &set, DMA_TO_DEVICE);
		EXPECT(filled[nr_filled++] != DMA_MAPPING_ERROR);
	}
}

/* Fill all pools, and have the worker add one. */
static void grow_by_one(void)
{
	unsigned int before = nr_pools();
	dma_addr_t dma;

	fill();
	dma = map(&device, &set, DMA_TO_DEVICE);
	if (dma != DMA_MAPPING_ERROR)
		unmap(&device, dma, set.size, DMA_TO_DEVICE);
	EXPECT_EQ(machine_work(), 1);
	machine_grace_period();
	EXPECT_EQ(nr_pools(), before + 1);
}

static void drain_to(unsigned int nr)
{
	while (nr_filled > nr)
		unmap(&device, filled[--nr_filled], set.size, DMA_TO_DEVICE);
}

static void boot_grown(enum machine_frames frames, unsigned int more)
{
	struct machine_config config = { .frames = frames, .cpus = 2, .param = "512,2", .seed = 1 };

	machine_boot(&config);
	device_init(&device, 32);
	set = buffer_alloc(262144, 0, __GFP_HIGHMEM);
	while (more--)
		grow_by_one();
}

static void end(void)
{
	drain_to(0);
	buffer_free(&set);
}

/* End a machine. The test is going to boot another one. */
static void end_of_one(void)
{
	end();
	contract_check_all_free(mem);
	machine_delayed_work();
	machine_delayed_work();
	EXPECT_EQ(nr_pools(), 1);
	machine_grace_period();
	kfree(mem->pools);
	mem->pools = NULL;
}

/* A pool that is idle at two looks is freed, with all its memory. The first pool stays. */
TEST_ALL_FRAMES(shrink_idle)
{
	unsigned long pages, objects, extents;
	phys_addr_t was;

	boot_grown(variant, 0);
	extents = machine_extents_in_use();
	pages = machine_pages_in_use();
	objects = machine_objects_in_use();
	grow_by_one();
	was = newest_pool()->start;
	fill();
	EXPECT(machine_pages_in_use() > pages);

	/* In use at each look */
	EXPECT_EQ(machine_delayed_work(), 1);
	EXPECT_EQ(machine_delayed_work(), 1);
	EXPECT_EQ(machine_delayed_work(), 1);
	EXPECT_EQ(nr_pools(), 2);

	drain_to(4);
	EXPECT_EQ(machine_delayed_work(), 1);
	EXPECT_EQ(nr_pools(), 2);
	/* In use at one look: then it has to be idle at two looks again. */
	fill();
	EXPECT_EQ(machine_delayed_work(), 1);
	drain_to(4);
	EXPECT_EQ(machine_delayed_work(), 1);
	EXPECT_EQ(nr_pools(), 2);
	EXPECT_EQ(machine_delayed_work(), 1);
	EXPECT_EQ(nr_pools(), 1);
	EXPECT_EQ(mem->nslabs, 512);
	EXPECT(!swiotlb_find_in_table(mem, was));
	EXPECT(!swiotlb_find_pool(&device, was));

	machine_grace_period();
	EXPECT_EQ(machine_pages_in_use(), pages);
	EXPECT_EQ(machine_extents_in_use(), extents);
	/* A new table has replaced that of boot. */
	EXPECT_EQ(machine_objects_in_use(), objects + 1);
	/* There are no more looks until a pool is added. */
	EXPECT_EQ(machine_delayed_work(), 0);
	grow_by_one();
	fill();
	EXPECT_EQ(machine_delayed_work(), 1);
	end();
}

/*
 * Pools are added and freed, each time in other memory. Memory that was contiguous stays
 * contiguous, because the guest gets an extent for an extent.
 */
TEST_ALL_FRAMES(shrink_keeps_contiguity)
{
	unsigned long before, after;
	struct buffer space[6];
	unsigned int cycle;

	boot_grown(variant, 0);
	before = machine_contiguous_pages();
	for (cycle = 0; cycle < 6; cycle++) {
		grow_by_one();
		EXPECT_EQ(machine_delayed_work(), 1);
		EXPECT_EQ(machine_delayed_work(), 1);
		EXPECT_EQ(nr_pools(), 1);
		drain_to(0);
		space[cycle] = buffer_alloc(SZ_1M, 0, variant ? __GFP_HIGHMEM : __GFP_DMA32);
	}
	after = machine_contiguous_pages();
	machine_context("%lu contiguous pages of %lu", after, before);
	EXPECT(after * 100 >= before * 99);
	while (cycle--)
		buffer_free(&space[cycle]);
	end();
}

/* Memory that is already contiguous and low needs no exchange, and stays as it is. */
TEST(shrink_contiguous_already)
{
	unsigned long before, grown = 0;
	dma_addr_t dma;
	u64 seed;

	for (seed = 0; seed < 8; seed++) {
		struct machine_config config = {
			.frames = FRAMES_BY_2M, .param = "512", .seed = seed,
		};

		machine_context("seed %llu", (unsigned long long)seed);
		machine_boot(&config);
		device_init(&device, 32);
		set = buffer_alloc(262144, 0, __GFP_HIGHMEM);
		fill();
		machine_limit_extents(0);
		before = machine_contiguous_pages();
		dma = map(&device, &set, DMA_TO_DEVICE);
		if (dma != DMA_MAPPING_ERROR)
			unmap(&device, dma, set.size, DMA_TO_DEVICE);
		machine_work();
		if (nr_pools() == 1) {
			end();
			continue;
		}
		grown++;
		fill();
		end_of_one();
		EXPECT_EQ(machine_contiguous_pages(), before);
	}
	EXPECT(grown);
}

/* Any one of several pools is freed. The others are found and used as before. */
TEST_ALL_FRAMES(shrink_some)
{
	unsigned int gone, i;

	for (gone = 0; gone < 4; gone++) {
		machine_context("pool %u", gone + 1);
		boot_grown(variant, 4);
		fill();
		EXPECT_EQ(nr_filled, 20);
		for (i = 0; i < 4; i++)
			unmap(&device, filled[4 * (gone + 1) + i], set.size, DMA_TO_DEVICE);
		EXPECT_EQ(machine_delayed_work(), 1);
		EXPECT_EQ(machine_delayed_work(), 1);
		EXPECT_EQ(nr_pools(), 4);
		EXPECT_EQ(mem->nslabs, 2048);
		for (i = 4 * (gone + 1) + 4; i < 20; i++)
			filled[i - 4] = filled[i];
		nr_filled = 16;
		for (i = 0; i < 16; i++) {
			contract_check_content(&device, set.phys, set.size, filled[i]);
			EXPECT(swiotlb_find_pool(&device, dma_to_phys(&device, filled[i])));
		}
		grow_by_one();
		fill();
		end_of_one();
	}
}

static phys_addr_t at_closing;
static dma_addr_t closing;
static unsigned int closing_cpu;

static void use_one(void)
{
	machine_set_cpu(closing_cpu);
	drain_to(nr_filled);
	closing = map(&device, &set, DMA_TO_DEVICE);
	EXPECT(closing != DMA_MAPPING_ERROR);
	at_closing = dma_to_phys(&device, closing);
}

/* A pool that is used when it is about to be closed stays open. */
TEST_ALL_FRAMES(shrink_used_when_closing)
{
	unsigned int lock, i;

	for (lock = 1; lock <= 2; lock++) {
		machine_context("area %u", lock - 1);
		nr_filled = 0;
		boot_grown(variant, 1);
		EXPECT_EQ(newest_pool()->nareas, 2);
		EXPECT_EQ(machine_delayed_work(), 1);
		closing_cpu = lock - 1;
		machine_other_cpu(use_one, 1);
		EXPECT_EQ(machine_delayed_work(), 1);
		EXPECT(machine_other_cpu_ran());
		EXPECT_EQ(nr_pools(), 2);
		EXPECT(in_pool(newest_pool(), at_closing));
		EXPECT_EQ(slots_used(), 512 + 128);
		contract_check_content(&device, set.phys, set.size, closing);

		/* All of it can be mapped. */
		swiotlb_stop_growth();
		for (i = 0; i < 3; i++)
			EXPECT((filled[nr_filled++] = map(&device, &set, DMA_TO_DEVICE)) !=
			       DMA_MAPPING_ERROR);
		EXPECT(map(&device, &set, DMA_TO_DEVICE) == DMA_MAPPING_ERROR);
		unmap(&device, closing, set.size, DMA_TO_DEVICE);
		end_of_one();
	}
}

static dma_addr_t meanwhile;
static unsigned int meanwhile_at;

static void map_meanwhile(void)
{
	meanwhile = map(&device, &set, DMA_TO_DEVICE);
}

/* Use all of the last area. Another thread maps later. */
static void use_two_then_map(void)
{
	use_one();
	filled[nr_filled++] = closing;
	use_one();
	machine_other_thread(map_meanwhile, meanwhile_at);
}

/* An attempt to close a pool fails. A mapping that is made meanwhile uses that pool. */
TEST_ALL_FRAMES(shrink_mapped_when_closing)
{
	closing_cpu = 1;
	for (meanwhile_at = 1; meanwhile_at <= 4; meanwhile_at++) {
		machine_context("lock %u", meanwhile_at);
		nr_filled = 0;
		boot_grown(variant, 1);
		EXPECT_EQ(newest_pool()->nareas, 2);
		EXPECT_EQ(machine_delayed_work(), 1);
		machine_other_cpu(use_two_then_map, 1);
		EXPECT_EQ(machine_delayed_work(), 1);
		EXPECT(machine_other_cpu_ran());
		EXPECT_EQ(nr_pools(), 2);
		if (machine_join_other_thread()) {
			EXPECT(in_pool(newest_pool(), dma_to_phys(&device, meanwhile)));
			unmap(&device, meanwhile, set.size, DMA_TO_DEVICE);
		} else {
			EXPECT(meanwhile_at > 2);
		}
		unmap(&device, closing, set.size, DMA_TO_DEVICE);
		EXPECT_EQ(machine_work(), 0);
		end_of_one();
	}
}

/* A search finds nothing in a pool that is closed but not freed yet. */
TEST(shrink_closed)
{
	struct io_tlb_pool *pool;
	dma_addr_t dma;

	boot_grown(FRAMES_NATIVE, 1);
	swiotlb_stop_growth();
	pool = newest_pool();
	EXPECT(swiotlb_pool_close(pool));
	EXPECT(map(&device, &set, DMA_TO_DEVICE) == DMA_MAPPING_ERROR);
	set.size *= 2;
	dma = swiotlb_map(&device, set.phys, set.size, DMA_TO_DEVICE, 0);
	EXPECT(dma == DMA_MAPPING_ERROR);
	set.size /= 2;
	mutex_lock(&mem->pools_mutex);
	swiotlb_unpublish(mem, pool, kzalloc(swiotlb_table_size(1), GFP_KERNEL));
	mutex_unlock(&mem->pools_mutex);
	swiotlb_free_buffer(pool->vaddr, pool->bytes, io_tlb_default_mem.cc_shared);
	kvfree(pool);
	end();
}

/* No memory for the smaller table: the pool stays usable, and is freed the next time. */
TEST_ALL_FRAMES(shrink_no_memory)
{
	boot_grown(variant, 1);
	EXPECT_EQ(machine_delayed_work(), 1);
	machine_fail_all(FAIL_KMALLOC, true);
	EXPECT_EQ(machine_delayed_work(), 1);
	EXPECT_EQ(nr_pools(), 2);
	machine_fail_all(FAIL_KMALLOC, false);
	fill();
	drain_to(4);
	EXPECT_EQ(machine_delayed_work(), 1);
	EXPECT_EQ(nr_pools(), 1);
	end();
}

/* When a pool is freed, the high-water mark stays, and it is right afterwards. */
TEST_ALL_FRAMES(shrink_hiwater)
{
	unsigned int i;

	boot_grown(variant, 1);
	fill();
	EXPECT_EQ(counter("io_tlb_used_hiwater"), 1024);
	drain_to(4);
	machine_delayed_work();
	machine_delayed_work();
	EXPECT_EQ(nr_pools(), 1);
	EXPECT_EQ(counter("io_tlb_used"), 512);
	EXPECT_EQ(counter("io_tlb_nslabs"), 512);
	EXPECT_EQ(counter("io_tlb_used_hiwater"), 1024);

	/* As many slots as before do not raise the mark. */
	grow_by_one();
	for (i = 0; i < 2; i++) {
		fill();
		EXPECT_EQ(counter("io_tlb_used_hiwater"), 1024);
		drain_to(0);
	}
	grow_by_one();
	fill();
	EXPECT_EQ(counter("io_tlb_used_hiwater"), counter("io_tlb_used"));
	end();
}
