// SPDX-License-Identifier: GPL-2.0-only
/*
 * Software IO TLB: what a device and the CPU see of each other's data, after
 * mapping, partial syncs and unmapping, in each direction, of single buffers
 * and of lists.
 */
#include <linux/scatterlist.h>

#include "swiotlb_kunit.h"

/*
 * Directions and copies
 */

static const size_t sizes[] = {
	1, 63, IO_TLB_SIZE - 1, IO_TLB_SIZE, IO_TLB_SIZE + 1, PAGE_SIZE - 1,
	PAGE_SIZE, PAGE_SIZE + 1, SZ_64K, SZ_128K + 1, IO_TLB_SET_BYTES,
};

void swiotlb_test_to_device(struct kunit *test)
{
	struct swiotlb_test *t = test->priv;
	dma_addr_t dma;
	int i;

	for (i = 0; i < ARRAY_SIZE(sizes); i++) {
		dma_test_fill(t->buf, sizes[i], i);
		dma = map(test, t->buf, sizes[i], DMA_TO_DEVICE);
		KUNIT_EXPECT_PTR_EQ(test, pool_of(t->dev, dma), t->mem.defpool);
		KUNIT_EXPECT_EQ(test, used(t), nr_slots(sizes[i]));
		KUNIT_EXPECT_TRUE(test, dma_test_sees(t->dev, dma, t->buf,
						      sizes[i]));
		/* What it has no right to write does not get anywhere. */
		dma_test_write(t->dev, dma, t->data, sizes[i]);
		unmap(t, dma, sizes[i], DMA_TO_DEVICE);
		KUNIT_EXPECT_TRUE(test, dma_test_filled(t->buf, sizes[i], i));
	}
}

void swiotlb_test_from_device(struct kunit *test)
{
	struct swiotlb_test *t = test->priv;
	dma_addr_t dma;
	int i;

	for (i = 0; i < ARRAY_SIZE(sizes); i++) {
		memset(t->buf, 0, sizes[i] + 1);
		dma_test_fill(t->data, sizes[i], i);
		dma = map(test, t->buf, sizes[i], DMA_FROM_DEVICE);
		dma_test_write(t->dev, dma, t->data, sizes[i]);
		KUNIT_EXPECT_NULL(test, memchr_inv(t->buf, 0, sizes[i]));
		unmap(t, dma, sizes[i], DMA_FROM_DEVICE);
		KUNIT_EXPECT_TRUE(test, dma_test_filled(t->buf, sizes[i], i));
		KUNIT_EXPECT_EQ(test, ((u8 *)t->buf)[sizes[i]], 0);
	}
}

void swiotlb_test_both_directions(struct kunit *test)
{
	struct swiotlb_test *t = test->priv;
	int i;

	for (i = 0; i < ARRAY_SIZE(sizes); i++)
		KUNIT_EXPECT_TRUE(test, round_trip(t->dev, t->buf, sizes[i],
						   i));
}

/* A device that writes less than it was offered leaves the rest as it was. */
void swiotlb_test_short_write(struct kunit *test)
{
	struct swiotlb_test *t = test->priv;
	dma_addr_t dma;

	/* Something in the slots that must not come out */
	memset(t->buf, 0xee, SZ_16K);
	unmap(t, map(test, t->buf, SZ_16K, DMA_TO_DEVICE), SZ_16K,
	      DMA_TO_DEVICE);

	dma_test_fill(t->buf, SZ_16K, 1);
	dma_test_fill(t->data, SZ_16K, 2);
	dma = map(test, t->buf, SZ_16K, DMA_FROM_DEVICE);
	dma_test_write(t->dev, dma, t->data, 100);
	unmap(t, dma, SZ_16K, DMA_FROM_DEVICE);

	KUNIT_EXPECT_TRUE(test, dma_test_filled(t->buf, 100, 2));
	memcpy(t->buf, t->data, 100);
	dma_test_fill(t->data, SZ_16K, 1);
	KUNIT_EXPECT_MEMEQ(test, t->buf + 100, t->data + 100, SZ_16K - 100);
}

