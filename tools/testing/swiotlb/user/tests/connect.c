// SPDX-License-Identifier: GPL-2.0
/*
 * The extents of a pool on Xen: the largest that Xen has, and new ones after a guest has
 * been saved and restored.
 */
#include "test.h"
#include <asm/dma-machine.h>

static struct io_tlb_mem *const mem = &io_tlb_default_mem;

/* All layouts except the native one */
#define TEST_XEN_FRAMES(id) TEST_VARIANTS(id, frames_names + 1)

static void check_sets(struct io_tlb_pool *pool)
{
	size_t run = 0, longest = 0;
	phys_addr_t highest = 0;
	unsigned long i;

	for (i = 0; i < pool->nslabs / IO_TLB_SEGSIZE; i++) {
		phys_addr_t phys = slot_phys(pool, i * IO_TLB_SEGSIZE), maddr = pool->sets[i].maddr;

		EXPECT_EQ(maddr, PFN_PHYS(machine_frame_of(machine_page_index(phys))));
		EXPECT(dma_machine_contiguous(phys, IO_TLB_SET_BYTES));
		run = i && maddr == pool->sets[i - 1].maddr + IO_TLB_SET_BYTES ?
			run + IO_TLB_SET_BYTES : IO_TLB_SET_BYTES;
		longest = max(longest, run);
		highest = max(highest, maddr + IO_TLB_SET_BYTES - 1);
	}
	EXPECT_EQ(pool->longest, longest);
	EXPECT_EQ(pool->maddr_max, highest);
}

static void boot_xen(enum machine_frames frames, const char *param, unsigned int order,
		     unsigned int limit)
{
	struct machine_config config = { .frames = frames, .cpus = 2, .seed = 1 };

	machine_power_on(&config);
	machine_set_param("swiotlb", param);
	if (limit)
		machine_limit_extents(limit);
	if (order)
		machine_fragment_extents(order);
	core_boot(&config);
	machine_run_initcalls();
}

/* Xen has extents of 2 MiB, so the pool consists of these. */
TEST_XEN_FRAMES(connect_large)
{
	unsigned int i;

	boot_xen(variant + 1, "4096,2", 0, 0);
	check_sets(mem->defpool);
	EXPECT_EQ(mem->nslabs, 4096);
	EXPECT(mem->defpool->longest >= 2 * SZ_1M);
	for (i = 0; i < 32; i += 8)
		EXPECT_EQ(mem->defpool->sets[i].maddr % (2 * SZ_1M), 0);
	/* The first set is low, so that devices that reach little memory can use it. */
	EXPECT(mem->defpool->sets[0].maddr < 1 << IO_TLB_LOW_BITS);
}

/* Xen has only small extents: mappings larger than these are refused, the others work. */
TEST_XEN_FRAMES(connect_fragments)
{
	unsigned int order, i;
	struct buffer buffer;
	struct device dev;
	dma_addr_t dma;

	/* In this layout memory is contiguous without an exchange. */
	if (variant + 1 == FRAMES_BY_2M)
		return;
	for (order = 6; order < 9; order++) {
		boot_xen(variant + 1, "4096,2", order, 0);
		swiotlb_stop_growth();
		check_sets(mem->defpool);
		EXPECT_EQ(mem->nslabs, 4096);
		EXPECT_EQ(mem->defpool->longest, PAGE_SIZE << order);
		for (i = 0; i < 32; i += 1 << (order - 6))
			EXPECT_EQ(mem->defpool->sets[i].maddr % (PAGE_SIZE << order), 0);

		device_init(&dev, 32);
		/* Drivers are told a size smaller than any extent. */
		EXPECT_EQ(swiotlb_max_mapping_size(&dev), 8 * SZ_1M / 128);
		buffer = buffer_alloc((PAGE_SIZE << order) + 1, 0, __GFP_HIGHMEM);
		EXPECT(map(&dev, &buffer, DMA_TO_DEVICE) == DMA_MAPPING_ERROR);
		EXPECT(machine_said("swiotlb cannot map"));
		buffer.size--;
		dma = map(&dev, &buffer, DMA_TO_DEVICE);
		EXPECT(dma != DMA_MAPPING_ERROR);
		unmap(&dev, dma, buffer.size, DMA_TO_DEVICE);
		contract_check_all_free(mem);
	}
}

