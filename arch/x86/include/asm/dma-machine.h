/* SPDX-License-Identifier: GPL-2.0 */
/*
 * Machine addresses on x86: the P2M table gives them on Xen PV, and everywhere else
 * they are physical addresses. <linux/dma-machine.h> explains each function.
 *
 * xen_dma_key is off on everything but Xen PV, so each function is one no-op there. On
 * Xen PV, every mapping runs a few instructions out of line, and calls a function if they
 * do not have the answer. Three details were measured, with gcc 12:
 *
 * - The entry of P2M is read here. A call instead costs each mapping in a PV guest 8
 *   instructions.
 * - OPTIMIZER_HIDE_VAR() hides that the code out of line computes values which other code
 *   computes from the same arguments. Otherwise the compiler computes them once, before
 *   the branch, which costs each mapping on bare metal one instruction.
 * - The calls are ordinary ones. For a bounced mapping, thunks that preserve all registers
 *   save two instructions of each map, unmap and sync on bare metal, and cost 18 of each
 *   unmap and sync in a PV guest. For others they make no difference.
 */
#ifndef _ASM_X86_DMA_MACHINE_H
#define _ASM_X86_DMA_MACHINE_H

#include <linux/gfp_types.h>
#include <linux/jump_label.h>
#include <linux/types.h>

#include <asm/page_types.h>
#include <asm/xen/p2m-leaf.h>
#include <asm/xen/page.h>

struct page;
struct swiotlb_backend;

DECLARE_STATIC_KEY_FALSE(xen_dma_key);

/* drivers/pci/xen-iommu.c */
phys_addr_t xen_dma_phys_to_machine(phys_addr_t phys);
phys_addr_t xen_dma_machine_to_phys(phys_addr_t maddr);
bool xen_dma_contiguous(phys_addr_t phys, size_t size);
bool xen_dma_coherent_ok(phys_addr_t phys, size_t size);
u64 xen_dma_max_machine(void);
int xen_dma_make_contiguous(struct page *page, size_t size, u64 limit,
			    gfp_t gfp);
void xen_dma_undo_contiguous(struct page *page, size_t size);
void xen_dma_init(void);
extern const struct swiotlb_backend xen_swiotlb_backend;

static __always_inline phys_addr_t dma_phys_to_machine(phys_addr_t phys)
{
	unsigned long pfn, mfn;

	if (!static_branch_unlikely(&xen_dma_key))
		return phys;

	OPTIMIZER_HIDE_VAR(phys);
	pfn = PHYS_PFN(phys);
	/* The shift in PFN_PHYS() drops the flags in the highest bits of an entry. */
	if (likely(pfn < xen_p2m_size)) {
		mfn = READ_ONCE(xen_p2m_addr[pfn]);
		if (likely(mfn != INVALID_P2M_ENTRY))
			return PFN_PHYS(mfn) | (phys & ~PAGE_MASK);
	}

	return xen_dma_phys_to_machine(phys);
}

static __always_inline phys_addr_t dma_machine_to_phys(phys_addr_t maddr)
{
	if (!static_branch_unlikely(&xen_dma_key))
		return maddr;
	return xen_dma_machine_to_phys(maddr);
}

static __always_inline bool dma_machine_contiguous(phys_addr_t phys, size_t size)
{
	size_t bytes;

	if (!static_branch_unlikely(&xen_dma_key))
		return true;

	OPTIMIZER_HIDE_VAR(phys);
	OPTIMIZER_HIDE_VAR(size);
	bytes = (phys & ~PAGE_MASK) + size;
	if (bytes <= PAGE_SIZE ||
	    xen_p2m_remembered(PHYS_PFN(phys), PFN_UP(bytes)))
		return true;

	return xen_dma_contiguous(phys, size);
}

static inline bool dma_machine_is_phys(void)
{
	return !static_branch_unlikely(&xen_dma_key);
}

static inline bool dma_machine_coherent_ok(phys_addr_t phys, size_t size)
{
	return !static_branch_unlikely(&xen_dma_key) ||
		xen_dma_coherent_ok(phys, size);
}

static inline u64 dma_machine_max(void)
{
	return xen_dma_max_machine();
}

static inline int dma_machine_make_contiguous(struct page *page, size_t size,
					      u64 limit, gfp_t gfp)
{
	return xen_dma_make_contiguous(page, size, limit, gfp);
}

static inline void dma_machine_undo_contiguous(struct page *page, size_t size)
{
	if (static_branch_unlikely(&xen_dma_key))
		xen_dma_undo_contiguous(page, size);
}

#endif /* _ASM_X86_DMA_MACHINE_H */
