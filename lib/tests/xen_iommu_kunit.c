// SPDX-License-Identifier: GPL-2.0-only
/*
 * Machine addresses of a Xen PV guest.
 *
 * Everything is compared with what the P2M says page by page. Elsewhere than in a
 * PV guest, machine addresses are physical ones, and the tests are skipped.
 *
 * The device is that of dma_kunit.h. Random numbers are the same in each run.
 */
#include <kunit/test.h>
#include <linux/delay.h>
#include <linux/dma-machine.h>
#include <linux/gfp.h>
#include <linux/jiffies.h>
#include <linux/kthread.h>
#include <linux/mm.h>
#include <linux/page-flags.h>
#include <linux/pfn.h>
#include <linux/prandom.h>
#include <linux/sizes.h>
#include <linux/slab.h>
#include <linux/swiotlb.h>
#include <asm/xen/p2m-leaf.h>
#include <xen/page.h>
#include <xen/xen.h>

#include "../swiotlb_internal.h"
#include "dma_kunit.h"

/**
 * struct xen_test - what each test has
 * @dev:	Device that reaches all memory.
 * @pages:	First of 2^MAX_ORDER_TESTED pages.
 * @data:	What the device writes.
 * @rnd:	Random numbers.
 */
struct xen_test {
	struct device *dev;
	struct page *pages;
	void *data;
	struct rnd_state rnd;
};

/* Extents of more cannot be had in atomic context. */
#define MAX_ORDER_TESTED	9
#define NR_PAGES		BIT(MAX_ORDER_TESTED)

static int test_init(struct kunit *test)
{
	struct xen_test *t;

	if (!xen_pv_domain())
		kunit_skip(test, "this is no Xen PV guest");

	t = kunit_kzalloc(test, sizeof(*t), GFP_KERNEL);
	KUNIT_ASSERT_NOT_NULL(test, t);
	t->data = kunit_kzalloc(test, SZ_512K, GFP_KERNEL);
	KUNIT_ASSERT_NOT_NULL(test, t->data);
	t->dev = dma_test_device(test, DMA_BIT_MASK(64));
	prandom_seed_state(&t->rnd, 1);
	t->pages = alloc_pages(GFP_KERNEL, MAX_ORDER_TESTED);
	KUNIT_ASSERT_NOT_NULL(test, t->pages);
	test->priv = t;
	return 0;
}

/* The pages leave as what they came: single frames, all ours. */
static void test_exit(struct kunit *test)
{
	struct xen_test *t = test->priv;
	unsigned long i;

	if (!t)
		return;
	for (i = 0; i < NR_PAGES; i++)
		KUNIT_EXPECT_FALSE(test, PageXenRemapped(t->pages + i));
	__free_pages(t->pages, MAX_ORDER_TESTED);
}

static phys_addr_t maddr_of(struct page *page)
{
	return dma_phys_to_machine(page_to_phys(page));
}

/* Each page has a frame of its own, which leads back to the page. */
static void expect_consistent(struct kunit *test, struct page *page,
			      unsigned long nr)
{
	phys_addr_t phys;
	unsigned long i;

	for (i = 0; i < nr; i++) {
		phys = page_to_phys(page + i);
		KUNIT_ASSERT_EQ(test, dma_machine_to_phys(dma_phys_to_machine(phys)),
				phys);
		KUNIT_ASSERT_EQ(test, dma_phys_to_machine(phys),
				PFN_PHYS(pfn_to_mfn(PHYS_PFN(phys))));
	}
}

/* The CPU can use the pages, and none is another one's. */
static void expect_usable(struct kunit *test, struct page *page,
			  unsigned long nr)
{
	unsigned long i;

	for (i = 0; i < nr; i++)
		dma_test_fill(page_address(page + i), PAGE_SIZE, i);
	for (i = 0; i < nr; i++)
		KUNIT_ASSERT_TRUE(test, dma_test_filled(page_address(page + i),
							PAGE_SIZE, i));
}

static bool slowly_contiguous(phys_addr_t phys, size_t size)
{
	phys_addr_t first = dma_phys_to_machine(phys) & PAGE_MASK;
	unsigned long i;

	for (i = 1; i < PFN_UP(offset_in_page(phys) + size); i++)
		if (dma_phys_to_machine((phys & PAGE_MASK) + i * PAGE_SIZE) !=
		    first + i * PAGE_SIZE)
			return false;
	return true;
}

static bool make(struct page *page, unsigned int order, u64 limit)
{
	return !dma_machine_make_contiguous(page, PAGE_SIZE << order, limit,
					GFP_KERNEL);
}

