/* SPDX-License-Identifier: GPL-2.0 */
/*
 * Machine addresses: where memory is for all devices, before a device's own offset.
 *
 * On bare metal and in most guests the machine address of memory is its physical
 * address. In a Xen PV guest it is not: the guest's pages are scattered over the
 * memory of the machine, and each page has a machine address of its own. The DMA
 * address that a device uses is the machine address plus the offset of that device
 * (&device.dma_range_map). It is not what PCI calls a bus address, which is the
 * content of a BAR.
 *
 * The DMA mapping code needs only the functions below. An architecture that selects
 * ARCH_HAS_DMA_MACHINE provides them in <asm/dma-machine.h>. The first three are on the
 * path of every mapping. They must cost nothing if the kernel finds at boot that machine
 * addresses are physical addresses.
 */
#ifndef _LINUX_DMA_MACHINE_H
#define _LINUX_DMA_MACHINE_H

#include <linux/errno.h>
#include <linux/limits.h>
#include <linux/types.h>

#include <asm/page.h>

struct page;

/*
 * No physical address. dma_to_phys() returns it for memory that is not ours. Callers
 * pass it for memory that the kernel has no translation for, such as
 * MMIO.
 */
#define DMA_PHYS_NONE	((phys_addr_t)-1)

#ifdef CONFIG_ARCH_HAS_DMA_MACHINE
#include <asm/dma-machine.h>
#else

/**
 * dma_phys_to_machine() - machine address of memory
 * @phys:	Physical address.
 *
 * Context: Any.
 * Return: Its machine address, or %DMA_MAPPING_ERROR if there is no memory.
 */
static inline phys_addr_t dma_phys_to_machine(phys_addr_t phys)
{
	return phys;
}

/**
 * dma_machine_to_phys() - physical address of memory
 * @maddr:	Machine address.
 *
 * Context: Any.
 * Return: Its physical address, or %DMA_PHYS_NONE if the memory at @maddr belongs
 * to somebody else.
 */
static inline phys_addr_t dma_machine_to_phys(phys_addr_t maddr)
{
	return maddr;
}

/**
 * dma_machine_contiguous() - can a device use this buffer in one go?
 * @phys:	Physical address, or %DMA_PHYS_NONE; then the answer is %true.
 * @size:	Size in bytes.
 *
 * Context: Any.
 * Return: %true if it can.
 */
static inline bool dma_machine_contiguous(phys_addr_t phys, size_t size)
{
	return true;
}

/**
 * dma_machine_is_phys() - are machine addresses physical addresses?
 *
 * If not, a physical address says nothing about the machine address, and the machine
 * address of a page says nothing about that of the next page; any buffer larger than
 * a page may need bouncing. MMIO cannot be mapped then: the kernel does not program the
 * IOMMU, if there is one, so it does not know whether devices reach MMIO.
 *
 * Context: Any.
 * Return: %true if they are.
 */
static inline bool dma_machine_is_phys(void)
{
	return true;
}

/**
 * dma_machine_coherent_ok() - can a device use these pages as coherent memory?
 * @phys:	Physical address of the first page.
 * @size:	Size in bytes.
 *
 * Coherent memory is not only contiguous, but also aligned to its size.
 *
 * Context: Any.
 * Return: %true if it can.
 */
static inline bool dma_machine_coherent_ok(phys_addr_t phys, size_t size)
{
	return true;
}

/**
 * dma_machine_max() - highest machine address of memory
 *
 * Called only if !dma_machine_is_phys().
 *
 * Context: Any.
 * Return: The address.
 */
static inline u64 dma_machine_max(void)
{
	return U64_MAX;
}

/**
 * dma_machine_make_contiguous() - make pages contiguous by machine address
 * @page:	First of 2^get_order(@size) pages. Their contents are lost.
 * @size:	Size in bytes of what is needed.
 * @limit:	Highest machine address allowed.
 * @gfp:	Tells whether sleeping is allowed.
 *
 * The machine address will be aligned to the size, as coherent memory has to be.
 * Called only if !dma_machine_is_phys(). Call dma_machine_undo_contiguous() before
 * freeing the pages.
 *
 * Context: As @gfp says.
 * Return: 0; -EINVAL if these pages cannot be exchanged, but other pages may be;
 * -ENOMEM if there is no such memory. After an error only the contents have changed.
 */
static inline int dma_machine_make_contiguous(struct page *page, size_t size,
					      u64 limit, gfp_t gfp)
{
	return -ENOMEM;
}

/**
 * dma_machine_undo_contiguous() - pages need not be contiguous any longer
 * @page:	First page, whether or not dma_machine_make_contiguous() has exchanged it.
 *		If it has, the contents are lost.
 * @size:	Size in bytes.
 *
 * Context: Any.
 */
static inline void dma_machine_undo_contiguous(struct page *page, size_t size)
{
}

#endif /* CONFIG_ARCH_HAS_DMA_MACHINE */

/**
 * dma_machine_contiguous_size() - how much of a buffer can a device use in one go?
 * @phys:	Physical address of memory.
 * @size:	Size in bytes, one at least.
 *
 * For callers that can split buffers.
 *
 * Context: Any.
 * Return: @size, or the distance from @phys to the first page that does not follow
 * on the one before.
 */
static inline size_t dma_machine_contiguous_size(phys_addr_t phys, size_t size)
{
	size_t part;

	if (dma_machine_contiguous(phys, size))
		return size;
	for (part = PAGE_SIZE - (phys & ~PAGE_MASK); part < size;
	     part += PAGE_SIZE)
		if (!dma_machine_contiguous(phys + part - 1, 2))
			return part;
	return size;
}

#endif /* _LINUX_DMA_MACHINE_H */
