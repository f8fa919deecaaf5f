// SPDX-License-Identifier: GPL-2.0
/*
 * This series' software IO TLB, as dma-direct calls it.
 */
#include "compare.h"

const char whose[] = "ours";

dma_addr_t bounce_map(struct device *dev, phys_addr_t phys, size_t size)
{
	return swiotlb_map(dev, phys, size, DMA_BIDIRECTIONAL, 0);
}

void bounce_unmap(struct device *dev, dma_addr_t dma, size_t size)
{
	swiotlb_tbl_unmap_single(dev, dma_to_phys(dev, dma), size, DMA_BIDIRECTIONAL, 0);
}
