/* SPDX-License-Identifier: GPL-2.0 */
/*
 * A device for KUnit tests. It does what hardware does: it reads and writes
 * memory by DMA address, a page at a time, and knows nothing of where the CPU
 * sees that memory.
 */
#ifndef _LIB_TESTS_DMA_KUNIT_H
#define _LIB_TESTS_DMA_KUNIT_H

#include <kunit/device.h>
#include <kunit/test.h>
#include <linux/dma-direct.h>
#include <linux/dma-mapping.h>
#include <linux/mm.h>
#include <linux/string.h>

static inline struct device *dma_test_device(struct kunit *test, u64 mask)
{
	struct device *dev = kunit_device_register(test, "device");

	KUNIT_ASSERT_NOT_ERR_OR_NULL(test, dev);
	dev->dma_parms = kunit_kzalloc(test, sizeof(*dev->dma_parms),
				       GFP_KERNEL);
	KUNIT_ASSERT_NOT_NULL(test, dev->dma_parms);
	dma_set_max_seg_size(dev, UINT_MAX);
	KUNIT_ASSERT_EQ(test, dma_set_mask_and_coherent(dev, mask), 0);
	return dev;
}

/* Where the CPU sees what is at a DMA address; %NULL if nothing is there. */
static inline void *dma_test_vaddr(struct device *dev, dma_addr_t dma)
{
	phys_addr_t phys = dma_to_phys(dev, dma);

	if (phys == DMA_PHYS_NONE || !pfn_valid(PHYS_PFN(phys)))
		return NULL;
	return phys_to_virt(phys);
}

static inline size_t dma_test_chunk(dma_addr_t dma, size_t size)
{
	return min_t(size_t, size, PAGE_SIZE - offset_in_page(dma));
}

/* The device writes. Returns %false if there is no memory. */
static inline bool dma_test_write(struct device *dev, dma_addr_t dma,
				  const void *data, size_t size)
{
	void *vaddr;
	size_t len;

	for (; size; size -= len, dma += len, data += len) {
		len = dma_test_chunk(dma, size);
		vaddr = dma_test_vaddr(dev, dma);
		if (!vaddr)
			return false;
		memcpy(vaddr, data, len);
	}
	return true;
}

/* The device reads. Returns %false if what it reads is not @data. */
static inline bool dma_test_sees(struct device *dev, dma_addr_t dma,
				 const void *data, size_t size)
{
	void *vaddr;
	size_t len;

	for (; size; size -= len, dma += len, data += len) {
		len = dma_test_chunk(dma, size);
		vaddr = dma_test_vaddr(dev, dma);
		if (!vaddr || memcmp(vaddr, data, len))
			return false;
	}
	return true;
}

/* Is what the device has at @dma what the CPU has at @vaddr? */
static inline bool dma_test_is_at(struct device *dev, dma_addr_t dma,
				  void *vaddr, size_t size)
{
	size_t len;

	for (; size; size -= len, dma += len, vaddr += len) {
		len = dma_test_chunk(dma, size);
		if (dma_test_vaddr(dev, dma) != vaddr)
			return false;
	}
	return true;
}

/* Content that is different for each seed and each piece of a buffer */
static inline u8 dma_test_byte(u32 i, u32 seed)
{
	return (i * 0x9e3779b1U + seed * 0x85ebca6bU) >> 24;
}

static inline void dma_test_fill(void *buf, size_t size, u32 seed)
{
	u8 *byte = buf;
	u32 i;

	for (i = 0; i < size; i++)
		byte[i] = dma_test_byte(i, seed);
}

static inline bool dma_test_filled(const void *buf, size_t size, u32 seed)
{
	const u8 *byte = buf;
	u32 i;

	for (i = 0; i < size; i++)
		if (byte[i] != dma_test_byte(i, seed))
			return false;
	return true;
}

#endif /* _LIB_TESTS_DMA_KUNIT_H */