/* What is left of large extents, then small ones, then what there is */
TEST_XEN_FRAMES(connect_mixed)
{
	if (variant + 1 == FRAMES_BY_2M)
		return;
	boot_xen(variant + 1, "4096,2", 0, 12);
	check_sets(mem->defpool);
	EXPECT_EQ(mem->nslabs, 9 * IO_TLB_SEGSIZE);
	EXPECT(mem->defpool->longest >= 2 * SZ_1M);
	EXPECT_EQ(machine_extents_in_use(), 9 * 64);
}

/* A restore has scattered the extents, and the hypervisor has no others: tear-down works. */
TEST(connect_exit_when_moved)
{
	boot_xen(FRAMES_BY_PAGE, "512", 0, 0);
	machine_restore();
	machine_fail_all(FAIL_EXCHANGE, true);
	swiotlb_exit();
	machine_fail_all(FAIL_EXCHANGE, false);
	EXPECT_EQ(machine_pages_in_use(), 0);
}

/* Xen has no extent of any order: there is no pool, and the number of attempts is bounded. */
TEST(connect_nothing)
{
	unsigned int calls;

	boot_xen(FRAMES_BY_PAGE, "4096", 0, 1);
	EXPECT(!is_swiotlb_allocated());
	EXPECT_EQ(machine_extents_in_use(), 0);
	calls = machine_failure_calls(FAIL_EXCHANGE);
	/* Four sizes of the pool, four orders for each, and a few numbers of bits for each */
	EXPECT(calls < 4 * 4 * 16);
}

/* A pool that is added asks for extents below its limit at once, not for lower ones first. */
TEST_XEN_FRAMES(connect_growth_at_limit)
{
	struct io_tlb_pool_table *table;
	struct device dev;

	boot_xen(variant + 1, "512", 0, 0);
	machine_fail_nth(FAIL_EXCHANGE, 0);
	mem->defpool->maddr_max = U64_MAX;
	device_init(&dev, 64);
	EXPECT_EQ(dma_set_mask(&dev, DMA_BIT_MASK(30)), 0);
	EXPECT_EQ(machine_work(), 1);
	EXPECT_EQ(machine_failure_calls(FAIL_EXCHANGE), 1);
	machine_grace_period();
	table = mem->pools;
	check_sets(table->pools[1]);
	EXPECT(table->pools[1]->maddr_max <= DMA_BIT_MASK(30));
}

/* Tear-down gives back all extents and all pages. */
TEST_XEN_FRAMES(connect_exit)
{
	boot_xen(variant + 1, "2048,2", 0, 0);
	EXPECT_EQ(machine_extents_in_use(), 1024);
	swiotlb_exit();
	EXPECT_EQ(machine_extents_in_use(), 0);
	EXPECT(!is_swiotlb_allocated());
	EXPECT_EQ(machine_pages_in_use(), 0);
}

/* --- restore --- */

static const size_t kept_sizes[] = { 100, 262144, 700000, 5000, 300000 };
static struct buffer kept[ARRAY_SIZE(kept_sizes)];
static phys_addr_t kept_at[ARRAY_SIZE(kept_sizes)];
static struct device dev;

static void map_kept(void)
{
	dma_addr_t dma;
	unsigned int i;

	device_init(&dev, 32);
	for (i = 0; i < ARRAY_SIZE(kept); i++) {
		kept[i] = buffer_alloc(kept_sizes[i], i * 10, __GFP_HIGHMEM);
		dma = map(&dev, &kept[i], DMA_BIDIRECTIONAL);
		EXPECT(dma != DMA_MAPPING_ERROR);
		kept_at[i] = dma_to_phys(&dev, dma);
	}
}

/* Bounce buffers have kept their contents, and unmapping copies these to the right buffers. */
static void unmap_kept(void)
{
	u8 *byte;
	unsigned int i;

	for (i = 0; i < ARRAY_SIZE(kept); i++) {
		byte = machine_memory(kept_at[i] + kept[i].size - 1);
		EXPECT_EQ(*byte, *machine_memory(kept[i].phys + kept[i].size - 1));
		EXPECT_EQ(*machine_memory(kept_at[i]), *machine_memory(kept[i].phys));
		*byte ^= 0x55;
		swiotlb_tbl_unmap_single(&dev, kept_at[i], kept[i].size, DMA_BIDIRECTIONAL, 0);
		EXPECT_EQ(*machine_memory(kept[i].phys + kept[i].size - 1), *byte);
		buffer_free(&kept[i]);
	}
}

