// SPDX-License-Identifier: GPL-2.0-only
/*
 * Software IO TLB: pools. Some are added when slots run short, some come and go
 * with a single mapping, and each set of each is contiguous for devices. Then
 * the pool that the machine has from boot, and what devices without a pool of
 * their own get from it.
 */
#include <linux/irqflags.h>
#include <linux/memblock.h>
#include <linux/prandom.h>
#include <linux/rcupdate.h>
#include <linux/workqueue.h>

#include "swiotlb_kunit.h"

/*
 * Growth
 */

/* From now on let pools be added, or only transient ones. */
static void allow_growth(struct kunit *test, bool transient_only)
{
	struct swiotlb_test *t = test->priv;

	if (!IS_ENABLED(CONFIG_SWIOTLB_DYNAMIC))
		kunit_skip(test, "CONFIG_SWIOTLB_DYNAMIC is not set");
	if (transient_only && t->mem.backend)
		kunit_skip(test, "no transient pools in contiguous memory");

	swiotlb_growth_init(&t->mem, &t->growth, DMA_BIT_MASK(32));
	/* Pools in which there is room for nothing are not added. */
	if (transient_only)
		t->growth.room = 0;
}

void swiotlb_test_growth(struct kunit *test)
{
	struct swiotlb_test *t = test->priv;
	struct io_tlb_pool *added;
	dma_addr_t dma[POOL_SETS + 1], late;
	int i;

	allow_growth(test, false);
	for (i = 0; i < POOL_SETS; i++)
		dma[i] = map(test, t->buf, IO_TLB_SET_BYTES, DMA_TO_DEVICE);
	KUNIT_EXPECT_EQ(test, t->mem.nslabs, POOL_SLOTS);

	/* Served at once or not, it has a pool added for those who follow. */
	late = try_map(t, t->buf, SZ_64K, DMA_TO_DEVICE);
	flush_work(&t->growth.grow);
	KUNIT_ASSERT_EQ(test, table_of(&t->mem)->nr, 2);
	KUNIT_EXPECT_GT(test, t->mem.nslabs, POOL_SLOTS);

	dma_test_fill(t->buf, SZ_64K, 1);
	dma[i] = map(test, t->buf, SZ_64K, DMA_TO_DEVICE);
	added = pool_of(t->dev, dma[i]);
	KUNIT_ASSERT_NOT_NULL(test, added);
	KUNIT_EXPECT_PTR_NE(test, added, t->mem.defpool);
	KUNIT_EXPECT_FALSE(test, added->transient);
	KUNIT_EXPECT_TRUE(test, dma_test_sees(t->dev, dma[i], t->buf, SZ_64K));

	if (!dma_mapping_error(t->dev, late))
		unmap(t, late, SZ_64K, DMA_TO_DEVICE);
	unmap(t, dma[i], SZ_64K, DMA_TO_DEVICE);
	while (i--)
		unmap(t, dma[i], IO_TLB_SET_BYTES, DMA_TO_DEVICE);
}

void swiotlb_test_transient_pool(struct kunit *test)
{
	struct swiotlb_test *t = test->priv;
	dma_addr_t dma[POOL_SETS], extra;
	struct io_tlb_pool *pool;
	unsigned long nslabs;
	int i;

	allow_growth(test, true);
	for (i = 0; i < POOL_SETS; i++)
		dma[i] = map(test, t->buf, IO_TLB_SET_BYTES, DMA_TO_DEVICE);
	extra = map(test, t->buf, SZ_16K, DMA_TO_DEVICE);
	pool = pool_of(t->dev, extra);
	KUNIT_ASSERT_NOT_NULL(test, pool);
	KUNIT_EXPECT_TRUE(test, pool->transient);
	nslabs = pool->nslabs;
	KUNIT_EXPECT_EQ(test, used(t), POOL_SLOTS + nslabs);
	KUNIT_EXPECT_EQ(test, atomic_long_read(&t->mem.transient_nslabs), nslabs);
	KUNIT_EXPECT_EQ(test, table_of(&t->mem)->nr, 1);

	/* Gone from the list at once, from memory when no one can look. */
	unmap(t, extra, SZ_16K, DMA_TO_DEVICE);
	KUNIT_EXPECT_NULL(test, pool_of(t->dev, extra));
	KUNIT_EXPECT_EQ(test, used(t), POOL_SLOTS);
	rcu_barrier();

	for (i = 0; i < POOL_SETS; i++)
		unmap(t, dma[i], IO_TLB_SET_BYTES, DMA_TO_DEVICE);
}

