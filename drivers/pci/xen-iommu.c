// SPDX-License-Identifier: GPL-2.0-only
/*
 * Machine addresses of a Xen PV guest.
 *
 * The physical memory of such a guest consists of pages from anywhere in the
 * machine. pfn n and pfn n + 1 are neighbours for the CPU, which has page tables,
 * but not for a device, which sees machine frames (mfn). Three things follow:
 *
 * - A DMA address is a machine address. The P2M table gives the machine frame of a
 *   pfn. Xen's M2P table gives the pfn of a machine frame, in the address space of
 *   the domain that owns the frame. That number means nothing to other domains. So a
 *   frame is ours only if the P2M table has the same frame for the pfn that the M2P
 *   table gives.
 *
 * - A buffer of more than a page may be scattered for a device, though its physical
 *   addresses are contiguous.
 *
 * - To get contiguous memory, the guest exchanges frames with the hypervisor. It gives
 *   single frames and gets an extent of as many frames, below an address if it asks
 *   for that. The frames of the extent then replace the old ones in the P2M table.
 *
 * The DMA mapping code calls these functions through <asm/dma-machine.h>, the software
 * IO TLB through &struct swiotlb_backend.
 */
#define pr_fmt(fmt) "xen-iommu: " fmt

#include <linux/bitops.h>
#include <linux/dma-machine.h>
#include <linux/dma-mapping.h>
#include <linux/export.h>
#include <linux/gfp.h>
#include <linux/init.h>
#include <linux/jump_label.h>
#include <linux/mm.h>
#include <linux/notifier.h>
#include <linux/page-flags.h>
#include <linux/pfn.h>
#include <linux/swiotlb.h>

#include <asm/xen/hypercall.h>
#include <asm/xen/p2m-leaf.h>
#include <asm/xen/page.h>
#include <asm/xen/swiotlb-xen.h>

#include <xen/interface/memory.h>
#include <xen/xen-ops.h>

/*
 * xen_create_contiguous_region() always has a list with room for the frames of an
 * extent of up to this order. For a larger extent it allocates a longer list, and
 * may sleep.
 */
#define XEN_ATOMIC_ORDER	9

DEFINE_STATIC_KEY_FALSE(xen_dma_key);
EXPORT_SYMBOL_GPL(xen_dma_key);

/**
 * xen_dma_phys_to_machine() - machine address of memory
 * @phys:	Pseudo-physical address.
 *
 * Context: Any.
 * Return: Machine address, also of a page that another domain has granted; the
 * same address for MMIO; %DMA_MAPPING_ERROR where there is no page, for instance
 * after ballooning.
 */
phys_addr_t xen_dma_phys_to_machine(phys_addr_t phys)
{
	unsigned long mfn = __pfn_to_mfn(PHYS_PFN(phys));

	if (unlikely(mfn == INVALID_P2M_ENTRY))
		return (phys_addr_t)DMA_MAPPING_ERROR;
	mfn &= ~(FOREIGN_FRAME_BIT | IDENTITY_FRAME_BIT);
	return PFN_PHYS(mfn) | offset_in_page(phys);
}
EXPORT_SYMBOL_GPL(xen_dma_phys_to_machine);

/**
 * xen_dma_machine_to_phys() - pseudo-physical address of memory
 * @maddr:	Machine address.
 *
 * Context: Any.
 * Return: Pseudo-physical address, or %DMA_PHYS_NONE if the frame is not ours.
 */
phys_addr_t xen_dma_machine_to_phys(phys_addr_t maddr)
{
	unsigned long pfn = bfn_to_local_pfn(PHYS_PFN(maddr));

	if (pfn == -1UL)
		return DMA_PHYS_NONE;
	return PFN_PHYS(pfn) | offset_in_page(maddr);
}
EXPORT_SYMBOL_GPL(xen_dma_machine_to_phys);

/**
 * xen_dma_contiguous() - is a buffer contiguous in machine memory?
 * @phys:	Pseudo-physical address, or %DMA_PHYS_NONE for MMIO: always contiguous.
 * @size:	Size in bytes.
 *
 * Context: Any.
 * Return: %true if it is.
 */
bool xen_dma_contiguous(phys_addr_t phys, size_t size)
{
	if (phys == DMA_PHYS_NONE)
		return true;
	return xen_p2m_contiguous(PHYS_PFN(phys),
				  PFN_UP(offset_in_page(phys) + size));
}
EXPORT_SYMBOL_GPL(xen_dma_contiguous);

/**
 * xen_dma_max_machine() - highest machine address of memory
 *
 * The memory of other domains counts too: ballooning or a grant can bring any of it
 * into this guest.
 *
 * Context: Any.
 * Return: The address.
 */
u64 xen_dma_max_machine(void)
{
	/* Despite its name this is the number of the frame after the last one. */
	long end = HYPERVISOR_memory_op(XENMEM_maximum_ram_page, NULL);

	/* Every Xen since 3.0 answers this. If one does not, assume no limit. */
	if (end <= 0)
		return U64_MAX;
	return PFN_PHYS((u64)end) - 1;
}