void swiotlb_test_unmap_without_copy(struct kunit *test)
{
	struct swiotlb_test *t = test->priv;
	dma_addr_t dma;

	dma_test_fill(t->buf, SZ_8K, 1);
	dma_test_fill(t->data, SZ_8K, 2);
	dma = map(test, t->buf, SZ_8K, DMA_FROM_DEVICE);
	dma_test_write(t->dev, dma, t->data, SZ_8K);
	dma_unmap_single_attrs(t->dev, dma, SZ_8K, DMA_FROM_DEVICE,
			       DMA_ATTR_SKIP_CPU_SYNC);
	KUNIT_EXPECT_TRUE(test, dma_test_filled(t->buf, SZ_8K, 1));
}

/* Parts that begin and end anywhere: within slots, at their ends, across them */
static const struct {
	size_t offset;
	size_t size;
} parts[] = {
	{ 0, 1 }, { 0, IO_TLB_SIZE }, { IO_TLB_SIZE - 1, 2 },
	{ 100, 3 * IO_TLB_SIZE }, { IO_TLB_SIZE, IO_TLB_SIZE },
	{ SZ_16K - 1, 1 }, { 0, SZ_16K },
};

void swiotlb_test_sync_for_cpu(struct kunit *test)
{
	struct swiotlb_test *t = test->priv;
	void *expected = kunit_kzalloc(test, SZ_16K, GFP_KERNEL);
	size_t offset, size;
	dma_addr_t dma;
	int i;

	KUNIT_ASSERT_NOT_NULL(test, expected);
	dma = map(test, t->buf, SZ_16K, DMA_FROM_DEVICE);
	for (i = 0; i < ARRAY_SIZE(parts); i++) {
		offset = parts[i].offset;
		size = parts[i].size;
		dma_test_fill(t->data, SZ_16K, i);
		dma_test_write(t->dev, dma, t->data, SZ_16K);
		memcpy(expected + offset, t->data + offset, size);
		dma_sync_single_for_cpu(t->dev, dma + offset, size,
					DMA_FROM_DEVICE);
		KUNIT_EXPECT_MEMEQ(test, t->buf, expected, SZ_16K);
	}
	unmap(t, dma, SZ_16K, DMA_FROM_DEVICE);
}

void swiotlb_test_sync_for_device(struct kunit *test)
{
	struct swiotlb_test *t = test->priv;
	void *expected = kunit_kzalloc(test, SZ_16K, GFP_KERNEL);
	size_t offset, size;
	dma_addr_t dma;
	int i;

	KUNIT_ASSERT_NOT_NULL(test, expected);
	dma = map(test, t->buf, SZ_16K, DMA_TO_DEVICE);
	for (i = 0; i < ARRAY_SIZE(parts); i++) {
		offset = parts[i].offset;
		size = parts[i].size;
		dma_test_fill(t->buf, SZ_16K, i);
		memcpy(expected + offset, t->buf + offset, size);
		dma_sync_single_for_device(t->dev, dma + offset, size,
					   DMA_TO_DEVICE);
		KUNIT_EXPECT_TRUE(test, dma_test_sees(t->dev, dma, expected,
						      SZ_16K));
	}
	unmap(t, dma, SZ_16K, DMA_TO_DEVICE);
}

/* A sync against the direction of the mapping copies nothing. */
void swiotlb_test_sync_other_way(struct kunit *test)
{
	struct swiotlb_test *t = test->priv;
	dma_addr_t dma;

	dma_test_fill(t->data, SZ_4K, 2);

	dma_test_fill(t->buf, SZ_4K, 1);
	dma = map(test, t->buf, SZ_4K, DMA_TO_DEVICE);
	dma_test_write(t->dev, dma, t->data, SZ_4K);
	dma_sync_single_for_cpu(t->dev, dma, SZ_4K, DMA_TO_DEVICE);
	KUNIT_EXPECT_TRUE(test, dma_test_filled(t->buf, SZ_4K, 1));
	unmap(t, dma, SZ_4K, DMA_TO_DEVICE);

	dma = map(test, t->buf, SZ_4K, DMA_FROM_DEVICE);
	dma_test_write(t->dev, dma, t->data, SZ_4K);
	dma_sync_single_for_device(t->dev, dma, SZ_4K, DMA_FROM_DEVICE);
	KUNIT_EXPECT_TRUE(test, dma_test_sees(t->dev, dma, t->data, SZ_4K));
	unmap(t, dma, SZ_4K, DMA_FROM_DEVICE);
}