/* Map one slot at a time until the pool is full. map() checks that the device finds each. */
static void check_all_usable(unsigned int slots)
{
	static dma_addr_t at[4097];
	struct buffer buffer = buffer_alloc(2048, 0, 0);

	swiotlb_stop_growth();
	EXPECT_EQ(map_up_to(&dev, &buffer, at, ARRAY_SIZE(at), DMA_TO_DEVICE), slots);
	unmap_all(&dev, &buffer, at, slots, DMA_TO_DEVICE);
	contract_check_all_free(mem);
	buffer_free(&buffer);
}

/* All frames have changed: every pool is connected anew. */
TEST_XEN_FRAMES(reconnect_moved)
{
	phys_addr_t before;

	boot_xen(variant + 1, "2048,2", 0, 0);
	map_kept();
	mem->growth->bits = 28;
	schedule_work(&mem->growth->grow);
	EXPECT_EQ(machine_work(), 1);
	machine_grace_period();
	before = mem->defpool->sets[0].maddr;
	machine_restore();
	EXPECT(dma_phys_to_machine(mem->defpool->start) != before);
	swiotlb_reconnect();
	check_sets(mem->defpool);
	check_sets(((struct io_tlb_pool_table *)mem->pools)->pools[1]);
	EXPECT(mem->defpool->maddr_max <= DMA_BIT_MASK(32));
	EXPECT(((struct io_tlb_pool_table *)mem->pools)->pools[1]->maddr_max <= DMA_BIT_MASK(28));
	EXPECT_EQ(machine_extents_in_use(), 1024 + 1024);
	EXPECT(!machine_said("doing without"));
	unmap_kept();
	check_all_usable(4096);
}

/* No frame has changed: nothing is done. */
TEST_XEN_FRAMES(reconnect_not_moved)
{
	phys_addr_t maddr;

	boot_xen(variant + 1, "2048,2", 0, 0);
	map_kept();
	maddr = mem->defpool->sets[3].maddr;
	machine_fail_nth(FAIL_EXCHANGE, 0);
	machine_fail_all(FAIL_KMALLOC, true);
	swiotlb_reconnect();
	EXPECT_EQ(machine_failure_calls(FAIL_EXCHANGE), 0);
	EXPECT_EQ(mem->defpool->sets[3].maddr, maddr);
	machine_fail_all(FAIL_KMALLOC, false);
	unmap_kept();
}

/* One frame has changed, anywhere in a set. */
TEST(reconnect_one_frame)
{
	static const unsigned int at[] = { 0, 1, 63, 64, 200, 511 };
	unsigned int i;

	for (i = 0; i < ARRAY_SIZE(at); i++) {
		machine_context("frame %u", at[i]);
		boot_xen(FRAMES_BY_PAGE, "1024,2", 0, 0);
		device_init(&dev, 32);
		machine_put_frame(mem->defpool->start + at[i] * PAGE_SIZE, 0x1fff00);
		swiotlb_reconnect();
		check_sets(mem->defpool);
		check_all_usable(1024);
	}
}

/* A set is still contiguous, but has another machine address. */
TEST_XEN_FRAMES(reconnect_set_elsewhere)
{
	unsigned int i;

	boot_xen(variant + 1, "1024,2", 0, 0);
	device_init(&dev, 32);
	for (i = 0; i < 64; i++)
		machine_put_frame(slot_phys(mem->defpool, 2 * IO_TLB_SEGSIZE) + i * PAGE_SIZE,
				  0x1fff00 + i);
	swiotlb_reconnect();
	check_sets(mem->defpool);
	check_all_usable(1024);
}

static unsigned int free_as_told(size_t at)
{
	swiotlb_tbl_unmap_single(&dev, mem->defpool->start + at, 100, DMA_TO_DEVICE, 0);
	return machine_expect_warning("which is not mapped");
}

/*
 * The new host has less memory: sets that cannot be connected are never handed out again.
 * Unmapping what was mapped before the restore causes a warning.
 */