static void undo(struct page *page, unsigned int order)
{
	dma_machine_undo_contiguous(page, PAGE_SIZE << order);
}

/*
 * Translation
 */

static void round_trip(struct kunit *test)
{
	struct xen_test *t = test->priv;
	phys_addr_t phys = page_to_phys(t->pages);

	KUNIT_EXPECT_FALSE(test, dma_machine_is_phys());
	expect_consistent(test, t->pages, NR_PAGES);
	KUNIT_EXPECT_EQ(test, dma_phys_to_machine(phys + 1234),
			dma_phys_to_machine(phys) + 1234);
	KUNIT_EXPECT_EQ(test, dma_machine_to_phys(dma_phys_to_machine(phys) + 4095),
			phys + 4095);
}

/* A frame is ours, and leads back, or it is nobody's that we know. */
static void foreign_frames(struct kunit *test)
{
	unsigned long end = PHYS_PFN(dma_machine_max()) + 1, mfn, step;
	unsigned long ours = 0, foreign = 0;
	phys_addr_t phys;

	step = max(end / 100000, 1UL);
	for (mfn = 0; mfn < end; mfn += step) {
		phys = dma_machine_to_phys(PFN_PHYS(mfn) + 5);
		if (phys == DMA_PHYS_NONE) {
			foreign++;
			continue;
		}
		ours++;
		KUNIT_ASSERT_EQ(test, dma_phys_to_machine(phys), PFN_PHYS(mfn) + 5);
	}
	KUNIT_EXPECT_GT(test, ours, 0);
	/* Xen itself has some, if nobody else does. */
	KUNIT_EXPECT_GT(test, foreign, 0);
	KUNIT_EXPECT_EQ(test, dma_machine_to_phys(PFN_PHYS(end) * 2), DMA_PHYS_NONE);
}

/* Where there is no page, there is no address, and nothing is contiguous. */
static void no_page(struct kunit *test)
{
	struct xen_test *t = test->priv;
	struct page *page;

	if (xen_alloc_unpopulated_pages(1, &page))
		kunit_skip(test, "no unpopulated page to be had");
	KUNIT_EXPECT_EQ(test, maddr_of(page), (phys_addr_t)DMA_MAPPING_ERROR);
	KUNIT_EXPECT_FALSE(test, dma_machine_contiguous(page_to_phys(page), SZ_8K));
	KUNIT_EXPECT_FALSE(test, xen_p2m_contiguous(page_to_pfn(page), 1));
	KUNIT_EXPECT_FALSE(test, dma_capable(t->dev, page_to_phys(page),
					     phys_to_dma(t->dev,
							 page_to_phys(page)),
					     PAGE_SIZE, 0));
	xen_free_unpopulated_pages(1, &page);
}

static void required_mask(struct kunit *test)
{
	struct xen_test *t = test->priv;
	u64 mask = dma_get_required_mask(t->dev);

	KUNIT_EXPECT_EQ(test, mask & (mask + 1), 0);
	KUNIT_EXPECT_GE(test, mask, dma_machine_max());
	KUNIT_EXPECT_LT(test, mask / 2, dma_machine_max());
	KUNIT_EXPECT_LE(test, maddr_of(t->pages), dma_machine_max());
}

/*
 * Contiguity
 */

/* Up to here there are gaps. */
#define GAP_PAGES	64

static void close_gaps(struct xen_test *t)
{
	unsigned long i;

	for (i = 1; i < GAP_PAGES; i += 4)
		undo(t->pages + i, 0);
}

/* Make the second page of each four another frame, so that there are gaps. */
static void make_gaps(struct kunit *test)
{
	struct xen_test *t = test->priv;
	unsigned long i;

	for (i = 1; i < GAP_PAGES; i += 4) {
		if (make(t->pages + i, 0, DMA_BIT_MASK(32)))
			continue;
		close_gaps(t);
		kunit_skip(test, "no page below 4 GiB to be had");
	}
}

static void contiguous(struct kunit *test)
{
	struct xen_test *t = test->priv;
	unsigned int i, yes = 0;
	phys_addr_t phys;
	size_t size;
	bool slow;

	make_gaps(test);
	for (i = 0; i < 5000; i++) {
		phys = page_to_phys(t->pages) +
			prandom_u32_state(&t->rnd) % (GAP_PAGES * PAGE_SIZE);
		size = 1 + prandom_u32_state(&t->rnd) % (6 * PAGE_SIZE);
		slow = slowly_contiguous(phys, size);
		yes += slow;
		KUNIT_EXPECT_EQ_MSG(test, dma_machine_contiguous(phys, size), slow,
				    "%zu bytes at %pa", size, &phys);
	}
	/* Both answers were asked for. */
	KUNIT_EXPECT_GT(test, yes, 0);
	KUNIT_EXPECT_LT(test, yes, i);
	close_gaps(t);
}

