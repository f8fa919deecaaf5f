// SPDX-License-Identifier: GPL-2.0-only
/*
 * Software IO TLB: what takes no slot, as the device reaches it where it is.
 * These are buffers within its limits, all buffers of a device that has no
 * software IO TLB, and memory that was allocated for the device.
 */
#include "swiotlb_kunit.h"

/* What a device reaches it gets without a slot. */
void swiotlb_test_direct(struct kunit *test)
{
	struct swiotlb_test *t = test->priv;
	dma_addr_t dma;

	t->mem.force_bounce = false;
	*t->dev->dma_mask = DMA_BIT_MASK(64);
	dma = map(test, t->buf + 100, 1000, DMA_BIDIRECTIONAL);
	KUNIT_EXPECT_EQ(test, dma, phys_to_dma(t->dev,
					       virt_to_phys(t->buf + 100)));
	KUNIT_EXPECT_EQ(test, used(t), 0);
	dma_sync_single_for_cpu(t->dev, dma, 1000, DMA_BIDIRECTIONAL);
	unmap(t, dma, 1000, DMA_BIDIRECTIONAL);
}

/* And what is just beyond its reach it gets bounced. */
void swiotlb_test_one_byte_too_far(struct kunit *test)
{
	struct swiotlb_test *t = test->priv;
	dma_addr_t end = phys_to_dma(t->dev, virt_to_phys(t->buf)) + PAGE_SIZE;
	dma_addr_t dma;

	if (end <= t->mem.defpool->maddr_max)
		kunit_skip(test, "the buffer is not above the pool");

	t->mem.force_bounce = false;
	*t->dev->dma_mask = end - 1;
	dma = map(test, t->buf, PAGE_SIZE, DMA_TO_DEVICE);
	KUNIT_EXPECT_EQ(test, used(t), 0);
	unmap(t, dma, PAGE_SIZE, DMA_TO_DEVICE);

	*t->dev->dma_mask = end - 2;
	dma = map(test, t->buf, PAGE_SIZE, DMA_TO_DEVICE);
	KUNIT_EXPECT_EQ(test, used(t), nr_slots(PAGE_SIZE));
	unmap(t, dma, PAGE_SIZE, DMA_TO_DEVICE);
}

void swiotlb_test_need_sync(struct kunit *test)
{
	struct swiotlb_test *t = test->priv;
	dma_addr_t direct, bounced;

	t->mem.force_bounce = false;
	*t->dev->dma_mask = DMA_BIT_MASK(64);
	direct = map(test, t->buf, 100, DMA_TO_DEVICE);
	KUNIT_EXPECT_FALSE(test, dma_need_sync(t->dev, direct));

	t->mem.force_bounce = true;
	bounced = map(test, t->buf, 100, DMA_TO_DEVICE);
	KUNIT_EXPECT_TRUE(test, dma_need_sync(t->dev, bounced));
	KUNIT_EXPECT_FALSE(test, dma_need_sync(t->dev, direct));
	unmap(t, bounced, 100, DMA_TO_DEVICE);
	unmap(t, direct, 100, DMA_TO_DEVICE);
}

/* A driver sets its mask again while a mapping lives: it is synced as before. */
void swiotlb_test_mask_set_again(struct kunit *test)
{
	struct swiotlb_test *t = test->priv;
	dma_addr_t dma = map(test, t->buf, 100, DMA_FROM_DEVICE);

	KUNIT_ASSERT_EQ(test, dma_set_mask(t->dev, DMA_BIT_MASK(32)), 0);
	dma_test_fill(t->data, 100, 1);
	dma_test_write(t->dev, dma, t->data, 100);
	dma_sync_single_for_cpu(t->dev, dma, 100, DMA_FROM_DEVICE);
	KUNIT_EXPECT_TRUE(test, dma_test_filled(t->buf, 100, 1));
	unmap(t, dma, 100, DMA_FROM_DEVICE);
}