TEST_XEN_FRAMES(reconnect_less)
{
	unsigned int n, i;
	struct buffer set;
	dma_addr_t at[16];

	for (n = 0; n <= 16; n += 4) {
		machine_context("%u sets", n);
		boot_xen(variant + 1, "2048,2", 0, 0);
		device_init(&dev, 32);
		set = buffer_alloc(262144, 0, __GFP_HIGHMEM);
		swiotlb_stop_growth();
		for (i = 0; i < 16; i++)
			EXPECT((at[i] = map(&dev, &set, DMA_TO_DEVICE)) != DMA_MAPPING_ERROR);
		machine_restore();
		machine_limit_extents(n);
		machine_forget_messages();
		swiotlb_reconnect();
		EXPECT_EQ(machine_said("KiB at"), n < 16);
		EXPECT_EQ(machine_said("doing without"), n < 16);
		EXPECT_EQ(slots_used(), 0);
		EXPECT_EQ(mem->defpool->longest, n >= 8 ? mem->defpool->longest :
							  max(n, 1) * IO_TLB_SET_BYTES);
		for (i = 0; i < 16; i++)
			EXPECT_EQ(free_as_told(i * IO_TLB_SET_BYTES), 1);
		EXPECT_EQ(slots_used(), 0);
		check_all_usable(n * 128);
		buffer_free(&set);
	}
}

/* Sets that one restore has lost are connected at the next, and all their slots are usable. */
TEST_XEN_FRAMES(reconnect_twice)
{
	unsigned int n;

	for (n = 0; n <= 12; n += 4) {
		machine_context("%u sets", n);
		boot_xen(variant + 1, "2048,2", 0, 0);
		device_init(&dev, 32);
		machine_restore();
		machine_limit_extents(n);
		swiotlb_reconnect();
		check_all_usable(n * 128);
		machine_restore();
		swiotlb_reconnect();
		check_sets(mem->defpool);
		EXPECT(swiotlb_supports(&dev, DMA_BIT_MASK(32)));
		check_all_usable(2048);
	}
}

/*
 * Some sets were lost at a restore. Then a save is cancelled, which changes no frame: what
 * is mapped stays mapped.
 */
TEST_XEN_FRAMES(reconnect_less_then_not_moved)
{
	boot_xen(variant + 1, "2048,2", 0, 0);
	device_init(&dev, 32);
	machine_restore();
	machine_limit_extents(12);
	swiotlb_reconnect();
	check_all_usable(1536);
	machine_limit_extents(1000);
	map_kept();
	machine_fail_nth(FAIL_EXCHANGE, 0);
	swiotlb_reconnect();
	EXPECT_EQ(machine_failure_calls(FAIL_EXCHANGE), 0);
	unmap_kept();
	check_all_usable(1536);
}

/* An added pool has lost some sets. When it is idle, it is freed like any other pool. */
TEST_XEN_FRAMES(reconnect_less_then_shrink)
{
	struct io_tlb_pool *added;
	unsigned long pages;
	unsigned int i;

	boot_xen(variant + 1, "1024,2", 0, 0);
	device_init(&dev, 64);
	pages = machine_pages_in_use();
	EXPECT_EQ(dma_set_mask(&dev, DMA_BIT_MASK(24)), 0);
	machine_work();
	EXPECT_EQ(mem->pools->nr, 2);
	added = mem->pools->pools[1];
	machine_restore();
	machine_limit_extents(8 + 2);
	swiotlb_reconnect();
	EXPECT(added->sets[1].maddr != IO_TLB_NO_MADDR);
	EXPECT_EQ(added->sets[2].maddr, IO_TLB_NO_MADDR);
	for (i = 0; i < 3 && mem->pools->nr > 1; i++)
		machine_delayed_work();
	EXPECT_EQ(mem->pools->nr, 1);
	machine_grace_period();
	EXPECT_EQ(machine_pages_in_use(), pages);
	check_sets(mem->defpool);
	device_init(&dev, 32);
	check_all_usable(1024);
}

/* There is no memory to keep the contents of bounce buffers in during the exchange. */
TEST(reconnect_no_memory)
{
	struct buffer buffer;

	boot_xen(FRAMES_BY_PAGE, "1024,2", 0, 0);
	device_init(&dev, 32);
	buffer = buffer_alloc(100, 0, __GFP_HIGHMEM);
	EXPECT(map(&dev, &buffer, DMA_TO_DEVICE) != DMA_MAPPING_ERROR);
	machine_restore();
	machine_fail_all(FAIL_KMALLOC, true);
	swiotlb_reconnect();
	machine_fail_all(FAIL_KMALLOC, false);
	EXPECT(machine_said("doing without"));
	EXPECT(machine_said("no memory to remember"));
	EXPECT_EQ(slots_used(), 0);
	check_all_usable(0);
	buffer_free(&buffer);
}