/* One byte decides whether the next page matters. */
static void contiguous_to_the_byte(struct kunit *test)
{
	struct xen_test *t = test->priv;
	phys_addr_t phys = page_to_phys(t->pages);

	make_gaps(test);
	KUNIT_EXPECT_TRUE(test, dma_machine_contiguous(phys, PAGE_SIZE));
	KUNIT_EXPECT_FALSE(test, dma_machine_contiguous(phys, PAGE_SIZE + 1));
	KUNIT_EXPECT_TRUE(test, dma_machine_contiguous(phys + PAGE_SIZE - 1, 1));
	KUNIT_EXPECT_FALSE(test, dma_machine_contiguous(phys + PAGE_SIZE - 1, 2));
	KUNIT_EXPECT_TRUE(test, dma_machine_contiguous(DMA_PHYS_NONE, SZ_1G));
	close_gaps(t);
}

/*
 * Contiguity, remembered a leaf of the P2M at a time
 */

/* Two leaves are tested; a leaf is 512 entries. */
#define LEAF_ORDER	9
#define LEAF_PAGES	BIT(LEAF_ORDER)

static bool whole_leaf(unsigned long pfn)
{
	return dma_machine_contiguous(PFN_PHYS(pfn), LEAF_PAGES * PAGE_SIZE);
}

/* A leaf is read when somebody asks, but not any number of leaves in a tick. */
static void learn_leaf(struct kunit *test, unsigned long pfn)
{
	unsigned long *word = &xen_p2m_leaves[pfn / P2M_PER_PAGE];
	unsigned int i;

	for (i = 0; i < 100 && !(READ_ONCE(*word) & XEN_P2M_VALID); i++) {
		whole_leaf(pfn);
		msleep(20);
	}
	KUNIT_ASSERT_TRUE(test, READ_ONCE(*word) & XEN_P2M_VALID);
}

/* Two leaves, each of them an extent, or both one; the test undoes it. */
static struct page *two_leaves(struct kunit *test, unsigned int order)
{
	struct page *pages = alloc_pages(GFP_KERNEL, LEAF_ORDER + 1);
	unsigned int i;

	KUNIT_ASSERT_NOT_NULL(test, pages);
	KUNIT_ASSERT_LT(test, page_to_pfn(pages) / P2M_PER_PAGE + 1,
			xen_p2m_nr_leaves);
	for (i = 0; i < 2 * LEAF_PAGES; i += BIT(order)) {
		if (make(pages + i, order, U64_MAX))
			continue;
		while (i) {
			i -= BIT(order);
			undo(pages + i, order);
		}
		__free_pages(pages, LEAF_ORDER + 1);
		kunit_skip(test, "no extent of order %u to be had", order);
	}
	return pages;
}

static void free_leaves(struct page *pages, unsigned int order)
{
	unsigned int i;

	for (i = 0; i < 2 * LEAF_PAGES; i += BIT(order))
		undo(pages + i, order);
	__free_pages(pages, LEAF_ORDER + 1);
}

/* Anywhere in two leaves */
static void expect_as_slowly(struct kunit *test, struct page *pages)
{
	struct xen_test *t = test->priv;
	phys_addr_t phys;
	unsigned int i;
	size_t size;

	for (i = 0; i < 300; i++) {
		phys = page_to_phys(pages) +
			prandom_u32_state(&t->rnd) % (2 * SZ_2M);
		size = 1 + prandom_u32_state(&t->rnd) %
			(page_to_phys(pages) + 2 * SZ_2M - phys);
		KUNIT_EXPECT_EQ_MSG(test, dma_machine_contiguous(phys, size),
				    slowly_contiguous(phys, size),
				    "%zu bytes at %pa", size, &phys);
	}
}

static void leaf_remembered(struct kunit *test)
{
	struct page *pages = two_leaves(test, LEAF_ORDER);
	unsigned long pfn = page_to_pfn(pages);

	learn_leaf(test, pfn);
	KUNIT_EXPECT_TRUE(test, xen_p2m_remembered(pfn, LEAF_PAGES));
	KUNIT_EXPECT_TRUE(test, xen_p2m_remembered(pfn + 511, 1));
	KUNIT_EXPECT_FALSE(test, xen_p2m_remembered(pfn + 511, 2));
	KUNIT_EXPECT_TRUE(test, whole_leaf(pfn));
	expect_as_slowly(test, pages);
	free_leaves(pages, LEAF_ORDER);
}