/* Transient pools keep the limits of the device, and work without sleeping. */
void swiotlb_test_transient_limits(struct kunit *test)
{
	static const unsigned int bits[] = { 24, 28, 32 };
	struct swiotlb_test *t = test->priv;
	unsigned long flags;
	dma_addr_t dma;
	size_t offset;
	void *buf;
	int i;

	allow_growth(test, true);
	dma_set_min_align_mask(t->dev, 4095);
	for (i = 0; i < ARRAY_SIZE(bits) * 20; i++) {
		*t->dev->dma_mask = DMA_BIT_MASK(bits[i % ARRAY_SIZE(bits)]);
		offset = prandom_u32_state(&t->rnd) % SZ_8K;
		buf = t->buf + offset;
		dma_test_fill(buf, SZ_16K, i);

		local_irq_save(flags);
		dma = try_map(t, buf, SZ_16K, DMA_BIDIRECTIONAL);
		local_irq_restore(flags);
		KUNIT_ASSERT_FALSE(test, dma_mapping_error(t->dev, dma));
		KUNIT_EXPECT_LE(test, dma + SZ_16K - 1, *t->dev->dma_mask);
		KUNIT_EXPECT_EQ(test, offset_in_page(dma), offset_in_page(buf));
		KUNIT_EXPECT_TRUE(test, dma_test_sees(t->dev, dma, buf, SZ_16K));
		unmap(t, dma, SZ_16K, DMA_BIDIRECTIONAL);
	}
}

/* Pools are added and freed while all CPUs map. */
void swiotlb_test_cpus_and_growth(struct kunit *test)
{
	struct swiotlb_test *t = test->priv;
	unsigned int failed;

	allow_growth(test, false);
	failed = swiotlb_test_run_workers(test, IO_TLB_SET_BYTES);
	flush_work(&t->growth.grow);
	KUNIT_EXPECT_GT(test, t->mem.nslabs, POOL_SLOTS);
	if (!t->mem.backend)
		KUNIT_EXPECT_EQ(test, failed, 0);
}

void swiotlb_test_cpus_and_transient(struct kunit *test)
{
	struct swiotlb_test *t = test->priv;
	unsigned int failed;

	allow_growth(test, true);
	failed = swiotlb_test_run_workers(test, IO_TLB_SET_BYTES);
	KUNIT_EXPECT_EQ(test, failed, 0);
	KUNIT_EXPECT_EQ(test, t->mem.nslabs, POOL_SLOTS);
	rcu_barrier();
}

/*
 * The default pool
 */

static void need_default_pool(struct kunit *test)
{
	struct swiotlb_test *t = test->priv;

	if (!is_swiotlb_allocated())
		kunit_skip(test, "this machine has no default pool");
	t->dev->dma_io_tlb_mem = &io_tlb_default_mem;
}

/* Every page of every set is where the set's machine address says. */
static void expect_sets_contiguous(struct kunit *test, struct io_tlb_pool *pool)
{
	phys_addr_t maddr, highest = 0;
	unsigned long i, offset;

	for (i = 0; i < pool->nslabs; i += PAGE_SIZE / IO_TLB_SIZE) {
		offset = (i % IO_TLB_SEGSIZE) << IO_TLB_SHIFT;
		maddr = dma_phys_to_machine(slot_phys(pool, i));
		KUNIT_ASSERT_EQ(test, slot_set(pool, i)->maddr + offset, maddr);
		highest = max(highest, maddr + PAGE_SIZE - 1);
	}
	KUNIT_EXPECT_EQ(test, pool->maddr_max, highest);
}