/* A mapping of several sets has lost some of them: none of its slots is in use any more. */
TEST(reconnect_span_cut)
{
	struct buffer buffer;
	dma_addr_t dma;

	boot_xen(FRAMES_BY_PAGE, "2048,2", 0, 0);
	swiotlb_stop_growth();
	device_init(&dev, 32);
	buffer = buffer_alloc(2 * SZ_1M, 0, __GFP_HIGHMEM);
	dma = map(&dev, &buffer, DMA_TO_DEVICE);
	EXPECT(dma != DMA_MAPPING_ERROR);
	EXPECT_EQ(slots_used(), 1024);
	machine_restore();
	machine_limit_extents(4);
	swiotlb_reconnect();
	EXPECT_EQ(slots_used(), 0);
	EXPECT(free_as_told(0));
	check_all_usable(512);
	buffer_free(&buffer);
}

/* Coherent memory from before a restore has other frames now. They are not exchanged. */
TEST_XEN_FRAMES(reconnect_coherent)
{
	struct page *page;

	boot_xen(variant + 1, "512", 0, 0);
	page = alloc_pages(GFP_KERNEL, 3);
	EXPECT_EQ(xen_dma_make_contiguous(page, 8 * PAGE_SIZE, DMA_BIT_MASK(32), GFP_KERNEL), 0);
	machine_restore();
	xen_dma_undo_contiguous(page, 8 * PAGE_SIZE);
	EXPECT_EQ(machine_extents_in_use(), 0);
	__free_pages(page, 3);
	device_init(&dev, 32);
	swiotlb_reconnect();
	check_all_usable(512);
}

/* A pool that was added for a 24-bit device is within its reach after a restore too. */
TEST_XEN_FRAMES(reconnect_low)
{
	struct io_tlb_pool *low;
	struct device narrow;

	boot_xen(variant + 1, "1024,2", 0, 0);
	device_init(&narrow, 64);
	EXPECT_EQ(dma_set_mask(&narrow, DMA_BIT_MASK(24)), 0);
	machine_work();
	EXPECT_EQ(mem->pools->nr, 2);
	low = mem->pools->pools[1];
	machine_restore();
	swiotlb_reconnect();
	check_sets(low);
	EXPECT(low->maddr_max <= DMA_BIT_MASK(24));
	EXPECT_EQ(dma_set_mask(&narrow, DMA_BIT_MASK(24)), 0);
	machine_work();
	EXPECT_EQ(mem->pools->nr, 2);
}

/* swiotlb_supports() does not count sets that are lost, until they are connected again. */
TEST(reconnect_lost_promise)
{
	boot_xen(FRAMES_BY_PAGE, "1024,2", 0, 0);
	swiotlb_stop_growth();
	device_init(&dev, 32);
	EXPECT(swiotlb_supports(&dev, DMA_BIT_MASK(32)));
	machine_restore();
	machine_fail_all(FAIL_EXCHANGE, true);
	swiotlb_reconnect();
	machine_fail_all(FAIL_EXCHANGE, false);
	EXPECT(!swiotlb_supports(&dev, DMA_BIT_MASK(32)));

	/* At the next restore there is memory for them, so they count again. */
	machine_restore();
	swiotlb_reconnect();
	EXPECT(swiotlb_supports(&dev, DMA_BIT_MASK(32)));
}

/*
 * The hypervisor has only small extents, so a pool that is added has no room for a larger
 * mapping. No other pool is added for it until the search for idle pools has run.
 */
TEST(connect_growth_in_pieces)
{
	struct buffer large;
	unsigned int i;

	boot_xen(FRAMES_BY_PAGE, "1024,2", IO_TLB_SET_ORDER, 0);
	device_init(&dev, 32);
	large = buffer_alloc(2 * SZ_1M, 0, __GFP_HIGHMEM);
	for (i = 0; i < 20; i++) {
		EXPECT(map(&dev, &large, DMA_TO_DEVICE) == DMA_MAPPING_ERROR);
		machine_work();
	}
	EXPECT_EQ(mem->pools->nr, 2);
	machine_delayed_work();
	EXPECT(map(&dev, &large, DMA_TO_DEVICE) == DMA_MAPPING_ERROR);
	machine_work();
	EXPECT_EQ(mem->pools->nr, 3);
	buffer_free(&large);
}