/* Another frame in the middle, and then an extent again */
static void leaf_exchanged(struct kunit *test)
{
	struct page *pages = two_leaves(test, LEAF_ORDER);
	unsigned long pfn = page_to_pfn(pages);
	phys_addr_t phys = page_to_phys(pages);

	learn_leaf(test, pfn);
	if (!make(pages + 300, 0, DMA_BIT_MASK(32))) {
		free_leaves(pages, LEAF_ORDER);
		kunit_skip(test, "no page below 4 GiB to be had");
	}
	KUNIT_EXPECT_FALSE(test, xen_p2m_remembered(pfn, 16));
	KUNIT_EXPECT_FALSE(test, whole_leaf(pfn));
	KUNIT_EXPECT_TRUE(test, dma_machine_contiguous(phys, 300 * PAGE_SIZE));
	KUNIT_EXPECT_FALSE(test, dma_machine_contiguous(phys, 301 * PAGE_SIZE));

	/* What is left of it is remembered, in groups of 16. */
	learn_leaf(test, pfn);
	KUNIT_EXPECT_TRUE(test, xen_p2m_remembered(pfn, 288));
	KUNIT_EXPECT_FALSE(test, xen_p2m_remembered(pfn, 289));
	KUNIT_EXPECT_FALSE(test, xen_p2m_remembered(pfn + 303, 2));
	KUNIT_EXPECT_TRUE(test, xen_p2m_remembered(pfn + 304, 208));
	KUNIT_EXPECT_FALSE(test, whole_leaf(pfn));
	expect_as_slowly(test, pages);

	undo(pages + 300, 0);
	undo(pages, LEAF_ORDER);
	expect_consistent(test, pages, 2 * LEAF_PAGES);
	if (make(pages, LEAF_ORDER, U64_MAX)) {
		KUNIT_EXPECT_TRUE(test, whole_leaf(pfn));
		learn_leaf(test, pfn);
		KUNIT_EXPECT_TRUE(test, xen_p2m_remembered(pfn, LEAF_PAGES));
	}
	free_leaves(pages, LEAF_ORDER);
}

/* Entry @at of the leaf becomes @entry, which is not what belongs there, and comes back. */
static void expect_broken(struct kunit *test, unsigned long leaf,
			  unsigned long at, unsigned long entry)
{
	unsigned long pfn = leaf + at, mfn = pfn_to_mfn(pfn);

	learn_leaf(test, leaf);
	KUNIT_EXPECT_TRUE(test, xen_p2m_remembered(leaf, LEAF_PAGES));

	set_phys_to_machine(pfn, entry);
	KUNIT_EXPECT_FALSE(test, xen_p2m_remembered(leaf, 1));
	KUNIT_EXPECT_FALSE(test, whole_leaf(leaf));
	learn_leaf(test, leaf);
	KUNIT_EXPECT_FALSE(test, whole_leaf(leaf));
	KUNIT_EXPECT_FALSE(test, xen_p2m_remembered(pfn, 1));
	if (at) {
		KUNIT_EXPECT_TRUE(test, xen_p2m_contiguous(leaf, at));
		KUNIT_EXPECT_FALSE(test, xen_p2m_contiguous(leaf, at + 1));
		KUNIT_EXPECT_FALSE(test, xen_p2m_contiguous(pfn - 1, 2));
	}
	if (at < LEAF_PAGES - 1) {
		KUNIT_EXPECT_FALSE(test, xen_p2m_contiguous(pfn, 2));
		KUNIT_EXPECT_TRUE(test, xen_p2m_contiguous(pfn + 1,
							   LEAF_PAGES - 1 - at));
	}

	set_phys_to_machine(pfn, mfn);
	KUNIT_EXPECT_TRUE(test, whole_leaf(leaf));
}

