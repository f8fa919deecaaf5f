// SPDX-License-Identifier: GPL-2.0-only
/*
 * Software IO TLB: what a driver gets from the DMA API, and where it is.
 *
 * This is the suite. Its tests are in swiotlb_kunit_*.c, by what they are
 * about; what they share is in swiotlb_kunit.h.
 *
 * Each test has a device and a pool of its own: 1 MiB in two areas, through
 * which everything that the device maps is bounced. Thus a test knows how many
 * slots are in use and can use them all up, whatever the machine's devices do
 * meanwhile. When a test ends, all slots have to be free again. The tests of
 * the machine's default pool, which come last, are skipped where there is none.
 *
 * The device is that of dma_kunit.h. Random numbers are the same in each run.
 */
#include <linux/err.h>
#include <linux/jiffies.h>
#include <linux/mm.h>
#include <linux/sched.h>
#include <linux/set_memory.h>
#include <linux/slab.h>
#include <linux/workqueue.h>

#include "swiotlb_kunit.h"

#define POOL_AREAS	2

/* Room for the largest mapping at any offset in a page, and for one that is too large */
#define BUF_BYTES	(2 * POOL_BYTES)

/* Slots in use in the default pool when the suite started */
static unsigned long used_before;

/*
 * The pool
 */

static int make_pool(struct io_tlb_mem *mem)
{
	struct io_tlb_pool_params params = {
		.nslabs = POOL_SLOTS,
		.nareas = POOL_AREAS,
		.backend = io_tlb_default_mem.backend,
		.low_bits = IO_TLB_LOW_BITS,
		.maddr_bits = 32,
		.late_alloc = true,
		.keep = true,
	};
	struct io_tlb_pool_table *table;
	struct io_tlb_pool *pool;
	unsigned long vaddr;

	swiotlb_mem_init(mem);
	swiotlb_set_shared(mem, io_tlb_default_mem.cc_shared);
	vaddr = __get_free_pages(GFP_KERNEL | GFP_DMA32, get_order(POOL_BYTES));
	if (!vaddr || (mem->cc_shared && set_memory_decrypted(vaddr, PFN_UP(POOL_BYTES))))
		return -ENOMEM;

	params.start = __pa(vaddr);
	params.vaddr = (void *)vaddr;
	table = kzalloc(swiotlb_table_size(1), GFP_KERNEL);
	pool = table ? swiotlb_make_pool(&params, GFP_KERNEL) : ERR_PTR(-ENOMEM);
	if (IS_ERR(pool)) {
		kfree(table);
		swiotlb_free_buffer(params.vaddr, POOL_BYTES, mem->cc_shared);
		return PTR_ERR(pool);
	}

	mem->force_bounce = true;
	mem->backend = params.backend;
	mutex_lock(&mem->pools_mutex);
	swiotlb_publish(mem, pool, table);
	mutex_unlock(&mem->pools_mutex);
	return 0;
}

static void free_pools(struct io_tlb_mem *mem)
{
	struct io_tlb_pool_table *table = table_of(mem);
	struct io_tlb_pool *pool;
	unsigned int i;

	for (i = 0; i < table->nr; i++) {
		pool = table->pools[i];
		swiotlb_pool_disconnect(pool);
		swiotlb_free_buffer(pool->vaddr, pool->bytes, mem->cc_shared);
		kvfree(pool);
	}
	kfree(table);
}

static unsigned long free_slots(struct io_tlb_pool *pool)
{
	unsigned long i, nr = 0;

	for (i = 0; i < pool->nslabs / IO_TLB_SEGSIZE; i++)
		nr += set_nr_free(&pool->sets[i]);
	return nr;
}

static void expect_all_free(struct kunit *test, struct io_tlb_mem *mem)
{
	struct io_tlb_pool_table *table = table_of(mem);
	struct io_tlb_pool *pool;
	unsigned int i;

	KUNIT_EXPECT_EQ_MSG(test, swiotlb_mem_used(mem), 0,
			    "the test has left slots in use");
	KUNIT_EXPECT_EQ(test, atomic_long_read(&mem->transient_nslabs), 0);
	for (i = 0; i < table->nr; i++) {
		pool = table->pools[i];
		KUNIT_EXPECT_EQ(test, free_slots(pool), pool->nslabs);
	}
}

static int suite_init(struct kunit_suite *suite)
{
	used_before = swiotlb_mem_used(&io_tlb_default_mem);
	return 0;
}

