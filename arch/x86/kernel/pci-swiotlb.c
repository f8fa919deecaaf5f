// SPDX-License-Identifier: GPL-2.0
/*
 * When x86 needs a software IO TLB, and how much of it. Xen PV guests have
 * pci_xen_swiotlb_init() for that.
 */
#include <linux/cache.h>
#include <linux/cc_platform.h>
#include <linux/init.h>
#include <linux/memblock.h>
#include <linux/printk.h>
#include <linux/swiotlb.h>

#include <asm/dma.h>
#include <asm/iommu.h>
#include <asm/swiotlb.h>

/* Cleared by an IOMMU driver that takes over */
bool x86_swiotlb_enable;

/**
 * pci_swiotlb_detect() - does this machine need bounce buffers?
 *
 * It does if there is memory that a 32-bit device cannot reach, unless the user
 * has chosen to do without (iommu=off). If memory is encrypted by the host, there
 * may be devices that cannot set the encryption bit in addresses. A guest whose
 * memory is encrypted has to move all I/O through memory that it shares with its
 * host.
 *
 * Context: Boot, before pci_swiotlb_init().
 */
void __init pci_swiotlb_detect(void)
{
	if ((!no_iommu && max_possible_pfn > MAX_DMA32_PFN) ||
	    cc_platform_has(CC_ATTR_HOST_MEM_ENCRYPT) ||
	    cc_platform_has(CC_ATTR_GUEST_MEM_ENCRYPT))
		x86_swiotlb_enable = true;
}

/**
 * pci_swiotlb_init() - set up what pci_swiotlb_detect() has found necessary
 *
 * Context: Boot, while memblock works.
 */
void __init pci_swiotlb_init(void)
{
	swiotlb_init(x86_swiotlb_enable, 0);
}

/**
 * pci_swiotlb_settle() - keep the software IO TLB, or give its memory back
 *
 * Call it when all IOMMU drivers are set up: one of them may have taken over.
 *
 * Context: Boot, before drivers map anything.
 */
void __init pci_swiotlb_settle(void)
{
	if (!x86_swiotlb_enable) {
		swiotlb_exit();
		return;
	}

	pr_info("PCI-DMA: Using software bounce buffering for IO (SWIOTLB)\n");
	swiotlb_print_info();
}