/* What ballooning and grants make of an entry: at both ends of the leaf and of groups */
static void leaf_with_other_entries(struct kunit *test)
{
	static const unsigned int at[] = { 0, 1, 14, 15, 16, 17, 255, 256, 510, 511 };
	struct page *pages = two_leaves(test, LEAF_ORDER);
	unsigned long leaf = page_to_pfn(pages), mfn;
	int i;

	for (i = 0; i < ARRAY_SIZE(at); i++) {
		mfn = pfn_to_mfn(leaf + at[i]);
		expect_broken(test, leaf, at[i], INVALID_P2M_ENTRY);
		expect_broken(test, leaf, at[i], FOREIGN_FRAME(mfn));
		expect_broken(test, leaf, at[i], IDENTITY_FRAME(mfn));
		expect_broken(test, leaf, at[i], mfn + 1);
		expect_broken(test, leaf, at[i], mfn - 1);
	}
	free_leaves(pages, LEAF_ORDER);
}

static void foreign_run(struct kunit *test)
{
	struct page *pages = two_leaves(test, LEAF_ORDER);
	unsigned long pfn = page_to_pfn(pages), mfn = pfn_to_mfn(pfn), i;

	for (i = 32; i < 64; i++)
		set_phys_to_machine(pfn + i, FOREIGN_FRAME(mfn + i));
	learn_leaf(test, pfn);
	/* Another domain's frames that follow on each other do so, but not on ours. */
	KUNIT_EXPECT_FALSE(test, xen_p2m_remembered(pfn + 32, 16));
	KUNIT_EXPECT_TRUE(test, xen_p2m_contiguous(pfn + 32, 32));
	KUNIT_EXPECT_FALSE(test, xen_p2m_contiguous(pfn + 31, 2));
	KUNIT_EXPECT_FALSE(test, xen_p2m_contiguous(pfn + 63, 2));
	KUNIT_EXPECT_TRUE(test, xen_p2m_remembered(pfn, 32));
	for (i = 32; i < 64; i++)
		set_phys_to_machine(pfn + i, mfn + i);
	KUNIT_EXPECT_TRUE(test, whole_leaf(pfn));
	free_leaves(pages, LEAF_ORDER);
}

/* Groups that are contiguous each, but follow on no neighbour */
static void groups_swapped(struct kunit *test)
{
	struct page *pages = two_leaves(test, LEAF_ORDER);
	unsigned long pfn = page_to_pfn(pages), mfn = pfn_to_mfn(pfn), i;

	for (i = 0; i < 32; i++)
		set_phys_to_machine(pfn + 32 + i, mfn + 32 + (i ^ 16));
	learn_leaf(test, pfn);
	for (i = 32; i <= 64; i += 16) {
		KUNIT_EXPECT_TRUE(test, xen_p2m_remembered(pfn + i, 16));
		KUNIT_EXPECT_FALSE(test, xen_p2m_remembered(pfn + i - 1, 2));
		KUNIT_EXPECT_FALSE(test, xen_p2m_contiguous(pfn + i - 1, 2));
		KUNIT_EXPECT_FALSE(test, xen_p2m_contiguous(pfn + i - 16, 32));
	}
	KUNIT_EXPECT_TRUE(test, xen_p2m_remembered(pfn, 32));
	KUNIT_EXPECT_TRUE(test, xen_p2m_remembered(pfn + 64, 448));
	expect_as_slowly(test, pages);
	for (i = 32; i < 64; i++)
		set_phys_to_machine(pfn + i, mfn + i);
	free_leaves(pages, LEAF_ORDER);
}

/* Two leaves that are one extent */
static void across_leaves(struct kunit *test)
{
	struct page *pages = two_leaves(test, LEAF_ORDER + 1);
	unsigned long pfn = page_to_pfn(pages), mfn = pfn_to_mfn(pfn + 512);

	KUNIT_EXPECT_TRUE(test, xen_p2m_contiguous(pfn, 1024));
	learn_leaf(test, pfn);
	learn_leaf(test, pfn + LEAF_PAGES);
	KUNIT_EXPECT_TRUE(test, xen_p2m_contiguous(pfn, 1024));
	KUNIT_EXPECT_TRUE(test, xen_p2m_contiguous(pfn + 511, 2));

	/* Both contiguous, but not with each other */
	set_phys_to_machine(pfn + 512, mfn + 1);
	KUNIT_EXPECT_FALSE(test, xen_p2m_contiguous(pfn + 511, 2));
	KUNIT_EXPECT_FALSE(test, xen_p2m_contiguous(pfn, 1024));
	set_phys_to_machine(pfn + 512, mfn);
	expect_as_slowly(test, pages);
	free_leaves(pages, LEAF_ORDER + 1);
}

/*
 * Somebody else's page of the same leaf comes and goes: mostly as fast as can be, and
 * once in a while each of both is there to be seen.
 */
