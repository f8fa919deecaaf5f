// SPDX-License-Identifier: GPL-2.0
/*
 * The base kernel's software IO TLB, unedited, as dma-direct calls it on a native
 * machine, and as swiotlb-xen does on Xen: the core knows pseudo-physical addresses,
 * and the result is translated.
 */
#include STOCK_SOURCE

#include "compare.h"
#include <direct-calls.h>

const char whose[] = "stock";

/* Of kernel/dma/direct.c, which is not compiled here */
u64 zone_dma_limit = DMA_BIT_MASK(24);

static bool on_xen;

void core_reset(void)
{
}

/* Each slot set becomes an extent, the lowest that the hypervisor has. */
static int make_sets_contiguous(void *buffer, unsigned long nslabs)
{
	unsigned int order = get_order(IO_TLB_SEGSIZE << IO_TLB_SHIFT), bits;
	unsigned long slot;
	dma_addr_t maddr;

	for (slot = 0; slot < nslabs; slot += IO_TLB_SEGSIZE) {
		for (bits = order + PAGE_SHIFT; bits <= 32; bits++)
			if (!xen_create_contiguous_region(virt_to_phys(buffer) +
							  (slot << IO_TLB_SHIFT),
							  order, bits, &maddr))
				break;
		if (bits > 32)
			return -ENOMEM;
	}
	return 0;
}

void core_boot(const struct machine_config *config)
{
	on_xen = config->frames != FRAMES_NATIVE;
	swiotlb_init_remap(true, config->flags | (on_xen ? SWIOTLB_ANY : 0),
			   on_xen ? make_sets_contiguous : NULL);
	swiotlb_update_mem_attributes();
}

static dma_addr_t to_dma(struct device *dev, phys_addr_t phys)
{
	if (!on_xen)
		return phys_to_dma(dev, phys);
	return PFN_PHYS(__pfn_to_mfn(PHYS_PFN(phys))) | offset_in_page(phys);
}

dma_addr_t bounce_map(struct device *dev, phys_addr_t phys, size_t size)
{
	phys_addr_t tlb_addr;
	dma_addr_t dma;

	if (!on_xen)
		return swiotlb_map(dev, phys, size, DMA_BIDIRECTIONAL, 0);

	tlb_addr = swiotlb_tbl_map_single(dev, phys, size, 0, DMA_BIDIRECTIONAL, TBL_ATTRS(0));
	if (tlb_addr == (phys_addr_t)DMA_MAPPING_ERROR)
		return DMA_MAPPING_ERROR;
	dma = to_dma(dev, tlb_addr);
	if (stock_capable(dev, dma, size))
		return dma;
	swiotlb_tbl_unmap_single(dev, tlb_addr, size, DMA_BIDIRECTIONAL, 0);
	return DMA_MAPPING_ERROR;
}

void bounce_unmap(struct device *dev, dma_addr_t dma, size_t size)
{
	phys_addr_t phys = on_xen ? machine_dma_to_phys(dev, dma) : dma_to_phys(dev, dma);

	swiotlb_tbl_unmap_single(dev, phys, size, DMA_BIDIRECTIONAL, 0);
}

bool dma_coherent_ok(struct device *dev, phys_addr_t phys, size_t size)
{
	return stock_capable(dev, phys_to_dma_unencrypted(dev, phys), size);
}