static int test_init(struct kunit *test)
{
	struct swiotlb_test *t;

	if (!dma_machine_is_phys() && !io_tlb_default_mem.backend)
		kunit_skip(test, "nobody to make memory contiguous");

	t = kunit_kzalloc(test, sizeof(*t), GFP_KERNEL);
	KUNIT_ASSERT_NOT_NULL(test, t);
	t->buf = kunit_kzalloc(test, BUF_BYTES, GFP_KERNEL);
	KUNIT_ASSERT_NOT_NULL(test, t->buf);
	t->data = kunit_kzalloc(test, BUF_BYTES, GFP_KERNEL);
	KUNIT_ASSERT_NOT_NULL(test, t->data);
	prandom_seed_state(&t->rnd, 1);

	t->dev = dma_test_device(test, DMA_BIT_MASK(32));
	KUNIT_ASSERT_EQ(test, make_pool(&t->mem), 0);
	t->dev->dma_io_tlb_mem = &t->mem;
	test->priv = t;
	return 0;
}

static void test_exit(struct kunit *test)
{
	struct swiotlb_test *t = test->priv;

	if (!t)
		return;
	if (t->mem.growth) {
		cancel_work_sync(&t->growth.grow);
		cancel_delayed_work_sync(&t->growth.shrink);
	}
	expect_all_free(test, &t->mem);
	t->dev->dma_io_tlb_mem = &io_tlb_default_mem;
	free_pools(&t->mem);
}

/* Last, so that it sees what all others have left. */
static void nothing_left(struct kunit *test)
{
	unsigned long end = jiffies + HZ;

	/* Other devices may be using the default pool just now. */
	while (swiotlb_mem_used(&io_tlb_default_mem) > used_before &&
	       time_before(jiffies, end))
		schedule_timeout_uninterruptible(1);
	KUNIT_EXPECT_LE(test, swiotlb_mem_used(&io_tlb_default_mem),
			used_before);
}

/* A test in one of the other files */
#define SWIOTLB_CASE(test_name)						\
		{ .run_case = swiotlb_test_##test_name,			\
		  .name = #test_name, .module_name = KBUILD_MODNAME }

static struct kunit_case swiotlb_cases[] = {
	SWIOTLB_CASE(to_device),
	SWIOTLB_CASE(from_device),
	SWIOTLB_CASE(both_directions),
	SWIOTLB_CASE(short_write),
	SWIOTLB_CASE(unmap_without_copy),
	SWIOTLB_CASE(sync_for_cpu),
	SWIOTLB_CASE(sync_for_device),
	SWIOTLB_CASE(sync_other_way),
	SWIOTLB_CASE(page_borders),
	SWIOTLB_CASE(list),
	SWIOTLB_CASE(list_without_room),
	SWIOTLB_CASE(min_align_mask),
	SWIOTLB_CASE(sync_behind_padding),
	SWIOTLB_CASE(page_alignment),
	SWIOTLB_CASE(alloc_align_mask),
	SWIOTLB_CASE(segment_boundary),
	SWIOTLB_CASE(dma_mask),
	SWIOTLB_CASE(bus_dma_limit),
	SWIOTLB_CASE(out_of_reach),
	SWIOTLB_CASE(dma_offset),
	SWIOTLB_CASE(largest_mapping),
	SWIOTLB_CASE(span),
	SWIOTLB_CASE(span_neighbours),
	SWIOTLB_CASE(all_slots),
	SWIOTLB_CASE(fragmented),
	SWIOTLB_CASE(churn),
	SWIOTLB_CASE(high_water),
	SWIOTLB_CASE(lookup),
	SWIOTLB_CASE(sets_contiguous),
	SWIOTLB_CASE(direct),
	SWIOTLB_CASE(one_byte_too_far),
	SWIOTLB_CASE(need_sync),
	SWIOTLB_CASE(mask_set_again),
	SWIOTLB_CASE(not_active),
	SWIOTLB_CASE(coherent),
	SWIOTLB_CASE(noncontiguous),
	SWIOTLB_CASE(interrupts_off),
	SWIOTLB_CASE(interrupted),
	SWIOTLB_CASE(cpus),
	SWIOTLB_CASE(cpus_without_room),
	SWIOTLB_CASE(growth),
	SWIOTLB_CASE(transient_pool),
	SWIOTLB_CASE(transient_limits),
	SWIOTLB_CASE(cpus_and_growth),
	SWIOTLB_CASE(cpus_and_transient),
	SWIOTLB_CASE(default_pool),
	SWIOTLB_CASE(above_4g),
	SWIOTLB_CASE(wide_device),
	SWIOTLB_CASE(required_mask),
	KUNIT_CASE(nothing_left),
	{}
};

static struct kunit_suite swiotlb_suite = {
	.name = "swiotlb",
	.suite_init = suite_init,
	.init = test_init,
	.exit = test_exit,
	.test_cases = swiotlb_cases,
};

kunit_test_suite(swiotlb_suite);