static int change_entry(void *data)
{
	unsigned long pfn = (unsigned long)data, mfn = pfn_to_mfn(pfn), i;

	for (i = 0; !kthread_should_stop(); i++) {
		set_phys_to_machine(pfn, i % 2 ? mfn : INVALID_P2M_ENTRY);
		if (i % 101 == 0)
			usleep_range(100, 200);
		cond_resched();
	}
	set_phys_to_machine(pfn, INVALID_P2M_ENTRY);
	return 0;
}

static void leaf_changes_meanwhile(struct kunit *test)
{
	struct page *pages = two_leaves(test, LEAF_ORDER);
	unsigned long pfn = page_to_pfn(pages), mfn = pfn_to_mfn(pfn + 400);
	unsigned long end = jiffies + HZ / 2, seen[2] = { 0, 0 };
	struct task_struct *task;

	task = kthread_run(change_entry, (void *)(pfn + 400), "change_entry");
	KUNIT_ASSERT_FALSE(test, IS_ERR(task));
	while (time_before(jiffies, end)) {
		seen[whole_leaf(pfn)]++;
		KUNIT_EXPECT_TRUE(test, xen_p2m_contiguous(pfn, 400));
		KUNIT_EXPECT_TRUE(test, xen_p2m_contiguous(pfn + 401, 111));
		KUNIT_EXPECT_TRUE(test, xen_p2m_contiguous(pfn + 100, 16));
		cond_resched();
	}
	kthread_stop(task);
	kunit_info(test, "%lu times contiguous, %lu times not", seen[1], seen[0]);
	KUNIT_EXPECT_GT(test, seen[0], 0);
	KUNIT_EXPECT_GT(test, seen[1], 0);

	KUNIT_EXPECT_FALSE(test, whole_leaf(pfn));
	learn_leaf(test, pfn);
	KUNIT_EXPECT_FALSE(test, whole_leaf(pfn));
	KUNIT_EXPECT_FALSE(test, xen_p2m_contiguous(pfn + 399, 2));
	set_phys_to_machine(pfn + 400, mfn);
	KUNIT_EXPECT_TRUE(test, whole_leaf(pfn));
	free_leaves(pages, LEAF_ORDER);
}

/*
 * Exchange
 */

static void make_and_undo(struct kunit *test)
{
	struct xen_test *t = test->priv;
	unsigned int order;
	phys_addr_t maddr;
	size_t size;

	for (order = 0; order <= MAX_ORDER_TESTED; order++) {
		size = PAGE_SIZE << order;
		if (!make(t->pages, order, DMA_BIT_MASK(32))) {
			kunit_info(test, "no extent of order %u", order);
			continue;
		}
		KUNIT_EXPECT_TRUE(test, slowly_contiguous(page_to_phys(t->pages),
							  size));
		KUNIT_EXPECT_TRUE(test, IS_ALIGNED(maddr_of(t->pages), size));
		KUNIT_EXPECT_LE(test, maddr_of(t->pages) + size - 1,
				DMA_BIT_MASK(32));
		KUNIT_EXPECT_TRUE(test, dma_machine_coherent_ok(page_to_phys(t->pages),
								size));
		expect_consistent(test, t->pages, NR_PAGES);
		expect_usable(test, t->pages, NR_PAGES);

		maddr = maddr_of(t->pages);
		undo(t->pages, order);
		KUNIT_EXPECT_NE_MSG(test, maddr_of(t->pages), maddr,
				    "the extent was not returned");
		expect_consistent(test, t->pages, NR_PAGES);
		expect_usable(test, t->pages, NR_PAGES);
	}
}

/* Either the limit is kept, or nothing has happened. */
static void limits(struct kunit *test)
{
	struct xen_test *t = test->priv;
	unsigned int bits, order = 3, got = 0;
	phys_addr_t before;
	u64 limit;

	for (bits = PAGE_SHIFT; bits <= 64; bits++) {
		limit = DMA_BIT_MASK(bits);
		before = maddr_of(t->pages);
		if (make(t->pages, order, limit)) {
			got++;
			KUNIT_EXPECT_LE(test, maddr_of(t->pages) +
					(PAGE_SIZE << order) - 1, limit);
			undo(t->pages, order);
		} else {
			KUNIT_EXPECT_EQ(test, maddr_of(t->pages), before);
		}
		expect_consistent(test, t->pages, 1UL << order);
	}
	KUNIT_EXPECT_GT(test, got, 0);
	expect_usable(test, t->pages, 1UL << order);
}

/*
 * A limit that is no mask must not be exceeded either: not by a byte, though Xen
 * has just been returned an extent that would be good but for that byte.
 */
