/* SPDX-License-Identifier: GPL-2.0 */
/*
 * One name for what the bases call differently. MAPS_PHYS is set for a base whose
 * dma-direct maps physical addresses, not pages.
 */
#ifndef _SHIM_DIRECT_CALLS_H
#define _SHIM_DIRECT_CALLS_H

#ifdef MAPS_PHYS
/* The pages of a non-coherent device are decrypted, not only their second mapping. */
#define DECRYPTS_REMAPPED	true
#define dma_direct_map_page(dev, page, offset, size, dir, attrs)	\
	dma_direct_map_phys(dev, page_to_phys(page) + (offset), size, dir, attrs, true)
#define dma_direct_unmap_page(dev, dma, size, dir, attrs)		\
	dma_direct_unmap_phys(dev, dma, size, dir, attrs, true)
#define dma_direct_map_resource(dev, phys, size, dir, attrs)		\
	dma_direct_map_phys(dev, phys, size, dir, (attrs) | DMA_ATTR_MMIO, true)
#define sync_single_for_cpu(dev, dma, size, dir)			\
	dma_direct_sync_single_for_cpu(dev, dma, size, dir, true)
#define capable(dev, phys, dma, size)	dma_capable(dev, phys, dma, size, 0)
#define stock_capable(dev, dma, size)	dma_capable(dev, dma, size, true, DMA_ATTR_CC_SHARED)
#else
#define DECRYPTS_REMAPPED	false
#define sync_single_for_cpu		dma_direct_sync_single_for_cpu
#define capable				dma_capable
#define stock_capable(dev, dma, size)	dma_capable(dev, dma, size, true)
#endif

#endif