/* A buffer that begins and ends within pages */
void swiotlb_test_page_borders(struct kunit *test)
{
	static const size_t offsets[] = { 1, 2047, 2048, 4000, 4095 };
	struct swiotlb_test *t = test->priv;
	struct page *page = virt_to_page(t->buf);
	dma_addr_t dma;
	int i;

	for (i = 0; i < ARRAY_SIZE(offsets); i++) {
		memset(t->buf, 0, SZ_32K);
		dma = dma_map_page(t->dev, page, offsets[i], SZ_16K,
				   DMA_FROM_DEVICE);
		KUNIT_ASSERT_FALSE(test, dma_mapping_error(t->dev, dma));
		dma_test_fill(t->data, SZ_16K, i);
		dma_test_write(t->dev, dma, t->data, SZ_16K);
		dma_unmap_page(t->dev, dma, SZ_16K, DMA_FROM_DEVICE);

		KUNIT_EXPECT_NULL(test, memchr_inv(t->buf, 0, offsets[i]));
		KUNIT_EXPECT_TRUE(test, dma_test_filled(t->buf + offsets[i],
							SZ_16K, i));
		KUNIT_EXPECT_NULL(test, memchr_inv(t->buf + offsets[i] + SZ_16K,
						   0, SZ_8K));
	}
}

/*
 * Lists
 */

#define LIST_LENGTH	5

static const unsigned int list_bytes[LIST_LENGTH] = {
	512, 4096, 100, 65536, 20000,
};

static void make_list(struct swiotlb_test *t, struct scatterlist *sgl)
{
	void *at = t->buf;
	int i;

	sg_init_table(sgl, LIST_LENGTH);
	for (i = 0; i < LIST_LENGTH; i++) {
		sg_set_buf(&sgl[i], at, list_bytes[i]);
		at += list_bytes[i] + 300;
	}
}

void swiotlb_test_list(struct kunit *test)
{
	struct swiotlb_test *t = test->priv;
	struct scatterlist sgl[LIST_LENGTH], *sg;
	int i;

	make_list(t, sgl);
	KUNIT_ASSERT_EQ(test, dma_map_sg(t->dev, sgl, LIST_LENGTH,
					 DMA_FROM_DEVICE), LIST_LENGTH);
	for_each_sg(sgl, sg, LIST_LENGTH, i) {
		KUNIT_EXPECT_EQ(test, sg_dma_len(sg), list_bytes[i]);
		dma_test_fill(t->data, sg_dma_len(sg), i);
		dma_test_write(t->dev, sg_dma_address(sg), t->data,
			       sg_dma_len(sg));
	}

	dma_sync_sg_for_cpu(t->dev, sgl, LIST_LENGTH, DMA_FROM_DEVICE);
	for_each_sg(sgl, sg, LIST_LENGTH, i) {
		KUNIT_EXPECT_TRUE(test, dma_test_filled(sg_virt(sg),
							sg->length, i));
		memset(sg_virt(sg), 0, sg->length);
	}

	dma_unmap_sg(t->dev, sgl, LIST_LENGTH, DMA_FROM_DEVICE);
	for_each_sg(sgl, sg, LIST_LENGTH, i)
		KUNIT_EXPECT_TRUE(test, dma_test_filled(sg_virt(sg),
							sg->length, i));
}

/* If one element cannot be mapped, none is. */
void swiotlb_test_list_without_room(struct kunit *test)
{
	dma_addr_t *dma = alloc_addresses(test, POOL_SLOTS);
	struct swiotlb_test *t = test->priv;
	struct scatterlist sgl[LIST_LENGTH];
	unsigned int nr, before;

	nr = fill_pool(test, dma, POOL_SLOTS);
	/* Room for the first three, not for the fourth */
	unmap_slots(t, dma, 8, 1);
	before = used(t);

	make_list(t, sgl);
	dma_test_fill(t->buf, SZ_128K, 1);
	KUNIT_EXPECT_EQ(test, dma_map_sg_attrs(t->dev, sgl, LIST_LENGTH,
					       DMA_BIDIRECTIONAL,
					       DMA_ATTR_NO_WARN), 0);
	KUNIT_EXPECT_EQ(test, used(t), before);
	KUNIT_EXPECT_TRUE(test, dma_test_filled(t->buf, SZ_128K, 1));
	unmap_slots(t, dma + 8, nr - 8, 1);
}