static void odd_limit(struct kunit *test)
{
	struct xen_test *t = test->priv;
	u64 limit;

	KUNIT_ASSERT_TRUE(test, make(t->pages, 3, DMA_BIT_MASK(32)));
	limit = maddr_of(t->pages) + SZ_32K - 2;
	undo(t->pages, 3);

	if (!make(t->pages, 3, limit))
		kunit_skip(test, "no lower extent");
	KUNIT_EXPECT_LE(test, maddr_of(t->pages) + SZ_32K - 1, limit);
	undo(t->pages, 3);
}

static void undo_what_was_not_made(struct kunit *test)
{
	struct xen_test *t = test->priv;
	phys_addr_t before = maddr_of(t->pages);

	undo(t->pages, 3);
	KUNIT_EXPECT_EQ(test, maddr_of(t->pages), before);
	expect_consistent(test, t->pages, NR_PAGES);
}

/* Large extents need memory for the list of frames. */
static void atomic_context(struct kunit *test)
{
	struct page *page = alloc_pages(GFP_KERNEL, MAX_PAGE_ORDER);
	struct xen_test *t = test->priv;
	unsigned long flags;
	int large, small;

	KUNIT_ASSERT_NOT_NULL(test, page);
	local_irq_save(flags);
	large = dma_machine_make_contiguous(page, PAGE_SIZE << MAX_PAGE_ORDER,
					    DMA_BIT_MASK(32), GFP_ATOMIC);
	small = dma_machine_make_contiguous(t->pages, SZ_16K, DMA_BIT_MASK(32),
					    GFP_ATOMIC);
	local_irq_restore(flags);

	KUNIT_EXPECT_EQ(test, large, -ENOMEM);
	KUNIT_EXPECT_EQ(test, small, 0);
	undo(t->pages, 2);
	expect_consistent(test, page, 1UL << MAX_PAGE_ORDER);
	__free_pages(page, MAX_PAGE_ORDER);
}

/*
 * The DMA API
 */

static void coherent(struct kunit *test)
{
	static const size_t bytes[] = { SZ_4K, SZ_16K, SZ_64K, SZ_256K, SZ_1M };
	static const unsigned int bits[] = { 28, 31, 32, 36, 64 };
	struct xen_test *t = test->priv;
	phys_addr_t phys;
	dma_addr_t dma;
	size_t size;
	void *vaddr;
	int i;

	for (i = 0; i < ARRAY_SIZE(bits) * ARRAY_SIZE(bytes); i++) {
		size = bytes[i % ARRAY_SIZE(bytes)];
		t->dev->coherent_dma_mask =
			DMA_BIT_MASK(bits[i / ARRAY_SIZE(bytes)]);
		vaddr = dma_alloc_coherent(t->dev, size, &dma,
					   GFP_KERNEL | __GFP_NOWARN);
		if (!vaddr && t->dev->coherent_dma_mask < DMA_BIT_MASK(32))
			continue;
		KUNIT_ASSERT_NOT_NULL(test, vaddr);
		phys = virt_to_phys(vaddr);
		KUNIT_EXPECT_EQ(test, dma, dma_phys_to_machine(phys));
		KUNIT_EXPECT_TRUE(test, slowly_contiguous(phys, size));
		KUNIT_EXPECT_TRUE(test, IS_ALIGNED(dma, size));
		KUNIT_EXPECT_LE(test, dma + size - 1,
				t->dev->coherent_dma_mask);
		KUNIT_EXPECT_NULL(test, memchr_inv(vaddr, 0, size));
		dma_free_coherent(t->dev, size, vaddr, dma);
		expect_consistent(test, virt_to_page(vaddr), PHYS_PFN(size));
	}
}

/* A buffer that is contiguous for the CPU only */
static void bounce_over_gap(struct kunit *test)
{
	struct xen_test *t = test->priv;
	void *buf = page_address(t->pages);
	size_t size = 8 * PAGE_SIZE;
	dma_addr_t dma;

	if (!is_swiotlb_active(t->dev))
		kunit_skip(test, "no bounce buffers");
	make_gaps(test);

	dma_test_fill(buf, size, 1);
	dma = dma_map_single(t->dev, buf, size, DMA_BIDIRECTIONAL);
	KUNIT_EXPECT_FALSE(test, dma_mapping_error(t->dev, dma));
	KUNIT_EXPECT_NE(test, dma, maddr_of(t->pages));
	KUNIT_EXPECT_TRUE(test, slowly_contiguous(dma_to_phys(t->dev, dma),
						  size));
	KUNIT_EXPECT_TRUE(test, dma_test_sees(t->dev, dma, buf, size));
	dma_test_fill(t->data, size, 2);
	dma_test_write(t->dev, dma, t->data, size);
	dma_unmap_single(t->dev, dma, size, DMA_BIDIRECTIONAL);
	KUNIT_EXPECT_TRUE(test, dma_test_filled(buf, size, 2));
	close_gaps(t);
}

