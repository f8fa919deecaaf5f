/* SPDX-License-Identifier: GPL-2.0 */
/*
 * Machine addresses of the fake machine. With 64 bits, this is the unedited x86
 * <asm/dma-machine.h>. It is not for 32 bits, where Xen PV does not run: a shift of 64-bit
 * addresses does not drop the flags of 32-bit entries. The fake machine scatters memory
 * there too, with the functions below.
 */
#ifndef _SHIM_DMA_MACHINE_H
#define _SHIM_DMA_MACHINE_H

#include "kernel.h"

#ifdef __x86_64__

#define OPTIMIZER_HIDE_VAR(var)	__asm__("" : "=r" (var) : "0" (var))

#include ARCH_DMA_MACHINE

#else

#include <asm/xen/p2m-leaf.h>

struct swiotlb_backend;

DECLARE_STATIC_KEY_FALSE(xen_dma_key);

phys_addr_t xen_dma_phys_to_machine(phys_addr_t phys);
phys_addr_t xen_dma_machine_to_phys(phys_addr_t maddr);
bool xen_dma_contiguous(phys_addr_t phys, size_t size);
bool xen_dma_coherent_ok(phys_addr_t phys, size_t size);
u64 xen_dma_max_machine(void);
int xen_dma_make_contiguous(struct page *page, size_t size, u64 limit, gfp_t gfp);
void xen_dma_undo_contiguous(struct page *page, size_t size);
void xen_dma_init(void);
extern const struct swiotlb_backend xen_swiotlb_backend;

static inline phys_addr_t dma_phys_to_machine(phys_addr_t phys)
{
	return xen_dma_key ? xen_dma_phys_to_machine(phys) : phys;
}

static inline phys_addr_t dma_machine_to_phys(phys_addr_t maddr)
{
	return xen_dma_key ? xen_dma_machine_to_phys(maddr) : maddr;
}

static inline bool dma_machine_contiguous(phys_addr_t phys, size_t size)
{
	unsigned long bytes = offset_in_page(phys) + size;

	return !xen_dma_key || bytes <= PAGE_SIZE ||
		xen_p2m_remembered(PHYS_PFN(phys), PFN_UP(bytes)) ||
		xen_dma_contiguous(phys, size);
}

static inline bool dma_machine_is_phys(void)
{
	return !xen_dma_key;
}

static inline bool dma_machine_coherent_ok(phys_addr_t phys, size_t size)
{
	return !xen_dma_key || xen_dma_coherent_ok(phys, size);
}

static inline u64 dma_machine_max(void)
{
	return xen_dma_max_machine();
}

static inline int dma_machine_make_contiguous(struct page *page, size_t size, u64 limit, gfp_t gfp)
{
	return xen_dma_make_contiguous(page, size, limit, gfp);
}

static inline void dma_machine_undo_contiguous(struct page *page, size_t size)
{
	if (xen_dma_key)
		xen_dma_undo_contiguous(page, size);
}

#endif

#endif