/* A device without a software IO TLB, and one that does not need it */
void swiotlb_test_not_active(struct kunit *test)
{
	struct swiotlb_test *t = test->priv;

	KUNIT_EXPECT_TRUE(test, is_swiotlb_active(t->dev));
	KUNIT_EXPECT_TRUE(test, is_swiotlb_force_bounce(t->dev));

	t->mem.force_bounce = false;
	KUNIT_ASSERT_EQ(test, dma_set_mask(t->dev, DMA_BIT_MASK(64)), 0);
	/* On Xen as well: the device reaches all memory of the machine. */
	KUNIT_EXPECT_EQ(test, dma_max_mapping_size(t->dev), SIZE_MAX);

	t->dev->dma_io_tlb_mem = NULL;
	KUNIT_EXPECT_FALSE(test, is_swiotlb_active(t->dev));
	KUNIT_EXPECT_FALSE(test, is_swiotlb_force_bounce(t->dev));
	KUNIT_EXPECT_EQ(test, dma_max_mapping_size(t->dev), SIZE_MAX);
	unmap(t, map(test, t->buf, 100, DMA_TO_DEVICE), 100, DMA_TO_DEVICE);
}

/* Coherent memory is where the device reaches it, and never a bounce buffer. */
void swiotlb_test_coherent(struct kunit *test)
{
	static const size_t bytes[] = { 1, SZ_4K, SZ_8K + 1, SZ_64K };
	static const unsigned int bits[] = { 24, 28, 32, 64 };
	struct swiotlb_test *t = test->priv;
	u64 mask, align;
	dma_addr_t dma;
	void *vaddr;
	int i, k;

	for (i = 0; i < ARRAY_SIZE(bits) * ARRAY_SIZE(bytes); i++) {
		k = i % ARRAY_SIZE(bytes);
		mask = DMA_BIT_MASK(bits[i / ARRAY_SIZE(bytes)]);
		align = PAGE_SIZE << get_order(bytes[k]);
		t->dev->coherent_dma_mask = mask;
		vaddr = dma_alloc_coherent(t->dev, bytes[k], &dma,
					   GFP_KERNEL | __GFP_NOWARN);
		/* Xen may have no memory that low. */
		if (!vaddr && !dma_machine_is_phys() && mask < DMA_BIT_MASK(32))
			continue;
		KUNIT_ASSERT_NOT_NULL(test, vaddr);
		KUNIT_ASSERT_TRUE(test, dma_test_is_at(t->dev, dma, vaddr,
						       bytes[k]));
		KUNIT_EXPECT_LE(test, dma + bytes[k] - 1, mask);
		KUNIT_EXPECT_TRUE(test, IS_ALIGNED(dma, align));
		KUNIT_EXPECT_NULL(test, memchr_inv(vaddr, 0, bytes[k]));

		dma_test_fill(t->data, bytes[k], i);
		dma_test_write(t->dev, dma, t->data, bytes[k]);
		KUNIT_EXPECT_TRUE(test, dma_test_filled(vaddr, bytes[k], i));
		KUNIT_EXPECT_EQ(test, used(t), 0);
		dma_free_coherent(t->dev, bytes[k], vaddr, dma);
	}
}

void swiotlb_test_noncontiguous(struct kunit *test)
{
	struct swiotlb_test *t = test->priv;
	struct sg_table *sgt;
	struct page *page;
	dma_addr_t dma;

	page = dma_alloc_pages(t->dev, SZ_64K, &dma, DMA_FROM_DEVICE, GFP_KERNEL);
	KUNIT_ASSERT_NOT_NULL(test, page);
	KUNIT_ASSERT_TRUE(test, dma_test_is_at(t->dev, dma, page_address(page),
					       SZ_64K));
	dma_test_fill(t->data, SZ_64K, 1);
	dma_test_write(t->dev, dma, t->data, SZ_64K);
	KUNIT_EXPECT_TRUE(test, dma_test_filled(page_address(page), SZ_64K, 1));
	KUNIT_EXPECT_EQ(test, used(t), 0);
	dma_free_pages(t->dev, SZ_64K, page, dma, DMA_FROM_DEVICE);

	sgt = dma_alloc_noncontiguous(t->dev, SZ_512K, DMA_TO_DEVICE, GFP_KERNEL,
				      0);
	KUNIT_ASSERT_NOT_NULL(test, sgt);
	KUNIT_EXPECT_EQ(test, used(t), 0);
	dma_free_noncontiguous(t->dev, SZ_512K, sgt, DMA_TO_DEVICE);
}
