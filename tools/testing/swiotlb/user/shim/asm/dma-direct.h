/* SPDX-License-Identifier: GPL-2.0 */
/*
 * The header of an architecture that selects ARCH_HAS_PHYS_TO_DMA. Here each device has an
 * offset, as on powerpc. Only the variant phys_to_dma of the build includes this file.
 */
#ifndef _ASM_DMA_DIRECT_H
#define _ASM_DMA_DIRECT_H

static inline dma_addr_t phys_to_dma(struct device *dev, phys_addr_t phys)
{
	return phys + dev->archdata.dma_offset;
}

static inline phys_addr_t dma_to_phys(struct device *dev, dma_addr_t dma)
{
	return dma - dev->archdata.dma_offset;
}

#endif