/* One that is contiguous for the device as well is used where it is. */
static void direct(struct kunit *test)
{
	struct xen_test *t = test->priv;
	void *buf = page_address(t->pages);
	dma_addr_t dma;

	if (is_swiotlb_force_bounce(t->dev))
		kunit_skip(test, "swiotlb=force");
	KUNIT_ASSERT_TRUE(test, make(t->pages, 3, DMA_BIT_MASK(32)));

	dma = dma_map_single(t->dev, buf + 100, SZ_16K, DMA_FROM_DEVICE);
	KUNIT_EXPECT_FALSE(test, dma_mapping_error(t->dev, dma));
	KUNIT_EXPECT_EQ(test, dma, maddr_of(t->pages) + 100);
	dma_test_fill(t->data, SZ_16K, 1);
	dma_test_write(t->dev, dma, t->data, SZ_16K);
	KUNIT_EXPECT_TRUE(test, dma_test_filled(buf + 100, SZ_16K, 1));
	dma_unmap_single(t->dev, dma, SZ_16K, DMA_FROM_DEVICE);
	undo(t->pages, 3);
}

/* Whether other devices' registers are within reach is not known here. */
static void resource(struct kunit *test)
{
	struct xen_test *t = test->priv;
	phys_addr_t hpet = 0xfed00000;
	dma_addr_t dma;

	if (pfn_valid(PHYS_PFN(hpet)))
		kunit_skip(test, "there is memory at %pa", &hpet);
	dma = dma_map_resource(t->dev, hpet, PAGE_SIZE, DMA_BIDIRECTIONAL, 0);
	KUNIT_EXPECT_TRUE(test, dma_mapping_error(t->dev, dma));
}

/* Every slot set of the default pool */
static void pool_contiguous(struct kunit *test)
{
	struct io_tlb_pool *pool = io_tlb_default_mem.defpool;
	unsigned long i;

	if (!pool)
		kunit_skip(test, "no bounce buffers");
	for (i = 0; i < pool->nslabs; i += IO_TLB_SEGSIZE) {
		KUNIT_EXPECT_TRUE(test, slowly_contiguous(slot_phys(pool, i),
							  IO_TLB_SET_BYTES));
		KUNIT_EXPECT_TRUE(test, IS_ALIGNED(slot_set(pool, i)->maddr,
						   IO_TLB_SET_BYTES));
		KUNIT_EXPECT_EQ(test, slot_set(pool, i)->maddr,
				dma_phys_to_machine(slot_phys(pool, i)));
	}
	KUNIT_EXPECT_LE(test, pool->maddr_max, DMA_BIT_MASK(32));
}

static struct kunit_case xen_iommu_cases[] = {
	KUNIT_CASE(round_trip),
	KUNIT_CASE(foreign_frames),
	KUNIT_CASE(no_page),
	KUNIT_CASE(required_mask),
	KUNIT_CASE(contiguous),
	KUNIT_CASE(contiguous_to_the_byte),
	KUNIT_CASE(leaf_remembered),
	KUNIT_CASE(leaf_exchanged),
	KUNIT_CASE(leaf_with_other_entries),
	KUNIT_CASE(foreign_run),
	KUNIT_CASE(groups_swapped),
	KUNIT_CASE(across_leaves),
	KUNIT_CASE(leaf_changes_meanwhile),
	KUNIT_CASE(make_and_undo),
	KUNIT_CASE(limits),
	KUNIT_CASE(odd_limit),
	KUNIT_CASE(undo_what_was_not_made),
	KUNIT_CASE(atomic_context),
	KUNIT_CASE(coherent),
	KUNIT_CASE(bounce_over_gap),
	KUNIT_CASE(direct),
	KUNIT_CASE(resource),
	KUNIT_CASE(pool_contiguous),
	{}
};

static struct kunit_suite xen_iommu_suite = {
	.name = "xen-iommu",
	.init = test_init,
	.exit = test_exit,
	.test_cases = xen_iommu_cases,
};

kunit_test_suite(xen_iommu_suite);