void swiotlb_test_sets_contiguous(struct kunit *test)
{
	struct swiotlb_test *t = test->priv;

	expect_sets_contiguous(test, t->mem.defpool);
}

void swiotlb_test_default_pool(struct kunit *test)
{
	struct io_tlb_pool *pool;

	need_default_pool(test);
	pool = io_tlb_default_mem.defpool;
	expect_sets_contiguous(test, pool);
	KUNIT_EXPECT_GE(test, default_swiotlb_limit(), pool->end - 1);
	KUNIT_EXPECT_EQ(test, swiotlb_size_or_default() >> IO_TLB_SHIFT,
			pool->nslabs);
	KUNIT_EXPECT_GE(test, io_tlb_default_mem.nslabs, pool->nslabs);
}

/* A page that a device with 32 bits does not reach, if there is one */
static struct page *alloc_high_page(struct kunit *test)
{
	struct page *page = alloc_page(GFP_KERNEL);

	KUNIT_ASSERT_NOT_NULL(test, page);
	if (dma_phys_to_machine(page_to_phys(page)) > DMA_BIT_MASK(32))
		return page;
	__free_page(page);
	kunit_skip(test, "the page allocator has no page above 4 GiB");
	return NULL;
}

void swiotlb_test_above_4g(struct kunit *test)
{
	struct swiotlb_test *t = test->priv;
	struct page *page;
	dma_addr_t dma;

	need_default_pool(test);
	page = alloc_high_page(test);

	dma = dma_map_page(t->dev, page, 0, PAGE_SIZE, DMA_TO_DEVICE);
	KUNIT_EXPECT_FALSE(test, dma_mapping_error(t->dev, dma));
	KUNIT_EXPECT_LE(test, dma + PAGE_SIZE - 1, DMA_BIT_MASK(32));
	KUNIT_EXPECT_NOT_NULL(test, pool_of(t->dev, dma));
	dma_unmap_page(t->dev, dma, PAGE_SIZE, DMA_TO_DEVICE);
	KUNIT_EXPECT_TRUE(test, round_trip(t->dev, page_address(page),
					   PAGE_SIZE, 1));
	__free_page(page);
}

void swiotlb_test_wide_device(struct kunit *test)
{
	struct swiotlb_test *t = test->priv;
	struct page *page;
	dma_addr_t dma;

	need_default_pool(test);
	if (is_swiotlb_force_bounce(t->dev))
		kunit_skip(test, "swiotlb=force");
	page = alloc_high_page(test);

	KUNIT_EXPECT_EQ(test, dma_set_mask(t->dev, DMA_BIT_MASK(64)), 0);
	dma = dma_map_page(t->dev, page, 0, PAGE_SIZE, DMA_TO_DEVICE);
	KUNIT_EXPECT_FALSE(test, dma_mapping_error(t->dev, dma));
	KUNIT_EXPECT_EQ(test, dma, phys_to_dma(t->dev, page_to_phys(page)));
	KUNIT_EXPECT_FALSE(test, dma_need_sync(t->dev, dma));
	dma_unmap_page(t->dev, dma, PAGE_SIZE, DMA_TO_DEVICE);
	__free_page(page);
}

void swiotlb_test_required_mask(struct kunit *test)
{
	struct swiotlb_test *t = test->priv;
	u64 mask = dma_get_required_mask(t->dev);
	dma_addr_t last = phys_to_dma(t->dev, PFN_PHYS(max_pfn - 1));

	KUNIT_EXPECT_EQ(test, mask & (mask + 1), 0);
	KUNIT_EXPECT_GE(test, mask, last);
	if (dma_machine_is_phys())
		KUNIT_EXPECT_LT(test, mask / 2, last);
}
