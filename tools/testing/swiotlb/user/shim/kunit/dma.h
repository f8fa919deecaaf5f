/* SPDX-License-Identifier: GPL-2.0 */
/*
 * The DMA API as a driver has it, by kernel/dma/direct.c. Each mapping is checked against
 * the contract (machine/contract.c), as in map() of the unit tests.
 */
#ifndef _SHIM_KUNIT_DMA_H
#define _SHIM_KUNIT_DMA_H

#include <dma/direct.h>
#include "../../machine/machine.h"

int dma_direct_set_offset(struct device *dev, phys_addr_t cpu_start, dma_addr_t dma_start,
			  u64 size);

static inline int dma_set_mask_and_coherent(struct device *dev, u64 mask)
{
	int err = dma_set_mask(dev, mask);

	if (!err)
		dev->coherent_dma_mask = mask;
	return err;
}

static inline void dma_set_max_seg_size(struct device *dev, unsigned int size)
{
	dev->dma_parms->max_segment_size = size;
}

static inline void dma_set_min_align_mask(struct device *dev, unsigned int mask)
{
	dev->min_align_mask = mask;
}

static inline void dma_set_seg_boundary(struct device *dev, unsigned long mask)
{
	dev->segment_boundary = mask;
}

#define dma_get_required_mask		dma_direct_get_required_mask
#define dma_max_mapping_size		dma_direct_max_mapping_size
#define dma_map_resource(dev, phys, size, dir, attrs) \
	dma_direct_map_resource(dev, phys, size, dir, attrs)
#define dma_mapping_error(dev, dma)	((dma) == DMA_MAPPING_ERROR)
#define dma_need_sync(dev, dma)		(!(dev)->dma_skip_sync && dma_direct_need_sync(dev, dma))

/* --- mappings --- */

static inline dma_addr_t dma_map_page_attrs(struct device *dev, struct page *page, size_t offset,
					    size_t size, enum dma_data_direction dir,
					    unsigned long attrs)
{
	dma_addr_t dma = dma_direct_map_page(dev, page, offset, size, dir, attrs);

	if (dma == DMA_MAPPING_ERROR)
		return dma;
	if (swiotlb_find_pool(dev, dma_to_phys(dev, dma)))
		contract_check(dev, page_to_phys(page) + offset, size, 0, dma);
	contract_check_content(dev, page_to_phys(page) + offset, size, dma);
	return dma;
}

#define dma_map_page(dev, page, offset, size, dir) \
	dma_map_page_attrs(dev, page, offset, size, dir, 0)
#define dma_map_single_attrs(dev, vaddr, size, dir, attrs) \
	dma_map_page_attrs(dev, virt_to_page(vaddr), offset_in_page(vaddr), size, dir, attrs)
#define dma_map_single(dev, vaddr, size, dir) \
	dma_map_single_attrs(dev, vaddr, size, dir, 0)
#define dma_unmap_single_attrs(dev, dma, size, dir, attrs) \
	dma_direct_unmap_page(dev, dma, size, dir, attrs)
#define dma_unmap_page(dev, dma, size, dir)	dma_direct_unmap_page(dev, dma, size, dir, 0)
#define dma_unmap_single		dma_unmap_page

static inline void dma_sync_single_for_cpu(struct device *dev, dma_addr_t dma, size_t size,
					   enum dma_data_direction dir)
{
	if (!dev->dma_skip_sync)
		sync_single_for_cpu(dev, dma, size, dir);
}

static inline void dma_sync_single_for_device(struct device *dev, dma_addr_t dma, size_t size,
					      enum dma_data_direction dir)
{
	if (!dev->dma_skip_sync)
		dma_direct_sync_single_for_device(dev, dma, size, dir);
}

/* --- lists --- */

static inline int dma_map_sg_attrs(struct device *dev, struct scatterlist *sgl, int nents,
				   enum dma_data_direction dir, unsigned long attrs)
{
	return max(dma_direct_map_sg(dev, sgl, nents, dir, attrs), 0);
}

#define dma_map_sg(dev, sgl, nents, dir)	dma_map_sg_attrs(dev, sgl, nents, dir, 0)
#define dma_unmap_sg(dev, sgl, nents, dir)	dma_direct_unmap_sg(dev, sgl, nents, dir, 0)
#define dma_sync_sg_for_cpu			dma_direct_sync_sg_for_cpu

/* --- memory for devices --- */

static inline void *dma_alloc_coherent(struct device *dev, size_t size, dma_addr_t *dma, gfp_t gfp)
{
	void *vaddr = dma_direct_alloc(dev, size, dma, gfp, 0);
	size_t at;

	/* The device must find the memory that the CPU has, whatever dma_to_phys() says. */
	for (at = 0; vaddr && at < size; at += PAGE_SIZE)
		if (machine_dma_to_phys(dev, *dma + at) != virt_to_phys(vaddr + at))
			machine_fail("the device finds other memory at %#zx", at);
	return vaddr;
}

#define dma_free_coherent(dev, size, vaddr, dma)	dma_direct_free(dev, size, vaddr, dma, 0)

static inline struct page *dma_alloc_pages(struct device *dev, size_t size, dma_addr_t *dma,
					   enum dma_data_direction dir, gfp_t gfp)
{
	return dma_direct_alloc_pages(dev, size, dma, dir, gfp);
}

#define dma_free_pages			dma_direct_free_pages

/* In one piece, as for a device without an IOMMU */
static inline struct sg_table *dma_alloc_noncontiguous(struct device *dev, size_t size,
						       enum dma_data_direction dir, gfp_t gfp,
						       unsigned long attrs)
{
	struct sg_table *sgt = kmalloc(sizeof(*sgt), gfp);
	struct page *page;

	sg_alloc_table(sgt, 1, gfp);
	page = dma_alloc_pages(dev, size, &sgt->sgl->dma_address, dir, gfp);
	sg_set_page(sgt->sgl, page, size, 0);
	return sgt;
}

static inline void dma_free_noncontiguous(struct device *dev, size_t size, struct sg_table *sgt,
					  enum dma_data_direction dir)
{
	dma_free_pages(dev, size, sg_page(sgt->sgl), sg_dma_address(sgt->sgl), dir);
	sg_free_table(sgt);
	kfree(sgt);
}

#endif
