// SPDX-License-Identifier: GPL-2.0
/*
 * The software IO TLB of a Xen PV guest: decide whether the guest needs one, allocate
 * its memory and start it. Also start the translation of machine addresses.
 */
#define pr_fmt(fmt) "xen: " fmt

#include <linux/dma-machine.h>
#include <linux/export.h>
#include <linux/gfp.h>
#include <linux/init.h>
#include <linux/memblock.h>
#include <linux/pci.h>
#include <linux/printk.h>
#include <linux/sizes.h>
#include <linux/swiotlb.h>

#include <asm/iommu.h>
#include <asm/swiotlb.h>
#include <asm/xen/p2m-leaf.h>

#include <xen/xen.h>

/* Do not fall back to a smaller pool than this. */
#define MIN_BYTES	SZ_1M

/* Has this domain devices, or might it be given any? */
static bool __init has_devices(void)
{
	return xen_initial_domain() || x86_swiotlb_enable ||
		(IS_ENABLED(CONFIG_XEN_PCIDEV_FRONTEND) && xen_pv_pci_possible);
}

/*
 * Start the software IO TLB with @bytes of memory, or with as much of it as Xen can
 * make contiguous.
 */
static bool __init try_size(size_t bytes)
{
	size_t used;
	void *buf;

	buf = memblock_alloc(bytes, (size_t)IO_TLB_SEGSIZE << IO_TLB_SHIFT);
	if (!buf) {
		pr_warn("no %zu KiB of memory for bounce buffers\n",
			bytes / SZ_1K);
		return false;
	}

	used = swiotlb_init_buffer(buf, bytes, SWIOTLB_ANY,
				   &xen_swiotlb_backend);
	if (used < bytes)
		memblock_free(buf + used, bytes - used);
	if (used && used < bytes)
		pr_warn("%zu of %zu KiB of bounce memory: the hypervisor has no more contiguous memory below 4 GiB\n",
			used / SZ_1K, bytes / SZ_1K);
	return used;
}

/**
 * pci_xen_swiotlb_init() - set up DMA for the PCI devices of a Xen PV guest
 *
 * The pool is as large as on bare metal, or smaller if the guest or the hypervisor has
 * not enough memory for it. A guest that gets no pool boots nevertheless: devices that
 * reach all memory can work without a pool, and the others get errors.
 *
 * Context: Boot, while memblock works.
 */
void __init pci_xen_swiotlb_init(void)
{
	size_t bytes;

	xen_dma_init();
	if (!has_devices())
		return;

	xen_p2m_leaves_init();

	x86_swiotlb_enable = true;
	if (IS_ENABLED(CONFIG_PCI))
		pci_request_acs();

	bytes = swiotlb_boot_size(true);
	if (!bytes)
		return;
	do {
		if (try_size(bytes))
			return;
		bytes = ALIGN(bytes / 2, (size_t)IO_TLB_SEGSIZE << IO_TLB_SHIFT);
	} while (bytes >= MIN_BYTES);
	pr_err("no bounce memory; if the hypervisor has no contiguous memory below 4 GiB, start it with a larger dma_bits= or with less dom0_mem=\n");
}

/**
 * pci_xen_swiotlb_init_late() - set up DMA for the first PCI device of a guest
 *
 * For a guest that was configured without devices at boot, or had no memory for a pool
 * then. Does nothing if there is a pool. If it gets no pool, devices that reach all
 * memory can work, and the others get errors.
 *
 * Context: May sleep. One caller at a time, before the device is found.
 */
void pci_xen_swiotlb_init_late(void)
{
	xen_p2m_leaves_init_late();
	if (swiotlb_init_late(swiotlb_size_or_default(), GFP_KERNEL,
			      &xen_swiotlb_backend))
		pr_err("no bounce memory: the guest has no 1 MiB in one piece, or the hypervisor not enough contiguous memory below 4 GiB\n");
}
EXPORT_SYMBOL_GPL(pci_xen_swiotlb_init_late);