/* Largest n such that no address of n bits is above @limit. */
static unsigned int address_bits(u64 limit)
{
	return limit == U64_MAX ? 64 : fls64(limit + 1) - 1;
}

/*
 * The DMA API aligns coherent memory to its size. If the physical address is
 * aligned, the machine address must be aligned too.
 */
static bool coherent_aligned(phys_addr_t phys, size_t size)
{
	u64 align = PAGE_SIZE << get_order(size);

	return !IS_ALIGNED(phys, align) ||
		IS_ALIGNED(xen_dma_phys_to_machine(phys), align);
}

/**
 * xen_dma_coherent_ok() - can these pages be coherent memory as they are?
 * @phys:	Pseudo-physical address.
 * @size:	Size in bytes.
 *
 * Context: Any.
 * Return: %true if they are contiguous, and aligned as coherent memory has to be.
 */
bool xen_dma_coherent_ok(phys_addr_t phys, size_t size)
{
	return xen_dma_contiguous(phys, size) && coherent_aligned(phys, size);
}

/**
 * xen_dma_make_contiguous() - exchange pages for an extent
 * @page:	First of 2^get_order(@size) pages. Their contents are lost.
 * @size:	Size in bytes.
 * @limit:	Highest machine address allowed.
 * @gfp:	Tells whether sleeping is allowed. If it is not, an extent of more than
 *		2 MiB is refused.
 *
 * Context: As @gfp says. Takes xen_reservation_lock, interrupts off, for the time
 * of the exchange.
 * Return: 0; -EINVAL if Xen does not take these pages, because they have a second
 * mapping (as memory freed from the kernel's image has); -ENOMEM if there is no such
 * extent. After an error the pages have their old frames, but not their contents.
 */
int xen_dma_make_contiguous(struct page *page, size_t size, u64 limit,
			    gfp_t gfp)
{
	unsigned int order = get_order(size);
	dma_addr_t maddr;
	int err;

	if (order > XEN_ATOMIC_ORDER && !gfpflags_allow_blocking(gfp))
		return -ENOMEM;
	err = xen_create_contiguous_region(page_to_phys(page), order,
					   address_bits(limit), &maddr);
	if (err)
		return err;

	SetPageXenRemapped(page);
	return 0;
}

/* Low memory is kept for devices, unless the machine has no other memory. */
static bool for_devices(u64 maddr)
{
	return maddr <= DMA_BIT_MASK(32) && xen_dma_max_machine() > DMA_BIT_MASK(32);
}

/*
 * Exchange an extent for one from anywhere, so that memory does not become more
 * scattered each time. Xen gives the highest extent that it has scrubbed. If that is
 * low, exchange it for single pages: Xen gives the highest of these, scrubbed or not.
 *
 * The exchange for single pages gives Xen the first frame and those that follow on it.
 * If the domain has been restored from an image since, they may belong to other pages,
 * so do nothing.
 */
static void undo_extent(phys_addr_t phys, unsigned int order)
{
	dma_addr_t maddr;

	if (!xen_dma_contiguous(phys, PAGE_SIZE << order))
		return;
	if (xen_create_contiguous_region(phys, order, 64, &maddr) ||
	    for_devices(maddr))
		xen_destroy_contiguous_region(phys, order);
}

/**
 * xen_dma_undo_contiguous() - exchange an extent for other memory
 * @page:	First page.
 * @size:	Size in bytes.
 *
 * Xen has little low memory, and others may need it. In exchange Xen gives the highest
 * memory that it has. If the exchange fails, the pages keep their frames, which does
 * no harm.
 *
 * Context: Any. Takes xen_reservation_lock, like xen_dma_make_contiguous().
 */
void xen_dma_undo_contiguous(struct page *page, size_t size)
{
	if (TestClearPageXenRemapped(page))
		undo_extent(page_to_phys(page), get_order(size));
}

static int make_bounce_contiguous(void *vaddr, unsigned int order, u64 limit,
				  phys_addr_t *maddr)
{
	dma_addr_t start;
	int err;

	err = xen_create_contiguous_region(virt_to_phys(vaddr), order,
					   address_bits(limit), &start);
	if (err)
		return err;
	*maddr = start;
	return 0;
}

static void undo_bounce_contiguous(void *vaddr, unsigned int order)
{
	undo_extent(virt_to_phys(vaddr), order);
}

const struct swiotlb_backend xen_swiotlb_backend = {
	.make_contiguous = make_bounce_contiguous,
	.undo_contiguous = undo_bounce_contiguous,
};

/* Called after a restore, with new frames, and after a cancelled save, with the old ones */
static int reconnect_bounce_memory(struct notifier_block *nb,
				   unsigned long action, void *data)
{
	swiotlb_reconnect();
	return NOTIFY_OK;
}

static struct notifier_block resume_nb = {
	.notifier_call = reconnect_bounce_memory,
};

/**
 * xen_dma_init() - from now on machine addresses are not physical addresses
 *
 * Context: Boot of a PV guest, before the first mapping.
 */
void __init xen_dma_init(void)
{
	static_branch_enable(&xen_dma_key);
	xen_resume_notifier_register(&resume_nb);
}
